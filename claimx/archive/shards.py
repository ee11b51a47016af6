"""One shard: rows in, records and a receipt out; the same under every engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from claimx.archive.places import RECORDS, join
from claimx.archive.receipts import LeftOut, Receipt, input_ranges, relative, write_receipt
from claimx.archive.rows import Row
from claimx.archive.run import RunConfig
from claimx.archive.tables import open_table
from claimx.archive.writers import open_shard
from claimx.reading import with_title
from claimx.types import Article, Extraction

if TYPE_CHECKING:
    from claimx.extractor import Extractor

Say = Callable[[int | None], object]
Content = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Shard:
    """What one output file is made from.

    Args:
        name: as `Group.shard_name` gives it.
        rows: its rows, in order.
        last: whether it is the last of its group.
        bytes_in: bytes of the input files that were read for it.
        left_out: files of its group, up to its end, that could not be read.
    """

    name: str
    rows: tuple[Row, ...]
    last: bool
    bytes_in: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def fits(self, receipt: Receipt) -> bool:
        """Say whether a receipt is of the same rows, so that the shard need not be done again."""
        return (self.last, input_ranges(self.rows), self.left_out) == (
            receipt.last,
            receipt.inputs,
            receipt.left_out,
        )


class ShardRunner:
    """Holds a model and does shards with it; one for each worker, under every engine.

    Args:
        extractor: the loaded model.
        config: of the run.
        folder: the output folder or URL.
    """

    def __init__(self, extractor: Extractor, config: RunConfig, folder: str) -> None:
        self.extractor = extractor
        self.config = config
        self.folder = folder

    def __call__(self, shard: Shard, say: Say | None = None) -> Receipt:
        """Do a shard: its records, its tables, and last its receipt.

        Args:
            shard: what to do.
            say: told the place of each row before it is read, row by row, and None after the
                last; by default rows share forward passes.

        Raises:
            ClaimxError: if the output cannot be written.
        """
        begun = time.monotonic()
        tokens = self.extractor.tokens_read
        path = join(self.folder, RECORDS, f"{shard.name}.{self.config.format}")
        found = records(shard.rows, self.extractor, say)
        with ExitStack() as stack:
            writer = stack.enter_context(open_shard(path, self.config.format))
            tables = [
                stack.enter_context(open_table(self.folder, name, shard.name))
                for name in self.config.tables
            ]
            for extraction in found:
                record = extraction.to_dict(with_text=self.config.with_text)
                writer.write(record)
                for table in tables:
                    table.write(record)
        files = [writer.written, *(table.written for table in tables)]
        receipt = Receipt(
            shard=shard.name,
            last=shard.last,
            inputs=input_ranges(shard.rows),
            outputs=tuple(relative(file, self.folder) for file in files),
            rows_in=len(shard.rows),
            rows_out=writer.rows,
            n_errors=writer.errors,
            n_notes=writer.noted,
            model=self.config.model,
            config_sha256=self.config.digest,
            claimx=self.config.claimx,
            seconds=round(time.monotonic() - begun, 3),
            tokens=self.extractor.tokens_read - tokens,
            bytes_in=shard.bytes_in,
            left_out=shard.left_out,
        )
        write_receipt(receipt, self.folder)
        return receipt


def records(
    rows: Sequence[Row], extractor: Extractor, say: Say | None = None
) -> Iterator[Extraction]:
    """Read the articles of a shard, in order; what could not be read keeps its place.

    A text that occurs several times is read once. An id that occurred before in the shard gets a
    suffix that is made from file and row, and a note.

    Args:
        rows: of one shard.
        extractor: the model.
        say: told the place of each row before it is read, alone, and None after the last; by
            default rows share forward passes.
    """
    read = _read(rows, extractor, say)
    seen: set[str] = set()
    for row in rows:
        result = _result(row, read, extractor)
        if result.id in seen:
            place = f"{PurePosixPath(row.file).name}:{row.number}"
            note = f"the id {result.id!r} occurred before; the place is put behind it"
            result = replace(result, id=f"{result.id}#{place}", notes=(*result.notes, note))
        seen.add(result.id)
        yield result


def _read(rows: Sequence[Row], extractor: Extractor, say: Say | None) -> dict[Content, Extraction]:
    """Run the model over what has to be read, each text once."""
    articles: dict[Content, tuple[int, Article]] = {}
    for number, row in enumerate(rows):
        if isinstance(row.item, Article) and not row.skip:
            articles.setdefault(_content(row.item, extractor), (number, row.item))
    if say is None:
        found = extractor.stream(article for _, article in articles.values())
        return dict(zip(articles, found, strict=True))
    read = {}
    for content, (number, article) in articles.items():
        say(number)
        [read[content]] = extractor.extract_many([article])
    say(None)
    return read


def _content(article: Article, extractor: Extractor) -> Content:
    """What the result depends on."""
    return article.text, article.title if extractor.title else None


def _result(row: Row, read: Mapping[Content, Extraction], extractor: Extractor) -> Extraction:
    """Give a row what was read in its text, or what is written in its stead."""
    if isinstance(row.item, Extraction):
        return row.item
    article = with_title(row.item)
    if row.skip:
        return Extraction(article.id, meta=article.meta, notes=row.notes, text=article.text)
    found = read[_content(article, extractor)]
    notes = (*row.notes, *found.notes)
    return replace(found, id=article.id, meta=article.meta, notes=notes)
