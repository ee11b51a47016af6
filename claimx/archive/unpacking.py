"""Unpacking gzip, zstd, bzip2 and xz piece by piece, with one class of error for what is wrong."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from claimx.errors import ClaimxError, InputError
from claimx.extras import needed

PIECE = 1 << 16
# zstd has no limit on what one call unpacks: 4 bytes may be 128 KiB, so 1 KiB may be 32 MiB.
_ZSTD_PIECE = 1 << 10
_ZSTD_WINDOW = 1 << 27
_XZ_MEMORY = 1 << 28


class ContainerError(InputError):
    """A file of many articles cannot be read any further.

    The kind is ``truncated`` (it ends too early), ``damaged`` or ``bomb`` (it unpacks to far more
    than text does).

    Attributes:
        checksum: what was unpacked last is wrong, not what would come next.
    """

    def __init__(self, message: str, kind: str, *, checksum: bool = False) -> None:
        super().__init__(message, kind)
        self.checksum = checksum


def first_line(error: BaseException) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def unpack(
    source: io.RawIOBase,
    packing: str,
    taken: Callable[[], int],
    max_ratio: float,
    max_unpacked: int,
) -> Iterator[bytes]:
    """Yield what a packed stream holds, in pieces of at most `PIECE` bytes.

    Args:
        source: the packed bytes.
        packing: ``gzip``, ``zstd``, ``bzip2`` or ``xz``.
        taken: says how many bytes of `source` have been read so far.
        max_ratio: how many times its packed size it may unpack to,
        max_unpacked: once it has unpacked to this many bytes.

    Raises:
        ContainerError: where it ends too early, is damaged or unpacks to far too much.
        ClaimxError: if the network or the disk fails.
    """
    unpacked = 0
    for chunk in _translated(_UNPACK[packing](source), packing):
        for start in range(0, len(chunk), PIECE):
            piece = chunk[start : start + PIECE]
            unpacked += len(piece)
            if unpacked > max_unpacked and unpacked > max_ratio * taken():
                raise ContainerError(
                    f"{taken():,} bytes unpack to more than {unpacked:,}, over {max_ratio:g} "
                    f"times as much; if the file is sound, unpack it first",
                    "bomb",
                )
            yield piece


def _gunzip(stream: io.RawIOBase) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BufferedReader(stream, PIECE), mode="rb") as unpacked:
        while chunk := unpacked.read1(PIECE):
            yield chunk


def _members(stream: io.RawIOBase, new: Callable[[], Any], piece: int) -> Iterator[bytes]:
    """Unpack members one behind the other; unlike the standard library, to the last byte."""
    source = io.BufferedReader(stream, PIECE)
    unpacker = new()
    while True:
        data = b""
        if unpacker.eof:
            data = unpacker.unused_data.lstrip(b"\0")  # zeros are padding
            while not data and (more := source.read(piece)):
                data = more.lstrip(b"\0")
            if not data:
                return
            unpacker = new()
        elif unpacker.needs_input:
            data = source.read(piece)
            if not data:
                raise EOFError
        if chunk := unpacker.decompress(data, PIECE):
            yield chunk


def _bunzip2(stream: io.RawIOBase) -> Iterator[bytes]:
    return _members(stream, bz2.BZ2Decompressor, PIECE)


def _unxz(stream: io.RawIOBase) -> Iterator[bytes]:
    return _members(stream, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY), PIECE)


class _ZstdFrame:
    """One zstd frame, in the manner of `bz2.BZ2Decompressor`."""

    needs_input = True

    def __init__(self, zstandard: Any) -> None:
        unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._unpacker = unpacker.decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self._unpacker.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._unpacker.unused_data)

    def decompress(self, data: bytes, _: int) -> bytes:
        return bytes(self._unpacker.decompress(data))


def _unzstd(stream: io.RawIOBase) -> Iterator[bytes]:
    zstandard = needed("zstandard", "zstandard", "reading zstd")
    try:
        yield from _members(stream, lambda: _ZstdFrame(zstandard), _ZSTD_PIECE)
    except zstandard.ZstdError as error:
        raise zlib.error(str(error)) from error


_UNPACK: dict[str, Callable[[io.RawIOBase], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "bzip2": _bunzip2,
    "xz": _unxz,
    "zstd": _unzstd,
}


def _translated(chunks: Iterator[bytes], packing: str) -> Iterator[bytes]:
    """Pass the chunks on; say what is wrong with the file in one class of error."""
    try:
        yield from chunks
    except EOFError as error:
        raise ContainerError(
            f"the {packing} data end too early; fetch the file again", "truncated"
        ) from error
    except (OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ClaimxError(f"reading failed: {first_line(error)}") from error
        # The standard library has no classes of its own for these.
        if str(error) == "Not a gzipped file (b'\\x1f')":  # half of the next member's mark
            raise ContainerError(
                "the gzip data end too early; fetch the file again", "truncated"
            ) from error
        checksum = str(error).startswith(("CRC check failed", "Incorrect length"))
        what = "do not match their checksum" if checksum else f"are damaged ({error})"
        raise ContainerError(
            f"the {packing} data {what}; fetch the file again", "damaged", checksum=checksum
        ) from error
