"""PolNeAR: sources, cues and contents, tied by events, as in the published corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx.errors import FormatError
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.convert import convert
from claimx.formats.detection import detect
from claimx.formats.native import write_native
from claimx.formats.polnear import read_polnear, write_polnear
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

TEXT = "“We lost piles,” Ann said, “and the crane.”"
SPANS = (
    "T1\tContent 0 16;27 43\t“We lost piles,” “and the crane.”\n"
    "T2\tSource 17 20\tAnn\nT3\tCue 21 25\tsaid\n"
)
EVENT = "T4\tAttribution 21 25\tsaid\nE1\tAttribution:T4 Content:T1 Cue:T3 Source:T2\n"


def pair(folder: Path, lines: str, text: str = TEXT) -> Path:
    (folder / "a.txt").write_text(text, encoding="utf-8")
    (folder / "a.ann").write_text(lines, encoding="utf-8")
    return folder


def published(folder: Path, *annotators: str, lines: str = SPANS + EVENT) -> Path:
    """Lay the sample out as the corpus does."""
    for name in ("text", "attributions"):
        (folder / name).mkdir()
    (folder / "text" / "a.txt").write_text(TEXT, encoding="utf-8")
    for annotator in annotators:
        (folder / "attributions" / f"a_{annotator}.ann").write_text(lines, encoding="utf-8")
    return folder


def test_an_event_is_an_attribution(tmp_path):
    [article], problems, left_out = read_all(pair(tmp_path, SPANS + EVENT), "polnear")
    assert surfaces(article) == {
        "T1": "attribution_broad/QUOTE=“We lost piles,”",
        "T1.1": "attribution_broad/QUOTE=“and the crane.”",
        "T2": "attribution_broad/SPEAKER=Ann", "T3": "attribution_broad/CUE=said",
    }  # fmt: skip
    assert set(arrows(article)) == {
        "said_by T1>T2", "cued_by T1>T3", "said_by T1.1>T2", "cued_by T1.1>T3",
        "same_quote T1.1>T1",
    }  # fmt: skip
    assert (article.id, article.complete_layers) == ("polnear/a", ("attribution_broad",))
    assert (problems, left_out) == ([], {})


def test_attributions_that_share_a_source_stay_apart(tmp_path):
    text = "Ann says it rains, hoping for sun."
    lines = (
        "T1\tSource 0 3\tAnn\nT2\tCue 4 8\tsays\nT3\tContent 9 17\tit rains\n"
        "T4\tAttribution 4 8\tsays\nE1\tAttribution:T4 Content:T3 Cue:T2 Source:T1\n"
        "T5\tCue 19 29\thoping for\nT6\tContent 30 33\tsun\n"
        "T7\tAttribution 19 29\thoping for\nE2\tAttribution:T7 Cue:T5 Content:T6 Source:T1\n"
    )
    [article], _, _ = read_all(pair(tmp_path, lines, text), "polnear")
    assert set(arrows(article)) == {
        "said_by T3>T1", "cued_by T3>T2", "said_by T6>T1", "cued_by T6>T5",
    }  # fmt: skip


def test_the_trigger_of_an_attribution_without_source_is_no_source(tmp_path):
    lines = SPANS.replace("T2\tSource 17 20\tAnn\n", "") + (
        "T4\tAttribution-no-source 21 25\tsaid\nE1\tAttribution-no-source:T4 Content:T1 Cue:T3\n"
    )
    [article], _, left_out = read_all(pair(tmp_path, lines), "polnear")
    assert {span.label for span in article.spans} == {"QUOTE", "CUE"}
    assert left_out == {}


def test_second_arguments_of_a_role_count_and_contents_of_one_event_are_one_quote(tmp_path):
    lines = (
        "T1\tContent 0 16\t“We lost piles,”\nT5\tContent 27 43\t“and the crane.”\n"
        "T3\tCue 21 25\tsaid\nT4\tAttribution 21 25\tsaid\n"
        "E1\tAttribution:T4 Content:T5 Content2:T1 Cue:T3\n"
    )
    [article], _, _ = read_all(pair(tmp_path, lines), "polnear")
    assert set(arrows(article)) == {"cued_by T1>T3", "cued_by T5>T3", "same_quote T5>T1"}


def test_a_compartment_holds_texts_and_annotations_in_folders_of_their_own(tmp_path):
    folder = published(tmp_path, "4b22")
    assert detect(folder) == "polnear"
    [article], problems, _ = read_all(folder, "polnear")
    assert (article.id, problems) == ("polnear/a", [])
    [beside], _, _ = read_all(folder / "attributions", "polnear")
    assert beside == article


def test_of_several_annotators_one_is_read_and_the_others_are_counted(tmp_path):
    folder = published(tmp_path, "4e07", "4b22")
    only_cue = "T1\tCue 21 25\tsaid\n"
    (folder / "attributions" / "a_4e07.ann").write_text(only_cue, encoding="utf-8")
    [first], _, left_out = read_all(folder, "polnear")
    assert (len(first.spans), left_out) == (4, {"annotations by other annotators": 1})
    problems: list[Problem] = []
    reading = Reading(problems.append, annotator="4e07")
    [named] = read_polnear(folder, reading)
    assert len(named.spans) == 1


def test_annotations_without_their_text_are_refused(tmp_path):
    folder = published(tmp_path, "4b22")
    (folder / "text" / "a.txt").unlink()
    with pytest.raises(FormatError, match="there is no text a.txt"):
        read_all(folder, "polnear")


def test_it_is_told_from_other_standoff_by_its_types(tmp_path):
    assert detect(pair(tmp_path, SPANS + EVENT)) == "polnear"
    assert detect(pair(tmp_path, SPANS.replace("Content", "QUOTE"))) == "brat"
    assert detect(pair(tmp_path, SPANS + "T9\tPlace 1 3\tWe\n")) == "brat"


def test_other_types_and_relations_are_counted(tmp_path):
    lines = SPANS + EVENT + "T9\tPlace 1 3\tWe\nR1\tNear Arg1:T2 Arg2:T3\n"
    [article], _, left_out = read_all(pair(tmp_path, lines), "polnear")
    assert len(article.spans) == 4
    assert left_out == {
        "annotations of type Place": 1, "relations, which PolNeAR has none of": 1,
    }  # fmt: skip


def test_what_is_written_is_the_published_form(tmp_path):
    [article], _, _ = read_all(pair(tmp_path, SPANS + EVENT), "polnear")
    write_polnear(tmp_path / "out", [article])
    lines = (tmp_path / "out" / "a.ann").read_text(encoding="utf-8")
    assert lines == SPANS + EVENT.replace("Cue:T3 Source:T2", "Source:T2 Cue:T3")


def test_the_parts_of_a_statement_are_written_as_one(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    kept = [span for span in harbour().spans if span.layer == "attribution"]
    losses = convert(tmp_path / "in.jsonl", tmp_path / "out", to="polnear")
    assert {loss.what: loss.count for loss in losses.lost}["spans"] == len(harbour().spans) - 1
    lines = (tmp_path / "out" / "own_harbour.ann").read_text(encoding="utf-8").split("\n")
    assert len(kept) == 4
    assert [line.split("\t")[1].split(" ")[0] for line in lines if line.startswith("T")] == [
        "Content"
    ]
