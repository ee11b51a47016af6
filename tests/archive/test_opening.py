"""Packed files: whole, cut anywhere, damaged, and far too large."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import zlib

import pytest

from claimx.archive import opening
from claimx.archive.opening import open_unpacked, retrying
from claimx.archive.unpacking import ContainerError
from claimx.errors import ClaimxError, InputError
from tests.archive.reading import articles, failures, kinds, needs, rows

LINES = b"".join(b'{"id": "%d", "text": "Article %d."}\n' % (n, n * n) for n in range(12))


def zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def assert_truncated(error: InputError) -> None:
    assert error.kind == "truncated"


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
with_zstd = needs("zstandard")
suffixes = pytest.mark.parametrize(
    "suffix", [".gz", ".bz2", ".xz", pytest.param(".zst", marks=with_zstd)]
)


@suffixes
def test_packed_files_are_unpacked(tmp_path, suffix):
    path = tmp_path / f"news.jsonl{suffix}"
    path.write_bytes(PACK[suffix](LINES))
    assert [a.id for a in articles(rows(path))] == [str(n) for n in range(12)]


@suffixes
def test_members_one_behind_the_other_are_one_file(tmp_path, suffix):
    path = tmp_path / f"news.jsonl{suffix}"
    path.write_bytes(PACK[suffix](LINES) + PACK[suffix](LINES))
    assert len(articles(rows(path))) == 24


@suffixes
def test_a_file_cut_anywhere_gives_its_whole_lines_and_says_so(tmp_path, suffix):
    whole = PACK[suffix](LINES)
    path = tmp_path / f"news.jsonl{suffix}"
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        if cut < 10:
            try:  # without its mark it is no packed file at all
                found = rows(path)
            except InputError as error:
                assert_truncated(error)
                continue
        else:
            found = rows(path)
        assert kinds(found) == ["truncated"], cut
        assert [a.id for a in articles(found)] == [str(n) for n in range(len(found) - 1)]
        assert found[-1].number == len(found) - 1
    ((_, message),) = failures(found)
    assert str(path) in message and "fetch the file again" in message


def test_a_cut_gzip_file_loses_no_whole_line(tmp_path):
    whole = gzip.compress(LINES)
    path = tmp_path / "news.jsonl.gz"
    for cut in range(20, len(whole)):
        path.write_bytes(whole[:cut])
        there = zlib.decompressobj(31).decompress(whole[:cut])
        assert len(articles(rows(path))) == there.count(b"\n")


def test_a_wrong_gzip_checksum_is_said_after_the_rows(tmp_path):
    data = bytearray(gzip.compress(LINES))
    data[-6] ^= 1
    path = tmp_path / "news.jsonl.gz"
    path.write_bytes(data)
    found = rows(path)
    assert len(articles(found)) == 12
    ((kind, message),) = failures(found)
    assert kind == "damaged" and "after row 12" in message and "checksum" in message


@suffixes
def test_damage_in_a_later_member_is_said(tmp_path, suffix):
    second = bytearray(PACK[suffix](LINES))
    second[1] ^= 0xFF
    path = tmp_path / f"news.jsonl{suffix}"
    path.write_bytes(PACK[suffix](LINES) + bytes(second))
    found = rows(path)
    assert len(articles(found)) == 12 and kinds(found) == ["damaged"]


def test_a_flipped_byte_never_passes_unseen(tmp_path):
    whole = gzip.compress(LINES, mtime=0)
    path = tmp_path / "news.jsonl.gz"
    for place in range(10, len(whole)):
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(data)
        assert kinds(rows(path))[-1] in ("damaged", "truncated"), place


def test_a_name_that_lies_about_packing_is_refused(tmp_path):
    path = tmp_path / "news.jsonl.gz"
    path.write_bytes(LINES)
    with pytest.raises(InputError, match="its name says gzip"):
        rows(path)


def test_a_packed_file_without_its_suffix_is_unpacked(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_bytes(gzip.compress(LINES))
    assert len(articles(rows(path))) == 12


@suffixes
def test_a_bomb_is_stopped(tmp_path, suffix):
    path = tmp_path / f"news.jsonl{suffix}"
    path.write_bytes(PACK[suffix](b'{"text": "A"}\n' + b"\n" * 20_000_000))
    found = rows(path, max_unpacked=1_000_000, max_ratio=100)
    assert [row.number for row in found] == [0, 1]
    assert kinds(found) == ["bomb"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory in the manner of Linux")
@pytest.mark.parametrize("name", ["news.jsonl.gz", "news.txt.gz", "news.csv.gz"])
def test_a_bomb_takes_little_memory(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(
        gzip.compress(b"id,text\n1," * (name == "news.csv.gz") + b"x" * 300_000_000, 1)
    )
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (150 << 20,) * 2)\n"
        "from claimx.archive.inputs import find_inputs\n"
        "from claimx.archive.readers import ReadOptions, read_rows\n"
        "(file,) = find_inputs(sys.argv[1:])\n"
        "print([r.item.error.kind for r in read_rows(file, ReadOptions(max_bytes=10_000_000))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("['too_large']", "")


def test_a_break_is_never_taken_for_the_end(tmp_path):
    path = tmp_path / "news.jsonl.gz"
    path.write_bytes(gzip.compress(LINES)[:-20])
    with open_unpacked(str(path)) as stream:
        for _ in range(3):
            with pytest.raises(ContainerError):
                stream.read()


def test_a_missing_file_is_an_input_error(tmp_path):
    with (
        pytest.raises(InputError, match="there is no such file"),
        open_unpacked(f"{tmp_path}/x.jsonl"),
    ):
        pass


# ---- networks


def test_a_failing_call_is_tried_again(monkeypatch):
    monkeypatch.setattr(opening, "PAUSES", (0, 0, 0))
    answers = iter([OSError("reset"), TimeoutError("late"), 7])

    def call() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retrying(call, "x cannot be read") == 7


def test_a_call_that_keeps_failing_is_no_bad_input(monkeypatch):
    monkeypatch.setattr(opening, "PAUSES", (0, 0, 0))

    def call() -> int:
        raise OSError("reset")

    with pytest.raises(ClaimxError, match=r"x cannot be read: reset \(4 tries\)") as raised:
        retrying(call, "x cannot be read")
    assert not isinstance(raised.value, InputError)


def test_a_missing_object_is_not_asked_for_again():
    def call() -> int:
        raise FileNotFoundError("gone")

    with pytest.raises(FileNotFoundError):
        retrying(call, "x")


@needs("fsspec")
def test_a_connection_that_breaks_is_opened_again_at_the_same_place(monkeypatch):
    monkeypatch.setattr(opening, "PAUSES", (0, 0, 0))
    data = LINES * 5000
    reads = iter(range(10**6))

    class Flaky(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if next(reads) % 3 == 2:
                raise ConnectionError("reset by peer")
            return super().read(size)

    class System:
        def open(self, path: str, mode: str) -> Flaky:
            return Flaky(data)

    monkeypatch.setattr(opening, "file_system", lambda path: (System(), path))
    with open_unpacked("far://news.jsonl") as stream:
        assert stream.read() == data
