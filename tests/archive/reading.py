"""Reading files in tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from claimx.archive.inputs import InputFile, find_inputs
from claimx.archive.readers import ReadOptions, read_rows
from claimx.archive.rows import Row
from claimx.types import Article, Extraction

STORY = (
    "The ferry did not leave the harbour on Monday after inspectors found that roughly 40 percent "
    "of the piles under the pier were rotten. “We cannot let people walk on it,” said Ines Okafor, "
    "deputy head of the Harbour Board."
)


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


def rows(path: Path | str | InputFile, *, format: str | None = None, **options) -> list[Row]:
    if not isinstance(path, InputFile):
        (path,) = find_inputs([str(path)], format=format)
    return list(read_rows(path, ReadOptions(**options)))


def articles(found: list[Row]) -> list[Article]:
    return [row.item for row in found if isinstance(row.item, Article)]


def failures(found: list[Row]) -> list[tuple[str, str]]:
    """Kind and message of each error record."""
    return [
        (row.item.error.kind, row.item.error.message)
        for row in found
        if isinstance(row.item, Extraction)
    ]


def kinds(found: list[Row]) -> list[str]:
    return [kind for kind, _ in failures(found)]
