"""Whole runs: from annotated files to a model folder that finds what it was taught."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from claimx.checkpoint import load_checkpoint
from claimx.extractor import Extractor
from claimx.labels import DEFAULT_SCHEMA
from claimx.types import AnnotatedSpan, Article
from tests.tiny import wordpiece
from tests.training.small import (
    ARTICLES,
    PIER,
    encoder,
    small_config,
    write_corpus,
    write_yaml,
)
from tests.training.test_examples import long_article
from training import train as command
from training.config import Corpus, load_config
from training.data import load_articles, text_fingerprint
from training.objective import Objective, collate
from training.train import build_model, build_plan, run, start_tokenizer


@pytest.fixture(scope="module")
def learnt(tmp_path_factory) -> Path:
    """A model that has seen three articles a hundred times and more."""
    folder = tmp_path_factory.mktemp("learnt")
    return run(small_config(folder, passes=200.0, swap_marks=True), resume=False)


def annotated(extractor: Extractor, text: str):
    (article,) = extractor.annotate_many([Article("a", text)])
    return article


def test_a_run_teaches_its_spans_and_links_to_a_folder_that_loads(learnt):
    extractor = Extractor.from_pretrained(learnt, device="cpu")
    for gold in ARTICLES:
        found = annotated(extractor, gold.text)
        # The broad layer was taught by nobody.
        spans = [span for span in found.spans if span.layer in gold.complete_layers]
        assert {(s.layer, s.label, s.start, s.end) for s in spans} == {
            (s.layer, s.label, s.start, s.end) for s in gold.spans
        }
        assert min((span.score for span in spans), default=1.0) > 0.8
        place = {span.id: (span.label, span.start) for span in spans}
        wanted = {span.id: (span.label, span.start) for span in gold.spans}
        links = {
            (x.type, place[x.head], place[x.tail])
            for x in found.links
            if x.head in place and x.tail in place
        }
        assert links == {(x.type, wanted[x.head], wanted[x.tail]) for x in gold.links}


def test_a_run_lowers_the_loss_to_nearly_zero(learnt, tmp_path):
    config = small_config(tmp_path)
    plan, _ = build_plan(load_articles(config.corpora), wordpiece(), DEFAULT_SCHEMA, config)
    batch = collate(
        [plan.datasets[0][n] for n in range(3)],
        plan.special,
        build_model(config).config.label_schema,
    )
    with torch.no_grad():
        before = float(Objective(build_model(config), 0.5)(batch)["total"])
        after = float(Objective(load_checkpoint(learnt).model, 0.5)(batch)["total"])
    assert before > 4
    assert after < 0.1


def test_swapped_marks_are_learnt_along(learnt):
    text = PIER.text.replace("“", '"').replace("”", '"')
    found = annotated(Extractor.from_pretrained(learnt, device="cpu"), text)
    assert ("QUOTE", '"The pier will be shut,"') in {(s.label, s.text) for s in found.spans}


def test_the_folder_says_how_the_model_was_made(learnt):
    record = json.loads((learnt / "training.json").read_text())
    assert record["articles"] == 3
    assert record["fingerprints"] == sorted(text_fingerprint(a.text) for a in ARTICLES)
    assert record["alignment"] == {
        "spans": sum(len(article.spans) for article in ARTICLES), "snapped": 0, "dropped": 0,
    }  # fmt: skip
    assert record["versions"]["torch"].startswith(torch.__version__.split("+")[0])
    assert record["config"]["corpora"][0]["path"] == "corpus.jsonl"
    # Folders are those of one machine.
    assert str(learnt.parents[1]) not in json.dumps(record)


def test_the_resolved_config_trains_again(learnt):
    config = load_config(learnt.parent / "config.yaml")
    corpus = Corpus(str(learnt.parents[1] / "corpus.jsonl"), passes=200.0)
    assert config == small_config(learnt.parents[1], swap_marks=True, corpora=(corpus,))


def test_a_byte_level_encoder_trains_as_well(tmp_path):
    config = small_config(tmp_path, encoder=str(encoder("byte_level")), passes=150.0)
    extractor = Extractor.from_pretrained(run(config, resume=False), device="cpu")
    found = annotated(extractor, PIER.text)
    gold = {(span.label, span.start, span.end) for span in PIER.spans}
    assert gold <= {(span.label, span.start, span.end) for span in found.spans}


def test_a_run_goes_on_from_a_trained_model(learnt, tmp_path):
    config = small_config(tmp_path, init=str(learnt), encoder="", name="second", passes=2.0)
    first, second = load_checkpoint(learnt).model.state_dict(), build_model(config).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert start_tokenizer(config).to_str() == load_checkpoint(learnt).tokenizer.to_str()
    assert load_checkpoint(run(config, resume=False)).name.startswith("second 0 (")


def test_a_users_own_schema_trains(tmp_path):
    schema = {
        "layers": {"pets": ["CAT"]},
        "links": {"near": {"heads": ["CAT"], "tails": ["CAT"], "choose": "any"}},
    }
    text = "The cat saw the other cat and the dog."
    spans = tuple(
        AnnotatedSpan(f"c{n}", "pets", "CAT", start, start + 3, "cat")
        for n, start in enumerate((4, 22))
    )
    article = replace(PIER, id="cats", text=text, spans=spans, links=(), complete_layers=("pets",))
    path = write_corpus(tmp_path / "cats.jsonl", [article])
    config = small_config(
        tmp_path, corpora=(Corpus(str(path), passes=60.0),), schema=schema, step_tokens=30
    )
    found = annotated(Extractor.from_pretrained(run(config, resume=False), device="cpu"), text)
    assert [(span.label, span.start) for span in found.spans] == [("CAT", 4), ("CAT", 22)]


def test_a_new_layer_is_learnt_and_the_old_ones_are_kept(learnt, tmp_path):
    spans = (AnnotatedSpan("d", "time", "DATE", 1, 4, PIER.text[1:4]),)
    dated = replace(PIER, spans=spans, links=(), complete_layers=("time",))
    path = write_corpus(tmp_path / "dated.jsonl", [dated])
    config = small_config(
        tmp_path,
        corpora=(Corpus(str(path), passes=60.0),),
        step_tokens=40,
        init=str(learnt),
        teacher=str(learnt),
        new_labels={"time": ["DATE"]},
    )
    found = annotated(Extractor.from_pretrained(run(config, resume=False), device="cpu"), PIER.text)
    labels = {(s.layer, s.label, s.text) for s in found.spans if s.layer != "attribution_broad"}
    assert labels == {(s.layer, s.label, s.text) for s in (*PIER.spans, *spans)}
    assert {link.type for link in PIER.links} <= {link.type for link in found.links}


def test_labels_that_nobody_asked_for_stop_a_run(learnt, tmp_path, capsys):
    spans = (AnnotatedSpan("d", "time", "DATE", 1, 4, PIER.text[1:4]),)
    dated = replace(PIER, spans=spans, links=(), complete_layers=("time",))
    path = write_corpus(tmp_path / "dated.jsonl", [dated])
    message = failure(
        capsys, str(write_yaml(tmp_path, init=str(learnt), corpora=(Corpus(str(path)),)))
    )
    assert "time/DATE" in message
    assert "new_labels" in message


def test_dev_files_calibrate_the_finished_model(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(command, "calibrate_folder", lambda *given: seen.append(given))
    config = small_config(tmp_path, dev=(Corpus("dev.jsonl"),), passes=1.0)
    folder = run(config, resume=False)
    assert seen == [(folder, (Corpus("dev.jsonl"),))]


def test_test_files_are_reported_on_when_training_is_through(tmp_path, capsys):
    path = write_corpus(
        tmp_path / "test.jsonl", [replace(PIER, id="new", text=f"{PIER.text} Yes.")]
    )
    config = small_config(tmp_path, test=(str(path),), passes=1.0)
    run(config, resume=False)
    assert "QUOTE" in capsys.readouterr().out
    report = json.loads((tmp_path / "run" / "test.json").read_text())
    assert report["articles"] == ["new"]


# ---- the command --------------------------------------------------------------------------------


def failure(capsys, *arguments: str) -> str:
    """What the command says when it stops: one error, exit code 2, nothing on stdout."""
    assert command.main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.count("error: ") == 1
    return " ".join(captured.err[captured.err.index("error: ") :].split())


def test_the_command_prints_the_folder_of_the_model(tmp_path, capsys):
    path = write_yaml(tmp_path, passes=1.0)
    assert command.main([str(path), "--set", "name=other", "--set", "seed=3"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder == tmp_path / "run" / "model"
    assert load_checkpoint(folder).name.startswith("other 0 ")
    assert load_config(tmp_path / "run" / "config.yaml").seed == 3


@pytest.mark.parametrize(
    "arguments", [["--set", "sped=3"], ["--set", "seed"], ["--set", "seed=fast"]]
)
def test_the_command_names_a_setting_that_is_wrong(tmp_path, capsys, arguments):
    message = failure(capsys, str(write_yaml(tmp_path)), *arguments)
    assert arguments[1].split("=")[0] in message


def test_settings_behind_one_set_are_told_to_have_one_each(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main([str(write_yaml(tmp_path)), "--set", "seed=3", "name=other"])
    assert "--set stands before each KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(("rank", "local", "times"), [(0, 0, 1), (1, 1, 0), (2, 0, 1)])
def test_one_process_of_each_machine_says_what_is_wrong(
    tmp_path, capsys, monkeypatch, rank, local, times
):
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("LOCAL_RANK", str(local))
    assert command.main([str(tmp_path / "absent.yaml")]) == 2
    assert capsys.readouterr().err.count("error: ") == times


def test_a_label_that_the_model_has_already_is_named_with_its_layer(learnt, tmp_path, capsys):
    path = write_yaml(tmp_path, init=str(learnt), new_labels={"identity": ["ROLE"]})
    assert "ROLE is already in the layer identity" in failure(capsys, str(path))


def test_misspelt_complete_layers_are_warned_of(tmp_path, capsys):
    layers = ("atribution",)
    path = write_corpus(tmp_path / "a.jsonl", [replace(PIER, complete_layers=layers)])
    assert command.main([str(write_yaml(tmp_path, corpora=(Corpus(str(path)),)))]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "complete_layers names 'atribution', which the model lacks; did you mean" in told
    assert "complete_layers of no article names a layer" in told


def test_a_short_run_is_warned_of_before_it_begins(tmp_path, capsys):
    assert command.main([str(write_yaml(tmp_path, passes=1.0))]) == 0
    told = capsys.readouterr().err
    assert told.index("is too short; take 50") < told.index("step 1/")


def test_the_command_names_a_config_that_is_not_there(tmp_path, capsys):
    assert "absent.yaml" in failure(capsys, str(tmp_path / "absent.yaml"))


def test_the_command_names_file_line_and_text_of_a_broken_annotation(tmp_path, capsys):
    record = PIER.to_dict()
    record["spans"][0]["text"] = "something else"
    good = json.dumps(ARTICLES[1].to_dict())
    path = write_yaml(tmp_path)
    (tmp_path / "corpus.jsonl").write_text(f"{good}\n{json.dumps(record)}\n")
    message = failure(capsys, str(path))
    assert "corpus.jsonl:2" in message.replace(" ", "")
    assert "something else" in message


def test_the_command_names_the_span_that_a_strict_corpus_cannot_align(tmp_path, capsys):
    start = PIER.text.index("kafor")
    broken = AnnotatedSpan("z", "identity", "PERSON", start, start + 5, "kafor")
    spans = (*(span for span in PIER.spans if span.layer != "identity"), broken)
    links = tuple(x for x in PIER.links if x.type in ("said_by", "cued_by"))
    path = write_corpus(tmp_path / "broken.jsonl", [replace(PIER, spans=spans, links=links)])
    corpus = Corpus(str(path), align="strict")
    message = failure(capsys, str(write_yaml(tmp_path, corpora=(corpus,))))
    assert "'pier'" in message
    assert "'kafor'" in message


def test_the_command_names_an_encoder_that_is_not_there(tmp_path, capsys):
    message = failure(capsys, str(write_yaml(tmp_path, encoder=str(tmp_path / "no-encoder"))))
    assert "no-encoder" in message


def test_another_schema_than_that_of_the_first_model_is_refused(learnt, tmp_path, capsys):
    path = write_yaml(tmp_path, init=str(learnt), schema={"layers": {"pets": ["CAT"]}, "links": {}})
    assert "another label schema" in failure(capsys, str(path))


def test_a_window_that_the_encoder_cannot_read_is_refused_before_training(tmp_path, capsys):
    # The tiny encoder has 130 positions.
    path = write_corpus(tmp_path / "long.jsonl", [long_article(12)])
    config = write_yaml(
        tmp_path, corpora=(Corpus(str(path)),), window=400, overlap=64, example_tokens=800
    )
    assert "window" in failure(capsys, str(config))
