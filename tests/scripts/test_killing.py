"""Runs are killed when they should be, and resumed until one ends."""

from __future__ import annotations

import sys

import pytest

from scripts.killing import Call, play

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_run_is_killed_at_the_moments_and_resumed_to_its_end(tmp_path):
    program = 'echo "$*" >> "$2/calls"; case "$*" in *--resume) exit 3;; esac; sleep 60'
    call = Call(("sh", "-c", program, "sh", "--out", str(tmp_path)), tmp_path / "log")
    assert play(call, iter([0.5, 60])) == ([0.5], 3)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [f"--out {tmp_path}", f"--out {tmp_path} --resume"]
