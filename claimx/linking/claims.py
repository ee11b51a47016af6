"""Quantities with their modifier, what they measure, and the quote that holds them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal

from claimx.linking.graph import LinkTable, probability, text_order, to_span
from claimx.text import sentence_starts
from claimx.types import AnnotatedArticle, AnnotatedSpan, Claim, Link, Number, Quantity, Quote

# A modifier or measured thing further away than this is no part of the claim.
_LONGEST_CLAIM = 2_000


def build_claims(
    article: AnnotatedArticle, links: LinkTable, quotes: Sequence[Quote]
) -> tuple[Claim, ...]:
    """Return the claims of an article in text order, one for each QUANTITY."""
    starts = [quote.start for quote in quotes]
    claims: list[Claim] = []
    for span in text_order(span for span in article.spans if span.label == "QUANTITY"):
        modifier = _partner(article.text, span, links.tails("modified_by", span.id))
        measured = _partner(article.text, span, links.tails("measures", span.id))
        parts = [part for part in (span, modifier, measured) if part is not None]
        start, end = min(part.start for part in parts), max(part.end for part in parts)
        at = bisect_right(starts, span.start) - 1
        held = at >= 0 and quotes[at].end >= span.end
        claims.append(
            Claim(
                f"c{len(claims)}",
                start,
                end,
                article.text[start:end],
                probability(span.score),
                _quantity(span),
                to_span(modifier) if modifier else None,
                to_span(measured) if measured else None,
                quotes[at].id if held else None,
            )
        )
    return tuple(claims)


def _partner(
    text: str, span: AnnotatedSpan, tails: Sequence[tuple[AnnotatedSpan, Link]]
) -> AnnotatedSpan | None:
    """Return the surest of the linked spans that are near enough.

    "He has three" may count what the sentence before has named, but not what the next one will.
    """
    near = [
        (tail, link)
        for tail, link in tails
        if max(tail.end, span.end) - min(tail.start, span.start) <= _LONGEST_CLAIM
        and not _in_later_sentence(text, span.end, tail.start)
    ]
    return max(near, key=lambda item: probability(item[1].score))[0] if near else None


def _in_later_sentence(text: str, end: int, start: int) -> bool:
    """Say whether a sentence or paragraph ends between two places, if the second is behind."""
    if start <= end:
        return False
    return "\n\n" in text[end:start] or any(sentence_starts(text, end, start + 1))


def _quantity(span: AnnotatedSpan) -> Quantity:
    attrs = span.attrs
    words = {key: attrs[key] for key in ("unit", "kind") if isinstance(attrs.get(key), str)}
    modifier, change = attrs.get("modifier"), attrs.get("change")
    return Quantity(
        span.start,
        span.end,
        span.text,
        _number(attrs.get("value")),
        _number(attrs.get("low")),
        _number(attrs.get("high")),
        words.get("unit") or None,
        words.get("kind") or None,
        modifier if isinstance(modifier, str) else "exact",
        change if isinstance(change, str) else "none",
    )


def _number(value: object) -> Number | None:
    """Return a number that JSON can carry, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        as_float = float(value)
    except (OverflowError, ValueError):
        return None
    if not math.isfinite(as_float):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else as_float
    return value
