"""Which format a file or folder is in, told by its content."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.brat_lines import parse_standoff
from claimx.formats.polnear import polnear_label
from claimx.formats.registry import CODECS
from claimx.formats.sources import MAX_BYTES, open_file, parse_json, read_text

_HEAD = 2**16
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LIST = re.compile(r"\[\s*[\[{\]]")
_STANDOFF = re.compile(r"(?:[TREAMN]\d+\t\S+ \S|\*\t\S+ \S|#\d*\t)")
_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n")
_ROW = re.compile(r"\S+(?:\t\S*| +\S+)*[\t ](?:O|[BIESLU]-\S+)[ \t]*\r?")


def detect(path: Path | str) -> str:
    """Return the name of the format that a file or folder is in.

    Args:
        path: what to look at; its name plays no part.

    Raises:
        FormatError: if it cannot be read, or no format is recognised.
    """
    path = Path(path)
    found = _folder(path) if path.is_dir() else _file(path)
    if found is None:
        known = ", ".join(codec.name for codec in CODECS)
        raise FormatError(f"{path}: its format is not recognised; say which it is: {known}")
    return found


def _folder(path: Path) -> str | None:
    standoff = next(iter(sorted(path.rglob("*.ann"))), None)
    if standoff is not None:
        return _standoff(read_text(standoff))
    if any(path.rglob("*.xmi")):
        return "xmi"
    files = sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    names = dict.fromkeys(name for file in files if (name := _file(file)) is not None)
    if len(names) > 1:
        raise FormatError(
            f"{path}: holds files of several formats ({', '.join(names)}); convert one at a time"
        )
    return next(iter(names), None)


def _file(path: Path) -> str | None:
    try:
        with open_file(path) as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    if head.startswith(_UTF16):
        raise FormatError(f"{path}: is UTF-16; save the file as UTF-8")
    if head.startswith(_GZIP):
        try:
            with gzip.open(path) as packed:
                head = packed.read(_HEAD)
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(f"{path}: no sound gzip file: {error}") from error
        return "native" if head.lstrip().startswith(b"{") else None
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return "xmi"
    if head[:1] == b"\x78" and _is_docbin(head):
        return "docbin"
    text = head.decode("utf-8", "replace").removeprefix("\ufeff")
    for name, looks in _LOOKS:
        found = looks(text, path)
        if found:
            return found if isinstance(found, str) else name
    return None


def _is_docbin(head: bytes) -> bool:
    try:
        return b"attrs" in zlib.decompressobj().decompress(head, 4096)
    except zlib.error:
        return False


def _is_xmi(text: str, _path: Path) -> bool:
    return text.lstrip().startswith("<") and "xmi:XMI" in text


def _is_inline(text: str, _path: Path) -> bool:
    return _FRONT.match(text) is not None


def _is_standoff(text: str, path: Path) -> str | None:
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and all(_STANDOFF.match(line) for line in lines[:20]):
        return _standoff(read_text(path))
    beside = path.with_suffix(".ann")
    if path.suffix == ".txt" and beside.is_file():
        return _standoff(read_text(beside))
    return None


def _standoff(source: str) -> str:
    """Tell PolNeAR from other brat standoff by its three types."""
    try:
        types = {span.type for span in parse_standoff(source).spans.values()}
    except AnnotationError:
        return "brat"
    ours = {"QUOTE", "CUE", "SPEAKER"} & types
    return "polnear" if types and not ours and all(map(polnear_label, types)) else "brat"


def _is_json(text: str, path: Path) -> str | None:
    stripped = text.lstrip()
    if _LIST.match(stripped):
        return "label-studio"
    if not stripped.startswith("{"):
        return None
    try:
        with path.open("rb") as stream:
            line = next(
                (raw for raw in iter(lambda: stream.readline(MAX_BYTES), b"") if raw.strip()), b""
            )
        record = parse_json(line.removeprefix(b"\xef\xbb\xbf"))
    except AnnotationError:
        return _by_words(stripped)
    return _by_keys(record) if isinstance(record, dict) else None


def _by_words(text: str) -> str | None:
    """Guess from JSON that is damaged or laid out over several lines."""
    for name, words in _WORDS:
        if any(f'"{word}"' in text for word in words):
            return name
    return None


def _by_keys(record: Mapping[str, Any]) -> str | None:
    spans = record.get("spans")
    first = spans[0] if isinstance(spans, list) and spans and isinstance(spans[0], dict) else {}
    if isinstance(record.get("data"), dict):
        return "label-studio"
    if {"entities", "label", "labels"} & set(record) and "spans" not in record:
        return "doccano"
    if "layer" in first or {"links", "complete_layers"} & set(record):
        return "native"
    if {"tokens", "_input_hash", "_task_hash", "answer", "relations"} & set(record) or first:
        return "prodigy"
    return "native" if {"id", "text"} <= set(record) else None


def _is_conll(text: str, _path: Path) -> bool:
    rows = [
        line
        for line in text.split("\n")[:200]
        if line.strip() and not line.startswith(("-DOCSTART-", "# "))
    ]
    if len(text) == _HEAD or not text.endswith("\n"):
        rows = rows[:-1] or rows
    return bool(rows) and all(_ROW.fullmatch(line) for line in rows)


_WORDS = (
    ("label-studio", ("annotations", "predictions", "was_cancelled")),
    ("native", ("complete_layers", "links", "layer")),
    ("prodigy", ("token_start", "_input_hash", "answer")),
    ("doccano", ("entities", "start_offset", "label")),
    ("native", ("spans", "text")),
)
_LOOKS: tuple[tuple[str, Callable[[str, Path], str | bool | None]], ...] = (
    ("xmi", _is_xmi),
    ("json", _is_json),
    ("inline", _is_inline),
    ("brat", _is_standoff),
    ("conll", _is_conll),
)
