"""A whole run over an archive: from what the user asks for to what is left in the folder."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from math import ceil
from types import FrameType
from typing import Any

from claimx import __version__
from claimx.archive.inputs import InputFile, find_inputs, unpacked_bytes
from claimx.archive.local import Done, Source, run_local
from claimx.archive.opening import STANDARD_INPUT
from claimx.archive.places import (
    QUARANTINED,
    file_size,
    join,
    remove,
    shown_size,
    space_problem,
    write_whole,
)
from claimx.archive.plan import Group, Part, plan_groups
from claimx.archive.progress import Progress
from claimx.archive.ray_engine import load_ray, run_ray
from claimx.archive.readers import ReadOptions
from claimx.archive.receipts import LeftOut, Receipt, read_receipts
from claimx.archive.run import RunConfig, check, named_as_before, start
from claimx.archive.tables import TABLES
from claimx.archive.trial import try_inputs, try_options
from claimx.archive.writers import estimate_bytes, read_records
from claimx.errors import ClaimxError, ConfigError
from claimx.folder import stored_name
from claimx.hub import find_model
from claimx.text import counted

_SHOWN = 5
_ARTICLE_BYTES = 2_000  # of news, to guess how many shards there will be


@dataclass(frozen=True)
class Job:
    """What is asked for.

    Args:
        inputs: files, folders, globs, URLs, or ``-``.
        folder: the output folder or URL.
        resume: go on with the run in the folder; start it where there is none.
        format: of the records.
        tables: write the flat tables too.
        with_text: put texts into records.
        input_format: of all inputs; None to tell by suffix.
        reading: options of the readers.
        rows_in_shard: articles in a full shard.
        part: this machine's part.
        workers: processes that hold a model; 0 is one for each GPU, or one.
        engine: ``local`` or ``ray``.
        address: of a Ray cluster; None to start Ray on this machine.
        gpus_per_worker: under Ray; None for one.
        model: folder or name.
        device: as in `Extractor`.
        extractor: other options of the `Extractor`.
    """

    inputs: Sequence[str]
    folder: str
    resume: bool = False
    format: str = "parquet"
    tables: bool = False
    with_text: bool = False
    input_format: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    rows_in_shard: int = 1000
    part: Part = field(default_factory=Part)
    workers: int = 0
    engine: str = "local"
    address: str | None = None
    gpus_per_worker: float | None = None
    model: str | None = None
    device: str = "auto"
    extractor: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        progress: its counts.
        stopped: whether it was asked to stop before its end.
    """

    progress: Progress
    stopped: bool

    @property
    def exit_code(self) -> int:
        """130 stopped, 1 errors or quarantined files, 0 all is well."""
        if self.stopped:
            return 130
        return int(bool(self.progress.left_out or self.progress.errors))


def run(job: Job, say: Callable[[str], object]) -> Outcome:
    """Do a job.

    Args:
        job: what to do.
        say: takes what the user should know, a sentence each.

    Raises:
        ClaimxError: if it cannot start, or nothing can be written.
    """
    _check_engine(job)
    files = find_inputs(job.inputs, format=job.input_format, output=job.folder)
    _check_standard_input(job, files)
    files = named_as_before(job.folder, files)
    config = run_config(job)
    known = check(job.folder, config, files, resume=job.resume)
    try_options(job.model, config.extractor)
    if not known:
        try_inputs(files, job.reading)
    groups = plan_groups(files, job.rows_in_shard)
    done = Done.of(job.folder, config, say)
    _announce(job, files, groups, done, say)
    if not known:
        start(job.folder, config, files)
    progress = Progress(_total(*job.part.share(groups)))

    def quarantine(file: LeftOut) -> None:
        progress.left_out.append(file)
        say(f"{file.file} cannot be read and is left out: {file.reason}")

    source = Source(
        groups, job.part, job.reading, job.rows_in_shard, done, quarantine, progress.skip
    )
    options = {**job.extractor, **{name: config.extractor[name] for name in ("backend", "dtype")}}
    with stopping(say) as stopped:
        for receipt in _receipts(job, source, options, config, stopped):
            if receipt.rows_in != receipt.rows_out:
                raise ClaimxError(
                    f"shard {receipt.shard}: {receipt.rows_in} rows came in and "
                    f"{receipt.rows_out} went out, a fault of claimx; its receipt says so"
                )
            progress.add(receipt)
        progress.close(stopped=stopped())
        _say_errors(job.folder, progress, say)
        if stopped() and STANDARD_INPUT not in job.inputs:
            say("stopped; the same call with --resume goes on")
        _write_quarantined(job.folder, progress.left_out)
        return Outcome(progress, stopped())


def _check_engine(job: Job) -> None:
    """Refuse what an engine cannot do, before anything is written."""
    if job.engine == "local":
        if job.address is not None or job.gpus_per_worker is not None:
            raise ConfigError("--address and --gpus-per-worker belong to --engine ray")
        return
    if job.part.count > 1 or STANDARD_INPUT in job.inputs:
        raise ConfigError(
            "--engine ray shares files out among its workers: name files instead of -, and leave "
            "--shard out"
        )
    if job.device.startswith("cuda:"):
        raise ConfigError(f"Ray gives out the GPUs: --device cuda, not {job.device}")
    load_ray()


def _receipts(
    job: Job,
    source: Source,
    options: Mapping[str, Any],
    config: RunConfig,
    stop: Callable[[], bool],
) -> Iterator[Receipt]:
    """Set an engine to work."""
    if job.engine == "ray":
        return run_ray(
            source, job.model, options, config, job.folder, workers=job.workers, stop=stop,
            address=job.address, gpus_per_worker=job.gpus_per_worker,
        )  # fmt: skip
    return run_local(
        source, job.model, options, config, job.folder, device=job.device, workers=job.workers,
        stop=stop,
    )  # fmt: skip


def run_config(job: Job) -> RunConfig:
    """Everything about a job that decides what its records are."""
    choice = _choice(job)
    return RunConfig(
        claimx=__version__,
        model=_model_name(job.model),
        extractor={**job.extractor, **choice},
        reading=asdict(job.reading),
        rows_in_shard=job.rows_in_shard,
        format=job.format,
        with_text=job.with_text,
        tables=tuple(TABLES) if job.tables else (),
    )


def _choice(job: Job) -> dict[str, str]:
    """Return backend, kind of device and dtype of all workers."""
    from claimx.backends import choose

    backend, dtype = (job.extractor.get(name, "auto") for name in ("backend", "dtype"))
    if job.engine == "ray" and job.device == "cuda":  # which this machine need not have
        if backend == "openvino":
            choose(backend, job.device)  # says why not
        dtype = "bfloat16" if dtype == "auto" else dtype
        return {"backend": "torch", "device": job.device, "dtype": dtype}
    choice = choose(backend, job.device, dtype)
    kind, _, _ = choice.device.partition(":")
    return {"backend": choice.backend, "device": kind, "dtype": choice.dtype}


def _model_name(model: str | None) -> str:
    """Name, version and hash of a model, as in its records, without loading it."""
    return stored_name(find_model(model))


def _check_standard_input(job: Job, files: Sequence[InputFile]) -> None:
    if any(file.path == STANDARD_INPUT for file in files) and (job.resume or job.part.count > 1):
        raise ConfigError(
            "standard input is read once, and by one machine: leave --resume and --shard out, or "
            "put it into a file first"
        )


def _total(files: Sequence[InputFile], sharers: int = 1) -> int | None:
    """Add up the sizes of files, which so many machines share; None where one is not known."""
    sizes = [file.size for file in files]
    return None if None in sizes else sum(size or 0 for size in sizes) // sharers


def _expected(job: Job, files: Sequence[InputFile]) -> int:
    """Guess the size of the output."""
    texts = [
        sum(unpacked_bytes(file.path, file.size or 0) for file in group.files)
        for group in plan_groups(files, job.rows_in_shard)
    ]
    shards = sum(max(1, ceil(text / _ARTICLE_BYTES / job.rows_in_shard)) for text in texts)
    return estimate_bytes(
        round(sum(texts)), job.format, shards=shards, with_text=job.with_text, tables=job.tables
    )


def _announce(
    job: Job,
    files: Sequence[InputFile],
    groups: Sequence[Group],
    done: Done,
    say: Callable[[str], object],
) -> None:
    """Say how much there is to do and whether the disk will hold it.

    Of a run that several machines share, this one's part has to fit: its disk may be its own.
    """
    if _total(files) is None:
        return
    say(
        f"{counted(len(files), 'input file')}, {counted(_total(files) or 0, 'byte')}; the "
        "output will take about "
        f"{shown_size(_expected(job, files))}"
    )
    own, sharers = job.part.share(groups)
    there = sum(
        output.bytes
        for receipt in done.shards.values()
        if job.part.takes_name(receipt.shard, len(groups))
        for output in receipt.outputs
    )
    if there:
        say(f"{shown_size(there)} of it are there already")
    if problem := space_problem(job.folder, max(0, _expected(job, own) // sharers - there)):
        raise ClaimxError(problem)


def _say_errors(folder: str, progress: Progress, say: Callable[[str], object]) -> None:
    """Name the first articles of a run that could not be read."""
    if not progress.errors:
        return
    say(f"{counted(progress.errors, 'article')} could not be read, as `error` of the record says:")
    records = chain.from_iterable(read_records(join(folder, path)) for path in progress.flawed)
    failed = (record for record in records if record.get("error"))
    for record in islice(failed, _SHOWN):
        message = record["error"]["message"]
        say(f"  {message}" if record["id"] in message else f"  {record['id']}: {message}")
    if progress.errors > _SHOWN:
        say(f"  and {progress.errors - _SHOWN:,} more (docs/archive-tables.md has a query for all)")


def _write_quarantined(folder: str, left_out: Sequence[LeftOut]) -> None:
    """List in the folder what this run and others could not read; without any, have no list."""
    path = join(folder, QUARANTINED)
    if not left_out and file_size(path) is None:
        return
    receipts = read_receipts(folder, on_damage=lambda _: None)
    reasons = {one.file: one.reason for receipt in receipts for one in receipt.left_out}
    reasons |= {one.file: one.reason for one in left_out}
    if not reasons:
        remove(path)
        return
    lines = (json.dumps({"path": file, "reason": reasons[file]}) for file in sorted(reasons))
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


@contextmanager
def stopping(say: Callable[[str], object]) -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a wish to stop after the shards under way.

    A second one ends the run at once; what is not done has no receipt and is done again later.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        say("stopping after the shards that are under way; again to stop at once")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
