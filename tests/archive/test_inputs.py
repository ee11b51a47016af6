"""Which files are read."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import pytest

from claimx.archive.inputs import FORMATS, InputFile, find_inputs, format_of
from claimx.archive.readers import READERS, ReadOptions, read_rows
from claimx.errors import InputError
from tests.archive.reading import needs

ARTICLE = b'{"id": "a", "text": "A"}\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "in/b.jsonl",
        "in/deep/a.csv",
        "in/notes.pdf",
        "in/.hidden.jsonl",
        "in/.git/x.jsonl",
        "in/c.jsonl.gz",
        "odd",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ARTICLE)
    return tmp_path


def paths(*patterns: str, **options: str) -> list[str]:
    return [file.path for file in find_inputs(patterns, **options)]


def test_every_format_has_a_reader():
    assert set(FORMATS.values()) == set(READERS)


def test_a_folder_is_searched_in_all_depths_and_the_rest_is_counted(folder, caplog):
    with caplog.at_level(logging.WARNING, "claimx"):
        assert paths("in") == ["in/b.jsonl", "in/c.jsonl.gz", "in/deep/a.csv"]
    assert "1 file of unknown format passed over: 1 .pdf" in caplog.text


def test_what_runs_wrote_into_the_output_folder_is_no_input(folder):
    for name in (
        "in/out/records/00000-000.parquet",
        "in/out/records/.00000-001.jsonl.zst.tmp-0123",
        "in/out/quotes/00000-000.parquet",
        "in/out/receipts/00000-000.json",
        "in/out/run.json",
        "in/out/quarantined.jsonl",
        "in/out/more.jsonl",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(ARTICLE)
    inputs = ["in/b.jsonl", "in/c.jsonl.gz", "in/deep/a.csv", "in/out/more.jsonl"]
    for output in ("in/out", f"file://{folder}/in/../in/out"):
        assert paths("in", output=output) == inputs
        assert paths("in/b.jsonl", "in/out", output=output) == ["in/b.jsonl", "in/out/more.jsonl"]
    assert "in/out/quarantined.jsonl" in paths("in")
    (folder / "in/out/more.jsonl").unlink()
    assert paths("in/b.jsonl", "in/out", output="in/out") == ["in/b.jsonl"]
    with pytest.raises(InputError, match="in/out: only what runs wrote into in/out is there"):
        paths("in/out", output="in/out")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("in/*.jsonl", ["in/b.jsonl"]),
        ("in/**/*.csv", ["in/deep/a.csv"]),
        ("i*", ["in/b.jsonl", "in/c.jsonl.gz", "in/deep/a.csv"]),
    ],
)
def test_globs(folder, pattern, found):
    assert paths(pattern) == found


def test_no_file_twice(folder):
    Path("in/again.jsonl").symlink_to("b.jsonl")
    assert (
        paths("in/b.jsonl", "in", f"{folder}/in/b.jsonl", "in/../in/b.jsonl").count("in/b.jsonl")
        == 0
    )
    assert len(paths("in/b.jsonl", "in", f"{folder}/in/b.jsonl")) == 3


def test_a_file_whose_name_is_like_a_glob_is_itself(folder):
    (folder / "in/[b].jsonl").write_bytes(ARTICLE)
    assert paths("in/[b].jsonl") == ["in/[b].jsonl"]


def test_size_and_version_are_known(folder):
    (file,) = find_inputs(["in/b.jsonl"])
    facts = Path("in/b.jsonl").stat()
    assert file == InputFile("in/b.jsonl", facts.st_size, str(facts.st_mtime_ns), "jsonl")


def test_everything_that_matches_nothing_is_named_at_once(folder):
    with pytest.raises(InputError) as raised:
        find_inputs(["nowhere.jsonl", "in/b.jsonl", "*.csv", "odd"])
    message = str(raised.value)
    assert "nowhere.jsonl matches no file" in message
    assert "*.csv matches no file" in message
    assert "odd has none of the suffixes" in message and "--input-format" in message


def test_a_format_by_option(folder):
    (file,) = find_inputs(["odd"], format="text")
    assert file.format == "text"
    assert paths("in", format="jsonl") == ["in/b.jsonl", "in/c.jsonl.gz", "in/notes.pdf"]
    with pytest.raises(InputError, match="no format 'docx'; there are jsonl"):
        find_inputs(["odd"], format="docx")


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.jsonl.zst", "jsonl"),
        ("CC-1.warc.wet.gz", "warc"),
        ("a.PARQUET", "parquet"),
        ("a.parquet.gz", None),
        ("a.gz", None),
        ("a.tar.gz", None),
    ],
)
def test_formats_by_name(name, format):
    assert format_of(name) == format


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_no_pipe_device_or_endless_link_in_a_folder_is_read(folder):
    os.mkfifo(folder / "in" / "pipe.txt")
    (folder / "in" / "zero.txt").symlink_to("/dev/zero")
    every = ["in/b.jsonl", "in/c.jsonl.gz", "in/deep/a.csv"]
    assert paths("in") == paths("in/**") == every
    (folder / "in" / "round").symlink_to(folder / "in")
    assert paths("in") == every
    assert paths("in/pipe.txt") == ["in/pipe.txt"]  # someone has asked for it


@needs("fsspec")
def test_memory_urls(folder):
    import fsspec

    system = fsspec.filesystem("memory")
    for name in ("/claimx-in/a.jsonl", "/claimx-in/deep/b.jsonl", "/claimx-in/x.pdf"):
        system.pipe_file(name, ARTICLE)
    try:
        every = ["memory:///claimx-in/a.jsonl", "memory:///claimx-in/deep/b.jsonl"]
        assert paths("memory://claimx-in") == every
        assert paths("memory://claimx-in/*.jsonl") == every[:1]
        (file,) = find_inputs(["memory://claimx-in/a.jsonl"])
        system.pipe("/claimx-in/out/quarantined.jsonl", ARTICLE)
        assert paths("memory://claimx-in", output="memory://claimx-in/out") == every
        assert file.size == len(ARTICLE)
        assert [row.item.id for row in read_rows(file, ReadOptions())] == ["a"]
        with pytest.raises(InputError, match="matches no file"):
            find_inputs(["memory://claimx-nowhere/a.jsonl"])
    finally:
        system.rm("/claimx-in", recursive=True)


@pytest.fixture(scope="module")
def bucket():
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server")
    import s3fs

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")
    address = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(names, ("test", "test", "us-east-1", address), strict=True):
            patch.setenv(name, value)
        running = server.ThreadedMotoServer("127.0.0.1", port, verbose=False)
        running.start()
        try:
            system = s3fs.S3FileSystem()
            system.mkdir("claimx-news")
            system.pipe_file("claimx-news/2024/a.jsonl", ARTICLE * 3)
            system.pipe_file("claimx-news/2024/b.txt", b"B")
            yield "s3://claimx-news"
        finally:
            running.stop()


def test_s3(bucket):
    files = find_inputs([f"{bucket}/2024/*.jsonl", f"{bucket}/2024"])
    assert [file.path for file in files] == [f"{bucket}/2024/a.jsonl", f"{bucket}/2024/b.txt"]
    assert files[0].size == 3 * len(ARTICLE) and files[0].version
    assert [row.item.text for file in files for row in read_rows(file, ReadOptions())] == [
        "A"
    ] * 3 + ["B"]
    with pytest.raises(InputError, match="matches no file"):
        find_inputs([f"{bucket}/2025/a.jsonl"])
