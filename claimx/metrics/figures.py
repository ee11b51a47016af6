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
SIMULATIONS = 1000
_CELLS = 4_000_000  # of the matrix of one round of simulations: 32 MB


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


@dataclass(frozen=True, slots=True)
class Difference:
    """How much one model's F1 lies above another's, with the 95% interval, and both F1s."""

    f1: float
    baseline_f1: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "f1": self.f1,
            "baseline_f1": self.baseline_f1,
            "difference": self.f1 - self.baseline_f1,
            "difference_interval": [self.low, self.high],
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
    totals = _totals(tallies, keys)
    f1 = _resampled(tallies, keys, resamples, seed)
    low, high = np.nanpercentile(f1, [2.5, 97.5], axis=0)
    return {
        key: Figure(totals[key], float(low[position]), float(high[position]))
        for position, key in enumerate(keys)
    }


def compare(
    tallies: Sequence[Mapping[Key, Counts]],
    baseline: Sequence[Mapping[Key, Counts]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[Key, Difference]:
    """Say for every figure how far a model lies above another one on the same articles.

    Paired: each draw takes the same articles for both models, so that what makes an article hard
    for both cancels out. An interval that holds 0 has not told them apart.

    Args:
        tallies: counts of each article for the model.
        baseline: counts of the same articles, in the same order, for the other model.
        resamples: number of draws.
        seed: seed of the draws.

    Raises:
        ValueError: if the two do not cover equally many articles.
    """
    if len(tallies) != len(baseline):
        raise ValueError(f"{len(tallies)} articles compared with {len(baseline)}")
    keys = list(dict.fromkeys(key for tally in (*tallies, *baseline) for key in tally))
    if not keys:
        return {}
    totals, others = _totals(tallies, keys), _totals(baseline, keys)
    # A draw without any article that has the figure is left out, as in `summarise`.
    difference = _resampled(tallies, keys, resamples, seed) - _resampled(
        baseline, keys, resamples, seed
    )
    difference[:, np.isnan(difference).all(axis=0)] = 0.0
    low, high = np.nanpercentile(difference, [2.5, 97.5], axis=0)
    return {
        key: Difference(totals[key].f1, others[key].f1, float(low[position]), float(high[position]))
        for position, key in enumerate(keys)
    }


def _totals(tallies: Sequence[Mapping[Key, Counts]], keys: Sequence[Key]) -> dict[Key, Counts]:
    totals = dict.fromkeys(keys, Counts())
    for tally in tallies:
        for key, counts in tally.items():
            totals[key] += counts
    return totals


def _resampled(
    tallies: Sequence[Mapping[Key, Counts]], keys: Sequence[Key], resamples: int, seed: int
) -> npt.NDArray[np.float64]:
    """The F1 of every figure (columns) in every draw (rows); NaN where a draw lacks it."""
    table = np.zeros((len(tallies), len(keys), 4))
    column = {key: position for position, key in enumerate(keys)}
    for row, tally in enumerate(tallies):
        for key, counts in tally.items():
            table[row, column[key]] = (
                counts.predicted_right,
                counts.predicted,
                counts.gold_right,
                counts.gold,
            )
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
    return f1


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
    parts = _parts(len(ordered), bins)
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


def _parts(items: int, bins: int) -> list[npt.NDArray[np.int64]]:
    return [part for part in np.array_split(np.arange(items), bins) if len(part)]


def perfect_calibration(
    scores: Iterable[float],
    *,
    bins: int = CALIBRATION_BINS,
    simulations: int = SIMULATIONS,
    seed: int = 0,
) -> dict[str, Any]:
    """Say which calibration error chance alone would show if every score were the truth.

    Few items have a large error whatever the model does: with 60 items in 15 parts the share
    right of a part is that of 4 throws. So the outcome of every item is drawn with its own score
    as the probability of being right, and the error of `calibration` is taken, ``simulations``
    times.

    Args:
        scores: the scores of the items.
        bins: number of parts.
        simulations: number of rounds.
        seed: seed of the draws.

    Returns:
        ``perfect_error``, the mean over the rounds, and ``perfect_interval``, from the 2.5th to
        the 97.5th percentile: an error inside it is no sign of bad calibration.
    """
    ordered = np.sort(np.fromiter(scores, dtype=np.float64))
    if not len(ordered):
        return {"perfect_error": 0.0, "perfect_interval": [0.0, 0.0]}
    starts = [int(part[0]) for part in _parts(len(ordered), bins)]
    _, ties, sizes = np.unique(ordered, return_index=True, return_counts=True)
    expected = np.add.reduceat(ordered, starts)
    generator = np.random.default_rng(seed)
    errors: list[npt.NDArray[np.float64]] = []
    step = max(1, _CELLS // len(ordered))
    for begin in range(0, simulations, step):
        rounds = min(step, simulations - begin)
        right = generator.random((rounds, len(ordered))) < ordered
        # As in `calibration`, equal scores share what is right among them.
        shared = np.repeat(np.add.reduceat(right, ties, axis=1, dtype=np.float64) / sizes, sizes, 1)
        gaps = np.add.reduceat(shared, starts, axis=1) - expected
        errors.append(np.abs(gaps).sum(axis=1) / len(ordered))
    found = np.concatenate(errors)
    low, high = np.percentile(found, [2.5, 97.5])
    return {"perfect_error": float(found.mean()), "perfect_interval": [float(low), float(high)]}
