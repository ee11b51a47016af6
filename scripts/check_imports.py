"""Check that the modules of claimx import one another downward only.

ORDER is the order of the rooms: a module may import those above it in the list and
no other. Above the torch line nothing loads torch or another slow library at import. A module
that the list does not name is an error: say where it belongs.

    python scripts/check_imports.py
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "claimx"

# Rooms are modules or whole packages; inside a package modules import each other freely.
ABOVE_TORCH = (
    "errors", "options", "outputs", "extras", "plain", "span_records", "types", "labels",
    "text", "encoding", "tagging", "alignment", "windows", "pairs", "decoding", "quantities",
    "linking", "metrics", "formats", "checking", "given", "reading", "render", "page", "terminal",
    "batching", "hub", "folder", "engine", "annotating", "openvino_backend",
)  # fmt: skip
BELOW_TORCH = (
    "storage",
    "modeling",
    "golden",
    "checkpoint",
    "torch_backend",
    "export",
    "backends",
    "extractor",
    "archive",
    "integrations",
    "serving",
    "commands",
    "cli",
)
ORDER = ABOVE_TORCH + BELOW_TORCH
# `claimx --help` answers at once: the command loads its heavy parts where it uses them.
LIGHT = (*ABOVE_TORCH, "backends", "extractor", "archive", "integrations", "commands", "cli")
HEAVY = {
    "torch", "transformers", "datasets", "accelerate", "evaluate", "sklearn", "scipy", "pandas",
    "pyarrow", "openvino", "ray", "fastapi", "uvicorn",
}  # fmt: skip
# These only hand on what others define.
DOORS = ("__init__", "__main__")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module; `lazy` where it is only loaded when a function runs."""

    module: str
    line: int
    lazy: bool


def imports_of(source: str) -> Iterator[Import]:
    """List what a module imports, in functions too, but not what only type checkers see."""
    yield from _walk(ast.parse(source), lazy=False)


def _walk(node: ast.AST, *, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, lazy)
        elif isinstance(child, ast.ImportFrom):
            if child.level:
                yield Import("." * child.level + (child.module or ""), child.lineno, lazy)
            elif child.module == "claimx":
                for alias in child.names:
                    yield Import(f"claimx.{alias.name}", child.lineno, lazy)
            else:
                yield Import(child.module or "", child.lineno, lazy)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _walk(other, lazy=lazy)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, lazy=lazy or inside)


def problems_of(room: str, source: str) -> Iterator[str]:
    """List what a module of that room imports against the rules, as ``line: what is wrong``."""
    if room not in ORDER:
        yield f"1: the room {room!r} is not in ORDER of scripts/check_imports.py"
        return
    for found in imports_of(source):
        top, _, rest = found.module.partition(".")
        other = rest.partition(".")[0]
        if not top:
            yield f"{found.line}: relative import {found.module!r}; write claimx.…"
        elif top in ("training", "tests", "scripts"):
            yield f"{found.line}: claimx never imports {top}"
        elif top == "claimx" and other in ORDER:
            if ORDER.index(other) > ORDER.index(room):
                yield f"{found.line}: {room} imports {other}, which stands below it"
            elif room in LIGHT and other not in LIGHT and not found.lazy:
                yield f"{found.line}: {room} loads {other}, and so torch, at import"
        elif top in HEAVY and room in LIGHT and not found.lazy:
            yield f"{found.line}: {room} loads {top} at import"


def check(package: Path = PACKAGE) -> list[str]:
    """Check every module of the package; return the problems, one a line."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] in DOORS:
            continue
        source = path.read_text(encoding="utf-8")
        found += [f"{path}:{problem}" for problem in problems_of(parts[0], source)]
    return found


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a fresh Python and return the heavy libraries that it loaded."""
    program = f"import sys\n{statement}\nprint(*(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        cwd=PACKAGE.parent,
    )  # fmt: skip
    return set(done.stdout.split())


def main() -> int:
    """Print every problem; return 1 if there is one."""
    problems = check()
    for statement in ("import claimx", "import claimx.cli"):
        if heavy := loaded_by(statement):
            problems.append(f"`{statement}` loads {', '.join(sorted(heavy))}")
    print("\n".join(problems) or "imports run downward only; `import claimx` loads no torch")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
