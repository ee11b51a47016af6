"""How findings are said: numbers in words, text of articles without what could steer a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.render import clean, normal_form
from claimx.types import Quantity


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ({"value": 2_300_000_000, "unit": "USD"}, "2.3 billion USD"),
        ({"value": 1_000_000_000_000, "unit": "USD"}, "1 trillion USD"),
        ({"value": 1_234_567}, "1,234,567"),
        ({"value": 57_951_000}, "57.951 million"),
        ({"value": -20_000_000, "unit": "USD"}, "-20 million USD"),
        ({"value": 11.4, "unit": "USD per month", "kind": "money"}, "11.40 USD per month"),
        ({"value": 0.021, "unit": "GBP per share", "kind": "money"}, "0.021 GBP per share"),
        ({"value": 8.4, "unit": "percent", "change": "down"}, "down 8.4 percent"),
        ({"value": 0.5, "high": 0.5, "unit": "percent", "change": "to",
          "modifier": "upper_bound"}, "to at most 0.5 percent"),
        ({"value": 1100, "high": 1100, "modifier": "upper_bound"}, "at most 1,100"),
        ({"value": 28, "low": 28, "modifier": "lower_bound"}, "at least 28"),
        ({"value": 2, "high": 2, "unit": "hour", "modifier": "upper_bound"}, "at most 2 hours"),
        ({"low": 24, "modifier": "lower_bound"}, "at least 24"),
        ({"low": 40, "high": 50.5, "modifier": "range"}, "40 to 50.5"),
        ({"low": 40, "high": 50.5, "modifier": "range", "change": "to"}, "to between 40 and 50.5"),
        ({"low": 5, "high": 12, "unit": "percent", "change": "up"}, "up 5 to 12 percent"),
        ({"low": 600 * 10**6, "high": 75 * 10**7, "unit": "ZAR"}, "600 million to 750 million ZAR"),
        ({"value": 155_000.0, "modifier": "approximate"}, "about 155,000"),
        ({"value": 0.6667, "kind": "ratio"}, "2/3 (0.6667)"),
        ({"value": 0.02, "kind": "ratio", "modifier": "approximate"}, "about 1/50 (0.02)"),
        ({"value": 0.613, "kind": "ratio"}, "0.613"),
        ({"value": 3, "kind": "ratio"}, "3"),
        ({"low": 0.25, "high": 0.3333, "kind": "ratio"}, "1/4 to 1/3"),
        ({"value": 2, "kind": "multiple"}, "2 times"),
        ({"value": 1, "kind": "multiple"}, "1 time"),
        ({"value": 10, "kind": "multiple", "change": "up"}, "up 10-fold"),
        ({"value": 5.2, "unit": "magnitude", "kind": "measure"}, "magnitude 5.2"),
        ({"value": 44, "unit": "year", "kind": "age"}, "44 years old"),
        ({"low": 18, "high": 54, "unit": "year", "kind": "age"}, "18 to 54 years old"),
        ({"value": 3.2e-05, "unit": "milligram per litre"}, "0.000032 milligrams per litre"),
        ({"value": 10**400}, "1.000e+400"),
        ({}, "not read"),
    ],
)  # fmt: skip
def test_a_normal_form_is_said_in_words(quantity, words):
    assert normal_form(Quantity(0, 1, "x", **quantity)) == words


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("percent", "percent"),
        ("percentage point", "percentage points"),
        ("foot", "feet"),
        ("square mile", "square miles"),
        ("degree Celsius", "degrees Celsius"),
        ("barrel per day", "barrels per day"),
        ("barrel of oil equivalent", "barrels of oil equivalent"),
        ("kilowatt hour", "kilowatt hours"),
        ("USD per year", "USD per year"),
        ("per mille", "per mille"),
        ("megahertz", "megahertz"),
    ],
)
def test_units_stand_in_the_plural_but_after_one(unit, words):
    assert normal_form(Quantity(0, 1, "x", value=3, unit=unit)) == f"3 {words}"
    assert normal_form(Quantity(0, 1, "x", value=1, unit=unit)) == f"1 {unit}"


@given(st.text(max_size=60))
def test_no_article_can_steer_the_terminal(text):
    cleaned = clean("\x1b[2J" + text + "\u202e\r")
    assert cleaned.isprintable() or not set(cleaned) & set("\x1b\r\n\b\x9b\u202e\u2066")
    cleaned.encode("utf-8")
