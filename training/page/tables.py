"""Tables of the page: figures with their intervals, and which label words were read as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from claimx.page.markup import Html, element, escape, words
from training.page.charts import axis, interval_chart, share_scale
from training.report import Table

_STEPS = (0.0, 0.01, 0.03, 0.1, 0.3)  # shares of a row from which on a cell is tinted darker


def scrolling(*content: Html) -> Html:
    """Let wide content scroll by itself, by keyboard too."""
    return element("div", *content, class_="wide", tabindex=0, role="region",
                   aria_label="Table; scrolls sideways where it is wide")  # fmt: skip


def row(cells: Iterable[Html], *, head: bool = False, **attributes: str | None) -> Html:
    """Return a row of ready cells."""
    made = element("tr", *cells, **attributes)
    return element("thead", made) if head else made


def name(text: str, **attributes: str) -> Html:
    """Return the cell that names a row."""
    return element("th", words(text), scope="row", **attributes)


def column(text: str, *, number: bool = True) -> Html:
    """Return the cell that names a column."""
    return element("th", words(text), scope="col", class_="number" if number else None)


def figure(text: str) -> Html:
    """Return a cell with a number."""
    return element("td", words(text), class_="number")


def figures(table: Table) -> Html:
    """Return a table of figures; a column of drawn intervals follows the names of its rows."""
    drawn = any(table.intervals)
    scale = share_scale(table.intervals)
    unnamed = "95% interval" if drawn else ""
    head = [
        column(text or unnamed, number=at >= table.names) for at, text in enumerate(table.header)
    ]
    if drawn:
        head.insert(table.names, element("th", axis(scale), scope="col"))
    rows = []
    for at, cells in enumerate(table.rows):
        made = [
            *(name(text) for text in cells[: table.names]),
            *(figure(text) for text in cells[table.names :]),
        ]
        if drawn:
            interval = table.intervals[at]
            chart = [interval_chart(interval, scale)] if interval else []
            made.insert(table.names, element("td", *chart))
        total = "all" in cells[: table.names] and cells[0] != "all"
        rows.append(row(made, class_="total" if total else None))
    content = element("table", row(head, head=True), element("tbody", *rows))
    return element("section", element("h3", words(table.title)), scrolling(content))


# ---- confusion ----------------------------------------------------------------------------


def confusion(tables: Mapping[str, Any]) -> Iterator[Html]:
    """Return a table for each layer: words by their label in gold and in the prediction."""
    for layer, table in tables.items():
        labels = ["no label" if label == "O" else label for label in table["labels"]]
        head = [column("gold \\ model", number=False), *map(column, labels)]
        rows = [
            row([name(label), *_shaded(counts, at)])
            for at, (label, counts) in enumerate(zip(labels, table["matrix"], strict=True))
        ]
        content = element("table", row(head, head=True), element("tbody", *rows), class_="matrix")
        yield element("section", element("h3", words(layer)), scrolling(content))


def _shaded(counts: Sequence[int], own: int) -> Iterator[Html]:
    """Return the cells of a row: count, share of the row, darker the more of it is confused."""
    total = sum(counts)
    for at, count in enumerate(counts):
        share = count / total if total else 0.0
        step = sum(share > least for least in _STEPS)
        shade = "own" if at == own else f"shade{step}"
        yield element(
            "td",
            escape(f"{count:,}"),
            element("small", escape(f"{100 * share:.1f}%" if count else "")),
            class_=f"number {shade}",
        )
