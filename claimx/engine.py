"""Running the model: encoded texts in, scores of units and of links out.

Windows of many texts share forward passes; what comes out for one text does not depend on the
others. This is the only module of inference that handles tensors.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from claimx.batching import PaddedWindows, pad_windows, padded_length, special_tokens
from claimx.checkpoint import Checkpoint
from claimx.decoding import ChosenLink, choose_links
from claimx.encoding import Encoding, encode
from claimx.errors import ClaimxError, ConfigError
from claimx.labels import LabelSchema, Layer
from claimx.pairs import LinkSpan, propose_pairs, span_kinds
from claimx.windows import Window, plan_windows

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_LINKS_AT_ONCE = 65_536
# Padded tokens in a forward pass.
_TOKENS_AT_ONCE = {"cpu": 4_096, "cuda": 65_536}

_Part = list[tuple[int, Window]]
_Outputs = tuple[dict[str, torch.Tensor], torch.Tensor]
_logger = logging.getLogger("claimx")


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
        states: what links are scored from, ``(units, link_size)``, on the model's device.
    """

    logits: dict[str, npt.NDArray[np.float32]]
    states: torch.Tensor


class Engine:
    """A loaded model on a device.

    Args:
        checkpoint: model and tokenizer.
        device: "auto" (CUDA if there is one), "cpu", "cuda", "cuda:1" ...
        dtype: "auto" (float32 on CPUs, bfloat16 on GPUs that have it), or a name.

    Raises:
        ConfigError: if the device or dtype cannot be used.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto", dtype: str = "auto") -> None:
        self.device = _pick_device(device)
        self.dtype = _pick_dtype(dtype, self.device)
        self.config = checkpoint.model.config
        self.schema: LabelSchema = self.config.label_schema
        self.kinds = span_kinds(self.schema)
        self._tokenizer = checkpoint.tokenizer
        self._special = special_tokens(checkpoint.tokenizer)
        self._model = checkpoint.model
        self._model.to(device=self.device, dtype=self.dtype)  # type: ignore[call-arg]
        self._tokens_at_once = _TOKENS_AT_ONCE.get(self.device.type, _TOKENS_AT_ONCE["cuda"])
        self._took_less = False

    def encode(self, text: str) -> EncodedText:
        """Tokenise a text without lone surrogates and plan its windows."""
        encoding = encode(text, self._tokenizer)
        windows = plan_windows(encoding.unit_starts, self.config.window, self.config.overlap)
        return EncodedText(text, encoding, windows)

    @torch.inference_mode()
    def score(self, texts: Sequence[EncodedText], layers: Sequence[Layer]) -> list[UnitScores]:
        """Run the model over all windows and put the parts of each text together.

        Args:
            texts: any number of texts.
            layers: layers whose logits are wanted; link states always come along.
        """
        sizes = [int(text.encoding.unit_starts.sum()) for text in texts]
        results = [
            UnitScores(
                {name: np.zeros((size, tags), dtype=np.float32) for name, tags in wanted},
                torch.zeros(size, self.config.link_size, device=self.device, dtype=self.dtype),
            )
            for wanted in [[(layer.name, len(layer.tags)) for layer in layers]]
            for size in sizes
        ]
        units = [np.cumsum(text.encoding.unit_starts) - 1 for text in texts]
        for batch, scored, linked in self._passes(texts):
            arrays = {layer.name: scored[layer.name].float().cpu().numpy() for layer in layers}
            for row, (number, window) in enumerate(batch):
                owned = np.arange(window.own_start, window.own_end)
                owned = owned[texts[number].encoding.unit_starts[owned]]
                columns = owned - window.start + len(self._special.prefix)
                where = units[number][owned]
                for name, array in arrays.items():
                    results[number].logits[name][where] = array[row, columns]
                source = torch.from_numpy(columns).to(self.device)
                target = torch.from_numpy(where).to(self.device)
                results[number].states[target] = linked[row, source]
        return results

    @torch.inference_mode()
    def link(
        self, text: EncodedText, scores: UnitScores, spans: Sequence[LinkSpan]
    ) -> list[ChosenLink]:
        """Score all pairs that the schema allows and choose links."""
        if not spans or not self.schema.links:
            return []
        pairs = propose_pairs(text.text, text.encoding.states, spans, self.schema)
        if not len(pairs.heads):
            return []
        scorer = self._model.links
        table = torch.tensor(
            [(span.first_unit, span.last_unit, self.kinds[span.kind]) for span in spans],
            device=self.device,
        )
        states = scorer.span_states(scores.states, *table.unbind(1))
        columns = (pairs.heads, pairs.tails, pairs.types, pairs.features)
        parts = []
        for begin in range(0, len(pairs.heads), _LINKS_AT_ONCE):
            part = slice(begin, begin + _LINKS_AT_ONCE)
            inputs = (torch.from_numpy(column[part]).to(self.device) for column in columns)
            parts.append(scorer(states, *inputs).float().cpu().numpy())
        values = np.concatenate(parts)
        return choose_links(values, pairs, self.schema, self.config.link_thresholds)

    def _passes(
        self, texts: Sequence[EncodedText]
    ) -> Iterator[tuple[_Part, dict[str, torch.Tensor], torch.Tensor]]:
        """Run all windows through the model, as many at once as memory holds.

        Windows are sorted by length, so that little is padded, and batches filled by tokens.
        """
        items = [(number, window) for number, text in enumerate(texts) for window in text.windows]
        items.sort(key=lambda item: item[1].start - item[1].end)
        while items:
            longest = padded_length(items[0][1].end - items[0][1].start, self._special)
            count = min(len(items), max(1, self._tokens_at_once // longest))
            outputs = self._attempt(texts, items[:count])
            if outputs is None:
                self._take_less(count, longest)
                continue
            yield items[:count], *outputs
            items = items[count:]

    def _attempt(self, texts: Sequence[EncodedText], part: _Part) -> _Outputs | None:
        """Run the model over some windows; None if the device's memory does not suffice.

        The error ends here, for it holds on to what the pass had allocated.
        """
        try:
            outputs: _Outputs = self._model(*self._tensors(self._pad(texts, part)))
            return outputs
        except torch.OutOfMemoryError:
            return None

    def _take_less(self, count: int, longest: int) -> None:
        """Halve what is read at once, after a pass of so many windows did not fit.

        Raises:
            ClaimxError: if that was a single window.
        """
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if count == 1:
            raise ClaimxError(
                f"a single window of {longest} tokens does not fit into the memory of "
                f"{self.device}; free memory there, or use another device or a smaller model"
            )
        if not self._took_less:
            _logger.warning(
                "out of memory on %s in a pass of %d windows; from now on it reads fewer at once",
                self.device, count,
            )  # fmt: skip
        self._took_less = True
        self._tokens_at_once = min(self._tokens_at_once, count // 2 * longest)

    def _pad(
        self, texts: Sequence[EncodedText], batch: Sequence[tuple[int, Window]]
    ) -> PaddedWindows:
        pieces = []
        for number, window in batch:
            encoding, part = texts[number].encoding, slice(window.start, window.end)
            pieces.append((encoding.ids[part], encoding.features[part]))
        return pad_windows(pieces, self._special)

    def _tensors(self, padded: PaddedWindows) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        arrays = (padded.input_ids, padded.attention_mask, padded.features)
        first, second, third = (torch.from_numpy(array).to(self.device) for array in arrays)
        return first, second, third


def _pick_device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"no device {name!r}; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} was asked for, but torch sees no CUDA GPU")
    return device


def _pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """Full precision on CPUs, where results are promised to the last place; bfloat16 on GPUs."""
    if name == "auto":
        bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if bfloat16 else torch.float32
    if name not in _DTYPES:
        raise ConfigError(f"dtype is one of {['auto', *_DTYPES]}, got {name!r}")
    return _DTYPES[name]


def resolved(device: str, dtype: str) -> tuple[str, str]:
    """Say what a device and a dtype stand for here, "auto" too, without loading a model.

    Args:
        device: as `Engine` takes it.
        dtype: likewise.

    Returns:
        The kind of device, ``cpu`` or ``cuda``, and the name of the dtype.

    Raises:
        ConfigError: if the device or dtype cannot be used.
    """
    place = _pick_device(device)
    chosen = _pick_dtype(dtype, place)
    return place.type, next(name for name, kind in _DTYPES.items() if kind is chosen)


def bfloat16_pays(device: torch.device) -> bool:
    """Say whether the chip multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
