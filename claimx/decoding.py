"""Scores of units -> scored spans; scores of pairs -> chosen links.

No torch here: plain arrays in, plain values out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from claimx.labels import LabelSchema, Layer
from claimx.pairs import Pairs
from claimx.tagging import Tags, best_legal_tags, decode_tags

Floats = npt.NDArray[np.float32]
_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class DecodedSpan:
    """A span over units: ``[first, last]``, both inclusive.

    ``raw`` is the score before calibration: the probability that it begins here, times the
    lowest probability that it goes on, times the probability that it ends here.
    """

    layer: str
    label: str
    first: int
    last: int
    raw: float
    score: float


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def decode_layer(
    texts: Sequence[Floats],
    layer: Layer,
    calibration: Mapping[str, Sequence[float]],
    persistence: Mapping[str, float] | None = None,
) -> list[list[DecodedSpan]]:
    """Find the spans of one layer in any number of articles, all of them at once.

    Args:
        texts: logits of each article, ``(units, tags)``.
        layer: its labels.
        calibration: ``layer/LABEL`` -> slope and intercept on the log-odds.
        persistence: ``layer/LABEL`` -> price of ending such a span; none where missing.
    """
    found: list[list[DecodedSpan]] = [[] for _ in texts]
    sizes = np.array([len(logits) for logits in texts], dtype=np.int64)
    if not sizes.sum():
        return found
    log_probs = log_softmax(np.concatenate(texts))
    prices = persistence or {}
    leaving = np.array([prices.get(f"{layer.name}/{name}", 0.0) for name in layer.labels])
    firsts = np.cumsum(sizes) - sizes
    tags = best_legal_tags(log_probs, leaving, firsts)
    spans = decode_tags(tags)
    owners = np.searchsorted(firsts, [start for _, start, _ in spans], side="right") - 1
    raws = _raw_scores(np.exp(log_probs), tags, spans, (firsts + sizes)[owners])
    for (label, start, end), owner, raw in zip(spans, owners.tolist(), raws.tolist(), strict=True):
        name = layer.labels[label]
        score = calibrate(raw, calibration.get(f"{layer.name}/{name}"))
        first = int(firsts[owner])
        found[owner].append(
            DecodedSpan(layer.name, name, start - first, end - 1 - first, raw, score)
        )
    return found


def _raw_scores(
    probs: Floats,
    tags: Tags,
    spans: Sequence[tuple[int, int, int]],
    text_ends: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Score spans before calibration, ``(spans,)``; see `DecodedSpan`.

    Args:
        probs: ``(units, tags)``.
        tags: the tags that the spans were read from, ``(units,)``.
        spans: label, first unit and one past the last of each.
        text_ends: one past the last unit of the article of each span.
    """
    if not spans:
        return np.zeros(0)
    labels, starts, ends = np.array(spans, dtype=np.int64).T
    chosen = np.append(probs[np.arange(len(tags)), tags], np.float32(1.0))
    raw: npt.NDArray[np.float64] = chosen[starts].astype(np.float64)
    chosen[starts] = 1.0
    # Of the stretches between the numbers in line, every other one is a span.
    raw *= np.minimum.reduceat(chosen, np.stack([starts, ends], axis=1).ravel())[::2]
    goes_on = probs[np.minimum(ends, len(tags) - 1), 2 * labels + 2].astype(np.float64)
    raw *= 1.0 - np.where(ends < text_ends, goes_on, 0.0)
    return raw


def log_odds(probability: float) -> float:
    """Log-odds of a probability, kept finite."""
    clipped = min(max(probability, _SMALLEST), 1.0 - _SMALLEST)
    return math.log(clipped / (1.0 - clipped))


def calibrate(raw: float, line: Sequence[float] | None) -> float:
    """Turn a raw score into a probability of being exactly right (Platt, 1999)."""
    if line is None:
        return raw
    return 1.0 / (1.0 + math.exp(-(line[0] * log_odds(raw) + line[1])))


@dataclass(frozen=True, slots=True)
class ChosenLink:
    """A link between two spans, by their indices, with its probability."""

    type: str
    head: int
    tail: int
    score: float


def choose_links(
    scores: Floats, pairs: Pairs, schema: LabelSchema, thresholds: Mapping[str, float]
) -> list[ChosenLink]:
    """Choose links from the scores of all candidate pairs.

    Types with ``choose: one`` take a head's best tail if it beats "no link" (score 0);
    their probability is that of the softmax over all its tails and "no link". Types with
    ``choose: any`` judge each pair alone.

    Args:
        scores: ``(pairs,)``.
        pairs: the candidates.
        schema: link types.
        thresholds: link type -> least probability; one half for ``any`` and none for ``one``
            where a type is missing.
    """
    if not len(scores):
        return []
    order = np.lexsort((pairs.heads, pairs.types))
    heads, types = pairs.heads[order], pairs.types[order]
    begins = np.flatnonzero(np.append(True, (np.diff(heads) != 0) | (np.diff(types) != 0)))
    values = scores[order].astype(np.float64)
    judged_alone = np.array([link.choose == "any" for link in schema.links])[types]
    least = np.array(
        [thresholds.get(link.name, 0.5 * (link.choose == "any")) for link in schema.links]
    )[types]
    shares, none, best = _shares(values, begins)
    # Several mentions of one person may share the mass; together they beat "none".
    shared = np.array([link.name == "refers_to" for link in schema.links])[types[best]]
    together = np.add.reduceat(shares, begins)
    wins = (shares[best] > none) | (shared & (together > none))
    wins &= ~judged_alone[best] & (together >= least[best])
    alone = 1.0 / (1.0 + np.exp(-np.clip(values, -60, 60)))
    chosen = judged_alone & (alone >= least)
    chosen[best[wins]] = True
    probs = np.where(judged_alone, alone, shares)
    return [
        ChosenLink(
            schema.links[int(types[at])].name,
            int(heads[at]),
            int(pairs.tails[order[at]]),
            float(probs[at]),
        )
        for at in np.flatnonzero(chosen)
    ]


def _shares(
    values: npt.NDArray[np.float64], begins: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Softmax of every group of scores with one more score of 0, which is "no link".

    Args:
        values: scores, group behind group.
        begins: index of the first of each group.

    Returns:
        Probability of each value; of "no link" in each group; index of the first highest in each.
    """
    group = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(values)))
    highest = np.maximum.reduceat(values, begins)
    top = np.maximum(highest, 0.0)
    mass = np.exp(values - top[group])
    whole = np.add.reduceat(mass, begins) + np.exp(-top)
    at_top = np.flatnonzero(values == highest[group])
    best = at_top[np.searchsorted(group[at_top], np.arange(len(begins)))]
    return mass / whole[group], np.exp(-top) / whole, best
