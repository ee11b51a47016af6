"""Records as W3C Web Annotations (JSON-LD): one `AnnotationCollection` an article.

Model: https://www.w3.org/TR/annotation-model/. Every marked stretch of text is an annotation that
selects it twice, by its words with some around them (`TextQuoteSelector`) and by its place
(`TextPositionSelector`, in code points as everywhere here). Every link is an annotation whose
target is another annotation and whose body is a third, with a tag such as ``said_by``. Equal
records give equal ids.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote as percent_encoded
from uuid import NAMESPACE_URL, uuid5

from claimx.errors import InputError
from claimx.page.marks import Mark, marks_of
from claimx.page.naming import NOBODY, Names
from claimx.render import clean, normal_form
from claimx.types import Extraction, Person, Quote

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
_AROUND = 32  # characters of a prefix and of a suffix
_IRI = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+://|urn:)\S+")
_ILLEGAL = re.compile(r'[<>"{}|\\^`\x00-\x20\x7f-\x9f\ud800-\udfff]')

Annotation = dict[str, Any]
Place = tuple[str, int, int]  # label, start, end: no two annotations of an article have the same


def annotation_collection(extraction: Extraction, source: str | None = None) -> dict[str, Any]:
    """Return what was found in an article as an ``AnnotationCollection`` of one page.

    Args:
        extraction: with its text.
        source: the IRI of the article, which every annotation of its text has as target; found by
            `source_of` if left out.

    Raises:
        InputError: if the article could not be read, or its text is not there.
    """
    if extraction.error is not None:
        raise InputError(f"article {extraction.id!r} could not be read: {extraction.error.message}")
    if extraction.text is None:
        raise InputError(f"record {extraction.id!r} has no text; make records with --with-text")
    writer = _Writer(extraction, source or source_of(extraction))
    items = [*writer.marks(), *writer.links()]
    collection: dict[str, Any] = {
        "@context": CONTEXT,
        "id": writer.name("collection"),
        "type": "AnnotationCollection",
        "label": clean(extraction.id) or "an article without id",
        "total": len(items),
    }
    if items:  # a page must not be empty
        page = {"id": writer.name("page"), "type": "AnnotationPage", "partOf": collection["id"]}
        collection["first"] = {**page, "startIndex": 0, "items": items}
        collection["last"] = page["id"]
    return collection


def source_of(extraction: Extraction) -> str:
    """Return the IRI of an article.

    It is the id, or ``meta["url"]``, if that is an IRI (``https://…``, ``urn:…``); else the name of
    the text by its SHA-256, ``ni:///sha-256;…`` (RFC 6920).

    Args:
        extraction: with its text.
    """
    for given in (extraction.id, extraction.meta.get("url")):
        if isinstance(given, str) and _IRI.fullmatch(given):
            return _ILLEGAL.sub(lambda match: percent_encoded(match[0], errors="replace"), given)
    digest = hashlib.sha256((extraction.text or "").encode("utf-8", "surrogatepass")).digest()
    return f"ni:///sha-256;{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


class _Writer:
    """Writes the annotations of one article."""

    def __init__(self, extraction: Extraction, source: str) -> None:
        self._found = extraction
        self._source = source
        self._names = Names(extraction, "", 1)
        self._space = uuid5(NAMESPACE_URL, source)

    def name(self, *parts: object) -> str:
        """Return an IRI that is the same for the same part of the same reading."""
        found = self._found
        reading = (found.text_sha256, found.model, found.attribution)
        return uuid5(self._space, json.dumps([*reading, *parts])).urn

    def marks(self) -> Iterator[Annotation]:
        """Yield an annotation for every stretch of text that is marked, in text order."""
        for mark in marks_of(self._found):
            yield self._annotation(
                self.name(*_place(mark)),
                "identifying" if mark.kind == "person" else "tagging",
                list(self._bodies(mark)),
                self._target(mark.start, mark.end),
            )

    def links(self) -> Iterator[Annotation]:
        """Yield an annotation for every link between two of them."""
        for kind, head, tail in dict.fromkeys(_links(self._found)):
            related = {
                "type": "SpecificResource",
                "purpose": "linking",
                "source": self.name(*tail),
            }
            yield self._annotation(
                self.name(kind, *head, *tail),
                "linking",
                [_text("tagging", kind), related],
                self.name(*head),
            )

    def _annotation(self, id: str, motivation: str, bodies: list[Any], target: Any) -> Annotation:
        return {
            "id": id,
            "type": "Annotation",
            "motivation": motivation,
            "creator": {"type": "Software", "name": self._found.model or "claimx"},
            "body": bodies,
            "target": target,
        }

    def _target(self, start: int, end: int) -> dict[str, Any]:
        text = self._names.text
        words = {
            "type": "TextQuoteSelector",
            "exact": text[start:end],
            "prefix": text[max(start - _AROUND, 0) : start],
            "suffix": text[end : end + _AROUND],
        }
        place = {"type": "TextPositionSelector", "start": start, "end": end}
        return {"type": "SpecificResource", "source": self._source, "selector": [words, place]}

    def _bodies(self, mark: Mark) -> Iterator[dict[str, Any]]:
        """Yield tags, a sentence for people to read, and the facts for programs, as JSON."""
        yield _text("tagging", mark.label)
        facts: dict[str, Any] = {"score": round(mark.score, 4)}
        number = mark.references[0] if mark.references else None
        if number is not None and mark.label == "quote":
            yield _text("tagging", mark.kind)
            yield _text("describing", self._names.quote_label(number), language="en")
            facts = {"id": self._found.quotes[number].id, "kind": mark.kind, **facts}
        elif number is not None and mark.kind == "person":
            person = self._found.people[number]
            yield _text("identifying", person.name)
            yield _text("describing", self._names.person_label(number), language="en")
            facts = {"id": person.id, **facts}
        elif number is not None and mark.kind == "quantity":
            yield _text("describing", self._claim_label(number), language="en")
            facts = {**facts, **self._normal_form(number)}
        yield _text("describing", json.dumps(facts, ensure_ascii=False), format="application/json")

    def _claim_label(self, number: int) -> str:
        claim = self._found.claims[number]
        measured = f"{clean(claim.measured.text)}: " if claim.measured else ""
        by = self._names.claimed_by(claim)
        by = by if by == NOBODY else f"claimed by {by}"
        return f"{measured}{normal_form(claim.quantity)}; {by}"

    def _normal_form(self, number: int) -> dict[str, Any]:
        claim = self._found.claims[number]
        places = ("start", "end", "text")
        normal = {key: value for key, value in asdict(claim.quantity).items() if key not in places}
        return {"id": claim.id, **normal}


def _text(purpose: str, value: str, **more: str) -> dict[str, Any]:
    return {
        "type": "TextualBody",
        "purpose": purpose,
        "value": value,
        "format": "text/plain",
        **more,
    }


def _place(mark: Mark) -> Place:
    return mark.label, mark.start, mark.end


# ---- links ------------------------------------------------------------------------------------


def _links(found: Extraction) -> Iterator[tuple[str, Place, Place]]:
    """Yield type, head and tail; types are those of annotations, and ``stated_in`` of claims."""
    people = {person.id: person for person in found.people}
    quotes = {quote.id: _at("quote", quote) for quote in found.quotes}
    for quote in found.quotes:
        yield from _links_of_quote(quote, people)
        if quote.continues in quotes:
            yield "same_quote", quotes[quote.id], quotes[quote.continues]
    for person in found.people:
        yield from _links_of_person(person)
    for claim in found.claims:
        quantity = _at("quantity", claim.quantity)
        if claim.modifier is not None:
            yield "modified_by", quantity, _at("modifier", claim.modifier)
        if claim.measured is not None:
            yield "measures", quantity, _at("measured", claim.measured)
        if claim.quote in quotes:
            yield "stated_in", quantity, quotes[claim.quote]


def _links_of_quote(
    quote: Quote, people: Mapping[str, Person]
) -> Iterator[tuple[str, Place, Place]]:
    here, speaker = _at("quote", quote), quote.speaker
    if quote.cue is not None:
        yield "cued_by", here, _at("cue", quote.cue)
    if speaker is None:
        return
    voice = _at("speaker", speaker)
    yield "said_by", here, voice
    meant = [people[name] for name in speaker.persons if name in people]
    for person in meant:
        if person.mentions:
            yield "refers_to", voice, _at("person", person.mentions[0])
    # What belongs to the people is said of them.
    for role in speaker.roles:
        if not any(role in person.roles for person in meant):
            yield "has_role", voice, _at("role", role)
    for body in speaker.affiliations:
        if not any(body in person.affiliations for person in meant):
            yield "affiliated_with", voice, _at("affiliation", body)


def _links_of_person(person: Person) -> Iterator[tuple[str, Place, Place]]:
    if not person.mentions:
        return
    first, *others = (_at("person", mention) for mention in person.mentions)
    for other in others:
        yield "same_person", other, first
    for role in person.roles:
        yield "has_role", first, _at("role", role)
    for body in person.affiliations:
        yield "affiliated_with", first, _at("affiliation", body)


def _at(label: str, span: Any) -> Place:
    return label, span.start, span.end
