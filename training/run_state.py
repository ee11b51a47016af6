"""Run state on disk: complete or not there at all, and never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from claimx.errors import CheckpointError

EARLIER = "earlier"
_MARKER = "COMPLETE.json"
_FINISHED = ("model", "config.yaml", "test.json")
_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


def save_state(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
    keep: int = 2,
) -> Path:
    """Write a checkpoint of a run; a marker with hashes makes it count, last of all.

    Args:
        folder: folder of the run.
        model: parameters to save.
        optimizer: AdamW whose moments are saved.
        state: plain values, with the number of done steps as ``step``.
        keep: how many checkpoints to keep.
    """
    final = folder / f"step-{state['step']:07d}"
    temporary = folder / f".{final.name}.partial"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_file(
        {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()},
        str(temporary / "model.safetensors"),
    )
    save_file(_moments(optimizer), str(temporary / "optimizer.safetensors"))
    (temporary / "state.json").write_text(json.dumps(dict(state), indent=1), encoding="utf-8")
    hashes = {path.name: file_sha256(path) for path in sorted(temporary.iterdir())}
    (temporary / _MARKER).write_text(json.dumps(hashes, indent=1), encoding="utf-8")
    _flush(temporary)
    if final.exists():
        shutil.rmtree(final)
    temporary.replace(final)
    for old in sorted(folder.glob("step-*"))[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def put_aside(folder: Path) -> str:
    """Make room in a run's folder for a run that begins anew; nothing that took hours is lost.

    A finished model goes into ``earlier`` with its config and figures, and takes the place of the
    one that is there. Of a run that is not finished, the checkpoints go there.

    Args:
        folder: folder of the run.

    Returns:
        A sentence that says what is where now; "" where there was nothing.
    """
    checkpoints = sorted(folder.glob("step-*"))
    aside = folder / EARLIER
    if (folder / "model").is_dir():
        shutil.rmtree(aside, ignore_errors=True)
        _move([folder / name for name in _FINISHED], aside)
        for checkpoint in checkpoints:
            shutil.rmtree(checkpoint)
        return f"the model of an earlier run into {folder} stands in {aside / 'model'} now"
    if not checkpoints:
        return ""
    for old in aside.glob("step-*"):
        shutil.rmtree(old)
    _move(checkpoints, aside)
    return (
        f"a run into {folder} ended at {checkpoints[-1].name} and would have gone on with "
        f"--resume; this one begins anew, and the checkpoints of that one are in {aside} now"
    )


def _move(paths: Sequence[Path], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for path in paths:
        if path.exists():
            path.rename(folder / path.name)


def newest_state(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a run; damaged ones are passed over."""
    for candidate in sorted(folder.glob("step-*"), reverse=True):
        try:
            hashes = json.loads((candidate / _MARKER).read_text(encoding="utf-8"))
            if all(file_sha256(candidate / name) == hashes[name] for name in _FILES):
                return candidate
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None


def load_state(
    checkpoint: Path, model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Put a checkpoint back into model and optimizer; return its plain values.

    Raises:
        CheckpointError: if it does not fit the model.
    """
    try:
        model.load_state_dict(load_file(str(checkpoint / "model.safetensors")))
        moments = load_file(str(checkpoint / "optimizer.safetensors"))
    except (OSError, RuntimeError) as error:
        raise CheckpointError(f"{checkpoint} does not fit this model: {error}") from error
    for number, parameter in enumerate(_parameters(optimizer)):
        entries = {
            name: moments[f"{number}.{name}"]
            for name in ("exp_avg", "exp_avg_sq", "step")
            if f"{number}.{name}" in moments
        }
        if entries:
            optimizer.state[parameter] = {
                name: value.to(parameter.device) for name, value in entries.items()
            }
    state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    return state


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    return {
        f"{number}.{name}": value.detach().contiguous().cpu()
        for number, parameter in enumerate(_parameters(optimizer))
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _flush(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
