"""A short way to write a quantity with its surroundings: "up to <up to> [5] {boats}"."""

from __future__ import annotations

from claimx.quantities import read_quantity
from claimx.types import Quantity


def read(marked: str, currency: str = "USD") -> Quantity:
    """Read "up to <up to> [5 tonnes]"-style text: [quantity], <modifier>, {measured}."""
    text, places = "", {}
    for character in marked:
        if character in "[<{":
            places[character] = len(text)
        elif character in "]>}":
            opening = {"]": "[", ">": "<", "}": "{"}[character]
            places[opening] = (places[opening], len(text))
        else:
            text += character
    start, end = places["["]
    return read_quantity(
        text, start, end, modifier=places.get("<"), measured=places.get("{"), currency=currency
    )
