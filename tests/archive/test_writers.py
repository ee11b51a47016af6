"""Shards: whole or not at all, byte-equal, and every damage is seen on reading."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimx.archive import places, writers
from claimx.archive.writers import FORMATS, open_shard, read_records, scan_shard
from claimx.errors import ClaimxError, ConfigError, FormatError
from tests.archive.samples import failed, names_in, numbered, records

pytest.importorskip("pyarrow")
pytest.importorskip("zstandard")
fsspec = pytest.importorskip("fsspec")

every_format = pytest.mark.parametrize("format", FORMATS)


def write(path, items, format):
    with open_shard(str(path), format) as shard:
        for record in items:
            shard.write(record)
    return shard


@pytest.fixture
def mixed(harbour):
    """An article, the same with its text, one that failed, and one that JSON cannot carry."""
    record = harbour.to_dict()
    return [
        record,
        {**harbour.to_dict(with_text=True), "id": "with text", "meta": {"city": "Málaga"}},
        failed(),
        {**record, "id": "bad\ud800", "meta": {"x": float("nan")}},
    ]


# ---- what is written --------------------------------------------------------------------------


@every_format
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(records, max_size=4))
def test_records_come_back_as_they_were(tmp_path, format, items):
    path = f"{tmp_path}/shard.{format}"
    write(path, items, format)
    assert list(read_records(path)) == items


@every_format
def test_a_shard_knows_its_hash_size_and_counts(tmp_path, format, mixed):
    path = tmp_path / f"shard.{format}"
    shard = write(path, mixed, format)
    data = path.read_bytes()
    assert shard.written == places.Written(
        str(path), hashlib.sha256(data).hexdigest(), len(data), rows=4
    )
    assert (shard.rows, shard.errors, shard.noted) == (4, 1, 3)


@every_format
def test_equal_records_give_equal_bytes(tmp_path, format, mixed):
    one = write(tmp_path / f"one.{format}", mixed, format)
    two = write(tmp_path / "elsewhere" / f"two.{format}", mixed, format)
    assert one.written.sha256 == two.written.sha256


def test_both_formats_hold_the_same(tmp_path, mixed):
    for name in FORMATS:
        write(tmp_path / f"shard.{name}", mixed, name)
    parquet, lines = (list(read_records(f"{tmp_path}/shard.{name}")) for name in FORMATS)
    assert parquet == lines
    assert parquet[3]["id"] == "bad�"


@every_format
def test_an_empty_shard_is_a_shard(tmp_path, format):
    write(tmp_path / f"shard.{format}", [], format)
    assert list(read_records(f"{tmp_path}/shard.{format}")) == []


@every_format
def test_scanning_returns_ids_and_errors(tmp_path, format, mixed):
    write(tmp_path / f"shard.{format}", mixed[:3], format)
    found = list(scan_shard(f"{tmp_path}/shard.{format}"))
    assert found == [("harbour.txt", False), ("with text", False), ("broken.txt", True)]


@pytest.mark.parametrize(
    ("limit", "value", "groups"),
    [("ROWS_IN_GROUP", 2, [2, 2, 1]), ("BYTES_IN_GROUP", 1, [1, 1, 1, 1, 1])],
)
def test_row_groups_are_bounded(tmp_path, monkeypatch, harbour, limit, value, groups):
    from pyarrow.parquet import ParquetFile

    monkeypatch.setattr(writers, limit, value)
    path = tmp_path / "shard.parquet"
    write(path, numbered(harbour.to_dict(), 5), "parquet")
    with ParquetFile(path) as file:
        metadata = file.metadata
        assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == groups
    assert [record["id"] for record in read_records(str(path))] == [
        f"harbour.txt/{number}" for number in range(5)
    ]


def test_a_format_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"parquet, jsonl.zst, not 'orc'"):
        write(tmp_path / "shard.orc", [], "orc")


def test_the_suffix_tells_the_format(tmp_path):
    with pytest.raises(ConfigError, match=r"does not end with .parquet"):
        write(tmp_path / "shard.jsonl.zst", [], "parquet")
    with pytest.raises(FormatError, match="is no shard"):
        list(read_records(f"{tmp_path}/shard.txt"))


def test_a_missing_library_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ClaimxError, match=r"zstandard: pip install 'claimx\[archive\]'"):
        write(tmp_path / "shard.jsonl.zst", [], "jsonl.zst")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("reader", ["pandas", "polars", "duckdb"])
@every_format
def test_shards_load_in(tmp_path, format, reader, mixed):
    library = pytest.importorskip(reader)
    path = f"{tmp_path}/shard.{format}"
    write(path, mixed, format)
    if reader == "duckdb":
        rows = library.sql(
            f"SELECT id, quotes[1].speaker.name, claims[1].quantity.value, error.kind FROM '{path}'"
        ).fetchall()
    else:
        if format == "parquet":
            frame = library.read_parquet(path)
        elif reader == "pandas":
            frame = library.read_json(path, lines=True)
        else:
            frame = library.read_ndjson(path)
        items = frame.to_dict("records") if reader == "pandas" else frame.to_dicts()
        rows = []
        for item in items:
            ok = isinstance(item["quotes"], float | None) or len(item["quotes"]) == 0
            rows.append((
                item["id"],
                None if ok else item["quotes"][0]["speaker"]["name"],
                None if ok else item["claims"][0]["quantity"]["value"],
                item["error"]["kind"] if isinstance(item["error"], dict) else None,
            ))  # fmt: skip
    assert rows == [
        ("harbour.txt", "Ines Okafor", 40, None),
        ("with text", "Ines Okafor", 40, None),
        ("broken.txt", None, None, "too_large"),
        ("bad�", "Ines Okafor", 40, None),
    ]


# ---- whole or not at all ----------------------------------------------------------------------


def interrupted(items):
    yield from items
    raise KeyboardInterrupt


@every_format
@pytest.mark.parametrize("after", [0, 1])
def test_an_error_leaves_nothing_behind_and_what_was_there_stands(tmp_path, format, after, harbour):
    path = tmp_path / f"shard.{format}"
    before = write(path, [harbour.to_dict()], format).written
    with pytest.raises(KeyboardInterrupt):
        write(path, interrupted(numbered(harbour.to_dict(), after)), format)
    assert names_in(tmp_path) == [path.name]
    assert places.file_sha256(str(path)) == before.sha256


@every_format
def test_nothing_appears_under_the_name_before_the_end(tmp_path, format, harbour):
    path = tmp_path / f"shard.{format}"
    with open_shard(str(path), format) as shard:
        shard.write(harbour.to_dict())
        (name,) = names_in(tmp_path)
        assert name.startswith(f".{path.name}.tmp-")
        with pytest.raises(RuntimeError, match="not finished"):
            _ = shard.written
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("reader", ["pandas", "pyarrow.parquet"])
def test_readers_of_a_folder_pass_over_what_a_killed_run_left(tmp_path, reader, harbour):
    library = pytest.importorskip(reader)
    write(tmp_path / "00000-000.parquet", [harbour.to_dict()], "parquet")
    read = library.read_parquet if reader == "pandas" else library.read_table
    with open_shard(str(tmp_path / "00000-001.parquet"), "parquet"):
        assert len(names_in(tmp_path)) == 2
        assert len(read(tmp_path)) == 1


def test_a_bad_record_does_not_break_the_writer_off_badly(tmp_path, harbour):
    path = tmp_path / "shard.parquet"
    with pytest.raises(FormatError, match="unknown mood"):
        write(path, [harbour.to_dict(), {**harbour.to_dict(), "mood": "glum"}], "parquet")
    assert names_in(tmp_path) == []


@contextmanager
def small_files():
    """No file may grow beyond a few bytes; only for a moment, since pytest's are files too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@every_format
def test_a_file_that_may_not_grow_is_one_sentence(tmp_path, format, harbour):
    path = tmp_path / f"shard.{format}"
    sentence = f"{path} cannot be written: the file is larger"
    with small_files(), pytest.raises(ClaimxError, match=sentence):
        write(path, [harbour.to_dict()], format)
    assert names_in(tmp_path) == []


@every_format
@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "the disk is full: free some space or choose another folder, then resume"),
        (errno.EIO, "the disk reports a fault"),
        (errno.ETIMEDOUT, "look at the disk or choose another folder"),
    ],
)
def test_a_failing_disk_is_one_sentence(tmp_path, monkeypatch, harbour, format, number, advice):
    def full(handle):
        raise OSError(number, os.strerror(number))

    path = tmp_path / f"shard.{format}"
    monkeypatch.setattr(places.os, "fsync", full)
    with pytest.raises(ClaimxError) as caught:
        write(path, [harbour.to_dict()], format)
    assert str(caught.value).startswith(f"{path} cannot be written: ")
    assert advice in str(caught.value)
    assert names_in(tmp_path) == []


@every_format
def test_a_disk_that_fills_up_while_writing_is_one_sentence(tmp_path, monkeypatch, harbour, format):
    class Full:
        def __init__(self, stream, path):
            self.stream = stream

        def write(self, data):
            raise OSError(errno.ENOSPC, "no space")

        def __getattr__(self, name):
            return getattr(self.stream, name)

    taken = places.Sink.__init__
    monkeypatch.setattr(
        places.Sink, "__init__", lambda self, stream, path: taken(self, Full(stream, path), path)
    )
    with pytest.raises(ClaimxError, match="the disk is full"):
        write(tmp_path / f"shard.{format}", [harbour.to_dict()], format)
    assert names_in(tmp_path) == []


FULL_DISK = """
set -e
mount -t tmpfs -o size=1m none "$1"
exec "$2" - "$1" <<'END'
import os, sys
from claimx.archive.writers import open_shard, read_records
from claimx.errors import ClaimxError
from tests.archive.samples import failed
place = sys.argv[1]
def write(name, count):
    with open_shard(f"{place}/{name}.parquet", "parquet") as shard:
        for number in range(count):
            shard.write({**failed(str(number)), "meta": {"noise": os.urandom(5_000).hex()}})
write("first", 50)
try:
    write("second", 300)
except ClaimxError as error:
    print(error)
print(os.listdir(place), len(list(read_records(f"{place}/first.parquet"))))
END
"""


def test_on_a_full_disk_the_shards_before_stay_valid(tmp_path):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no name spaces here")
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", FULL_DISK, "bash", str(tmp_path), sys.executable],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    if "mount:" in done.stderr:
        pytest.skip("no tmpfs here")
    assert done.stdout.splitlines() == [
        f"{tmp_path}/second.parquet cannot be written: the disk is full: free some space or "
        f"choose another folder, then resume",
        "['first.parquet'] 50",
    ]


@every_format
def test_a_read_only_folder_is_one_sentence(tmp_path, format, monkeypatch):
    if os.geteuid() == 0:  # whom no permission stops

        def refuse(self, *arguments, **options):
            raise PermissionError(errno.EACCES, "denied")

        monkeypatch.setattr(places.Path, "open", refuse)
    tmp_path.chmod(0o500)
    with pytest.raises(ClaimxError, match="cannot be written: you may not write there"):
        write(tmp_path / f"shard.{format}", [], format)
    tmp_path.chmod(0o700)
    assert names_in(tmp_path) == []


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ClaimxError, match=r"a part of this path is a file"):
        write(tmp_path / "out" / "records" / "shard.parquet", [], "parquet")


# ---- damage -----------------------------------------------------------------------------------


@every_format
def test_every_flipped_byte_is_seen_or_harmless(tmp_path, format, harbour):
    path = tmp_path / f"shard.{format}"
    items = numbered(harbour.to_dict(with_text=True), 3)
    write(path, items, format)
    data = path.read_bytes()
    # The pages of Parquet have checksums, its footer has none: there the receipt's hash counts.
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little") if format == "parquet" else None
    end = end or len(data)
    for at in range(4, end, end // 60):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        with suppress(FormatError):
            assert list(read_records(str(path))) == items


@every_format
def test_every_cut_is_seen(tmp_path, format, harbour):
    path = tmp_path / f"shard.{format}"
    write(path, numbered(harbour.to_dict(), 3), format)
    data = path.read_bytes()
    for length in range(0, len(data), max(1, len(data) // 40)):
        path.write_bytes(data[:length])
        with pytest.raises(FormatError, match="is damaged"):
            list(read_records(str(path)))


def test_something_behind_the_end_of_a_frame_is_seen(tmp_path, harbour):
    path = tmp_path / "shard.jsonl.zst"
    write(path, [harbour.to_dict()], "jsonl.zst")
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(FormatError, match="something follows its end"):
        list(read_records(str(path)))


def test_parquet_of_other_columns_is_no_shard(tmp_path):
    import pyarrow
    from pyarrow.parquet import write_table

    write_table(pyarrow.table({"id": ["a"]}), tmp_path / "shard.parquet")
    with pytest.raises(FormatError, match="has other columns"):
        list(read_records(f"{tmp_path}/shard.parquet"))


def test_lines_that_are_no_records_are_no_shard(tmp_path):
    import zstandard

    path = tmp_path / "shard.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(b'{"id": 3}\n'))
    with pytest.raises(FormatError, match="a line is no record"):
        list(read_records(str(path)))


def test_a_shard_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ClaimxError, match=r"shard.parquet is not there"):
        list(read_records(f"{tmp_path}/shard.parquet"))


# ---- URLs -------------------------------------------------------------------------------------


@pytest.fixture
def memory():
    """A folder of fsspec's memory file system."""
    yield "memory://claimx-writers/out"
    fsspec.filesystem("memory").rm("/claimx-writers", recursive=True)


@every_format
def test_shards_go_to_a_url_as_well(memory, format, mixed, tmp_path):
    path = f"{memory}/records/00000-000.{format}"
    shard = write(path, mixed[:3], format)
    assert list(read_records(path)) == mixed[:3]
    assert places.list_files(memory) == [f"records/00000-000.{format}"]
    assert places.file_sha256(path) == shard.written.sha256
    assert places.file_size(path) == shard.written.bytes
    assert write(tmp_path / f"local.{format}", mixed[:3], format).written.sha256 == (
        shard.written.sha256
    )


def test_a_file_at_a_url_is_removed_if_it_is_there(memory, tmp_path):
    for path in (f"{memory}/quarantined.jsonl", f"{tmp_path}/quarantined.jsonl"):
        places.write_whole(path, b"x")
        places.remove(path)
        assert places.file_size(path) is None
        places.remove(path)


def test_an_error_uploads_nothing(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(places.tempfile, "tempdir", str(tmp_path))
    fsspec.filesystem("memory").makedirs("/claimx-writers/out")
    with pytest.raises(KeyboardInterrupt):
        write(f"{memory}/records/a.parquet", interrupted([]), "parquet")
    assert places.list_files(memory) == []
    assert names_in(tmp_path) == []


def test_a_store_that_refuses_is_one_sentence(memory, monkeypatch, tmp_path):
    monkeypatch.setattr(places.tempfile, "tempdir", str(tmp_path))

    def refuse(self, *arguments, **options):
        raise PermissionError("Access Denied\nrequest id 12")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "put_file", refuse)
    fsspec.filesystem("memory").makedirs("/claimx-writers/out")
    with pytest.raises(ClaimxError, match=r"a.parquet cannot be written: Access Denied; check"):
        write(f"{memory}/a.parquet", [], "parquet")
    assert names_in(tmp_path) == []


def test_an_unknown_kind_of_url_is_one_sentence():
    with pytest.raises(ClaimxError, match="Protocol not known: nowhere"):
        write("nowhere://out/a.parquet", [], "parquet")


def test_a_file_url_is_a_local_path(tmp_path):
    write(f"file://{tmp_path}/a.parquet", [], "parquet")
    assert names_in(tmp_path) == ["a.parquet"]


# ---- space ------------------------------------------------------------------------------------


def test_too_little_space_is_said(monkeypatch):
    monkeypatch.setattr(places, "free_bytes", lambda folder: 2_500_000)
    assert places.space_problem("out", 2_500_000) is None
    assert places.space_problem("out", 34_100_000_000) == (
        "out has 2.5 MB free, and the output will take about 34.1 GB: "
        "free some space or choose another folder"
    )


def test_space_is_that_of_the_folder_to_be(tmp_path):
    assert places.free_bytes(f"{tmp_path}/not/yet") == pytest.approx(
        places.shutil.disk_usage(tmp_path).free, rel=0.5
    )


def test_a_url_does_not_say_its_space():
    assert places.space_problem("s3://bucket/out", 10**18) is None


@pytest.mark.parametrize("format", FORMATS)
def test_the_estimate_grows_with_the_text(format):
    small, large = (
        writers.estimate_bytes(size, format, shards=size // 10**6) for size in (10**6, 10**9)
    )
    assert large == pytest.approx(1000 * small, rel=0.01)
    with_text = writers.estimate_bytes(10**6, format, shards=1, with_text=True)
    both = writers.estimate_bytes(10**6, format, shards=1, with_text=True, tables=True)
    assert small < with_text < both
