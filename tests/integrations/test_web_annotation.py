"""Web Annotations: the rules of the W3C data model, places, links, and what names an article."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from claimx.errors import InputError
from claimx.extractor import Extractor
from claimx.integrations.web_annotation import annotation_collection, source_of
from claimx.types import Article, Extraction, Failure
from tests.tiny import random_checkpoint

MOTIVATIONS = frozenset(
    "assessing bookmarking classifying commenting describing editing highlighting identifying "
    "linking moderating questioning replying tagging".split()
)
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


# ---- the rules of https://www.w3.org/TR/annotation-model/ ---------------------------------------


def broken_rules(collection: dict[str, Any]) -> Iterator[str]:
    """Name what a collection breaks of sections 3.1, 3.2, 3.3.5, 4, 4.2.4, 4.2.5, 5.1 and 5.2."""
    if collection["@context"] != "http://www.w3.org/ns/anno.jsonld":
        yield "context"
    if collection["type"] != "AnnotationCollection" or not IRI.fullmatch(collection["id"]):
        yield "collection"
    if not isinstance(collection["label"], str) or type(collection["total"]) is not int:
        yield "label or total"
    page = collection.get("first")
    if (page is None) != (collection["total"] == 0):
        yield "first page"
    if page is None:
        return
    if "@context" in page or page["type"] != "AnnotationPage" or not IRI.fullmatch(page["id"]):
        yield "page"
    if page["partOf"] != collection["id"] or page["startIndex"] != 0 or not page["items"]:
        yield "page in its collection"
    if len(page["items"]) != collection["total"] or collection["last"] != page["id"]:
        yield "items"
    ids = [item["id"] for item in page["items"]]
    if len(set(ids)) != len(ids):
        yield "two annotations of one id"
    for item in page["items"]:
        yield from broken_in_annotation(item, set(ids))


def broken_in_annotation(item: dict[str, Any], ids: set[str]) -> Iterator[str]:
    if not IRI.fullmatch(item["id"]) or item["type"] != "Annotation":
        yield "annotation"
    if item["motivation"] not in MOTIVATIONS:
        yield "motivation"
    if item["creator"]["type"] != "Software" or not item["creator"]["name"]:
        yield "creator"
    if not item["body"] or "bodyValue" in item:
        yield "body"
    yield from broken_in_bodies(item["body"], ids)
    if isinstance(item["target"], str):
        if item["target"] not in ids:
            yield "target that is an annotation"
    else:
        yield from broken_in_target(item["target"])


def broken_in_bodies(bodies: list[dict[str, Any]], ids: set[str]) -> Iterator[str]:
    for body in bodies:
        if body["purpose"] not in MOTIVATIONS:
            yield "purpose"
        if body["type"] == "TextualBody":
            if not isinstance(body["value"], str) or not re.fullmatch(r"\w+/\w+", body["format"]):
                yield "textual body"
        elif body["type"] != "SpecificResource" or body["source"] not in ids:
            yield "body that is a resource"


def broken_in_target(target: dict[str, Any]) -> Iterator[str]:
    if target["type"] != "SpecificResource" or not IRI.fullmatch(target["source"]):
        yield "target"
    for selector in target["selector"]:
        if selector["type"] == "TextQuoteSelector":
            if any(not isinstance(selector[key], str) for key in ("exact", "prefix", "suffix")):
                yield "text quote selector"
        elif selector["type"] == "TextPositionSelector":
            if any(type(selector[key]) is not int or selector[key] < 0 for key in ("start", "end")):
                yield "text position selector"
        else:
            yield "selector"


# ---- reading them back --------------------------------------------------------------------------


def items(collection: dict[str, Any]) -> list[dict[str, Any]]:
    return collection["first"]["items"]


def tags(item: dict[str, Any]) -> list[str]:
    return [body["value"] for body in item["body"] if body["purpose"] == "tagging"]


def exact(item: dict[str, Any]) -> str:
    return item["target"]["selector"][0]["exact"]


def facts(item: dict[str, Any]) -> dict[str, Any]:
    (found,) = [body for body in item["body"] if body.get("format") == "application/json"]
    return json.loads(found["value"])


def links(collection: dict[str, Any]) -> set[tuple[str, str, str]]:
    by_id = {item["id"]: item for item in items(collection)}
    return {
        (body["value"], exact(by_id[item["target"]]), exact(by_id[other["source"]]))
        for item in items(collection)
        if item["motivation"] == "linking"
        for body, other in [item["body"]]
    }


def test_a_record_keeps_every_rule_of_the_model(harbour):
    assert list(broken_rules(annotation_collection(harbour))) == []


def test_any_text_keeps_every_rule_and_every_place():
    extractor = Extractor.from_checkpoint(random_checkpoint(), device="cpu")
    texts = ["", "No.", "😀 “e\u0301 said Ruiz 👩\u200d🚀 40 percent”\r\n\r\n\ud800 said " * 5]
    found = [extractor(Article("https://example.org/ü?a=b c", text)) for text in texts]
    assert found[2].quotes or found[2].people or found[2].claims
    for extraction in found:
        collection = annotation_collection(extraction)
        assert list(broken_rules(collection)) == []
        json.dumps(collection).encode()
        for item in items(collection) if collection["total"] else ():
            if item["motivation"] != "linking":
                quote, place = item["target"]["selector"]
                text, start, end = extraction.text, place["start"], place["end"]
                assert quote["exact"] == text[start:end]
                assert text[:start].endswith(quote["prefix"])
                assert text[end:].startswith(quote["suffix"])


def test_positions_are_code_points_and_words_stand_around():
    text = "😀😀 “No,” said Ruiz. " + "It is. " * 20
    record = Extraction.from_dict(
        {
            "schema": 1, "id": "a", "text_sha256": "0" * 64, "model": "m", "attribution": "reported",
            "text": text, "sources": [], "people": [], "claims": [],
            "quotes": [{
                "id": "q0", "start": 3, "end": 8, "text": "“No,”", "kind": "direct", "score": 0.5,
                "continues": None, "cue": None, "speaker": None,
            }],
        }
    )  # fmt: skip
    (item,) = items(annotation_collection(record))
    assert item["target"]["selector"] == [
        {
            "type": "TextQuoteSelector", "exact": "“No,”", "prefix": "😀😀 ",
            "suffix": " said Ruiz. It is. It is. It is.",
        },
        {"type": "TextPositionSelector", "start": 3, "end": 8},
    ]  # fmt: skip


def test_everything_marked_is_an_annotation_with_tags_a_sentence_and_facts(harbour):
    marked = {exact(item): item for item in items(annotation_collection(harbour))
              if item["motivation"] != "linking"}  # fmt: skip
    quote, person, piles = marked["“Close the pier,”"], marked["Ines Okafor"], marked["40 percent"]
    assert tags(quote) == ["quote", "direct"]
    assert quote["body"][2]["value"].startswith("Direct quote 1: Ines Okafor (“Ines Okafor, ")
    assert facts(quote) == {"id": "q0", "kind": "direct", "score": 0.98}
    assert person["motivation"] == "identifying"
    assert [b["value"] for b in person["body"] if b["purpose"] == "identifying"] == ["Ines Okafor"]
    assert piles["body"][1]["value"] == "piles: about 40 percent; claimed by Ines Okafor"
    assert marked["5 to 7 months"]["body"][1]["value"] == (
        "5 to 7 months; claimed by the article itself"
    )
    assert facts(piles) == {
        "id": "c0", "score": 0.9, "value": 40, "low": None, "high": None, "unit": "percent",
        "kind": "percent", "modifier": "approximate", "change": "none",
    }  # fmt: skip
    assert tags(marked["roughly"]) == ["modifier"]


def test_every_link_of_the_record_is_there_once(harbour):
    assert links(annotation_collection(harbour)) == {
        ("said_by", "“Close the pier,”", "Ines Okafor, deputy head of the Harbour Board"),
        ("said_by", "that roughly 40 percent of the piles were rotten", "She"),
        ("cued_by", "that roughly 40 percent of the piles were rotten", "said that"),
        ("refers_to", "Ines Okafor, deputy head of the Harbour Board", "Ines Okafor"),
        ("refers_to", "She", "Ines Okafor"),
        ("has_role", "Ines Okafor", "deputy head"),
        ("affiliated_with", "Ines Okafor", "the Harbour Board"),
        ("modified_by", "40 percent", "roughly"),
        ("measures", "40 percent", "piles"),
        ("stated_in", "40 percent", "that roughly 40 percent of the piles were rotten"),
    }


def test_parts_roles_without_a_person_and_further_mentions_are_linked(harbour):
    first, second, third = harbour.quotes
    alone = replace(first.speaker, persons=())
    mention = replace(harbour.people[0].mentions[0], start=74, end=77, text="She")
    person = replace(harbour.people[0], mentions=(*harbour.people[0].mentions, mention))
    changed = replace(
        harbour,
        quotes=(replace(first, speaker=alone), second, replace(third, continues="q0")),
        people=(person,),
    )
    whole = "Ines Okafor, deputy head of the Harbour Board"
    assert links(annotation_collection(changed)) - links(annotation_collection(harbour)) == {
        ("has_role", whole, "deputy head"),
        ("affiliated_with", whole, "the Harbour Board"),
        ("same_quote", "5 to 7 months of repairs", "“Close the pier,”"),
        ("same_person", harbour.text[74:77], "Ines Okafor"),
    }


def test_equal_records_give_equal_annotations_and_other_models_other_ids(harbour):
    one, other = annotation_collection(harbour), annotation_collection(replace(harbour))
    assert one == other
    changed = annotation_collection(replace(harbour, model="claimx-en 0.2.0 (00000000)"))
    ids = {item["id"] for item in items(one)}
    assert ids.isdisjoint(item["id"] for item in items(changed))


@pytest.mark.parametrize(
    ("id", "meta", "source"),
    [
        ("https://example.org/a b", {}, "ni:"),
        ("https://example.org/a|b", {}, "https://example.org/a%7Cb"),
        ("urn:isbn:1", {"url": "https://example.org/1"}, "urn:isbn:1"),
        ("own/mint", {"url": "https://example.org/é"}, "https://example.org/é"),
        ("C:\\news\\a.txt", {}, "ni:"),
        ("note:1", {"url": 7}, "ni:"),
    ],
)
def test_an_article_is_named_by_its_iri_or_its_text(harbour, id, meta, source):
    found = source_of(replace(harbour, id=id, meta=meta))
    assert found.startswith("ni:///sha-256;") if source == "ni:" else found == source
    assert IRI.fullmatch(found)


def test_the_source_may_be_given(harbour):
    collection = annotation_collection(harbour, "https://example.org/7")
    targets = [item["target"] for item in items(collection) if item["motivation"] != "linking"]
    assert {target["source"] for target in targets} == {"https://example.org/7"}


def test_an_article_without_text_or_with_an_error_is_refused(harbour):
    with pytest.raises(InputError, match="--with-text"):
        annotation_collection(replace(harbour, text=None))
    with pytest.raises(InputError, match="could not be read: too long"):
        annotation_collection(Extraction("a", error=Failure("too_large", "too long")))
