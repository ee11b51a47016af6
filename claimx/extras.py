"""Libraries of optional extras, loaded where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from claimx.errors import MissingExtraError


def needed(module: str, library: str, purpose: str, *, extra: str = "archive") -> Any:
    """Import a module of an optional library.

    Args:
        module: the module.
        library: what pip calls its library.
        purpose: what it is needed for, as the start of a sentence: ``reading Parquet``.
        extra: the extra of claimx that brings it.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs {library}: pip install 'claimx[{extra}]' ({error})"
        ) from error
