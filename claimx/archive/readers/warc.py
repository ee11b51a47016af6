"""WARC and WET: web pages as a crawler stored them.

A row comes of each ``response`` record with an HTTP status of 2xx and a page of HTML, and of each
``conversion`` record of plain text (WET). All others are passed over; how many of which is
logged. The id is the WARC-Target-URI; ``meta`` has ``warc_date``, ``warc_truncated`` if the
crawler cut the page, and what the page says of itself.

The records are counted off here, since warcio takes a file that ends early or is damaged for one
that ends; headers, chunks and bodies are warcio's.
"""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import error_at, too_large
from claimx.archive.readers.web import page_article
from claimx.archive.unpacking import ContainerError
from claimx.errors import InputError
from claimx.extras import needed
from claimx.reading import decode
from claimx.text import counted
from claimx.types import Article, Extraction

_LOG = logging.getLogger("claimx")
_VERSIONS = ["WARC/1.1", "WARC/1.0", "WARC/0.17", "WARC/0.18"]
_HTTP = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"]
_HEADER_BYTES = 1 << 20
_PIECE = 1 << 16
_BLANK = (b"\r\n", b"\n")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_LOOKS_LIKE_A_PAGE = re.compile(rb"<!doctype html|<html", re.I)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.I)


@dataclass(frozen=True, slots=True)
class _Record:
    """A record; `block` is cut one byte over the limit of an article."""

    number: int
    headers: Any
    block: bytes

    def header(self, name: str) -> str:
        return str(self.headers.get_header(name) or "").strip()


class _PassedOver(Exception):  # noqa: N818 (no error)
    """A record that is no article, and why."""


def read(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the article of each page."""
    passed_over: Counter[str] = Counter()
    records = _records(stream, path, options.max_bytes)
    # A row waits until the next record is there: only then its own checksum has been read.
    held: Article | Extraction | None = None
    while True:
        try:
            record = next(records, None)
        except ContainerError as error:
            if held is not None and not error.checksum:
                yield held
            raise
        if held is not None:
            yield held
            held = None
        if record is None:
            break
        place = f"{path}:{record.number}"
        name = record.header("WARC-Target-URI").strip("<>") or place
        try:
            held = _article(record, name, options)
        except _PassedOver as reason:
            passed_over[str(reason)] += 1
        except InputError as error:
            held = error_at(place, error, name)
    if passed_over:
        kinds = ", ".join(f"{count:,} {what}" for what, count in sorted(passed_over.items()))
        _LOG.info("%s: %s records that are no articles: %s", path, passed_over.total(), kinds)


# ---- records ------------------------------------------------------------------------------


def _records(stream: BinaryIO, path: str, max_bytes: int) -> Iterator[_Record]:
    """Count the records off, by their lengths; every byte must be there."""
    library = needed("warcio.statusandheaders", "warcio", "reading WARC")
    parser = library.StatusAndHeadersParser(_VERSIONS)
    number = 0
    while (first := _first_line(stream)) is not None:
        number += 1
        try:
            if not first.startswith(b"WARC/"):
                raise ContainerError(f"no record begins where number {number} should", "damaged")
            headers = parser.parse(io.BytesIO(_header(stream, first)))
        except (ContainerError, library.StatusAndHeadersParserException) as error:
            if number == 1 and getattr(error, "kind", "damaged") == "damaged":
                raise InputError(f"{path}: this is no WARC file", "damaged") from error
            raise _damaged(error) from error
        length = headers.get_header("Content-Length") or ""
        if not length.isdecimal() or len(length) > 18:
            raise ContainerError(
                f"record {number} does not say how long it is ({length!r})", "damaged"
            )
        yield _Record(number, headers, _block(stream, int(length), max_bytes, number))


def _damaged(error: Exception) -> ContainerError:
    return error if isinstance(error, ContainerError) else ContainerError(str(error), "damaged")


def _first_line(stream: BinaryIO) -> bytes | None:
    """Return the first line that is not blank; None at the end of the file."""
    while line := stream.readline(_PIECE):
        if line not in _BLANK:
            return line
    return None


def _header(stream: BinaryIO, first: bytes) -> bytes:
    lines, size = [first], len(first)
    while (line := stream.readline(_PIECE)) not in _BLANK:
        size += len(line)
        lines.append(line)
        if not line:
            raise ContainerError("the file ends inside the header of a record", "truncated")
        if size > _HEADER_BYTES:
            raise ContainerError("the header of a record does not end", "damaged")
    return b"".join([*lines, b"\r\n"])


def _block(stream: BinaryIO, length: int, max_bytes: int, number: int) -> bytes:
    block = stream.read(min(length, max_bytes + 1))
    left = length - len(block)
    while left and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)
    if left:
        raise ContainerError(
            f"the file ends {counted(left, 'byte')} before the end of record {number}", "truncated"
        )
    return block


# ---- articles -----------------------------------------------------------------------------


def _article(record: _Record, name: str, options: ReadOptions) -> Article:
    kind = record.header("WARC-Type").lower()
    facts = {"warc_date": record.header("WARC-Date")}
    if cut := record.header("WARC-Truncated"):
        facts["warc_truncated"] = cut
    facts = {key: value for key, value in facts.items() if value}
    content = record.header("Content-Type").lower()
    if kind == "conversion":
        if not content.startswith("text/plain"):
            raise _PassedOver(f"conversion to {content or 'what it does not say'}")
        if len(record.block) > options.max_bytes:
            raise too_large("text", options.max_bytes)
        text, more = decode(record.block)
        return Article(name, text, meta=facts | more)
    if kind != "response":
        raise _PassedOver(kind or "without a type")
    if not content.startswith("application/http"):
        raise _PassedOver(f"response of {content or 'what it does not say'}")
    return _page(record, name, facts, options)


def _page(record: _Record, name: str, facts: dict[str, str], options: ReadOptions) -> Article:
    library = needed("warcio.statusandheaders", "warcio", "reading WARC")
    body = io.BytesIO(record.block)
    try:
        http = library.StatusAndHeadersParser(_HTTP).parse(body)
    except (library.StatusAndHeadersParserException, EOFError) as error:
        raise InputError(f"this is no HTTP response: {error}", "bad_record") from error
    status = str(http.get_statuscode())
    if not status.startswith("2"):
        raise _PassedOver(f"HTTP status {status[:3]}")
    content = str(http.get_header("Content-Type") or "").lower()
    media = content.partition(";")[0].strip()
    sniffed = not media and _LOOKS_LIKE_A_PAGE.search(record.block[body.tell() :][:_PIECE])
    if not sniffed and media not in _PAGE_TYPES:
        raise _PassedOver(media or "of unknown type")
    if len(record.block) > options.max_bytes:
        raise too_large("page", options.max_bytes)
    data = _body(body, http, options.max_bytes)
    charset = _CHARSET.search(content)
    url = name if name.startswith(("http://", "https://")) else None
    article = page_article(data, name, url, charset and charset[1], options)
    return Article(name, article.text, article.title, {**facts, **article.meta})


def _body(body: BinaryIO, http: Any, max_bytes: int) -> bytes:
    """Put chunks together and unpack what the server packed; crawlers may have done so."""
    if str(http.get_header("Transfer-Encoding") or "").lower() == "chunked":
        readers = needed("warcio.bufferedreaders", "warcio", "reading WARC")
        data = bytes(readers.ChunkedDataReader(body).read(max_bytes + 1))
    else:
        data = body.read()
    encoding = str(http.get_header("Content-Encoding") or "").strip().lower()
    if encoding in ("gzip", "x-gzip") and data.startswith(b"\x1f\x8b"):
        data = _unzip(data, zlib.MAX_WBITS | 16, max_bytes)
    elif encoding == "deflate" and not data.lstrip().startswith(b"<"):
        data = _unzip(data, zlib.MAX_WBITS if data[:1] == b"\x78" else -zlib.MAX_WBITS, max_bytes)
    if len(data) > max_bytes:
        raise too_large("page", max_bytes)
    return data


def _unzip(data: bytes, window: int, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        page = unpacker.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise InputError(f"the packed page is damaged: {error}", "bad_record") from error
    if len(page) <= max_bytes and not unpacker.eof:
        raise InputError("the packed page ends too early", "bad_record")
    return page
