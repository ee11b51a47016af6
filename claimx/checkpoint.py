"""Model folders: written whole, read with suspicion.

A folder holds ``config.json``, the weights (``model.safetensors``, or several files with an
index: `claimx.storage`), ``tokenizer.json``, ``training.json`` (resolved config, data
fingerprints, versions) and ``manifest.json`` with the SHA-256 of each. Only safetensors are read;
nothing in a folder is ever executed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor

from claimx.batching import load_tokenizer
from claimx.errors import CheckpointError, ConfigError
from claimx.hub import CONFIG as _CONFIG
from claimx.hub import MANIFEST as _MANIFEST
from claimx.hub import find_model, is_model
from claimx.modeling import ClaimxConfig, ClaimxModel
from claimx.storage import (
    INDEX,
    WEIGHTS,
    file_sha256,
    pack,
    read_object,
    read_tensors,
    storage_of,
    unpack,
    weight_files,
    weights_hash,
    write_tensors,
)

__all__ = [
    "Checkpoint",
    "copy_checkpoint",
    "find_model",  # of claimx.hub; the two are mostly called together
    "load_checkpoint",
    "save_checkpoint",
    "written_whole",
]

# Format 1 is one file in full or half precision; 2 adds 8-bit weights and several files.
FORMAT = 2
_TOKENIZER, _TRAINING = "tokenizer.json", "training.json"
_OWN = re.compile(
    r"(config|tokenizer|training|manifest|model\.safetensors\.index)\.json"
    r"|model(-\d{5}-of-\d{5})?\.safetensors"
)
_logger = logging.getLogger("claimx")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model with all that is needed to run it.

    Args:
        model: in evaluation mode, fp32.
        tokenizer: without truncation and padding.
        weights_hash: SHA-256 of the stored weights (`claimx.storage.weights_hash`).
        training: how it was trained; empty if the folder does not say.
        storage: how its folder holds the weights, one of `claimx.storage.STORAGES`.
    """

    model: ClaimxModel
    tokenizer: Tokenizer
    weights_hash: str
    training: Mapping[str, Any]
    storage: str = "float32"

    @property
    def name(self) -> str:
        """Name, version and a short hash, as written into records."""
        config = self.model.config
        return f"{config.name} {config.version} ({self.weights_hash[:8]})"


def stored_name(folder: Path) -> str:
    """Return `Checkpoint.name` of a model folder without loading the model.

    Raises:
        CheckpointError: if the folder holds no model.
    """
    config = read_object(folder / _CONFIG)
    return f"{config.get('name')} {config.get('version')} ({weights_hash(folder)[:8]})"


# ---- writing ----------------------------------------------------------------------------------


def save_checkpoint(
    folder: Path,
    model: ClaimxModel,
    tokenizer: Tokenizer,
    training: Mapping[str, Any],
    storage: str = "float16",
) -> None:
    """Write a model folder; another model in its place is replaced once all is written.

    Args:
        folder: created if it is not there; files in it that are no model's stay.
        model: weights and config.
        tokenizer: its tokenizer.
        training: plain values that say how the model was made.
        storage: how weights are stored, one of `claimx.storage.STORAGES`.

    Raises:
        CheckpointError: if a weight is not finite, or the folder holds something else or cannot
            be written.
        ConfigError: if there is no such storage.
    """
    stored = pack(model.state_dict(), storage)
    checkpoint = Checkpoint(model, tokenizer, "", training, storage_of(stored))
    _save(folder, checkpoint, lambda fresh: write_tensors(fresh, stored))


def copy_checkpoint(source: Path, folder: Path, checkpoint: Checkpoint) -> None:
    """Write a model folder whose weights are, byte for byte, those of another.

    Args:
        source: the folder that holds the weights; may be the same.
        folder: the folder to write.
        checkpoint: what was read from ``source``, with a config that may have been changed since.

    Raises:
        CheckpointError: if ``folder`` holds something else or cannot be written.
    """

    def copy(fresh: Path) -> tuple[str, ...]:
        paths = weight_files(source)
        paths += [source / INDEX] if paths[0].name != WEIGHTS else []
        return tuple(shutil.copyfile(path, fresh / path.name).name for path in paths)

    _save(folder, checkpoint, copy)


def _save(
    folder: Path, checkpoint: Checkpoint, write_weights: Callable[[Path], tuple[str, ...]]
) -> None:
    with written_whole(folder, is_model) as fresh:
        for path in folder.iterdir() if folder.is_dir() else ():
            if not _OWN.fullmatch(path.name):  # a model card, say
                copy = shutil.copytree if path.is_dir() else shutil.copy2
                copy(path, fresh / path.name)
        weights = write_weights(fresh)
        simple = len(weights) == 1 and checkpoint.storage != "int8"
        config = checkpoint.model.config.to_dict()
        config["claimx_format"] = 1 if simple else FORMAT
        config["architectures"] = ["ClaimxModel"]
        config["dtype"] = "float32"
        training = json.dumps(dict(checkpoint.training), indent=1, sort_keys=True)
        _write(fresh / _CONFIG, json.dumps(config, indent=2, sort_keys=True))
        _write(fresh / _TOKENIZER, checkpoint.tokenizer.to_str())
        _write(fresh / _TRAINING, training)
        files = (*weights, _CONFIG, _TOKENIZER, _TRAINING)
        manifest = {
            "format": config["claimx_format"],
            "sha256": {name: file_sha256(fresh / name) for name in files},
        }
        _write(fresh / _MANIFEST, json.dumps(manifest, indent=2))


@contextmanager
def written_whole(folder: Path, replaceable: Callable[[Path], bool]) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of ``folder`` at the end.

    If anything fails before that, ``folder`` is left as it was.

    Args:
        folder: the folder to write.
        replaceable: says of a folder that is there already, and not empty, whether it may go.

    Raises:
        CheckpointError: if ``folder`` may not be replaced or cannot be written.
    """
    target = folder.resolve()
    token = f"{os.getpid()}-{secrets.token_hex(4)}"
    fresh = target.with_name(f".{target.name}.{token}.partial")
    try:
        if target.exists() and not target.is_dir():
            raise CheckpointError(f"{folder} is a file; name a folder")
        if target.is_dir() and any(target.iterdir()) and not replaceable(target):
            raise CheckpointError(
                f"{folder} holds something else and is not replaced; name another"
            )
        fresh.mkdir(parents=True)
        yield fresh
        _flush(fresh)
        _put_in_place(fresh, target, target.with_name(f".{target.name}.{token}.old"))
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _put_in_place(fresh: Path, target: Path, old: Path) -> None:
    if not target.exists():
        fresh.rename(target)
        return
    target.rename(old)
    try:
        fresh.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Wait until files are on the disk, so that a crash leaves the old folder or the new one."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


# ---- reading ----------------------------------------------------------------------------------


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a model folder, checking hashes, names, shapes and values.

    Raises:
        CheckpointError: in one sentence, naming the file that is missing or damaged.
    """
    _check_manifest(folder)
    raw = read_object(folder / _CONFIG)
    if raw.get("model_type") != "claimx":
        raise CheckpointError(
            f"{folder / _CONFIG} describes a {raw.get('model_type')!r} model, not a claimx model"
        )
    written = raw.get("claimx_format", FORMAT)
    if not isinstance(written, int) or written > FORMAT:
        raise CheckpointError(
            f"{folder / _CONFIG}: written in checkpoint format {written!r}; this version of "
            f"claimx reads up to {FORMAT}: upgrade claimx"
        )
    try:
        config = ClaimxConfig.from_dict(raw)
        _check_config(config)
        model = ClaimxModel(config)
    except Exception as error:  # encoders raise many types for values that they cannot use
        raise CheckpointError(
            f"{folder / _CONFIG} cannot be used: {' '.join(str(error).split())}"
        ) from error
    stored = read_tensors(folder)
    model.load_state_dict(_weights(folder, stored, model))
    model.eval()  # type: ignore[no-untyped-call]
    tokenizer_path = folder / _TOKENIZER
    if not tokenizer_path.is_file():
        raise CheckpointError(f"{tokenizer_path} is missing")
    if not (folder / _MANIFEST).is_file():
        _logger.warning("%s has no %s: damage to its files would go unnoticed", folder, _MANIFEST)
    tokenizer = load_tokenizer(tokenizer_path)
    rows = model.encoder.get_input_embeddings().num_embeddings
    if max(tokenizer.get_vocab().values(), default=0) >= rows:
        raise CheckpointError(f"{tokenizer_path} has tokens beyond the {rows} that the model knows")
    training = read_object(folder / _TRAINING) if (folder / _TRAINING).is_file() else {}
    return Checkpoint(model, tokenizer, weights_hash(folder), training, storage_of(stored))


def _check_config(config: ClaimxConfig) -> None:
    """Check what is only used later, when texts are read."""
    window, overlap = config.window, config.overlap
    whole = type(window) is int and type(overlap) is int
    if not whole or window < 1 or not 0 <= 2 * overlap <= window:
        raise ConfigError(f"window and overlap cannot be {window!r} and {overlap!r}")
    numbers = [*config.link_thresholds.values(), *config.persistence.values()]
    for line in config.calibration.values():
        slope, intercept = line
        numbers += [slope, intercept]
    if not all(isinstance(number, int | float) and isfinite(number) for number in numbers):
        raise ConfigError("calibration, persistence or link_thresholds hold what is no number")


def _weights(folder: Path, stored: Mapping[str, Tensor], model: ClaimxModel) -> dict[str, Tensor]:
    """Unpack stored weights and check that they are those of the model."""
    path = weight_files(folder)[0]
    try:
        weights = unpack(stored)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error
    expected = model.state_dict()
    missing = sorted(set(expected) - set(weights))
    unknown = sorted(set(weights) - set(expected))
    wrong = [n for n in expected if n in weights and weights[n].shape != expected[n].shape]
    if missing or unknown or wrong:
        raise CheckpointError(
            f"{path} does not fit its config: missing {missing[:3]}, unknown {unknown[:3]}, "
            f"of another shape {wrong[:3]}"
        )
    return weights


def _check_manifest(folder: Path) -> None:
    path = folder / _MANIFEST
    if not path.is_file():
        if not (folder / _CONFIG).is_file():
            raise CheckpointError(f"{folder} is no model folder: it has no {_CONFIG}")
        return
    hashes = read_object(path).get("sha256")
    if not isinstance(hashes, dict):
        raise CheckpointError(f"{path} holds no hashes")
    for name, expected in hashes.items():
        # A manifest may only speak of files beside it.
        file = folder / Path(name).name
        if not file.is_file():
            raise CheckpointError(f"{file} is missing")
        if file_sha256(file) != expected:
            raise CheckpointError(f"{file} is damaged: its hash is not the one in {_MANIFEST}")
    unnamed = [file.name for file in weight_files(folder) if file.name not in hashes]
    if unnamed:
        raise CheckpointError(f"{path} has no hash of {unnamed[0]}")


def _write(path: Path, content: str) -> None:
    path.write_text(content + "\n", encoding="utf-8")
