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
    log_probs: npt.NDArray[np.float32], leaving: npt.NDArray[np.float64] | None = None
) -> Tags:
    """Return the best legal tags.

    Scores of units are independent, so one unsure word tears a long span in two. A price for
    ending a span is the one weight of a linear chain that mends this.

    Args:
        log_probs: ``(units, tags)``.
        leaving: price of ending a span of each label, ``(labels,)``; none if None.

    Returns:
        Tags, ``(units,)``.
    """
    tags: Tags = log_probs.argmax(axis=1).astype(np.int64)
    priced = leaving is not None and bool(leaving.any())
    # The best tag of each unit is the best path, where it is legal and ending costs nothing.
    if not len(tags) or not (priced or len(illegal_positions(tags))):
        return tags
    steps = np.where(legal_transitions(log_probs.shape[1]), 0.0, -np.inf)
    for label, price in enumerate(leaving if leaving is not None else ()):
        begin = begin_tag(label)
        steps[begin : begin + 2] -= price
        steps[begin : begin + 2, begin + 1] += price
    return _viterbi(log_probs, steps)


def _viterbi(log_probs: npt.NDArray[np.float32], steps: npt.NDArray[np.float64]) -> Tags:
    """Search the best path; it begins with O or a B.

    Args:
        log_probs: ``(units, tags)``.
        steps: score of each tag after each, ``(tags, tags)``; rows are the earlier tag.
    """
    score = log_probs[0].astype(np.float64)
    score[2::2] = -np.inf
    back = np.zeros(log_probs.shape, dtype=np.int64)
    for unit in range(1, len(log_probs)):
        paths = score[:, None] + steps
        back[unit] = paths.argmax(axis=0)
        score = paths.max(axis=0) + log_probs[unit]
    tags = np.zeros(len(log_probs), dtype=np.int64)
    tags[-1] = score.argmax()
    for unit in range(len(log_probs) - 1, 0, -1):
        tags[unit - 1] = back[unit, tags[unit]]
    return tags
