"""Web pages: trafilatura finds the article, in a process of its own with a time limit.

Pages can hang or kill the library that reads them. Then the page becomes an error record and the
next one gets a new process. The text is what trafilatura returns; offsets point into that.
"""

from __future__ import annotations

import atexit
import codecs
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import error_at, longer_than, too_large
from claimx.archive.readers.web_worker import receive, send
from claimx.errors import ClaimxError, InputError
from claimx.extras import needed
from claimx.reading import decode
from claimx.types import Article, Extraction

WORKER = (sys.executable, "-P", str(Path(__file__).with_name("web_worker.py")))
_START_SECONDS = 300.0  # importing trafilatura on a busy machine
_PAGES = 5_000  # then a new process: libraries grow
_SNIFFED = 4096
_META_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]{2,40})""", re.I
)
# Encodings of text that the web uses; Python's other codecs (zip, idna ...) are none.
_TEXT_CODECS = re.compile(
    r"utf-(8|16|32)|cp\d+|iso8859|iso2022|koi8|big5|gb|hz|euc|shift_jis|mac-|tis"
)
_WINDOWS = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030"}


def read(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the one article; its id is the path."""
    try:
        data = stream.read(options.max_bytes + 1)
        if len(data) > options.max_bytes:
            raise too_large("page", options.max_bytes)
        yield page_article(data, path, None, None, options)
    except InputError as error:
        yield error_at(path, error)


def page_article(
    data: bytes, article_id: str, url: str | None, charset: str | None, options: ReadOptions
) -> Article:
    """Read one page.

    Args:
        data: its bytes.
        article_id: for the article.
        url: where it was fetched, if that is known.
        charset: what the server said of its encoding.
        options: time and size.

    Returns:
        The article; author, date and the address that the page gives itself are in ``meta``.

    Raises:
        InputError: if the page takes too long, kills its reader or is no page.
    """
    found = page_reader().read(decode_page(data, charset), url, options.html_seconds)
    text = found.get("text") or ""
    if longer_than(text, options.max_bytes):
        raise too_large("text", options.max_bytes)
    meta = {name: found[name] for name in ("author", "date", "url") if found.get(name)}
    return Article(article_id, text, found.get("title") or None, meta)


def decode_page(data: bytes, charset: str | None = None) -> str:
    """Turn the bytes of a page into text.

    A byte order mark wins, then what the server said, then what the page says, where the bytes
    are sound in it; else UTF-8 or Windows-1252, whichever fits better (`reading.decode`).

    Raises:
        InputError: if this is no text.
    """
    if not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        own = _META_CHARSET.search(data[:_SNIFFED])
        for name in (charset, own and own[1].decode("ascii", "replace")):
            codec = _codec(name)
            if codec is not None:
                with suppress(UnicodeError):
                    return data.decode(codec)
    return decode(data)[0]


def _codec(name: str | None) -> str | None:
    """Return Python's name of an encoding, as browsers understand it."""
    try:
        found = codecs.lookup(name or "").name
    except (LookupError, ValueError):
        return None
    found = _WINDOWS.get(found, found)
    return found if _TEXT_CODECS.match(found) else None


# ---- the process --------------------------------------------------------------------------


class PageReader:
    """A process that reads pages; started at the first, and again after one that broke it."""

    def __init__(self, command: Sequence[str] = WORKER) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._pages = 0

    def read(self, html: str, url: str | None, seconds: float) -> dict[str, Any]:
        """Have one page read.

        Raises:
            InputError: if that takes too long, fails or ends the process.
            ClaimxError: if no process can be started.
        """
        if self._pages >= _PAGES:
            self.close()
        process = self._process
        if process is None or process.poll() is not None:
            self.close()
            process = self._start()
        self._pages += 1
        answer, late = self._ask(process, {"html": html, "url": url}, seconds)
        if late:
            self.close()
        if answer is None:
            self.close()
            if late:
                raise InputError(
                    f"reading the page took more than {seconds:g} seconds", "html_timeout"
                )
            raise InputError(
                f"reading the page ended its process (status {process.returncode})", "html_crash"
            )
        if "error" in answer:
            raise InputError(f"the page cannot be read: {answer['error']}", "bad_html")
        return answer

    def close(self) -> None:
        """End the process."""
        process, self._process, self._pages = self._process, None, 0
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    cast(BinaryIO, stream).close()
            process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        needed("trafilatura", "trafilatura", "reading web pages")
        # The child finds what this process finds, and nothing in the working directory by chance.
        paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100
        process = subprocess.Popen(  # noqa: S603 (our own program)
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self._process = process
        answer, _ = self._ask(process, None, _START_SECONDS)
        if answer is None:
            self.close()
            raise ClaimxError("the process that reads web pages does not start; is memory short?")
        return process

    def _ask(
        self, process: subprocess.Popen[bytes], request: Any, seconds: float
    ) -> tuple[dict[str, Any] | None, bool]:
        """Return the answer, None if there is none, and whether time ran out."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        answer = None
        try:
            if request is not None:
                send(cast(BinaryIO, process.stdin), request)
            answer = receive(cast(BinaryIO, process.stdout))
        except (OSError, ValueError):  # the pipe broke
            pass
        finally:
            timer.cancel()
            timer.join()  # it has fired or never will
        if answer is None:
            process.kill()
            process.wait()
        return answer, late.is_set()


_OWN = threading.local()


def page_reader() -> PageReader:
    """Return the page reader of this thread; a forked process gets one of its own."""
    pid, reader = getattr(_OWN, "reader", (None, None))
    if pid != os.getpid() or reader is None:
        reader = PageReader()
        _OWN.reader = (os.getpid(), reader)
        atexit.register(reader.close)
    return cast(PageReader, reader)
