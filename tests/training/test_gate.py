"""The floors that a shipped model must keep."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from claimx.errors import ConfigError
from tests.training.test_evaluate import FERRY, TRAM, Parrot
from training import gate

CUE, QUOTE = "spans.attribution.CUE.exact", "spans.attribution.QUOTE.exact"


def test_every_label_and_the_end_to_end_figures_are_measured_in_percent():
    figures = gate.measure(Parrot(FERRY, TRAM, without="CUE"), [FERRY, TRAM])

    assert figures[CUE] == 0
    assert figures[QUOTE] == 100
    assert figures["quote_speaker.attribution.overlap"] == 100
    assert figures["quantities.all.value_and_unit"] == 100
    assert not [name for name in figures if ".all.exact" in name or name.endswith("overlap.exact")]


def test_a_model_that_was_trained_on_its_test_is_refused():
    with pytest.raises(ConfigError, match="trained on 1 of the articles"):
        gate.measure(Parrot(FERRY, TRAM, trained_on=TRAM.text), [FERRY, TRAM])


def test_what_keeps_its_floor_passes_and_what_falls_is_named():
    assert gate.failures({CUE: 80.0, QUOTE: 70.0}, {CUE: 80.0, QUOTE: 69.5}) == []

    [sentence] = gate.failures({CUE: 79.96, QUOTE: 70.0}, {CUE: 80.0, QUOTE: 69.5})

    assert sentence == f"{CUE}: 79.96 is below its floor, 80."


def test_a_label_without_a_floor_and_a_floor_without_a_label_fail():
    missing, stale = gate.failures({CUE: 80.0}, {QUOTE: 70.0})

    assert missing.startswith(f"{CUE}: there is no floor")
    assert stale.startswith(f"{QUOTE}: nothing in the test articles")


def test_a_label_that_the_model_lacks_is_named_as_such():
    figures = {CUE: 0.0, QUOTE: 70.0, "quantities.all.value": 50.0}

    absent = gate.absent_labels(figures, [("attribution", "QUOTE"), ("broad", "CUE")])

    assert absent == [CUE]
    assert gate.failures(figures, {**figures, CUE: 0.0}, absent) == [
        f"{CUE}: the model has no such label."
    ]


def test_proposed_floors_can_be_read_and_are_kept(tmp_path):
    figures = {CUE: 80.3, QUOTE: 1.0}
    path = tmp_path / "floors.yaml"
    path.write_text(gate.propose(figures))

    assert gate.read_floors(path) == {CUE: 78.0, QUOTE: 0.0}
    assert "lowered only on purpose" in path.read_text()
    assert gate.failures(figures, gate.read_floors(path)) == []


@pytest.mark.parametrize("text", ["", "a: yes\n", "a: 101\n", "a: [1]\n", "a: {\n"])
def test_floors_that_are_no_percentages_are_one_sentence_and_exit_code_2(tmp_path, capsys, text):
    path = tmp_path / "floors.yaml"
    path.write_text(text)

    assert gate.main(["--floors", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}")


def test_the_floors_of_the_repository_name_every_label_of_its_test_articles():
    floors = gate.read_floors(gate.FLOORS)
    labels = {
        f"spans.{span.layer}.{span.label}.exact"
        for gold in gate.read_gold([gate.ARTICLES])
        for span in gold.spans
    }

    assert labels == {name for name in floors if name.startswith("spans.")}
    assert yaml.safe_load(gate.FLOORS.read_text()) == floors


def test_silence_in_a_layer_that_is_not_complete_is_no_figure():
    figures = gate.measure(Parrot(FERRY), [replace(FERRY, complete_layers=("identity",))])

    assert {name for name in figures if name.startswith("spans.")} == {
        "spans.identity.PERSON.exact"
    }
