"""Precision, recall, intervals and calibration from counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.metrics.figures import Counts, calibration, summarise


def test_precision_recall_and_f1_follow_from_the_counts():
    counts = Counts(3, 4, 2, 4)

    assert (counts.precision, counts.recall) == (0.75, 0.5)
    assert counts.f1 == pytest.approx(0.6)
    assert Counts.paired(0, 0, 0).f1 == 0


def test_counts_are_added_up_before_anything_is_divided():
    tallies = [{("x",): Counts.paired(1, 1, 1)}, {("x",): Counts.paired(0, 9, 9)}, {}]

    figure = summarise(tallies, resamples=50)["x",]

    assert figure.counts == Counts.paired(1, 10, 10)
    assert figure.counts.f1 == pytest.approx(0.1)


def test_the_interval_is_that_of_a_plain_bootstrap_loop():
    generator = np.random.default_rng(5)
    rights = generator.integers(0, 5, 40)
    tallies = [{("x",): Counts.paired(int(right), 6, 5)} for right in rights]

    figure = summarise(tallies, resamples=4000, seed=1)["x",]

    f1s = []
    for _ in range(4000):
        drawn = rights[generator.integers(0, 40, 40)].sum()
        f1s.append(2 * drawn / (40 * 11))
    assert [figure.f1_low, figure.f1_high] == pytest.approx(
        np.percentile(f1s, [2.5, 97.5]), abs=0.01
    )


def test_intervals_are_the_same_again_and_beside_other_figures():
    tallies = [{("x",): Counts.paired(i % 3, 3, 2)} for i in range(9)]
    more = [{("y",): Counts.paired(1, 1, 1), **tally} for tally in tallies]

    assert summarise(tallies)["x",] == summarise(tallies)["x",] == summarise(more)["x",]


def test_draws_without_the_figure_do_not_count_as_zero():
    tallies = [{("x",): Counts.paired(1, 1, 1)}, *({} for _ in range(9))]

    assert summarise(tallies)["x",].f1_low == 1


def test_calibration_is_the_weighted_gap_between_score_and_share_right():
    sure = [(0.9, True)] * 8 + [(0.9, False)] * 2
    unsure = [(0.3, True)] * 5 + [(0.3, False)] * 5

    result = calibration(sure + unsure, bins=2)

    assert result["error"] == pytest.approx((0.1 + 0.2) / 2)
    assert [part["items"] for part in result["bins"]] == [10, 10]


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.booleans())), st.randoms())
def test_calibration_does_not_depend_on_the_order_of_equal_scores(items, random):
    shuffled = list(items)
    random.shuffle(shuffled)

    one, other = (calibration(order, bins=2)["error"] for order in (items, shuffled))
    assert one == pytest.approx(other)
