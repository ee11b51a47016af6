"""Special tokens and padding."""

from __future__ import annotations

import numpy as np
import pytest

from claimx.batching import (
    SpecialTokens,
    load_tokenizer,
    pad_windows,
    padded_length,
    special_tokens,
)
from claimx.errors import CheckpointError
from tests.tiny import byte_level, wordpiece

SPECIAL = SpecialTokens((101,), (102, 103), 9)


def piece(*ids: int):
    return np.array(ids), np.array([[i, i + 1, i + 2] for i in ids])


def test_windows_are_framed_by_special_tokens_and_padded():
    padded = pad_windows([piece(1, 2, 3), piece(4)], SPECIAL, length=7)
    assert padded.input_ids.tolist() == [[101, 1, 2, 3, 102, 103, 9], [101, 4, 102, 103, 9, 9, 9]]
    assert padded.attention_mask.tolist() == [[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0]]


def test_features_stand_under_their_tokens_and_are_zero_elsewhere():
    padded = pad_windows([piece(1, 2, 3), piece(4)], SPECIAL, length=7)
    assert padded.features[0].tolist() == [
        [0, 0, 0], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 0, 0], [0, 0, 0], [0, 0, 0],
    ]  # fmt: skip
    assert padded.features[1, 1].tolist() == [4, 5, 6]
    assert padded.features[1, 2:].sum() == 0


@pytest.mark.parametrize("tokens", [1, 12, 13, 14, 29, 30])
def test_the_width_has_room_for_the_window_and_is_a_round_number(tokens):
    width = padded_length(tokens, SPECIAL)
    assert tokens + 3 <= width < tokens + 3 + 16
    assert width % 16 == 0
    assert pad_windows([piece(*range(tokens))], SPECIAL).input_ids.shape == (1, width)


def test_the_special_tokens_are_those_of_the_tokenizer():
    assert special_tokens(wordpiece()) == SpecialTokens((2,), (3,), 0)
    assert special_tokens(byte_level()) == SpecialTokens((0,), (2,), 1)


def test_a_saved_tokenizer_is_loaded_without_truncation_and_padding(tmp_path):
    tokenizer = type(wordpiece()).from_str(wordpiece().to_str())
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert len(loaded.encode("said " * 20).ids) == 22
    assert len(loaded.encode("said").ids) == 3


@pytest.mark.parametrize("content", ["", "{}", "<html>", '{"version": "1.0", "model": {}}'])
def test_a_damaged_tokenizer_is_a_checkpoint_error(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not a readable tokenizer"):
        load_tokenizer(path)
