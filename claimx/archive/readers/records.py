"""From records with columns to articles: which column is what, and what becomes of the others.

Every column that is not id, text or title goes into ``meta`` under its own name, as JSON can say
it. What a column called ``meta`` holds goes there too; a column wins over an entry of its name.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimx.archive.readers.options import ReadOptions
from claimx.errors import InputError
from claimx.types import Article, Extraction, Failure

# In order of preference; compared without capitals, blanks, "_", "-" and ".".
TEXT_NAMES = (
    "text", "body", "content", "article", "articlebody", "articletext", "articlecontent",
    "fulltext", "plaintext", "maintext", "bodytext", "story", "storytext",
)  # fmt: skip
ID_NAMES = (
    "id", "articleid", "docid", "documentid", "uuid", "guid", "uri", "url", "link", "identifier",
)  # fmt: skip
TITLE_NAMES = ("title", "headline", "articletitle", "heading")
_SEPARATORS = re.compile(r"[\s_.-]+")
_SHOWN_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that hold an article's parts; None where there is none."""

    text: str
    id: str | None = None
    title: str | None = None


def find_columns(names: Iterable[str], options: ReadOptions) -> Columns:
    """Choose the columns of text, id and title.

    Args:
        names: the columns or keys that there are.
        options: names some of them, or none.

    Raises:
        InputError: if a column that the options name is not there, or none looks like the text.
    """
    there = list(names)
    missing = [
        f"`{name}`"
        for name in (options.text_field, options.id_field, options.title_field)
        if name is not None and name not in there
    ]
    if missing:
        raise InputError(
            f"there is no {' and no '.join(missing)}, but {_list(there)}", "bad_record"
        )
    alike: dict[str, str] = {}
    for name in there:
        alike.setdefault(_SEPARATORS.sub("", name).lower(), name)

    def choose(named: str | None, known: Sequence[str]) -> str | None:
        return named or next((alike[name] for name in known if name in alike), None)

    text = choose(options.text_field, TEXT_NAMES)
    if text is None:
        raise InputError(
            f"there is no text among {_list(there)}; name it with --text-field", "bad_record"
        )
    return Columns(
        text, choose(options.id_field, ID_NAMES), choose(options.title_field, TITLE_NAMES)
    )


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name[:40]}`" for name in names[:_SHOWN_COLUMNS]) or "no fields"
    return shown + f" and {len(names) - _SHOWN_COLUMNS} more" * (len(names) > _SHOWN_COLUMNS)


def build(
    record: Mapping[str, Any], columns: Columns, place: str, options: ReadOptions
) -> Article | Extraction:
    """Make an article of a record, or the error record that says why it is none.

    Args:
        record: plain JSON values by column.
        columns: which is what.
        place: file and line or row; the id of an article without one.
        options: the limit of size.
    """
    article_id = record.get(columns.id) if columns.id else None
    text = record.get(columns.text)
    title = record.get(columns.title) if columns.title else None
    problems = []
    if isinstance(article_id, float) and article_id.is_integer():
        article_id = int(article_id)  # a column of whole numbers with a gap
    if isinstance(article_id, bool | list | dict):
        problems.append(f"`{columns.id}` is {_kind(article_id)}, no string or number")
        article_id = None
    if not isinstance(text, str):
        problems.append(f"`{columns.text}` is {_kind(text)}, no string")
    if isinstance(title, bool | list | dict):
        problems.append(f"`{columns.title}` is {_kind(title)}, no string")
    name = place if article_id is None or article_id == "" else str(article_id)
    if problems:
        return error_at(place, InputError(" and ".join(problems), "bad_record"), name)
    assert isinstance(text, str)
    if longer_than(text, options.max_bytes):
        return error_at(place, too_large("text", options.max_bytes), name)
    own = record.get("meta") if "meta" not in (columns.text, columns.id, columns.title) else None
    used = {columns.text, columns.id, columns.title}
    meta = {}
    if isinstance(own, Mapping):
        meta = dict(own)
        used.add("meta")
    meta |= {key: value for key, value in record.items() if key not in used}
    return Article(name, text, None if title is None else str(title), meta)


def _kind(value: Any) -> str:
    known = {type(None): "null", list: "a list", dict: "an object"}
    return known.get(type(value)) or repr(value)[:40]


def longer_than(text: str, max_bytes: int) -> bool:
    """Say whether a text takes more bytes than that in UTF-8."""
    if len(text) * 4 <= max_bytes:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > max_bytes


def too_large(what: str, max_bytes: int) -> InputError:
    """Return the error of an article that is over the limit."""
    return InputError(f"the {what} is larger than {max_bytes:,} bytes; split it", "too_large")


def error_at(place: str, error: InputError, article_id: str | None = None) -> Extraction:
    """Return the error record of what could not be read at a place.

    Args:
        place: file and line or row.
        error: what is wrong.
        article_id: the article's id where that is known; the place by default.
    """
    return Extraction(article_id or place, error=Failure(error.kind, f"{place}: {error}"))


def plain(value: Any) -> Any:
    """Turn a value into what JSON can say.

    Bytes become base64, numbers that are not finite null, tuples lists; anything else that JSON
    does not know becomes its string.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)
