"""Disks that fail and inputs that are damaged or gone, through the whole command.

The model runs in this process, so that each run takes little time; `test_job` has the workers.
"""

from __future__ import annotations

import errno
import gzip
import io
import json
import multiprocessing
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claimx.archive import job, places
from claimx.archive.shards import Shard, ShardRunner
from claimx.archive.verify import verify
from claimx.archive.workers import run_shards
from claimx.archive.writers import read_records
from claimx.checkpoint import save_checkpoint
from claimx.cli import main
from claimx.extractor import Extractor
from tests.archive.reading import needs
from tests.tiny import random_model, wordpiece

pytest.importorskip("pyarrow")

ARTICLES = [
    {"id": f"a{n}", "text": f"“The ferry was late {n} times,” said Okafor of the board."}
    for n in range(5)
]


def named(letter: str) -> bytes:
    """The articles as lines of JSON, with ids that begin with a letter."""
    lines = (
        json.dumps({**article, "id": article["id"].replace("a", letter)}) for article in ARTICLES
    )
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    found = random_model()
    for head in found.tag_heads.values():
        head.bias.data[0] = 5.0  # or every other word has a label, which takes its time
    save_checkpoint(folder, found, wordpiece(), {"fingerprints": []})
    return str(folder)


@pytest.fixture(scope="module")
def extractor(model) -> Extractor:
    return Extractor.from_pretrained(model, device="cpu")


Archive = Callable[..., int]


@pytest.fixture
def archive(model, extractor, tmp_path, monkeypatch) -> Archive:
    """`claimx archive` over the folder `in`, without worker processes.

    Its argument `listed` is called when the inputs are listed and none is read.
    """
    between: list[Callable[[], object]] = []

    def here(source, _model, _options, config, folder, **_):
        while between:
            between.pop()()
        runner = ShardRunner(extractor, config, folder)
        for shard in source:
            yield runner(shard)

    monkeypatch.setattr(job, "run_local", here)
    (tmp_path / "in").mkdir()
    for name in ("a.jsonl", "z.jsonl"):
        (tmp_path / "in" / name).write_bytes(named(name[0]))

    def call(out: Path | str, *options: str, listed: Callable[[], object] | None = None) -> int:
        between.extend([listed] if listed else [])
        inputs = str(tmp_path / "in")
        fixed = ("--model", model, "--rows", "2", "--any-language", "--device", "cpu")
        return main(["archive", inputs, "--out", str(out), *fixed, *options])

    return call


def contents(folder: Path, start: str = "") -> dict[str, object]:
    """Return what a run has left: records as bytes, receipts but for their seconds."""
    found: dict[str, object] = {}
    for kind in ("records", "receipts"):
        for path in sorted((folder / kind).glob(f"{start}*")):
            receipt = json.loads(path.read_bytes()) if path.suffix == ".json" else {}
            found[path.name] = {**receipt, "seconds": 0} if receipt else path.read_bytes()
    return found


def assert_nothing_is_damaged(folder: Path) -> None:
    """Whatever has a receipt is as the receipt says; shards may be missing."""
    problems = verify(str(folder)).problems
    assert all("resume the run" in problem for problem in problems), problems


# ---- disks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "the disk is full: free some space or choose another folder, then resume"),
        (errno.EROFS, "the disk is read-only: choose another folder"),
        (errno.EACCES, "you may not write there"),
        (errno.EIO, "the disk reports a fault"),
    ],
)
def test_a_disk_that_fails_ends_the_run_in_one_sentence(
    archive, tmp_path, monkeypatch, capsys, number, advice
):
    with failing_after(3, number, monkeypatch):  # run.json, one shard, its receipt
        assert archive(tmp_path / "out") == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith(f"claimx: {tmp_path}/out/records/00000-001.parquet cannot be")
    assert advice in said[-1]
    assert list(contents(tmp_path / "out")) == ["00000-000.parquet", "00000-000.json"]


@pytest.mark.parametrize("files", [1, 2, 3, 6, 12])
def test_a_run_that_a_full_disk_ended_anywhere_is_resumed_to_the_same(
    archive, tmp_path, monkeypatch, files
):
    assert archive(tmp_path / "calm") == 0
    with failing_after(files, errno.ENOSPC, monkeypatch):
        assert archive(tmp_path / "out") == 2
    assert_nothing_is_damaged(tmp_path / "out")
    assert archive(tmp_path / "out", "--resume") == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "calm")
    assert verify(str(tmp_path / "out")).problems == ()


class failing_after:  # noqa: N801
    """A disk on which a number of files can still be made."""

    def __init__(self, files: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left, self.number, self.monkeypatch = files, number, monkeypatch

    def __enter__(self) -> None:
        real = Path.open

        def opened(path, mode="r", *arguments, **options):
            if mode == "xb":
                self.left -= 1
                if self.left < 0:
                    raise OSError(self.number, os.strerror(self.number), str(path))
            return real(path, mode, *arguments, **options)

        self.patch = self.monkeypatch.context()
        self.patch.__enter__().setattr(places.Path, "open", opened)

    def __exit__(self, *error: object) -> None:
        self.patch.__exit__(*error)


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A disk of one megabyte in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=1m", "none", str(place)):
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def mount(*options: str) -> bool:
    try:
        return not subprocess.run(["mount", *options], capture_output=True, check=False).returncode
    except OSError:
        return False


def test_a_disk_that_was_full_and_has_room_again(archive, tmp_path, disk, capsys):
    assert archive(tmp_path / "calm") == 0
    rest = os.statvfs(disk)
    room = sum(path.stat().st_size for path in (tmp_path / "calm").rglob("*.*")) * 2 // 3
    (disk / "filler").write_bytes(bytes(rest.f_bavail * rest.f_frsize - room))
    assert archive(disk / "out") == 2
    assert "the disk is full" in capsys.readouterr().err
    assert_nothing_is_damaged(disk / "out")
    before = contents(disk / "out")
    assert before
    (disk / "filler").unlink()
    assert archive(disk / "out", "--resume") == 0
    assert contents(disk / "out") == contents(tmp_path / "calm")
    assert before.items() <= contents(tmp_path / "calm").items()


def test_a_disk_that_was_read_only_and_is_not_any_more(archive, tmp_path, disk, capsys):
    assert archive(disk / "out") == 0
    calm = contents(disk / "out")
    (disk / "out" / "receipts" / "00001-002.json").unlink()
    assert mount("-o", "remount,ro", str(disk))
    assert archive(disk / "out", "--resume") == 2
    assert "the disk is read-only: choose another folder" in capsys.readouterr().err
    assert archive(disk / "new") == 2
    assert "the disk is read-only: choose another folder" in capsys.readouterr().err
    assert_nothing_is_damaged(disk / "out")
    assert mount("-o", "remount,rw", str(disk))
    assert archive(disk / "out", "--resume") == 0
    assert contents(disk / "out") == calm


# ---- inputs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.jsonl", "m.txt"])
def test_a_vanished_input_is_named_and_read_when_it_is_back(archive, tmp_path, capsys, name):
    path = tmp_path / "in" / name
    path.write_bytes(named("m"))
    assert archive(tmp_path / "calm") == 0
    gone = tmp_path / "gone"
    assert archive(tmp_path / "out", listed=lambda: path.rename(gone)) == 1
    assert f"{path}: there is no such file" in capsys.readouterr().err
    assert_nothing_is_damaged(tmp_path / "out")
    gone.rename(path)
    assert archive(tmp_path / "out", "--resume") == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "calm")
    assert verify(str(tmp_path / "out")).problems == ()


def noise() -> list[bytes]:
    """Lines that do not pack, so that a file that is cut has lost some."""
    lines = [
        {"noise": os.urandom(200).hex(), **json.loads(line)} for line in named("m").splitlines()
    ]
    return [json.dumps(line).encode() + b"\n" for line in lines]


def cut_gzip() -> bytes:
    return gzip.compress(b"".join(noise()))[:-200]


def cut_zstd() -> bytes:
    import zstandard

    packer = zstandard.ZstdCompressor(write_checksum=True)
    return b"".join(map(packer.compress, noise()))[:-100]


def flipped_parquet() -> bytes:
    """A row group for each article; one byte of the fourth is another."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pylist([json.loads(line) for line in named("m").splitlines()])
    stream = io.BytesIO()
    parquet.write_table(
        table, stream, row_group_size=1, write_page_checksum=True, compression="none",
        write_statistics=False,
    )  # fmt: skip
    return stream.getvalue().replace(b"late 3", b"late 8")


def broken_bytes() -> bytes:
    return named("m").replace(b"late 3", b"late \xff")


def broken_warc() -> bytes:
    """Five texts; the third is none, and the fifth does not say how long it is."""
    found = b""
    for number, article in enumerate(ARTICLES):
        body = bytes(range(32)) * 9 if number == 2 else article["text"].encode()
        length = "much" if number == 4 else len(body)
        found += (
            f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: m{number}\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        ).encode() + body + b"\r\n\r\n"  # fmt: skip
    return found


# name -> the damaged file, whose articles are read, kinds of the error records
DAMAGED = {
    "m.jsonl.gz": (cut_gzip, "m0 m1 m2 m3", "truncated"),
    "m.jsonl.zst": (cut_zstd, "m0 m1 m2 m3", "truncated"),
    "m.parquet": (flipped_parquet, "m0 m1 m2", "damaged"),
    "m.jsonl": (broken_bytes, "m0 m1 m2 m4", "not_utf8"),
    "m.warc": (broken_warc, "m0 m1 m3", "not_text damaged"),
}
LIBRARIES = {"m.jsonl.zst": "zstandard", "m.warc": "warcio"}
damaged = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs(LIBRARIES.get(name, "pyarrow"))) for name in DAMAGED]
)


def records(folder: Path, group: str) -> list[dict[str, object]]:
    paths = sorted((folder / "records").glob(f"{group}-*"))
    return [record for path in paths for record in read_records(str(path))]


@damaged
def test_a_damaged_input_costs_what_is_damaged_alone(archive, tmp_path, name):
    make, articles, kinds = DAMAGED[name]
    assert archive(tmp_path / "calm") == 0
    (tmp_path / "in" / name).write_bytes(make())
    assert archive(tmp_path / "out") == 1
    found = records(tmp_path / "out", "00001")
    assert [record["id"] for record in found if "error" not in record] == articles.split()
    assert [record["error"]["kind"] for record in found if "error" in record] == kinds.split()
    assert verify(str(tmp_path / "out")).problems == ()
    for group, calm in (("00000", "00000"), ("00002", "00001")):
        assert records(tmp_path / "out", group) == records(tmp_path / "calm", calm)


@damaged
def test_a_run_over_a_damaged_input_is_resumed_to_the_same(archive, tmp_path, name):
    (tmp_path / "in" / name).write_bytes(DAMAGED[name][0]())
    assert archive(tmp_path / "out") == 1
    calm = contents(tmp_path / "out")
    for path in (tmp_path / "out" / "receipts").glob("00001-*"):
        path.unlink()
    assert archive(tmp_path / "out", "--resume") == 1
    assert contents(tmp_path / "out") == calm


def test_a_file_that_cannot_be_read_at_all_is_named_by_every_run_until_it_can(
    archive, tmp_path, capsys
):
    path = tmp_path / "in" / "m.jsonl.gz"
    path.write_bytes(gzip.compress(named("m")))
    assert archive(tmp_path / "calm") == 0
    path.write_bytes(named("m"))
    for options in ((), ("--resume",)):
        assert archive(tmp_path / "out", *options) == 1
        assert f"{path} cannot be read and is left out" in capsys.readouterr().err
    report = verify(str(tmp_path / "out"))
    assert any(str(path) in sentence for sentence in (*report.problems, *report.warnings))
    path.write_bytes(gzip.compress(named("m")))
    assert archive(tmp_path / "out", "--resume") == 0
    assert contents(tmp_path / "out", "00") == contents(tmp_path / "calm", "00")


def test_what_changed_without_its_size_is_found_and_made_again_as_it_is_told(
    archive, tmp_path, capsys
):
    out = tmp_path / "out"
    assert archive(out) == 0
    before = contents(out)
    path = out / "records" / "00000-001.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert archive(out, "--resume") == 0  # which looks at sizes alone
    capsys.readouterr()
    assert main(["archive", "--verify", str(out)]) == 1
    [_, told, last] = capsys.readouterr().out.splitlines()
    assert (told.startswith(f"wrong: {path} has changed"), last) == (True, "1 thing is wrong")
    [receipt] = re.findall(r"remove (\S+) and resume", told)
    Path(receipt).unlink()
    assert archive(out, "--resume") == 0
    assert verify(str(out)).problems == ()
    assert contents(out) == before


def test_an_input_that_was_read_in_part_and_mended_is_another_input(archive, tmp_path, capsys):
    path = tmp_path / "in" / "m.jsonl.gz"
    path.write_bytes(cut_gzip())
    assert archive(tmp_path / "out") == 1
    before = contents(tmp_path / "out")
    path.write_bytes(gzip.compress(named("m")))
    assert archive(tmp_path / "out", "--resume") == 2
    assert f"input changed: {path}" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before
    assert archive(tmp_path / "new") == 0


# ---- the end of a run -------------------------------------------------------------------------


def endless(shard: Shard, say: object = None) -> None:
    """A runner that says by a file that it is at work, and is so for a minute."""
    Path(shard.name).touch()
    time.sleep(60)


def make_endless():
    return endless


def test_a_run_that_is_to_end_at_once_does_not_wait_for_its_workers(tmp_path):
    at_work = tmp_path / "at-work"

    def source() -> Iterator[Shard]:
        yield Shard(str(at_work), (), False)
        while not at_work.exists():
            time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_shards(source(), [make_endless]))
    assert not multiprocessing.active_children()
