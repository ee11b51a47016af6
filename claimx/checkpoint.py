"""Model folders: written whole, read with suspicion.

A folder holds ``config.json``, ``model.safetensors``, ``tokenizer.json``, ``training.json``
(resolved config, data fingerprints, versions) and ``manifest.json`` with the SHA-256 of each.
Only safetensors are read; nothing in a folder is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from claimx.batching import load_tokenizer
from claimx.errors import CheckpointError, ConfigError
from claimx.modeling import ClaimxConfig, ClaimxModel

FORMAT = 1
DEFAULT_MODEL = "claimx-en"
_WEIGHTS, _CONFIG, _TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
_TRAINING, _MANIFEST = "training.json", "manifest.json"
_logger = logging.getLogger("claimx")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model with all that is needed to run it.

    Args:
        model: in evaluation mode, fp32.
        tokenizer: without truncation and padding.
        weights_hash: SHA-256 of the weights file.
        training: how it was trained; empty if the folder does not say.
    """

    model: ClaimxModel
    tokenizer: Tokenizer
    weights_hash: str
    training: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name, version and a short hash, as written into records."""
        config = self.model.config
        return f"{config.name} {config.version} ({self.weights_hash[:8]})"


def save_checkpoint(
    folder: Path,
    model: ClaimxModel,
    tokenizer: Tokenizer,
    training: Mapping[str, Any],
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a model folder.

    Args:
        folder: created if it is not there.
        model: weights and config.
        tokenizer: its tokenizer.
        training: plain values that say how the model was made.
        dtype: how weights are stored; halves the size where half precision is enough.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = model.config.to_dict()
    config["claimx_format"] = FORMAT
    config["architectures"] = ["ClaimxModel"]
    config["dtype"] = "float32"
    weights = {
        name: value.detach().to("cpu", dtype if value.is_floating_point() else None).contiguous()
        for name, value in model.state_dict().items()
    }
    save_file(weights, str(folder / _WEIGHTS), metadata={"format": "pt"})
    _write(folder / _CONFIG, json.dumps(config, indent=2, sort_keys=True))
    _write(folder / _TOKENIZER, tokenizer.to_str())
    _write(folder / _TRAINING, json.dumps(dict(training), indent=1, sort_keys=True))
    files = (_WEIGHTS, _CONFIG, _TOKENIZER, _TRAINING)
    hashes = {name: _sha256(folder / name) for name in files}
    _write(folder / _MANIFEST, json.dumps({"format": FORMAT, "sha256": hashes}, indent=2))


def find_model(name: str | os.PathLike[str] | None) -> Path:
    """Find a model folder: a path, the packaged model, or a name on the hub.

    Raises:
        CheckpointError: if there is none, saying where was looked.
    """
    name = os.fspath(name) if name is not None else DEFAULT_MODEL
    path = Path(name)
    if path.is_dir():
        return path
    packaged = Path(str(resources.files("claimx"))) / "models" / name
    if "/" not in name and "\\" not in name and packaged.is_dir():
        return packaged
    if path.exists():
        raise CheckpointError(f"{name} is a file; a model is a folder with {_CONFIG} in it")
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return _download(name)
    raise CheckpointError(f"no model {name!r}: neither a folder nor a model in this package")


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
    except Exception as error:  # offline, unknown name, no access: many types, one meaning
        raise CheckpointError(
            f"no folder {name!r}, and the hub has no such model or cannot be reached: "
            f"{str(error).splitlines()[0]}"
        ) from error


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a model folder, checking hashes, names, shapes and values.

    Raises:
        CheckpointError: in one sentence, naming the file that is missing or damaged.
    """
    _check_manifest(folder)
    raw = _read_json(folder / _CONFIG)
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
    model.load_state_dict(_read_weights(folder / _WEIGHTS, model))
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
    training = _read_json(folder / _TRAINING) if (folder / _TRAINING).is_file() else {}
    return Checkpoint(model, tokenizer, _sha256(folder / _WEIGHTS), training)


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


def _read_weights(path: Path, model: ClaimxModel) -> dict[str, torch.Tensor]:
    if not path.is_file():
        pickled = [name.name for name in path.parent.glob("*.bin")]
        extra = f" ({pickled[0]} is a pickle, which claimx never reads)" if pickled else ""
        raise CheckpointError(f"{path} is missing{extra}")
    try:
        weights = load_file(str(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file: {error}") from error
    expected = {name: value.shape for name, value in model.state_dict().items()}
    missing, extra_names = (
        sorted(set(expected) - set(weights)),
        sorted(set(weights) - set(expected)),
    )
    wrong = [n for n in expected if n in weights and weights[n].shape != expected[n]]
    if missing or extra_names or wrong:
        raise CheckpointError(
            f"{path} does not fit its config: missing {missing[:3]}, unknown {extra_names[:3]}, "
            f"of another shape {wrong[:3]}"
        )
    broken = [
        n for n, v in weights.items() if v.is_floating_point() and not torch.isfinite(v).all()
    ]
    if broken:
        raise CheckpointError(f"{path} holds values that are not finite, in {broken[:3]}")
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in weights.items()
    }


def _check_manifest(folder: Path) -> None:
    path = folder / _MANIFEST
    if not path.is_file():
        if not (folder / _CONFIG).is_file():
            raise CheckpointError(f"{folder} is no model folder: it has no {_CONFIG}")
        return
    hashes = _read_json(path).get("sha256")
    if not isinstance(hashes, dict):
        raise CheckpointError(f"{path} holds no hashes")
    for name, expected in hashes.items():
        # A manifest may only speak of files beside it.
        file = folder / Path(name).name
        if not file.is_file():
            raise CheckpointError(f"{file} is missing")
        if _sha256(file) != expected:
            raise CheckpointError(f"{file} is damaged: its hash is not the one in {_MANIFEST}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} must hold a JSON object")
    return raw


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, content: str) -> None:
    path.write_text(content + "\n", encoding="utf-8")
