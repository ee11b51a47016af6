"""The sentences of an article, and which of them are shown."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claimx.page.marks import Mark
from claimx.text import paragraphs, sentence_starts

LONG = 40  # sentences from which on those without findings are left out


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or the part of it that stands on a line.

    Args:
        start: first code point.
        end: one past the last; the white space behind it belongs to it.
        line: the number of its line, empty ones not counted.
        found: whether anything was found in it.
    """

    start: int
    end: int
    line: int
    found: bool


def sentences(text: str, marks: Sequence[Mark]) -> list[Sentence]:
    """Cut the lines of a text into sentences, but never inside something that was found.

    Args:
        text: of the article.
        marks: what was found in it, by start.
    """
    findings = _Findings(marks)
    return [
        Sentence(start, end, number, findings.touch(start, end))
        for number, line in enumerate(paragraphs(text))
        for start, end in _in_line(text, line, findings)
    ]


def left_out(article: Sequence[Sentence]) -> frozenset[int]:
    """Return the numbers of the sentences that a view leaves out.

    In a long article these are the sentences without findings, two or more in a row: to say that
    one is left out would take as much room as the sentence.
    """
    if len(article) < LONG:
        return frozenset()
    bare = {number for number, sentence in enumerate(article) if not sentence.found}
    return frozenset(number for number in bare if bare & {number - 1, number + 1})


class _Findings:
    """The stretches of a text that marks lie over."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for mark in marks:
            if self._ends and mark.start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], mark.end)
            else:
                self._starts.append(mark.start)
                self._ends.append(mark.end)

    def touch(self, start: int, end: int) -> bool:
        """Say whether something between two places was found."""
        last = bisect_left(self._starts, end) - 1
        return last >= 0 and self._ends[last] > start

    def span(self, place: int) -> bool:
        """Say whether something that was found lies on both sides of a place."""
        return self.touch(place, place)


def _in_line(text: str, line: tuple[int, int], findings: _Findings) -> Iterator[tuple[int, int]]:
    start, end = line
    for place in sentence_starts(text, start, end):
        if not findings.span(place):
            yield start, place
            start = place
    yield start, end
