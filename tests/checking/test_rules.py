"""Each rule of the linter: what it finds, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from claimx.checking.findings import Remark, context
from claimx.checking.meaning import phenomena, quantities, same_person, units, unlinked
from claimx.checking.quotes import marks, speakers
from claimx.checking.similarity import similar_texts
from claimx.checking.surfaces import both_ways
from claimx.formats.inline import parse_inline_report
from claimx.types import AnnotatedArticle

Rule = Callable[[AnnotatedArticle], Iterator[Remark]]


def read(body: str, head: str = "") -> AnnotatedArticle:
    parsed = parse_inline_report(f"---\nid: own/x\n{head}---\n\n{body}\n")
    assert parsed.problems == ()
    assert parsed.article is not None
    return parsed.article


def found(rule: Rule, body: str, head: str = "") -> list[str]:
    return [" ".join(remark.span_ids) for remark in rule(read(body, head))]


# ---- speakers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ("<Q id=q1>“It is late,”</Q> <C id=c1>said</C> <S id=s1>Ana Ruiz</S>.", "q1 c1 s1"),
        ("<Q id=q1>“It is late,”</Q> <S id=s1>she</S> <C id=c1>said</C>.", "q1 s1 c1"),
        ("<Q id=q1>“It is late,”</Q> she said.", "q1"),
        ("<Q id=q1>“It is late,”</Q> said Ana Ruiz.", "q1"),
        ("<S id=s1>She</S> <C id=c1>said</C> <Q id=q1 cue=c1>it was late</Q>.", "q1 s1 c1"),
        (
            "<Q id=q1 by=s1 cue=c1>“A,”</Q> <S id=s1>she</S> <C id=c1>said</C>. "
            "<Q id=q2 cue=c1 same=q1>“B.”</Q>",
            "q2 q1 s1",
        ),
        (
            "<Q id=q1 by=s1 cue=c1>“A,”</Q> <S id=s1>she</S> <C id=c1>said</C>. "
            "<Q id=q2 cue=c1>“B.”</Q>",
            "q2 c1 q1",
        ),
    ],
)
def test_quote_without_speaker_beside_one_is_found(body: str, ids: str) -> None:
    assert found(speakers, body) == [ids]


@pytest.mark.parametrize(
    "body",
    [
        "Prices <C id=c1>are expected</C> <Q id=q1 cue=c1>to rise</Q>.",
        "<Q id=q1>“Late again”</Q>: the year in trains",
        # the next sentence has another quote
        "<C id=c1>Asked</C> <Q id=q1 cue=c1>whether it was late</Q>, <S id=s2>she</S> "
        "<C id=c2>replied</C> <Q id=q2 by=s2 cue=c2>that it was</Q>.",
        "<Q id=q1>“Late again”</Q>\n\n<S id=s2>She</S> <C id=c2>denied</C> "
        "<Q id=q2 by=s2 cue=c2>it</Q>.",
        "It was said <Q id=q1>to be late</Q>. <S id=s2>She</S> <C id=c2>denied</C> "
        "<Q id=q2 by=s2 cue=c2>it</Q>.",
    ],
)
def test_quote_that_rightly_has_no_speaker_is_left_alone(body: str) -> None:
    assert found(speakers, body) == []


# ---- marks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("“<Q id=q1>It is late.”</Q>", "leaves its opening mark outside"),
        ("<Q id=q1>“It is late.</Q>”", "leaves its closing mark outside"),
        ("“<Q id=q1>It is late.</Q>”", "leaves its marks outside"),
        ('"<Q id=q1>It is late.</Q>"', "leaves its marks outside"),
        ("‘<Q id=q1>It is late.</Q>’", "leaves its marks outside"),
        ("<Q id=q1>“It is late.</Q> Go home.”", "ends inside quotation marks"),
        ("“It is late. <Q id=q1>Go home.”</Q>", "starts inside quotation marks"),
        ("<Q id=q1>“It is late.</Q>\n\nThen all went home.", "has no closing mark"),
    ],
)
def test_edge_that_cuts_off_a_mark_is_found(body: str, told: str) -> None:
    [remark] = marks(read(body))
    assert told in remark.message


@pytest.mark.parametrize(
    "body",
    [
        "<Q id=q1>“It is late.”</Q>",
        "<Q id=q1>that it was “very late”</Q>.",
        "<Q id=q1>that the dog's bowl was the neighbours' own</Q>.",
        "<Q id=q1>“It is late.</Q>\n\n<Q id=q2 same=q1>“Go home.”</Q>",
        "<Q id=q1>“She said ‘go’.”</Q>",
    ],
)
def test_whole_quotation_is_left_alone(body: str) -> None:
    assert found(marks, body) == []


def test_missing_closing_mark_that_the_head_names_is_left_alone() -> None:
    head = "phenomena: {missing_closing_mark: [q1]}\n"
    assert found(marks, "<Q id=q1>“It is late.</Q>\n\nThen all went home.", head) == []


# ---- quantities -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<V id=v1 val=12 unit=percent>21 percent</V>", "value 21"),
        ("<V id=v1 val=3 unit=tonne kind=measure>3 percent</V>", "unit percent"),
        ("<V id=v1 val=2300000 unit=USD>$2.3 billion</V>", "value 2300000000"),
        ("<V id=v1 val=5 unit=USD>€5</V>", "unit EUR"),
        ("<V id=v1 val=5 unit=USD_per_metric_ton_unit>€5 per metric ton</V>", "unit EUR per tonne"),
        (
            "<M id=m1>at least</M> <V id=v1 val=5 mod=upper_bound m=m1>five</V>",
            "modifier lower_bound",
        ),
        ("<V id=v1 lo=12>dozens</V>", "low 24"),
        ("the <V id=v1 val=1>tin</V>", "holds no number"),
    ],
)
def test_normal_form_that_the_surface_contradicts_is_found(body: str, told: str) -> None:
    [remark] = quantities(read(body))
    assert told in remark.message


@pytest.mark.parametrize(
    "body",
    [
        "<V id=v1 val=21 unit=percent>21 percent</V>",
        "from 12 percent to <V id=v1 val=14 unit=percent>14</V>",
        "from $71 million to <V id=v1 val=48000000 unit=USD>48</V>",
        "a man of <V id=v1 val=66 unit=year kind=age>66</V>",
        "<V id=v1 val=5 unit=NZD>$5</V>",
        "<V id=v1 val=5 unit=EUR_per_gram>€5</V>",
        "<V id=v1 val=5 unit=EUR_per_metric_ton_unit>€5 per metric ton unit</V>",
        "<M id=m1>well past</M> <V id=v1 val=5 mod=lower_bound m=m1>five</V>",
    ],
)
def test_what_the_article_leaves_to_be_understood_is_left_alone(body: str) -> None:
    assert found(quantities, body) == []


# ---- one surface, two ways --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ("<P id=p1>Ana Ruiz</P> left. Later Ana Ruiz came back.", "p1"),
        ("<P id=p1>Ana Ruiz</P> left. <P id=p2 same=p1>Ruiz</P> drove. Nobody saw Ruiz.", "p2"),
        (
            "<R id=r1>Mayor</R> <P id=p1 role=r1>Ana Ruiz</P> and Mayor <P id=p2>Bo Lind</P>",
            "r1",
        ),
        (
            "<P id=p1 aff=a1>Ana Ruiz</P> of <A id=a1>Helio</A> met Helio's "
            "<R id=r1>chief</R> <P id=p2 role=r1>Bo Lind</P>",
            "a1",
        ),
        ("up <V id=v1 val=12 unit=percent>12 percent</V>, that is, 12 percent", "v1"),
        (
            "<M id=m1>about</M> <V id=v1 val=5 mod=approximate m=m1>five</V> and about "
            "<V id=v2 val=9>nine</V>",
            "v2 m1",
        ),
        (
            "<Q id=q1 by=s1 cue=c1>It rains</Q>, <C id=c1>according to</C> <S id=s1>her</S>. "
            "It snows, according to him.",
            "c1",
        ),
    ],
)
def test_surface_marked_only_in_one_place_is_found(body: str, ids: str) -> None:
    assert found(both_ways, body) == [ids]


@pytest.mark.parametrize(
    "body",
    [
        "<P id=p1>Ana Ruiz</P> gave to the Ana Ruiz Foundation.",
        "<P id=p1>Ruiz</P> is one of the Ruiz family, of Ruiz v. Lind and of Port Ruiz.",
        "<R id=r1>Mayor</R> <P id=p1 role=r1>Ana Ruiz</P> will elect a new mayor.",
        "<P id=p1 aff=a1>Ana Ruiz</P> of <A id=a1>Helio</A>. Helio sold its mine.",
        "<V id=v1 val=12>12</V> and 12 again",
        "<P id=p1>Ana Ruiz</P> owns <A id=a1>Ruiz & Sons</A>; <P id=p2 same=p1>Ruiz</P> founded "
        "it. Then Ruiz went bankrupt.",
        "<M id=m1>up to</M> <V id=v1 val=5 mod=upper_bound m=m1>five</V>, and came up to "
        "<V id=v2 val=19>nineteen</V>",
        "<M id=m1>under</M> <V id=v1 val=5 mod=upper_bound m=m1>five</V>, under "
        "<V id=v2 val=2>two</V> deals",
    ],
)
def test_same_letters_with_another_meaning_are_left_alone(body: str) -> None:
    assert found(both_ways, body) == []


def test_unit_in_another_spelling_than_the_list_has_is_found() -> None:
    body = "<V id=v1 val=3 unit={} kind=duration>three years</V>"
    assert found(units, body.format("years")) == ["v1"]
    assert found(units, body.format("year")) == []
    assert found(units, "<V id=v1 val=3 unit=kilometers_per_hour kind=measure>3 km/h</V>") == ["v1"]
    assert found(units, "<V id=v1 val=3 unit=killometre kind=measure>3 km</V>") == ["v1"]
    # Words of the article may be units that no list has.
    counted = "<V id=v1 val=3 unit=moth_per_night kind=measure>3 moths a night</V>"
    assert found(units, counted) == []


def test_layer_that_is_not_complete_is_not_judged() -> None:
    article = read("<P id=p1>Ana Ruiz</P> left. Later Ana Ruiz came back.")
    assert list(both_ways(replace(article, complete_layers=("quantity",)))) == []


# ---- links, people, phenomena -------------------------------------------------------------------


def test_span_that_is_only_there_for_a_link_needs_it() -> None:
    body = (
        "<Q id=q1 by=s1 cue=c1>“A,”</Q> <S id=s1>she</S> <C id=c1>said</C>, "
        "<S id=s2>he</S> <C id=c2>said</C>, <V id=v1 val=5 of=x1>five</V> <X id=x1>cats</X> and "
        "<X id=x2>dogs</X>"
    )
    assert found(unlinked, body) == ["s2", "c2", "x2"]


def test_further_mention_without_same_person_is_found() -> None:
    body = "<P id=p1>Ana Ruiz</P>, <P id=p2 same=p1>Ruiz</P>, <P id=p3>Ruiz</P>"
    assert found(same_person, body) == ["p3 p1"]


def test_two_people_with_one_surname_are_left_alone() -> None:
    body = "<P id=p1>Ana Ruiz</P>, <P id=p2 same=p1>Ruiz</P>, <P id=p3>Bo Ruiz</P>"
    assert found(same_person, body) == []


def test_phenomenon_of_a_span_that_is_not_there_is_found() -> None:
    [remark] = phenomena(read("<Q id=q1>“A.”</Q>", "phenomena: {range: [q1, v9]}\n"))
    assert "range names v9, which is no span" in remark.message


# ---- similar texts and contexts ------------------------------------------------------------------


def words(seed: int, count: int = 100) -> str:
    return " ".join(f"w{seed}x{number}" for number in range(count))


def test_texts_that_share_runs_of_words_are_paired() -> None:
    texts = [words(1), words(2), f"{words(3, 80)} {words(1, 20)}"]
    assert [(pair.first, pair.second, pair.shared) for pair in similar_texts(texts)] == [(0, 2, 16)]


def test_any_number_of_copies_is_found() -> None:
    pairs = [(pair.first, pair.second) for pair in similar_texts([words(1)] * 100)]
    assert pairs == [(0, index) for index in range(1, 100)]


def test_texts_without_five_words_are_never_similar() -> None:
    assert list(similar_texts(["", "", "a b c", "a b c"])) == []


def test_context_marks_the_span_in_one_line() -> None:
    text = "one two\n\nthree four five"
    assert context(text, 9, 14) == "one two [[three]] four five"


def test_context_of_a_long_span_keeps_both_ends() -> None:
    shown = context("x" * 50 + "A" + "b" * 400 + "Z" + "y" * 50, 50, 452)
    assert shown.startswith("…x")
    assert "[[Ab" in shown
    assert "bZ]]" in shown
    assert len(shown) < 100
