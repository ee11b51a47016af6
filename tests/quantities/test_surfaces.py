"""Surfaces as news has them, each with all that it says by itself."""

from __future__ import annotations

import pytest

from claimx.quantities import canonical_unit, read_quantity
from claimx.quantities.numbers import LONGEST_TEXT
from claimx.types import Quantity
from tests.quantities.marked import read


def surface(text: str) -> Quantity:
    return read_quantity(text, 0, len(text))


@pytest.mark.parametrize(
    ("text", "value", "unit", "kind"),
    [
        # numbers
        ("1/2 million", 500_000, None, "count"),
        ("½ million tonnes", 500_000, "tonne", "measure"),
        ("3/4 of a million", 750_000, None, "count"),
        ("half a million", 500_000, None, "count"),
        ("1/2", 0.5, None, "ratio"),
        ("14/4", 3.5, None, "ratio"),
        ("two million and a half", 2_500_000, None, "count"),
        ("two and an eighth", 2.125, None, "count"),
        ("three point 5 million", 3_500_000, None, "count"),
        ("1.2M", 1_200_000, None, "count"),
        ("$5Bn", 5_000_000_000, "USD", "money"),
        ("£1bn 250m", 1_250_000_000, "GBP", "money"),
        ("2⅕ miles", 2.2, "mile", "measure"),
        ("one in 3,000,000", 3.333e-7, None, "ratio"),
        ("one in a million", 1e-6, None, "ratio"),
        ("five men in five", 1, None, "ratio"),
        ("one in five", 0.2, None, "ratio"),
        ("12 deaths per 100,000", 0.00012, None, "ratio"),
        ("1-in-100-year", 0.01, None, "ratio"),
        ("single", 1, None, "count"),
        ("single dollar", 1, "USD", "money"),
        ("0.3 of a percentage point", 0.3, "percentage point", "percent"),
        ("100m-strong", 100_000_000, None, "count"),
        ("8GB", 8, "gigabyte", "measure"),
        ("8Gb", 8, "gigabit", "measure"),
        ("almost tripled", 3, None, "multiple"),
        ("every single day", 1, "day", "duration"),
        ("a week's", 1, "week", "duration"),
        ("three days'", 3, "day", "duration"),
        ("twice a week", 2, None, "count"),
        ("three times a week", 3, None, "count"),
        ("twice the width", 2, None, "multiple"),
        ("6ft2in", 74, "inch", "measure"),
        ("83.2 deaths per 1,000 births", 0.0832, None, "ratio"),
        ("three-point-oh", 3, None, "count"),
        ("three point oh five", 3.05, None, "count"),
        ("3m-euro", 3_000_000, "EUR", "money"),
        ("3m-long", 3, "metre", "measure"),
        ("five times as many", 5, None, "multiple"),
        ("3-to-1", 3, None, "ratio"),
        # words that hold a number
        ("tripled", 3, None, "multiple"),
        ("'halved'", 0.5, None, "ratio"),
        ("tenfold", 10, None, "multiple"),
        ("ten-fold", 10, None, "multiple"),
        # units
        ("a couple of years", 2, "year", "duration"),
        ("the past couple of years", 2, "year", "duration"),
        ("a pair of miles", 2, "mile", "measure"),
        ("roughly a year", 1, "year", "duration"),
        ("the past decade", 1, "decade", "duration"),
        ("month-long", 1, "month", "duration"),
        ("An Hour And A Half", 1.5, "hour", "duration"),
        ("2 feet and 1/2 inch", 24.5, "inch", "measure"),
        ("one 50-year-old", 50, "year", "age"),
        ("the one 50-year-old", 50, "year", "age"),
        ("6 in", 6, "inch", "measure"),
        ("four more km", 4, "kilometre", "measure"),
        ("two Group H", 2, None, "count"),
        ("62 a day", 62, None, "count"),
        ("62 boxes a visit", 62, None, "count"),
        ("5 widgets", 5, None, "count"),
        ("five Republicans", 5, None, "count"),
        ("5 OPEN races", 5, None, "count"),
        ("10 AUDIO files", 10, None, "count"),
        ("$20 million Canadian dollars", 20_000_000, "CAD", "money"),
        ("$3\n a dozen", 3, "USD per dozen", "money"),
        ("a dollar a day", 1, "USD per day", "money"),
        ("a dollar and a half an hour", 1.5, "USD per hour", "money"),
        ("dollar and a half an hour", 1.5, "USD per hour", "money"),
        ("two dollars and fifty cents an hour", 2.5, "USD per hour", "money"),
        ("$31 per kg a year", 31, "USD per kilogram per year", "money"),
        ("$80 per tonne of ore", 80, "USD per tonne", "money"),
    ],
)
def test_a_surface_has_its_number_unit_and_kind(text, value, unit, kind):
    found = surface(text)
    assert (found.value, found.unit, found.kind) == (pytest.approx(value), unit, kind)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(
    ("text", "low", "high", "unit", "kind"),
    [
        ("5, 6 or 7 million", 5_000_000, 7_000_000, None, "count"),
        ("a quarter to half a million", 250_000, 500_000, None, "count"),
        ("zero to five", 0, 5, None, "count"),
        ("1-1", 1, 1, None, "count"),
        ("3 to 1 percent", 1, 3, "percent", "percent"),
        ("five, six years", 5, 6, "year", "duration"),
        ("2 years to 6 months", 6, 24, "month", "duration"),
        ("5 feet and 6 feet", 5, 6, "foot", "measure"),
        ("week or two", 1, 2, "week", "duration"),
        ("dollar or two a day", 1, 2, "USD per day", "money"),
        ("50 to 60 cents", 0.5, 0.6, "USD", "money"),
        ("$60-$65 a barrel", 60, 65, "USD per barrel", "money"),
        ("two-thirds to three-quarters", 0.6667, 0.75, None, "ratio"),
        ("US$5 to 10 million dollars", 5_000_000, 10_000_000, "USD", "money"),
        ("$5 to $10 an hour", 5, 10, "USD per hour", "money"),
        ("one in every three to four", 0.25, 0.3333, None, "ratio"),
        ("two-figure", 10, 99, "USD", "money"),
        ("late twenties", 20, 29, "year", "age"),
    ],
)
def test_a_surface_with_two_ends_has_their_unit_and_kind(text, low, high, unit, kind):
    found = surface(text)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert (found.value, found.unit, found.kind) == (None, unit, kind)


@pytest.mark.parametrize(
    ("text", "low", "unit", "kind"),
    [
        ("manyfold", 2, None, "multiple"),
        ("at least tens of thousands", 20_000, None, "count"),
        ("Tens Of Thousands", 20_000, None, "count"),
        ("hundreds or thousands of dollars a year", 200, "USD per year", "money"),
        ("decades-long", 2, "decade", "duration"),
        ("single-digit", 1, None, "count"),
        ("single digits", 1, None, "count"),
        ("low double digits", 10, None, "count"),
        ("tens of thousands of pounds", 20_000, "GBP", "money"),
        ("multimillion-dollar", 2_000_000, "USD", "money"),
        ("multi-million-dollar", 2_000_000, "USD", "money"),
        ("triple-digit", 100, None, "count"),
    ],
)
def test_a_vague_surface_has_its_unit_and_kind(text, low, unit, kind):
    found = surface(text)
    assert (found.low, found.unit, found.kind) == (low, unit, kind)
    assert (found.value, found.high, found.modifier) == (None, None, "lower_bound")


@pytest.mark.parametrize(
    ("text", "low", "high"), [("under-21s", None, 21), ("overs 60s", 60, None)]
)
def test_people_under_or_over_an_age_are_an_age_in_years(text, low, high):
    found = surface(text)
    assert (found.kind, found.unit, found.low, found.high) == ("age", "year", low, high)


@pytest.mark.parametrize(
    "text",
    [
        "“”",
        "mile",
        "record figures",
        "200,0000 or 5",
        "one million 200,0000",
        "123456789012345678901 or 5",
        "½" * 60,
        "one boat in 50 harbours",
        "50 boats in 10",
        "a thousand people in 2,019",
        "2 years and 3 days",
        "10 feet to 3 metres",
        "5 nights and 6 days",
        "5 percent or 6 miles",
    ],
)
def test_what_has_no_one_reading_is_not_read(text):
    found = surface(text)
    assert (found.value, found.low, found.high, found.kind) == (None, None, None, None)


@pytest.mark.parametrize(
    ("marked", "value"),
    [
        ("[5m] people were fed", 5_000_000),
        ("[half of 5m] people were fed", 2_500_000),
        ("[12 per 100,000] people were fed", 0.00012),
        ("[two-thirds of 6m] households", 4_000_000),
        ("[2/3 of 6m] households", 4_000_000),
    ],
)
def test_a_bare_m_means_million_before_what_is_counted_in_millions(marked, value):
    found = read(marked)
    assert (found.value, found.unit) == (value, None)


def test_a_quantity_says_where_it_stands():
    text = "sold 5 tonnes, or a thing"
    for start, end in ((5, 13), (20, 25)):
        found = read_quantity(text, start, end)
        assert (found.start, found.end, found.text) == (start, end, text[start:end])


def test_a_surface_is_read_up_to_its_longest():
    text = "5 tonnes of ".ljust(LONGEST_TEXT, "x")
    assert surface(text).value == 5
    assert surface(f"{text}x").value is None


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("dollars an hour", "USD per hour"),
        ("metres each second", "metre per second"),
        ("USD every hour", "USD per hour"),
        ("hundred metres", "hundred metre"),
        ("million tonnes", "million tonne"),
        ("billion barrels", "billion barrel"),
        ("square-mile", "square mile"),
        ("Roman miles", "roman miles"),
    ],
)
def test_scaled_and_composed_names_are_closed(name, closed):
    assert canonical_unit(name) == closed
