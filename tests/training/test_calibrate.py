"""Calibration: scores become probabilities, order and weights stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.decoding import calibrate
from claimx.extractor import Extractor
from claimx.torch_backend import torch_engine
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link
from tests.tiny import lexicon_checkpoint, random_model, wordpiece
from tests.training.small import ARTICLES, PIER, only, write_corpus
from training import calibrate as command
from training.calibrate import (
    calibrate_folder,
    fit_calibration,
    fit_persistence,
    fit_thresholds,
    read,
)
from training.config import Corpus

TEXT = "x" * 3_000


def article(*spans: AnnotatedSpan, links: tuple[Link, ...] = (), complete=("identity",)):
    return AnnotatedArticle("a", TEXT, spans, links, complete)


def span(number: int, score: float | None = None, label: str = "PERSON") -> AnnotatedSpan:
    return AnnotatedSpan(
        f"s{number}", "identity", label, 2 * number, 2 * number + 1, "x", {}, score
    )


def too_sure(count: int = 600, right: float = 0.5) -> tuple[AnnotatedArticle, AnnotatedArticle]:
    """Gold and predictions of a model whose high scores hold half of the time."""
    random = np.random.default_rng(0)
    scores = random.uniform(0.02, 0.98, count)
    exact = random.random(count) < right * scores
    return (
        article(*(span(n) for n in range(count) if exact[n])),
        article(*(span(n, float(score)) for n, score in enumerate(scores))),
    )


def test_scores_become_the_share_that_is_right():
    gold, guess = too_sure()
    line = fit_calibration([gold], [guess])["identity/PERSON"]
    right = {s.start for s in gold.spans}
    high = [s for s in guess.spans if s.score > 0.8]
    share = np.mean([s.start in right for s in high])
    assert np.mean([s.score for s in high]) > share + 0.3
    assert np.mean([calibrate(s.score, line) for s in high]) == pytest.approx(share, abs=0.08)


def test_calibration_keeps_the_order_of_scores():
    gold, guess = too_sure()
    line = fit_calibration([gold], [guess])["identity/PERSON"]
    assert line[0] > 0
    scores = [calibrate(raw, line) for raw in np.linspace(0, 1, 101)]
    assert scores == sorted(scores)
    assert scores[90] > scores[10]


def test_scores_that_say_nothing_or_the_contrary_are_left_alone():
    gold, guess = too_sure()
    turned = replace(guess, spans=tuple(replace(s, score=1 - s.score) for s in guess.spans))
    assert fit_calibration([gold], [turned]) == {}


def test_each_label_has_its_own_line_and_few_predictions_none():
    gold, guess = too_sure()
    extra = tuple(span(1_000 + n, 0.5, "ROLE") for n in range(10))
    lines = fit_calibration([gold], [replace(guess, spans=guess.spans + extra)])
    assert list(lines) == ["identity/PERSON"]


def test_layers_that_are_not_complete_teach_nothing():
    gold, guess = too_sure()
    assert fit_calibration([replace(gold, complete_layers=())], [guess]) == {}


def test_the_threshold_is_that_of_the_best_f1():
    heads = [span(n) for n in range(200)]
    right = tuple(Link("has_role", f"s{n}", f"s{n + 1}") for n in range(0, 80, 2))
    wrong = tuple(Link("has_role", f"s{n}", f"s{n + 3}", 0.5) for n in range(0, 80, 2))
    guessed = tuple(replace(link, score=0.7) for link in right) + wrong
    gold = article(*heads, links=right)
    best = fit_thresholds([gold], [article(*heads, links=guessed)], ["has_role", "affiliated_with"])
    assert set(best) == {"has_role"}
    assert 0.5 < best["has_role"] <= 0.7


def torn(copies: int) -> list[AnnotatedArticle]:
    """Persons of three words, of which a model that is unsure of the middle one finds two parts."""
    text = "ines the okafor of "
    gold = AnnotatedSpan("p", "identity", "PERSON", 0, 15, "ines the okafor")
    return [AnnotatedArticle(str(n), text, (gold,), (), ("identity",)) for n in range(copies)]


def test_a_price_of_ending_is_chosen_where_it_mends_torn_spans():
    lexicon = {
        "ines": "identity/B-PERSON",
        "the": "identity/I-PERSON",
        "okafor": "identity/I-PERSON",
    }
    checkpoint = lexicon_checkpoint(lexicon)
    weight = checkpoint.model.tag_heads["identity"].weight
    the = wordpiece().token_to_id("the")
    # O wins by a little over "goes on", which wins by far behind it.
    weight.data[2, the], weight.data[0, the] = 8.0, 5.0
    weight.data[1, wordpiece().token_to_id("okafor")] = 11.8
    whole = lexicon_checkpoint(lexicon)
    fitted = [
        fit_persistence(read(engine, torn(3)), engine.schema)
        for engine in (
            torch_engine(checkpoint, "cpu", "float32"),
            torch_engine(whole, "cpu", "float32"),
        )
    ]
    assert fitted[0].keys() == {"identity/PERSON"}
    assert fitted[1] == {}


def test_a_folder_is_calibrated_without_a_change_to_its_weights(tmp_path):
    folder = tmp_path / "model"
    save_checkpoint(folder, random_model(), wordpiece(), {"steps": 5})
    before = load_checkpoint(folder)
    dev = write_corpus(
        tmp_path / "dev.jsonl",
        [replace(a, id=f"{a.id}{n}", text=a.text) for n in range(12) for a in ARTICLES],
    )
    calibrate_folder(folder, [Corpus(str(dev))])
    after = load_checkpoint(folder)
    assert after.weights_hash == before.weights_hash
    assert after.training["steps"] == 5
    assert len(after.training["dev_fingerprints"]) == len(ARTICLES)
    assert after.model.config.name == before.model.config.name
    Extractor.from_pretrained(folder, device="cpu")(ARTICLES[0].text)


def test_calibrating_twice_gives_what_calibrating_once_gives(tmp_path):
    folder = tmp_path / "model"
    save_checkpoint(folder, random_model(), wordpiece(), {})
    dev = write_corpus(tmp_path / "dev.jsonl")
    calibrate_folder(folder, [Corpus(str(dev))])
    once = (folder / "config.json").read_text()
    calibrate_folder(folder, [Corpus(str(dev))])
    assert (folder / "config.json").read_text() == once


def test_what_the_files_say_too_little_about_keeps_its_line_and_price(tmp_path):
    folder = tmp_path / "model"
    lines = {"quantity/QUANTITY": [1.5, 0.25], "identity/PERSON": [2.0, 0.5]}
    prices = {"quantity/QUANTITY": 0.5, "identity/PERSON": 7.0}
    save_checkpoint(folder, random_model(calibration=lines, persistence=prices), wordpiece(), {})
    dev = write_corpus(tmp_path / "dev.jsonl", [only(PIER, "identity")])
    calibrate_folder(folder, [Corpus(str(dev))])
    config = load_checkpoint(folder).model.config
    # One article has too few predictions for a line of PERSON, but a price is fitted anew.
    assert config.calibration == lines
    assert config.persistence["quantity/QUANTITY"] == 0.5
    assert config.persistence.get("identity/PERSON") != 7.0


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert command.main([str(tmp_path), "dev.jsonl"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "no model folder" in error
