"""Receipts: what is known of a finished shard. A shard without one is not done.

A receipt is one JSON object, written whole after the shard's files::

    {"receipt": 1, "shard": "00000-000", "last": true,
     "inputs": [{"file": "news.jsonl.gz", "first": 0, "last": 999, "rows": 1000}],
     "outputs": [{"path": "records/00000-000.parquet", "sha256": "…", "bytes": 1, "rows": 1000}],
     "rows_in": 1000, "rows_out": 1000, "n_errors": 2, "n_notes": 5,
     "model": "claimx-en 1.0.0 (3f2a91c4)", "config_sha256": "…", "claimx": "1.0.0",
     "seconds": 71.3, "tokens": 812345, "bytes_in": 1234567, "left_out": []}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import Any

from claimx.archive.places import (
    RECEIPTS,
    Written,
    file_sha256,
    file_size,
    join,
    list_files,
    opened,
    within,
    write_whole,
)
from claimx.archive.rows import Row
from claimx.errors import ClaimxError, FormatError
from claimx.text import counted

RECEIPT_VERSION = 1
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class InputRange:
    """A run of rows of one input file.

    Args:
        file: as the reader lists it.
        first: number of the first row.
        last: number of the last row.
        rows: how many there are.
    """

    file: str
    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An input file that could not be read at all.

    Args:
        file: as it is listed.
        reason: why.
    """

    file: str
    reason: str


def input_ranges(rows: Iterable[Row]) -> tuple[InputRange, ...]:
    """Return where the rows of a shard come from, one range for each run of one file's rows."""
    runs = (
        (file, [row.number for row in run]) for file, run in groupby(rows, key=lambda row: row.file)
    )
    return tuple(InputRange(file, numbers[0], numbers[-1], len(numbers)) for file, numbers in runs)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a finished shard.

    Args:
        shard: its name, the stem of its files: group, hyphen, number in the group.
        last: whether it is the last one of its group.
        inputs: the rows that it was made from.
        outputs: its files, paths relative to the output folder: records first, then tables.
        rows_in: articles read, those that failed included.
        rows_out: records written, error records included; equal to ``rows_in``.
        n_errors: error records.
        n_notes: records with notes.
        model: name, version and hash of the weights, as in the records.
        config_sha256: of all options that change the output.
        claimx: version.
        seconds: time taken.
        tokens: tokens read by the model.
        bytes_in: bytes of the input files that were read for it; 0 where sizes are not known.
        left_out: files of its group, up to its end, that could not be read.
    """

    shard: str
    last: bool
    inputs: tuple[InputRange, ...]
    outputs: tuple[Written, ...]
    rows_in: int
    rows_out: int
    n_errors: int
    n_notes: int
    model: str
    config_sha256: str
    claimx: str
    seconds: float = 0.0
    tokens: int = 0
    bytes_in: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as plain JSON types."""
        return {"receipt": RECEIPT_VERSION, **json.loads(json.dumps(asdict(self)))}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Receipt:
        """Build a receipt from its JSON form.

        Raises:
            FormatError: if it is of another version, or a part is missing or of the wrong type.
        """
        if not isinstance(raw, Mapping) or raw.get("receipt") != RECEIPT_VERSION:
            raise FormatError(f"this is no receipt of version {RECEIPT_VERSION}")
        return cls(
            inputs=tuple(_built(InputRange, item) for item in _listed(raw, "inputs")),
            outputs=tuple(_built(Written, item) for item in _listed(raw, "outputs")),
            left_out=tuple(_built(LeftOut, item) for item in _listed(raw, "left_out")),
            **_checked(cls, raw, without=("inputs", "outputs", "left_out")),
        )


def receipt_path(folder: str, shard: str) -> str:
    """Return where a shard's receipt is."""
    return join(folder, RECEIPTS, f"{shard}.json")


def relative(written: Written, folder: str) -> Written:
    """Return the description of a file with its path relative to the output folder."""
    return Written(within(written.path, folder), written.sha256, written.bytes, written.rows)


def write_receipt(receipt: Receipt, folder: str) -> None:
    """Write a receipt: the last thing that is done for a shard.

    Raises:
        ClaimxError: if it cannot be written, in one sentence with what to do.
    """
    text = json.dumps(receipt.to_dict(), indent=1) + "\n"
    write_whole(receipt_path(folder, receipt.shard), text.encode())


def read_receipt(path: str) -> Receipt:
    """Read one receipt.

    Raises:
        ClaimxError: if there is none.
        FormatError: if it cannot be understood.
    """
    with opened(path) as stream:
        data = stream.read(_LARGEST)
    try:
        return Receipt.from_dict(json.loads(data))
    except (ValueError, RecursionError) as error:  # FormatError is a ValueError
        raise FormatError(f"{path} is damaged: {error}; its shard counts as not done") from error


def read_receipts(
    folder: str, *, on_damage: Callable[[str], object] | None = None
) -> Iterator[Receipt]:
    """Read the receipts of an output folder in the order of their shards.

    Args:
        folder: the output folder.
        on_damage: takes a sentence for each receipt that cannot be understood or has another
            shard's name, which is then left out; by default the first one is an error.

    Raises:
        FormatError: at such a receipt, if nobody takes the sentence.
    """
    place = join(folder, RECEIPTS)
    for name in list_files(place):
        if not name.endswith(".json"):
            continue
        try:
            receipt = read_receipt(join(place, name))
            if name != f"{receipt.shard}.json":
                raise FormatError(f"{join(place, name)} is the receipt of {receipt.shard}")
        except ClaimxError as error:
            if on_damage is None:
                raise
            on_damage(str(error))
        else:
            yield receipt


def valid(receipt: Receipt, folder: str, *, hashes: bool = False) -> bool:
    """Say whether a shard's files are there as its receipt describes them.

    Args:
        receipt: of the shard.
        folder: the output folder.
        hashes: read the files and compare their hashes too, not only their sizes.
    """
    return next(faults(receipt, folder, hashes=hashes), None) is None


def faults(receipt: Receipt, folder: str, *, hashes: bool = False) -> Iterator[str]:
    """Say in sentences how a shard's files differ from what its receipt says.

    Args:
        receipt: of the shard.
        folder: the output folder.
        hashes: read the files and compare their hashes too, not only their sizes.
    """
    if receipt.rows_in != receipt.rows_out:
        yield f"{receipt.shard}: {counted(receipt.rows_in, 'row')} in, but {receipt.rows_out:,} out"
    listed = sum(item.rows for item in receipt.inputs)
    if listed != receipt.rows_in:
        rows = counted(listed, "row")
        yield f"{receipt.shard}: its inputs have {rows}, but {receipt.rows_in:,} came in"
    if not receipt.outputs or receipt.outputs[0].rows != receipt.rows_out:
        yield f"{receipt.shard}: its receipt does not fit its records"
    for output in receipt.outputs:
        path = join(folder, output.path)
        size = file_size(path)
        if size is None:
            yield f"{path} is missing"
        elif size != output.bytes:
            yield f"{path} has {counted(size, 'byte')}, not {output.bytes:,}"
        elif hashes and file_sha256(path) != output.sha256:
            yield (
                f"{path} has changed: its SHA-256 is not that of its receipt; remove "
                f"{receipt_path(folder, receipt.shard)} and resume, then the shard is made again"
            )


def inputs_of(receipts: Iterable[Receipt]) -> tuple[set[str], set[str]]:
    """Return the input files that rows were taken from, and those that were left out."""
    read: set[str] = set()
    left_out: set[str] = set()
    for receipt in receipts:
        read.update(part.file for part in receipt.inputs)
        left_out.update(one.file for one in receipt.left_out)
    return read, left_out


# ---- reading JSON -----------------------------------------------------------------------------

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
}


def _listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    if not isinstance(value, list):
        raise FormatError(f"`{name}` must be a list, not {value!r}")
    return value


def _checked(kind: Any, raw: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a dataclass with plain types, checked against its annotations."""
    if not isinstance(raw, Mapping):
        raise FormatError(f"{raw!r} is no object")
    values = {}
    for entry in fields(kind):
        if entry.name in without:
            continue
        value = raw.get(entry.name)
        if type(value) not in _TYPES[str(entry.type)]:
            raise FormatError(f"`{entry.name}` must be {entry.type}, not {value!r}")
        values[entry.name] = value
    return values


def _built(kind: Any, raw: Any) -> Any:
    return kind(**_checked(kind, raw))
