"""The pages of the documentation, and the blocks of code on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    sorted(
        path.relative_to(ROOT).as_posix()
        for pattern in (
            "*.md",
            "docs/**/*.md",
            "data/*/*.md",
            "claimx/models/*/*.md",
            "models/*/*.md",
        )
        for path in ROOT.glob(pattern)
    )
)
"""Every page for people, as its path in the repository."""

_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"\A(?:#!.*\n)?# not run by the tests: (.+)$", re.MULTILINE)
_HERE = re.compile(r"<<'(\w+)'")
# What begins and ends a command of several lines.
_BEGIN, _END = {"for", "while", "if"}, {"done", "fi"}


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code.

    Args:
        page: the page on which it stands, as in `PAGES`.
        line: the line of its first line of code.
        language: behind the fence; empty for none.
        text: its code.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def why_not_run(self) -> str | None:
        """What it says in its first line if it is not to be run."""
        mark = _MARK.match(self.text)
        return mark[1] if mark else None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page in their order."""
    source = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            source.count("\n", 0, found.start(3)) + 1,
            found[2],
            re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE),
        )
        for found in _BLOCK.finditer(source)
    ]


def commands_of(text: str) -> Iterator[str]:
    """Yield the commands of a shell block; lines that go on, loops and here-documents are one."""
    lines = iter(text.splitlines())
    for line in lines:
        command = line
        while command.endswith("\\"):
            command += "\n" + next(lines)
        if here := _HERE.search(command):
            for added in lines:
                command += f"\n{added}"
                if added == here[1]:
                    break
        if command.split(maxsplit=1)[:1] and command.split(maxsplit=1)[0] in _BEGIN:
            for added in lines:
                command += f"\n{added}"
                if added.strip() in _END:
                    break
        if command.strip() and not command.startswith("#"):
            yield command
