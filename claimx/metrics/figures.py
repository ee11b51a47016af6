"""Turn counts per article into precision, recall, F1, intervals and calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Key = tuple[str, ...]
RESAMPLES = 1000
CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class Counts:
    """What was right on each side.

    The two numerators differ only where the two sides are drawn apart (kinds of quotes).

    Args:
        predicted_right: predicted items that are right.
        predicted: predicted items.
        gold_right: gold items that were found.
        gold: gold items.
    """

    predicted_right: int = 0
    predicted: int = 0
    gold_right: int = 0
    gold: int = 0

    @classmethod
    def paired(cls, right: int, predicted: int, gold: int) -> Counts:
        """Counts of a one-to-one matching with ``right`` pairs."""
        return cls(right, predicted, right, gold)

    @classmethod
    def share(cls, right: int, total: int) -> Counts:
        """Counts of an accuracy; precision, recall and F1 all equal ``right / total``."""
        return cls(right, total, right, total)

    def __add__(self, other: Counts) -> Counts:
        """Add count by count."""
        return Counts(
            self.predicted_right + other.predicted_right,
            self.predicted + other.predicted,
            self.gold_right + other.gold_right,
            self.gold + other.gold,
        )

    def __bool__(self) -> bool:
        """Say whether there was anything to score."""
        return bool(self.predicted or self.gold)

    @property
    def precision(self) -> float:
        """Share of the predicted items that are right; 0 where nothing was predicted."""
        return self.predicted_right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold items that were found; 0 where there was nothing to find."""
        return self.gold_right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


Tally = dict[Key, Counts]
"""The counts of one article, by figure."""


def add_counts(tally: Tally, key: Key, counts: Counts) -> None:
    """Add to one figure of an article; counts of nothing leave no trace."""
    if counts:
        tally[key] = tally.get(key, Counts()) + counts


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure over a set of articles with the 95% interval of its F1."""

    counts: Counts
    f1_low: float
    f1_high: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of an F1 figure."""
        return {
            "precision": self.counts.precision,
            "recall": self.counts.recall,
            "f1": self.counts.f1,
            "f1_interval": [self.f1_low, self.f1_high],
            "predicted": self.counts.predicted,
            "predicted_right": self.counts.predicted_right,
            "gold": self.counts.gold,
            "gold_right": self.counts.gold_right,
        }

    def to_share_dict(self) -> dict[str, Any]:
        """Return the JSON form of an accuracy."""
        return {
            "accuracy": self.counts.recall,
            "accuracy_interval": [self.f1_low, self.f1_high],
            "right": self.counts.gold_right,
            "total": self.counts.gold,
        }


def summarise(
    tallies: Sequence[Mapping[Key, Counts]], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[Key, Figure]:
    """Add the articles up and put a percentile bootstrap interval around every F1.

    Articles are drawn with replacement, as many as there are, ``resamples`` times; the interval
    reaches from the 2.5th to the 97.5th percentile of the F1 of those draws. All figures share
    the same draws, so the intervals do not depend on which other figures are asked for.

    Args:
        tallies: counts of each article; a figure that an article lacks counts as zero there.
        resamples: number of draws.
        seed: seed of the draws.

    Returns:
        The figures in the order in which they first occur.
    """
    keys = list(dict.fromkeys(key for tally in tallies for key in tally))
    if not keys:
        return {}
    table = np.zeros((len(tallies), len(keys), 4))
    column = {key: position for position, key in enumerate(keys)}
    totals = dict.fromkeys(keys, Counts())
    for row, tally in enumerate(tallies):
        for key, counts in tally.items():
            totals[key] += counts
            table[row, column[key]] = (
                counts.predicted_right,
                counts.predicted,
                counts.gold_right,
                counts.gold,
            )
    low, high = _interval(table, resamples, seed)
    return {
        key: Figure(totals[key], float(low[position]), float(high[position]))
        for position, key in enumerate(keys)
    }


def _interval(
    table: npt.NDArray[np.float64], resamples: int, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    articles, figures, _ = table.shape
    draws = np.random.default_rng(seed).multinomial(
        articles, np.full(articles, 1 / articles), size=resamples
    )
    sums = (draws.astype(np.float64) @ table.reshape(articles, -1)).reshape(-1, figures, 4)
    precision = _ratio(sums[..., 0], sums[..., 1])
    recall = _ratio(sums[..., 2], sums[..., 3])
    f1 = _ratio(2 * precision * recall, precision + recall)
    # A draw without any article that has the figure says nothing about it.
    absent = (sums[..., 1] == 0) & (sums[..., 3] == 0)
    f1[absent & ~absent.all(axis=0)] = np.nan
    low, high = np.nanpercentile(f1, [2.5, 97.5], axis=0)
    return low, high


def _ratio(
    part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def calibration(
    scored: Iterable[tuple[float, bool]], *, bins: int = CALIBRATION_BINS
) -> dict[str, Any]:
    """Measure how far scores are from the share that is right.

    The expected calibration error (ECE): sort by score, cut into ``bins`` parts of equal size
    (they differ by one at most), and average ``|mean score - share right|`` over the parts,
    weighted by their size.

    Args:
        scored: the score of each item and whether it is right.
        bins: number of parts; with fewer items each item is a part.

    Returns:
        ``error``, ``items``, ``mean_score``, ``share_right`` and the parts under ``bins``.
    """
    ordered = sorted(scored, key=lambda item: item[0])
    if not ordered:
        return {"error": 0.0, "items": 0, "mean_score": 0.0, "share_right": 0.0, "bins": []}
    scores = np.array([score for score, _ in ordered], dtype=np.float64)
    right = np.array([is_right for _, is_right in ordered], dtype=np.float64)
    # Equal scores share what is right among them, so the order of the items does not matter.
    _, same, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    right = (np.bincount(same, weights=right) / sizes)[same]
    parts = [part for part in np.array_split(np.arange(len(ordered)), bins) if len(part)]
    rows = [
        {
            "items": len(part),
            "mean_score": float(scores[part].mean()),
            "share_right": float(right[part].mean()),
        }
        for part in parts
    ]
    error = sum(row["items"] * abs(row["mean_score"] - row["share_right"]) for row in rows)
    return {
        "error": float(error / len(ordered)),
        "items": len(ordered),
        "mean_score": float(scores.mean()),
        "share_right": float(right.mean()),
        "bins": rows,
    }
