"""Where models are: a folder, this package, another package that is installed, or the hub.

Packages offer models as entry points of the group ``claimx.models``: the name of the model, and
the module that has the model's files beside it. No code of such a module is run.
"""

from __future__ import annotations

import os
import re
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from claimx.errors import CheckpointError, ConfigError

DEFAULT_MODEL = "claimx-en"
MODELS_GROUP = "claimx.models"
CONFIG, MANIFEST = "config.json", "manifest.json"


def find_model(name: str | os.PathLike[str] | None) -> Path:
    """Find a model folder: a path, the name of a packaged or installed model, or one on the hub.

    Raises:
        CheckpointError: if there is none, saying where was looked.
        ConfigError: if this can be no name.
    """
    if name is not None and not isinstance(name, str | os.PathLike):
        raise ConfigError(f"a model is named by its name, its folder or None, got {name!r}")
    if name is None and DEFAULT_MODEL in _packaged():
        return _packaged()[DEFAULT_MODEL]  # not a folder of that name that lies here by chance
    name = os.fspath(name) if name is not None else DEFAULT_MODEL
    path = Path(name)
    if path.is_dir() and is_model(path):
        return path
    if packaged := {_normal(key): found for key, found in _packaged().items()}.get(_normal(name)):
        return packaged
    if entries := [entry for entry in _installed() if _normal(entry.name) == _normal(name)]:
        return _folder_of(entries)
    if path.is_dir():
        return _no_model_above(path)
    if path.exists():
        raise CheckpointError(f"{name} is a file; a model is a folder with {CONFIG} in it")
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return _download(name)
    raise CheckpointError(
        f"no model {name!r}: it is no folder, and the models known by name are "
        f"{', '.join(known_models()) or 'none'}; others are packages to install "
        f"(claimx-en-small, in a checkout: pip install ./models/claimx-en-small)"
    )


def _no_model_above(path: Path) -> Path:
    """Return a folder that is no model, for its reader to say so; not if there is one inside.

    Raises:
        CheckpointError: naming that one.
    """
    for inner in sorted(path.glob("*/")):
        if is_model(inner):
            install = f", or pip install {path}" if (path / "pyproject.toml").is_file() else ""
            raise CheckpointError(
                f"{path} is no model folder, but {inner} in it is one: name that{install}"
            )
    return path


def known_models() -> tuple[str, ...]:
    """List the names of the models in this package and in others that are installed."""
    return tuple(dict.fromkeys([*sorted(_packaged()), *sorted(e.name for e in _installed())]))


def _normal(name: str) -> str:
    """Spell a name as package indexes do, for which ``My.Model`` and ``my-model`` are one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _packaged() -> dict[str, Path]:
    folder = Path(str(resources.files("claimx"))) / "models"
    return {path.name: path for path in folder.glob("*") if is_model(path)}


def _installed() -> list[EntryPoint]:
    return list(entry_points(group=MODELS_GROUP))


def _folder_of(entries: list[EntryPoint]) -> Path:
    """Find the files of an installed model without importing the package that holds them."""
    name = entries[0].name
    if len(entries) > 1:
        offering = sorted(entry.dist.name if entry.dist else entry.value for entry in entries)
        raise CheckpointError(
            f"several installed packages offer a model {name!r}: {', '.join(offering)}; "
            f"uninstall all but one"
        )
    module = entries[0].value
    try:
        # Of a module without dots the finders only look for the place; none of its code runs.
        spec = find_spec(module) if module.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    for place in (spec and spec.submodule_search_locations) or ():
        if is_model(Path(place)):
            return Path(place)
    raise CheckpointError(
        f"a package offers the model {name!r}, but no model folder is in {module!r}: reinstall it"
    )


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
    except Exception as error:  # offline, unknown name, no access: many types, one meaning
        raise CheckpointError(
            f"no folder {name!r}, and the hub has no such model or cannot be reached: "
            f"{str(error).splitlines()[0]}"
        ) from error


def is_model(folder: Path) -> bool:
    """Say whether a folder looks like a model folder."""
    return (folder / CONFIG).is_file() or (folder / MANIFEST).is_file()
