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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from claimx.annotating import Scored, annotate_all, link_given
from claimx.checkpoint import copy_checkpoint, load_checkpoint
from claimx.decoding import Floats, decode_layer, log_odds
from claimx.engine import EncodedText, Engine, UnitScores
from claimx.labels import LabelSchema, Layer
from claimx.linking import resolve_people
from claimx.torch_backend import torch_engine
from claimx.types import AnnotatedArticle, Article
from training.command import finish
from training.config import Corpus
from training.data import DEV_FINGERPRINTS, load_articles, text_fingerprint

# Fewer predictions than this say nothing about a label.
_FEWEST = 30
_THRESHOLDS = np.arange(0.2, 0.81, 0.05)
_PRICES = (0.0, 0.5, 1.0, 1.5, 2.0)
_LEAST_GAIN = 0.004
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """A gold article with what the model says of its text."""

    gold: AnnotatedArticle
    text: EncodedText
    scores: UnitScores


def calibrate_folder(folder: Path, dev: Sequence[Corpus], dtype: str = "float32") -> None:
    """Fit calibration and thresholds on dev files and write them into a model folder.

    What the files say too little about keeps what it had: labels with few predictions their line,
    layers that no file annotates their prices.

    Args:
        folder: a model folder; rewritten with the same weights.
        dev: annotated articles that the model was not trained on.
        dtype: precision in which the files are read.
    """
    checkpoint = load_checkpoint(folder)
    engine = torch_engine(checkpoint, dtype=dtype)
    config = checkpoint.model.config
    before = (config.calibration, config.persistence, config.link_thresholds)
    golds = [item.article for item in load_articles(dev)]
    readings = read(engine, golds)
    covered = {name for gold in golds for name in gold.complete_layers}
    single = [link.name for link in config.label_schema.links if link.choose == "any"]
    # Each part is fitted on what the parts before it leave: prices, then scores, then links.
    config.calibration = {}
    config.persistence = fit_persistence(readings, engine.schema)
    config.calibration = fit_calibration(golds, predict(engine, readings))
    config.link_thresholds = dict.fromkeys(single, float(_THRESHOLDS[0]))
    linked = [
        resolve_people(link_given(engine, one.gold, one.text, one.scores)) for one in readings
    ]
    config.link_thresholds = before[2] | fit_thresholds(golds, linked, single)
    config.calibration = before[0] | config.calibration
    config.persistence = {
        name: price for name, price in before[1].items() if name.split("/")[0] not in covered
    } | config.persistence
    hashes = sorted({text_fingerprint(gold.text) for gold in golds})
    told = {**checkpoint.training, DEV_FINGERPRINTS: hashes}
    copy_checkpoint(folder, folder, replace(checkpoint, training=told))


def read(engine: Engine, golds: Sequence[AnnotatedArticle]) -> list[Reading]:
    """Run the model over all texts, once."""
    texts = [engine.encode(gold.text) for gold in golds]
    scores = [
        score
        for begin in range(0, len(texts), 16)
        for score in engine.score(texts[begin : begin + 16], engine.schema.layers)
    ]
    return [Reading(*entry) for entry in zip(golds, texts, scores, strict=True)]


def predict(engine: Engine, readings: Sequence[Reading]) -> list[AnnotatedArticle]:
    """Decode spans and links under the engine's present config."""
    scored = [Scored(Article(one.gold.id, one.gold.text), one.text, one.scores) for one in readings]
    return annotate_all(engine, scored, engine.schema.layers)


def fit_persistence(readings: Sequence[Reading], schema: LabelSchema) -> dict[str, float]:
    """Choose for each label the price of ending a span that gives the best exact F1.

    A price stays only where it gains more than noise.
    """
    chosen: dict[str, float] = {}
    for layer in schema.layers:
        scored = [
            (one.gold, one.text.encoding.unit_offsets(), one.scores.logits[layer.name])
            for one in readings
            if layer.name in one.gold.complete_layers
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
    decoded = decode_layer([logits for _, _, logits in scored], layer, {}, persistence)
    for (gold, (starts, ends), _), spans in zip(scored, decoded, strict=True):
        wanted = {(s.start, s.end) for s in gold.spans if (s.layer, s.label) == (layer.name, label)}
        found = {
            (int(starts[span.first]), int(ends[span.last])) for span in spans if span.label == label
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
    parser.add_argument("dev", nargs="+", help="annotated files")
    parser.add_argument("--dtype", default="float32", help="float32 (default), bfloat16 ...")
    options = parser.parse_args(arguments)
    dev = [Corpus(name) for name in options.dev]
    return finish(lambda: calibrate_folder(options.model, dev, options.dtype))


if __name__ == "__main__":
    sys.exit(main())
