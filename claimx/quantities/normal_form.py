"""The surface of a quantity in its normal form: value, bounds, unit, kind, modifier and change.

`read_quantity` asks the surface itself (`claimx.quantities.surface`) and then the words around it
(`claimx.quantities.context`, `claimx.quantities.change`).
"""

from __future__ import annotations

import re
from dataclasses import replace

from claimx.quantities import context
from claimx.quantities.ages import is_age, is_age_in_units
from claimx.quantities.change import change_of
from claimx.quantities.currencies import local_currency, spaced_dollar
from claimx.quantities.decimals import to_plain
from claimx.quantities.numbers import counts_in_millions
from claimx.quantities.partner import money_before, share_unit
from claimx.quantities.reading import Reading
from claimx.quantities.surface import read_surface, with_words_before
from claimx.quantities.units import find_unit, read_counted, read_unit
from claimx.types import Quantity

__all__ = ["read_quantity"]

_WORDS = 24  # characters before a quantity in which the rest of its number may stand


def read_quantity(
    text: str,
    start: int,
    end: int,
    *,
    modifier: tuple[int, int] | None = None,
    measured: tuple[int, int] | None = None,
    currency: str = "USD",
) -> Quantity:
    """Read `text[start:end]`, the surface of a quantity, into its normal form.

    A surface that cannot be read (too long, arithmetic, more than 20 digits) comes back with
    value None and kind None.

    Args:
        text: the article; a bounded stretch around the quantity is looked at.
        start: first code point of the quantity.
        end: one past its last.
        modifier: the span of the words that bend the number, if known.
        measured: the span of what is counted or measured, if known.
        currency: what a bare "$" or "dollar" means, an ISO code; see `article_currency`.
    """
    surface = text[start:end]
    around = context.look_around(text, start, end, modifier, measured)
    whole = with_words_before(surface, text[max(0, start - _WORDS) : start])
    reading = read_surface(whole, millions=counts_in_millions(around.after))
    if reading is None:
        return Quantity(start, end, surface)
    reading = _complete(reading, around)
    value, low, high = reading.value, reading.low, reading.high
    unit, kind = _unit_and_kind(reading, text, slice(start, end), around, currency)
    bend = reading.modifier
    if value is None:
        bend = "range" if high is not None and low is not None else "lower_bound"
    else:
        bend = bend or context.modifier_of(around, reading.lead, kind)
        if bend == "range":
            bend = "approximate"
        low = value if bend == "lower_bound" else None
        high = value if bend == "upper_bound" else None
    change = change_of(surface, around, kind)
    numbers = (to_plain(value), to_plain(low), to_plain(high))
    return Quantity(start, end, surface, *numbers, unit, kind, bend, change)


def _complete(reading: Reading, around: context.Around) -> Reading:
    """Complete a bare number from what it is named with: "(46) to 40 percent"."""
    if reading.value is None and reading.kind == "age" and context.is_temperature(around):
        return replace(reading, unit=find_unit("degree"), kind=None)
    if reading.unit is not None or reading.kind is not None:
        return reading
    if reading.value is None:
        return share_unit(reading, around)
    direct = re.match(r"\s?(?:%|per\s?cent\b)", around.after)
    if direct:
        return replace(reading, unit=find_unit("percent"))
    following = context.following_number(around)
    unit = (read_unit(following[1]) or read_counted(following[1])) if following else None
    if unit is None or unit.unit.kind not in ("percent", "duration", "measure", "money"):
        return share_unit(reading, around)
    return replace(reading, unit=unit.unit, rate=unit.rate)


_GRAND = re.compile(r"\bgrand\b", re.I)
_OLD = re.compile(r"\bolds?\b|\bof age\b", re.I)


def _unit_and_kind(
    reading: Reading, text: str, place: slice, around: context.Around, currency: str
) -> tuple[str | None, str | None]:
    """Return the unit's name with its rate, and the kind."""
    unit, surface = reading.unit, text[place]
    if unit is None:
        return _without_unit(reading, surface, around, currency)
    name, kind = unit.name, reading.kind or unit.kind
    vague = reading.value is None and reading.high is None
    if name == "pound" and context.is_sterling(around, reading.value or reading.low, vague=vague):
        name, kind = "GBP", "money"
    if kind == "duration" and (_OLD.search(surface) or is_age_in_units(around)):
        kind = "age"
    if kind == "money":
        name = local_currency(name, surface, text)
    if name == "$":
        own = spaced_dollar(text, place.start, place.stop)
        euro = unit.size != 1 and context.is_euro_cent(around)
        name = "EUR" if euro else own or currency
    elif name == "degree" and context.is_celsius(around):
        name = "degree Celsius"
    elif name == "point" and not context.is_market_point(around, reading.value):
        name, kind = "percentage point", "percent"
    return (f"{name} per {reading.rate}" if reading.rate else name), kind


def _without_unit(
    reading: Reading, surface: str, around: context.Around, currency: str
) -> tuple[str | None, str]:
    """Return what a number without a unit is: a count, unless the words around say otherwise."""
    if reading.kind is None and context.is_factor(around):
        return None, "multiple"
    if reading.kind == "multiple":
        return None, context.times_kind(surface, reading.value, around)
    if reading.kind is not None:
        return None, reading.kind
    if not reading.bare:  # a unit that is not in the list
        return None, "count"
    if context.is_magnitude(around, reading.value):
        return "magnitude", "measure"
    if is_age(around, reading.value if reading.value is not None else reading.low):
        return "year", "age"
    if context.is_index(around, reading.value):
        return "point", "measure"
    vague = reading.value is None and reading.high is None
    vague_money = vague and context.is_vague_money(around)
    if vague_money or _GRAND.search(surface) or context.is_sum(around, reading.value):
        return _currency_before(around) or currency, "money"
    return None, "count"


def _currency_before(around: context.Around) -> str | None:
    """Return the currency of the sum named before: "a 947 million pounds turnover for a (107)"."""
    unit = money_before(around)
    if unit is None or unit.name == "$":
        return None
    return "GBP" if unit.name == "pound" else unit.name
