"""``claimx archive``: the extractor over archives of articles, resumable."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from claimx.commands.shared import DeviceOption, DtypeOption, ModelOption, complain, orderly
from claimx.errors import ConfigError


class Output(StrEnum):
    """How records are written."""

    parquet = "parquet"
    lines = "jsonl.zst"


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


def archive(
    inputs: _Inputs = None,
    out: _Out = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in DIR, or start it.")
    ] = False,
    verify: Annotated[
        str | None,
        typer.Option(
            "--verify",
            metavar="DIR",
            help="Check a finished run instead: hashes, counts, ids.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", help="Format of the records.")
    ] = Output.parquet,
    tables: Annotated[
        bool, typer.Option("--tables", help="Write flat tables of quotes and claims, too.")
    ] = False,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Put the text into each record.")
    ] = False,
    input_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="Of all inputs.", show_default="told by the suffix"),
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Field or column of the text.")
    ] = None,
    id_field: Annotated[str | None, typer.Option(metavar="NAME", help="Of the id.")] = None,
    title_field: Annotated[str | None, typer.Option(metavar="NAME", help="Of the title.")] = None,
    any_language: Annotated[
        bool,
        typer.Option("--any-language", help="Read articles that do not look English as well."),
    ] = False,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Articles in a shard.")] = 1000,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="This machine's part, I from 0 to N - 1."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that hold a model; 0: one a GPU, or one.")
    ] = 0,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the run's figures here, as JSON.")
    ] = None,
    attribution: Annotated[str, typer.Option(help="reported or broad.")] = "reported",
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.0,
    currency: Annotated[str, typer.Option(metavar="CODE")] = "USD",
    title: Annotated[
        str | None, typer.Option(help="prepend reads the title before the text.")
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Run the extractor over archives of articles and write records in shards.

    A run that was interrupted goes on with --resume. Exit code: 0 every article was read, 1 some
    have error records or files could not be read, 2 nothing could be done.
    """
    with orderly():
        if verify is not None:
            from claimx.archive.verify import verify as check

            report = check(verify)
            sys.stdout.write("\n".join(report.lines()) + "\n")
            raise typer.Exit(report.exit_code)
        if not inputs or out is None:
            raise ConfigError("name inputs, and --out DIR for what comes of them")
        from claimx.archive.job import Job, run
        from claimx.archive.plan import Part
        from claimx.archive.readers import ReadOptions

        job = Job(
            inputs=inputs,
            folder=out,
            resume=resume,
            output=output.value,
            tables=tables,
            with_text=with_text,
            input_format=input_format,
            reading=ReadOptions(
                text_field=text_field,
                id_field=id_field,
                title_field=title_field,
                check_language=not any_language,
            ),
            rows_in_shard=rows,
            part=Part.parse(shard) if shard else Part(),
            workers=workers,
            model=model,
            device=device,
            extractor={
                "dtype": dtype,
                "attribution": attribution,
                "min_score": min_score,
                "currency": currency,
                "title": title,
            },
        )
        outcome = run(job, complain)
        if metrics is not None:
            metrics.write_text(outcome.progress.to_json(), encoding="utf-8")
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
