"""One article through the shipped model: what a newcomer sees first has to be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx import Article, Extractor

ARTICLE = Path(__file__).resolve().parents[1] / "examples" / "harbour.txt"


@pytest.fixture(scope="module")
def extraction():
    text = ARTICLE.read_text(encoding="utf-8")
    return Extractor.from_pretrained(device="cpu", dtype="float32")(Article("harbour", text))


def said(extraction, words):
    [quote] = [quote for quote in extraction.quotes if words in quote.text]
    return quote


def test_direct_quotes_have_their_speakers_by_full_name(extraction):
    assert said(extraction, "would not put our own families").speaker.name == "Ines Okafor"
    assert said(extraction, "Nobody asked us before").speaker.name == "Tomas Hale"
    assert said(extraction, "would not put our own families").kind == "direct"


def test_a_pronoun_far_from_the_name_is_resolved(extraction):
    assert said(extraction, "They had eighteen months").speaker.name == "Ines Okafor"


def test_a_report_is_a_source(extraction):
    speaker = said(extraction, "so badly corroded").speaker
    assert "a report" in speaker.text
    assert speaker.persons == ()


def test_roles_and_affiliations_are_joined_to_people(extraction):
    people = {person.name: person for person in extraction.people}
    assert "chief executive" in [role.text for role in people["Tomas Hale"].roles]
    assert any(role.text.startswith("deputy head") for role in people["Ines Okafor"].roles)
    assert "the board" in [body.text for body in people["Ines Okafor"].affiliations]


def test_claims_are_in_normal_form_and_know_who_claims_them(extraction):
    claims = {claim.quantity.text: claim for claim in extraction.claims}
    percent = claims["40 percent"].quantity
    assert (percent.value, percent.unit, percent.modifier) == (40, "percent", "approximate")
    fares = claims["$90,000 a week"]
    assert (fares.quantity.low, fares.quantity.unit) == (90000, "USD per week")
    quotes = {quote.id: quote for quote in extraction.quotes}
    assert quotes[fares.quote].speaker.name == "Tomas Hale"


def test_every_span_is_the_text_at_its_offsets(extraction):
    for quote in extraction.quotes:
        assert extraction.text[quote.start : quote.end] == quote.text
    for claim in extraction.claims:
        assert extraction.text[claim.start : claim.end] == claim.text
