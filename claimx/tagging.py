"""Spans <-> BIO tags of one layer.

A layer with labels X and Y has the tags O, B-X, I-X, B-Y, I-Y as numbers 0, 1, 2, 3, 4: label
number ``k`` owns ``2k + 1`` (B) and ``2k + 2`` (I).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

OUTSIDE_TAG = 0
Tags = npt.NDArray[np.int64]


def begin_tag(label: int) -> int:
    """Return the B tag of a label number."""
    return 2 * label + 1


def encode_tags(spans: Iterable[tuple[int, int, int]], size: int) -> Tags:
    """Turn ``(label, start, end)`` spans over units into tags.

    Args:
        spans: half-open unit ranges that don't overlap.
        size: number of units.

    Returns:
        Tags, ``(size,)``.

    Raises:
        ValueError: if a span is empty, out of range or overlaps another.
    """
    tags = np.zeros(size, dtype=np.int64)
    for label, start, end in spans:
        if not 0 <= start < end <= size or tags[start:end].any():
            raise ValueError(f"span [{start}, {end}) is empty, out of range or overlaps another")
        tags[start] = begin_tag(label)
        tags[start + 1 : end] = begin_tag(label) + 1
    return tags


def decode_tags(tags: Tags) -> list[tuple[int, int, int]]:
    """Turn legal tags into ``(label, start, end)`` spans over units, in order."""
    begins = np.flatnonzero(tags % 2 == 1)
    if not len(begins):
        return []
    # A span ends where the next unit is not its I tag.
    padded = np.append(tags, OUTSIDE_TAG)
    breaks = np.flatnonzero(padded[1:] != np.where(tags % 2 == 1, tags + 1, tags)) + 1
    ends = breaks[np.searchsorted(breaks, begins, side="right")]
    return [
        ((int(tags[start]) - 1) // 2, int(start), int(end))
        for start, end in zip(begins, ends, strict=True)
    ]


def illegal_positions(tags: Tags) -> npt.NDArray[np.int64]:
    """Return the units whose I tag does not follow a B or I of the same label."""
    previous = np.concatenate(([OUTSIDE_TAG], tags[:-1]))
    inside = (tags % 2 == 0) & (tags > 0)
    wrong: npt.NDArray[np.int64] = np.flatnonzero(
        inside & (previous != tags) & (previous != tags - 1)
    )
    return wrong


def legal_transitions(count: int) -> npt.NDArray[np.bool_]:
    """Return which tag may follow which, ``(tags, tags)``; rows are the earlier tag."""
    allowed = np.ones((count, count), dtype=bool)
    for inside in range(2, count, 2):
        allowed[:, inside] = False
        allowed[[inside - 1, inside], inside] = True
    return allowed


def best_legal_tags(
    log_probs: npt.NDArray[np.float32],
    leaving: npt.NDArray[np.float64] | None = None,
    firsts: npt.NDArray[np.int64] | None = None,
) -> Tags:
    """Return the best legal tags of one or many texts that stand behind each other.

    Scores of units are independent, so one unsure word tears a long span in two. A price for
    ending a span is the one weight of a linear chain that mends this.

    Args:
        log_probs: ``(units, tags)``.
        leaving: price of ending a span of each label, ``(labels,)``; none if None. The end of a
            text costs nothing.
        firsts: first unit of every text, in order; one text if None.

    Returns:
        Tags, ``(units,)``.
    """
    units, count = log_probs.shape
    prices = np.zeros(count // 2) if leaving is None else leaving
    edges = np.zeros(units + 1, dtype=bool)
    edges[0 if firsts is None else firsts] = edges[-1] = True
    tags: Tags = np.full(units, OUTSIDE_TAG, dtype=np.int64)
    sure = np.append(_surely_outside(log_probs, prices, edges), True)
    begins = np.flatnonzero(~sure[:-1] & (edges[:-1] | np.append(True, sure[:-2])))
    ends = np.flatnonzero(~sure[:-1] & (edges[1:] | sure[1:])) + 1
    if not len(begins):
        return tags
    steps = np.where(legal_transitions(count), 0.0, -np.inf)
    for label, price in enumerate(prices):
        begin = begin_tag(label)
        steps[begin : begin + 2] -= price
        steps[begin : begin + 2, begin + 1] += price
    closing = np.where(edges[ends, None], 0.0, steps[:, OUTSIDE_TAG])
    _viterbi(log_probs, steps, begins, ends, closing, tags)
    return tags


# By so much a better score must win where the order of additions may differ.
_MARGIN = 1e-3


def _surely_outside(
    log_probs: npt.NDArray[np.float32],
    prices: npt.NDArray[np.float64],
    edges: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Say which units every best path leaves outside, ``(units,)``; texts fall apart there.

    Take a unit from which on, up to some last unit, O is the best tag of each. A span over it
    that ends by that last unit is better cut short in front of it. One that goes on behind is
    better cut too if that gains more than it can cost: one more ending, and a B in place of the
    I behind the last unit. Where ending a span is rewarded, nothing is sure.
    """
    gain = log_probs[:, OUTSIDE_TAG].astype(np.float64) - log_probs[:, 1:].max(axis=1)
    outside = gain > _MARGIN
    if (prices < 0).any() or not outside.any():
        return np.zeros(len(gain), dtype=bool)
    cost = np.zeros((len(gain) + 1, len(prices)))
    cost[:-1] = np.maximum(log_probs[:, 2::2].astype(np.float64) - log_probs[:, 1::2], 0.0)
    cost[edges] = 0.0
    worst = (cost + prices).max(axis=1)[1:]
    lasts = np.flatnonzero(outside & (edges[1:] | ~np.append(outside[1:], False)))
    here = np.flatnonzero(outside)
    last = lasts[np.searchsorted(lasts, here)]
    total = np.cumsum(gain)
    sure = np.zeros(len(gain), dtype=bool)
    sure[here] = total[last] - total[here] + gain[here] > worst[last] + _MARGIN
    return sure


def _viterbi(
    log_probs: npt.NDArray[np.float32],
    steps: npt.NDArray[np.float64],
    begins: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    closing: npt.NDArray[np.float64],
    tags: Tags,
) -> None:
    """Search the best path of many stretches at once and write it into ``tags``.

    Each path begins with O or a B. One step goes on by one unit in all stretches that are long
    enough.

    Args:
        log_probs: ``(units, tags)``.
        steps: score of each tag after each, ``(tags, tags)``; rows are the earlier tag.
        begins: first unit of each stretch.
        ends: one past its last unit.
        closing: score of each tag as its last one, ``(stretches, tags)``.
        tags: where the paths are written, ``(units,)``.
    """
    order = np.argsort(begins - ends, kind="stable")  # longest first
    begins, ends, closing = begins[order], ends[order], closing[order]
    lengths = ends - begins
    places = np.arange(1, lengths[0])
    alive = np.searchsorted(-lengths, -places)
    onward = np.ascontiguousarray(steps.T)
    score = log_probs[begins].astype(np.float64)
    score[:, 2::2] = -np.inf
    back = np.zeros(log_probs.shape, dtype=np.int16)
    for place, count in zip(places.tolist(), alive.tolist(), strict=True):
        units = begins[:count] + place
        paths = score[:count, None, :] + onward
        back[units] = paths.argmax(axis=2)
        score[:count] = paths.max(axis=2) + log_probs[units]
    tags[ends - 1] = (score + closing).argmax(axis=1)
    for place, count in zip(places[::-1].tolist(), alive[::-1].tolist(), strict=True):
        units = begins[:count] + place
        tags[units - 1] = back[units, tags[units]]
