"""Character spans to units: what fits, what is moved, what is dropped and said."""

from __future__ import annotations

import numpy as np
import pytest

from claimx.alignment import AlignmentReport, align_spans
from claimx.errors import AnnotationError
from claimx.types import AnnotatedSpan

TEXT = "In theNew York office, Ana Ruiz said no."
UNITS = [
    (start, start + len(word))
    for word, start in (
        ("In", 0), ("theNew", 3), ("York", 10), ("office", 15), (",", 21), ("Ana", 23),
        ("Ruiz", 27), ("said", 32), ("no", 37), (".", 39),
    )
]  # fmt: skip


def span(span_id: str, start: int, end: int, layer: str = "identity") -> AnnotatedSpan:
    return AnnotatedSpan(span_id, layer, "PERSON", start, end, TEXT[start:end])


def align(*spans: AnnotatedSpan, policy: str = "snap"):
    starts, ends = (np.array(column) for column in zip(*UNITS, strict=True))
    report = AlignmentReport()
    units = align_spans(spans, starts, ends, article_id="a7", policy=policy, report=report)
    return units, report


@pytest.mark.parametrize("policy", ["strict", "snap"])
def test_a_span_at_word_edges_keeps_its_units(policy):
    units, report = align(span("p", 23, 31), policy=policy)
    assert units == {"p": (5, 7)}
    assert (report.spans, report.snapped, report.dropped, report.examples) == (1, 0, 0, [])


def test_snapping_moves_an_edge_outward_and_counts_it():
    units, report = align(span("p", 6, 14))
    assert units == {"p": (1, 3)}
    assert (report.spans, report.snapped, report.dropped) == (1, 1, 0)
    assert "'a7'" in report.examples[0]
    assert "[3, 14)" in report.examples[0]


def test_strict_names_every_span_that_does_not_fit():
    with pytest.raises(AnnotationError) as raised:
        align(span("p1", 6, 14), span("p2", 23, 31), span("p3", 33, 36), policy="strict")
    message = str(raised.value)
    assert "'a7'" in message
    assert "p1 [6, 14) 'New York'" in message
    assert "p3 [33, 36) 'aid'" in message
    assert "p2" not in message


def test_a_span_without_a_unit_is_dropped_and_counted():
    units, report = align(span("p", 2, 3))
    assert units == {}
    assert (report.snapped, report.dropped) == (0, 1)


def test_of_two_spans_that_snap_onto_one_unit_the_first_is_kept():
    units, report = align(span("late", 6, 14), span("early", 3, 6))
    assert units == {"early": (1, 2)}
    assert (report.spans, report.snapped, report.dropped) == (2, 1, 1)


def test_spans_of_other_layers_may_share_units():
    units, report = align(span("p", 23, 31), span("s", 23, 31, "attribution"))
    assert units == {"p": (5, 7), "s": (5, 7)}
    assert report.dropped == 0


def test_a_dropped_span_stops_a_strict_corpus():
    with pytest.raises(AnnotationError, match="covers no words of its own"):
        align(span("p", 2, 3), policy="strict")


def test_every_span_is_counted_and_the_first_twenty_are_kept_to_look_at():
    gaps, edges = [span(f"g{n}", 2, 3) for n in range(25)], [span("p", 6, 14), span("s", 33, 36)]
    units, report = align(*gaps, *edges)
    assert units == {"p": (1, 3), "s": (7, 8)}
    assert (report.spans, report.snapped, report.dropped) == (27, 2, 25)
    assert len(report.examples) == 20
    assert "g0 [2, 3)" in report.examples[0]
    assert "dropped, no words of its own in layer identity" in report.examples[0]


def test_of_two_spans_that_begin_together_the_longer_is_kept():
    units, report = align(span("short", 23, 26), span("long", 23, 31))
    assert units == {"long": (5, 7)}
    assert report.dropped == 1


def test_strict_names_the_first_ten_spans_and_says_what_to_do():
    with pytest.raises(AnnotationError) as raised:
        align(*(span(f"p{n}.", 2, 3) for n in range(11)), policy="strict")
    message = str(raised.value)
    assert message.count("covers no words of its own; article 'a7'") == 9
    assert "p9." in message
    assert "p10." not in message
    assert message.endswith(" own. Move the edges to word edges, or set `align: snap`.")
