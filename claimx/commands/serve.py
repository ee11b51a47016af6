"""``claimx serve``: the extractor behind HTTP."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from claimx import __version__
from claimx.commands.shared import (
    BackendOption,
    DeviceOption,
    DtypeOption,
    ModelOption,
    complain,
    orderly,
)
from claimx.extras import needed

if TYPE_CHECKING:
    import socket

    from claimx.extractor import Extractor
    from claimx.serving.limits import Limits

_HOME = ("127.0.0.1", "::1", "localhost")


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    attribution: Annotated[str, typer.Option(help="reported or broad.")] = "reported",
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, metavar="0…1")] = 0.0,
    currency: Annotated[str, typer.Option(metavar="CODE")] = "USD",
    title: Annotated[
        str | None, typer.Option(help="prepend reads the title before the text.")
    ] = None,
    max_articles: Annotated[int, typer.Option(min=1, help="In one request.")] = 256,
    max_chars: Annotated[int, typer.Option(min=1, help="Of one article.")] = 200_000,
    max_bytes: Annotated[int, typer.Option(min=1, help="Of one request.")] = 8_000_000,
    max_requests: Annotated[
        int, typer.Option(min=1, help="That may wait or be read at once.")
    ] = 64,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Until a request is given up.")
    ] = 120.0,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Answer requests over HTTP: POST /extract takes articles and returns records.

    Articles of requests that come at the same time are read together. GET /
    describes everything, GET /health says whether requests are taken. There
    is no password: whoever reaches the address may use it. Stop it with
    Ctrl-C or SIGTERM; it finishes what it has begun.

    \b
      claimx serve --port 8000
      curl -H 'Content-Type: application/json' http://127.0.0.1:8000/extract \\
        -d '{"articles": [{"id": "a", "text": "“No,” she said."}]}'
    """  # noqa: D301 - the \b is what keeps lines as they are
    with orderly():
        for module in ("fastapi", "uvicorn"):
            needed(module, module, "claimx serve", extra="serve")
        from claimx.extractor import Extractor
        from claimx.serving.limits import Limits
        from claimx.serving.server import bind

        # The address first, for a model takes its time to load.
        listener = bind(host, port)
        extractor = Extractor.from_pretrained(
            model, backend=backend, device=device, dtype=dtype, attribution=attribution,
            min_score=min_score, currency=currency, title=title, max_chars=max_chars,
        )  # fmt: skip
        limits = Limits(
            articles=max_articles, chars=max_chars, body=max_bytes, waiting=max_requests,
            held=max(max_bytes, 128_000_000), seconds=timeout, sending=min(30.0, timeout),
        )  # fmt: skip
        if host not in _HOME:
            complain(f"whoever reaches {host} may use this server; it asks for no password")
        with listener:
            ended = _run(extractor, limits, listener)
    if not ended:
        # A thread inside the model cannot be ended, and Python must not tear it down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _run(extractor: Extractor, limits: Limits, listener: socket.socket) -> bool:
    """Serve until told to stop; return whether the thread with the model has ended."""
    from claimx.serving import server
    from claimx.serving.service import Service
    from claimx.serving.worker import CHARS_AT_ONCE, Worker

    extractor("“Ready,” said Ana Ruiz.")  # the first article takes longer than any other
    kind = extractor.device.partition(":")[0]
    facts = {
        "claimx": __version__,
        "model": extractor.model_name,
        "backend": extractor.backend,
        "device": extractor.device,
        "dtype": extractor.dtype,
        "attribution": extractor.attribution,
    }
    worker = Worker(extractor, CHARS_AT_ONCE.get(kind, CHARS_AT_ONCE["cuda"]))
    url = server.url_of(listener)
    about = f"{facts['model']} ({facts['backend']}, {facts['device']}, {facts['dtype']})"
    server.run(
        Service(worker, limits, facts),
        listener,
        lambda: complain(f"serving {about} at {url} (described there; Ctrl-C stops)"),
    )
    complain("stopped")
    return worker.close(patience=1.0)
