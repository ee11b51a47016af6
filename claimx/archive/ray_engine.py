"""A Ray cluster, or Ray on one machine: actors of Ray Data read, run the model and write.

What Ray hands out is a `Piece`: a group of input files, or a share of the shards of one. The actor
reads the group from storage that all machines see, so that no article goes through this process.
A group that is larger than a fair share is cut as ``--shard i/n`` cuts it: each piece takes every
n-th shard and reads past the others, since reading is cheap beside the model, and a packed file can
only be read from its start. One file feeds any number of workers that way; many files do it without
anything being read twice.

Ray is told what to run and is not asked what has been done: a group is done when the folder holds
the receipts of all its shards. What is not done when Ray comes to an end is given to new actors as
long as that brings receipts. Ray repeats the work of an actor that died, and by itself without end;
here the `Board` gives up a piece that is begun again and again without a receipt, and the run ends
with an error that names its files when everything else is done.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from threading import Thread
from typing import Any

from claimx.archive.local import Source, make_runner
from claimx.archive.plan import Group, Part
from claimx.archive.ray_worker import (
    Board,
    DoneByNow,
    Message,
    Piece,
    PieceName,
    PieceRunner,
    Trouble,
    Work,
)
from claimx.archive.receipts import Receipt
from claimx.archive.run import RunConfig
from claimx.errors import ClaimxError, ConfigError
from claimx.extras import needed

_SECONDS = 0.2
_SECONDS_TO_END = 5
_OBJECT_STORE = 128 << 20  # no article goes through it
_SHOWN = 5


def load_ray() -> Any:
    """Import Ray and Ray Data.

    Raises:
        ClaimxError: if they are not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    needed("ray.data", "Ray", "--engine ray", extra="ray")
    return needed("ray", "Ray", "--engine ray", extra="ray")


def run_ray(
    source: Source,
    model: str | None,
    options: Mapping[str, Any],
    config: RunConfig,
    folder: str,
    *,
    workers: int = 0,
    stop: Callable[[], bool] = lambda: False,
    address: str | None = None,
    gpus_per_worker: float | None = None,
) -> Iterator[Receipt]:
    """Do what there is to do on a Ray cluster.

    Args:
        source: the shards; this process does not read them.
        model: folder or name of the model.
        options: of the `Extractor`, without its device.
        config: of the run; its device is that of all workers.
        folder: the output folder.
        workers: actors; 0 is as many as the GPUs suffice for, or one on CPUs.
        stop: asked often; the shards that are under way then are finished.
        address: of a cluster; by default $RAY_ADDRESS, or else Ray is started on this machine.
        gpus_per_worker: if the device is ``cuda``; 0.5 lets two workers share one; by default 1.

    Yields:
        Receipts as they come.

    Raises:
        ClaimxError: if there is no such cluster, or what workers raised, or that they die.
    """
    left = {group.number: group for group in source.left()}
    if not left:
        return
    device = config.extractor["device"]
    with _connected(address, workers) as ray:
        gpus = _gpus(ray, device, gpus_per_worker)
        count = workers or max(1, int(ray.cluster_resources().get("GPU", 0) / gpus if gpus else 1))
        threads = 0 if gpus else 1  # Ray counts one CPU for each actor
        make = partial(make_runner, model, {**options, "device": device}, threads, config, folder)
        work = Work(make, config, folder, source.options, str(Path.cwd()))
        run = _Run(ray, source, work, left, stop)
        while run.left and not stop():
            yield from run.go_on(count, gpus)


def pieces(groups: Iterable[Group], workers: int) -> list[Piece]:
    """Cut groups that are larger than half a fair share; the others are a piece each.

    Args:
        groups: what there is to do.
        workers: how many share it; a group is cut into as many pieces at most.
    """
    sizes = {group: sum(file.size or 1 for file in group.files) for group in groups}
    fair = sum(sizes.values()) / workers / 2
    counts = {group: min(workers, ceil(size / fair)) for group, size in sizes.items()}
    return [
        Piece(group, Part(index, count))
        for group, count in counts.items()
        for index in range(count)
    ]


@dataclass
class _Run:
    """What this process knows of the run.

    Args:
        ray: the library.
        source: the plan, and who wants to hear of files.
        work: what actors have to know.
        left: groups that are not done, by number.
        stop: whether to stop.
    """

    ray: Any
    source: Source
    work: Work
    left: dict[int, Group]
    stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self.now = DoneByNow(self.work.folder, self.work.config)
        self.seen: set[str] = set()  # shards of groups that are left
        self.under_way: dict[int, set[PieceName]] = {}
        self.left_out: set[str] = set()
        self.error: BaseException | None = None

    def go_on(self, count: int, gpus: float) -> Iterator[Receipt]:
        """Start actors for what is left, and see how far they come.

        Args:
            count: how many actors.
            gpus: of each.

        Raises:
            ClaimxError: of an actor; or if something is left and no shard was done.
        """
        before, fruitful = len(self.left), False
        plan = pieces(self.left.values(), count)
        self.under_way = {number: set() for number in self.left}
        for piece in plan:
            self.under_way[piece.group.number].add(piece.name)
        for message in self._messages(plan, count, gpus):
            for receipt in self._receipts(message):
                fruitful = True
                yield receipt
        if len(self.left) == before and not fruitful and not self.stop():
            raise self._hopeless()

    def _messages(self, plan: list[Piece], count: int, gpus: float) -> Iterator[Message]:
        """Let Ray Data run, and hand on what actors tell the board."""
        ray = self.ray
        board = ray.remote(Board).options(num_cpus=0).remote()
        dataset = ray.data.from_items(
            [{"piece": piece} for piece in plan], override_num_blocks=len(plan)
        ).map(
            PieceRunner,
            fn_constructor_args=[self.work, board],
            compute=ray.data.ActorPoolStrategy(
                size=min(count, len(plan)), max_tasks_in_flight_per_actor=1
            ),
            num_cpus=1,
            num_gpus=gpus,
        )
        # Ray Data waits without end for what its actors return; signals are heard meanwhile.
        thread = Thread(target=self._exhaust, args=[dataset], daemon=True)
        thread.start()
        over = False
        try:
            while not over:
                thread.join(_SECONDS)
                over = not thread.is_alive()  # asked first: what is told before is heard below
                if self.stop():
                    ray.get(board.stop.remote())
                    over = over or ray.get(board.idle.remote())
                yield from ray.get(board.take.remote())
        except ray.exceptions.RayError as error:
            raise ClaimxError(f"Ray is lost: {_first_line(error)}; --resume goes on") from error
        finally:
            ray.kill(board)  # actors that go on without it end at their next word
            thread.join(_SECONDS_TO_END)

    def _exhaust(self, dataset: Any) -> None:
        """Let a dataset run to its end, and remember how that was."""
        try:
            for _ in dataset.iter_rows():
                pass
        except Exception as error:  # Ray's own, and those of what it ran
            self.error = error

    def _receipts(self, message: Message) -> Iterator[Receipt]:
        """Understand what an actor tells."""
        if isinstance(message, Trouble):
            raise ClaimxError(message.sentence)
        if isinstance(message, Receipt):
            yield from self._new(message)
            return
        number = message.name[0]
        self.under_way[number].discard(message.name)
        if number in self.left and not self.under_way[number]:
            yield from self._settle(self.left[number])

    def _settle(self, group: Group) -> Iterator[Receipt]:
        """Go through the receipts of a group that actors say is done; if all are there, it is."""
        names: set[str] = set()
        while receipt := self.now.find(group.shard_name(len(names))):
            names.add(receipt.shard)
            yield from self._new(receipt)
            if receipt.last:
                del self.left[group.number]
                self.seen -= names
                return

    def _new(self, receipt: Receipt) -> Iterator[Receipt]:
        """Yield a receipt if it is seen for the first time, and was not there before the run."""
        if receipt.shard in self.seen:
            return
        self.seen.add(receipt.shard)
        for one in receipt.left_out:
            if one.file not in self.left_out:
                self.left_out.add(one.file)
                self.source.quarantine(one)
        if receipt == self.source.done.find(receipt.shard):
            self.source.passed(receipt)
        else:
            yield receipt

    def _hopeless(self) -> ClaimxError:
        files = [file.path for group in self.left.values() for file in group.files]
        more = f" and {len(files) - _SHOWN:,} more files" if len(files) > _SHOWN else ""
        reason = f": {_first_line(self.error)}" if self.error else ""
        return ClaimxError(
            f"Ray's workers end again and again without one shard of {', '.join(files[:_SHOWN])}"
            f"{more}{reason}; what else there was is done. See Ray's log (/tmp/ray/session_latest/"
            "logs, on the worker's machine), and whether there is memory enough; then resume"
        )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def _gpus(ray: Any, device: str, asked: float | None) -> float:
    """Return how many GPUs a worker gets.

    Raises:
        ConfigError: if it gets none by its device, or no machine of the cluster has as many.
    """
    if device == "cpu":
        if asked:
            raise ConfigError("--gpus-per-worker needs --device cuda")
        return 0
    gpus = 1 if asked is None else asked
    most = max((machine["Resources"].get("GPU", 0) for machine in ray.nodes()), default=0)
    if gpus > most:
        raise ConfigError(
            f"each worker needs {gpus:g} GPUs, and no machine of the cluster has more than {most:g}"
        )
    return gpus


@contextmanager
def _connected(address: str | None, workers: int) -> Iterator[Any]:
    """Connect to a cluster, or start Ray on this machine and end it afterwards.

    Raises:
        ClaimxError: if there is none.
    """
    ray = load_ray()
    if ray.is_initialized():  # by whoever calls this as a library
        yield ray
        return
    # It warns of what Ray Data does in passing; whoever looks for a fault can set another level.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if where == "local":
        options |= {
            "num_cpus": max(workers, os.cpu_count() or 1),
            "object_store_memory": _OBJECT_STORE,
            "include_dashboard": False,
        }
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(where, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClaimxError(f"there is no Ray at {where}: {_first_line(error)}") from error
    signal.signal(signal.SIGTERM, handler)  # Ray puts in its own, which ends at once
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    try:
        yield ray
    finally:
        ray.shutdown()
