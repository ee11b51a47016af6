"""Servers that tests talk to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.serving.processes import Server, serving

pytest.importorskip("fastapi", reason="needs claimx[serve]")
pytest.importorskip("uvicorn", reason="needs claimx[serve]")


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Start servers with a stand-in for the model, each with limits of its own."""
    with ExitStack() as stack:
        yield lambda **limits: stack.enter_context(
            serving(["-m", "tests.serving.stand_in", json.dumps(limits)])
        )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server with the usual limits, for all tests that do not harm it."""
    with serving(["-m", "tests.serving.stand_in", "{}"]) as running:
        yield running
