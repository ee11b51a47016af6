"""Agreement of two annotators, on articles small enough to count by hand."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claimx.errors import AnnotationError
from claimx.formats import write_articles
from claimx.types import AnnotatedArticle, Link
from tests.annotating import annotate
from training import agreement as command
from training.agreement import compare, pair_articles, read_side, tables
from training.disagreements import disagreements
from training.report import print_tables


def quantity(value: float, unit: str | None = None, **attrs: Any) -> dict[str, Any]:
    kind = "count" if unit is None else "duration"
    return {"value": value, "low": None, "high": None, "unit": unit, "kind": kind,
            "modifier": "exact", "change": "none", **attrs}  # fmt: skip


TEXT = "The quay lost 12 cranes in two years, Abbot Eva Lund said."
FIRST = annotate(
    TEXT,
    [
        ("q", "QUOTE", "The quay lost 12 cranes in two years"),
        ("s", "SPEAKER", "Abbot Eva Lund"),
        ("c", "CUE", "said"),
        ("p", "PERSON", "Eva Lund"),
        ("r", "ROLE", "Abbot"),
        ("v", "QUANTITY", "12", 0, quantity(12)),
        ("x", "MEASURED", "cranes"),
        ("w", "QUANTITY", "two years", 0, quantity(2, "year")),
    ],
    [
        ("said_by", "q", "s"),
        ("cued_by", "q", "c"),
        ("refers_to", "s", "p"),
        ("has_role", "p", "r"),
        ("measures", "v", "x"),
    ],
)
SECOND = annotate(
    TEXT,
    [
        ("Q", "QUOTE", "quay lost 12 cranes in two years"),
        ("S", "SPEAKER", "Abbot Eva Lund"),
        ("C", "CUE", "said"),
        ("P", "PERSON", "Eva Lund"),
        ("A", "AFFILIATION", "Abbot"),
        ("V", "QUANTITY", "12", 0, quantity(12, modifier="approximate")),
        ("X", "MEASURED", "cranes"),
        ("W", "QUANTITY", "two years", 0, quantity(2, "years")),
    ],
    [("said_by", "Q", "S"), ("refers_to", "S", "P"), ("affiliated_with", "P", "A")],
)


def report(*pairs: tuple[AnnotatedArticle, AnnotatedArticle]) -> dict[str, Any]:
    return compare(pairs, resamples=10)


def f1(entry: dict[str, Any]) -> float:
    return float(entry["f1"])


# ---- figures ------------------------------------------------------------------------------


def test_an_annotation_agrees_with_itself_in_everything() -> None:
    made = report((FIRST, FIRST))
    groups = [*made["spans"].values(), *made["links"].values()]
    ways = [way for group in groups for entry in group.values() for way in entry.values()]
    assert {f1(way) for way in ways} == {1.0}
    assert {entry["accuracy"] for entry in made["attributes"].values()} == {1.0}
    assert {entry["kappa"] for entry in made["tokens"].values()} == {1.0}
    assert made["disagreements"] == []


def test_a_moved_edge_agrees_by_overlap_only() -> None:
    quote = report((FIRST, SECOND))["spans"]["attribution"]["QUOTE"]
    assert (f1(quote["exact"]), f1(quote["overlap"])) == (0.0, 1.0)


def test_f1_counts_the_spans_of_both_sides() -> None:
    without = replace(SECOND, spans=SECOND.spans[:-1])
    entry = report((FIRST, without))["spans"]["quantity"]["QUANTITY"]["exact"]
    assert entry["both"] == 1
    assert (entry["first"], entry["second"]) == (2, 1)
    assert f1(entry) == pytest.approx(2 / 3)


def test_links_agree_exactly_by_overlap_and_among_common_spans() -> None:
    links = report((FIRST, SECOND))["links"]
    said_by = links["said_by"]["attribution"]
    assert f1(said_by["exact"]) == 0.0  # the quotes have other edges
    assert f1(said_by["overlap"]) == 1.0
    assert f1(links["refers_to"]["attribution"]["exact"]) == 1.0
    assert f1(links["cued_by"]["attribution"]["same_spans"]) == 0.0  # both spans, one link


def test_a_link_to_a_span_that_only_one_has_is_no_matter_of_linking() -> None:
    links = report((FIRST, SECOND))["links"]
    assert f1(links["has_role"]["identity"]["overlap"]) == 0.0
    assert "same_spans" not in links["has_role"]["identity"]


def test_links_that_only_the_second_annotates_count() -> None:
    links = report((FIRST, SECOND))["links"]
    entry = links["affiliated_with"]["identity"]["exact"]
    assert (entry["first"], entry["second"], f1(entry)) == (0, 1, 0.0)


def test_same_person_counts_whichever_side_has_it() -> None:
    text = "Eva Lund left. Lund was tired."
    spans = [("p", "PERSON", "Eva Lund"), ("l", "PERSON", "Lund", 1)]
    linked = annotate(text, spans, [("same_person", "l", "p")])
    bare = annotate(text, spans)
    for pair in ((linked, bare), (bare, linked)):
        entry = report(pair)["links"]["same_person"]["identity"]["exact"]
        assert (entry["both"], max(entry["first"], entry["second"]), f1(entry)) == (0, 1, 0.0)


def test_attributes_are_compared_where_both_have_the_quantity() -> None:
    third = replace(SECOND, spans=SECOND.spans[:-1])
    attributes = report((FIRST, third))["attributes"]
    assert attributes["value"]["total"] == 1
    assert attributes["value"]["accuracy"] == 1.0
    assert attributes["modifier"]["accuracy"] == 0.0


def test_units_are_compared_by_their_closed_names() -> None:
    assert report((FIRST, SECOND))["attributes"]["unit"]["accuracy"] == 1.0


def test_kappa_is_that_of_the_tokens() -> None:
    # Ten tokens; six labelled by both, one by the first alone, three by none.
    # Observed 0.9; expected (7 * 6 + 3 * 4) / 100 = 0.54; kappa 0.36 / 0.46.
    text = "a b c d e f g h i j"
    first = annotate(text, [("q", "QUOTE", "a b c d e f g")], complete=["attribution"])
    second = annotate(text, [("q", "QUOTE", "a b c d e f")], complete=["attribution"])
    entry = report((first, second))["tokens"]["attribution"]
    assert entry["tokens"] == 10
    assert entry["agreed"] == pytest.approx(0.9)
    assert entry["kappa"] == pytest.approx(0.36 / 0.46)
    assert entry["label_kappa"]["QUOTE"] == pytest.approx(0.36 / 0.46)


def test_kappa_is_undefined_where_all_tokens_have_one_label() -> None:
    whole = annotate("a b", [("q", "QUOTE", "a b")], complete=["attribution"])
    entry = report((whole, whole))["tokens"]["attribution"]
    assert entry["kappa"] is None
    assert json.dumps(entry, allow_nan=False)


def test_swapping_the_annotators_changes_no_figure() -> None:
    there, back = report((FIRST, SECOND)), report((SECOND, FIRST))
    assert there["tokens"].keys() == back["tokens"].keys()
    for layer, entry in there["tokens"].items():
        assert entry["kappa"] == pytest.approx(back["tokens"][layer]["kappa"])
    for group in ("spans", "links"):
        for outer, inner in there[group].items():
            for name, ways in inner.items():
                for way, entry in ways.items():
                    assert f1(entry) == f1(back[group][outer][name][way])
    assert {name: entry["accuracy"] for name, entry in there["attributes"].items()} == {
        name: entry["accuracy"] for name, entry in back["attributes"].items()
    }


# ---- pairing ------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
def test_only_layers_that_both_completed_are_compared(swapped: bool) -> None:
    sides = [{"a": replace(FIRST, complete_layers=("attribution",))}, {"a": SECOND}]
    [pair] = pair_articles(*(sides[::-1] if swapped else sides))
    assert {span.layer for side in pair for span in side.spans} == {"attribution"}
    assert {link.type for side in pair for link in side.links} == {"said_by", "cued_by"}


def test_differing_texts_are_refused_with_the_place() -> None:
    other = annotate(TEXT.replace("12", "13"), [])
    with pytest.raises(AnnotationError, match="'a': the texts differ at character 15"):
        pair_articles({"a": FIRST}, {"a": other})


def test_sides_without_a_common_article_are_refused() -> None:
    with pytest.raises(AnnotationError, match="first: ferry; second: tram"):
        pair_articles({"ferry": FIRST}, {"tram": SECOND})


def test_an_id_given_twice_on_one_side_is_refused(tmp_path: Path) -> None:
    write_articles(tmp_path / "one.jsonl", [FIRST])
    write_articles(tmp_path / "two.jsonl", [FIRST])
    with pytest.raises(AnnotationError, match="'a' is there twice"):
        read_side(tmp_path)


# ---- disagreements ------------------------------------------------------------------------


def test_each_difference_is_listed_once_with_both_readings() -> None:
    found = {(item.kind, item.what): (item.first, item.second)
             for item in disagreements(FIRST, SECOND)}  # fmt: skip
    assert found == {
        ("edges", "QUOTE"): (TEXT[:36], TEXT[4:36]),
        ("label", "ROLE or AFFILIATION"): ("Abbot", "Abbot"),
        ("link", f"cued_by of QUOTE {TEXT[:36]!r}"): ("said", ""),
        ("link", "measures of QUANTITY '12'"): ("cranes", ""),
        ("attribute", "modifier of '12'"): ("exact", "approximate"),
    }


def test_a_speaker_may_refer_to_any_mention_of_the_person() -> None:
    text = "Eva Lund left. Lund was tired, she said."
    spans = [("p", "PERSON", "Eva Lund"), ("l", "PERSON", "Lund", 1), ("s", "SPEAKER", "she"),
             ("c", "CUE", "said"), ("q", "QUOTE", "Lund was tired")]  # fmt: skip
    shared = [("same_person", "l", "p"), ("said_by", "q", "s")]
    first = annotate(text, spans, [*shared, ("refers_to", "s", "p")])
    second = replace(first, links=(*first.links[:2], Link("refers_to", "s", "l")))
    assert disagreements(first, second) == []


# ---- command ------------------------------------------------------------------------------


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first.jsonl", tmp_path / "second"
    second.mkdir()
    write_articles(first, [FIRST, replace(FIRST, id="alone")])
    write_articles(second / "all.jsonl", [SECOND])
    return first, second


def test_the_command_prints_tables_and_writes_the_report(
    sides: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "agreement.json"
    assert command.main([*map(str, sides), "--resamples", "10", "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "1 article on both sides; 1 only on the first, 0 only on the second" in printed
    assert "Cohen's kappa" in printed
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["only_in_first"] == ["alone"]
    assert len(written["disagreements"]) == 5


def test_the_command_lists_disagreements_when_asked(
    sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*map(str, sides), "--resamples", "10", "--list"]) == 0
    assert "modifier of '12': 'exact' | 'approximate'" in capsys.readouterr().out


def test_the_command_says_in_one_line_what_cannot_be_compared(
    sides: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.jsonl"
    write_articles(other, [replace(SECOND, id="elsewhere")])
    assert command.main([str(sides[0]), str(other)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no article is on both sides")
    assert error.count("\n") == 1


def test_tables_show_f1_in_percent_beside_the_sizes() -> None:
    out = io.StringIO()
    print_tables(tables(report((FIRST, SECOND))), out)
    [row] = [line.split() for line in out.getvalue().splitlines() if " QUOTE " in line][:1]
    assert row == ["attribution", "QUOTE", "0.0", "0.0-0.0", "100.0", "100.0-100.0", "1", "1"]
