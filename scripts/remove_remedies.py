"""Take each remedy of docs/reliability.md out of a copy of the project, and see its test fail.

    python scripts/remove_remedies.py [WORDS ...]

A test that passes without the remedy that it protects is worthless; this finds such tests. What
is taken out, and which test must fail, stands in remedies.yaml beside this file. With words, only
faults that hold one of them are tried. Exit code 1 if a test passed, or if what is to be taken
out is not there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
REMEDIES = Path(__file__).with_name("remedies.yaml")
_HANGS, _LONGEST = 60, 900  # seconds


@dataclass(frozen=True, slots=True)
class Remedy:
    """What keeps a fault from doing harm, and how it is taken out.

    Args:
        fault: in a few words.
        file: where the remedy stands.
        find: its text, which stands there once.
        put: what takes its place.
        test: the test that must fail without it.
        hangs: without it the test has no end, which counts as failing.
    """

    fault: str
    file: str
    find: str
    put: str
    test: str
    hangs: bool = False


def remedies() -> list[Remedy]:
    """Read the list."""
    return [Remedy(**entry) for entry in yaml.safe_load(REMEDIES.read_text(encoding="utf-8"))]


def without(remedy: Remedy, source: str) -> str:
    """Return a file's text without the remedy.

    Raises:
        ValueError: if it does not stand there exactly once.
    """
    if source.count(remedy.find) != 1:
        raise ValueError(f"{remedy.file} holds {source.count(remedy.find)} times: {remedy.find}")
    return source.replace(remedy.find, remedy.put)


def fails_without(remedy: Remedy, copy: Path) -> tuple[bool, str]:
    """Run the test without the remedy; say whether it failed, and its last words.

    Args:
        remedy: what is taken out, and put back afterwards.
        copy: a copy of the project.
    """
    place = copy / remedy.file
    whole = place.read_text(encoding="utf-8")
    place.write_text(without(remedy, whole), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", remedy.test]
    try:
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider"],
            cwd=copy, capture_output=True, text=True, check=False,
            timeout=_HANGS if remedy.hangs else _LONGEST,
            env={**os.environ, "PYTHONPATH": str(copy)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return remedy.hangs, "it has no end"
    finally:
        place.write_text(whole, encoding="utf-8")
    said = [line for line in done.stdout.splitlines() if ": " in line and "FAILED" not in line]
    return done.returncode == 1, (said or ["no words"])[0][:160]  # other codes: no test ran


def copied(folder: Path) -> Path:
    """Copy the files that git knows, and those that it could know, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return folder


def main(words: Sequence[str]) -> int:
    """Try the remedies and print a line for each."""
    chosen = [x for x in remedies() if not words or any(word in x.fault for word in words)]
    survived = 0
    with tempfile.TemporaryDirectory() as scratch:
        copy = copied(Path(scratch))
        for remedy in chosen:
            failed, said = fails_without(remedy, copy)
            survived += not failed
            print(f"{'fails' if failed else 'PASSES'}  {remedy.fault}: {said}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} tests fail without their remedy")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
