"""Two models compared sentence by sentence, on sentences whose verdict is known by hand."""

from __future__ import annotations

import pytest

from tests.annotating import annotate
from training.changes import Comparison, compare_sentences, sentence_starts
from training.error_classes import classify

TEXT = "Mara Lind said on Monday the bridge was safe. Tove Aas said it was not. It rained."


def compared(gold: list[str], model: list[str], baseline: list[str]) -> Comparison:
    """Quotes alone, by their words."""
    wanted, ours, theirs = (
        annotate(TEXT, [(f"q{at}", "QUOTE", words) for at, words in enumerate(each)])
        for each in (gold, model, baseline)
    )
    errors, others = (classify(wanted, each, lambda name: name)[0] for each in (ours, theirs))
    return compare_sentences({"a": TEXT}, errors, others)


GOLD = ["the bridge was safe", "it was not"]


@pytest.mark.parametrize(
    ("model", "baseline", "verdict", "gain"),
    [
        (GOLD, GOLD[1:], "better", 1),
        (GOLD[1:], GOLD, "worse", -1),
        (["the bridge", GOLD[1]], ["the bridge was", GOLD[1]], "otherwise", 0),
        # A quote with a wrong edge is a miss and a false alarm; one that is missed is one mistake.
        (["the bridge", GOLD[1]], GOLD[1:], "worse", -1),
    ],
)
def test_a_sentence_is_better_where_fewer_mistakes_are_made(model, baseline, verdict, gain):
    [change] = compared(GOLD, model, baseline).changes

    assert (change.verdict, change.gain) == (verdict, gain)
    assert change.start == 0


def test_sentences_that_both_read_alike_are_counted_and_not_shown():
    found = compared(GOLD, ["the bridge"], ["the bridge"])

    assert found.changes == ()
    assert found.to_dict() == {
        "better": 0, "worse": 0, "otherwise": 0, "same_errors": 2, "both_right": 1,
    }  # fmt: skip


def test_what_both_do_wrong_is_no_part_of_a_change():
    [change] = compared(
        GOLD, ["Monday the bridge was safe"], ["Mara", "Monday the bridge was safe"]
    ).changes

    assert [error.kind for error in change.gone] == ["spurious"]
    assert change.new == ()
    assert change.shared == 1


def test_those_that_changed_most_come_first():
    found = compared(GOLD, GOLD, ["the bridge"])

    assert [(change.start, change.gain) for change in found.having("better")] == [(0, 2), (46, 1)]


def test_titles_and_initials_end_no_sentence():
    text = "Dr. Lind spoke. J. Aas, of the U.S. Navy, left!\n\n“No.” He sat."

    shown = [text[start : start + 6] for start in sentence_starts(text)]

    assert shown == ["Dr. Li", "J. Aas", "“No.” ", "He sat"]
