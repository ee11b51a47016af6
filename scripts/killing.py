"""Runs that are killed and resumed until one comes to its end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.processes import kill

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Call:
    """A command that can be given again and again.

    Args:
        command: the program and its options, all but --resume.
        log: what it says goes here.
    """

    command: tuple[str, ...]
    log: Path

    def start(self, *, resume: bool) -> subprocess.Popen[bytes]:
        """Start it in a group of processes of its own."""
        more = ("--resume",) if resume else ()
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self.command, *more], stdout=log, stderr=log, cwd=_ROOT, start_new_session=True
            )

    def last_words(self) -> str:
        """Return the end of what it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])


def play(call: Call, moments: Iterator[float]) -> tuple[list[float], int]:
    """Start a command, kill it at the moments as long as there are any, resume it to its end.

    Args:
        call: the command.
        moments: seconds after each start.

    Returns:
        When it was killed, in seconds after each start, and the exit code of the last run.
    """
    killed: list[float] = []
    while True:
        process = call.start(resume=bool(killed))
        try:
            return killed, process.wait(next(moments, None))
        except subprocess.TimeoutExpired as late:
            killed.append(round(late.timeout, 2))
        finally:
            kill(process)


def told(killed: Sequence[float], problems: Sequence[str]) -> str:
    """Say how a round went."""
    when = f"killed after {', '.join(map(str, killed))} s" if killed else "never killed"
    return f"{when}: {'; '.join(problems[:5]) or 'equal'}"
