"""Files of annotations in every format: articles whose offsets hold, or claimx's own errors."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from pathlib import Path

from claimx.errors import ClaimxError
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.convert import convert
from claimx.formats.registry import CODECS, codec_named
from scripts.fuzzing.feed import Feed, as_json
from scripts.fuzzing.target import (
    ANNOTATION,
    Target,
    must_keep_to,
    offsets_must_hold,
    put,
    room,
    validator,
)

_SUFFIXES = {"doccano": ".jsonl", "prodigy": ".jsonl"}
# An article a line: many lines are tried in one file.
_LINES = ("native", "doccano", "prodigy")
_LINES_A_FILE = 25
_FOLDERS = ("brat", "polnear", "xmi")
_INLINE = Path(__file__).parents[2] / "data/annotations/inline/dev/e-bat-cave-ledger.txt"


@cache
def sound(name: str) -> dict[str, bytes]:
    """Return the files of one article in a format."""
    if name == "inline":
        return {"sound.txt": _INLINE.read_bytes()}
    harbour = import_module("tests.formats.samples").harbour()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.jsonl"
        source.write_bytes(as_json(harbour.to_dict()) + b"\n")
        if name == "native":
            return {"sound.jsonl": source.read_bytes()}
        suffix = "" if name in _FOLDERS else (codec_named(name).suffixes or (".jsonl",))[0]
        target = Path(folder) / f"sound{suffix}"
        convert(source, target, "native", name)
        files = [target] if target.is_file() else sorted(target.iterdir())
        return {file.name: file.read_bytes() for file in files}


def _make_lines(name: str, feed: Feed) -> list[bytes]:
    (content,) = sound(name).values()
    value = json.loads(content)
    lines = []
    for _ in range(_LINES_A_FILE):
        spoil = feed.below(2)
        line = feed.spoil(content) if spoil else as_json(feed.spoil_value(value))
        lines.append(line.replace(b"\n", b" "))
    return lines


def _make_file(name: str, feed: Feed) -> tuple[str, bytes]:
    file = feed.pick(sorted(sound(name)))
    content = sound(name)[file]
    if name == "docbin" and feed.below(4):
        return file, zlib.compress(feed.spoil(zlib.decompress(content)))
    if file.endswith(".json") and feed.below(2):
        return file, as_json(feed.spoil_value(json.loads(content)))
    return file, feed.spoil(content)


def _check_lines(name: str, lines: list[bytes]) -> int:
    (file,) = sound(name)
    path = put(room(name), {file: b"\n".join(lines) + b"\n"}) / file
    return len(lines) if _read(name, path) else 1


def _check_file(name: str, given: tuple[str, bytes]) -> None:
    file, content = given
    folder = put(room(name), {**sound(name), file: content})
    _read(name, folder if name in _FOLDERS else folder / file)


def _read(name: str, path: Path) -> bool:
    """Read a path; say whether it was read to its end."""
    problems: list[Problem] = []
    try:
        for article in codec_named(name).read(path, Reading(problems.append)):
            record = article.to_dict()
            must_keep_to(validator(ANNOTATION), record)
            offsets_must_hold(record, article.text)
    except ClaimxError as error:
        if not str(error):
            raise ValueError("an error without a word") from error
        return False
    return True


def _target(name: str) -> Target:
    make: Callable[[str, Feed], object] = _make_lines if name in _LINES else _make_file
    check: Callable[..., int | None] = _check_lines if name in _LINES else _check_file
    return Target(
        name, "formats", partial(make, name), partial(check, name),
        size=1024 if name in _LINES else 128, seconds=5.0,
    )  # fmt: skip


TARGETS = tuple(_target(codec.name) for codec in CODECS)
