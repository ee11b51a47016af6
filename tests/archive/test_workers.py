"""Workers that die. Nothing here loads torch: each death costs the start of a process."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from claimx.archive.receipts import Receipt, input_ranges
from claimx.archive.rows import Row
from claimx.archive.shards import Shard
from claimx.archive.workers import WorkerError, run_shards
from claimx.types import Article, Extraction


def deadly(folder: str, *, whatever: bool = False):
    """A runner without a model that kills its process on the article `poison`."""

    def run(shard: Shard, say=None) -> Receipt:
        done = []
        for number, row in enumerate(shard.rows):
            if isinstance(row.item, Extraction):
                done.append(row.item.error.kind)
                continue
            if say:
                say(number)
            if row.item.id == "poison" or whatever:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(row.item.id)
        if say:
            say(None)
        if "unwritable" in done:
            os.kill(os.getpid(), signal.SIGKILL)
        return Receipt(
            shard.name, shard.last, input_ranges(shard.rows), (), len(shard.rows), len(done),
            done.count("killed_worker"), 0, "m", "c", " ".join(done),
        )  # fmt: skip

    return run


def shards(*names: str) -> list[Shard]:
    return [
        Shard(
            f"0000{n}-000",
            tuple(Row("f", k, Article(i, i)) for k, i in enumerate(ids.split())),
            True,
        )
        for n, ids in enumerate(names)
    ]


def test_an_article_that_kills_its_worker_becomes_an_error_and_takes_nothing_along(
    tmp_path, caplog
):
    work = shards("a b", "c poison d", "e")
    receipts = run_shards(work, [partial(deadly, str(tmp_path))])
    assert [receipt.claimx for receipt in receipts] == ["a b", "c killed_worker d", "e"]
    [told] = caplog.messages
    assert (
        told == "a worker ended in the middle of shard 00001-000 (exit code -9); a new one does it"
    )


def test_a_worker_that_dies_behind_its_rows_blames_none_of_them(tmp_path):
    receipts = run_shards(shards("a unwritable", "b"), [partial(deadly, str(tmp_path))])
    with pytest.raises(WorkerError, match="00000-000, but while it reads no row"):
        list(receipts)


def test_workers_that_always_die_end_the_run(tmp_path):
    with pytest.raises(WorkerError, match="exit code -9"):
        list(run_shards(shards("a"), [partial(dead, str(tmp_path))]))


def dead(folder: str):
    """What cannot even start."""
    os.kill(os.getpid(), signal.SIGKILL)
