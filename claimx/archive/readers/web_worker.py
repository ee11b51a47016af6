"""The process that reads web pages for `web`: one request after the other, until its input ends.

Run by its path, with nothing of claimx. Messages are 4 bytes of length and JSON.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from contextlib import suppress
from typing import Any, BinaryIO

LENGTH = struct.Struct(">I")
_MEMORY = 4 << 30
# Dates come from the page's markup. The latest date is a fixed one: by default it is today, and
# then the same page could have another date tomorrow.
_DATES = {"original_date": True, "extensive_search": False, "max_date": "2099-12-31"}


def receive(stream: BinaryIO) -> Any:
    """Read one message; None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    data = stream.read(size)
    return json.loads(data) if len(data) == size else None


def send(stream: BinaryIO, message: Any) -> None:
    """Write one message."""
    data = json.dumps(message).encode("ascii")
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def main() -> None:
    """Say that it is ready, then answer requests."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _limit_memory()
    import trafilatura

    send(answers, {"ready": True})
    while (request := receive(requests)) is not None:
        try:
            found = trafilatura.bare_extraction(
                # Browsers read NUL as U+FFFD; the parser takes it for the end.
                request["html"].replace("\0", "\ufffd"),
                url=request["url"],
                include_comments=False,
                with_metadata=True,
                date_extraction_params=dict(_DATES),
            )
            names = ("text", "title", "author", "date", "url")
            send(answers, {name: getattr(found, name, None) for name in names})
        except Exception as error:  # an odd page must not cost its neighbours
            send(answers, {"error": f"{type(error).__name__}: {error}"[:500]})


def _limit_memory() -> None:
    """Make a page that asks for terabytes fail alone."""
    with suppress(ImportError, ValueError, OSError):  # Windows; a lower limit is set already
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    main()
