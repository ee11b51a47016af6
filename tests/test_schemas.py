"""The published JSON Schemas say what claimx writes: every field of the types, and no other."""

from __future__ import annotations

import copy
import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from claimx import Article, Extractor, types
from claimx.formats.checks import CHANGES, KINDS, MODIFIERS
from claimx.formats.native import read_native
from tests.formats.samples import articles
from tests.schemas import ANNOTATION, RECORD, problems, schema

ROOT = Path(__file__).resolve().parents[1]
STORIES = sorted((ROOT / "examples").glob("*.txt"))
MODELS = (ROOT / "claimx/models/claimx-en", *sorted((ROOT / "models").glob("*/claimx_model_*")))


def part(name: str, definition: str) -> dict[str, Any]:
    return schema(name)["$defs"][definition]


def names(kind: type) -> set[str]:
    return {entry.name for entry in fields(kind)}


@pytest.mark.parametrize("name", [RECORD, ANNOTATION])
def test_a_schema_is_one_by_draft_2020_12(name):
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        ("span", types.Span), ("quote", types.Quote), ("speaker", types.Speaker),
        ("source", types.Source), ("person", types.Person), ("claim", types.Claim),
        ("quantity", types.Quantity), ("failure", types.Failure),
    ],
)  # fmt: skip
def test_every_part_of_a_record_has_the_fields_of_its_type(definition, kind):
    known = part(RECORD, definition)
    assert set(known["properties"]) == set(known["required"]) == names(kind)


def test_a_record_has_the_fields_of_an_extraction():
    assert set(part(RECORD, "reading")["properties"]) == names(types.Extraction) - {"error"} | {
        "schema"
    }
    assert set(part(RECORD, "failed")["properties"]) == {"schema", "id", "error", "meta"}
    assert part(RECORD, "reading")["properties"]["schema"]["const"] == types.SCHEMA_VERSION


def test_an_annotation_has_the_fields_of_its_types():
    assert set(schema(ANNOTATION)["properties"]) == names(types.AnnotatedArticle)
    assert set(part(ANNOTATION, "span")["properties"]) == names(types.AnnotatedSpan)
    assert set(part(ANNOTATION, "link")["properties"]) == names(types.Link)


def test_the_words_that_a_field_may_hold_are_those_of_the_code():
    quantity = part(RECORD, "quantity")["properties"]
    assert quantity["kind"]["enum"] == [*KINDS, None]
    assert quantity["modifier"]["enum"] == list(MODIFIERS)
    assert quantity["change"]["enum"] == list(CHANGES)
    assert part(RECORD, "quote")["properties"]["kind"]["enum"] == list(get_args(types.QuoteKind))
    assert part(RECORD, "source")["properties"]["kind"]["enum"] == list(get_args(types.SourceKind))


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("attribution", ["reported", "broad"])
def test_what_a_model_writes_keeps_to_the_schema(folder, attribution):
    extractor = Extractor.from_pretrained(
        folder, backend="torch", device="cpu", attribution=attribution
    )
    given = [Article(path.name, path.read_text(encoding="utf-8")) for path in STORIES]
    found = extractor.extract_many([*given, Article("none", ""), None])
    records = [one.to_dict(with_text=number % 2 == 0) for number, one in enumerate(found)]
    assert {"error" in record for record in records} == {True, False}
    assert records[0]["quotes"] and records[0]["claims"]
    for record in records:
        assert problems(RECORD, json.loads(json.dumps(record, allow_nan=False))) == []


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_our_annotations_keep_to_the_schema(split):
    for article in read_native(ROOT / "data" / "annotations" / f"{split}.jsonl"):
        assert problems(ANNOTATION, article.to_dict()) == []


@given(articles(scores=True))
@settings(max_examples=50)
def test_any_annotation_keeps_to_the_schema(article):
    assert problems(ANNOTATION, article.to_dict()) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2), (("text_sha256",), "abc"), (("attribution",), "attribution"),
        (("colour",), "red"), (("quotes", 0, "kind"), "said"), (("quotes", 0, "score"), 1.5),
        (("quotes", 0, "start"), -1), (("quotes", 0, "speaker", "source"), "p0"),
        (("claims", 0, "quantity", "value"), "40"), (("claims", 0, "id"), None),
        (("error",), {"kind": "too_large", "message": "no record has both"}),
    ],
)  # fmt: skip
def test_a_wrong_record_is_told(harbour, path, value):
    record = copy.deepcopy(harbour.to_dict())
    assert problems(RECORD, record) == []
    place: Any = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert problems(RECORD, record)
