"""Reading files that may be hostile: bounded, UTF-8, strict JSON; and writing whole folders."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from claimx.errors import AnnotationError, FormatError

MAX_BYTES = 64 * 2**20
_MEGABYTE = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def open_file(path: Path) -> BinaryIO:
    """Open a plain file for reading; a pipe would be waited for, a device may never end.

    Args:
        path: the file.

    Raises:
        FormatError: if it is missing, not readable, or anything but a plain file.
    """
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or a device; save it as a file first"
            raise FormatError(f"{path}: is no plain file but {kind}")
        return path.open("rb")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file of bounded size.

    Args:
        path: the file.
        max_bytes: the most that is read.

    Raises:
        FormatError: if it is missing, no plain file, or larger.
    """
    try:
        with open_file(path) as stream:
            raw = stream.read(max_bytes + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(raw) > max_bytes:
        raise FormatError(
            f"{path}: larger than {max_bytes // _MEGABYTE} MiB; export it in several parts"
        )
    return raw


def read_text(path: Path, *, keep_mark: bool = False) -> str:
    """Return the text of a UTF-8 file as it stands, line ends included.

    Args:
        path: the file.
        keep_mark: leave a byte order mark in the text, where offsets count it.

    Raises:
        FormatError: if it cannot be read, is too large or is not UTF-8.
    """
    raw = read_bytes(path)
    return decode(raw if keep_mark else raw.removeprefix(_BYTE_ORDER_MARK), str(path))


def decode(raw: bytes, where: str) -> str:
    """Return UTF-8 bytes as text.

    Args:
        raw: the bytes.
        where: how messages call the place.

    Raises:
        FormatError: naming the line and the bytes that are not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        bad = raw[error.start : error.start + 8]
        raise FormatError(f"{where}:{line}: not UTF-8: {bad!r}; save the file as UTF-8") from error


def read_lines(path: Path, max_bytes: int = MAX_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, with their numbers.

    Only a line feed ends a line, since text may hold U+2028 and the like.

    Args:
        path: the file.
        max_bytes: the longest line.

    Raises:
        FormatError: if the file cannot be read, or a line is longer.
    """
    try:
        with open_file(path) as stream:
            number = 0
            while line := stream.readline(max_bytes + 1):
                number += 1
                if len(line) > max_bytes:
                    raise FormatError(
                        f"{path}:{number}: the line is longer than {max_bytes // _MEGABYTE} MiB; "
                        "a line is one article"
                    )
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line.strip():
                    yield number, line
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error


def parse_json(source: str | bytes) -> Any:
    """Return what a JSON text holds; everything that JSON leaves vague is refused.

    Refused are keys given twice, NaN and infinities, lone surrogates and endless nesting.

    Args:
        source: the text, or its UTF-8 bytes.

    Raises:
        AnnotationError: saying what is wrong, with the offending text.
    """
    try:
        text = source if isinstance(source, str) else source.decode("utf-8")
    except UnicodeDecodeError as error:
        assert isinstance(source, bytes)
        around = source[max(0, error.start - 20) : error.start + 20]
        raise AnnotationError(f"not UTF-8 at byte {error.start}: {around!r}") from error
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 20) : error.pos + 20].strip()
        place = f"column {error.colno}" + (f" of line {error.lineno}" * (error.lineno > 1))
        raise AnnotationError(f"not JSON at {place}: {error.msg}: {near!r}") from error
    except (ValueError, RecursionError) as error:
        # Our hooks, an integer of thousands of digits, or brackets nested without end.
        raise AnnotationError(f"not JSON that can be read: {error}: {start_of(text)}") from error
    if _SURROGATE_ESCAPE.search(text):
        _refuse_surrogates(value)
    return value


def start_of(source: str) -> str:
    """Return the start of a text the way messages show it.

    Args:
        source: the text.
    """
    text = source[:200].strip()
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"the key {twice[0]!r} is given twice in one object")
    return record


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        near = error.object[max(0, error.start - 20) : error.start + 20]
        owner = f"article {value['id']!r}: " if isinstance(value, dict) and "id" in value else ""
        raise AnnotationError(
            f"{owner}lone surrogate {bad!r} near {near!r}; write the whole character"
        ) from error


def to_json(value: Any, article_id: str, *, indent: int | None = None) -> str:
    """Return the JSON text of what belongs to an article.

    Args:
        value: plain JSON types.
        article_id: for the message.
        indent: as in `json.dumps`.

    Raises:
        AnnotationError: if the value has no JSON form.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        raise AnnotationError(f"article {article_id!r}: lone surrogate {bad!r}") from error
    except (TypeError, ValueError) as error:
        raise AnnotationError(f"article {article_id!r} has no JSON form: {error}") from error
    return text


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside the target, and rename it to the target if all goes well.

    Args:
        path: the target, which must not exist, or be an empty folder.

    Yields:
        The folder to write into.

    Raises:
        FormatError: if there is something at the target already, or it cannot be made.
    """
    refuse_taken(path)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise FormatError(f"{path}: cannot be made: {error.strerror or error}") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_taken(path: Path) -> None:
    """Raise `FormatError` if a folder to be written would replace anything.

    Args:
        path: the folder.
    """
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise FormatError(f"{path}: is there already; name a new or an empty folder")
