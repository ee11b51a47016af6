"""``claimx convert``: annotations from one format to another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from claimx.errors import ClaimxError

# Those of `claimx.formats.registry.CODECS`, which is loaded only when there is work to do.
FORMATS = (
    "native", "inline", "label-studio", "brat", "xmi", "doccano", "prodigy", "conll", "docbin",
    "polnear",
)  # fmt: skip


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A file or folder.", show_default=False)
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT", help="A file, or a new or empty folder.", show_default=False
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help=f"{', '.join(FORMATS)}.",
            show_default="told by the content",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FORMAT", help="The same.", show_default="told by OUTPUT's suffix"
        ),
    ] = None,
    annotator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Whose annotations to take, where several people made them."
        ),
    ] = None,
    complete: Annotated[
        str,
        typer.Option(
            metavar="LAYERS",
            help="Layers (with commas) in which everything is annotated, for articles that do "
            "not say.",
        ),
    ] = "",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out articles with problems and count them.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON object.")
    ] = False,
) -> None:
    """Convert annotations from one format to another and say what was lost.

    The output appears whole or not at all. Exit code: 0 converted, 2 refused.
    """
    from claimx.formats.convert import convert as convert_articles

    try:
        losses = convert_articles(
            source,
            target,
            from_,
            to,
            annotator=annotator,
            complete_layers=[name for name in complete.replace(",", " ").split() if name],
            skip_bad=skip_bad,
        )
    except ClaimxError as error:
        sys.stderr.write(f"claimx: {error}\n")
        raise typer.Exit(2) from error
    except OSError as error:
        sys.stderr.write(f"claimx: {error.filename or source}: {error.strerror or error}\n")
        raise typer.Exit(2) from error
    report = json.dumps(losses.to_dict()) if as_json else "\n".join(losses.lines())
    sys.stdout.write(report + "\n")
