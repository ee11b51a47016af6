"""What callers give in place of articles: what it is read as, and what is refused in words."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from claimx.errors import InputError
from claimx.types import Article, Extraction, Failure

_LONGEST_PATH = 4_096
_logger = logging.getLogger("claimx")


def as_article(given: object, number: int) -> Article:
    """Return what is to be read as an article; a string is named by its place.

    Args:
        given: what the caller gave.
        number: its place, counted from 0.

    Raises:
        InputError: if it is no text or no article, or one with parts of another type.
    """
    if isinstance(given, str):
        if _names_a_file(given):
            _logger.warning(
                "%r is read as a text of %d characters, but it is the name of a file: "
                "claimx.read_files reads files", given, len(given),
            )  # fmt: skip
        return Article(str(number), given)
    if not isinstance(given, Article):
        raise InputError(
            f"an article is a str or an Article, not {type(given).__name__}{_instead(given)}",
            "not_text",
        )
    if not isinstance(given.text, str):
        raise InputError(
            f"article {given.id!r}: its text is {type(given.text).__name__}, not str", "not_text"
        )
    for name, kind, wanted in _PARTS:
        value = getattr(given, name)
        if not isinstance(value, kind):
            raise InputError(
                f"article {given.id!r}: its {name} is {type(value).__name__}, not {wanted}",
                "bad_record",
            )
    return given


_PARTS: tuple[tuple[str, Any, str], ...] = (
    ("id", str, "str"),
    ("title", str | None, "str or None"),
    ("meta", Mapping, "a mapping such as a dict"),
)


def _names_a_file(text: str) -> bool:
    return len(text) <= _LONGEST_PATH and "\n" not in text and os.path.isfile(text)  # noqa: PTH113


def _instead(given: object) -> str:
    if isinstance(given, Mapping):
        return "; make one: Article(record['id'], record['text'])"
    if isinstance(given, os.PathLike):
        return "; claimx.read_files reads files"
    return ""


def check_many(articles: object) -> None:
    """Refuse what is one article, or would be taken apart into something else than articles.

    Raises:
        InputError: saying what to give.
    """
    if hasattr(articles, "columns"):  # a DataFrame, whose items are the names of its columns
        raise InputError(
            "a table is no list of articles; give an Article for each of its rows: "
            "(Article(*row) for row in zip(table['id'], table['text']))",
            "not_text",
        )
    if isinstance(articles, str | bytes | Mapping | Article) or not isinstance(articles, Iterable):
        what = "text" if isinstance(articles, str | bytes) else type(articles).__name__
        raise InputError(f"many articles are asked for, not one {what}; give a list", "not_text")


def failed(given: object, number: int, kind: str, message: str) -> Extraction:
    """Return the error record of what could not be read.

    Args:
        given: what the caller gave.
        number: its place, which names it if it has no name.
        kind: a stable word for the fault.
        message: the fault in a sentence.
    """
    name, meta = str(number), dict[str, Any]()
    if isinstance(given, Article):
        name = given.id if isinstance(given.id, str) else name
        meta = dict(given.meta) if isinstance(given.meta, Mapping) else meta
    return Extraction(name, meta=meta, error=Failure(kind, message))
