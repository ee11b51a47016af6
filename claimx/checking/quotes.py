"""Rules for quotes: speakers that were forgotten, and marks that an edge cuts off."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from claimx.checking.findings import Remark
from claimx.text import CLOSING, INSIDE, OPENING, OUTSIDE, quotation_states
from claimx.types import AnnotatedArticle, AnnotatedSpan

# Between a quote and the speaker and cue that follow it: “A,” she said.
_BETWEEN = re.compile(r"(?!\s*\n\s*\n)[\s,:—–-]{0,4}")
# The words of a cue that was not marked at all. Only verbs that do little else.
_SPOKEN = re.compile(
    r"(?!\s*\n\s*\n)[\s,]{0,3}(?:(?:he|she|they|(?:[A-Z][\w.'’-]+ ){0,2}[A-Z][\w'’-]+) "
    r"(?:said|says|told|added|wrote|explained|warned)"
    r"\b|(?:said|says|added|warned) (?:(?:he|she|they)\b|(?:the |an? )?[A-Z][\w'’-]+))"
)
_NEAR = 3


def speakers(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each quote without speaker that has a speaker and a cue beside it.

    Args:
        article: an article without structural problems.
    """
    tails = _tails(article)
    layers: dict[str, list[AnnotatedSpan]] = defaultdict(list)
    for span in sorted(article.spans, key=lambda span: span.start):
        layers[span.layer].append(span)
    for name, spans in layers.items():
        places = {span.id: index for index, span in enumerate(spans)}
        for quote in spans:
            if quote.label != "QUOTE" or tails["said_by"].get(quote.id):
                continue
            told = _of_statement(quote, tails) or _of_cue(quote, tails)
            told = told or _beside(article.text, quote, spans, places, tails)
            if not told and name in article.complete_layers:
                told = _unmarked(article.text, quote, spans, places)
            if told:
                ids, message = told
                yield Remark("speaker", (quote.id, *ids), message, quote.start, quote.end)


def _tails(article: AnnotatedArticle) -> Mapping[str, dict[str, list[str]]]:
    """Return link type -> head -> tails."""
    tails: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for link in article.links:
        tails[link.type][link.head].append(link.tail)
    return tails


_Told = tuple[tuple[str, ...], str] | None


def _of_statement(quote: AnnotatedSpan, tails: Mapping[str, dict[str, list[str]]]) -> _Told:
    """The first part of the statement has a speaker."""
    for first in tails["same_quote"].get(quote.id, ()):
        if said := tails["said_by"].get(first):
            message = f"{quote.id} has no speaker, but {first}, the first part of its statement, "
            return (first, said[0]), message + f"has {said[0]}; add by={said[0]}"
    return None


def _of_cue(quote: AnnotatedSpan, tails: Mapping[str, dict[str, list[str]]]) -> _Told:
    """Another quote of the same cue has a speaker."""
    for cue in tails["cued_by"].get(quote.id, ()):
        for other, cues in tails["cued_by"].items():
            said = tails["said_by"].get(other)
            if other != quote.id and cue in cues and said:
                message = f"{quote.id} has no speaker, but {other} of the same cue {cue} has "
                return (cue, other), message + f"{said[0]}; add by={said[0]} if it is the same"
    return None


def _beside(
    text: str,
    quote: AnnotatedSpan,
    spans: Sequence[AnnotatedSpan],
    places: Mapping[str, int],
    tails: Mapping[str, dict[str, list[str]]],
) -> _Told:
    """A speaker and a cue follow directly, or stand directly before the quote's own cue."""
    index = places[quote.id]
    after = spans[index + 1 : index + 3]
    own = tails["cued_by"].get(quote.id)
    # "Asked whether it would close, she replied": the quote has a cue of its own.
    cued = not own or any(span.id in own for span in after)
    if cued and {span.label for span in after} == {"CUE", "SPEAKER"}:
        touching = _BETWEEN.fullmatch(text[quote.end : after[0].start])
        if touching and after[1].start - after[0].end <= _NEAR:
            names = " ".join(span.text for span in after)
            speaker = next(span.id for span in after if span.label == "SPEAKER")
            message = f"{quote.id} has no speaker, but is followed by {names[:60]!r}"
            return tuple(span.id for span in after), f"{message}; add by={speaker}"
    for cue in tails["cued_by"].get(quote.id, ()):
        place = places.get(cue, 0)
        before = spans[place - 1] if place else None
        if before is None or before.label != "SPEAKER":
            continue
        if 0 <= spans[place].start - before.end <= _NEAR:
            message = f"{quote.id} has no speaker, but {before.id} {before.text[:40]!r} stands "
            return (before.id, cue), message + f"before its cue {cue}; add by={before.id}"
    return None


def _unmarked(
    text: str, quote: AnnotatedSpan, spans: Sequence[AnnotatedSpan], places: Mapping[str, int]
) -> _Told:
    """Words of speech follow that are no spans at all."""
    words = _SPOKEN.match(text, quote.end)
    index = places[quote.id] + 1
    following = spans[index].start if index < len(spans) else len(text)
    if words is None or following < words.end():
        return None
    said = words[0].strip(" ,\n")
    return (), f"{quote.id} has no speaker, but is followed by {said!r}; mark speaker and cue"


# ---- marks ------------------------------------------------------------------------------------


def marks(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each quote whose edge cuts off a quotation mark or stands between two.

    Args:
        article: an article without structural problems.
    """
    quotes = [span for span in article.spans if span.label == "QUOTE"]
    if not quotes:
        return
    states = quotation_states(article.text)
    phenomena = article.meta.get("phenomena")
    listed = phenomena.get("missing_closing_mark") if isinstance(phenomena, Mapping) else None
    excused = set(map(str, listed)) if isinstance(listed, list) else set()
    for quote in quotes:
        message = _cut_off(article.text, quote, states)
        if message and quote.id not in excused:
            yield Remark("marks", (quote.id,), f"{quote.id} {message}", quote.start, quote.end)


def _cut_off(text: str, quote: AnnotatedSpan, states: npt.NDArray[np.uint8]) -> str:
    """Say what is wrong with the marks at the edges of a quote, or return ""."""
    start, end = quote.start, quote.end
    before = states[start - 1] if start else OUTSIDE
    after = states[end] if end < len(text) else OUTSIDE
    first, last = states[start], states[end - 1]
    closed = bool((states[start:end] == CLOSING).any())
    if before == OPENING and first == INSIDE and (closed or after == CLOSING):
        what = "marks" if after == CLOSING and not closed else "opening mark"
        return f"leaves its {what} outside; a quote includes its quotation marks"
    if last == INSIDE and after == CLOSING:
        return "leaves its closing mark outside; a quote includes its quotation marks"
    if last in (INSIDE, OPENING) and after in (INSIDE, OPENING) and _closes(text, end, states):
        return "ends inside quotation marks; run it to the closing mark"
    if first in (INSIDE, CLOSING) and before == INSIDE:
        line = text.rfind("\n", 0, start) + 1
        if text[line:start].strip() and _closes(text, start, states):
            return "starts inside quotation marks; begin it at the opening mark"
    return _never_closed(text, quote, states)


def _closes(text: str, start: int, states: npt.NDArray[np.uint8]) -> bool:
    """Whether the quotation that is open at ``start`` has a closing mark in the paragraph."""
    line_end = text.find("\n", start)
    rest = states[start : line_end if line_end >= 0 else len(text)]
    marks = rest[(rest == OPENING) | (rest == CLOSING)]
    return len(marks) > 0 and bool(marks[0] == CLOSING)


def _never_closed(text: str, quote: AnnotatedSpan, states: npt.NDArray[np.uint8]) -> str:
    """A quotation opens in the quote, and neither it nor its paragraph closes it."""
    if states[quote.end - 1] != INSIDE or not (states[quote.start : quote.end] == OPENING).any():
        return ""
    line_end = text.find("\n", quote.end)
    rest = text[line_end:].lstrip() if line_end >= 0 else ""
    ends_paragraph = bool(rest) and not text[quote.end : line_end].strip(" .")
    if ends_paragraph and states[len(text) - len(rest)] in (OPENING, INSIDE):
        return ""  # the next paragraph takes it up
    return (
        "opens a quotation that has no closing mark; if the text is so, list it under "
        "phenomena as missing_closing_mark"
    )
