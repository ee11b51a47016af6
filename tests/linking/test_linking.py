"""The record that comes out of spans and links: quotes, sources, people, claims."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.formats.inline import parse_inline
from claimx.labels import DEFAULT_SCHEMA
from claimx.linking import assemble, quote_kind, resolve_people
from claimx.types import AnnotatedArticle, AnnotatedSpan, Extraction, Link
from tests.annotating import annotate


def read(body: str) -> AnnotatedArticle:
    return parse_inline(f"---\nid: a\n---\n\n{body}")


def extract(body: str) -> Extraction:
    return assemble(resolve_people(read(body)))


def sources(extraction: Extraction) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(source.kind, source.name, source.quotes) for source in extraction.sources]


def said(*speakers: str) -> Extraction:
    """One quote for each speaker expression, in a line of its own."""
    return extract(
        "\n\n".join(
            f"In June <S id=s{at}>{speaker}</S> said <Q id=q{at} by=s{at}>the pier was rotten</Q>."
            for at, speaker in enumerate(speakers)
        )
    )


# ---- kinds ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quote", "kind"),
    [
        ("“Close it,” she said.", "“Close it,”", "direct"),
        ("He said: 'Close it.'", "'Close it.'", "direct"),
        ("She said it was “rotten” inside.", "it was “rotten” inside", "mixed"),
        ("She said it was rotten.", "it was rotten", "indirect"),
        ("She said “42”.", "“42”", "direct"),
        ("She said 42.", "42", "indirect"),
        ("She said “… !”.", "“… !”", "mixed"),
    ],
)
def test_kind_follows_from_the_marks(text, quote, kind):
    start = text.index(quote)
    assert quote_kind(text, start, start + len(quote)) == kind


def test_kind_takes_the_marks_as_given():
    assert quote_kind("close it", 0, 8, [True] * 8) == "direct"


@given(st.lists(st.tuples(st.sampled_from("ab1“.  "), st.booleans()), min_size=1, max_size=12))
def test_kind_is_that_of_the_first_sort_of_character_found(marked):
    text, inside = "".join(char for char, _ in marked), [held for _, held in marked]
    for counts in (str.isalpha, str.isalnum, lambda char: char != " "):
        found = {held for char, held in marked if counts(char)}
        if found:
            expected = "mixed" if len(found) == 2 else "direct" if found == {True} else "indirect"
            break
    else:
        expected = "indirect"
    assert quote_kind(text, 0, len(text), inside) == expected


# ---- quotes and speakers ---------------------------------------------------------------------


def test_quote_carries_cue_speaker_and_person():
    [quote] = extract(
        "<S id=s1><R id=r1>Mayor</R> <P id=p1 role=r1 aff=a1>Ines Okafor</P> of "
        "<A id=a1>Stour</A></S> <C id=c1>said</C> <Q id=q1 by=s1 cue=c1>the pier was rotten</Q>."
    ).quotes
    assert quote.cue is not None
    assert quote.cue.text == "said"
    assert quote.speaker is not None
    assert quote.speaker.name == "Ines Okafor"
    assert quote.speaker.persons == ("p0",)
    assert [role.text for role in quote.speaker.roles] == ["Mayor"]
    assert [body.text for body in quote.speaker.affiliations] == ["Stour"]


def test_speaker_score_is_span_times_link():
    article = read("<S id=s1>The board</S> said <Q id=q1>the pier was rotten</Q>.")
    spans = tuple(replace(span, score=0.5) for span in article.spans)
    linked = replace(article, spans=spans, links=(Link("said_by", "q1", "s1", 0.8),))
    [quote] = assemble(linked).quotes
    assert quote.score == 0.5
    assert quote.speaker is not None
    assert quote.speaker.score == pytest.approx(0.4)


def test_first_of_two_speakers_in_text_order_is_taken():
    article = read("<S id=s1>The board</S> and <S id=s2>the firm</S> said <Q id=q1>no</Q>.")
    links = (Link("said_by", "q1", "s2"), Link("said_by", "q1", "s1"))
    [quote] = assemble(replace(article, links=links)).quotes
    assert quote.speaker is not None
    assert quote.speaker.text == "The board"


def test_second_part_inherits_speaker_and_cue():
    first, second = extract(
        "<Q id=q1 by=s1 cue=c1>“Close it,”</Q> <S id=s1>the board</S> <C id=c1>said</C>. "
        "<Q id=q2 same=q1>“Now.”</Q>"
    ).quotes
    assert (first.continues, second.continues) == (None, "q0")
    assert (second.speaker, second.cue) == (first.speaker, first.cue)


def test_chain_of_parts_leads_to_the_first():
    article = read("<Q id=q1>“A.”</Q> x <Q id=q2>“B.”</Q> x <Q id=q3>“C.”</Q>")
    links = (Link("same_quote", "q3", "q2"), Link("same_quote", "q2", "q1"))
    quotes = assemble(replace(article, links=links)).quotes
    assert [quote.continues for quote in quotes] == [None, "q0", "q0"]


def test_circle_of_parts_has_one_first():
    article = read("<Q id=q1>“A.”</Q> x <Q id=q2>“B.”</Q>")
    links = (Link("same_quote", "q1", "q2"), Link("same_quote", "q2", "q1"))
    quotes = assemble(replace(article, links=links)).quotes
    assert [quote.continues for quote in quotes] == [None, "q0"]


def test_paragraph_of_an_unclosed_quotation_continues_it():
    first, second, third = extract(
        "<S id=s1>She</S> said: <Q id=q1 by=s1>“The pier is old.</Q>\n\n"
        "<Q id=q2>“It must close.</Q>\n\n<Q id=q3>“Now.”</Q>"
    ).quotes
    assert [quote.continues for quote in (first, second, third)] == [None, "q0", "q0"]
    assert third.speaker == first.speaker


def test_paragraph_after_a_closed_quotation_stands_alone():
    quotes = extract(
        "<S id=s1>She</S> said: <Q id=q1 by=s1>“The pier is old.”</Q>\n\n"
        "<Q id=q2>“It must close.”</Q>"
    ).quotes
    assert [quote.continues for quote in quotes] == [None, None]


def test_unclosed_quotation_does_not_swallow_another_speaker():
    quotes = extract(
        "<S id=s1>Okafor</S> said: <Q id=q1 by=s1>“The pier is old.</Q>\n\n"
        "<Q id=q2 by=s2>“It is new,”</Q> <S id=s2>Hale</S> said."
    ).quotes
    assert [quote.continues for quote in quotes] == [None, None]


def test_layer_chooses_quotes_and_name_of_the_scope():
    article = read("<S id=s1>The board</S> said <Q id=q1 by=s1>the pier was rotten</Q>.")
    spans = tuple(replace(span, layer="attribution_broad") for span in article.spans)
    article = replace(article, spans=spans)
    broad = assemble(article, layer="attribution_broad")
    reported = assemble(article)
    assert (broad.attribution, len(broad.quotes)) == ("broad", 1)
    assert (reported.attribution, len(reported.quotes)) == ("reported", 0)


# ---- sources -----------------------------------------------------------------------------------


def test_all_expressions_for_a_person_are_one_source():
    extraction = extract(
        "<S id=s1><P id=p1>Ines Okafor</P></S> said <Q id=q1 by=s1>no</Q>. <S id=s2 ref=p1>She</S> "
        "said <Q id=q2 by=s2>yes</Q>. <S id=s3><P id=p2>Okafor</P></S> said <Q id=q3 by=s3>so</Q>."
    )
    assert sources(extraction) == [("person", "Ines Okafor", ("q0", "q1", "q2"))]


def test_people_who_speak_together_are_a_source_of_their_own():
    extraction = said("<P id=p1>Ines Okafor</P> and <P id=p2>Tom Hale</P>", "<P id=p3>Tom Hale</P>")
    assert sources(extraction) == [
        ("group", "Ines Okafor and Tom Hale", ("q0",)),
        ("person", "Tom Hale", ("q1",)),
    ]


@pytest.mark.parametrize(
    ("speakers", "name"),
    [
        (("the ministry", "The ministry", "ministry"), "ministry"),
        (("the Harbour Safety Board (HSB)", "HSB", "the HSB"), "Harbour Safety Board"),
        (("HSB", "the Harbour Safety Board (HSB)"), "Harbour Safety Board"),
        (("the Harbour Safety Board", "the board"), "Harbour Safety Board"),
        (("the Department of Trade", "the department"), "Department of Trade"),
        (("Stour Motor Company", "Stour"), "Stour Motor Company"),
        (("HBC", "state broadcaster HBC"), "HBC"),
        (("Bray Radio, a regional broadcaster", "Bray Radio"), "Bray Radio"),
        (("the report", "The  report"), "report"),
        (("The Herald", "the Herald"), "The Herald"),
    ],
)
def test_same_name_is_one_source(speakers, name):
    [source] = said(*speakers).sources
    assert (source.name, len(source.quotes)) == (name, len(speakers))


def test_abbreviation_is_read_from_the_running_text():
    extraction = extract(
        "The Harbour Safety Board (HSB) met. <S id=s1>HSB</S> said <Q id=q1 by=s1>no</Q>."
    )
    assert sources(extraction) == [("organisation", "Harbour Safety Board", ("q0",))]


@pytest.mark.parametrize(
    "speakers",
    [
        ("It", "It"),
        ("she", "she"),
        ("two officials", "two officials"),
        ("a resident", "a resident"),
        ("his family", "his family"),
        ("the Harbour Board", "the Fire Board", "the board"),
        ("the board", "the Harbour Board"),
    ],
)
def test_what_resolves_to_nothing_stays_apart(speakers):
    assert len(said(*speakers).sources) == len(speakers)


# ---- people ------------------------------------------------------------------------------------


def test_person_unites_roles_over_mentions_each_surface_once():
    [person] = extract(
        "<R id=r1>Mayor</R> <P id=p1 role=r1>Ines Okafor</P> met us. <R id=r2>mayor</R> "
        "<P id=p2 role=r2>Okafor</P> left. <R id=r3>Lawyer</R> <P id=p3 role=r3>Okafor</P> waved."
    ).people
    assert person.name == "Ines Okafor"
    assert [mention.text for mention in person.mentions] == ["Ines Okafor", "Okafor", "Okafor"]
    assert [role.text for role in person.roles] == ["Mayor", "Lawyer"]


def test_role_of_a_speaker_reaches_the_person_and_all_its_quotes():
    extraction = extract(
        "<S id=s1><P id=p1>Ines Okafor</P></S> said <Q id=q1 by=s1>no</Q>. "
        "<S id=s2 ref=p1 role=r1>The <R id=r1>mayor</R></S> said <Q id=q2 by=s2>yes</Q>."
    )
    assert [role.text for role in extraction.people[0].roles] == ["mayor"]
    speakers = [quote.speaker for quote in extraction.quotes]
    assert [[role.text for role in speaker.roles] for speaker in speakers if speaker] == [
        ["mayor"]
    ] * 2


# ---- claims ------------------------------------------------------------------------------------


def test_claim_is_the_hull_and_knows_its_quote():
    text = (
        "<S id=s1>The board</S> said <Q id=q1 by=s1>"
        "<M id=m1>roughly</M> <V id=v1 val=40 "
        "unit=percent kind=percent mod=approximate m=m1 of=x1>40 percent</V> of the "
        "region's <X id=x1>piles</X> "
        "were rotten</Q>. It has <V id=v2 val=30 kind=count of=x2>30</V> <X id=x2>divers</X>."
    )
    inside, outside = extract(text).claims
    assert inside.text == "roughly 40 percent of the region's piles"
    assert (inside.quantity.value, inside.quantity.unit, inside.quote) == (40, "percent", "q0")
    assert (outside.text, outside.quote) == ("30 divers", None)


def test_odd_attributes_become_what_json_can_carry():
    attrs: dict[str, Any] = {
        "value": float("nan"), "low": 10**400, "high": Decimal("2.50"), "unit": "", "kind": 7,
        "modifier": None,
    }  # fmt: skip
    span = AnnotatedSpan("v", "quantity", "QUANTITY", 0, 2, "40", attrs)
    [claim] = assemble(AnnotatedArticle("a", "40", (span,))).claims
    quantity = claim.quantity
    assert (quantity.value, quantity.low, quantity.high) == (None, None, 2.5)
    assert (quantity.unit, quantity.kind, quantity.modifier) == (None, None, "exact")


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("They have three. Boats are dear.", None),
        ("They have three\n\nboats left the pier.", None),
        ("Most boats left. They have three.", "boats"),
        ("They have three U.S. boats.", "boats"),
    ],
)
def test_a_sentence_that_follows_holds_nothing_that_is_counted(text, measured):
    thing = "Boats" if "Boats" in text else "boats"
    article = annotate(
        text, [("v", "QUANTITY", "three"), ("x", "MEASURED", thing)], [("measures", "v", "x")]
    )
    [claim] = assemble(article).claims
    assert (claim.measured and claim.measured.text) == measured


def test_measured_thing_far_away_is_no_part_of_the_claim():
    text = "40" + " " * 5_000 + "piles"
    spans = (
        AnnotatedSpan("v", "quantity", "QUANTITY", 0, 2, "40"),
        AnnotatedSpan("x", "quantity", "MEASURED", 5_002, 5_007, "piles"),
    )
    [claim] = assemble(AnnotatedArticle("a", text, spans, (Link("measures", "v", "x"),))).claims
    assert (claim.text, claim.measured) == ("40", None)


# ---- the record as a whole -----------------------------------------------------------------------


def test_record_names_text_model_notes_and_meta():
    article = replace(read("Nothing was said."), meta={"source": "wire"})
    extraction = assemble(article, model="claimx-en 1", notes=["a note"])
    assert extraction.text_sha256 == hashlib.sha256(b"Nothing was said.").hexdigest()
    assert (extraction.model, extraction.notes) == ("claimx-en 1", ("a note",))
    assert extraction.meta == {"source": "wire"}
    assert assemble(article, meta={"own": 1}).meta == {"own": 1}


def test_lone_surrogate_does_not_stop_the_hash():
    assert assemble(AnnotatedArticle("a", "\ud800")).text_sha256 is not None


_WORDS = [
    "Ines", "Okafor", "Tom", "Hale", "J.", "Hale's", "the", "a", "two", "board", "Board", "(HB)",
    "HB", "and", "of", "for", "by", "said", "“", "”", '"', ",", "\n\n", "report", "40", "percent",
    "é", "😀", "'", "-", "Jr.", "The", "she",
]  # fmt: skip
_LABELS = [(layer.name, label) for layer in DEFAULT_SCHEMA.layers for label in layer.labels]
_TYPES = [*(link.name for link in DEFAULT_SCHEMA.links), "coref"]
_SCORES = st.none() | st.floats(0, 1) | st.just(float("nan"))


@st.composite
def articles(draw: st.DrawFn) -> AnnotatedArticle:
    """Any text, spans anywhere in it, links between anything: legal, and mostly nonsense."""
    text = draw(st.sampled_from(["", " "])).join(
        draw(st.lists(st.sampled_from(_WORDS), max_size=40))
    )
    spans = []
    for at in range(draw(st.integers(0, 14)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, min(len(text), start + 25)))
        layer, label = draw(st.sampled_from(_LABELS))
        attrs = {"value": draw(st.none() | st.integers() | st.floats())}
        surface = text[start:end]
        score = draw(_SCORES)
        spans.append(AnnotatedSpan(f"x{at}", layer, label, start, end, surface, attrs, score))
    ids = st.sampled_from([*(span.id for span in spans), "gone"])
    link = st.builds(Link, st.sampled_from(_TYPES), ids, ids, _SCORES)
    return AnnotatedArticle("a", text, tuple(spans), tuple(draw(st.lists(link, max_size=25))))


def _spans_of(value: Any) -> list[dict[str, Any]]:
    """Every object of a record that stands in the text, however deep."""
    if isinstance(value, list):
        return [found for item in value for found in _spans_of(item)]
    if not isinstance(value, dict):
        return []
    here = [value] if "start" in value else []
    return here + [found for item in value.values() for found in _spans_of(item)]


@given(articles(), st.sampled_from(["attribution", "attribution_broad"]))
def test_any_legal_article_gives_a_sound_record(article, layer):
    extraction = assemble(resolve_people(article), layer=layer)
    record = extraction.to_dict(with_text=True)
    assert Extraction.from_dict(json.loads(json.dumps(record, allow_nan=False))).to_dict(
        with_text=True
    ) == json.loads(json.dumps(record))
    for found in _spans_of(record):
        assert article.text[found["start"] : found["end"]] == found["text"]
    ids = {
        part: [entry["id"] for entry in record[part]]
        for part in ("quotes", "sources", "people", "claims")
    }
    for part, prefix in (("quotes", "q"), ("sources", "s"), ("people", "p"), ("claims", "c")):
        assert ids[part] == [f"{prefix}{at}" for at in range(len(ids[part]))]
    for quote in record["quotes"]:
        assert quote["continues"] in [None, *ids["quotes"]]
        assert quote["continues"] != quote["id"]
        speaker = quote["speaker"]
        if speaker is not None:
            assert set(speaker["persons"]) <= set(ids["people"])
            [source] = [entry for entry in record["sources"] if entry["id"] == speaker["source"]]
            assert quote["id"] in source["quotes"]
            assert set(speaker["persons"]) == set(source["persons"])
    for claim in record["claims"]:
        assert claim["quote"] in [None, *ids["quotes"]]


@settings(max_examples=50)
@given(articles())
def test_every_person_span_is_one_mention_of_one_person(article):
    mentions = [
        (mention.start, mention.end)
        for person in assemble(resolve_people(article)).people
        for mention in person.mentions
    ]
    persons = [(span.start, span.end) for span in article.spans if span.label == "PERSON"]
    assert sorted(mentions) == sorted(persons)


@settings(max_examples=50)
@given(articles(), st.randoms())
def test_order_of_spans_and_links_changes_nothing(article, random):
    spans, links = list(article.spans), list(article.links)
    random.shuffle(spans)
    random.shuffle(links)
    shuffled = replace(article, spans=tuple(spans), links=tuple(links))
    assert (
        assemble(resolve_people(shuffled)).to_dict() == assemble(resolve_people(article)).to_dict()
    )
