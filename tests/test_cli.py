"""The command line against a stand-in for the model: what it reads, prints and returns.

The stand-in answers each article with one quote over its whole text, so that these tests need
neither torch nor weights; the shipped model has its own golden test.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import typer

import claimx
from claimx.__main__ import run as run_command
from claimx.cli import app, main
from claimx.errors import CheckpointError, ConfigError, InputError
from claimx.types import SCHEMA_VERSION, Article, Extraction, Failure, Quote

ROOT = Path(claimx.__file__).parents[1]


class StandIn:
    """Keeps to the contract of `claimx.Extractor` without a model."""

    model_name = "claimx-test 0.0.0 (00000000)"
    device = "cpu"
    dtype = "float32"
    backend = "torch"
    loads: ClassVar[list[dict[str, Any]]] = []
    fault: ClassVar[BaseException | None] = None

    @classmethod
    def from_pretrained(cls, model: str | None = None, **options: Any) -> StandIn:
        cls.loads.append({"model": model, **options})
        if cls.fault is not None:
            raise cls.fault
        return cls()

    def stream(self, articles: Iterable[Article]) -> Iterator[Extraction]:
        """Read three articles ahead, as a batching extractor may."""
        batch: list[Article] = []
        for article in articles:
            batch.append(article)
            if len(batch) == 3:
                yield from map(self.extract, batch)
                batch = []
        yield from map(self.extract, batch)

    def extract(self, article: Article) -> Extraction:
        if "too long" in article.text:
            return Extraction(article.id, error=Failure("too_large", "more than max_chars"))
        quotes = ()
        if article.text.strip():
            quotes = (Quote("q0", 0, len(article.text), article.text, "indirect", 0.5),)
        return Extraction(
            article.id, "0" * 64, self.model_name, "reported", article.meta,
            quotes=quotes, text=article.text,
        )  # fmt: skip


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    module = types.ModuleType("claimx.extractor")
    module.Extractor = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "claimx.extractor", module)
    monkeypatch.setattr(StandIn, "loads", [])
    monkeypatch.setattr(StandIn, "fault", None)
    return StandIn


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text("“No,” she said.", encoding="utf-8")
    return path


def records(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


# ---- what is printed


def test_a_pipe_gets_the_output_record_and_nothing_else(run, article):
    code, out, err = run("extract", article)
    (record,) = records(out)
    assert (code, err) == (0, "")
    assert (record["schema"], record["id"]) == (SCHEMA_VERSION, str(article))
    assert record["quotes"][0]["text"] == "“No,” she said."
    assert "text" not in record


def test_view_is_readable_text(run, article):
    code, out, _ = run("extract", "--view", article)
    assert code == 0
    assert "no source named" in out
    assert not out.startswith("{")


def test_a_terminal_gets_the_view_without_being_asked(run, article, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "Who said what" in run("extract", article)[1]
    assert records(run("extract", "--json", article)[1])


def test_with_text_puts_the_text_into_the_record(run, article):
    (record,) = records(run("extract", "--with-text", article)[1])
    assert record["text"] == "“No,” she said."


def test_the_title_of_an_article_is_kept_in_meta(run, tmp_path):
    path = tmp_path / "a.jsonl"
    article = {"id": "a", "text": "No.", "title": "Ferry", "meta": {"desk": 1}}
    path.write_text(json.dumps(article), encoding="utf-8")
    (record,) = records(run("extract", path)[1])
    assert record["meta"] == {"desk": 1, "title": "Ferry"}


def test_web_annotations_take_the_place_of_records(run, article, tmp_path):
    long = tmp_path / "long.txt"
    long.write_text("too long", encoding="utf-8")
    code, out, err = run("extract", "--web-annotations", article, long)
    (collection,) = records(out)
    assert (code, collection["type"]) == (1, "AnnotationCollection")
    (item,) = collection["first"]["items"]
    assert item["target"]["selector"][0]["exact"] == "“No,” she said."
    assert "more than max_chars" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--web-annotations", "--view"), "--view and --web-annotations contradict one another"),
        (("--view", "--json"), "--json and --view contradict one another"),
        (("--json", "--web-annotations"), "--json and --web-annotations contradict one another"),
        (("--view", "--with-text"), "which --view does not write"),
        (("--web-annotations", "--with-text"), "which --web-annotations does not write"),
    ],
)
def test_options_that_contradict_one_another_are_refused_in_one_sentence(
    run, article, stand_in, options, said
):
    code, out, err = run("extract", article, *options)
    assert (code, out, err.count("\n"), stand_in.loads) == (2, "", 1, [])
    assert said in err


def test_options_reach_the_extractor(run, article, stand_in):
    run(
        "extract", article, "--attribution", "broad", "--device", "cuda:1", "--dtype", "bfloat16",
        "--backend", "torch",
        "--model", "folder", "--min-score", "0.25", "--currency", "AUD", "--title", "prepend",
    )  # fmt: skip
    assert stand_in.loads == [
        {
            "model": "folder", "backend": "torch", "device": "cuda:1", "dtype": "bfloat16", "attribution": "broad",
            "min_score": 0.25, "currency": "AUD", "title": "prepend",
        }
    ]  # fmt: skip


def test_the_defaults_of_the_command_are_those_of_the_library(run, article, stand_in):
    run("extract", article)
    assert stand_in.loads == [
        {
            "model": None, "backend": "auto", "device": "auto", "dtype": "auto", "attribution": "reported",
            "min_score": 0.0, "currency": "USD", "title": None,
        }
    ]  # fmt: skip


def test_standard_input_is_one_text(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("“Nö.”\r\n".encode())))
    (record,) = records(run("extract", "-")[1])
    assert (record["id"], record["quotes"][0]["text"]) == ("-", "“Nö.”\r\n")


def test_lone_surrogates_are_written_as_json_escapes():
    extraction = Extraction("a", text="x\ud800y“")
    line = extraction.to_json(with_text=True)
    assert "\\ud800" in line
    assert json.loads(line.encode("utf-8"))["text"] == "x\ud800y“"


def test_info_says_versions_model_device_and_dtype(run):
    code, out, _ = run("info", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["claimx"] == claimx.__version__
    assert facts["torch"][0].isdigit()
    assert (facts["model"], facts["backend"], facts["device"], facts["dtype"]) == (
        StandIn.model_name, "torch", "cpu", "float32",
    )  # fmt: skip


def test_info_tells_the_version_of_the_package_from_that_of_the_model(run):
    _, out, _ = run("info")
    first, *_, named = [line for line in out.splitlines() if re.match("claimx |model ", line)]
    assert f"{claimx.__version__} (the package; a model has a version of its own)" in first
    assert StandIn.model_name in named
    assert json.loads(run("info", "--json")[1])["claimx"] == claimx.__version__


def test_info_says_that_gpus_were_not_measured(run, monkeypatch):
    assert "nothing was measured on GPUs" not in run("info")[1]
    monkeypatch.setattr(StandIn, "device", "cuda")
    assert "nothing was measured on GPUs" in run("info")[1]


@pytest.mark.parametrize("arguments", [["--help"], ["extract", "--help"]])
def test_help_shows_examples(run, arguments):
    code, out, _ = run(*arguments)
    assert code == 0
    assert "claimx extract article.txt" in out
    assert "| claimx extract -" in out


COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loses_no_brackets_and_shows_no_mark_up(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 500)
    code, out, _ = run(*command.split(), "--help")
    assert code == 0
    assert "\\b" not in out
    assert run(*command.split(), "-h")[1] == out
    parameters = COMMANDS[command].params if command else []
    for word in (*re.findall(r"\[\w+\]", "".join(str(one.help) for one in parameters)), "--help"):
        assert word in out
    if any(one.name == "backend" for one in parameters):
        assert "'claimx[fast]'" in out


def test_version(run):
    assert run("--version") == (0, f"claimx {claimx.__version__}\n", "")


# ---- what goes wrong


def test_one_bad_input_is_one_sentence_and_code_2(run, tmp_path, stand_in):
    code, out, err = run("extract", tmp_path / "nowhere.txt")
    assert (code, err) == (2, f"claimx: {tmp_path / 'nowhere.txt'}: there is no such file\n")
    assert records(out)[0]["error"]["kind"] == "unreadable"
    assert stand_in.loads == []  # a mistyped path does not wait for the model


def test_a_view_shows_errors_on_standard_error_only(run, tmp_path):
    code, out, err = run("extract", "--view", tmp_path)
    assert (code, out) == (2, "")
    assert "folder" in err


def test_bad_articles_keep_their_places_and_do_not_stop_the_others(run, tmp_path):
    good = '{"id": "%s", "text": "Text."}\n'
    lines = [
        good % 1,
        "{bad\n",
        good % 3,
        good % 4,
        "[]\n",
        "{}\n",
        good % 7,
        '{"id": "8", "text": "too long"}\n',
        good % 9,
        "\n",
        "{bad",
    ]
    path = tmp_path / "news.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    code, out, err = run("extract", path, path)
    found = [(record["id"], "error" in record) for record in records(out)]
    once = [
        ("1", False), (f"{path}:2", True), ("3", False), ("4", False), (f"{path}:5", True),
        (f"{path}:6", True), ("7", False), ("8", True), ("9", False), (f"{path}:11", True),
    ]  # fmt: skip
    assert found == once * 2
    assert code == 1
    assert err.splitlines()[-1] == "claimx: 10 of 20 articles could not be read"
    assert len(err.splitlines()) == 11


def test_code_2_where_every_article_is_bad(run, tmp_path):
    assert run("extract", tmp_path / "a.txt", tmp_path / "b.txt")[0] == 2


def test_an_empty_file_is_an_article_without_quotes(run, tmp_path):
    path = tmp_path / "empty.txt"
    path.touch()
    code, out, err = run("extract", path)
    assert (code, err, records(out)[0]["quotes"]) == (0, "", [])


def test_an_article_file_without_articles_is_said(run, tmp_path):
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert run("extract", path) == (0, "", f"claimx: there is no article in {path}\n")


@pytest.mark.parametrize(
    "fault",
    [
        CheckpointError("model folder x has no model.safetensors"),
        ConfigError("no device cuda here"),
        InputError("no"),
    ],
)
@pytest.mark.parametrize("command", [["info"], ["extract", "examples/harbour.txt"]])
def test_a_model_that_cannot_be_used_is_one_sentence_and_code_2(
    run, stand_in, fault, command, monkeypatch
):
    monkeypatch.chdir(ROOT)
    stand_in.fault = fault
    code, _, err = run(*command)
    assert (code, err) == (2, f"claimx: {fault}\n")


def test_warnings_of_the_library_go_to_standard_error(run, article, monkeypatch):
    load = StandIn.from_pretrained

    def warn(*arguments: Any, **options: Any) -> StandIn:
        logging.getLogger("claimx").warning("no manifest in %s", "folder")
        return load(*arguments, **options)

    monkeypatch.setattr(StandIn, "from_pretrained", warn)
    code, out, err = run("extract", article)
    assert (code, err) == (0, "claimx: no manifest in folder\n")
    assert records(out)


def test_info_says_the_versions_even_where_the_model_does_not_load(run, stand_in):
    stand_in.fault = CheckpointError("damaged")
    assert "transformers" in run("info")[1]


def test_ctrl_c_is_code_130_without_a_traceback(run, article, stand_in):
    stand_in.fault = KeyboardInterrupt()
    assert run("extract", article) == (130, "", "")


def test_ctrl_c_is_quiet_while_the_command_is_loaded(monkeypatch, capsys):
    class Interrupted:
        def find_spec(self, name: str, *rest: Any) -> None:
            if name == "claimx.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "claimx.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert run_command() == 130
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_our_own_is_a_sentence_unless_asked_for(run, article, stand_in, monkeypatch):
    stand_in.fault = ZeroDivisionError("division\nby zero")
    code, _, err = run("extract", article)
    assert code == 70
    assert err.startswith("claimx: unexpected ZeroDivisionError: division by zero (")
    monkeypatch.setenv("CLAIMX_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run("extract", article)


@pytest.mark.parametrize(
    "arguments",
    [
        ["extract"],
        ["extract", "a", "--attribution", "x"],
        ["extract", "a", "--min-score", "2"],
        ["dig"],
    ],
)
def test_a_wrong_command_is_code_2(run, arguments):
    assert run(*arguments)[0] == 2


# ---- as a process


PROGRAM = """
import sys, types
sys.path.insert(0, {tests!r})
import test_cli
module = types.ModuleType("claimx.extractor")
module.Extractor = test_cli.StandIn
sys.modules["claimx.extractor"] = module
from claimx.cli import main
sys.exit(main(sys.argv[1:]))
"""


def process(*arguments: str, output: Any = subprocess.PIPE, **environment: str):
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_output_is_utf8_whatever_the_locale(article):
    child = process("extract", str(article), PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")
    assert "“No,”".encode() in out


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("environment", "quote"),
    [
        ({"TERM": "dumb", "PYTHONIOENCODING": "ascii"}, b'?<"No," she said.>'),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "?«“No,” she said.»".encode()),
    ],
)
def test_a_terminal_gets_the_view_in_what_it_can_show(article, environment, quote):
    ours, its = os.openpty()
    child = process("extract", str(article), output=its, COLUMNS="30", **environment)
    os.close(its)
    shown = b"".join(iter(lambda: _read(ours), b"")).replace(b"\r\n", b"\n")
    assert child.wait(timeout=60) == 0
    lines = [re.sub(rb"\x1b\[[0-9;]*m", b"", line) for line in shown.split(b"\n")]
    assert b"  " + quote in lines
    assert b" \n" not in shown
    assert max(len(line.decode()) for line in lines) <= 30
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", shown)
    assert (b"\x1b" in shown) == (environment["TERM"] == "xterm")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # which Linux raises when the other side was closed
        return b""


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text('{"id": "a", "text": "Text."}\n' * 5000, encoding="utf-8")
    child = process("extract", str(path))
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=60) == 141
    assert child.stderr is not None
    assert child.stderr.read() == b""
    child.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(article):
    with Path("/dev/full").open("wb") as full:
        child = process("extract", str(article), output=full)
        _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (2, b"claimx: output: No space left on device\n")
