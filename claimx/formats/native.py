"""The native annotation format: JSONL, one article a line, UTF-8, plain or gzipped.

Offsets are code points. Reading streams and goes on after a bad line; everything that is wrong
is raised together at the end, or handed to the caller line by line.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from claimx.errors import AnnotationError, FormatError
from claimx.formats.checks import SHOWN, OnError, Problem, raise_problems
from claimx.formats.sources import MAX_BYTES, open_file, parse_json, start_of, to_json
from claimx.outputs import beside
from claimx.types import AnnotatedArticle

MAX_DECOMPRESSED = 2 * 2**30
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Field of a record -> the type that it must have; `types.py` checks what is inside.
_FIELDS: dict[str, type] = {
    "id": str,
    "text": str,
    "meta": dict,
    "spans": list,
    "links": list,
    "complete_layers": list,
}


def read_native(
    path: Path | str, on_error: OnError | None = None, max_bytes: int = MAX_DECOMPRESSED
) -> Iterator[AnnotatedArticle]:
    """Read annotated articles one by one.

    Args:
        path: a ``.jsonl`` or ``.jsonl.gz`` file; gzip is told by suffix or content.
        on_error: called for each bad line, which is then left out. Without it the bad lines are
            collected, and raised together after the last good article.
        max_bytes: how large a gzipped file may become.

    Yields:
        The articles of the good lines, in the order of the file.

    Raises:
        AnnotationError: naming file, line and offending text of each bad line.
        FormatError: if the file is missing, or no whole gzip file, or becomes too large.
    """
    problems: list[Problem] = []
    report = problems.append if on_error is None else on_error
    try:
        for _, article in read_numbered(path, report, max_bytes):
            yield article
    except FormatError as error:
        for problem in problems[:SHOWN]:
            error.add_note(str(problem))
        raise
    raise_problems(problems)


def read_numbered(
    path: Path | str, on_error: OnError, max_bytes: int = MAX_DECOMPRESSED
) -> Iterator[tuple[int, AnnotatedArticle]]:
    """Read annotated articles with the numbers of their lines; see `read_native`.

    Args:
        path: a ``.jsonl`` or ``.jsonl.gz`` file.
        on_error: called for each bad line, which is then left out.
        max_bytes: how large a gzipped file may become.

    Yields:
        Line number and article of the good lines.

    Raises:
        FormatError: if the file is missing, or no whole gzip file, or becomes too large.
    """
    for number, line in enumerate(_lines(Path(path), max_bytes), start=1):
        if not line.strip():
            continue
        try:
            article = _article(line)
        except AnnotationError as error:
            on_error(Problem("", (), str(error), f"{path}:{number}"))
            continue
        yield number, article


def write_native(path: Path | str, articles: Iterable[AnnotatedArticle]) -> int:
    """Write annotated articles; the file appears whole or not at all.

    The bytes depend on the articles alone: no time, no file name in a gzip head.

    Args:
        path: a ``.jsonl`` or ``.jsonl.gz`` file, replaced if it is there.
        articles: what to write, in this order.

    Returns:
        How many articles were written.

    Raises:
        AnnotationError: if an article has no JSON form: a lone surrogate, a value that is not
            a plain JSON type.
    """
    count = 0
    with replacing(Path(path)) as stream:
        for article in articles:
            stream.write(_line(article))
            count += 1
    return count


# ---- reading ------------------------------------------------------------------------------


def _lines(path: Path, max_bytes: int) -> Iterator[bytes]:
    """Yield the lines; only a line feed ends one, since text may hold U+2028 and the like."""
    try:
        with open_file(path) as raw:
            packed = path.suffix == ".gz" or raw.read(2) == _GZIP
            raw.seek(0)
            lines = _gzip_lines(raw, path, max_bytes) if packed else _bounded_lines(raw, path)
            for index, line in enumerate(lines):
                yield line.removeprefix(_BYTE_ORDER_MARK) if index == 0 else line
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error


def _bounded_lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(MAX_BYTES + 1):
        number += 1
        if len(line) > MAX_BYTES:
            raise FormatError(
                f"{path}:{number}: the line is longer than {MAX_BYTES // 2**20} MiB; "
                "a line is one article"
            )
        yield line


def _gzip_lines(raw: BinaryIO, path: Path, max_bytes: int) -> Iterator[bytes]:
    if not raw.read(1):
        raise FormatError(f"{path}: empty, not a gzip file")
    raw.seek(0)
    size, number = 0, 1
    try:
        with gzip.GzipFile(fileobj=raw) as stream:
            for line in _bounded_lines(cast(BinaryIO, stream), path):
                size += len(line)
                if size > max_bytes:
                    raise FormatError(
                        f"{path}:{number}: becomes larger than {max_bytes} bytes when "
                        "decompressed; split it, or raise max_bytes"
                    )
                yield line
                number += 1
    except EOFError as error:
        raise FormatError(f"{path}:{number}: the gzip file is cut short; fetch it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"{path}:{number}: no sound gzip file: {error}") from error


def _article(line: bytes) -> AnnotatedArticle:
    """Read one line, or raise `AnnotationError` saying all that is wrong with it."""
    record = parse_json(line)
    if not isinstance(record, dict):
        raise AnnotationError(f"not a JSON object: {start_of(line.decode('utf-8'))}")
    _check_fields(record, line.decode("utf-8"))
    return AnnotatedArticle.from_dict(record)


def _check_fields(record: dict[str, Any], source: str) -> None:
    """Refuse fields of the wrong type, which `AnnotatedArticle.from_dict` takes on trust."""
    wrong = [
        f"`{name}` must be a {kind.__name__}, not {start_of(json.dumps(record[name]))}"
        for name, kind in _FIELDS.items()
        if name in record and not isinstance(record[name], kind)
    ]
    missing = [f"`{name}` is missing" for name in ("id", "text") if name not in record]
    if not wrong:
        wrong += _wrong_items(record)
    if problems := missing + wrong:
        raise AnnotationError(f"{'; '.join(problems)}: {start_of(source)}")


def _wrong_items(record: dict[str, Any]) -> Iterator[str]:
    for item in (*record.get("spans", ()), *record.get("links", ())):
        if not isinstance(item, dict):
            continue  # said by from_dict
        name = f"{item.get('type', 'span')} {item.get('id', item.get('head'))}"
        if not isinstance(item.get("attrs") or {}, dict):
            yield f"{name}: `attrs` must be an object, not {item['attrs']!r}"
        score = item.get("score")
        if isinstance(score, bool) or not isinstance(score, int | float | None):
            yield f"{name}: `score` must be a number, not {score!r}"
        for key in ("id", "layer", "label", "type", "head", "tail"):
            if key in item and not isinstance(item[key], str):
                yield f"{name}: `{key}` must be a string, not {item[key]!r}"
    for layer in record.get("complete_layers", ()):
        if not isinstance(layer, str):
            yield f"`complete_layers` holds {layer!r}, which is no string"


# ---- writing ------------------------------------------------------------------------------


def _line(article: AnnotatedArticle) -> bytes:
    return to_json(article.to_dict(), article.id).encode("utf-8") + b"\n"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside the target, and rename it over the target if all goes well.

    Args:
        path: the target; with the suffix ``.gz`` what is written is packed.

    Yields:
        A binary stream.
    """
    with beside(path) as temporary, temporary.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        else:
            yield raw
        raw.flush()
        if temporary.is_file():  # a pipe is no disk
            os.fsync(raw.fileno())
