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
from claimx.tagging import best_legal_tags, decode_tags

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
    logits: Floats,
    layer: Layer,
    calibration: Mapping[str, Sequence[float]],
    persistence: Mapping[str, float] | None = None,
) -> list[DecodedSpan]:
    """Find the spans of one layer in an article.

    Args:
        logits: ``(units, tags)``.
        layer: its labels.
        calibration: ``layer/LABEL`` -> slope and intercept on the log-odds.
        persistence: ``layer/LABEL`` -> price of ending such a span; none where missing.
    """
    if not len(logits):
        return []
    log_probs = log_softmax(logits)
    probs = np.exp(log_probs)
    spans = []
    prices = persistence or {}
    leaving = np.array([prices.get(f"{layer.name}/{name}", 0.0) for name in layer.labels])
    for label, start, end in decode_tags(best_legal_tags(log_probs, leaving)):
        begin, inside = 2 * label + 1, 2 * label + 2
        raw = float(probs[start, begin])
        if end - start > 1:
            raw *= float(probs[start + 1 : end, inside].min())
        if end < len(probs):
            raw *= 1.0 - float(probs[end, inside])
        name = layer.labels[label]
        score = calibrate(raw, calibration.get(f"{layer.name}/{name}"))
        spans.append(DecodedSpan(layer.name, name, start, end - 1, raw, score))
    return spans


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
    links: list[ChosenLink] = []
    order = np.lexsort((pairs.heads, pairs.types))
    keys = pairs.types[order] * (int(pairs.heads.max(initial=0)) + 1) + pairs.heads[order]
    cuts = np.flatnonzero(np.diff(keys)) + 1
    for group in np.split(order, cuts) if len(order) else []:
        link = schema.links[int(pairs.types[group[0]])]
        values = scores[group].astype(np.float64)
        if link.choose == "any":
            probs = 1.0 / (1.0 + np.exp(-np.clip(values, -60, 60)))
            chosen = np.flatnonzero(probs >= thresholds.get(link.name, 0.5))
        else:
            top = max(0.0, float(values.max()))
            mass = np.exp(values - top)
            probs = mass / (mass.sum() + math.exp(-top))
            best = int(values.argmax())
            none = math.exp(-top) / (mass.sum() + math.exp(-top))
            # Several mentions of one person may share the mass; together they beat "none".
            wins = probs[best] > none or (link.name == "refers_to" and probs.sum() > none)
            least = thresholds.get(link.name, 0.0)
            chosen = np.array([best] if wins and probs.sum() >= least else [], dtype=np.int64)
            probs = np.minimum(probs, 1.0)
        links += [
            ChosenLink(
                link.name,
                int(pairs.heads[group[i]]),
                int(pairs.tails[group[i]]),
                float(probs[i]),
            )
            for i in chosen
        ]
    return links
