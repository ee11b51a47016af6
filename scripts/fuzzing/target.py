"""What a target is, and what every target looks at."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from scripts.fuzzing.feed import Feed

RECORD, ANNOTATION = "record-1", "annotation"
# What claimx says of bad input is checked by tests; here it would be millions of lines.
logging.getLogger("claimx").setLevel(logging.CRITICAL)


class BrokenError(Exception):
    """A promise that does not hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to try.

    Args:
        name: what it is called on the command line.
        group: a name for several.
        make: turns bytes into something to try, a plain literal.
        check: raises if a promise does not hold; returns how many inputs it looked at, if more
            than one.
        size: bytes that are chosen for one example, of which as much is made as they suffice for.
        seconds: processor time that one call of ``check`` may take.
    """

    name: str
    group: str
    make: Callable[[Feed], Any]
    check: Callable[[Any], int | None]
    size: int = 512
    seconds: float = 2.0


@cache
def validator(name: str, definition: str = "") -> Draft202012Validator:
    """Return what checks values against a schema of the package, or against a part of it."""
    path = files("claimx") / "schemas" / f"{name}.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    if definition:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    return Draft202012Validator(schema)


def must_keep_to(checks: Draft202012Validator, value: Any) -> None:
    """Raise if a value has no JSON form, or one that the schema does not allow."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise BrokenError(f"no JSON form: {error}") from error
    for broken in checks.iter_errors(value):
        raise BrokenError(f"{broken.json_path}: {broken.message}")


def offsets_must_hold(record: Any, text: str) -> None:
    """Raise if anything in a record does not stand where it says."""
    for place in places(record):
        start, end = place["start"], place["end"]
        if not 0 <= start < end <= len(text) or text[start:end] != place["text"]:
            raise BrokenError(f"{place!r} does not stand in the text")


def places(value: Any) -> Iterator[dict[str, Any]]:
    """Yield everything in a record that has offsets, at any depth; ``meta`` is not looked into."""
    if isinstance(value, dict):
        if {"start", "end", "text"} <= value.keys():
            yield value
        for key, item in value.items():
            if key not in ("meta", "attrs"):
                yield from places(item)
    elif isinstance(value, list):
        for item in value:
            yield from places(item)


@cache
def room(name: str) -> Path:
    """Return a folder of this process for what a target writes."""
    made = tempfile.TemporaryDirectory(prefix=f"claimx-{name}-")
    _rooms.append(made)
    return Path(made.name)


_rooms: list[tempfile.TemporaryDirectory[str]] = []  # removed at the end of the process


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write what differs from what was written there before; return the folder."""
    before = _written.setdefault(folder, {})
    for name, content in files.items():
        if before.get(name) != content:
            (folder / name).write_bytes(content)
            before[name] = content
    return folder


_written: dict[Path, dict[str, bytes]] = {}
