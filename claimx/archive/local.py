"""One machine: this process reads, worker processes run the model and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from claimx.archive.inputs import InputFile
from claimx.archive.plan import Group, Part, chunks
from claimx.archive.readers import ReadOptions, read_rows
from claimx.archive.receipts import Receipt, read_receipts, valid
from claimx.archive.rows import Row
from claimx.archive.run import RunConfig
from claimx.archive.shards import Shard, ShardRunner
from claimx.archive.workers import MakeRunner, run_shards
from claimx.errors import InputError


@dataclass
class Done:
    """What earlier runs have done: the shards whose receipts and files fit the run."""

    shards: dict[str, Receipt]

    @classmethod
    def of(cls, folder: str, config: RunConfig, complain: Callable[[str], object]) -> Done:
        """Look through the receipts of a folder."""
        found = {}
        for receipt in read_receipts(folder, on_damage=complain):
            if receipt.config_sha256 != config.digest:
                complain(f"shard {receipt.shard} belongs to another run, and is done again")
            elif not valid(receipt, folder):
                complain(f"shard {receipt.shard} is not as its receipt says, and is done again")
            else:
                found[receipt.shard] = receipt
        return cls(found)

    def whole(self, group: Group) -> bool:
        """Say whether every shard of a group is done, so that it need not be read."""
        number = 0
        while receipt := self.shards.get(group.shard_name(number)):
            if receipt.last:
                return True
            number += 1
        return False


@dataclass(frozen=True)
class Source:
    """What there is to do: the shards of this machine's part that are not done yet.

    Args:
        groups: the whole plan.
        part: this machine's part of it.
        options: of the readers.
        rows_in_shard: rows in a full shard.
        done: what need not be done again.
        quarantine: takes a file that cannot be read at all, and why.
        finished: takes each file that has been read to its end, or need not be read.
        standard_input: the stream of ``-``.
    """

    groups: Sequence[Group]
    part: Part
    options: ReadOptions
    rows_in_shard: int
    done: Done
    quarantine: Callable[[InputFile, str], object]
    finished: Callable[[InputFile], object]
    standard_input: Any = None

    def __iter__(self) -> Iterator[Shard]:
        """Read the inputs and cut them into shards."""
        count = len(self.groups)
        for group in self.groups:
            if not self.part.takes_group(group, count) or self.done.whole(group):
                for file in group.files:
                    self.finished(file)
                continue
            for number, rows, last in chunks(self._rows(group), self.rows_in_shard):
                name = group.shard_name(number)
                if name not in self.done.shards and self.part.takes_shard(group, number, count):
                    yield Shard(name, rows, last)

    def _rows(self, group: Group) -> Iterator[Row]:
        for file in group.files:
            try:
                yield from read_rows(file, self.options, standard_input=self.standard_input)
            except InputError as error:
                self.quarantine(file, str(error))
            self.finished(file)


def make_runner(
    model: str | None, options: Mapping[str, Any], threads: int, config: RunConfig, folder: str
) -> ShardRunner:
    """Load a model in a worker process.

    Args:
        model: folder or name.
        options: of the `Extractor`.
        threads: CPU threads of the process; 0 is torch's choice.
        config: of the run.
        folder: the output folder.
    """
    import torch

    from claimx.extractor import Extractor

    if threads:
        torch.set_num_threads(threads)
    return ShardRunner(Extractor.from_pretrained(model, **options), config, folder)


def devices(asked: str, workers: int) -> list[tuple[str, int]]:
    """Give each worker its device and its CPU threads.

    Args:
        asked: ``auto``, ``cpu``, ``cuda`` (all GPUs) or ``cuda:N``.
        workers: how many; 0 is one for each GPU, or one on CPUs.
    """
    import os

    import torch

    cuda = asked == "cuda" or (asked == "auto" and torch.cuda.is_available())
    if cuda:
        count = workers or max(1, torch.cuda.device_count())
        return [(f"cuda:{n % max(1, torch.cuda.device_count())}", 0) for n in range(count)]
    count = workers or 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [(asked, max(1, (cores or 1) // count) if count > 1 else 0)] * count


def run_local(
    source: Source,
    model: str | None,
    options: Mapping[str, Any],
    config: RunConfig,
    folder: str,
    *,
    device: str = "auto",
    workers: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Receipt]:
    """Do what there is to do on this machine.

    Args:
        source: the shards.
        model: folder or name of the model.
        options: of the `Extractor`, without its device.
        config: of the run.
        folder: the output folder.
        device: see `devices`.
        workers: see `devices`.
        stop: asked before each shard; those under way are finished.

    Yields:
        Receipts as they come.
    """
    makers: list[MakeRunner] = [
        partial(make_runner, model, {**options, "device": name}, threads, config, folder)
        for name, threads in devices(device, workers)
    ]
    return run_shards(source, makers, stop)
