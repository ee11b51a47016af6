"""Errors put into classes, with what mending each class would give."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from claimx.metrics.figures import Counts
from training.error_classes import Error


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """All errors of one layer, label and kind.

    Args:
        layer: see `training.error_classes.Error`.
        label: likewise.
        kind: likewise.
        errors: the errors, those of the highest score first.
        gains: figure -> points of F1 that mending this class alone would give.
        words: the words by which edges differ most often, with their counts.
    """

    layer: str
    label: str
    kind: str
    errors: tuple[Error, ...]
    gains: Mapping[str, float]
    words: tuple[tuple[str, int], ...]


def group(errors: Iterable[Error], totals: Mapping[str, Counts]) -> list[ErrorClass]:
    """Put errors into classes, the most frequent first."""
    classes: dict[tuple[str, str, str], list[Error]] = defaultdict(list)
    for error in errors:
        classes[error.layer, error.label, error.kind].append(error)
    made = []
    for key, members in classes.items():
        members.sort(key=lambda error: -(error.score or 0))
        words = Counter(word.lower() for error in members for word in error.words)
        made.append(
            ErrorClass(*key, tuple(members), gains(members, totals), tuple(words.most_common(6)))
        )
    return sorted(made, key=lambda one: (-len(one.errors), one.layer, one.label, one.kind))


def gains(errors: Iterable[Error], totals: Mapping[str, Counts]) -> dict[str, float]:
    """Say by how many points each figure would rise if these errors alone were mended.

    Mended, every gold item is found, and the wrong predictions are gone.
    """
    costs: dict[str, tuple[int, int]] = {}
    for error in errors:
        for name, (lost, wrong) in error.costs.items():
            before = costs.get(name, (0, 0))
            costs[name] = (before[0] + lost, before[1] + wrong)
    found = {}
    for name, (lost, wrong) in costs.items():
        now = totals[name]
        mended = now + Counts(lost, lost - wrong, lost, 0)
        found[name] = 100 * (mended.f1 - now.f1)
    return found


def to_json(classes: Iterable[ErrorClass]) -> list[dict[str, Any]]:
    """Return the classes with all their errors as plain JSON types."""
    return [
        {
            "layer": one.layer,
            "label": one.label,
            "kind": one.kind,
            "count": len(one.errors),
            "gains": dict(one.gains),
            "words": [list(pair) for pair in one.words],
            "errors": [
                {
                    "article": error.article,
                    "gold": [span.to_dict() for span in error.gold],
                    "predicted": [span.to_dict() for span in error.predicted],
                    "detail": error.detail,
                    "score": error.score,
                }
                for error in one.errors
            ],
        }
        for one in classes
    ]
