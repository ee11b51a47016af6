"""Checkpoints of a run: complete or passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from claimx.errors import CheckpointError
from training.run_state import load_state, newest_state, put_aside, save_state


def run(steps: int = 3, width: int = 4) -> tuple[nn.Module, torch.optim.AdamW]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(width, 3), nn.Linear(3, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    for _ in range(steps):
        model(torch.ones(2, width)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return model, optimizer


@pytest.fixture
def folder(tmp_path) -> Path:
    """A run with checkpoints at steps 1 and 2."""
    for step in (1, 2):
        save_state(tmp_path, *run(step), {"step": step})
    return tmp_path


def test_a_run_goes_on_from_a_checkpoint_as_if_nothing_had_happened(tmp_path):
    straight, _ = run(5)
    saved = save_state(tmp_path, *run(3), {"step": 3, "note": "x"})
    model, optimizer = run(0)
    assert load_state(saved, model, optimizer) == {"step": 3, "note": "x"}
    for _ in range(2):
        model(torch.ones(2, 4)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    for one, other in zip(straight.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_newest_checkpoint_is_taken(folder):
    assert newest_state(folder).name == "step-0000002"


def test_no_checkpoint_is_none(tmp_path):
    assert newest_state(tmp_path) is None
    assert newest_state(tmp_path / "absent") is None


def remove_marker(checkpoint: Path) -> None:
    (checkpoint / "COMPLETE.json").unlink()


def cut_weights(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-9])


def flip_a_bit(checkpoint: Path) -> None:
    path = checkpoint / "optimizer.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes(content)


def remove_state(checkpoint: Path) -> None:
    (checkpoint / "state.json").unlink()


def half_a_marker(checkpoint: Path) -> None:
    (checkpoint / "COMPLETE.json").write_text('{"model.safetens')


def empty_marker(checkpoint: Path) -> None:
    (checkpoint / "COMPLETE.json").write_text("{}")


def odd_marker(checkpoint: Path) -> None:
    (checkpoint / "COMPLETE.json").write_text("[]")


@pytest.mark.parametrize(
    "damage",
    [remove_marker, cut_weights, flip_a_bit, remove_state, half_a_marker, empty_marker, odd_marker],
)
def test_a_checkpoint_that_is_not_whole_is_passed_over(folder, damage):
    damage(folder / "step-0000002")
    assert newest_state(folder).name == "step-0000001"


def test_what_a_killed_run_left_half_written_is_passed_over_and_replaced(folder):
    partial = folder / ".step-0000003.partial"
    partial.mkdir()
    (partial / "model.safetensors").write_bytes(b"half")
    assert newest_state(folder).name == "step-0000002"
    save_state(folder, *run(3), {"step": 3})
    assert newest_state(folder).name == "step-0000003"
    assert not partial.exists()


def test_only_the_last_checkpoints_are_kept(folder):
    save_state(folder, *run(3), {"step": 3})
    assert sorted(path.name for path in folder.iterdir()) == ["step-0000002", "step-0000003"]


def test_a_step_that_is_written_again_is_replaced(folder):
    save_state(folder, *run(2), {"step": 2, "again": True})
    model, optimizer = run(0)
    assert load_state(newest_state(folder), model, optimizer)["again"]


def test_nothing_on_disk_is_a_pickle(folder):
    names = {path.name for path in (folder / "step-0000002").iterdir()}
    assert names == {"model.safetensors", "optimizer.safetensors", "state.json", "COMPLETE.json"}
    assert json.loads((folder / "step-0000002" / "state.json").read_text()) == {"step": 2}


def test_a_checkpoint_of_another_model_is_refused(folder):
    with pytest.raises(CheckpointError, match="does not fit this model"):
        load_state(newest_state(folder), *run(0, width=5))


def test_a_new_run_puts_the_finished_model_of_another_aside_with_its_config(folder):
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("first")
    (folder / "config.yaml").write_text("first")
    assert str(folder / "earlier" / "model") in put_aside(folder)
    assert [path.name for path in folder.iterdir()] == ["earlier"]
    assert (folder / "earlier" / "model" / "config.json").read_text() == "first"
    assert (folder / "earlier" / "config.yaml").read_text() == "first"


def test_a_new_run_keeps_the_checkpoints_of_one_that_was_not_finished(folder):
    (folder / "earlier" / "model").mkdir(parents=True)
    assert "--resume" in put_aside(folder)
    assert newest_state(folder) is None
    assert newest_state(folder / "earlier").name == "step-0000002"
    # A finished model that was put aside before stays.
    assert (folder / "earlier" / "model").is_dir()


def test_a_run_into_a_new_folder_puts_nothing_aside(tmp_path):
    assert put_aside(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
