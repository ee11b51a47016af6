"""``claimx view``: one HTML page that shows articles with what was found in them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimx.commands.shared import (
    BackendOption,
    DeviceOption,
    DtypeOption,
    ModelOption,
    complain,
    orderly,
)
from claimx.outputs import refuse_no_file, refuse_output
from claimx.page.document import page
from claimx.page.reading import join_texts
from claimx.reading import with_title
from claimx.render import write_whole
from claimx.text import counted
from claimx.types import Article, Extraction

if TYPE_CHECKING:
    from claimx.extractor import Extractor

_MOST = 100  # articles on one page


def view(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|RECORDS",
            help="Articles as for `claimx extract`, or output records: .jsonl, packed or not, "
            "Parquet, or the folder of `claimx archive`.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="PAGE",
            help="The page, such as page.html, or - for standard output.",
        ),
    ],
    texts: Annotated[
        list[str] | None,
        typer.Option(
            "--texts",
            metavar="FILE",
            help="Articles to join, by id, with records that were made without --with-text; in "
            "every format of `claimx archive`.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Show this article alone; may be given again."),
    ] = None,
    attribution: Annotated[str, typer.Option(help="reported or broad.")] = "reported",
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, metavar="0…1")] = 0.0,
    currency: Annotated[str, typer.Option(metavar="CODE")] = "USD",
    title: Annotated[
        str | None, typer.Option(help="prepend reads the title before the text.")
    ] = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Write one HTML page that shows articles with their quotes, speakers, people and claims.

    The page needs no network and opens from disk. Articles are read with a
    model first; records are shown as they are, and the options of the model
    do nothing for them. A page holds 100 articles at most.

    Exit code: 0 every article is shown, 1 some could not be read, 2 none was.
    """
    from claimx.archive.results import read_results

    with orderly():
        if str(output) != "-":
            refuse_no_file(output)
            refuse_output(output, [*files, *(texts or [])])
        wanted = (item for item in read_results(files) if not only or item.id in only)
        items = list(islice(wanted, _MOST + 1))
        more = len(items) > _MOST
        options = {
            "backend": backend,
            "device": device,
            "dtype": dtype,
            "attribution": attribution,
            "min_score": min_score,
            "currency": currency,
            "title": title,
        }
        found = _read(items[:_MOST], texts or [], lambda: _load(model, options))
        for one in found:
            if one.error is not None:
                told = one.id in one.error.message
                complain(one.error.message if told else f"{one.id}: {one.error.message}")
        failures = sum(one.error is not None for one in found)
        if len(found) > failures:
            notice = f"These are the first {_MOST} articles; there are more." if more else ""
            _write(output, page(found, notice))
            complain(_summary(output, found, more=more))
    if not found:
        complain(f"there is no article{' of that id' if only else ''} in {', '.join(files)}")
    if failures or not found:
        raise typer.Exit(1 if len(found) > failures else 2)


def _load(model: str | None, options: dict[str, Any]) -> Extractor:
    from claimx.extractor import Extractor

    return Extractor.from_pretrained(model, **options)


def _read(
    items: Iterable[Article | Extraction], texts: list[str], load: Callable[[], Extractor]
) -> list[Extraction]:
    """Extract the articles and join the records with their texts; all in their order."""
    from claimx.archive.results import read_articles

    items = list(items)
    articles = [with_title(item) for item in items if isinstance(item, Article)]
    found = [item for item in items if isinstance(item, Extraction)]
    records = iter(join_texts(found, texts, read_articles))
    read = iter(load().stream(articles)) if articles else iter(())
    return [next(read if isinstance(item, Article) else records) for item in items]


def _write(output: Path, html: str) -> None:
    if str(output) != "-":
        write_whole(output, html)
        return
    sys.stdout.write(html)
    sys.stdout.flush()


def _summary(output: Path, found: list[Extraction], *, more: bool) -> str:
    quotes = counted(sum(len(one.quotes) for one in found), "quote")
    claims = counted(sum(len(one.claims) for one in found), "claim")
    articles = counted(len(found), "article")
    if more:
        articles = f"the first {articles} (choose others with --id)"
    place = "standard output" if str(output) == "-" else output
    return f"{place}: {articles}, {quotes}, {claims}; open it in a browser"
