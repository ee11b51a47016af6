"""Prodigy: inclusive token ends, answers, relations between tokens, several annotators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from claimx.formats.prodigy import prodigy_task
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

WORDS = ("Ann", "said", "costs", "rose", "5", "%", ".")
TEXT = "Ann said costs rose 5%."


def tokens() -> list[dict[str, Any]]:
    made, start = [], 0
    for number, word in enumerate(WORDS):
        start = TEXT.index(word, start)
        made.append({"text": word, "start": start, "end": start + len(word), "id": number})
        start += len(word)
    return made


SPANS = [
    {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "SPEAKER"},
    {"start": 9, "end": 22, "token_start": 2, "token_end": 5, "label": "QUOTE"},
    {"start": 20, "end": 22, "token_start": 4, "token_end": 5, "label": "QUANTITY"},
]
TASK = {"text": TEXT, "tokens": tokens(), "spans": SPANS, "_input_hash": 5, "answer": "accept"}


def read(folder: Path, *records: object, **options: Any) -> Any:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return read_all(folder / "a.jsonl", "prodigy", **options)


def test_only_what_was_accepted_is_read(tmp_path):
    articles, problems, left_out = read(
        tmp_path, TASK, TASK | {"answer": "reject"}, TASK | {"answer": "ignore"}
    )
    assert (len(articles), problems) == (1, [])
    assert left_out == {
        "records with the answer reject": 1, "records with the answer ignore": 1,
    }  # fmt: skip
    assert surfaces(articles[0]) == {
        "s1": "attribution/SPEAKER=Ann", "s2": "attribution/QUOTE=costs rose 5%",
        "s3": "quantity/QUANTITY=5%",
    }  # fmt: skip
    assert articles[0].meta == {"_input_hash": 5}


def test_the_last_token_of_a_span_is_part_of_it(tmp_path):
    spans = [{"token_start": 2, "token_end": 5, "label": "QUOTE"}]
    [article], _, _ = read(tmp_path, TASK | {"spans": spans})
    assert surfaces(article) == {"s1": "attribution/QUOTE=costs rose 5%"}


def test_the_last_token_is_written_as_part_of_the_span():
    task = prodigy_task(harbour())
    for span in task["spans"]:
        assert task["tokens"][span["token_start"]]["start"] == span["start"]
        assert task["tokens"][span["token_end"]]["end"] == span["end"]


def test_written_tokens_are_the_text_without_its_white_space():
    task = prodigy_task(harbour())
    assert "".join(token["text"] for token in task["tokens"]) == "".join(task["text"].split())
    assert all(task["text"][one["start"] : one["end"]] == one["text"] for one in task["tokens"])


def test_a_relation_names_its_spans_or_their_last_tokens(tmp_path):
    full = {
        "head": 5,
        "child": 0,
        "label": "said_by",
        "head_span": SPANS[1],
        "child_span": SPANS[0],
    }
    short = {"head": 5, "child": 0, "label": "near"}
    loose = {"head": 5, "child": 1, "label": "said_by"}
    [article], _, left_out = read(tmp_path, TASK | {"relations": [full, short, loose]})
    assert arrows(article) == ["said_by s2>s1", "near s3>s1"]
    assert left_out == {"relations between tokens that are no span": 1}


def test_of_several_annotators_one_must_be_chosen(tmp_path):
    records = [TASK | {"_annotator_id": name} for name in ("ann", "bob")]
    articles, [problem], _ = read(tmp_path, *records)
    assert "ann" in problem
    assert "--annotator" in problem
    articles, problems, left_out = read(tmp_path, *records, annotator="bob")
    assert (len(articles), problems, left_out) == (1, [], {"records of other annotators": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"spans": [SPANS[0] | {"end": 99}]},
        {"spans": [SPANS[0] | {"label": 5}]},
        {"spans": [{"label": "QUOTE", "token_start": 0, "token_end": 7}]},
        {"spans": [{"label": "QUOTE"}]},
        {"spans": {}, "tokens": "x"},
        {"relations": [{"head": 99, "child": 0, "label": "x"}]},
        {"text": 5},
        {"meta": []},
    ],
)
def test_a_damaged_record_is_a_problem_and_the_others_are_read(tmp_path, change):
    articles, problems, _ = read(tmp_path, TASK | change | {"_input_hash": 6}, TASK)
    assert (len(articles), len(problems)) == (1, 1)
