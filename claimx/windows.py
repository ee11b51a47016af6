"""Overlapping windows over texts longer than the encoder reads at once.

The plan depends on the tokens alone, and the same plan serves training and inference. Each
token belongs to exactly one window, its owner, in which it has context on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of tokens ``[start, end)`` that owns ``[own_start, own_end)``."""

    start: int
    end: int
    own_start: int
    own_end: int


def plan_windows(
    unit_starts: npt.NDArray[np.bool_], length: int, overlap: int
) -> tuple[Window, ...]:
    """Cover all tokens by windows of at most ``length`` tokens.

    Windows and their owned parts begin at the start of a unit (a word), unless one unit is
    longer than a window can hold.

    Args:
        unit_starts: for each token, whether it begins a unit, ``(tokens,)``.
        length: tokens in a window, special tokens not counted.
        overlap: tokens that neighbouring windows share, at most half of ``length``.

    Raises:
        ValueError: if ``overlap`` is not between 0 and ``length // 2``.
    """
    if length < 1 or not 0 <= overlap <= length // 2:
        raise ValueError(
            f"overlap must lie between 0 and half of the window, got {overlap} of {length}"
        )
    total = len(unit_starts)
    begins = np.flatnonzero(unit_starts)
    bounds: list[tuple[int, int]] = []
    start = 0
    while total:
        end = min(start + length, total)
        if end < total:
            end = _unit_start_at_or_before(begins, end, floor=start)
        bounds.append((start, end))
        if end >= total:
            break
        near = _unit_start_at_or_before(begins, end - overlap, floor=start)
        # Without a unit to begin at, as in front of a very long one, there is no overlap.
        begins_near = near > start and bool(unit_starts[near])
        start = end if unit_starts[end] and not begins_near else near
    cuts = [0]
    for (_, end), (next_start, _) in pairwise(bounds):
        cuts.append(
            _unit_start_at_or_before(begins, (next_start + end + 1) // 2, floor=next_start - 1)
        )
    cuts.append(total)
    return tuple(
        Window(start, end, cuts[index], cuts[index + 1])
        for index, (start, end) in enumerate(bounds)
    )


def _unit_start_at_or_before(begins: npt.NDArray[np.int64], position: int, floor: int) -> int:
    """Return the last unit start in ``(floor, position]``; ``position`` where there is none."""
    index = int(np.searchsorted(begins, position, side="right")) - 1
    if index >= 0 and begins[index] > floor:
        return int(begins[index])
    return position
