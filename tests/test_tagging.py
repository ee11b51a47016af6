"""Spans to tags and back, and the search for the best legal tags."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from claimx import tagging
from claimx.tagging import (
    best_legal_tags,
    decode_tags,
    encode_tags,
    illegal_positions,
    legal_transitions,
)


@st.composite
def flat_spans(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], int]:
    """Spans in order that don't overlap, some of them touching, and the number of units."""
    spans, at = [], 0
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 2)), max_size=8)
    ):
        spans.append((label, at + gap, at + gap + length))
        at += gap + length
    return spans, at + draw(st.integers(0, 2))


@given(flat_spans())
def test_spans_survive_tags_and_back(given_spans):
    spans, size = given_spans
    tags = encode_tags(spans, size)
    assert decode_tags(tags) == spans
    assert len(illegal_positions(tags)) == 0


def test_tags_number_begin_and_inside_of_each_label():
    tags = encode_tags([(0, 1, 3), (2, 3, 4)], 5)
    assert tags.tolist() == [0, 1, 2, 5, 0]
    assert tags.dtype == np.int64


@pytest.mark.parametrize("span", [(0, 2, 2), (0, 3, 2), (0, -1, 1), (0, 4, 6)])
def test_a_span_that_is_empty_or_out_of_range_is_refused(span):
    with pytest.raises(ValueError, match="empty, out of range"):
        encode_tags([span], 5)


def test_overlapping_spans_are_refused():
    with pytest.raises(ValueError, match="overlaps"):
        encode_tags([(0, 0, 3), (1, 2, 4)], 5)


def test_two_spans_of_one_label_that_touch_stay_two():
    assert decode_tags(np.array([1, 2, 1, 2])) == [(0, 0, 2), (0, 2, 4)]


def test_an_inside_tag_is_legal_behind_its_own_begin_and_inside_alone():
    tags = ["O", "B-x", "I-x", "B-y", "I-y"]
    allowed = legal_transitions(len(tags))
    for row, earlier in enumerate(tags):
        for column, later in enumerate(tags):
            expected = later[0] != "I" or earlier[1:] == later[1:]
            assert allowed[row, column] == expected, (earlier, later)


@given(st.lists(st.integers(0, 4), max_size=12))
def test_illegal_positions_are_those_that_the_transitions_forbid(tags):
    allowed = legal_transitions(5)
    expected = [
        place
        for place, tag in enumerate(tags)
        if not (allowed[tags[place - 1], tag] if place else tag not in (2, 4))
    ]
    assert illegal_positions(np.array(tags, dtype=np.int64)).tolist() == expected


def best_over_all(log_probs: np.ndarray, leaving: tuple[float, ...] = (0.0, 0.0)) -> float:
    """The score of the best legal path over the whole sequence, by plain dynamic programming."""
    count = log_probs.shape[1]
    allowed = legal_transitions(count)

    def step(before: int, tag: int) -> float:
        goes_on = before > 0 and tag == 2 * ((before - 1) // 2) + 2
        return 0.0 if before == 0 or goes_on else -leaving[(before - 1) // 2]

    scores = [float(log_probs[0, tag]) if tag % 2 or tag == 0 else -np.inf for tag in range(count)]
    for row in log_probs[1:]:
        scores = [
            max(
                scores[before] + step(before, tag)
                for before in range(count)
                if allowed[before, tag]
            )
            + float(row[tag])
            for tag in range(count)
        ]
    return max(scores)


def score_of(
    tags: np.ndarray, log_probs: np.ndarray, leaving: tuple[float, ...] = (0.0, 0.0)
) -> float:
    """The score of a path: those of its tags less the prices of the spans that it ends."""
    found = float(log_probs[np.arange(len(tags)), tags].astype(np.float64).sum())
    ended = [label for label, _, end in decode_tags(tags) if end < len(tags)]
    return found - sum(leaving[label] for label in ended)


# Coarse steps make near-ties and chains of changes frequent: an O that must become I because a
# later I is strong, and with it the tags before it.
SCORES = st.integers(1, 14).flatmap(
    lambda units: arrays(
        np.float32, (units, 5), elements=st.sampled_from([0.0, -0.5, -1.0, -2.0, -9.0])
    )
)


@settings(max_examples=200)
@given(SCORES)
@example(np.array([[-9, 0, -9, -9, -9], [0, -9, -0.5, -9, -9], [-9, -9, 0, -9, -9]], np.float32))
@example(
    np.array(
        [[-9, 0, -9, -9, -9], *[[0, -9, -0.5, -9, -9]] * 3, *[[-9, -9, 0, -9, -9]] * 3], np.float32
    )
)
def test_the_best_legal_tags_are_the_best_over_all_legal_paths(log_probs):
    tags = best_legal_tags(log_probs)
    assert len(illegal_positions(tags)) == 0
    assert score_of(tags, log_probs) == pytest.approx(best_over_all(log_probs), abs=1e-5)


@settings(max_examples=100)
@given(SCORES, st.tuples(*[st.sampled_from([0.0, 0.25, 1.5, -0.5])] * 2))
def test_a_price_for_ending_spans_is_part_of_what_is_best(log_probs, leaving):
    tags = best_legal_tags(log_probs, np.array(leaving))
    assert len(illegal_positions(tags)) == 0
    assert score_of(tags, log_probs, leaving) == pytest.approx(
        best_over_all(log_probs, leaving), abs=1e-5
    )


def plain_search(log_probs: np.ndarray, leaving: np.ndarray) -> list[int]:
    """The best legal tags of one text, unit by unit."""
    count = log_probs.shape[1]
    allowed = legal_transitions(count)

    def step(before: int, tag: int) -> float:
        if not allowed[before, tag]:
            return -np.inf
        label = (before - 1) // 2
        return 0.0 if before == 0 or tag == 2 * label + 2 else -float(leaving[label])

    paths = [([tag], float(log_probs[0, tag])) for tag in range(count) if tag % 2 or tag == 0]
    for row in log_probs[1:]:
        paths = [
            max(
                (([*path, tag], score + step(path[-1], tag) + float(row[tag]))
                 for path, score in paths),
                key=lambda item: item[1],
            )
            for tag in range(count)
        ]  # fmt: skip
    return max(paths, key=lambda item: item[1])[0]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 25), min_size=1, max_size=5),
    st.sampled_from([0.3, 1.0, 3.0]),
    st.sampled_from([(0.0, 0.0), (0.0, 1.5), (2.0, 0.5), (-0.5, 1.0)]),
    st.integers(0, 2**32 - 1),
)
def test_texts_behind_each_other_get_the_tags_of_a_plain_search_of_each(
    sizes, spread, prices, seed
):
    # Mostly outside, as texts are, so that some of them fall apart and some do not.
    random, leaving = np.random.default_rng(seed), np.array(prices)
    texts = [random.normal([spread, 0, 0, 0, 0], spread, (size, 5)) for size in sizes]
    texts = [text.astype(np.float32) for text in texts]
    tags = best_legal_tags(np.concatenate(texts), leaving, np.cumsum([0, *sizes[:-1]]))
    expected = [tag for text in texts if len(text) for tag in plain_search(text, leaving)]
    assert tags.tolist() == expected


def test_a_price_for_ending_keeps_a_span_together():
    rows = [[-9, 0, -9], [-9, -9, 0], [-0.5, -9, -1.0], [-9, -0.2, -0.4], [-9, -9, 0]]
    log_probs = np.array(rows, np.float32)
    assert decode_tags(best_legal_tags(log_probs)) == [(0, 0, 2), (0, 3, 5)]
    assert decode_tags(best_legal_tags(log_probs, np.array([1.0]))) == [(0, 0, 5)]


def test_the_end_of_a_text_costs_nothing_whatever_text_follows():
    rows = [[-9, 0, -9], [-0.2, -9, -0.7], [0, -9, -9]]
    log_probs, leaving = np.array(rows, np.float32), np.array([1.5])
    assert best_legal_tags(log_probs, leaving, np.array([0, 2])).tolist() == [1, 2, 0]
    assert best_legal_tags(log_probs[:2], leaving).tolist() == [1, 2]


def test_single_best_tags_that_are_legal_are_the_answer():
    log_probs = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.9, 0.05, 0.05]], np.float32))
    assert best_legal_tags(log_probs).tolist() == [1, 2, 0]


@pytest.mark.parametrize("price", [0.0, 0.5])
def test_only_units_near_a_span_are_searched(price, monkeypatch):
    searched = []
    search = tagging._viterbi

    def watched(scores, steps, begins, ends, closing, tags):
        searched.extend(zip(begins.tolist(), ends.tolist(), strict=True))
        search(scores, steps, begins, ends, closing, tags)

    monkeypatch.setattr(tagging, "_viterbi", watched)
    rows = np.tile(np.array([-0.2, -2.0, -2.5], np.float32), (100, 1))
    rows[50:53] = [[-9, 0, -9], [-9, -9, 0], [-9, -9, 0]]
    tags = best_legal_tags(rows, np.array([price]))
    assert decode_tags(tags) == [(0, 50, 53)]
    assert searched == [(50, 53)]


def test_no_units_have_no_tags():
    assert best_legal_tags(np.zeros((0, 5), np.float32)).tolist() == []
    assert decode_tags(np.zeros(0, np.int64)) == []
