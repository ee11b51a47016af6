"""Exact arithmetic for quantities: never NaN, never infinite, never rounded by accident."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from claimx.types import Number

ONE = Decimal(1)
_ENDLESS = 32  # a value of more digits than this is a quotient that does not end
# A context of our own: the thread's default may trap or round differently.
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN, Emax=999, Emin=-999, traps=[])


def add(left: Decimal, right: Decimal) -> Decimal:
    """Return the sum under the module's own context."""
    return _CONTEXT.add(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the product under the module's own context."""
    return _CONTEXT.multiply(left, right)


def divide(left: Decimal, right: Decimal) -> Decimal | None:
    """Return the quotient under the module's own context, or None where the divisor is zero."""
    return _CONTEXT.divide(left, right) if right else None


def to_plain(value: Decimal | None) -> Number | None:
    """Return a Decimal as int where it is whole, else as float; None for None and NaN.

    A quotient that does not end is cut to four digits or decimals: 2/3 is 0.6667.
    """
    if value is None or not value.is_finite():
        return None
    if len(value.as_tuple().digits) > _ENDLESS:
        places = max(4, 3 - value.adjusted())
        value = _CONTEXT.quantize(value, ONE.scaleb(-places))
        if not value.is_finite():
            return None
    return int(value) if value == value.to_integral_value() else float(value)


def shift(value: Decimal, places: int) -> Decimal:
    """Return the value times a power of ten."""
    return value.scaleb(places, _CONTEXT)
