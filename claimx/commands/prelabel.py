"""``claimx prelabel``: a model's predictions, for a person to correct."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimx.commands.shared import (
    AddOption,
    BackendOption,
    DeviceOption,
    DtypeOption,
    LayersOption,
    ModelOption,
    chosen_schema,
    complain,
    model_schema,
    named_output,
    orderly,
)
from claimx.errors import ConfigError, InputError
from claimx.labels import LabelSchema
from claimx.outputs import refuse_output
from claimx.reading import read_files, with_title
from claimx.text import counted
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article, Extraction, Link

if TYPE_CHECKING:
    from claimx.extractor import Extractor

# Articles that are read together, so that a fault in one sends only few through the model again.
_TOGETHER = 32
_SAME_QUOTE = "same_quote"


def prelabel(
    articles: Annotated[
        list[str],
        typer.Argument(
            metavar="ARTICLE...",
            help="Text files, article files (.jsonl: one {id, text} a line), or - for standard "
            "input as one text.",
            show_default=False,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="label-studio, or another format of `claimx convert`.",
            show_default="told by FILE's suffix, else label-studio",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="A file; for brat and other formats of many files, a new folder.",
            show_default="standard output",
        ),
    ] = None,
    model: ModelOption = None,
    layers: LayersOption = None,
    add: AddOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Write a model's predictions over articles, for a person to correct, least certain first.

    An article's certainty is 1 minus the number of wrong spans that the
    scores let expect per word: first comes where most is to be corrected in
    the time that reading takes. All articles are read before the first is
    written, for the order needs them all.

    Label Studio: make a project with the output of `claimx labels`, import
    this file, correct and submit, export as JSON, and `claimx convert
    export.json mine.jsonl`. The layers that were asked for then count as
    completely annotated (complete_layers) in the articles submitted.

    Exit code: 0 every article was read, 1 some were not, 2 none was.
    """
    from claimx.formats.certainty import certainty

    with orderly():
        output = named_output(output)
        if output is not None:
            refuse_output(output, articles)
        schema = chosen_schema(model_schema(model), layers, add or [])
        options = {"backend": backend, "device": device, "dtype": dtype}
        found, failed = _predict(read_files(articles), lambda: _load(model, options), schema)
        if found:
            found.sort(key=certainty)
            _write(found, to, output)
    total = len(found) + failed
    if not total:
        complain(f"there is no article in {', '.join(articles)}")
    if failed and total > 1:
        complain(f"{failed:,} of {counted(total, 'article')} could not be read")
    if failed:
        raise typer.Exit(1 if found else 2)


def _load(model: str | None, options: dict[str, Any]) -> Extractor:
    from claimx.extractor import Extractor

    return Extractor.from_pretrained(model, **options)


# ---- predicting ---------------------------------------------------------------------------


def _predict(
    items: Iterable[Article | Extraction], load: Callable[[], Extractor], schema: LabelSchema
) -> tuple[list[AnnotatedArticle], int]:
    """Return the articles as the model sees them, and how many could not be read."""
    found: list[AnnotatedArticle] = []
    failed = 0
    extractor: Extractor | None = None
    waiting: list[Article] = []

    def run() -> int:
        nonlocal extractor
        if not waiting:
            return 0
        # Loaded at the first article, so that a mistyped path is answered at once.
        extractor = extractor or load()
        annotated, faults = _annotate(extractor, waiting)
        found.extend(_chosen(one, schema, extractor.model_name) for one in annotated)
        waiting.clear()
        return faults

    for item in items:
        if isinstance(item, Extraction):
            failed += 1
            _fault(item)
            continue
        waiting.append(with_title(item))
        if len(waiting) == _TOGETHER:
            failed += run()
    failed += run()
    return found, failed


def _annotate(
    extractor: Extractor, articles: Sequence[Article]
) -> tuple[list[AnnotatedArticle], int]:
    """Annotate articles together, or one by one where one of them cannot be read."""
    try:
        return extractor.annotate_many(articles), 0
    except InputError:
        annotated: list[AnnotatedArticle] = []
        failed = 0
        for article in articles:
            [extraction] = extractor.stream([article])
            if extraction.error is None:
                annotated += extractor.annotate_many([article])
            else:
                failed += 1
                _fault(extraction)
        return annotated, failed


def _fault(extraction: Extraction) -> None:
    message = extraction.error.message if extraction.error else ""
    told = extraction.id in message
    complain(message if told else f"{extraction.id}: {message}")


def _chosen(article: AnnotatedArticle, schema: LabelSchema, model: str) -> AnnotatedArticle:
    """Keep the layers that are to be corrected, and say whose predictions these are."""
    known = {(layer.name, label) for layer in schema.layers for label in layer.labels}
    spans = tuple(span for span in article.spans if (span.layer, span.label) in known)
    from claimx.formats.certainty import PRELABELLED_BY

    names = {span.id for span in spans}
    return replace(
        article,
        spans=spans,
        links=_to_first_parts(
            spans, [link for link in article.links if {link.head, link.tail} <= names]
        ),
        complete_layers=tuple(layer.name for layer in schema.layers),
        meta={**article.meta, PRELABELLED_BY: model},
    )


def _to_first_parts(spans: Sequence[AnnotatedSpan], links: Sequence[Link]) -> tuple[Link, ...]:
    """Let every part of a statement point at the first one, as annotations have it.

    A model chooses for each quote alone, so that its same_quote links may be chains and circles.
    """
    from claimx.linking.graph import Groups, text_order

    ordered = [span.id for span in text_order(spans)]
    number = {name: at for at, name in enumerate(ordered)}
    groups = Groups(len(ordered))
    scores: dict[int, float | None] = {}
    for link in links:
        if link.type == _SAME_QUOTE:
            head, tail = number[link.head], number[link.tail]
            groups.join(head, tail)
            scores.setdefault(tail, link.score)
            scores[head] = link.score
    found = [link for link in links if link.type != _SAME_QUOTE]
    for at, score in sorted(scores.items()):
        if (first := groups.find(at)) != at:
            found.append(Link(_SAME_QUOTE, ordered[at], ordered[first], score))
    return tuple(found)


# ---- writing ------------------------------------------------------------------------------


def _write(articles: Sequence[AnnotatedArticle], to: str | None, output: Path | None) -> None:
    """Write articles by way of `convert`, which reads back what it writes and counts losses."""
    from claimx.formats.convert import convert
    from claimx.formats.losses import Loss
    from claimx.formats.native import write_native
    from claimx.formats.registry import codec_for, codec_named

    codec = codec_named(to or "label-studio") if to or output is None else codec_for(output)
    summary = _summary(articles)
    dropped = 0
    if codec.name == "inline":  # the one format that refuses scores
        dropped = sum(len(one.spans) + len(one.links) for one in articles)
        articles = [_without_scores(one) for one in articles]
    if output is None and (codec.folders or (codec.name == "inline" and len(articles) > 1)):
        raise ConfigError(f"{codec.title} is a folder of files; name one with -o")
    with tempfile.TemporaryDirectory(prefix="claimx.") as room:
        source = Path(room) / "predictions.jsonl"
        write_native(source, articles)
        target = output or Path(room) / f"out{codec.suffixes[-1] if codec.suffixes else '.jsonl'}"
        losses = convert(source, target, "native", codec.name)
        if output is None:
            sys.stdout.flush()
            with target.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    if dropped:
        losses = replace(losses, lost=(*losses.lost, Loss("scores", dropped)))
    for line in (*losses.lines(), summary):
        complain(line)


def _without_scores(article: AnnotatedArticle) -> AnnotatedArticle:
    return replace(
        article,
        spans=tuple(replace(span, score=None) for span in article.spans),
        links=tuple(replace(link, score=None) for link in article.links),
    )


def _summary(articles: Sequence[AnnotatedArticle]) -> str:
    from claimx.formats.certainty import certainty, expected_errors

    words = sum(len(article.text.split()) for article in articles)
    wrong = sum(expected_errors(article) for article in articles)
    first = min(articles, key=certainty)
    return (
        f"about {wrong:,.0f} of the spans are expected to be wrong, "
        f"{100 * wrong / max(1, words):.1f} in 100 words; least certain is {first.id!r} "
        f"({certainty(first):.3f})"
    )
