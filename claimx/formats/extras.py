"""Libraries that only some formats need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from claimx.errors import FormatError


def needed(module: str, library: str) -> Any:
    """Import a module of an optional library.

    Args:
        module: the module.
        library: what pip calls its library.

    Raises:
        FormatError: if it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise FormatError(
            f"this format needs {library}: pip install 'claimx[formats]' ({error})"
        ) from error
