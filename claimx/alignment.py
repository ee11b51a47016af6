"""Character spans <-> units of an encoding; whatever does not fit is counted and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from claimx.errors import AnnotationError
from claimx.types import AnnotatedSpan

Policy = Literal["strict", "snap"]


@dataclass(slots=True)
class AlignmentReport:
    """What alignment changed or lost, summed over articles."""

    spans: int = 0
    snapped: int = 0
    dropped: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        """Keep the first few cases for people to look at."""
        if len(self.examples) < 20:
            self.examples.append(message)


def align_spans(
    spans: Sequence[AnnotatedSpan],
    unit_starts: npt.NDArray[np.int64],
    unit_ends: npt.NDArray[np.int64],
    *,
    article_id: str,
    policy: Policy,
    report: AlignmentReport,
) -> dict[str, tuple[int, int]]:
    """Map spans to half-open unit ranges.

    Args:
        spans: character spans of one article.
        unit_starts: first code point of every unit, ``(units,)``.
        unit_ends: one past the last code point of every unit, ``(units,)``.
        article_id: for messages.
        policy: ``strict`` raises if an edge lies inside a unit; ``snap`` moves it outward.
        report: counts what was moved, and what had to be dropped (no unit under it, or, after
            snapping, an overlap with another span of its layer).

    Returns:
        Span id -> ``(first unit, one past the last unit)``.

    Raises:
        AnnotationError: under ``strict``, naming the first ten spans that do not fit.
    """
    aligned: dict[str, tuple[int, int]] = {}
    problems: list[str] = []
    taken: dict[str, set[int]] = {}
    for span in sorted(spans, key=lambda item: (item.start, -item.end)):
        report.spans += 1
        first = int(np.searchsorted(unit_ends, span.start, side="right"))
        last = int(np.searchsorted(unit_starts, span.end, side="left"))
        where = f"article {article_id!r}, span {span.id} [{span.start}, {span.end}) {span.text!r}"
        exact = (
            first < last and unit_starts[first] == span.start and unit_ends[last - 1] == span.end
        )
        occupied = taken.setdefault(span.layer, set())
        if first >= last or not occupied.isdisjoint(range(first, last)):
            report.dropped += 1
            report.note(f"{where}: dropped, no words of its own in layer {span.layer}")
            problems.append(f"{where} covers no words of its own")
            continue
        if not exact:
            report.snapped += 1
            report.note(f"{where}: moved to [{unit_starts[first]}, {unit_ends[last - 1]})")
            problems.append(f"{where} begins or ends inside a word")
        occupied.update(range(first, last))
        aligned[span.id] = (first, last)
    if policy == "strict" and problems:
        raise AnnotationError(
            "; ".join(problems[:10]) + ". Move the edges to word edges, or set `align: snap`."
        )
    return aligned
