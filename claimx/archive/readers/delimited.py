"""CSV and TSV with a header: RFC 4180 quotes, line ends and line breaks inside fields."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO

from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import Columns, build, error_at, find_columns, too_large
from claimx.archive.unpacking import ContainerError
from claimx.errors import InputError
from claimx.text import counted
from claimx.types import Article, Extraction

_BROKEN = re.compile("[\udc80-\udcff]")  # how "surrogateescape" passes broken bytes on
_ENDS = ("\n", "\r")


def read_csv(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the article of each record; told by the header, fields end at "," or ";" or tab."""
    return _read(stream, path, options, ",;\t")


def read_tsv(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the article of each record; fields end at a tab."""
    return _read(stream, path, options, "\t")


def _read(
    stream: BinaryIO, path: str, options: ReadOptions, delimiters: str
) -> Iterator[Article | Extraction]:
    encoding, errors = _encoding(stream)
    text = io.TextIOWrapper(stream, encoding, errors, newline="")
    lines = _Lines(text, options.max_bytes)
    header, delimiter, columns = _header(lines, path, options, delimiters)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        place = f"{path}:{lines.number + 1}"
        try:
            with _field_limit(options.max_bytes):
                fields = next(reader)
        except StopIteration:
            return
        except ContainerError:  # the rest of the file is missing, not of one record
            raise
        except InputError as error:
            lines.skip_record()
            yield error_at(place, error)
            continue
        except csv.Error as error:
            yield error_at(place, _csv_error(error, lines))
            continue
        if not fields:
            continue
        try:
            yield _article(fields, header, columns, place, options)
        except InputError as error:
            yield error_at(place, error)


def _article(
    fields: list[str], header: list[str], columns: Columns, place: str, options: ReadOptions
) -> Article | Extraction:
    if any(map(_BROKEN.search, fields)):
        raise InputError("this is not UTF-8; save the file as UTF-8", "not_utf8")
    if len(fields) != len(header):
        raise InputError(
            f"it has {counted(len(fields), 'field')}, but the header has {len(header)}",
            "bad_record",
        )
    return build(dict(zip(header, fields, strict=True)), columns, place, options)


def _encoding(stream: BinaryIO) -> tuple[str, str]:
    """UTF-8, where broken bytes cost their record alone; UTF-16 where a mark says so."""
    head = stream.peek(4) if isinstance(stream, io.BufferedReader) else b""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", "replace"
    return "utf-8-sig", "surrogateescape"


def _header(
    lines: _Lines, path: str, options: ReadOptions, delimiters: str
) -> tuple[list[str], str, Columns]:
    """Read the names of the columns with the first delimiter that makes sense of them."""
    lines.begin()
    try:
        first = next(lines, "")
        while first and not first.strip():
            first = next(lines, "")
    except InputError as error:
        raise InputError(f"{path}:1: this is no header: {error}", error.kind) from error
    if not first:
        raise InputError(f"{path}: there is nothing in it, not even a header", "no_header")
    problem: Exception | None = None
    for delimiter in delimiters:
        try:
            names = next(csv.reader([first], delimiter=delimiter, strict=True))
            names = [name.strip() or f"column {n}" for n, name in enumerate(names, 1)]
            columns = find_columns(names, options)
        except (InputError, csv.Error) as error:
            problem = problem or error
            continue
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise InputError(f"{path}:1: two columns are called `{twice[0]}`", "no_header")
        return names, delimiter, columns
    raise InputError(
        f"{path}:1: the first line must name the columns: {problem}", "no_header"
    ) from problem


def _csv_error(error: csv.Error, lines: _Lines) -> InputError:
    message = str(error)
    if "unexpected end" in message:
        message = (
            f"a quotation mark that opens here is not closed up to line {lines.number:,}, the last"
        )
    return InputError(f"this is no CSV: {message}", "bad_record")


@contextmanager
def _field_limit(size: int) -> Iterator[None]:
    """Let `csv` read long fields; its own limit of 128 KiB holds for the whole process."""
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, size))
    try:
        yield
    finally:
        csv.field_size_limit(before)


class _Lines:
    """Feeds `csv.reader` line by line and stops it before a record gets too long.

    Attributes:
        number: of the line read last, from 1.
    """

    def __init__(self, stream: TextIO, max_bytes: int) -> None:
        self._stream, self._max = stream, max_bytes
        self.number = 0
        self._size = self._quotes = 0
        self._last = ""

    def begin(self) -> None:
        """Begin a record."""
        self._size = self._quotes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        if not line:
            raise StopIteration
        if self._size > self._max:
            raise too_large("record", self._max)
        return line

    def skip_record(self) -> None:
        """Read on to the end of the record: the line end outside quotation marks."""
        while self._quotes % 2 or not self._last.endswith(_ENDS):
            if not self._next():
                return

    def _next(self) -> str:
        begins = self._last.endswith(_ENDS) or not self._last
        # A character is a byte at least: a line that is cut here is over the limit.
        self._last = line = self._stream.readline(self._max + 1)
        self.number += begins and bool(line)
        self._size += len(line)
        self._quotes += line.count('"')
        return line
