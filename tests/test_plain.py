"""Records that come from outside are held to their types, and errors say where they are not."""

from __future__ import annotations

import copy
import json
import re

import pytest

from claimx.errors import FormatError
from claimx.types import Extraction
from tests.schemas import RECORD, problems


def changed(record, path, value):
    """Return a copy with another value at a path."""
    record = copy.deepcopy(record)
    place = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return record


def test_a_record_comes_back_as_it_was_written(harbour):
    record = json.loads(harbour.to_json(with_text=True))
    assert Extraction.from_dict(record).to_dict(with_text=True) == record


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("id",), 7, "the record.id is 7, not a string"),
        (("quotes",), None, "the record.quotes is None, not a list"),
        (("quotes", 1), "said", "the record.quotes[1] is 'said', not an object"),
        (("quotes", 0, "kind"), [1], "quotes[0].kind is [1], not one of direct, indirect, mixed"),
        (("quotes", 0, "start"), True, "quotes[0].start is True, not a whole number"),
        (("quotes", 0, "start"), 1.0, "quotes[0].start is 1.0, not a whole number"),
        (("quotes", 0, "score"), "high", "quotes[0].score is 'high', not a number"),
        (("quotes", 0, "score"), float("nan"), "quotes[0].score is nan, not a number"),
        (("quotes", 0, "speaker", "persons"), ["p0", 1], "speaker.persons[1] is 1, not a string"),
        (("claims", 0, "quantity"), None, "claims[0].quantity is None, not an object"),
        (("claims", 0, "quantity", "value"), float("inf"), "quantity.value is inf, not a number"),
        (("claims", 0, "quantity", "value"), 10**400, "quantity.value is 1000"),
        (("claims", 0, "quantity", "value"), False, "quantity.value is False, not a number"),
        (("meta",), ["a"], "the record.meta is ['a'], not an object"),
        (("text",), 5, "the record.text is 5, not a string"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_named_with_its_place(harbour, path, value, words):
    record = changed(harbour.to_dict(with_text=True), path, value)
    with pytest.raises(FormatError, match=re.escape(words)):
        Extraction.from_dict(record)


def test_a_part_has_every_field_and_no_other(harbour):
    record = harbour.to_dict()
    del record["people"][0]["mentions"][0]["score"]
    with pytest.raises(FormatError, match=r"people\[0\]\.mentions\[0\] lacks 'score'"):
        Extraction.from_dict(record)
    record = changed(harbour.to_dict(), ("sources", 0, "colour"), "red")
    with pytest.raises(FormatError, match=r"sources\[0\] has 'colour', which is no field"):
        Extraction.from_dict(record)


@pytest.mark.parametrize("name", ["id", "text_sha256", "model", "quotes", "claims"])
def test_a_reading_without_one_of_its_parts_is_refused(harbour, name):
    record = harbour.to_dict()
    del record[name]
    with pytest.raises(FormatError, match=f"the record lacks '{name}'"):
        Extraction.from_dict(record)


def test_what_others_added_to_a_record_is_passed_over(harbour):
    record = harbour.to_dict()
    assert Extraction.from_dict({**record, "url": "https://example.org"}).to_dict() == record


def test_an_error_record_needs_nothing_but_its_error():
    record = {"schema": 1, "id": "a", "error": {"kind": "empty", "message": "no text"}}
    found = Extraction.from_dict(record)
    assert problems(RECORD, found.to_dict()) == []
    with pytest.raises(FormatError, match="the record.error is 'empty', not an object"):
        Extraction.from_dict({**record, "error": "empty"})


def test_a_long_value_is_not_quoted_whole(harbour):
    with pytest.raises(FormatError) as error:
        Extraction.from_dict({**harbour.to_dict(), "model": ["x" * 5000]})
    assert len(str(error.value)) < 200
