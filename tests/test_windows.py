"""Windows over long texts: every token once, in order, never too long, cut between words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from claimx.windows import plan_windows


def begins(units: list[int]) -> np.ndarray:
    """Which tokens begin a unit, for units of so many tokens."""
    flags = np.zeros(sum(units), dtype=bool)
    flags[np.cumsum([0, *units[:-1]])[: len(units)]] = True
    return flags


# Units mostly short, some longer than a window.
UNITS = st.lists(st.one_of(st.integers(1, 4), st.integers(1, 40)), max_size=60)
SIZES = st.integers(1, 20).flatmap(
    lambda length: st.tuples(st.just(length), st.integers(0, length // 2))
)
every_plan = given(UNITS, SIZES)


@settings(max_examples=100)
@every_plan
@example([1, 30], (10, 5))
@example([6, 6, 6], (10, 5))
@example([1] * 30, (1, 0))
def test_every_token_has_exactly_one_owner_in_order(units, sizes):
    owned = [
        token
        for w in plan_windows(begins(units), *sizes)
        for token in range(w.own_start, w.own_end)
    ]
    assert owned == list(range(sum(units)))


@settings(max_examples=60)
@every_plan
def test_a_window_holds_what_it_owns_and_is_never_too_long(units, sizes):
    for window in plan_windows(begins(units), *sizes):
        assert 0 <= window.start <= window.own_start <= window.own_end <= window.end <= sum(units)
        assert 0 < window.end - window.start <= sizes[0]


@settings(max_examples=60)
@given(st.lists(st.integers(1, 10), min_size=1, max_size=60), st.integers(0, 10))
@example([6, 6, 6], 5)
def test_windows_and_owned_parts_begin_at_units_where_units_fit(units, overlap):
    # The longest unit is as long as half a window.
    flags = begins(units)
    for window in plan_windows(flags, 20, overlap):
        assert flags[window.start]
        assert window.own_start == window.own_end or flags[window.own_start]


@settings(max_examples=40)
@given(st.integers(1, 300), SIZES)
def test_neighbours_share_the_overlap_where_all_units_are_single(count, sizes):
    length, overlap = sizes
    plan = plan_windows(np.ones(count, dtype=bool), length, overlap)
    for left, right in pairwise(plan):
        assert left.end - right.start == overlap
        assert left.end - left.own_end in (overlap // 2, (overlap + 1) // 2)


@settings(max_examples=40)
@every_plan
def test_the_number_of_windows_stays_in_proportion(units, sizes):
    length, _ = sizes
    # Each window that does not reach its full length stops in front of a long unit.
    assert (
        len(plan_windows(begins(units), *sizes))
        <= 2 * (sum(units) // max(1, length // 2) + len(units)) + 2
    )


def test_a_text_that_fits_is_one_window():
    (window,) = plan_windows(np.ones(20, dtype=bool), 20, 6)
    assert (window.start, window.end, window.own_start, window.own_end) == (0, 20, 0, 20)


def test_no_tokens_have_no_windows():
    assert plan_windows(np.zeros(0, dtype=bool), 20, 6) == ()


def test_a_long_word_behind_a_short_one_does_not_stop_the_plan():
    plan = plan_windows(begins([1, 1000, 1]), 320, 64)
    assert plan[-1].end == 1002


@pytest.mark.parametrize(("length", "overlap"), [(10, 6), (10, -1), (0, 0)])
def test_sizes_that_make_no_sense_are_refused(length, overlap):
    with pytest.raises(ValueError, match="overlap"):
        plan_windows(np.ones(3, dtype=bool), length, overlap)
