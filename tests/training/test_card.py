"""Model cards that are written from a run say what the run did, and no figure of another model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from claimx.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tests.tiny import random_checkpoint
from training.card import card, main, report_beside

TRAINING = {
    "articles": 1377, "steps": 2128, "python": "3.11.7", "versions": {"torch": "2.13.0"},
    "config": {
        "encoder": "mpnet", "init": "", "teacher": "claimx-en",
        "corpora": [{"path": "/data/own.jsonl", "passes": 4.5, "layers": ["attribution"]}],
        "dev": [{"path": "dev.jsonl"}],
    },
}  # fmt: skip
REPORT = {
    "data": ["/data/test.jsonl"], "articles": [{}] * 66,
    "figures": {"spans": {"attribution": {"QUOTE": {"exact": {
        "precision": 0.8366, "recall": 0.8205, "f1": 0.8285, "f1_interval": [0.7932, 0.8596],
    }}}}},
}  # fmt: skip


@pytest.fixture
def made() -> Checkpoint:
    checkpoint = random_checkpoint(name="mine", version="2")
    return Checkpoint(checkpoint.model, checkpoint.tokenizer, "3f2a91c4" + "0" * 56, TRAINING)


@pytest.fixture
def folder(made, tmp_path) -> Path:
    save_checkpoint(tmp_path / "model", made.model, made.tokenizer, TRAINING)
    return tmp_path / "model"


def test_the_card_says_what_the_run_did(made):
    text = card(made, licence="Apache-2.0", report=REPORT)
    head = yaml.safe_load(text.split("---\n")[1])
    assert (head["license"], head["library_name"]) == ("apache-2.0", "claimx")
    for said in (
        "# mine",
        "version 2",
        "| identity | PERSON, ROLE, AFFILIATION |",
        "1,377 articles, 2,128 steps, starting from `mpnet`, taught by `claimx-en`",
        "| own.jsonl | 4.5 | attribution |",
        "fitted on dev.jsonl",
        "66 articles (test.jsonl)",
        "| attribution | QUOTE | 83.7 | 82.0 | 82.8 (79.3-86.0) |",
    ):
        assert said in text
    assert "/data/" not in text


def test_what_nobody_said_or_measured_is_not_made_up(made):
    untold = Checkpoint(made.model, made.tokenizer, made.weights_hash, {})
    text = card(untold)
    assert "license" not in text
    assert "does not say" in text
    assert "None were measured" in text


@pytest.mark.parametrize(
    ("name", "used"), [(None, True), ("mine 2 (HASH)", True), ("mine 1 (00000000)", False)]
)
def test_only_figures_of_these_weights_are_used(folder, name, used):
    checkpoint = load_checkpoint(folder)
    named = {} if name is None else {"name": name.replace("HASH", checkpoint.weights_hash[:8])}
    (folder.parent / "test.json").write_text(json.dumps({**REPORT, **named}))
    assert (report_beside(folder, checkpoint) is not None) == used


def test_the_command_writes_the_card_once(folder, capsys):
    assert main([str(folder)]) == 0
    assert "# mine" in (folder / "README.md").read_text()
    assert main([str(folder)]) == 2
    assert "is there already" in capsys.readouterr().err
