"""What kind of source an expression is that means no known person."""

from __future__ import annotations

import pytest

from claimx.linking.sources import source_kind


@pytest.mark.parametrize(
    ("kind", "expressions"),
    [
        ("unknown", ("it", "they", "They")),
        ("person", ("she", "a spokesman for the board", "the minister", "one resident", "the diver",
                    "One of the divers", "a police officer")),
        ("group", ("two officials briefed on the talks", "Critics", "63 percent",
                   "eight of 10 divers",
                   "Only 52 percent of divers", "a team of researchers", "authorities",
                   "most people", "Donors meeting in Stour", "her family")),
        ("document", ("a study of piers", "the report", "Data from the ministry", "a banner",
                      "a statement released by her family", "numbers cited by the Herald",
                      "the Harbour Safety Act", "the firm's website")),
        ("organisation", ("the Harbour Safety Board (HSB)", "HSB", "the ministry", "police",
                          "the Stour Post", "Stour and Bray Railways", "the board's panel",
                          "a Stour-based court", "BrayPoll", "Stour Department of Health")),
    ],
)  # fmt: skip
def test_kind_of_a_source_follows_from_its_head_noun(kind, expressions):
    assert {text: source_kind(text) for text in expressions} == dict.fromkeys(expressions, kind)


def test_role_makes_a_person_of_an_unknown_noun():
    assert source_kind("the harbour glim", ["glim"]) == "person"
    assert source_kind("harbour glims", ["glims"]) == "group"
