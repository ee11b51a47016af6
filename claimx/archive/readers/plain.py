"""Text files: one article a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import error_at, too_large
from claimx.errors import InputError
from claimx.reading import decode
from claimx.types import Article, Extraction


def read(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the one article; its id is the path, its encoding unless UTF-8 is in ``meta``."""
    try:
        data = stream.read(options.max_bytes + 1)
        if len(data) > options.max_bytes:
            raise too_large("file", options.max_bytes)
        text, facts = decode(data)
    except InputError as error:
        yield error_at(path, error)
        return
    yield Article(path, text, meta=facts)
