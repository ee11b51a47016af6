"""Schemas: data that numbers the model's outputs."""

from __future__ import annotations

import json

import pytest

from claimx.errors import ConfigError
from claimx.labels import DEFAULT_SCHEMA, LabelSchema


def test_order_of_layers_and_links_survives_a_config_with_sorted_keys():
    # transformers sorts the keys of config.json; the order of link types numbers the outputs.
    stored = json.loads(json.dumps(DEFAULT_SCHEMA.to_dict(), sort_keys=True))
    assert LabelSchema.from_dict(stored) == DEFAULT_SCHEMA


def test_a_users_schema_may_be_written_by_name():
    schema = LabelSchema.from_dict(
        {
            "layers": {"time": ["DATE"], "event": ["EVENT"]},
            "links": {"happened_on": {"heads": ["EVENT"], "tails": ["DATE"]}},
        }
    )
    assert schema.layer("time").tags == ("O", "B-DATE", "I-DATE")
    assert schema.links[0].choose == "one"


def test_links_within_one_layer_do_not_cross_to_another_scope():
    said_by = DEFAULT_SCHEMA.links[0]
    quote, speaker = ("attribution", "QUOTE"), ("attribution", "SPEAKER")
    assert DEFAULT_SCHEMA.allows(said_by, quote, speaker)
    assert not DEFAULT_SCHEMA.allows(said_by, quote, ("attribution_broad", "SPEAKER"))


@pytest.mark.parametrize(
    "raw",
    [
        {"layers": {"a": ["X"]}, "colour": 1},
        {"layers": {"a": ["X", "X"]}},
        {"layers": {"a": ["X"]}, "links": {"l": {"heads": ["Y"], "tails": ["X"]}}},
        {"layers": {"a": ["X"]}, "links": {"l": {"heads": ["X"], "tails": ["X"], "reech": 3}}},
    ],
)
def test_mistakes_in_a_schema_are_errors(raw):
    with pytest.raises(ConfigError):
        LabelSchema.from_dict(raw)


@pytest.mark.parametrize(
    "raw",
    [
        {"layers": {"pets": 7}},
        {"layers": {"pets": "CAT"}},
        {"layers": [{"labels": ["CAT"]}]},
        {"layers": ["pets"]},
        {"layers": {"pets": ["CAT"]}, "links": {"near": 3}},
        {"layers": {"pets": ["CAT"]}, "links": {"near": {"heads": "CAT", "tails": ["CAT"]}}},
    ],
)
def test_a_schema_of_another_form_is_one_sentence(raw):
    with pytest.raises(ConfigError, match="cannot be read|unknown keys"):
        LabelSchema.from_dict(raw)


@pytest.mark.parametrize("reach", [-1, 2**63, 1.5, True, "40"])
def test_a_reach_that_is_no_number_of_tokens_is_refused(reach):
    schema = DEFAULT_SCHEMA.to_dict()
    schema["links"][0]["reach"] = reach
    with pytest.raises(ConfigError, match="`reach` is a number of tokens"):
        LabelSchema.from_dict(schema)
