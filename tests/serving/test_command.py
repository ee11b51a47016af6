"""`claimx serve` itself, with a model: the records of `claimx extract --json`, whoever asks."""

from __future__ import annotations

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from claimx.cli import main
from scripts.kill_archive import write_model
from tests.serving.processes import serving
from tests.tiny import write_lines

TEXTS = [
    "“The ferry was late,” said Ines Okafor. Norvale told 40 percent of the boats.",
    "",
    "The minister, Ana Ruiz, said about 12 boats of the board were old \ud83d. “No.”",
    "“It is 😀 fine,” she told the board.\n\n“We will see,” he said. " * 20,
]
ARTICLES = [
    {"id": f"a{number}", "text": TEXTS[number % 4] + " More." * (number // 4), "title": "The ferry"}
    for number in range(24)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny")


def test_records_are_those_of_the_command_whoever_asks_at_the_same_time(folder, tmp_path, capsys):
    path = write_lines(tmp_path / "articles.jsonl", ARTICLES)
    reading = ["--model", str(folder), "--title", "prepend", "--dtype", "float32"]
    main(["extract", "--json", str(path), *reading])
    expected = {r["id"]: r for r in map(json.loads, capsys.readouterr().out.splitlines())}
    assert any(record["quotes"] and record["people"] for record in expected.values())
    with serving(
        ["-m", "claimx", "serve", "--port", "0", *reading, "--max-chars", "5000"],
        stdout=None,
        stderr=-1,
    ) as server:
        with ThreadPoolExecutor(8) as pool:
            groups = [ARTICLES[at : at + 3] for at in range(0, 24, 3)]
            for answer in pool.map(server.send, [{"articles": group} for group in groups]):
                for record in answer.records:
                    assert record == expected.pop(record["id"])
        assert not expected
        (record,) = server.extract("x" * 5001).records
        assert record["error"]["kind"] == "too_large"
        assert server.get("/health").json["model"].startswith("claimx 0 (")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.communicate(timeout=60)[1].endswith("claimx: stopped\n")
        assert server.process.returncode == 0


def test_a_port_that_is_taken_is_said_before_a_model_is_loaded(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--model", "no-such-model"]) == 2
    assert f"cannot serve at 127.0.0.1 port {port}" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_said(capsys):
    assert main(["serve", "--port", "0", "--model", "no-such-model"]) == 2
    assert "no model 'no-such-model'" in capsys.readouterr().err
