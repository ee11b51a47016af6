"""Measure a model on annotated articles: ``python -m training.evaluate MODEL DATA...``.

Definitions of all figures: `claimx.metrics` and docs/metrics.md. Articles that the model was
trained on (by the hash of their text) are reported apart, with a warning. With ``--baseline`` a
second model reads the same articles, and every figure gets the difference with its interval. With
``--html`` all of it becomes one page, with every error in its sentence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from claimx.errors import AnnotationError
from claimx.folder import TRAINING, read_object
from claimx.hub import find_model
from claimx.metrics.figures import RESAMPLES, Tally, compare, summarise
from claimx.metrics.scoring import Pair, QuoteKindOf, UnitName, score, span_calibration
from claimx.render import write_whole
from claimx.text import counted
from claimx.types import AnnotatedArticle, Article
from training import report as reports
from training.changes import Comparison, compare_sentences
from training.command import finish
from training.error_classes import classify_all
from training.errors import ErrorClass, group, to_json

_CHUNK = 16
_ATTRIBUTION = "attribution"


class Annotator(Protocol):
    """What is asked of a model; `claimx.Extractor` has it."""

    @property
    def training_fingerprints(self) -> frozenset[str]:
        """SHA-256 of every text that the model was trained on."""

    def annotate_many(self, articles: Sequence[Article]) -> list[AnnotatedArticle]:
        """Return the predicted spans, links and attributes of each article."""

    def link_many(self, golds: Sequence[AnnotatedArticle]) -> list[AnnotatedArticle]:
        """Return the articles with their spans kept and the predicted links between them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model read annotated articles.

    Args:
        pairs: gold and prediction of each article.
        tallies: what was counted, article by article.
        classes: the errors by class, the most frequent first.
    """

    pairs: Sequence[Pair]
    tallies: Sequence[Tally]
    classes: Sequence[ErrorClass]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report and what it rests on.

    Args:
        report: plain JSON types throughout.
        reading: of the articles that no model was trained on.
        baseline: the other model's reading of them, if there is one.
        changes: what differs between the two, if there are two.
    """

    report: dict[str, Any]
    reading: Reading
    baseline: Reading | None = None
    changes: Comparison | None = None


def read_gold(
    paths: Sequence[Path], *, attribution_layers: Sequence[str] = (), limit: int | None = None
) -> list[AnnotatedArticle]:
    """Read annotated files; an article that stands in several becomes one with all its layers.

    Args:
        paths: native JSONL, ``.jsonl`` or ``.jsonl.gz``.
        attribution_layers: of the layers of attribution, score these alone; empty for all.
        limit: read at most so many articles.

    Raises:
        AnnotationError: if a file breaks a rule, or there is nothing to score.
    """
    from training.config import Corpus
    from training.data import load_articles

    golds = [item.article for item in load_articles([Corpus(path=str(path)) for path in paths])]
    if attribution_layers:
        golds = [_only(gold, attribution_layers) for gold in golds]
    golds = [gold for gold in golds if gold.complete_layers]
    if not golds:
        wanted = f" in {', '.join(attribution_layers)}" if attribution_layers else ""
        raise AnnotationError(
            f"nothing to score in {', '.join(map(str, paths))}: no article names a completely "
            f"annotated layer{wanted} in complete_layers"
        )
    return golds[:limit]


def _only(gold: AnnotatedArticle, attribution_layers: Sequence[str]) -> AnnotatedArticle:
    layers = (
        name
        for name in gold.complete_layers
        if name in attribution_layers or not name.startswith(_ATTRIBUTION)
    )
    return replace(gold, complete_layers=tuple(layers))


def evaluate(
    model: Annotator,
    golds: Sequence[AnnotatedArticle],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    quote_kind: QuoteKindOf | None = None,
    canonical_unit: UnitName | None = None,
    baseline: Annotator | None = None,
) -> Evaluation:
    """Run a model over gold articles and measure it.

    Args:
        model: the model.
        golds: articles with their gold annotation.
        resamples: draws of the bootstrap.
        seed: seed of the bootstrap.
        quote_kind: passed on to `claimx.metrics.score`.
        canonical_unit: likewise.
        baseline: another model; its figures and the differences stand under ``differences``.

    Returns:
        The figures of the articles that the model (and the baseline, if there is one) has not
        seen; those of the others are under ``seen_in_training``, None if there are none.
    """
    score_options: dict[str, Any] = {"quote_kind": quote_kind, "canonical_unit": canonical_unit}
    draws = {"resamples": resamples, "seed": seed}
    models = [model, *([baseline] if baseline else [])]
    unseen, seen = split_seen(golds, *models)
    reading = _read(model, unseen, score_options)
    other = _read(baseline, unseen, score_options) if baseline else None
    changes = _changes(reading, other) if other else None
    report = {
        **draws,
        **_figures(reading, draws),
        "errors": to_json(reading.classes),
        "differences": other
        and reports.nested_differences(compare(reading.tallies, other.tallies, **draws)),
        "sentences": changes and changes.to_dict(),
        "baseline_calibration": other and _calibration(other),
        "seen_in_training": _figures(_read(model, seen, score_options), draws) if seen else None,
    }
    return Evaluation(report, reading, other, changes)


def split_seen(
    golds: Sequence[AnnotatedArticle], *models: Annotator
) -> tuple[list[AnnotatedArticle], list[AnnotatedArticle]]:
    """Part the articles that no model was trained on from those that one of them was."""
    from training.data import text_fingerprint

    known = frozenset().union(*(model.training_fingerprints for model in models))
    groups: tuple[list[AnnotatedArticle], list[AnnotatedArticle]] = ([], [])
    for gold in golds:
        groups[text_fingerprint(gold.text) in known].append(gold)
    return groups


def fitted_on(name: str, golds: Sequence[AnnotatedArticle]) -> list[str]:
    """Return the ids of the articles that a model's scores and thresholds were fitted on.

    Args:
        name: a model, folder or name.
        golds: articles of an evaluation.
    """
    from training.data import DEV_FINGERPRINTS, text_fingerprint

    path = find_model(name) / TRAINING
    known = read_object(path).get(DEV_FINGERPRINTS, []) if path.is_file() else []
    return [gold.id for gold in golds if text_fingerprint(gold.text) in known]


def _run_model(
    model: Annotator, golds: Sequence[AnnotatedArticle]
) -> tuple[list[Pair], list[Pair]]:
    """Pair gold articles with the model's spans, and with its links between the gold spans."""
    pairs: list[Pair] = []
    given: list[Pair] = []
    for start in range(0, len(golds), _CHUNK):
        chunk = golds[start : start + _CHUNK]
        plain = [Article(gold.id, gold.text) for gold in chunk]
        pairs += zip(chunk, model.annotate_many(plain), strict=True)
        given += zip(chunk, model.link_many(chunk), strict=True)
        _show_progress(start + len(chunk), len(golds))
    return pairs, given


def _read(
    model: Annotator, golds: Sequence[AnnotatedArticle], score_options: Mapping[str, Any]
) -> Reading:
    from claimx.quantities import canonical_unit

    pairs, given = _run_model(model, golds)
    errors, totals = classify_all(pairs, score_options["canonical_unit"] or canonical_unit)
    return Reading(pairs, score(pairs, given, **score_options), group(errors, totals))


def _figures(reading: Reading, draws: Mapping[str, int]) -> dict[str, Any]:
    from training.spans_metric import exact_span_f1

    return {
        "articles": [gold.id for gold, _ in reading.pairs],
        "figures": reports.nested(summarise(reading.tallies, **draws)),
        "exact_spans": exact_span_f1(reading.pairs) if reading.pairs else None,
        "calibration": _calibration(reading),
        "word_confusion": reports.confusion(reading.pairs),
    }


def _calibration(reading: Reading) -> dict[str, Any]:
    return reports.nested_calibration(span_calibration(reading.pairs))


def _changes(reading: Reading, baseline: Reading) -> Comparison:
    ours, theirs = (
        [error for one in each.classes for error in one.errors] for each in (reading, baseline)
    )
    return compare_sentences({gold.id: gold.text for gold, _ in reading.pairs}, ours, theirs)


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} articles", end=end, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("model", help="model folder, or claimx-en for the packaged model")
    parser.add_argument("data", nargs="+", type=Path, help="annotated .jsonl or .jsonl.gz files")
    parser.add_argument("--baseline", metavar="MODEL", help="an older model to compare with")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report here")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write it here as a page to be read"
    )
    parser.add_argument(
        "--attribution-layer",
        action="append",
        default=[],
        metavar="NAME",
        help="score only this layer of attribution; may be given several times (default: all)",
    )
    parser.add_argument("--backend", default="torch", help="torch (default), openvino")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda ...")
    parser.add_argument("--dtype", default="float32", help="float32 (default), bfloat16 ...")
    parser.add_argument("--limit", type=int, metavar="N", help="score the first N articles alone")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    golds = read_gold(
        arguments.data, attribution_layers=arguments.attribution_layer, limit=arguments.limit
    )
    from claimx.extractor import Extractor

    model, baseline = (
        Extractor.from_pretrained(
            name,
            backend=arguments.backend,
            device=arguments.device,
            dtype=arguments.dtype,
        )
        if name
        else None
        for name in (arguments.model, arguments.baseline)
    )
    assert model is not None
    evaluation = evaluate(
        model, golds, resamples=arguments.resamples, seed=arguments.seed, baseline=baseline
    )
    report = {
        "model": arguments.model,
        "name": model.model_name,
        "baseline": arguments.baseline,
        "baseline_name": baseline and baseline.model_name,
        "data": [str(path) for path in arguments.data],
        "backend": arguments.backend,
        "device": arguments.device,
        "dtype": arguments.dtype,
        "fitted_on": fitted_on(arguments.model, golds),
        **evaluation.report,
    }
    publish(report, arguments.json)
    if arguments.html:
        from training.page.document import page

        write_whole(arguments.html, page(replace(evaluation, report=report)))


def publish(report: Mapping[str, Any], path: Path | None = None) -> None:
    """Print a report's tables to stdout and its warning to stderr; write it to ``path`` as JSON."""
    print(f"{counted(len(report['articles']), 'article')} that the model was not trained on\n")
    reports.print_tables(reports.tables(report), sys.stdout)
    if fitted := report.get("fitted_on"):
        print(
            f"warning: scores and thresholds of the model were fitted on {len(fitted)} of these "
            "articles (its `dev`), which flatters it a little",
            file=sys.stderr,
        )
    seen = report["seen_in_training"]
    if seen:
        print(
            f"warning: the model was trained on {len(seen['articles'])} of these articles; "
            "they are reported apart",
            file=sys.stderr,
        )
        print(f"{counted(len(seen['articles']), 'article')} THAT THE MODEL WAS TRAINED ON\n")
        reports.print_tables(reports.tables(seen), sys.stdout)
    if path is not None:
        path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    return finish(lambda: _run(arguments))


if __name__ == "__main__":
    sys.exit(main())
