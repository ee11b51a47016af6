"""The articles that long runs read."""

from __future__ import annotations

import gzip
import json
from itertools import islice

import pytest

from scripts.measure_archive import articles, write_tables


def test_articles_repeat_with_other_ids_and_other_texts(tmp_path):
    path = tmp_path / "news.jsonl.gz"
    given = [{"id": "a", "text": "One.\n\nMore."}, {"id": "b", "text": "Two."}]
    path.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in given).encode()))
    found = list(islice(articles(path), 5))
    assert [one["id"] for one in found] == ["a/0", "b/0", "a/1", "b/1", "a/2"]
    assert found[2]["text"] == "One. (edition 1)\n\nMore."
    assert len({one["text"] for one in found}) == 5


def test_tables_hold_as_many_as_were_asked_for(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = ({"id": str(n), "title": None, "text": "x"} for n in range(30_000))
    write_tables(found, tmp_path / "in", 10_500)
    assert [
        parquet.read_metadata(path).num_rows for path in sorted((tmp_path / "in").iterdir())
    ] == [10_000, 500]
