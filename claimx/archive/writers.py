"""Shards of output records: Parquet, or JSONL packed with zstd.

Equal records in equal order give equal bytes (with the same pyarrow or zstandard): nothing that
is written speaks of the time, the machine or the run. Both formats carry checksums, Parquet one
for each page and zstd one for the whole, and reading verifies them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from claimx.archive.places import Sink, Written, opened, replacing
from claimx.archive.schema import carried, from_row, record_schema, to_row
from claimx.errors import ClaimxError, ConfigError, FormatError
from claimx.extras import needed

# A row group ends at so many rows or so many bytes of JSON; it is what a reader and the writer
# hold in memory, some ten times as large there.
ROWS_IN_GROUP = 4_096
BYTES_IN_GROUP = 8 << 20
_ROWS_AT_ONCE = 256
_CHUNK = 1 << 17


class Encoder(Protocol):
    """What turns rows into the bytes of a file."""

    def finish(self) -> None:
        """Write what is left and end the file."""

    def abandon(self) -> None:
        """Let go of everything after an error."""


class RecordEncoder(Encoder, Protocol):
    """What turns records into the bytes of a file."""

    def add(self, record: Mapping[str, Any], line: bytes, /) -> None:
        """Take a record, and its form as a line of JSON."""


AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)


class ParquetEncoder:
    """Rows of a schema as Parquet, in row groups of bounded size."""

    def __init__(self, sink: Sink, schema: Any) -> None:
        pa = needed("pyarrow", "pyarrow", "writing Parquet")
        parquet = needed("pyarrow.parquet", "pyarrow", "writing Parquet")
        self._sink, self._schema, self._table = sink, schema, pa.Table
        self._rows: list[Mapping[str, Any]] = []
        self._bytes = 0
        self._writer = parquet.ParquetWriter(
            sink, schema, compression="zstd", version="2.6", write_page_checksum=True
        )

    def add_row(self, row: Mapping[str, Any], size: int) -> None:
        """Take a row of about so many bytes; a full row group is written first."""
        if self._rows and self._bytes + size > BYTES_IN_GROUP:
            self._write_group()
        self._rows.append(row)
        self._bytes += size
        if len(self._rows) >= ROWS_IN_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        table = self._table.from_pylist(self._rows, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(self._rows))
        self._rows, self._bytes = [], 0

    def finish(self) -> None:
        """Write the last row group and the footer."""
        if self._rows:
            self._write_group()
        self._writer.close()

    def abandon(self) -> None:
        """Close the writer, which insists on a footer, without writing it anywhere."""
        self._rows = []
        self._sink.abandon()
        with suppress(Exception):
            self._writer.close()


class LinesEncoder:
    """Records as lines of JSON in one zstd frame."""

    def __init__(self, sink: Sink) -> None:
        zstd = needed("zstandard", "zstandard", "writing .zst")
        packer = zstd.ZstdCompressor(level=3, write_checksum=True)
        self._stream = packer.stream_writer(sink, closefd=False)
        self._sink = sink

    def add(self, _record: Mapping[str, Any], line: bytes, /) -> None:
        """Take a record by its line."""
        self._stream.write(line + b"\n")

    def finish(self) -> None:
        """End the frame."""
        self._stream.close()

    def abandon(self) -> None:
        """End the frame without writing it anywhere."""
        self._sink.abandon()
        with suppress(Exception):
            self._stream.close()


class RowsEncoder(ParquetEncoder):
    """Records as Parquet."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink, record_schema())

    def add(self, record: Mapping[str, Any], line: bytes, /) -> None:
        """Take a record."""
        self.add_row(to_row(record), len(line))


_ENCODERS: dict[str, Callable[[Sink], RecordEncoder]] = {
    "parquet": RowsEncoder,
    "jsonl.zst": LinesEncoder,
}
FORMATS = tuple(_ENCODERS)
# Bytes of records, of the texts in them, and of both tables, to a byte of text in UTF-8, and what
# a shard costs besides: measured on news with the packaged model (docs/archive-tables.md).
_BYTES_PER_BYTE = {"parquet": (0.66, 0.42), "jsonl.zst": (0.57, 0.22)}
_TABLE_BYTES = 0.49
_BYTES_OF_SHARD = {"parquet": 33_000, "jsonl.zst": 1_500}
_BYTES_OF_TABLES = 20_000


# ---- writing ----------------------------------------------------------------------------------


class Writer(Generic[AnyEncoder]):
    """Takes the records of one shard for one file.

    Attributes:
        encoder: what turns them into bytes.
        rows: how many rows there are so far.
    """

    def __init__(self, encoder: AnyEncoder) -> None:
        self.encoder = encoder
        self.rows = 0
        self._written: Written | None = None

    def end(self, sink: Sink) -> None:
        """End the file."""
        self.encoder.finish()
        self._written = sink.written(self.rows)

    @property
    def written(self) -> Written:
        """The finished file; only after the end of `writing`."""
        if self._written is None:
            raise RuntimeError("the file is not finished")
        return self._written


AnyWriter = TypeVar("AnyWriter", bound=Writer[Any])


@contextmanager
def writing(path: str, make: Callable[[Sink], AnyWriter]) -> Iterator[AnyWriter]:
    """Write a file that appears under its name whole or not at all.

    Args:
        path: local path or fsspec URL.
        make: makes the writer.

    Raises:
        ClaimxError: if it cannot be written, in one sentence with what to do.
    """
    with replacing(path) as sink:
        writer = make(sink)
        try:
            yield writer
            writer.end(sink)
        except BaseException:
            writer.encoder.abandon()
            raise


class ShardWriter(Writer[RecordEncoder]):
    """Takes the records of one shard.

    Attributes:
        errors: how many of them are error records.
        noted: how many carry notes.
    """

    def __init__(self, encoder: RecordEncoder) -> None:
        super().__init__(encoder)
        self.errors = self.noted = 0

    def write(self, record: Mapping[str, Any]) -> None:
        """Take a record, `Extraction.to_dict()`.

        Raises:
            ClaimxError: if it cannot be written, in one sentence with what to do.
            FormatError: if it is no record of this version's schema.
        """
        record, line = carried(record)
        self.encoder.add(record, line)
        self.rows += 1
        self.errors += record.get("error") is not None
        self.noted += bool(record.get("notes"))


@contextmanager
def open_shard(path: str, format: str) -> Iterator[ShardWriter]:
    """Write a shard that appears under its name whole or not at all.

    Args:
        path: local path or fsspec URL, with the format as its suffix.
        format: one of FORMATS.

    Yields:
        What takes the records; its ``written`` holds the hash and the size afterwards.

    Raises:
        ConfigError: if there is no such format, or the suffix is another's.
        ClaimxError: if it cannot be written, in one sentence with what to do.
    """
    if format not in _ENCODERS:
        raise ConfigError(f"the format is one of {', '.join(FORMATS)}, not {format!r}")
    if not path.endswith(f".{format}"):
        raise ConfigError(f"{path} does not end with .{format}, by which readers tell the format")
    with writing(path, lambda sink: ShardWriter(_ENCODERS[format](sink))) as writer:
        yield writer


def estimate_bytes(
    text_bytes: int, format: str, *, shards: int, with_text: bool = False, tables: bool = False
) -> int:
    """Guess the size of the output for so much text; about right for news.

    Args:
        text_bytes: the articles' texts in UTF-8.
        format: one of FORMATS.
        shards: how many files of records there will be.
        with_text: whether the records hold the text.
        tables: whether the flat tables are written as well.
    """
    records, text = _BYTES_PER_BYTE[format]
    each = _BYTES_OF_SHARD[format] + _BYTES_OF_TABLES * tables
    return round(text_bytes * (records + text * with_text + _TABLE_BYTES * tables) + shards * each)


# ---- reading ----------------------------------------------------------------------------------


def read_records(path: str) -> Iterator[dict[str, Any]]:
    """Read the records of a shard one by one, verifying its checksums.

    Args:
        path: local path or fsspec URL; the format is told by its suffix.

    Raises:
        ClaimxError: if there is no such file.
        FormatError: if it is damaged, cut off or no shard; the records before are yielded.
    """
    reader = next((read for end, read in _READERS.items() if path.endswith(f".{end}")), None)
    if reader is None:
        raise FormatError(f"{path} is no shard: it ends with none of .{', .'.join(_READERS)}")
    with opened(path) as stream:
        yield from reader(stream, path)


def scan_shard(path: str) -> Iterator[tuple[str, bool]]:
    """Read a whole shard, verifying its checksums, and return of each record only what counts.

    Yields:
        Its id, and whether it is an error record.

    Raises:
        ClaimxError: if there is no such file.
        FormatError: if it is damaged, cut off or no shard.
    """
    if not path.endswith(".parquet"):
        yield from ((record["id"], "error" in record) for record in read_records(path))
        return
    with opened(path) as stream:
        for batch in read_table(stream, path, record_schema()):
            failed = batch["error"].is_valid().to_pylist()
            yield from zip(batch["id"].to_pylist(), failed, strict=True)


def read_table(stream: BinaryIO, path: str, schema: Any) -> Iterator[Any]:
    """Read a Parquet file of a known schema batch by batch, verifying the checksums of its pages.

    Args:
        stream: the file.
        path: how to call it in errors.
        schema: the `pyarrow.Schema` that it must have.

    Yields:
        `pyarrow.RecordBatch`.

    Raises:
        FormatError: if it is damaged, cut off, or has another schema.
    """
    parquet = needed("pyarrow.parquet", "pyarrow", "reading Parquet")
    try:
        with parquet.ParquetFile(stream, page_checksum_verification=True) as file:
            if not file.schema_arrow.equals(schema):
                raise FormatError(f"{path} has other columns than this version of claimx writes")
            if file.num_row_groups:  # pyarrow 18 stumbles over a file without rows
                yield from file.iter_batches(_ROWS_AT_ONCE)
    except (OSError, ValueError, OverflowError, MemoryError) as error:  # pyarrow's are of these
        if isinstance(error, ClaimxError):
            raise
        raise _damaged(path, error) from error


def _read_parquet(stream: BinaryIO, path: str) -> Iterator[dict[str, Any]]:
    for batch in read_table(stream, path, record_schema()):
        for row in batch.to_pylist():
            yield from_row(row)


def _read_lines(stream: BinaryIO, path: str) -> Iterator[dict[str, Any]]:
    zstd = needed("zstandard", "zstandard", "reading .zst")
    try:
        for line in _unpacked_lines(stream, zstd.ZstdDecompressor().decompressobj()):
            record = json.loads(line)
            if not isinstance(record, dict) or not isinstance(record.get("id"), str):
                raise ValueError("a line is no record")
            yield record
    except (OSError, ValueError, EOFError, RecursionError, zstd.ZstdError) as error:
        raise _damaged(path, error) from error


def _unpacked_lines(stream: BinaryIO, unpacker: Any) -> Iterator[bytes]:
    """Read lines out of one frame; zstandard's own readers end quietly where a file is cut off."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *lines, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
        yield from lines
        if unpacker.unused_data:
            raise EOFError("something follows its end")
    if rest or not unpacker.eof:
        raise EOFError("it is cut off")


def _damaged(path: str, error: Exception) -> FormatError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return FormatError(f"{path} is damaged: {reason}; make this shard again")


_READERS: dict[str, Callable[[BinaryIO, str], Iterator[dict[str, Any]]]] = {
    "parquet": _read_parquet,
    "jsonl.zst": _read_lines,
}
