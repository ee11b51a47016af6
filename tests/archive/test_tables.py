"""Flat tables: one row a quote, one row a claim, everything joined in."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings

from claimx.archive.places import file_sha256
from claimx.archive.tables import (
    TABLES,
    claim_rows,
    open_table,
    quote_rows,
    table_path,
    table_schema,
)
from claimx.archive.writers import open_shard
from claimx.errors import ConfigError
from claimx.types import Claim, Extraction, Person, Quantity, Quote, Source, Span, Speaker
from tests.archive.samples import failed, names_in, records

pytest.importorskip("pyarrow")


def write(folder, items, shard="00000-000"):
    found = []
    for table in TABLES:
        with open_table(str(folder), table, shard) as writer:
            for record in items:
                writer.write(record)
        found.append(writer.written)
    return found


def read(folder, table, shard="00000-000"):
    from pyarrow.parquet import read_table

    return read_table(table_path(str(folder), table, shard)).to_pylist()


def span(surface):
    return Span(0, len(surface), surface, 0.9)


def said(surface, *, name=None, roles=(), bodies=(), persons=("p0",), source="s0"):
    """A speaker."""
    return Speaker(
        0, len(surface), surface, 0.8, source, persons, name,
        tuple(map(span, roles)), tuple(map(span, bodies)),
    )  # fmt: skip


def claim(number, quote, surface="12 percent", value=12, unit="percent", kind="percent"):
    quantity = Quantity(0, len(surface), surface, value, unit=unit, kind=kind)
    return Claim(f"c{number}", 0, len(surface), surface, 0.7, quantity, quote=quote)


@pytest.fixture
def ministry():
    """Claims by spokespeople of ministries, and by others."""
    speakers = [
        said("Lena Maric", name="Lena Maric", roles=["spokeswoman"], bodies=["Finance Ministry"]),
        said("a ministry spokesman", persons=()),
        said("Lena Maric", name="Lena Maric", roles=["spokeswoman"], bodies=["Acme"]),
        said("the ministry", persons=()),
    ]
    return Extraction(
        id="ministry",
        quotes=tuple(
            Quote(f"q{at}", 0, 3, "abc", "indirect", 0.9, speaker=speaker)
            for at, speaker in enumerate(speakers)
        ),
        claims=(
            *(claim(at, f"q{at}") for at in range(4)),
            claim(4, "q0", "3 ships", 3, None, "count"),
            claim(5, None),
        ),
        sources=(Source("s0", "person", "Lena Maric"),),
        people=(Person("p0", "Lena Maric", roles=(span("spokeswoman"),)),),
    ).to_dict()


# ---- rows -------------------------------------------------------------------------------------


def test_a_quote_has_its_cue_speaker_person_roles_and_affiliations(harbour):
    first, second, third = quote_rows(harbour.to_dict())
    begin, who = harbour.text.index("that roughly"), harbour.text.index("She")
    assert second == {
        "article_id": "harbour.txt",
        "quote_id": "q1",
        "quote_start": begin,
        "quote_end": begin + len("that roughly 40 percent of the piles were rotten"),
        "quote": "that roughly 40 percent of the piles were rotten",
        "quote_kind": "indirect",
        "quote_score": 0.7432,
        "continues": None,
        "cue": "said that",
        "speaker": "She",
        "speaker_start": who,
        "speaker_end": who + 3,
        "speaker_score": 0.81,
        "speaker_name": "Ines Okafor",
        "source_id": "s0",
        "source_kind": "person",
        "source_name": "Ines Okafor",
        "persons": "Ines Okafor",
        "roles": "deputy head",
        "affiliations": "the Harbour Board",
    }
    assert (first["cue"], third["speaker"], third["roles"]) == (None, None, None)


def test_a_claim_has_its_number_its_quote_and_who_claims_it(harbour):
    piles, repairs = claim_rows(harbour.to_dict())
    wanted = {
        "claim": "roughly 40 percent of the piles",
        "modifier": "roughly",
        "measured": "piles",
        "quantity": "40 percent",
        "value": 40,
        "low": None,
        "unit": "percent",
        "quantity_kind": "percent",
        "quantity_modifier": "approximate",
        "quantity_change": "none",
        "quote_id": "q1",
        "quote_kind": "indirect",
        "speaker": "She",
        "speaker_name": "Ines Okafor",
        "roles": "deputy head",
        "affiliations": "the Harbour Board",
    }
    assert {name: piles[name] for name in wanted} == wanted
    nobody = {"quote_id": None, "quote": None, "speaker": None, "value": None, "low": 5, "high": 7}
    assert {name: repairs[name] for name in nobody} == nobody


def test_a_part_without_a_speaker_has_that_of_the_first_part():
    speaker = said("Ann Lee", name="Ann Lee")
    record = Extraction(
        id="a",
        quotes=(
            Quote("q0", 0, 3, "abc", "direct", 0.9, speaker=speaker),
            Quote("q1", 4, 7, "def", "direct", 0.9, continues="q0"),
        ),
        claims=(claim(0, "q1"),),
    ).to_dict()
    assert [row["speaker"] for row in quote_rows(record)] == ["Ann Lee", "Ann Lee"]
    assert [row["speaker_name"] for row in claim_rows(record)] == ["Ann Lee"]


def test_surfaces_are_joined_once_each_in_their_order():
    speaker = said(
        "they", persons=("p1", "p0"), roles=["minister", "author", "minister"], bodies=["Acme"]
    )
    record = Extraction(
        id="a",
        quotes=(Quote("q0", 0, 3, "abc", "direct", 0.9, speaker=speaker),),
        people=(Person("p0", "Ann Lee"), Person("p1", "Bo Ek")),
    ).to_dict()
    (row,) = quote_rows(record)
    assert (row["persons"], row["roles"], row["affiliations"]) == (
        "Bo Ek; Ann Lee", "minister; author", "Acme",
    )  # fmt: skip


def test_an_error_record_has_no_rows():
    assert [*quote_rows(failed()), *claim_rows(failed())] == []


@settings(max_examples=30)
@given(records)
def test_every_record_has_a_row_for_each_quote_and_claim(record):
    for table, rows_of in TABLES.items():
        rows = list(rows_of(record))
        assert [row[f"{table[:-1]}_id"] for row in rows] == [
            item["id"] for item in record.get(table, ())
        ]
        assert all(list(row) == table_schema(table).names for row in rows)


# ---- files ------------------------------------------------------------------------------------


def test_tables_are_written_and_described(tmp_path, harbour):
    record = harbour.to_dict()
    quotes, claims = write(tmp_path, [record, failed(), {**record, "id": "b\udc80"}])
    assert (quotes.rows, claims.rows) == (6, 4)
    for written, table in zip((quotes, claims), TABLES, strict=True):
        rows = read(tmp_path, table)
        assert len(rows) == written.rows
        assert rows[: len(rows) // 2] == list(TABLES[table](record))
        assert rows[-1]["article_id"] == "b�"
        assert file_sha256(written.path) == written.sha256


def test_equal_records_give_equal_tables(tmp_path, harbour, ministry):
    one, two = (
        [part.sha256 for part in write(tmp_path / name, [harbour.to_dict(), ministry])]
        for name in ("one", "two")
    )
    assert one == two


def test_an_error_leaves_nothing_behind(tmp_path, harbour):
    def interrupted():
        yield harbour.to_dict()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, interrupted())
    assert names_in(tmp_path / "quotes") == []


def test_a_table_that_does_not_exist_is_named(tmp_path):
    with ExitStack() as stack, pytest.raises(ConfigError, match="there is no 'verbs'"):
        stack.enter_context(open_table(str(tmp_path), "verbs", "00000-000"))


# ---- questions --------------------------------------------------------------------------------

DOCUMENT = Path(__file__).parents[2] / "docs" / "archive-tables.md"


def documented(language):
    """Return the blocks of code in that language."""
    blocks = DOCUMENT.read_text(encoding="utf-8").split(f"```{language}\n")[1:]
    return [block.partition("```")[0] for block in blocks]


@pytest.fixture
def out(tmp_path, monkeypatch, ministry):
    """An output folder `out` in the working directory."""
    monkeypatch.chdir(tmp_path)
    for shard, record in (("00000-000", ministry), ("00000-001", {**ministry, "id": "again"})):
        write("out", [record], shard)
        with open_shard(f"out/records/{shard}.parquet", "parquet") as writer:
            writer.write(record)
            if record["id"] == "again":
                writer.write(failed())


def test_claims_in_percent_by_ministry_spokespeople_are_one_line_of_sql(out):
    duckdb = pytest.importorskip("duckdb")
    (line,) = (block for block in documented("sql") if "%spokes%" in block)
    assert line.count("\n") == 1
    assert sorted(row[:2] for row in duckdb.sql(line).fetchall()) == [
        ("again", "Lena Maric"), ("again", "a ministry spokesman"),
        ("ministry", "Lena Maric"), ("ministry", "a ministry spokesman"),
    ]  # fmt: skip


def test_who_is_quoted_most_often_counts_statements_of_those_who_are_named(tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    speakers = [
        said("Lena Maric", name="Lena Maric"),
        None,
        said("I", persons=(), source="s1"),
    ]
    record = Extraction(
        id="one",
        quotes=tuple(
            Quote(f"q{at}", 0, 3, "abc", "direct", 0.9, "q0" if at == 1 else None, speaker=speaker)
            for at, speaker in enumerate(speakers)
        ),
        sources=(Source("s0", "person", "Lena Maric"), Source("s1", "person", "I")),
        people=(Person("p0", "Lena Maric"),),
    ).to_dict()
    write("out", [record, {**record, "id": "two"}], "00000-000")
    (query,) = (block for block in documented("sql") if "AS statements" in block)
    assert duckdb.sql(query).fetchall() == [("Lena Maric", "person", 2, 2, pytest.approx(0.9))]


def test_the_errors_are_listed_alone(out):
    duckdb = pytest.importorskip("duckdb")
    (query,) = (block for block in documented("sql") if "error.message" in block)
    [(kind, message)] = duckdb.sql(query).fetchall()
    assert kind == "too_large" and "80,000,000 bytes" in message


@pytest.mark.parametrize("number", range(5))
def test_the_documented_sql_runs(out, number):
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql(documented("sql")[number]).fetchall()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_documented_python_runs(out, library):
    pytest.importorskip(library)
    (code,) = (block for block in documented("python") if f"import {library}" in block)
    names = {}
    exec(code, names)
    assert (len(names["records"]), len(names["percents"])) == (3, 10)


def test_the_documented_way_to_objects_runs(out, ministry):
    (code,) = (block for block in documented("python") if "import Extraction" in block)
    names = {}
    exec(code, names)
    assert names["extraction"] == Extraction.from_dict(ministry)


def test_every_column_is_documented():
    text = DOCUMENT.read_text(encoding="utf-8")
    for table in TABLES:
        own = [name for name in table_schema(table).names if name in text]
        assert own == table_schema(table).names
