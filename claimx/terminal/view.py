"""The readable view of one article: its sentences, who said what, claims and people."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from claimx.page.naming import Names
from claimx.render import clean
from claimx.terminal import lists
from claimx.terminal.pen import Pen
from claimx.terminal.text import article, legend
from claimx.text import counted
from claimx.types import Extraction

_RULE = 4  # cells of the line beside a title


def print_extraction(extraction: Extraction, console: Console) -> None:
    """Print the readable view of one article.

    Args:
        extraction: what was found; with its text, or else the sentences are not shown.
        console: where to; its width, encoding and styles are used.
    """
    console.print(view(extraction, Pen.of(console)), highlight=False)


def view(extraction: Extraction, pen: Pen) -> RenderableType:
    """Build the readable view of one article for a terminal."""
    title = pen.cut(clean(extraction.id), pen.width - _RULE)
    parts: list[RenderableType] = [
        Rule(Text(title, style="bold cyan"), align="left", style="cyan"),
        pen.text(_facts(extraction), "dim"),
    ]
    if extraction.error is not None:
        parts.append(pen.text(clean(extraction.error.message), "red"))
    elif not (extraction.quotes or extraction.claims or extraction.people):
        parts.append(pen.text("no quotes, claims or people found", "dim"))
    else:
        parts += _sections(Names(extraction, prefix="", level=1), pen)
    notes = [pen.text(f"note: {clean(note)}", "dim") for note in extraction.notes]
    if notes:
        parts += [Text(), *notes]
    return Group(*parts, Text())


def _sections(names: Names, pen: Pen) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if names.text:
        shown, sentences = article(names, pen)
        title = pen.text("Text", "bold")
        if shown:
            title.append(f"  {shown}", "not bold dim")
        parts += [Text(), title, legend(pen), Text(), *sentences]
    for heading, body in (
        ("Who said what", lists.said(names, pen)),
        ("Claims", lists.claims(names, pen)),
        ("People", lists.people(names, pen)),
    ):
        if body is not None:
            parts += [Text(), Text(heading, style="bold"), body]
    return parts


def _facts(extraction: Extraction) -> str:
    if extraction.error is not None:
        return "not read"
    words = [
        counted(len(extraction.quotes), "quote"),
        counted(len(extraction.claims), "claim"),
        counted(len(extraction.people), "person", "people"),
    ]
    if extraction.model:
        words.append(clean(extraction.model))
    if extraction.attribution not in (None, "reported"):
        words.append(f"{extraction.attribution} attribution")
    return " · ".join(words)
