"""Text -> tokens with offsets, units and the features that an encoder cannot see.

This is the one place where text becomes model input, for training and for inference.
A *unit* is what a tag is decided for: a word or a mark, whatever number of tokens it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from claimx import text as chars

# A piece is tokenised at once; longer texts would cost hundreds of bytes for every character.
_PIECE = 40_000
_FEWEST = 1_000
# BERT drops rarer white space, such as form feeds, and joins the words around it.
_CUTS = np.array([ord(char) for char in " \t\n\r"], dtype=np.uint32)

# Values of each feature, padding (0) included.
FEATURE_SIZES = {"case": 7, "quote": 5, "break": 5}

_PADDING, _LOWER, _TITLE, _UPPER, _MIXED, _DIGITS, _MARK = range(7)
# Whether characters of a class are part of a word.
_IN_WORD = np.zeros(7, dtype=bool)
_IN_WORD[[chars.LOWER, chars.UPPER, chars.DIGIT, chars.COMBINING]] = True


@dataclass(frozen=True, slots=True)
class Encoding:
    """One text as model tokens, special tokens not included.

    Attributes:
        ids: token ids, ``(tokens,)``.
        starts: first code point of each token, ``(tokens,)``.
        ends: one past its last code point, ``(tokens,)``.
        unit_starts: whether a token begins a unit, ``(tokens,)``.
        features: case class, quotation state, break before it, ``(tokens, 3)``.
        states: quotation state of every code point, ``(characters,)``.
    """

    ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    unit_starts: npt.NDArray[np.bool_]
    features: npt.NDArray[np.int64]
    states: npt.NDArray[np.uint8]

    @property
    def unit_tokens(self) -> npt.NDArray[np.int64]:
        """Index of the first token of every unit, ``(units,)``."""
        return np.flatnonzero(self.unit_starts)

    def unit_offsets(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return first and one-past-last code point of every unit, each ``(units,)``."""
        first = self.unit_tokens
        last = np.append(first[1:], len(self.ids)) - 1
        return self.starts[first], self.ends[last] if len(first) else self.ends[:0]


def encode(text: str, tokenizer: Tokenizer) -> Encoding:
    """Tokenise a text and compute its features; nothing is truncated.

    Args:
        text: the article, without lone surrogates.
        tokenizer: a tokenizer with truncation and padding switched off.
    """
    classes = chars.character_classes(text)
    ids, starts, ends = _tokenise(text, tokenizer)
    starts, ends = _strip_space(starts, ends, classes)
    solid = ends > starts
    # A token without any character of its own (a lone space piece) carries nothing to tag.
    ids, starts, ends = ids[solid], starts[solid], ends[solid]
    ends = _whole_characters(starts, ends, classes)
    states = chars.quotation_states(text)
    features = np.stack(
        [_case_feature(starts, classes), states[starts] + 1, _break_feature(starts, ends, classes)],
        axis=1,
    ) if len(ids) else np.zeros((0, 3), dtype=np.int64)  # fmt: skip
    return Encoding(
        ids, starts, ends, _unit_starts(starts, ends, classes), features.astype(np.int64), states
    )


def _tokenise(
    text: str, tokenizer: Tokenizer
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    ids: list[npt.NDArray[np.int64]] = []
    offsets: list[npt.NDArray[np.int64]] = []
    for start, end in _pieces(text):
        encoded = tokenizer.encode(text[start:end], add_special_tokens=False)
        ids.append(np.asarray(encoded.ids, dtype=np.int64))
        offsets.append(np.asarray(encoded.offsets, dtype=np.int64).reshape(-1, 2) + start)
    if not ids:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty
    both = np.concatenate(offsets)
    return np.concatenate(ids), both[:, 0], both[:, 1]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Cut a long text in front of white space, where no tokenizer joins characters."""
    total = len(text)
    if total <= _PIECE:
        return [(0, total)] if total else []
    spaces = np.flatnonzero(np.isin(chars.code_points(text), _CUTS))
    pieces, start = [], 0
    while total - start > _PIECE:
        index = int(np.searchsorted(spaces, start + _PIECE, side="right")) - 1
        cut = int(spaces[index]) if index >= 0 else 0
        cut = cut if cut > start + _FEWEST else start + _PIECE
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, total)]


def _strip_space(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], classes: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Move offsets off the white space that byte-level tokenizers count as part of a token."""
    blank = np.append((classes == chars.SPACE) | (classes == chars.NEWLINE), False)
    starts, ends = starts.copy(), ends.copy()
    while (move := (starts < ends) & blank[starts]).any():
        starts[move] += 1
    while (move := (starts < ends) & blank[np.maximum(ends - 1, 0)]).any():
        ends[move] -= 1
    return starts, ends


def _whole_characters(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], classes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Move ends behind the accents and joiners that some tokenizers drop."""
    solid = np.flatnonzero(np.append(classes != chars.COMBINING, True))
    behind = solid[np.searchsorted(solid, ends)]
    next_start = np.append(starts[1:], len(classes))[: len(ends)]
    moved: npt.NDArray[np.int64] = np.maximum(ends, np.minimum(behind, next_start))
    return moved


def _unit_starts(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], classes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """A token goes on with a unit if it is glued to the one before by two word characters."""
    if not len(starts):
        return np.zeros(0, dtype=bool)
    word = _IN_WORD[classes]
    glued = np.zeros(len(starts), dtype=bool)
    touching = starts[1:] <= ends[:-1]
    glued[1:] = touching & word[starts[1:]] & word[np.maximum(starts[1:] - 1, 0)]
    # Several tokens for one character (byte-level pieces of an emoji) are one unit.
    glued[1:] |= starts[1:] < ends[:-1]
    return ~glued


def _case_feature(
    starts: npt.NDArray[np.int64], classes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Case of the whole word that a token stands in, ``(tokens,)``."""
    word = _IN_WORD[classes]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], word, [False])).astype(np.int8)))
    first, last = edges[::2], edges[1::2]
    kinds = np.full(len(classes) + 1, _MARK, dtype=np.int64)
    if len(first):
        counts = {
            name: np.concatenate(([0], np.cumsum(classes == name)))
            for name in (chars.LOWER, chars.UPPER, chars.DIGIT)
        }
        lower, upper, digit = (counts[n][last] - counts[n][first] for n in counts)
        kind = np.full(len(first), _MIXED)
        kind[(upper > 0) & (lower == 0) & (digit == 0)] = _UPPER
        kind[(upper == 1) & (classes[first] == chars.UPPER) & (digit == 0)] = _TITLE
        kind[(upper == 1) & (lower == 0) & (last - first == 1)] = _TITLE
        kind[(upper == 0) & (digit == 0)] = _LOWER
        kind[(digit > 0) & (upper == 0) & (lower == 0)] = _DIGITS
        kinds[np.flatnonzero(word)] = np.repeat(kind, last - first)
    return kinds[starts]


def _break_feature(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], classes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """What stands before a token: 1 nothing, 2 a space, 3 a line break, 4 a blank line."""
    before = np.concatenate(([0], ends[:-1]))
    lines = np.concatenate(([0], np.cumsum(classes == chars.NEWLINE)))
    returns = lines[starts] - lines[np.minimum(before, starts)]
    feature = np.where(starts > before, 2, 1)
    feature[returns == 1] = 3
    feature[returns > 1] = 4
    feature[0] = 4
    return feature
