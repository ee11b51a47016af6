"""Flat tables made from records: one row a quote, one row a claim, everything joined in.

They are written shard by shard as ``quotes/<shard>.parquet`` and ``claims/<shard>.parquet``, not as
one file at the end: a shard's tables are done when the shard is, also on a cluster, where no
machine comes last, and after a crash no more is made again than one shard. DuckDB, pandas and
polars read a folder of files as one table (docs/archive-tables.md).

Names, roles and affiliations are lists in the record and one string here, joined by "; " in the
order of the record, each surface once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from claimx.archive.places import CLAIMS, QUOTES, join
from claimx.archive.schema import carried
from claimx.archive.writers import ParquetEncoder, Writer, writing
from claimx.errors import ConfigError
from claimx.extras import needed

Record = Mapping[str, Any]
Row = dict[str, Any]

# Column -> Parquet type; a question mark where null is possible.
_SPEAKER = {
    "speaker": "string?",
    "speaker_start": "int32?",
    "speaker_end": "int32?",
    "speaker_score": "double?",
    "speaker_name": "string?",
    "source_id": "string?",
    "source_kind": "string?",
    "source_name": "string?",
    "persons": "string?",
    "roles": "string?",
    "affiliations": "string?",
}
_COLUMNS = {
    QUOTES: {
        "article_id": "string",
        "quote_id": "string",
        "quote_start": "int32",
        "quote_end": "int32",
        "quote": "string",
        "quote_kind": "string",
        "quote_score": "double",
        "continues": "string?",
        "cue": "string?",
        **_SPEAKER,
    },
    CLAIMS: {
        "article_id": "string",
        "claim_id": "string",
        "claim_start": "int32",
        "claim_end": "int32",
        "claim": "string",
        "claim_score": "double",
        "modifier": "string?",
        "measured": "string?",
        "quantity": "string",
        "value": "double?",
        "low": "double?",
        "high": "double?",
        "unit": "string?",
        "quantity_kind": "string?",
        "quantity_modifier": "string",
        "quantity_change": "string",
        "quote_id": "string?",
        "quote": "string?",
        "quote_kind": "string?",
        **_SPEAKER,
    },
}


@cache
def table_schema(table: str) -> Any:
    """Return the `pyarrow.Schema` of a table, ``quotes`` or ``claims``.

    Raises:
        ClaimxError: if pyarrow is not installed.
    """
    pa = needed("pyarrow", "pyarrow", "writing tables")
    types = {"string": pa.string(), "int32": pa.int32(), "double": pa.float64()}
    return pa.schema([
        pa.field(name, types[kind.rstrip("?")], nullable=kind.endswith("?"))
        for name, kind in _COLUMNS[table].items()
    ])  # fmt: skip


# ---- rows -------------------------------------------------------------------------------------


def quote_rows(record: Record) -> Iterator[Row]:
    """Return the rows of ``quotes`` for one record; none for one that failed.

    A part of a statement without a speaker of its own has that of the first part.
    """
    voices = _Voices(record)
    for quote in record.get("quotes", ()):
        yield {
            "article_id": record["id"],
            "quote_id": quote["id"],
            "quote_start": quote["start"],
            "quote_end": quote["end"],
            "quote": quote["text"],
            "quote_kind": quote["kind"],
            "quote_score": quote["score"],
            "continues": quote["continues"],
            "cue": _text(quote["cue"]),
            **voices.of(quote),
        }


def claim_rows(record: Record) -> Iterator[Row]:
    """Return the rows of ``claims`` for one record; none for one that failed.

    The quote that holds the claim and its speaker are joined in; they are null where the article
    itself makes the claim.
    """
    voices = _Voices(record)
    quotes = {quote["id"]: quote for quote in record.get("quotes", ())}
    for claim in record.get("claims", ()):
        quantity, quote = claim["quantity"], quotes.get(claim["quote"])
        yield {
            "article_id": record["id"],
            "claim_id": claim["id"],
            "claim_start": claim["start"],
            "claim_end": claim["end"],
            "claim": claim["text"],
            "claim_score": claim["score"],
            "modifier": _text(claim["modifier"]),
            "measured": _text(claim["measured"]),
            "quantity": quantity["text"],
            **{name: quantity[name] for name in ("value", "low", "high", "unit")},
            **{f"quantity_{name}": quantity[name] for name in ("kind", "modifier", "change")},
            "quote_id": claim["quote"],
            "quote": quote and quote["text"],
            "quote_kind": quote and quote["kind"],
            **voices.of(quote),
        }


class _Voices:
    """The speakers of one record, as columns."""

    def __init__(self, record: Record) -> None:
        self._quotes = {quote["id"]: quote for quote in record.get("quotes", ())}
        self._sources = {source["id"]: source for source in record.get("sources", ())}
        self._names = {person["id"]: person["name"] for person in record.get("people", ())}

    def of(self, quote: Record | None) -> Row:
        """Return the columns of `_SPEAKER` for a quote, or all null without one."""
        speaker = quote and (quote["speaker"] or self._first(quote)["speaker"])
        if not speaker:
            return dict.fromkeys(_SPEAKER)
        source = self._sources.get(speaker["source"], {})
        return {
            "speaker": speaker["text"],
            "speaker_start": speaker["start"],
            "speaker_end": speaker["end"],
            "speaker_score": speaker["score"],
            "speaker_name": speaker["name"],
            "source_id": speaker["source"],
            "source_kind": source.get("kind"),
            "source_name": source.get("name"),
            "persons": _joined(self._names.get(person) for person in speaker["persons"]),
            "roles": _joined(role["text"] for role in speaker["roles"]),
            "affiliations": _joined(body["text"] for body in speaker["affiliations"]),
        }

    def _first(self, quote: Record) -> Record:
        first: Record = self._quotes.get(quote["continues"], quote)
        return first


def _text(span: Record | None) -> str | None:
    return None if span is None else span["text"]


def _joined(surfaces: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(filter(None, surfaces))) or None


# ---- files ------------------------------------------------------------------------------------

TABLES: dict[str, Callable[[Record], Iterator[Row]]] = {QUOTES: quote_rows, CLAIMS: claim_rows}


class TableWriter(Writer[ParquetEncoder]):
    """Takes the records of one shard and writes their rows of one table."""

    def __init__(self, table: str, encoder: ParquetEncoder) -> None:
        super().__init__(encoder)
        self._rows_of = TABLES[table]

    def write(self, record: Record) -> None:
        """Take a record, the same that the shard gets.

        Raises:
            ClaimxError: if it cannot be written, in one sentence with what to do.
        """
        record, _ = carried(record)
        for row in self._rows_of(record):
            self.encoder.add_row(row, _size(row))
            self.rows += 1


def _size(row: Row) -> int:
    """Guess the bytes of a row: 8 a column and what its strings hold."""
    return 8 * len(row) + sum(len(value) for value in row.values() if isinstance(value, str))


def table_path(folder: str, table: str, shard: str) -> str:
    """Return where a shard's part of a table is."""
    return join(folder, table, f"{shard}.parquet")


@contextmanager
def open_table(folder: str, table: str, shard: str) -> Iterator[TableWriter]:
    """Write a shard's part of a table, whole or not at all.

    Args:
        folder: the output folder.
        table: one of TABLES.
        shard: name of the shard.

    Yields:
        What takes the records; its ``written`` describes the file afterwards.

    Raises:
        ConfigError: if there is no such table.
        ClaimxError: if it cannot be written, in one sentence with what to do.
    """
    if table not in TABLES:
        raise ConfigError(f"the tables are {', '.join(TABLES)}; there is no {table!r}")
    path, schema = table_path(folder, table, shard), table_schema(table)
    with writing(path, lambda sink: TableWriter(table, ParquetEncoder(sink, schema))) as writer:
        yield writer
