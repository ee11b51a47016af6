"""What several commands share: how they end, and which layers of a model are meant."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from claimx.errors import CheckpointError, ClaimxError, ConfigError
from claimx.folder import read_object
from claimx.hub import CONFIG, find_model
from claimx.labels import LabelSchema

# Left out unless it is named: a second, wider reading of the same sentences.
_BROAD = "attribution_broad"

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="A model folder, or the name of one installed or on the hub.",
        show_default="claimx-en",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 and so on.")
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="NAME",
        # Rich would take [fast] for mark-up.
        help=r"auto, torch, or openvino (CPUs; pip install 'claimx\[fast]').",
    ),
]
DtypeOption = Annotated[
    str, typer.Option("--dtype", metavar="NAME", help="auto, float32, bfloat16 or float16.")
]
LayersOption = Annotated[
    str | None,
    typer.Option(
        metavar="LAYERS",
        help="The model's layers that are to be corrected, with commas.",
        show_default=f"all of the model but {_BROAD}",
    ),
]
AddOption = Annotated[
    list[str] | None,
    typer.Option(
        "--add",
        metavar="LAYER=LABELS",
        help="A layer, or labels of one, that the model does not know yet, such as time=DATE,YEAR.",
    ),
]


@contextmanager
def orderly() -> Iterator[None]:
    """End a command with a sentence and an exit code where something foreseen goes wrong."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except ClaimxError as error:
        complain(str(error))
        raise typer.Exit(2) from error
    except OSError as error:
        # Nothing more can be written, not even what is left in the buffer at exit.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(141) from None
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
        raise typer.Exit(2) from error


def named_output(output: Path | None) -> Path | None:
    """Return where to write, None for standard output, which is also called ``-``."""
    return None if output is None or str(output) == "-" else output


def complain(sentence: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"claimx: {sentence}\n")
    sys.stderr.flush()


def model_schema(model: str | None) -> LabelSchema:
    """Return the label schema of a model without loading it.

    Args:
        model: a folder or a name; None for the packaged model.

    Raises:
        CheckpointError: if there is no such model, or its config holds no schema.
    """
    path = find_model(model) / CONFIG
    try:
        return LabelSchema.from_dict(read_object(path)["schema"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path} holds no label schema: {error!r}") from error


def chosen_schema(schema: LabelSchema, layers: str | None, added: Sequence[str]) -> LabelSchema:
    """Return the part of a schema that is to be annotated, and what is added to it.

    Args:
        schema: of a model.
        layers: names of layers with commas; None for all but the broad attribution.
        added: labels that the schema does not have, as ``layer=LABEL,LABEL``.

    Raises:
        ConfigError: if a layer does not exist, or what is added cannot be read.
    """
    schema = schema.extended(added_labels(added))
    if layers is None:
        names = [layer.name for layer in schema.layers if layer.name != _BROAD]
        names = names or [_BROAD]
    else:
        names = list(dict.fromkeys(layers.replace(",", " ").split()))
    kept = tuple(schema.layer(name) for name in names)
    labels = {label for layer in kept for label in layer.labels}
    links = tuple(
        link for link in schema.links if labels & set(link.heads) and labels & set(link.tails)
    )
    narrowed = tuple(
        type(link)(
            link.name,
            tuple(label for label in link.heads if label in labels),
            tuple(label for label in link.tails if label in labels),
            link.choose,
            link.reach,
        )
        for link in links
    )
    return LabelSchema(kept, narrowed)


def added_labels(entries: Sequence[str]) -> dict[str, list[str]]:
    """Read the values of ``--add``, each ``layer=LABEL,LABEL``.

    Args:
        entries: the values, one for each time that the option is given.

    Returns:
        Layer -> labels.

    Raises:
        ConfigError: if one of them cannot be read.
    """
    added: dict[str, list[str]] = {}
    for entry in entries:
        layer, _, labels = entry.partition("=")
        names = labels.replace(",", " ").split()
        if not layer.strip() or not names:
            raise ConfigError(f"--add takes LAYER=LABEL,LABEL such as time=DATE, not {entry!r}")
        added.setdefault(layer.strip(), []).extend(names)
    return added
