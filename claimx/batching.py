"""Windows -> padded arrays for the encoder; shared by training and inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from claimx.errors import CheckpointError

# Few different widths keep torch's allocator's memory flat.
ROUND_TO = 16
# What a damaged tokenizer breaks at, if at anything: words, marks, and characters it has not seen.
_TRIED = "Okafor's “40 percent” – naïve, $1.5m;\n\n漢字 🙂 \u0000 e\u0301 \ufffd"


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """What a tokenizer puts around a text, and its padding."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    padding: int

    @property
    def count(self) -> int:
        """Special tokens in a window."""
        return len(self.prefix) + len(self.suffix)


@dataclass(frozen=True, slots=True)
class PaddedWindows:
    """Input of one forward pass: each ``(batch, tokens)``, features ``(batch, tokens, 3)``."""

    input_ids: npt.NDArray[np.int64]
    attention_mask: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]

    def rows(self, begin: int, end: int) -> PaddedWindows:
        """Return the windows from one row to another."""
        part = slice(begin, end)
        return PaddedWindows(self.input_ids[part], self.attention_mask[part], self.features[part])


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a ``tokenizer.json`` with truncation and padding switched off, and try it.

    Raises:
        CheckpointError: if it cannot be read, or breaks at a text.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        for special in (True, False):
            tokenizer.encode(_TRIED, add_special_tokens=special)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library raises bare Exception; its panics are not even one
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path} is not a readable tokenizer: {reason}") from error
    return tokenizer


def special_tokens(tokenizer: Tokenizer) -> SpecialTokens:
    """Find out what a tokenizer puts before and behind a text."""
    encoded = tokenizer.encode("a", add_special_tokens=True)
    mask = list(encoded.special_tokens_mask)
    content = [index for index, special in enumerate(mask) if not special]
    first, last = (content[0], content[-1] + 1) if content else (len(mask), len(mask))
    padding = next(
        (
            number
            for token in ("[PAD]", "<pad>", "<|padding|>", "<|endoftext|>")
            if (number := tokenizer.token_to_id(token)) is not None
        ),
        0,
    )
    return SpecialTokens(tuple(encoded.ids[:first]), tuple(encoded.ids[last:]), padding)


def pad_windows(
    pieces: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    special: SpecialTokens,
    length: int | None = None,
) -> PaddedWindows:
    """Stack windows into arrays, with special tokens around each.

    Args:
        pieces: ids ``(tokens,)`` and features ``(tokens, features)`` of each window.
        special: special tokens to put around each.
        length: pad to this many tokens; the longest window, rounded up, if None.
    """
    width = length or padded_length(max(len(ids) for ids, _ in pieces), special)
    rows = np.full((len(pieces), width), special.padding, dtype=np.int64)
    mask = np.zeros((len(pieces), width), dtype=np.int64)
    values = np.zeros((len(pieces), width, pieces[0][1].shape[1]), dtype=np.int64)
    begin = len(special.prefix)
    for row, (ids, features) in enumerate(pieces):
        end = begin + len(ids)
        rows[row, :begin] = special.prefix
        rows[row, begin:end] = ids
        rows[row, end : end + len(special.suffix)] = special.suffix
        mask[row, : end + len(special.suffix)] = 1
        values[row, begin:end] = features
    return PaddedWindows(rows, mask, values)


def padded_length(tokens: int, special: SpecialTokens, multiple: int = ROUND_TO) -> int:
    """Return the padded width of a window of so many tokens, a multiple of some number."""
    return -(-(tokens + special.count) // multiple) * multiple
