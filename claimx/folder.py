"""What a model folder says of itself, read without loading the model, and so without torch.

A folder holds ``config.json``, the weights (``model.safetensors``, or several files with an index:
`claimx.storage`), ``tokenizer.json``, ``training.json`` (resolved config, data fingerprints,
versions) and ``manifest.json`` with the SHA-256 of each. Nothing in a folder is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from claimx.batching import load_tokenizer
from claimx.errors import CheckpointError, ConfigError
from claimx.hub import CONFIG, MANIFEST
from claimx.labels import DEFAULT_SCHEMA, LabelSchema

# Format 1 is one file in full or half precision; 2 adds 8-bit weights and several files.
FORMAT = 2
TOKENIZER, TRAINING = "tokenizer.json", "training.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
_logger = logging.getLogger("claimx")


@dataclass(frozen=True)
class Settings:
    """How a model reads and decodes; its sizes are none of its business.

    Args:
        schema: label schema, as in `claimx.labels.LabelSchema.to_dict`.
        window: tokens in a window, special tokens not counted.
        overlap: tokens that neighbouring windows share.
        calibration: label (as ``layer/LABEL``) -> ``[slope, intercept]`` on the log-odds of
            the raw span score; labels that are missing are left as they are.
        persistence: label (as ``layer/LABEL``) -> price of ending such a span.
        link_thresholds: link type -> least probability at which a link is kept.
        name: name of the model in records.
        version: version of the model in records.
    """

    schema: dict[str, Any] = field(default_factory=DEFAULT_SCHEMA.to_dict)
    window: int = 320
    overlap: int = 64
    calibration: dict[str, list[float]] = field(default_factory=dict)
    persistence: dict[str, float] = field(default_factory=dict)
    link_thresholds: dict[str, float] = field(default_factory=dict)
    name: str = "claimx"
    version: str = "0"

    @cached_property
    def label_schema(self) -> LabelSchema:
        """The label schema as an object."""
        return LabelSchema.from_dict(self.schema)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Take the settings out of a model's config, which says more, and check them.

        Raises:
            ConfigError: if one has a value that cannot be used.
        """
        given = {name: config.get(name) for name in cls.__dataclass_fields__}
        settings = cls(**{name: value for name, value in given.items() if value is not None})
        settings.check()
        return settings

    def check(self) -> None:
        """Check what is only used later, when texts are read.

        Raises:
            ConfigError: if a value cannot be used.
        """
        window, overlap = self.window, self.overlap
        whole = type(window) is int and type(overlap) is int
        if not whole or window < 1 or not 0 <= 2 * overlap <= window:
            raise ConfigError(f"window and overlap cannot be {window!r} and {overlap!r}")
        numbers = [*self.link_thresholds.values(), *self.persistence.values()]
        for line in self.calibration.values():
            slope, intercept = line
            numbers += [slope, intercept]
        if not all(isinstance(number, int | float) and isfinite(number) for number in numbers):
            raise ConfigError("calibration, persistence or link_thresholds hold what is no number")
        _ = self.label_schema


@dataclass(frozen=True)
class ModelFolder:
    """A model folder whose files are those that its manifest speaks of.

    Args:
        path: where it is.
        config: what ``config.json`` holds.
        settings: the part of it that reading and decoding need.
        tokenizer: without truncation and padding.
        weights_hash: SHA-256 of the stored weights.
        training: how the model was trained; empty if the folder does not say.
        golden: what the model said of a sentence when it was written, see `claimx.golden`; None if
            the folder does not say.
    """

    path: Path
    config: Mapping[str, Any]
    settings: Settings
    tokenizer: Tokenizer
    weights_hash: str
    training: Mapping[str, Any]
    golden: Any = None

    @property
    def name(self) -> str:
        """Name, version and a short hash, as written into records."""
        return full_name(self.settings.name, self.settings.version, self.weights_hash)


def full_name(name: str, version: str, digest: str) -> str:
    """Put together what records call a model."""
    return f"{name} {version} ({digest[:8]})"


def stored_name(folder: Path) -> str:
    """Return `ModelFolder.name` without checking anything else in the folder.

    Raises:
        CheckpointError: if the folder holds no model.
    """
    config = read_object(folder / CONFIG)
    return full_name(str(config.get("name")), str(config.get("version")), weights_hash(folder))


def open_folder(folder: Path) -> ModelFolder:
    """Read what a model folder says of itself, and check that its files are whole.

    Raises:
        CheckpointError: in one sentence, naming the file that is missing or damaged.
    """
    manifest = _checked_manifest(folder)
    config = read_object(folder / CONFIG)
    if config.get("model_type") != "claimx":
        raise CheckpointError(
            f"{folder / CONFIG} describes a {config.get('model_type')!r} model, not a claimx model"
        )
    written = config.get("claimx_format", FORMAT)
    if not isinstance(written, int) or written > FORMAT:
        raise CheckpointError(
            f"{folder / CONFIG}: written in checkpoint format {written!r}; this version of "
            f"claimx reads up to {FORMAT}: upgrade claimx"
        )
    try:
        settings = Settings.of(config)
    except Exception as error:  # what is wrong in a schema or a table shows in many ways
        raise unusable(folder, error) from error
    path = folder / TOKENIZER
    if not path.is_file():
        raise CheckpointError(f"{path} is missing")
    if not (folder / MANIFEST).is_file():
        _logger.warning("%s has no %s: damage to its files would go unnoticed", folder, MANIFEST)
    training = read_object(folder / TRAINING) if (folder / TRAINING).is_file() else {}
    known = training.get("fingerprints", [])
    if not isinstance(known, list) or not all(isinstance(one, str) for one in known):
        raise CheckpointError(f"{folder / TRAINING} holds fingerprints that are no list of texts")
    return ModelFolder(
        folder,
        config,
        settings,
        load_tokenizer(path),
        manifest.get("sha256", {}).get(WEIGHTS) or weights_hash(folder),
        training,
        manifest.get("golden"),
    )


def unusable(folder: Path, error: Exception) -> CheckpointError:
    """Say that a folder's config cannot be used."""
    return CheckpointError(f"{folder / CONFIG} cannot be used: {' '.join(str(error).split())}")


def _checked_manifest(folder: Path) -> dict[str, Any]:
    """Check the files that a manifest speaks of; return it, empty where there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        if not (folder / CONFIG).is_file():
            raise CheckpointError(f"{folder} is no model folder: it has no {CONFIG}")
        return {}
    manifest = read_object(path)
    hashes = manifest.get("sha256")
    if not isinstance(hashes, dict):
        raise CheckpointError(f"{path} holds no hashes")
    for name, expected in hashes.items():
        # A manifest may only speak of files beside it.
        file = folder / Path(name).name
        if not file.is_file():
            raise CheckpointError(f"{file} is missing")
        if file_sha256(file) != expected:
            raise CheckpointError(f"{file} is damaged: its hash is not the one in {MANIFEST}")
    unnamed = [file.name for file in weight_files(folder) if file.name not in hashes]
    if unnamed:
        raise CheckpointError(f"{path} has no hash of {unnamed[0]}")
    return manifest


# ---- files ------------------------------------------------------------------------------------


def weight_files(folder: Path) -> list[Path]:
    """Name the files that hold a model's weights, in order.

    Raises:
        CheckpointError: if there are none, one is missing, or the index makes no sense.
    """
    single = folder / WEIGHTS
    if single.is_file():
        return [single]
    if not (folder / INDEX).is_file():
        pickled = [path.name for path in folder.glob("*.bin")]
        extra = f" ({pickled[0]} is a pickle, which claimx never reads)" if pickled else ""
        raise CheckpointError(f"{single} is missing{extra}")
    names = sorted(set(weight_map(folder).values()))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"{folder / missing[0]} is missing")
    return [folder / name for name in names]


def weight_map(folder: Path) -> dict[str, str]:
    """Read which of several files holds which tensor.

    Raises:
        CheckpointError: if the index does not say so.
    """
    names = read_object(folder / INDEX).get("weight_map")
    # An index may only speak of files beside it.
    if (
        not isinstance(names, dict)
        or not names
        or not all(
            isinstance(name, str) and name.endswith(".safetensors") and Path(name).name == name
            for name in names.values()
        )
    ):
        raise CheckpointError(f"{folder / INDEX} does not say which files hold the weights")
    return names


def weights_hash(folder: Path) -> str:
    """Return the SHA-256 of what is stored.

    Of a single file it is the file's own; of several it is that of the lines which
    ``sha256sum model-*.safetensors`` prints in their folder.
    """
    files = weight_files(folder)
    if len(files) == 1:
        return file_sha256(files[0])
    lines = "".join(f"{file_sha256(path)}  {path.name}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: if the file cannot be read or holds something else.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} must hold a JSON object")
    return raw


# ---- writing ----------------------------------------------------------------------------------


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
