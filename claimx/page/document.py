"""The page itself: its head, one section an article, and an index where there are several."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from claimx.page.markup import Html, element, escape, words
from claimx.page.naming import Names, short
from claimx.page.shell import asset, skip_link, whole_page
from claimx.page.side import side_column
from claimx.page.text import text_column
from claimx.text import counted
from claimx.types import Extraction

_MOST_META = 40
_LONGEST_META = 200
_LEGEND = (
    ("direct tint0", "direct quote"),
    ("mixed tint0", "partly in marks"),
    ("indirect tint0", "reported quote"),
    ("speaker tint0", "speaker"),
    ("cue", "cue"),
    ("person", "person"),
    ("role", "role"),
    ("affiliation", "affiliation"),
    ("quantity", "quantity"),
    ("modifier", "modifier"),
    ("measured", "thing measured"),
)


def page(extractions: Sequence[Extraction], notice: str = "") -> str:
    """Return one self-contained HTML page that shows articles with what was found in them.

    Args:
        extractions: with their texts; those with an ``error`` are named as not read.
        notice: a sentence to show at the top.
    """
    single = len(extractions) == 1
    names = [Names(found, f"a{at}", 1 if single else 2) for at, found in enumerate(extractions)]
    title = names[0].title if single else f"{len(names):,} articles"
    return whole_page(
        f"{short(title)} · claimx",
        skip_link("Skip to the text"),
        *_top(names, title, notice),
        element("main", _legend(), *(_article(each) for each in names), id="main"),
        style=asset("claimx.page", "page.css"),
        script=asset("claimx.page", "page.js"),
    )


def _top(names: Sequence[Names], title: str, notice: str) -> Iterator[Html]:
    if notice:
        yield element("p", words(notice), class_="notice")
    if len(names) == 1:
        return
    entries = (
        element(
            "li",
            element("a", words(each.title), href=f"#{each.prefix}"),
            element("small", escape(f" {_counts(each.extraction)}")),
        )
        for each in names
    )
    yield element(
        "header",
        element("h1", escape(title)),
        element("nav", element("ol", *entries), aria_label="Articles"),
        class_="index",
    )


def _legend() -> Html:
    samples = (
        element("li", element("span", escape(name), class_=classes)) for classes, name in _LEGEND
    )
    box = element("input", type="checkbox", class_="labels")
    return element(
        "div",
        element("ul", *samples, aria_label="How things are marked"),
        element("label", box, escape(" name every mark")),
        class_="legend",
    )


def _article(names: Names) -> Html:
    found = names.extraction
    title = f"{names.prefix}-title"
    facts = " · ".join(filter(None, (found.id, found.model, _scope(found))))
    header = [element("p", words(facts), class_="kicker")]
    if not names.headline:
        header.append(element(f"h{names.level}", words(names.title), class_="headline", id=title))
    header.append(element("p", escape(_counts(found)), class_="facts"))
    header += [element("p", words(f"Note: {note}"), class_="note") for note in found.notes]
    header += _meta(found)
    content = [element("header", *header)]
    if found.error is None:
        columns = (text_column(names), side_column(names))
        content.append(element("div", *columns, class_="columns"))
        strip = element("p", class_="strip", aria_hidden="true", hidden=True)
        content.append(strip)
    return element("article", *content, id=names.prefix, aria_labelledby=title)


def _scope(found: Extraction) -> str:
    return "" if found.attribution in (None, "reported") else f"{found.attribution} attribution"


def _counts(found: Extraction) -> str:
    if found.error is not None:
        return f"not read: {short(found.error.message, _LONGEST_META)}"
    counts = (
        counted(len(found.quotes), "quote"),
        counted(len(found.claims), "claim"),
        counted(len(found.people), "person", "people"),
    )
    return " · ".join(counts)


def _meta(found: Extraction) -> list[Html]:
    """Return what came with the article, folded away."""
    if not found.meta:
        return []
    rows = []
    for key, value in list(found.meta.items())[:_MOST_META]:
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        rows += [
            element("dt", escape(short(str(key)))),
            element("dd", escape(short(said, _LONGEST_META))),
        ]
    if len(found.meta) > _MOST_META:
        rows.append(element("dd", escape(f"and {len(found.meta) - _MOST_META:,} more")))
    return [element("details", element("summary", escape("About it")), element("dl", *rows))]
