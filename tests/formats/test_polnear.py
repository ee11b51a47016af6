"""PolNeAR: sources, cues and contents, tied by relations or events."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx.formats.convert import convert
from claimx.formats.detection import detect
from claimx.formats.native import write_native
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

TEXT = "“We lost piles,” Ann said, “and the crane.”"
SPANS = (
    "T1\tcontent 0 16;27 43\t“We lost piles,” “and the crane.”\n"
    "T2\tsource 17 20\tAnn\nT3\tcue 21 25\tsaid\n"
)
RELATIONS = "R1\tattribution Arg1:T2 Arg2:T3\nR2\tattribution Arg1:T3 Arg2:T1\n"
EVENT = "E1\tcue:T3 source:T2 content:T1\n"


def pair(folder: Path, lines: str) -> Path:
    (folder / "a.txt").write_text(TEXT, encoding="utf-8")
    (folder / "a.ann").write_text(lines, encoding="utf-8")
    return folder


@pytest.mark.parametrize("ties", [RELATIONS, EVENT])
def test_an_attribution_is_whatever_hangs_together(tmp_path, ties):
    [article], problems, _ = read_all(pair(tmp_path, SPANS + ties), "polnear")
    assert surfaces(article) == {
        "T1": "attribution_broad/QUOTE=“We lost piles,”",
        "T1.2": "attribution_broad/QUOTE=“and the crane.”",
        "T2": "attribution_broad/SPEAKER=Ann", "T3": "attribution_broad/CUE=said",
    }  # fmt: skip
    assert set(arrows(article)) == {
        "said_by T1>T2", "cued_by T1>T3", "said_by T1.2>T2", "cued_by T1.2>T3",
        "same_quote T1.2>T1",
    }  # fmt: skip
    assert (article.id, article.complete_layers) == ("polnear/a", ("attribution_broad",))
    assert problems == []


def test_it_is_told_from_other_standoff_by_its_types(tmp_path):
    assert detect(pair(tmp_path, SPANS + RELATIONS)) == "polnear"
    assert detect(pair(tmp_path, SPANS.replace("content", "QUOTE"))) == "brat"
    assert detect(pair(tmp_path, SPANS + "T9\tPlace 1 3\tWe\n")) == "brat"


def test_other_types_are_counted(tmp_path):
    lines = SPANS.replace("source", "Attribution-Source") + "T9\tPlace 1 3\tWe\n"
    [article], _, left_out = read_all(pair(tmp_path, lines), "polnear")
    assert len(article.spans) == 4
    assert left_out == {"annotations of type Place": 1}


def test_the_parts_of_a_statement_are_written_as_one(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    kept = [span for span in harbour().spans if span.layer == "attribution"]
    losses = convert(tmp_path / "in.jsonl", tmp_path / "out", to="polnear")
    assert {loss.what: loss.count for loss in losses.lost}["spans"] == len(harbour().spans) - 1
    lines = (tmp_path / "out" / "own_harbour.ann").read_text(encoding="utf-8").split("\n")
    assert len(kept) == 4
    assert [line.split("\t")[1].split(" ")[0] for line in lines if line.startswith("T")] == [
        "content"
    ]
