"""WARC and WET: which records are articles; files that end early or are damaged."""

from __future__ import annotations

import gzip
import logging
import re

import pytest

from claimx.archive.readers import web
from claimx.errors import InputError
from claimx.types import Article
from tests.archive.reading import STORY, articles, failures, kinds, rows

pytest.importorskip("warcio")
PAGE = f"<html><body><p>{STORY}</p></body></html>".encode()


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    """Pages as they are: what trafilatura does is another test's."""

    class Reader:
        def read(self, html: str, url: str | None, seconds: float) -> dict:
            return {"text": html, "title": "T", "date": "2024-05-06"}

    monkeypatch.setattr(web, "page_reader", Reader)


def record(
    kind: str, content: str, block: bytes, uri: str | None = "https://paper.example/a", **more: str
) -> bytes:
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"Content-Type: {content}",
        f"Content-Length: {len(block)}",
    ]
    lines += [f"WARC-Target-URI: {uri}"] if uri else []
    lines += [
        "WARC-Date: 2024-05-07T00:00:00Z",
        *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def response(
    body: bytes = PAGE,
    uri: str | None = "https://paper.example/a",
    status: str = "200 OK",
    type: str = "text/html",
    more: str = "",
    **warc: str,
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {type}\r\n{more}\r\n".encode()
    return record("response", "application/http; msgtype=response", head + body, uri, **warc)


INFO = record("warcinfo", "application/warc-fields", b"software: x\r\n", None)


@pytest.fixture
def stored(tmp_path):
    def write(data: bytes, name: str = "a.warc"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_pages_are_articles_and_the_rest_is_counted(stored, caplog):
    path = stored(
        INFO + record("request", "application/http", b"GET / HTTP/1.1\r\n\r\n") + response()
        + response(status="404 Not Found") + response(type="application/pdf") + response(uri=None)
        + record("response", "text/dns", b"1.2.3.4", "dns:paper.example")
    )  # fmt: skip
    with caplog.at_level(logging.INFO, "claimx"):
        found = articles(rows(path))
    meta = {"warc_date": "2024-05-07T00:00:00Z", "date": "2024-05-06"}
    assert found == [
        Article("https://paper.example/a", PAGE.decode(), "T", meta),
        Article(f"{path}:6", PAGE.decode(), "T", meta),
    ]
    assert (
        "5 records that are no articles: 1 HTTP status 404, 1 application/pdf, 1 request"
        in caplog.text
    )


def test_wet_texts_are_articles(stored):
    path = stored(INFO + record("conversion", "text/plain", STORY.encode()), "a.warc.wet")
    (article,) = articles(rows(path))
    assert (article.id, article.text, article.title) == ("https://paper.example/a", STORY, None)


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"5\r\n<html\r\n1\r\n>\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n"),
        (gzip.compress(b"<html>", mtime=0), "Content-Encoding: gzip\r\n"),
        (b"<html>", "Content-Encoding: gzip\r\n"),
        (b"<html>", "Transfer-Encoding: chunked\r\n"),
    ],
)
def test_bodies_are_put_together(stored, body, more):
    assert articles(rows(stored(response(body, more=more))))[0].text == "<html>"


def test_the_charset_of_the_header_is_used(stored):
    path = stored(response("<p>Москва</p>".encode("koi8-r"), type="text/html; charset=KOI8-R"))
    assert articles(rows(path))[0].text == "<p>Москва</p>"


def test_a_page_without_a_type_is_told_by_its_beginning(stored):
    block = b"HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE html><p>x"
    path = stored(
        record("response", "application/http", block)
        + record("response", "application/http", b"HTTP/1.1 200 OK\r\n\r\n{}")
    )
    assert [a.text for a in articles(rows(path))] == ["<!DOCTYPE html><p>x"]


def test_a_page_that_the_crawler_cut_says_so(stored):
    assert (
        articles(rows(stored(response(WARC_Truncated="length"))))[0].meta["warc_truncated"]
        == "length"
    )


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (record("response", "application/http", b"no such thing\r\n\r\n"), "bad_record"),
        (response(b"x" * 5000), "too_large"),
        (
            response(gzip.compress(b"x" * 10**7, mtime=0), more="Content-Encoding: gzip\r\n"),
            "too_large",
        ),
        (
            response(
                gzip.compress(PAGE, mtime=0)[:-30] + b"\0" * 60, more="Content-Encoding: gzip\r\n"
            ),
            "bad_record",
        ),
        (response(b"\x89PNG\r\n\x1a\n"), "not_text"),
    ],
)
def test_a_bad_record_costs_itself_alone(stored, bad, kind):
    path = stored(response() + bad + response(uri="https://paper.example/c"))
    found = rows(path, max_bytes=4000 if kind == "too_large" and len(bad) < 8000 else 10**6)
    assert [a.id for a in articles(found)] == ["https://paper.example/a", "https://paper.example/c"]
    ((found_kind, message),) = failures(found)
    assert found_kind == kind and f"{path}:2: " in message


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_cut_anywhere_gives_its_whole_records_and_says_so(stored, packed):
    records = [response(f"<html>{n}".encode(), uri=f"https://paper.example/{n}") for n in range(3)]
    parts = [gzip.compress(r, mtime=0) if packed else r for r in records]
    whole = b"".join(parts)
    ends = [sum(map(len, parts[: n + 1])) for n in range(3)]
    for cut in range(12, len(whole), 3):
        found = rows(stored(whole[:cut], "a.warc.gz" if packed else "a.warc"))
        # The blank lines and the checksum behind a record add nothing to it.
        complete = sum(cut >= end for end in ends)
        assert complete <= len(articles(found)) <= complete + 1
        if packed:
            assert kinds(found) == ([] if cut in ends else ["truncated"]), cut
        elif min(abs(cut - end) for end in ends) > 4:
            assert kinds(found) == ["truncated"], cut


def test_a_wrong_checksum_takes_its_own_record_with_it(stored):
    parts = [
        bytearray(gzip.compress(response(uri=f"https://paper.example/{n}"), mtime=0))
        for n in range(3)
    ]
    parts[1][-6] ^= 1
    found = rows(stored(b"".join(parts), "a.warc.gz"))
    assert [a.id for a in articles(found)] == ["https://paper.example/0"]
    assert kinds(found) == ["damaged"]


@pytest.mark.parametrize("length", ["Content-Length: x", "X: y", "Content-Length: 5"])
def test_a_record_that_lies_about_its_length_ends_the_file(stored, length):
    bad = re.sub(rb"Content-Length: \d+", length.encode(), response(), count=1)
    found = rows(stored(response() + bad + response()))
    assert articles(found)[0].id == "https://paper.example/a" and kinds(found)[-1] == "damaged"


def test_what_is_no_warc_is_refused(stored):
    with pytest.raises(InputError, match="no WARC file"):
        rows(stored(b"<html>"))
