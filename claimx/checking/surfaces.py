"""Rules for words that are marked in one place and not in another of the same article.

Only surfaces that can hardly mean anything else are looked for: full names, surnames that stand
alone, offices and bodies before a name, "according to", figures with their unit, modifiers
before a number. Offices elsewhere ("to elect the prime minister") are rightly unmarked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from claimx.checking.findings import Remark
from claimx.types import AnnotatedArticle, AnnotatedSpan

_FIGURE = re.compile(r"\d[^\n]*(?:[A-Za-z%]|\s)|[$£€¥]\s?\d")
# A name inside the name of something else: "the Okafor Institute", "Okafor v. Ruiz".
_NAME_GOES_ON = re.compile(
    r"[ \t]+(?:[A-Z]|vs?\.?\s|&|(?:of|in the) [A-Z]|famil(?:y|ies)\b|fortune|estate|brothers|"
    r"sisters|dynasty|holiday)|-\w|['’]s [A-Z]"
)
_NAME_BEFORE = re.compile(r"(?:\b[A-Z][\w.&'’-]*[ -]|[@#./])$")
_TITLE_BEFORE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Dame|Lord|Lady|Justice|Judge|Sen|Rep|Gov|"
    r"President|Senator|Captain|Chief)\.? $"
)


# Before a number these are as often prepositions: "under a 20-year deal", "between two wrongs".
_PREPOSITIONS = frozenset(
    "above below between beyond from inside over past to under within".split()
)


# Verbs that take "up", before which "up to" says where they lead: "came up to nineteen".
_UP_VERBS = frozenset(
    "add added adds bring brings brought came come comes coming get gets getting go goes going "
    "gone got grew grow move moved moves push pushed pushes sign signed signs wake wakes went "
    "woke work worked works".split()
)


class _Taken:
    """Which stretches of the text are covered by spans of a layer."""

    def __init__(self, spans: Iterable[AnnotatedSpan]) -> None:
        ordered = sorted((span.start, span.end) for span in spans)
        self.starts = [start for start, _ in ordered]
        self.ends = [end for _, end in ordered]

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any span shares a character with ``[start, end)``."""
        index = bisect_right(self.starts, end - 1)
        return index > 0 and self.ends[index - 1] > start


def both_ways(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each place where a surface is unmarked that is marked elsewhere.

    Args:
        article: an article without structural problems; only its complete layers are judged.
    """
    spans: dict[str, list[AnnotatedSpan]] = defaultdict(list)
    layers: dict[str, list[AnnotatedSpan]] = defaultdict(list)
    for span in sorted(article.spans, key=lambda span: span.start):
        if span.layer in article.complete_layers:
            spans[span.label].append(span)
            layers[span.layer].append(span)
    identity, quantity = _Taken(layers["identity"]), _Taken(layers["quantity"])
    bodies = {
        word
        for span in spans["AFFILIATION"]
        for word in re.findall(r"\w[\w'’-]*\w", span.text)
        if word[0].isupper()
    }
    yield from _names(article.text, spans["PERSON"], identity, bodies)
    yield from _offices(article.text, spans, identity)
    yield from _bodies(article.text, spans, identity)
    yield from _cues(article.text, spans["CUE"], _Taken(layers["attribution"]))
    yield from _figures(article.text, spans["QUANTITY"], quantity)
    yield from _modifiers(article.text, spans, quantity)


def _first_of_each(spans: Sequence[AnnotatedSpan]) -> Mapping[str, AnnotatedSpan]:
    """Return each surface with the first span that has it."""
    return {span.text: span for span in reversed(spans)}


def _occurrences(text: str, surface: str) -> Iterator[tuple[int, int]]:
    pattern = rf"(?<![\w]){re.escape(surface)}(?![\w])"
    return (match.span() for match in re.finditer(pattern, text))


def _remark(span: AnnotatedSpan, text: str, start: int, end: int, what: str) -> Remark:
    message = (
        f"{text[start:end]!r} is unmarked here, but is {span.label} {span.id} elsewhere; {what}"
    )
    return Remark("both-ways", (span.id,), message, start, end)


def _names(
    text: str, persons: Sequence[AnnotatedSpan], taken: _Taken, bodies: Set[str]
) -> Iterator[Remark]:
    """A name; not a surname alone that is also that of a firm: "Ana Ruiz" of "Ruiz & Sons"."""
    for surface, span in _first_of_each(persons).items():
        whole = " " in surface
        if not whole and (surface in bodies or len(surface) < 4 or not surface[0].isupper()):
            continue
        for start, end in _occurrences(text, surface):
            if taken.overlaps(start, end) or _NAME_GOES_ON.match(text, end):
                continue
            before = text[max(0, start - 24) : start]
            if not whole and _NAME_BEFORE.search(before) and not _TITLE_BEFORE.search(before):
                continue
            yield _remark(span, text, start, end, "mark it, unless it is part of another name")


def _offices(
    text: str, spans: Mapping[str, Sequence[AnnotatedSpan]], taken: _Taken
) -> Iterator[Remark]:
    """A role directly before a name: "chief executive Ana Ruiz"."""
    starts = {span.start for span in spans["PERSON"]}
    known = {span.text.casefold(): span for span in reversed(spans["ROLE"])}
    for surface, span in known.items():
        pattern = rf"(?<!\w){re.escape(surface)}(?!\w)"
        for match in re.finditer(pattern, text, re.I):
            start, end = match.span()
            follows = re.match(r"\s?,?\s?", text[end : end + 3])
            reach = end + (follows.end() if follows else 0)
            if reach in starts and reach > end and not taken.overlaps(start, end):
                yield _remark(span, text, start, end, "mark it as the role of the name behind it")


def _bodies(
    text: str, spans: Mapping[str, Sequence[AnnotatedSpan]], taken: _Taken
) -> Iterator[Remark]:
    """An affiliation directly before a role or a name: "the mint's director"."""
    starts = {span.start for label in ("ROLE", "PERSON") for span in spans[label]}
    for surface, span in _first_of_each(spans["AFFILIATION"]).items():
        for start, end in _occurrences(text, surface):
            follows = re.match(r"(?:['’]s?)?\s", text[end : end + 4])
            joined = text[start - 1 : start] == "-"
            if follows is None or end + follows.end() not in starts or joined:
                continue
            if not taken.overlaps(start, end):
                what = "mark it as the affiliation of the person behind it"
                yield _remark(span, text, start, end, what)


def _cues(text: str, cues: Sequence[AnnotatedSpan], taken: _Taken) -> Iterator[Remark]:
    """The one cue that hardly ever is anything else."""
    for surface, span in _first_of_each(cues).items():
        if surface.casefold() != "according to":
            continue
        for start, end in _occurrences(text, surface):
            if not taken.overlaps(start, end):
                yield _remark(span, text, start, end, "mark it, and the quote and the speaker")


def _figures(text: str, quantities: Sequence[AnnotatedSpan], taken: _Taken) -> Iterator[Remark]:
    for surface, span in _first_of_each(quantities).items():
        if not _FIGURE.match(surface):
            continue
        for start, end in _occurrences(text, surface):
            if not taken.overlaps(start, end):
                yield _remark(span, text, start, end, "mark it, unless it is a name or a date")


def _modifiers(
    text: str, spans: Mapping[str, Sequence[AnnotatedSpan]], taken: _Taken
) -> Iterator[Remark]:
    known = {
        folded: span
        for span in reversed(spans["MODIFIER"])
        if (folded := span.text.casefold()) not in _PREPOSITIONS
    }
    if not known:
        return
    longest = sorted(map(re.escape, known), key=len, reverse=True)
    before = re.compile(rf"(?<!\w)({'|'.join(longest)})\s$", re.I)
    for quantity in spans["QUANTITY"]:
        base = max(0, quantity.start - 40)
        match = before.search(text[base : quantity.start])
        if match is None:
            continue
        start, end = base + match.start(1), base + match.end(1)
        verb = text[:start].rpartition(" ")[0].rpartition(" ")[2].casefold()
        if match[1].casefold() == "up to" and verb in _UP_VERBS:
            continue
        if not taken.overlaps(start, end):
            span = known[match[1].casefold()]
            remark = _remark(span, text, start, end, f"mark it as the modifier of {quantity.id}")
            yield Remark(remark.rule, (quantity.id, span.id), remark.message, start, end)
