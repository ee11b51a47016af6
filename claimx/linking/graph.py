"""Spans and links of an article as a graph: sets that grow together, links with both ends."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from claimx.types import AnnotatedArticle, AnnotatedSpan, Link, Span

_ENDS: dict[str, tuple[frozenset[str], str]] = {
    "said_by": (frozenset({"QUOTE"}), "SPEAKER"),
    "cued_by": (frozenset({"QUOTE"}), "CUE"),
    "same_quote": (frozenset({"QUOTE"}), "QUOTE"),
    "refers_to": (frozenset({"SPEAKER"}), "PERSON"),
    "same_person": (frozenset({"PERSON"}), "PERSON"),
    "has_role": (frozenset({"PERSON", "SPEAKER"}), "ROLE"),
    "affiliated_with": (frozenset({"PERSON", "SPEAKER"}), "AFFILIATION"),
    "modified_by": (frozenset({"QUANTITY"}), "MODIFIER"),
    "measures": (frozenset({"QUANTITY"}), "MEASURED"),
}


class Groups:
    """Disjoint sets over ``0 .. size - 1``; the smallest member stands for its set."""

    def __init__(self, size: int = 0) -> None:
        self._parent = list(range(size))

    def add(self) -> int:
        """Add a member in a set of its own and return it."""
        self._parent.append(len(self._parent))
        return len(self._parent) - 1

    def find(self, item: int) -> int:
        """Return the smallest member of the set that ``item`` is in."""
        root = item
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[item] != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low


def text_order(spans: Iterable[AnnotatedSpan]) -> list[AnnotatedSpan]:
    """Return spans by start, longer first, then by id, so that the order is always the same."""
    return sorted(spans, key=lambda span: (span.start, -span.end, span.layer, span.id))


class LinkTable:
    """The usable links of an article: both ends there, with the labels that the type asks for."""

    def __init__(self, article: AnnotatedArticle) -> None:
        self.spans = {span.id: span for span in article.spans}
        self._tails: dict[tuple[str, str], list[tuple[AnnotatedSpan, Link]]] = defaultdict(list)
        for link in article.links:
            head, tail = self.spans.get(link.head), self.spans.get(link.tail)
            heads, label = _ENDS.get(link.type, (frozenset[str](), ""))
            if head is None or tail is None or head is tail:
                continue
            if head.label in heads and tail.label == label:
                self._tails[link.type, link.head].append((tail, link))
        for found in self._tails.values():
            found.sort(key=lambda item: (item[0].start, item[0].end, item[0].id))

    def tails(self, link_type: str, head: str) -> list[tuple[AnnotatedSpan, Link]]:
        """Return the spans at the other end with their links, in text order."""
        return self._tails.get((link_type, head), [])


def probability(score: object) -> float:
    """Return a score as a number from 0 to 1; annotations of people (None) count as certain."""
    if score is None:
        return 1.0
    if not isinstance(score, int | float) or math.isnan(score):
        return 0.0
    return min(1.0, max(0.0, float(score)))


def to_span(span: AnnotatedSpan) -> Span:
    """Return the span as it stands in the record."""
    return Span(span.start, span.end, span.text, probability(span.score))
