"""Errors by class, on articles whose errors are known by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.metrics.figures import Counts
from claimx.metrics.scoring import score
from claimx.types import AnnotatedArticle, AnnotatedSpan
from tests.annotating import annotate, kind_by_first_mark
from training.error_classes import Error, classify, classify_all
from training.errors import gains, group

SENTENCE = "Mara Lind said on Monday the bridge was safe and Tove Aas said it was not."


def same_name(name: str | None) -> str | None:
    return name


def found(gold: AnnotatedArticle, predicted: AnnotatedArticle) -> list[tuple[str, str]]:
    return [(error.label, error.kind) for error in classify(gold, predicted, same_name)[0]]


def quotes(*surfaces: str) -> AnnotatedArticle:
    return annotate(SENTENCE, [(f"q{at}", "QUOTE", text) for at, text in enumerate(surfaces)])


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        (["the bridge was safe"], [], "missed"),
        ([], ["the bridge was safe"], "spurious"),
        (["the bridge was safe"], ["bridge was safe"], "starts too late"),
        (["the bridge was safe"], ["Monday the bridge was safe"], "starts too early"),
        (["the bridge was safe"], ["the bridge"], "ends too early"),
        (["the bridge"], ["the bridge was safe"], "ends too late"),
        (["the bridge"], ["Monday the bridge was"], "starts too early and ends too late"),
        (["the bridge was safe"], ["the bridge", "safe"], "split"),
        (["the bridge", "safe"], ["the bridge was safe"], "joined"),
        (["Monday the bridge", "was safe"], ["Monday", "the bridge was", "safe"], "split anew"),
    ],
)
def test_spans_that_touch_are_one_error_of_one_kind(gold, predicted, kind):
    assert found(quotes(*gold), quotes(*predicted)) == [("QUOTE", kind)]


def test_equal_spans_are_no_error():
    assert found(quotes("the bridge", "safe"), quotes("the bridge", "safe")) == []


def test_a_wrong_boundary_says_which_words_and_how_many():
    [error] = classify(
        quotes("the bridge was safe"), quotes("on Monday the bridge was"), same_name
    )[0]

    assert error.words == ("on", "Monday", "safe")
    assert error.detail == (
        "starts too early by 2 words: on Monday; ends too early by 1 word: safe"
    )


def test_a_span_under_another_label_costs_both_labels():
    gold = annotate(SENTENCE, [("g", "SPEAKER", "Mara Lind")])
    predicted = annotate(SENTENCE, [("p", "CUE", "Mara Lind said", 0, {}, 0.7)])

    [error] = classify(gold, predicted, same_name)[0]

    assert (error.label, error.kind, error.score) == ("SPEAKER", "labelled CUE", 0.7)
    assert error.costs == {"attribution.SPEAKER": (1, 0), "attribution.CUE": (0, 1)}


SPANS = [
    ("q1", "QUOTE", "the bridge was safe"),
    ("s1", "SPEAKER", "Mara Lind"),
    ("q2", "QUOTE", "it was not"),
    ("s2", "SPEAKER", "Tove Aas"),
]
SAID_BY = [("said_by", "q1", "s1"), ("said_by", "q2", "s2")]


@pytest.mark.parametrize(
    ("links", "kinds"),
    [
        (SAID_BY, []),
        (SAID_BY[:1], ["missing"]),
        ([SAID_BY[0], ("said_by", "q2", "s1")], ["wrong"]),
        ([*SAID_BY, ("said_by", "q2", "s1")], ["spurious"]),
    ],
)
def test_speakers_are_missing_wrong_or_spurious(links, kinds):
    gold, predicted = annotate(SENTENCE, SPANS, SAID_BY), annotate(SENTENCE, SPANS, links)

    assert found(gold, predicted) == [("said_by", kind) for kind in kinds]


def test_a_link_whose_end_was_missed_says_so():
    gold = annotate(SENTENCE, SPANS, SAID_BY)
    no_speaker = annotate(SENTENCE, SPANS[:3], SAID_BY[:1])
    no_quote = annotate(SENTENCE, [*SPANS[:2], SPANS[3]], SAID_BY[:1])

    assert ("said_by", "missing, right tail not found") in found(gold, no_speaker)
    assert ("said_by", "missing, its head was missed") in found(gold, no_quote)


def test_a_person_is_right_by_any_mention():
    text = "Mara Lind came. Lind left. She said no."
    spans = [
        ("p1", "PERSON", "Mara Lind"),
        ("p2", "PERSON", "Lind", 1),
        ("s", "SPEAKER", "She"),
    ]
    gold = annotate(text, spans, [("refers_to", "s", "p1")])

    assert found(gold, annotate(text, spans, [("refers_to", "s", "p2")])) == []


def test_a_normal_form_says_what_stands_in_the_place_of_what():
    gold = annotate("Some 40 tonnes.", [("v", "QUANTITY", "40 tonnes", 0,
                                         {"value": 40, "unit": "tonne"})])  # fmt: skip
    wrong = annotate("Some 40 tonnes.", [("v", "QUANTITY", "40 tonnes", 0,
                                          {"value": 4, "unit": None})])  # fmt: skip
    unread = annotate("Some 40 tonnes.", [("v", "QUANTITY", "40 tonnes", 0, {"unit": "tonne"})])

    errors, totals = classify(gold, wrong, same_name)

    assert [(error.kind, error.detail) for error in errors] == [
        ("value wrong", "value 4 instead of value 40"),
        ("unit wrong", "null instead of tonne"),
    ]
    assert totals["normal form.value"] == Counts.share(0, 1)
    assert found(gold, unread) == [("normal form", "value not read")]


TEXT = "a b c d e f g h i j k l m n o p"


@st.composite
def layer(draw: st.DrawFn) -> AnnotatedArticle:
    edges = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=8)))
    spans = tuple(
        AnnotatedSpan(f"t{start}", "attribution", label, start, end, TEXT[start:end])
        for start, end in pairwise(edges)
        if (label := draw(st.sampled_from(["QUOTE", "CUE", ""])))
    )
    return AnnotatedArticle("a", TEXT, spans, (), ("attribution",))


@given(layer(), layer())
def test_every_loss_is_in_one_class_and_mending_all_makes_a_label_perfect(gold, predicted):
    errors, totals = classify(gold, predicted, same_name)

    [tally] = score([(gold, predicted)], quote_kind=kind_by_first_mark)
    for name, counts in totals.items():
        assert counts == tally["spans", *name.split("."), "exact"]
        lost, wrong = (sum(e.costs.get(name, (0, 0))[side] for e in errors) for side in (0, 1))
        assert (lost, wrong) == (
            counts.gold - counts.gold_right,
            counts.predicted - counts.predicted_right,
        )
    for name, points in gains(errors, totals).items():
        assert points == pytest.approx(100 * (bool(totals[name].gold) - totals[name].f1))


def test_mending_a_class_gains_what_it_costs_on_both_sides():
    # Of 4 gold and 4 predicted quotes 2 are right; one is missed, one spurious, one has an edge.
    totals = {"attribution.QUOTE": Counts.paired(2, 4, 4)}

    def error(kind: str, lost: int, wrong: int) -> Error:
        costs = {"attribution.QUOTE": (lost, wrong)}
        return Error("a", "attribution", "QUOTE", kind, (), (), "", (), costs)

    def points(one: Error) -> float:
        return gains([one], totals)["attribution.QUOTE"]

    assert points(error("missed", 1, 0)) == pytest.approx(100 * (2 * 3 / 9 - 0.5))
    assert points(error("spurious", 0, 1)) == pytest.approx(100 * (2 * 2 / 7 - 0.5))
    assert points(error("ends too late", 1, 1)) == pytest.approx(100 * (0.75 - 0.5))


def test_classes_stand_by_frequency_with_the_words_at_their_edges():
    pairs = [
        (quotes("the bridge was safe"), quotes("on Monday the bridge was safe")),
        (quotes("the bridge was safe"), quotes("Monday the bridge was safe")),
        (quotes("the bridge was safe"), quotes()),
    ]

    first, second = group(*classify_all(pairs, same_name))

    assert (first.kind, len(first.errors)) == ("starts too early", 2)
    assert first.words[0] == ("monday", 2)
    assert second.kind == "missed"
