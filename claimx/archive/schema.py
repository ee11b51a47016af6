"""The output record as a row with typed, nested columns.

The columns are the keys of the record (version 1, docs/formats.md) in its order, and two more:
``error``, null unless the article failed, and ``text``, null unless it was asked for. An error
record has empty lists, and null for the text's hash, the model and the attribution. ``meta`` is
the user's own and has no fixed type: it is one JSON object as a string.

The numbers of a quantity are doubles. On the way back one without a fraction is an int, as in the
record; beyond 2**53 a double is the nearest one to the int that was.

Strings are valid Unicode, and numbers finite: see `plain`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from claimx.errors import FormatError
from claimx.extras import needed
from claimx.text import replace_surrogates
from claimx.types import SCHEMA_VERSION, Number

_LISTS = ("notes", "quotes", "sources", "people", "claims")
# In the order of the record; the last two are this form's own.
COLUMNS = (
    "schema", "id", "text_sha256", "model", "attribution", "meta", *_LISTS, "error", "text",
)  # fmt: skip
_OF_EVERY_RECORD = ("schema", "id", "meta")
_NUMBERS = ("value", "low", "high")


@cache
def record_schema() -> Any:
    """Return the `pyarrow.Schema` of the output record.

    Raises:
        ClaimxError: if pyarrow is not installed.
    """
    pa = needed("pyarrow", "pyarrow", "reading and writing Parquet")

    def always(name: str, kind: Any) -> Any:
        return pa.field(name, kind, nullable=False)

    def strings() -> Any:
        return pa.list_(always("element", pa.string()))

    def many(item: Any) -> Any:
        return pa.list_(always("element", item))

    place = [
        always("start", pa.int32()),
        always("end", pa.int32()),
        always("text", pa.string()),
    ]
    span = pa.struct([*place, always("score", pa.float64())])
    speaker = pa.struct(
        [
            *place,
            always("score", pa.float64()),
            always("source", pa.string()),
            always("persons", strings()),
            pa.field("name", pa.string()),
            always("roles", many(span)),
            always("affiliations", many(span)),
        ]
    )
    quote = pa.struct(
        [
            always("id", pa.string()),
            *place,
            always("kind", pa.string()),
            always("score", pa.float64()),
            pa.field("continues", pa.string()),
            pa.field("cue", span),
            pa.field("speaker", speaker),
        ]
    )
    source = pa.struct(
        [
            *(always(name, pa.string()) for name in ("id", "kind", "name")),
            always("persons", strings()),
            always("quotes", strings()),
        ]
    )
    person = pa.struct(
        [
            always("id", pa.string()),
            always("name", pa.string()),
            *(always(name, many(span)) for name in ("mentions", "roles", "affiliations")),
        ]
    )
    quantity = pa.struct(
        [
            *place,
            *(pa.field(name, pa.float64()) for name in _NUMBERS),
            pa.field("unit", pa.string()),
            pa.field("kind", pa.string()),
            always("modifier", pa.string()),
            always("change", pa.string()),
        ]
    )
    claim = pa.struct(
        [
            always("id", pa.string()),
            *place,
            always("score", pa.float64()),
            always("quantity", quantity),
            pa.field("modifier", span),
            pa.field("measured", span),
            pa.field("quote", pa.string()),
        ]
    )
    error = pa.struct([always("kind", pa.string()), always("message", pa.string())])
    return pa.schema([
        always("schema", pa.int32()),
        always("id", pa.string()),
        *(pa.field(name, pa.string()) for name in ("text_sha256", "model", "attribution")),
        always("meta", pa.string()),
        always("notes", strings()),
        *(
            always(name, many(item))
            for name, item in zip(_LISTS[1:], (quote, source, person, claim), strict=True)
        ),
        pa.field("error", error),
        pa.field("text", pa.string()),
    ])  # fmt: skip


def to_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a record into a row of `record_schema`, with every column.

    Args:
        record: `Extraction.to_dict()`, plain in the sense of `plain`.

    Raises:
        FormatError: if it has keys that the schema does not know, or another schema number.
    """
    unknown = [key for key in record if key not in COLUMNS]
    if unknown or record.get("schema") != SCHEMA_VERSION:
        raise FormatError(
            f"record {record.get('id')!r} is not a record of schema {SCHEMA_VERSION}: "
            + (f"unknown {', '.join(unknown)}" if unknown else f"{record.get('schema')!r}")
        )
    row = {name: record.get(name) for name in COLUMNS}
    row |= {name: record.get(name, []) for name in _LISTS}
    row["meta"] = to_json(record["meta"])
    # pyarrow refuses an int that is no double; rounding it is for us to do.
    row["claims"] = [_with_numbers(claim, float) for claim in record.get("claims", [])]
    return row


def from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row back into the record that it was made from.

    A null ``text`` is left out, and so is all that an error record does not have.

    Raises:
        FormatError: if it is no such row.
    """
    try:
        record = {name: row[name] for name in COLUMNS}
        record["meta"] = json.loads(row["meta"])
        record["claims"] = [_with_numbers(claim, _whole) for claim in row["claims"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"row {row.get('id')!r} is no output record: {error!r}") from error
    if record["error"] is None:
        del record["error"]
        if record["text"] is None:
            del record["text"]
        return record
    kept = {name: record[name] for name in ("schema", "id", "error", "meta")}
    if record["notes"]:
        kept["notes"] = record["notes"]
    return kept


def _with_numbers(claim: Mapping[str, Any], turn: Callable[[Any], Number]) -> dict[str, Any]:
    quantity = claim["quantity"]
    numbers = {name: None if quantity[name] is None else turn(quantity[name]) for name in _NUMBERS}
    return {**claim, "quantity": {**quantity, **numbers}}


def _whole(value: float) -> Number:
    return int(value) if value.is_integer() else value


# ---- what JSON and UTF-8 can carry ------------------------------------------------------------


def to_json(value: Any) -> str:
    """Return compact JSON, with every character as itself.

    Raises:
        ValueError: if it holds a number that is not finite.
        TypeError: if it holds something that JSON does not have.
        RecursionError: if it is nested too deeply.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_line(record: Mapping[str, Any]) -> bytes:
    """Return a record as one line of UTF-8 JSON, without the line end.

    Raises:
        ValueError, TypeError, RecursionError: if the record is not plain, see `plain`.
    """
    line = to_json(record).encode("utf-8")
    if _is_deep(record.get("meta")):
        raise RecursionError(f"nested more than {DEEPEST} levels")
    return line


def carried(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    """Return a record, made `plain` if it is not, and its line of JSON."""
    try:
        return record, to_line(record)
    except (ValueError, TypeError, RecursionError):
        record = plain(record)
        return record, to_line(record)


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record that every reader of JSON, UTF-8 and Parquet can read, and say what changed.

    Lone surrogates become U+FFFD (an id or ``meta`` may have them, a text may not), numbers that
    are not finite null, and what JSON does not have its ``str``. ``meta`` of more than DEEPEST
    levels is left out. A record that failed has no notes and gets none.
    """
    changes = dict.fromkeys(_CHANGES, 0)
    cleaned: dict[str, Any] = {}
    for key, value in record.items():
        try:
            cleaned[key] = _plain(value, changes)
        except RecursionError:
            cleaned[key] = {}
            changes[_DEEP] += 1
    if _is_deep(cleaned.get("meta")):
        cleaned["meta"] = {}
        changes[_DEEP] += 1
    if "notes" in record:
        found = [f"id or meta: {what} ({count})" for what, count in changes.items() if count]
        cleaned["notes"] = [*cleaned["notes"], *found]
    return cleaned


# What is nested deeper than this, readers of JSON give up on, and at different depths.
DEEPEST = 100
_SURROGATES = "lone surrogates written as U+FFFD"
_NOT_FINITE = "numbers that are not finite written as null"
_OTHERS = "values that JSON does not have written as text"
_DEEP = "left out, since it is nested too deeply"
_CHANGES = (_SURROGATES, _NOT_FINITE, _OTHERS, _DEEP)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for parent in level
            if isinstance(parent, Mapping | list | tuple)
            for item in (parent.values() if isinstance(parent, Mapping) else parent)
        ]
        if not level:
            return False
    return True


def _plain(value: Any, changes: dict[str, int]) -> Any:
    if isinstance(value, str):
        clean, count = replace_surrogates(value)
        changes[_SURROGATES] += count
        return clean
    if isinstance(value, float) and not math.isfinite(value):
        changes[_NOT_FINITE] += 1
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_plain(_key(key), changes): _plain(item, changes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, changes) for item in value]
    changes[_OTHERS] += 1
    return _plain(str(value), changes)


def _key(key: Any) -> str:
    """Return a key as JSON spells it: 1 is "1", True is "true"."""
    spelled = not isinstance(key, str) and isinstance(key, int | float | None)
    return json.dumps(key) if spelled else str(key)
