"""The model itself: registration, saving, padding, schemas, starting from an encoder."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, AutoModel, MPNetConfig

from claimx.batching import pad_windows, special_tokens
from claimx.encoding import encode
from claimx.errors import ConfigError
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.modeling import ClaimxConfig, ClaimxModel
from claimx.pairs import PAIR_FEATURE_SIZES
from tests.tiny import TOKENIZERS, encoder_config, random_model, write_encoder

PETS = LabelSchema.from_dict(
    {
        "layers": {"pets": ["CAT", "DOG", "EEL"], "places": ["BARN"]},
        "links": {
            "chases": {"heads": ["DOG"], "tails": ["CAT"]},
            "lives_in": {"heads": ["CAT", "DOG"], "tails": ["BARN"], "choose": "any"},
        },
    }
)
TEXT = "“The ferry was late,” said Ines Okafor.\n\nNorvale told 40 percent of the boats."


def inputs(kind: str, *texts: str, length: int | None = None):
    tokenizer = TOKENIZERS[kind]()
    pieces = [(part.ids, part.features) for part in (encode(text, tokenizer) for text in texts)]
    padded = pad_windows(pieces, special_tokens(tokenizer), length)
    return tuple(
        torch.from_numpy(array)
        for array in (padded.input_ids, padded.attention_mask, padded.features)
    )


@torch.inference_mode()
def outputs(model: ClaimxModel, *arrays: torch.Tensor) -> dict[str, torch.Tensor]:
    logits, states = model(*arrays)
    return {**logits, "states": states}


def test_auto_classes_know_the_model():
    config = AutoConfig.for_model("claimx", encoder=encoder_config().to_dict())
    assert isinstance(config, ClaimxConfig)
    assert isinstance(AutoModel.from_config(config), ClaimxModel)


def test_a_saved_model_comes_back_through_the_auto_classes_with_the_same_outputs(tmp_path):
    model = random_model()
    model.save_pretrained(tmp_path)
    loaded, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert isinstance(loaded, ClaimxModel)
    assert not any(info[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    arrays = inputs("wordpiece", TEXT)
    before, after = outputs(model, *arrays), outputs(loaded.eval(), *arrays)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_config_survives_its_json_form(tmp_path):
    config = ClaimxConfig(
        encoder_config().to_dict(), PETS.to_dict(), link_size=7, window=50, overlap=9,
        calibration={"pets/CAT": [1.5, -0.5]}, link_thresholds={"lives_in": 0.4}, name="pets",
        version="2",
    )  # fmt: skip
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert loaded.label_schema == PETS
    for name in (
        "link_size",
        "window",
        "overlap",
        "calibration",
        "link_thresholds",
        "name",
        "version",
    ):
        assert getattr(loaded, name) == getattr(config, name)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_padding_does_not_change_the_outputs(kind):
    model = random_model(kind)
    short, long = "He said no.", TEXT
    alone = outputs(model, *inputs(kind, short))
    together = outputs(model, *inputs(kind, long, short))
    wide = outputs(model, *inputs(kind, short, length=112))
    size = int(inputs(kind, short)[1].sum())
    for name, expected in alone.items():
        assert torch.allclose(expected[0, :size], together[name][1, :size], atol=1e-4)
        assert torch.allclose(expected[0, :size], wide[name][0, :size], atol=1e-4)


def test_there_is_one_head_for_each_layer_with_all_its_tags():
    logits, states = random_model()(*inputs("wordpiece", TEXT))
    sizes = {name: values.shape[-1] for name, values in logits.items()}
    assert sizes == {layer.name: len(layer.tags) for layer in DEFAULT_SCHEMA.layers}
    assert states.shape[-1] == 16


def test_a_users_own_schema_makes_its_own_heads_and_links():
    model = random_model(schema=PETS)
    logits, _ = model(*inputs("wordpiece", TEXT))
    assert {name: values.shape[-1] for name, values in logits.items()} == {"pets": 7, "places": 3}
    assert model.links.score.out_features == 2
    assert model.links.kind.num_embeddings == 4


def test_a_schema_without_links_has_a_model():
    schema = LabelSchema.from_dict({"layers": {"pets": ["CAT"]}})
    logits, _ = random_model(schema=schema)(*inputs("wordpiece", TEXT))
    assert list(logits) == ["pets"]


@pytest.mark.parametrize("column", [0, 1, 2])
def test_each_feature_reaches_the_outputs(column):
    model = random_model()
    ids, mask, features = inputs("wordpiece", TEXT)
    changed = features.clone()
    changed[0, 3, column] = 1 if features[0, 3, column] != 1 else 2
    before, after = outputs(model, ids, mask, features), outputs(model, ids, mask, changed)
    assert not torch.allclose(before["identity"], after["identity"], atol=1e-3)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_new_model_starts_from_the_weights_of_an_encoder_without_dropout(kind, tmp_path):
    folder = write_encoder(tmp_path, kind)
    model = ClaimxModel.from_encoder(str(folder), ClaimxConfig(link_size=16))
    pretrained = AutoModel.from_pretrained(folder)
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(value, pretrained.state_dict()[name]), name
    assert model.config.encoder["model_type"] == pretrained.config.model_type
    assert model.config.encoder["hidden_dropout_prob"] == 0.0
    arrays = inputs(kind, TEXT)
    model.train()
    assert torch.equal(model(*arrays)[1], model(*arrays)[1])


def test_a_new_model_reads_states_of_any_scale(tmp_path):
    model = ClaimxModel.from_encoder(str(write_encoder(tmp_path)), ClaimxConfig(link_size=16))
    arrays = inputs("wordpiece", TEXT)
    before = outputs(model, *arrays)
    last = model.encoder.encoder.layer[-1].output.LayerNorm
    last.weight.data *= 0.1
    last.bias.data *= 0.1
    after = outputs(model, *arrays)
    assert all(torch.allclose(after[name], before[name], atol=1e-2) for name in before)


def test_a_new_model_takes_the_lowest_layers_of_an_encoder(tmp_path):
    folder = write_encoder(tmp_path)
    model = ClaimxModel.from_encoder(str(folder), ClaimxConfig(link_size=16), layers=1)
    kept = AutoModel.from_pretrained(folder, num_hidden_layers=1).eval()
    ids, mask, _ = inputs("wordpiece", TEXT)
    expected = kept(ids, mask).last_hidden_state
    assert torch.allclose(model.eval().encoder(ids, mask).last_hidden_state, expected, atol=1e-6)
    rebuilt = ClaimxModel(ClaimxConfig.from_dict(model.config.to_dict()))
    assert rebuilt.state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize("layers", [3, -1])
def test_layers_that_an_encoder_does_not_have_are_refused(layers, tmp_path):
    with pytest.raises(ConfigError, match=f"keep {layers} layers of an encoder that has 2"):
        ClaimxModel.from_encoder(str(write_encoder(tmp_path)), ClaimxConfig(), layers)


def test_a_rebuilt_model_is_without_dropout_too(tmp_path):
    model = ClaimxModel.from_encoder(str(write_encoder(tmp_path)), ClaimxConfig(link_size=16))
    rebuilt = ClaimxModel(ClaimxConfig.from_dict(model.config.to_dict())).train()
    arrays = inputs("wordpiece", TEXT)
    assert torch.equal(rebuilt(*arrays)[1], rebuilt(*arrays)[1])


# ---- links ------------------------------------------------------------------------------------


def score_pairs(model, heads, tails, types, features):
    torch.manual_seed(0)
    states = model.links.token_states(torch.randn(9, 32))
    table = torch.tensor([[0, 1, 0], [3, 3, 2], [4, 7, 1]])
    spans = model.links.span_states(states, *table.unbind(1))
    return model.links(spans, *(torch.tensor(value) for value in (heads, tails, types, features)))


ZEROS = [[0] * len(PAIR_FEATURE_SIZES)]


@torch.inference_mode()
def test_a_pair_has_the_same_score_alone_and_among_others():
    model = random_model()
    together = score_pairs(model, [0, 1, 2], [1, 2, 0], [0, 3, 0], ZEROS * 3)
    alone = score_pairs(model, [1], [2], [3], ZEROS)
    assert torch.allclose(together[1:2], alone, atol=1e-5)


@torch.inference_mode()
def test_a_score_depends_on_direction_type_and_features():
    model = random_model()
    base = score_pairs(model, [0], [1], [0], ZEROS)
    assert not torch.allclose(base, score_pairs(model, [1], [0], [0], ZEROS))
    assert not torch.allclose(base, score_pairs(model, [0], [1], [1], ZEROS))
    for column in range(len(PAIR_FEATURE_SIZES)):
        other = [[int(place == column) for place in range(len(PAIR_FEATURE_SIZES))]]
        assert not torch.allclose(base, score_pairs(model, [0], [1], [0], other))


@torch.inference_mode()
def test_the_largest_values_of_pair_features_have_embeddings():
    largest = [[size - 1 for size in PAIR_FEATURE_SIZES.values()]]
    assert torch.isfinite(score_pairs(random_model(), [0], [1], [0], largest)).all()


def test_an_encoder_without_fused_attention_comes_back_from_its_config():
    # MPNet adds a bias to its attention scores, for which transformers has no fused kernel.
    encoder = MPNetConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=70,
    )  # fmt: skip
    model = ClaimxModel(ClaimxConfig(encoder.to_dict(), link_size=4, window=40, overlap=8))
    ids = torch.arange(3, 9)[None]
    logits, _ = model(ids, torch.ones_like(ids), torch.ones(1, 6, 3, dtype=torch.long))
    assert logits["identity"].shape == (1, 6, 7)
    assert model.encoder.config._attn_implementation == "eager"
