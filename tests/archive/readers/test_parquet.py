"""Parquet: types, damage, and files that unpack to far more than they are."""

from __future__ import annotations

import datetime
import io
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.archive.readers import ReadOptions, parquet
from claimx.errors import InputError
from claimx.types import Article
from tests.archive.reading import articles, failures, kinds, rows

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def table(tmp_path):
    def write(columns: dict, **options):
        path = tmp_path / "news.parquet"
        pq.write_table(pa.table(columns), path, write_page_checksum=True, **options)
        return path

    return write


def test_values_become_what_json_can_say(table):
    path = table(
        {
            "id": [7], "body": ["B"], "headline": ["H"],
            "day": [datetime.date(2024, 5, 6)],
            "at": pa.array([1], pa.timestamp("ns", tz="UTC")),
            "price": [Decimal("1.50")], "raw": [b"\xff"], "gap": [float("nan")],
            "tags": [["a", None]], "who": [{"name": "Ines", "age": 40}],
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "wait": pa.array([1500], pa.duration("ms")),
            "kind": pa.array(["x"]).dictionary_encode(),
        }
    )  # fmt: skip
    meta = {
        "day": "2024-05-06", "at": "1970-01-01T00:00:00.000000001Z", "price": "1.50",
        "raw": "/w==", "gap": None, "tags": ["a", None], "who": {"name": "Ines", "age": 40},
        "map": [["k", 1]], "wait": 1.5, "kind": "x",
    }  # fmt: skip
    assert articles(rows(path)) == [Article("7", "B", "H", meta)]


def test_a_date_that_python_cannot_hold_costs_nothing(table):
    path = table({"text": ["T"], "day": pa.array([10**9], pa.date32())})
    assert articles(rows(path))[0].text == "T"


def test_a_bad_row_costs_itself_alone(table):
    broken = pa.Array.from_buffers(
        pa.string(),
        3,
        [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffc")],
    )
    found = rows(table({"text": broken}))
    assert [a.text for a in articles(found)] == ["a", "c"]
    ((kind, message),) = failures(found)
    assert kind == "not_utf8" and "news.parquet:2: " in message


def test_rows_that_are_null_or_too_large(table):
    found = rows(table({"text": [None, "x" * 200, "y"]}), max_bytes=100)
    assert kinds(found) == ["bad_record", "too_large"] and [row.number for row in found] == [
        0,
        1,
        2,
    ]


def test_texts_in_bytes_are_decoded(table):
    (article,) = articles(rows(table({"text": ["The café".encode("cp1252")]})))
    assert (article.text, article.meta) == ("The café", {"encoding": "cp1252"})


@pytest.mark.parametrize(
    ("columns", "words"), [({"n": [1]}, "no text among `n`"), ({"text": [1]}, "`text` is int64")]
)
def test_a_table_without_text_is_refused(table, columns, words):
    with pytest.raises(InputError, match=words):
        rows(table(columns))


def test_a_cut_file_is_refused(table):
    path = table({"text": ["T"] * 100})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="no sound Parquet file") as raised:
        rows(path)
    assert raised.value.kind == "damaged"


def test_a_flipped_byte_in_a_later_row_group_keeps_the_rows_before(table):
    path = table(
        {"text": [f"Article {n}" for n in range(20)]},
        row_group_size=10,
        compression="none",
        use_dictionary=False,
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"Article 15")] ^= 1
    path.write_bytes(data)
    found = rows(path)
    assert [a.text for a in articles(found)] == [f"Article {n}" for n in range(10)]
    ((kind, message),) = failures(found)
    assert kind == "damaged" and "row group 2" in message and "after row 10" in message


def test_a_row_group_that_unpacks_to_far_too_much_is_refused(table):
    path = table(
        {"text": ["x" * 1_000_000 + str(n) for n in range(20)]},
        compression="zstd",
        use_dictionary=False,
    )
    assert kinds(rows(path, max_unpacked=1_000_000)) == ["bomb"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory in the manner of Linux")
def test_a_value_that_repeats_takes_little_memory(table):
    path = table({"text": ["x" * 2_000_000] * 400}, compression="zstd")
    assert path.stat().st_size < 50_000
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (400 << 20,) * 2)\n"
        "from claimx.archive.inputs import find_inputs\n"
        "from claimx.archive.readers import ReadOptions, read_rows\n"
        "(file,) = find_inputs(sys.argv[1:])\n"
        "print(sum(1 for row in read_rows(file, ReadOptions())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("400", "")


texts = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            texts.filter(bool),
            texts,
            st.none() | texts,
            st.none() | st.integers(-(2**63), 2**63 - 1),
        )
    )
)
def test_articles_come_back_as_they_were_written(written):
    names = ("id", "text", "title", "n")
    types = (pa.string(), pa.string(), pa.string(), pa.int64())
    columns = zip(*written, strict=True) if written else [()] * 4
    target = io.BytesIO()
    arrays = {
        name: pa.array(list(c), kind) for name, c, kind in zip(names, columns, types, strict=True)
    }
    pq.write_table(pa.table(arrays), target)
    found = list(parquet.read(io.BytesIO(target.getvalue()), "x", ReadOptions()))
    assert found == [Article(i, text, title, {"n": n}) for i, text, title, n in written]


def test_a_damaged_description_of_a_column_does_not_end_the_process():
    """In the file, found by fuzzing, a column's histogram has one entry too many."""
    path = Path(__file__).parent / "damaged" / "histogram.parquet"
    program = f"from tests.archive.reading import kinds, rows\nprint(kinds(rows({str(path)!r})))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "['damaged']\n")
