"""Install what would be published, in empty environments, and read an article with it.

    python scripts/check_installs.py [PYTHON ...] [--pip-option OPTION ...]

Builds the source archive, and the wheel from it, and for each of both and each Python makes an
environment that holds nothing else, without any extra. There `pip check` must find nothing, the
article of examples/ must give the record that it gives here (torch, float32), and whatever needs an
extra must say which, without a traceback. Exit code 1 if anything does not hold.

Every environment takes one to six gigabytes while it is tried, as torch comes with or without
CUDA. It is removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_ARTICLE = _ROOT / "examples" / "harbour.txt"
_READING = ("extract", "--json", "--backend", "torch", "--device", "cpu", "--dtype", "float32")
_CLOSE = 0.002  # of scores, which are rounded to four places

# A call that needs an extra, and the extra.
_NEEDING: tuple[tuple[tuple[str, ...], str], ...] = (
    (("-m", "claimx", "extract", "article.txt", "--backend", "openvino"), "claimx[fast]"),
    (("-m", "claimx", "archive", "article.txt", "--out", "out"), "claimx[archive]"),
    (("-m", "claimx", "archive", "article.txt", "--out", "out", "--engine", "ray"), "claimx[ray]"),
    (("-m", "claimx", "serve"), "claimx[serve]"),
    (("-m", "claimx", "convert", "sound.jsonl", "sound.spacy"), "claimx[formats]"),
    (("-m", "claimx", "convert", "sound.jsonl", "xmi", "--to", "xmi"), "claimx[formats]"),
)


def build(folder: Path) -> list[Path]:
    """Build the source archive, and the wheel from it; return wheel and archive."""
    subprocess.run([sys.executable, "-m", "build", "-o", str(folder), str(_ROOT)], check=True)
    return [next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))]


def called(python: Path | str, arguments: Sequence[str], folder: Path) -> tuple[int, str, str]:
    """Run a Python far from the checkout; return its exit code and what it said."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(python), *arguments], cwd=folder, env=environment, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def alike(one: Any, other: Any) -> bool:
    """Say whether two records are the same but for small differences of their scores."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _CLOSE
    return bool(one == other)


def problems(python: Path, folder: Path, expected: Any) -> Iterator[str]:
    """Say what does not hold in an environment."""
    code, said, more = called(python, ("-m", "pip", "check"), folder)
    if code:
        yield f"pip check: {said}{more}"
    code, said, more = called(python, ("-m", "claimx", *_READING, "article.txt"), folder)
    if code or not alike(json.loads(said or "null"), expected):
        yield f"the article is read otherwise (exit code {code}): {said[:300]} {more[-1000:]}"
    for arguments, extra in _NEEDING:
        code, said, more = called(python, arguments, folder)
        if code in (0, 1) or extra not in more or "Traceback" in more:
            yield f"{' '.join(arguments)} does not name {extra} (exit code {code}): {more[-500:]}"


def try_one(interpreter: str, archive: Path, options: Sequence[str], expected: Any) -> list[str]:
    """Install one archive into an environment of its own; return what does not hold."""
    with tempfile.TemporaryDirectory(prefix="claimx-install-") as name:
        folder = Path(name)
        python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
        subprocess.run([interpreter, "-m", "venv", str(folder / "env")], check=True)
        command = ("-m", "pip", "install", "--quiet", "--no-cache-dir", *options, str(archive))
        code, _, more = called(python, command, folder)
        if code:
            return [f"pip: {more[-1000:]}"]
        (folder / "article.txt").write_bytes(_ARTICLE.read_bytes())
        article = {"id": "a", "text": "None.", "spans": [], "links": [], "complete_layers": []}
        (folder / "sound.jsonl").write_text(json.dumps(article) + "\n")
        return list(problems(python, folder, expected))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pythons", nargs="*", default=[sys.executable], metavar="PYTHON")
    parser.add_argument(
        "--pip-option", action="append", default=[], help="such as --find-links=FOLDER"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="claimx-build-") as name:
        folder = Path(name)
        archives = build(folder)
        (folder / "article.txt").write_bytes(_ARTICLE.read_bytes())
        code, said, more = called(
            sys.executable, ("-m", "claimx", *_READING, "article.txt"), folder
        )
        if code:
            print(f"the article cannot be read here: {more}")
            return 1
        failed = 0
        for interpreter in options.pythons:
            for archive in archives:
                begun = time.monotonic()
                found = try_one(interpreter, archive, options.pip_option, json.loads(said))
                failed += bool(found)
                seconds = time.monotonic() - begun
                print(
                    f"{interpreter}, {archive.name}: {seconds:.0f} s",
                    *found or ["holds"],
                    sep="\n  ",
                )
                sys.stdout.flush()
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
