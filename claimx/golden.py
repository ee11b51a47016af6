"""A sentence whose answer is kept with a model, to notice when it computes something else.

Hashes say that the weights are those that were written. They do not say that the libraries of this
machine make of them what was made when they were written: a tokenizer that cuts words in another
way, or an encoder that adds its positions twice, would give poor results without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from claimx.batching import pad_windows, special_tokens
from claimx.encoding import encode
from claimx.errors import CheckpointError
from claimx.modeling import ClaimxModel

SENTENCE = "“About 40 percent left,” said Ana Ruiz."
_PLACES = 4  # of the numbers that are kept
_TOLERANCE = 0.01  # processors differ by a thousandth of that


@torch.inference_mode()
def golden_answer(model: ClaimxModel, tokenizer: Tokenizer) -> dict[str, Any]:
    """Read the sentence and return what came of it, as plain JSON values.

    Args:
        model: in float32 on the CPU.
        tokenizer: without truncation and padding.
    """
    encoding = encode(SENTENCE, tokenizer)
    window = slice(0, model.config.window)
    ids, features = encoding.ids[window], encoding.features[window]
    batch = pad_windows([(ids, features)], special_tokens(tokenizer))
    arrays = (batch.input_ids, batch.attention_mask, batch.features)
    logits, states = model(*map(torch.from_numpy, arrays))
    real = batch.attention_mask[0] == 1
    scores = {name: values[0].amax(-1) for name, values in logits.items()}
    scores["links"] = states[0].abs().mean(-1)
    return {
        "text": SENTENCE,
        "tokens": ids.tolist(),
        "scores": {
            name: np.round(values.numpy()[real].astype(float), _PLACES).tolist()
            for name, values in scores.items()
        },
    }


def check_golden(kept: Any, model: ClaimxModel, tokenizer: Tokenizer) -> None:
    """Read the sentence again and compare.

    Args:
        kept: what `golden_answer` returned when the model was written; None if nobody knows.
        model: in float32 on the CPU.
        tokenizer: without truncation and padding.

    Raises:
        CheckpointError: if the answer is another one, or there is none.
    """
    try:
        found = golden_answer(model, tokenizer)
    except Exception as error:  # values of a config that only show when a text is read
        reason = " ".join(str(error).split())
        raise CheckpointError(f"it cannot read {SENTENCE!r}: {reason}") from error
    if not isinstance(kept, Mapping) or kept.get("text") != SENTENCE:
        return  # of another version of claimx
    if kept.get("tokens") != found["tokens"]:
        raise CheckpointError(
            f"its tokenizer cuts {SENTENCE!r} into other tokens than when the model was written; "
            f"install the versions of transformers and tokenizers that training.json names"
        )
    for name, scores in found["scores"].items():
        if not _close(kept.get("scores"), name, scores):
            raise CheckpointError(
                f"it computes something else than when it was written (of {name}, for "
                f"{SENTENCE!r}); install the versions of torch and transformers that "
                "training.json names"
            )


def _close(kept: Any, name: str, scores: list[float]) -> bool:
    before = kept.get(name) if isinstance(kept, Mapping) else None
    try:
        values = np.asarray(before, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return False
    return values.shape == (len(scores),) and np.allclose(values, scores, _TOLERANCE, _TOLERANCE)
