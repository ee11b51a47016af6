"""brat: discontinuous spans, CR LF, attributes, notes, events, files that changed since."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx.errors import FormatError
from claimx.formats.brat import write_brat
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

TEXT = "“We lost piles,” Ann said,\r\n“and the crane.”\r\n"
LINES = (
    "T1\tQUOTE 0 16;28 44\t“We lost piles,” “and the crane.”\n"
    "T2\tSPEAKER 17 20\tAnn\n"
    "T3\tCUE 21 25\tsaid\n"
    "R1\tsaid_by Arg1:T1 Arg2:T2\t\n"
)


def pair(folder: Path, lines: str = LINES, text: str | bytes = TEXT, name: str = "a") -> Path:
    (folder / f"{name}.txt").write_bytes(text.encode() if isinstance(text, str) else text)
    (folder / f"{name}.ann").write_bytes(lines.encode())
    return folder


def test_a_discontinuous_quote_is_two_parts_of_one_statement(tmp_path):
    [article], problems, left_out = read_all(pair(tmp_path), "brat")
    assert surfaces(article) == {
        "T1": "attribution/QUOTE=“We lost piles,”", "T1.2": "attribution/QUOTE=“and the crane.”",
        "T2": "attribution/SPEAKER=Ann", "T3": "attribution/CUE=said",
    }  # fmt: skip
    assert arrows(article) == ["said_by T1>T2", "said_by T1.2>T2", "same_quote T1.2>T1"]
    assert problems == []
    assert left_out == {"discontinuous spans, now parts with same_quote links": 1}


def test_fragments_that_only_a_line_end_divides_are_one_span(tmp_path):
    lines = "T1\tQUOTE 17 26;28 44\tAnn said, “and the crane.”\n"
    [article], _, left_out = read_all(pair(tmp_path, lines), "brat")
    assert [span.text for span in article.spans] == ["Ann said,\r\n“and the crane.”"]
    assert left_out == {}


def test_a_line_end_in_a_span_stands_as_space(tmp_path):
    lines = "T1\tQUOTE 17 44\tAnn said,  “and the crane.”\n"
    [article], problems, _ = read_all(pair(tmp_path, lines), "brat")
    assert ([span.end for span in article.spans], problems) == ([44], [])


def test_no_written_fragment_holds_a_line_end(tmp_path):
    write_brat(tmp_path / "out", [harbour()])
    lines = (tmp_path / "out" / "own_harbour.ann").read_bytes().decode().split("\n")
    [speaker] = [line for line in lines if "\tSPEAKER " in line]
    assert speaker.split("\t")[1].count(";") == 1
    assert speaker.endswith("\tInes Okafor, deputy head of the board")
    assert (tmp_path / "out" / "own_harbour.txt").read_bytes().decode() == harbour().text


def test_line_ends_may_have_changed_in_the_text_file(tmp_path):
    [article], problems, left_out = read_all(
        pair(tmp_path, "T1\tQUOTE 27 43\t“and the crane.”\r\nT2\tCUE 21 25\tsaid\r\n"), "brat"
    )
    assert [span.text for span in article.spans] == ["“and the crane.”", "said"]
    assert (article.text, problems) == (TEXT.replace("\r\n", "\n"), [])
    assert left_out == {"texts with line ends other than annotated, now as then": 1}


@pytest.mark.parametrize("shift", [0, 1])
def test_a_byte_order_mark_may_count_or_not(tmp_path, shift):
    lines = f"T1\tSPEAKER {17 + shift} {20 + shift}\tAnn\n"
    [article], problems, _ = read_all(pair(tmp_path, lines, "\ufeff" + TEXT), "brat")
    assert ([span.text for span in article.spans], problems) == (["Ann"], [])


def test_offsets_are_code_points(tmp_path):
    pair(tmp_path, "T1\tSPEAKER 2 5\tAnn\n", "🚢 Ann")
    [article], _, _ = read_all(tmp_path, "brat")
    assert [span.text for span in article.spans] == ["Ann"]


def test_attributes_and_notes_become_attributes(tmp_path):
    lines = LINES + (
        "A1\tNegated T1\nA2\tStrength T1 0.5\nM1\tCode T1 007\nN1\tReference T2 Wiki:12\tAnn\n"
        "#1\tAnnotatorNotes T2\tis this\tthe speaker?\nA3\tLost R1\n# a comment\n"
    )
    [article], _, left_out = read_all(pair(tmp_path, lines), "brat")
    attrs = {span.id: dict(span.attrs) for span in article.spans}
    assert attrs["T1"] == {"Negated": True, "Strength": 0.5, "Code": "007"}
    assert attrs["T2"] == {"Reference": "Wiki:12", "AnnotatorNotes": "is this\tthe speaker?"}
    assert left_out["attributes of relations and events"] == 1


def test_events_and_equivalences_become_links(tmp_path):
    lines = LINES + "E1\tQUOTE:T1 Source:T2 Cue2:T3\nA1\tSure E1\n*\tEquiv T2 T3\n"
    [article], _, _ = read_all(pair(tmp_path, lines), "brat")
    assert {"Source T1>T2", "Cue2 T1>T3", "Equiv T3>T2"} <= set(arrows(article))
    assert article.spans[0].attrs["Sure"] is True


def test_what_was_changed_in_brat_wins_over_what_was_kept(tmp_path):
    write_brat(tmp_path / "out", [harbour()])
    file = tmp_path / "out" / "own_harbour.ann"
    source = file.read_bytes().decode()
    source = source.replace("value T3 40", "value T3 41").replace(
        "T10\tattribution_broad.QUOTE", "T10\tCUE"
    )
    file.write_bytes(source.encode())
    [article], problems, _ = read_all(tmp_path / "out", "brat")
    spans = {span.id: span for span in article.spans}
    assert spans["v1"].attrs["value"] == 41
    assert (spans["b1"].layer, spans["b1"].label) == ("attribution", "CUE")
    assert (article.id, article.meta, problems) == ("own/harbour", harbour().meta, [])


def test_the_configuration_names_all_types_and_attributes(tmp_path):
    write_brat(tmp_path / "out", [harbour()])
    lines = (tmp_path / "out" / "annotation.conf").read_text().split("\n")
    assert "attribution_broad.QUOTE" in lines
    assert "said_by\tArg1:QUOTE, Arg2:SPEAKER" in lines
    assert "kind\tArg:QUANTITY, Value:percent" in lines


def test_texts_and_standoff_may_stand_in_two_folders(tmp_path):
    for name in ("ann", "text"):
        (tmp_path / name).mkdir()
    pair(tmp_path)
    (tmp_path / "a.ann").rename(tmp_path / "ann" / "a.ann")
    (tmp_path / "a.txt").rename(tmp_path / "text" / "a.txt")
    [article], _, _ = read_all(tmp_path, "brat")
    assert article.id == "ann/a"


def test_a_text_with_two_annotators_is_refused(tmp_path):
    for name in ("one", "two", "text"):
        (tmp_path / name).mkdir()
    for name in ("one", "two"):
        (tmp_path / name / "a.ann").write_text(LINES)
    (tmp_path / "text" / "a.txt").write_text(TEXT)
    with pytest.raises(FormatError, match="one annotator at a time"):
        read_all(tmp_path, "brat")


@pytest.mark.parametrize(
    "line",
    [
        "T1\tQUOTE 0 999\tx", "T1\tQUOTE 5 5\t", "T1\tQUOTE 0 3\tWxy", "T1 QUOTE 0 3 We", "T1\tQUOTE\tx",
        "R1\tsaid_by Arg1:T1", "E1\tQUOTE", "Hello", "A1\tName", "T1\tX 0 2\t“W\nT1\tX 3 4\t ",
        "#1\tclaimx T1\t{bad",
    ],
)  # fmt: skip
def test_a_damaged_line_is_a_problem_and_other_files_are_read(tmp_path, line):
    pair(tmp_path, LINES)
    pair(tmp_path, line + "\n", name="bad")
    articles, [problem], _ = read_all(tmp_path, "brat")
    assert len(articles) == 1
    assert "bad.ann" in problem


def test_a_missing_text_is_said(tmp_path):
    (tmp_path / "a.ann").write_text(LINES)
    with pytest.raises(FormatError, match=r"a\.txt"):
        read_all(tmp_path, "brat")
