"""Several processes learn what one learns, step by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from claimx.checkpoint import save_checkpoint
from claimx.errors import ConfigError
from tests.tiny import random_model, wordpiece
from tests.training.small import MINE, PIER, QUIET, only, write_corpus, write_yaml
from training.config import Corpus, load_config
from training.data import load_articles
from training.train import build_plan, start_tokenizer
from training.trainer import Plan, _check_agreement

ROOT = Path(__file__).parents[2]
# What was measured, on losses of 1.6 to 11 and weights that moved by up to 0.05: 5e-7 and 3e-6.
# Sums are taken in another order.
LOSS_TOLERANCE, WEIGHT_TOLERANCE = 1e-4, 1e-4


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """The same run in one process, in two, and in two that stopped and went on."""
    folder = tmp_path_factory.mktemp("runs")
    teacher = random_model()
    with torch.no_grad():
        for head in teacher.tag_heads.values():
            head.bias[0] += 5.0  # few spans, and so few pairs to link
    save_checkpoint(folder / "teacher", teacher, wordpiece(), {"fingerprints": []})
    # What is annotated differs from article to article, and so from process to process.
    articles = [PIER, only(MINE, "identity"), QUIET]
    corpus = Corpus(str(write_corpus(folder / "mixed.jsonl", articles)), passes=6.0)
    config = write_yaml(
        folder,
        corpora=(corpus,),
        step_tokens=60,
        teacher=str(folder / "teacher"),
        clip=5.0,  # some steps are clipped and some not: Adam sees nothing else of a gradient's size
    )
    grouped = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", *launcher, "tests.training.runs", str(config)),
                *(str(folder / name) for name in names),
            ],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            stderr=subprocess.PIPE, text=True,
        )
        for launcher, names in [((), ["one"]), (grouped, ["two", "cut:3", "cut::resume"])]
    ]  # fmt: skip
    for process in started:
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors[-2000:]
    return folder


def losses(folder: Path) -> list[dict[str, float]]:
    return json.loads((folder / "losses.json").read_text())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(max(folder.glob("step-*")) / "model.safetensors")


def furthest(one: Path, other: Path) -> float:
    """The largest difference between two runs' weights."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def test_the_steps_have_fewer_and_more_examples_than_there_are_processes(runs):
    # Otherwise the tests below would show less than they seem to.
    config = load_config(runs / "config.yaml")
    items = load_articles(config.corpora)
    schema = random_model().config.label_schema
    plan, _ = build_plan(items, start_tokenizer(config), schema, config)
    sizes = [len(step) for step in plan.steps]
    assert min(sizes) == 1
    assert max(sizes) >= 3
    assert 6 <= len(sizes) <= 14


def test_two_processes_have_the_losses_of_one_in_every_step(runs):
    one, two = losses(runs / "one"), losses(runs / "two")
    assert len(one) == len(two)
    assert any(step["links"] and step["teacher"] for step in one)
    for number, (alone, together) in enumerate(zip(one, two, strict=True)):
        assert together == pytest.approx(alone, abs=LOSS_TOLERANCE), f"step {number}"


def test_two_processes_end_with_the_weights_of_one(runs):
    assert furthest(runs / "one", runs / "two") < WEIGHT_TOLERANCE


def test_two_processes_that_stopped_go_on_as_if_they_had_not(runs):
    assert len(losses(runs / "cut")) == len(losses(runs / "two")) - 3
    assert losses(runs / "cut") == losses(runs / "two")[3:]
    assert furthest(runs / "cut", runs / "two") == 0.0


class Group:
    """Two processes of which the other has gone another way."""

    device = torch.device("cpu")

    def __init__(self, change: list[int]) -> None:
        self.change = torch.tensor([change])

    def gather(self, mine: torch.Tensor) -> torch.Tensor:
        return torch.cat([mine, mine + self.change])


@pytest.mark.parametrize(
    ("change", "message"), [([1, 0], "folder that all machines share"), ([0, 1], "same config")]
)
def test_processes_that_would_go_different_ways_are_stopped(change, message):
    with pytest.raises(ConfigError, match=message):
        _check_agreement(Group(change), 3, Plan([], [[(0, 1)]], None))
