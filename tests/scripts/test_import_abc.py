"""Articles are cut out of the two files of the corpus abc as they were annotated."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace

import pytest

from scripts import import_abc
from scripts.import_abc import articles_of, main
from tests.scripts.standoff_files import texts_of, write_standoff

RURAL = 'Wool up\nPrices rose.\n"Good," she said.\n\nRain late \nNo rain fell.\n'
SCIENCE = "A lens at 40°\n\nMoths sleep\nThey do.\n"
WOOL = 'Wool up\n\nPrices rose.\n\n"Good," she said.'


@pytest.fixture
def abc(tmp_path):
    folder = tmp_path / "abc"
    folder.mkdir()
    rural = b"\xef\xbb\xbf" + RURAL.replace("\n", "\r\n").encode("utf-8")
    (folder / "rural.txt").write_bytes(rural)
    (folder / "science.txt").write_bytes(SCIENCE.encode("latin-1"))
    return folder


@pytest.fixture
def standoff(tmp_path):
    texts = [("abc/rural-0000", WOOL), ("abc/science-0000", "A lens at 40°")]
    return write_standoff(tmp_path / "standoff", "news_annotated_abc", texts)


def test_a_blank_line_parts_articles_and_lines_are_paragraphs():
    assert list(articles_of(RURAL)) == [WOOL, "Rain late\n\nNo rain fell."]


def test_line_ends_mark_and_latin_1_do_not_matter(abc, standoff, tmp_path):
    output = tmp_path / "texts.jsonl"
    assert main([str(abc), str(output), "--standoff", str(standoff)]) == 0
    assert texts_of(output) == {"abc/rural-0000": WOOL, "abc/science-0000": "A lens at 40°"}


def test_the_zip_is_read_as_it_was_downloaded(abc, standoff, tmp_path):
    with zipfile.ZipFile(tmp_path / "abc.zip", "w") as packed:
        for name in ("rural.txt", "science.txt"):
            packed.write(abc / name, f"abc/{name}")
    output = tmp_path / "texts.jsonl"
    assert main([str(tmp_path / "abc.zip"), str(output), "--standoff", str(standoff)]) == 0
    assert len(texts_of(output)) == 2


def test_what_is_missing_is_named(abc, standoff, tmp_path, capsys):
    (abc / "science.txt").write_text("Else\n")
    output = tmp_path / "texts.jsonl"
    assert main([str(abc), str(output), "--standoff", str(standoff)]) == 1
    assert "not found: abc/science-0000" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["missing", "other", "no zip"])
def test_wrong_downloads_are_refused_and_nothing_is_written(
    abc, standoff, tmp_path, damage, capsys
):
    path = abc
    if damage == "missing":
        (abc / "rural.txt").unlink()
    elif damage == "other":
        for file in abc.iterdir():
            file.write_text("Else\n")
    else:
        path = tmp_path / "abc.zip"
        path.write_bytes(b"<html>404</html>")
    output = tmp_path / "texts.jsonl"
    assert main([str(path), str(output), "--standoff", str(standoff)]) == 2
    assert capsys.readouterr().err.count("error: ") == 1
    assert not output.exists()


def test_a_file_with_another_hash_than_recorded_is_refused(
    abc, standoff, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "texts.jsonl"
    right = hashlib.sha256((abc / "rural.txt").read_bytes()).hexdigest()
    for hashes, code in (({"rural.txt": right}, 0), ({"rural.txt": "0" * 64}, 2)):
        monkeypatch.setattr(import_abc, "SOURCE", replace(import_abc.SOURCE, sha256=hashes))
        assert main([str(abc), str(output), "--standoff", str(standoff)]) == code
    assert "is not the file that was imported" in capsys.readouterr().err
