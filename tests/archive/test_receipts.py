"""Receipts: written last and whole, and compared with what is there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from claimx.archive.places import Written, join, write_whole
from claimx.archive.receipts import (
    InputRange,
    Receipt,
    faults,
    input_ranges,
    read_receipt,
    read_receipts,
    receipt_path,
    relative,
    valid,
    write_receipt,
)
from claimx.archive.rows import Row
from claimx.errors import ClaimxError, FormatError
from claimx.types import Article
from tests.archive.samples import names_in

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    """An output folder, and the same by URL."""
    if request.param == "local":
        yield str(tmp_path)
        return
    memory = fsspec.filesystem("memory")
    memory.makedirs("/claimx-receipts/out")
    yield "memory://claimx-receipts/out"
    memory.rm("/claimx-receipts", recursive=True)


def done(folder, shard="00000-000", *, data=b"records", rows=3, last=True):
    """Write a shard of whatever bytes, and its receipt."""
    written = write_whole(join(folder, "records", f"{shard}.parquet"), data)
    receipt = Receipt(
        shard=shard,
        last=last,
        inputs=(InputRange("news.jsonl", 0, rows - 1, rows),),
        outputs=(relative(replace(written, rows=rows), folder),),
        rows_in=rows,
        rows_out=rows,
        n_errors=1,
        n_notes=2,
        model="claimx-en 1.0.0 (3f2a91c4)",
        config_sha256="c" * 64,
        claimx="1.0.0",
        seconds=1.5,
        tokens=700,
    )
    write_receipt(receipt, folder)
    return receipt


def test_a_receipt_comes_back_as_it_was(folder):
    receipt = done(folder)
    assert read_receipt(receipt_path(folder, "00000-000")) == receipt
    assert list(read_receipts(folder)) == [receipt]


def test_the_documented_receipt_is_one():
    from claimx.archive import receipts

    example = receipts.__doc__.partition("::\n")[2]
    assert Receipt.from_dict(json.loads(example)).outputs[0].rows == 1000


def test_receipts_come_in_the_order_of_their_shards(folder):
    for shard in ("00001-000", "00000-001", "00000-000"):
        done(folder, shard)
    assert [receipt.shard for receipt in read_receipts(folder)] == [
        "00000-000", "00000-001", "00001-000",
    ]  # fmt: skip


def test_no_receipts_are_no_fault(folder):
    assert list(read_receipts(folder)) == []


def test_nothing_but_the_receipt_is_left(tmp_path):
    done(str(tmp_path))
    assert names_in(tmp_path / "receipts") == ["00000-000.json"]


def test_paths_are_relative_so_that_the_folder_may_move(tmp_path):
    receipt = done(f"{tmp_path}/one")
    assert receipt.outputs[0].path == "records/00000-000.parquet"
    (tmp_path / "one").rename(tmp_path / "two")
    assert valid(receipt, f"{tmp_path}/two", hashes=True)


def test_what_is_there_as_described_is_valid(folder):
    assert valid(done(folder), folder, hashes=True)


@pytest.mark.parametrize(
    ("data", "hashes", "sentence"),
    [
        (b"record", False, "has 6 bytes, not 7"),
        (b"recordz", True, "has changed"),
    ],
)
def test_a_file_that_changed_is_not_valid(folder, data, hashes, sentence):
    receipt = done(folder)
    write_whole(join(folder, "records/00000-000.parquet"), data)
    (found,) = faults(receipt, folder, hashes=hashes)
    assert sentence in found
    assert not valid(receipt, folder, hashes=hashes)


def test_the_hash_is_only_looked_at_on_request(folder):
    receipt = done(folder)
    write_whole(join(folder, "records/00000-000.parquet"), b"recordz")
    assert valid(receipt, folder)


def test_a_file_that_is_gone_is_not_valid(folder):
    receipt = done(folder)
    gone = replace(receipt, outputs=(replace(receipt.outputs[0], path="records/x.parquet"),))
    assert list(faults(gone, folder)) == [f"{folder}/records/x.parquet is missing"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rows_out": 2}, "3 rows in, but 2 out"),
        ({"rows_in": 4, "rows_out": 4}, "its inputs have 3 rows, but 4 came in"),
        ({"outputs": ()}, "does not fit its records"),
    ],
)
def test_rows_that_do_not_add_up_are_not_valid(folder, change, sentence):
    found = list(faults(replace(done(folder), **change), folder))
    assert any(sentence in fault for fault in found)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"receipt": 2}, "no receipt of version 1"),
        ({"shard": 3}, "`shard` must be str, not 3"),
        ({"rows_in": True}, "`rows_in` must be int, not True"),
        ({"tokens": None}, "`tokens` must be int, not None"),
        ({"outputs": {}}, "`outputs` must be a list"),
        ({"outputs": [3]}, "3 is no object"),
        ({"inputs": [{"file": "a"}]}, "`first` must be int, not None"),
    ],
)
def test_what_is_no_receipt_is_named(folder, change, sentence):
    path = receipt_path(folder, "00000-000")
    raw = done(folder).to_dict() | change
    write_whole(path, json.dumps(raw).encode())
    with pytest.raises(FormatError, match=sentence) as caught:
        read_receipt(path)
    assert str(caught.value).startswith(path)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_damaged_receipt_counts_as_none(folder, data):
    receipt = done(folder, "00001-000")
    write_whole(receipt_path(folder, "00000-000"), data)
    with pytest.raises(FormatError, match="its shard counts as not done"):
        list(read_receipts(folder))
    said = []
    assert list(read_receipts(folder, on_damage=said.append)) == [receipt]
    assert len(said) == 1


def test_a_receipt_under_the_name_of_another_shard_is_none(folder):
    receipt = done(folder)
    text = json.dumps(receipt.to_dict()).encode()
    write_whole(receipt_path(folder, "00007-000"), text)
    with pytest.raises(FormatError, match=r"00007-000.json is the receipt of 00000-000"):
        list(read_receipts(folder))


def test_files_that_are_no_receipts_are_passed_over(folder):
    receipt = done(folder)
    write_whole(join(folder, "receipts", ".00000-001.json.tmp-12ab"), b"{")
    assert list(read_receipts(folder)) == [receipt]


def test_a_receipt_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "receipts").write_text("")
    with pytest.raises(ClaimxError, match="a part of this path is a file"):
        done(str(tmp_path))


def test_inputs_are_runs_of_rows_of_a_file():
    rows = [
        Row(file, number, Article("a", "text"))
        for file, number in [("a", 7), ("a", 8), ("b", 0), ("a", 9)]
    ]
    assert input_ranges(rows) == (
        InputRange("a", 7, 8, 2), InputRange("b", 0, 0, 1), InputRange("a", 9, 9, 1),
    )  # fmt: skip


def test_a_description_of_a_file_outside_the_folder_keeps_its_path():
    assert relative(Written("other/a", "", 0), "out").path == "other/a"
