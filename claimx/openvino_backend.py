"""Models run by OpenVINO, on CPUs: the same numbers as torch's, sooner, and ready without torch.

What OpenVINO reads is exported once (`claimx.export`) into the user's cache, in a folder that is
named after everything it was made from, and only read from then on. Each processor runs passes of
its own: small ones, side by side, keep to their caches and never wait for each other.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from weakref import WeakSet

import numpy as np

from claimx.batching import PaddedWindows
from claimx.engine import Floats, Integers, Outputs
from claimx.errors import CheckpointError, ConfigError
from claimx.extras import needed
from claimx.folder import TOKENIZER, ModelFolder, file_sha256, read_object
from claimx.hub import CONFIG

READING, LINKING, RECEIPT = "reading.xml", "linking.xml", "export.json"
# Of what `claimx.export` writes; raised whenever that changes.
EXPORT_FORMAT = 1
_HINTS = {"float32": "f32", "bfloat16": "bf16"}
# Padded tokens in a pass: what a processor's own caches hold is quickest.
_TOKENS_AT_ONCE = 1_056


def openvino_version() -> str | None:
    """Return the version of OpenVINO; None if it is not installed."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return None


def openvino() -> Any:
    """Import OpenVINO.

    Raises:
        ClaimxError: if it is not installed.
    """
    return needed("openvino", "openvino", "backend openvino", extra="fast")


def bfloat16_pays() -> bool:
    """Say whether the chip multiplies bfloat16 matrices in hardware."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def pick_dtype(name: str) -> str:
    """Say which dtype a name stands for.

    Raises:
        ConfigError: if there is no such dtype.
    """
    if name == "auto":
        return "bfloat16" if bfloat16_pays() else "float32"
    if name not in _HINTS:
        raise ConfigError(f"under OpenVINO dtype is one of {['auto', *_HINTS]}, got {name!r}")
    return name


def processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_living: WeakSet[OpenVINOBackend] = WeakSet()
_kept: list[OpenVINOBackend] = []  # OpenVINO crashes where one is freed behind a fork
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _kept.extend(_living))


class OpenVINOBackend:
    """An exported model on the CPU.

    Args:
        folder: what `claimx.export.export_openvino` wrote.
        layers: names of the model's layers, in order.
        dtype: "auto" (bfloat16 where the chip multiplies it in hardware, else float32), or a name.
        threads: passes that run side by side, each on one processor; 0 is one for each processor.

    Raises:
        CheckpointError: if OpenVINO cannot read the files.
        ConfigError: if it is not installed, or there is no such dtype.
    """

    name = "openvino"
    device = "cpu"
    round_to = 2  # few tokens of padding; its memory does not depend on the number of widths

    def __init__(
        self, folder: Path, layers: Sequence[str], dtype: str = "auto", threads: int = 0
    ) -> None:
        core = openvino().Core()
        _living.add(self)
        self.dtype = pick_dtype(dtype)
        self.threads = threads or processors()
        self.tokens_at_once = _TOKENS_AT_ONCE
        self._layers = tuple(layers)
        try:
            reading = core.compile_model(
                core.read_model(folder / READING), "CPU",
                {
                    "INFERENCE_PRECISION_HINT": _HINTS[self.dtype],
                    "NUM_STREAMS": self.threads,
                    "INFERENCE_NUM_THREADS": self.threads,
                },
            )  # fmt: skip
            linking = core.compile_model(
                core.read_model(folder / LINKING), "CPU",
                {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1},
            )  # fmt: skip
        except RuntimeError as error:
            raise CheckpointError(f"{folder} cannot be read by OpenVINO: {error}") from error
        # One more than can run, so that the next is waiting when one ends.
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.threads + 1):
            self._idle.put(reading.create_infer_request())
        self._linkers: SimpleQueue[Any] = SimpleQueue()
        self._linkers.put(linking.create_infer_request())

    def passes(self, batches: Iterable[PaddedWindows]) -> Iterator[Outputs]:
        """Run batches of windows through the model; outputs come in the same order."""
        running: deque[Any] = deque()
        try:
            for batch in batches:
                # While others hold all requests, what was started here is finished first, so that
                # nobody waits for someone who waits for him.
                while running and self._idle.empty():
                    yield self._collect(running)
                request = self._idle.get()
                running.append(request)
                request.start_async([batch.input_ids, batch.attention_mask, batch.features])
            while running:
                yield self._collect(running)
        finally:
            for request in running:
                request.wait()
                self._idle.put(request)

    def link_scores(self, edges: Floats, kinds: Integers, pairs: Sequence[Integers]) -> Floats:
        """Score pairs of spans; see `claimx.engine.Backend`."""
        request = self._linkers.get()
        try:
            request.infer([edges, kinds, *map(np.ascontiguousarray, pairs)])
            scores: Floats = np.array(request.output_tensors[0].data)
        finally:
            self._linkers.put(request)
        return scores

    def _collect(self, running: deque[Any]) -> Outputs:
        """Wait for the pass that was started first and take its outputs."""
        request = running[0]
        request.wait()
        *logits, states = (np.array(tensor.data) for tensor in request.output_tensors)
        running.popleft()
        self._idle.put(request)
        return Outputs(dict(zip(self._layers, logits, strict=True)), states)


# ---- exported files ---------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where exported models are kept: ``$CLAIMX_CACHE``, or the system's place for caches."""
    if named := os.environ.get("CLAIMX_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        place = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        place = Path.home() / "Library" / "Caches"
    else:
        place = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(place) / "claimx"


def export_place(model: ModelFolder) -> Path:
    """Where the exported files of a model are, or would be: the name says all they depend on."""
    parts = (
        model.weights_hash,
        file_sha256(model.path / CONFIG),
        file_sha256(model.path / TOKENIZER),
        str(openvino_version()),
        str(EXPORT_FORMAT),
    )
    digest = sha256("\n".join(parts).encode()).hexdigest()
    return cache_folder() / f"openvino-{digest[:32]}"


def is_exported(folder: Path) -> bool:
    """Say whether a folder holds an exported model, all of it and undamaged."""
    try:
        hashes = read_object(folder / RECEIPT)["sha256"]
        named = {READING, LINKING} <= hashes.keys()
        return named and all(
            file_sha256(folder / Path(name).name) == hashes[name] for name in hashes
        )
    except (CheckpointError, OSError, KeyError, TypeError, AttributeError):
        return False


def write_receipt(folder: Path) -> None:
    """Write down the hashes of an export, as its last file."""
    hashes = {path.name: file_sha256(path) for path in sorted(folder.iterdir())}
    receipt = {"format": EXPORT_FORMAT, "openvino": openvino_version(), "sha256": hashes}
    (folder / RECEIPT).write_text(json.dumps(receipt, indent=1) + "\n", "utf-8")
