"""What is tried before a run claims its folder: its options, and whether its inputs can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from types import SimpleNamespace
from typing import Any

from claimx.archive.inputs import InputFile
from claimx.archive.opening import STANDARD_INPUT
from claimx.archive.plan import SINGLE
from claimx.archive.readers import ReadOptions, read_rows
from claimx.errors import InputError
from claimx.folder import open_folder
from claimx.hub import find_model
from claimx.text import counted
from claimx.types import Article

_ROWS = 100


def try_options(model: str | None, options: Mapping[str, Any]) -> None:
    """Refuse what workers would refuse when they load the model, without loading its weights.

    Args:
        model: folder or name.
        options: of the `Extractor`, and what "auto" stood for as backend, device and dtype.

    Raises:
        ClaimxError: if the model or an option cannot be used.
    """
    from claimx.engine import Engine
    from claimx.extractor import Extractor

    known = dict(options)
    backend: Any = SimpleNamespace(
        name=known.pop("backend"), device=known.pop("device"), dtype=known.pop("dtype")
    )
    folder = open_folder(find_model(model))
    engine = Engine(folder.settings, folder.tokenizer, backend, name=folder.name, training={})
    Extractor(engine, **known)


def try_inputs(files: Sequence[InputFile], options: ReadOptions) -> None:
    """Refuse inputs of which nothing can be read; the first that can be read ends the search.

    Args:
        files: the inputs.
        options: of the readers.

    Raises:
        InputError: if there is none that can be read.
        ClaimxError: if the disk or the network fails, or a library is missing.
    """
    problem = ""
    for file in files:
        if file.path == STANDARD_INPUT or file.format in SINGLE:  # read once; has no fields
            return
        found = _problem(file, options)
        if found is None:
            return
        problem = problem or found
    raise InputError(
        f"nothing can be read of {counted(len(files), 'input file')}, and nothing was written; of "
        f"the first: {problem}",
        "no_input",
    )


def _problem(file: InputFile, options: ReadOptions) -> str | None:
    """Say why nothing can be read of a file.

    In JSON lines a field that is not there, or misspelt, makes an error record of each line.
    """
    reason = None
    try:
        for row in islice(read_rows(file, options), _ROWS):
            if isinstance(row.item, Article):
                return None
            failure = row.item.error
            if failure is None or failure.kind != "bad_record":
                return None
            reason = reason or failure.message
    except InputError as error:
        return str(error)
    return reason
