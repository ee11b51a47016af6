"""``claimx convert``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from claimx.commands.convert import FORMATS, convert
from claimx.formats.native import write_native
from claimx.formats.registry import CODECS
from tests.formats.samples import harbour

app = typer.Typer()
app.command("convert")(convert)
app.command("other")(lambda: None)


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["convert", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_native(tmp_path / "in.jsonl", [harbour()])
    return tmp_path / "in.jsonl"


def test_the_help_names_every_format():
    assert [codec.name for codec in CODECS] == list(FORMATS)


def test_formats_are_told_by_content_and_suffix(source):
    code, told, _ = run(source, source.parent / "out.json")
    assert code == 0
    assert told == "1 article, 10 spans, 8 links\nnothing was lost\n"


def test_losses_are_said(source):
    code, told, _ = run("--from", "native", "--to", "doccano", source, source.parent / "out.jsonl")
    assert code == 0
    assert "lost in writing: 10 span ids, such as 'q1'" in told.split("\n")


def test_the_report_may_be_json(source):
    _, told, _ = run(source, source.parent / "out.conll", "--json")
    assert json.loads(told)["lost"]["links"] == 8


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--from", "word"], "there is no format 'word'"),
        (["--to", "brat"], "is there already"),
        (["--from", "conll", "--to", "native"], "is no row"),
        ([], "name the format with --to"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_2(source, words, sentence):
    (source.parent / "taken").write_text("x")
    code, told, complaint = run(*words, source, source.parent / "taken")
    assert (code, told) == (2, "")
    assert sentence in complaint
    assert complaint.startswith("claimx: ")
    assert complaint.count("\n") == 1
    assert (source.parent / "taken").read_text() == "x"
