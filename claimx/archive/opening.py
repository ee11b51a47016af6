"""Bytes of input files: local paths, fsspec URLs and standard input, unpacked on the way.

Only a bounded amount is in memory at any time. gzip, zstd, bzip2 and xz are told by their first
bytes, never by the name alone. A packed file that ends early or is damaged in the middle gives
what could be unpacked, then raises `ContainerError`; so readers see every whole line before the
place. A network that fails is asked again; when it keeps failing, or a disk reports a fault, that
is a `ClaimxError` that no reader takes for the end of a file.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from claimx.archive.places import file_system, is_url
from claimx.archive.unpacking import PIECE, first_line, unpack
from claimx.errors import ClaimxError, InputError
from claimx.text import counted

STANDARD_INPUT = "-"
MAX_RATIO = 200  # text packs to a third or a tenth; a list of one repeated line to a hundredth
MAX_UNPACKED = 1 << 30
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
PAUSES = (0.5, 2.0, 8.0)  # seconds before a remote read is tried again

_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
)
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")  # of data; of the end of an empty file
_HEAD = 10
_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError)
_T = TypeVar("_T")
Count = Callable[[int], object]


def retrying(call: Callable[[], _T], what: str) -> _T:
    """Call something that goes over a network, again after a pause if it fails.

    Args:
        call: the call; safe to repeat.
        what: for the message: ``s3://news/a.jsonl cannot be read``.

    Raises:
        FileNotFoundError, PermissionError, ...: at once, since waiting changes nothing.
        ClaimxError: if it failed four times.
    """
    for pause in (*PAUSES, None):
        try:
            return call()
        except (ClaimxError, *_LASTING):
            raise
        except Exception as error:  # each store has errors of its own
            if pause is None:
                tries = len(PAUSES) + 1
                raise ClaimxError(
                    f"{what}: {first_line(error)} ({tries} tries); try again later with --resume"
                ) from error
            time.sleep(pause)
    raise AssertionError


@contextmanager
def open_packed(
    path: str, standard_input: BinaryIO | None = None, count: Count | None = None
) -> Iterator[BinaryIO]:
    """Open a file as it lies there.

    Args:
        path: local path, fsspec URL, or ``-``.
        standard_input: the stream that ``-`` reads; the process's own by default.
        count: told the bytes of each read of the disk or network.

    Raises:
        InputError: if there is no such file, or it may not be read.
        ClaimxError: if the network or the disk fails.
    """
    if path == STANDARD_INPUT:
        yield standard_input if standard_input is not None else sys.stdin.buffer
        return
    try:
        raw = _Source(path, count)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file", "unreadable") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder, not a file", "unreadable") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be opened: {first_line(error)}", "unreadable") from error
    with raw, io.BufferedReader(raw, PIECE) as stream:
        yield stream


@contextmanager
def open_unpacked(
    path: str,
    *,
    standard_input: BinaryIO | None = None,
    count: Count | None = None,
    max_ratio: float = MAX_RATIO,
    max_unpacked: int = MAX_UNPACKED,
) -> Iterator[BinaryIO]:
    """Open a file and unpack it on the way.

    Args:
        path: local path, fsspec URL, or ``-``.
        standard_input: the stream that ``-`` reads; the process's own by default.
        count: told the bytes, packed, of each read of the disk or network.
        max_ratio: how many times its packed size a file may unpack to,
        max_unpacked: once it has unpacked to this many bytes.

    Raises:
        InputError: if it cannot be opened, or is not packed in the way that its name says.
        ClaimxError: if the network or the disk fails.
    """
    with open_packed(path, standard_input, count) as stream:
        head = stream.read(_HEAD)
        packing = _packing(path, head)
        whole = _Joined(head, stream)
        if packing is None:
            raw: io.RawIOBase = whole
        else:
            raw = _Chunks(unpack(whole, packing, lambda: whole.taken, max_ratio, max_unpacked))
        with raw, io.BufferedReader(raw, PIECE) as buffered:
            yield buffered


def compression_of(path: str) -> str | None:
    """Return the compression that a name claims, such as ``gzip``."""
    return COMPRESSIONS.get(Path(path).suffix.lower())


def _packing(path: str, head: bytes) -> str | None:
    """Tell the compression of a file by its first bytes; its name must not say otherwise."""
    found = next((name for magic, name in _MAGIC if head.startswith(magic)), None)
    if found == "bzip2" and head[4:10] not in _BZIP2_BLOCKS:
        found = None
    claimed = compression_of(path)
    if claimed and found != claimed:
        start = next(magic for magic, name in _MAGIC if name == claimed)
        if len(head) < _HEAD and (start.startswith(head) or head.startswith(start)):
            raise InputError(
                f"{path}: ends after {counted(len(head), 'byte')}; fetch it again", "truncated"
            )
        raise InputError(
            f"{path}: its name says {claimed}, but it is {found or 'not'} packed; rename it",
            "damaged",
        )
    return found


# ---- sources ------------------------------------------------------------------------------


class _Source(io.RawIOBase):
    """A local or remote file; a remote one is opened again at the same place if it fails."""

    def __init__(self, path: str, count: Count | None = None) -> None:
        self._path, self._count = path, count
        self._position = 0
        self._stream: Any = None
        if is_url(path):
            system, inner = file_system(path)
            self._open: Callable[[], Any] = lambda: system.open(inner, "rb")
            self._stream = retrying(self._open, f"{path} cannot be opened")
        else:
            local = Path(path.removeprefix("file://"))
            self._open = lambda: local.open("rb", buffering=0)
            self._stream = self._open()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = int(self._now().seek(offset, whence))
        return self._position

    def _now(self) -> Any:
        if self._stream is None:
            self._stream = self._open()
            self._stream.seek(self._position)
        return self._stream

    def readinto(self, buffer: Any) -> int:
        what = f"{self._path} cannot be read on from byte {self._position:,}"
        if not is_url(self._path):
            try:
                count = int(self._stream.readinto(buffer))
            except OSError as error:
                raise ClaimxError(f"{what}: {first_line(error)}") from error
        else:
            data = retrying(lambda: self._read(len(buffer)), what)
            count = len(data)
            buffer[:count] = data
        self._position += count
        if self._count is not None:
            self._count(count)
        return count

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._now().read(size))
        except Exception:
            self._drop()
            raise

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(Exception):
                stream.close()

    def close(self) -> None:
        if not self.closed:
            self._drop()
        super().close()


class _Joined(io.RawIOBase):
    """What was read of a stream already and then the rest of it; counts what was taken."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            # read1: one read of the file and no more, so that an error later loses nothing.
            read = getattr(self._stream, "read1", self._stream.read)
            data = read(len(buffer))
        buffer[: len(data)] = data
        self.taken += len(data)
        return len(data)


class _Chunks(io.RawIOBase):
    """A stream made of pieces."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")
        self._broken: ClaimxError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._broken:  # or whoever reads on would take the break for the end
            raise self._broken
        if not self._left:
            try:
                self._left = memoryview(next(self._chunks, b""))
            except ClaimxError as error:
                self._broken = error
                raise
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
