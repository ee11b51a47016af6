"""What the codecs of foreign formats share: names of labels and files, and sound articles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

from claimx.errors import AnnotationError
from claimx.formats.checks import QUANTITY_KEYS
from claimx.formats.inline_tags import default_kind, default_modifier
from claimx.formats.losses import Tally
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.types import AnnotatedArticle

# The layer of labels that no schema knows and that come without a layer.
OTHER_LAYER = "entities"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def label_name(layer: str, label: str, schema: LabelSchema = DEFAULT_SCHEMA) -> str:
    """Return one word for layer and label: the label alone where that says it, else both.

    Args:
        layer: the layer.
        label: the label.
        schema: the first of its layers with the label is the one that need not be named.
    """
    quoted = _quote(label)
    if quoted == label and parse_label(label, schema) == (layer, label):
        return label
    return f"{_quote(layer)}/{quoted}"


def parse_label(name: str, schema: LabelSchema = DEFAULT_SCHEMA) -> tuple[str, str]:
    """Return the layer and label that a word means; see `label_name`.

    Args:
        name: such as ``QUOTE`` or ``attribution_broad/QUOTE``.
        schema: finds the layer of a label that stands alone.
    """
    layer, slash, label = name.partition("/")
    if slash and layer and label:
        return _unquote(layer), _unquote(label)
    for known in schema.layers:
        if name in known.labels:
            return known.name, name
    return OTHER_LAYER, name


def _quote(name: str) -> str:
    return name.replace("%", "%25").replace("/", "%2F")


def _unquote(name: str) -> str:
    return name.replace("%2F", "/").replace("%25", "%")


def file_names(ids: Iterable[str]) -> list[str]:
    """Return a different, safe file name without suffix for each article id.

    Args:
        ids: the article ids.
    """
    taken: set[str] = set()
    names = []
    for article_id in ids:
        stem = _UNSAFE.sub("_", article_id).strip("._")[:100] or "article"
        name, count = stem, 1
        while name.lower() in taken:  # some file systems see no case
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.lower())
        names.append(name)
    return names


def assemble(
    article_id: str,
    text: str,
    spans: Iterable[Mapping[str, Any]],
    links: Iterable[Mapping[str, Any]] = (),
    *,
    left_out: Tally,
    complete_layers: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
) -> AnnotatedArticle:
    """Build an article from spans and links as a foreign tool gives them.

    White space at the edges of spans is trimmed, and a span that is given twice becomes one;
    both are counted.

    Args:
        article_id: its id.
        text: its text.
        spans: in native form; ``text`` is compared where it is given.
        links: in native form.
        left_out: counts what is changed.
        complete_layers: as in the native form.
        meta: as in the native form.

    Raises:
        AnnotationError: naming every broken span or link at once.
    """
    spans, links = list(spans), list(links)
    check_parts(spans, links)
    for item in (*spans, *links):
        if type(item.get("score")) not in (int, float, NoneType):
            raise AnnotationError(f"the score {item['score']!r} is not a number")
    renamed: dict[str, str] = {}
    seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    kept: list[Mapping[str, Any]] = []
    for raw in spans:
        span = _trimmed(raw, text, left_out)
        key = tuple(repr(span.get(name)) for name in ("layer", "label", "start", "end", "attrs"))
        if key in seen:
            left_out.add("spans given twice, now one", f"{span['label']} {span.get('text')!r}")
            renamed[str(span["id"])] = str(seen[key]["id"])
            continue
        seen[key] = span
        kept.append(span)
    ends = [
        {
            **link,
            "head": renamed.get(link["head"], link["head"]),
            "tail": renamed.get(link["tail"], link["tail"]),
        }
        for link in links
    ]
    unique = {(link["type"], link["head"], link["tail"]): link for link in reversed(ends)}
    record = {
        "id": article_id,
        "text": text,
        "spans": kept,
        "links": list(reversed(unique.values())),
        "complete_layers": complete_layers,
        "meta": meta or {},
    }
    return AnnotatedArticle.from_dict(record)


_PARTS = {"span": ("id", "layer", "label", "start", "end"), "link": ("type", "head", "tail")}


def check_parts(spans: Iterable[Mapping[str, Any]], links: Iterable[Mapping[str, Any]]) -> None:
    """Check that spans and links have their parts, and no list or object in place of one.

    Raises:
        AnnotationError: naming the first that does not.
    """
    for name, items in (("span", spans), ("link", links)):
        for item in items:
            wrong = [key for key in _PARTS[name] if not isinstance(item.get(key), str | int)]
            if wrong:
                raise AnnotationError(
                    f"a {name} has no usable {', '.join(wrong)}: {dict(item)!r:.200}"
                )


def _trimmed(raw: Mapping[str, Any], text: str, left_out: Tally) -> Mapping[str, Any]:
    start, end = raw["start"], raw["end"]
    if not (type(start) is int and type(end) is int and 0 <= start < end <= len(text)):
        return raw  # said by from_dict
    surface = text[start:end]
    inner = surface.strip()
    if raw.get("text", surface) != surface or inner == surface or not inner:
        return raw
    left_out.add("spans with white space at their edges, now trimmed", repr(surface))
    start += len(surface) - len(surface.lstrip())
    return {**raw, "start": start, "end": start + len(inner), "text": inner}


NUMBERS = ("value", "low", "high")
WORDS = ("unit", "kind", "modifier", "change")


def shown_attrs(label: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a QUANTITY that a tool can show in fields of its own.

    Args:
        label: the label of the span.
        attrs: all its attributes.
    """
    if label != "QUANTITY":
        return {}
    numbers = {key: attrs[key] for key in NUMBERS if type(attrs.get(key)) in (int, float)}
    words = {
        key: attrs[key]
        for key in WORDS
        if isinstance(attrs.get(key), str) and attrs[key] and attrs[key] == attrs[key].strip()
    }
    return numbers | words


def quantity_attrs(
    label: str, given: Mapping[str, Any], kept: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Join the attributes that a tool shows with those that were kept aside at export.

    What the tool shows wins, also where a person has removed it there. A quantity that a person
    has added gets the attributes that go without saying.

    Args:
        label: the label of the span.
        given: the attributes as the tool shows them.
        kept: all attributes as they were at export; None for a new span.
    """
    if kept is not None:
        shown = shown_attrs(label, kept)
        attrs: dict[str, Any] = {}
        for key, value in kept.items():
            in_fields = key in shown or (
                label == "QUANTITY" and key in QUANTITY_KEYS and value is None
            )
            attrs[key] = given.get(key) if in_fields else value
        return attrs | {key: value for key, value in given.items() if key not in attrs}
    if label != "QUANTITY" or not given:
        return dict(given)
    value, low, high = (given.get(key) for key in NUMBERS)
    unit = given.get("unit")
    usual: dict[str, Any] = {
        "value": value,
        "low": low,
        "high": high,
        "unit": unit,
        "kind": default_kind(unit),
        "modifier": default_modifier(value, low, high),
        "change": "none",
    }
    return {**usual, **given}
