"""More labels on a trained model: what it knew stays as it was."""

from __future__ import annotations

import pytest
import torch

from claimx.errors import ConfigError
from claimx.labels import DEFAULT_SCHEMA, Layer
from claimx.modeling import ClaimxModel
from claimx.pairs import PAIR_FEATURE_SIZES, span_kinds
from tests.tiny import random_model
from training.growing import grow

# A new label inside a layer that is not the last, and a new layer behind all.
WIDER = DEFAULT_SCHEMA.extended({"attribution": ["TOPIC"], "time": ["DATE"]})


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    ids = torch.arange(5, 17).reshape(2, 6)
    return ids, torch.ones_like(ids), torch.ones(2, 6, 3, dtype=torch.long)


def scores(model: ClaimxModel, inputs) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return model.eval()(*inputs)[0]


@pytest.mark.parametrize("normalise", [False, True])
def test_old_tags_keep_their_scores(inputs, normalise):
    model = random_model(normalise=normalise)
    if normalise:
        torch.nn.init.normal_(model.norm.weight)
    before = scores(model, inputs)
    after = scores(grow(model, WIDER), inputs)
    for layer in DEFAULT_SCHEMA.layers:
        kept = after[layer.name][..., : len(layer.tags)]
        assert torch.allclose(kept, before[layer.name], atol=1e-5)


def test_new_tags_have_outputs_of_their_own(inputs):
    after = scores(grow(random_model(), WIDER), inputs)
    assert after["attribution"].shape[-1] == 9
    assert after["time"].shape[-1] == 3


def test_old_pairs_keep_their_scores_though_kinds_of_spans_are_renumbered():
    old = random_model()
    new = grow(old, WIDER)
    kinds, wider = span_kinds(DEFAULT_SCHEMA), span_kinds(WIDER)
    chosen = [("attribution", "QUOTE"), ("identity", "PERSON"), ("quantity", "MEASURED")]
    assert [kinds[k] for k in chosen] != [wider[k] for k in chosen]
    states = torch.randn(9, old.config.link_size)
    pairs = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]), torch.tensor([0, 3, 8])
    features = torch.zeros(3, len(PAIR_FEATURE_SIZES), dtype=torch.long)
    results = []
    for model, table in ((old, kinds), (new, wider)):
        numbers = torch.tensor([table[kind] for kind in chosen])
        with torch.no_grad():
            spans = model.links.span_states(
                states, torch.tensor([0, 3, 6]), torch.tensor([1, 4, 7]), numbers
            )
            results.append(model.links(spans, *pairs, features))
    assert torch.equal(*results)


def test_a_model_of_that_schema_is_left_alone():
    model = random_model()
    assert grow(model, DEFAULT_SCHEMA) is model


def test_a_label_that_is_there_already_is_refused():
    with pytest.raises(ConfigError, match="CUE"):
        DEFAULT_SCHEMA.extended({"attribution": ["CUE"]})


def test_a_schema_is_extended_behind_what_it_has():
    assert WIDER.layer("attribution").labels == ("QUOTE", "CUE", "SPEAKER", "TOPIC")
    assert WIDER.layers[-1] == Layer("time", ("DATE",))
    assert WIDER.links == DEFAULT_SCHEMA.links
