"""The page of an evaluation: whole, escaped, every link with an end, nothing from anywhere else."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.types import AnnotatedArticle, AnnotatedSpan
from tests.annotating import annotate, kind_by_first_mark
from tests.page.parsing import Parsed, written
from tests.page.test_page import HOSTILE, TEXTS
from tests.training.test_evaluate import FERRY, TRAM, Parrot
from training.evaluate import Evaluation, evaluate
from training.page.charts import difference_scale, interval_chart, share_scale
from training.page.comparison import compared, signed
from training.page.document import page
from training.page.passages import passage, pieces, sentences

ELEMENTS = set(
    "html head meta title style body a p main div ul li span label input header h1 h2 h3 article "
    "form select option output button section ol small details summary script nav b u bdi strong "
    "table thead tbody tr th td figure figcaption svg line circle rect polygon polyline text".split()
)


def evaluated(model: Parrot, *golds: AnnotatedArticle, **more: Any) -> Evaluation:
    found = evaluate(model, golds, resamples=20, quote_kind=kind_by_first_mark,
                     canonical_unit=lambda name: name, **more)  # fmt: skip
    named = {
        "name": "model 1",
        "model": "runs/new",
        "baseline": more.get("baseline") and "runs/old",
    }
    return replace(found, report={**named, "data": ["own/test.jsonl"], **found.report})


def compared_page() -> str:
    baseline = Parrot(FERRY, TRAM, without="CUE")
    return page(evaluated(Parrot(FERRY, TRAM, without="SPEAKER"), FERRY, TRAM, baseline=baseline))


def words_of(shown: str) -> str:
    return " ".join(Parsed(shown).words.split())


def test_the_page_is_well_formed_and_every_link_leads_to_a_place_on_it():
    parsed = Parsed(compared_page())

    assert {tag for tag, _ in parsed.tags} <= ELEMENTS
    assert len(set(parsed.ids())) == len(parsed.ids())
    links = [attrs["href"] for tag, attrs in parsed.tags if tag == "a"]
    assert len(links) > 8
    assert {link.removeprefix("#") for link in links} <= set(parsed.ids())


def hostile(labels: tuple[str, str]) -> AnnotatedArticle:
    text = f"{HOSTILE} said {HOSTILE}"
    gold = annotate(text, [("g", f"attribution/{labels[0]}", HOSTILE[:30]),
                           ("h", f"attribution/{labels[1]}", HOSTILE[5:40], 1)])  # fmt: skip
    return replace(gold, id=HOSTILE)


def test_nothing_from_articles_labels_or_models_becomes_markup():
    gold = hostile((f"A{HOSTILE}", f"B{HOSTILE}"))
    model = Parrot(gold, without=f"A{HOSTILE}")
    made = evaluated(model, gold, baseline=Parrot(gold, without=f"B{HOSTILE}"))
    named = dict.fromkeys(
        ("name", "model", "baseline", "baseline_name", "device", "dtype"), HOSTILE
    )

    parsed = Parsed(page(replace(made, report={**made.report, **named, "data": [HOSTILE]})))

    assert {tag for tag, _ in parsed.tags} <= ELEMENTS
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert not [name for _, attrs in parsed.tags for name in attrs if name.startswith("on")]
    assert not [attrs for _, attrs in parsed.tags if {"src", "style", "action"} & attrs.keys()]
    assert all(attrs["href"].startswith("#") for _, attrs in parsed.tags if attrs.get("href"))
    assert parsed.words.count("alert(1)") > 10


def test_errors_stand_in_their_sentence_as_gold_has_it_and_as_the_model_reads_it():
    shown = words_of(page(evaluated(Parrot(TRAM, without="SPEAKER"), TRAM)))

    assert "attribution SPEAKER: missed (1) tram:17" in shown
    assert "gold The tram is new, SPEAKER [ he ] said. model The tram is new, he said." in shown
    assert "1 attribution SPEAKER missed attribution.SPEAKER +100.0" in shown


def test_a_comparison_says_what_got_better_and_worse_sentence_by_sentence():
    shown = words_of(compared_page())

    assert "Better in" in shown
    assert "no longer attribution CUE: missed" in shown
    assert "now attribution SPEAKER: missed" in shown
    # The cues are as in gold for the model alone, the speakers for the baseline alone.
    assert "figures are told apart, " in shown
    assert "100.0 +100.0 +100.0 to +100.0 ▲ better" in shown
    assert "0.0 -100.0 -100.0 to -100.0 ▼ worse" in shown


def test_readings_that_are_equal_are_one_row():
    baseline = Parrot(TRAM, without="CUE")

    shown = words_of(page(evaluated(Parrot(TRAM), TRAM, baseline=baseline)))

    assert "gold = model QUOTE [ The tram is new ] , SPEAKER [ he ] CUE [ said ] ." in shown
    assert "baseline QUOTE 0.50 [ The tram is new ] , SPEAKER 0.50 [ he ] said." in shown


@pytest.mark.parametrize(("points", "written"), [(1.25, "+1.2"), (-0.3, "-0.3"), (-0.04, "0.0"), (0.0, "0.0")])  # fmt: skip
def test_a_difference_has_its_sign_unless_it_rounds_to_0(points, written):
    assert signed(points) == written


def test_without_a_baseline_nothing_is_compared():
    shown = words_of(page(evaluated(Parrot(TRAM), TRAM)))

    assert "Better or worse" not in shown
    assert "baseline" not in shown
    assert "No errors." in shown


def test_articles_of_the_training_data_stand_in_a_section_of_their_own():
    shown = words_of(page(evaluated(Parrot(FERRY, trained_on=FERRY.text), FERRY)))

    assert "0 articles that the model was not trained on" in shown
    assert "1 more articles were in the training data" in shown
    assert "On articles of the training data Spans" in shown


def test_counts_of_the_baseline_stand_beside_and_classes_that_are_gone_remain():
    shown = words_of(compared_page())

    assert "2 0 attribution SPEAKER missed" in shown
    assert "0 2 attribution CUE missed" in shown


# ---- passages -----------------------------------------------------------------------------


def test_the_context_is_the_sentence_and_far_ends_stand_apart():
    text = (
        "It rained. Mara Lind left early. " + "Nothing happened. " * 40 + "She said no. It ended."
    )
    article = annotate(text, [("p", "PERSON", "Mara Lind"), ("s", "SPEAKER", "She")])

    shown = [text[start:end].strip() for start, end in sentences(text, article.spans)]

    assert shown == ["Mara Lind left early.", "She said no."]


def test_spans_may_nest_in_the_marks():
    article = annotate(
        "Mr Lind, 40, left", [("s", "SPEAKER", "Mr Lind, 40"), ("p", "PERSON", "Lind")]
    )

    made = pieces(article.text, 0, len(article.text), article.spans)

    shown = "".join(
        "".join(f"{mark}[" for mark in piece.opening) + piece.text + "]" * piece.closing
        for piece in made
    )
    assert shown == "SPEAKER[Mr PERSON[Lind], 40], left"
    assert [piece.marked for piece in made] == [True, True, True, False]


class Unmarked(HTMLParser):
    """The text of a passage without labels and brackets."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.text, self._open = "", [""]
        self.feed(shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self._open[-1] in ("bdi", "u") else ""


@given(TEXTS, st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=6))
def test_a_parser_gets_the_sentence_back_whatever_is_marked_in_it(text, edges):
    places = [(min(ends), min(max(ends), len(text))) for ends in edges]
    spans = [
        AnnotatedSpan(str(at), "x", HOSTILE, start, end, text[start:end])
        for at, (start, end) in enumerate(places)
        if start < end
    ]

    shown = passage(["gold"], text, [(0, len(text))], spans)

    assert Unmarked(shown).text == written(text.rstrip())


# ---- figures ------------------------------------------------------------------------------


def test_totals_of_one_layer_and_the_answer_nobody_are_no_figures():
    entry = {"f1": 0.5, "baseline_f1": 0.4, "difference": 0.1, "difference_interval": [0.0, 0.2]}
    names = ["links_exact.said_by.attribution", "links_exact.said_by.all", "nameless.x.right",
             "nameless.x.nobody", "links_exact.has_role.all", "links_exact.has_role.attribution",
             "links_exact.has_role.identity"]  # fmt: skip

    found = {one.key for one in compared(dict.fromkeys(names, entry))}

    assert set(names) - found == {"links_exact.said_by.all", "nameless.x.nobody"}


@pytest.mark.parametrize(("low", "high", "verdict"), [(0.01, 0.2, "better"), (-0.1, 0.2, ""), (-0.3, -0.1, "worse"), (0.0, 0.2, "")])  # fmt: skip
def test_only_an_interval_that_leaves_out_0_is_a_verdict(low, high, verdict):
    entry = {"f1": 0.5, "baseline_f1": 0.4, "difference": 0.1, "difference_interval": [low, high]}

    [one] = compared({"spans.x.y.exact": entry})

    assert one.verdict == verdict


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)).map(sorted), max_size=8))  # fmt: skip
@settings(max_examples=50)
def test_intervals_are_drawn_inside_their_column(drawn):
    intervals = [(value, low, high) for low, value, high in drawn]
    for scale in (difference_scale(intervals), share_scale(intervals)):
        for interval in intervals:
            parsed = Parsed(interval_chart(interval, scale))
            places = [
                float(attrs[key] or "nan")
                for _, attrs in parsed.tags
                for key in ("x1", "x2", "cx")
                if key in attrs
            ]
            assert all(0 <= place <= 170 for place in places)
