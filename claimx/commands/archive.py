"""``claimx archive``: the extractor over archives of articles, resumable."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claimx.commands.shared import (
    BackendOption,
    DeviceOption,
    DtypeOption,
    ModelOption,
    complain,
    orderly,
)
from claimx.errors import ConfigError
from claimx.outputs import refuse_no_file, refuse_output

if TYPE_CHECKING:
    from claimx.archive.job import Job


class Format(StrEnum):
    """How records are written."""

    parquet = "parquet"
    lines = "jsonl.zst"


class Engine(StrEnum):
    """What runs the workers."""

    local = "local"
    ray = "ray"


_Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        help="Files, folders, globs, fsspec URLs (s3://...), or - for standard input.",
        show_default=False,
    ),
]
_Out = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Where records and receipts go.", show_default=False),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in DIR, or start it.")]
_Verify = Annotated[
    str | None,
    typer.Option(
        "--verify",
        metavar="DIR",
        help="Check a finished run instead: hashes, counts, ids.",
        show_default=False,
    ),
]
_Format = Annotated[Format, typer.Option("--format", help="Of the records.")]
_Tables = Annotated[
    bool, typer.Option("--tables", help="Write flat tables of quotes and claims, too.")
]
_WithText = Annotated[bool, typer.Option("--with-text", help="Put the text into each record.")]
_InputFormat = Annotated[
    str | None,
    typer.Option(metavar="FORMAT", help="Of all inputs.", show_default="told by the suffix"),
]
_TextField = Annotated[
    str | None, typer.Option(metavar="NAME", help="Field or column of the text.")
]
_IdField = Annotated[str | None, typer.Option(metavar="NAME", help="Of the id.")]
_TitleField = Annotated[str | None, typer.Option(metavar="NAME", help="Of the title.")]
_AnyLanguage = Annotated[
    bool, typer.Option("--any-language", help="Read articles that do not look English as well.")
]
_Rows = Annotated[int, typer.Option(min=1, metavar="N", help="Articles in a shard.")]
_Shard = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="This machine's part, I from 0 to N - 1."),
]
_Workers = Annotated[
    int, typer.Option(min=0, help="Processes that hold a model; 0: one a GPU, or one.")
]
_Engine = Annotated[
    Engine, typer.Option("--engine", help="What runs the workers: this machine alone, or Ray.")
]
_Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="A Ray cluster that runs already.",
        show_default="$RAY_ADDRESS, or Ray is started here",
    ),
]
_GpusPerWorker = Annotated[
    float | None,
    typer.Option(
        "--gpus-per-worker",
        min=0.01,
        help="Under Ray, with --device cuda; 0.5 lets two workers share one.",
        show_default="1",
    ),
]
_Metrics = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the run's figures here, as JSON.")
]
_Attribution = Annotated[str, typer.Option(help="reported or broad.")]
_MinScore = Annotated[float, typer.Option(min=0.0, max=1.0)]
_Currency = Annotated[str, typer.Option(metavar="CODE")]
_Title = Annotated[str | None, typer.Option(help="prepend reads the title before the text.")]


def archive(
    inputs: _Inputs = None,
    out: _Out = None,
    resume: _Resume = False,
    verify: _Verify = None,
    format: _Format = Format.parquet,
    tables: _Tables = False,
    with_text: _WithText = False,
    input_format: _InputFormat = None,
    text_field: _TextField = None,
    id_field: _IdField = None,
    title_field: _TitleField = None,
    any_language: _AnyLanguage = False,
    rows: _Rows = 1000,
    shard: _Shard = None,
    workers: _Workers = 0,
    engine: _Engine = Engine.local,
    address: _Address = None,
    gpus_per_worker: _GpusPerWorker = None,
    metrics: _Metrics = None,
    attribution: _Attribution = "reported",
    min_score: _MinScore = 0.0,
    currency: _Currency = "USD",
    title: _Title = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Run the extractor over archives of articles and write records in shards.

    A run that was interrupted goes on with --resume. Exit code: 0 every article was read, 1 some
    have error records or files could not be read, 2 nothing could be done.
    """
    with orderly():
        if verify is not None:
            raise typer.Exit(_check(verify))
        if not inputs or out is None:
            raise ConfigError("name inputs, and --out DIR for what comes of them")
        if metrics is not None:
            refuse_no_file(metrics)
            refuse_output(metrics, [one for one in inputs if one != "-"])
        from claimx.archive.job import Job
        from claimx.archive.plan import Part
        from claimx.archive.readers import ReadOptions

        job = Job(
            inputs, out, resume=resume, format=format.value, tables=tables, with_text=with_text,
            input_format=input_format, rows_in_shard=rows, workers=workers, model=model,
            device=device, part=Part.parse(shard) if shard else Part(), engine=engine.value,
            address=address, gpus_per_worker=gpus_per_worker,
            reading=ReadOptions(text_field, id_field, title_field, check_language=not any_language),
            extractor={
                "backend": backend, "dtype": dtype, "attribution": attribution,
                "min_score": min_score, "currency": currency, "title": title,
            },
        )  # fmt: skip
        raise typer.Exit(_run(job, metrics))


def _run(job: Job, metrics: Path | None) -> int:
    """Do a job; return the exit code."""
    from claimx.archive.job import run

    outcome = run(job, complain)
    if metrics is not None:
        metrics.write_text(outcome.progress.to_json(), encoding="utf-8")
    return outcome.exit_code


def _check(folder: str) -> int:
    """Print what is wrong with a finished run; return the exit code."""
    from claimx.archive.verify import verify

    report = verify(folder)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return report.exit_code
