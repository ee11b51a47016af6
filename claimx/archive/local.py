"""One machine: this process reads, worker processes run the model and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from claimx.archive.inputs import InputFile, unpacked_bytes
from claimx.archive.plan import Group, Part, chunks
from claimx.archive.readers import ReadOptions, read_rows
from claimx.archive.receipts import LeftOut, Receipt, inputs_of, read_receipts, valid
from claimx.archive.rows import Row
from claimx.archive.run import RunConfig
from claimx.archive.shards import Shard, ShardRunner
from claimx.archive.workers import MakeRunner, run_shards
from claimx.backends import may_have_cuda
from claimx.errors import ClaimxError, InputError
from claimx.openvino_backend import processors
from claimx.types import Article

_AHEAD = 1 << 17  # bytes that readers are ahead of the rows that they have given


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

    def find(self, shard: str) -> Receipt | None:
        """Return the receipt of a shard that an earlier run has done."""
        return self.shards.get(shard)

    def of_group(self, group: Group) -> tuple[Receipt, ...]:
        """Return the receipts of a group from its first shard on, up to the first gap."""
        found: list[Receipt] = []
        while receipt := self.find(group.shard_name(len(found))):
            found.append(receipt)
            if receipt.last:
                break
        return tuple(found)

    def whole(self, group: Group) -> bool:
        """Say whether a group need not be read: all shards are done, and no file is left out."""
        receipts = self.of_group(group)
        return bool(receipts) and receipts[-1].last and not any(one.left_out for one in receipts)


@dataclass(frozen=True)
class Source:
    """What there is to do: the shards of this machine's part that are not done yet.

    A shard is done if its receipt is of the rows that are read now. So a group with a file that
    could not be read is read again by every run, and where the file can be read by then, the
    shards from its place on are done again.

    Args:
        groups: the whole plan.
        part: this machine's part of it.
        options: of the readers.
        rows_in_shard: rows in a full shard.
        done: what need not be done again.
        quarantine: takes each file that cannot be read at all.
        passed: takes the receipt of each shard that need not be done again.
        standard_input: the stream of ``-``.
    """

    groups: Sequence[Group]
    part: Part
    options: ReadOptions
    rows_in_shard: int
    done: Done
    quarantine: Callable[[LeftOut], object]
    passed: Callable[[Receipt], object]
    standard_input: Any = None

    def __iter__(self) -> Iterator[Shard]:
        """Read the inputs and cut them into shards."""
        for group in self.left():
            tally = _Tally()
            for number, rows, last in chunks(self._rows(group, tally), self.rows_in_shard):
                shard = Shard(group.shard_name(number), rows, last, *tally.take())
                if not self.part.takes_shard(group, number, len(self.groups)):
                    continue
                receipt = self.done.find(shard.name)
                if receipt is None or not shard.fits(receipt):
                    yield shard
                else:
                    self.passed(receipt)

    def left(self) -> Iterator[Group]:
        """Pick the groups that have to be read, and pass those that need not."""
        count = len(self.groups)
        for group in self.groups:
            if not self.part.takes_group(group, count):
                continue
            if not self.done.whole(group):
                yield group
                continue
            for number, receipt in enumerate(self.done.of_group(group)):
                if self.part.takes_shard(group, number, count):
                    self.passed(receipt)

    def _rows(self, group: Group, tally: _Tally) -> Iterator[Row]:
        for file in group.files:
            tally.begin(file)
            try:
                for row in read_rows(
                    file, self.options, standard_input=self.standard_input, count=tally.count
                ):
                    tally.row(row)
                    yield row
            except InputError as error:
                self._refuse_if_done(file, error)
                left_out = LeftOut(file.path, str(error))
                tally.left_out.append(left_out)
                self.quarantine(left_out)
            tally.end()

    def _refuse_if_done(self, file: InputFile, error: InputError) -> None:
        """Leave no file out whose rows are in the output: later shards would move up."""
        read, _ = inputs_of(self.done.shards.values())
        if file.path in read:
            raise ClaimxError(
                f"{file.path} cannot be read, but could be when this run began: {error}; make it "
                "readable again, then resume"
            ) from error


@dataclass
class _Tally:
    """What has been read of a group.

    Bytes are read some time before the rows that they hold: of a file that is being read, those
    count that the texts so far may have taken, and all but the last `_AHEAD`.

    Attributes:
        bytes: of the input files, as they lie there, since the last shard.
        left_out: files that cannot be read.
    """

    bytes: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    # Of the file that is being read: its size, bytes read and counted, and texts for a byte of it.
    _size: int = 0
    _read: int = 0
    _counted: int = 0
    _texts: float = 0.0
    _packing: float = 1.0

    def begin(self, file: InputFile) -> None:
        """Begin a file."""
        self._size, self._read, self._counted, self._texts = file.size or 0, 0, 0, 0.0
        self._packing = unpacked_bytes(file.path, 1)

    def count(self, size: int) -> None:
        """Count bytes, never more than the file has: Parquet's footer is read twice."""
        self._read = min(self._read + size, self._size)

    def row(self, row: Row) -> None:
        """Count a row."""
        if isinstance(row.item, Article):
            self._texts += len(row.item.text) / self._packing

    def end(self) -> None:
        """End a file; all of it counts, though Parquet is read with gaps."""
        self._add(self._size)

    def _add(self, whole: int) -> None:
        """Let so many bytes of the file count by now."""
        self.bytes += max(0, whole - self._counted)
        self._counted = max(whole, self._counted)

    def take(self) -> tuple[int, tuple[LeftOut, ...]]:
        """Return what a shard that ends here is told."""
        self._add(min(self._read, max(self._read - _AHEAD, round(self._texts))))
        size, self.bytes = self.bytes, 0
        return size, tuple(self.left_out)


def make_runner(
    model: str | None, options: Mapping[str, Any], threads: int, config: RunConfig, folder: str
) -> ShardRunner:
    """Load a model in a worker process.

    Args:
        model: folder or name.
        options: of the `Extractor`.
        threads: CPU threads of the process; 0 is the backend's choice.
        config: of the run.
        folder: the output folder.
    """
    from claimx.extractor import Extractor

    if threads and options.get("backend") == "torch":
        import torch

        torch.set_num_threads(threads)
    extractor = Extractor.from_pretrained(model, threads=threads, **options)
    return ShardRunner(extractor, config, folder)


def devices(asked: str, workers: int) -> list[tuple[str, int]]:
    """Give each worker its device and its CPU threads.

    Args:
        asked: ``auto``, ``cpu``, ``cuda`` (all GPUs) or ``cuda:N``.
        workers: how many; 0 is one for each GPU, or one on CPUs.
    """
    if asked == "cuda" or (asked == "auto" and may_have_cuda()):
        import torch

        gpus = torch.cuda.device_count()
        if gpus or asked == "cuda":
            count = workers or max(1, gpus)
            return [(f"cuda:{n % max(1, gpus)}", 0) for n in range(count)]
    count = workers or 1
    return [(asked, max(1, processors() // count) if count > 1 else 0)] * count


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
