"""As much of the Hugging Face hub as pushing and fetching a model needs, on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

REPOSITORY = "me/model"
_COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """Keeps the files of one repository."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running_hub() -> Iterator[Hub]:
    with Hub() as hub:
        thread = Thread(target=hub.serve_forever)
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0]
        self.server.calls.append(f"POST {path}")
        if path == "/api/repos/create":
            self._json({"url": f"{self.server.url}/{REPOSITORY}", "id": REPOSITORY})
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path == f"/api/models/{REPOSITORY}/preupload/main":
            names = [each["path"] for each in json.loads(body)["files"]]
            self._json({"files": [_regular(name) for name in names]})
        elif path == f"/api/models/{REPOSITORY}/commit/main":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.files[line["value"]["path"]] = content
            url = f"{self.server.url}/{REPOSITORY}/commit/{_COMMIT}"
            self._json({"success": True, "commitOid": _COMMIT, "commitUrl": url})
        else:
            self._json({"error": f"unknown {path}"}, 404)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.calls.append(f"{self.command} {path}")
        files = self.server.files
        if found := re.fullmatch(rf"/{REPOSITORY}/resolve/[^/]+/(.+)", path):
            if (content := files.get(found[1])) is None:
                self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            else:
                self._answer(content, 200, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'})
        elif re.fullmatch(rf"/api/models/{REPOSITORY}(/revision/[^/]+)?", path):
            siblings = [{"rfilename": name} for name in files]
            self._json({"id": REPOSITORY, "sha": _COMMIT, "siblings": siblings, "tags": []})
        elif path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            self._json([
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in files.items()
            ])  # fmt: skip
        else:
            self._json({"error": f"unknown {path}"}, 404, {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None):
        content = json.dumps(value).encode()
        self._answer(content, status, {"Content-Type": "application/json", **(headers or {})})

    def _answer(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"X-Repo-Commit": _COMMIT, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _regular(name: str) -> dict[str, object]:
    return {"path": name, "uploadMode": "regular", "shouldIgnore": False, "oid": None}
