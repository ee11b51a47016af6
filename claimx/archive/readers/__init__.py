"""Readers: one for each format, all with one face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from claimx.archive.inputs import InputFile
from claimx.archive.language import is_english
from claimx.archive.opening import Count, open_packed, open_unpacked
from claimx.archive.readers import delimited, jsonl, newsml, parquet, plain, warc, web
from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import error_at
from claimx.archive.rows import Row
from claimx.archive.unpacking import ContainerError
from claimx.errors import InputError
from claimx.types import Article, Extraction

__all__ = ["ENDS_FILE", "READERS", "ReadOptions", "read_rows"]

Reader = Callable[[BinaryIO, str, ReadOptions], Iterator[Article | Extraction]]
READERS: dict[str, Reader] = {
    "jsonl": jsonl.read,
    "csv": delimited.read_csv,
    "tsv": delimited.read_tsv,
    "parquet": parquet.read,
    "text": plain.read,
    "html": web.read,
    "warc": warc.read,
    "newsml": newsml.read,
}
# Kinds of error after which the rest of a file is missing.
ENDS_FILE = frozenset({"truncated", "damaged", "bomb"})
NOT_ENGLISH = "not in English: passed through without reading"
NO_TEXT = "there is no text in it"


def read_rows(
    file: InputFile,
    options: ReadOptions,
    *,
    standard_input: BinaryIO | None = None,
    count: Count | None = None,
) -> Iterator[Row]:
    """Read the articles of a file; streaming, and the same rows in every run.

    An article that cannot be read is a row with an error record in its place. Where the file
    cannot be read any further (it ends too early, is damaged, or unpacks to far too much), a last
    row says so; its kind is one of `ENDS_FILE`.

    Args:
        file: the file, as `inputs.find_inputs` lists it.
        options: which columns are what, and the limits.
        standard_input: the stream that ``-`` reads; the process's own by default.
        count: told how many bytes of the file, as it lies there, are read as it goes on.

    Raises:
        InputError: if nothing of the file can be read: it is not there, is of another format,
            has no column of text.
        ClaimxError: if the disk or the network fails, or a library is missing; reading again
            later may help.
    """
    number = 0
    try:
        for item in _items(file, options, standard_input, count):
            yield _row(file, number, item, options)
            number += 1
    except ContainerError as error:
        where = f"after row {number:,}" if number else "before the first row"
        problem = InputError(f"{where}: {error}", error.kind)
        yield Row(file.path, number, error_at(file.path, problem, f"{file.path}#{error.kind}"))


def _items(
    file: InputFile, options: ReadOptions, standard_input: BinaryIO | None, count: Count | None
) -> Iterator[Article | Extraction]:
    reader = READERS[file.format]
    if file.format == "parquet":  # reads here and there, and unpacks by itself
        with open_packed(file.path, standard_input, count) as stream:
            yield from reader(stream, file.path, options)
        return
    with open_unpacked(
        file.path,
        standard_input=standard_input,
        count=count,
        max_ratio=options.max_ratio,
        max_unpacked=options.max_unpacked,
    ) as stream:
        yield from reader(stream, file.path, options)


def _row(file: InputFile, number: int, item: Article | Extraction, options: ReadOptions) -> Row:
    if isinstance(item, Article):
        if not item.text.strip():
            return Row(file.path, number, item, notes=(NO_TEXT,))
        if options.check_language and is_english(item.text) is False:
            return Row(file.path, number, item, notes=(NOT_ENGLISH,), skip=True)
    return Row(file.path, number, item)
