"""What the surface of a quantity says by itself: its numbers joined, with their unit.

The numbers (`claimx.quantities.numbers`) and units (`claimx.quantities.units`) of a surface are
found and joined:
"17 out of 18", "5 to 10 million", "six feet five inches", "an hour and a half".
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from claimx.quantities.decimals import ONE, add, divide, multiply
from claimx.quantities.numbers import LONGEST_TEXT, ReadNumber, find_numbers
from claimx.quantities.reading import Reading, read_special
from claimx.quantities.units import (
    ReadUnit,
    Unit,
    find_currency,
    read_counted,
    read_rate,
    read_unit,
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One number of a surface with the unit behind it and the words up to the next number."""

    number: ReadNumber
    unit: ReadUnit | None
    between: str


_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－"), "-")
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f\t\n\r"), " ")
_MARKS = dict.fromkeys(map(ord, "“”„«»[]\u200b\u200e\u200f\u2060\ufeff"), None)
_SIGNS = {ord("º"): "°", ord("˚"): "°", ord("∼"): "~", ord("’"): "'", ord("⁄"): "/"}
_CHARACTERS = _DASHES | _SPACES | _MARKS
_MULTI = re.compile(r"\bmulti(?=(?:m|b|tr)illion)", re.I)
_OF_TIME = re.compile(r"(?<=day)'s\b|(?<=hour|week|year)'s\b|(?<=month|night)'s\b", re.I)
_SINGLE = re.compile(r"^(?:(?:an?|every|one) )?single\b(?!-|[\s-](?:digit|figure))", re.I)
_SUPERSCRIPT = re.compile(r"[⁻]?[⁰¹²³⁴-⁹]+")


def _normalise(surface: str) -> str:
    """Return a surface with plain dashes, spaces, digits and fractions; case is kept."""
    surface = html.unescape(surface) if "&" in surface else surface
    surface = _SUPERSCRIPT.sub(lambda match: f"^{match[0]}", surface.translate(_SIGNS))
    written: list[str] = []
    for character in surface:
        plain = unicodedata.normalize("NFKC", character)
        if "⁄" in plain:  # a vulgar fraction: "2½" is 2 1/2
            plain = f" {plain}"
        written.append(plain)
    plain = "".join(written).translate(_SIGNS | _CHARACTERS)
    plain = _MULTI.sub("multi-", _OF_TIME.sub("", re.sub(r"\s+", " ", plain).strip()))
    return _SINGLE.sub("one", plain)


# "a couple of [dozen]", "half a [million dollars]": the rest of a number that begins with its scale
_SCALE_FIRST = re.compile(r"(?:dozen|hundred|thousand|million|billion|trillion)\b", re.I)
_COUNT_BEFORE = re.compile(
    r"(?<![\w-])(?:(?:an?\s+)?(?:couple\s+of|few)|several|half\s+an?|(?:an?|three)\s+quarters?\s+of\s+an?)"
    r"\s+$",
    re.I,
)


def with_words_before(surface: str, before: str) -> str:
    """Return a surface with the count that stands before it, where it begins with its scale.

    Args:
        surface: the quantity as it stands in the text.
        before: the text directly before it.
    """
    count = _COUNT_BEFORE.search(before) if _SCALE_FIRST.match(surface) else None
    return f"{count[0]}{surface}" if count else surface


_THE = re.compile(r"^the ", re.I)
_ONE_UNIT = re.compile(
    r"(?:(?:another|past|last|next)\s)?"
    r"(?!second\b|minutes?\b|quarter)[a-z]+(?:[\s-](?:long|old))?",
    re.I,
)
_FOLD = re.compile(r"[\s-]?fold\b|\s*times\b|\s*x$", re.I)
_UNIT_AND = re.compile(r"(.+?)[\s-]+(?:and|or)[\s-]*", re.I)
_FACTOR = re.compile(r"\bfactors?\s+of\b", re.I)
_LOWER_SIGN = re.compile(
    r"^(?:>=?|≥)|\d(?:[kmb]|[bt]n|\s?[mbtr]+illion)?\s?\+|\bplus\b(?! or)|"
    r"\b(?:or|and) (?:more|over|older|above)\b",
    re.I,
)
_UPPER_SIGN = re.compile(r"^(?:<=?|≤)|\b(?:or|and) (?:less|fewer|under|younger|below)\b", re.I)
_ABOUT_SIGN = re.compile(r"^(?:~|c\.|circa|±|\+/-)|\bodd\b|\bor so\b|\bish\b|\bcouple\b", re.I)
_NEGATIVE = re.compile(r"(?:^-\s?|[\s($€£]-|\b(?:minus|negative)\s)[$€£]*$", re.I)


def read_surface(surface: str, *, millions: bool = False) -> Reading | None:
    """Read a surface by itself; None where there is no number or it cannot be read.

    Args:
        surface: the quantity as it stands in the text.
        millions: whether a bare "m" means million, not metres, because of what follows.
    """
    if len(surface) > LONGEST_TEXT:
        return None
    plain = _normalise(surface)
    if not plain or len(plain) > LONGEST_TEXT:
        return None
    special = read_special(plain)
    if special is not None:
        return special
    pieces, prefix = _pieces(plain, millions)
    if not pieces:
        plain = _THE.sub("", plain)
        unit = read_unit(plain)
        if unit is None or unit.unit.kind != "duration" or not _ONE_UNIT.fullmatch(plain):
            return None
        if plain.lower().partition("-")[0].endswith("s"):  # bare "decades" are at least two
            return Reading(low=Decimal(2), unit=unit.unit)
        return Reading(ONE, unit=unit.unit)
    if any(piece.number.unread for piece in pieces):
        return None
    reading = _join(pieces, plain, prefix)
    if reading is None:
        return None
    bare = re.search(r"[^\W\d_]", pieces[-1].between) is None
    return replace(_words_inside(reading, plain), bare=bare, lead=prefix)


def _pieces(plain: str, millions: bool) -> tuple[list[_Piece], str]:
    """Cut a surface at its numbers: the pieces, and what stands before the first."""
    money = find_currency(plain) is not None
    numbers = [_signed(number, plain) for number in find_numbers(plain, money=money or millions)]
    # The article of "a year" is a number only where nothing else is; "a year or two" keeps it.
    exact = [number for number in numbers if not number.article]
    if not exact:
        numbers = numbers[:1]
    elif numbers[0].article and len(exact) == 1 and _AND.search(plain[: exact[0].start]):
        numbers = [numbers[0], *exact]
    else:
        numbers = exact
    if not numbers:
        return [], ""
    if _ONE_OF_THEM.match(plain, numbers[0].start) and len(numbers) > 1:
        numbers = numbers[1:]
    ends = [number.start for number in numbers[1:]] + [len(plain)]
    pieces = []
    for number, end in zip(numbers, ends, strict=True):
        between = plain[number.end : end]
        # "$2.86 per thousand cubic feet", "two parts per billion": one number with its unit
        rated = _holds_number(plain, number.end, end, money)
        between = plain[number.end :] if rated else between
        part = number.fraction or number.value is None or 0 < number.value < 1
        behind = _OF.sub("", between) if part else between  # "0.3 of a point"
        unit = read_unit(_LINK.split(behind)[0])
        if unit is None and number is numbers[-1] and behind.strip() == "in":
            unit = read_unit("inch")
        pieces.append(_Piece(number, unit, between))
        if rated:
            break
    return pieces, plain[: numbers[0].start]


def _holds_number(plain: str, start: int, end: int, money: bool) -> bool:
    """Whether the unit that begins at `start` holds the next number, which begins at `end`."""
    between = plain[start:end]
    if _PER_NUMBER.search(between) and (money or read_unit(between)):
        return True
    if money and between == " " and _EACH_NUMBER.match(plain, end):  # "$3 a dozen"
        return True
    unit = read_unit(plain[start:], fillers=0) if plain[end : end + 1].isalpha() else None
    return unit is not None and start + unit.end > end


def _signed(number: ReadNumber, plain: str) -> ReadNumber:
    """Give a number the minus that stands before it; the hyphen of "5-10" is none."""
    if number.value and _NEGATIVE.search(plain[: number.start]):
        return replace(number, value=-number.value)
    return number


# "millions of dollars", "half an hour", "a billionth of a metre"
_OF = re.compile(r"^[\s-]+(?:of\s+)?(?:an?\s+)?", re.I)
_PER_NUMBER = re.compile(r"\bper\s+$", re.I)
_EACH_NUMBER = re.compile(r"an?\s(?:dozen|hundred|thousand|million)\b", re.I)
_LINK = re.compile(r"(?<!\w)(?:out[\s-]of|in|to|or|and|through|until|till|versus|vs)(?!\w)", re.I)
_RATIO = re.compile(
    r"[\s-]*(?:out[\s-]+of|in|of|per)[\s-]+(?:(?:every|each|the|their|its|his|her|our|those|these|all"
    r"|last|past|previous|first|final|next|other)\s+){0,3}",
    re.I,
)
_IN = re.compile(r"[\s-]in[\s-]", re.I)
# "one patient in three", "two new cases out of every five"
_NOUN_RATIO = re.compile(
    r"(?:\s+[^\W\d_][\w'-]*){1,3}?\s+(?:out\s+of|in|per)\s+(?:(?:every|each)\s+)?", re.I
)
_ONE_OF_THEM = re.compile(r"one (?=\d)", re.I)  # "one 41-50 years old": a pronoun
_AND = re.compile(r"\b(?:or|and)\b", re.I)
_ODDS = re.compile(r"\s*(?:-\s*to\s*-|\s+to\s+|-|:)\s*", re.I)
_RANGE = re.compile(r"(?<!\w)(?:to|or|and|through|until|till)(?!\w)|-|,|/", re.I)


def _join(pieces: list[_Piece], plain: str, prefix: str) -> Reading | None:
    """Join the numbers of a surface into one reading."""
    first, last = pieces[0], pieces[-1]
    unit, rate = _surface_unit(pieces, plain, prefix)
    whole = Reading(first.number.value, first.number.low, None, unit, rate)
    if len(pieces) == 1:
        return _one_number(first, whole, plain)
    ratio = _RATIO.fullmatch(first.between)
    flood = first.number.value == 1 and _IN.fullmatch(first.between)  # "one-in-100-year"
    if ratio and (unit is None or flood) and first.number.value is not None:
        return _ratio(first.number.value, pieces[1:])
    if _is_noun_ratio(pieces) and first.number.value is not None:
        return _ratio(first.number.value, pieces[1:])
    if len(pieces) == 2 and unit is None and _ODDS.fullmatch(first.between):
        against, odds = last.number.value, first.number.value
        if against == 1 and odds is not None and odds > 1:  # "3-to-1", "2-1"
            return Reading(odds, kind="ratio")
    half = _and_a_half(pieces)
    if half is not None:
        return half
    if first.unit and all(piece.unit for piece in pieces) and (total := _compound(pieces)):
        return total
    if any(piece.number.value is None for piece in pieces):
        lows = [piece.number.low or piece.number.value for piece in pieces]
        return Reading(low=min(low for low in lows if low is not None), unit=unit, rate=rate)
    if len(pieces) == 2 and _repeats(first, last):
        return whole
    if _RANGE.search(first.between) is None or _unlike(pieces, unit):
        return None
    values = _range_values(pieces, unit)
    kind = None if unit else _range_kind(pieces)
    return Reading(None, min(values), max(values), unit, rate, kind)


def _range_kind(pieces: list[_Piece]) -> str | None:
    """Return the kind of a range without unit: "two to three times", "a third to a half"."""
    if _FOLD.match(pieces[-1].between):
        return "multiple"
    return "ratio" if all(piece.number.fraction for piece in pieces) else None


def _one_number(piece: _Piece, whole: Reading, plain: str) -> Reading:
    """Settle the kind of a single number: "ten times", "two-thirds", "5 feet"."""
    number, kind = piece.number, None
    prefix = plain[: number.start]
    ahead = _UNIT_AND.fullmatch(prefix)
    if ahead and number.value and (unit := read_unit(ahead[1])):
        # "(a) year and a half", "(a) week or two" without their article
        rate = read_rate(piece.between)
        if number.fraction:
            return Reading(add(ONE, number.value), unit=unit.unit, rate=rate)
        return Reading(None, ONE, number.value, unit.unit, rate)
    if _FACTOR.search(prefix) or (whole.unit is None and _FOLD.match(piece.between) is not None):
        kind = "multiple"
    elif number.fraction and whole.unit is None:
        kind = "ratio"
    return Reading(whole.value, whole.low, None, whole.unit, whole.rate, kind)


def _ratio(part: Decimal, others: list[_Piece]) -> Reading | None:
    """Read "one in five" and "one in every three to four"."""
    quotients = [divide(part, other.number.value) for other in others if other.number.value]
    found = [quotient for quotient in quotients if quotient is not None]
    if not found:
        return None
    if len(found) == 1:
        return Reading(found[0], kind="ratio")
    return Reading(None, min(found), max(found), kind="ratio")


def _is_noun_ratio(pieces: list[_Piece]) -> bool:
    """Whether two numbers are a part and its whole around a noun: "one dollar in 50"."""
    if len(pieces) != 2:
        return False
    behind = pieces[1].between.strip()  # "12 deaths per 1,000 births"
    if behind and (pieces[1].unit or not _PER_NUMBER.search(pieces[0].between)):
        return False
    part, whole = pieces[0].number, pieces[1].number
    if part.value is None or whole.value is None or part.scale > 1 or part.fraction:
        return False
    return 0 < part.value <= whole.value and bool(_NOUN_RATIO.fullmatch(pieces[0].between))


def _and_a_half(pieces: list[_Piece]) -> Reading | None:
    """Read "a year and a half" and "a dollar and a half an hour"."""
    (first, unit), (last, own) = ((piece.number, piece.unit) for piece in (pieces[0], pieces[-1]))
    if len(pieces) != 2 or not unit or first.value is None or last.value is None:
        return None
    rate = read_rate(pieces[-1].between)
    if last.fraction and (rate or not own) and re.search(r"\band\W*$", pieces[0].between, re.I):
        return Reading(add(first.value, last.value), unit=unit.unit, rate=rate)
    return None


def _compound(pieces: list[_Piece]) -> Reading | None:
    """Add up units of one group that grow smaller, in the smallest: "six feet five inches"."""
    read = [piece.unit for piece in pieces if piece.unit]
    units = [each.unit for each in read]
    if any(re.search(r"\b(?:to|or)\b", piece.between, re.I) for piece in pieces[:-1]):
        return None
    smallest = units[-1]
    falling = all(left.size > right.size for left, right in pairwise(units))
    if smallest.group is None or not falling or len({unit.group for unit in units}) > 1:
        return None
    total = Decimal(0)
    for piece, unit in zip(pieces, units, strict=True):
        if piece.number.value is None:
            return None
        total = add(total, multiply(piece.number.value, divide(unit.size, smallest.size) or ONE))
    return Reading(total, unit=smallest, rate=read[-1].rate)


def _repeats(first: _Piece, last: _Piece) -> bool:
    """Whether the second number only says the first again: "one (1)", "five percent (5%)"."""
    return "(" in first.between and first.number.value == last.number.value


def _unlike(pieces: list[_Piece], unit: Unit | None) -> bool:
    """Whether a number counts what no size of the unit can be: "two years and three days"."""
    others = [piece.unit.unit for piece in pieces if piece.unit and piece.unit.unit != unit]
    return unit is not None and any(
        other.group is None or (other.group != unit.group and other.kind != "money")
        for other in others
    )


def _range_values(pieces: list[_Piece], unit: Unit | None) -> list[Decimal]:
    """Return the values of a range, in one unit: "5 to 10 million", "6 months to 2 years"."""
    scale, last = pieces[-1].number.scale, pieces[-1].number.value or ONE
    mantissa = divide(last, scale) or last
    # "25 to 20 million" shares its scale, "500 to 1 million" and "five to one hundred" do not.
    shares = mantissa if scale == 100 else multiply(mantissa, Decimal(10))
    values: list[Decimal] = []
    for piece in pieces:
        value = piece.number.value or Decimal(0)
        if piece.number.scale == 1 and scale > 1 and value < shares:
            value = multiply(value, scale)
        own = piece.unit.unit if piece.unit else unit
        if own and unit and own.group and own.group == unit.group and own.size != unit.size:
            value = multiply(value, divide(own.size, unit.size) or ONE)
        values.append(value)
    return values


def _surface_unit(pieces: list[_Piece], plain: str, prefix: str) -> tuple[Unit | None, str | None]:
    """Return the unit of a surface and its rate: behind the last number, or before the first."""
    ahead = find_currency(prefix) or find_currency(plain)
    behind = next((piece.unit for piece in reversed(pieces) if piece.unit), None)
    rate = behind.rate if behind else None
    if rate is None and pieces[-1].unit is None:  # "$60-$65 a barrel"
        rate = read_rate(pieces[-1].between)
    if ahead is not None:
        named = behind.unit if behind and behind.unit.kind == "money" else None
        if named is None:  # "£30,000 pa" are no pascals
            rate = rate or read_rate(pieces[-1].between)
        return (named if named and ahead.name == "$" and named.size == 1 else ahead), rate
    if behind is not None:
        return behind.unit, rate
    if (counted := read_counted(pieces[-1].between)) is not None:
        return counted.unit, counted.rate
    leading = read_unit(prefix)
    return (leading.unit if leading else None), rate


def _words_inside(reading: Reading, plain: str) -> Reading:
    """Take in signs and words inside the surface: "18+", "200 odd million", cents."""
    modifier = None
    for pattern, name in (
        (_ABOUT_SIGN, "approximate"), (_LOWER_SIGN, "lower_bound"), (_UPPER_SIGN, "upper_bound")
    ):  # fmt: skip
        if modifier is None and pattern.search(plain):
            modifier = name
    unit = reading.unit
    if unit is not None and unit.kind == "money" and unit.size != 1:
        value, low, high = (
            None if number is None else multiply(number, unit.size)
            for number in (reading.value, reading.low, reading.high)
        )
        reading = replace(reading, value=value, low=low, high=high)
    return replace(reading, modifier=modifier)
