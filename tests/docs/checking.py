"""Commands of the documentation that are only read: what they name has to be there."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from unittest import mock

import typer
from torch.distributed.run import get_args_parser

from claimx.cli import app
from tests.docs.blocks import ROOT, Block, commands_of

CLAIMX = typer.main.get_command(app)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# Programs that claimx knows nothing of; there is nothing to look up.
FOREIGN = {
    "cat", "cd", "cp", "curl", "docker", "done", "duckdb", "export", "for", "git", "hf", "jq",
    "mkdir", "pre-commit", "tar", "unzip",
}  # fmt: skip
# These begin a command of their own.
LAUNCHERS = {"srun", "do", "nice", "time"}
_OPERATORS = set("|&;()<>")
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=")


class ParsedError(Exception):
    """The options of a command were understood; it must not go on."""


def check_block(block: Block) -> None:
    """Read a shell block: its syntax, and each command in it."""
    done = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{block}: {done.stderr}"
    for command in commands_of(block.text):
        check_command(command, str(block))


def check_command(command: str, where: str) -> None:
    """Read a command, which may be several in a pipe."""
    for words in simple_commands(command):
        try:
            check_words(words)
        except (Exception, SystemExit) as error:
            raise AssertionError(f"{where}: {shlex.join(words)}: {error!r}") from error


def simple_commands(command: str) -> Iterator[list[str]]:
    """Take a command of the shell apart: its parts without pipes, redirections and variables."""
    before_document = command.partition("\n")[0] if "<<'" in command else command
    lexer = shlex.shlex(
        before_document.replace("\\\n", " ").replace("\n", " ; "),
        posix=True,
        punctuation_chars=True,
    )
    lexer.whitespace_split = True
    words: list[str] = []
    skip = False
    for token in lexer:
        if skip:
            skip = False
        elif set(token) <= _OPERATORS:
            skip = bool(set(token) & set("<>"))
            if not skip:
                yield from _without_launcher(words)
                words = []
        elif words or not _ASSIGNMENT.match(token):
            words.append(token)
    yield from _without_launcher(words)


def _without_launcher(words: list[str]) -> Iterator[list[str]]:
    if words and words[0] in LAUNCHERS:
        words = words[1:]
    if words and words[0] not in ("in", "done"):
        yield words


def check_words(words: Sequence[str]) -> None:
    """Check one command.

    Raises:
        AssertionError: if it names an option, module, extra, file or target that is not there.
    """
    match list(words):
        case ["claimx"] | ["claimx", "--help" | "--version"]:
            pass
        case ["claimx", name, *rest]:
            command = CLAIMX.commands[name]
            if "--help" not in rest:
                command.make_context(name, rest)
        case ["python", "-m", module, *rest] | ["python3", "-m", module, *rest]:
            check_module(module, rest)
        case ["python", script, *rest] if script.startswith("scripts/"):
            check_module(script.removesuffix(".py").replace("/", "."), rest)
        case ["python", "-"]:
            pass
        case ["pip", "install", *rest]:
            check_install(rest)
        case ["make", *rest]:
            check_targets(rest)
        case ["torchrun", *rest]:
            given = get_args_parser().parse_args(rest)
            assert given.module
            check_module(given.training_script, given.training_script_args)
        case [name, *_]:
            assert name in FOREIGN, "no test knows this program (FOREIGN in tests/docs/checking.py)"


def check_module(module: str, words: Sequence[str]) -> None:
    """Let a module of ours parse its options; of any other see that it is there."""
    assert importlib.util.find_spec(module), f"no module {module}"
    if module.partition(".")[0] not in ("training", "scripts"):
        return
    parse = argparse.ArgumentParser.parse_args

    def parsed(self: argparse.ArgumentParser, *given: object) -> None:
        parse(self, *given)
        raise ParsedError

    main = importlib.import_module(module).main
    with (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parsed),
        mock.patch.object(sys, "argv", [module, *words]),
    ):
        try:
            main(list(words)) if main.__code__.co_argcount else main()
        except ParsedError:
            return
    raise AssertionError(f"{module} reads no options")


def check_install(words: Sequence[str]) -> None:
    """See that what `pip install` is given is this project with extras that it has, or a wheel."""
    for flag, file in pairwise(words):
        if flag == "--constraint":
            assert (ROOT / file).is_file(), f"no file {file}"
    wanted = [word for word in words if not word.startswith("-") and word != "constraints.txt"]
    for what in wanted:
        name, _, extras = what.removesuffix("]").partition("[")
        for extra in filter(None, extras.split(",")):
            assert extra in PROJECT["optional-dependencies"], f"no extra {extra}"
        if name.startswith(".") and not name.endswith(".whl"):
            assert (ROOT / name / "pyproject.toml").is_file(), f"no project in {name}"


def check_targets(words: Sequence[str]) -> None:
    """See that the Makefile has the targets, and the variables that are set."""
    for word in words:
        name, is_variable, _ = word.partition("=")
        found = re.search(rf"^{name} *\?=" if is_variable else rf"^{name}:", MAKEFILE, re.MULTILINE)
        assert found, f"the Makefile has no {name}"
