"""Every block of code on every page does what it says.

Shell and Python are run in the order of the page, in a folder of its own (`checkout.lay_out`). `pip`,
`make`, `git` and `torchrun` are looked at in place of being run. A block whose first line is
"# not run by the tests: REASON" is only read.
"""

from __future__ import annotations

import importlib
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from claimx.cli import main as claimx
from tests.docs.blocks import PAGES, ROOT, Block, blocks_of, commands_of
from tests.docs.checking import check_block, check_command, simple_commands
from tests.docs.checkout import SENTENCE, environment, lay_out

# Pages whose blocks need more than the folder has, and what runs them.
ELSEWHERE = {
    "docs/archive-tables.md": "tests/archive/test_tables.py",
    "docs/integrations.md": "tests/test_integrations_page.py",
    "docs/retraining.md": "tests/test_retraining.py",
}
WALKED = [page for page in PAGES if page not in ELSEWHERE]
# Names that a page takes for granted.
GIVEN: dict[str, dict[str, Any]] = {"README.md": {"my_archive": [("one", SENTENCE)]}}
# Only these are run in this process; a pipe, a loop and any other program get a shell.
OURS = ("claimx", "python")
LOOKED_AT = ("pip", "make", "git", "torchrun")
SHELL = ("sh", "bash")
PLAIN = ("text", "jsonc", "sql", "html")


def run_shell(block: Block, folder: Path) -> None:
    """Run the commands of a block one after the other; the first that fails fails the test."""
    for command in commands_of(block.text):
        parts = list(simple_commands(command))
        if all(words[0] in LOOKED_AT for words in parts):
            check_command(command, str(block))
        elif len(parts) == 1 and parts[0][0] in OURS and "<" not in command:
            check_command(command, str(block))
            run_here(command, parts[0], str(block))
        else:
            check_command(command, str(block))
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment(folder),
                capture_output=True, text=True, timeout=900, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{block}: {command}\n{done.stdout}{done.stderr}"


def run_here(command: str, words: Sequence[str], where: str) -> None:
    """Run a command of ours in this process, its output where a redirection says."""
    output = re.search(r"(?<!\S)>\s*(\S+)", command.partition(" #")[0])
    call, rest = callable_of(words)
    given = [found for word in rest for found in spread(word)]
    printed = StringIO()
    with redirect_stdout(printed):
        code = call(given)
    assert code == 0, f"{where}: {command}\nended with {code}\n{printed.getvalue()}"
    if output:
        Path(output[1]).write_text(printed.getvalue(), encoding="utf-8")


def callable_of(words: Sequence[str]) -> tuple[Callable[[list[str]], int], Sequence[str]]:
    match list(words):
        case ["claimx", *rest]:
            return claimx, rest
        case ["python", "-m", module, *rest]:
            return importlib.import_module(module).main, rest
        case ["python", script, *rest]:
            return importlib.import_module(script.removesuffix(".py").replace("/", ".")).main, rest
    raise AssertionError(f"{shlex.join(words)} is run by nobody")


def spread(word: str) -> list[str]:
    """Do what a shell does with a star."""
    found = sorted(str(path) for path in Path().glob(word)) if "*" in word else []
    return found or [word]


def run_block(block: Block, folder: Path, names: dict[str, Any]) -> None:
    if block.language in SHELL and block.why_not_run:
        check_block(block)
    elif block.language in SHELL:
        run_shell(block, folder)
    elif block.language == "python":
        # The line numbers of a traceback are those of the page.
        source = "\n" * (block.line - 1) + block.text
        code = compile(source, block.page, "exec")
        if block.why_not_run:
            check_imports(block)
        else:
            exec(code, names)  # the pages are our own
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "yaml":
        assert yaml.safe_load(block.text)
    else:
        assert block.language in PLAIN, f"{block}: a block in {block.language!r} is run by nobody"


def check_imports(block: Block) -> None:
    """Run the lines of a block that import something."""
    found = re.findall(r"^(?:import|from) .+$", block.text, re.MULTILINE)
    exec("\n".join(found), {})


@pytest.mark.parametrize("page", [page for page in WALKED if blocks_of(page)])
def test_the_blocks_of_a_page_do_what_they_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    lay_out(tmp_path, trained=page != "README.md")
    names = dict(GIVEN.get(page, {}))
    with redirect_stdout(StringIO()):
        for block in blocks_of(page):
            run_block(block, tmp_path, names)


@pytest.mark.parametrize("page", ELSEWHERE)
def test_pages_that_are_run_elsewhere_are_named_there(page):
    runner = (ROOT / ELSEWHERE[page]).read_text(encoding="utf-8")
    assert Path(page).name in runner
    for block in blocks_of(page):
        if block.language in SHELL:
            check_block(block)


def test_a_mark_gives_its_reason():
    marked = [block for page in PAGES for block in blocks_of(page) if block.why_not_run]
    assert marked
    assert all(block.language in (*SHELL, "python") for block in marked)


@pytest.mark.parametrize(
    "command",
    [
        "claimx extract a.txt --speed 3",
        "claimx exttract a.txt",
        "python -m training.train",
        "python -m training.trian configs/mine.yaml",
        "python scripts/attach_text.py one",
        "cat a.txt | claimx extract - --jsn > out.json",
        "pip install '.[trane]'",
        "pip install ./models/claimx-en-huge",
        "make dmeo",
        "make demo TORCH=x",
        "torchrun --standalone --nproc 2 -m training.trian a.yaml",
        "claimex extract a.txt",
    ],
)
def test_a_command_that_is_not_there_is_told(command):
    with pytest.raises(AssertionError, match=r"page:1"):
        check_command(command, "page:1")
