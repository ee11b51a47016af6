"""Which backend, device and dtype a model runs with, and making it ready to read.

"auto" takes what is quickest on the machine among what gives the results of float32: CUDA if there
is a GPU, else OpenVINO if it is installed, else torch; bfloat16 where the chip multiplies it in
hardware. torch is loaded only if it is chosen, or to export a model for the first time.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from claimx.engine import DEVICES, DTYPES, Engine, behind_a_model
from claimx.errors import CheckpointError, ConfigError
from claimx.folder import ModelFolder, open_folder, written_whole
from claimx.hub import find_model
from claimx.openvino_backend import (
    OpenVINOBackend,
    export_place,
    is_exported,
    openvino_version,
    pick_dtype,
)
from claimx.options import one_of, whole_number

BACKENDS = ("torch", "openvino")
_MOST_THREADS = 1_024  # each takes memory and time to set up: with a million it is minutes
_told: set[str] = set()  # what is said once in a process
_logger = logging.getLogger("claimx")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model runs with.

    Args:
        backend: one of BACKENDS.
        device: "cpu", "cuda", "cuda:1" ...
        dtype: "float32", "bfloat16" or "float16".
    """

    backend: str
    device: str
    dtype: str


def choose(backend: str = "auto", device: str = "auto", dtype: str = "auto") -> Choice:
    """Say what "auto" stands for here, without loading a model.

    Args:
        backend: "auto", "torch" or "openvino".
        device: "auto", "cpu", "cuda", "cuda:1" ...
        dtype: "auto", "float32", "bfloat16" or "float16".

    Raises:
        ConfigError: if there is nothing of that name, or not here.
    """
    one_of("backend", backend, ("auto", *BACKENDS))
    one_of("dtype", dtype, ("auto", *DTYPES))
    if not isinstance(device, str):
        raise ConfigError(f"{DEVICES}, got {device!r}")
    if backend == "openvino" and device not in ("auto", "cpu"):
        raise ConfigError(f"OpenVINO runs on the CPU, not on {device!r}: use --backend torch")
    suits = device == "cpu" or backend == "openvino" or (device == "auto" and not may_have_cuda())
    usable = openvino_version() is not None and dtype != "float16"
    if backend == "openvino" or (backend == "auto" and suits and usable):
        return Choice("openvino", "cpu", pick_dtype(dtype))
    if backend == "auto" and suits and openvino_version() is not None:
        _logger.warning("torch runs the model, since OpenVINO does not calculate in float16")
    from claimx import torch_backend

    place = torch_backend.pick_device(device)
    return Choice("torch", str(place), torch_backend.pick_dtype(dtype, place))


def may_have_cuda() -> bool:
    """Say whether a driver for CUDA GPUs is installed, which is known without torch."""
    names = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def open_engine(
    model: str | os.PathLike[str] | None = None,
    *,
    backend: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int = 0,
) -> Engine:
    """Make a model ready to read.

    Args:
        model: None for the packaged model; else a folder, or a name.
        backend: see `choose`.
        device: see `choose`.
        dtype: see `choose`.
        threads: processors that OpenVINO takes; 0 is all. Under torch a number is said, once, to
            do nothing: torch has one for the whole process, which is not ours to change.

    Raises:
        CheckpointError: if the model is missing, damaged or of a newer format, or cannot be
            exported to a backend that was asked for by name.
        ConfigError: if there is no such backend, device, dtype or number of threads, or not here,
            as behind a fork.
    """
    threads = whole_number("threads", threads, 0, _MOST_THREADS, "all processors")
    if behind_a_model():
        backend, device = _without_threads(backend, device)
    choice = choose(backend, device, dtype)
    folder = open_folder(find_model(model))
    if choice.backend == "openvino":
        try:
            return _openvino_engine(folder, choice, threads)
        except CheckpointError as error:
            if backend != "auto":
                raise
            _logger.warning("%s; it is run by torch instead", error)
            choice = choose("torch", device, dtype)
    if threads and "threads" not in _told:
        _told.add("threads")
        _logger.warning(
            "threads=%d does nothing where torch runs the model: torch.set_num_threads(%d) does it "
            "for the whole process", threads, threads,
        )  # fmt: skip
    from claimx.checkpoint import load_checkpoint
    from claimx.torch_backend import torch_engine

    return torch_engine(load_checkpoint(folder), choice.device, choice.dtype)


def _without_threads(backend: str, device: str) -> tuple[str, str]:
    """Let torch run on one thread, where those of the process before the fork are gone.

    Raises:
        ConfigError: if something else was asked for by name.
    """
    if backend not in ("auto", "torch") or device not in ("auto", "cpu"):
        raise ConfigError(
            "this process was forked from one that has made an Extractor, and only torch on the "
            "CPU can be used here: start workers by spawn, or fork before that"
        )
    import torch

    torch.set_num_threads(1)
    return "torch", "cpu"


def _openvino_engine(folder: ModelFolder, choice: Choice, threads: int) -> Engine:
    layers = [layer.name for layer in folder.settings.label_schema.layers]

    def load(place: Path) -> OpenVINOBackend:
        return OpenVINOBackend(place, layers, choice.dtype, threads)

    return Engine(
        folder.settings, folder.tokenizer, with_export(folder, load),
        name=folder.name, training=folder.training,
    )  # fmt: skip


def with_export(folder: ModelFolder, use: Callable[[Path], _T]) -> _T:
    """Use the exported files of a model, which are made first if they are not there.

    Args:
        folder: the model.
        use: told where they are.

    Raises:
        CheckpointError: if the model cannot be exported.
    """
    place = export_place(folder)
    if is_exported(place):
        return use(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(place, lambda _: True) as fresh:
            _export(folder, fresh)
        return use(place)
    except (CheckpointError, OSError) as error:
        if is_exported(place):  # by another process, at the same time
            return use(place)
        if isinstance(error, CheckpointError) and not isinstance(error.__cause__, OSError):
            raise
        _logger.warning("%s: the exported model is not kept, and made anew each time", error)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        _export(folder, Path(scratch))
        return use(Path(scratch))


def _export(folder: ModelFolder, fresh: Path) -> None:
    from claimx.checkpoint import load_checkpoint
    from claimx.export import export_openvino

    _logger.info("exporting %s to OpenVINO, once", folder.name)
    export_openvino(load_checkpoint(folder), fresh)
