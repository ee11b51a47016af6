"""A run may be gone on with only as it was started."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from claimx.archive.inputs import InputFile, find_inputs
from claimx.archive.receipts import InputRange, LeftOut, Receipt, write_receipt
from claimx.archive.run import RunConfig, check, group_count, named_as_before, start
from claimx.errors import ConfigError

CONFIG = RunConfig(
    claimx="1", model="m 1 (ab)", extractor={"dtype": "float32"}, reading={}, rows_in_shard=10,
    format="parquet", with_text=False, tables=(),
)  # fmt: skip
FILES = [InputFile("a.jsonl", 5, "1", "jsonl"), InputFile("b.jsonl", 6, "2", "jsonl")]


@pytest.fixture
def folder(tmp_path) -> str:
    assert not check(str(tmp_path), CONFIG, FILES, resume=False)
    start(str(tmp_path), CONFIG, FILES)
    return str(tmp_path)


def test_the_same_run_goes_on(folder):
    assert check(folder, CONFIG, FILES, resume=True)


def test_a_run_is_not_started_over(folder):
    with pytest.raises(ConfigError, match="holds a run already"):
        check(folder, CONFIG, FILES, resume=False)


@pytest.mark.parametrize("left", ["records/00000-000.parquet", "receipts/00000-000.json"])
@pytest.mark.parametrize("resume", [False, True])
def test_shards_without_the_state_of_their_run_are_not_gone_on_with(folder, left, resume):
    place = Path(folder, left)
    place.parent.mkdir()
    place.write_bytes(b"")
    assert check(folder, CONFIG, FILES, resume=True)
    Path(folder, "run.json").unlink()
    with pytest.raises(ConfigError, match=r"holds shards of a run, but run\.json is gone"):
        check(folder, CONFIG, FILES, resume=resume)


def test_of_several_machines_the_first_starts_the_run(tmp_path):
    assert not check(str(tmp_path), CONFIG, FILES, resume=True)
    start(str(tmp_path), CONFIG, FILES)
    assert check(str(tmp_path), CONFIG, FILES, resume=True)


@pytest.mark.parametrize(
    ("config", "files", "difference"),
    [
        (replace(CONFIG, model="m 2 (cd)"), FILES, r"model was 'm 1 \(ab\)' and is 'm 2 \(cd\)'"),
        (replace(CONFIG, extractor={"dtype": "bfloat16"}), FILES, "extractor.dtype was 'float32'"),
        (CONFIG, FILES[:1], "input no longer there: b.jsonl"),
        (CONFIG, [*FILES, InputFile("c.jsonl", 1, "", "jsonl")], "input new: c.jsonl"),
        (CONFIG, [replace(FILES[0], version="9"), FILES[1]], "input changed: a.jsonl"),
        (CONFIG, FILES[::-1], "another order"),
    ],
)
def test_what_differs_is_named(folder, config, files, difference):
    with pytest.raises(ConfigError, match=difference):
        check(folder, config, files, resume=True)


@pytest.fixture
def news(tmp_path, monkeypatch):
    """Two small files in `news` below the working directory, and a run over them in `out`."""
    monkeypatch.chdir(tmp_path)
    Path("news").mkdir()
    for name in ("a.txt", "b.txt"):
        Path("news", name).write_text(name)
    start("out", CONFIG, find_inputs(["news"]))


def gone_on_with(*inputs: str) -> bool:
    files = named_as_before("out", find_inputs(inputs))
    return check("out", CONFIG, files, resume=True)


@pytest.mark.usefixtures("news")
def test_a_file_that_was_touched_is_the_same_as_long_as_its_content_is():
    os.utime("news/a.txt", (1, 1))
    assert gone_on_with("news")
    Path("news/a.txt").write_text("A.txt")
    with pytest.raises(ConfigError, match=r"input changed: news/a\.txt"):
        gone_on_with("news")


def test_a_file_is_the_same_however_it_is_named(news, tmp_path):
    for inputs in (
        ["./news"],
        [str(tmp_path / "news")],
        ["news/b.txt", f"file://{tmp_path}/news/a.txt"],
    ):
        assert gone_on_with(*inputs)


@pytest.mark.usefixtures("news")
def test_an_input_that_was_not_named_is_not_called_gone():
    with pytest.raises(ConfigError, match=r"input not named this time: news/b\.txt"):
        gone_on_with("news/a.txt")
    Path("news/b.txt").unlink()
    with pytest.raises(ConfigError, match=r"input no longer there: news/b\.txt"):
        gone_on_with("news/a.txt")


def test_the_plan_is_counted(folder, tmp_path):
    assert group_count(folder) == 2
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match="damaged"):
        group_count(folder)


def receipt(inputs=(), left_out=()) -> Receipt:
    return Receipt("00000-000", True, inputs, (), 0, 0, 0, 0, "m", "c", "1", left_out=left_out)


def test_a_file_that_could_not_be_read_may_be_mended(folder):
    write_receipt(receipt(left_out=(LeftOut("a.jsonl", "no"),)), folder)
    mended = [InputFile("a.jsonl", 99, "7", "jsonl"), FILES[1]]
    assert not check(folder, CONFIG, mended, resume=True)
    start(folder, CONFIG, mended)
    assert check(folder, CONFIG, mended, resume=True)


def test_a_file_that_was_read_may_not_change_though_it_was_left_out_once(folder):
    rows = (InputRange("a.jsonl", 0, 0, 1),)
    write_receipt(receipt(rows, (LeftOut("a.jsonl", "no"),)), folder)
    with pytest.raises(ConfigError, match="input changed: a.jsonl"):
        check(folder, CONFIG, [replace(FILES[0], version="9"), FILES[1]], resume=True)
