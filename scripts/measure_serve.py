"""Measure `claimx serve`: how long one short article takes, and how much many clients get.

    python scripts/measure_serve.py [--model NAME] [--clients 16] [--rounds 2]

Starts a server on this machine and sends it the articles of data/annotations/dev.jsonl, one a
request, first by a single client, then by all clients at once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parents[1]
SHORT = (
    "“Nobody asked us before they shut the gates,” said Tomas Hale, chief executive of Estuary "
    "Lines. He told reporters that the company would lose at least $90,000 a week in fares."
)


def ask(port: int, text: str) -> float:
    """Send one article; return how many seconds its record took."""
    body = json.dumps({"articles": [{"id": "a", "text": text}]})
    begin = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", "/extract", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    if answer.status != 200 or "error" in found["records"][0]:
        raise SystemExit(f"{answer.status}: {found}")
    return time.perf_counter() - begin


def measure(port: int, texts: Sequence[str], clients: int) -> str:
    """Let so many clients send all texts; say what they got."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = list(pool.map(lambda text: ask(port, text), texts))
    whole = time.perf_counter() - begin
    late = quantiles(seconds, n=20)[-1]
    return (
        f"{clients:>3} clients, {len(texts)} articles: {60 * len(texts) / whole:,.0f} articles a "
        f"minute; {median(seconds):.2f} s in the middle, {late:.2f} s for all but one in twenty"
    )


def main() -> int:
    """Measure and print; return the exit code of the server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="claimx-en")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1, help="times that all articles are sent")
    options = parser.parse_args()
    lines = (ROOT / "data/annotations/dev.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines] * options.rounds
    command = [sys.executable, "-m", "claimx", "serve", "--port", "0", "--model", options.model]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        while "serving" not in (line := server.stderr.readline()):
            if not line:
                return server.wait()
            print(line.strip())
        port = int(line.partition("http://")[2].split()[0].rpartition(":")[2])
        print(line.strip(), f"\nload of the machine: {os.getloadavg()[0]:.1f}", flush=True)
        print("one short article:", measure(port, [SHORT] * 30, 1), flush=True)
        for clients in (1, options.clients):
            print(measure(port, texts, clients), flush=True)
        server.terminate()
    return server.returncode


if __name__ == "__main__":
    sys.exit(main())
