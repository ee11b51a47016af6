"""Unit names: the closed list of `units.yaml`, its aliases, and "X per Y" by composition."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

_LONGEST_NAME = 120  # characters of a unit name that are looked at
LOCAL = "$"  # what a bare dollar is until the article's currency is known


@dataclass(frozen=True, slots=True)
class Unit:
    """One entry of the closed list.

    Args:
        name: the unit's name, such as ``kilometre`` or ``USD``.
        kind: the kind of quantity that it makes: percent, duration, measure, count or money.
        group: units of one group add up ("six feet five inches"); None for none.
        size: its size in the base unit of its group; of a cent, its share of the dollar.
    """

    name: str
    kind: str
    group: str | None = None
    size: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class ReadUnit:
    """A unit found in a text, with the rate behind it.

    Args:
        unit: the unit; its name is ``$`` where the article decides which currency is meant.
        rate: what it is per, such as ``year``; None if nothing.
        end: where its last word ends in the text that was read.
    """

    unit: Unit
    rate: str | None
    end: int


@dataclass(frozen=True, slots=True)
class _Table:
    exact: dict[str, Unit] = field(default_factory=dict)
    folded: dict[str, Unit] = field(default_factory=dict)
    symbols: dict[str, Unit] = field(default_factory=dict)
    symbol_pattern: re.Pattern[str] = re.compile(r"(?!)")
    codes: frozenset[str] = frozenset()
    longest: int = 1


# Codes that are words in small letters: "half of all", "three cups".
_WORDS = frozenset({"all", "bam", "bob", "cad", "cop", "cup", "gel", "lak", "mad", "mop", "nad",
                    "pen", "ron", "sos", "top", "try"})  # fmt: skip
_RAISED = {ord("²"): "2", ord("³"): "3"}


def _fold(alias: str) -> str:
    """Return the form in which aliases are compared: lower case, no dots, single spaces."""
    alias = re.sub(r"\.(?!\d)|\^", "", alias.translate(_RAISED))
    alias = re.sub(r"\s*/\s*", " / ", alias)
    return re.sub(r"[\s-]+", " ", alias).strip()


@lru_cache(maxsize=1)
def _table() -> _Table:
    """Read units.yaml once."""
    raw = yaml.safe_load(
        resources.files("claimx.quantities").joinpath("units.yaml").read_text("utf-8")
    )
    exact: dict[str, Unit] = {}
    folded: dict[str, Unit] = {}
    symbols: dict[str, Unit] = {}

    def add(unit: Unit, *aliases: str) -> None:
        for alias in aliases:
            key = _fold(alias)
            exact.setdefault(key, unit)
            folded.setdefault(key.lower(), unit)
            if len(key) > 1 and not key.endswith("s"):
                folded.setdefault(f"{key.lower()}s", unit)

    def add_code(unit: Unit) -> None:
        exact[unit.name] = unit
        if unit.name.lower() not in _WORDS:
            folded.setdefault(unit.name.lower(), unit)

    for code, entry in raw["money"].items():
        unit = Unit(code, "money", code)
        add_code(unit)
        add(unit, *entry.get("symbols", ()), *entry.get("words", ()))
        symbols |= dict.fromkeys((code, *entry.get("symbols", ())), unit)
    for code in raw["other_codes"]:
        symbols[code] = Unit(code, "money", code)
        add_code(symbols[code])
    codes = frozenset(unit.name for unit in symbols.values())
    symbols[LOCAL] = Unit(LOCAL, "money", LOCAL)
    add(symbols[LOCAL], *raw["local_money"])
    for name, entry in raw["hundredths"].items():
        code = entry.get("code", LOCAL)
        cent = Unit(code, "money", code, Decimal("0.01"))
        add(cent, name, *entry.get("aliases", ()))
    for kind in ("percent", "duration", "measure", "count"):
        for name, entry in raw[kind].items():
            add(_read_entry(name, kind, entry), name, *entry.get("aliases", ()))
    by_length = sorted(symbols, key=len, reverse=True)
    pattern = re.compile("|".join(_bounded(symbol) for symbol in by_length))
    return _Table(exact, folded, symbols, pattern, codes, max(key.count(" ") for key in folded) + 1)


def _read_entry(name: str, kind: str, entry: dict[str, Any]) -> Unit:
    return Unit(name, kind, entry.get("group"), Decimal(str(entry.get("size", 1))))


def _bounded(symbol: str) -> str:
    """Return a pattern for a symbol; letters at its edges must not touch other letters."""
    before = r"(?<![A-Za-z])" if symbol[0].isalpha() else ""
    after = r"(?![A-Za-z])" if symbol[-1].isalpha() else ""
    return f"{before}{re.escape(symbol)}{after}"


def find_unit(name: str) -> Unit | None:
    """Return the unit that an alias means, or None; compound units are not looked into."""
    table, key = _table(), _fold(name[:_LONGEST_NAME])
    return table.exact.get(key) or table.folded.get(key.lower())


def unit_names() -> list[str]:
    """Return the closed names of all units."""
    return sorted({unit.name for unit in _table().exact.values()} - {LOCAL})


def find_currency(text: str) -> Unit | None:
    """Return the currency whose symbol or code stands in a text ("US$", "GBP"), or None."""
    match = _table().symbol_pattern.search(text)
    return _table().symbols[match[0]] if match else None


_EVERY = {
    "annually": "year", "yearly": "year", "monthly": "month", "weekly": "week", "daily": "day",
    "hourly": "hour", "nightly": "night", "annual": "year", "p.a.": "year", "pa": "year",
}  # fmt: skip
_RATE = re.compile(
    r"[\s,-]*(?:(?:of\s+)?(?:per|for\s+(?:every|each)|each|every|an?|the)(?=[\s-])|/)[\s-]*"
    r"(?P<per>[a-z°][\w'’² ^-]*)"
    rf"|[\s,-]*(?P<every>{'|'.join(map(re.escape, _EVERY))})(?!\w)",
    re.I,
)
_WORD = re.compile(
    r"[^\W\d_]+(?:[.'’](?=[^\W\d_])[^\W\d_]+)*\.?(?:\^?[23](?!\d))?|[°%‰$¢€£¥/′″'\"]"
)
_LONGEST_RATE = 60  # characters of what a unit is per
_SINGULARS = (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"),
              ("ss", "ss"), ("us", "us"), ("s", ""))  # fmt: skip
_COUNTED = re.compile(
    r"[\s-]?(?!(?:times|more|less|per|each|every|for)\b)(?P<noun>[a-z]{3,20})"
    r"(?=\s(?:per|an?|each|every)\s)"
)
_ANY_FILLER = 2  # words between number and unit that are skipped: "four more years"
_NO_FILLER = frozenset("a an and each every for in of or out per the to / $".split())


def read_unit(text: str, *, fillers: int = _ANY_FILLER) -> ReadUnit | None:
    """Read the unit at the beginning of a text, with the rate that follows it.

    Args:
        text: what stands behind a number: "-year-old", " more hectares", "$ a year".
        fillers: how many words may stand before the unit.
    """
    text = text[:_LONGEST_NAME]
    words = list(_WORD.finditer(text))[:12]
    for skipped in range(min(fillers + 1, len(words))):
        if skipped and words[skipped - 1][0].lower() in _NO_FILLER:
            return None
        for length in range(min(_table().longest, len(words) - skipped), 0, -1):
            first, last = words[skipped], words[skipped + length - 1]
            unit = find_unit(text[first.start() : last.end()])
            if unit is not None and not (skipped and last.end() - first.start() == 1):
                return ReadUnit(unit, read_rate(text[last.end() :]), last.end())
    return None


def read_rate(text: str) -> str | None:
    """Return what follows "per", "a", "each" or "/" at the beginning of a text, or None."""
    match = _RATE.match(text)
    if match is None:
        return None
    if match["every"]:
        return _EVERY[match["every"].lower()]
    whole = re.sub(r"[\s-]+", " ", match["per"]).strip()[:_LONGEST_RATE]
    first, second, then = _split_rate(whole)
    if second and then and (after := find_unit(then)):  # "per patient a year"
        known = find_unit(first)
        return f"{known.name if known else first.lower()} per {after.name}"
    words = whole
    while words:
        unit = find_unit(words)
        if unit is not None:
            return "dollar" if unit.name == LOCAL else unit.name
        words = words.rpartition(" ")[0]
    # "per thousand cubic feet", "per vial": what is not in the list stays as written.
    return _scaled_unit(whole) or whole.lower() or None


def read_counted(text: str) -> ReadUnit | None:
    """Read a noun that is no unit of the list, counted per one that is: " items an hour"."""
    noun = _COUNTED.match(text)
    rate = read_rate(text[noun.end() :]) if noun else None
    if noun is None or rate is None or find_unit(rate) is None:
        return None
    return ReadUnit(Unit(_singular(noun["noun"]), "measure"), rate, noun.end())


def _scaled_unit(name: str) -> str | None:
    """Return the closed name of a scaled unit: "thousand cubic meters"."""
    scale, _, rest = name.strip().lower().partition(" ")
    unit = find_unit(rest) if scale in ("hundred", "thousand", "million", "billion") else None
    return f"{scale} {unit.name}" if unit else None


def _singular(noun: str) -> str:
    """Return the singular of a plain English noun: "items" -> "item", "boxes" -> "box"."""
    for ending, one in _SINGULARS:
        if noun.endswith(ending):
            return noun.removesuffix(ending) + one
    return noun


def canonical_unit(name: str | None) -> str | None:
    """Return the closed name of a unit: "per cent" -> "percent", "USD/hr" -> "USD per hour".

    Args:
        name: any alias, plural or compound; unknown names come back in lower case.
    """
    if name is None or not name.strip():
        return None
    unit = find_unit(name)
    if unit is not None and unit.size != Decimal("0.01"):
        return "USD" if unit.name == LOCAL else unit.name
    if scaled := _scaled_unit(name):
        return scaled
    left, per, right = _split_rate(name)
    if per and (numerator := canonical_unit(left)):
        known = find_unit(right)
        denominator = "dollar" if known and known.name == LOCAL else known and known.name
        return f"{numerator} per {denominator or canonical_unit(right)}"
    return name.lower()


def _split_rate(name: str) -> tuple[str, str, str]:
    for per in (" per ", "/", " a ", " an ", " each ", " every "):
        left, found, right = name.partition(per)
        if found and left.strip() and right.strip():
            return left.strip(), per, right.strip()
    return name, "", ""
