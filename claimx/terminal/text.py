"""The sentences of an article with everything that was found marked in them.

Each layer has signs of its own, so that what lies inside one another can be told apart without
colour: quotes and speakers stand in ``A«…»`` and ``A{…}`` with the letter of their source, names,
roles and affiliations are bold and underlined, numbers stand in ``[…]¹`` with that of their claim.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from rich.console import RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.text import Text

from claimx.page.marks import Layer, Mark, Segment, marks_of, segments
from claimx.page.naming import Names
from claimx.render import one_line
from claimx.terminal.pen import Pen
from claimx.terminal.sentences import Sentence, left_out, sentences
from claimx.text import counted

NUMBER_STYLE = "yellow"
_TINTS = {"tint0": "cyan", "tint1": "green", "tint2": "magenta", "tint3": "bright_blue"}
_WIDEST = 100  # cells; longer lines are hard to read
_OUTWARD: tuple[Layer, ...] = ("attribution", "identity", "quantity")
_STYLES = {
    "cue": "italic",
    "person": "bold",
    "role": "underline",
    "affiliation": "underline",
    "quantity": NUMBER_STYLE,
    "modifier": NUMBER_STYLE,
    "measured": NUMBER_STYLE,
}
_QUOTES = ("direct", "mixed", "indirect")
_SIGNS = {"person": "*", "role": "_", "affiliation": "_"}


def letter(names: Names, source: int | None) -> str:
    """Return the letter of a source, a question mark where none is named."""
    return "?" if source is None else names.letter(source)


def tint(names: Names, source: int | None) -> str:
    """Return the colour of a source; the ones with most to say have one."""
    return _TINTS.get(names.tint(source), "")


def article(names: Names, pen: Pen) -> tuple[str, list[RenderableType]]:
    """Return what is said of the sentences as a whole, and the sentences."""
    marks = marks_of(names.extraction)
    found = sentences(names.text, marks)
    hidden = left_out(found)
    hand = _Hand(names, pen, marks, found)
    body: list[RenderableType] = []
    line = None
    for is_hidden, group in groupby(range(len(found)), hidden.__contains__):
        numbers = list(group)
        if is_hidden:
            note = f"… {counted(len(numbers), 'sentence')} without findings left out …"
            body.append(Padding(pen.text(note, "dim"), (1 if body else 0, 0, 0, 2)))
            line = None
            continue
        for number, on_line in groupby(numbers, lambda at: found[at].line):
            above = hand.gap(number, line) if body else 0
            line = number
            written = hand.line([found[at] for at in on_line])
            body.append(Padding(Constrain(written, _WIDEST), (above, 0, 0, 2)))
    shown = len(found) - len(hidden)
    said = f"{shown:,} of {counted(len(found), 'sentence')}; nothing was found in the others"
    return (said if hidden else ""), body


class _Hand:
    """Writes the sentences of one article."""

    def __init__(
        self, names: Names, pen: Pen, marks: Sequence[Mark], found: Sequence[Sentence]
    ) -> None:
        self._names, self._pen = names, pen
        cuts = [edge for sentence in found for edge in (sentence.start, sentence.end)]
        self._segments = iter(segments(len(names.text), marks, cuts))
        # Lines are apart where the text has them so, or where it has them nowhere.
        self._airy = re.search(r"\n\s*\n", names.text) is not None
        self._starts = {sentence.line: sentence.start for sentence in reversed(found)}

    def gap(self, line: int, above: int | None) -> int:
        """Return how many empty lines stand above a line of the text."""
        if above is None or not self._airy:
            return 1
        before = self._names.text[: self._starts[line]]
        return int(before[len(before.rstrip()) :].count("\n") > 1)

    def line(self, shown: Sequence[Sentence]) -> Text:
        """Write sentences that follow one another on one line; later lines come later."""
        start, end = shown[0].start, shown[-1].end
        line = Text()
        for piece in self._segments:
            if piece.start >= start:
                self._write(line, piece)
            if piece.end >= end:
                break
        line.rstrip()
        return line

    def _write(self, line: Text, piece: Segment) -> None:
        marks = sorted(piece.marks, key=_outward)
        for mark in marks:
            if mark.start == piece.start:
                line.append(self._pen.spelled(self._opening(mark)), self._style(mark))
        words = one_line(self._names.text[piece.start : piece.end])
        line.append(self._pen.spelled(words), " ".join(map(self._style, marks)))
        for mark in reversed(marks):
            if mark.end == piece.end:
                line.append(self._pen.spelled(self._closing(mark)), self._style(mark))

    def _opening(self, mark: Mark) -> str:
        if mark.kind in _QUOTES:
            return letter(self._names, self._source(mark)) + self._pen.quote_marks[0]
        if mark.kind == "speaker":
            return letter(self._names, self._source(mark)) + "{"
        if mark.kind == "quantity":
            return "["
        return self._sign(mark)

    def _closing(self, mark: Mark) -> str:
        if mark.kind in _QUOTES:
            return self._pen.quote_marks[1]
        if mark.kind == "speaker":
            return "}"
        if mark.kind == "quantity":
            return "]" + ",".join(self._pen.number(number + 1) for number in mark.references)
        return self._sign(mark)

    def _sign(self, mark: Mark) -> str:
        return "" if self._pen.styled else _SIGNS.get(mark.kind, "")

    def _style(self, mark: Mark) -> str:
        if mark.kind in _QUOTES or mark.kind == "speaker":
            return tint(self._names, self._source(mark))
        return _STYLES[mark.kind]

    def _source(self, mark: Mark) -> int | None:
        return self._names.source_number(self._names.extraction.quotes[mark.references[0]])


def _outward(mark: Mark) -> tuple[int, int, int]:
    """Order marks from the outermost to the innermost."""
    return mark.start, -mark.end, _OUTWARD.index(mark.layer)


def legend(pen: Pen) -> Text:
    """Say what the signs mean."""
    before, after = pen.quote_marks
    parts = (
        pen.text(f"A{before}…{after} said by A"),
        pen.text("A{…} source A"),
        pen.text("name", "bold") if pen.styled else pen.text("*name*"),
        pen.text("role, affiliation", "underline")
        if pen.styled
        else pen.text("_role, affiliation_"),
        pen.text(f"[…]{pen.number(1)} claim 1"),
    )
    line = Text(style="dim")
    for number, part in enumerate(parts):
        line.append(pen.spelled(" · ") if number else "")
        line.append_text(part)
    return line
