"""A process and all that it started: who they are, what memory they hold, how to end them at once.

Reads ``/proc``, so on Linux only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")


def below(number: int) -> list[int]:
    """List the processes that one has started, directly or through others."""
    children: dict[int, list[int]] = defaultdict(list)
    for place in _PROCESSES.iterdir():
        if place.name.isdecimal():
            with suppress(OSError):  # it has ended since
                children[_parent(place)].append(int(place.name))
    found = []
    waiting = [number]
    while waiting:
        inside = children[waiting.pop()]
        found += inside
        waiting += inside
    return found


def _fields(place: Path) -> list[str]:
    """Return what ``stat`` says behind the name, which may hold anything: state, parent ..."""
    return (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _parent(place: Path) -> int:
    return int(_fields(place)[1])


def alive(number: int) -> bool:
    """Say whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        return _fields(_PROCESSES / str(number))[0] not in "ZX"
    except OSError:
        return False


def resident_bytes(number: int) -> int:
    """Return the memory that a process holds, pages that it shares included; 0 if it has ended."""
    try:
        pages = (_PROCESSES / str(number) / "statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group with all that it started, by SIGKILL, and wait for that."""
    others = below(process.pid)  # some may lead groups of their own
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for number in others:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait()
    while any(map(alive, others)):
        time.sleep(0.01)


def end_in_order() -> None:
    """Let SIGTERM end this process as an exception does, so that what it started ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
