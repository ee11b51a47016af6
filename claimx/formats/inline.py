"""The inline mark-up in which people write annotated articles by hand.

One article a file: a YAML head between two lines ``---``, then the text with tags in it::

    ---
    id: own/mint
    genre: wire
    ---

    <S id=s1>The mint</S> <C id=c1>said</C> <Q id=q1 by=s1 cue=c1>it would
    shed <V id=v1 val=30 kind=count of=x1>30</V> <X id=x1>jobs</X></Q>.

A literal ``<`` is written ``&lt;``; ``&`` stays as it is, but before ``lt;`` or ``amp;`` it is
written ``&amp;``. One line end after the head and one at the end of the file are not part of
the text. The tags and their attributes are those of ``data/annotations/GUIDELINES.md``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats import front_matter
from claimx.formats.checks import OnError, Problem, check_article, raise_problems
from claimx.formats.inline_tags import (
    LAYERS,
    LINKS,
    RESERVED,
    SPAN_ID,
    TAGS,
    AttributesError,
    normal_order,
    read_quantity,
)
from claimx.formats.inline_writer import render_inline
from claimx.formats.sources import read_text
from claimx.labels import DEFAULT_SCHEMA
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

__all__ = [
    "ParsedInline",
    "parse_inline",
    "parse_inline_report",
    "read_inline",
    "read_inline_report",
    "read_source",
    "render_inline",
]

_MAX_PROBLEMS = 1000

_ANGLE = re.compile(r"<[^<>]*>?")
_TAG = re.compile(r"<(/?)([A-Za-z]+)((?:\s+[^\s<>]+)*)\s*>")
_ESCAPED = re.compile(r"&(lt|amp);")


@dataclass(frozen=True, slots=True)
class ParsedInline:
    """What an inline file holds, with all its mistakes.

    Args:
        article: the article as far as it could be read; None without a readable head.
        problems: every mistake, in the order of the file.
        places: span id -> ``file:line:column`` of its opening tag.
    """

    article: AnnotatedArticle | None
    problems: tuple[Problem, ...]
    places: Mapping[str, str]


# ---- reading ------------------------------------------------------------------------------


def parse_inline(source: str, name: str = "inline") -> AnnotatedArticle:
    """Read one article from its inline form.

    Args:
        source: head and marked-up text.
        name: how messages call the place, such as the file's path.

    Returns:
        The article in normal order, checked strictly against the default label schema.

    Raises:
        AnnotationError: naming every mistake with line, column, offending tag and remedy.
    """
    parsed = parse_inline_report(source, name)
    raise_problems(parsed.problems)
    if parsed.article is None:
        raise AnnotationError(f"{name}: no article could be read")
    return parsed.article


def read_inline(path: Path | str) -> AnnotatedArticle:
    """Read the one article of an inline file; see `parse_inline`.

    Args:
        path: a UTF-8 file.

    Raises:
        FormatError: if the file cannot be read as text.
        AnnotationError: naming every mistake with file, line and column.
    """
    return parse_inline(read_source(path), str(path))


def read_inline_report(path: Path | str, on_error: OnError) -> AnnotatedArticle | None:
    """Read an inline file and hand every mistake to a callback.

    Args:
        path: a UTF-8 file.
        on_error: called once for each mistake.

    Returns:
        The article, or None if there was any mistake.

    Raises:
        FormatError: if the file cannot be read as text.
    """
    parsed = parse_inline_report(read_source(path), str(path))
    for problem in parsed.problems:
        on_error(problem)
    return None if parsed.problems else parsed.article


def read_source(path: Path | str) -> str:
    """Return an inline file's text as it stands, line ends included.

    Args:
        path: a UTF-8 file of at most 64 MiB.

    Raises:
        FormatError: if it is missing, too large or not UTF-8.
    """
    return read_text(Path(path), keep_mark=True)


def parse_inline_report(source: str, name: str = "inline") -> ParsedInline:
    """Read as much as can be read, and report every mistake with its place; see `parse_inline`.

    Args:
        source: head and marked-up text.
        name: how messages call the place, such as the file's path.
    """
    parts = front_matter.split(source)
    if parts is None:
        message = "no front matter; begin with a line ---, `id: ...`, and a line ---"
        return ParsedInline(None, (Problem("", (), message, f"{name}:1"),), {})
    head, start, line_end = parts
    meta: dict[str, Any] = {}
    problems: list[Problem] = []
    try:
        meta = front_matter.load(head)
        problems += [Problem("", (), bad, f"{name}:1") for bad in _head_problems(meta)]
    except FormatError as error:
        problems.append(Problem("", (), str(error), f"{name}:1"))
    if source.startswith(line_end, start):
        start += len(line_end)
    stop = len(source)
    if stop > start and source.endswith(line_end):
        stop = max(start, stop - len(line_end))
    body = _Body(source, name, str(meta.get("id", "")))
    _scan(body, start, stop)
    article = _build(body, meta)
    problems += body.problems
    # A tag whose own mistake is reported already would only be reported again.
    known = {problem.where for problem in body.problems}
    for problem in check_article(article, DEFAULT_SCHEMA, strict=True):
        where = _first_place(problem, body.places, f"{name}:1")
        if where not in known:
            problems.append(replace(problem, where=where))
    return ParsedInline(article, tuple(problems), dict(body.places))


def _head_problems(meta: Mapping[str, Any]) -> list[str]:
    problems = []
    if not isinstance(meta.get("id"), str) or not meta["id"].strip():
        given = meta.get("id")
        problems.append(f"front matter: `id` must be text such as own/harbour, not {given!r}")
    if "text" in meta:
        problems.append("front matter: the key `text` is not allowed; the text follows the head")
    layers = meta.get("complete_layers", [])
    if not isinstance(layers, list) or not all(isinstance(layer, str) for layer in layers):
        problems.append(f"front matter: `complete_layers` must be a list of names, not {layers!r}")
    return problems


def _first_place(problem: Problem, places: Mapping[str, str], otherwise: str) -> str:
    return next((places[name] for name in problem.span_ids if name in places), otherwise)


@dataclass(slots=True)
class _Open:
    """A tag that has been opened."""

    tag: str
    start: int
    place: int
    attributes: dict[str, str]
    rank: int


@dataclass(slots=True)
class _Body:
    """What the scanner has gathered so far."""

    source: str
    name: str
    article_id: str
    text: list[str] = field(default_factory=list)
    length: int = 0
    open: list[_Open] = field(default_factory=list)
    closed: list[tuple[_Open, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    line_starts: list[int] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", self.source))]

    def where(self, index: int) -> str:
        line = bisect_right(self.line_starts, index)
        return f"{self.name}:{line}:{index - self.line_starts[line - 1] + 1}"

    def report(self, index: int, message: str, *span_ids: str) -> None:
        self.problems.append(Problem(self.article_id, span_ids, message, self.where(index)))


def _scan(body: _Body, start: int, stop: int) -> None:
    """Walk over the marked-up text; take the tags out and keep what they span."""
    position = start
    for match in _ANGLE.finditer(body.source, start, stop):
        _add_text(body, body.source[position : match.start()])
        position = match.end()
        tag = _TAG.fullmatch(match[0])
        if tag is None or tag[2].upper() not in TAGS:
            _report_foreign(body, match, tag and tag[2])
        elif tag[1]:
            _close(body, tag[2].upper(), match)
        else:
            _open(body, tag[2].upper(), tag[3].split(), match)
        if len(body.problems) >= _MAX_PROBLEMS:
            body.report(match.start(), f"more than {_MAX_PROBLEMS} mistakes; the rest is not read")
            break
    _add_text(body, body.source[position:stop])
    for entry in body.open:
        body.report(entry.place, f"<{entry.tag}> is never closed; add </{entry.tag}>")


def _report_foreign(body: _Body, match: re.Match[str], name: str | None) -> None:
    """Say what is no tag of ours; of one name, which may be a label of the writer's, once."""
    if name in body.foreign:
        return
    shown = match[0] if len(match[0]) <= 40 else match[0][:37] + "..."
    told = (
        f"{shown!r} is not a tag; the tags are {', '.join(TAGS)}, and a literal < is written &lt;"
    )
    if name is not None:
        body.foreign.add(name)
        told += (
            "; other labels have no tag: mark them as JSON lines, or in a tool (docs/formats.md)"
        )
    body.report(match.start(), told)


def _add_text(body: _Body, chunk: str) -> None:
    plain = _ESCAPED.sub(lambda match: "<" if match[1] == "lt" else "&", chunk)
    body.text.append(plain)
    body.length += len(plain)


def _open(body: _Body, tag: str, tokens: list[str], match: re.Match[str]) -> None:
    shown, place = match[0], match.start()
    attributes: dict[str, str] = {}
    for token in tokens:
        key, equals, value = token.partition("=")
        if not equals or not value:
            body.report(place, f"{shown}: {token!r} is not key=value (no spaces around = and ,)")
        elif key not in TAGS[tag].attributes:
            known = ", ".join(TAGS[tag].attributes)
            body.report(place, f"{shown}: unknown attribute {key!r}; <{tag}> takes {known}")
        elif key in attributes:
            body.report(place, f"{shown}: {key} is given twice")
        elif value[0] in "\"'":
            body.report(place, f"{shown}: write {key}={value.strip(value[0])} without marks")
        else:
            attributes[key] = value
    for entry in body.open:
        if TAGS[entry.tag].layer == TAGS[tag].layer:
            body.report(
                place,
                f"{shown} opens inside the <{entry.tag}> of {body.where(entry.place)}; spans of "
                f"one layer ({TAGS[tag].layer}) must not overlap",
            )
    body.open.append(_Open(tag, body.length, place, attributes, len(body.closed)))


def _close(body: _Body, tag: str, match: re.Match[str]) -> None:
    matching = [entry for entry in body.open if entry.tag == tag]
    if not matching:
        body.report(match.start(), f"{match[0]} closes a tag that is not open; remove it")
        return
    entry = matching[-1]
    inner = body.open[-1]
    if inner is not entry:
        body.report(
            match.start(),
            f"{match[0]} comes before the </{inner.tag}> of {body.where(inner.place)}; tags must "
            "nest",
        )
    body.open.remove(entry)
    if body.length == entry.start:
        body.report(entry.place, f"<{tag}>{match[0]} spans nothing; remove it or move it")
    else:
        body.closed.append((entry, body.length))


def _build(body: _Body, meta: Mapping[str, Any]) -> AnnotatedArticle:
    text = "".join(body.text)
    labels: dict[str, str] = {}
    spans: list[AnnotatedSpan] = []
    for entry, end in sorted(body.closed, key=lambda item: item[0].place):
        span_id = entry.attributes.get("id", "")
        shown = f"<{entry.tag} id={span_id}>" if span_id else f"<{entry.tag}>"
        if not SPAN_ID.fullmatch(span_id):
            message = f"{shown} needs an id of letters and digits, as in id={entry.tag.lower()}1"
            body.report(entry.place, message)
            continue
        if span_id in labels:
            body.report(
                entry.place,
                f"{shown}: the id is taken by {body.places[span_id]}; ids must differ",
                span_id,
            )
            continue
        labels[span_id], body.places[span_id] = entry.tag, body.where(entry.place)
        attrs: dict[str, Any] = {}
        if entry.tag == "V":
            attrs = _quantity(body, entry, shown)
        kind = TAGS[entry.tag]
        surface = text[entry.start : end]
        spans.append(
            AnnotatedSpan(span_id, kind.layer, kind.label, entry.start, end, surface, attrs)
        )
    links = _links(body, labels)
    body.problems.sort(key=lambda problem: [int(part) for part in problem.where.rsplit(":", 2)[1:]])
    kept = {key: value for key, value in meta.items() if key not in RESERVED}
    layers = meta.get("complete_layers")
    layers = tuple(layers) if isinstance(layers, list) else LAYERS
    article = AnnotatedArticle(body.article_id, text, tuple(spans), tuple(links), layers, kept)
    return normal_order(article)


def _quantity(body: _Body, entry: _Open, shown: str) -> dict[str, Any]:
    try:
        return read_quantity(entry.attributes)
    except AttributesError as mistake:
        for message in mistake.messages:
            body.report(entry.place, f"{shown}: {message}", entry.attributes["id"])
        return {}


def _links(body: _Body, labels: Mapping[str, str]) -> list[Link]:
    links: list[Link] = []
    for entry, _ in body.closed:
        head = entry.attributes.get("id")
        for key, value in entry.attributes.items():
            if head is None or (link_type := LINKS.get((entry.tag, key))) is None:
                continue
            shown = f"<{entry.tag} id={head} {key}={value}>"
            for tail in value.split(","):
                if tail not in labels:
                    message = f"{shown}: there is no span with the id {tail!r}"
                    body.report(entry.place, message, head)
                elif labels[tail] != link_type.target:
                    body.report(
                        entry.place,
                        f"{shown}: {tail} is a <{labels[tail]}>; {key}= takes the id of a "
                        f"<{link_type.target}>",
                        head,
                    )
                else:
                    links.append(Link(link_type.name, head, tail))
    return links
