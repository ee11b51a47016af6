"""Ending a process with all that it started."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from scripts.processes import alive, below, kill, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def started(command: str) -> subprocess.Popen[bytes]:
    """Start a shell whose child leads a group of its own."""
    process = subprocess.Popen(["sh", "-c", command], start_new_session=True)
    while not below(process.pid):
        time.sleep(0.01)
    return process


def test_children_with_groups_of_their_own_are_ended_too():
    process = started("setsid sleep 60 & wait")
    others = below(process.pid)
    assert others
    kill(process)
    assert not any(map(alive, [process.pid, *others]))


def test_memory_is_that_of_a_process_that_runs():
    assert resident_bytes(os.getpid()) > 1_000_000
    process = started("sleep 60")
    kill(process)
    assert resident_bytes(process.pid) == 0
