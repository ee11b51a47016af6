"""The output record as a row with typed columns."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given, settings

from claimx.archive.schema import (
    COLUMNS,
    DEEPEST,
    from_row,
    plain,
    record_schema,
    to_line,
    to_row,
)
from claimx.errors import FormatError
from claimx.types import Claim, Failure, Person, Quantity, Quote, Source, Span, Speaker
from tests.archive.samples import failed, records

pa = pytest.importorskip("pyarrow")


def through_arrow(record):
    row = to_row(record)
    (back,) = pa.Table.from_pylist([row], schema=record_schema()).to_pylist()
    return from_row(back)


@settings(max_examples=40)
@given(records)
def test_every_record_comes_back_from_typed_columns(record):
    back = through_arrow(record)
    assert back == record
    assert json.dumps(back) == json.dumps(record)  # also the order of keys, and 40 is not 40.0


def test_the_schema_has_the_columns_of_the_record():
    assert tuple(record_schema().names) == COLUMNS


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (("quotes",), Quote),
        (("quotes", "speaker"), Speaker),
        (("quotes", "cue"), Span),
        (("quotes", "speaker", "roles"), Span),
        (("sources",), Source),
        (("people",), Person),
        (("people", "mentions"), Span),
        (("claims",), Claim),
        (("claims", "quantity"), Quantity),
        (("claims", "measured"), Span),
        (("error",), Failure),
    ],
)
def test_no_field_of_the_record_is_lost(place, kind):
    at = record_schema()
    for name in place:
        at = at.field(name).type
        at = at.value_type if pa.types.is_list(at) else at
    # pyarrow drops keys that a schema does not name without a word.
    assert [entry.name for entry in fields(kind)] == [
        at.field(number).name for number in range(at.num_fields)
    ]


def test_a_key_that_the_schema_does_not_know_is_refused(harbour):
    with pytest.raises(FormatError, match="unknown mood"):
        to_row({**harbour.to_dict(), "mood": "glum"})


def test_a_record_of_another_schema_is_refused(harbour):
    with pytest.raises(FormatError, match="schema 1: 2"):
        to_row({**harbour.to_dict(), "schema": 2})


def test_a_row_without_a_column_is_refused(harbour):
    row = to_row(harbour.to_dict())
    del row["claims"]
    with pytest.raises(FormatError, match=r"harbour.txt.*claims"):
        from_row(row)


def test_an_error_record_has_empty_lists_and_no_model():
    row = to_row(failed())
    assert [row[name] for name in ("model", "text_sha256", "attribution", "text")] == [None] * 4
    assert all(row[name] == [] for name in ("quotes", "claims", "notes"))
    assert from_row(row) == failed()


def test_scores_are_not_rounded_again(harbour):
    record = harbour.to_dict()
    record["quotes"][0]["score"] = 0.123456
    assert through_arrow(record)["quotes"][0]["score"] == 0.123456


def test_whole_numbers_beyond_doubles_become_the_nearest(harbour):
    record = harbour.to_dict()
    record["claims"][0]["quantity"]["value"] = 2**53 + 1
    assert through_arrow(record)["claims"][0]["quantity"]["value"] == 2**53


def test_meta_is_readable_json(harbour):
    record = {**harbour.to_dict(), "meta": {"city": "Málaga", "pages": [1, 2]}}
    assert to_row(record)["meta"] == '{"city":"Málaga","pages":[1,2]}'


# ---- what JSON and UTF-8 cannot carry ---------------------------------------------------------


def test_lone_surrogates_outside_the_text_are_replaced_and_noted(harbour):
    record = {**harbour.to_dict(), "id": "a\udc80", "meta": {"k\ud800": ["\udfff", "fine"]}}
    with pytest.raises(UnicodeEncodeError):
        to_line(record)
    cleaned = plain(record)
    assert (cleaned["id"], cleaned["meta"]) == ("a�", {"k�": ["�", "fine"]})
    assert cleaned["notes"][-1] == "id or meta: lone surrogates written as U+FFFD (3)"
    to_line(cleaned)


@pytest.mark.parametrize(
    ("value", "written", "note"),
    [
        (float("nan"), None, "not finite"),
        (float("-inf"), None, "not finite"),
        (b"raw", "b'raw'", "does not have"),
        ({1: "a", False: "b"}, {"1": "a", "false": "b"}, None),
        ({None: (1, 2), (1, 2): 3}, {"null": [1, 2], "(1, 2)": 3}, None),
    ],
)
def test_meta_that_json_does_not_have_is_written_all_the_same(harbour, value, written, note):
    cleaned = plain({**harbour.to_dict(), "meta": {"key": value}})
    assert cleaned["meta"] == {"key": written}
    assert len(cleaned["notes"]) == 1 + (note is not None)
    assert note is None or note in cleaned["notes"][-1]
    to_line(cleaned)


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


def test_meta_is_left_out_where_it_is_nested_too_deeply(harbour):
    record = {**harbour.to_dict(), "meta": nested(DEEPEST + 1)}
    with pytest.raises(RecursionError):
        to_line(record)
    assert plain(record)["meta"] == {}
    assert "nested too deeply" in plain(record)["notes"][-1]
    assert b'"in"' in to_line({**record, "meta": nested(DEEPEST)})


@pytest.mark.parametrize("levels", [500, 20_000])
def test_endless_meta_breaks_nothing(levels):
    cleaned = plain({**failed(), "meta": nested(levels)})
    assert cleaned == {**failed(), "meta": {}}


def test_meta_that_holds_itself_breaks_nothing(harbour):
    meta = {}
    meta["self"] = meta
    assert plain({**harbour.to_dict(), "meta": meta})["meta"] == {}
