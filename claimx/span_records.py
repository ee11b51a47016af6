"""What is wrong with the spans and links of an annotated article, before they are built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SPAN_KEYS = ("id", "layer", "label", "start", "end")
_LINK_KEYS = ("type", "head", "tail")
_FURTHEST = 1_000  # how far from its place the text of a span is looked for
_SAMPLE = 200  # so many of the spans are asked by how much all are shifted
_ROUNDS = 5  # so many different shifts are told


@dataclass(frozen=True, slots=True)
class _Misplaced:
    """A span that reads something else than what it says of itself."""

    id: str
    start: int
    end: int
    text: str


def record_problems(text: str, spans: Iterable[Any], links: Iterable[Any]) -> list[str]:
    """Return a sentence for everything that is wrong, each cause told once.

    Args:
        text: the article's text.
        spans: as JSON has them.
        links: likewise; one to a span that is itself wrong is not told.
    """
    spans = list(spans)
    problems: list[str] = []
    misplaced: list[_Misplaced] = []
    for raw in spans:
        if trouble := _span_trouble(raw, text):
            problems.append(trouble)
        elif raw.get("text", found := text[raw["start"] : raw["end"]]) != found:
            misplaced.append(_Misplaced(str(raw["id"]), raw["start"], raw["end"], raw["text"]))
    problems += _shifted(text, misplaced)
    named = [str(raw["id"]) for raw in spans if isinstance(raw, Mapping) and "id" in raw]
    problems += [
        f"{count} spans have the id {name!r}; ids must differ"
        for name, count in Counter(named).items()
        if count > 1
    ]
    return problems + list(_link_troubles(links, frozenset(named)))


def _span_trouble(raw: Any, text: str) -> str:
    """Say why a span cannot be one, or return ""."""
    if not isinstance(raw, Mapping) or any(key not in raw for key in _SPAN_KEYS):
        return f"span {raw!r} lacks one of {', '.join(_SPAN_KEYS)}"
    start, end, name = raw["start"], raw["end"], f"span {raw['id']}"
    if type(start) is not int or type(end) is not int:
        return f"{name}: `start` and `end` must be whole numbers, not {start!r} and {end!r}"
    if not isinstance(raw.get("text", ""), str):
        return f"{name}: `text` must be a string, not {raw['text']!r}"
    if start < 0 or end > len(text):
        return f"{name} [{start}, {end}) lies outside the text ({len(text)})"
    if start >= end:
        return f"{name} [{start}, {end}) is empty; `end` is one past the last character"
    return ""


def _shifted(text: str, spans: list[_Misplaced]) -> Iterator[str]:
    """Yield what is wrong with spans that read something else, those moved alike together."""
    left = sorted(spans, key=lambda span: span.start)
    for _ in range(_ROUNDS):
        votes = Counter(shift for span in left[:_SAMPLE] for shift in _shifts(text, span))
        del votes[0]  # their start is right
        shift = min(votes, key=lambda one: (-votes[one], abs(one)), default=0)
        moved = [span for span in left if _stands(text, span, shift)]
        if votes[shift] < 2:
            break
        way = f"{abs(shift)} {'place' if abs(shift) == 1 else 'places'}"
        yield (
            f"{len(moved):,} spans from character {moved[0].start} on are shifted: their text "
            f"stands {way} further {'on' if shift > 0 else 'back'} ({_reads(text, moved[0])}); "
            f"was the article's text changed? Add {shift} to their `start` and `end`"
        )
        left = [span for span in left if not _stands(text, span, shift)]
    for span in left:
        near = min(_shifts(text, span), key=abs, default=None)
        there = (
            ""
            if near is None
            else (f", which stands at [{span.start + near}, {span.start + near + len(span.text)})")
        )
        yield _reads(text, span) + there


def _stands(text: str, span: _Misplaced, shift: int) -> bool:
    start = span.start + shift
    return bool(span.text) and start >= 0 and text.startswith(span.text, start)


def _reads(text: str, span: _Misplaced) -> str:
    found = text[span.start : span.end]
    return f"span {span.id} [{span.start}, {span.end}) reads {found!r}, not {span.text!r}"


def _shifts(text: str, span: _Misplaced) -> Iterator[int]:
    """Yield how far off the text of a span stands, wherever it stands near by."""
    last = span.start + _FURTHEST + len(span.text)
    place = text.find(span.text, max(0, span.start - _FURTHEST), last) if span.text else -1
    while place >= 0:
        yield place - span.start
        place = text.find(span.text, place + 1, last)


def _link_troubles(links: Iterable[Any], named: frozenset[str]) -> Iterator[str]:
    for raw in links:
        if not isinstance(raw, Mapping) or any(key not in raw for key in _LINK_KEYS):
            yield f"link {raw!r} lacks one of {', '.join(_LINK_KEYS)}"
            continue
        head, tail = str(raw["head"]), str(raw["tail"])
        if not {head, tail} <= named:
            yield f"link {raw['type']} {head} -> {tail} names a span that is not there"
