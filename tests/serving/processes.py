"""Server processes, and a client that talks to them."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import claimx

ROOT = Path(claimx.__file__).parents[1]
PATIENCE = 120  # seconds; a loaded machine is no failure


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def records(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.body
        return self.json["records"]

    @property
    def kind(self) -> str:
        """What an answer that is no success says; its message is one sentence for people."""
        error = self.json["error"]
        assert error["message"]
        assert "\n" not in error["message"]
        return error["kind"]


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[str]
    host: str
    port: int

    def send(
        self, body: Any, *, path: str = "/extract", method: str = "POST", **headers: str
    ) -> Answer:
        """Send JSON, or bytes as they are, over a connection of its own."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        given = {"Content-Type": "application/json", **headers}
        given = {name.replace("_", "-"): value for name, value in given.items()}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.send(b"", path=path, method="GET")

    def extract(self, *texts: str, **options: Any) -> Answer:
        articles = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
        return self.send({"articles": articles, **options})

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Tell it to stop; return its exit code and what it printed since it began."""
        self.process.send_signal(how)
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output


@contextmanager
def serving(command: Sequence[str], **options: Any) -> Iterator[Server]:
    """Run a server whose output names its address; it is killed in the end."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, text=True,
        **{"stdout": subprocess.PIPE, **options},
    )  # fmt: skip
    try:
        stream = process.stdout or process.stderr
        assert stream is not None
        line = ""
        while "http://" not in line:
            line = stream.readline()
            assert line, f"the server ended with {process.wait()}"
        host, _, port = line.partition("http://")[2].split()[0].partition(":")
        yield Server(process, host, int(port))
    finally:
        process.kill()
        process.communicate()
