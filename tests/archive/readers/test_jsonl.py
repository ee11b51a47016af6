"""JSON lines: which line is which article, and which is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.archive.inputs import find_inputs
from claimx.archive.readers import NOT_ENGLISH, ReadOptions, jsonl, read_rows
from claimx.errors import InputError
from claimx.types import Article
from tests.archive.reading import STORY, articles, failures, rows
from tests.archive.test_language import OTHERS


@pytest.fixture
def lines(tmp_path):
    def write(*records: object, name: str = "news.jsonl"):
        path = tmp_path / name
        data = [
            record if isinstance(record, bytes) else json.dumps(record).encode()
            for record in records
        ]
        path.write_bytes(b"\n".join(data) + b"\n")
        return path

    return write


def test_every_other_key_goes_into_meta(lines):
    path = lines(
        {"id": "a", "text": STORY, "title": "Ferry", "desk": "Home", "n": [1, {"x": None}]}
    )
    assert articles(rows(path)) == [
        Article("a", STORY, "Ferry", {"desk": "Home", "n": [1, {"x": None}]})
    ]


def test_what_meta_holds_stays_in_meta(lines):
    path = lines({"id": "a", "text": "x", "meta": {"desk": "Home", "year": 1}, "year": 2})
    assert articles(rows(path))[0].meta == {"desk": "Home", "year": 2}


@pytest.mark.parametrize(
    ("record", "text", "article_id", "title"),
    [
        ({"body": "B", "url": "u", "headline": "H"}, "B", "u", "H"),
        ({"articleBody": "B", "guid": "g"}, "B", "g", None),
        ({"Full Text": "B", "Article-ID": "i"}, "B", "i", None),
        ({"content": "C", "text": "T", "id": "1", "url": "u"}, "T", "1", None),
    ],
)
def test_known_names_are_found(lines, record, text, article_id, title):
    (article,) = articles(rows(lines(record)))
    assert (article.text, article.id, article.title) == (text, article_id, title)


def test_names_by_option_win(lines):
    path = lines({"id": "a", "text": "T", "lead": "L", "key": 7, "slug": "S"})
    (article,) = articles(rows(path, text_field="lead", id_field="key", title_field="slug"))
    assert article == Article("7", "L", "S", {"id": "a", "text": "T"})


def test_a_named_key_that_is_not_there_is_said(lines):
    ((kind, message),) = failures(rows(lines({"id": "a", "text": "T"}), text_field="lead"))
    assert kind == "bad_record"
    assert "`lead`" in message and "`text`" in message


def test_an_article_without_id_is_called_by_file_and_line(lines):
    path = lines(
        {"id": "a", "text": "T"},
        b"",
        {"text": "T"},
        {"id": None, "text": "T"},
        {"id": "", "text": "T"},
    )
    assert [article.id for article in articles(rows(path))] == [
        "a",
        f"{path}:3",
        f"{path}:4",
        f"{path}:5",
    ]


@pytest.mark.parametrize(
    ("given_id", "article_id"), [(7, "7"), (7.0, "7"), (-1.5, "-1.5"), (10**30, "1" + "0" * 30)]
)
def test_ids_that_are_numbers_become_strings(lines, given_id, article_id):
    assert articles(rows(lines({"id": given_id, "text": "T"})))[0].id == article_id


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        (b'{"id": "b", "text": ', "not_json", "breaks off after 20 characters, behind '{\"id"),
        (b'{"id": "b", "text": "Nine men', "not_json", "breaks off after 29 characters, behind"),
        (b'{"id": "b", "text": "a\tb"}', "not_json", "Invalid control character at character 23"),
        (b'{"id": "b", "text": "\xff"}', "not_utf8", "not UTF-8"),
        (b'{"id": "b", "text": "x", "text": "y"}', "duplicate_key", "'text' stands twice"),
        (b'{"id": "b", "text": "x", "m": {"k": 1, "k": 2}}', "duplicate_key", "'k'"),
        (b'{"id": "b", "text": 5}', "bad_record", "`text` is 5"),
        (b'{"id": "b", "text": null}', "bad_record", "null"),
        (b'{"id": ["b"], "text": "x"}', "bad_record", "`id` is a list"),
        (b'{"id": true, "text": "x"}', "bad_record", "`id` is True"),
        (b'{"id": "b", "text": "x", "title": {}}', "bad_record", "an object"),
        (b'{"id": "b"}', "bad_record", "no text among `id`"),
        (b"[1, 2]", "not_json", "not an object"),
        (b'"text"', "not_json", "not an object"),
        (b'{"id": "b", "text": "x", "n": NaN}', "not_json", "finite"),
        (b"[" * 100_000, "not_json", "not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not_json", "not JSON"),
        (b'{"id": "b", "text": "' + b"x" * 600 + b'"}', "too_large", "500 bytes"),
    ],
)
def test_a_bad_line_costs_itself_alone_and_is_named(lines, line, kind, words):
    path = lines({"id": "a", "text": "A"}, line, {"id": "c", "text": "C"})
    found = rows(path, max_bytes=500 if kind == "too_large" else 10**6)
    assert [article.id for article in articles(found)] == ["a", "c"]
    assert [row.number for row in found] == [0, 1, 2]
    ((found_kind, message),) = failures(found)
    assert found_kind == kind
    assert message.startswith(f"{path}:2: ") and words in message


def test_mixed_line_ends_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "news.ndjson"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": "a", "text": "A"}\r\n\r\n{"id": "b", "text": "B"}\n{"id": "c", "text": "C"}'
    )
    assert [article.id for article in articles(rows(path))] == ["a", "b", "c"]


def test_utf16_is_refused_in_words(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_bytes('{"id": "a", "text": "A"}\n'.encode("utf-16"))
    with pytest.raises(InputError, match="UTF-16; save it as UTF-8"):
        rows(path)


def test_a_file_without_articles_has_no_rows(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_bytes(b"\n  \r\n")
    assert rows(path) == []


def test_articles_in_other_languages_are_marked_unless_the_check_is_off(lines):
    path = lines({"id": "a", "text": STORY}, {"id": "b", "text": OTHERS["German"]})
    english, german = rows(path)
    assert (english.notes, english.skip) == ((), False)
    assert (german.notes, german.skip) == ((NOT_ENGLISH,), True)
    assert not any(row.skip or row.notes for row in rows(path, check_language=False))


def test_an_empty_text_is_noted(lines):
    (row,) = rows(lines({"id": "a", "text": " \n"}))
    assert row.notes and not row.skip


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.text(min_size=1).filter(lambda name: name not in ("id", "text", "title", "meta"))


@given(
    st.lists(
        st.builds(
            Article,
            st.text(min_size=1),
            st.text(),
            st.none() | st.text(),
            st.dictionaries(names, json_values, max_size=3),
        ),
        max_size=4,
    )
)
def test_articles_come_back_as_they_were_written(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("json") / "news.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": a.id, "text": a.text, "title": a.title, **a.meta}) + "\n"
            for a in written
        )
    )
    assert articles(rows(path)) == written


@given(st.data())
def test_a_flipped_byte_costs_no_other_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / "news.jsonl"
    good = [json.dumps({"id": str(n), "text": f"Text {n}"}).encode() for n in range(4)]
    line = data.draw(st.integers(0, 3))
    place = data.draw(st.integers(0, len(good[line]) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte not in b"\r\n"))
    damaged = bytearray(good[line])
    damaged[place] = value
    path.write_bytes(b"\n".join([*good[:line], bytes(damaged), *good[line + 1 :]]))
    found = rows(path)
    others = [row.item for row in found if row.number != line]
    assert others == [Article(str(n), f"Text {n}") for n in range(4) if n != line]
    assert len(found) == 4 or not bytes(damaged).strip()


def test_reading_is_lazy(lines):
    path = lines(*({"id": str(n), "text": "T"} for n in range(1000)))
    with path.open("rb") as stream:
        next(jsonl.read(stream, "x", ReadOptions(max_bytes=100)))
        assert stream.tell() < path.stat().st_size


def test_standard_input_is_json_lines(tmp_path):
    (source,) = find_inputs(["-"])
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "A"}\n')
    with path.open("rb") as stream:
        (row,) = read_rows(source, ReadOptions(), standard_input=stream)
    assert (row.file, row.item.id) == ("-", "-:1")


def test_the_error_record_of_an_article_with_an_id_keeps_it(lines):
    (row,) = rows(lines({"id": "a", "text": 1}))
    assert row.item.id == "a"
