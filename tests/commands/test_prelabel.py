"""``claimx prelabel``: order, exit codes, and the way through Label Studio and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from claimx.cli import main
from claimx.commands import prelabel as command
from claimx.errors import CheckpointError
from claimx.extractor import Extractor
from claimx.formats.certainty import certainty
from claimx.formats.checks import check_article
from claimx.formats.native import read_native
from claimx.labels import DEFAULT_SCHEMA
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article, Link
from tests.tiny import lexicon_checkpoint, write_lines

NAME = "claimx 0 (ffffffff)"
TEXT = "🚢 “She told the board,” said Okafor, minister. About 40 percent of boats."


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """A model whose answers are known, in the place of the shipped one."""
    extractor = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cpu", dtype="float32", max_chars=500
    )
    monkeypatch.setattr(command, "_load", lambda *_: extractor)
    monkeypatch.setattr(command, "model_schema", lambda _: DEFAULT_SCHEMA)
    return extractor


@pytest.fixture
def run(capsysbinary):
    def run(*words: object) -> tuple[int, bytes, str]:
        code = main(["prelabel", *map(str, words)])
        captured = capsysbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run


@pytest.fixture
def articles(tmp_path):
    return write_lines(
        tmp_path / "in.jsonl",
        [
            {"id": "own/a", "text": TEXT, "title": "Head", "meta": {"desk": 1}},
            {"id": "own/b", "text": "Rain."},
        ],
    )


def accept(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Label Studio exports once a person has submitted each prediction as it is."""
    return [
        {
            "id": 70 + task["id"],
            "data": task["data"],
            "annotations": [
                {
                    "id": 1, "completed_by": 1, "was_cancelled": False,
                    "result": [
                        item | ({"origin": "prediction"} if "value" in item else {})
                        for item in task["predictions"][0]["result"]
                    ],
                }
            ],
            "predictions": [],
        }
        for task in tasks
    ]  # fmt: skip


def kinds(article: AnnotatedArticle) -> list[Any]:
    return [(s.id, s.layer, s.label, s.start, s.end, dict(s.attrs)) for s in article.spans]


def test_corrections_come_back_and_can_be_trained_on(run, tiny, articles, tmp_path):
    code, out, _ = run(articles)
    assert code == 0
    tasks = json.loads(out)
    (tmp_path / "export.json").write_text(json.dumps(accept(tasks)))
    assert main(["convert", str(tmp_path / "export.json"), str(tmp_path / "back.jsonl")]) == 0
    back = {article.id: article for article in read_native(tmp_path / "back.jsonl")}
    [one] = tiny.annotate_many([Article("own/a", TEXT)])
    kept = [kind for kind in kinds(one) if kind[1] != "attribution_broad"]
    names = {kind[0] for kind in kept}
    links = {(x.type, x.head, x.tail) for x in one.links if {x.head, x.tail} <= names}
    article = back["own/a"]
    assert kinds(article) == kept
    assert {kind[2] for kind in kept} >= {"QUOTE", "SPEAKER", "PERSON", "QUANTITY", "MEASURED"}
    assert {(x.type, x.head, x.tail) for x in article.links} == links
    assert links
    assert all(item.score is None for item in (*article.spans, *article.links))
    assert article.complete_layers == ("attribution", "identity", "quantity")
    assert article.meta == {"desk": 1, "title": "Head", "prelabelled_by": NAME}
    assert check_article(article, DEFAULT_SCHEMA) == []
    assert (back["own/b"].spans, back["own/b"].complete_layers) == ((), article.complete_layers)


def test_the_task_names_the_model_and_the_certainty_by_which_tasks_are_ordered(run, tmp_path):
    sure = {"id": "sure", "text": "Rain. " * 50 + TEXT}
    path = write_lines(
        tmp_path / "in.jsonl", [sure, {"id": "b", "text": "Rain."}, {"id": "c", "text": TEXT}]
    )
    tasks = json.loads(run(path)[1])
    assert [task["data"]["claimx"]["id"] for task in tasks] == ["c", "sure", "b"]
    predictions = [task["predictions"][0] for task in tasks]
    assert {prediction["model_version"] for prediction in predictions} == {NAME}
    scores = [prediction["score"] for prediction in predictions]
    assert scores == sorted(scores)
    assert scores[-1] == 1.0


def test_certainty_counts_expected_errors_per_word():
    def article(words: int, *scores: float) -> AnnotatedArticle:
        spans = [AnnotatedSpan(f"s{n}", "l", "L", 0, 1, "w", score=s) for n, s in enumerate(scores)]
        return AnnotatedArticle("a", "w " * words, tuple(spans))

    assert certainty(article(100, 0.5, 0.5, 1.0)) == pytest.approx(0.99)
    assert certainty(article(200, 0.5, 0.5, 1.0)) == pytest.approx(0.995)
    assert certainty(article(10)) == 1.0
    assert certainty(article(1, 0.1, 0.1)) == 0.0
    assert certainty(AnnotatedArticle("a", "")) == 1.0


def test_parts_of_a_statement_point_at_its_first_part_whatever_the_model_says():
    spans = [AnnotatedSpan(f"q{n}", "l", "QUOTE", n, n + 1, "w") for n in range(5)]
    said = [("q3", "q2"), ("q2", "q3"), ("q2", "q1"), ("q0", "q4")]
    links = [
        *(Link("same_quote", head, tail, 0.1 * at) for at, (head, tail) in enumerate(said)),
        Link("said_by", "q1", "q4"),
    ]
    kept = command._to_first_parts(spans, links)
    assert {(link.type, link.head, link.tail) for link in kept} == {
        ("said_by", "q1", "q4"), ("same_quote", "q2", "q1"), ("same_quote", "q3", "q1"),
        ("same_quote", "q4", "q0"),
    }  # fmt: skip
    assert {link.head: link.score for link in kept}["q4"] == pytest.approx(0.3)


def test_layers_may_be_chosen_and_added(run, articles, tmp_path):
    code, out, _ = run(
        articles, "--layers", "identity,time", "--add", "time=DATE", "--to", "native"
    )
    assert code == 0
    (tmp_path / "out.jsonl").write_bytes(out)
    for article in read_native(tmp_path / "out.jsonl"):
        assert {span.layer for span in article.spans} <= {"identity"}
        assert article.complete_layers == ("identity", "time")


@pytest.mark.parametrize("name", ["native", "label-studio", "prodigy", "doccano", "conll"])
def test_one_file_formats_go_to_standard_output(run, articles, tmp_path, name):
    code, out, err = run(articles, "--to", name)
    assert (code, bool(out)) == (0, True)
    assert "claimx: 2 articles, " in err


def test_an_input_is_not_written_over_and_a_dash_is_standard_output(run, articles, tmp_path):
    before = articles.read_bytes()
    code, out, err = run(articles, "--to", "native", "-o", articles)
    assert (code, out, articles.read_bytes()) == (2, b"", before)
    assert "is an input itself" in err
    assert run(articles, "--to", "native", "-o", "-")[1] == run(articles, "--to", "native")[1]


@pytest.mark.parametrize("name", ["brat", "inline"])
def test_folders_need_a_name(run, articles, tmp_path, name):
    code, out, err = run(articles, "--to", name)
    assert (code, out) == (2, b"")
    assert "name one with -o" in err
    assert run(articles, "--to", name, "-o", tmp_path / "folder")[0] == 0
    assert any((tmp_path / "folder").iterdir())


def test_losses_are_said(run, articles, tmp_path):
    assert "lost in writing: " in run(articles, "--to", "doccano")[2]
    assert "nothing was lost" in run(articles)[2]
    told = run(articles, "--to", "inline", "-o", tmp_path / "folder")[2]
    assert "lost in writing: " in told
    assert "nothing was lost" not in told


def test_the_format_is_told_by_the_suffix(run, articles, tmp_path):
    assert run(articles, "-o", tmp_path / "out.jsonl")[:2] == (0, b"")
    assert len(list(read_native(tmp_path / "out.jsonl"))) == 2


def test_articles_that_cannot_be_read_do_not_stop_the_others(run, articles, tmp_path):
    (tmp_path / "long.txt").write_text("x" * 501)
    code, out, err = run(tmp_path / "gone.txt", articles, tmp_path / "long.txt")
    assert (code, len(json.loads(out))) == (1, 2)
    lines = err.splitlines()
    assert f"claimx: {tmp_path / 'gone.txt'}: there is no such file" in lines
    assert any("has 501 characters, more than max_chars" in line for line in lines)
    assert lines[-1] == "claimx: 2 of 4 articles could not be read"


def test_nothing_to_read_is_exit_code_2(run, tmp_path):
    code, out, err = run(tmp_path / "gone.txt")
    assert (code, out) == (2, b"")
    assert err == f"claimx: {tmp_path / 'gone.txt'}: there is no such file\n"


def test_a_model_that_cannot_be_used_is_exit_code_2(run, articles, monkeypatch):
    def broken(*_: object) -> None:
        raise CheckpointError("the model is damaged")

    monkeypatch.setattr(command, "_load", broken)
    assert run(articles) == (2, b"", "claimx: the model is damaged\n")


def test_an_existing_folder_is_not_written_into(run, articles, tmp_path: Path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("x")
    code, _, err = run(articles, "--to", "brat", "-o", tmp_path / "taken")
    assert code == 2
    assert err.count("\n") == 1


def test_many_articles_keep_their_order_where_they_are_equally_sure(run, tmp_path):
    given: Sequence[dict[str, str]] = [{"id": f"a{n}", "text": "Rain" + n * "."} for n in range(40)]
    tasks = json.loads(run(write_lines(tmp_path / "in.jsonl", given))[1])
    assert [task["data"]["claimx"]["id"] for task in tasks] == [one["id"] for one in given]
