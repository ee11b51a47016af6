"""doccano: two shapes of records, escapes, other people's columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claimx.formats.convert import convert
from claimx.formats.doccano import doccano_record, write_doccano
from claimx.formats.native import write_native
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

ENTITIES = [
    {"id": 1, "label": "SPEAKER", "start_offset": 2, "end_offset": 5},
    {"id": 2, "label": "QUOTE", "start_offset": 11, "end_offset": 24},
]
RECORD = {
    "id": 3, "text": "🚢 Ann said costs rose 5%.", "entities": ENTITIES,
    "relations": [{"id": 1, "from_id": 2, "to_id": 1, "type": "said_by"}], "Comments": [],
}  # fmt: skip


def lines(folder: Path, *records: object) -> Path:
    written = (record if isinstance(record, str) else json.dumps(record) for record in records)
    (folder / "a.jsonl").write_text("\n".join(written) + "\n", encoding="utf-8")
    return folder / "a.jsonl"


def test_entities_and_relations_are_read_in_code_points(tmp_path):
    [article], problems, left_out = read_all(lines(tmp_path, RECORD), "doccano")
    assert surfaces(article) == {
        "e1": "attribution/SPEAKER=Ann", "e2": "attribution/QUOTE=costs rose 5%",
    }  # fmt: skip
    assert arrows(article) == ["said_by e2>e1"]
    assert (article.id, problems, left_out) == ("3", [], {})


@pytest.mark.parametrize("key", ["label", "labels"])
def test_triples_are_read(tmp_path, key):
    record = {"id": 1, "text": "Ann spoke", key: [[0, 3, "PERSON"], [4, 9, "SHIP"]], "source": "x"}
    [article], _, _ = read_all(lines(tmp_path, record), "doccano")
    assert surfaces(article) == {"e1": "identity/PERSON=Ann", "e2": "entities/SHIP=spoke"}
    assert article.meta == {"source": "x"}


def test_escaped_slashes_are_read(tmp_path):
    line = r'{"id": 1, "text": "a\/b Ann", "label": [[4, 7, "PERSON"]]}'
    [article], _, _ = read_all(lines(tmp_path, line), "doccano")
    assert surfaces(article) == {"e1": "identity/PERSON=Ann"}


def test_a_layer_that_the_label_does_not_say_is_written(tmp_path):
    labels = [entity["label"] for entity in doccano_record(harbour(), 1)["entities"]]
    assert labels[0] == "QUOTE"
    assert labels[-1] == "attribution_broad/QUOTE"


def test_spans_and_links_survive_and_the_rest_is_counted(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    losses = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", to="doccano")
    assert {loss.what: loss.count for loss in losses.lost} == {"span ids": 10, "attributes": 9}
    assert "overlapping" in losses.advice[0]


def test_overlaps_inside_a_layer_are_refused_with_both_spans(tmp_path):
    path = lines(
        tmp_path, {"id": 1, "text": "Ann Ruiz", "label": [[0, 8, "PERSON"], [4, 8, "ROLE"]]}
    )
    with pytest.raises(ValueError, match="ROLE e2 'Ruiz' overlaps PERSON e1 'Ann Ruiz'"):
        convert(path, tmp_path / "out.jsonl", "doccano", "native")


@pytest.mark.parametrize(
    "change",
    [
        {"entities": [ENTITIES[0] | {"end_offset": 99}]},
        {"entities": [ENTITIES[0] | {"start_offset": "2"}]},
        {"entities": [ENTITIES[0] | {"label": None}]},
        {"entities": [ENTITIES[0], ENTITIES[1] | {"id": 1}]},
        {"entities": 5},
        {"relations": [{"from_id": 1, "to_id": 9, "type": "said_by"}]},
        {"text": None},
        {"entities": None, "label": [[0, 3]]},
    ],
)
def test_a_damaged_record_is_a_problem_and_the_others_are_read(tmp_path, change):
    path = lines(tmp_path, RECORD | change, RECORD)
    articles, [problem], _ = read_all(path, "doccano")
    assert len(articles) == 1
    assert problem.startswith(f"{path}:1: ")


def test_what_was_there_before_stays_until_all_is_written(tmp_path):
    (tmp_path / "a.jsonl").write_text("before")

    def articles():
        yield harbour()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_doccano(tmp_path / "a.jsonl", articles())
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["before"]
