"""Articles that are copies of one another, whole or in part."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SHINGLE = 5
# Two articles written apart share under 0.3% of their five-word runs (measured on 28).
MAX_SHARED = 0.05
# A run of words in more articles than this is boilerplate; it tells no two of them apart.
_BOILERPLATE = 64


@dataclass(frozen=True, slots=True)
class Similar:
    """Two texts that share too many runs of words.

    Args:
        first: index of the earlier text.
        second: index of the later one.
        shared: how many runs of words both have.
        share: the same as a share of those of the shorter text.
        example: one of them.
    """

    first: int
    second: int
    shared: int
    share: float
    example: str


def shingles(text: str, size: int = SHINGLE) -> set[str]:
    """Return every run of ``size`` words, without case and punctuation."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + size]) for i in range(len(words) - size + 1)}


def similar_texts(texts: Sequence[str], checked: int | None = None) -> Iterator[Similar]:
    """Yield the pairs of texts that share more than 5% of the runs of the shorter one.

    Only texts that have a run in common are compared, so that large corpora stay feasible.

    Args:
        texts: the texts.
        checked: only pairs with one of the first so many texts are reported.

    Yields:
        The pairs, ordered by both indices; copies of one text as pairs with its first.
    """
    checked = len(texts) if checked is None else checked
    sets = [shingles(text) for text in texts]
    firsts: dict[frozenset[str], int] = {}
    twins: dict[int, list[int]] = defaultdict(list)
    holders: dict[str, list[int]] = defaultdict(list)
    for index, runs in enumerate(sets):
        first = firsts.setdefault(frozenset(runs), index)
        if first != index and runs:
            twins[first].append(index)
            continue
        for run in runs:
            holders[run].append(index)
    shared: Counter[tuple[int, int]] = Counter()
    for indices in holders.values():
        if 1 < len(indices) <= _BOILERPLATE:
            shared.update(
                (first, second) for k, first in enumerate(indices) for second in indices[k + 1 :]
            )
    pairs = {
        pair
        for pair, count in shared.items()
        if count > MAX_SHARED * min(len(sets[pair[0]]), len(sets[pair[1]]))
    } | {(first, second) for first, seconds in twins.items() for second in seconds}
    for first, second in sorted(pairs):
        if first < checked:
            both = sets[first] & sets[second]
            share = len(both) / min(len(sets[first]), len(sets[second]))
            yield Similar(first, second, len(both), share, min(both))
