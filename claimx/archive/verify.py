"""Whether an output folder holds what its receipts say, and each article once.

Every file is read: its hash, its checksums, its rows. Memory grows with the number of shards, not
with that of articles. For duplicate ids that means: a hash of each id, 8 bytes, goes into one of
256 files in a temporary folder, chosen by another part of the hash, and each file is then sorted
by itself (16 MB at 500 million articles). sqlite would do as well, but slower: an index over
random keys that has outgrown its cache costs a disk access for every article. The ids behind equal
hashes are looked up in a second pass, so that the examples are never wrong; the count would be off
by one once in some hundred runs over ten billion articles.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from claimx.archive.places import (
    RECORDS,
    RUN,
    TEMPORARY,
    Written,
    join,
    list_files,
    opened,
    shown_size,
)
from claimx.archive.receipts import Receipt, faults, read_receipts
from claimx.archive.run import group_count, without_state
from claimx.archive.tables import TABLES, table_schema
from claimx.archive.writers import read_table, scan_shard
from claimx.errors import ClaimxError
from claimx.text import counted

_MOST_EXAMPLES = 10
_MOST_LINES = 20
_BUCKETS = 256
_PENDING = 1 << 16
_NAME = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Report:
    """What verification found.

    Args:
        folder: the output folder.
        shards: receipts that could be read.
        rows_in: articles read, by the receipts.
        rows_out: records found in the files.
        n_errors: error records found.
        n_notes: records with notes, by the receipts.
        tokens: tokens read by the model, by the receipts.
        bytes: size of all files that have a receipt.
        duplicates: records whose id an earlier record has.
        problems: what is wrong, in sentences.
        warnings: what is worth knowing but not wrong: inputs that could not be read, duplicate
            ids, temporary files.
    """

    folder: str
    shards: int
    rows_in: int
    rows_out: int
    n_errors: int
    n_notes: int
    tokens: int
    bytes: int
    duplicates: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 if nothing is wrong, else 1; warnings do not count."""
        return int(bool(self.problems))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {**asdict(self), "problems": [*self.problems], "warnings": [*self.warnings]}

    def lines(self) -> Iterator[str]:
        """Return the report for people."""
        yield (
            f"{self.folder}: {counted(self.shards, 'shard')}, "
            f"{counted(self.rows_in, 'article')} in, {counted(self.rows_out, 'record')} out "
            f"({counted(self.n_errors, 'error')}, {self.n_notes:,} with notes), "
            f"{shown_size(self.bytes)}"
        )
        for what, found in (("warning", self.warnings), ("wrong", self.problems)):
            yield from (f"{what}: {sentence}" for sentence in found[:_MOST_LINES])
            if len(found) > _MOST_LINES:
                yield f"{what}: … and {len(found) - _MOST_LINES:,} more"
        count = len(self.problems)
        yield (
            f"{counted(count, 'thing is', 'things are')} wrong"
            if count
            else "every file is as its receipt says"
        )


def verify(folder: str) -> Report:
    """Read all of an output folder and compare it with its receipts.

    Args:
        folder: local folder or fsspec URL.

    Raises:
        ClaimxError: if the folder is not there or empty, or has no run in it.
    """
    with tempfile.TemporaryDirectory(prefix="claimx-verify-") as scratch:
        return _Verification(folder, Path(scratch)).run()


@dataclass
class _Verification:
    """One run of `verify` and what it has found so far."""

    folder: str
    scratch: Path
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lasts: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    left_out: dict[str, str] = field(default_factory=dict)
    sound: list[str] = field(default_factory=list)
    ranges: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    origins: dict[tuple[str, str, str], str] = field(default_factory=dict)
    sums: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("rows_in", "rows_out", "n_errors", "n_notes", "tokens", "bytes"), 0
        )
    )

    def run(self) -> Report:
        files = list_files(self.folder)
        if not files:
            raise ClaimxError(f"{self.folder} is not there, or nothing is in it")
        if RUN not in files:
            raise without_state(self.folder) or ClaimxError(
                f"there is no run in {self.folder}: name the folder that was given to --out"
            )
        ids = _Ids(self.scratch)
        for receipt in read_receipts(self.folder, on_damage=self.problems.append):
            self._take(receipt)
            self._check(receipt, ids)
        self.problems += _differing(self.origins)
        self.problems += _missing(self.names, self.lasts, self._groups())
        self.problems += _overlaps(self.ranges)
        self._unknown(files)
        self.warnings += (
            f"{file} could not be read and is left out: {reason}; mend it, then resume"
            for file, reason in self.left_out.items()
        )
        duplicates = self._duplicates(ids)
        return Report(
            self.folder,
            len(self.names),
            duplicates=duplicates,
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            **self.sums,
        )

    def _groups(self) -> int | None:
        try:
            return group_count(self.folder)
        except ClaimxError as error:
            self.problems.append(str(error))
            return None

    def _take(self, receipt: Receipt) -> None:
        """Count what a receipt says by itself."""
        self.names.append(receipt.shard)
        if receipt.last:
            self.lasts.add(receipt.shard)
        self.known.update(output.path for output in receipt.outputs)
        origin = (receipt.model, receipt.config_sha256, receipt.claimx)
        self.origins.setdefault(origin, receipt.shard)
        for part in receipt.inputs:
            self.ranges[part.file].append((part.first, part.last, receipt.shard))
        self.left_out.update((one.file, one.reason) for one in receipt.left_out)
        self.sums["rows_in"] += receipt.rows_in
        self.sums["n_notes"] += receipt.n_notes
        self.sums["tokens"] += receipt.tokens
        self.sums["bytes"] += sum(output.bytes for output in receipt.outputs)

    def _check(self, receipt: Receipt, ids: _Ids) -> None:
        """Read the files of a shard."""
        try:
            if found := list(faults(receipt, self.folder, hashes=True)):
                self.problems += found
                return
            records, *tables = receipt.outputs
            path = join(self.folder, records.path)
            rows = errors = 0
            for article_id, failed in scan_shard(path):
                ids.add(article_id)
                rows += 1
                errors += failed
            self.sums["rows_out"] += rows
            self.sums["n_errors"] += errors
            if (rows, errors) != (receipt.rows_out, receipt.n_errors):
                self.problems.append(
                    f"{path} has {counted(rows, 'record')}, {errors:,} of them errors; its "
                    "receipt says "
                    f"{receipt.rows_out:,} and {receipt.n_errors:,}"
                )
            self.sound.append(records.path)
            for table in tables:
                self.problems += _check_table(self.folder, table)
        except (ClaimxError, OSError) as error:
            self.problems.append(str(error))

    def _unknown(self, files: Iterable[str]) -> None:
        """Name files that no receipt speaks of."""
        for name in files:
            if TEMPORARY in name:
                self.warnings.append(
                    f"{join(self.folder, name)} is unfinished: left behind by a run that was "
                    f"killed, if none is going on; it can be removed"
                )
            elif name.partition("/")[0] in (RECORDS, *TABLES) and name not in self.known:
                self.problems.append(f"{join(self.folder, name)} has no receipt; resume the run")

    def _duplicates(self, ids: _Ids) -> int:
        """Count ids that occur again and name a few."""
        count, hashes = ids.repeated(_MOST_EXAMPLES)
        if not count:
            return 0
        places: dict[str, list[str]] = defaultdict(list)
        for name in self.sound:
            for article_id, _ in scan_shard(join(self.folder, name)):
                if _hash(article_id)[0] in hashes:
                    places[article_id].append(Path(name).name)
        examples = [
            f"{article_id!r} in {' and '.join(found[:2])}"
            for article_id, found in sorted(places.items())
            if len(found) > 1
        ]
        self.warnings.append(
            f"{counted(count, 'record has', 'records have')} the id of an earlier one: "
            f"{', '.join(examples)}" + ", …" * (count > len(examples))
        )
        return count


def _check_table(folder: str, table: Written) -> Iterator[str]:
    """Read a part of a table."""
    path = join(folder, table.path)
    kind = table.path.partition("/")[0]
    if kind not in TABLES:
        yield f"{path} is no table that this version of claimx knows"
        return
    with opened(path) as stream:
        rows = sum(batch.num_rows for batch in read_table(stream, path, table_schema(kind)))
    if rows != table.rows:
        yield f"{path} has {counted(rows, 'row')}, not {table.rows:,}"


def _differing(origins: dict[tuple[str, str, str], str]) -> Iterator[str]:
    """Say that shards were made in different ways."""
    (first, shard), *others = origins.items() or [(("", "", ""), "")]
    for other, name in others:
        what = ("model", "config", "version of claimx")
        found = [which for which, a, b in zip(what, first, other, strict=True) if a != b]
        yield f"{shard} and {name} were made with another {' and '.join(found)}"


def _missing(names: Iterable[str], lasts: set[str], groups: int | None) -> Iterator[str]:
    """Name shards that should be there: those between others, and the ends of groups."""
    found: dict[int, set[int]] = defaultdict(set)
    ends: dict[int, int] = {}
    for name in names:
        if match := _NAME.fullmatch(name):
            group, chunk = int(match[1]), int(match[2])
            found[group].add(chunk)
            if name in lasts:
                ends[group] = chunk
    for group in range(max(found, default=-1) + 1 if groups is None else groups):
        if group not in found:
            yield f"no shard of {group:05d} is there; resume the run"
            continue
        gaps = sorted({*range(ends.get(group, max(found[group])))} - found[group])
        yield from (f"{group:05d}-{chunk:03d} has no receipt; resume the run" for chunk in gaps)
        if group not in ends:
            yield f"the last shard of {group:05d} is not there; resume the run"


def _overlaps(ranges: dict[str, list[tuple[int, int, str]]]) -> Iterator[str]:
    """Name rows of inputs that are in two shards."""
    for file, parts in sorted(ranges.items()):
        for (_, end, one), (start, _, other) in pairwise(sorted(parts)):
            if start <= end:
                yield f"rows {start:,} to {end:,} of {file} are in both {one} and {other}"


# ---- duplicate ids ----------------------------------------------------------------------------


def _hash(article_id: str) -> tuple[int, int]:
    """Return a hash of 64 bits, and the file that it goes into."""
    digest = hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=9).digest()
    return int.from_bytes(digest[:8], "little"), digest[8] % _BUCKETS


class _Ids:
    """All ids of a run as hashes on disk."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"{number:03d}" for number in range(_BUCKETS)]
        self._pending = [bytearray() for _ in range(_BUCKETS)]

    def add(self, article_id: str) -> None:
        value, bucket = _hash(article_id)
        pending = self._pending[bucket]
        pending += value.to_bytes(8, "little")
        if len(pending) >= _PENDING:
            self._write(bucket)

    def _write(self, bucket: int) -> None:
        with self._paths[bucket].open("ab") as stream:
            stream.write(self._pending[bucket])
        self._pending[bucket].clear()

    def repeated(self, most: int) -> tuple[int, set[int]]:
        """Return how many hashes an earlier one equals, and at most so many of them."""
        count = 0
        examples: set[int] = set()
        for bucket, path in enumerate(self._paths):
            self._write(bucket)
            values = np.fromfile(path, dtype="<u8")
            path.unlink()
            values.sort()
            again = values[1:][values[1:] == values[:-1]]
            count += len(again)
            for value in np.unique(again)[: most - len(examples)]:
                examples.add(int(value))
        return count, examples
