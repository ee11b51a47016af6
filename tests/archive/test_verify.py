"""Verification: whatever is missing, changed, unfinished or twice is said."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from claimx.archive import verify as verifying
from claimx.archive.inputs import InputFile
from claimx.archive.places import join, write_whole
from claimx.archive.receipts import (
    InputRange,
    LeftOut,
    Receipt,
    read_receipt,
    receipt_path,
    relative,
    write_receipt,
)
from claimx.archive.run import RunConfig, start
from claimx.archive.tables import TABLES, open_table
from claimx.archive.verify import verify
from claimx.archive.writers import open_shard
from claimx.errors import ClaimxError
from tests.archive.samples import failed, names_in, numbered

pytest.importorskip("pyarrow")
pytest.importorskip("zstandard")
pytest.importorskip("fsspec")

SOUND = "every file is as its receipt says"


def write(folder, shard, items, *, format="parquet", first=0, last=True, tables=True, **known):
    """Write a shard as the runner does."""
    with ExitStack() as stack:
        path = join(str(folder), "records", f"{shard}.{format}")
        writers = [stack.enter_context(open_shard(path, format))]
        writers += [
            stack.enter_context(open_table(str(folder), table, shard)) for table in TABLES if tables
        ]
        for record in items:
            for writer in writers:
                writer.write(record)
    records = writers[0]
    receipt = Receipt(
        shard=shard,
        last=last,
        inputs=(InputRange(f"{shard[:5]}.jsonl", first, first + len(items) - 1, len(items)),),
        outputs=tuple(relative(writer.written, str(folder)) for writer in writers),
        rows_in=len(items),
        rows_out=records.rows,
        n_errors=records.errors,
        n_notes=records.noted,
        model="claimx-en 1.0.0 (3f2a91c4)",
        config_sha256="c" * 64,
        claimx="1.0.0",
        tokens=100,
    )
    write_receipt(replace(receipt, **known), str(folder))
    plan(folder, int(shard[:5]) + 1)


def plan(folder, groups):
    """Write what verification asks the state of a run for."""
    write_whole(join(str(folder), "run.json"), json.dumps({"groups": groups}).encode())


@pytest.fixture
def out(tmp_path, harbour):
    """Three shards of two groups, with tables; ten articles, one of which failed."""
    record = harbour.to_dict()
    items = [*numbered(record, 9), failed()]
    folder = tmp_path / "out"
    write(folder, "00000-000", items[:4], last=False)
    write(folder, "00000-001", items[4:7], first=4)
    write(folder, "00001-000", items[7:])
    return folder


def change_receipt(folder, shard, **known):
    receipt = read_receipt(receipt_path(str(folder), shard))
    write_receipt(replace(receipt, **known), str(folder))


def problem(folder):
    """Return the only thing that is wrong."""
    report = verify(str(folder))
    assert report.exit_code == 1
    (found,) = report.problems
    return found


# ---- a sound folder ---------------------------------------------------------------------------


def test_a_sound_folder_is_sound(out):
    report = verify(str(out))
    assert (report.problems, report.warnings, report.exit_code) == ((), (), 0)
    assert (report.shards, report.rows_in, report.rows_out) == (3, 10, 10)
    assert (report.n_errors, report.n_notes, report.tokens) == (1, 9, 300)
    assert report.bytes == sum(
        path.stat().st_size for path in out.rglob("*") if path.suffix == ".parquet"
    )
    first, *rest = report.lines()
    assert first.startswith(f"{out}: 3 shards, 10 articles in, 10 records out (1 error, 9 with")
    assert rest == [SOUND]


def test_the_report_is_plain_json(out):
    raw = verify(str(out)).to_dict()
    assert json.loads(json.dumps(raw)) == raw


def test_lines_of_json_are_verified_as_well(tmp_path, harbour):
    write(tmp_path, "00000-000", [harbour.to_dict(), failed()], format="jsonl.zst")
    report = verify(str(tmp_path))
    assert (report.problems, report.rows_out, report.n_errors) == ((), 2, 1)


def test_a_folder_by_url_is_verified_as_well(harbour):
    import fsspec

    folder = "memory://claimx-verify/out"
    write(folder, "00000-000", numbered(harbour.to_dict(), 2))
    write_whole(join(folder, "records", "00000-001.parquet"), b"")
    try:
        assert problem(folder) == (
            f"{folder}/records/00000-001.parquet has no receipt; resume the run"
        )
    finally:
        fsspec.filesystem("memory").rm("/claimx-verify", recursive=True)


def test_an_empty_shard_is_sound(tmp_path):
    write(tmp_path, "00000-000", [], inputs=())
    assert verify(str(tmp_path)).problems == ()


def test_nothing_is_left_in_the_temporary_folder(out, tmp_path, monkeypatch):
    monkeypatch.setattr(verifying.tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    verify(str(out))
    assert names_in(tmp_path / "scratch") == []


def test_nothing_in_the_folder_is_touched(out):
    (out / "records" / ".00000-000.parquet.tmp-12ab").write_bytes(b"half")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    verify(str(out))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ClaimxError, match="is not there"):
        verify(str(tmp_path / "nowhere"))


def test_a_folder_without_a_run_is_an_error(out, tmp_path):
    with pytest.raises(ClaimxError, match="there is no run in .*records: name the folder"):
        verify(str(out / "records"))
    (out / "run.json").unlink()
    with pytest.raises(ClaimxError, match=r"holds shards of a run, but run\.json is gone"):
        verify(str(out))


# ---- what is wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["records", "quotes", "claims"])
def test_a_file_that_is_missing(out, folder):
    (out / folder / "00000-001.parquet").unlink()
    assert problem(out) == f"{out}/{folder}/00000-001.parquet is missing"


@pytest.mark.parametrize("folder", ["records", "quotes", "claims"])
def test_a_flipped_byte(out, folder):
    path = out / folder / "00000-001.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    assert problem(out).startswith(f"{path} has changed")


def test_damage_from_before_the_receipt(out):
    path = out / "records" / "00000-001.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:8] + bytes(64) + data[72:])
    hashed = replace(
        read_receipt(receipt_path(str(out), "00000-001")).outputs[0],
        sha256=verifying.hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    change_receipt(out, "00000-001", outputs=(hashed,))
    for table in TABLES:
        (out / table / "00000-001.parquet").unlink()
    assert "is damaged" in problem(out)


def test_fewer_records_than_the_receipt_says(tmp_path, harbour):
    items = numbered(harbour.to_dict(), 3)
    write(tmp_path, "00000-000", items)
    receipt = read_receipt(receipt_path(str(tmp_path), "00000-000"))
    first, *tables = receipt.outputs
    change_receipt(
        tmp_path, "00000-000", rows_in=4, rows_out=4, n_errors=1,
        inputs=(InputRange("a", 0, 3, 4),), outputs=(replace(first, rows=4), *tables),
    )  # fmt: skip
    assert problem(tmp_path) == (
        f"{tmp_path}/records/00000-000.parquet has 3 records, 0 of them errors; its receipt says "
        f"4 and 1"
    )


def test_fewer_rows_in_a_table_than_the_receipt_says(out):
    receipt = read_receipt(receipt_path(str(out), "00000-001"))
    records, quotes, claims = receipt.outputs
    change_receipt(out, "00000-001", outputs=(records, replace(quotes, rows=5), claims))
    assert problem(out) == f"{out}/quotes/00000-001.parquet has 9 rows, not 5"


def test_rows_that_came_in_and_did_not_go_out(out):
    change_receipt(out, "00000-001", rows_in=4, inputs=(InputRange("00000.jsonl", 4, 7, 4),))
    assert problem(out) == "00000-001: 4 rows in, but 3 out"


def test_a_shard_without_a_receipt(out):
    (out / "receipts" / "00001-000.json").unlink()
    report = verify(str(out))
    assert set(report.problems) == {
        "no shard of 00001 is there; resume the run",
        *(
            f"{out}/{name}/00001-000.parquet has no receipt; resume the run"
            for name in ("records", "quotes", "claims")
        ),
    }


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("00000-000", "00000-000 has no receipt"),
        ("00000-001", "the last shard of 00000 is not there"),
        ("00001-000", "no shard of 00001 is there"),
    ],
)
def test_a_shard_that_is_not_there_at_all(out, gone, sentence):
    for path in out.rglob(f"{gone}.*"):
        path.unlink()
    assert problem(out) == f"{sentence}; resume the run"


def test_the_end_of_the_plan_is_known_from_the_state_of_the_run(out):
    config = RunConfig("1", "m", {}, {}, 10, "parquet", False, ())
    files = [InputFile(f"{n}.jsonl", 1, "", "jsonl") for n in range(3)]
    start(str(out), config, files)
    assert problem(out) == "no shard of 00002 is there; resume the run"
    (out / "run.json").write_text("{")
    assert "run.json is damaged" in problem(out)


def test_a_damaged_receipt(tmp_path, harbour):
    write(tmp_path, "00000-000", numbered(harbour.to_dict(), 2))
    path = tmp_path / "receipts" / "00000-000.json"
    path.write_bytes(path.read_bytes()[:50])
    report = verify(str(tmp_path))
    assert report.problems[0].startswith(f"{path} is damaged")
    assert report.exit_code == 1


def test_rows_of_an_input_in_two_shards(out):
    change_receipt(out, "00000-001", inputs=(InputRange("00000.jsonl", 3, 5, 3),))
    assert problem(out) == "rows 3 to 3 of 00000.jsonl are in both 00000-000 and 00000-001"


@pytest.mark.parametrize(
    ("known", "what"),
    [
        ({"model": "other 1.0.0 (00000000)"}, "model"),
        ({"config_sha256": "d" * 64}, "config"),
        ({"claimx": "9.9.9", "model": "other"}, "model and version of claimx"),
    ],
)
def test_shards_that_were_made_in_another_way(out, known, what):
    change_receipt(out, "00001-000", **known)
    assert problem(out) == f"00000-000 and 00001-000 were made with another {what}"


def test_long_reports_are_cut_and_counted(tmp_path, harbour):
    for number in range(25):
        write_whole(f"{tmp_path}/records/{number:05d}-000.parquet", b"")
    plan(tmp_path, 0)
    *_, more, last = verify(str(tmp_path)).lines()
    assert more == "wrong: … and 5 more"
    assert last == "25 things are wrong"


# ---- what is worth knowing --------------------------------------------------------------------


def test_unfinished_files_are_named_and_left(out):
    path = out / "records" / ".00000-000.parquet.tmp-12ab34cd"
    path.write_bytes(b"half")
    report = verify(str(out))
    assert report.exit_code == 0
    assert report.warnings[0].startswith(f"{path} is unfinished")
    assert path.exists()


def test_inputs_that_could_not_be_read_are_named_once(out):
    left_out = (LeftOut("b.csv", "there is nothing in it"),)
    for shard in ("00000-000", "00000-001"):
        change_receipt(out, shard, left_out=left_out)
    report = verify(str(out))
    assert (report.exit_code, report.warnings) == (
        0,
        ("b.csv could not be read and is left out: there is nothing in it; mend it, then resume",),
    )


def test_duplicate_ids_are_counted_and_named(out, harbour):
    items = numbered(harbour.to_dict(), 2)
    write(out, "00002-000", [items[0], *items])
    report = verify(str(out))
    assert (report.exit_code, report.duplicates) == (0, 3)
    (warning,) = report.warnings
    assert warning == (
        "3 records have the id of an earlier one: "
        "'harbour.txt/0' in 00000-000.parquet and 00002-000.parquet, "
        "'harbour.txt/1' in 00000-000.parquet and 00002-000.parquet, …"
    )


def test_many_ids_are_compared_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(verifying, "_PENDING", 64)
    ids = verifying._Ids(tmp_path)
    for number in range(5_000):
        ids.add(str(number))
    for number in range(0, 5_000, 10):
        ids.add(str(number))
    assert len(list(Path(tmp_path).iterdir())) > 200  # most are on the disk already
    count, examples = ids.repeated(7)
    assert (count, len(examples)) == (500, 7)
    assert examples <= {verifying._hash(str(number))[0] for number in range(0, 5_000, 10)}
