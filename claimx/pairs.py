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
from claimx.labels import LabelSchema

Indices = npt.NDArray[np.int64]

# At most this many tails are weighed for a head, the nearest on either side.
_NEAREST = 24
_EVERYWHERE = np.iinfo(np.int64).max
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
    edges = np.array(
        [(span.start, span.end, span.first_unit, span.last_unit) for span in spans], dtype=np.int64
    ).reshape(-1, 4)
    by_kind: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in np.lexsort((edges[:, 1], edges[:, 0])).tolist():
        by_kind[spans[index].kind].append(index)
    searches = []
    for number, link in enumerate(schema.links):
        for head_kind in (kind for kind in by_kind if kind[1] in link.heads):
            tails = [
                index
                for kind, indices in by_kind.items()
                if schema.allows(link, head_kind, kind)
                for index in indices
            ]
            if tails:
                searches.append(_Search(number, link.reach, by_kind[head_kind], tails))
    heads, tails_of, types, ranks = _near(searches, edges)
    features = _features(text, states, spans, edges, heads, tails_of, ranks)
    return Pairs(heads, tails_of, types, features)


@dataclass(frozen=True, slots=True)
class _Search:
    """Heads of one kind and all spans that one type of link may join them to, by index."""

    type: int
    reach: int | None
    heads: list[int]
    tails: list[int]


# Which tails are weighed, from the first one that begins with or behind the head: the nearest
# before it, then those behind.
_STEPS = np.concatenate([np.arange(-1, -_NEAREST - 1, -1), np.arange(_NEAREST)])


def _near(searches: Sequence[_Search], edges: Indices) -> tuple[Indices, Indices, Indices, Indices]:
    """Return head, tail, type and signed rank of all pairs within reach.

    Args:
        searches: what to join.
        edges: start, end, first and last unit of every span, ``(spans, 4)``.
    """
    if not searches:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty, empty
    bounds, here, all_tails, begin = [], [], [], 0
    for search in searches:
        tails = np.array(search.tails)
        tails = tails[np.argsort(edges[tails, 0], kind="stable")]
        reach = _EVERYWHERE if search.reach is None else search.reach
        bounds.append((begin, begin + len(tails), search.type, reach))
        here.append(begin + np.searchsorted(edges[tails, 0], edges[search.heads, 0]))
        all_tails.append(tails)
        begin += len(tails)
    heads = np.array([head for search in searches for head in search.heads])
    first, end, types, reaches = np.repeat(bounds, [len(part) for part in here], axis=0).T
    places = np.concatenate(here)[:, None] + _STEPS
    row, column = np.nonzero((places >= first[:, None]) & (places < end[:, None]))
    head, tail = heads[row], np.concatenate(all_tails)[places[row, column]]
    gap = np.maximum(edges[head, 2] - edges[tail, 3], edges[tail, 2] - edges[head, 3])
    kept = (gap <= reaches[row]) & (head != tail)
    ranks = np.clip(_STEPS, -9, 8)[column]
    return head[kept], tail[kept], types[row][kept], ranks[kept]


def _features(
    text: str,
    states: npt.NDArray[np.uint8],
    spans: Sequence[LinkSpan],
    edges: Indices,
    heads: Indices,
    tails: Indices,
    ranks: Indices,
) -> Indices:
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
    stops = _between(_STOPS[np.minimum(codes, len(_STOPS) - 1)], gap_start, gap_end, 5)
    marks = _between(states >= chars.OPENING, gap_start, gap_end, 5)
    tail_in_head = (tail[:, 0] >= head[:, 0]) & (tail[:, 1] <= head[:, 1])
    head_in_tail = (head[:, 0] >= tail[:, 0]) & (head[:, 1] <= tail[:, 1])
    nesting = np.where(tail_in_head, 1, np.where(head_in_tail, 2, 0))
    quotation = states[head[:, 0]].astype(np.int64) * 4 + states[tail[:, 0]]
    rank = np.where(ranks < 0, 9 - ranks - 1, ranks)
    name = _name_features(text, spans, heads, tails)
    return np.stack([distance, rank, lines, stops, nesting, name, marks, quotation], axis=1)


# Whether each of the first characters of Unicode ends a sentence.
_STOPS = np.array([chr(code) in ".?!" for code in range(128)])


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
