"""Exact span F1 as an `evaluate` metric, made from the class, not from a script found by name.

Import this module only where it is used: `evaluate` takes seconds to load. Two traps are closed
here: `evaluate.load("name")` would run a script of that name from the working directory, and
without a cache folder of its own a metric fails where the home folder cannot be written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

import datasets
import evaluate

from claimx.metrics.figures import Counts
from claimx.metrics.scoring import Pair

_DESCRIPTION = "Exact F1 of labelled spans, with no tolerance; one row is one article."
_SPAN = {
    "layer": datasets.Value("string"),
    "label": datasets.Value("string"),
    "start": datasets.Value("int64"),
    "end": datasets.Value("int64"),
}

SpanRow = dict[str, Any]


class ClaimxSpans(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """Exact precision, recall and F1 of labelled spans over all articles added.

    ``predictions`` and ``references`` hold one list of spans an article, each span a dict with
    ``layer``, ``label``, ``start`` and ``end``.
    """

    def _info(self) -> evaluate.MetricInfo:
        # Not Sequence, which turns a list of records into a record of lists.
        spans = datasets.List(_SPAN)
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=self.__doc__ or "",
            features=datasets.Features({"predictions": spans, "references": spans}),
        )

    def _compute(
        self, predictions: Sequence[Any], references: Sequence[Any]
    ) -> dict[str, float | int]:
        counts = Counts()
        for predicted, gold in zip(predictions, references, strict=True):
            found, wanted = _identities(predicted), _identities(gold)
            counts += Counts.paired(len(found & wanted), len(found), len(wanted))
        return {
            "precision": counts.precision,
            "recall": counts.recall,
            "f1": counts.f1,
            "predicted": counts.predicted,
            "gold": counts.gold,
        }


def _identities(spans: Sequence[SpanRow]) -> set[tuple[Any, ...]]:
    return {tuple(span[name] for name in _SPAN) for span in spans}


def exact_span_f1(pairs: Iterable[Pair]) -> dict[str, float | int]:
    """Compute exact span F1 over the completely annotated layers through `ClaimxSpans`.

    Args:
        pairs: gold and predicted articles.

    Returns:
        ``precision``, ``recall``, ``f1``, ``predicted`` and ``gold``.
    """
    predictions: list[list[SpanRow]] = []
    references: list[list[SpanRow]] = []
    for gold, predicted in pairs:
        layers = set(gold.complete_layers)
        for article, rows in ((predicted, predictions), (gold, references)):
            rows.append(
                [
                    {name: getattr(span, name) for name in _SPAN}
                    for span in article.spans
                    if span.layer in layers
                ]
            )
    with tempfile.TemporaryDirectory() as folder:
        metric = ClaimxSpans(cache_dir=folder, keep_in_memory=True)
        result: dict[str, float | int] = metric.compute(
            predictions=predictions, references=references
        )
    return result
