"""Which spans may be linked, and what the link scorer is told about a pair.

Pairs are proposed over the whole article, the same way for gold spans in training and for
decoded spans in inference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from claimx import text as chars
from claimx.labels import LabelSchema, LinkType

# At most this many tails are weighed for a head, the nearest on either side.
_NEAREST = 24
_DISTANCE_EDGES = np.array(
    [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
)
PAIR_FEATURE_SIZES = {
    "distance": 2 * (len(_DISTANCE_EDGES) + 1),
    "rank": 2 * 9,
    "lines": 5,
    "stops": 6,
    "nesting": 4,
    "name": 7,
    "marks": 6,
    "quotation": 16,
}


@dataclass(frozen=True, slots=True)
class LinkSpan:
    """A span as the link scorer sees it.

    Args:
        kind: its ``(layer, label)``.
        start: first code point.
        end: one past the last.
        first_unit: first unit.
        last_unit: last unit, inclusive.
    """

    kind: tuple[str, str]
    start: int
    end: int
    first_unit: int
    last_unit: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs: indices into the list of spans, link type numbers and features."""

    heads: npt.NDArray[np.int64]
    tails: npt.NDArray[np.int64]
    types: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]


def span_kinds(schema: LabelSchema) -> dict[tuple[str, str], int]:
    """Number every ``(layer, label)`` of a schema."""
    kinds = [(layer.name, label) for layer in schema.layers for label in layer.labels]
    return {kind: number for number, kind in enumerate(kinds)}


def propose_pairs(
    text: str, states: npt.NDArray[np.uint8], spans: Sequence[LinkSpan], schema: LabelSchema
) -> Pairs:
    """Propose all pairs that the schema allows within reach, with their features.

    Args:
        text: the article.
        states: quotation state of every code point, ``(characters,)``.
        spans: gold or decoded spans in any order.
        schema: link types and what they may join.
    """
    by_kind: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in sorted(range(len(spans)), key=lambda i: (spans[i].start, spans[i].end)):
        by_kind[spans[index].kind].append(index)
    rows: list[tuple[int, int, int, int]] = []
    for number, link in enumerate(schema.links):
        for head_kind, heads in by_kind.items():
            tails = [
                index
                for kind, indices in by_kind.items()
                if schema.allows(link, head_kind, kind)
                for index in indices
            ]
            if tails:
                rows += _pairs_of(
                    link, number, heads, sorted(tails, key=lambda i: spans[i].start), spans
                )
    if not rows:
        empty = np.zeros(0, dtype=np.int64)
        return Pairs(empty, empty, empty, np.zeros((0, len(PAIR_FEATURE_SIZES)), dtype=np.int64))
    table = np.array(rows, dtype=np.int64)
    features = _features(text, states, spans, table[:, 0], table[:, 1], table[:, 3])
    return Pairs(table[:, 0], table[:, 1], table[:, 2], features)


def _pairs_of(
    link: LinkType, number: int, heads: list[int], tails: list[int], spans: Sequence[LinkSpan]
) -> list[tuple[int, int, int, int]]:
    """List ``(head, tail, type, signed rank)`` for one link type and one kind of head."""
    rows: list[tuple[int, int, int, int]] = []
    starts = np.array([spans[index].start for index in tails])
    for head in heads:
        here = int(np.searchsorted(starts, spans[head].start, side="left"))
        before = tails[max(0, here - _NEAREST // 2 * 2) : here]
        behind = tails[here : here + _NEAREST]
        for rank, tail in enumerate(reversed(before)):
            if _within(link, spans[head], spans[tail]) and tail != head:
                rows.append((head, tail, number, -min(rank, 8) - 1))
        for rank, tail in enumerate(behind):
            if _within(link, spans[head], spans[tail]) and tail != head:
                rows.append((head, tail, number, min(rank, 8)))
    return rows


def _within(link: LinkType, head: LinkSpan, tail: LinkSpan) -> bool:
    if link.reach is None:
        return True
    gap = max(head.first_unit - tail.last_unit, tail.first_unit - head.last_unit, 0)
    return gap <= link.reach


def _features(
    text: str,
    states: npt.NDArray[np.uint8],
    spans: Sequence[LinkSpan],
    heads: npt.NDArray[np.int64],
    tails: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    edges = np.array([(s.start, s.end, s.first_unit, s.last_unit) for s in spans], dtype=np.int64)
    head, tail = edges[heads], edges[tails]
    tail_first = tail[:, 0] < head[:, 0]
    # The gap between the two spans, empty where they touch or nest.
    gap_start = np.where(tail_first, tail[:, 1], head[:, 1])
    gap_end = np.maximum(np.where(tail_first, head[:, 0], tail[:, 0]), gap_start)
    units = np.where(tail_first, head[:, 2] - tail[:, 3], tail[:, 2] - head[:, 3]) - 1
    bucket = np.searchsorted(_DISTANCE_EDGES, np.maximum(units, 0), side="right")
    distance = bucket + np.where(tail_first, len(_DISTANCE_EDGES) + 1, 0)
    codes = chars.code_points(text)
    classes = chars.character_classes(text)
    lines = _between(classes == chars.NEWLINE, gap_start, gap_end, 4)
    stops = _between(np.isin(codes, _STOP_CODES), gap_start, gap_end, 5)
    marks = _between(states >= chars.OPENING, gap_start, gap_end, 5)
    tail_in_head = (tail[:, 0] >= head[:, 0]) & (tail[:, 1] <= head[:, 1])
    head_in_tail = (head[:, 0] >= tail[:, 0]) & (head[:, 1] <= tail[:, 1])
    nesting = np.where(tail_in_head, 1, np.where(head_in_tail, 2, 0))
    quotation = states[head[:, 0]].astype(np.int64) * 4 + states[tail[:, 0]]
    rank = np.where(ranks < 0, 9 - ranks - 1, ranks)
    name = _name_features(text, spans, heads, tails)
    return np.stack([distance, rank, lines, stops, nesting, name, marks, quotation], axis=1)


_STOP_CODES = np.array([ord(char) for char in ".?!"], dtype=np.uint32)


def _between(
    mask: npt.NDArray[np.bool_],
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    most: int,
) -> npt.NDArray[np.int64]:
    """Count set characters in each gap, capped."""
    counts = np.concatenate(([0], np.cumsum(mask)))
    capped: npt.NDArray[np.int64] = np.minimum(counts[end] - counts[start], most)
    return capped


def _name_features(
    text: str,
    spans: Sequence[LinkSpan],
    heads: npt.NDArray[np.int64],
    tails: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Compare surfaces: 1 equal, 2 tail's last word in head, 3 head's last word in tail ..."""
    words: dict[int, list[str]] = {}
    for index in {*heads.tolist(), *tails.tolist()}:
        span = spans[index]
        # A long quote is never compared as a name.
        surface = text[span.start : span.end] if span.end - span.start <= 120 else ""
        words[index] = [word.strip("’'s.,") or word for word in surface.lower().split()]
    return np.array(
        [_compare(words[h], words[t]) for h, t in zip(heads.tolist(), tails.tolist(), strict=True)],
        dtype=np.int64,
    )


def _compare(head: list[str], tail: list[str]) -> int:
    if not head or not tail:
        return 0
    if head == tail:
        return 1
    if tail[-1] in head:
        return 2
    if head[-1] in tail:
        return 3
    if tail[0] in head:
        return 4
    if head[0] in tail:
        return 5
    return 6
