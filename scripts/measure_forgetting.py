r"""Measure what fine-tuning gains and what it forgets.

Trains a config once for each seed and compares the model it starts from with the results: exact
F1 of every old label pooled (micro) on articles annotated in the old layers, and of the new
labels on articles annotated in the new ones.

    python scripts/measure_forgetting.py configs/finetune.yaml \
        --old data/annotations/test.jsonl --new data/dates/test.jsonl --seeds 17 18 19
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from statistics import mean

import yaml

from claimx.extractor import Extractor
from claimx.formats import read_articles
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article
from training.command import finish
from training.config import load_config
from training.data import load_clean
from training.train import run

Kind = tuple[str, str]


def span_f1(
    model: Extractor, golds: Sequence[AnnotatedArticle], layers: Collection[str]
) -> dict[str, float]:
    """Exact F1 in percent of each label, and pooled over all as ``all``.

    Args:
        model: the model.
        golds: annotated articles.
        layers: layers to compare in, each complete in every article.
    """
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    predicted = model.annotate_many([Article(gold.id, gold.text) for gold in golds])
    for gold, guess in zip(golds, predicted, strict=True):
        wanted, got = (_keys(article.spans, layers) for article in (gold, guess))
        for keys, counter in ((wanted & got, right), (wanted, found), (got, found)):
            for label, *_ in keys:
                counter[label] += 1
                counter["all"] += 1
    return {label: 200 * right[label] / count for label, count in sorted(found.items())}


def _keys(spans: Sequence[AnnotatedSpan], layers: Collection[str]) -> set[tuple[str, int, int]]:
    return {(span.label, span.start, span.end) for span in spans if span.layer in layers}


def _read(path: Path) -> tuple[list[AnnotatedArticle], set[str]]:
    """Read gold articles and the layers that all of them are complete in."""
    golds = [load_clean(article) for article in read_articles(path)]
    return golds, set.intersection(*(set(gold.complete_layers) for gold in golds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--old", type=Path, required=True, help="gold of the old layers")
    parser.add_argument("--new", type=Path, required=True, help="gold of the new layers")
    parser.add_argument("--seeds", type=int, nargs="+", default=[17, 18, 19])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args(arguments)
    return finish(lambda: measure(options))


def measure(options: argparse.Namespace) -> None:
    """Train and compare; prints a line for each seed."""
    changes = {key: yaml.safe_load(value) for key, value in (x.split("=", 1) for x in options.set)}
    base = load_config(options.config, changes)
    old_golds, old_layers = _read(options.old)
    new_golds, new_layers = _read(options.new)
    before = span_f1(
        Extractor.from_pretrained(base.init, backend="torch", dtype="float32"),
        old_golds,
        old_layers,
    )
    print(f"before: {_shown(before)}", flush=True)
    falls = []
    for seed in options.seeds:
        output = f"{base.output}/seed-{seed}"
        config = load_config(options.config, {**changes, "seed": seed, "output": output})
        begun = time.monotonic()
        folder = run(config, resume=False)
        minutes = (time.monotonic() - begun) / 60
        model = Extractor.from_pretrained(folder, backend="torch", dtype="float32")
        after = span_f1(model, old_golds, old_layers)
        new = span_f1(model, new_golds, new_layers)
        falls.append(before["all"] - after["all"])
        print(f"seed {seed}: {minutes:.1f} minutes; new: {_shown(new)}; old: {_shown(after)}")
        sys.stdout.flush()
    print(f"old labels fell by {mean(falls):.2f} points, mean of {len(falls)} seeds")


def _shown(figures: dict[str, float]) -> str:
    return ", ".join(f"{label} {value:.1f}" for label, value in figures.items())


if __name__ == "__main__":
    sys.exit(main())
