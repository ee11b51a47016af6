"""JSON lines: one object a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import build, error_at, find_columns, too_large
from claimx.errors import InputError
from claimx.reading import parse_line, read_lines, shown
from claimx.types import Article, Extraction


def read(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the article of each line, or why it is none; blank lines are no articles."""
    for number, raw in read_lines(stream, options.max_bytes):
        if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise InputError(f"{path}: this is UTF-16; save it as UTF-8", "not_utf8")
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            yield _article(line, place, options)
        except InputError as error:
            yield error_at(place, error)


def _article(line: bytes, place: str, options: ReadOptions) -> Article | Extraction:
    if len(line) > options.max_bytes:
        raise too_large("line", options.max_bytes)
    record = parse_line(line)
    if not isinstance(record, Mapping):
        raise InputError(
            f'this is not an object like {{"id": …, "text": …}} but {shown(line)}', "not_json"
        )
    return build(record, find_columns(record, options), place, options)
