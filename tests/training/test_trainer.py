"""The training loop: rates, resuming, progress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from claimx.errors import ClaimxError
from claimx.labels import DEFAULT_SCHEMA
from tests.tiny import random_model
from tests.training.small import encoder, small_config
from training import trainer
from training.config import TrainConfig
from training.data import load_articles
from training.train import build_model, build_plan, encoder_tokenizer
from training.trainer import Progress, build_optimizer, set_rates, train


def trained(config: TrainConfig, **options: object) -> dict[str, torch.Tensor]:
    """Weights after a run, or after its part."""
    items = load_articles(config.corpora)
    plan, _ = build_plan(items, encoder_tokenizer(config.encoder), DEFAULT_SCHEMA, config)
    assert len(plan.steps) >= 5
    model = build_model(config)
    train(model, plan, config, **options)
    return model.state_dict()


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.fixture
def config(tmp_path) -> TrainConfig:
    return small_config(tmp_path, passes=12.0)


def test_a_resumed_run_ends_with_the_very_weights_of_an_uninterrupted_one(config, tmp_path):
    straight = trained(replace(config, output=str(tmp_path / "straight")))
    first = trained(config, stop_after=3)
    assert any(not torch.equal(first[name], straight[name]) for name in first)
    assert_same(trained(config, resume=True), straight)


def test_a_run_that_lost_its_newest_checkpoint_goes_on_from_the_one_before(config, tmp_path):
    straight = trained(replace(config, output=str(tmp_path / "straight")))
    trained(config, stop_after=2)
    trained(config, resume=True, stop_after=4)
    (Path(config.output) / "step-0000004" / "COMPLETE.json").unlink()
    assert_same(trained(config, resume=True), straight)


def test_without_resume_a_run_starts_anew(config):
    trained(config, stop_after=3)
    assert_same(trained(config, stop_after=1), trained(config, stop_after=1))


def test_a_run_that_begins_anew_is_not_taken_for_the_longer_one_before_it(config):
    trained(config, stop_after=4)
    trained(config, stop_after=1)
    folder = Path(config.output)
    assert [path.name for path in folder.glob("step-*")] == ["step-0000001"]
    assert (folder / "config.yaml").is_file()


def test_two_runs_of_one_seed_are_alike_and_of_two_seeds_are_not(config):
    one = trained(config, stop_after=2)
    assert_same(one, trained(config, stop_after=2))
    other = trained(replace(config, seed=18), stop_after=2)
    assert not torch.equal(one["tag_heads.identity.weight"], other["tag_heads.identity.weight"])


def test_a_run_that_is_done_is_not_run_again(config):
    done = trained(config)
    assert_same(trained(config, resume=True), done)


def test_resuming_with_another_plan_is_refused(config, tmp_path):
    trained(config, stop_after=3)
    with pytest.raises(ClaimxError, match="run of other data"):
        trained(replace(config, seed=18), resume=True)


def test_the_weights_on_disk_are_those_of_the_run(config):
    weights = trained(config, stop_after=3)
    assert_same(load_file(Path(config.output) / "step-0000003" / "model.safetensors"), weights)


# ---- rates ------------------------------------------------------------------------------------


def rates(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    return {
        name: group["lr"]
        for group in optimizer.param_groups
        for name in [id(parameter) for parameter in group["params"]]
    }


def test_rates_rise_to_their_peak_and_fall_towards_zero(config):
    optimizer = build_optimizer(random_model(), replace(config, warmup=0.2))
    seen = []
    for step in range(20):
        set_rates(optimizer, replace(config, warmup=0.2), step, 20)
        seen.append(optimizer.param_groups[0]["lr"] / optimizer.param_groups[0]["peak"])
    assert seen[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert seen[4:] == pytest.approx([1 - n / 16 for n in range(16)])


def test_new_parts_learn_at_their_own_rate_and_lower_layers_slower(config):
    model = random_model()
    optimizer = build_optimizer(model, replace(config, layer_decay=0.5))
    by_name = {name: rates(optimizer)[id(p)] for name, p in model.named_parameters()}
    assert by_name["tag_heads.identity.weight"] == config.head_learning_rate
    assert by_name["links.project.weight"] == config.head_learning_rate
    assert by_name["features.quote.weight"] == config.head_learning_rate
    query = "encoder.encoder.layer.{}.attention.self.query.weight"
    assert by_name[query.format(1)] == config.learning_rate
    assert by_name[query.format(0)] == config.learning_rate * 0.5
    assert by_name["encoder.embeddings.word_embeddings.weight"] == config.learning_rate * 0.25


def test_biases_and_norms_do_not_decay(config):
    model = random_model()
    optimizer = build_optimizer(model, config)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    seen = set()
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (config.weight_decay if parameter.ndim > 1 else 0.0)
            seen.add(names[id(parameter)])
    assert seen == set(names.values())


# ---- the rest ---------------------------------------------------------------------------------


def test_bfloat16_runs_on_any_cpu(config):
    weights = trained(replace(config, precision="bfloat16"), stop_after=2)
    assert all(value.dtype == torch.float32 for value in weights.values())
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_progress_shows_losses_speed_and_time_left(capsys, monkeypatch):
    now = 0.0
    progress = Progress(total=10, save_minutes=1.0, clock=lambda: now)
    lines: list[str] = []
    monkeypatch.setattr(trainer._console, "print", lambda text, **_: lines.append(text))
    for step in (1, 2, 3):
        progress.add({"total": torch.tensor(float(step))}, tokens=600)
        progress.show(step)
        assert len(lines) == (step == 3)
        now += 10.0
    (line,) = lines
    assert "step 3/10" in line
    assert "total 2.000" in line
    assert "90 tokens/s" in line
    assert "0:46 left" in line
    progress.show(10)
    assert "step 10/10" in lines[-1]


def test_checkpoints_are_due_by_the_clock():
    now = 0.0
    progress = Progress(total=10, save_minutes=1.0, clock=lambda: now)
    assert not progress.save_due()
    now = 61.0
    assert progress.save_due()
    progress.saved()
    assert not progress.save_due()


def test_the_default_schema_is_what_is_trained(config):
    assert build_model(config).config.label_schema == DEFAULT_SCHEMA
    assert Path(config.encoder) == encoder()


@pytest.mark.gpu
def test_a_run_on_a_gpu_is_resumed(config, tmp_path):
    straight = trained(replace(config, output=str(tmp_path / "straight")))
    trained(config, stop_after=3)
    resumed = trained(config, resume=True)
    for name, value in straight.items():
        assert torch.allclose(value.cpu(), resumed[name].cpu(), atol=1e-4), name
