"""Articles from text files, article files (``.jsonl``) and standard input.

A file or line that cannot be read comes out as an `Extraction` with an ``error`` in its place,
so that it never takes its neighbours with it.

How a text file becomes text, and so what the offsets of its record point into::

    Path(record["id"]).read_bytes().decode(record["meta"].get("encoding", "utf-8"), "replace")

Line ends stay as they are. A byte order mark is not part of the text.
"""

from __future__ import annotations

import codecs
import json
import logging
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from claimx.errors import InputError
from claimx.types import Article, Extraction, Failure

_logger = logging.getLogger("claimx")

MAX_BYTES = 80_000_000  # of one article: the 20 million characters of `max_chars`, in UTF-8
ARTICLE_SUFFIXES = (".jsonl", ".ndjson")

# Byte order marks; UTF-32 comes first, since its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES = (
    (b"%PDF-", "a PDF file; convert it to text first"),
    (b"PK\x03\x04", "a zip or office file; convert it to text first"),
    (b"\xd0\xcf\x11\xe0", "an office file; convert it to text first"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first (`claimx archive` reads .gz)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first (`claimx archive` reads .zst)"),
    (b"PAR1", "a Parquet file (`claimx archive` reads .parquet)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
)
_CONTROLS = bytes((set(range(32)) | {127}) - set(b"\t\n\v\f\r"))
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_HIGH = bytes(range(128, 256))
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # in UTF-8, though it may not be
_WRITTEN_IN_UTF8 = re.compile("[\x80-\ufffc\ufffe-\U0010ffff]")


def read_files(
    paths: Iterable[str | os.PathLike[str]],
    *,
    standard_input: BinaryIO | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Article | Extraction]:
    """Read files one after the other; what cannot be read becomes an error record.

    Args:
        paths: text files (the id is the path as given), article files (``.jsonl``, ``.ndjson``;
            one object a line) and ``-`` for standard input as one text.
        standard_input: the stream that ``-`` reads; the process's own by default.
        max_bytes: the longest file or line that is read.

    Raises:
        InputError: if one path is given in place of several.
    """
    if isinstance(paths, str | bytes | os.PathLike):  # whose letters would be taken for paths
        raise InputError(f"many files are asked for, not one; give a list: [{paths!r}]")
    return _read_files((os.fspath(path) for path in paths), standard_input, max_bytes)


def _read_files(
    paths: Iterable[str], standard_input: BinaryIO | None, max_bytes: int
) -> Iterator[Article | Extraction]:
    for path in paths:
        try:
            if path == "-":
                stream = standard_input if standard_input is not None else sys.stdin.buffer
                yield _article(path, stream, max_bytes)
            elif Path(path).suffix.lower() in ARTICLE_SUFFIXES:
                with Path(path).open("rb") as stream:
                    yield from _articles(path, stream, max_bytes)
            else:
                with Path(path).open("rb") as stream:
                    yield _article(path, stream, max_bytes)
        except InputError as error:
            yield failed(path, error.kind, str(error))
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            yield failed(path, "unreadable", _reason(path, error))


def failed(article_id: str, kind: str, message: str) -> Extraction:
    """Return the error record of an article that could not be read."""
    return Extraction(id=article_id, error=Failure(kind, message))


def with_title(article: Article) -> Article:
    """Keep the title in ``meta``, unless that has one: a record has no other place for it."""
    if not article.title or "title" in article.meta:
        return article
    return replace(article, meta={**article.meta, "title": article.title})


def decode(data: bytes) -> tuple[str, dict[str, Any]]:
    """Turn the bytes of a text file into text.

    UTF-8 unless a byte order mark says UTF-16 or UTF-32. Bytes that are not UTF-8 are read as
    Windows-1252 if no character of the file is written in UTF-8, else each broken one becomes
    U+FFFD.

    Returns:
        The text, and what is not plain about it: ``encoding`` unless UTF-8, and
        ``undecodable`` with the number of characters that stand for broken bytes.

    Raises:
        InputError: if this is no text.
    """
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(f"this is {what}", "not_text")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _guess(data)
    text = data.decode(encoding, "replace")
    controls = _count(text.encode("utf-8"), _CONTROLS)
    broken = text.count("\ufffd") - data.count(b"\xef\xbf\xbd") * encoding.startswith("utf-8")
    # A stray NUL or two is dirt in a text; a file full of them is no text.
    if controls > max(8, len(text) // 100) or broken > max(8, len(text) // 20):
        raise InputError(
            f"this is not text: {controls:,} control characters and {max(broken, 0):,} undecodable "
            f"bytes in {len(text):,} characters, read as {encoding}",
            "not_text",
        )
    facts: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    if broken > 0:
        facts["undecodable"] = broken
    return text, facts


def _guess(data: bytes) -> str:
    """Choose between UTF-8, clean or damaged, and Windows-1252."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        some_utf8 = _WRITTEN_IN_UTF8.search(data.decode("utf-8", "replace"))
        if some_utf8 or _SURROGATE.search(data) or _count(data, _HIGH) * 5 > len(data):
            return "utf-8"
        try:
            data.decode("cp1252")
        except UnicodeDecodeError:
            return "utf-8"
        return "cp1252"
    return "utf-8"


def _count(data: bytes, wanted: bytes) -> int:
    return len(data) - len(data.translate(None, wanted))


def _reason(path: str, error: OSError | ValueError) -> str:
    """Say in words why a file cannot be opened."""
    if _ADDRESS.match(path):
        return (
            f"this is an address, which is not fetched: curl -sL {shlex.quote(path)} | "
            f"claimx extract - reads what is there, if it is plain text"
        )
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; name the files in it"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


# ---- text files ---------------------------------------------------------------------------


def _article(path: str, stream: BinaryIO, max_bytes: int) -> Article:
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise InputError(
            f"this is larger than {max_bytes:,} bytes; split it into articles, one a line of a "
            f".jsonl file or one a text file",
            "too_large",
        )
    text, facts = decode(data)
    if what := _no_prose(path, text):
        _logger.warning("%s looks like %s", path, what)
    return Article(path, text, meta=facts)


_AS_PROSE = "and is read as prose, mark-up and all; `claimx archive` reads"
_HTML = f"HTML {_AS_PROSE} .html"
_XML = f"XML {_AS_PROSE} NITF and NewsML-G2 (.xml)"
_TABLE = "a table and is read as one text; `claimx archive` reads .csv and .tsv"
_JSON = (
    "JSON and is read as one text; a .jsonl file with an object on each line, "
    '{"id": …, "text": …}, is read as articles'
)
_SUFFIXES = {
    ".html": _HTML, ".htm": _HTML, ".xhtml": _HTML, ".xml": _XML, ".json": _JSON, ".csv": _TABLE,
    ".tsv": _TABLE,
}  # fmt: skip
_BEGINNINGS = (
    (re.compile(r"\s*<(!doctype\s+html|html|head|body|script|div|p)\b", re.IGNORECASE), _HTML),
    (re.compile(r"\s*<\?xml\b"), _XML),
    (re.compile(r"\s*\[?\s*\{\s*\"[^\"\n]{0,80}\"\s*:"), _JSON),
    # A line of names, among them that of the text.
    (
        re.compile(r'(?=[^\n]*[,;\t])(?:"?\w+"?[,;\t])*"?(?:text|body|content)"?(?:[,;\t]|\s*\n)'),
        _TABLE,
    ),
)


def _no_prose(path: str, text: str) -> str | None:
    """Say what a text seems to be, by its suffix and its beginning, if it is no prose."""
    if what := _SUFFIXES.get(Path(path).suffix.lower()):
        return what
    beginning = text.removeprefix("\ufeff")[:1_000]
    return next((what for form, what in _BEGINNINGS if form.match(beginning)), None)


# ---- article files ------------------------------------------------------------------------


def _articles(path: str, stream: BinaryIO, max_bytes: int) -> Iterator[Article | Extraction]:
    for number, raw in read_lines(stream, max_bytes):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            yield _from_line(line, max_bytes)
        except InputError as error:
            yield failed(place, error.kind, str(error))


def read_lines(stream: BinaryIO, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a stream, from 1; every line in bounded memory.

    A line that is too long comes out one byte over the limit, cut there.
    """
    number = 0
    while line := stream.readline(max_bytes + 1):
        number += 1
        yield number, line
        while len(line) > max_bytes and not line.endswith(b"\n"):
            line = stream.readline(max_bytes + 1)
            if not line:
                return


def _from_line(line: bytes, max_bytes: int) -> Article:
    if len(line) > max_bytes:
        raise InputError(f"this is a line of more than {max_bytes:,} bytes", "too_large")
    return article_of(parse_line(line), line)


def article_of(record: Any, line: bytes | None = None) -> Article:
    """Build an article from a parsed JSON value.

    Args:
        record: the value.
        line: what it was parsed from, for messages.

    Raises:
        InputError: if it is no object with a string ``id`` and a string ``text``.
    """
    if line is None:
        line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")[:1000]
    if not isinstance(record, Mapping):
        raise InputError(
            f'this is not an object like {{"id": …, "text": …}} but {shown(line)}', "not_json"
        )
    problems = [
        f"`{name}` is {'missing' if name not in record else 'no ' + expected}"
        for name, (expected, fits) in _FIELDS.items()
        if not fits(record.get(name))
    ]
    if problems:
        raise InputError(f"{' and '.join(problems)} in {shown(line)}", "bad_record")
    return Article(record["id"], record["text"], record.get("title"), record.get("meta") or {})


_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "id": ("string", lambda value: isinstance(value, str)),
    "text": ("string", lambda value: isinstance(value, str)),
    "title": ("string", lambda value: value is None or isinstance(value, str)),
    "meta": ("object", lambda value: value is None or isinstance(value, Mapping)),
}


def parse_line(line: bytes, what: str = "line") -> Any:
    """Parse one line of JSON.

    Args:
        line: the bytes.
        what: what they are, for messages.

    Raises:
        InputError: if it is not UTF-8, no JSON, holds a number that JSON cannot say again, or
            gives one key of an object twice.
    """
    try:
        return json.loads(
            line.decode("utf-8"),
            parse_constant=_number,
            parse_float=_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        near = shown(line[max(0, error.start - 20) : error.start + 20])
        raise InputError(
            f"this is not UTF-8 at byte {error.start + 1} of the {what}, near {near}", "not_utf8"
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(_not_json(line.decode("utf-8"), error, what), "not_json") from error
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON that can be read: {error}", "not_json") from error


def _not_json(text: str, error: json.JSONDecodeError, what: str) -> str:
    """Say what is wrong in a text, or that its end is missing."""
    text = text.rstrip("\r\n")
    if text and (error.pos >= len(text) or error.msg.startswith("Unterminated string")):
        return (
            f"this is not JSON: the {what} breaks off after {len(text):,} characters, behind "
            f"{shown(text[-40:].encode())}; its end is missing"
        )
    near = shown(text[max(0, error.pos - 20) : error.pos + 20].encode())
    reason = error.msg.removesuffix(" at")
    return f"this is not JSON: {reason} at character {error.pos + 1:,} of the {what}, near {near}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; which of two values of one key is meant, nobody can know."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            name = shown(key.encode("utf-8", "replace"))
            raise InputError(f"the key {name} stands twice in one object", "duplicate_key")
        found[key] = value
    return found


def _number(text: str) -> float:
    """Read a float, but only one that JSON can say again."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def shown(data: bytes, width: int = 60) -> str:
    """Return the beginning of some data in quotes, for a message."""
    text = data.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= width else text[:width] + "…")
