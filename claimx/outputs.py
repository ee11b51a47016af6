"""Files that commands write: never over an input, whole or not at all, and named in every error."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from claimx.errors import FormatError


def refuse_output(target: Path, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse, before any work is done, to write over what is read.

    Args:
        target: what will be written.
        inputs: files and folders that are read; names of nothing are passed over.

    Raises:
        FormatError: if it is one of them.
    """
    for place in map(Path, inputs):
        if place.exists() and target.exists() and place.samefile(target):
            raise FormatError(f"{target}: is an input itself, which would be gone; name another")


def refuse_no_file(target: Path) -> None:
    """Refuse, before any work is done, a place where no file can be.

    Raises:
        FormatError: if it is a folder, or in none.
    """
    if target.is_dir():
        raise FormatError(f"{target}: is a folder; name a file, such as {target / 'out'}")
    if not target.parent.is_dir():
        raise FormatError(f"{target}: there is no folder {target.parent}; make it first")


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Give a file to write, which takes the place of another if all goes well.

    What a link points to is replaced, and not the link. A device or a pipe is written to as it is:
    a file in its place would take it from everybody.

    Raises:
        OSError: naming the target, if it cannot be written; what was there before still is.
    """
    place = Path(os.path.realpath(target))
    if place.exists() and not (place.is_file() or place.is_dir()):
        yield place
        return
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder; name a file", str(target))
        yield temporary
        temporary.replace(place)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
    finally:
        if place.parent.is_dir():
            temporary.unlink(missing_ok=True)
