"""The column with the article: its text, character for character, with everything marked in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from re import Match

from claimx.page.marks import REFERENCES, Layer, Mark, Segment, marks_of, segments
from claimx.page.markup import Html, element, escape, join
from claimx.page.naming import LINE, Names

_INWARD: tuple[Layer, ...] = ("quantity", "identity", "attribution")
_QUOTES = ("direct", "mixed", "indirect")
_LONG = 100_000  # characters from which on paragraphs are laid out when they come into sight


def text_column(names: Names) -> Html:
    """Return the article's text in paragraphs; their text content is exactly the text."""
    text = names.text
    lines = [line for line in LINE.finditer(text) if not line.group().isspace()]
    cuts = list(chain.from_iterable(line.span() for line in lines))
    pieces = segments(len(text), marks_of(names.extraction), cuts)
    by_line: dict[int, list[Segment]] = defaultdict(list)
    starts = iter([*(line.start() for line in lines), len(text)])
    here, following = -1, next(starts)
    for piece in pieces:
        if piece.start == following:
            here, following = following, next(starts, len(text))
        by_line[here].append(piece)
    return element(
        "div",
        *_paragraphs(names, lines, by_line),
        class_="text long" if len(text) > _LONG else "text",
        id=f"{names.prefix}-text",
    )


def _paragraphs(
    names: Names, lines: list[Match[str]], by_line: dict[int, list[Segment]]
) -> Iterator[Html]:
    """Yield the lines as paragraphs, and between them the white space as it stands."""
    text = names.text
    first = lines[0].start() if lines else len(text)
    yield escape(text[:first])
    ends = [*(line.start() for line in lines[1:]), len(text)][: len(lines)]
    gaps = [text[line.end() : end] for line, end in zip(lines, ends, strict=True)]
    airy = any(_is_blank(gap) for gap in gaps[:-1])
    for line, gap in zip(lines, gaps, strict=True):
        content = [
            _segment(names, piece) for piece in by_line[line.start()] if piece.start < line.end()
        ]
        if line.end() == names.headline:
            title = f"{names.prefix}-title"
            yield element(f"h{names.level}", *content, class_="headline", id=title)
        else:
            yield element("p", *content, class_="tight" if airy and not _is_blank(gap) else None)
        yield escape(gap)


def _is_blank(gap: str) -> bool:
    """Say whether there is an empty line between two lines."""
    return len(gap.splitlines()) > 1


def _segment(names: Names, piece: Segment) -> Html:
    """Return one stretch with its marks, those of quantities innermost."""
    content = escape(names.text[piece.start : piece.end])
    for layer in _INWARD:
        marks = [mark for mark in piece.marks if mark.layer == layer]
        if marks:
            content = _marked(names, piece, marks, content)
    return content


def _marked(names: Names, piece: Segment, marks: list[Mark], content: Html) -> Html:
    """Return a stretch with the marks of one layer; what begins here is called "new"."""
    beginning = [mark for mark in marks if mark.start == piece.start]
    attributes: dict[str, str] = {}
    for mark in marks:
        numbers = " ".join(map(str, mark.references))
        key = REFERENCES[mark.kind]
        attributes[key] = f"{attributes[key]} {numbers}" if key in attributes else numbers
    classes = [mark.kind for mark in marks] + ["new"] * bool(beginning)
    if marks[0].layer == "attribution":
        classes.append(_tint(names, marks))
        badges = [
            _badge(names, number)
            for mark in beginning
            if mark.kind in _QUOTES
            for number in mark.references
        ]
        content = join([*badges, content])
    if marks[0].layer == "identity":
        attributes["data_t"] = f"{max(mark.score for mark in marks):.2f}"
        if any(_is_first_mention(names, mark) for mark in beginning):
            attributes["id"] = f"{names.prefix}-at{piece.start}"
    claim = next((mark.references[0] for mark in beginning if mark.kind == "quantity"), None)
    if claim is not None:
        attributes["id"] = f"{names.prefix}-c{claim}"
        attributes["href"] = f"#{names.prefix}-claim{claim}"
        attributes["aria_describedby"] = f"{names.prefix}-claim{claim}"
    return element(
        "span" if claim is None else "a",
        content,
        class_=" ".join(dict.fromkeys(classes)),
        **attributes,
    )


def _is_first_mention(names: Names, mark: Mark) -> bool:
    people = (names.extraction.people[number] for number in mark.references)
    return mark.kind == "person" and any(one.mentions[0].start == mark.start for one in people)


def _tint(names: Names, marks: list[Mark]) -> str:
    """Return the tint of the source that says the first quote that is meant."""
    number = next((number for mark in marks for number in mark.references), None)
    quote = None if number is None else names.extraction.quotes[number]
    return names.tint(None if quote is None else names.source_number(quote))


def _badge(names: Names, number: int) -> Html:
    """Return the letter of a quote's source; it can be focused and leads to the list.

    Its letter is drawn by the style sheet, so that it is no part of the text.
    """
    quote = names.extraction.quotes[number]
    source = names.source_number(quote)
    return element(
        "a",
        class_=f"badge {names.tint(source)}",
        id=f"{names.prefix}-q{number}",
        href=f"#{names.prefix}-said{number}",
        data_letter=names.letter(source),
        aria_label=names.quote_label(number),
    )
