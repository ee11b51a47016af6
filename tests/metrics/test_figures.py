"""Precision, recall, intervals and calibration from counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.metrics.figures import (
    Counts,
    calibration,
    compare,
    perfect_calibration,
    summarise,
)


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


def test_a_perfect_model_with_one_coin_a_part_is_off_by_one_half():
    result = perfect_calibration([0.5], simulations=200)

    # Whatever comes up, right or wrong, the share right is half away from the score.
    assert result == {"perfect_error": 0.5, "perfect_interval": [0.5, 0.5]}


def test_the_error_of_perfect_scores_is_that_of_the_binomial_distribution():
    # 4 throws of a coin: 0 or 4 heads (1/16 each) are off by 1/2, 1 or 3 (1/4 each) by 1/4.
    result = perfect_calibration([0.5] * 4, bins=1, simulations=20_000)

    assert result["perfect_error"] == pytest.approx(2 / 16 / 2 + 2 / 4 / 4, abs=0.005)
    assert result["perfect_interval"] == [0.0, 0.5]


def test_scores_that_are_sure_leave_nothing_to_chance_and_no_scores_no_error():
    assert perfect_calibration([0.0, 1.0, 1.0])["perfect_error"] == 0
    assert perfect_calibration([])["perfect_error"] == 0


def test_many_rounds_of_simulation_are_the_same_in_one_piece_and_in_several(monkeypatch):
    scores = np.linspace(0.1, 0.9, 40)
    whole = perfect_calibration(scores, simulations=50)

    monkeypatch.setattr("claimx.metrics.figures._CELLS", 100)

    assert perfect_calibration(scores, simulations=50) == whole


def test_two_models_are_compared_on_the_same_draws():
    hard, easy = Counts.paired(0, 1, 1), Counts.paired(10, 10, 10)
    worse = [{("x",): hard if at % 2 else easy} for at in range(8)]
    better = [{("x",): tally["x",] + Counts.paired(1, 1, 1)} for tally in worse]

    found = compare(better, worse, resamples=200)["x",]

    # 40 of 44 and 48 of 52. Each alone varies widely with the hard articles drawn.
    assert found.f1 - found.baseline_f1 == pytest.approx(48 / 52 - 40 / 44)
    assert 0 < found.low < found.f1 - found.baseline_f1 < found.high
    alone = summarise(worse, resamples=200)["x",]
    assert found.high - found.low < (alone.f1_high - alone.f1_low) / 2


def test_a_model_against_itself_differs_by_nothing():
    tallies = [{("x",): Counts.paired(at % 3, 3, 3)} for at in range(5)]

    found = compare(tallies, tallies, resamples=20)["x",]

    assert (found.low, found.high) == (0, 0)
    with pytest.raises(ValueError, match="5 articles compared with 4"):
        compare(tallies, tallies[1:])
