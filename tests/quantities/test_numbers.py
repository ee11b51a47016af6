"""`claimx.quantities.numbers`: number words are read back, and no text is slow."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.quantities.decimals import to_plain
from claimx.quantities.numbers import LONGEST_TEXT, find_numbers

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_SMALL = [*_UNITS.split(), "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))


def in_words(number: int) -> str:
    """Write a number below 10**15 in words, as British news does."""
    for scale, name in _SCALES:
        if number >= scale:
            rest = number % scale
            joint = " and " if 0 < rest < 100 else " "
            return f"{in_words(number // scale)} {name}{joint}{in_words(rest) if rest else ''}"
    if number >= 100:
        rest = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{_SMALL[number // 100]} hundred{rest}"
    if number >= 20:
        return _TENS[number // 10 - 2] + (f"-{_SMALL[number % 10]}" if number % 10 else "")
    return _SMALL[number]


@given(st.integers(0, 10**15 - 1) | st.integers(0, 20_000))
@settings(max_examples=150, deadline=None)
def test_every_number_in_words_is_read_back(number: int):
    words = in_words(number).strip()
    (found,) = find_numbers(words)
    assert (to_plain(found.value), found.end) == (number, len(words))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("five thousand and six thousand", [5000, 6000]),
        ("one hundred and two hundred", [100, 200]),
        ("three or four", [3, 4]),
        ("twenty five hundred", [2500]),
        ("a thousand million", [10**9]),
        ("1 million 250 thousand", [1_250_000]),
        ("nineteen hundred", [1900]),
        ("km2 and 5", [5]),
        ("one hundred, fifty", [100, 50]),
        ("two dozen, three", [24, 3]),
        ("three thousand and 20", [3000, 20]),
        ("5 million and 200 thousand", [5_000_000, 200_000]),
    ],
)
def test_neighbouring_numbers_are_joined_only_where_they_are_one(text: str, values: list[int]):
    assert [to_plain(number.value) for number in find_numbers(text)] == values


def test_a_text_longer_than_a_surface_is_refused():
    assert len(find_numbers("5".ljust(LONGEST_TEXT))) == 1
    with pytest.raises(ValueError, match="characters"):
        find_numbers("5" * (LONGEST_TEXT + 1))


@pytest.mark.parametrize(
    ("text", "value"), [("12,345.678 million", 12_345_678_000), ("12.345 x 10^6", 12_345_000)]
)
def test_the_callers_decimal_context_changes_nothing(text: str, value: int):
    with localcontext() as context:
        context.prec = 2
        (number,) = find_numbers(text)
    assert to_plain(number.value) == value


def test_only_a_quotient_that_does_not_end_is_cut():
    (third,) = find_numbers("a third")
    assert to_plain(third.value) == 0.3333
    assert to_plain(Decimal("0.123456789")) == 0.123456789


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), None])
def test_what_is_no_number_becomes_none(value: Decimal | None):
    assert to_plain(value) is None
