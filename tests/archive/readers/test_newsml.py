"""NITF and NewsML-G2: text and facts; entities, depth, size and damage."""

from __future__ import annotations

import pytest

from claimx.errors import InputError
from claimx.types import Article
from tests.archive.reading import articles, failures, kinds, rows

pytest.importorskip("defusedxml")

NITF = """<nitf><head><title>Head</title><docdata><doc-id id-string="n-1"/><date.issue norm="20240506"/></docdata>
<pubdata name="The Paper"/></head><body><body.head><hedline><hl1>Ferry
 stopped</hl1></hedline><byline>By <person>Ana Ruiz</person></byline><dateline>HELVIK</dateline></body.head>
<body.content><p>One <em>two</em>
  three.</p><media><media-caption>Out</media-caption></media><hl2>Pier</hl2><p>Four<br/>five.</p>
<table><tr><td>9</td></tr></table></body.content></body></nitf>"""
META = {
    "byline": "By Ana Ruiz",
    "dateline": "HELVIK",
    "date": "20240506",
    "publication": "The Paper",
}
TEXT = "One two three.\n\nPier\n\nFour\nfive."


def item(number: int, content: str) -> str:
    return (
        f'<newsItem guid="urn:{number}" version="2"><itemMeta><versionCreated>2024-05-06</versionCreated>'
        f"</itemMeta><contentMeta><headline>H{number}</headline><by>Ana Ruiz</by>"
        f'<language tag="en"/></contentMeta><contentSet>{content}</contentSet></newsItem>'
    )


def message(*items: str) -> str:
    return f'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{"".join(items)}</itemSet></newsMessage>'


XHTML = '<inlineXML><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>A.</p><p>B.</p></body></html></inlineXML>'


@pytest.fixture
def xml(tmp_path):
    def write(data: str | bytes):
        path = tmp_path / "news.xml"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


@pytest.mark.parametrize(
    "prolog", ["", '<?xml version="1.0"?><!DOCTYPE nitf SYSTEM "nitf-3-4.dtd">', "\ufeff"]
)
def test_a_nitf_document(xml, prolog):
    assert articles(rows(xml(prolog + NITF))) == [Article("n-1", TEXT, "Ferry stopped", META)]


def test_nitf_in_a_namespace_and_another_encoding(xml):
    data = '<?xml version="1.0" encoding="windows-1252"?>' + NITF.replace(
        "<nitf>", '<nitf xmlns="http://iptc.org/std/NITF/2006-10-18/">'
    ).replace("three", "café")
    assert "café" in articles(rows(xml(data.encode("cp1252"))))[0].text


def test_named_characters_of_html_are_known(xml):
    data = '<!DOCTYPE nitf SYSTEM "nitf.dtd">' + NITF.replace("three", "caf&eacute;")
    assert "café" in articles(rows(xml(data)))[0].text


def test_the_items_of_a_message_are_rows_and_pictures_are_passed_over(xml):
    path = xml(
        message(
            item(1, XHTML),
            item(2, '<remoteContent href="a.jpg"/>'),
            item(3, f"<inlineXML>{NITF}</inlineXML>"),
            item(4, "<inlineData> Plain text. </inlineData>"),
        )
    )
    found = articles(rows(path))
    assert [(a.id, a.text, a.title) for a in found] == [
        ("urn:1", "A.\n\nB.", "H1"),
        ("urn:3", TEXT, "H3"),
        ("urn:4", "Plain text.", "H4"),
    ]
    assert found[0].meta == {
        "byline": "Ana Ruiz",
        "date": "2024-05-06",
        "language": "en",
        "version": "2",
    }
    assert found[1].meta["dateline"] == "HELVIK"


def test_an_item_that_is_too_large_costs_itself_alone(xml):
    path = xml(
        message(item(1, XHTML), item(2, f"<inlineData>{'x ' * 5000}</inlineData>"), item(3, XHTML))
    )
    found = rows(path, max_bytes=3000)
    assert [a.id for a in articles(found)] == ["urn:1", "urn:3"]
    ((kind, text),) = failures(found)
    assert kind == "too_large" and f"{path}:2: " in text


def test_a_cut_message_gives_its_whole_items_and_says_so(xml):
    whole = message(item(1, XHTML), item(2, XHTML), item(3, XHTML))
    end = whole.index("</newsItem>") + len("</newsItem>")
    for cut in range(end, len(whole) - 1, 7):
        found = rows(xml(whole[:cut]))
        assert kinds(found) == ["truncated"], cut
        assert len(articles(found)) == whole[:cut].count("</newsItem>")


def test_broken_xml_in_a_later_item_keeps_the_items_before(xml):
    filler = "<!--" + "x" * 100_000 + "-->"
    found = rows(xml(message(item(1, XHTML), filler, item(2, "<b></i>"), filler, item(3, XHTML))))
    assert [a.id for a in articles(found)] == ["urn:1"] and kinds(found) == ["damaged"]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://paper.example/x.dtd"> %a;',
    ],
)
def test_entities_of_the_document_are_refused(xml, declaration):
    with pytest.raises(InputError, match="no NITF or NewsML"):
        rows(xml(f"<!DOCTYPE nitf [{declaration}]>" + NITF.replace("three", "&b;")))


def test_elements_that_nest_too_deep_end_the_file(xml):
    found = rows(xml(NITF.replace("<p>One", "<em>" * 5000 + "<p>One")))
    ((kind, text),) = failures(found)
    assert kind == "damaged" and "200 deep" in text


def test_a_tag_that_does_not_end_is_given_up(xml):
    found = rows(xml('<nitf><head><title x="' + "y" * 500_000), max_bytes=100_000)
    assert kinds(found) == ["damaged"]


@pytest.mark.parametrize("data", ["<rss><channel/></rss>", "no XML at all", ""])
def test_other_files_are_refused(xml, data):
    with pytest.raises(InputError, match="no NITF or NewsML-G2"):
        rows(xml(data))
