"""Pooled exact F1, counted by hand."""

from __future__ import annotations

from dataclasses import replace

from scripts.measure_forgetting import span_f1
from tests.training.small import MINE, PIER


class Answers:
    """A model that gives prepared answers."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)

    def annotate_many(self, articles):
        return self.answers


def test_labels_are_counted_apart_and_pooled():
    # PIER without its PERSON, and with one word more of CUE: of nine spans seven are right, one
    # is missing, one is wrong on both sides.
    spans = tuple(
        replace(span, end=span.end + 1) if span.label == "CUE" else span
        for span in PIER.spans
        if span.label != "PERSON"
    )
    figures = span_f1(
        Answers(replace(PIER, spans=spans)), [PIER], {"attribution", "identity", "quantity"}
    )
    assert figures["all"] == 200 * 7 / (9 + 8)
    assert figures["CUE"] == 0.0
    assert figures["PERSON"] == 0.0
    assert figures["QUOTE"] == 100.0


def test_other_layers_count_for_nothing():
    figures = span_f1(Answers(PIER, replace(MINE, spans=())), [PIER, MINE], {"identity"})
    assert set(figures) == {"AFFILIATION", "PERSON", "ROLE", "all"}
    assert figures["PERSON"] == 200 * 1 / 3
