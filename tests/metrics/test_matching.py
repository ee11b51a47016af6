"""One-to-one matching against an independent solver."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from claimx.metrics.matching import exact_pairs, joined, most_pairs, overlap_pairs, overlaps


@st.composite
def disjoint_intervals(draw: st.DrawFn) -> list[tuple[int, int]]:
    steps = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=12))
    position, intervals = 0, []
    for gap, length in steps:
        intervals.append((position + gap, position + gap + length))
        position += gap + length
    return draw(st.permutations(intervals))


@given(disjoint_intervals(), disjoint_intervals())
def test_overlap_matching_is_a_largest_one_and_shares_the_most_characters(gold, predicted):
    pairs = overlap_pairs(gold, predicted)

    shared = np.array(
        [[max(0, min(g[1], p[1]) - max(g[0], p[0])) for p in predicted] for g in gold]
    ).reshape(len(gold), len(predicted))
    weights = np.where(shared > 0, shared + 1000, 0)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(overlaps(gold[i], predicted[j]) for i, j in pairs)
    assert sum(weights[i, j] for i, j in pairs) == weights[rows, columns].sum()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_matching_of_small_lists_is_a_largest_one(edges):
    fits = dict.fromkeys(edges, 1)

    pairs = most_pairs(range(7), range(7), lambda i, j: (i, j) in fits)

    table = np.array([[fits.get((i, j), 0) for j in range(7)] for i in range(7)])
    rows, columns = linear_sum_assignment(table, maximize=True)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(pair in fits for pair in pairs)
    assert len(pairs) == table[rows, columns].sum()


def test_intervals_that_only_touch_are_not_matched():
    assert overlap_pairs([(0, 5)], [(5, 9)]) == []
    assert not overlaps((0, 5), (5, 9))
    assert not overlaps((5, 9), (0, 5))


def test_equal_intervals_are_used_once_each():
    assert exact_pairs([(0, 5), (0, 5), (7, 9)], [(0, 5), (7, 9)]) == [(0, 0), (2, 1)]


def test_linked_names_share_the_first_name_of_their_group():
    assert joined("abcde", [("c", "b"), ("e", "c")]) == {
        "a": "a", "b": "b", "c": "b", "d": "d", "e": "b",
    }  # fmt: skip
