"""From a request to its answer: what is taken, refused, waited for and given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from claimx.errors import InputError
from claimx.reading import article_of, failed, parse_line, with_title
from claimx.serving.limits import Limits, RequestError, stopping
from claimx.serving.worker import Job, Worker
from claimx.text import counted
from claimx.types import Article, Extraction

_KEYS = ("articles", "with_text")


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as a web framework hands it over.

    Args:
        headers: in lower case.
        body: the parts of the body as they come.
        gone: returns once the client is no longer there.
    """

    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    gone: Callable[[], Awaitable[None]]


class Service:
    """Answers requests for records.

    Args:
        worker: reads the articles.
        limits: what is taken on.
        facts: what `/health` says of the model.
    """

    def __init__(self, worker: Worker, limits: Limits, facts: Mapping[str, Any]) -> None:
        self.worker = worker
        self.limits = limits
        self.facts = facts
        self.ending = False
        self._requests = 0
        self._held = 0

    @property
    def ready(self) -> bool:
        """Whether requests are taken."""
        return self.worker.alive and not self.ending

    def health(self) -> dict[str, Any]:
        """Say whether requests are taken, by which model, and how many there are."""
        return {"ready": self.ready, **self.facts, "requests": self._requests}

    async def answer(self, call: Call) -> bytes:
        """Return the records of a request as JSON.

        Raises:
            RequestError: if there will be none.
        """
        limits = self.limits
        self._check_headers(call.headers)
        try:
            async with asyncio.timeout(limits.seconds):
                with self._admitted() as hold:
                    body = await self._receive(call.body, hold)
                    # Parsing may take a while, in which others must not wait.
                    given, with_text = await asyncio.to_thread(parse_request, body, limits)
                    del body
                    return await self._read(Job(given, with_text), call)
        except TimeoutError:
            raise RequestError(
                504, "timeout",
                f"this was not read within {limits.seconds:g} seconds: send fewer or shorter "
                f"articles, or try again when fewer requests wait", 30,
            ) from None  # fmt: skip

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        if not self.ready:
            raise stopping()
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            # Pages of other sites can send anything else without the browser asking us first.
            raise RequestError(
                415, "not_json", "send JSON, with the header Content-Type: application/json"
            )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(415, "encoded", "send the body as it is, without Content-Encoding")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 15 or int(length) > self.limits.body:
            raise self._too_large()

    def _too_large(self) -> RequestError:
        return RequestError(
            413, "too_large",
            f"a request has {self.limits.body:,} bytes at most: send fewer articles at once",
        )  # fmt: skip

    @contextmanager
    def _admitted(self) -> Iterator[Callable[[int], None]]:
        """Count a request while it is here; the value counts its bytes."""
        if self._requests >= self.limits.waiting:
            raise RequestError(
                429, "busy",
                f"{self._requests} requests wait already, and no more may: try again later", 1,
            )  # fmt: skip
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self._held + size > self.limits.held:
                raise RequestError(
                    429, "busy", "the requests that wait are too large together: try again later", 1
                )
            mine += size
            self._held += size

        self._requests += 1
        try:
            yield hold
        finally:
            self._requests -= 1
            self._held -= mine

    async def _receive(self, parts: AsyncIterator[bytes], hold: Callable[[int], None]) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.sending):
                async for part in parts:
                    if len(body) + len(part) > self.limits.body:
                        raise self._too_large()
                    hold(len(part))
                    body += part
        except TimeoutError:
            raise RequestError(
                408, "slow", f"the request did not arrive within {self.limits.sending:g} seconds"
            ) from None
        return bytes(body)

    async def _read(self, job: Job, call: Call) -> bytes:
        """Wait for the records, but not longer than the client does."""
        self.worker.submit(job)
        done = asyncio.wrap_future(job.done)
        gone = asyncio.ensure_future(call.gone())
        either: set[asyncio.Future[Any]] = {done, gone}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                raise RequestError(499, "gone", "the client went away")
            return b'{"records":[' + ",".join(done.result()).encode("utf-8") + b"]}"
        finally:
            gone.cancel()
            done.cancel()  # the worker skips what nobody waits for


def parse_request(body: bytes, limits: Limits) -> tuple[list[Article | Extraction], bool]:
    """Parse the body of a request.

    Returns:
        Its articles, with a failure in the place of each that is none, and whether records
        shall hold their text.

    Raises:
        RequestError: if it is no request at all, or has too many articles.
    """
    try:
        request = parse_line(body, "request")
    except InputError as error:
        raise RequestError(400, error.kind, str(error)) from None
    if not isinstance(request, dict) or not isinstance(request.get("articles"), list):
        raise RequestError(
            422, "bad_request", 'a request is an object like {"articles": [{"id": …, "text": …}]}'
        )
    if unknown := [key for key in request if key not in _KEYS]:
        key = json.dumps(unknown[0][:60])
        raise RequestError(
            422, "bad_request", f"unknown key {key}; there are {' and '.join(_KEYS)}"
        )
    with_text = request.get("with_text", False)
    if not isinstance(with_text, bool):
        raise RequestError(422, "bad_request", "`with_text` is true or false")
    articles = request["articles"]
    if len(articles) > limits.articles:
        raise RequestError(
            413, "too_many",
            f"these are {counted(len(articles), 'article')}, and a request has "
            f"{limits.articles:,} at most: "
            f"send them in several",
        )  # fmt: skip
    return [_article(each, number) for number, each in enumerate(articles)], with_text


def _article(raw: Any, number: int) -> Article | Extraction:
    try:
        return with_title(article_of(raw))
    except InputError as error:
        given = raw.get("id") if isinstance(raw, dict) else None
        article_id = given if isinstance(given, str) else str(number)
        return failed(article_id, error.kind, f"articles[{number}]: {error}")
