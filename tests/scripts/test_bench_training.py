"""Both sides of the measurement of training count the same, and every switch switches."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from claimx.encoding import encode
from scripts import bench_training
from scripts.bench_training import SIDES, Job, prepare, train_ours, train_plainly
from tests.tiny import wordpiece
from tests.training.small import MINE, PIER, encoder, write_corpus, write_yaml
from training import trainer

LONG = replace(PIER, id="long", text=PIER.text * 9)
SHORT = [replace(one, id=f"{one.id}{n}") for n in range(5) for one in (PIER, MINE)]


@pytest.fixture(autouse=True)
def cut(monkeypatch) -> None:
    """Cut where the tiny encoder has positions."""
    monkeypatch.setattr(bench_training, "_LONGEST", 112)


def length(article: Any) -> int:
    return len(encode(article.text, wordpiece()).ids)


def job(folder: Path, *articles: Any, **changes: Any) -> Job:
    corpus = write_corpus(folder / "news.jsonl", articles)
    options = argparse.Namespace(
        news=corpus, config=write_yaml(folder, window=60, **changes), threads=0, untimed=0,
        count=len(articles),
    )  # fmt: skip
    return prepare(options, str(encoder()), folder)


def test_both_sides_count_the_same_tokens_of_articles_that_fit(tmp_path):
    given = job(tmp_path, *SHORT)
    wanted = sum(map(length, SHORT))
    plain, ours = train_plainly(given), train_ours(given)
    assert (plain.tokens, plain.unique) == (ours.tokens, ours.unique) == (wanted, wanted)
    assert plain.steps == 2  # 8 articles and 2
    assert ours.steps == len(given.plan.steps)


def test_a_long_article_is_cut_on_one_side_and_read_in_windows_on_the_other(tmp_path):
    given = job(tmp_path, LONG)
    plain, ours = train_plainly(given), train_ours(given)
    assert 100 < plain.tokens == plain.unique <= 110  # cut between words
    assert ours.unique == length(LONG)
    assert ours.tokens == sum(given.plan.datasets[0]["tokens"][:]) > length(LONG) + 50


def test_the_first_steps_are_in_no_figure(tmp_path):
    given = job(tmp_path, *SHORT)
    whole, rest = train_ours(given), train_ours(replace(given, untimed=2))
    first = [given.plan.datasets[v][row] for step in given.plan.steps[:2] for v, row in step]
    assert rest.steps == whole.steps - 2
    assert rest.tokens == rest.unique == whole.tokens - sum(int(row["tokens"]) for row in first)


def seen(monkeypatch: pytest.MonkeyPatch, given: Job, side: Any) -> dict[str, Any]:
    """Run a side and note how it learnt its first step."""
    found: dict[str, Any] = {}
    learn = trainer._learn

    def noted(*arguments: Any) -> Any:
        _, _, objective, optimizer, batch, config = arguments
        found.setdefault("fused", all(group["fused"] for group in optimizer.param_groups))
        found.setdefault("passes", len(batch.buckets))
        found.setdefault("precision", config.precision)
        dropout = {m.p for m in objective.modules() if isinstance(m, torch.nn.Dropout)}
        found.setdefault("dropout", dropout)
        found.setdefault("window", max(len(row["ids"]) for row in given.plan.datasets[0]))
        return learn(*arguments)

    with monkeypatch.context() as inner:
        inner.setattr(trainer, "_learn", noted)
        found["tokens"] = side(given).tokens
    return found


def test_each_switch_changes_what_it_names_and_nothing_else(tmp_path, monkeypatch):
    given = job(tmp_path, LONG, *SHORT, step_tokens=2000, example_tokens=2000, precision="bfloat16")
    usual = seen(monkeypatch, given, train_ours)
    assert usual["passes"] > 1
    assert usual["dropout"] == {0.0}
    changed = {}
    for name in SIDES.keys() - {"plain", "ours"}:
        found = seen(monkeypatch, given, SIDES[name])
        changed[name] = {key: found[key] for key in found if found[key] != usual[key]}
    assert changed.pop("windows of 510").keys() == {"tokens"}
    assert changed == {
        "fp32": {"precision": "float32"},
        "with dropout": {"dropout": {0.1}},
        "a step in one pass": {"passes": 1},
        "AdamW not fused": {"fused": False},
    }


@pytest.mark.parametrize(("ours", "enough"), [(249, False), (251, True)])
def test_the_bar_is_two_and_a_half_times_the_plain_side(capsys, ours, enough):
    timings = {
        "plain": [bench_training.Timing(1.0, 1, n, n, n) for n in (1, 100, 900)],
        "ours": [bench_training.Timing(1.0, 1, ours, 300, 90)],
    }
    assert bench_training.show(timings) is enough
    assert f"{ours / 100:.2f} times" in capsys.readouterr().out
