"""Sentences of articles in which spans are marked, as gold has them or as a model reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from claimx.page.markup import Html, element, escape, words
from claimx.types import AnnotatedSpan
from training.changes import SENTENCE_END

_FARTHEST = 300  # characters of context on either side, where a sentence does not end
Stretch = tuple[int, int]


def sentences(text: str, spans: Sequence[AnnotatedSpan]) -> list[Stretch]:
    """Return the stretches of text that hold the spans, widened to sentences, in order."""
    stretches: list[Stretch] = []
    for span in sorted(spans, key=lambda span: span.start):
        left, right = max(0, span.start - _FARTHEST), min(len(text), span.end + _FARTHEST)
        before = SENTENCE_END.finditer(text, left, min(len(text), span.start + 2))
        ends = [match.end() for match in before if match.end() <= span.start]
        after = SENTENCE_END.search(text, max(span.start, span.end - 1), right)
        start, end = ends[-1] if ends else left, after.end() if after else right
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text with the marks before it and whether it is underlined."""

    text: str
    opening: tuple[str, ...]
    closing: int
    marked: bool


def pieces(text: str, start: int, end: int, spans: Sequence[AnnotatedSpan]) -> list[Piece]:
    """Cut a stretch at the edges of spans, which may nest or cross.

    ``opening`` holds the label of every span that begins with the piece; ``closing`` says how many
    end with it.
    """
    spans = sorted((span for span in spans if start < span.end and span.start < end),
                   key=lambda span: (span.start, -span.end))  # fmt: skip
    edges = {start, end} | {edge for span in spans for edge in (span.start, span.end)}
    cuts = sorted(edge for edge in edges if start <= edge <= end)
    return [
        Piece(
            text[left:right],
            tuple(_mark(span) for span in spans if span.start == left),
            sum(span.end == right for span in spans),
            any(span.start <= left and right <= span.end for span in spans),
        )
        for left, right in pairwise(cuts)
    ]


def _mark(span: AnnotatedSpan) -> str:
    return span.label if span.score is None else f"{span.label} {span.score:.2f}"


def passage(
    sides: Sequence[str], text: str, stretches: Sequence[Stretch], spans: Sequence[AnnotatedSpan]
) -> Html:
    """Return stretches of an article with spans marked, and whose reading that is.

    Args:
        sides: ``gold``, ``model`` or ``baseline``, those that read it so.
        text: of the article.
        stretches: what to show of it.
        spans: what to mark.
    """
    shown: list[Html] = []
    for start, widened in stretches:
        shown += [escape(" … ")] if shown else []
        end = start + len(text[start:widened].rstrip())
        for piece in pieces(text, start, end, spans):
            shown += _piece(piece)
    side = element("span", escape(_joined(sides)), class_="side")
    return element("p", side, escape(" "), element("bdi", *shown), class_=f"passage {sides[0]}")


def _joined(sides: Sequence[str]) -> str:
    return "all three" if len(sides) == 3 else " = ".join(sides)


def _piece(piece: Piece) -> Iterator[Html]:
    for mark in piece.opening:
        yield element("b", words(mark), escape("\xa0["))
    yield element("u", escape(piece.text)) if piece.marked else escape(piece.text)
    if piece.closing:
        yield element("b", escape("]" * piece.closing))
