"""Errors that claimx raises on purpose; every message says what, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ClaimxError(Exception):
    """Base of every error that claimx raises on purpose."""


class InputError(ClaimxError, ValueError):
    """An article cannot be read as given: not a string, too large, undecodable.

    Attributes:
        kind: a stable word for records, such as ``too_large`` or ``not_text``.
    """

    def __init__(self, message: str, kind: str = "bad_input") -> None:
        super().__init__(message)
        self.kind = kind


class AnnotationError(ClaimxError, ValueError):
    """Annotated data breaks a rule: offsets, overlaps, dangling links, alignment."""


class FormatError(ClaimxError, ValueError):
    """A file is not in the format that it claims to be in."""


class CheckpointError(ClaimxError):
    """A model folder is missing, incomplete, damaged or made for another version."""


class MissingExtraError(ClaimxError, ImportError):
    """A library that an extra of claimx brings is not installed."""


class ConfigError(ClaimxError, ValueError):
    """A configuration holds an unknown key or a value that cannot be used."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'PERSON'?" if a name is nearly one that is known, else "".

    Args:
        name: what was written.
        known: the names that there are.
    """
    spellings = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), spellings, n=1)
    return f"; did you mean {spellings[near[0]]!r}?" if near else ""
