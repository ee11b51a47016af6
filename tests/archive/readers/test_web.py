"""Web pages: a page that hangs or kills its reader costs itself alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from claimx.archive.readers import NO_TEXT, web
from claimx.archive.readers.web import PageReader, decode_page
from claimx.errors import ClaimxError, InputError
from tests.archive.reading import STORY, articles, kinds, needs, rows

PAGE = f"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html><head>
<title>Ferry stopped</title><meta name="author" content="Ana Ruiz"/>
<meta property="article:published_time" content="2024-05-06T10:00:00Z"/>
<link rel="canonical" href="https://paper.example/ferry"/></head><body><nav>Home</nav>
<article><h1>Ferry stopped</h1><p>{STORY}</p><p>{STORY.replace("Monday", "Tuesday")}</p></article>
<footer>Imprint</footer></body></html>"""

# Answers as the real one does, except to pages that say what to do.
STUB = f"""
import os, signal, sys, time
sys.path.insert(0, {str(Path(web.__file__).parent)!r})
from web_worker import receive, send
out = sys.stdout.buffer
send(out, {{"ready": True}})
while (request := receive(sys.stdin.buffer)) is not None:
    html = request["html"]
    if "HANG" in html: time.sleep(600)
    if "DIE" in html: os.kill(os.getpid(), signal.SIGKILL)
    if "RAISE" in html: send(out, {{"error": "ValueError: odd"}})
    elif "NOISE" in html: out.write(b"no message"); out.flush(); sys.exit()
    else: send(out, {{"text": html, "title": None, "author": None, "date": None, "url": None}})
"""


@pytest.fixture
def reader():
    made = PageReader([sys.executable, "-c", STUB])
    yield made
    made.close()


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        ("HANG", "html_timeout", "more than 1 seconds"),
        ("DIE", "html_crash", "status -9"),
        ("RAISE", "bad_html", "ValueError: odd"),
        ("NOISE", "html_crash", "ended its process"),
    ],
)
def test_a_page_that_breaks_its_reader_costs_itself_alone(reader, monkeypatch, page, kind, words):
    assert reader.read("one", None, 60)["text"] == "one"
    with pytest.raises(InputError, match=words) as raised:
        reader.read(page, None, 1)
    assert raised.value.kind == kind
    assert reader.read("two", None, 60)["text"] == "two"


def test_a_reader_that_died_between_two_pages_is_started_again(reader):
    reader.read("one", None, 60)
    reader._process.kill()
    reader._process.wait()
    assert reader.read("two", None, 60)["text"] == "two"


def test_a_reader_is_replaced_after_so_many_pages(reader, monkeypatch):
    monkeypatch.setattr(web, "_PAGES", 2)
    used = []
    for _ in range(4):
        reader.read("one", None, 60)
        used.append(reader._process.pid)
    assert used[0] == used[1] != used[2] == used[3]


def test_a_reader_that_does_not_start_ends_the_run():
    with pytest.raises(ClaimxError, match="does not start") as raised:
        PageReader([sys.executable, "-c", "raise SystemExit(3)"]).read("x", None, 60)
    assert not isinstance(raised.value, InputError)


def test_a_page_that_hangs_is_a_row(tmp_path, reader, monkeypatch):
    monkeypatch.setattr(web, "page_reader", lambda: reader)
    path = tmp_path / "a.html"
    path.write_text("HANG")
    assert kinds(rows(path, html_seconds=0.5)) == ["html_timeout"]


def test_a_page_that_is_too_large_is_a_row(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("x" * 101)
    assert kinds(rows(path, max_bytes=100)) == ["too_large"]


@needs("trafilatura")
def test_pages(tmp_path):
    for name, data in (("a.html", PAGE), ("b.htm", "<html></html>"), ("c.xhtml", "<p>a\0b" + PAGE)):
        (tmp_path / name).write_text(data, encoding="utf-8")
    (row,) = rows(tmp_path / "a.html")
    assert row.item.id == str(tmp_path / "a.html") and row.item.title == "Ferry stopped"
    assert STORY in row.item.text and "Home" not in row.item.text
    assert row.item.meta == {
        "author": "Ana Ruiz",
        "date": "2024-05-06",
        "url": "https://paper.example/ferry",
    }
    assert rows(tmp_path / "a.html") == [row]
    assert rows(tmp_path / "b.htm")[0].notes == (NO_TEXT,)
    assert STORY in articles(rows(tmp_path / "c.xhtml"))[0].text
    web.page_reader().close()


CAFE = "<html><head>{}</head><body>The café – “open”</body></html>"


@pytest.mark.parametrize(
    ("head", "encoding", "charset"),
    [
        ("", "utf-8", None),
        ("", "utf-8-sig", "windows-1252"),
        ("", "utf-16", None),
        ("", "cp1252", "ISO-8859-1"),
        ("<meta charset=windows-1252>", "cp1252", None),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">',
            "cp1252",
            None,
        ),
        ("<meta charset=koi8-r>", "utf-8", "utf-8"),
        ("", "cp1252", None),
        ("", "utf-8", "nonsense"),
        ("", "utf-8", "zip"),
    ],
)
def test_encodings_of_pages(head, encoding, charset):
    page = CAFE.format(head)
    assert decode_page(page.encode(encoding), charset).lstrip("\ufeff") == page


def test_a_picture_is_no_page():
    with pytest.raises(InputError, match="picture"):
        decode_page(b"\x89PNG\r\n\x1a\n", None)
