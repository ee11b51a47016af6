"""Training configuration: YAML -> frozen dataclasses; unknown keys are errors."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from claimx.errors import ConfigError, did_you_mean

_LARGEST_FILE = 1_000_000
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Corpus:
    """One annotated file and how it takes part in training.

    Args:
        path: native JSONL, optionally gzipped.
        passes: how often each article is seen; fractions see a part of the articles.
        align: ``strict`` stops at spans that begin or end inside a word; ``snap`` moves them.
        begin: share of the run at which the corpus comes in.
        end: share of the run at which it is through.
        unlinked: link types that are not annotated in it though its layers are complete.
        layers: layers to read; all if empty.
        part: ``kept`` leaves out, and ``held_out`` is, the tenth of the articles for which the
            SHA-256 of the id is a multiple of 10: to choose on where there are no dev articles.
    """

    path: str
    passes: float = 1.0
    align: Literal["strict", "snap"] = "snap"
    begin: float = 0.0
    end: float = 1.0
    unlinked: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    part: Literal["all", "kept", "held_out"] = "all"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides a training run.

    Args:
        output: folder of the run.
        new_labels: layer -> labels that the schema of ``init`` does not have; a new layer may
            stand there too.
        teacher: a claimx model, folder or name, that says what nobody annotated; empty to learn
            nothing there.
        teacher_weight: weight of what it says of the tags beside the tag losses.
        corpora: what is trained on.
        dev: what is chosen on: calibration and thresholds; never trained on.
        test: files to report on when training is through; neither trained nor chosen on.
        encoder: folder or hub name of the encoder to start from.
        encoder_layers: lowest layers of the encoder to keep; 0 keeps all.
        init: a claimx model to go on from, folder or name; it takes the place of ``encoder``.
        name: the model's name in records.
        version: the model's version in records.
        seed: order of articles and initial heads.
        window: tokens in a window, special tokens not counted.
        overlap: tokens that neighbouring windows share.
        example_tokens: longest stretch of an article that is one example.
        step_tokens: tokens in an optimiser step, over all processes.
        learning_rate: of the encoder.
        head_learning_rate: of everything new.
        layer_decay: learning rate of each encoder layer relative to the one above it.
        weight_decay: AdamW's.
        warmup: share of the steps in which the learning rates rise.
        clip: largest norm of the gradient.
        link_weight: weight of the link loss beside the tag losses.
        link_size: width of the link scorer.
        swap_marks: show every other pass with straight marks for curly ones and back.
        precision: ``auto`` takes bfloat16 where the chip has it.
        save_minutes: minutes between checkpoints.
        threads: CPU threads of each process; 0 leaves torch's default.
        schema: layers and link types; empty for those of ``init``, else the standard ones.
    """

    output: str
    corpora: tuple[Corpus, ...]
    dev: tuple[Corpus, ...] = ()
    test: tuple[str, ...] = ()
    encoder: str = ""
    encoder_layers: int = 0
    init: str = ""
    new_labels: Mapping[str, Any] = field(default_factory=dict)
    teacher: str = ""
    teacher_weight: float = 1.0
    name: str = "claimx"
    version: str = "0"
    seed: int = 17
    window: int = 320
    overlap: int = 64
    example_tokens: int = 1280
    step_tokens: int = 2048
    learning_rate: float = 2e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.08
    clip: float = 1.0
    link_weight: float = 0.5
    link_size: int = 128
    swap_marks: bool = True
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    save_minutes: float = 5.0
    threads: int = 0
    schema: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the resolved config, as saved beside the checkpoint."""
        return asdict(self)


class _PlainLoader(yaml.SafeLoader):
    """Reads YAML without aliases, which may expand without bound, and without double keys."""

    class RefusedError(Exception):
        """What is refused, with its line."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse anchors and aliases."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None):
            line = event.start_mark.line + 1
            raise self.RefusedError(
                f"line {line} uses YAML anchors or aliases, which are not read here"
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that is there twice; YAML would take the last."""
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                line = key.start_mark.line + 1
                raise self.RefusedError(f"line {line}: the key {key.value!r} is there twice")
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


def read_yaml(source: str, where: str) -> Any:
    """Read YAML of plain values, without aliases and double keys.

    Args:
        source: the YAML.
        where: what it is called in an error.

    Raises:
        ConfigError: if it is no YAML, or more than plain values.
    """
    try:
        return yaml.load(source, _PlainLoader)  # noqa: S506 - a SafeLoader
    except _PlainLoader.RefusedError as error:
        raise ConfigError(f"{where}: {error}") from error
    # Of YAML that is nested too deeply, and of numbers and dates that there are not.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).replace("<unicode string>", where).split())
        raise ConfigError(f"{where} is not valid YAML: {reason}") from error


def load_config(path: Path, overrides: Mapping[str, Any] | None = None) -> TrainConfig:
    """Read a YAML file; ``${NAME:-default}`` takes environment variables.

    Args:
        path: the YAML file.
        overrides: top-level keys to replace.

    Raises:
        ConfigError: if the file cannot be read, or holds an unknown key or a wrong type.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if len(source) > _LARGEST_FILE:
        raise ConfigError(f"{path} is larger than {_LARGEST_FILE} characters")
    source = re.sub(
        r"\$\{(\w+):-([^}]*)\}", lambda m: os.environ.get(m.group(1)) or m.group(2), source
    )
    raw = read_yaml(source, str(path))
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} must hold a mapping of keys to values")
    return config_from_dict({**raw, **(overrides or {})}, str(path))


def config_from_dict(raw: Mapping[str, Any], where: str = "config") -> TrainConfig:
    """Build a config from plain values, as loaded from YAML or a saved checkpoint."""
    values = dict(raw)
    if not values.get("corpora"):
        raise ConfigError(f"{where}: `corpora` must be a list of files with their settings")
    for key in ("corpora", "dev"):
        values[key] = _read_corpora(values.get(key, ()), f"{where}: {key}")
    config = _build(TrainConfig, values, where)
    problems = [text for text, holds in _CONDITIONS.items() if not holds(config)]
    if problems:
        raise ConfigError(f"{where}: {'; '.join(problems)}")
    return config


def _read_corpora(entries: Any, where: str) -> tuple[Corpus, ...]:
    """Read a list of corpora; a bare text is a file with the usual settings."""
    if not isinstance(entries, list | tuple):
        raise ConfigError(f"{where} must be a list of files with their settings, got {entries!r}")
    return tuple(
        _build(Corpus, {"path": x} if isinstance(x, str) else x, f"{where}[{number}]")
        for number, x in enumerate(entries)
    )


_CONDITIONS: Mapping[str, Callable[[TrainConfig], bool]] = {
    "`encoder` or `init` must say where to start from": lambda c: bool(c.encoder or c.init),
    "`window` must be at least 1": lambda c: c.window >= 1,
    "`overlap` must lie between 0 and half of `window`": lambda c: 0 <= 2 * c.overlap <= c.window,
    "`step_tokens` must be at least 1": lambda c: c.step_tokens >= 1,
    "`passes` must not be negative": lambda c: all(one.passes >= 0 for one in c.corpora),
    "`begin` and `end` must lie between 0 and 1, in this order": lambda c: all(
        0 <= one.begin <= one.end <= 1 for one in c.corpora
    ),
    "`new_labels` maps layers to lists of labels": lambda c: all(
        isinstance(labels, list | tuple) and labels and all(isinstance(x, str) for x in labels)
        for labels in c.new_labels.values()
    ),
    "`init` and `teacher` must not lie in `output`, whose model is replaced": lambda c: (
        not any(
            Path(c.output).resolve() in Path(name).resolve().parents
            for name in (c.init, c.teacher)
            if Path(name).is_dir()
        )
    ),
    "rates must not be negative": lambda c: min(c.learning_rate, c.head_learning_rate) >= 0,
}


def _build(kind: type[Item], raw: Any, where: str) -> Item:
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where} must be a mapping, got {raw!r}")
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(raw) - set(known), key=str)
    if unknown:
        told = "; ".join(_unknown_key(str(key), kind) for key in unknown)
        raise ConfigError(f"{where}: {told}; known are {', '.join(sorted(known))}")
    missing = [
        name
        for name, entry in known.items()
        if name not in raw and entry.default is MISSING and entry.default_factory is MISSING
    ]
    if missing:
        raise ConfigError(f"{where}: missing keys {missing}")
    return kind(**{name: _convert(known[name], value, where) for name, value in raw.items()})


def _unknown_key(key: str, kind: type) -> str:
    """Say that a key is unknown, and where it belongs or what is nearly spelt like it."""
    if kind is TrainConfig and key in (entry.name for entry in fields(Corpus)):
        return f"unknown key `{key}`, which belongs under a file of `corpora`"
    if kind is Corpus and key in (entry.name for entry in fields(TrainConfig)):
        return f"unknown key `{key}`, which belongs to the top level, not under a file"
    return f"unknown key `{key}`{did_you_mean(key, (entry.name for entry in fields(kind)))}"


_NO_NAME = re.compile("[\\x00\\ud800-\\udfff]")
_PLAIN = {
    "float": (int, float),
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "Mapping[str, Any]": (Mapping,),
}


def _convert(entry: Any, value: Any, where: str) -> Any:
    """Check a value against its annotation; YAML reads 2e-4 as a string, so floats are parsed."""
    kind = str(entry.type)
    for text in (value,) if isinstance(value, str) else value if isinstance(value, list) else ():
        if isinstance(text, str) and _NO_NAME.search(text):
            raise ConfigError(
                f"{where}: `{entry.name}` holds a character that no name has: {text!r}"
            )
    if kind.startswith("tuple"):
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where}: `{entry.name}` must be a list, got {value!r}")
        if "str" in kind and not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{where}: `{entry.name}` must be a list of texts, got {value!r}")
        return tuple(value)
    if kind == "float" and isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if kind.startswith("Literal"):
        choices = re.findall(r'"(\w+)"', kind.replace("'", '"'))
        if value not in choices:
            raise ConfigError(f"{where}: `{entry.name}` must be one of {choices}, got {value!r}")
        return value
    allowed = _PLAIN.get(kind)
    if allowed and (not isinstance(value, allowed) or (kind != "bool" and isinstance(value, bool))):
        raise ConfigError(f"{where}: `{entry.name}` must be {kind}, got {value!r}")
    return _finite(entry.name, value, where) if kind == "float" else value


def _finite(name: str, value: int | float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        raise ConfigError(f"{where}: `{name}` must be a finite number")
    return number
