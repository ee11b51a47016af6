"""The unit that a bare number shares with its partner: "from 10,000 rials to 35,000".

Only a number that is named together with another one, by from, to, against, compared with or in
brackets, takes the unit of that other; a number that counts something of its own takes none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from claimx.quantities.context import Around
from claimx.quantities.decimals import multiply
from claimx.quantities.numbers import ReadNumber, find_numbers
from claimx.quantities.reading import Reading
from claimx.quantities.units import ReadUnit, Unit, find_currency, find_unit, read_rate, read_unit

_SHARED_KINDS = frozenset({"percent", "money", "duration", "measure"})
_SIGN = 4  # characters before a number in which its currency stands
_BRACKETS = re.compile(r"\([^()]{0,80}\)|\[[^\[\]]{0,80}\]")
_SMALL = (
    r"(?:\s(?:about|around|only|just|nearly|almost|some|over|under|roughly|approximately|at|least|"
    r"most|more|less|than|between|an?|the|its|estimated|record|average|median|peak|low|high|of|"
    r"well|as|much|little))*\s*$"
)
# How a number is tied to one before it. The first line that fits decides.
_TIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(words, re.I))
    for name, words in (
        ("from to", rf"\bfrom\s(?P<partner>(?:[^.;:]|\.(?=\d)){{1,90}}?)\sto{_SMALL}"),
        ("change to", rf"(?<!\bup)\s(?:down |back |up )?to{_SMALL}"),
        ("level", rf"(?:^|\s)(?:up|down)\sfrom{_SMALL}"),
        ("from", rf"(?:^|\s)from{_SMALL}"),
        ("level", rf"\b(?:compared (?:with|to)|against|versus|vs\.?)(?:\sguidance of)?{_SMALL}"),
        ("level", r"\((?:(?:prior|previous|last|year[- ]earlier|the) \w+|"
                  r"(?:Q\d |H\d )?(?:19|20)\d\d)(?: period)?:?\s?$"),
        ("size", rf"\bthen (?:up|down|back)?\s?by{_SMALL}"),
        ("plus or minus", r"\b(?:plus or minus|give or take)\s*$"),
    )
)  # fmt: skip
# What may follow a number that counts nothing of its own.
_NOTHING_COUNTED = re.compile(
    r"\s*$|\s?[,.;:)!?\"”’—–]|\s-\s|\s(?:in|on|at|by|for|from|since|after|before|during|between|and|"
    r"but|or|as|when|while|if|where|because|with|without|under|over|within|until|last|this|next|"
    r"today|yesterday|now|earlier|previously|recently|only|overnight|an?\s(?:year|month|week|day|"
    r"decade|quarter)|(?!hundred)[a-z]{2,}ed)\b",
    re.I,
)
_ADJACENT = re.compile(r"(?:\s(?:an?|per|each|every)\s\w+)?[\s,(—–-]*")
_LEVEL_BEFORE = re.compile(
    r"\b(?:to|at|is|was|were|are|hit|reached|stood|stands|totalled|totaled|had|has|of|with|around|"
    r"about|nearly|roughly|only|just)\s$",
    re.I,
)
_CHANGE_VERB = re.compile(
    r"\b(?:by|r[io]s\w+|increas\w+|f[ae]ll\w*|drop\w*|cut\w*|rais\w+|lower\w*|widen\w*|narrow\w*|"
    r"br(?:ing|ought)\w*|shorten\w*|lengthen\w*|extend\w*|reduc\w+|gr[eo]w\w*|lost|los\w+|gain\w*|"
    r"add\w*|shed\w*|jump\w*|climb\w*|slid\w*|up|down)\b",
    re.I,
)
# "in 2004", a closing quotation mark, a letter that stands alone
_NO_UNIT = re.compile(r"\s*-?(?:in|[\"'″′”’])|\s+[A-Za-z]", re.I)
_POINTS = frozenset({"percent", "percentage point", "point"})


@dataclass(frozen=True, slots=True)
class _Partner:
    """The number that a bare number is named together with, and its unit."""

    number: ReadNumber
    unit: ReadUnit | None


def share_unit(reading: Reading, around: Around) -> Reading:
    """Give a number without unit the unit of the number it is named together with.

    Args:
        reading: what the surface says by itself, neither unit nor kind among it.
        around: the words around it; its sentence is looked at up to 160 characters back.
    """
    number = reading.value if reading.value is not None else reading.high
    if not reading.bare or number is None or (around.measured and not around.measured_before):
        return reading
    if not _NOTHING_COUNTED.match(around.after):
        return reading
    before = _BRACKETS.sub(" ", around.sentence)
    if re.match(r"(?:plus or minus|give or take)$", around.modifier, re.I):
        before = f"{before.rstrip()} {around.modifier} "
    for name, pattern in _TIES:
        tie = pattern.search(before)
        if tie is None:
            continue
        if name == "from to":
            partner = _number_with_unit(tie["partner"], first=True)
        else:
            partner = _number_with_unit(before[: tie.start()], first=False)
        if partner is not None and _fits(name, partner, before[: tie.start()], number):
            return _with_unit(reading, partner)
        if name != "from to":
            return reading
    return reading


def money_before(around: Around) -> Unit | None:
    """Return the currency of the last sum of money named before in the sentence, or None."""
    partner = _number_with_unit(around.sentence, first=False)
    unit = partner.unit.unit if partner and partner.unit else None
    return unit if unit and (unit.kind == "money" or unit.name == "pound") else None


def _number_with_unit(text: str, *, first: bool) -> _Partner | None:
    """Return the first or last number of a text with its unit; None where there is none."""
    numbers = [number for number in find_numbers(text) if not number.article]
    if not numbers:
        return None
    number = numbers[0 if first else -1]
    behind = text[number.end :]
    unit = read_unit(behind, fillers=0)
    if unit is not None and _NO_UNIT.fullmatch(behind[: unit.end]):
        unit = None
    currency = find_currency(text[max(0, number.start - _SIGN) : number.start])
    if currency is not None:
        unit = ReadUnit(currency, read_rate(behind), 0)
    if unit is not None and unit.rate is not None:  # "a year" is shared, "of the value" is not
        per = re.match(r"\s+of\b", behind[unit.end :]) is None and find_unit(unit.rate)
        unit = replace(unit, rate=unit.rate if per else None)
    return _Partner(number, unit)


def _fits(tie: str, partner: _Partner, before: str, number: Decimal) -> bool:
    """Whether a tie carries the partner's unit over to a number."""
    if partner.unit is None or partner.unit.unit.kind not in _SHARED_KINDS:
        return False
    name, kind = partner.unit.unit.name, partner.unit.unit.kind
    if kind == "money" and partner.unit.unit.size != 1 and number < 10 and number % 1:
        return False  # "from 90 cents to 1.60"
    if tie == "plus or minus":
        return name in _POINTS
    between = before[partner.number.end + partner.unit.end :]
    if tie == "level" and kind == "duration":  # "waits four years for a joint, against 190 in 2019"
        return _ADJACENT.fullmatch(between) is not None
    if tie in ("from to", "level", "size"):
        return True
    level = _LEVEL_BEFORE.search(before[: partner.number.start])
    if tie == "from":  # "exports rose 5 percent from 1,200" shares no unit
        moves = _CHANGE_VERB.search(before) is not None
        return level is not None if name in _POINTS else moves
    # "widened by 85 basis points to 410"; but "rose 5 percent to 1,200", "3 points to 45"
    if name in _POINTS or re.search(r"[,.;:]|\b(?:and|or)\b", between):
        return False
    if name == "basis point" and (number < 10 or number % 1):
        return False
    return _CHANGE_VERB.search(before) is not None


def _with_unit(reading: Reading, partner: _Partner) -> Reading:
    """Put the partner's unit and rate on a reading, and count its hundredths."""
    if partner.unit is None:
        return reading
    unit = partner.unit.unit
    reading = replace(reading, unit=unit, rate=partner.unit.rate)
    if unit.kind != "money" or unit.size == 1:
        return reading
    value, low, high = (
        None if each is None else multiply(each, unit.size)
        for each in (reading.value, reading.low, reading.high)
    )
    return replace(reading, value=value, low=low, high=high)
