"""Fit calibration and link thresholds on development data: ``python -m training.calibrate``.

The score of a span should be the probability that it is exactly right. Per label, a logistic
line on the log-odds of the raw score is fitted (Platt, 1999). Link types whose pairs are
judged one by one get the threshold of the best F1, and labels whose spans fall apart a price of
ending them, where that pays.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.decoding import Floats, decode_layer, log_odds
from claimx.engine import Engine
from claimx.errors import ClaimxError
from claimx.extractor import Extractor
from claimx.formats import read_articles
from claimx.labels import Layer
from claimx.types import AnnotatedArticle, Article
from training.data import load_clean

# Fewer predictions than this say nothing about a label.
_FEWEST = 30
_THRESHOLDS = np.arange(0.2, 0.81, 0.05)
_PRICES = (0.0, 0.5, 1.0, 1.5, 2.0)
_LEAST_GAIN = 0.004
Offsets = npt.NDArray[np.int64]


def calibrate_folder(folder: Path, dev: Sequence[Path]) -> None:
    """Fit calibration and thresholds on dev files and write them into a model folder.

    Args:
        folder: a model folder; rewritten with the same weights.
        dev: annotated files that the model was not trained on.
    """
    checkpoint = load_checkpoint(folder)
    config = checkpoint.model.config
    config.calibration, config.persistence, config.link_thresholds = {}, {}, {}
    golds = [load_clean(article) for path in dev for article in read_articles(path)]
    config.persistence = fit_persistence(golds, Engine(checkpoint, dtype="float32"))
    extractor = Extractor(checkpoint, device="auto", dtype="float32")
    predicted = extractor.annotate_many([Article(gold.id, gold.text) for gold in golds])
    calibration = fit_calibration(golds, predicted)
    single = [link.name for link in config.label_schema.links if link.choose == "any"]
    config.link_thresholds = dict.fromkeys(single, float(_THRESHOLDS[0]))
    linked = extractor.link_many(golds)
    config.link_thresholds = fit_thresholds(golds, linked, single)
    config.calibration = calibration
    save_checkpoint(folder, checkpoint.model.cpu(), checkpoint.tokenizer, checkpoint.training)


def fit_persistence(golds: Sequence[AnnotatedArticle], engine: Engine) -> dict[str, float]:
    """Choose for each label the price of ending a span that gives the best exact F1.

    A price stays only where it gains more than noise.
    """
    layers = engine.schema.layers
    texts = [engine.encode(gold.text) for gold in golds]
    logits = [
        scores.logits
        for begin in range(0, len(texts), 16)
        for scores in engine.score(texts[begin : begin + 16], layers)
    ]
    chosen: dict[str, float] = {}
    for layer in layers:
        scored = [
            (gold, text.encoding.unit_offsets(), scores[layer.name])
            for gold, text, scores in zip(golds, texts, logits, strict=True)
            if layer.name in gold.complete_layers
        ]
        for label in layer.labels:
            name = f"{layer.name}/{label}"
            results = [
                (_label_f1(scored, layer, label, {name: price}), -price) for price in _PRICES
            ]
            best, price = max(results)
            if best - results[0][0] >= _LEAST_GAIN:
                chosen[name] = -price
    return chosen


def _label_f1(
    scored: Sequence[tuple[AnnotatedArticle, tuple[Offsets, Offsets], Floats]],
    layer: Layer,
    label: str,
    persistence: dict[str, float],
) -> float:
    """Exact F1 of one label under given prices."""
    right = gold_count = predicted_count = 0
    for gold, (starts, ends), logits in scored:
        wanted = {(s.start, s.end) for s in gold.spans if (s.layer, s.label) == (layer.name, label)}
        found = {
            (int(starts[span.first]), int(ends[span.last]))
            for span in decode_layer(logits, layer, {}, persistence)
            if span.label == label
        }
        right += len(wanted & found)
        gold_count += len(wanted)
        predicted_count += len(found)
    return 2 * right / max(1, gold_count + predicted_count)


def fit_calibration(
    golds: Sequence[AnnotatedArticle], predicted: Sequence[AnnotatedArticle]
) -> dict[str, list[float]]:
    """Fit slope and intercept per ``layer/LABEL`` on raw scores."""
    samples: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for gold, guess in zip(golds, predicted, strict=True):
        right = {(span.layer, span.label, span.start, span.end) for span in gold.spans}
        for span in guess.spans:
            if span.layer in gold.complete_layers and span.score is not None:
                exact = (span.layer, span.label, span.start, span.end) in right
                samples[f"{span.layer}/{span.label}"].append((span.score, exact))
    lines = {}
    for name, rows in sorted(samples.items()):
        outcomes = np.array([exact for _, exact in rows])
        if len(rows) < _FEWEST or outcomes.all() or not outcomes.any():
            continue
        odds = np.array([[log_odds(score)] for score, _ in rows])
        fitted = LogisticRegression(C=1.0).fit(odds, outcomes)
        slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
        if slope > 0:  # else it would turn the order of scores round
            lines[name] = [round(slope, 4), round(intercept, 4)]
    return lines


def fit_thresholds(
    golds: Sequence[AnnotatedArticle], linked: Sequence[AnnotatedArticle], types: Sequence[str]
) -> dict[str, float]:
    """Choose for each link type the threshold of the best F1, given gold spans."""
    best: dict[str, float] = {}
    for kind in types:
        gold = {(a.id, x.head, x.tail) for a in golds for x in a.links if x.type == kind}
        if len(gold) < _FEWEST:
            continue
        guesses = [
            ((a.id, x.head, x.tail), x.score)
            for a in linked
            for x in a.links
            if x.type == kind and x.score is not None
        ]
        scored = []
        for threshold in _THRESHOLDS:
            kept = {key for key, score in guesses if score >= threshold}
            scored.append((2 * len(kept & gold) / max(1, len(kept) + len(gold)), threshold))
        best[kind] = round(float(max(scored)[1]), 2)
    return best


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("dev", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    try:
        calibrate_folder(options.model, options.dev)
    except ClaimxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
