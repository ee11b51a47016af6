"""Where sentences end, and which of them a view leaves out."""

from __future__ import annotations

import pytest

from claimx.page.marks import Mark
from claimx.terminal.sentences import LONG, Sentence, left_out, sentences


def cut(text: str, *marks: tuple[int, int]) -> list[str]:
    made = [Mark("identity", "person", start, end, (0,), 1.0) for start, end in marks]
    return [text[one.start : one.end] for one in sentences(text, made)]


@pytest.mark.parametrize(
    "parts",
    [
        ["It rained. ", "It stopped! ", "Why? ", "Nobody knows."],
        ["“No.” ", "“Yes,” said Mr. Hale of the U.S. Senate. ", "It was Oct. 5."],
        ["Sales fell to 3.5 percent (from 4.1). ", "9 shops closed…"],
        ["J. Smith of No. 10 met Dr. Ana Ruiz."],
        ["One line", "Another"],
    ],
)
def test_a_sentence_ends_at_its_mark_but_not_at_an_abbreviation(parts):
    text = "\n".join(parts) if parts[0] == "One line" else "".join(parts)
    assert cut(text) == parts


def test_what_was_found_is_never_cut():
    text = "“We left. They stayed. All of us,” she said. He nodded."
    assert cut(text, (0, 34)) == [text[:45], "He nodded."]


def test_a_sentence_knows_whether_something_was_found_in_it():
    text = "It rained. Anna spoke. It rained."
    marks = [Mark("identity", "person", 11, 15, (0,), 1.0)]
    assert [one.found for one in sentences(text, marks)] == [False, True, False]


def made(*found: bool) -> list[Sentence]:
    return [Sentence(at, at + 1, 0, one) for at, one in enumerate(found)]


def test_only_runs_of_bare_sentences_in_long_articles_are_left_out():
    article = made(False, False, True, False, True, *[True] * (LONG - 5))
    assert left_out(article) == {0, 1}
    assert left_out(article[: LONG - 1]) == frozenset()
