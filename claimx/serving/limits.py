"""What a server takes on, and the refusals it answers with beyond that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on requests; each is answered with a sentence that names it.

    Args:
        articles: in one request.
        chars: of one article; a longer one becomes an error record.
        body: bytes of one request.
        waiting: requests at once that are being sent, wait or are being read.
        held: bytes of all of them together.
        seconds: from the start of a request to its answer.
        headers: seconds within which a client has sent the head of its request.
        sending: seconds within which it has sent the rest.
        grace: seconds in which a server that is told to stop finishes what it has begun.
    """

    articles: int = 256
    chars: int = 200_000
    body: int = 8_000_000
    waiting: int = 64
    held: int = 128_000_000
    seconds: float = 120.0
    headers: float = 15.0
    sending: float = 30.0
    grace: float = 30.0


class RequestError(Exception):
    """A request that is not answered with records.

    Args:
        status: of the HTTP answer.
        kind: a stable word for programs.
        message: a sentence for people.
        retry_after: seconds after which trying again may help; None if it never does.
    """

    def __init__(
        self, status: int, kind: str, message: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message
        self.retry_after = retry_after


def stopping() -> RequestError:
    """Return the refusal of a server that is about to end."""
    return RequestError(503, "stopping", "this server is stopping; send it to another", 5)
