"""What a surface is read into, and the surfaces that hold no plain number: "twice", "40s"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from claimx.quantities.decimals import ONE, add, multiply
from claimx.quantities.numbers import find_numbers
from claimx.quantities.units import Unit, find_unit


@dataclass(frozen=True, slots=True)
class Reading:
    """What a surface says on its own, before its surroundings are asked.

    Args:
        value: the number; None for a range and for a vague number.
        low: lower end, or all that a vague number says.
        high: upper end of a range.
        unit: the unit, without its rate.
        rate: what the unit is per, such as ``year``.
        kind: the kind, where the surface alone decides it.
        modifier: likewise: "18+" is a lower bound.
        bare: whether no word stands behind the number.
        lead: the words before the first number.
    """

    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    unit: Unit | None = None
    rate: str | None = None
    kind: str | None = None
    modifier: str | None = None
    bare: bool = True
    lead: str = ""


_MULTIPLES = {
    "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "twice": 2, "twofold": 2, "thrice": 3,
    "triple": 3, "triples": 3, "tripled": 3, "tripling": 3, "treble": 3, "trebled": 3,
    "quadruple": 4, "quadruples": 4, "quadrupled": 4, "quadrupling": 4, "quintuple": 5,
    "quintupled": 5, "once": 1,
}  # fmt: skip
_NAMED_DIGITS = {"single": 1, "double": 2, "triple": 3}
_BENT = re.compile(r"(?:more than|almost|nearly|about|roughly|at least)\s")
_HALVES = frozenset({"halve", "halves", "halved", "halving"})
_FIGURES = re.compile(
    r"(?:(?:low|mid|high|strong|solid)[\s-])?(?P<count>\w+)[\s-](?:figures?|digits?)(?:[\s-](?:sum|number|amount)s?)?",
    re.I,
)
_DECADES = re.compile(
    r"(?:(?:early|mid|late|low|upper|high|their|his|her)[\s-]+){0,2}"
    r"(?P<tens>[1-9]0|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|twent|thirt|fort"
    r"|fift|sixt|sevent|eight|ninet)(?:[\s-]?something|'?s|ies)",
    re.I,
)


def read_special(plain: str) -> Reading | None:
    """Read what holds no number word: "twice", "halved", "six-figure", "40-something"."""
    word = plain.lower().strip("-'\" ")
    if word.startswith(("twice ", "thrice ")):  # "twice a week", "twice the size"
        word = word.partition(" ")[0]
    bend = _BENT.match(word)
    lead, verb = (bend[0], word[bend.end() :]) if bend else ("", word)
    if verb in _MULTIPLES:
        return Reading(Decimal(_MULTIPLES[verb]), kind="multiple", lead=lead)
    if verb in _HALVES:
        return Reading(Decimal("0.5"), kind="ratio", lead=lead)
    fold = re.fullmatch(r"(\w+)[\s-]?fold", word)
    if fold and len(numbers := find_numbers(fold[1])) == 1:
        return Reading(numbers[0].value, numbers[0].low, kind="multiple")
    bound = re.fullmatch(r"(under|over)s?[\s-]?(\d{1,2})s", word)
    if bound:
        modifier = "upper_bound" if bound[1] == "under" else "lower_bound"
        return Reading(
            Decimal(int(bound[2])), unit=find_unit("year"), kind="age", modifier=modifier
        )
    figures = _FIGURES.fullmatch(word)
    if figures:
        digits = _NAMED_DIGITS.get(figures["count"])
        for number in find_numbers(figures["count"]):
            digits = int(number.value or 0)
        if digits is None or not 1 <= digits <= 15:
            return None
        low = ONE.scaleb(digits - 1)
        if "digit" in word:
            return Reading(low=low)
        dollars = find_unit("dollar")
        return Reading(low=low, high=add(multiply(low, Decimal(10)), -ONE), unit=dollars)
    decade = _DECADES.fullmatch(word)
    if decade:
        tens = decade["tens"].lower()
        (number,) = find_numbers(tens if tens.endswith("y") or tens.isdigit() else f"{tens}y")
        low_age = number.value
        if low_age is not None:
            year = find_unit("year")
            return Reading(low=low_age, high=add(low_age, Decimal(9)), unit=year, kind="age")
    return None
