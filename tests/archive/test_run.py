"""A run may be gone on with only as it was started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claimx.archive.inputs import InputFile
from claimx.archive.run import RunConfig, begin
from claimx.errors import ConfigError

CONFIG = RunConfig(
    claimx="1", model="m 1 (ab)", extractor={"dtype": "float32"}, reading={}, rows_in_shard=10,
    output="parquet", with_text=False, tables=(),
)  # fmt: skip
FILES = [InputFile("a.jsonl", 5, "1", "jsonl"), InputFile("b.jsonl", 6, "2", "jsonl")]


@pytest.fixture
def folder(tmp_path) -> str:
    begin(str(tmp_path), CONFIG, FILES, resume=False)
    return str(tmp_path)


def test_the_same_run_goes_on(folder):
    begin(folder, CONFIG, FILES, resume=True)


def test_a_run_is_not_started_over(folder):
    with pytest.raises(ConfigError, match="holds a run already"):
        begin(folder, CONFIG, FILES, resume=False)


def test_of_several_machines_the_first_starts_the_run(tmp_path):
    begin(str(tmp_path), CONFIG, FILES, resume=True)
    begin(str(tmp_path), CONFIG, FILES, resume=True)


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
        begin(folder, config, files, resume=True)


def test_standard_input_is_not_resumed(tmp_path):
    files = [InputFile("-", None, "", "jsonl")]
    begin(str(tmp_path), CONFIG, files, resume=False)
    with pytest.raises(ConfigError, match="standard input cannot be read twice"):
        begin(str(tmp_path), CONFIG, files, resume=True)
