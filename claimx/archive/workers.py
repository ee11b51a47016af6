"""Processes that hold a model each and do one shard after the other.

A worker that dies takes nothing with it: the shard is given to a new one. Where it dies again, the
shard is done row by row, the row that kills it is told by what the worker said last, and becomes an
error record. A worker that dies outside its rows, as it starts or writes, ends the run.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any

from claimx.archive.receipts import Receipt
from claimx.archive.rows import Row
from claimx.archive.shards import Shard, ShardRunner
from claimx.errors import ClaimxError
from claimx.reading import with_title
from claimx.types import Extraction, Failure

MakeRunner = Callable[[], ShardRunner]
_ATTEMPTS = 2
_LOG = logging.getLogger("claimx")


class WorkerError(ClaimxError):
    """A worker cannot start, or dies whatever it is given."""


@dataclass
class Worker:
    """One process and what it is at."""

    make: MakeRunner
    process: Any = None
    pipe: Connection | None = None
    shard: Shard | None = None
    attempts: int = 0
    row: int | None = None  # the row that a careful worker is at; None before and behind them

    def start(self) -> None:
        """Start the process; it loads its model meanwhile."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(self.make, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, shard: Shard) -> None:
        """Hand a shard over, row by row if it has killed a worker too often."""
        self.shard, self.row = shard, None
        assert self.pipe is not None
        with suppress(OSError):  # it is dead already, which `wait` tells
            self.pipe.send((shard, self.attempts >= _ATTEMPTS))

    def again(self) -> None:
        """Give a new process the shard that the last one died of."""
        assert self.shard is not None
        self.attempts += 1
        shard = self.shard
        if self.row is not None:
            shard = _without(shard, self.row)
        self.process.join(5)
        if self.attempts == 1:
            _LOG.warning(
                "a worker ended in the middle of shard %s (exit code %s); a new one does it",
                shard.name, self.process.exitcode,
            )  # fmt: skip
        if self.attempts > _ATTEMPTS and self.row is None:
            raise WorkerError(
                f"a worker dies on shard {shard.name}, but while it reads no row: exit code "
                f"{self.process.exitcode}; is there memory enough for the model and the shard?"
            )
        self.stop()
        self.start()
        self.give(shard)

    def stop(self) -> None:
        """End the process: at once if it is busy."""
        if self.pipe is not None:
            self.pipe.close()
        if self.process is not None:
            self.process.join(0.5)
            if self.process.is_alive():
                self.process.kill()  # workers pass over SIGTERM; what has no receipt is not done
                self.process.join(5)


def run_shards(
    shards: Iterable[Shard], makers: list[MakeRunner], stop: Callable[[], bool] = lambda: False
) -> Iterator[Receipt]:
    """Do shards on as many workers as there are makers.

    Reading goes on while the workers are busy: the next shard is read before it is asked for.

    Args:
        shards: read one ahead of what the workers do.
        makers: for each worker, what makes its runner in its process.
        stop: asked before each shard; when it says so, those under way are finished.

    Yields:
        The receipts, as they come.

    Raises:
        ClaimxError: what a worker raised, or that workers die.
    """
    workers = [Worker(make) for make in makers]
    try:
        for worker in workers:
            worker.start()
        yield from feed(workers, shards, stop)
    finally:
        for worker in workers:
            worker.stop()


def feed(
    workers: Sequence[Worker], shards: Iterable[Shard], stop: Callable[[], bool] = lambda: False
) -> Iterator[Receipt]:
    """Do shards on workers that run already and go on running; otherwise as `run_shards`."""
    source = iter(shards)
    ahead: Shard | None = None
    done = False
    while True:
        for worker in workers:
            if worker.shard is None and not done:
                shard = ahead or next(source, None)
                ahead = None
                done = shard is None or stop()
                if not done and shard is not None:
                    worker.attempts = 0
                    worker.give(shard)
        if not done and ahead is None:
            ahead = next(source, None)
            done = ahead is None
        busy = {worker.pipe: worker for worker in workers if worker.shard is not None}
        if not busy:
            return
        for pipe in wait([pipe for pipe in busy if pipe is not None]):
            receipt = _heard(busy[pipe])  # type: ignore[index]
            if receipt is not None:
                yield receipt


def _heard(worker: Worker) -> Receipt | None:
    """Take what a worker says; None if its shard is not done by that."""
    assert worker.pipe is not None
    try:
        said = worker.pipe.recv()
    except (EOFError, OSError):
        worker.again()
        return None
    if said is None or isinstance(said, int):
        worker.row = said
        return None
    worker.shard = None
    if isinstance(said, ClaimxError):
        raise said
    receipt: Receipt = said
    return receipt


def _without(shard: Shard, number: int) -> Shard:
    """Put an error record in the place of a row."""
    row = shard.rows[number]
    failure = Failure("killed_worker", "reading this article ended the process that read it")
    read = row.item if isinstance(row.item, Extraction) else with_title(row.item)
    item = Extraction(read.id, meta=read.meta, error=failure)
    changed = Row(row.file, row.number, item)
    return replace(shard, rows=(*shard.rows[:number], changed, *shard.rows[number + 1 :]))


def _work(make: MakeRunner, pipe: Connection) -> None:
    """What a worker process does until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to stop
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        run = make()
        while True:
            shard, careful = pipe.recv()
            pipe.send(run(shard, pipe.send if careful else None))
    except (EOFError, BrokenPipeError):
        return
    except ClaimxError as error:
        with suppress(OSError):
            pipe.send(error)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, in the middle of a shard too.

    Whoever takes the shard over would else write the same files at the same time.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
