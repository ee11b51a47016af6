"""Training runs one after another, with each step's losses written down, in one process or several.

``python -m tests.training.runs CONFIG OUTPUT[:STOP_AFTER[:resume]] ...``
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from training.config import load_config
from training.train import run
from training.trainer import Progress, is_first_process


def run_and_note(config: Path, output: str, stop_after: int | None, resume: bool) -> None:
    """Train into a folder, with the losses of the steps in ``losses.json`` there."""
    losses: list[dict[str, float]] = []
    add = Progress.add

    def noted(self: Progress, found: dict[str, torch.Tensor], tokens: int) -> None:
        losses.append({name: float(loss) for name, loss in found.items()} | {"tokens": tokens})
        add(self, found, tokens)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "add", noted)
        # The next run needs the group of processes again.
        patch.setattr(Accelerator, "end_training", lambda _: None)
        run(replace(load_config(config), output=output), resume=resume, stop_after=stop_after)
    if is_first_process():
        (Path(output) / "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        folder, stop, mode = [*wanted.split(":"), "", ""][:3]
        run_and_note(Path(sys.argv[1]), folder, int(stop) if stop else None, mode == "resume")
    Accelerator().end_training()
