"""What is shown: articles that are still to be read, and records joined with their texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

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
from claimx.text import replace_surrogates
from claimx.types import Article, Extraction


def read_items(paths: Iterable[str]) -> Iterator[Article | Extraction]:
    """Read articles and output records; what cannot be read becomes an error record.

    Args:
        paths: those of `claimx.reading.read_files`; a ``.jsonl`` file whose first line has a
            ``schema`` holds records.
    """
    for path in paths:
        if Path(path).suffix.lower() in ARTICLE_SUFFIXES and _holds_records(path):
            yield from _records(path)
        else:
            yield from read_files([path])


def _holds_records(path: str) -> bool:
    try:
        with Path(path).open("rb") as stream:
            for _, line in read_lines(stream, MAX_BYTES):
                if line.strip():
                    record = parse_line(line.removeprefix(b"\xef\xbb\xbf"))
                    return isinstance(record, Mapping) and "schema" in record
    except (OSError, ValueError):  # read_files says what is wrong
        return False
    return False


def _records(path: str) -> Iterator[Extraction]:
    with Path(path).open("rb") as stream:
        for number, line in read_lines(stream, MAX_BYTES):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                yield _record(line.removeprefix(b"\xef\xbb\xbf"))
            except InputError as error:
                yield failed(place, error.kind, f"{place}: {error}")


def _record(line: bytes) -> Extraction:
    if len(line) > MAX_BYTES:
        raise InputError(f"this is a line of more than {MAX_BYTES:,} bytes", "too_large")
    record = parse_line(line)
    if not isinstance(record, Mapping):
        raise InputError(f"this is no output record, but {shown(line)}", "bad_record")
    try:
        found = Extraction.from_dict(record)
        _check(found)
    except FormatError as error:
        raise InputError(
            f"{error}; this is no output record: {shown(line)}", "bad_record"
        ) from error
    return found


# ---- texts --------------------------------------------------------------------------------


def join_texts(records: Sequence[Extraction], paths: Sequence[str]) -> list[Extraction]:
    """Give every record its text and see that its offsets hold there.

    A record whose text is not the one that it was made from becomes an error record.

    Args:
        records: with or without their texts.
        paths: articles, found by their ids; read no further than needed.

    Raises:
        InputError: if records have no text and no articles are named.
    """
    wanted = {one.id for one in records if one.error is None and one.text is None}
    if wanted and not paths:
        raise InputError(
            f"{len(wanted):,} of {len(records):,} records have no text, {min(wanted)!r} among "
            f"them; make them with --with-text, or name the articles with --texts FILE"
        )
    articles = _articles(wanted, paths) if wanted else {}
    return [one if one.error else _joined(one, articles.get(one.id), paths) for one in records]


def _articles(wanted: set[str], paths: Sequence[str]) -> dict[str, Article]:
    """Return the articles that are wanted, by id, the first of each."""
    found: dict[str, Article] = {}
    for item in read_files(paths):
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


# ---- records that others made -------------------------------------------------------------


def _check(found: Extraction) -> None:
    """Raise FormatError where a record would not survive being shown."""
    for span in _spans(found):
        if not 0 <= span.start < span.end:
            raise FormatError(f"the offsets {span.start} and {span.end} of {span.text!r} are none")


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
