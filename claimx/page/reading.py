"""What is shown: articles that are still to be read, and records joined with their texts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from claimx.errors import FormatError, InputError
from claimx.reading import (
    ARTICLE_SUFFIXES,
    MAX_BYTES,
    failed,
    parse_line,
    read_files,
    read_lines,
    shown,
)
from claimx.text import counted, replace_surrogates
from claimx.types import Article, Extraction

Opener = Callable[[str], AbstractContextManager[BinaryIO]]
Reader = Callable[[Sequence[str]], Iterable[Article | Extraction]]


def _open(path: str) -> BinaryIO:
    return Path(path).open("rb")


def read_items(paths: Iterable[str], opened: Opener = _open) -> Iterator[Article | Extraction]:
    """Read articles and output records; what cannot be read becomes an error record.

    Args:
        paths: those of `claimx.reading.read_files`; a ``.jsonl`` file whose first line has a
            ``schema`` holds records.
        opened: opens a file for reading, and may unpack it on the way (``.jsonl.zst``).
    """
    for path in paths:
        lines = any(suffix.lower() in ARTICLE_SUFFIXES for suffix in Path(path).suffixes[-2:])
        if lines and _holds_records(path, opened):
            yield from _records(path, opened)
        else:
            yield from read_files([path])


def _holds_records(path: str, opened: Opener) -> bool:
    try:
        with opened(path) as stream:
            lines = (line for _, line in read_lines(stream, MAX_BYTES))
            first = next((line for line in lines if line.strip()), b"")
    except InputError:  # it cannot be unpacked, which _records says
        return True
    except (OSError, ValueError):  # read_files says what is wrong
        return False
    try:
        record = parse_line(first.removeprefix(b"\xef\xbb\xbf"))
    except InputError:
        return False
    return isinstance(record, Mapping) and "schema" in record


def _records(path: str, opened: Opener) -> Iterator[Extraction]:
    number = 0
    try:
        with opened(path) as stream:
            for number, line in read_lines(stream, MAX_BYTES):
                if line.strip():
                    yield _record(line.removeprefix(b"\xef\xbb\xbf"), f"{path}:{number}")
    except InputError as error:  # a packed file is damaged; what stands before was read
        place, told = f"{path}:{number + 1}", str(error).removeprefix(f"{path}: ")
        yield failed(place, error.kind, f"{place}: {told}")


def _record(line: bytes, place: str) -> Extraction:
    try:
        if len(line) > MAX_BYTES:
            raise InputError(f"this is a line of more than {MAX_BYTES:,} bytes", "too_large")
        record = parse_line(line)
        if not isinstance(record, Mapping):
            raise InputError(f"this is no output record, but {shown(line)}", "bad_record")
        return record_of(record)
    except FormatError as error:
        message = f"{place}: {error}; this is no output record: {shown(line)}"
        return failed(place, "bad_record", message)
    except InputError as error:
        return failed(place, error.kind, f"{place}: {error}")


def record_of(record: Mapping[str, Any]) -> Extraction:
    """Return what a record says.

    Raises:
        FormatError: if it is none, or would not survive being shown.
    """
    found = Extraction.from_dict(record)
    for span in _spans(found):
        if not 0 <= span.start < span.end:
            raise FormatError(f"the offsets {span.start} and {span.end} of {span.text!r} are none")
    return found


# ---- texts --------------------------------------------------------------------------------


def join_texts(
    records: Sequence[Extraction], paths: Sequence[str], read: Reader = read_files
) -> list[Extraction]:
    """Give every record its text and see that its offsets hold there.

    A record whose text is not the one that it was made from becomes an error record.

    Args:
        records: with or without their texts.
        paths: articles, found by their ids; read no further than needed.
        read: reads them.

    Raises:
        InputError: if records have no text and no articles are named.
    """
    wanted = {one.id for one in records if one.error is None and one.text is None}
    if wanted and not paths:
        raise InputError(
            f"there is no text in {len(wanted):,} of {counted(len(records), 'record')}, "
            f"{min(wanted)!r} among them; make them with --with-text, or name the articles "
            "with --texts FILE"
        )
    articles = _articles(wanted, read(paths)) if wanted else {}
    return [one if one.error else _joined(one, articles.get(one.id), paths) for one in records]


def _articles(wanted: set[str], items: Iterable[Article | Extraction]) -> dict[str, Article]:
    """Return the articles that are wanted, by id, the first of each."""
    found: dict[str, Article] = {}
    for item in items:
        if isinstance(item, Article) and item.id in wanted:
            found.setdefault(item.id, item)
            if len(found) == len(wanted):
                break
    return found


def _texts(record: Extraction, article: Article | None) -> list[str]:
    """Return the texts that a record may have been made from; the title may belong to one."""
    if record.text is not None:
        return [record.text]
    if article is None:
        return []
    readings = [article.text, f"{article.title}\n\n{article.text}"]
    return [replace_surrogates(text)[0] for text in readings[: 1 + bool(article.title)]]


def _joined(record: Extraction, article: Article | None, paths: Sequence[str]) -> Extraction:
    texts = _texts(record, article)
    for text in texts:
        if _sha256(text) == record.text_sha256:
            title = {"title": article.title} if article and article.title else {}
            complete = replace(record, text=text, meta={**title, **record.meta})
            wrong = _misplaced(complete)
            return failed(record.id, "bad_record", wrong) if wrong else complete
    if not texts:
        message = f"there is no article with the id {record.id!r} in {', '.join(paths)}"
    else:
        where = f"the article in {', '.join(paths)}" if record.text is None else "its text"
        message = f"{where} is not the text that the record was made from (its SHA-256 differs)"
    return failed(record.id, "wrong_text", message)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# ---- spans --------------------------------------------------------------------------------


def _misplaced(found: Extraction) -> str:
    """Name the first span whose text does not stand at its place, or nothing."""
    text = found.text or ""
    for span in _spans(found):
        if text[span.start : span.end] != span.text:
            return (
                f"the record says that {span.text!r} stands at {span.start} to {span.end}, where "
                f"its text has {text[span.start : span.end]!r}"
            )
    return ""


def _spans(found: Extraction) -> Iterator[Any]:
    """Yield everything in a record that has offsets."""
    for quote in found.quotes:
        yield quote
        yield from filter(None, (quote.cue, quote.speaker))
        if quote.speaker is not None:
            yield from chain(quote.speaker.roles, quote.speaker.affiliations)
    for person in found.people:
        yield from chain(person.mentions, person.roles, person.affiliations)
    for claim in found.claims:
        yield claim
        yield from filter(None, (claim.quantity, claim.modifier, claim.measured))
