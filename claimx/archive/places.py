"""Where an archive's output goes: a local folder or an fsspec URL, laid out in one way.

::

    DIR/records/00000-000.parquet     or .jsonl.zst: one record an article
    DIR/quotes/00000-000.parquet      on request: one row a quote
    DIR/claims/00000-000.parquet      on request: one row a claim
    DIR/receipts/00000-000.json       written last: the shard is done
    DIR/run.json                      what the run was started with
    DIR/quarantined.jsonl             input files that could not be read, if there are any

A file is there whole or not at all. On a disk it is written beside its place, flushed, renamed,
and the folder flushed. To a URL the finished file is uploaded: an object store shows an object
once all of it has arrived. Another kind of store may show a part of it for a while; what has no
receipt does not count.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from claimx.errors import ClaimxError
from claimx.extras import needed

RECORDS, QUOTES, CLAIMS, RECEIPTS = "records", "quotes", "claims", "receipts"
QUARANTINED = "quarantined.jsonl"
RUN = "run.json"
TEMPORARY = ".tmp-"  # in names that begin with a dot, which readers of folders pass over
_CHUNK = 1 << 20
_WRITTEN = re.compile(
    rf"({RECORDS}|{QUOTES}|{CLAIMS}|{RECEIPTS})/\d+-\d+\.[^/]+"
    rf"|{RUN}|{QUARANTINED}|([^/]+/)?\.[^/]+{TEMPORARY}[^/]+"
)

_WHAT_TO_DO = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder, then resume",
    errno.EDQUOT: "your quota is used up: free some space or choose another folder, then resume",
    errno.EFBIG: "the file is larger than is allowed here: make the shards smaller",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.EACCES: "you may not write there: choose another folder or change its permissions",
    errno.EPERM: "you may not write there: choose another folder or change its permissions",
    errno.ENOTDIR: "a part of this path is a file: choose another folder",
    errno.EEXIST: "a part of this path is a file: choose another folder",
    errno.EISDIR: "there is a folder of this name: remove it or choose another place",
    errno.ENOENT: "its folder is gone: create it again, then resume",
    errno.EIO: "the disk reports a fault: check it or choose another folder",
}
_OTHERWISE = "look at the disk or choose another folder, then resume"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file: where it is, the SHA-256 of its bytes, and how many bytes and rows."""

    path: str
    sha256: str
    bytes: int
    rows: int = 0


# ---- names ------------------------------------------------------------------------------------


def is_url(path: str) -> bool:
    """Say whether a path belongs to fsspec (``s3://…``) and not to the local disk."""
    return "://" in path and not path.startswith("file://")


def join(folder: str, *names: str) -> str:
    """Put names behind a folder or URL; "" stands for the working directory."""
    return "/".join([folder.rstrip("/") or folder or ".", *names])


def within(path: str, folder: str) -> str:
    """Return a path below a folder without the folder."""
    return path.removeprefix(join(folder, ""))


def is_written(name: str) -> bool:
    """Say whether a run writes a file of this name, relative to its folder."""
    return _WRITTEN.fullmatch(name) is not None


def _local(path: str) -> Path:
    return Path(path.removeprefix("file://"))


def file_system(path: str) -> tuple[Any, str]:
    """Return the fsspec file system of a path, and the path as that system spells it.

    Raises:
        ClaimxError: if there is no such file system, or its library is not installed.
    """
    core = needed("fsspec.core", "fsspec", "reading and writing files by URL")
    try:
        found, inner = core.url_to_fs(path)
    except (ImportError, ValueError) as error:
        raise ClaimxError(f"{path} cannot be opened: {error}") from error
    return found, inner


# ---- reading ----------------------------------------------------------------------------------


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Raises:
        ClaimxError: if it is not there or cannot be opened.
    """
    try:
        if is_url(path):
            system, inner = file_system(path)
            stream = cast(BinaryIO, system.open(inner, "rb"))
        else:
            stream = _local(path).open("rb")
    except FileNotFoundError as error:
        raise ClaimxError(f"{path} is not there") from error
    except OSError as error:
        raise ClaimxError(f"{path} cannot be read: {error.strerror or error}") from error
    with stream:
        yield stream


def file_size(path: str) -> int | None:
    """Return a file's size in bytes; None if there is no such file."""
    if is_url(path):
        system, inner = file_system(path)
        system.invalidate_cache()
        return int(system.size(inner)) if system.isfile(inner) else None
    place = _local(path)
    return place.stat().st_size if place.is_file() else None


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a file.

    Raises:
        ClaimxError: if it cannot be read.
    """
    digest = hashlib.sha256()
    with opened(path) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        except OSError as error:
            raise ClaimxError(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def list_files(folder: str) -> list[str]:
    """List the files below a folder, in all depths and in order, as names relative to it.

    A folder that is not there has none.
    """
    if not is_url(folder):
        root = _local(folder)
        found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(found)
    system, inner = file_system(folder)
    system.invalidate_cache()
    try:
        return sorted(within(path, inner) for path in system.find(inner))
    except FileNotFoundError:
        return []


# ---- writing ----------------------------------------------------------------------------------


class Sink:
    """A file on its way: takes bytes, counts and hashes them.

    Attributes:
        bytes: how many there are so far.
    """

    def __init__(self, stream: BinaryIO, path: str) -> None:
        self._stream, self._path = stream, path
        self._digest = hashlib.sha256()
        self._abandoned = False
        self.bytes = 0
        self.closed = False  # pyarrow asks

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take bytes.

        Raises:
            ClaimxError: if they cannot be written, in one sentence with what to do.
        """
        with memoryview(data) as view:
            if not self._abandoned:
                try:
                    self._stream.write(view)
                except OSError as error:
                    raise _cannot_write(self._path, error) from error
                self._digest.update(view)
            self.bytes += view.nbytes
            return view.nbytes

    def flush(self) -> None:
        """Do nothing: the file is flushed as a whole at its end."""

    def tell(self) -> int:
        """Return the number of bytes so far."""
        return self.bytes

    def abandon(self) -> None:
        """Take no more bytes but complain about none: writers close themselves in the end."""
        self._abandoned = True

    def written(self, rows: int = 0) -> Written:
        """Describe the file."""
        return Written(self._path, self._digest.hexdigest(), self.bytes, rows)


@contextmanager
def replacing(path: str) -> Iterator[Sink]:
    """Write a file that appears under its name whole or not at all.

    Folders on the way are made. After an error nothing is left behind, and what stood under the
    name before still stands there.

    Args:
        path: local path or fsspec URL.

    Yields:
        What takes the bytes.

    Raises:
        ClaimxError: if it cannot be written, in one sentence with what to do.
    """
    target = _local(path)
    temporary: Path | None = None
    stream: BinaryIO | None = None
    try:
        try:
            if is_url(path):
                handle, name = tempfile.mkstemp(prefix="claimx-", suffix=TEMPORARY + target.name)
                temporary, stream = Path(name), os.fdopen(handle, "wb")
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = _unfinished(target)
                stream = temporary.open("xb")
        except OSError as error:
            raise _cannot_write(path, error) from error
        sink = Sink(stream, path)
        yield sink
        try:
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()
            if not is_url(path):
                temporary.replace(target)
                _flush_folder(target.parent)
        except OSError as error:
            raise _cannot_write(path, error) from error
        if is_url(path):
            _upload(temporary, path, sink.bytes)
    finally:
        if stream is not None:
            with suppress(OSError):  # what is left in the buffer fits no better now
                stream.close()
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _unfinished(target: Path) -> Path:
    """Return a name beside a file that nobody else has, and that pandas and pyarrow pass over."""
    return target.with_name(f".{target.name}{TEMPORARY}{secrets.token_hex(6)}")


def write_whole(path: str, data: bytes) -> Written:
    """Write a small file that appears under its name whole or not at all.

    Raises:
        ClaimxError: if it cannot be written, in one sentence with what to do.
    """
    with replacing(path) as sink:
        sink.write(data)
    return sink.written()


def remove(path: str) -> None:
    """Remove a file, if it is there.

    Raises:
        ClaimxError: if it cannot be removed.
    """
    try:
        if not is_url(path):
            _local(path).unlink(missing_ok=True)
        elif file_size(path) is not None:
            system, inner = file_system(path)
            system.rm_file(inner)
    except OSError as error:
        raise ClaimxError(f"{path} cannot be removed: {error.strerror or error}") from error


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _upload(temporary: Path, path: str, size: int) -> None:
    system, inner = file_system(path)
    try:
        system.makedirs(inner.rpartition("/")[0], exist_ok=True)
        system.put_file(str(temporary), inner)
        system.invalidate_cache()
        arrived = system.size(inner)
    except Exception as error:  # each store has errors of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClaimxError(
            f"{path} cannot be written: {reason}; check the address and your access, then resume"
        ) from error
    if arrived != size:
        raise ClaimxError(f"{path}: {arrived:,} of {size:,} bytes arrived; resume to try again")


def _cannot_write(path: str, error: OSError) -> ClaimxError:
    advice = _WHAT_TO_DO.get(error.errno or 0)
    if advice is None:
        advice = f"{error.strerror or error}: {_OTHERWISE}"
    return ClaimxError(f"{path} cannot be written: {advice}")


# ---- space ------------------------------------------------------------------------------------


def free_bytes(folder: str) -> int | None:
    """Return the free space where a folder is or will be; None for a URL, which does not say."""
    if is_url(folder):
        return None
    place = _local(folder).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def space_problem(folder: str, expected: int) -> str | None:
    """Say that the disk has too little space for an output, or return None.

    Args:
        folder: where the output goes.
        expected: its size in bytes, as `writers.estimate_bytes` guesses it.
    """
    free = free_bytes(folder)
    if free is None or free >= expected:
        return None
    return (
        f"{folder} has {shown_size(free)} free, and the output will take about "
        f"{shown_size(expected)}: free some space or choose another folder"
    )


def shown_size(count: float) -> str:
    """Return a number of bytes as people read it, such as 34.1 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.4g} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
