r"""Check that `claimx archive --engine ray` writes what `--engine local` writes.

Runs one job three times: on this machine, on a Ray of this machine, and on a Ray one of whose
actors is killed when a third of the shards is done. Every record has to be the same, scores within
1e-3.

    python scripts/check_ray.py ../shared/corpora/news_raw.jsonl.gz --articles 2000 --shortest
"""

from __future__ import annotations

import argparse
import gzip
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from claimx.archive.places import TEMPORARY
from claimx.archive.writers import read_records

SCORES_WITHIN = 1e-3
ACTOR = "ray::MapWorker"  # what Ray calls the processes of Ray Data's actors


@dataclass
class Comparison:
    """What two runs have in common, and where they differ."""

    counts: Counter[str] = field(default_factory=Counter)
    largest: float = 0.0
    differences: list[str] = field(default_factory=list)

    def compare(self, mine: Any, other: Any, path: str) -> None:
        """Compare values, and all that is in them."""
        if isinstance(mine, dict) and isinstance(other, dict) and mine.keys() == other.keys():
            for key in mine:
                self.compare(mine[key], other[key], f"{path}.{key}")
        elif isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
            self.counts[path.rpartition(".")[2]] += len(mine)
            for number, pair in enumerate(zip(mine, other, strict=True)):
                self.compare(*pair, f"{path}[{number}]")
        elif path.endswith(".score") and mine is not None and other is not None:
            self.largest = max(self.largest, abs(mine - other))
            if abs(mine - other) > SCORES_WITHIN:
                self.differences.append(f"{path}: {mine} and {other}")
        elif mine != other:
            self.differences.append(f"{path}: {mine!r} and {other!r}")


def compare(mine: Path, other: Path) -> Comparison:
    """Compare the records of two output folders."""
    found = Comparison()
    records, others = ({record["id"]: record for record in _records(at)} for at in (mine, other))
    found.compare(sorted(records), sorted(others), "articles")
    for name in records.keys() & others.keys():
        found.compare(records[name], others[name], name)
    return found


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((folder / "records").iterdir()):
        if TEMPORARY not in path.name:  # what a killed worker left
            yield from read_records(str(path))


def _write_articles(source: Path, to: Path, count: int, *, shortest: bool) -> int:
    """Write the first or the shortest articles of a file; return how many there are."""
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        chosen = list(lines if shortest else islice(lines, count))
    if shortest:
        chosen = sorted(chosen, key=len)[:count]
    to.write_text("".join(chosen), encoding="utf-8")
    return len(chosen)


def _run(folder: Path, options: Sequence[str], kill_at: int | None = None) -> bool:
    """Run the job into a folder.

    Args:
        folder: where records go.
        options: of `claimx archive`.
        kill_at: number of finished shards at which an actor is killed.

    Returns:
        Whether an actor was killed.

    Raises:
        SystemExit: if the job fails.
    """
    begun = time.monotonic()
    call = [sys.executable, "-m", "claimx", "archive", *options, "--out", str(folder)]
    running = subprocess.Popen(call)
    killed = False
    while running.poll() is None:
        time.sleep(0.1)
        if kill_at and not killed and len(list(folder.glob("receipts/*.json"))) >= kill_at:
            for actor in _actors(running.pid)[:1]:
                os.kill(actor, signal.SIGKILL)
                killed = True
    if running.returncode > 1:
        raise SystemExit(f"{' '.join(call)} ended with {running.returncode}")
    print(f"{folder.name}: {time.monotonic() - begun:.0f} s", flush=True)
    return killed


def _actors(driver: int) -> list[int]:
    """List the actors that a process has started, through whatever processes between."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    parents = {int(row[0]): int(row[1]) for row in rows}

    def ours(process: int) -> bool:
        while process in parents and process != driver:
            process = parents[process]
        return process == driver

    return [int(row[0]) for row in rows if row[2].startswith(ACTOR) and ours(int(row[0]))]


def _report(name: str, local: Path, other: Path) -> bool:
    found = compare(local, other)
    same_bytes = all(
        (other / "records" / path.name).read_bytes() == path.read_bytes()
        for path in (local / "records").iterdir()
    )
    counts = ", ".join(
        f"{found.counts[kind]:,} {kind}" for kind in ("articles", "quotes", "claims", "people")
    )
    print(
        f"{name}: {counts}; {len(found.differences):,} differences, scores differ by "
        f"{found.largest:.1e} at most, files are {'' if same_bytes else 'not '}equal byte by byte"
    )
    for line in found.differences[:20]:
        print(f"  {line}")
    return not found.differences


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and compare; return 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path, help="articles as .jsonl.gz")
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--shortest", action="store_true", help="the shortest ones of the file")
    parser.add_argument("--model", default="claimx-en-small")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=50, help="articles in a shard")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        count = _write_articles(
            options.source, base / "in.jsonl", options.articles, shortest=options.shortest
        )
        shards = -(-count // options.rows)
        print(f"{count:,} articles in {shards:,} shards, {options.workers} workers", flush=True)
        call = [
            str(base / "in.jsonl"), "--model", options.model, "--rows", str(options.rows),
            "--workers", str(options.workers),
        ]  # fmt: skip
        _run(base / "local", call)
        _run(base / "ray", [*call, "--engine", "ray"])
        killed = _run(base / "killed", [*call, "--engine", "ray"], kill_at=max(1, shards // 3))
        if not killed:
            print("the job was over before an actor could be killed: take more articles")
        same = [_report(name, base / "local", base / name) for name in ("ray", "killed")]
    return int(not (killed and all(same)))


if __name__ == "__main__":
    sys.exit(main())
