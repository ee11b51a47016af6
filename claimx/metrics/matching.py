"""Pair gold with predicted items, one to one, as many as can be.

Pure interval and graph work; what is counted with the pairs is defined in `claimx.metrics`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from claimx.types import AnnotatedArticle, AnnotatedSpan

Interval = tuple[int, int]
LinkKind = tuple[str, str, str]
"""Type of a link, layer of its head, layer of its tail."""
Matching = Mapping[str, str]
"""Ids of predicted spans -> ids of the gold spans that they are matched with."""
Left = TypeVar("Left")
Right = TypeVar("Right")


def overlaps(left: Interval, right: Interval) -> bool:
    """Say whether two half-open intervals share at least one character."""
    return left[0] < right[1] and right[0] < left[1]


def exact_pairs(gold: Sequence[Interval], predicted: Sequence[Interval]) -> list[tuple[int, int]]:
    """Return ``(gold index, predicted index)`` of equal intervals, each used once."""
    free: dict[Interval, list[int]] = {}
    for index, interval in enumerate(predicted):
        free.setdefault(interval, []).append(index)
    return [
        (index, free[interval].pop(0))
        for index, interval in enumerate(gold)
        if free.get(interval)
    ]  # fmt: skip


def overlap_pairs(gold: Sequence[Interval], predicted: Sequence[Interval]) -> list[tuple[int, int]]:
    """Return a one-to-one matching of overlapping intervals that is as large as possible.

    Of the largest matchings it is one that shares the most characters, so that an exact
    counterpart is not lost to a neighbour that merely touches it.

    Args:
        gold: intervals that do not overlap one another, in any order.
        predicted: likewise.

    Returns:
        Pairs ``(gold index, predicted index)`` in the order of the text.
    """
    gold_order = sorted(range(len(gold)), key=lambda index: gold[index])
    predicted_order = sorted(range(len(predicted)), key=lambda index: predicted[index])
    edges = _edges([gold[i] for i in gold_order], [predicted[i] for i in predicted_order])
    chosen = _heaviest(edges)
    return [(gold_order[left], predicted_order[right]) for left, right in chosen]


def _edges(gold: list[Interval], predicted: list[Interval]) -> list[tuple[int, int, int]]:
    """All overlaps of two sorted families as ``(gold, predicted, shared characters)``."""
    edges = []
    left = right = 0
    while left < len(gold) and right < len(predicted):
        shared = min(gold[left][1], predicted[right][1]) - max(gold[left][0], predicted[right][0])
        if shared > 0:
            edges.append((left, right, shared))
        if gold[left][1] <= predicted[right][1]:
            left += 1
        else:
            right += 1
    return edges


def _heaviest(edges: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Choose edges that share no end: first as many as can be, then the most characters.

    The sweep yields the edges in an order in which both indices only grow, so the edges that
    clash with one stand directly before it and a prefix of the list can be solved by itself.
    """
    # One edge more outweighs all the characters that any matching can share.
    bonus = 1 + sum(shared for _, _, shared in edges)
    best = [0]
    compatible: list[int] = []
    first_left: dict[int, int] = {}
    first_right: dict[int, int] = {}
    for index, (left, right, shared) in enumerate(edges):
        before = min(first_left.setdefault(left, index), first_right.setdefault(right, index))
        compatible.append(before)
        best.append(max(best[index], best[before] + bonus + shared))
    chosen = []
    index = len(edges)
    while index:
        if best[index] == best[index - 1]:
            index -= 1
        else:
            chosen.append(edges[index - 1][:2])
            index = compatible[index - 1]
    return chosen[::-1]


def most_pairs(
    left: Sequence[Left], right: Sequence[Right], fits: Callable[[Left, Right], bool]
) -> list[tuple[int, int]]:
    """Return a largest one-to-one matching of two small lists, by augmenting paths.

    Args:
        left: items of one side.
        right: items of the other.
        fits: says whether two items may be paired.
    """
    fitting = [[j for j, other in enumerate(right) if fits(item, other)] for item in left]
    owner: dict[int, int] = {}

    def settle(index: int, seen: set[int]) -> bool:
        for candidate in fitting[index]:
            if candidate in seen:
                continue
            seen.add(candidate)
            if candidate not in owner or settle(owner[candidate], seen):
                owner[candidate] = index
                return True
        return False

    for index in range(len(left)):
        settle(index, set())
    return sorted((index, candidate) for candidate, index in owner.items())


Name = TypeVar("Name", bound=Hashable)


def joined(names: Iterable[Name], links: Iterable[tuple[Name, Name]]) -> dict[Name, Name]:
    """Map every name to the representative of its group; linked names share a group.

    The representative is the group's first name in the order given.
    """
    parent = {name: name for name in names}
    rank = {name: position for position, name in enumerate(parent)}

    def root(name: Name) -> Name:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for one, other in links:
        first, second = sorted((root(one), root(other)), key=rank.__getitem__)
        parent[second] = first
    return {name: root(name) for name in parent}


MATCHERS = {"exact": exact_pairs, "overlap": overlap_pairs}


def match_spans(
    gold: AnnotatedArticle, predicted: AnnotatedArticle, how: str = "overlap"
) -> dict[str, str]:
    """Match the spans of each layer and label one to one.

    Args:
        gold: one side.
        predicted: the other.
        how: ``exact`` or ``overlap``.

    Returns:
        Ids of predicted spans -> ids of gold spans.
    """
    gold_groups, predicted_groups = by_label(gold), by_label(predicted)
    matching = {}
    for group, gold_spans in gold_groups.items():
        predicted_spans = predicted_groups.get(group, [])
        pairs = MATCHERS[how](intervals(gold_spans), intervals(predicted_spans))
        matching.update({predicted_spans[j].id: gold_spans[i].id for i, j in pairs})
    return matching


def by_label(article: AnnotatedArticle) -> dict[tuple[str, str], list[AnnotatedSpan]]:
    """Return the spans of each ``(layer, label)``."""
    groups: dict[tuple[str, str], list[AnnotatedSpan]] = defaultdict(list)
    for span in article.spans:
        groups[span.layer, span.label].append(span)
    return groups


def labelled(article: AnnotatedArticle, label: str) -> list[AnnotatedSpan]:
    """Return the spans of one label, of any layer."""
    return [span for span in article.spans if span.label == label]


def intervals(spans: Iterable[AnnotatedSpan]) -> list[Interval]:
    """Return where the spans stand."""
    return [(span.start, span.end) for span in spans]


def tails(article: AnnotatedArticle, link_type: str) -> dict[str, list[AnnotatedSpan]]:
    """Return the tails of each head's links of one type, in the order of the text."""
    by_id = {span.id: span for span in article.spans}
    found: dict[str, list[AnnotatedSpan]] = defaultdict(list)
    for link in article.links:
        if link.type == link_type:
            found[link.head].append(by_id[link.tail])
    return {head: sorted(spans, key=lambda span: span.start) for head, spans in found.items()}
