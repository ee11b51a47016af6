"""Files of articles in every format, packed or not, and records that others made."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib import import_module
from typing import Any

from claimx.archive.inputs import InputFile
from claimx.archive.readers import ReadOptions, read_rows, web
from claimx.errors import ClaimxError
from claimx.page.document import page
from claimx.page.reading import join_texts, read_items
from claimx.types import Article, Extraction
from scripts.fuzzing.feed import Feed, as_json
from scripts.fuzzing.target import (
    RECORD,
    BrokenError,
    Target,
    must_keep_to,
    put,
    room,
    validator,
)

_STORY = "“We lost 40 percent,” said Ines Okafor of the Harbour Board. The mines of Norvale closed."
_RECORDS: list[dict[str, Any]] = [
    {"id": f"a{number}", "text": f"{_STORY} {number}", "title": "News", "meta": {"n": [number]}}
    for number in range(8)
]
_SUFFIXES = {
    "jsonl": ".jsonl", "csv": ".csv", "tsv": ".tsv", "parquet": ".parquet", "text": ".txt",
    "html": ".html", "warc": ".warc", "newsml": ".xml",
}  # fmt: skip
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": partial(gzip.compress, compresslevel=1, mtime=0),
    ".bz2": partial(bz2.compress, compresslevel=1),
    ".xz": partial(lzma.compress, preset=0),
    ".zst": lambda data: bytes(import_module("zstandard").compress(data)),
}
_CHECKED = 20  # error records of one file that are held against the schema
_OPTIONS = ReadOptions(max_bytes=200_000, max_unpacked=2_000_000, html_seconds=20.0)


class _PageAsItIs:
    """Stands in for the process that reads pages, so that many WARC files can be tried."""

    def read(self, html: str, url: str | None, _: float) -> dict[str, Any]:
        return {"text": html, "title": url, "date": None}


def _parquet() -> bytes:
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    stream = io.BytesIO()
    table = arrow.Table.from_pylist([{**one, "day": 1.5} for one in _RECORDS])
    parquet.write_table(table, stream, write_page_checksum=True)
    return stream.getvalue()


@cache
def sound(name: str) -> tuple[bytes, ...]:
    """Return sound files of a format."""
    rows = [f'{one["id"]},"{one["text"]}",{one["title"]}' for one in _RECORDS]
    table = "\r\n".join(["id,text,title", *rows]) + "\r\n"
    if name == "jsonl":
        return (b"\n".join(map(as_json, _RECORDS)),)
    if name in ("csv", "tsv"):
        return (table.replace('"', "").replace(",", "\t" if name == "tsv" else ",").encode(),
                table.encode(), table.encode("utf-16"))  # fmt: skip
    if name == "parquet":
        return (_parquet(),)
    if name == "text":
        return _STORY.encode() * 5, _STORY.encode("utf-16"), _STORY.encode("cp1252")
    samples = import_module(f"tests.archive.readers.test_{'web' if name == 'html' else name}")
    if name == "html":
        return samples.PAGE.encode(), samples.PAGE.encode("utf-16")
    if name == "warc":
        chunked = samples.response(b"4\r\nabcd\r\n0\r\n\r\n", more="Transfer-Encoding: chunked\r\n")
        wet = samples.record("conversion", "text/plain", _STORY.encode())
        return (samples.INFO + samples.response() + wet + chunked + samples.response(),)
    return samples.NITF.encode(), samples.message(
        samples.item(1, samples.XHTML), samples.item(2, samples.XHTML)
    ).encode()


def _make(name: str, feed: Feed) -> tuple[str, bytes]:
    content = feed.pick(sound(name))
    packing = feed.pick(["", "", *_PACKERS]) if name != "parquet" else ""
    if not packing:
        return "", feed.spoil(content)
    if name == "warc" and packing == ".gz" and feed.below(2):  # a member for each record
        records = content.split(b"WARC/1.0")
        members = [gzip.compress(b"WARC/1.0" + one, mtime=0) for one in records[1:]]
        return packing, feed.spoil(b"".join(members))
    if feed.below(2):
        return packing, _PACKERS[packing](feed.spoil(content))
    return packing, feed.spoil(_PACKERS[packing](content))


def _check(name: str, given: tuple[str, bytes]) -> None:
    packing, content = given
    path = put(room(name), {f"news{_SUFFIXES[name]}{packing}": content})
    file = InputFile(str(path / f"news{_SUFFIXES[name]}{packing}"), len(content), "", name)
    if name == "warc":
        web.page_reader = _PageAsItIs  # type: ignore[assignment]
    try:
        _must_be_items(row.item for row in read_rows(file, _OPTIONS))
    except ClaimxError as error:
        if not str(error):
            raise BrokenError("an error without a word") from error


def _must_be_items(items: Iterable[Article | Extraction]) -> None:
    for number, item in enumerate(items):
        if isinstance(item, Extraction):
            if number < _CHECKED:  # checking takes longer than reading
                must_keep_to(validator(RECORD, "failed"), item.to_dict())
            continue
        texts = (item.id, item.text, item.title or "")
        if not all(isinstance(one, str) for one in texts):
            raise BrokenError(f"{item!r} holds what is no text")
        json.dumps(dict(item.meta), allow_nan=False)


# ---- records that others made -------------------------------------------------------------


@cache
def _record() -> dict[str, Any]:
    tiny = import_module("tests.tiny")
    extractor = import_module("claimx.extractor").Extractor
    tiny_extractor = extractor.from_checkpoint(tiny.lexicon_checkpoint(), device="cpu")
    text = (
        "“The harbour will be shut,” said Okafor. Minister Ruiz of Norvale told the board of about "
        "40 percent of boats."
    )
    record: dict[str, Any] = tiny_extractor(text).to_dict(with_text=True)
    return record


def _make_records(feed: Feed) -> list[bytes]:
    content = as_json(_record())
    return [
        as_json(feed.spoil_value(_record())) if feed.below(3) else feed.spoil(content)
        for _ in range(10)
    ]


def _check_records(lines: list[bytes]) -> int:
    # The first line is sound, for it says that these are records.
    content = b"\n".join([as_json(_record()), *(line.replace(b"\n", b" ") for line in lines)])
    path = put(room("records"), {"records.jsonl": content}) / "records.jsonl"
    items = [item for item in read_items([str(path)]) if isinstance(item, Extraction)]
    texts = str(put(room("records"), {"none.txt": b"nothing"}) / "none.txt")
    page(join_texts(items, [texts]), "")
    return len(lines)


TARGETS = (
    *(
        Target(name, "archives", partial(_make, name), partial(_check, name), size=128, seconds=5)
        for name in _SUFFIXES
    ),
    Target("records", "records", _make_records, _check_records, size=512, seconds=10),
)
