"""Nameless speakers mean only people who are called so: "the judge", "his mother", "a report"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claimx.formats.inline import parse_inline
from claimx.linking import assemble
from claimx.linking.people import resolve_people
from claimx.types import AnnotatedArticle, Link


def read(body: str, answer: str | None, *, score: float | None = 0.9) -> AnnotatedArticle:
    """An article whose speaker ``s0`` refers to the person ``answer`` by the model's word."""
    article = parse_inline(f"---\nid: a\n---\n\n{body}")
    links = () if answer is None else (Link("refers_to", "s0", answer, score),)
    return replace(article, links=(*article.links, *links))


def meant(body: str, answer: str | None, *, score: float | None = 0.9) -> list[str]:
    """The ids of the people whom ``s0`` means in the end."""
    links = resolve_people(read(body, answer, score=score)).links
    return [link.tail for link in links if link.type == "refers_to" and link.head == "s0"]


ACTOR = "<R id=r0>Actor</R> <P id=p0 role=r0>Ivo Brandt</P> was cleared of theft. "
TWO = (
    "<R id=r0>President</R> <P id=p0 role=r0>Ivo Brandt</P> met <R id=r1>Prime Minister</R> "
    "<P id=p1 role=r1>Lena Storm</P> and <R id=r2>Economy Minister</R> "
    "<P id=p2 role=r2>Max Imhof</P>. "
)
MISSING = "<P id=p0>Ivo Brandt</P>, 19, has been missing since Monday. "


@pytest.mark.parametrize(
    "speaker",
    [
        "The judge",
        "The fire chief",
        "A neighbour",
        "One witness",
        "His mother",
        "His lawyer",
        "The victim’s father",
        "The court",
        "The police",
        "Two prosecutors",
        "The indictment",
        "A report by the auditor",
        "A letter from the ministry",
        "The landlady",
    ],
)
@pytest.mark.parametrize("article", [ACTOR, MISSING])
def test_nobody_gets_a_nameless_speaker_by_whom_he_is_not_called(speaker, article):
    assert meant(f"{article}<S id=s0>{speaker}</S> spoke.", "p0") == []


@pytest.mark.parametrize(
    ("speaker", "person"),
    [
        ("The president", "p0"),
        ("the prime minister", "p1"),
        ("The PM", "p1"),
        ("the premier", "p1"),
        ("The minister", "p2"),
        ("The economy minister", "p2"),
        ("the former president", "p0"),
    ],
)
@pytest.mark.parametrize("answer", ["p0", "p1", "p2", None])
def test_an_office_means_the_one_who_holds_it(speaker, person, answer):
    assert meant(f"{TWO}<S id=s0>{speaker}</S> spoke.", answer) == [person]


@pytest.mark.parametrize("speaker", ["The foreign minister", "The vice president", "The chief"])
def test_another_office_of_the_same_noun_means_nobody(speaker):
    assert meant(f"{TWO}<S id=s0>{speaker}</S> spoke.", "p2") == []


@pytest.mark.parametrize(
    ("named", "speaker"),
    [
        ("Sen. <P id=p0>Ada Lund</P> left.", "The senator"),
        ("Gov. <P id=p0>Ada Lund</P> left.", "the governor"),
        ("<P id=p0>Ada Lund</P>, the chief executive of Norwall, left.", "The chief executive"),
        ("<P id=p0>Ada Lund</P>, an attorney for the town, left.", "The lawyer"),
        ("Police officer <P id=p0>Ada Lund</P> left.", "The officer"),
        ("His mother, <P id=p0>Ada Lund</P>, left.", "His mother"),
        ("<P id=p0>Ada Lund</P>, his mother, left.", "His mother"),
        ("He came with his wife <P id=p0>Ada Lund</P>.", "His ex-wife"),
        ("He spoke of his divorce from wife <P id=p0>Ada Lund</P>.", "His ex-wife"),
        ("<P id=p0>Ada Lund</P>, 34, left.", "The 34-year-old"),
        ("The Velden ambassador, <P id=p0>Ada Lund</P>, left.", "Velden’s envoy"),
    ],
)
def test_titles_and_appositions_beside_a_name_count(named, speaker):
    other = "<P id=p1>Ivo Brandt</P> stayed. "
    assert meant(f"{named} {other}<S id=s0>{speaker}</S> spoke.", "p1") == ["p0"]


@pytest.mark.parametrize(
    "named",
    [
        "<P id=p0>Ivo Brandt</P>, his mother and two friends were hurt.",
        "<P id=p0>Ivo Brandt</P>, his mother, and two friends were hurt.",
        "<P id=p0>Ivo Brandt</P>, his mother said, was at home.",
        "An aunt of <P id=p0>Ivo Brandt</P> and his mother were hurt.",
    ],
)
def test_a_relative_in_a_list_beside_a_name_is_not_the_name(named):
    assert meant(f"{named} <S id=s0>His mother</S> spoke.", "p0") == []


def test_one_of_whom_an_official_speaks_is_not_the_official():
    named = "<P id=p0>Ivo Brandt</P>, the judge in the case said, was ill."
    assert meant(f"{named} <S id=s0>The judge</S> spoke.", "p0") == []


def test_the_boss_may_be_the_chief_executive_but_her_boss_is_not():
    named = "<P id=p0>Ada Lund</P>, the chief executive of Norwall, left."
    assert meant(f"{named} <S id=s0>The boss</S> spoke.", "p0") == ["p0"]
    assert meant(f"{named} <S id=s0>Her boss</S> spoke.", "p0") == []


def test_a_lawyer_is_not_his_own_lawyer():
    named = "Lawyer <P id=p0>Tom Lund</P> left."
    assert meant(f"{named} <S id=s0><P id=p1>Lund</P>’s lawyer</S> spoke.", None) == []


def test_a_place_in_the_expression_belongs_to_the_one_who_is_meant():
    mayors = (
        "Mayor <P id=p0>Ada Lund</P> of Dorne spoke first, and people listened in silence to "
        "every word of it until dark. Mayor <P id=p1>Ivo Brandt</P> of Cray Bay followed with "
        "a speech about the price of the harbour wall, the ferry and its unpaid crews. "
    )
    assert meant(f"{mayors}<S id=s0>The Dorne mayor</S> spoke.", None) == ["p0"]
    assert meant(f"{mayors}<S id=s0>The Salem mayor</S> spoke.", None) == []


def test_of_several_the_one_named_last_is_meant_but_only_where_the_model_sees_somebody():
    senators = "Sen. <P id=p0>Ada Lund</P> met Sen. <P id=p1>Max Imhof</P>. <P id=p2>Tom</P> left."
    body = f"{senators} <S id=s0>The senator</S> spoke."
    assert meant(body, "p2") == ["p1"]
    assert meant(body, "p0") == ["p0"]
    assert meant(body, None) == []


@pytest.mark.parametrize(
    "speaker", ["The suspect", "The teenager", "The champion", "The man", "His letter", "The Dane"]
)
def test_what_may_be_anybody_is_left_to_the_model(speaker):
    assert meant(f"{MISSING}<S id=s0>{speaker}</S> spoke.", "p0") == ["p0"]
    assert meant(f"{MISSING}<S id=s0>{speaker}</S> spoke.", None) == []


@pytest.mark.parametrize(
    ("named", "speaker"),
    [
        ("<P id=p0>Sarah Lund</P> left.", "The man"),
        ("<P id=p0>Peter Lund</P> left.", "The woman"),
        ("<R id=r0>Officer</R> <P id=p0 role=r0>Ben Lund</P> left.", "The boy"),
        ("<P id=p0>Peter Lund</P>, 19, left.", "The 42-year-old"),
    ],
)
def test_gender_and_age_speak_against_a_person(named, speaker):
    assert meant(f"{named} <S id=s0>{speaker}</S> spoke.", "p0") == []


def test_somebody_without_a_role_may_be_named_after_the_office():
    body = "<S id=s0>Velden’s top negotiator</S> spoke. <P id=p0>Ivo Brandt</P> met the press."
    assert meant(body, "p0") == ["p0"]


def test_a_role_inside_a_nameless_speaker_is_no_proof():
    body = (
        "<P id=p0 role=r0>Ivo Brandt</P> was cleared. "
        "<S id=s0 role=r0>The <R id=r0>judge</R></S> spoke."
    )
    assert meant(body, "p0") == []


def test_the_role_of_a_nameless_speaker_is_not_given_to_somebody_else():
    body = (
        f"{ACTOR}<Q id=q0 by=s0>It was thin</Q>, <S id=s0 role=r1>the <R id=r1>judge</R></S> said."
    )
    record = assemble(resolve_people(read(body, "p0")))
    assert [role.text for role in record.people[0].roles] == ["Actor"]
    assert record.quotes[0].speaker is not None
    assert record.quotes[0].speaker.name is None
    assert [role.text for role in record.quotes[0].speaker.roles] == ["judge"]


def test_links_of_people_hold_whatever_the_words_say():
    assert meant(f"{ACTOR}<S id=s0>The judge</S> spoke.", "p0", score=None) == ["p0"]


def test_pronouns_are_left_to_the_model():
    assert meant(f"{ACTOR}<S id=s0>He</S> spoke.", "p0") == ["p0"]
