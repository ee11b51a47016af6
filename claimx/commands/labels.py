"""``claimx labels``: the labelling configuration of an annotation tool."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from claimx.commands.shared import (
    AddOption,
    LayersOption,
    ModelOption,
    chosen_schema,
    complain,
    model_schema,
    named_output,
    orderly,
)
from claimx.errors import ConfigError
from claimx.outputs import refuse_no_file


def labels(
    to: Annotated[
        str,
        typer.Option("--to", metavar="TOOL", help="label-studio, brat, doccano or prodigy."),
    ] = "label-studio",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to write it: a file; for tools that take several files, a folder.",
            show_default="standard output",
        ),
    ] = None,
    model: ModelOption = None,
    layers: LayersOption = None,
    add: AddOption = None,
) -> None:
    """Print the labelling configuration of an annotation tool.

    It fits what `claimx prelabel` writes with the same --model, --layers
    and --add. For Label Studio it is the XML of Settings > Labeling
    Interface > Code. Exit code: 0 printed, 2 refused.
    """
    from claimx.formats.label_config import label_configuration

    with orderly():
        output = named_output(output)
        files = label_configuration(chosen_schema(model_schema(model), layers, add or []), to)
        if len(files) == 1:
            [content] = files.values()
            if output is None:
                sys.stdout.write(content)
                sys.stdout.flush()
            else:
                refuse_no_file(output)
                _write(output, content)
            return
        if output is None:
            raise ConfigError(
                f"{to} takes {len(files)} files ({', '.join(files)}); name a folder with -o"
            )
        output.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _write(output / name, content)
            complain(f"wrote {output / name}")


def _write(path: Path, content: str) -> None:
    from claimx.formats.native import replacing

    with replacing(path) as stream:
        stream.write(content.encode("utf-8"))
