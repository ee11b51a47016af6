"""PolNeAR as published becomes our corpora, the same articles in the same splits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from claimx.formats import read_articles
from scripts.import_polnear import main, run
from scripts.importing import inside

TEXT = "“We lost piles,” Ann said, “and the\ncrane.” Rain.\n"
LINES = (
    "T1\tContent 0 16;27 43\t“We lost piles,” “and the crane.”\n"
    "T2\tSource 17 20\tAnn\nT3\tCue 21 25\tsaid\n"
    "T4\tAttribution 21 25\tsaid\nE1\tAttribution:T4 Content:T1 Cue:T3 Source:T2\n"
)
HEAD = (
    "compartment\tfilename\tlevel\tannotators\tpublisher\tpublication_date\tauthor\ttitle"
    "\ttrump_count\tclinton_count\tcredit\twire\n"
)


def row(split: str, name: str, annotators: str = "4b22") -> str:
    return f'{split}\t{name}\t1\t{annotators}\twire\t2026-01-02\t\tPiles "lost\t0\t0\tNone\tNA\n'


def corpus(folder: Path, rows: str, lines: str = LINES) -> Path:
    """Lay out one article in train and one in dev."""
    for split in ("train", "dev", "test"):
        for kind in ("text", "attributions"):
            (folder / "data" / split / kind).mkdir(parents=True)
        text = f"{TEXT}{split}"
        (folder / "data" / split / "text" / f"{split}.txt").write_text(text, encoding="utf-8")
        path = folder / "data" / split / "attributions" / f"{split}_4b22.ann"
        path.write_text(lines, encoding="utf-8")
    (folder / "data" / "metadata.tsv").write_text(HEAD + rows, encoding="utf-8")
    return folder


ROWS = row("train", "train") + row("dev", "dev", "4b22|4e07") + row("test", "test")


def starts(*splits: str) -> dict[str, str]:
    return {hashlib.sha256(f"{TEXT}{split}".encode()).hexdigest()[:16]: split for split in splits}


def test_the_split_is_the_publishers_and_test_is_left_alone(tmp_path):
    folder = corpus(tmp_path / "in", ROWS)
    assert main([str(folder), str(tmp_path / "out"), "--all"]) == 0
    [train] = read_articles(tmp_path / "out" / "polnear.train.jsonl.gz")
    [dev] = read_articles(tmp_path / "out" / "polnear.dev.jsonl.gz")
    assert (train.id, dev.id) == ("polnear/train", "polnear/dev")
    assert train.meta == {
        "corpus": "polnear", "publisher": "wire", "date": "2026-01-02", "title": 'Piles "lost',
    }  # fmt: skip
    assert {span.text for span in train.spans} == {
        "“We lost piles,”", "“and the\ncrane.”", "Ann", "said",
    }  # fmt: skip
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_texts_that_are_not_listed_are_left_out(tmp_path):
    folder = corpus(tmp_path / "in", ROWS + row("dev", "dev"))
    with pytest.raises(Exception, match="0 articles were found"):
        run(folder, tmp_path / "out", starts("dev"))
    assert not list((tmp_path / "out").iterdir())


def test_listed_texts_that_are_not_there_give_exit_code_1(tmp_path, capsys):
    folder = corpus(tmp_path / "in", ROWS)
    listed = starts("train", "dev") | {"0" * 16: "train"}
    assert run(folder, tmp_path / "out", listed) == 1
    assert "1 texts" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "a\\..\\b", ""])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name, capsys):
    with pytest.raises(Exception, match="leads out"):
        inside(tmp_path, name)
    if name == "../../secret":
        folder = corpus(tmp_path / "in", ROWS + row("train", name))
        assert main([str(folder), str(tmp_path / "out"), "--all"]) == 2
        assert "leads out" in capsys.readouterr().err


def test_missing_files_and_wrong_offsets_are_told_together_and_nothing_is_written(tmp_path, capsys):
    folder = corpus(tmp_path / "in", ROWS + row("train", "gone"), LINES.replace("17 20", "18 21"))
    assert main([str(folder), str(tmp_path / "out"), "--all"]) == 2
    said = capsys.readouterr().err
    assert "gone.txt" in said
    assert "T2 reads" in said
    assert not list((tmp_path / "out").glob("*"))


def test_another_table_is_refused(tmp_path, capsys):
    folder = corpus(tmp_path / "in", ROWS)
    (folder / "data" / "metadata.tsv").write_text("a\tb\n1\t2\n")
    assert main([str(folder), str(tmp_path / "out")]) == 2
    assert "has no column compartment" in capsys.readouterr().err
