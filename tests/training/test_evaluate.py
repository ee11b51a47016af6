"""The plumbing of an evaluation, with a stand-in for the model."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claimx.checkpoint import save_checkpoint
from claimx.errors import AnnotationError
from claimx.types import AnnotatedArticle, Article, Link
from tests.annotating import annotate, kind_by_first_mark
from tests.tiny import random_model, wordpiece
from training import evaluate as command
from training.calibrate import calibrate_folder
from training.config import Corpus
from training.data import text_fingerprint
from training.report import Table, confusion, print_tables
from training.spans_metric import ClaimxSpans, exact_span_f1

FERRY = replace(
    annotate(
        "The ferry was late by 20 minutes, Tove Aas said.",
        [
            ("q", "QUOTE", "The ferry was late by 20 minutes"),
            ("s", "SPEAKER", "Tove Aas"),
            ("c", "CUE", "said"),
            ("p", "PERSON", "Tove Aas"),
            ("v", "QUANTITY", "20 minutes", 0, {"value": 20, "unit": "minute"}),
        ],
        [("said_by", "q", "s"), ("cued_by", "q", "c"), ("refers_to", "s", "p")],
    ),
    id="ferry",
)
TRAM = replace(
    annotate(
        "The tram is new, he said.",
        [("q", "QUOTE", "The tram is new"), ("s", "SPEAKER", "he", 1), ("c", "CUE", "said")],
        [("said_by", "q", "s")],
        ["attribution"],
    ),
    id="tram",
)


class Parrot:
    """Answers with the gold annotation, but for the labels that it leaves out."""

    model_name = "parrot"

    def __init__(self, *golds: AnnotatedArticle, without: str = "", trained_on: str = "") -> None:
        self.golds = {gold.id: gold for gold in golds}
        self.without = without
        self.training_fingerprints = frozenset({text_fingerprint(trained_on)})

    def annotate_many(self, articles: Sequence[Article]) -> list[AnnotatedArticle]:
        return [self._answer(self.golds[article.id]) for article in articles]

    def _answer(self, gold: AnnotatedArticle) -> AnnotatedArticle:
        spans = tuple(
            replace(span, id="x" + span.id, score=0.5)
            for span in gold.spans
            if span.label != self.without
        )
        ids = {span.id for span in spans}
        links = (Link(link.type, "x" + link.head, "x" + link.tail) for link in gold.links)
        kept = tuple(link for link in links if {link.head, link.tail} <= ids)
        return replace(gold, spans=spans, links=kept, complete_layers=())

    def link_many(self, golds: Sequence[AnnotatedArticle]) -> list[AnnotatedArticle]:
        return list(golds)


def run(model: Parrot, *golds: AnnotatedArticle) -> dict[str, Any]:
    return command.evaluate(
        model,
        golds,
        resamples=20,
        quote_kind=kind_by_first_mark,
        canonical_unit=lambda name: name,
    ).report


def leaves(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        return [leaf for key, value in tree.items() for leaf in leaves(value, f"{path}/{key}")]
    return [(path, tree)]


def write(path: Path, *articles: AnnotatedArticle) -> Path:
    lines = "".join(json.dumps(article.to_dict()) + "\n" for article in articles)
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.write(lines)
    return path


def test_a_perfect_model_scores_one_everywhere():
    figures = run(Parrot(FERRY, TRAM), FERRY, TRAM)["figures"]

    shares = [value for path, value in leaves(figures) if path.endswith(("/f1", "/accuracy"))]
    assert len(shares) > 20
    assert set(shares) == {1.0}


def test_what_the_model_misses_shows_in_spans_links_and_speakers():
    figures = run(Parrot(FERRY, without="SPEAKER"), FERRY)["figures"]

    assert figures["spans"]["attribution"]["SPEAKER"]["exact"]["recall"] == 0
    assert figures["links_exact"]["said_by"]["attribution"]["f1"] == 0
    assert figures["links_given_gold"]["said_by"]["attribution"]["f1"] == 1
    assert figures["quote_speaker"]["attribution"]["overlap"]["f1"] == 0
    assert figures["links_exact"]["cued_by"]["attribution"]["f1"] == 1


def test_the_report_is_plain_json():
    report = run(Parrot(FERRY, TRAM), FERRY, TRAM)

    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_articles_of_the_training_data_are_reported_apart(capsys, tmp_path):
    report = run(Parrot(FERRY, TRAM, trained_on=TRAM.text), FERRY, TRAM)

    assert report["articles"] == ["ferry"]
    assert report["seen_in_training"]["articles"] == ["tram"]
    assert report["figures"]["spans"]["attribution"]["QUOTE"]["exact"]["gold"] == 1

    command.publish(report, tmp_path / "report.json")
    assert "trained on 1 of these articles" in capsys.readouterr().err
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_articles_that_the_scores_were_fitted_on_are_said(tmp_path, capsys):
    model = tmp_path / "model"
    save_checkpoint(model, random_model(), wordpiece(), {"fingerprints": []})
    gold = write(tmp_path / "gold.jsonl", FERRY, TRAM)
    write(tmp_path / "dev.jsonl", FERRY)
    assert command.main([str(model), str(gold), "--resamples", "20"]) == 0
    assert "fitted on" not in capsys.readouterr().err
    calibrate_folder(model, [Corpus(str(tmp_path / "dev.jsonl"))])
    assert command.main([str(model), str(gold), "--resamples", "20"]) == 0
    assert "fitted on 1 of these articles (its `dev`)" in capsys.readouterr().err


def test_a_model_that_saw_everything_gets_no_figures_of_its_own(capsys):
    report = run(Parrot(TRAM, trained_on=TRAM.text), TRAM)

    assert report["figures"] == {}
    command.publish(report)
    assert "0 articles that the model was not trained on" in capsys.readouterr().out


def test_nothing_is_warned_of_when_nothing_was_seen(capsys):
    report = run(Parrot(FERRY), FERRY)

    assert report["seen_in_training"] is None
    command.publish(report)
    assert capsys.readouterr().err == ""


def test_the_printed_tables_show_the_figures(capsys):
    command.publish(run(Parrot(FERRY, without="CUE"), FERRY))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [
        "attribution",
        "QUOTE",
        *["100.0"] * 3,
        "100.0-100.0",
        *["100.0"] * 3,
        "1",
        "1",
    ] in lines
    assert ["attribution", "CUE", *["0.0"] * 3, "0.0-0.0", *["0.0"] * 3, "1", "0"] in lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_tables_are_aligned():
    table = Table("Title", ("name", "label", "gold"), (("x", "QUOTE", "5"),))
    pipe = io.StringIO()

    print_tables([table], pipe)

    assert pipe.getvalue() == "Title\n  name  label  gold\n  x     QUOTE     5\n\n"


def test_on_a_narrow_terminal_nothing_is_cut_and_brackets_are_no_markup(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    cells = ("[b]x[/b]", "AFFILIATION", *["100.0"] * 9)
    terminal = Terminal()

    print_tables([Table("Title", cells, (cells,))], terminal)

    assert "[b]x[/b]" in terminal.getvalue()
    assert terminal.getvalue().count("100.0") == 18


def test_one_article_in_two_files_is_scored_once_with_both_its_layers(tmp_path):
    attribution = replace(
        FERRY,
        spans=FERRY.spans[:3],
        links=FERRY.links[:2],
        complete_layers=("attribution",),
    )
    identity = replace(FERRY, spans=FERRY.spans[3:4], links=(), complete_layers=("identity",))
    paths = [
        write(tmp_path / "one.jsonl", attribution),
        write(tmp_path / "two.jsonl.gz", identity),
    ]

    [gold] = command.read_gold(paths)

    assert gold.complete_layers == ("attribution", "identity")
    assert len(gold.spans) == 4


def test_one_layer_of_attribution_can_be_scored_alone(tmp_path):
    both = replace(FERRY, complete_layers=("attribution", "attribution_broad", "identity"))
    path = write(tmp_path / "gold.jsonl", both)

    [gold] = command.read_gold([path], attribution_layers=["attribution_broad"])

    assert gold.complete_layers == ("attribution_broad", "identity")


def test_the_limit_takes_the_first_articles(tmp_path):
    path = write(tmp_path / "gold.jsonl", FERRY, TRAM)

    assert [gold.id for gold in command.read_gold([path], limit=1)] == ["ferry"]


def test_data_without_a_complete_layer_is_refused(tmp_path):
    path = write(tmp_path / "gold.jsonl", replace(FERRY, complete_layers=()))

    with pytest.raises(AnnotationError, match="nothing to score"):
        command.read_gold([path])


def test_a_missing_file_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    assert command.main(["model", str(tmp_path / "absent.jsonl")]) == 2

    error = capsys.readouterr().err
    assert "absent.jsonl" in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_word_confusion_counts_words_by_gold_and_predicted_label():
    predicted = annotate(TRAM.text, [("1", "QUOTE", "tram is new"), ("2", "SPEAKER", "said")])

    table = confusion([(TRAM, predicted)])["attribution"]

    # The tram is new , he said .
    assert table["labels"] == ["O", "CUE", "QUOTE", "SPEAKER"]
    assert table["matrix"] == [[2, 0, 0, 0], [0, 0, 0, 1], [1, 0, 3, 0], [1, 0, 0, 0]]


def test_the_evaluate_metric_agrees_with_the_counts():
    golds = [FERRY, TRAM]
    model = Parrot(*golds, without="CUE")
    predicted = model.annotate_many([Article(gold.id, gold.text) for gold in golds])

    result = exact_span_f1(zip(golds, predicted, strict=True))

    assert (result["gold"], result["predicted"]) == (8, 6)
    assert (result["precision"], result["recall"]) == (1.0, 0.75)


def test_the_evaluate_metric_takes_batches_and_articles_without_spans(tmp_path):
    metric = ClaimxSpans(cache_dir=str(tmp_path), keep_in_memory=True)
    span = {"layer": "x", "label": "Y", "start": 0, "end": 4}

    metric.add_batch(predictions=[[span], []], references=[[span], [span]])
    metric.add_batch(predictions=[[]], references=[[]])

    assert metric.compute()["f1"] == pytest.approx(2 / 3)


def test_a_baseline_reads_the_same_articles_and_the_difference_is_printed(capsys):
    report = command.evaluate(
        Parrot(FERRY, TRAM),
        [FERRY, TRAM],
        resamples=20,
        quote_kind=kind_by_first_mark,
        canonical_unit=lambda name: name,
        baseline=Parrot(FERRY, TRAM, without="CUE"),
    ).report

    assert report["differences"]["spans.attribution.CUE.exact"] == {
        "f1": 1.0, "baseline_f1": 0.0, "difference": 1.0, "difference_interval": [1.0, 1.0],
    }  # fmt: skip
    assert report["differences"]["spans.attribution.QUOTE.exact"]["difference"] == 0

    command.publish(report)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["spans.attribution.CUE.exact", *"* 0.0 100.0 +100.0 +100.0 to +100.0".split()] in lines


def test_articles_that_the_baseline_was_trained_on_are_not_compared():
    report = command.evaluate(
        Parrot(FERRY, TRAM),
        [FERRY, TRAM],
        resamples=20,
        quote_kind=kind_by_first_mark,
        canonical_unit=lambda name: name,
        baseline=Parrot(FERRY, TRAM, trained_on=FERRY.text),
    ).report

    assert report["articles"] == ["tram"]
    assert report["seen_in_training"]["articles"] == ["ferry"]


def test_the_tables_hold_every_target(capsys):
    gold = replace(TRAM, complete_layers=("attribution", "identity"))
    command.publish(run(Parrot(FERRY, gold), FERRY, gold))

    printed = capsys.readouterr().out
    for name in ("if perfect", "nameless speaker -> person or nobody", 'always "nobody"'):
        assert name in printed


def test_the_report_lists_the_errors_by_class(capsys):
    report = run(Parrot(FERRY, without="CUE"), FERRY)

    missed = next(one for one in report["errors"] if one["label"] == "CUE")
    assert (missed["kind"], missed["count"]) == ("missed", 1)
    assert missed["gains"] == {"attribution.CUE": 100.0}
    [error] = missed["errors"]
    assert error["gold"][0]["text"] == "said"

    command.publish(report)
    assert ["attribution", "CUE", "missed", "1", "attribution.CUE", "+100.0"] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]


def test_page_and_report_are_written_whole(tmp_path, monkeypatch):
    old = Parrot(FERRY, TRAM, without="CUE")
    models = {"new": Parrot(FERRY, TRAM), "old": old}
    monkeypatch.setattr(
        "claimx.extractor.Extractor.from_pretrained", lambda name, **_: models[name]
    )
    monkeypatch.setattr(command, "fitted_on", lambda name, golds: [])
    gold = write(tmp_path / "gold.jsonl", FERRY, TRAM)
    files = {name: tmp_path / name for name in ("report.html", "report.json")}

    code = command.main(
        ["new", str(gold), "--baseline", "old", "--resamples", "20",
         "--html", str(files["report.html"]), "--json", str(files["report.json"])]
    )  # fmt: skip

    assert code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"gold.jsonl", *files}
    # The cues that the baseline misses, each with its link to the quote.
    assert json.loads(files["report.json"].read_text())["sentences"]["better"] == 2
    assert "no longer" in files["report.html"].read_text()
