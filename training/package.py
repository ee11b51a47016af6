"""Turn a model folder into a Python package: ``python -m training.package MODEL``.

Writes the folder of a Python project with the model's files in it, which ``pip install`` takes
as it is, and builds a wheel from it. Once either is installed, the model is found by its name:
``Extractor.from_pretrained(NAME)`` and ``--model NAME``. The build needs no network.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from claimx.checkpoint import (
    Checkpoint,
    copy_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from claimx.errors import ClaimxError, ConfigError
from claimx.folder import read_object, written_whole
from claimx.hub import DEFAULT_MODEL, MODELS_GROUP, find_model
from claimx.storage import STORAGES
from training.card import CARD, card, report_beside
from training.config import read_yaml

# Package indexes take no larger file.
LARGEST_WHEEL = 100_000_000
# Checkpoint format -> the first version of claimx that reads it.
FIRST_VERSION = {1: "0.1.0", 2: "0.1.0"}
_logger = logging.getLogger("claimx")

_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = {name}
version = {version}
description = {description}
readme = "README.md"
{licence}requires-python = ">=3.11"
keywords = ["claimx", "news", "quotation", "token classification"]
dependencies = [{requirement}]

# claimx finds the model by this entry; the module is not imported for it.
[project.entry-points.{group}]
{name} = {module}

[tool.hatch.build]
# A folder such as dist/ is often ignored by the repository around it.
ignore-vcs = true

[tool.hatch.build.targets.wheel]
packages = [{module}]
"""


@dataclass(frozen=True, slots=True)
class Labelling:
    """What is written on a package.

    Args:
        name: of the package and of the model.
        version: of both.
        licence: an SPDX expression, or None where nobody stated one.
    """

    name: str
    version: str
    licence: str | None

    @property
    def module(self) -> str:
        """The Python package that holds the model's files."""
        return "claimx_model_" + canonicalize_name(self.name).replace("-", "_")


def labelling(
    source: Path, checkpoint: Checkpoint, name: str | None, version: str | None, licence: str | None
) -> Labelling:
    """Complete what was asked for from the model itself and its card.

    Raises:
        ConfigError: if name, version or licence cannot be those of a package.
    """
    config = checkpoint.model.config
    name, version = name or config.name, version or config.version
    try:
        canonical = canonicalize_name(name, validate=True)
    except InvalidName:
        raise ConfigError(
            f"{name!r} cannot be the name of a package: letters, digits and single . _ - between "
            f"them; give one with --name"
        ) from None
    if canonical in (DEFAULT_MODEL, "claimx"):
        raise ConfigError(f"{name!r} is part of claimx itself; give another with --name")
    try:
        version = str(Version(version))
    except InvalidVersion:
        raise ConfigError(
            f"{version!r} cannot be the version of a package, which looks like 1.0.0; "
            f"give one with --version"
        ) from None
    return Labelling(name, version, _licence(licence, _card_licence(source)))


def _licence(asked: str | None, of_card: str | None) -> str | None:
    if asked is not None:
        try:
            return canonicalize_license_expression(asked)
        except InvalidLicenseExpression:
            raise ConfigError(
                f"{asked!r} is no SPDX licence expression, such as Apache-2.0, CC-BY-4.0 or "
                f"LicenseRef-Proprietary"
            ) from None
    if of_card is None:
        return None
    try:
        return canonicalize_license_expression(of_card)
    except InvalidLicenseExpression:  # model cards also say "other", which SPDX does not know
        return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", of_card).strip("-")


def _card_licence(source: Path) -> str | None:
    """Read the licence from the head of a model card (YAML between lines of dashes)."""
    card = source / CARD
    if not card.is_file():
        return None
    head = re.match(r"---\n(.*?)\n---\n", card.read_text(encoding="utf-8"), re.S)
    values = read_yaml(head[1], f"the head of {card}") if head else None
    licence = values.get("license") if isinstance(values, dict) else None
    return str(licence) if licence else None


def package(
    source: Path,
    output: Path,
    *,
    name: str | None = None,
    version: str | None = None,
    licence: str | None = None,
    storage: str | None = None,
    wheel: bool = True,
) -> Path:
    """Write a project folder with a model in it, and its wheel.

    Args:
        source: a model folder.
        output: where folder and wheel are put.
        name: of the package; the model's own name by default.
        version: of the package; the model's own by default.
        licence: SPDX expression; the model card's by default.
        storage: how weights are stored; by default they stay as they are, byte for byte.
        wheel: build the wheel too.

    Returns:
        The wheel, or the project folder where none was asked for.

    Raises:
        CheckpointError: if the model cannot be read or the folder not be written.
        ConfigError: if name, version or licence cannot be used, the build fails or the wheel
            is too large; nothing is left behind then.
    """
    checkpoint = load_checkpoint(source)
    labels = labelling(source, checkpoint, name, version, licence)
    if labels.licence is None:
        _logger.warning("the package states no licence; name one with --license")
    checkpoint.model.config.name, checkpoint.model.config.version = labels.name, labels.version
    project = output / labels.name
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".package-", dir=output) as scratch:
        with written_whole(project, _is_project) as fresh:
            _write_project(fresh, source, checkpoint, labels, storage)
            built = _build(fresh, Path(scratch)) if wheel else None
        if built is None:
            return project
        return built.replace(output / built.name)


def _is_project(folder: Path) -> bool:
    """Say whether a folder is one that this module wrote."""
    path = folder / "pyproject.toml"
    return path.is_file() and f'entry-points."{MODELS_GROUP}"' in path.read_text(encoding="utf-8")


def _write_project(
    folder: Path, source: Path, checkpoint: Checkpoint, labels: Labelling, storage: str | None
) -> None:
    module = folder / labels.module
    if storage in (None, checkpoint.storage):
        copy_checkpoint(source, module, checkpoint)
    else:
        save_checkpoint(
            module, checkpoint.model, checkpoint.tokenizer, checkpoint.training, storage
        )
    written = read_object(module / "config.json")["claimx_format"]
    requirement = f"claimx>={FIRST_VERSION[written]}"
    description = f"The model {labels.name} for claimx: quotes and quantitative claims in news"
    texts = {
        labels.module + "/__init__.py": f'"""The files of the claimx model {labels.name}."""\n',
        "pyproject.toml": _PYPROJECT.format(
            name=_quoted(labels.name),
            version=_quoted(labels.version),
            description=_quoted(description),
            licence=f"license = {_quoted(labels.licence)}\n" if labels.licence else "",
            requirement=_quoted(requirement),
            group=_quoted(MODELS_GROUP),
            module=_quoted(labels.module),
        ),
        CARD: (source / CARD).read_text(encoding="utf-8")
        if (source / CARD).is_file()
        else card(
            replace(checkpoint, storage=storage or checkpoint.storage),
            licence=labels.licence,
            report=report_beside(source, checkpoint),
        ),
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text)  # a string of plain characters is written alike in JSON and TOML


def _build(project: Path, folder: Path) -> Path:
    """Build the wheel of a project with the backend that is installed here."""
    if importlib.util.find_spec("hatchling") is None:
        raise ConfigError("building a wheel needs hatchling: pip install hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(  # noqa: S603 - our own command, without a shell
        [*command, "--directory", str(folder.resolve())],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise ConfigError(f"the wheel could not be built: {lines[-1] if lines else 'no output'}")
    size = wheels[0].stat().st_size
    if size > LARGEST_WHEEL:
        raise ConfigError(
            f"the wheel has {size:,} bytes and package indexes take {LARGEST_WHEEL:,}: "
            f"store the weights in 8 bits (--storage int8) or take a smaller model"
        )
    return wheels[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; what cannot be packaged is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m training.package", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("model", help="a model folder, or the name of a model")
    parser.add_argument("--name", help="of the package (default: the model's own)")
    parser.add_argument("--version", help="of the package (default: the model's own)")
    parser.add_argument(
        "--license", metavar="SPDX", help="such as Apache-2.0 (default: the model card's)"
    )
    parser.add_argument(
        "--storage", choices=STORAGES, help="store the weights anew (default: as they are)"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("dist"), help="folder for project and wheel (dist)"
    )
    parser.add_argument("--no-wheel", action="store_true", help="write the project folder only")
    options = parser.parse_args(arguments)
    try:
        written = package(
            find_model(options.model), options.output, name=options.name, version=options.version,
            licence=options.license, storage=options.storage, wheel=not options.no_wheel,
        )  # fmt: skip
    except (ClaimxError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    print(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
