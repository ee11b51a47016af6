"""Who said what, the claims and the people of an article, below its sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from claimx.page.naming import NOBODY, Names
from claimx.render import clean, listed, normal_form
from claimx.terminal.pen import Pen
from claimx.terminal.text import NUMBER_STYLE, letter, tint
from claimx.types import Claim, Quote

_NONE = "–"
_WRITER = "the article"
_NUMERIC = ("#", "Score", "Mentions")
_NARROW = 64  # cells below which a table's rows are written one below another
_LONGEST_SURFACE = 120
_LONGEST_NAME = 24
_LEAST_OF_QUOTE = 50  # cells of a quote that are shown on the narrowest terminal


# ---- who said what ------------------------------------------------------------------------


def said(names: Names, pen: Pen) -> RenderableType | None:
    """List the sources in the order of the text, each with everything that it said."""
    by_source: dict[int | None, list[Quote]] = {
        **{number: [] for number in range(len(names.extraction.sources))},
        None: [],
    }
    for quote in names.extraction.quotes:
        by_source[names.source_number(quote)].append(quote)
    parts: list[RenderableType] = []
    for source, quotes in by_source.items():
        if quotes:
            parts += [_source(names, pen, source), _quotes(pen, names, quotes)]
    return Group(*parts) if parts else None


def _source(names: Names, pen: Pen, number: int | None) -> RenderableType:
    style = f"bold {tint(names, number)}"
    line = pen.text(NOBODY)
    if number is not None:
        source = names.extraction.sources[number]
        line = pen.text(names.source_name(source), style)
        if described := names.source_described(source):
            line.append(pen.spelled(f" · {described}"), "not bold default")
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_column(min_width=2)
    row.add_column(overflow="fold")
    row.add_row(Text(letter(names, number), style), line)
    return Padding(row, (0, 0, 0, 2))


def _quotes(pen: Pen, names: Names, quotes: Sequence[Quote]) -> RenderableType:
    """List quotes with their scores; what the text above shows whole is cut to a line."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=4)
    table.add_column(ratio=1, overflow="fold")
    room = max(pen.width - 21, _LEAST_OF_QUOTE)
    for quote in quotes:
        words = ("… " if quote.continues else "") + clean(quote.text)
        words = pen.cut(words, room) if names.text else pen.spelled(words)
        table.add_row(pen.text(f"{quote.score:.2f}", "dim"), _with_kind(quote.kind, words, pen))
    return Padding(table, (0, 0, 0, 5))


def _with_kind(kind: str, words: str, pen: Pen) -> RenderableType:
    if pen.width < _NARROW:
        return Text.assemble((f"{kind}  ", "dim"), words)
    row = Table.grid(padding=(0, 2, 0, 0), expand=True)
    row.add_column(width=8)
    row.add_column(ratio=1, overflow="fold")
    row.add_row(Text(kind, "dim"), Text(words))
    return row


# ---- claims -------------------------------------------------------------------------------


def claims(names: Names, pen: Pen) -> RenderableType | None:
    """List the claims under the numbers that they have in the text."""
    rows = [
        (
            pen.text(str(number), NUMBER_STYLE),
            pen.text(_short(clean(_stated(claim)))),
            pen.text(normal_form(claim.quantity), "bold"),
            pen.text(clean(claim.measured.text) if claim.measured else _NONE),
            _claimed_by(names, pen, claim),
            pen.text(f"{claim.score:.2f}", "dim"),
        )
        for number, claim in enumerate(names.extraction.claims, start=1)
    ]
    titles = ("#", "As stated", "Value", "Of what", "Claimed by", "Score")
    return _table(pen, titles, rows) if rows else None


def _stated(claim: Claim) -> str:
    """The quantity as the text states it; what it measures has a column of its own."""
    modifier = claim.modifier
    if modifier is None:
        return claim.quantity.text
    words = [modifier.text, claim.quantity.text]
    return " ".join(words if modifier.start < claim.quantity.start else reversed(words))


def _short(text: str) -> str:
    """Cut an endless surface in its middle; the record has it whole."""
    if len(text) <= _LONGEST_SURFACE:
        return text
    return f"{text[: _LONGEST_SURFACE - 41].rstrip()} … {text[-38:].lstrip()}"


def _claimed_by(names: Names, pen: Pen, claim: Claim) -> Text:
    """Name the source with its letter; the list of sources has its name whole."""
    number = names.quote_numbers.get(claim.quote) if claim.quote else None
    if number is None:
        return pen.text(_WRITER, "dim")
    name = names.claimed_by(claim)
    source = names.source_number(names.extraction.quotes[number])
    line = pen.text(letter(names, source), tint(names, source))
    return line.append(" " + pen.cut(name, _LONGEST_NAME), "default")


# ---- people -------------------------------------------------------------------------------


def people(names: Names, pen: Pen) -> RenderableType | None:
    """List the people with their roles and affiliations, also those who say nothing."""
    rows = [
        (
            pen.text(clean(person.name), "bold"),
            pen.text(listed(person.roles) or _NONE),
            pen.text(listed(person.affiliations) or _NONE),
            pen.text(str(len(person.mentions)), "dim"),
        )
        for person in names.extraction.people
    ]
    titles = ("Name", "Roles", "Affiliations", "Mentions")
    return _table(pen, titles, rows) if rows else None


# ---- tables -------------------------------------------------------------------------------


def _table(pen: Pen, titles: Sequence[str], rows: Iterable[Sequence[Text]]) -> RenderableType:
    """Return a table, or on a narrow terminal a card for each row."""
    if pen.width < _NARROW:
        return Group(*(_card(pen, titles, row, first=not at) for at, row in enumerate(rows)))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        justify: JustifyMethod = "right" if title in _NUMERIC else "left"
        table.add_column(title, header_style="dim", overflow="fold", justify=justify)
    for row in rows:
        table.add_row(*row)
    return Padding(table, (0, 0, 0, 2))


def _card(pen: Pen, titles: Sequence[str], row: Sequence[Text], *, first: bool) -> RenderableType:
    card = Table.grid(padding=(0, 2, 0, 0))
    card.add_column(style="dim", no_wrap=True)
    card.add_column(overflow="fold")
    for title, cell in zip(titles, row, strict=True):
        if cell.plain != pen.spelled(_NONE):
            card.add_row(title.lower(), cell)
    return Padding(card, (0 if first else 1, 0, 0, 2))
