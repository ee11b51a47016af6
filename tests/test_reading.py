"""Reading files: what becomes an article, what becomes an error record."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.errors import InputError
from claimx.reading import decode, read_files
from claimx.types import Article, Extraction


def read(*paths: Path | str, **options: object) -> list[Article | Extraction]:
    return list(read_files([str(path) for path in paths], **options))  # type: ignore[arg-type]


def the_article(path: Path) -> Article:
    (article,) = read(path)
    assert isinstance(article, Article)
    return article


def failure_kind(item: Article | Extraction) -> str:
    assert isinstance(item, Extraction)
    assert item.error is not None
    return item.error.kind


@pytest.fixture
def file(tmp_path: Path):
    def write(data: bytes, name: str = "article.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


# ---- text files


def test_a_text_file_is_an_article_named_by_its_path(file):
    path = file("“No,” she said.".encode())
    assert the_article(path) == Article(str(path), "“No,” she said.")


def test_line_ends_stay_as_they_are(file):
    assert the_article(file(b"one\r\ntwo\rthree\n")).text == "one\r\ntwo\rthree\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("The café is “open” again".encode("utf-8-sig"), "utf-8-sig"),
        ("The café is “open” again".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "The café is “open” again".encode("utf-16-be"), "utf-16"),
        ("The café is “open” again".encode("utf-32"), "utf-32"),
        ("The café is “open” again".encode("cp1252"), "cp1252"),
    ],
)
def test_other_encodings_are_read_and_named(file, data, encoding):
    article = the_article(file(data))
    assert (article.text, article.meta) == ("The café is “open” again", {"encoding": encoding})


def test_one_broken_byte_does_not_spoil_the_curly_quotes_of_a_utf8_file(file):
    article = the_article(file("“Yes,” said Ana Ru".encode() + b"\xed" + "z – twice.".encode()))
    assert article.text == "“Yes,” said Ana Ru\ufffdz – twice."
    assert article.meta == {"undecodable": 1}


def test_surrogates_written_in_utf8_are_broken_bytes_and_not_accented_letters(file):
    article = the_article(file(b"a \xed\xa0\x80 b"))
    assert (article.text, article.meta) == ("a \ufffd\ufffd\ufffd b", {"undecodable": 3})


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-16")))
def test_whatever_is_read_can_be_read_again_from_the_record(data):
    try:
        text, facts = decode(data)
    except InputError:
        return  # no text; test_binary_files_are_refused_in_words
    assert data.decode(facts.get("encoding", "utf-8"), "replace") == text


@pytest.mark.parametrize("data", [b"", b" \n\t\r\n", "\u200f🙂e\u0301".encode(), b"a\0b"])
def test_odd_but_harmless_texts_are_articles(file, data):
    assert the_article(file(data)).text == data.decode()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (bytes(range(256)) * 4, "not text"),
        (b"\0" * 1000, "control characters"),
        ("news".encode("utf-16-le") * 20, "control characters"),
        (b"%PDF-1.7\n1 0 obj", "PDF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ],
)
def test_binary_files_are_refused_in_words(file, data, word):
    (item,) = read(file(data))
    assert failure_kind(item) == "not_text"
    assert word in item.error.message


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"PAR1\x15\x04"])
def test_files_that_only_an_archive_run_reads_are_sent_there(data):
    with pytest.raises(InputError, match="claimx archive"):
        decode(data)


def test_missing_files_and_folders_are_named_and_skipped(file, tmp_path):
    good = file(b"Text.")
    missing, folder, last = read(tmp_path / "nowhere.txt", tmp_path, good)
    assert missing.error.message == "there is no such file"
    assert "folder" in folder.error.message
    assert last.text == "Text."


def test_an_address_is_not_fetched_but_said_with_the_command_that_does():
    [found] = read_files(["https://example.org/a story.txt?x=1&y=2"])
    told = found.error.message
    assert "curl -sL 'https://example.org/a story.txt?x=1&y=2' | claimx extract -" in told


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.html", "Okafor said no.", "HTML"),
        ("a.txt", "\ufeff\n<!DOCTYPE html><script>var a=5</script>", "HTML"),
        ("a.txt", "<p>Okafor said no.</p>", "HTML"),
        ("a.txt", '<?xml version="1.0"?>\n<nitf>', "XML"),
        ("a.json", "[]", "JSON"),
        ("a.txt", '[{"id": "a", "text": "Okafor said no."}]', "JSON"),
        ("-", '{"id": "a", "text": "Okafor said no."}', "JSON"),
        ("a.csv", "x", "a table"),
        ("a.txt", "id,title,text\n1,Mines,Okafor said no.\n", "a table"),
        ("a.txt", '"id"\t"text"\n1\tOkafor said no.\n', "a table"),
    ],
)
def test_a_text_that_is_no_prose_is_read_with_a_warning(tmp_path, caplog, name, text, says):
    place = tmp_path / name
    place.write_text(text, encoding="utf-8")
    stream = io.BytesIO(text.encode()) if name == "-" else None
    [article] = read_files([name if stream else place], standard_input=stream)
    assert article.text == text.removeprefix("\ufeff")
    [said] = caplog.messages
    assert f"{name} looks like {says} and is read as" in said


@pytest.mark.parametrize(
    "text",
    [
        "", "Text, body and content: what do they mean?\n", "[Photo] {Reuters} Okafor said no.",
        "<Okafor> said no.", "London, Paris\n", "text\n", "Content\nOkafor, said no.",
        "“{” is a brace, and \"text\": a word.",
    ],
)  # fmt: skip
def test_prose_is_read_without_a_warning(tmp_path, caplog, text):
    place = tmp_path / "a.txt"
    place.write_text(text, encoding="utf-8")
    assert [article.text for article in read_files([place])] == [text]
    assert not caplog.messages


def test_a_path_may_be_an_object_and_its_id_is_text(tmp_path):
    place = tmp_path / "a.txt"
    place.write_text("“No,” said Ana Ruiz.")
    [article] = read_files([place])
    assert article.id == str(place)


@pytest.mark.parametrize("one", ["a.txt", Path("a.txt")])
def test_one_path_in_place_of_several_is_not_read_letter_by_letter(one):
    with pytest.raises(InputError, match="give a list"):
        read_files(one)


def test_a_path_that_no_file_can_have_is_an_error_record():
    (item,) = read("a\0b.txt")
    assert failure_kind(item) == "unreadable"


def test_a_file_over_the_limit_is_refused(file):
    (item,) = read(file(b"x" * 101), max_bytes=100)
    assert failure_kind(item) == "too_large"


def test_a_dash_is_standard_input():
    (article,) = read("-", standard_input=io.BytesIO("“No.”".encode()))
    assert article == Article("-", "“No.”")


# ---- article files


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_an_article_file_holds_one_article_a_line(file):
    path = file(
        lines({"id": "a", "text": "A."}, {"id": "b", "text": "", "title": "B", "meta": {"n": 1}}),
        "news.jsonl",
    )
    assert read(path) == [Article("a", "A."), Article("b", "", "B", {"n": 1})]


def test_blank_lines_byte_order_mark_and_a_missing_last_newline_are_no_errors(file):
    path = file(b'\xef\xbb\xbf{"id": "a", "text": "A."}\r\n\n{"id": "b", "text": "B."}', "n.JSONL")
    assert [article.id for article in read(path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        (b'{"id": "a", "text": "x"', "not_json", "breaks off after 23 characters"),
        (b'["a", "x"]', "not_json", "not an object"),
        (b'{"id": 7}', "bad_record", "`id` is no string and `text` is missing"),
        (b'{"id": "a", "text": "x", "meta": [1]}', "bad_record", "`meta` is no object"),
        (b'{"id": "a", "text": "\xff"}', "not_utf8", "byte 22"),
        (b'{"id": "a", "text": "x", "meta": {"n": NaN}}', "not_json", "NaN"),
        (b'{"id": "a", "text": "x", "meta": {"n": 1e999}}', "not_json", "1e999"),
        (b'{"id": "a", "text": ' + b"[" * 100_000, "not_json", "JSON"),
        (b'{"id": "a", "text": ' + b"9" * 10_000 + b"}", "not_json", "JSON"),
    ],
)
def test_a_bad_line_says_where_and_leaves_its_neighbours(file, line, kind, words):
    good = b'{"id": "good", "text": "Text."}'
    path = file(b"\n".join([good, line, good]), "news.jsonl")
    first, bad, last = read(path)
    assert (bad.id, failure_kind(bad)) == (f"{path}:2", kind)
    assert words in bad.error.message
    assert first == last == Article("good", "Text.")


def test_a_line_over_the_limit_is_skipped_whole(file):
    path = file(
        lines({"id": "a", "text": "A."}) * 2
        + b"x" * 1000
        + b"\n"
        + lines({"id": "b", "text": "B."}),
        "n.jsonl",
    )
    assert [item.id for item in read(path, max_bytes=100)] == ["a", "a", f"{path}:3", "b"]


def test_lone_surrogates_reach_the_extractor_as_they_are(file):
    (article,) = read(file(b'{"id": "a", "text": "x\\ud800y"}', "n.jsonl"))
    assert article.text == "x\ud800y"
