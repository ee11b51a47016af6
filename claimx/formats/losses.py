"""What a conversion lost: counted by comparing what was to be written with what reads back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from claimx.text import counted
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Loss:
    """One kind of loss.

    Args:
        what: what was lost, such as ``links``.
        count: how many of them.
        example: the first of them.
    """

    what: str
    count: int
    example: str = ""

    def __str__(self) -> str:
        example = f", such as {self.example}" if self.example else ""
        return f"{self.count:,} {self.what}{example}"


@dataclass(frozen=True, slots=True)
class Losses:
    """The report of a conversion.

    Args:
        articles: how many were written.
        spans: how many spans they had.
        links: how many links they had.
        lost: what the target does not hold, measured by reading it back.
        left_out: what reading the source left out or changed.
        advice: what the user may want to know or do.
    """

    articles: int
    spans: int
    links: int
    lost: tuple[Loss, ...] = ()
    left_out: tuple[Loss, ...] = ()
    advice: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything was lost on the way."""
        return bool(self.lost or self.left_out)

    def lines(self) -> list[str]:
        """Return the report as lines for people."""
        counts = (("article", self.articles), ("span", self.spans), ("link", self.links))
        lines = [", ".join(counted(count, name) for name, count in counts)]
        lines += [f"lost in reading: {loss}" for loss in self.left_out]
        lines += [f"lost in writing: {loss}" for loss in self.lost]
        if not self:
            lines.append("nothing was lost")
        return lines + list(self.advice)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "articles": self.articles,
            "spans": self.spans,
            "links": self.links,
            "lost": {loss.what: loss.count for loss in self.lost},
            "left_out": {loss.what: loss.count for loss in self.left_out},
            "advice": list(self.advice),
        }


@dataclass(slots=True)
class Tally:
    """Counts losses by what was lost, with the first example of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, example: str = "", count: int = 1) -> None:
        """Count a loss.

        Args:
            what: what was lost, in the plural.
            example: shown for the first of them.
            count: how many.
        """
        if count > 0:
            self.counts[what] += count
            short = example if len(example) <= _SHOWN else example[: _SHOWN - 3] + "..."
            self.examples.setdefault(what, short)

    def losses(self) -> tuple[Loss, ...]:
        """Return what was counted, in the order in which it was met first."""
        return tuple(Loss(what, count, self.examples[what]) for what, count in self.counts.items())


def compare(before: Sequence[AnnotatedArticle], after: Sequence[AnnotatedArticle]) -> Tally:
    """Count what the articles that were read back lack.

    Offsets are compared in characters that are not white space, so that formats that keep only
    tokens are not charged for every span.

    Args:
        before: what was to be written.
        after: what the written file gives.
    """
    tally = Tally()
    for article, twin in _pairs(before, after, tally):
        _compare_article(article, twin, tally)
    return tally


def _pairs(
    before: Sequence[AnnotatedArticle], after: Sequence[AnnotatedArticle], tally: Tally
) -> Iterator[tuple[AnnotatedArticle, AnnotatedArticle]]:
    """Yield each article with what became of it, which is told by its id, else by its text."""
    rest = list(before)
    others = list(after)
    for name in (lambda article: article.id, lambda article: _squeezed(article.text)):
        waiting: dict[str, list[AnnotatedArticle]] = {}
        for other in others:
            waiting.setdefault(name(other), []).append(other)
        unmatched = []
        for article in rest:
            same = waiting.get(name(article))
            if same:
                yield article, same.pop(0)
            else:
                unmatched.append(article)
        rest, others = unmatched, [other for same in waiting.values() for other in same]
    yield from zip(rest, others, strict=False)
    for article in rest[len(others) :]:
        tally.add("articles", repr(article.id))
    for article in others[len(rest) :]:
        tally.add("added articles", repr(article.id))


def _squeezed(text: str) -> str:
    return "".join(text.split())


_Place = tuple[str, str, int, int]


def _places(article: AnnotatedArticle) -> dict[str, _Place]:
    """Return span id -> layer, label and offsets counted in characters that are no white space."""
    count = [0, *accumulate(not character.isspace() for character in article.text)]
    return {
        span.id: (span.layer, span.label, count[span.start], count[span.end])
        for span in article.spans
    }


def _compare_article(article: AnnotatedArticle, twin: AnnotatedArticle, tally: Tally) -> None:
    if _squeezed(article.text) != _squeezed(twin.text):
        tally.add("texts", repr(article.id))
    elif article.text != twin.text:
        tally.add("texts with their white space", repr(article.id))
    before, after = _places(article), _places(twin)
    found = {place: span for span, place in zip(twin.spans, after.values(), strict=True)}
    for span in article.spans:
        other = found.pop(before[span.id], None)
        if other is None:
            tally.add("spans", f"{span.label} {span.text!r}")
        else:
            _compare_span(span, other, tally)
    for extra in found.values():
        tally.add("added spans", f"{extra.label} {extra.text!r}")
    _compare_links(article.links, before, twin.links, after, tally)
    if article.id != twin.id:
        tally.add("article ids", repr(article.id))
    if dict(article.meta) != dict(twin.meta):
        tally.add("articles with their meta", repr(article.id))
    if set(article.complete_layers) != set(twin.complete_layers):
        tally.add("articles with their complete_layers", ", ".join(article.complete_layers))


def _compare_span(span: AnnotatedSpan, other: AnnotatedSpan, tally: Tally) -> None:
    if span.id != other.id:
        tally.add("span ids", repr(span.id))
    if span.score != other.score:
        tally.add("scores", f"{span.score} of {span.id}")
    lost = [key for key in span.attrs if not _same(span.attrs, other.attrs, key)]
    if lost:
        tally.add("attributes", f"{lost[0]}={span.attrs[lost[0]]!r} of {span.id}", len(lost))
    if extra := [key for key in other.attrs if key not in span.attrs]:
        tally.add("added attributes", extra[0], len(extra))


def _same(attrs: Mapping[str, Any], others: Mapping[str, Any], key: str) -> bool:
    # 1, 1.0 and True are equal in Python and differ in JSON.
    return key in others and repr(attrs[key]) == repr(others[key])


def _compare_links(
    links: Sequence[Link],
    places: Mapping[str, _Place],
    others: Sequence[Link],
    other_places: Mapping[str, _Place],
    tally: Tally,
) -> None:
    before = {(link.type, places[link.head], places[link.tail]): link for link in links}
    after = {(link.type, other_places[link.head], other_places[link.tail]): link for link in others}
    for key, link in before.items():
        if key not in after:
            tally.add("links", _arrow(link))
        elif link.score != after[key].score:
            tally.add("scores", f"{link.score} of {_arrow(link)}")
    for key, link in after.items():
        if key not in before:
            tally.add("added links", _arrow(link))
    # Of two sources of one quote the first is the one that is reported.
    order = _tails(before.keys() & after.keys(), before)
    for head, tails in _tails(before.keys() & after.keys(), after).items():
        if tails != order[head]:
            tally.add("orders of links", f"{head[0]} of {head[1][1]}")


_Key = tuple[str, _Place, _Place]


def _tails(
    shared: Collection[_Key], links: Iterable[_Key]
) -> dict[tuple[str, _Place], list[_Place]]:
    """Return the tails of each link type and head, in their order."""
    tails: dict[tuple[str, _Place], list[_Place]] = {}
    for kind, head, tail in links:
        if (kind, head, tail) in shared:
            tails.setdefault((kind, head), []).append(tail)
    return tails


def _arrow(link: Link) -> str:
    return f"{link.type} {link.head} -> {link.tail}"
