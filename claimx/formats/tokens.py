"""Tokens for formats that need them: words and marks, cut where a span begins or ends."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from claimx.types import AnnotatedSpan

# Letters and digits with what joins them (o'clock, U.S., 3.5, long-term); else one character.
_TOKEN = re.compile(r"[^\W_]+(?:[.,'’_-][^\W_]+)*|\S")


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of text without white space, as code points, half open."""

    start: int
    end: int


def tokens_of(text: str, spans: Iterable[AnnotatedSpan] = ()) -> list[Token]:
    """Return the tokens of a text; no token crosses the edge of a span.

    Args:
        text: the text.
        spans: their edges end a token.
    """
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    tokens = []
    for match in _TOKEN.finditer(text):
        start = match.start()
        for edge in edges[bisect_left(edges, start + 1) : bisect_left(edges, match.end())]:
            tokens.append(Token(start, edge))
            start = edge
        tokens.append(Token(start, match.end()))
    return tokens


def token_range(tokens: list[Token], span: AnnotatedSpan) -> tuple[int, int]:
    """Return the first token of a span and one past its last.

    Args:
        tokens: of `tokens_of`, which knew the span.
        span: the span.
    """
    first = bisect_left(tokens, span.start, key=lambda token: token.start)
    last = bisect_left(tokens, span.end, key=lambda token: token.end)
    return first, last + 1
