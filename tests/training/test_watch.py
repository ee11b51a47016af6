"""A run that learns nothing is noticed."""

from __future__ import annotations

import pytest
import torch

from training.examples import IGNORED
from training.watch import FEW_STEPS, LearningWatch, entropy, too_short

TAGS = torch.tensor([[0, 0, 0, 1, IGNORED]])
BLIND = entropy([3, 1])


def run(losses: list[float], tags: torch.Tensor = TAGS, total: int = 500) -> list[str]:
    watch = LearningWatch({"attribution": 3}, total)
    return [
        finding
        for loss in losses
        for finding in watch.add(tags, {"attribution": torch.tensor(loss)})
    ]


def test_a_loss_of_frequencies_is_named_with_its_layer():
    [finding] = run([BLIND] * 100)
    assert finding.startswith("attribution: the loss is 0.562, and 0.562 for")


def test_the_first_stretch_is_let_pass():
    assert run([BLIND] * 99) == []


def test_a_model_that_learns_is_left_in_peace():
    assert run([BLIND] * 50 + [0.8 * BLIND] * 450) == []


def test_a_model_that_collapses_later_is_noticed():
    assert len(run([0.1] * 400 + [BLIND] * 100)) == 2


def test_layers_that_nobody_annotated_say_nothing():
    assert run([0.0] * 500, torch.full((1, 5), IGNORED)) == []


def test_layers_with_one_tag_alone_say_nothing():
    assert run([0.01] * 500, torch.zeros(1, 5, dtype=torch.long)) == []


def test_a_longer_run_has_longer_stretches():
    assert run([BLIND] * 100, total=2000) == []


@pytest.mark.parametrize(
    ("counts", "expected"), [([1, 1], 0.6931), ([5, 0], 0.0), ([1, 1, 1, 1], 1.3863)]
)
def test_entropy_is_in_nats(counts, expected):
    assert entropy(counts) == pytest.approx(expected, abs=1e-4)


def test_a_run_of_few_steps_is_warned_of_with_their_number_and_what_to_do():
    assert too_short(FEW_STEPS) == ""
    told = too_short(2)
    assert told.startswith("a run of 2 steps is too short")
    assert all(word in told for word in ("`passes`", "`step_tokens`", "`learning_rate`"))
    assert "--baseline" in told
