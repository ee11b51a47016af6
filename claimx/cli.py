"""The command ``claimx``: a thin skin over `Extractor`.

Results go to standard output, everything else to standard error. Exit codes:

* 0: every article was read
* 1: some articles could not be read; each has an error record and a line on standard error
* 2: no article could be read, the model could not be used, or the command was wrong
* 70: a fault of claimx itself
* 130: interrupted (Ctrl-C); 141: the reader of the results went away (``| head``)
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimx import __version__
from claimx.commands.archive import archive as _archive
from claimx.commands.check import check as _check
from claimx.commands.convert import convert as _convert
from claimx.commands.labels import labels as _labels
from claimx.commands.prelabel import prelabel as _prelabel
from claimx.commands.serve import serve as _serve
from claimx.commands.shared import (
    BackendOption,
    DeviceOption,
    DtypeOption,
    ModelOption,
    complain,
    orderly,
)
from claimx.commands.view import view as _view
from claimx.errors import ConfigError
from claimx.hub import known_models
from claimx.openvino_backend import processors
from claimx.plain import json_line
from claimx.reading import read_files, with_title
from claimx.text import counted
from claimx.types import Article, Extraction

if TYPE_CHECKING:
    from claimx.extractor import Extractor

app = typer.Typer(
    name="claimx",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_ABOUT = "Who said what, who they are and which numbers they claim, read from English news."
_EXTRACT = (
    "Read articles and print the quotes, people and claims found in them.\n\n"
    "On a terminal the results are made to be read; in a pipe or a file they are JSON, one "
    "record a line. An article that cannot be read does not stop the others.\n"
)
_CODES = "Exit code: 0 every article was read, 1 some were not, 2 none was."
_EXAMPLES = """
Examples:

\b
  claimx extract article.txt
  claimx extract news/*.txt --min-score 0.5 > records.jsonl
  curl -s https://example.org/story.txt | claimx extract -
  claimx extract articles.jsonl --json | jq '.claims[].quantity'
"""


class Attribution(StrEnum):
    """What counts as a quote."""

    reported = "reported"
    broad = "broad"


class Title(StrEnum):
    """What to do with a title."""

    prepend = "prepend"


_Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="Text files, article files (.jsonl: one {id, text} a line), or - for standard input "
        "as one text.",
        show_default=False,
    ),
]
_Json = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON record a line.", show_default="where the output is no terminal"
    ),
]
_View = Annotated[
    bool, typer.Option("--view", help="A readable view.", show_default="on a terminal")
]
_Attribution = Annotated[
    Attribution,
    typer.Option(help="What counts as a quote: what is said, or also intentions and stances."),
]
_MinScore = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, metavar="0…1", help="Leave out what is less sure than this."),
]
_Currency = Annotated[
    str, typer.Option(metavar="CODE", help='What a bare "$" means where the article does not say.')
]
_Title = Annotated[
    Title | None,
    typer.Option(help="Read the title as well, put before the text.", show_default="not read"),
]
_WithText = Annotated[bool, typer.Option("--with-text", help="Put the text into each JSON record.")]
_WebAnnotations = Annotated[
    bool,
    typer.Option(
        "--web-annotations",
        help="In place of each record a collection of W3C Web Annotations, one line of JSON-LD.",
    ),
]


@app.command(no_args_is_help=True, help=f"{_EXTRACT}\n{_EXAMPLES}\n{_CODES}")
def extract(
    files: _Files,
    as_json: _Json = False,
    view: _View = False,
    attribution: _Attribution = Attribution.reported,
    min_score: _MinScore = 0.0,
    currency: _Currency = "USD",
    title: _Title = None,
    with_text: _WithText = False,
    web_annotations: _WebAnnotations = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Read articles and print the quotes, people and claims found in them."""
    options = {
        "backend": backend,
        "device": device,
        "dtype": dtype,
        "attribution": attribution.value,
        "min_score": min_score,
        "currency": currency,
        "title": title.value if title else None,
    }
    with orderly():
        asked = {"--json": as_json, "--view": view, "--web-annotations": web_annotations}
        show = _writer([name for name, value in asked.items() if value], with_text=with_text)
        read = failed = 0
        for extraction in _results(read_files(files), lambda: _load(model, **options)):
            if extraction.error is None:
                read += 1
            else:
                failed += 1
                complain(_located(extraction.id, extraction.error.message))
            show(extraction)
    if not read + failed:
        complain(f"there is no article in {', '.join(files)}")
    if failed and read + failed > 1:
        complain(f"{failed:,} of {counted(read + failed, 'article')} could not be read")
    if failed:
        raise typer.Exit(1 if read else 2)


@app.command()
def info(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Say which versions, backend, device, number type and model are in use."""
    facts: dict[str, Any] = {
        "claimx": __version__,
        "python": platform.python_version(),
        **{name: _version_of(name) for name in ("torch", "transformers", "tokenizers", "openvino")},
        "system": platform.platform(),
        "processors": processors(),
        "models": list(known_models()),
    }
    with orderly():
        try:
            extractor = _load(model, backend=backend, device=device, dtype=dtype)
            facts |= {
                "model": extractor.model_name,
                "backend": extractor.backend,
                "device": extractor.device,
                "dtype": extractor.dtype,
            }
            if extractor.device != "cpu":
                facts["note"] = "nothing was measured on GPUs yet: docs/performance.md"
        finally:  # the versions are wanted most where the model does not load
            _write(
                json.dumps(facts, ensure_ascii=False)
                if as_json
                else "\n".join(
                    f"{name:<13} {', '.join(value) if isinstance(value, list) else value}"
                    for name, value in {**facts, "claimx": f"{__version__} ({_NO_MODEL})"}.items()
                )
            )


_NO_MODEL = "the package; a model has a version of its own"

app.command(name="archive", no_args_is_help=True)(_archive)
app.command(name="check", no_args_is_help=True)(_check)
app.command(name="convert", no_args_is_help=True)(_convert)
app.command(name="prelabel", no_args_is_help=True)(_prelabel)
app.command(name="labels")(_labels)
app.command(name="serve")(_serve)
app.command(name="view", no_args_is_help=True)(_view)


@app.callback(invoke_without_command=True, help=f"{_ABOUT}\n{_EXAMPLES}")
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.")
    ] = False,
) -> None:
    if show_version:
        _write(f"claimx {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises, never shows a traceback.

    Args:
        arguments: the words after ``claimx``; those of the process by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test or a notebook may have put something else here
            # A terminal keeps its encoding: the view spells what it cannot show.
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    # Loading bars and reports of the libraries are no news to someone who reads articles.
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    warnings = logging.StreamHandler(sys.stderr)
    warnings.setFormatter(logging.Formatter("claimx: %(message)s"))
    logging.getLogger("claimx").addHandler(warnings)
    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="claimx")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:
        if os.environ.get("CLAIMX_TRACEBACK"):
            raise
        complain(
            f"unexpected {type(error).__name__}: {' '.join(str(error).split())} "
            f"(a fault of claimx; CLAIMX_TRACEBACK=1 shows where)"
        )
        return 70
    finally:
        logging.getLogger("claimx").removeHandler(warnings)
    return 0


_QUIET = {
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}


def _load(model: str | None, **options: Any) -> Extractor:
    from claimx.extractor import Extractor

    return Extractor.from_pretrained(model, **options)


def _results(
    items: Iterator[Article | Extraction], load: Callable[[], Extractor]
) -> Iterator[Extraction]:
    """Run articles through the model; error records of reading keep their places among them.

    The model is loaded at the first article, so that a mistyped path is answered at once.
    """
    for item in items:
        if isinstance(item, Article):
            yield from _in_order(load().stream, chain([item], items))
        else:
            yield item


def _in_order(
    stream: Callable[[Iterable[Article]], Iterable[Extraction]],
    items: Iterable[Article | Extraction],
) -> Iterator[Extraction]:
    # `stream` keeps the order but may take several articles before it returns the first.
    waiting: deque[Extraction | None] = deque()  # None stands for an article under way

    def articles() -> Iterator[Article]:
        for item in items:
            waiting.append(item if isinstance(item, Extraction) else None)
            if isinstance(item, Article):
                yield with_title(item)

    for extraction in stream(articles()):
        while waiting and (failure := waiting.popleft()):
            yield failure
        yield extraction
    yield from filter(None, waiting)


def _writer(asked: Sequence[str], *, with_text: bool) -> Callable[[Extraction], None]:
    """Choose how results are shown, by the options that say so, one at most."""
    if len(asked) > 1:
        raise ConfigError(f"{' and '.join(asked)} contradict one another: choose one of them")
    form = asked[0] if asked else "--view" if sys.stdout.isatty() else "--json"
    if asked and with_text and form != "--json":
        raise ConfigError(f"--with-text belongs to JSON records, which {form} does not write")
    if form == "--web-annotations":
        return _write_annotations
    if form == "--json":
        return lambda extraction: _write(extraction.to_json(with_text=with_text))
    from rich.console import Console, ConsoleDimensions

    from claimx.terminal.view import print_extraction

    console = Console(file=sys.stdout)
    if console.is_dumb_terminal:  # of which rich takes for granted that it has 80 columns
        console.size = ConsoleDimensions(*shutil.get_terminal_size())

    def show(extraction: Extraction) -> None:
        if extraction.error is None:  # else the line on standard error says it all
            with console.capture() as capture:
                print_extraction(extraction, console)
            _write("\n".join(line.rstrip() for line in capture.get().split("\n")))

    return show


def _write_annotations(extraction: Extraction) -> None:
    from claimx.integrations.web_annotation import annotation_collection

    if extraction.error is None:  # else the line on standard error says it all
        _write(json_line(annotation_collection(extraction)))


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _located(article_id: str, message: str) -> str:
    return message if article_id in message else f"{article_id}: {message}"


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
