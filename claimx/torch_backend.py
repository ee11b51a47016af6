"""Models run by torch, on CUDA GPUs or CPUs: works everywhere, and is what others are held to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from claimx.batching import ROUND_TO, PaddedWindows
from claimx.checkpoint import Checkpoint
from claimx.engine import DEVICES, DTYPES, Engine, Floats, Integers, Outputs
from claimx.errors import ClaimxError, ConfigError
from claimx.modeling import ClaimxModel
from claimx.options import one_of

_DTYPES = {name: getattr(torch, name) for name in DTYPES}
# Padded tokens in a forward pass.
_TOKENS_AT_ONCE = {"cpu": 4_096, "cuda": 65_536}
_logger = logging.getLogger("claimx")


@dataclass(frozen=True, slots=True)
class _Running:
    """A pass that was started, and whose outputs may still be on their way from a GPU."""

    logits: dict[str, torch.Tensor]
    states: torch.Tensor
    arrived: torch.cuda.Event | None


class TorchBackend:
    """A loaded model on a device.

    Args:
        model: taken over: it is moved to the device and the dtype.
        device: "auto" (CUDA if there is one), "cpu", "cuda", "cuda:1" ...
        dtype: "auto" (bfloat16 where the chip multiplies it in hardware, else float32), or a name.

    Raises:
        ConfigError: if the device or dtype cannot be used.
    """

    name = "torch"
    round_to = ROUND_TO

    def __init__(self, model: ClaimxModel, device: str = "auto", dtype: str = "auto") -> None:
        self._device = pick_device(device)
        self.device = str(self._device)
        self._on_gpu = self._device.type == "cuda"
        self.dtype = pick_dtype(dtype, self._device)
        self.model = model
        self.model.to(device=self._device, dtype=_DTYPES[self.dtype])  # type: ignore[call-arg]
        self.tokens_at_once = _TOKENS_AT_ONCE.get(self._device.type, _TOKENS_AT_ONCE["cuda"])
        self._took_less = False

    def passes(self, batches: Iterable[PaddedWindows]) -> Iterator[Outputs]:
        """Run batches of windows through the model; outputs come in the same order.

        On a GPU the next pass is started before the outputs of the last are waited for.
        """
        waiting: list[_Running] = []
        for batch in batches:
            started = self._start(batch)
            if waiting:
                yield _collect(waiting)
            waiting = started
        if waiting:
            yield _collect(waiting)

    @torch.inference_mode()
    def link_scores(self, edges: Floats, kinds: Integers, pairs: Sequence[Integers]) -> Floats:
        """Score pairs of spans; see `claimx.engine.Backend`."""
        scorer = self.model.links
        states = torch.from_numpy(edges).to(self._device, _DTYPES[self.dtype])
        spans = scorer.edge_states(states, torch.from_numpy(kinds).to(self._device))
        scores = scorer(spans, *(torch.from_numpy(column).to(self._device) for column in pairs))
        values: Floats = scores.float().cpu().numpy()
        return values

    @torch.inference_mode()
    def _start(self, batch: PaddedWindows) -> list[_Running]:
        """Start a pass, or several if the device's memory does not suffice for one."""
        started: list[_Running] = []
        rows, width = batch.input_ids.shape
        begin = 0
        while begin < rows:
            # What did not fit before is not tried again.
            count = max(1, self.tokens_at_once // width) if self._took_less else rows
            part = batch.rows(begin, begin + count)
            running = self._attempt(part)
            if running is None:
                self._take_less(len(part.input_ids), width)
                continue
            started.append(running)
            begin += count
        return started

    def _attempt(self, batch: PaddedWindows) -> _Running | None:
        """Run the model over some windows; None if the device's memory does not suffice.

        The error ends here, for it holds on to what the pass had allocated.
        """
        try:
            arrays = (batch.input_ids, batch.attention_mask, batch.features)
            logits, states = self.model(*map(self._there, arrays))
            outputs = {name: self._back(values) for name, values in logits.items()}
            running = _Running(outputs, self._back(states), self._event())
        except torch.OutOfMemoryError:
            return None
        return running

    def _there(self, array: Integers) -> torch.Tensor:
        values = torch.from_numpy(array)
        if not self._on_gpu:
            return values.to(self._device)
        return values.pin_memory().to(self._device, non_blocking=True)

    def _back(self, values: torch.Tensor) -> torch.Tensor:
        if not self._on_gpu:
            return values.cpu()
        host = torch.empty(values.shape, dtype=values.dtype).pin_memory()
        return host.copy_(values, non_blocking=True)

    def _event(self) -> torch.cuda.Event | None:
        if not self._on_gpu:
            return None
        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(self._device))
        return event

    def _take_less(self, count: int, width: int) -> None:
        """Halve what is read at once, after a pass of so many windows did not fit.

        Raises:
            ClaimxError: if that was a single window.
        """
        if self._on_gpu:
            torch.cuda.empty_cache()
        if count == 1:
            raise ClaimxError(
                f"a single window of {width} tokens does not fit into the memory of "
                f"{self.device}; free memory there, or use another device or a smaller model"
            )
        if not self._took_less:
            _logger.warning(
                "out of memory on %s in a pass of %d windows; from now on it reads fewer at once",
                self.device, count,
            )  # fmt: skip
        self._took_less = True
        self.tokens_at_once = min(self.tokens_at_once, count // 2 * width)


def _collect(running: Sequence[_Running]) -> Outputs:
    """Wait for the outputs of a pass, and join the parts that it was run in."""
    for part in running:
        if part.arrived is not None:
            part.arrived.synchronize()
    logits = {
        name: np.concatenate([part.logits[name].float().numpy() for part in running])
        for name in running[0].logits
    }
    return Outputs(logits, np.concatenate([part.states.float().numpy() for part in running]))


def torch_engine(checkpoint: Checkpoint, device: str = "auto", dtype: str = "auto") -> Engine:
    """Make a loaded model ready to read; see `TorchBackend`.

    The engine reads by the model's config, as it is at each moment.
    """
    backend = TorchBackend(checkpoint.model, device, dtype)
    return Engine(
        checkpoint.model.config, checkpoint.tokenizer, backend,
        name=checkpoint.name, training=checkpoint.training,
    )  # fmt: skip


def pick_device(name: str) -> torch.device:
    """Say which device a name stands for.

    Raises:
        ConfigError: if there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(f"{DEVICES}, got {name!r}") from error
    if device.type not in _TOKENS_AT_ONCE:
        raise ConfigError(f"{DEVICES}, got {name!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} was asked for, but torch sees no CUDA GPU")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device {name!r} was asked for, but torch sees {torch.cuda.device_count()} CUDA "
            f"GPU(s), counted from cuda:0"
        )
    return device


def pick_dtype(name: str, device: torch.device) -> str:
    """Say which dtype a name stands for on a device.

    Raises:
        ConfigError: if there is no such dtype.
    """
    one_of("dtype", name, ("auto", *DTYPES))
    if name == "auto":
        return "bfloat16" if bfloat16_pays(device) else "float32"
    return name


def bfloat16_pays(device: torch.device) -> bool:
    """Say whether the chip multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
