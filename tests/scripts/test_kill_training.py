"""The script that kills training runs sees every difference."""

from __future__ import annotations

from scripts.kill_training import contents, differences


def test_the_model_and_the_last_checkpoint_are_compared(tmp_path):
    for part in ("model", "step-0000002", "step-0000001"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").write_bytes(b"weights")
    assert set(contents(tmp_path, 2)) == {
        "model/model.safetensors", "step-0000002/model.safetensors",
    }  # fmt: skip


def test_files_that_differ_or_lack_are_named():
    expected = {"a": b"1", "b": b"2", "c": b"3"}
    assert differences(dict(expected), expected) == []
    found = {"a": b"1", "b": b"x", "d": b"4"}
    assert differences(found, expected) == [
        "b has other bytes", "c is not in both", "d is not in both",
    ]  # fmt: skip
