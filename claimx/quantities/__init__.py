"""From the surface of a quantity to its normal form; no torch."""

from claimx.quantities.currencies import article_currency
from claimx.quantities.normal_form import read_quantity
from claimx.quantities.units import canonical_unit

__all__ = ["article_currency", "canonical_unit", "read_quantity"]
