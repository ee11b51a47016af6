"""Kill a training run at random moments, resume it, and compare the model that it makes.

Each round starts a run of 60 steps that saves after every one, ends it by SIGKILL at a moment drawn
over the whole time that an undisturbed run takes, starts and ends included, and goes on with
--resume, to be killed again, until a run comes to its end. Then every file of the finished model,
and the last checkpoint with the optimiser's moments, must equal those of the undisturbed run byte
by byte. The encoder is tiny and has random weights; the articles are a few of our own.

    python scripts/kill_training.py [--rounds 20] [--steps 60] [--seed 17]

Exit code 1 at any difference. Linux only.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.killing import Call, play, told
from scripts.processes import end_in_order
from tests.tiny import write_encoder

_ROOT = Path(__file__).resolve().parent.parent
_ARTICLES = _ROOT / "data" / "annotations" / "train.jsonl"
_MOST_KILLS = 6  # in one round; then it is left alone


def write_config(scratch: Path, steps: int) -> Path:
    """Write a config whose run takes so many steps: an article is one example, and one step."""
    encoder = write_encoder(scratch / "encoder", "wordpiece")
    corpus = scratch / "corpus.jsonl"
    lines = _ARTICLES.read_text(encoding="utf-8").splitlines(keepends=True)
    corpus.write_text("".join(lines[:steps]), encoding="utf-8")
    config = scratch / "config.yaml"
    settings = {
        "encoder": str(encoder), "output": "none", "window": 60, "overlap": 16, "threads": 1,
        "example_tokens": 1_000_000, "step_tokens": 1, "learning_rate": 3e-3, "save_minutes": 0.0,
        "swap_marks": False, "precision": "float32", "corpora": [str(corpus)],
    }  # fmt: skip
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return config


def contents(folder: Path, steps: int) -> dict[str, bytes]:
    """Return every file of the finished model and of the last checkpoint."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in ("model", f"step-{steps:07d}")
        for path in sorted((folder / part).glob("*"))
    }


def differences(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Say how a run's files differ from those of the undisturbed run."""
    return [
        f"{name} {'has other bytes' if name in found and name in expected else 'is not in both'}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60, help="at most 115")
    parser.add_argument("--seed", type=int, default=17, help="of the moments")
    options = parser.parse_args(arguments)
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="claimx-kill-") as scratch:
        return rounds(options, Path(scratch))


def rounds(options: argparse.Namespace, scratch: Path) -> int:
    """Do all rounds; return the exit code."""
    config = write_config(scratch, options.steps)

    def into(folder: Path) -> Call:
        command = (sys.executable, "-m", "training.train", str(config), "--set", f"output={folder}")
        return Call(command, scratch / "log")

    calm = scratch / "calm" / "run"  # a model's record names the last part of its folder
    begun = time.monotonic()
    _, code = play(into(calm), iter(()))
    seconds = time.monotonic() - begun
    expected = contents(calm, options.steps)
    if code or not any(name.startswith("step-") for name in expected):
        print(f"the undisturbed run failed, exit code {code}:\n{into(calm).last_words()}")
        return 1
    print(f"undisturbed: {seconds:.1f} s, {options.steps} steps, {len(expected)} files")
    draw = random.Random(options.seed)  # noqa: S311 (no secret)
    bad = kills = 0
    for number in range(1, options.rounds + 1):
        folder = scratch / f"round-{number}" / "run"
        moments = [draw.uniform(0, seconds) for _ in range(_MOST_KILLS)]
        call = into(folder)
        killed, ended = play(call, iter(moments))
        problems = differences(contents(folder, options.steps), expected)
        if ended:
            problems.append(f"exit code {ended}: {call.last_words()}")
        kills += len(killed)
        bad += bool(problems)
        print(f"round {number}: {told(killed, problems)}", flush=True)
        shutil.rmtree(folder.parent)
    print(f"{options.rounds} rounds, {kills} kills, {bad} rounds with differences")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
