"""What an archive run wrote, read back to be looked at: by file and by folder, in every form."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from claimx.archive.results import read_articles, read_results
from claimx.archive.writers import open_shard
from claimx.types import Article, Extraction

pytest.importorskip("pyarrow")
pytest.importorskip("zstandard")


def shard(path: Path, *records: Extraction) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_shard(str(path), path.name.partition(".")[2]) as writer:
        for record in records:
            writer.write(record.to_dict(with_text=True))
    return path


def plain(records: list[Extraction]) -> list[dict[str, object]]:
    return [record.to_dict(with_text=True) for record in records]


@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_a_shard_is_read_as_the_records_that_it_holds(tmp_path, harbour, format):
    path = shard(tmp_path / f"00000-000.{format}", harbour)
    assert plain(list(read_results([str(path)]))) == plain([harbour])


def test_a_folder_of_a_run_stands_for_all_its_records_in_order(tmp_path, harbour):
    second = shard(tmp_path / "out/records/00001-000.parquet", replace(harbour, id="b"))
    shard(tmp_path / "out/records/00000-000.parquet", replace(harbour, id="a"))
    second.with_name(f".{second.name}.tmp-1.parquet").write_bytes(b"unfinished")
    (tmp_path / "out/run.json").write_text("{}", encoding="utf-8")
    for folder in (tmp_path / "out", tmp_path / "out" / "records"):
        assert [record.id for record in read_results([str(folder)])] == ["a", "b"]


def test_packed_lines_are_records_or_refused_as_articles_are(tmp_path, harbour):
    records, articles = tmp_path / "r.jsonl.gz", tmp_path / "a.jsonl.gz"
    records.write_bytes(gzip.compress(harbour.to_json(with_text=True).encode()))
    articles.write_bytes(gzip.compress(b'{"id": "a", "text": "No."}'))
    found, refused = read_results([str(records), str(articles)])
    assert plain([found]) == plain([harbour])
    assert "compressed with gzip" in refused.error.message


@pytest.mark.parametrize("name", ["old.csv", "old.TSV", "old.csv.gz", "old.warc"])
def test_a_file_of_many_articles_is_not_taken_for_one_text(tmp_path, name):
    path = tmp_path / name
    path.write_text("id,text\na,Ruiz said no.\n")
    [refused] = read_results([str(path)])
    assert f"claimx archive {path} --out DIR" in refused.error.message


@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_a_damaged_shard_is_named_and_takes_no_neighbour_with_it(tmp_path, harbour, format):
    broken = shard(tmp_path / f"broken.{format}", *[harbour] * 3)
    broken.write_bytes(broken.read_bytes()[:-9])
    sound = shard(tmp_path / f"sound.{format}", harbour)
    *found, last = read_results([str(broken), str(sound)])
    errors = [item.error.message for item in found if item.error]
    assert len(errors) == 1 and str(broken) in errors[0]
    assert last.error is None


def test_a_folder_without_records_and_a_shard_that_is_not_there_are_said(tmp_path):
    absent = [str(tmp_path / f"absent.{kind}") for kind in ("parquet", "jsonl.zst")]
    folder, *files = read_results([str(tmp_path), *absent])
    assert "this is a folder" in folder.error.message
    assert ["there is no such file" in one.error.message for one in files] == [True, True]


def test_texts_are_read_from_what_an_archive_run_reads_and_from_any_text_file(tmp_path):
    table, note = tmp_path / "a.csv.gz", tmp_path / "note"
    table.write_bytes(gzip.compress(b'id,body\na,"Nein, sagte er."\n'))
    note.write_text("No.", encoding="utf-8")
    lines = tmp_path / "b.jsonl"
    lines.write_text(json.dumps({"docid": 7, "content": "Yes."}), encoding="utf-8")
    found = list(read_articles(map(str, (table, note, lines))))
    assert [(one.id, one.text) for one in found if isinstance(one, Article)] == [
        ("a", "Nein, sagte er."), (str(note), "No."), ("7", "Yes."),
    ]  # fmt: skip
