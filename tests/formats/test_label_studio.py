"""Label Studio: UTF-16 offsets, several annotators, cancelled answers, regions with attributes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from claimx.formats.label_studio import label_studio_task, write_label_studio
from claimx.types import AnnotatedArticle, AnnotatedSpan
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

TEXT = "🚢 Ann said costs rose 5%."


def region(name: str, label: str, start: int, end: int, **change: Any) -> dict[str, Any]:
    """A region as the browser counts it: the ship is two units."""
    units = TEXT.encode("utf-16-le")
    value = {
        "start": start, "end": end, "text": units[2 * start : 2 * end].decode("utf-16-le"),
        "labels": [label],
    }  # fmt: skip
    item = {"id": name, "type": "labels", "from_name": "label", "to_name": "text", "value": value}
    return item | change


REGIONS = [region("a", "SPEAKER", 3, 6), region("b", "QUOTE", 12, 25)]
RELATION = {
    "from_id": "b", "to_id": "a", "type": "relation", "direction": "right", "labels": ["said_by"],
}  # fmt: skip


def task(*annotations: dict[str, Any], text: str = TEXT, **change: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text}, "annotations": list(annotations)} | change


def answer(*result: dict[str, Any], by: Any = 1, **change: Any) -> dict[str, Any]:
    return {"id": 9, "completed_by": by, "was_cancelled": False, "result": list(result)} | change


def read(tmp_path: Path, *tasks: dict[str, Any], **options: Any) -> Any:
    (tmp_path / "a.json").write_text(json.dumps(list(tasks)))
    return read_all(tmp_path / "a.json", "label-studio", **options)


def test_offsets_are_utf16_units(tmp_path):
    [article], problems, left_out = read(tmp_path, task(answer(*REGIONS, RELATION)))
    assert surfaces(article) == {
        "a": "attribution/SPEAKER=Ann", "b": "attribution/QUOTE=costs rose 5%",
    }  # fmt: skip
    assert arrows(article) == ["said_by b>a"]
    assert (problems, left_out) == ([], {})


def test_offsets_are_written_as_utf16_units():
    values = [
        item["value"] for item in label_studio_task(harbour(), 1)["annotations"][0]["result"]
        if item["type"] == "labels"
    ]  # fmt: skip
    units = harbour().text.encode("utf-16-le")
    for value in values:
        assert units[2 * value["start"] : 2 * value["end"]].decode("utf-16-le") == value["text"]


def test_offsets_that_count_characters_are_told_by_the_surface(tmp_path):
    value = {"start": 2, "end": 5, "text": "Ann", "labels": ["SPEAKER"]}
    item = REGIONS[0] | {"value": value}
    [article], problems, left_out = read(tmp_path, task(answer(item)))
    assert (surfaces(article), problems) == ({"a": "attribution/SPEAKER=Ann"}, [])
    assert left_out == {"tasks whose offsets count characters, not UTF-16 units": 1}


def test_offsets_that_count_a_line_end_once_are_told_by_the_surface(tmp_path):
    value = {"start": 3, "end": 6, "text": "Ann", "labels": ["SPEAKER"]}
    item = REGIONS[0] | {"value": value}
    [article], _, left_out = read(tmp_path, task(answer(item), text="a\r\n\r\nAnn spoke"))
    assert surfaces(article) == {"a": "attribution/SPEAKER=Ann"}
    assert left_out == {"tasks whose offsets count CR LF as one character": 1}


def test_a_surface_that_fits_nowhere_is_a_problem(tmp_path):
    item = REGIONS[0] | {"value": REGIONS[0]["value"] | {"text": "Bob"}}
    articles, [problem], _ = read(tmp_path, task(answer(item)))
    assert articles == []
    assert "task 7" in problem
    assert "'Ann', not 'Bob'" in problem


@pytest.mark.parametrize(("start", "end"), [(1, 6), (3, 99), (-1, 3), (6, 3), (3, 3)])
def test_wrong_offsets_are_a_problem(tmp_path, start, end):
    value = {"start": start, "end": end, "labels": ["SPEAKER"]}
    articles, problems, _ = read(tmp_path, task(answer(REGIONS[0] | {"value": value})))
    assert (articles, len(problems)) == ([], 1)


def test_cancelled_answers_are_left_out(tmp_path):
    cancelled = answer(REGIONS[1], was_cancelled=True, by=2)
    articles, _, left_out = read(tmp_path, task(cancelled, answer(REGIONS[0])), task(cancelled))
    assert [list(surfaces(article)) for article in articles] == [["a"]]
    assert left_out == {"cancelled annotations": 2, "tasks without annotation": 1}


def test_of_several_annotators_one_must_be_chosen(tmp_path):
    both = task(
        answer(REGIONS[0], by={"id": 1, "email": "ann@example.org"}), answer(REGIONS[1], by=2)
    )
    articles, [problem], _ = read(tmp_path, both)
    assert articles == []
    assert "--annotator" in problem
    assert "ann@example.org" in problem
    for name, kept in (("ann@example.org", "a"), ("1", "a"), ("2", "b")):
        [article], problems, _ = read(tmp_path, both, annotator=name)
        assert (list(surfaces(article)), problems) == ([kept], [])


def test_the_ground_truth_needs_no_choice(tmp_path):
    chosen = answer(REGIONS[1], by=2, ground_truth=True)
    [article], problems, _ = read(tmp_path, task(answer(REGIONS[0]), chosen))
    assert (list(surfaces(article)), problems) == (["b"], [])


def test_of_one_annotator_the_latest_answer_counts(tmp_path):
    [article], _, left_out = read(
        tmp_path,
        task(
            answer(REGIONS[1], updated_at="2024-03-02T00:00:00Z"),
            answer(REGIONS[0], updated_at="2024-03-01T00:00:00Z"),
        ),
    )
    assert list(surfaces(article)) == ["b"]
    assert left_out == {"annotations other than the one chosen": 1}


def test_predictions_are_not_taken_for_annotations(tmp_path):
    predicted = task(id=8, predictions=[{"result": [REGIONS[1]]}])
    articles, _, left_out = read(tmp_path, task(answer(REGIONS[0])), predicted)
    assert [article.id for article in articles] == ["7"]
    assert left_out == {"tasks without annotation": 1}


def test_a_file_of_predictions_alone_is_read(tmp_path):
    [article], _, _ = read(tmp_path, task(predictions=[{"result": [REGIONS[0] | {"score": 0.5}]}]))
    assert [span.score for span in article.spans] == [0.5]


def scored(text: str, *scores: float, **meta: str) -> AnnotatedArticle:
    spans = tuple(
        AnnotatedSpan(f"s{n}", "identity", "PERSON", n, n + 1, text[n], score=score)
        for n, score in enumerate(scores)
    )
    return AnnotatedArticle("a", text, spans, complete_layers=("identity",), meta=meta)


def test_scores_are_written_as_a_prediction_of_the_model_with_the_article_s_certainty():
    article = scored("ab c d e f g h i j", 0.9, 0.4, prelabelled_by="claimx-en 1 (ab)")
    made = label_studio_task(article, 1)
    assert "annotations" not in made
    [prediction] = made["predictions"]
    # 0.1 and 0.6 wrong spans in 9 words
    assert (prediction["model_version"], prediction["score"]) == ("claimx-en 1 (ab)", 0.9222)


def test_a_model_that_finds_nothing_makes_a_prediction_too(tmp_path):
    nothing = scored("Rain.", prelabelled_by="m")
    write_label_studio(tmp_path / "a.json", [nothing, scored("ab", 0.5, prelabelled_by="m")])
    articles, _, left_out = read_all(tmp_path / "a.json", "label-studio")
    assert ([len(one.spans) for one in articles], left_out) == ([0, 1], {})


def test_what_a_person_has_accepted_has_no_scores(tmp_path):
    accepted = [item | {"score": 0.4} for item in (*REGIONS, RELATION)]
    [article], _, left_out = read(tmp_path, task(answer(*accepted)))
    assert [item.score for item in (*article.spans, *article.links)] == [None] * 3
    assert left_out == {}


def test_no_region_id_is_one_that_label_studio_cuts():
    ids = ("a#1", "a~1", "a", "b#", "b~")
    spans = tuple(AnnotatedSpan(x, "l", "L", n, n + 1, "x") for n, x in enumerate(ids))
    regions = label_studio_task(AnnotatedArticle("a", "x" * 5, spans), 1)["annotations"][0]
    names = [item["id"] for item in regions["result"]]
    assert len(set(names)) == 5
    assert not any("#" in name for name in names)


def test_span_ids_with_a_hash_come_back(tmp_path):
    span = AnnotatedSpan("a#1", "identity", "PERSON", 0, 1, "x")
    write_label_studio(tmp_path / "a.json", [AnnotatedArticle("a", "x", (span,))])
    [article], _, _ = read_all(tmp_path / "a.json", "label-studio")
    assert [one.id for one in article.spans] == ["a#1"]


def test_a_region_labelled_in_two_controls_is_two_spans_and_links_find_the_right_one(tmp_path):
    both = [
        region("a", "SPEAKER", 3, 6, from_name="attribution"),
        region("a", "PERSON", 3, 6, from_name="identity"),
        region("r", "ROLE", 7, 11, from_name="identity"),
        region("p", "PERSON", 12, 17, from_name="identity"),
        REGIONS[1] | {"from_name": "attribution"},
    ]
    same = RELATION | {"from_id": "a", "to_id": "p", "labels": ["same_person"]}
    [article], problems, _ = read(tmp_path, task(answer(*both, RELATION, same)))
    assert problems == []
    assert surfaces(article)["a"] == "attribution/SPEAKER=Ann"
    assert surfaces(article)["a#2"] == "identity/PERSON=Ann"
    assert arrows(article) == ["said_by b>a", "same_person a#2>p"]


def test_the_attributes_of_a_region_with_two_labels_are_those_of_the_quantity(tmp_path):
    value = {"start": 23, "end": 25, "number": 5}
    number = {"id": "v", "type": "number", "from_name": "value", "value": value}
    both = [
        region("v", "MEASURED", 23, 25, from_name="other"),
        region("v", "QUANTITY", 23, 25, from_name="quantity"),
    ]
    [article], _, _ = read(tmp_path, task(answer(*both, number)))
    assert [(one.label, one.attrs.get("value")) for one in article.spans] == [
        ("MEASURED", None), ("QUANTITY", 5),
    ]  # fmt: skip


def test_a_quantity_that_a_person_relabels_loses_its_attributes(tmp_path):
    write_label_studio(tmp_path / "a.json", [harbour()])
    [made] = json.loads((tmp_path / "a.json").read_text())
    result = made["annotations"][0]["result"]
    [relabelled] = [item for item in result if item.get("value", {}).get("labels") == ["QUANTITY"]]
    relabelled["value"]["labels"] = ["MEASURED"]
    made["annotations"][0]["result"] = [relabelled]
    [article], _, _ = read(tmp_path, made)
    assert [(one.label, dict(one.attrs)) for one in article.spans] == [("MEASURED", {})]


def test_a_relation_without_label_is_named_by_the_only_link_that_fits(tmp_path):
    bare = {key: value for key, value in RELATION.items() if key != "labels"}
    unfit = bare | {"from_id": "a", "to_id": "b", "labels": []}
    [article], _, left_out = read(tmp_path, task(answer(*REGIONS, bare, unfit)))
    assert arrows(article) == ["said_by b>a", "relation a>b"]
    assert left_out == {"relations without label, now named by what they join": 1}


def test_a_relation_whose_labels_are_no_list_is_a_problem_of_its_task(tmp_path):
    articles, [problem], _ = read(tmp_path, task(answer(*REGIONS, RELATION | {"labels": True})))
    assert not articles
    assert "the labels of relation b -> a are no list: True" in problem


def test_a_relation_may_point_left_or_nowhere(tmp_path):
    left = RELATION | {"from_id": "a", "to_id": "b", "direction": "left"}
    gone = RELATION | {"to_id": "zz"}
    [article], _, left_out = read(tmp_path, task(answer(*REGIONS, left, gone)))
    assert arrows(article) == ["said_by b>a"]
    assert left_out == {"relations of regions that are not there": 1}


def test_a_region_with_two_labels_is_two_spans(tmp_path):
    both = region("a", "SPEAKER", 3, 6)
    both["value"]["labels"] = ["SPEAKER", "PERSON"]
    [article], _, _ = read(tmp_path, task(answer(both)))
    assert surfaces(article) == {
        "a": "attribution/SPEAKER=Ann", "a#2": "identity/PERSON=Ann",
    }  # fmt: skip


def test_an_unknown_label_lies_in_the_layer_of_its_control(tmp_path):
    [article], _, _ = read(tmp_path, task(answer(region("a", "SHIP", 0, 2, from_name="things"))))
    assert surfaces(article) == {"a": "things/SHIP=🚢"}


def test_white_space_at_the_edges_is_trimmed_and_counted(tmp_path):
    [article], problems, left_out = read(tmp_path, task(answer(region("a", "SPEAKER", 2, 7))))
    assert (surfaces(article), problems) == ({"a": "attribution/SPEAKER=Ann"}, [])
    assert left_out == {"spans with white space at their edges, now trimmed": 1}


def test_an_attribute_that_was_changed_in_the_tool_wins(tmp_path):
    write_label_studio(tmp_path / "a.json", [harbour()])
    tasks = json.loads((tmp_path / "a.json").read_text())
    result = tasks[0]["annotations"][0]["result"]
    for item in result:
        if item["from_name"] == "value" if "from_name" in item else False:
            item["value"]["number"] = 41
    result[:] = [item for item in result if item.get("from_name") != "unit"]
    [article], _, _ = read(tmp_path, *tasks)
    [attrs] = [span.attrs for span in article.spans if span.id == "v1"]
    assert (attrs["value"], attrs["unit"], attrs["low"]) == (41, None, None)


def test_a_quantity_added_in_the_tool_gets_what_goes_without_saying(tmp_path):
    percent = region("v", "QUANTITY", 23, 25, from_name="quantity")
    number = percent | {
        "type": "number", "from_name": "value", "value": {"start": 23, "end": 25, "number": 5},
    }  # fmt: skip
    unit = percent | {
        "type": "textarea", "from_name": "unit",
        "value": {"start": 23, "end": 25, "text": ["percent"]},
    }  # fmt: skip
    [article], _, _ = read(tmp_path, task(answer(percent, number, unit)))
    assert dict(article.spans[0].attrs) == {
        "value": 5, "low": None, "high": None, "unit": "percent", "kind": "percent",
        "modifier": "exact", "change": "none",
    }  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        {"id": 1, "text": TEXT, "label": []},
        {"data": {"a": "x", "b": "y"}, "annotations": [answer()]},
        task(answer({"type": "labels", "id": "a", "value": {"start": "/p[1]", "end": "/p[1]"}})),
        task(answer({"type": "labels", "id": "a"})),
        task(answer(region("a", "X", 3, 6) | {"value": {"start": 3, "end": 6, "labels": "X"}})),
        task({"result": "none"}),
        task("none"),  # type: ignore[arg-type]
        "none",
    ],
)
def test_a_damaged_task_is_a_problem_and_the_others_are_read(tmp_path, broken):
    articles, problems, _ = read(tmp_path, broken, task(answer(REGIONS[0])))
    assert len(articles) == len(problems) == 1


def test_other_results_are_counted(tmp_path):
    choice = {
        "type": "choices", "from_name": "topic", "id": "z", "value": {"choices": ["courts"]},
    }  # fmt: skip
    [article], _, left_out = read(tmp_path, task(answer(REGIONS[0], choice)))
    assert len(article.spans) == 1
    assert left_out == {"results of type choices": 1}
