"""Annotated texts are found in whatever files hold them."""

from __future__ import annotations

import json

import pytest

from scripts.import_texts import main
from tests.scripts.standoff_files import texts_of, write_standoff

FILLER = "The yard will stay open through the winter, the harbour board said, and so will the mint."
TEXT = f"YARD STAYS OPEN\n{FILLER}\n“Good,” she said."
WANTED = [("one", TEXT)]


def found(tmp_path, name: str, content: bytes) -> tuple[int, dict[str, str]]:
    standoff = write_standoff(tmp_path / "s", "news_annotated", WANTED, "US Senate press releases")
    folder = tmp_path / "in" / "Berg"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    output = tmp_path / "out.jsonl"
    code = main([str(tmp_path / "in"), str(output), "--standoff", str(standoff)])
    return code, texts_of(output) if output.exists() else {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1May2026Berg1.txt", TEXT.replace("\n", " \n   ") + "\n \n "),
        ("1May2026Berg1.txt", "\ufeff" + TEXT.replace("\n", "\r\n")),
        ("all.json", json.dumps({"a": [{"body": TEXT.replace("\n", "\n\n")}]})),
        ("all.jsonl", "\n" + json.dumps({"text": TEXT}) + "\n"),
        ("all.csv", f'id,text\n1,"{TEXT}"\n'),
    ],
)
def test_white_space_and_wrapping_do_not_matter(tmp_path, name, content):
    assert found(tmp_path, name, content.encode()) == (0, dict(WANTED))


@pytest.mark.parametrize("content", [b'{"a": ', b"[" * 100_000, b"\xff\xfe\x00"])
def test_broken_files_are_named_and_nothing_is_written(tmp_path, content, capsys):
    assert found(tmp_path, "bad.json", content) == (2, {})
    said = capsys.readouterr().err
    assert "left out:" in said
    assert "bad.json" in said


def test_hidden_folders_and_other_files_are_not_read(tmp_path, capsys):
    standoff = write_standoff(tmp_path / "s", "news_annotated", WANTED)
    (tmp_path / "in" / ".git").mkdir(parents=True)
    (tmp_path / "in" / ".git" / "a.txt").write_text(TEXT)
    given = [str(tmp_path / "in"), str(tmp_path / "o.jsonl"), "--standoff", str(standoff)]
    assert main(given) == 2
    assert "no file ends in" in capsys.readouterr().err


def test_an_output_of_another_kind_is_refused(tmp_path, capsys):
    standoff = write_standoff(tmp_path / "s", "news_annotated", WANTED)
    (tmp_path / "a.txt").write_text(TEXT)
    given = [str(tmp_path / "a.txt"), str(tmp_path / "o.txt"), "--standoff", str(standoff)]
    assert main(given) == 2
    assert ".jsonl.gz" in capsys.readouterr().err
