"""Annotated articles with their places: in which file, on which line, and where each span is."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from claimx.checking.findings import context
from claimx.checking.phenomena import lift_words
from claimx.errors import FormatError
from claimx.formats import front_matter
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.detection import detect
from claimx.formats.inline import parse_inline_report, read_source
from claimx.formats.native import read_numbered
from claimx.formats.registry import codec_named
from claimx.labels import LabelSchema
from claimx.types import AnnotatedArticle

_GATHERED = (".txt", ".jsonl", ".jsonl.gz")
_FIRST_BYTES = 2**20
_ANNOTATED = {"spans", "links", "complete_layers"}


@dataclass(frozen=True, slots=True)
class Placed:
    """An article and where it was read.

    Args:
        article: the article.
        file: the file.
        format: the name of its format.
        split: what it is split by: the folder of an inline file, else the file itself.
        line: its line, where a file holds one article a line.
        places: span id -> ``file:line:column`` of its opening tag, in inline files.
        first_line: the line on which the text of an inline file begins.
        checked: whether it was held against the strict checks while it was read.
    """

    article: AnnotatedArticle
    file: str
    format: str
    split: str
    line: int | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    first_line: int | None = None
    checked: bool = False


@dataclass(slots=True)
class Loaded:
    """Everything that was read.

    Args:
        articles: the articles that could be read, those of inline files with mistakes as well.
        problems: what could not be read, or is wrong with an inline file: the file, the problem
            and the source around it.
        notes: what was passed over, and why.
        broken: positions in ``articles`` of those that have problems already.
    """

    articles: list[Placed] = field(default_factory=list)
    problems: list[tuple[str, Problem, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)


def load(paths: Sequence[Path], schema: LabelSchema) -> Loaded:
    """Read all annotated articles of some files and folders.

    Args:
        paths: files in any annotation format, and folders, which are searched to the bottom
            for native and inline files; a folder of brat or XMI files counts as one data set.
        schema: finds the layer of a label that stands alone.

    Raises:
        FormatError: if one of them cannot be read at all, or there is no article.
    """
    loaded = Loaded()
    seen: set[Path] = set()
    for path in paths:
        for file in _files(path):
            if (resolved := file.resolve()) not in seen:
                seen.add(resolved)
                _load_file(file, schema, loaded)
    if not loaded.articles and not loaded.problems:
        told = f" ({'; '.join(loaded.notes)})" if loaded.notes else ""
        raise FormatError(f"{', '.join(map(str, paths))}: there is no annotated article{told}")
    return loaded


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    if any(next(path.rglob(f"*{suffix}"), None) for suffix in (".ann", ".xmi")):
        yield path
        return
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.name.lower().endswith(_GATHERED)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.is_file()
    ]
    if not files:
        raise FormatError(f"{path}: the folder holds no file of {', '.join(_GATHERED)}")
    yield from files


def _load_file(file: Path, schema: LabelSchema, loaded: Loaded) -> None:
    # A text file is taken for inline mark-up even where its head is broken, so that this is said.
    is_text = file.suffix.lower() == ".txt" and file.is_file()
    name = "inline" if is_text else _format_of(file, loaded)
    if name == "inline":
        _load_inline(file, loaded)
    elif name == "native":
        _load_native(file, loaded)
    elif name:
        problems: list[Problem] = []
        for article in codec_named(name).read(file, Reading(problems.append, schema=schema)):
            loaded.articles.append(Placed(article, str(file), name, str(file)))
        loaded.problems += [(str(file), problem, "") for problem in problems]


def _format_of(file: Path, loaded: Loaded) -> str | None:
    """Return the format's name; None for what holds no text, or no annotations."""
    record = _first_record(file) if file.is_file() else None
    if record is not None and "text" not in record:
        if "spans" in record and any(str(key).endswith("sha256") for key in record):
            loaded.notes.append(f"{file}: holds no text, and is passed over; attach its text first")
            return None
        if "spans" in record and "id" in record:
            return "native"  # whose reader says what is missing
    name = detect(file)
    if name == "native" and record is not None and not record.keys() & _ANNOTATED:
        loaded.notes.append(f"{file}: holds articles without annotations, and is passed over")
        return None
    return name


def _first_record(file: Path) -> Mapping[str, object] | None:
    """Return the first line of a JSONL file as far as it is an object."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            record = json.loads(stream.readline(_FIRST_BYTES))
    except (OSError, EOFError, ValueError, RecursionError):
        return None  # its reader says it better
    return record if isinstance(record, dict) else None


def _load_native(file: Path, loaded: Loaded) -> None:
    problems: list[Problem] = []
    for number, article in read_numbered(file, problems.append):
        loaded.articles.append(Placed(article, str(file), "native", str(file), number))
    loaded.problems += [(str(file), problem, "") for problem in problems]


def _load_inline(file: Path, loaded: Loaded) -> None:
    source = read_source(file)
    parsed = parse_inline_report(source, str(file))
    article = parsed.article
    loaded.problems += [
        (str(file), problem, _source_at(source, problem.where)) for problem in parsed.problems
    ]
    if article is None:
        return
    if parsed.problems:
        loaded.broken.add(len(loaded.articles))
    article = replace(article, meta=lift_words(article.meta))
    loaded.articles.append(
        Placed(
            article,
            str(file),
            "inline",
            str(file.parent),
            None,
            parsed.places,
            _first_line(source),
            True,
        )
    )


def _first_line(source: str) -> int | None:
    parts = front_matter.split(source)
    if parts is None:
        return None
    _, start, line_end = parts
    start += len(line_end) * source.startswith(line_end, start)
    return source.count("\n", 0, start) + 1


def _source_at(source: str, where: str) -> str:
    """Show the source of an inline file at ``file:line:column``, its tag marked."""
    place = re.search(r":(\d+):(\d+)$", where)
    if place is None:
        return ""
    lines = source.split("\n")
    line, column = int(place[1]) - 1, int(place[2]) - 1
    if line >= len(lines):
        return ""
    tag = re.compile(r"<[^<>]*>|.?").match(lines[line], column)
    return context(lines[line], column, tag.end() if tag else column + 1)
