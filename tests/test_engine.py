"""Running the model: windows and batches must not show in what comes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimx import engine as module
from claimx.batching import SpecialTokens, pad_windows
from claimx.labels import LabelSchema
from claimx.pairs import LinkSpan
from claimx.torch_backend import torch_engine
from tests.reading import TEXTS, scores_of
from tests.tiny import LEXICON, TOKENIZERS, lexicon_checkpoint, random_checkpoint


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_has_the_same_scores_alone_and_in_any_batch(kind):
    engine = torch_engine(random_checkpoint(kind), "cpu", "float32")
    alone = [scores_of(engine, [text])[0] for text in TEXTS]
    engine.backend.tokens_at_once = 200
    for order in (TEXTS, TEXTS[::-1]):
        together = scores_of(engine, order)
        for text, scores in zip(order, together, strict=True):
            expected = alone[TEXTS.index(text)]
            assert len(scores.states) == len(expected.states)
            assert not len(scores.states) or np.allclose(scores.states, expected.states, atol=1e-4)
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
    whole = scores_of(torch_engine(lexicon_checkpoint(window=10_000), "cpu", "float32"), [text])[0]
    parts = scores_of(
        torch_engine(lexicon_checkpoint(window=window, overlap=overlap), "cpu", "float32"), [text]
    )[0]
    assert np.array_equal(whole.states, parts.states)
    for name, values in whole.logits.items():
        assert np.array_equal(values, parts.logits[name])


def test_every_unit_gets_scores():
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
    encoded = engine.encode(TEXTS[2])
    assert len(encoded.windows) > 2
    (scores,) = engine.score([encoded], engine.schema.layers)
    units = len(encoded.encoding.unit_tokens)
    for values in scores.logits.values():
        assert values.shape[0] == units
        assert (np.abs(values).sum(axis=1) > 0).all()
    assert (np.abs(scores.states).sum(1) > 0).all()


@torch.inference_mode()
def test_a_unit_gets_the_scores_of_the_window_that_owns_it():
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
    encoded = engine.encode(TEXTS[2])
    (scores,) = engine.score([encoded], engine.schema.layers)
    units = np.cumsum(encoded.encoding.unit_starts) - 1
    for window in encoded.windows:
        ids, features = (
            values[window.start : window.end]
            for values in (encoded.encoding.ids, encoded.encoding.features)
        )
        padded = pad_windows([(ids, features)], SpecialTokens((2,), (3,), 0))
        logits, _ = engine.backend.model(
            *map(torch.from_numpy, (padded.input_ids, padded.attention_mask, padded.features))
        )
        for token in range(window.own_start, window.own_end):
            if encoded.encoding.unit_starts[token]:
                expected = logits["identity"][0, token - window.start + 1].numpy()
                found = scores.logits["identity"][units[token]]
                assert np.allclose(found, expected, atol=1e-3)


def test_only_the_layers_that_are_asked_for_have_logits():
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
    (scores,) = engine.score([engine.encode("Ruiz said")], [engine.schema.layer("identity")])
    assert list(scores.logits) == ["identity"]


def test_links_do_not_depend_on_how_many_pairs_are_scored_at_once(monkeypatch):
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
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
    engine = torch_engine(random_checkpoint(schema=schema), "cpu", "float32")
    encoded = engine.encode("Ana Ruiz")
    (scores,) = engine.score([encoded], engine.schema.layers)
    assert engine.link(encoded, scores, [LinkSpan(("identity", "PERSON"), 0, 3, 0, 0)]) == []
