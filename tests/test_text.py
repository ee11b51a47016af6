"""Quotation marks, surrogates, UTF-16 offsets and character classes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.text import (
    INSIDE,
    LOWER,
    NEWLINE,
    OUTSIDE,
    SPACE,
    UPPER,
    character_classes,
    counted,
    paragraphs,
    quotation_states,
    replace_surrogates,
    utf16_offsets,
)

ANY_TEXT = st.text(
    "aÉßж中1. ,\n\r\t\x0b\x0c\x1c\x85\xa0\u2028\u3000\0\u200b\u0301\ufffd😀𝔘\ud800\udfff",
    max_size=40,
)


def picture(text: str) -> str:
    """One sign a character: ``.`` outside, ``i`` inside, ``<`` opening, ``>`` closing."""
    return "".join(".i<>"[state] for state in quotation_states(text))


def quoted(text: str) -> list[str]:
    """What stands inside marks, one entry a stretch."""
    states = quotation_states(text)
    marked = "".join(c if s == INSIDE else "\0" for c, s in zip(text, states, strict=True))
    return [part for part in marked.split("\0") if part]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ('He said "no" twice', "........<ii>......"),
        ("He said “no” twice", "........<ii>......"),
        ("He said «no» twice", "........<ii>......"),
        ("He said „no” twice", "........<ii>......"),
        ("He said ``no'' twice", "........<<ii>>......"),
        ("He said ‘no’ twice", "........<ii>......"),
        ("He said 'no' twice", "........<ii>......"),
    ],
)
def test_each_style_of_marks_is_read(text, states):
    assert picture(text) == states


@pytest.mark.parametrize(
    "text",
    [
        "The boats' crews don’t mind the '90s or rock 'n' roll.",
        "It is the workers’ harbour, isn't it?",
        "O'Neill's and D’Arcy’s ferry",
        "the ’80s, the summer of ’69 and ’tis",
    ],
)
def test_an_apostrophe_is_no_quotation(text):
    assert quoted(text) == []


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("‘We don’t know what they’re doing,’ he said.", ["We don’t know what they’re doing,"]),
        ("'We don't know what they're doing,' he said.", ["We don't know what they're doing,"]),
        (
            "‘It is the workers’ harbour, not ours,’ he said.",
            ["It is the workers’ harbour, not ours,"],
        ),
        ("She called it ‘the boats’ last stop’ twice.", ["the boats’ last stop"]),
    ],
)
def test_an_apostrophe_does_not_close_a_british_quotation(text, inside):
    assert quoted(text) == inside


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 people"), (1, "1 person"), (2, "2 people"), (1200, "1,200 people")]
)
def test_one_of_a_thing_is_said_in_the_singular(count, said):
    assert counted(count, "person", "people") == said
    assert counted(count, "byte").endswith("s") == (count != 1)


def test_a_single_mark_that_nothing_closes_for_long_was_an_apostrophe():
    assert quoted("He said ‘" + "it was so " * 150 + "then,’ he said.") != []
    assert quoted("He said ‘" + "it was so " * 250 + "then,’ he said.") == []


def test_double_marks_nested_in_single_ones_leave_no_gap():
    text = "‘They shouted “stop” and ran,’ he said."
    states = quotation_states(text)
    assert (states[: text.index(" he said")] != OUTSIDE).all()
    assert (states[text.index(" he said") :] == OUTSIDE).all()


def test_single_marks_nested_in_double_ones_stay_inside():
    assert quoted("\"They shouted 'stop' and ran,\" he said.") == ["They shouted 'stop' and ran,"]


def test_a_quotation_of_several_paragraphs_is_inside_in_each():
    text = "“We waited.\n\n“We left,” she said.\n\nIt rained."
    assert [part.strip() for part in quoted(text)] == ["We waited.", "We left,"]


def test_a_single_quotation_of_several_paragraphs_is_inside_in_each():
    text = "‘We waited.\n\n‘We left,’ she said.\n\nIt rained."
    assert quoted(text) == ["We waited.", "We left,"]


def test_a_missing_closing_mark_ends_with_its_paragraph():
    text = "“We waited for a day.\n\nIt rained. “No,” she said."
    assert quoted(text) == ["We waited for a day.", "No,"]


def test_a_missing_closing_straight_mark_ends_with_its_paragraph():
    text = '"We waited for a day.\n\nIt rained. "No," she said.'
    assert quoted(text) == ["We waited for a day.", "No,"]


def test_an_inch_mark_opens_nothing():
    assert quoted('A 5" pipe, 6\' long, and a 12" one.') == []


def test_an_inch_mark_does_not_hide_the_next_quotation():
    assert quoted('The 5" pipe broke. "It was old," he said.') == ["It was old,"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("opening", "closing"), ["“”", '""'])
def test_a_quotation_runs_over_hard_wrapped_lines(newline, opening, closing):
    text = f"He said {opening}the ferry is{newline}late and the pier{newline}closed{closing} today."
    assert quoted(text) == [f"the ferry is{newline}late and the pier{newline}closed"]


def test_adjacent_straight_quotations_are_two():
    assert quoted('"One," "two," he said.') == ["One,", "two,"]


@pytest.mark.parametrize("dash", ["—", "–", "("])
def test_a_straight_mark_behind_a_dash_or_bracket_opens(dash):
    assert quoted(f'It is{dash}"closed" now') == ["closed"]


@given(st.text("“”‘’\"'` abs.,\n\r5", max_size=60))
def test_marks_and_states_agree(text):
    states = quotation_states(text)
    assert len(states) == len(text)
    for char, state in zip(text, states, strict=True):
        assert state in (OUTSIDE, INSIDE) or char in "“”‘’\"'`«»"


@pytest.mark.parametrize("unit", ['"', "'", "“", "“a\n", " 'a", "‘a ", "s' ", "''", "‘"])
def test_a_text_of_marks_alone_takes_linear_time(unit):
    # A quadratic step takes minutes here, a linear one a fifth of a second.
    text = unit * (60_000 // len(unit))
    begun = time.process_time()
    quotation_states(text)
    assert time.process_time() - begun < 3


@given(ANY_TEXT)
def test_lone_surrogates_are_replaced_one_for_one(text):
    clean, count = replace_surrogates(text)
    assert count == sum("\ud800" <= char <= "\udfff" for char in text)
    assert len(clean) == len(text)
    clean.encode("utf-8")
    assert all(a == b for a, b in zip(text, clean, strict=True) if b != "�")


def test_a_pair_of_surrogates_is_two_replacements():
    assert replace_surrogates("a\ud83d\ude00b") == ("a��b", 2)


@given(ANY_TEXT)
def test_utf16_offsets_are_those_of_the_encoded_text(text):
    offsets = utf16_offsets(text)
    assert offsets.tolist() == [
        len(text[:end].encode("utf-16-le", "surrogatepass")) // 2 for end in range(len(text) + 1)
    ]


def test_utf16_offsets_count_an_emoji_twice():
    assert utf16_offsets("a😀b").tolist() == [0, 1, 3, 4]


@given(ANY_TEXT)
def test_white_space_has_the_class_of_white_space(text):
    classes = character_classes(text)
    assert [kind in (SPACE, NEWLINE) for kind in classes] == [char.isspace() for char in text]


def test_letters_beyond_ascii_have_a_case():
    assert character_classes("Éé").tolist() == [UPPER, LOWER]


def test_a_carriage_return_and_its_line_feed_are_one_line_break():
    assert (character_classes("a\r\nb\rc\n\nd") == NEWLINE).sum() == 4


def test_paragraphs_are_the_lines_that_hold_more_than_white_space():
    text = "One.\r\n \t\r\n\nTwo two.\n"
    assert [text[start:end] for start, end in paragraphs(text)] == ["One.", "Two two."]
