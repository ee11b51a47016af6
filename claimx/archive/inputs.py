"""Which files are read: paths, folders, globs, URLs and standard input become a sorted list."""

from __future__ import annotations

import glob
import logging
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from claimx.archive.opening import COMPRESSIONS, STANDARD_INPUT, retrying
from claimx.archive.places import file_system, is_url, is_written, join, within
from claimx.errors import InputError
from claimx.text import counted

_LOG = logging.getLogger("claimx")

# Suffix -> format; `readers.READERS` has a reader for each.
FORMATS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".pq": "parquet",
    ".txt": "text",
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".warc": "warc", ".wet": "warc",
    ".xml": "newsml",
}  # fmt: skip
# Packed news takes about a third of its bytes.
_UNPACKED = {".gz": 3.0, ".zst": 3.0, ".bz2": 4.0, ".xz": 4.0, ".parquet": 2.5}
_GLOB = set("*?[")
_FACTS_OF_VERSION = ("ETag", "etag", "md5Hash", "checksum", "LastModified", "mtime", "updated")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of articles.

    Args:
        path: as given or found: a local path, an fsspec URL, or ``-`` for standard input.
        size: bytes; None if that is not known.
        version: changes with the file: time of change in nanoseconds, ETag; "" if unknown.
        format: a key of `readers.READERS`.
    """

    path: str
    size: int | None
    version: str
    format: str


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    size: int | None
    version: str
    same: str  # equal for two names of one file
    named: bool  # by the caller, not by a folder or glob


def format_of(path: str) -> str | None:
    """Return the format that a name says, with or without a compression behind it.

    Parquet packs its columns itself, so a packed Parquet file is none that can be read.
    """
    name = PurePosixPath(path)
    packed = name.suffix.lower() in COMPRESSIONS
    found = FORMATS.get((PurePosixPath(name.stem) if packed else name).suffix.lower())
    return None if packed and found == "parquet" else found


def unpacked_bytes(path: str, size: float) -> float:
    """Guess how many bytes of text a file of so many bytes has."""
    return size * next((n for end, n in _UNPACKED.items() if path.endswith(end)), 1.0)


def find_inputs(
    patterns: Sequence[str], *, format: str | None = None, output: str | None = None
) -> list[InputFile]:
    """List the files that patterns mean, sorted by path, no file twice.

    Folders are searched in all depths; what begins with a dot is left out. There and behind a
    glob a file of unknown suffix is passed over; how many of which is logged.

    Args:
        patterns: files, folders, globs (``**`` for all depths), fsspec URLs with or without
            globs, and ``-`` for standard input (JSON lines unless `format` says otherwise).
        format: read files that are named, and those of unknown suffix, as this.
        output: the output folder, which may lie among the inputs; what runs write there is no
            input.

    Raises:
        InputError: naming every pattern that matches nothing, or a file of unknown format.
        ClaimxError: if a file system cannot be reached.
    """
    if format is not None and format not in FORMATS.values():
        known = ", ".join(dict.fromkeys(FORMATS.values()))
        raise InputError(f"there is no format {format!r}; there are {known}", "bad_format")
    written = _written_in(output)
    problems: list[str] = []
    passed_over: Counter[str] = Counter()
    files: dict[str, InputFile] = {}
    for pattern in dict.fromkeys(patterns):
        if pattern == STANDARD_INPUT:
            files[pattern] = InputFile(pattern, None, "", format or "jsonl")
            continue
        found = list(_remote(pattern) if is_url(pattern) else _local(pattern))
        given = [file for file in found if not written(file.same)]
        taken = _with_formats(given, format, passed_over)
        for same, file in taken:
            files[same] = min(files.get(same, file), file, key=lambda file: file.path)
        if not taken and (given or not found):
            problems.append(_problem(pattern, given))
    if not (files or problems):
        problems.append(f"{', '.join(patterns)}: only what runs wrote into {output} is there")
    if problems:
        raise InputError("; ".join(problems), "no_input")
    if passed_over:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(passed_over.items()))
        total = counted(passed_over.total(), "file")
        _LOG.warning("%s of unknown format passed over: %s", total, kinds)
    return sorted(files.values(), key=lambda file: file.path)


def _written_in(output: str | None) -> Callable[[str], bool]:
    """Return what tells the files that runs write into a folder, by what `_Found` calls same."""
    if output is None:
        return lambda _: False
    if is_url(output):
        system, inner = file_system(output)
        folder = str(system.unstrip_protocol(inner))
    else:
        folder = str(Path(output.removeprefix("file://")).resolve())
    start = join(folder, "")
    return lambda path: path.startswith(start) and is_written(within(path, folder))


def _with_formats(
    found: Sequence[_Found], format: str | None, passed_over: Counter[str]
) -> list[tuple[str, InputFile]]:
    taken = []
    for file in found:
        said = format_of(file.path)
        chosen = (format or said) if file.named or said is None else said
        if format is not None and chosen != format:  # of another known format, in a folder
            chosen = None
        if chosen is None:
            passed_over[PurePosixPath(file.path).suffix or "without suffix"] += not file.named
        else:
            taken.append((file.same, InputFile(file.path, file.size, file.version, chosen)))
    return taken


def _problem(pattern: str, found: Sequence[_Found]) -> str:
    if not found:
        return f"{pattern} matches no file"
    known = " ".join(FORMATS)
    if found[0].named:
        return f"{pattern} has none of the suffixes {known}; say what it is with --input-format"
    return f"{pattern} matches {counted(len(found), 'file')}, but none with a suffix of {known}"


# ---- the local disk -----------------------------------------------------------------------


def _local(pattern: str) -> Iterator[_Found]:
    prefix = "file://" * pattern.startswith("file://")
    name = pattern.removeprefix(prefix)
    if os.path.lexists(name):
        paths = [name]
    elif _GLOB & set(name):
        paths = glob.glob(name, recursive=True)  # noqa: PTH207 (a path stays as it was given)
    else:
        return
    for path in paths:
        if Path(path).is_dir():
            for inside in _files_below(path):
                yield from _local_file(prefix, inside, named=False)
        else:
            yield from _local_file(prefix, path, named=paths == [name])


def _files_below(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield os.path.join(place, name)  # noqa: PTH118 (a path stays as it was given)


def _local_file(prefix: str, path: str, *, named: bool) -> Iterator[_Found]:
    """Yield a file, but no pipe or device that nobody named: reading it might never end."""
    place = Path(path)
    try:
        facts = place.stat()
    except OSError:  # a dangling link, or gone since: whoever reads it says so
        yield _Found(prefix + path, None, "", path, named)
        return
    if named or stat.S_ISREG(facts.st_mode):
        same = str(place.resolve())
        yield _Found(prefix + path, facts.st_size, str(facts.st_mtime_ns), same, named)


# ---- URLs ---------------------------------------------------------------------------------


def _remote(pattern: str) -> Iterator[_Found]:
    system, inner = file_system(pattern)
    found, named = retrying(lambda: _look_up(system, inner), f"{pattern} cannot be listed")
    for name, facts in found.items():
        path = str(system.unstrip_protocol(name))
        hidden = any(part.startswith(".") for part in name.removeprefix(inner).split("/"))
        if named or not hidden:
            yield _Found(path, facts.get("size"), _version(facts), path, named)


def _look_up(system: Any, inner: str) -> tuple[Mapping[str, Mapping[str, Any]], bool]:
    """Return the files that a name or glob means, with what is known of them."""
    system.invalidate_cache()
    try:
        facts = system.info(inner)
    except FileNotFoundError:
        facts = None
    if facts is not None and facts["type"] == "file":
        return {facts["name"]: facts}, True
    if facts is not None:
        return system.find(inner, detail=True), False
    if not _GLOB & set(inner):
        return {}, False
    found: dict[str, Mapping[str, Any]] = {}
    for name, facts in system.glob(inner, detail=True).items():
        if facts["type"] == "directory":
            found.update(system.find(name, detail=True))
        else:
            found[name] = facts
    return found, False


def _version(facts: Mapping[str, Any]) -> str:
    return next((str(facts[name]) for name in _FACTS_OF_VERSION if facts.get(name)), "")
