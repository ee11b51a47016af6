"""Running a model: encoded texts in, scores of units and of links out.

Windows of many texts share forward passes; what comes out for one text does not depend on the
others. The engine knows texts, windows and units. What multiplies matrices is a `Backend`, which
knows padded arrays alone: torch (`claimx.torch_backend`) or OpenVINO (`claimx.openvino_backend`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from claimx.batching import PaddedWindows, pad_windows, padded_length, special_tokens
from claimx.decoding import ChosenLink, choose_links
from claimx.encoding import Encoding, encode
from claimx.errors import ClaimxError
from claimx.labels import LabelSchema, Layer
from claimx.pairs import LinkSpan, propose_pairs, span_kinds
from claimx.windows import Window, plan_windows

_LINKS_AT_ONCE = 16_384
DTYPES = ("float32", "bfloat16", "float16")
DEVICES = "device is 'auto', 'cpu', 'cuda', or one GPU such as 'cuda:1'"

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class Reading(Protocol):
    """How a model reads and decodes: `claimx.folder.Settings`, or the config of a loaded model."""

    @property
    def window(self) -> int: ...  # noqa: D102
    @property
    def overlap(self) -> int: ...  # noqa: D102
    @property
    def calibration(self) -> Mapping[str, Sequence[float]]: ...  # noqa: D102
    @property
    def persistence(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def link_thresholds(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def label_schema(self) -> LabelSchema: ...  # noqa: D102


class Outputs(NamedTuple):
    """What comes out of a forward pass.

    Args:
        logits: layer -> ``(batch, tokens, tags)``.
        states: what links are scored from, ``(batch, tokens, link_size)``.
    """

    logits: Mapping[str, Floats]
    states: Floats


class Backend(Protocol):
    """What multiplies the matrices of a model.

    Attributes:
        name: "torch" or "openvino".
        device: "cpu", "cuda", "cuda:1" ...
        dtype: "float32", "bfloat16" or "float16".
        tokens_at_once: padded tokens that a pass should have at most; may shrink.
        round_to: what the width of a pass is a multiple of.
    """

    name: str
    device: str
    dtype: str
    tokens_at_once: int
    round_to: int

    def passes(self, batches: Iterable[PaddedWindows]) -> Iterator[Outputs]:
        """Run batches of windows through the model; outputs come in the same order."""

    def link_scores(self, edges: Floats, kinds: Integers, pairs: Sequence[Integers]) -> Floats:
        """Score pairs of spans.

        Args:
            edges: states of the first and the last unit of each span, ``(spans, 2 * link_size)``.
            kinds: number of its (layer, label), ``(spans,)``.
            pairs: heads, tails, types, each ``(pairs,)``, and features ``(pairs, features)``.

        Returns:
            ``(pairs,)``; relative to "no link", which is 0.
        """


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as the model reads it."""

    text: str
    encoding: Encoding
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class UnitScores:
    """Outputs for the units of one text.

    Args:
        logits: layer -> ``(units, tags)``.
        states: what links are scored from, ``(units, link_size)``.
    """

    logits: dict[str, Floats]
    states: Floats


_processes: dict[str, int] = {}  # "first": that in which the first engine was made


def behind_a_model() -> bool:
    """Say whether this process was forked from one that had made a model ready to read.

    The threads that models run on do not survive a fork; waiting for them has no end.
    """
    return _processes.get("first", os.getpid()) != os.getpid()


class Engine:
    """A model that is ready to read.

    Args:
        config: how it reads and decodes.
        tokenizer: without truncation and padding.
        backend: what runs it.
        name: name, version and short weights hash, as written into records.
        training: how it was trained; empty if nobody knows.
    """

    def __init__(
        self,
        config: Reading,
        tokenizer: Tokenizer,
        backend: Backend,
        *,
        name: str,
        training: Mapping[str, Any],
    ) -> None:
        self.config = config
        self.backend = backend
        self.name = name
        self.training = training
        self.schema = config.label_schema
        self.kinds = span_kinds(self.schema)
        self._tokenizer = tokenizer
        self._special = special_tokens(tokenizer)
        self._process = os.getpid()
        _processes.setdefault("first", self._process)

    def encode(self, text: str) -> EncodedText:
        """Tokenise a text without lone surrogates and plan its windows."""
        encoding = encode(text, self._tokenizer)
        windows = plan_windows(encoding.unit_starts, self.config.window, self.config.overlap)
        return EncodedText(text, encoding, windows)

    def score(self, texts: Sequence[EncodedText], layers: Sequence[Layer]) -> list[UnitScores]:
        """Run the model over all windows and put the parts of each text together.

        Args:
            texts: any number of texts.
            layers: layers whose logits are wanted; link states always come along.

        Raises:
            ClaimxError: in a process that was forked from the one that made this.
        """
        if os.getpid() != self._process:
            raise ClaimxError(
                "this Extractor was made before the process was forked, which models do not "
                "survive: start workers by spawn, or fork before the first Extractor is made"
            )
        sizes = [int(text.encoding.unit_starts.sum()) for text in texts]
        ends = np.cumsum(sizes, dtype=np.int64)
        first = ends - sizes  # of each text, in tables that hold the units of all
        units = [
            np.cumsum(text.encoding.unit_starts) + (begin - 1)
            for text, begin in zip(texts, first, strict=True)
        ]
        logits = {
            layer.name: np.zeros((sum(sizes), len(layer.tags)), dtype=np.float32)
            for layer in layers
        }
        states: Floats | None = None
        parts: list[Sequence[tuple[int, Window]]] = []
        for number, outputs in enumerate(self.backend.passes(self._batches(texts, parts))):
            width = outputs.states.shape[1]
            sources, targets = self._places(texts, units, parts[number], width)
            parts[number] = ()
            for name, table in logits.items():
                table[targets] = _by_token(outputs.logits[name])[sources]
            if states is None:
                states = np.zeros((sum(sizes), outputs.states.shape[2]), dtype=np.float32)
            states[targets] = _by_token(outputs.states)[sources]
        if states is None:
            states = np.zeros((sum(sizes), 0), dtype=np.float32)
        return [
            UnitScores({name: table[a:b] for name, table in logits.items()}, states[a:b])
            for a, b in zip(first, ends, strict=True)
        ]

    def link(
        self, text: EncodedText, scores: UnitScores, spans: Sequence[LinkSpan]
    ) -> list[ChosenLink]:
        """Score all pairs that the schema allows and choose links."""
        if not spans or not self.schema.links:
            return []
        pairs = propose_pairs(text.text, text.encoding.states, spans, self.schema)
        if not len(pairs.heads):
            return []
        first, last, kinds = np.array(
            [(span.first_unit, span.last_unit, self.kinds[span.kind]) for span in spans],
            dtype=np.int64,
        ).T
        values = []
        for begin in range(0, len(pairs.heads), _LINKS_AT_ONCE):
            part = slice(begin, begin + _LINKS_AT_ONCE)
            ends = np.concatenate([pairs.heads[part], pairs.tails[part]])
            # Only the spans of these pairs: all of them each time would cost the square of a text.
            used, places = np.unique(ends, return_inverse=True)
            edges = np.concatenate([scores.states[first[used]], scores.states[last[used]]], axis=1)
            heads, tails = np.split(places.astype(np.int64), 2)
            columns = (heads, tails, pairs.types[part], pairs.features[part])
            values.append(self.backend.link_scores(edges, kinds[used], columns))
        return choose_links(np.concatenate(values), pairs, self.schema, self.config.link_thresholds)

    def _batches(
        self, texts: Sequence[EncodedText], parts: list[Sequence[tuple[int, Window]]]
    ) -> Iterator[PaddedWindows]:
        """Divide all windows into passes, and note in ``parts`` which windows each one holds.

        Windows are sorted by length, so that little is padded, and passes filled by tokens.
        """
        items = [(number, window) for number, text in enumerate(texts) for window in text.windows]
        items.sort(key=lambda item: item[1].start - item[1].end)
        begin = 0
        while begin < len(items):
            longest = padded_length(
                items[begin][1].end - items[begin][1].start, self._special, self.backend.round_to
            )
            count = max(1, self.backend.tokens_at_once // longest)
            part = items[begin : begin + count]
            parts.append(part)
            yield self._pad(texts, part, longest)
            begin += count

    def _places(
        self,
        texts: Sequence[EncodedText],
        units: Sequence[Integers],
        part: Sequence[tuple[int, Window]],
        width: int,
    ) -> tuple[Integers, Integers]:
        """Say which tokens of a pass begin a unit that their window owns, and which unit it is."""
        sources, targets = [], []
        for row, (number, window) in enumerate(part):
            starts = texts[number].encoding.unit_starts
            owned = window.own_start + np.flatnonzero(starts[window.own_start : window.own_end])
            sources.append(owned + (row * width + len(self._special.prefix) - window.start))
            targets.append(units[number][owned])
        return np.concatenate(sources), np.concatenate(targets)

    def _pad(
        self, texts: Sequence[EncodedText], batch: Sequence[tuple[int, Window]], width: int
    ) -> PaddedWindows:
        pieces = []
        for number, window in batch:
            encoding, part = texts[number].encoding, slice(window.start, window.end)
            pieces.append((encoding.ids[part], encoding.features[part]))
        return pad_windows(pieces, self._special, width)


def _by_token(values: Floats) -> Floats:
    return values.reshape(-1, values.shape[-1])
