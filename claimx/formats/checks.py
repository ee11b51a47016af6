"""Structural checks that every codec shares: what makes an annotated article legal.

The codecs only read and write; what a legal article is, is said here and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimx.errors import AnnotationError, did_you_mean
from claimx.labels import LabelSchema
from claimx.text import counted
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

SHOWN = 20
QUANTITY_KEYS = ("value", "low", "high", "unit", "kind", "modifier", "change")
KINDS = ("percent", "money", "count", "measure", "duration", "age", "ratio", "multiple")
MODIFIERS = ("exact", "approximate", "lower_bound", "upper_bound", "range")
CHANGES = ("none", "up", "down", "from", "to")

_CURRENCY = re.compile(r"[A-Z]{3}( per \S.*)?")
_PERCENT = re.compile(r"(percent|percentage point|basis point)( per \S.*)?")

# modifier -> the combinations of (value, low, high) that it allows, and how to say it.
_SHAPES: dict[str, tuple[set[tuple[bool, bool, bool]], str]] = {
    "exact": ({(True, False, False)}, "value alone"),
    "approximate": ({(True, False, False)}, "value alone"),
    "lower_bound": (
        {(True, True, False), (False, True, False)},
        "value and the same number as low, or low alone for a vague number",
    ),
    "upper_bound": ({(True, False, True)}, "value and the same number as high"),
    "range": ({(False, True, True)}, "low and high without value"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an annotated article.

    Args:
        article_id: the article's id, or "" where it could not be read.
        span_ids: the spans that it is about, the most telling one first.
        message: what is wrong, with the offending text, and what to do.
        where: ``file:line`` or ``file:line:column`` where that is known.
    """

    article_id: str
    span_ids: tuple[str, ...]
    message: str
    where: str = ""

    def __str__(self) -> str:
        place = self.where or (f"article {self.article_id!r}" if self.article_id else "")
        return f"{place}: {self.message}" if place else self.message


OnError = Callable[[Problem], None]


def raise_problems(problems: Sequence[Problem], shown: int = SHOWN) -> None:
    """Raise one `AnnotationError` that lists the first problems and counts the rest.

    Args:
        problems: what was collected; nothing happens where there is none.
        shown: how many are spelled out.

    Raises:
        AnnotationError: if there is any problem.
    """
    if not problems:
        return
    lines = [str(problem) for problem in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"and {len(problems) - shown} more")
    count = len(problems)
    raise AnnotationError("\n".join([f"{counted(count, 'problem')}:", *lines]))


def check_article(
    article: AnnotatedArticle, schema: LabelSchema, *, strict: bool = False
) -> list[Problem]:
    """Return everything that is structurally wrong with an article.

    Args:
        article: the article, gold or predicted.
        schema: the layers, labels and link types that are expected.
        strict: also report what imported corpora may hold and our own may not: layers, labels
            and link types outside the schema, incomplete attributes of a QUANTITY, same_person
            chains, and targets that are not the first part or the fullest mention.

    Returns:
        The problems in the order of the text; empty where the article is legal.
    """
    found: list[tuple[tuple[str, ...], str]] = []
    for check in (*_ALWAYS, *(_STRICT if strict else ())):
        found += check(article)
    found += _check_links(article, schema, strict)
    if strict:
        found += check_names(article, schema)
    starts = {span.id: span.start for span in article.spans}
    found.sort(key=lambda item: min((starts.get(name, 0) for name in item[0]), default=0))
    return [Problem(article.id, span_ids, message) for span_ids, message in found]


def quantity_problems(attrs: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the attributes of one QUANTITY, by the annotation guidelines.

    Args:
        attrs: value, low, high, unit, kind, modifier and change, all of them present.
    """
    if set(attrs) != set(QUANTITY_KEYS):
        missing, extra = set(QUANTITY_KEYS) - set(attrs), set(attrs) - set(QUANTITY_KEYS)
        return [f"attributes of a QUANTITY: missing {sorted(missing)}, unknown {sorted(extra)}"]
    problems = [
        f"{key} is {attrs[key]!r}; use one of {', '.join(allowed)}"
        for key, allowed in (("kind", KINDS), ("modifier", MODIFIERS), ("change", CHANGES))
        if attrs[key] not in allowed
    ]
    numbers = [attrs[key] for key in ("value", "low", "high")]
    if not all(n is None or (type(n) in (int, float) and math.isfinite(n)) for n in numbers):
        return [*problems, f"value, low and high must be finite numbers or null, not {numbers}"]
    return problems + _shape_problems(attrs) + _unit_problems(attrs)


def _shape_problems(attrs: Mapping[str, Any]) -> list[str]:
    value, low, high = attrs["value"], attrs["low"], attrs["high"]
    shapes, told = _SHAPES.get(attrs["modifier"], (None, ""))
    if shapes is not None and tuple(n is not None for n in (value, low, high)) not in shapes:
        return [
            f"modifier {attrs['modifier']} takes {told}; "
            f"here value is {value}, low {low}, high {high}"
        ]
    problems = []
    if value is not None and any(bound not in (None, value) for bound in (low, high)):
        problems.append(f"a bound repeats the value {value}; here low is {low}, high {high}")
    if low is not None and high is not None and low > high:
        problems.append(f"low {low} is above high {high}")
    return problems


def _unit_problems(attrs: Mapping[str, Any]) -> list[str]:
    unit, kind = attrs["unit"], attrs["kind"]
    if unit is not None and (not isinstance(unit, str) or not unit.strip()):
        return [f"unit is {unit!r}; it is a name, or left out for a pure number"]
    if kind == "money" and not (unit and _CURRENCY.fullmatch(unit)):
        return [f"kind money needs a currency such as USD or 'USD per year', not unit {unit!r}"]
    if kind == "percent" and not (unit and _PERCENT.fullmatch(unit)):
        return [f"kind percent needs unit percent, percentage point or basis point, not {unit!r}"]
    if kind in ("duration", "age") and unit is None:
        return [f"kind {kind} needs a unit such as year"]
    if kind in ("ratio", "multiple") and unit is not None:
        return [f"kind {kind} has no unit, not {unit!r}"]
    return []


# ---- the checks, each a function from an article to (span ids, message) ---------------------

_Found = Iterator[tuple[tuple[str, ...], str]]


def _show(span: AnnotatedSpan) -> str:
    """Return a span the way a person finds it again: label, id and the start of its text."""
    text = span.text if len(span.text) <= 40 else span.text[:37] + "..."
    return f"{span.label} {span.id} {text!r}"


def _check_ids(article: AnnotatedArticle) -> _Found:
    for span_id, count in Counter(span.id for span in article.spans).items():
        if count > 1:
            yield (span_id,), f"{count} spans have the id {span_id!r}; ids must differ"


def _check_surfaces(article: AnnotatedArticle) -> _Found:
    for span in article.spans:
        surface = article.text[span.start : span.end]
        if not 0 <= span.start < span.end <= len(article.text) or surface != span.text:
            yield (
                (span.id,),
                f"{_show(span)}: [{span.start}, {span.end}) reads {surface!r}; mend the offsets",
            )
        elif surface != surface.strip():
            yield (
                (span.id,),
                f"{_show(span)} has white space at its edge; leave it outside the span",
            )


def _check_overlaps(article: AnnotatedArticle) -> _Found:
    last: dict[str, AnnotatedSpan] = {}
    for span in sorted(article.spans, key=lambda span: (span.start, span.end)):
        before = last.get(span.layer)
        if before is not None and span.start < before.end:
            yield (
                (span.id, before.id),
                f"{_show(span)} overlaps {_show(before)} in layer {span.layer}; "
                "spans of one layer must not overlap",
            )
        if before is None or span.end > before.end:
            last[span.layer] = span


def _check_chains(article: AnnotatedArticle) -> _Found:
    return _chains(article, "same_quote", "the first part of the statement")


def _chains(article: AnnotatedArticle, link_type: str, wanted: str) -> _Found:
    links = [link for link in article.links if link.type == link_type]
    targets = {link.head: link.tail for link in links}
    for link in links:
        if link.tail in targets:
            yield (
                (link.head, link.tail),
                f"{link_type} {link.head} -> {link.tail} is a chain, since {link.tail} itself "
                f"points at {targets[link.tail]}; point at {wanted}",
            )


def _check_links(article: AnnotatedArticle, schema: LabelSchema, strict: bool) -> _Found:
    spans = {span.id: span for span in article.spans}
    types = {link.name: link for link in schema.links}
    labels = {label for layer in schema.layers for label in layer.labels}
    seen: set[tuple[str, str, str]] = set()
    for link in article.links:
        ends = (link.head, link.tail)
        if missing := [end for end in ends if end not in spans]:
            yield ends, f"link {_arrow(link)} names {', '.join(missing)}, which is not there"
            continue
        if (link.type, *ends) in seen:
            yield ends, f"link {_arrow(link)} is given twice; remove one"
        seen.add((link.type, *ends))
        if link.head == link.tail:
            yield ends, f"link {_arrow(link)} points at its own span"
            continue
        head, tail = spans[link.head], spans[link.tail]
        kind = types.get(link.type)
        if kind is None:
            if strict:
                yield ends, f"link {_arrow(link)}: unknown type; known are {', '.join(types)}"
            continue
        # Imported corpora link to labels of their own, such as ORG; only strict minds.
        judged = strict or {head.label, tail.label} <= labels
        legal = schema.allows(kind, (head.layer, head.label), (tail.layer, tail.label))
        if judged and not legal:
            yield (
                ends,
                f"{link.type} from {_show(head)} to {_show(tail)} is not allowed; it goes "
                f"from {' or '.join(kind.heads)} to {' or '.join(kind.tails)}",
            )


def _arrow(link: Link) -> str:
    return f"{link.type} {link.head} -> {link.tail}"


def check_names(article: AnnotatedArticle, schema: LabelSchema) -> _Found:
    """Yield the layers and labels that a schema does not know: the spans, and what is wrong."""
    layers = {layer.name: layer.labels for layer in schema.layers}
    for name in article.complete_layers:
        if name not in layers:
            known = ", ".join(layers) + did_you_mean(name, layers)
            yield (), f"complete_layers names {name!r}; known are {known}"
    for span in article.spans:
        if span.layer not in layers:
            known = ", ".join(layers) + did_you_mean(span.layer, layers)
            yield (span.id,), f"{_show(span)}: unknown layer {span.layer!r}; known are {known}"
        elif span.label not in layers[span.layer]:
            known = ", ".join(layers[span.layer]) + did_you_mean(span.label, layers[span.layer])
            yield (span.id,), f"{_show(span)}: layer {span.layer} has the labels {known}"


def _check_quantities(article: AnnotatedArticle) -> _Found:
    for span in article.spans:
        if span.label == "QUANTITY":
            for message in quantity_problems(span.attrs):
                yield (span.id,), f"{_show(span)}: {message}"


def _check_targets(article: AnnotatedArticle) -> _Found:
    yield from _chains(article, "same_person", "the fullest mention of the person")
    spans = {span.id: span for span in article.spans}
    full = {link.head: link.tail for link in article.links if link.type == "same_person"}
    for link in article.links:
        if not {link.head, link.tail} <= set(spans):
            continue
        if link.type == "refers_to" and link.tail in full:
            yield (
                (link.head, link.tail),
                f"link {_arrow(link)}: {link.tail} is a further mention of "
                f"{full[link.tail]}; refer to {full[link.tail]}",
            )
        if link.type == "same_quote" and spans[link.tail].start > spans[link.head].start:
            yield (
                (link.head, link.tail),
                f"link {_arrow(link)}: {link.tail} comes later in the text; "
                "point at the first part of the statement",
            )


_ALWAYS = (_check_ids, _check_surfaces, _check_overlaps, _check_chains)
_STRICT = (_check_quantities, _check_targets)


def duplicate_ids(articles: Iterable[AnnotatedArticle]) -> list[Problem]:
    """Return one problem for each id that several of the articles have."""
    counts = Counter(article.id for article in articles)
    return [
        Problem(name, (), f"{count} articles have the id {name!r}; give each its own")
        for name, count in counts.items()
        if count > 1
    ]
