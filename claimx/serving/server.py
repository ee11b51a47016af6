"""The server process: a socket, connections that cannot hang, and an orderly end."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from claimx.errors import ConfigError
from claimx.serving.app import create_app
from claimx.serving.limits import Limits
from claimx.serving.service import Service

# Seconds within which a client has fetched its answer.
_FETCHING = 60.0


def bind(host: str, port: int) -> socket.socket:
    """Take a port, without listening yet: until then clients are refused and do not hang.

    Raises:
        ConfigError: if it cannot be had.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        if sys.platform != "win32":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot serve at {host} port {port}: {reason}; name others") from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address of a socket as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(service: Service, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve until the process is told to stop (SIGTERM, Ctrl-C), then finish what was begun.

    Args:
        service: answers the requests.
        listener: from `bind`.
        started: called once requests are taken.
    """
    limits = service.limits
    config = uvicorn.Config(
        create_app(service),
        http=_connection_class(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=int(limits.grace) + 5,
        limit_concurrency=4 * limits.waiting + 100,  # connections, idle ones too
    )
    asyncio.run(_Server(config, service, started).serve(sockets=[listener]))


def _connection_class(limits: Limits) -> type[H11Protocol]:
    """Make a kind of connection that is cut when a client neither sends, waits nor fetches."""

    class Connection(H11Protocol):
        _cut: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._within(limits.headers)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before:
                self._within(limits.seconds + _FETCHING)

        def on_response_complete(self) -> None:
            # What is left of the answer may still be on its way to a slow client.
            self._within(_FETCHING)
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._within(None)

        def _within(self, limit: float | None) -> None:
            if self._cut is not None:
                self._cut.cancel()
            self._cut = None if limit is None else self.loop.call_later(limit, self.transport.abort)

    return Connection


class _Server(uvicorn.Server):
    """uvicorn's server, with our way to end."""

    def __init__(
        self, config: uvicorn.Config, service: Service, started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._service = service
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.ending = True
        worker, grace = self._service.worker, self._service.limits.grace
        timer = asyncio.get_running_loop().call_later(grace, worker.close)
        await super().shutdown(sockets)
        timer.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as an ordinary end; uvicorn raises them again afterwards."""
        taken = [signal.SIGINT, signal.SIGTERM]
        before = {each: signal.signal(each, self.handle_exit) for each in taken}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
