"""Columns for Hugging Face datasets: types that stay, a cache that works, refusals."""

from __future__ import annotations

import pickle

import pytest

from claimx.archive.schema import from_row
from claimx.checkpoint import save_checkpoint
from claimx.errors import CheckpointError, ConfigError
from claimx.extractor import Extractor
from claimx.integrations.datasets import ExtractColumns, extract_columns
from tests.tiny import lexicon_engine, random_model, wordpiece

datasets = pytest.importorskip("datasets")

STORY = "“It will be shut,” said Okafor, the minister. She told Ruiz about 40 percent of boats."
TEXTS = ["No.", "No.", STORY, "It is.", "Ruiz said “no”."]


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A model folder; whatever is loaded is the model with known answers."""
    save_checkpoint(tmp_path / "tiny", random_model(name="tiny"), wordpiece(), {})
    loaded = []

    def load(model, **options):
        loaded.append(model)
        return lexicon_engine()

    monkeypatch.setattr("claimx.extractor.open_engine", load)
    return tmp_path / "tiny", loaded


def extract(tiny, **options: object) -> ExtractColumns:
    return extract_columns(str(tiny[0]), device="cpu", **options)


def articles(texts=TEXTS):
    return datasets.Dataset.from_dict({"id": [f"a{n}" for n in range(len(texts))], "text": texts})


def test_the_columns_are_those_of_the_record(tiny):
    function, dataset = extract(tiny), articles()
    features = function.features(dataset.features)
    found = dataset.map(function, batched=True, batch_size=2, features=features)
    assert found.features == features
    expected = Extractor(lexicon_engine()).extract_many(TEXTS)
    for row, extraction in zip(found, expected, strict=True):
        record = from_row({**row, "schema": 1, "id": extraction.id, "meta": "{}", "text": None})
        assert record == extraction.to_dict()
    assert found["id"] == [f"a{n}" for n in range(len(TEXTS))]


def test_empty_lists_do_not_change_the_types(tiny):
    function = extract(tiny)
    nothing, all_kinds = articles(["No."] * 3), articles()
    features = function.features(nothing.features)
    made = [
        one.map(function, batched=True, batch_size=1, features=features, writer_batch_size=1)
        for one in (nothing, all_kinds)
    ]
    assert made[0].data.schema == made[1].data.schema
    assert len(datasets.concatenate_datasets(made)) == 3 + len(TEXTS)


def test_the_same_settings_are_found_in_the_cache_and_others_are_not(tiny):
    from datasets.fingerprint import Hasher

    before = Hasher.hash(extract(tiny))
    used = extract(tiny)
    used({"text": ["No."]})
    assert tiny[1], "the model was loaded"
    assert Hasher.hash(used) == before
    assert Hasher.hash(extract(tiny, min_score=0.5)) != before
    assert Hasher.hash(extract(tiny, prefix="x_")) != before
    save_checkpoint(tiny[0], random_model(name="tiny", seed=4), wordpiece(), {})
    assert Hasher.hash(extract(tiny)) != before


def test_what_is_sent_to_another_process_holds_no_model(tiny):
    function = extract(tiny)
    function({"text": [STORY]})
    sent = pickle.dumps(function)
    assert len(sent) < 2_000
    again = pickle.loads(sent)
    assert again({"text": [STORY]}) == function({"text": [STORY]})
    assert len(tiny[1]) == 2


def test_an_article_that_cannot_be_read_has_an_error_and_its_neighbours_do_not(tiny):
    function = extract(tiny, id="id")
    found = function({"id": ["a", "b"], "text": [None, STORY]})
    assert found["error"][0]["kind"] == "not_text"
    assert "'a'" in found["error"][0]["message"]
    assert found["quotes"][0] == [] and found["error"][1] is None and found["quotes"][1]


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({"body": ["No."]}, "no column 'text'; it has body"),
        ({"text": "No."}, "batched=True"),
        ({"text": ["No."], "quotes": [1], "error": [0]}, "has quotes, error already"),
    ],
)
def test_columns_that_do_not_fit_are_refused(tiny, batch, words):
    with pytest.raises(ConfigError, match=words):
        extract(tiny)(batch)


def test_a_prefix_keeps_columns_of_the_same_name(tiny):
    function = extract(tiny, prefix="claimx_")
    dataset = articles().add_column("quotes", list(range(len(TEXTS))))
    found = dataset.map(function, batched=True, features=function.features(dataset.features))
    assert found["quotes"] == list(range(len(TEXTS)))
    assert found[2]["claimx_quotes"][0]["text"] == "“It will be shut,”"
    with pytest.raises(ConfigError, match="quotes already"):
        extract(tiny).features(dataset.features)


def test_a_model_that_is_not_there_is_said_at_once():
    with pytest.raises(CheckpointError, match="no model 'absent'"):
        extract_columns("absent")
