"""CSV and TSV: quotes, line breaks, long fields, damage."""

from __future__ import annotations

import csv
import io
import zlib
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.archive.inputs import find_inputs
from claimx.archive.readers import ReadOptions, read_rows
from claimx.errors import InputError
from claimx.types import Article
from tests.archive.reading import articles, failures, kinds, rows


@pytest.fixture
def table(tmp_path):
    def write(data: str | bytes, name: str = "news.csv"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def test_columns_become_articles(table):
    path = table("id,headline,body,desk\n1,Ferry,The pier.,Home\n2,,Rain.,\n")
    assert articles(rows(path)) == [
        Article("1", "The pier.", "Ferry", {"desk": "Home"}),
        Article("2", "Rain.", "", {"desk": ""}),
    ]


def test_quotes_and_line_breaks_stay_in_their_fields(table):
    path = table('id,text\r\n1,"“No,” she said, ""never"".\r\n\r\nThen\rleft."\r\n2,x\r\n')
    assert [article.text for article in articles(rows(path))] == [
        '“No,” she said, "never".\r\n\r\nThen\rleft.',
        "x",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end(table, end):
    path = table(end.join(["id,text", "1,a", "", "2,b"]))
    assert [article.id for article in articles(rows(path))] == ["1", "2"]


def test_a_field_longer_than_the_limit_of_the_csv_module(table):
    before = csv.field_size_limit()
    text = "word " * 60_000
    assert articles(rows(table(f"id,text\n1,{text}\n")))[0].text == text
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("id;text;x\n1;a, b;c\n", "news.csv"),
        ("id\ttext\tx\n1\ta, b\tc\n", "news.csv"),
        ("id\ttext\tx\n1\ta, b\tc\n", "news.tsv"),
    ],
)
def test_the_header_tells_the_delimiter(table, data, name):
    assert articles(rows(table(data, name))) == [Article("1", "a, b", None, {"x": "c"})]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(table, encoding):
    path = table("id,text\n1,The café\n".encode(encoding))
    assert articles(rows(path)) == [Article("1", "The café")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("1,The ferry stopped.\n2,Rain.\n", "first line must name the columns"),
        ("", "not even a header"),
        ("id,text,text\n1,a,b\n", "two columns are called `text`"),
        ('id,"text\n1,a\n', "first line must name the columns"),
    ],
)
def test_a_table_without_a_usable_header_is_refused(table, data, words):
    with pytest.raises(InputError, match=words) as raised:
        rows(table(data))
    assert "news.csv" in str(raised.value)


def test_a_named_column_that_is_not_there_is_refused(table):
    with pytest.raises(InputError, match=r"no `lead`, but `id`, `text`"):
        rows(table("id,text\n1,a\n"), text_field="lead")


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("2", "bad_record", "it has 1 field, but the header has 2"),
        ("2,b,c", "bad_record", "3 fields"),
        ('2,"b" c', "bad_record", "no CSV"),
        (b"2,caf\xe9", "not_utf8", "not UTF-8"),
        ("2," + "b" * 300, "too_large", "200 bytes"),
        ('2,"' + "b\n" * 150 + '"', "too_large", "200 bytes"),
        ('2,"' + 'say ""x""\n' * 40 + '"', "too_large", "200 bytes"),
    ],
)
def test_a_bad_record_costs_itself_alone_and_is_named(table, line, kind, words):
    line = line if isinstance(line, bytes) else line.encode()
    path = table(b"id,text\n1,a\n" + line + b"\n3,c\n")
    found = rows(path, max_bytes=200)
    assert [article.id for article in articles(found)] == ["1", "3"]
    ((found_kind, message),) = failures(found)
    assert found_kind == kind
    assert message.startswith(f"{path}:3: ") and words in message


def test_places_are_lines_also_behind_long_records(table):
    path = table('id,text\n,"a\nb"\n,' + "x" * 500 + "\n,c\n")
    found = rows(path, max_bytes=200)
    assert [row.item.id for row in found] == [f"{path}:2", f"{path}:4", f"{path}:5"]


def test_a_quotation_mark_that_stays_open_is_said(table):
    path = table('id,text\n1,a\n2,"b\n3,c\n')
    found = rows(path)
    ((kind, message),) = failures(found)
    assert (
        kind == "bad_record" and f"{path}:3: " in message and "not closed up to line 4" in message
    )
    assert [article.id for article in articles(found)] == ["1"]


cells = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.lists(st.tuples(cells.filter(bool), cells, cells), max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["csv", "tsv"]),
)
def test_articles_come_back_as_they_were_written(tmp_path_factory, written, end, kind):
    path = tmp_path_factory.mktemp("csv") / f"news.{kind}"
    target = io.StringIO()
    writer = csv.writer(
        target, delimiter={"csv": ",", "tsv": "\t"}[kind], lineterminator=end, quoting=csv.QUOTE_ALL
    )
    writer.writerows([("id", "text", "desk"), *written])
    path.write_bytes(target.getvalue().encode())
    found = rows(path)
    assert kinds(found) == []
    assert [(a.id, a.text, a.meta["desk"]) for a in articles(found)] == written


def test_a_packed_table_that_ends_early_behind_a_line_ends_there(tmp_path):
    """Found by fuzzing: the same error came again and again, without end."""
    packer = zlib.compressobj(wbits=31)
    path = tmp_path / "news.csv.gz"
    lines = b"id,text\na,One\nb,Two\n"
    path.write_bytes(packer.compress(lines) + packer.flush(zlib.Z_SYNC_FLUSH))
    (file,) = find_inputs([str(path)])
    found = list(islice(read_rows(file, ReadOptions()), 10))
    assert [article.id for article in articles(found)] == ["a", "b"]
    assert kinds(found) == ["truncated"]
