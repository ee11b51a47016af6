"""Where two annotations of one article differ, one line each, for people to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from claimx.metrics.matching import joined, match_spans, overlaps
from claimx.quantities import canonical_unit
from claimx.types import AnnotatedArticle, AnnotatedSpan

_CONTEXT = 30
_ATTRIBUTES = ("value", "low", "high", "unit", "kind", "modifier", "change")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference between two annotations.

    Args:
        article: id of the article.
        start: where the span in question begins.
        kind: ``edges``, ``label``, ``only first``, ``only second``, ``link`` or ``attribute``.
        what: the label, the type of the link or the name of the attribute.
        first: what the first annotator has, empty if nothing.
        second: what the second has.
        context: the text around the place.
    """

    article: str
    start: int
    kind: str
    what: str
    first: str
    second: str
    context: str

    def to_dict(self) -> dict[str, str | int]:
        """Return the JSON form."""
        return asdict(self)

    def __str__(self) -> str:
        """Return one line: place, kind, both readings and the text around."""
        return (
            f"{self.article}:{self.start}: {self.kind}: {self.what}: {self.first!r} | "
            f"{self.second!r}  [{self.context}]"
        )


def disagreements(first: AnnotatedArticle, second: AnnotatedArticle) -> list[Disagreement]:
    """List all differences of two annotations of one text, in the order of the text.

    Links and attributes are compared between spans that both annotators have (by overlap), so
    that one differing span is not told many times.

    Args:
        first: one annotation.
        second: the other, of the same text and layers.
    """
    matching = match_spans(first, second)
    found = [
        *_span_differences(first, second, matching),
        *_link_differences(first, second, matching),
        *_attribute_differences(first, second, matching),
    ]
    return sorted(found, key=lambda item: (item.start, item.kind, item.what))


def _around(text: str, span: AnnotatedSpan) -> str:
    shown = text[max(0, span.start - _CONTEXT) : span.end + _CONTEXT]
    return " ".join(shown.split())


def _span_differences(
    first: AnnotatedArticle, second: AnnotatedArticle, matching: Mapping[str, str]
) -> Iterator[Disagreement]:
    ours = {span.id: span for span in first.spans}
    for span in second.spans:
        if span.id in matching:
            partner = ours[matching[span.id]]
            if (partner.start, partner.end) != (span.start, span.end):
                yield _of(first, partner, "edges", span.label, partner.text, span.text)
    alone = [span for span in first.spans if span.id not in set(matching.values())]
    other_alone = [span for span in second.spans if span.id not in matching]
    for span in alone:
        rival = _rival(span, other_alone)
        if rival is None:
            yield _of(first, span, "only first", span.label, span.text, "")
        else:
            other_alone.remove(rival)
            labels = f"{span.label} or {rival.label}"
            yield _of(first, span, "label", labels, span.text, rival.text)
    for span in other_alone:
        yield _of(first, span, "only second", span.label, "", span.text)


def _rival(span: AnnotatedSpan, others: Iterable[AnnotatedSpan]) -> AnnotatedSpan | None:
    """Return a span of another label in the same place and layer."""
    place = (span.start, span.end)
    return next(
        (
            other
            for other in others
            if other.layer == span.layer
            and other.label != span.label
            and overlaps(place, (other.start, other.end))
        ),
        None,
    )


def _of(
    article: AnnotatedArticle, span: AnnotatedSpan, kind: str, what: str, first: str, second: str
) -> Disagreement:
    context = _around(article.text, span)
    return Disagreement(article.id, span.start, kind, what, first, second, context)


def _link_differences(
    first: AnnotatedArticle, second: AnnotatedArticle, matching: Mapping[str, str]
) -> Iterator[Disagreement]:
    """Differing tails of the heads that both have; a person is any of its mentions."""
    spans = {span.id: span for span in first.spans}
    shared = set(matching.values())
    persons = joined(spans, _joins(first))
    ours = _tails(first, {name: name for name in shared}, persons)
    theirs = _tails(second, matching, persons)
    for head, kind in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get((head, kind), set()), theirs.get((head, kind), set())
        if mine != other:
            texts = (", ".join(sorted(spans[tail].text for tail in side)) for side in (mine, other))
            what = f"{kind} of {spans[head].label} {spans[head].text[:40]!r}"
            yield _of(first, spans[head], "link", what, *texts)


def _joins(article: AnnotatedArticle) -> list[tuple[str, str]]:
    return [(link.head, link.tail) for link in article.links if link.type == "same_person"]


def _tails(
    article: AnnotatedArticle, names: Mapping[str, str], persons: Mapping[str, str]
) -> dict[tuple[str, str], set[str]]:
    """Tails by (head, type), all under the first annotator's ids; only spans that both have."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for link in article.links:
        if link.head in names and link.tail in names:
            found[names[link.head], link.type].add(persons[names[link.tail]])
    return found


def _attribute_differences(
    first: AnnotatedArticle, second: AnnotatedArticle, matching: Mapping[str, str]
) -> Iterator[Disagreement]:
    ours = {span.id: span for span in first.spans}
    for span in second.spans:
        if span.label != "QUANTITY" or span.id not in matching:
            continue
        partner = ours[matching[span.id]]
        for name in _ATTRIBUTES:
            mine, other = partner.attrs.get(name), span.attrs.get(name)
            if name == "unit":
                mine, other = (canonical_unit(unit) for unit in (mine, other))
            if mine != other:
                what = f"{name} of {partner.text!r}"
                yield _of(first, partner, "attribute", what, str(mine), str(other))
