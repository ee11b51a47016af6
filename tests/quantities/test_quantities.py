"""What `claimx.quantities` promises: right normal forms, closed unit names, and no way to hang."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.quantities import article_currency, canonical_unit, read_quantity
from claimx.quantities.units import find_unit
from claimx.types import Quantity


def surface(text: str, **options: str) -> Quantity:
    return read_quantity(text, 0, len(text), **options)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("90 percent", 90, "percent"),
        ("12.5%", 12.5, "percent"),
        ("fifty-four per cent", 54, "percent"),
        ("$2.3bn", 2_300_000_000, "USD"),
        ("$5m", 5_000_000, "USD"),
        ("$1.15 million", 1_150_000, "USD"),
        ("£4.7tn", 4_700_000_000_000, "GBP"),
        ("€1,250.50", 1250.5, "EUR"),
        ("US$3 million", 3_000_000, "USD"),
        ("$A800 an ounce", 800, "AUD per ounce"),
        ("SEK9 million", 9_000_000, "SEK"),
        ("15 billion dollars", 15_000_000_000, "USD"),
        ("$28.8 million dollars", 28_800_000, "USD"),
        ("46 cents", 0.46, "USD"),
        ("655 cents a kilogram", 6.55, "USD per kilogram"),
        ("30 pence", 0.3, "GBP"),
        ("thirteen dollars and forty-five cents", 13.45, "USD"),
        ("1.2m people", 1_200_000, None),
        ("400m", 400, "metre"),
        ("a couple of million", 2_000_000, None),
        ("one thousand, two hundred", 1200, None),
        ("$15-an-hour", 15, "USD per hour"),
        ("$40 million annually", 40_000_000, "USD per year"),
        ("$.97 for every dollar", 0.97, "USD per dollar"),
        ("$3.10 per thousand cubic feet", 3.1, "USD per thousand cubic foot"),
        ("7,200 yen", 7200, "JPY"),
        ("DM 3 million", 3_000_000, "DEM"),
        ("FFr20m", 20_000_000, "FRF"),
        ("half of all", 0.5, None),
        ("three cups of rice", 3, "cup"),
        ("20 usd", 20, "USD"),
        ("£30,000 p.a.", 30_000, "GBP per year"),
        ("£30,000pa", 30_000, "GBP per year"),
        ("8 per cent per annum", 8, "percent per year"),
        ("300,000 bpd", 300_000, "barrel per day"),
        ("300,000 b/d", 300_000, "barrel per day"),
        ("120 Pa", 120, "pascal"),
        ("10 dm", 10, "decimetre"),
        ("100 grand", 100_000, "USD"),
        ("half a million", 500_000, None),
        ("a quarter of a million", 250_000, None),
        ("million-and-a-half", 1_500_000, None),
        ("two and a half million", 2_500_000, None),
        ("two dozen", 24, None),
        ("half a dozen", 6, None),
        ("a hundred and twenty-five thousand", 125_000, None),
        ("200 odd million", 200_000_000, None),
        ("four-point-five billion", 4_500_000_000, None),
        ("1,234,567", 1_234_567, None),
        ("1,26,976 tonnes", 126_976, "tonne"),
        ("50K", 50_000, None),
        ("2.5 x 10^6", 2_500_000, None),
        ("one-eighth of 1 percent", 0.125, "percent"),
        ("two-thirds", 0.6667, None),
        ("one in five", 0.2, None),
        ("17 out of 18", 0.9444, None),
        ("one patient in three", 0.3333, None),
        ("two new cases out of every five", 0.4, None),
        ("one dollar in 50", 0.02, None),
        ("two years in five", 0.4, None),
        ("two parts per billion", 2, "part per billion"),
        ("$2.98 a dozen", 2.98, "USD per dozen"),
        ("$31 per patient a year", 31, "USD per patient per year"),
        ("20 grains per cubic metre", 20, "grain per cubic metre"),
        ("62 boxes an hour", 62, "box per hour"),
        ("1,025 soles a month", 1025, "PEN per month"),
        ("six of the past eight", 0.75, None),
        ("one out of every thousand", 0.001, None),
        ("3-to-1", 3, None),
        ("3.9 per 1,000 births", 0.0039, None),
        ("half an hour", 0.5, "hour"),
        ("a year and a half", 1.5, "year"),
        ("year and a half", 1.5, "year"),
        ("2½ hours", 2.5, "hour"),
        ("2 1/2 inches", 2.5, "inch"),
        ("41/2 years", 4.5, "year"),
        ("four more years", 4, "year"),
        ("six feet five inches", 77, "inch"),
        ("2 hours 3 minutes 5 seconds", 7385, "second"),
        ("a decade", 1, "decade"),
        ("quarter century", 0.25, "century"),
        ("48 million years", 48_000_000, "year"),
        ("5.7 million barrels per day", 5_700_000, "barrel per day"),
        ("60 mph", 60, "mile per hour"),
        ("285 km/h", 285, "kilometre per hour"),
        ("90 miles per hour (mph)", 90, "mile per hour"),
        ("8,000 square miles", 8000, "square mile"),
        ("301 km2", 301, "square kilometre"),
        ("40 km²", 40, "square kilometre"),
        ("2.5&deg;C", 2.5, "degree Celsius"),
        ("−7 °C", -7, "degree Celsius"),
        ("-11 points", -11, "percentage point"),
        ("minus $20 million", -20_000_000, "USD"),
        ("magnitude 5.2", 5.2, "magnitude"),
        ("25 basis points", 25, "basis point"),
        ("6 mg per liter", 6, "milligram per litre"),
        ("a billionth of a metre", 1e-9, "metre"),
        ("2.4 GHz", 2.4, "gigahertz"),
        ("zero", 0, None),
        ("three and two-thirds", 3.6667, None),
        ("half of 10 percent", 5, "percent"),
        ("three point zero five", 3.05, None),
        ("$5mm", 5_000_000, "USD"),
        ("41/3 years", 4.3333, "year"),
        ("45/4 years", 11.25, "year"),
        ("10/4", 2.5, None),
        ("4/2", 2, None),
        ("2 x 10^30", 2e30, None),
        ("2 x 10^-3 metres", 0.002, "metre"),
        ("12345678901234567890", 12_345_678_901_234_567_890, None),
        ("1,5 million", 1_500_000, None),
        ("a couple of hundred", 200, None),
        ("a pair of boats", 2, None),
        ("half a million million", 5e11, None),
        ("two and three quarters", 2.75, None),
        ("three and a third percent", 3.3333, "percent"),
        ("a dozen dozen", 144, None),
        ("nine tenths", 0.9, None),
        ("5.5 dozen", 66, None),
        ("minus 5", -5, None),
        ("five percent (5%)", 5, "percent"),
        ("five pounds six ounces", 86, "ounce"),
        ("an hour and a half", 1.5, "hour"),
        ("1-in-5", 0.2, None),
        ("2-1", 2, None),
        ("three men in five", 0.6, None),
        ("$5 per thousand barrels", 5, "USD per thousand barrel"),
        ("$3 a dozen", 3, "USD per dozen"),
        ("US$5 dollars", 5, "USD"),
        ("5 Australian dollars", 5, "AUD"),
        ("half a dozen boxes an hour", 6, "box per hour"),
    ],
)
def test_a_number_and_its_unit(text: str, value: float, unit: str | None):
    found = surface(text)
    assert (found.value, found.unit) == (pytest.approx(value), unit)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("40 and 50", 40, 50, None),
        ("5 to 10 million", 5_000_000, 10_000_000, None),
        ("25 to 20 million years", 20_000_000, 25_000_000, "year"),
        ("$500 to $1 million", 500, 1_000_000, "USD"),
        ("five to one hundred", 5, 100, None),
        ("$8 billion and $12 billion", 8_000_000_000, 12_000_000_000, "USD"),
        ("15-20%", 15, 20, "percent"),
        ("45% to 60%", 45, 60, "percent"),
        ("three or four", 3, 4, None),
        ("600, 700 or 800 metres", 600, 800, "metre"),
        ("one-to-two hundred", 100, 200, None),
        ("6 months to 2 years", 0.5, 2, "year"),
        ("a week or two", 1, 2, "week"),
        ("10- to 100-acre", 10, 100, "acre"),
        ("66,000 and 250 kilometres", 250, 66_000, "kilometre"),
        ("-18 °C to -4 °C", -18, -4, "degree Celsius"),
        ("one in every three to four", 0.25, 0.3333, None),
        ("50 cents to 2 dollars", 0.5, 2, "USD"),
        ("six-figure", 100_000, 999_999, "USD"),
        ("one 41-50 years old", 41, 50, "year"),
        ("five out of every ten to twelve", 0.4167, 0.5, None),
        ("one hundred and one hundred", 100, 100, None),
        ("6 to 8 feet", 6, 8, "foot"),
        ("5 or 6 hundred", 500, 600, None),
        ("1-2", 1, 2, None),
        ("his early 60s", 60, 69, "year"),
        ("fiftysomething", 50, 59, "year"),
    ],
)
def test_a_range_has_two_ends_and_no_value(text: str, low: float, high: float, unit: str | None):
    found = surface(text)
    assert (found.value, found.modifier) == (None, "range")
    assert (found.low, found.high, found.unit) == (pytest.approx(low), pytest.approx(high), unit)


@pytest.mark.parametrize(
    ("text", "low", "unit"),
    [
        ("dozens", 24, None),
        ("hundreds", 200, None),
        ("tens of thousands", 20_000, None),
        ("hundreds of millions", 200_000_000, None),
        ("several thousand", 2000, None),
        ("a few hundred years", 200, "year"),
        ("millions and millions of dollars", 2_000_000, "USD"),
        ("multi-trillion dollar", 2_000_000_000_000, "USD"),
        ("billions of dollars a year", 2_000_000_000, "USD per year"),
        ("decades", 2, "decade"),
        ("scores", 40, None),
        ("dozens or hundreds", 24, None),
        ("two or several", 2, None),
        ("many tens of thousands", 20_000, None),
        ("double-digit", 10, None),
        ("fifteen-digit", 10**14, None),
    ],
)
def test_a_vague_number_has_its_lower_end_alone(text: str, low: int, unit: str | None):
    found = surface(text)
    assert (found.value, found.low, found.high) == (None, low, None)
    assert (found.unit, found.modifier) == (unit, "lower_bound")


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("percent", "percent"), ("%", "percent"), ("per cent", "percent"), ("tonnes", "tonne"),
        ("metric tons", "tonne"), ("Kilometers", "kilometre"), ("km/h", "kilometre per hour"),
        ("USD per hour", "USD per hour"), ("USD/hr", "USD per hour"), ("dollars", "USD"),
        ("US dollars", "USD"), ("percentage points", "percentage point"), ("feet", "foot"),
        ("degrees Celsius", "degree Celsius"), ("sq. km", "square kilometre"),
        ("m²", "square metre"),
        ("metres per century", "metre per century"), ("GBP", "GBP"), ("Widgets", "widgets"),
        ("USD per thousand cubic meters", "USD per thousand cubic metre"),
        ("USD per vial", "USD per vial"), ("", None), (None, None),
        ("cents", "cents"), ("euros a dollar", "EUR per dollar"), ("thousand feet", "thousand foot"),
    ],
)  # fmt: skip
def test_every_alias_leads_to_the_closed_name(name: str | None, closed: str | None):
    assert canonical_unit(name) == closed


def test_megabytes_and_megabits_are_told_apart_by_their_case():
    assert (canonical_unit("MB"), canonical_unit("Mb")) == ("megabyte", "megabit")


@pytest.mark.parametrize("name", ["USD", "percent", "kilometre per hour", "degree Celsius"])
def test_a_closed_name_is_its_own_alias(name: str):
    unit = find_unit(name)
    assert unit is not None
    assert unit.name == name


@pytest.mark.parametrize(
    ("text", "value", "low", "high", "modifier"),
    [
        ("~5", 5, None, None, "approximate"),
        ("5 or so", 5, None, None, "approximate"),
        ("a couple of dozen", 24, None, None, "approximate"),
        ("18+", 18, 18, None, "lower_bound"),
        ("$1m+", 1_000_000, 1_000_000, None, "lower_bound"),
        ("$1 million+", 1_000_000, 1_000_000, None, "lower_bound"),
        ("as many as one in 10", 0.1, None, 0.1, "upper_bound"),
        ("5 or more", 5, 5, None, "lower_bound"),
        ("≥5", 5, 5, None, "lower_bound"),
        ("5 or fewer", 5, None, 5, "upper_bound"),
        ("≤5", 5, None, 5, "upper_bound"),
        ("under-21s", 21, None, 21, "upper_bound"),
        ("over 60s", 60, 60, None, "lower_bound"),
    ],
)
def test_signs_and_words_inside_a_surface_bend_its_number(text, value, low, high, modifier):
    found = surface(text)
    assert (found.value, found.low, found.high) == (value, low, high)
    assert found.modifier == modifier


def test_whole_values_are_int_and_others_float():
    assert type(surface("$2.5 million").value) is int
    assert type(surface("2.5%").value) is float


def test_a_surface_that_cannot_be_read_says_so():
    for text in ("9" * 500, "10**9**9", "1e999999", "0/0", "192.168.0.1", "200,0000", "aplenty",
                 "3 4/0", "2 x 10^31", "123456789012345678901", "5 inches 6 feet"):  # fmt: skip
        found = surface(text)
        assert (found.value, found.low, found.high, found.kind) == (None, None, None, None)
        assert found.text == text


@given(st.integers(0, 10**15 - 1))
@settings(max_examples=100, deadline=None)
def test_every_number_with_commas_is_read_back(number: int):
    assert surface(f"{number:,}").value == number


_PIECES = st.sampled_from(
    "$ £ % - – / . , ½ ² ° & ( ) 9 10 1,000 ** ^ e9 x per a an of in out to and or half third "
    "million thousand hundred dozen several tens hundreds point five twenty years feet cents "
    "pounds points -old plus minus 10^9 \ud800 \0 \u202e é 🙂".split(" ")
)
_WILD = st.text(max_size=2000) | st.lists(_PIECES, max_size=300).map(" ".join)


@given(st.text(max_size=80), _WILD, st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_surface_is_read_in_bounded_time_into_finite_numbers(before, text, after):
    started = time.process_time()
    whole, end = before + text + after, len(before) + len(text)
    found = read_quantity(
        whole, len(before), end, modifier=(0, len(before)), measured=(end, len(whole))
    )
    assert time.process_time() - started < 1
    assert found.text == text
    for number in (found.value, found.low, found.high):
        assert number is None or (type(number) in (int, float) and math.isfinite(number))
    assert found.kind in (
        None, "percent", "money", "count", "measure", "duration", "age", "ratio", "multiple"
    )  # fmt: skip
    if found.low is not None and found.high is not None:
        assert found.low <= found.high
    json.dumps((found.value, found.low, found.high), allow_nan=False)


@given(st.lists(_PIECES, max_size=12).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_any_short_run_of_number_words_is_read_in_bounded_time(text):
    started = time.process_time()
    found = surface(text)
    assert time.process_time() - started < 0.5
    if found.modifier == "lower_bound" and found.value is not None:
        assert found.low == found.value


@pytest.mark.parametrize(
    "text",
    ["9" * 500, "million " * 3000, "10**9**9", "one hundred and " * 100, "1 000 " * 300,
     "1/2/" * 90,
     "hundreds of " * 60, "twenty-" * 60, "half of " * 100, "-" * 500, "a " * 100, "1 and " * 60],
)  # fmt: skip
def test_nothing_hangs_the_reader_or_the_search_for_a_currency(text: str):
    started = time.process_time()
    surface(text)
    surface(text[:190])
    article_currency(text * 200)
    assert time.process_time() - started < 1


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_closing_a_unit_name_twice_changes_nothing(name: str):
    once = canonical_unit(name)
    assert canonical_unit(once) == once
