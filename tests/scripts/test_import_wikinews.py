"""Articles of a Wikinews dump are rendered as words and matched."""

from __future__ import annotations

import bz2

import pytest

from scripts.import_wikinews import main, rendered
from tests.scripts.standoff_files import texts_of, write_standoff

MARKUP = """{{date|January 4, 2019}}
[[File:Yard.jpg|thumb|The [[yard]] in May]]
'''Lorn''' yards, {{w|Ada Berg|Berg}} said on [[Friday]] &amp; [[w:Lorn|Lorn]] agreed.<ref>x</ref>

"It [the yard] stays," she said.<!-- check {{x}} -->

== Sources ==
* {{source|title=No|url=http://a.example}}
"""
TEXT = (
    "Friday, January 4, 2019\n\nLorn yards, Berg said on Friday & Lorn agreed.\n\n"
    '"It [the yard] stays," she said.'
)
URL = "https://en.wikinews.org//wiki/Yards_%26_boats_stay"


def dump(markup: str, title: str = "Yards &amp; boats stay", head: str = "") -> bytes:
    escaped = markup.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'{head}<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">'
        "<page><title>Other</title><revision><text>x</text></revision></page>"
        f"<page><title>{title}</title><revision><text>{escaped}</text></revision></page>"
        "</mediawiki>"
    ).encode()


def imported(tmp_path, content: bytes, name: str = "d.xml") -> int:
    standoff = write_standoff(tmp_path / "s", "news_annotated", [("a", TEXT)], "Wikinews", URL)
    (tmp_path / name).write_bytes(content)
    output = str(tmp_path / "o.jsonl")
    return main([str(tmp_path / name), output, "--standoff", str(standoff)])


def test_markup_becomes_the_words_of_the_page():
    assert rendered(MARKUP) == TEXT


@pytest.mark.parametrize("name", ["d.xml", "d.xml.bz2"])
def test_an_article_is_found_by_its_address_and_hash(tmp_path, name):
    content = dump(MARKUP)
    assert imported(tmp_path, bz2.compress(content) if name.endswith("2") else content, name) == 0
    assert texts_of(tmp_path / "o.jsonl") == {"a": TEXT}


def test_a_page_with_another_text_is_told_from_one_that_is_missing(tmp_path, capsys):
    assert imported(tmp_path, dump("Changed.")) == 2
    assert "its text is another: a (Yards & boats stay)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        dump(MARKUP, head='<!DOCTYPE a [<!ENTITY b "bb">]>'),
        dump(MARKUP)[:-30],
        b"<html>404</html>",
        b"",
    ],
)
def test_entities_broken_and_foreign_files_are_refused(tmp_path, content, capsys):
    assert imported(tmp_path, content) == 2
    assert capsys.readouterr().err.count("error: ") == 1
    assert not (tmp_path / "o.jsonl").exists()


def test_a_broken_archive_is_refused(tmp_path, capsys):
    assert imported(tmp_path, b"not packed", "d.xml.bz2") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_nested_and_unclosed_templates_end():
    assert rendered("{{a|{{w|B}}|{{c}} d {{") == "{{a|B| d {{"
