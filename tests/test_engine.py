"""Running the model: windows and batches must not show in what comes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimx import engine as module
from claimx.batching import SpecialTokens, pad_windows
from claimx.engine import Engine, bfloat16_pays, resolved
from claimx.errors import ClaimxError, ConfigError
from claimx.labels import LabelSchema
from claimx.pairs import LinkSpan
from tests.tiny import LEXICON, TOKENIZERS, lexicon_checkpoint, random_checkpoint

TEXTS = [
    "“The ferry was late,” said Ines Okafor.",
    "",
    "He told Norvale that 40 percent of the boats will be mines. " * 12,
    " \n ",
    "Ruiz",
    "“No harm,” she said. “About 12 boats,” the minister told Ana Ruiz.\n\nIt was the pier. " * 4,
]


def scores_of(engine: Engine, texts: list[str]):
    return engine.score([engine.encode(text) for text in texts], engine.schema.layers)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_has_the_same_scores_alone_and_in_any_batch(kind):
    engine = Engine(random_checkpoint(kind), "cpu")
    alone = [scores_of(engine, [text])[0] for text in TEXTS]
    engine._tokens_at_once = 200
    for order in (TEXTS, TEXTS[::-1]):
        together = scores_of(engine, order)
        for text, scores in zip(order, together, strict=True):
            expected = alone[TEXTS.index(text)]
            assert torch.allclose(scores.states, expected.states, atol=1e-4)
            for name, values in scores.logits.items():
                assert np.allclose(values, expected.logits[name], atol=1e-4)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([*LEXICON, "“", "”", ",", "\n\n", "norvaleans", "1,250"]), max_size=120
    ),
    st.integers(8, 40),
    st.data(),
)
def test_a_text_in_windows_has_the_scores_of_the_text_in_one_window(words, window, data):
    text = " ".join(words)
    overlap = data.draw(st.integers(0, window // 2))
    whole = scores_of(Engine(lexicon_checkpoint(window=10_000)), [text])[0]
    parts = scores_of(Engine(lexicon_checkpoint(window=window, overlap=overlap)), [text])[0]
    assert torch.equal(whole.states, parts.states)
    for name, values in whole.logits.items():
        assert np.array_equal(values, parts.logits[name])


def test_every_unit_gets_scores():
    engine = Engine(random_checkpoint(), "cpu")
    encoded = engine.encode(TEXTS[2])
    assert len(encoded.windows) > 2
    (scores,) = engine.score([encoded], engine.schema.layers)
    units = len(encoded.encoding.unit_tokens)
    for values in scores.logits.values():
        assert values.shape[0] == units
        assert (np.abs(values).sum(axis=1) > 0).all()
    assert (scores.states.abs().sum(1) > 0).all()


@torch.inference_mode()
def test_a_unit_gets_the_scores_of_the_window_that_owns_it():
    engine = Engine(random_checkpoint(), "cpu")
    encoded = engine.encode(TEXTS[2])
    (scores,) = engine.score([encoded], engine.schema.layers)
    units = np.cumsum(encoded.encoding.unit_starts) - 1
    for window in encoded.windows:
        ids, features = (
            values[window.start : window.end]
            for values in (encoded.encoding.ids, encoded.encoding.features)
        )
        padded = pad_windows([(ids, features)], SpecialTokens((2,), (3,), 0))
        logits, _ = engine._model(
            *map(torch.from_numpy, (padded.input_ids, padded.attention_mask, padded.features))
        )
        for token in range(window.own_start, window.own_end):
            if encoded.encoding.unit_starts[token]:
                expected = logits["identity"][0, token - window.start + 1].numpy()
                found = scores.logits["identity"][units[token]]
                assert np.allclose(found, expected, atol=1e-3)


def with_room_for(engine: Engine, windows: int) -> list[int]:
    """Let an engine run out of memory above so many windows; return the sizes of its passes."""
    honest, sizes = engine._model.forward, []

    def narrow(ids: torch.Tensor, *others: torch.Tensor):
        sizes.append(len(ids))
        if len(ids) > windows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return honest(ids, *others)

    engine._model.forward = narrow
    return sizes


def test_out_of_memory_halves_the_passes_says_so_once_and_changes_nothing(caplog):
    engine = Engine(random_checkpoint(), "cpu")
    expected = scores_of(engine, TEXTS)
    sizes = with_room_for(engine, 3)
    for _ in range(2):
        for one, other in zip(scores_of(engine, TEXTS), expected, strict=True):
            assert torch.allclose(one.states, other.states, atol=1e-4)
            for name, values in one.logits.items():
                assert np.allclose(values, other.logits[name], atol=1e-4)
    # What did not fit is not tried again.
    assert sum(size > 3 for size in sizes) == 2
    assert sizes[:3] == [9, 4, 2]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("claimx", "WARNING")
    assert "9 windows" in record.message


def test_a_window_that_does_not_fit_into_memory_is_an_error_of_claimx():
    engine = Engine(random_checkpoint(), "cpu")
    with_room_for(engine, 0)
    with pytest.raises(ClaimxError, match="single window"):
        scores_of(engine, TEXTS)


def test_only_the_layers_that_are_asked_for_have_logits():
    engine = Engine(random_checkpoint(), "cpu")
    (scores,) = engine.score([engine.encode("Ruiz said")], [engine.schema.layer("identity")])
    assert list(scores.logits) == ["identity"]


def test_links_do_not_depend_on_how_many_pairs_are_scored_at_once(monkeypatch):
    engine = Engine(random_checkpoint(), "cpu")
    encoded = engine.encode("Ruiz told Okafor that Norvale and Okafor said no. " * 3)
    (scores,) = engine.score([encoded], ())
    starts, ends = encoded.encoding.unit_offsets()
    spans = [
        LinkSpan(kind, int(starts[unit]), int(ends[unit]), unit, unit)
        for unit in range(0, 30, 2)
        for kind in list(engine.kinds)[unit % 3 :: 3]
    ]
    whole = engine.link(encoded, scores, spans)
    monkeypatch.setattr(module, "_LINKS_AT_ONCE", 7)
    parts = engine.link(encoded, scores, spans)
    assert len(whole) > 10
    assert [(x.type, x.head, x.tail) for x in parts] == [(x.type, x.head, x.tail) for x in whole]


def test_a_schema_without_links_links_nothing():
    schema = LabelSchema.from_dict({"layers": {"identity": ["PERSON", "ROLE", "AFFILIATION"]}})
    engine = Engine(random_checkpoint(schema=schema), "cpu")
    encoded = engine.encode("Ana Ruiz")
    (scores,) = engine.score([encoded], engine.schema.layers)
    assert engine.link(encoded, scores, [LinkSpan(("identity", "PERSON"), 0, 3, 0, 0)]) == []


def test_full_precision_is_what_a_cpu_gets():
    assert Engine(random_checkpoint(), "cpu").dtype == torch.float32


@pytest.mark.parametrize(("device", "dtype"), [("moon", "auto"), ("cpu", "float8")])
def test_a_device_or_dtype_that_is_not_there_is_named(device, dtype):
    with pytest.raises(ConfigError, match="moon|float8"):
        Engine(random_checkpoint(), device, dtype)


def test_what_auto_stands_for_is_known_without_a_model(monkeypatch):
    assert resolved("cpu", "auto") == ("cpu", "float32")
    assert resolved("cpu", "bfloat16") == ("cpu", "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert resolved("auto", "auto") == resolved("cuda:1", "auto") == ("cuda", "bfloat16")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_asking_for_cuda_without_one_says_so():
    with pytest.raises(ConfigError, match="no CUDA GPU"):
        Engine(random_checkpoint(), "cuda")


def test_bfloat16_on_a_cpu_gives_nearly_the_same_scores():
    full = scores_of(Engine(random_checkpoint(), "cpu"), TEXTS)
    half = scores_of(Engine(random_checkpoint(), "cpu", "bfloat16"), TEXTS)
    for one, other in zip(full, half, strict=True):
        assert other.states.dtype == torch.bfloat16
        for name, values in one.logits.items():
            assert np.allclose(values, other.logits[name], atol=0.5)


@pytest.mark.gpu
def test_a_gpu_gives_the_scores_of_the_cpu():
    cpu = scores_of(Engine(random_checkpoint(), "cpu"), TEXTS)
    gpu = scores_of(Engine(random_checkpoint(), "cuda", "float32"), TEXTS)
    for one, other in zip(cpu, gpu, strict=True):
        assert torch.allclose(one.states, other.states.cpu(), atol=1e-2)
        for name, values in one.logits.items():
            assert np.allclose(values, other.logits[name], atol=1e-2)


def test_a_chip_is_asked_whether_it_multiplies_bfloat16(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert not bfloat16_pays(torch.device("cpu"))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert bfloat16_pays(torch.device("cpu"))
