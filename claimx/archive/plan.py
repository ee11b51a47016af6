"""What a run goes through: input files in groups, groups in shards; fixed before the run starts.

A shard is a run of rows of one group and becomes one output file, whoever does it and when. Its
name says which: ``00012-003`` is the fourth shard of the thirteenth group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from claimx.archive.inputs import InputFile
from claimx.archive.rows import Row
from claimx.errors import ConfigError
from claimx.types import Article

CHARS_IN_SHARD = 64_000_000
Item = TypeVar("Item")
# Files that hold one article, or few.
SINGLE = ("text", "html", "newsml")


@dataclass(frozen=True, slots=True)
class Group:
    """Input files whose rows are counted through: one file of articles, or many small ones.

    Args:
        number: place in the plan.
        files: its files, in order.
    """

    number: int
    files: tuple[InputFile, ...]

    def shard_name(self, chunk: int) -> str:
        """Name the shard that holds the chunk-th run of its rows."""
        return f"{self.number:05d}-{chunk:03d}"


@dataclass(frozen=True, slots=True)
class Part:
    """The share of one of several machines: ``--shard 3/8`` is index 3 of 8, counted from 0.

    With at least as many groups as parts a part takes whole groups; with fewer it takes every
    count-th shard of each group, and reads past those of the others.
    """

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``i/n``.

        Raises:
            ConfigError: if it is not that.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or int(found[1]) >= int(found[2]):
            raise ConfigError(f"--shard takes i/n, i from 0 to n - 1, such as 0/8, not {text!r}")
        return cls(int(found[1]), int(found[2]))

    def takes_group(self, group: Group, groups: int) -> bool:
        """Say whether any shard of a group is its."""
        return groups < self.count or group.number % self.count == self.index

    def takes_shard(self, group: Group, chunk: int, groups: int) -> bool:
        """Say whether a shard is its."""
        if groups >= self.count:
            return self.takes_group(group, groups)
        return (group.number + chunk) % self.count == self.index

    def takes_name(self, shard: str, groups: int) -> bool:
        """Say whether a shard is its, by the name of the shard."""
        number, chunk = map(int, shard.split("-"))
        return self.takes_shard(Group(number, ()), chunk, groups)

    def share(self, groups: Sequence[Group]) -> tuple[list[InputFile], int]:
        """Return the files that it reads, and how many parts share their shards."""
        count = len(groups)
        taken = [group for group in groups if self.takes_group(group, count)]
        files = [file for group in taken for file in group.files]
        return files, self.count if count < self.count else 1


def plan_groups(files: Sequence[InputFile], rows_in_shard: int) -> list[Group]:
    """Put small files together until they fill a shard; leave the others alone.

    Args:
        files: input files in their order.
        rows_in_shard: rows in a full shard.
    """
    batches: list[tuple[InputFile, ...]] = []
    small = [file for file in files if file.format in SINGLE]
    batches += [(file,) for file in files if file.format not in SINGLE]
    batches += _batched(small, rows_in_shard)
    return [Group(number, batch) for number, batch in enumerate(batches)]


def chunks(
    rows: Iterable[Row], rows_in_shard: int, chars_in_shard: int = CHARS_IN_SHARD
) -> Iterator[tuple[int, tuple[Row, ...], bool]]:
    """Cut the rows of a group into shards; where, depends on the rows alone.

    Args:
        rows: of one group.
        rows_in_shard: the most rows.
        chars_in_shard: a shard that has so many characters takes no more rows.

    Yields:
        Number of the shard in its group, its rows, and whether it is the last. A group without
        rows has one empty shard, so that it too can be seen to be done.
    """
    number = chars = 0
    chunk: list[Row] = []
    for row in rows:
        if len(chunk) >= rows_in_shard or chars >= chars_in_shard:
            yield number, tuple(chunk), False
            number, chars, chunk = number + 1, 0, []
        chunk.append(row)
        chars += len(row.item.text) if isinstance(row.item, Article) else 0
    yield number, tuple(chunk), True


def _batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
