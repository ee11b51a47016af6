"""Model folders and training configs that strangers made: they load, or one sentence says why not.

The manifests of spoiled folders are true, so that damage gets past the hashes.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from importlib import import_module
from typing import Any

from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.errors import ClaimxError
from claimx.extractor import Extractor
from claimx.folder import file_sha256
from claimx.labels import LabelSchema
from scripts.fuzzing.feed import Feed, as_json
from scripts.fuzzing.target import (
    RECORD,
    BrokenError,
    Target,
    must_keep_to,
    offsets_must_hold,
    put,
    room,
    validator,
)
from training.config import load_config

_TEXT = "“The harbour will be shut,” said Okafor. She told the board of about 40 percent of boats."
_FILES = ("config.json", "tokenizer.json", "training.json", "manifest.json", "model.safetensors")
_CHOSEN = (*_FILES, "config.json", "config.json", "tokenizer.json", "tokenizer.json")


@cache
def sound() -> dict[str, bytes]:
    """Return the files of a tiny model."""
    tiny = import_module("tests.tiny")
    folder = room("sound") / "model"
    save_checkpoint(folder, tiny.random_model(), tiny.wordpiece(), {"fingerprints": []}, "float16")
    files = {name: (folder / name).read_bytes() for name in _FILES}
    shutil.rmtree(folder)
    return files


def make_model(feed: Feed) -> tuple[str, bytes]:
    """A file of the model, spoiled; its header alone where it is the weights', half of the time."""
    name = feed.pick(_CHOSEN)
    content = sound()[name]
    if name != "model.safetensors":
        if feed.below(4):
            return name, as_json(feed.spoil_value(json.loads(content)))
        return name, feed.spoil(content)
    if feed.below(2):
        return name, feed.spoil(content)
    size = int.from_bytes(content[:8], "little")
    header = as_json(feed.spoil_value(json.loads(content[8 : 8 + size])))
    return name, len(header).to_bytes(8, "little") + header + content[8 + size :]


def check_model(given: tuple[str, bytes]) -> None:
    """Load the folder, and read a text with what loads."""
    name, content = given
    folder = put(room("model"), {**sound(), name: content})
    if name != "manifest.json":
        manifest = json.loads(sound()["manifest.json"])
        manifest["sha256"][name] = file_sha256(folder / name)
        if len(content) % 2:  # else most of what loads would be refused for its answer
            del manifest["golden"]
        put(folder, {"manifest.json": as_json(manifest)})
    try:
        extractor = Extractor.from_checkpoint(load_checkpoint(folder), device="cpu")
        found = extractor(_TEXT)
    except ClaimxError as error:
        if not str(error) or "\n" in str(error):
            raise BrokenError(f"no one sentence: {error}") from error
        return
    record = found.to_dict(with_text=True)
    must_keep_to(validator(RECORD, "reading"), record)
    offsets_must_hold({**record, "text": None}, _TEXT)


# ---- configs ------------------------------------------------------------------------------

_CONFIG = b"""\
encoder: a
output: runs/a
name: mine
seed: 17
window: 256
learning_rate: 2e-4
swap_marks: true
precision: auto
new_labels: {time: [DATE]}
schema:
  layers: {quantity: [QUANTITY, MEASURED]}
  links: {measures: {heads: [QUANTITY], tails: [MEASURED], reach: 60}}
corpora:
  - a.jsonl
  - {path: b.jsonl, passes: 0.5, align: snap, unlinked: [said_by], layers: [quantity]}
dev: [{path: c.jsonl, part: held_out}]
test: [d.jsonl]
"""


@cache
def _config() -> Any:
    return import_module("yaml").safe_load(_CONFIG)


def make_config(feed: Feed) -> bytes:
    """A config as YAML, spoiled; JSON is YAML too."""
    return as_json(feed.spoil_value(_config())) if feed.below(3) else feed.spoil(_CONFIG)


def check_config(content: bytes) -> None:
    """Read a config and the label schema in it."""
    path = put(room("config"), {"config.yaml": content}) / "config.yaml"
    try:
        config = load_config(path)
        json.dumps(config.to_dict(), allow_nan=False, default=str)
        if config.schema:
            LabelSchema.from_dict(config.schema).extended(config.new_labels)
    except ClaimxError as error:
        if not str(error):
            raise BrokenError("an error without a word") from error


TARGETS = (
    Target("models", "models", make_model, check_model, size=128, seconds=10.0),
    Target("configs", "models", make_config, check_config, size=128),
)
