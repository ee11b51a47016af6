"""A whole run over an archive: from what the user asks for to what is left in the folder."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import FrameType
from typing import Any

from claimx import __version__
from claimx.archive.inputs import InputFile, find_inputs
from claimx.archive.local import Done, Source, run_local
from claimx.archive.places import space_problem
from claimx.archive.plan import Part, plan_groups
from claimx.archive.progress import Progress
from claimx.archive.readers import ReadOptions
from claimx.archive.run import RunConfig, begin
from claimx.archive.tables import TABLES
from claimx.archive.writers import estimate_bytes
from claimx.errors import ClaimxError, ConfigError
from claimx.hub import find_model

# Packed news takes about a third of its bytes.
_UNPACKED = {".gz": 3.0, ".zst": 3.0, ".bz2": 4.0, ".xz": 4.0, ".parquet": 2.5}


@dataclass(frozen=True)
class Job:
    """What is asked for.

    Args:
        inputs: files, folders, globs, URLs, or ``-``.
        folder: the output folder or URL.
        resume: go on with the run in the folder; start it where there is none.
        output: format of the records.
        tables: write the flat tables too.
        with_text: put texts into records.
        input_format: of all inputs; None to tell by suffix.
        reading: options of the readers.
        rows_in_shard: articles in a full shard.
        part: this machine's part.
        workers: processes that hold a model; 0 is one for each GPU, or one.
        model: folder or name.
        device: as in `Extractor`.
        extractor: other options of the `Extractor`.
    """

    inputs: Sequence[str]
    folder: str
    resume: bool = False
    output: str = "parquet"
    tables: bool = False
    with_text: bool = False
    input_format: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    rows_in_shard: int = 1000
    part: Part = field(default_factory=Part)
    workers: int = 0
    model: str | None = None
    device: str = "auto"
    extractor: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        progress: its counts.
        quarantined: files that could not be read at all, with the reason.
        stopped: whether it was asked to stop before its end.
    """

    progress: Progress
    quarantined: tuple[tuple[str, str], ...]
    stopped: bool

    @property
    def exit_code(self) -> int:
        """130 stopped, 1 errors or quarantined files, 0 all is well."""
        if self.stopped:
            return 130
        return int(bool(self.quarantined or self.progress.errors))


def run(job: Job, say: Callable[[str], object]) -> Outcome:
    """Do a job.

    Args:
        job: what to do.
        say: takes what the user should know, a sentence each.

    Raises:
        ClaimxError: if it cannot start, or nothing can be written.
    """
    files = find_inputs(job.inputs, format=job.input_format)
    config = run_config(job)
    _announce(job, files, say)
    begin(job.folder, config, files, resume=job.resume)
    progress = Progress(_total(files))
    done = Done.of(job.folder, config, say)
    for receipt in done.shards.values():
        progress.skip(receipt)
    quarantined: list[tuple[str, str]] = []

    def quarantine(file: InputFile, reason: str) -> None:
        quarantined.append((file.path, reason))
        progress.quarantined += 1
        say(f"{file.path} cannot be read and is left out: {reason}")

    source = Source(
        plan_groups(files, job.rows_in_shard), job.part, job.reading, job.rows_in_shard, done,
        quarantine, lambda file: progress.read(file.size or 0),
    )  # fmt: skip
    with stopping(say) as stopped:
        receipts = run_local(
            source, job.model, job.extractor, config, job.folder, device=job.device,
            workers=job.workers, stop=stopped,
        )  # fmt: skip
        for receipt in receipts:
            if receipt.rows_in != receipt.rows_out:
                raise ClaimxError(
                    f"shard {receipt.shard}: {receipt.rows_in} rows came in and "
                    f"{receipt.rows_out} went out, a fault of claimx; its receipt says so"
                )
            progress.add(receipt)
        progress.close()
        return Outcome(progress, tuple(quarantined), stopped())


def run_config(job: Job) -> RunConfig:
    """Everything about a job that decides what its records are."""
    return RunConfig(
        claimx=__version__,
        model=_model_name(job.model),
        extractor=dict(job.extractor),
        reading=asdict(job.reading),
        rows_in_shard=job.rows_in_shard,
        output=job.output,
        with_text=job.with_text,
        tables=tuple(TABLES) if job.tables else (),
    )


def _model_name(model: str | None) -> str:
    """Name, version and hash of a model, as in its records, without loading it."""
    from claimx.checkpoint import stored_name

    return stored_name(find_model(model))


def _total(files: Sequence[InputFile]) -> int | None:
    sizes = [file.size for file in files]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _announce(job: Job, files: Sequence[InputFile], say: Callable[[str], object]) -> None:
    """Say how much there is to do and whether the disk will hold it."""
    if job.resume and any(file.path == "-" for file in files):
        raise ConfigError("standard input cannot be read twice: leave --resume out")
    if _total(files) is None:
        return
    text = sum(
        (file.size or 0) * next((n for end, n in _UNPACKED.items() if file.path.endswith(end)), 1.0)
        for file in files
    )
    expected = estimate_bytes(round(text), job.output, with_text=job.with_text, tables=job.tables)
    say(
        f"{len(files):,} input files, {_total(files) or 0:,} bytes; the output will take about "
        f"{expected / 1e6:,.0f} MB"
    )
    if problem := space_problem(job.folder, expected):
        raise ClaimxError(problem)


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
