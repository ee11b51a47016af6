"""Weights on disk: a state dict as safetensors files, in full, half or 8-bit precision.

In 8 bits a matrix ``x`` is kept as four tensors: ``x``, whole numbers from -127 to 127;
``x.scale``, one per row, by which they are multiplied; ``x.outliers``, the few values that lie
beyond that range, as they are, and ``x.positions``, where they stand in the flattened matrix.
Biases, norms and small matrices are kept in half precision. What is read back is float32.

A row's scale is its root mean square divided by STEPS. Following the largest value instead, as is
usual, lets one outlier coarsen its whole row: the token states of a 12-layer encoder then move
twice as far. (SpQR keeps outliers apart for the same reason: Dettmers et al., 2023.) STEPS also
sets the size, for zip codes frequent numbers in fewer bits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from claimx.errors import CheckpointError, ConfigError
from claimx.folder import INDEX, WEIGHTS, weight_files, weight_map

STORAGES = ("float32", "float16", "int8")
# Scales to a root mean square: more is finer and larger. Values beyond 127 / STEPS times the root
# mean square are outliers; of a normal distribution 5 in a million, of encoders 4 in ten thousand.
STEPS = 28
# Matrices with fewer values than this are not worth 8 bits.
LEAST_VALUES = 2**17
# Bytes of tensors in one file; with its header it stays below the 100,000,000 of git hosts.
LARGEST_FILE = 99_000_000
_SCALE, _OUTLIERS, _POSITIONS = ".scale", ".outliers", ".positions"
_PARTS = (_SCALE, _OUTLIERS, _POSITIONS)


@dataclass(frozen=True, slots=True)
class Quantised:
    """A matrix in 8 bits.

    Args:
        numbers: int8, of the matrix's shape; 0 where an outlier stands.
        scale: bfloat16, one per row, so that number times scale is exact in float32.
        outliers: float32, the values that no number can stand for.
        positions: int32, where they stand in the flattened matrix, rising.
    """

    numbers: Tensor
    scale: Tensor
    outliers: Tensor
    positions: Tensor


# ---- numbers ----------------------------------------------------------------------------------


def quantise(matrix: Tensor) -> Quantised:
    """Round a matrix to whole numbers, row by row.

    A value is off by at most half its row's scale, an outlier and a zero not at all.

    Args:
        matrix: finite, of two or more dimensions and not empty.
    """
    rows = matrix.float().flatten(1)
    norms = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64)  # squares may overflow
    least = torch.finfo(torch.bfloat16).tiny  # rows of zeros need a scale too
    scale = norms.div(rows.shape[1] ** 0.5 * STEPS).to(torch.bfloat16).clamp_min(least)
    numbers = rows.div(scale.float()[:, None]).round_().flatten()
    positions = (numbers.abs() > 127).nonzero()[:, 0]
    outliers = rows.flatten()[positions]
    numbers[positions] = 0
    shaped = numbers.to(torch.int8).view(matrix.shape)
    return Quantised(shaped, scale, outliers, positions.to(torch.int32))


def dequantise(matrix: Quantised) -> Tensor:
    """Turn a matrix in 8 bits back into float32 values."""
    rows = matrix.numbers.flatten(1) * matrix.scale.float()[:, None]
    values = rows.flatten()
    values[matrix.positions.long()] = matrix.outliers
    return values.view(matrix.numbers.shape)


def pack(state: Mapping[str, Tensor], storage: str) -> dict[str, Tensor]:
    """Turn weights into the tensors that are stored.

    Args:
        state: weights in any precision, on any device.
        storage: one of STORAGES.

    Raises:
        CheckpointError: if a weight is not finite.
        ConfigError: if there is no such storage.
    """
    if storage not in STORAGES:
        raise ConfigError(f"storage is one of {', '.join(STORAGES)}, got {storage!r}")
    packed: dict[str, Tensor] = {}
    for name, value in state.items():
        if not value.is_floating_point():
            packed[name] = value.detach().to("cpu", copy=True).contiguous()
            continue
        full = value.detach().to("cpu", torch.float32, copy=True).contiguous()
        if not full.isfinite().all():
            raise CheckpointError(f"weights that are not finite cannot be stored: {name}")
        packed |= _PACKERS[storage](name, full)
    return packed


def _pack_full(name: str, value: Tensor) -> dict[str, Tensor]:
    return {name: value}


def _pack_half(name: str, value: Tensor) -> dict[str, Tensor]:
    half = value.half()
    return {name: half if half.isfinite().all() else value}


def _pack_int8(name: str, value: Tensor) -> dict[str, Tensor]:
    if value.ndim < 2 or not LEAST_VALUES <= value.numel() < 2**31:
        return _pack_half(name, value)
    matrix = quantise(value)
    parts = (matrix.scale, matrix.outliers, matrix.positions)
    names = (name + part for part in _PARTS)
    return {name: matrix.numbers, **dict(zip(names, parts, strict=True))}


_PACKERS = {"float32": _pack_full, "float16": _pack_half, "int8": _pack_int8}


def unpack(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn stored tensors back into weights, in float32.

    Raises:
        CheckpointError: if a weight is not finite, or the parts of a matrix in 8 bits are
            missing, do not fit each other or are out of range.
    """
    matrices = [name for name, value in stored.items() if value.dtype == torch.int8]
    parts = {name + part for name in matrices for part in _PARTS}
    weights = {
        name: value.float() if value.is_floating_point() else value
        for name, value in stored.items()
        if value.dtype != torch.int8 and name not in parts
    }
    weights |= {name: dequantise(_quantised(name, stored)) for name in matrices}
    broken = [n for n, v in weights.items() if v.is_floating_point() and not v.isfinite().all()]
    if broken:
        raise CheckpointError(f"holds values that are not finite, in {sorted(broken)[:3]}")
    return weights


def _quantised(name: str, stored: Mapping[str, Tensor]) -> Quantised:
    """Put the parts of a matrix together and check that it can be read."""
    missing = [part for part in _PARTS if name + part not in stored]
    if missing:
        raise CheckpointError(f"holds {name} in 8 bits without its {missing[0][1:]}")
    matrix = Quantised(stored[name], *(stored[name + part] for part in _PARTS))
    numbers, scale, positions = matrix.numbers, matrix.scale, matrix.positions
    if numbers.ndim < 2 or scale.shape != numbers.shape[:1] or not scale.is_floating_point():
        raise CheckpointError(f"holds scales that do not fit the rows of {name}")
    if not (scale.float().isfinite() & (scale.float() > 0)).all():
        raise CheckpointError(f"holds scales that are not finite and positive, of {name}")
    if (numbers == -128).any():
        raise CheckpointError(f"holds numbers out of range, in {name}")
    kinds = (matrix.outliers.dtype, positions.dtype)
    if kinds != (torch.float32, torch.int32) or not (
        positions.ndim == 1
        and positions.shape == matrix.outliers.shape
        and ((positions >= 0) & (positions < numbers.numel())).all()
        and (positions.diff() > 0).all()
    ):
        raise CheckpointError(f"holds outliers that do not fit {name}")
    return matrix


def storage_of(stored: Mapping[str, Tensor]) -> str:
    """Say in which of STORAGES these tensors are, the most compact that occurs."""
    kinds = {value.dtype for value in stored.values()}
    if torch.int8 in kinds:
        return "int8"
    return "float16" if kinds & {torch.float16, torch.bfloat16} else "float32"


# ---- files ------------------------------------------------------------------------------------


def write_tensors(folder: Path, stored: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Write tensors into one safetensors file, or into several with an index.

    Args:
        folder: a folder that is there.
        stored: what `pack` returned.

    Returns:
        The names of the files, the index among them.

    Raises:
        CheckpointError: if they cannot be written.
    """
    groups = list(_shards(stored))
    count = len(groups)
    names = [f"model-{n:05}-of-{count:05}.safetensors" for n in range(1, count + 1)]
    names = names if count > 1 else [WEIGHTS]
    for name, group in zip(names, groups, strict=True):
        tensors = {key: stored[key] for key in group}
        try:
            save_file(tensors, str(folder / name), metadata={"format": "pt"})
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{folder / name} cannot be written: {error}") from error
        # safetensors lets only the owner read its files.
        (folder / name).chmod(folder.stat().st_mode & 0o666)
    if count == 1:
        return (WEIGHTS,)
    index = {
        "metadata": {"total_size": sum(value.nbytes for value in stored.values())},
        "weight_map": {key: n for n, group in zip(names, groups, strict=True) for key in group},
    }
    (folder / INDEX).write_text(json.dumps(index, indent=1, sort_keys=True) + "\n", "utf-8")
    return (*names, INDEX)


def _shards(stored: Mapping[str, Tensor]) -> Iterator[list[str]]:
    """Divide tensors by name; one that is larger than a file may be stands alone."""
    group: list[str] = []
    size = 0
    for name in sorted(stored):
        if group and size + stored[name].nbytes > LARGEST_FILE:
            yield group
            group, size = [], 0
        group.append(name)
        size += stored[name].nbytes
    yield group


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    reason = " ".join(str(error).split())  # it may quote the file, line breaks and all
    return CheckpointError(f"{path} is not a readable safetensors file: {reason}")


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Read every stored tensor of a model folder.

    Raises:
        CheckpointError: if a file is missing or damaged, or the index does not fit the files.
    """
    files = weight_files(folder)
    stored: dict[str, Tensor] = {}
    homes: dict[str, str] = {}
    for path in files:
        try:
            tensors = load_file(str(path))
        except (SafetensorError, OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        stored |= tensors
        homes |= dict.fromkeys(tensors, path.name)
    if files[0].name != WEIGHTS and homes != weight_map(folder):
        wrong = sorted(dict(homes.items() ^ weight_map(folder).items()))
        raise CheckpointError(f"{folder / INDEX} does not fit its files, in {wrong[:3]}")
    return stored


def holds_int8(folder: Path) -> bool:
    """Say whether a model folder holds matrices in 8 bits, without reading them.

    Raises:
        CheckpointError: if a file is missing or damaged.
    """
    for path in weight_files(folder):
        try:
            with safe_open(str(path), framework="pt") as tensors:
                if any(tensors.get_slice(name).get_dtype() == "I8" for name in tensors.keys()):  # noqa: SIM118
                    return True
        except (SafetensorError, OSError) as error:
            raise _unreadable(path, error) from error
    return False
