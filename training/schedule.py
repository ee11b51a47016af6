"""The order in which examples are seen: fixed by the seed before the run starts.

Because the whole order is known, a run that is resumed at step k simply goes on at step k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.data import TrainingArticle

Visit = tuple[int, int]
"""An example: ``(variant, row)``; variant 1 has its quotation marks swapped."""


def settle_passes(items: Sequence[TrainingArticle], seed: int) -> list[TrainingArticle]:
    """Draw whole numbers of passes, so that what is never seen need not be prepared.

    Args:
        items: articles with their corpora; a fraction of a pass is the probability of one more.
        seed: decides the draws.

    Returns:
        The articles that are seen at all, each with its number of passes.
    """
    random = np.random.default_rng([seed, 1])
    settled = []
    for item in items:
        passes = int(item.corpus.passes) + (random.random() < item.corpus.passes % 1)
        if passes:
            settled.append(replace(item, corpus=replace(item.corpus, passes=float(passes))))
    return settled


def plan_steps(
    items: Sequence[TrainingArticle],
    rows_of: Sequence[Sequence[int]],
    tokens_of: Sequence[int],
    *,
    step_tokens: int,
    seed: int,
    variants: int,
) -> list[list[Visit]]:
    """Plan every optimiser step of a run.

    Pass number p of an article falls into the p-th of equal parts of its corpus's share of the
    run, at a random place, so that passes are spread evenly.

    Args:
        items: articles with their corpora, of `settle_passes`.
        rows_of: rows of each article.
        tokens_of: tokens of each row.
        step_tokens: tokens in a step.
        seed: decides the order.
        variants: 2 if every other pass uses the swapped text.
    """
    random = np.random.default_rng(seed)
    visits: list[tuple[float, Visit]] = []
    for item, rows in zip(items, rows_of, strict=True):
        corpus = item.corpus
        passes = int(corpus.passes)
        first = int(random.integers(variants))
        for number in range(passes):
            share = (number + random.random()) / passes
            moment = corpus.begin + share * (corpus.end - corpus.begin)
            variant = (first + number) % variants
            visits += [(moment + 1e-3 * random.random(), (variant, row)) for row in rows]
    visits.sort()
    steps: list[list[Visit]] = [[]]
    filled = 0
    for _, visit in visits:
        size = tokens_of[visit[1]]
        if steps[-1] and filled + size > step_tokens:
            steps.append([])
            filled = 0
        steps[-1].append(visit)
        filled += size
    return [step for step in steps if step]
