"""The tags of the inline mark-up as tables, and the attributes of a quantity tag."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from claimx.formats.checks import CHANGES, KINDS, MODIFIERS
from claimx.types import AnnotatedArticle, Number

LAYERS = ("attribution", "identity", "quantity")
RESERVED = ("id", "text", "complete_layers")
SPAN_ID = re.compile(r"[^\s<>=,\"'/]+")


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag stands for and which attributes it takes."""

    layer: str
    label: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagLink:
    """The link that an attribute writes, and the tag that it must point at."""

    name: str
    target: str


TAGS = {
    "Q": Tag("attribution", "QUOTE", ("id", "by", "cue", "same")),
    "C": Tag("attribution", "CUE", ("id",)),
    "S": Tag("attribution", "SPEAKER", ("id", "ref", "role", "aff")),
    "P": Tag("identity", "PERSON", ("id", "same", "role", "aff")),
    "R": Tag("identity", "ROLE", ("id",)),
    "A": Tag("identity", "AFFILIATION", ("id",)),
    "V": Tag(
        "quantity",
        "QUANTITY",
        ("id", "val", "lo", "hi", "unit", "kind", "mod", "chg", "m", "of"),
    ),
    "M": Tag("quantity", "MODIFIER", ("id",)),
    "X": Tag("quantity", "MEASURED", ("id",)),
}
TAG_OF = {tag.label: name for name, tag in TAGS.items()}

# (tag, attribute) -> the link; the order is that of the normal form.
LINKS = {
    ("Q", "by"): TagLink("said_by", "S"),
    ("Q", "cue"): TagLink("cued_by", "C"),
    ("Q", "same"): TagLink("same_quote", "Q"),
    ("S", "ref"): TagLink("refers_to", "P"),
    ("P", "same"): TagLink("same_person", "P"),
    ("S", "role"): TagLink("has_role", "R"),
    ("P", "role"): TagLink("has_role", "R"),
    ("S", "aff"): TagLink("affiliated_with", "A"),
    ("P", "aff"): TagLink("affiliated_with", "A"),
    ("V", "m"): TagLink("modified_by", "M"),
    ("V", "of"): TagLink("measures", "X"),
}

_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_CURRENCY = re.compile(r"[A-Z]{3}( per .+)?")
_PERCENT = re.compile(r"(percent|percentage point|basis point)\b.*")
_WORDS = (("kind", KINDS), ("mod", MODIFIERS), ("chg", CHANGES))


class AttributesError(Exception):
    """Attributes of a quantity tag cannot be read; ``messages`` says which and why."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def read_quantity(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return the attributes of a QUANTITY from those of its tag, defaults filled in.

    A bound repeats its value as low or high; mod is range with lo and hi, lower_bound with lo
    alone, else exact; chg is none; kind follows from the unit where it can.

    Args:
        attributes: the tag's attributes as written.

    Raises:
        AttributesError: naming every attribute that cannot be read.
    """
    messages: list[str] = []
    value, low, high = (_number(attributes, key, messages) for key in ("val", "lo", "hi"))
    for key, allowed in _WORDS:
        if key in attributes and attributes[key] not in allowed:
            messages.append(f"{key}={attributes[key]}: use one of {', '.join(allowed)}")
    unit = _unit(attributes, messages)
    modifier = attributes.get("mod") or default_modifier(value, low, high)
    kind = attributes.get("kind") or default_kind(unit)
    if kind is None:
        messages.append(f"unit={unit}: say kind=duration, kind=age or kind=measure as well")
    if not any(key in attributes for key in ("val", "lo", "hi")):
        messages.append("give val=, or lo= and hi= of a range, or lo= of a vague number")
    if messages:
        raise AttributesError(messages)
    if modifier == "lower_bound" and low is None:
        low = value
    if modifier == "upper_bound" and high is None:
        high = value
    return {
        "value": value,
        "low": low,
        "high": high,
        "unit": unit,
        "kind": kind,
        "modifier": modifier,
        "change": attributes.get("chg", "none"),
    }


def quantity_attributes(attrs: Mapping[str, Any]) -> Iterator[str]:
    """Yield the attributes of a quantity tag; what `read_quantity` fills in is left out.

    Args:
        attrs: the legal attributes of a QUANTITY.
    """
    value, low, high = attrs["value"], attrs["low"], attrs["high"]
    if value is not None:
        yield f"val={value!r}"
    else:
        for key, bound in (("lo", low), ("hi", high)):
            if bound is not None:
                yield f"{key}={bound!r}"
    if attrs["unit"] is not None:
        yield f"unit={attrs['unit'].replace(' ', '_')}"
    yield f"kind={attrs['kind']}"
    if value is None or attrs["modifier"] != "exact":
        yield f"mod={attrs['modifier']}"
    if attrs["change"] != "none":
        yield f"chg={attrs['change']}"


def default_modifier(value: Number | None, low: Number | None, high: Number | None) -> str:
    """Return the modifier that holds where ``mod`` is left out."""
    if value is None and low is not None:
        return "lower_bound" if high is None else "range"
    return "exact"


def default_kind(unit: str | None) -> str | None:
    """Return the kind that holds where ``kind`` is left out; None where the unit leaves it open."""
    if unit is None:
        return "count"
    if _PERCENT.fullmatch(unit):
        return "percent"
    return "money" if _CURRENCY.fullmatch(unit) else None


def _number(attributes: Mapping[str, str], key: str, messages: list[str]) -> Number | None:
    written = attributes.get(key)
    if written is None:
        return None
    if not _NUMBER.fullmatch(written):
        messages.append(
            f"{key}={written} is not a plain number; write it out without separators, such as "
            "2300000000 or 0.6667, or leave it out"
        )
        return None
    return int(written) if _INTEGER.fullmatch(written) else float(written)


def _unit(attributes: Mapping[str, str], messages: list[str]) -> str | None:
    written = attributes.get("unit")
    if written is None:
        return None
    unit = written.replace("_", " ")
    if unit.lower() in ("null", "none"):
        messages.append(f"unit={written}: leave unit out where there is none")
    if unit != " ".join(unit.split()):
        messages.append(f"unit={written}: one underscore between two words, none at the edges")
    return unit


def normal_order(article: AnnotatedArticle) -> AnnotatedArticle:
    """Return the article with its spans and links in the order in which inline files give them.

    Spans by start, longer first, then by layer; links by their head, then by the order of the
    attributes of its tag. Several links of one type from one head keep their order.

    Args:
        article: any article.
    """
    spans = sorted(
        article.spans,
        key=lambda span: (
            span.start,
            -span.end,
            LAYERS.index(span.layer) if span.layer in LAYERS else len(LAYERS),
        ),
    )
    position = {span.id: index for index, span in enumerate(spans)}
    types = list(dict.fromkeys(link_type.name for link_type in LINKS.values()))
    links = sorted(
        article.links,
        key=lambda link: (
            position.get(link.head, len(position)),
            types.index(link.type) if link.type in types else len(types),
        ),
    )
    return replace(article, spans=tuple(spans), links=tuple(links))
