"""What is marked in a text, cut into flat segments: spans may nest and cross between layers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

from claimx.types import Extraction

Layer = Literal["attribution", "identity", "quantity"]

# A mark points at quotes, people or claims; it does so in the attribute of this name.
REFERENCES = {
    "direct": "data_q",
    "mixed": "data_q",
    "indirect": "data_q",
    "speaker": "data_s",
    "cue": "data_c",
    "person": "data_p",
    "role": "data_p",
    "affiliation": "data_p",
    "quantity": "data_v",
    "modifier": "data_v",
    "measured": "data_v",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of text and what it is.

    Args:
        layer: marks of one layer are drawn in one manner.
        kind: a key of `REFERENCES`.
        start: first code point.
        end: one past the last.
        references: numbers of the quotes, people or claims that it belongs to, in order.
        score: the highest of its scores.
    """

    layer: Layer
    kind: str
    start: int
    end: int
    references: tuple[int, ...]
    score: float

    @property
    def label(self) -> str:
        """The kind; direct, mixed and indirect quotes are all ``quote``."""
        return "quote" if REFERENCES[self.kind] == "data_q" else self.kind


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text over which the same marks lie."""

    start: int
    end: int
    marks: tuple[Mark, ...]


class _Bounds(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def marks_of(extraction: Extraction) -> list[Mark]:
    """List what is to be marked in an article, each stretch of a kind once, in text order."""
    found = _Collection()
    person_number = {person.id: at for at, person in enumerate(extraction.people)}
    for at, quote in enumerate(extraction.quotes):
        found.add("attribution", quote.kind, quote, quote.score, at)
        if quote.cue is not None:
            found.add("attribution", "cue", quote.cue, quote.cue.score, at)
        speaker = quote.speaker
        if speaker is None:
            continue
        found.add("attribution", "speaker", speaker, speaker.score, at)
        meant = [person_number[name] for name in speaker.persons if name in person_number]
        for kind, spans in (("role", speaker.roles), ("affiliation", speaker.affiliations)):
            for span in spans:
                found.add("identity", kind, span, span.score, *meant)
    for at, person in enumerate(extraction.people):
        for kind, spans in (
            ("person", person.mentions),
            ("role", person.roles),
            ("affiliation", person.affiliations),
        ):
            for span in spans:
                found.add("identity", kind, span, span.score, at)
    for at, claim in enumerate(extraction.claims):
        found.add("quantity", "quantity", claim.quantity, claim.score, at)
        if claim.modifier is not None:
            found.add("quantity", "modifier", claim.modifier, claim.modifier.score, at)
        if claim.measured is not None:
            found.add("quantity", "measured", claim.measured, claim.measured.score, at)
    return found.marks()


class _Collection:
    """Marks by layer, kind and place."""

    def __init__(self) -> None:
        self._references: dict[tuple[Layer, str, int, int], dict[int, None]] = {}
        self._scores: dict[tuple[Layer, str, int, int], float] = {}

    def add(self, layer: Layer, kind: str, span: _Bounds, score: float, *references: int) -> None:
        key = (layer, kind, span.start, span.end)
        self._references.setdefault(key, {}).update(dict.fromkeys(references))
        self._scores[key] = max(score, self._scores.get(key, 0.0))

    def marks(self) -> list[Mark]:
        made = [
            Mark(*key, tuple(references), self._scores[key])
            for key, references in self._references.items()
        ]
        return sorted(made, key=lambda mark: (mark.start, -mark.end))


def segments(length: int, marks: Sequence[Mark], cuts: Iterable[int] = ()) -> Iterator[Segment]:
    """Cut a text at the edges of its marks; the segments lie side by side and cover all of it.

    Args:
        length: of the text.
        marks: inside it, by start; they may overlap in any way.
        cuts: further places to cut at, such as the edges of paragraphs.
    """
    edges = {0, length, *cuts}
    for mark in marks:
        edges |= {mark.start, mark.end}
    waiting = deque(marks)
    active: list[Mark] = []
    for left, right in pairwise(sorted(edges)):
        active = [mark for mark in active if mark.end > left]
        while waiting and waiting[0].start <= left:
            active.append(waiting.popleft())
        yield Segment(left, right, tuple(active))
