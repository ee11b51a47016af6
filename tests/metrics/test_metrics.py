"""Spans, links, quotes and quantities against articles whose figures are known by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from claimx.metrics.figures import Counts
from claimx.metrics.scoring import score, span_calibration
from claimx.types import AnnotatedArticle
from tests.annotating import annotate, count, kind_by_first_mark

# ---- spans ---------------------------------------------------------------------------

SENTENCE = "Mara Lind said the bridge was safe and Tove Aas said it was not."


def test_exact_and_overlap_are_counted_apart():
    gold = annotate(SENTENCE, [("g1", "QUOTE", "the bridge was safe"), ("g2", "CUE", "said")])
    predicted = annotate(SENTENCE, [("p1", "QUOTE", "bridge was safe"), ("p2", "CUE", "said")])

    tally = count(gold, predicted)

    assert tally["spans", "attribution", "QUOTE", "exact"] == Counts.paired(0, 1, 1)
    assert tally["spans", "attribution", "QUOTE", "overlap"] == Counts.paired(1, 1, 1)
    assert tally["spans", "attribution", "all", "exact"] == Counts.paired(1, 2, 2)


def test_two_pieces_of_one_gold_span_are_one_hit_and_one_false_alarm():
    gold = annotate(SENTENCE, [("g1", "QUOTE", "the bridge was safe")])
    predicted = annotate(SENTENCE, [("p1", "QUOTE", "the bridge"), ("p2", "QUOTE", "safe")])

    assert count(gold, predicted)["spans", "attribution", "QUOTE", "overlap"] == Counts.paired(
        1, 2, 1
    )


def test_the_same_place_under_another_label_or_layer_is_wrong():
    gold = annotate(SENTENCE, [("g1", "SPEAKER", "Mara Lind")])
    predicted = annotate(SENTENCE, [("p1", "CUE", "Mara Lind"), ("p2", "PERSON", "Mara Lind")])

    tally = count(gold, predicted)

    assert tally["spans", "attribution", "SPEAKER", "overlap"] == Counts.paired(0, 0, 1)
    assert tally["spans", "attribution", "CUE", "overlap"] == Counts.paired(0, 1, 0)
    assert tally["spans", "identity", "PERSON", "overlap"] == Counts.paired(0, 1, 0)


def test_layers_that_are_not_completely_annotated_are_not_scored():
    gold = annotate(SENTENCE, [("g1", "CUE", "said")], complete=["attribution"])
    predicted = annotate(SENTENCE, [("p1", "CUE", "said"), ("p2", "PERSON", "Mara Lind")])

    assert {key[1] for key in count(gold, predicted)} == {"attribution"}


def test_a_prediction_over_another_text_is_refused():
    gold = annotate(SENTENCE, [])
    with pytest.raises(ValueError, match="'a': the predicted text"):
        count(gold, replace(gold, text=SENTENCE + " "))


# ---- links ---------------------------------------------------------------------------

TWO_QUOTES = [
    ("q1", "QUOTE", "the bridge was safe"),
    ("s1", "SPEAKER", "Mara Lind"),
    ("q2", "QUOTE", "it was not"),
    ("s2", "SPEAKER", "Tove Aas"),
]
SAID_BY = [("said_by", "q1", "s1"), ("said_by", "q2", "s2")]


def test_links_given_gold_spans_compare_types_and_ends():
    gold = annotate(SENTENCE, TWO_QUOTES, SAID_BY)
    linked = annotate(SENTENCE, TWO_QUOTES, [SAID_BY[0], ("said_by", "q2", "s1")])

    tally = count(gold, gold, linked)

    assert tally["links_given_gold", "said_by", "attribution"] == Counts.paired(1, 2, 2)
    assert tally["links_given_gold", "said_by", "all"] == Counts.paired(1, 2, 2)


def test_links_end_to_end_need_both_ends_right():
    gold = annotate(SENTENCE, TWO_QUOTES, SAID_BY)
    predicted = annotate(
        SENTENCE,
        [
            ("1", "QUOTE", "the bridge was safe"),
            ("2", "SPEAKER", "Mara Lind"),
            ("3", "QUOTE", "was not"),
            ("4", "SPEAKER", "Tove Aas"),
        ],
        [("said_by", "1", "2"), ("said_by", "3", "4")],
    )

    tally = count(gold, predicted)

    assert tally["links_exact", "said_by", "attribution"] == Counts.paired(1, 2, 2)
    assert tally["links_overlap", "said_by", "attribution"] == Counts.paired(2, 2, 2)


def test_links_between_layers_that_gold_never_links_are_not_counted_as_false():
    spans = [
        ("s1", "SPEAKER", "Mara Lind"),
        ("b1", "broad/SPEAKER", "Mara Lind"),
        ("p1", "PERSON", "Mara Lind"),
    ]
    complete = ["attribution", "broad", "identity"]
    gold = annotate(SENTENCE, spans, [("refers_to", "s1", "p1")], complete)
    linked = annotate(SENTENCE, spans, [("refers_to", "s1", "p1"), ("refers_to", "b1", "p1")])

    tally = count(gold, gold, linked)

    assert tally["links_given_gold", "refers_to", "all"] == Counts.paired(1, 1, 1)


NAMES = "Mara Lind spoke. Lind left. Lind came back."
THREE_MENTIONS = [
    ("p1", "PERSON", "Mara Lind"),
    ("p2", "PERSON", "Lind", 1),
    ("p3", "PERSON", "Lind", 2),
]


def test_same_person_is_read_as_pairs_within_a_cluster_in_either_direction():
    gold = annotate(
        NAMES, THREE_MENTIONS, [("same_person", "p2", "p1"), ("same_person", "p3", "p1")]
    )
    chain = annotate(
        NAMES, THREE_MENTIONS, [("same_person", "p1", "p2"), ("same_person", "p2", "p3")]
    )
    part = annotate(NAMES, THREE_MENTIONS, [("same_person", "p3", "p2")])

    key = "links_given_gold", "same_person", "identity"
    assert count(gold, gold, chain)[key] == Counts.paired(3, 3, 3)
    assert count(gold, gold, part)[key] == Counts.paired(1, 1, 3)


def test_same_person_is_not_scored_where_an_article_does_not_annotate_it():
    link = [("same_person", "p2", "p1")]
    plain, linked = annotate(NAMES, THREE_MENTIONS), annotate(NAMES, THREE_MENTIONS, link)

    [annotated, silent] = score(
        [(linked, linked), (plain, linked)],
        quote_kind=kind_by_first_mark,
        canonical_unit=lambda name: name,
    )

    key = "links_exact", "same_person", "identity"
    assert annotated[key] == Counts.paired(1, 1, 1)
    assert key not in silent


# ---- quotes --------------------------------------------------------------------------

JOINT = "Mara Lind and Tove Aas said the pier would close; it will reopen, the board said."


def test_either_of_two_gold_speakers_is_right():
    spans = [
        ("q", "QUOTE", "the pier would close"),
        ("s1", "SPEAKER", "Mara Lind"),
        ("s2", "SPEAKER", "Tove Aas"),
    ]
    gold = annotate(JOINT, spans, [("said_by", "q", "s1"), ("said_by", "q", "s2")])

    for speaker in ("s1", "s2"):
        predicted = annotate(JOINT, spans, [("said_by", "q", speaker)])
        assert count(gold, predicted)["quote_speaker", "attribution", "overlap"] == Counts.paired(
            1, 1, 1
        )


def test_of_two_predicted_speakers_the_first_in_the_text_counts():
    spans = [
        ("q", "QUOTE", "the pier would close"),
        ("s1", "SPEAKER", "Mara Lind"),
        ("s2", "SPEAKER", "Tove Aas"),
    ]
    gold = annotate(JOINT, spans, [("said_by", "q", "s2")])
    predicted = annotate(JOINT, spans, [("said_by", "q", "s2"), ("said_by", "q", "s1")])

    assert count(gold, predicted)["quote_speaker", "attribution", "overlap"] == Counts.paired(
        0, 1, 1
    )


def test_a_speaker_where_gold_has_none_is_a_false_positive():
    spans = [("q", "QUOTE", "it will reopen"), ("s", "SPEAKER", "the board")]
    predicted = annotate(JOINT, spans, [("said_by", "q", "s")])

    tally = count(annotate(JOINT, spans), predicted)

    assert tally["quote_speaker", "attribution", "overlap"] == Counts.paired(0, 1, 0)


def test_a_speaker_must_be_exact_even_where_the_quote_may_only_overlap():
    gold = annotate(
        JOINT,
        [("q", "QUOTE", "it will reopen"), ("s", "SPEAKER", "the board")],
        [("said_by", "q", "s")],
    )
    shorter_quote = annotate(
        JOINT,
        [("q", "QUOTE", "will reopen"), ("s", "SPEAKER", "the board")],
        [("said_by", "q", "s")],
    )
    shorter_speaker = annotate(
        JOINT,
        [("q", "QUOTE", "it will reopen"), ("s", "SPEAKER", "board")],
        [("said_by", "q", "s")],
    )

    assert count(gold, shorter_quote)["quote_speaker", "attribution", "overlap"].f1 == 1
    assert count(gold, shorter_quote)["quote_speaker", "attribution", "exact"].f1 == 0
    assert count(gold, shorter_speaker)["quote_speaker", "attribution", "overlap"].f1 == 0


def test_kinds_take_precision_from_predicted_and_recall_from_gold_quotes_of_that_kind():
    text = 'The port will "grow fast" she said, and "Ships are late" he said.'
    gold = annotate(
        text, [("1", "QUOTE", 'The port will "grow fast"'), ("2", "QUOTE", '"Ships are late"')]
    )
    predicted = annotate(text, [("1", "QUOTE", '"grow fast"'), ("2", "QUOTE", '"Ships are late"')])

    tally = count(gold, predicted)

    # The first prediction is direct by its own marks and overlaps a mixed gold quote.
    assert tally["quote_kinds", "attribution", "direct", "overlap"] == Counts(2, 2, 1, 1)
    assert tally["quote_kinds", "attribution", "direct", "exact"] == Counts(1, 2, 1, 1)
    assert tally["quote_kinds", "attribution", "mixed", "overlap"] == Counts(0, 0, 1, 1)


# ---- quantities ----------------------------------------------------------------------

AMOUNTS = "They moved 40 tonnes for $3 million, not A$9 million."
TONNES: dict[str, Any] = {
    "value": 40, "low": None, "high": None, "unit": "tonne", "kind": "measure",
    "modifier": "exact", "change": "none",
}  # fmt: skip


def quantity(surface: str, attrs: Mapping[str, Any]) -> AnnotatedArticle:
    return annotate(AMOUNTS, [("v", "QUANTITY", surface, 0, attrs)])


def verdicts(gold: Mapping[str, Any], predicted: Mapping[str, Any]) -> dict[str, float]:
    tally = count(quantity("40 tonnes", gold), quantity("40 tonnes", predicted))
    return {key[2]: counts.f1 for key, counts in tally.items() if key[:2] == ("quantities", "all")}


def test_a_normal_form_agrees_by_value_and_unit_name():
    assert verdicts(TONNES, {**TONNES, "unit": "tonnes"})["value_and_unit"] == 1
    assert verdicts(TONNES, {**TONNES, "unit": "litre"}) == {
        "value": 1, "unit": 0, "value_and_unit": 0, "kind": 1, "modifier": 1, "change": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("gold", "predicted", "right"),
    [
        ({"value": 1000}, {"value": 1001}, True),
        ({"value": 1000}, {"value": 1001.1}, False),
        ({"value": -2}, {"value": 2}, False),
        ({"value": 0}, {"value": 0.0}, True),
        ({"value": 5}, {"value": None}, False),
        ({"value": None, "low": 24}, {"value": 24, "low": 24}, False),
        ({"low": 1, "high": 2}, {"value": None, "low": 1, "high": 2}, True),
        ({"low": 1, "high": 2}, {"low": 1, "high": 3}, False),
        ({"value": 28, "low": 28}, {"value": 28}, False),
        ({"value": 0.5}, {"value": 10**400}, False),
        ({"value": 7}, {"value": math.nan}, False),
    ],
)
def test_values_agree_within_a_thousandth_and_null_only_with_null(gold, predicted, right):
    assert verdicts(gold, predicted)["value"] == right


def test_a_missing_unit_agrees_only_with_none():
    assert verdicts({"value": 3, "unit": None}, {"value": 3})["unit"] == 1
    assert verdicts({"value": 3, "unit": None}, {"value": 3, "unit": "tonne"})["unit"] == 0


def test_a_gold_quantity_that_is_not_found_is_wrong():
    tally = count(quantity("40 tonnes", TONNES), annotate(AMOUNTS, []))

    assert tally["quantities", "all", "value_and_unit"] == Counts.share(0, 1)
    assert ("quantities", "found", "value") not in tally


def test_attributes_that_gold_does_not_carry_are_not_scored():
    assert verdicts({}, TONNES) == {}
    assert verdicts({"modifier": "approximate"}, TONNES) == {"modifier": 0}


def test_a_bare_dollar_is_reported_apart():
    bare = count(quantity("$3 million", {"value": 3e6}), annotate(AMOUNTS, []))
    marked = count(quantity("$9 million", {"value": 9e6}), annotate(AMOUNTS, []))

    assert ("quantities", "bare_dollar", "value") in bare
    assert ("quantities", "without_bare_dollar", "value") in marked
    assert ("quantities", "bare_dollar", "value") not in marked


# ---- calibration ---------------------------------------------------------------------


def test_calibration_takes_a_span_as_right_only_if_it_is_exact():
    gold = annotate(SENTENCE, [("g1", "CUE", "said"), ("g2", "QUOTE", "it was not")])
    predicted = annotate(
        SENTENCE, [("p1", "CUE", "said", 0, {}, 0.75), ("p2", "QUOTE", "it was", 0, {}, 0.5)]
    )

    results = span_calibration([(gold, predicted)])

    assert results["attribution", "CUE"]["error"] == pytest.approx(0.25)
    assert results["attribution", "QUOTE"]["error"] == pytest.approx(0.5)
    assert results["all",]["items"] == 2
