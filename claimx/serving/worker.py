"""One thread with the model, and the jobs that wait for it.

Each round takes articles of the waiting jobs in turn, one of each, until there is enough for
a forward pass or two. So requests share passes, and a short one does not wait until a long one
is done. What comes out for an article does not depend on its neighbours.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from claimx.serving.limits import stopping
from claimx.types import Article, Extraction, Failure

# Characters in a round: as many as share a pass, for more would only make others wait.
CHARS_AT_ONCE = {"cpu": 16_000, "cuda": 256_000}


class Reader(Protocol):
    """What a worker needs of `claimx.Extractor`."""

    def extract_many(self, articles: Sequence[Article]) -> list[Extraction]:
        """Read articles, in order; one that cannot be read has an ``error``."""
        ...


@dataclass(eq=False, slots=True)
class Job:
    """The articles of one request.

    Args:
        given: articles, and failures of those that are none, in order.
        with_text: whether records hold their text.
        done: gets the records as lines of JSON, in order.
        todo: places of the articles that are not yet being read.
        lines: the records so far, by place.
    """

    given: Sequence[Article | Extraction]
    with_text: bool = False
    done: Future[list[str]] = field(default_factory=Future)
    todo: deque[int] = field(default_factory=deque)
    lines: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write down what is known already."""
        for number, item in enumerate(self.given):
            if isinstance(item, Article):
                self.todo.append(number)
            else:
                self.write(number, item)

    @property
    def complete(self) -> bool:
        """Whether every article has its record."""
        return len(self.lines) == len(self.given)

    def write(self, number: int, extraction: Extraction) -> None:
        """Keep the record of one article."""
        try:
            line = extraction.to_json(with_text=self.with_text)
        except (ValueError, RecursionError) as error:  # of meta, which is not ours
            line = _failed(extraction.id, error).to_json()
        self.lines[number] = line

    def settle(self) -> None:
        """Hand over the records, unless nobody waits for them any more."""
        with suppress(InvalidStateError):
            self.done.set_result([self.lines[number] for number in range(len(self.given))])

    def fail(self, error: Exception) -> None:
        """Say that there will be none."""
        with suppress(InvalidStateError):
            self.done.set_exception(error)


class Worker:
    """Reads the articles of many requests with one model.

    Args:
        reader: the extractor; only the worker's thread calls it.
        chars_at_once: characters in a round; at least one article is read.
    """

    def __init__(self, reader: Reader, chars_at_once: int = CHARS_AT_ONCE["cpu"]) -> None:
        self._reader = reader
        self._chars_at_once = chars_at_once
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._jobs: set[Job] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="claimx-reader", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether jobs are taken."""
        return self._thread.is_alive() and not self._closed

    @property
    def jobs(self) -> int:
        """Jobs that wait or are being read."""
        return len(self._jobs)

    def submit(self, job: Job) -> None:
        """Put a job in line; its `Job.done` is set in any case, sooner or later."""
        if job.complete:
            job.settle()
            return
        job.done.add_done_callback(lambda _: self._jobs.discard(job))
        with self._changed:
            closed = self._closed
            if not closed:
                self._jobs.add(job)
                self._waiting.append(job)
                self._changed.notify()
        if closed:
            job.fail(stopping())

    def close(self, patience: float = 0.0) -> bool:
        """Take no more jobs and give up those that are not done.

        Args:
            patience: seconds to wait for the end of the round that is being read.

        Returns:
            Whether the thread has ended.
        """
        self._give_up()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _give_up(self) -> None:
        with self._changed:
            self._closed = True
            jobs = list(self._jobs)
            self._waiting.clear()
            self._changed.notify()
        for job in jobs:
            job.fail(stopping())

    def _run(self) -> None:
        try:
            while pieces := self._next_round():
                self._read(pieces)
        finally:  # nobody may wait for a thread that is no more
            self._give_up()

    def _next_round(self) -> list[tuple[Job, int, Article]]:
        """Wait for articles and take one of each job in turn; none when closed."""
        pieces: list[tuple[Job, int, Article]] = []
        chars = 0
        with self._changed:
            while not pieces and not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                while self._waiting and chars < self._chars_at_once:
                    job = self._waiting.popleft()
                    if job.done.done():  # its client went away, or its time is over
                        continue
                    number = job.todo.popleft()
                    article = job.given[number]
                    assert isinstance(article, Article)
                    pieces.append((job, number, article))
                    chars += len(article.text)
                    if job.todo:
                        self._waiting.append(job)
        return pieces

    def _read(self, pieces: Sequence[tuple[Job, int, Article]]) -> None:
        articles = [article for _, _, article in pieces]
        try:
            found = self._reader.extract_many(articles)
        except Exception as error:  # whatever it is, each request gets its records
            found = [_failed(article.id, error, article.meta) for article in articles]
        for (job, number, _), extraction in zip(pieces, found, strict=True):
            job.write(number, extraction)
            if job.complete:
                job.settle()


def _failed(article_id: str, error: Exception, meta: Mapping[str, Any] | None = None) -> Extraction:
    failure = Failure("internal", f"{type(error).__name__}: {error}")
    return Extraction(article_id, meta=meta or {}, error=failure)
