"""Scores to spans and links."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from claimx.decoding import calibrate, choose_links, decode_layer, log_odds, log_softmax
from claimx.labels import LabelSchema, Layer
from claimx.pairs import PAIR_FEATURE_SIZES, Pairs
from claimx.tagging import best_legal_tags, decode_tags

LAYER = Layer("things", ("CAT", "DOG"))
SCHEMA = LabelSchema.from_dict(
    {
        "layers": {"things": ["CAT", "DOG"], "people": ["SPEAKER", "PERSON"]},
        "links": {
            "chases": {"heads": ["DOG"], "tails": ["CAT"]},
            "likes": {"heads": ["DOG"], "tails": ["CAT"], "choose": "any"},
            "refers_to": {"heads": ["SPEAKER"], "tails": ["PERSON"]},
        },
    }
)


def logits(*rows: dict[str, float]) -> np.ndarray:
    """Logits with given probabilities; the rest is shared by the other tags."""
    table = []
    for row in rows:
        rest = (1 - sum(row.values())) / (len(LAYER.tags) - len(row))
        table.append([math.log(row.get(tag, rest)) for tag in LAYER.tags])
    return np.array(table, dtype=np.float32)


def test_spans_come_with_their_label_and_units():
    [found] = decode_layer(
        [logits({"B-DOG": 0.9}, {"I-DOG": 0.9}, {"O": 0.9}, {"B-CAT": 0.9})], LAYER, {}
    )
    assert [(s.layer, s.label, s.first, s.last) for s in found] == [
        ("things", "DOG", 0, 1), ("things", "CAT", 3, 3),
    ]  # fmt: skip


def test_the_raw_score_is_begin_times_weakest_inside_times_end():
    table = logits({"B-DOG": 0.9}, {"I-DOG": 0.7}, {"I-DOG": 0.8}, {"O": 0.8, "I-DOG": 0.1})
    [[found]] = decode_layer([table], LAYER, {})
    assert found.raw == pytest.approx(0.9 * 0.7 * 0.9, abs=1e-5)
    assert found.score == found.raw


def test_a_span_at_the_end_of_the_text_needs_no_end():
    [[found]] = decode_layer([logits({"O": 0.9}, {"B-DOG": 0.8})], LAYER, {})
    assert found.raw == pytest.approx(0.8, abs=1e-5)


def test_the_score_is_calibrated_by_the_line_of_its_own_label():
    table = logits({"B-DOG": 0.8}, {"B-CAT": 0.8})
    lines = {"things/DOG": (1.0, -1.0), "people/CAT": (1.0, 5.0)}
    [[dog, cat]] = decode_layer([table], LAYER, lines)
    assert dog.score == pytest.approx(calibrate(dog.raw, (1.0, -1.0)))
    assert dog.score < dog.raw
    assert cat.score == cat.raw


def test_a_price_for_ending_spans_of_its_own_label_keeps_a_span_together():
    table = logits(
        {"B-DOG": 0.9}, {"I-DOG": 0.9}, {"O": 0.5, "I-DOG": 0.3}, {"B-DOG": 0.5, "I-DOG": 0.4}
    )
    spans = {}
    for prices in ({}, {"things/DOG": 2.0}, {"things/CAT": 2.0}):
        [found] = decode_layer([table], LAYER, {}, prices)
        spans[tuple(prices)] = [(span.first, span.last) for span in found]
    split = [(0, 1), (3, 3)]
    assert spans == {(): split, ("things/DOG",): [(0, 3)], ("things/CAT",): split}


def test_a_text_without_units_has_no_spans():
    assert decode_layer([np.zeros((0, 5), np.float32)], LAYER, {}) == [[]]


@given(st.lists(st.lists(st.floats(-30, 30), min_size=5, max_size=5), min_size=1, max_size=12))
@settings(max_examples=60)
def test_any_scores_give_spans_in_order_with_probabilities(rows):
    [found] = decode_layer([np.array(rows, np.float32)], LAYER, {"things/CAT": (2.0, 0.5)})
    for left, right in pairwise(found):
        assert left.last < right.first
    for span in found:
        assert 0 <= span.first <= span.last < len(rows)
        assert 0.0 <= span.raw <= 1.0
        assert 0.0 <= span.score <= 1.0


def plain_scores(rows: np.ndarray) -> list[float]:
    """Raw scores of the spans of one article, one by one."""
    probs = np.exp(log_softmax(rows))
    scores = []
    for label, start, end in decode_tags(best_legal_tags(log_softmax(rows))):
        inside = [float(probs[unit, 2 * label + 2]) for unit in range(start + 1, end)]
        behind = float(probs[end, 2 * label + 2]) if end < len(probs) else 0.0
        scores.append(float(probs[start, 2 * label + 1]) * min(inside, default=1.0) * (1 - behind))
    return scores


@settings(max_examples=60)
@given(
    st.lists(
        st.integers(0, 12).flatmap(
            lambda units: arrays(np.float32, (units, 5), elements=st.floats(-4, 4, width=32))
        ),
        max_size=4,
    )
)
def test_articles_decoded_together_get_the_spans_and_scores_of_each_alone(texts):
    together = decode_layer(texts, LAYER, {})
    assert together == [decode_layer([text], LAYER, {})[0] for text in texts]
    for text, spans in zip(texts, together, strict=True):
        expected = plain_scores(text) if len(text) else []
        assert [span.raw for span in spans] == pytest.approx(expected, abs=1e-6)


def test_huge_logits_stay_finite():
    assert np.isfinite(log_softmax(np.array([[1e4, -1e4, 0.0]], np.float32))).all()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 5), st.floats(-5, 5))
@settings(max_examples=60)
def test_calibration_keeps_the_order_of_scores(one, other, slope, intercept):
    low, high = sorted((one, other))
    line = (slope, intercept)
    assert 0 <= calibrate(low, line) <= calibrate(high, line) <= 1


@pytest.mark.parametrize(
    ("raw", "line", "expected"),
    [(0.8, (1.0, 0.0), 0.8), (0.8, (0.0, 0.0), 0.5), (0.5, (3.0, math.log(4)), 0.8)],
)
def test_calibration_is_a_line_on_the_log_odds(raw, line, expected):
    assert log_odds(0.8) == pytest.approx(math.log(0.8 / 0.2))
    assert calibrate(raw, line) == pytest.approx(expected)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certainty_has_finite_log_odds(probability):
    assert math.isfinite(log_odds(probability))


# ---- links ------------------------------------------------------------------------------------


def choose(scores: list[float], *rows: tuple[str, int, int], thresholds=None):
    """Links of pairs given as ``(type, head, tail)``."""
    numbers = {link.name: number for number, link in enumerate(SCHEMA.links)}
    pairs = Pairs(
        np.array([head for _, head, _ in rows]),
        np.array([tail for _, _, tail in rows]),
        np.array([numbers[name] for name, _, _ in rows]),
        np.zeros((len(rows), len(PAIR_FEATURE_SIZES)), dtype=np.int64),
    )
    return choose_links(np.array(scores, np.float32), pairs, SCHEMA, thresholds or {})


def test_one_takes_the_best_tail_of_each_head():
    links = choose(
        [2.0, 3.0, 1.0, 0.5], ("chases", 0, 5), ("chases", 0, 6), ("chases", 1, 5), ("chases", 1, 6)
    )
    assert {(link.head, link.tail) for link in links} == {(0, 6), (1, 5)}
    assert {link.type for link in links} == {"chases"}


def test_no_link_wins_where_all_scores_are_negative():
    assert choose([-0.1, -0.2], ("chases", 0, 5), ("chases", 0, 6)) == []


def test_the_probability_of_one_is_that_of_the_softmax_with_no_link():
    (link,) = choose([2.0, 1.0], ("chases", 0, 5), ("chases", 0, 6))
    mass = math.exp(2) + math.exp(1) + 1
    assert link.score == pytest.approx(math.exp(2) / mass, rel=1e-5)


def test_any_judges_each_pair_alone():
    links = choose([2.0, 1.0, -1.0], ("likes", 0, 5), ("likes", 0, 6), ("likes", 0, 7))
    assert [(link.tail, round(link.score, 4)) for link in links] == [(5, 0.8808), (6, 0.7311)]


def test_a_threshold_decides_what_is_kept():
    rows = (("likes", 0, 5), ("likes", 0, 6), ("chases", 0, 5))
    links = choose([2.0, 1.0, 1.0], *rows, thresholds={"likes": 0.8, "chases": 0.9})
    assert [(link.type, link.tail) for link in links] == [("likes", 5)]
    assert len(choose([2.0, 1.0, 1.0], *rows, thresholds={"likes": 0.7})) == 3
    (link,) = choose([2.0], rows[2])
    assert choose([2.0], rows[2], thresholds={"chases": link.score}) == [link]


def test_mentions_of_one_person_together_beat_no_link():
    rows = [("refers_to", 0, tail) for tail in (5, 6, 7)]
    links = choose([-0.5, -0.4, -0.6], *rows)
    assert [(link.head, link.tail) for link in links] == [(0, 6)]
    assert choose([-5.0, -4.0, -6.0], *rows) == []


def test_types_of_one_head_do_not_compete():
    links = choose([1.0, 3.0], ("chases", 0, 5), ("likes", 0, 5))
    assert {link.type for link in links} == {"chases", "likes"}


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["chases", "likes", "refers_to"]), st.integers(0, 3), st.integers(0, 6),
        # Two that differ by a rounding error may be told apart by either.
        (st.floats(-500, 500) | st.floats(-3, 3)).map(lambda score: round(score, 6)),
    ),
    max_size=30,
    unique_by=lambda row: row[:3],
)  # fmt: skip


def plain_choice(rows: list[tuple[str, int, int, float]]) -> dict[tuple[str, int, int], float]:
    """The links chosen from scored pairs, head by head."""
    chosen: dict[tuple[str, int, int], float] = {}
    for name, head in {row[:2] for row in rows}:
        scores = {row[2]: float(np.float32(row[3])) for row in rows if row[:2] == (name, head)}
        if name == "likes":
            probs = {tail: 1 / (1 + math.exp(-score)) for tail, score in scores.items()}
            chosen |= {(name, head, tail): p for tail, p in probs.items() if p >= 0.5}
            continue
        top = max(0.0, *scores.values())
        whole = math.exp(-top) + sum(math.exp(score - top) for score in scores.values())
        probs = {tail: math.exp(score - top) / whole for tail, score in scores.items()}
        best = max(probs, key=lambda tail: scores[tail])
        weight = sum(probs.values()) if name == "refers_to" else probs[best]
        if weight > math.exp(-top) / whole:
            chosen[name, head, best] = probs[best]
    return chosen


@settings(max_examples=100)
@given(ROWS)
def test_links_are_those_of_a_plain_choice_for_each_head(rows):
    links = choose([row[3] for row in rows], *(row[:3] for row in rows))
    expected = plain_choice(rows)
    assert {(link.type, link.head, link.tail) for link in links} == set(expected)
    for link in links:
        assert link.score == pytest.approx(expected[link.type, link.head, link.tail], abs=1e-9)


@settings(max_examples=60)
@given(ROWS)
def test_one_never_takes_two_tails_and_scores_are_probabilities(rows):
    links = choose([row[3] for row in rows], *(row[:3] for row in rows))
    singles = [(link.type, link.head) for link in links if link.type != "likes"]
    assert len(set(singles)) == len(singles)
    assert all(0.0 <= link.score <= 1.0 for link in links)


def test_no_pairs_have_no_links():
    assert choose([]) == []
