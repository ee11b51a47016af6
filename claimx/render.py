"""How findings are said to people: text of articles on one line, numbers in words.

Text from articles is shown without control or direction characters, so that no article can steer
a terminal or turn a page around.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from claimx.outputs import beside
from claimx.types import Number, Quantity, Span

_MODIFIERS = {"approximate": "about", "lower_bound": "at least", "upper_bound": "at most"}
_CHANGES = {"up": "up", "down": "down", "from": "from", "to": "to"}
_UNIT = re.compile(r"(?P<before>.*?)(?P<noun>degree|\S+)(?P<after>(?: (?:per|of|[CF]\S+) ?.*)?)")
_PLURALS = {
    "foot": "feet",
    "inch": "inches",
    "century": "centuries",
    "millennium": "millennia",
    "percent": "percent",
    "per mille": "per mille",
    "horsepower": "horsepower",
    "lux": "lux",
    "stone": "stone",
    "head": "head",
    "person": "people",
}


def clean(text: str) -> str:
    """Make article text safe and short: runs of white space become one space, none at the edges."""
    return one_line(text).strip(" ")


def one_line(text: str) -> str:
    """Make part of a text safe: runs of white space become one space, also at the edges."""
    return "".join(
        "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") else character
        for character in _WHITE_SPACE.sub(" ", text)
        if character not in _DIRECTION_MARKS
    )


_WHITE_SPACE = re.compile(r"\s+")
_DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def listed(spans: Iterable[Span]) -> str:
    """Join the surfaces with commas, each once whatever its case."""
    seen: dict[str, str] = {}
    for span in spans:
        seen.setdefault(clean(span.text).casefold(), clean(span.text))
    return ", ".join(seen.values())


def normal_form(quantity: Quantity) -> str:
    """Say the normal form of a quantity in words: ``up at least 2.3 million USD``."""
    if quantity.value is None and quantity.low is None and quantity.high is None:
        return "not read"
    words = (
        _CHANGES.get(quantity.change),
        _MODIFIERS.get(quantity.modifier),
        _with_unit(_numbers(quantity), quantity),
    )
    return " ".join(filter(None, words))


def _numbers(quantity: Quantity) -> str:
    """Write the value, the two ends of a range, or the one end that is known."""
    if quantity.value is not None:
        return _number(quantity.value, quantity)
    ends = [_number(end, quantity) for end in (quantity.low, quantity.high) if end is not None]
    if len(ends) == 2:  # "1/4 to 1/3" needs no decimals
        ends = [end.partition(" (")[0] for end in ends]
    if len(ends) == 2 and quantity.change in ("from", "to"):  # not "to 3 to 5 percent"
        return f"between {ends[0]} and {ends[1]}"
    return " to ".join(ends)


def _with_unit(number: str, quantity: Quantity) -> str:
    """Put the unit to the number as it is said: ``3 barrels per day``, ``magnitude 5.2``."""
    if quantity.kind == "multiple":
        if quantity.change in ("up", "down"):
            return f"{number}-fold"
        return f"{number} {'time' if quantity.value == 1 else 'times'}"
    if quantity.unit == "magnitude":
        return f"magnitude {number}"
    unit = _unit(quantity)
    if quantity.kind == "age" and unit is not None:
        return f"{number} {unit} old"
    return f"{number} {unit}" if unit else number


def _unit(quantity: Quantity) -> str | None:
    """Name the unit as it is said after this number: ``barrels per day``."""
    if quantity.unit is None or quantity.value in (1, -1):
        return quantity.unit
    # The noun to change is the last word before "per" or "of"; "degree" comes first.
    match = _UNIT.fullmatch(quantity.unit)
    if match is None or quantity.unit in _PLURALS:
        return _plural(quantity.unit)
    return match["before"] + _plural(match["noun"]) + match["after"]


def _plural(noun: str) -> str:
    if noun.isupper() or noun.endswith("hertz"):  # a currency's code
        return noun
    return _PLURALS.get(noun, noun + "s")


_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_LARGEST_SCALED = 10**15
_ROUNDED = 6e-5  # a normal form has four decimals of a third
_PARTS = 20  # shares are said in these parts at most, and as one in up to a thousand


def _number(value: Number, quantity: Quantity) -> str:
    """Write a number: in millions where that is short and exact, shares as fractions too."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_SCALED:
        value = int(value)
    if isinstance(value, int):
        return _scaled(value) if abs(value) < 10**18 else f"{Decimal(value):.4g}"
    if quantity.kind == "ratio" and (fraction := _fraction(value)):
        return f"{fraction} ({_decimals(value)})"
    if quantity.kind == "money" and round(value, 2) == value:
        return f"{value:,.2f}"
    return _decimals(value)


def _scaled(value: int) -> str:
    """Write ``2.3 million``; a number that would need more than three decimals is written out."""
    for scale, name in _SCALES:
        if scale <= abs(value) < _LARGEST_SCALED and value % (scale // 1000) == 0:
            return f"{value / scale:,.10g} {name}"
    return f"{value:,}"


def _decimals(value: float) -> str:
    """Write a number without exponent, unless it is too small or too large to read so."""
    if 1e-9 <= abs(value) < 1e-4:
        return f"{Decimal(repr(value)):f}"
    return f"{value:,.10g}"


def _fraction(value: float) -> str | None:
    """Return a share as a fraction, ``2/3``, where it is one of few parts, else None."""
    if not 0 < value < 1:
        return None
    part = Fraction(value).limit_denominator(_PARTS)
    if abs(part - Fraction(value)) < _ROUNDED:
        return f"{part.numerator}/{part.denominator}"
    whole = round(1 / value)
    return f"1/{whole}" if whole <= 1000 and abs(1 / whole - value) < _ROUNDED * value else None


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: if that fails; what was there before is still there.
    """
    with beside(path) as unfinished:
        unfinished.write_bytes(text.encode("utf-8"))
