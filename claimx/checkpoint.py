"""Models in memory and in folders: written whole, read with suspicion.

`claimx.folder` says what a model folder holds. Only safetensors are read; nothing in a folder is
ever executed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from claimx.errors import CheckpointError
from claimx.folder import (
    FORMAT,
    INDEX,
    TOKENIZER,
    TRAINING,
    WEIGHTS,
    ModelFolder,
    file_sha256,
    full_name,
    open_folder,
    read_object,
    unusable,
    weight_files,
    written_whole,
)
from claimx.golden import check_golden, golden_answer
from claimx.hub import CONFIG, MANIFEST, is_model
from claimx.modeling import ClaimxConfig, ClaimxModel
from claimx.storage import pack, read_tensors, storage_of, unpack, write_tensors

_OWN = re.compile(
    r"(config|tokenizer|training|manifest|model\.safetensors\.index)\.json"
    r"|model(-\d{5}-of-\d{5})?\.safetensors"
)
# Of layers, heads, labels ... that an encoder has.
_MOST_PARTS = 1_024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model with all that is needed to run it.

    Args:
        model: in evaluation mode, fp32.
        tokenizer: without truncation and padding.
        weights_hash: SHA-256 of the stored weights (`claimx.folder.weights_hash`).
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
        return full_name(config.name, config.version, self.weights_hash)


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
        _write(fresh / CONFIG, json.dumps(config, indent=2, sort_keys=True))
        _write(fresh / TOKENIZER, checkpoint.tokenizer.to_str())
        _write(fresh / TRAINING, training)
        files = (*weights, CONFIG, TOKENIZER, TRAINING)
        manifest = {
            "format": config["claimx_format"],
            "sha256": {name: file_sha256(fresh / name) for name in files},
        }
        _write(fresh / MANIFEST, json.dumps(manifest, indent=2))
        add_golden(fresh)


def add_golden(folder: Path) -> None:
    """Write into a folder's manifest what its model, as it is stored, says of a sentence.

    Raises:
        CheckpointError: if the folder cannot be loaded.
    """
    stored = load_checkpoint(folder)
    manifest = read_object(folder / MANIFEST)
    manifest["golden"] = golden_answer(stored.model, stored.tokenizer)
    _write(folder / MANIFEST, json.dumps(manifest))


# ---- reading ----------------------------------------------------------------------------------


def load_checkpoint(folder: Path | ModelFolder) -> Checkpoint:
    """Read a model folder, checking hashes, names, shapes and values.

    Args:
        folder: where it is, or what `claimx.folder.open_folder` returned for it.

    Raises:
        CheckpointError: in one sentence, naming the file that is missing or damaged.
    """
    opened = folder if isinstance(folder, ModelFolder) else open_folder(folder)
    stored = read_tensors(opened.path)
    # First without memory for its weights: a config may ask for more than there is.
    weights = _weights(opened.path, stored, _built(opened, "meta"))
    model = _built(opened, "cpu")
    model.load_state_dict(weights)
    model.eval()  # type: ignore[no-untyped-call]
    rows = model.encoder.get_input_embeddings().num_embeddings
    if max(opened.tokenizer.get_vocab().values(), default=0) >= rows:
        path = opened.path / TOKENIZER
        raise CheckpointError(f"{path} has tokens beyond the {rows} that the model knows")
    try:
        check_golden(opened.golden, model, opened.tokenizer)
    except CheckpointError as error:
        raise CheckpointError(f"{opened.path} cannot be trusted: {error}") from error
    return Checkpoint(
        model, opened.tokenizer, opened.weights_hash, opened.training, storage_of(stored)
    )


def _built(opened: ModelFolder, device: str) -> ClaimxModel:
    """Build the model that a config describes, with weights that mean nothing yet."""
    try:
        _check_counts(opened.config.get("encoder"))
        with torch.device(device):
            return ClaimxModel(ClaimxConfig.from_dict(dict(opened.config)))
    except Exception as error:  # encoders raise many types for values that they cannot use
        raise unusable(opened.path, error) from error


def _check_counts(encoder: Any) -> None:
    """Refuse a billion layers or labels, which take for ever to build even without memory."""
    for key, value in encoder.items() if isinstance(encoder, Mapping) else ():
        _check_counts(value)
        if isinstance(value, int) and value > _MOST_PARTS and ("num_" in key or "layers" in key):
            raise CheckpointError(f"{key} is {value}, and at most {_MOST_PARTS:,} are built")


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


def _write(path: Path, content: str) -> None:
    path.write_text(content + "\n", encoding="utf-8")
