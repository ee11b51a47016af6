"""Names join the right mentions, and speaker expressions mean the right people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claimx.formats.inline import parse_inline
from claimx.linking.names import display_name, parse_name
from claimx.linking.people import resolve_people
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link


def read(body: str) -> AnnotatedArticle:
    return parse_inline(f"---\nid: a\n---\n\n{body}")


def names(*surfaces: str) -> AnnotatedArticle:
    """Every surface is a PERSON p0, p1 ... in a sentence of its own."""
    body = "\n".join(
        f"In the harbour we saw <P id=p{at}>{surface}</P>." for at, surface in enumerate(surfaces)
    )
    return read(body)


def joined(article: AnnotatedArticle) -> dict[str, str]:
    return {
        link.head: link.tail for link in resolve_people(article).links if link.type == "same_person"
    }


def meant(speaker: str) -> set[str]:
    """The surfaces of the people that one speaker expression, given with its tags, means."""
    article = read(f"<S id=s0>{speaker}</S> spoke.")
    spans = {span.id: span.text for span in article.spans}
    return {spans[link.tail] for link in resolve_people(article).links if link.type == "refers_to"}


@pytest.mark.parametrize(
    ("full", "further"),
    [
        ("Ines Okafor", "Okafor"),
        ("Ines Okafor", "Ines"),
        ("Ines Okafor", "OKAFOR"),
        ("Ines Okafor", "I. Okafor"),
        ("Ines Marta Okafor", "Ines Okafor"),
        ("Ines Marta Okafor", "Ines M. Okafor"),
        ("Ines Marta Okafor", "Marta Okafor"),
        ("William Hale", "Bill Hale"),
        ("William “Dutch” Hale", "Dutch Hale"),
        ("Tomás Núñez", "Nunez"),
        ("Joachim Brudziński", "Brudzinski"),
        ("Martin O’Shea", "O'Shea"),
        ("Lena Ros-Vidal", "Vidal"),
        ("Robert Hale Jr.", "Robert Hale"),
        ("Robert Hale Jr.", "Hale"),
        ("Piet van Dongen", "van Dongen"),
        ("Piet van Dongen", "Dongen"),
        ("Yusuf al-Hadi", "Hadi"),
        ("Ricardo Solis Vega", "Solis"),
        ("Ricardo Solis Vega", "Ricardo Solis"),
        ("Ricardo Solis Vega", "Solis Vega"),
        ("Song Min-jae", "Song"),
        ("Greg Holwell", "Howell"),
        ("Hillary Dunmore", "Hilary Dunmore"),
        ("Mary Anna Quill", "MAQ"),
    ],
)
@pytest.mark.parametrize("full_first", [True, False])
def test_forms_of_one_name_join_the_fullest(full, further, full_first):
    order = (full, further) if full_first else (further, full)
    fullest, other = ("p0", "p1") if full_first else ("p1", "p0")
    assert joined(names(*order)) == {other: fullest}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tomás Núñez", "Tomas Nunez"),
        ("Lena Ros-Vidal", "Lena Ros Vidal"),
        ("Song Min-jae", "Min Jae Song"),
        ("Ines Okafor", "Ines Okafor’s"),
        ("Ines Okafor", "INES OKAFOR"),
    ],
)
def test_equally_full_forms_join_the_first(one, other):
    assert joined(names(one, other)) == {"p1": "p0"}


def test_mixed_case_is_fuller_than_capitals():
    assert joined(names("INES OKAFOR", "Ines Okafor")) == {"p0": "p1"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ines Okafor", "Tom Okafor"),
        ("Ines Okafor", "Ines Hale"),
        ("George A. Hale", "George B. Hale"),
        ("Robert Hale Jr.", "Robert Hale Sr."),
        ("Okafor", "Hale"),
        ("Ines Okafor", "T. Okafor"),
        ("Ann Lee", "Ann Lea"),
    ],
)
def test_different_people_stay_apart(one, other):
    assert joined(names(one, other)) == {}


def test_bare_surname_of_two_goes_to_the_one_named_first():
    article = names("Ines Okafor", "Tom Okafor", "Okafor")
    assert joined(article) == {"p2": "p0"}


def test_relative_named_once_does_not_take_over_the_surname():
    article = names("Ines Okafor", "Okafor", "Okafor", "Tom Okafor", "Okafor")
    assert joined(article) == {"p1": "p0", "p2": "p0", "p4": "p0"}


def test_title_tells_namesakes_apart():
    article = read(
        "<P id=p0>Mary Hale</P> met <P id=p1>John Hale</P>. Mrs. <P id=p2>Hale</P> left. "
        "Mr. <P id=p3>Hale</P> stayed."
    )
    assert joined(article) == {"p2": "p0", "p3": "p1"}


def test_role_tells_namesakes_apart():
    article = read(
        "<R id=r0>Senator</R> <P id=p0 role=r0>Ines Okafor</P> met <R id=r1>Governor</R> "
        "<P id=p1 role=r1>Tom Okafor</P>. Then <R id=r2>Senator</R> <P id=p2 role=r2>Okafor</P> "
        "left."
    )
    assert joined(article) == {"p2": "p0"}


def test_mr_and_mrs_without_first_names_are_two():
    article = read("Mr. <P id=p0>Hale</P> met Mrs. <P id=p1>Hale</P>. Mr. <P id=p2>Hale</P> left.")
    assert joined(article) == {"p2": "p0"}


def test_first_name_shared_by_two_joins_neither():
    assert joined(names("Ines Okafor", "Ines Hale", "Ines")) == {}


def test_model_link_decides_between_namesakes():
    article = names("Ines Okafor", "Tom Okafor", "Okafor")
    hinted = replace(article, links=(Link("same_person", "p2", "p0", 0.9),))
    assert joined(hinted) == {"p2": "p0"}


def test_model_link_joins_a_nickname_that_no_name_explains():
    article = names("Ines Okafor", "Grandma Storm", "Stormy")
    hinted = replace(article, links=(Link("same_person", "p2", "p0", 0.9),))
    assert joined(hinted) == {"p2": "p0"}


def test_weak_model_link_does_not_join_two_full_names():
    article = names("Ines Okafor", "Tom Hale")
    hinted = replace(article, links=(Link("same_person", "p1", "p0", 0.99),))
    assert joined(hinted) == {}


def test_link_of_a_person_joins_two_full_names():
    article = names("Ines Okafor", "The Stormy Hale")
    assert len(joined(replace(article, links=(Link("same_person", "p1", "p0"),)))) == 1


@pytest.mark.parametrize(
    "speaker",
    [
        "<P id=p1>Ines Okafor</P>",
        "harbour chief <P id=p1>Ines Okafor</P>",
        "<P id=p1>Ines Okafor</P>, a spokeswoman for <P id=p2>Tom Hale</P>",
        "<P id=p1>Ines Okafor</P>, <P id=p2>Tom Hale</P>'s lawyer",
        "<P id=p1>Ines Okafor</P>, a <P id=p2>Hale</P> supporter",
        "<P id=p1>Ines Okafor</P>, who voted for <P id=p2>Hale</P> and <P id=p3>Quill</P>",
        "<P id=p1>Ines Okafor</P>, aide to the board's top man, <P id=p2>Tom Hale</P> of Stour",
        "<P id=p2>Hale</P> campaign manager <P id=p1>Ines Okafor</P>",
        "<P id=p2>Hale</P>’s lawyer, <P id=p1>Ines Okafor</P>",
        "A lawyer for <P id=p2>Hale</P>, <P id=p1>Ines Okafor</P>",
        "<P id=p3>Quill</P> and <P id=p2>Hale</P>'s mother, <P id=p1>Ines Okafor</P>",
        "a statement by <P id=p1>Ines Okafor</P>",
        "a memo posted online on Monday by Mayor <P id=p1>Ines Okafor</P>",
        "<P id=p1>Ines Okafor</P>'s new report on the harbour",
        "<P id=p1>Ines Okafor</P>’s 1962 book Silent Harbour",
        "the testimony of <P id=p1>Ines Okafor</P>",
        "a diver named <P id=p1>Ines Okafor</P>",
        "Some divers, including <P id=p1>Ines Okafor</P>",
        "<P id=p1>Ines Okafor</P> of the anti-<P id=p2>Hale</P> Herald",
    ],
)
def test_speaker_means_the_head_of_the_expression(speaker):
    assert meant(speaker) == {"Ines Okafor"}


@pytest.mark.parametrize(
    "speaker",
    [
        "a spokesman for <P id=p1>Hale</P>",
        "a spokesman for <R id=r1>President</R> <P id=p1 role=r1>Hale</P>",
        "<P id=p1>Hale</P>'s lawyer",
        "<P id=p1>Hayes</P>' lawyers",
        "the <P id=p1>Hale</P> administration",
        "<P id=p1>Hale</P> supporters",
        "the family of <P id=p1>Tom Hale</P>",
        "a giant poster of <P id=p1>Tom Hale</P>",
        "critics of <P id=p1>Hale</P> and <P id=p2>Okafor</P>",
        "anti-<P id=p1>Hale</P> protesters",
        "the <P id=p1>Hale</P>-<P id=p2>Okafor</P> bill",
    ],
)
def test_speaker_does_not_mean_a_possessor(speaker):
    assert meant(speaker) == set()


@pytest.mark.parametrize(
    "speaker",
    [
        "<P id=p1>Okafor</P> and <P id=p2>Hale</P>",
        "Sens. <P id=p1>Okafor</P> (R-ME) and <P id=p2>Hale</P> (R-ME)",
        "<P id=p1>Okafor</P>, R-Ga., and <P id=p2>Hale</P>, D-Ga.",
        "Mayor <P id=p1>Okafor</P>, along with Judge <P id=p2>Hale</P>",
        "a study by <P id=p1>Okafor</P> of Stour University and <P id=p2>Hale</P> of Bray College",
        "two divers, <P id=p1>Okafor</P> and <P id=p2>Hale</P>",
        "<P id=p1>Okafor</P>/<P id=p2>Hale</P>",
    ],
)
def test_speaker_means_all_who_speak_together(speaker):
    assert meant(speaker) == {"Okafor", "Hale"}


def test_role_of_an_institution_before_the_name_does_not_hide_the_name():
    assert meant("<R id=r1>director</R> of the mint <P id=p1 role=r1>Ana Ruiz</P>") == {"Ana Ruiz"}


def test_speaker_refers_to_the_fullest_mention():
    article = read(
        "<P id=p0>Okafor</P> left. <P id=p1>Ines Okafor</P> came. <S id=s0><P id=p2>Okafor</P></S> "
        "spoke."
    )
    links = resolve_people(article).links
    assert [(link.head, link.tail) for link in links if link.type == "refers_to"] == [("s0", "p1")]


def test_model_link_of_a_pronoun_moves_to_the_fullest_mention_with_its_score():
    article = read(
        "<P id=p0>Okafor</P> came. <P id=p1>Ines Okafor</P> left. <S id=s0>She</S> spoke."
    )
    article = replace(article, links=(Link("refers_to", "s0", "p0", 0.8),))
    links = [link for link in resolve_people(article).links if link.type == "refers_to"]
    assert links == [Link("refers_to", "s0", "p1", 0.8)]


@pytest.mark.parametrize(
    ("between", "second", "whom"),
    [
        (" spoke. Fares fell, ", "he", "p0"),
        (" spoke.\n\nFares fell, ", "he", "p0"),
        (" spoke. <P id=p2>Ines Okafor</P> came. Fares fell, ", "he", "p1"),  # somebody is named
        (" spoke. <S id=s9>A diver</S> laughed. It rained, ", "he", "p1"),  # somebody else between
        (" spoke. It rained, ", "she", "p1"),  # another pronoun
    ],
)
def test_a_pronoun_goes_on_until_somebody_else_comes_up(between, second, whom):
    article = read(
        f"<P id=p0>Tom Hale</P> came. <S id=s0>He</S>{between}<S id=s1>{second}</S> said. "
        "<P id=p1>Ana Ruiz</P> left."
    )
    links = (Link("refers_to", "s0", "p0", 0.9), Link("refers_to", "s1", "p1", 0.6))
    found = resolve_people(replace(article, links=links)).links
    assert [link.tail for link in found if link.head == "s1"] == [whom]


def test_model_link_gives_way_to_a_name_in_the_speaker():
    article = read("<P id=p0>Tom Hale</P> left. <S id=s0><P id=p1>Ines Okafor</P></S> spoke.")
    article = replace(article, links=(Link("refers_to", "s0", "p0", 0.8),))
    links = [link for link in resolve_people(article).links if link.type == "refers_to"]
    assert [link.tail for link in links] == ["p1"]


def test_model_link_to_the_possessor_is_dropped_but_to_one_who_is_called_so_is_kept():
    article = read(
        "Lawyer <P id=p0>Ines Okafor</P> left. <S id=s0><P id=p1>Hale</P>'s lawyer</S> spoke."
    )
    wrong = replace(article, links=(Link("refers_to", "s0", "p1", 0.8),))
    right = replace(article, links=(Link("refers_to", "s0", "p0", 0.8),))
    assert resolve_people(wrong).links == ()
    assert resolve_people(right).links == right.links


def test_other_links_and_spans_stay():
    article = read("<R id=r0>Mayor</R> <P id=p0 role=r0>Ines Okafor</P> left.")
    assert resolve_people(article) == article


def test_resolving_twice_changes_nothing():
    article = names("Ines Okafor", "Tom Okafor", "Okafor", "Ines", "Hale", "Tom Hale")
    once = resolve_people(article)
    assert set(resolve_people(once).links) == set(once.links)


def test_odd_links_are_ignored():
    article = names("Ines Okafor", "Tom Hale")
    odd = (
        Link("same_person", "p0", "gone"),
        Link("same_person", "p0", "p0"),
        Link("refers_to", "p0", "gone"),
        Link("refers_to", "gone", "p1"),
    )
    assert resolve_people(replace(article, links=odd)).links == ()


def test_many_namesakes_take_no_quadratic_time():
    surfaces = [surface for at in range(4_000) for surface in (f"A{at} Hale", "Hale")]
    text = "\n".join(surfaces)
    spans, start = [], 0
    for at, surface in enumerate(surfaces):
        end = start + len(surface)
        spans.append(AnnotatedSpan(f"p{at}", "identity", "PERSON", start, end, surface))
        start = end + 1
    found = joined(AnnotatedArticle("a", text, tuple(spans)))
    assert len(found) == 4_000


@pytest.mark.parametrize(
    ("surface", "shown"),
    [
        ("Ines\n Okafor's", "Ines Okafor"),
        ("Mr. Hale", "Hale"),
        ("Hayes'", "Hayes"),
        ("!!", "!!"),
        ("Mayor", "Mayor"),
    ],
)
def test_display_name_drops_title_and_possessive(surface, shown):
    assert display_name(surface) == shown


def test_surface_without_letters_has_no_name():
    assert parse_name("!!").tokens == ()
