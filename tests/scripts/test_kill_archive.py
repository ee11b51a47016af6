"""The script that kills runs sees every difference, and goes on until a run ends."""

from __future__ import annotations

import sys

import pytest

from scripts.kill_archive import contents, differences, ids
from tests.archive.samples import failed

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def write(folder, names: str, seconds: float = 1.0) -> None:
    """Write a finished shard with a receipt."""
    from claimx.archive.receipts import InputRange, Receipt, relative, write_receipt
    from claimx.archive.writers import open_shard

    with open_shard(f"{folder}/records/00000-000.parquet", "parquet") as shard:
        for name in names.split():
            shard.write(failed(name))
    count = len(names.split())
    receipt = Receipt(
        "00000-000", True, (InputRange("a", 0, count - 1, count),),
        (relative(shard.written, str(folder)),), count, count, count, 0, "m", "c", "1", seconds,
    )  # fmt: skip
    write_receipt(receipt, str(folder))
    (folder / "run.json").write_text('{"groups": 1}')


@pytest.fixture
def calm(tmp_path):
    write(tmp_path / "calm", "a b c")
    return contents(tmp_path / "calm"), ids(tmp_path / "calm")


def test_equal_runs_are_equal_whatever_time_they_took(tmp_path, calm):
    write(tmp_path / "out", "a b c", seconds=9.0)
    (tmp_path / "out" / "records" / ".00000-001.parquet.tmp-12ab").write_text("unfinished")
    assert list(differences(tmp_path / "out", *calm)) == []


@pytest.mark.parametrize(
    ("names", "sentence"),
    [("a c", "b is lost"), ("a b b c", "b is there too often"), ("a b d c", "d is there too")],
)
def test_articles_that_are_lost_or_there_twice_are_named(tmp_path, calm, names, sentence):
    write(tmp_path / "out", names)
    found = list(differences(tmp_path / "out", *calm))
    assert "records/00000-000.parquet has other bytes" in found
    assert any(sentence in difference for difference in found)


def test_files_too_many_or_too_few_are_named(tmp_path, calm):
    write(tmp_path / "out", "a b c")
    (tmp_path / "out" / "receipts" / "00000-000.json").rename(tmp_path / "out" / "more.json")
    found = list(differences(tmp_path / "out", *calm))
    assert "receipts/00000-000.json is missing" in found
    assert "more.json should not be there" in found
