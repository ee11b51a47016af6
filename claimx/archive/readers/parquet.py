"""Parquet, a few rows at a time.

Bytes become base64 in ``meta``; dates, times and decimals strings as Arrow prints them (ISO 8601
with a "T"); durations a number of seconds; numbers that are not finite null.

What is in memory: the pages that are being read and 64 rows. Text and binary columns are read as
dictionaries, so that a value that a small file repeats a thousand times is in memory once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from claimx.archive.opening import STANDARD_INPUT
from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import (
    Columns,
    build,
    error_at,
    find_columns,
    plain,
    too_large,
)
from claimx.archive.unpacking import ContainerError
from claimx.errors import InputError
from claimx.extras import needed
from claimx.reading import decode
from claimx.types import Article, Extraction

_ROWS = 64
_BUFFER = 1 << 20
_PRINTED = ("date", "time", "decimal")  # starts of Arrow's names
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def read(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the article of each row; page checksums are verified where the file has them."""
    if path == STANDARD_INPUT:
        raise InputError("Parquet cannot be read from standard input; name the file", "unreadable")
    arrow = needed("pyarrow", "pyarrow", "reading Parquet")
    parquet = needed("pyarrow.parquet", "pyarrow", "reading Parquet")
    broken = (arrow.ArrowException, OSError, ValueError)
    try:
        size = stream.seek(0, io.SEEK_END)
        metadata = parquet.ParquetFile(stream).metadata
        file = parquet.ParquetFile(
            stream,
            metadata=metadata,
            read_dictionary=_text_columns(metadata),
            page_checksum_verification=True,
            buffer_size=_BUFFER,
            pre_buffer=False,
        )
    except broken as error:
        raise InputError(f"{path}: this is no sound Parquet file: {error}", "damaged") from error
    columns = _columns(arrow, file.schema_arrow, path, options)
    number = 0
    for group in range(file.num_row_groups):
        _check_size(file.metadata, group, size, options)
        batches = file.iter_batches(_ROWS, row_groups=[group], use_threads=False)
        while True:
            try:
                batch = next(batches, None)
            except broken as error:
                raise ContainerError(
                    f"row group {group + 1} is damaged: {error}", "damaged"
                ) from error
            if batch is None:
                break
            for row in range(batch.num_rows):
                number += 1
                yield _article(arrow, batch, row, columns, f"{path}:{number}", options)


def _columns(arrow: Any, schema: Any, path: str, options: ReadOptions) -> Columns:
    try:
        columns = find_columns(schema.names, options)
        if len(set(schema.names)) != len(schema.names):
            raise InputError("two columns have one name")
        kind = schema.field(columns.text).type
        if arrow.types.is_dictionary(kind):
            kind = kind.value_type
        types = arrow.types
        tests = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
        if not any(test(kind) for test in tests):
            raise InputError(f"column `{columns.text}` is {kind}, no text")
    except InputError as error:
        raise InputError(f"{path}: {error}", "bad_record") from error
    return columns


def _text_columns(metadata: Any) -> list[str]:
    schema = metadata.schema
    columns = (schema.column(number) for number in range(metadata.num_columns))
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _check_size(metadata: Any, group: int, size: int, options: ReadOptions) -> None:
    """Refuse a file that says itself that it unpacks to far more than text does.

    Asked are the groups alone: pyarrow ends the process where it is asked for a column whose
    description is damaged; in reading, it raises.
    """
    unpacked = sum(metadata.row_group(number).total_byte_size for number in range(group + 1))
    if unpacked > options.max_unpacked and unpacked > options.max_ratio * size:
        raise ContainerError(
            f"the {size:,} bytes of the file unpack to {unpacked:,} and more by row group "
            f"{group + 1}, over {options.max_ratio:g} times as much",
            "bomb",
        )


def _article(
    arrow: Any, batch: Any, row: int, columns: Columns, place: str, options: ReadOptions
) -> Article | Extraction:
    budget = _Budget(options.max_bytes)
    record: dict[str, Any] = {}
    try:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            value = _value(arrow, column[row], budget)
            if name == columns.text and isinstance(value, bytes):
                value, facts = decode(value)
                record |= facts
            record[name] = plain(value)
    except UnicodeDecodeError as error:
        return error_at(place, InputError(f"column `{name}` is not UTF-8: {error}", "not_utf8"))
    except InputError as error:
        return error_at(place, error)
    return build(record, columns, place, options)


class _Budget:
    """Counts the bytes of one row, so that none is built that is over the limit."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise too_large("row", self._size)


def _value(arrow: Any, scalar: Any, budget: _Budget) -> Any:
    """Turn an Arrow value into a Python value, nested ones piece by piece."""
    kind = scalar.type
    if isinstance(scalar, arrow.DictionaryScalar):
        return _value(arrow, scalar.value, budget) if scalar.is_valid else None
    budget.spend(8)
    if not scalar.is_valid:
        return None
    name = str(kind)
    if name.startswith(_PRINTED):
        return _printed(arrow, scalar)
    if name.startswith("duration"):
        return scalar.value / _UNITS[kind.unit]
    convert = next((convert for test, convert in _NESTED if getattr(arrow.types, test)(kind)), None)
    if convert:
        return convert(arrow, scalar, budget)
    if isinstance(scalar, arrow.StringScalar | arrow.BinaryScalar):
        budget.spend(scalar.as_buffer().size)
    return scalar.as_py()


def _printed(arrow: Any, scalar: Any) -> str:
    """Print a date or decimal; Python's own types cannot hold all of them."""
    try:
        printed = str(scalar.cast(arrow.string()).as_py())
        return printed.replace(" ", "T", 1) if arrow.types.is_timestamp(scalar.type) else printed
    except arrow.ArrowException:  # a time zone that is not known here
        return str(scalar.value)


def _list(arrow: Any, scalar: Any, budget: _Budget) -> list[Any]:
    return [_value(arrow, item, budget) for item in scalar.values]


def _pairs(arrow: Any, scalar: Any, budget: _Budget) -> list[list[Any]]:
    return [list(_value(arrow, item, budget).values()) for item in scalar.values]


def _struct(arrow: Any, scalar: Any, budget: _Budget) -> Mapping[str, Any]:
    return {key: _value(arrow, item, budget) for key, item in scalar.items()}


_NESTED: tuple[tuple[str, Callable[[Any, Any, _Budget], Any]], ...] = (
    ("is_struct", _struct),
    ("is_map", _pairs),
    ("is_list", _list),
    ("is_large_list", _list),
    ("is_fixed_size_list", _list),
)
