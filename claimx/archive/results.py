"""Records of an archive run, and the articles behind them, for whoever looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from claimx.archive.inputs import find_inputs, format_of
from claimx.archive.opening import compression_of, open_unpacked
from claimx.archive.places import RECORDS, TEMPORARY, file_size, is_url, join, list_files
from claimx.archive.readers import ReadOptions, read_rows
from claimx.archive.writers import FORMATS, read_records
from claimx.errors import FormatError
from claimx.page.reading import read_items, record_of
from claimx.reading import failed, read_files
from claimx.types import Article, Extraction

_OF_MANY = ("csv", "tsv", "warc")  # which would be taken for one text
_ENDS = tuple(f".{kind}" for kind in FORMATS)


def read_results(paths: Iterable[str]) -> Iterator[Article | Extraction]:
    """Read articles and output records; what cannot be read becomes an error record.

    Args:
        paths: those of `claimx.page.reading.read_items`, records also packed or as Parquet; or
            the folder of an archive run, or that of its records, for all of them.
    """
    for path in paths:
        for file in _shards(path) or [path]:
            if file.endswith(".parquet") and file_size(file) is not None:
                yield from _rows(file)
            elif format_of(file) in _OF_MANY and file_size(file) is not None:
                reason = (
                    f"this holds many articles: read it by `claimx archive {file} --out DIR`, then "
                    f"show DIR by `claimx view DIR --texts {file}`"
                )
                yield failed(file, "not_text", reason)
            else:
                yield from read_items([file], _opened)


def _shards(path: str) -> list[str]:
    """List the files of records below a folder; none if it is no folder of an archive run."""
    if not is_url(path) and not Path(path).is_dir():
        return []
    for folder in (join(path, RECORDS), path):
        names = [name for name in list_files(folder) if "/" not in name]
        if found := [name for name in names if name.endswith(_ENDS) and TEMPORARY not in name]:
            return [join(folder, name) for name in found]
    return []


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    packed = compression_of(path) and file_size(path) is not None
    return open_unpacked(path) if packed else Path(path).open("rb")


def _rows(path: str) -> Iterator[Extraction]:
    """Read records out of Parquet."""
    number = 0
    try:
        for number, record in enumerate(read_records(path), 1):
            try:
                yield record_of(record)
            except FormatError as error:
                place = f"{path}, record {number:,}"
                yield failed(place, "bad_record", f"{place}: {error}")
    except FormatError as error:
        yield failed(f"{path}, record {number + 1:,}", "damaged", str(error))


def read_articles(paths: Iterable[str]) -> Iterator[Article | Extraction]:
    """Read articles as `claimx archive` does where it knows the format, else as text files.

    Raises:
        InputError: if nothing can be read of a file.
    """
    options = ReadOptions(check_language=False)
    for path in paths:
        if path == "-" or (Path(path).is_file() and format_of(path) is None):
            yield from read_files([path])
            continue
        for file in find_inputs([path]):
            yield from (row.item for row in read_rows(file, options))
