"""The library contract of `Extractor`, with models whose answers are known or random."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimx.checkpoint import save_checkpoint
from claimx.errors import ConfigError, InputError
from claimx.extractor import Extractor
from claimx.labels import LabelSchema
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article, Extraction
from tests.tiny import (
    LEXICON,
    TOKENIZERS,
    lexicon_checkpoint,
    random_checkpoint,
    random_model,
    wordpiece,
)

STORY = (
    "“The harbour will be shut,” said Okafor. Minister Ruiz of Norvale told the board of about "
    "40 percent of boats."
)


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor.from_checkpoint(lexicon_checkpoint(), device="cpu", dtype="float32")


@pytest.fixture(scope="module", params=TOKENIZERS)
def random(request) -> Extractor:
    return Extractor.from_checkpoint(
        random_checkpoint(request.param), device="cpu", dtype="float32"
    )


def texts_of(spans: Any) -> list[str]:
    return [span.text for span in spans]


def all_spans(record: Any) -> Iterator[dict[str, Any]]:
    """Everything in a record that has a place in the text."""
    if isinstance(record, dict):
        if {"start", "end", "text"} <= set(record):
            yield record
        for value in record.values():
            yield from all_spans(value)
    elif isinstance(record, list):
        for value in record:
            yield from all_spans(value)


def without_scores(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_scores(item) for key, item in value.items() if key != "score"}
    return [without_scores(item) for item in value] if isinstance(value, list) else value


def scores_in(value: Any) -> list[float]:
    if isinstance(value, dict):
        own = [value["score"]] if "score" in value else []
        return own + [score for item in value.values() for score in scores_in(item)]
    return [score for item in value for score in scores_in(item)] if isinstance(value, list) else []


def assert_alike(one: Extraction, other: Extraction, tolerance: float = 1e-3) -> None:
    left, right = one.to_dict(with_text=True), other.to_dict(with_text=True)
    assert without_scores(left) == without_scores(right)
    assert scores_in(left) == pytest.approx(scores_in(right), abs=tolerance)


def assert_places_hold(extraction: Extraction) -> None:
    for span in all_spans(extraction.to_dict()):
        assert extraction.text[span["start"] : span["end"]] == span["text"]
        assert span["text"] == span["text"].strip()


# ---- one article --------------------------------------------------------------------------------


def test_an_article_becomes_quotes_people_and_claims(extractor):
    extraction = extractor(STORY)
    (quote,) = extraction.quotes
    assert (quote.text, quote.kind) == ("“The harbour will be shut,”", "direct")
    assert quote.speaker.text == "Okafor"
    assert quote.speaker.name == "Okafor"
    assert quote.cue.text == "said"
    assert [person.name for person in extraction.people] == ["Okafor", "Ruiz"]
    (claim,) = extraction.claims
    assert (claim.quantity.value, claim.quantity.unit) == (40, "percent")
    assert claim.modifier.text == "about"
    assert claim.measured.text == "boats"
    assert_places_hold(extraction)


def test_the_record_says_what_was_read_by_which_model(extractor):
    extraction = extractor(Article("a7", STORY, meta={"page": 3}))
    assert (extraction.id, extraction.text) == ("a7", STORY)
    assert extraction.meta == {"page": 3}
    assert extraction.model == "claimx 0 (ffffffff)"
    assert extraction.attribution == "reported"
    assert Extraction.from_dict(json.loads(json.dumps(extraction.to_dict()))).quotes[0].id == "q0"


@pytest.mark.parametrize(
    "text", ["", " \n\t\u3000", "12", "!!! … ???", "\0", "\u200b\u0301", "\ufeff"]
)
def test_a_text_without_letters_is_read(random, text):
    extraction = random(text)
    assert extraction.error is None
    assert extraction.text == text
    assert_places_hold(extraction)


@pytest.mark.parametrize("text", ["", " \n\t\u3000\r\n"])
def test_a_text_without_characters_is_empty_of_results(random, text):
    extraction = random(text)
    assert not (extraction.quotes or extraction.people or extraction.claims or extraction.sources)


NASTY = st.lists(
    st.sampled_from(
        [
            "said ", "Okafor ", "Ines ", "40 ", "percent", "$2.3bn ", "“", "”", "‘", "’", '"', "'s ",
            "\n\n", "\r\n", "\0", "\u200b", "e\u0301", "\u0301", "😀", "👩\u200d🚀", "\u202eא", "中文",
            "\ud800", "\udfff", "\ufeff", "\x0c", "\xa0", "ﬁ", "İ", "ß", ".", ",", " ",
        ]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NASTY)
def test_every_offset_holds_for_any_text(random, text):
    extraction = random(text)
    assert extraction.error is None
    assert len(extraction.text) == len(text)
    assert_places_hold(extraction)
    json.dumps(extraction.to_dict(with_text=True)).encode()


def test_a_span_takes_in_the_accents_of_its_last_letter():
    found = Extractor.from_checkpoint(random_checkpoint(), device="cpu", dtype="float32")(
        "Cafe\u0301 cafe\u0301 Cafe\u0301. " * 6
    )
    ends = [span["text"] for span in all_spans(found.to_dict()) if "caf" in span["text"].lower()]
    assert ends
    assert not [text for text in ends if text.endswith("e")]


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 lone surrogate read"), (2, "2 lone surrogates read")]
)
def test_lone_surrogates_are_noted_and_move_nothing(extractor, count, words):
    extraction = extractor("\ud83d" * count + " " + STORY)
    assert extraction.notes == (f"{words} as U+FFFD",)
    assert extraction.quotes[0].start == count + 1
    assert extraction.text == "�" * count + " " + STORY


def test_a_clean_text_has_no_notes(extractor):
    assert extractor(STORY).notes == ()


# ---- long texts ---------------------------------------------------------------------------------


def test_a_quote_far_down_a_long_text_is_found_as_in_the_short_one(extractor):
    filler = "The pier was of the board and was the pier of it.\n\n" * 400
    short, long = extractor(STORY), extractor(filler + STORY)
    assert len(filler) > 20_000

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: item + len(filler) if key in ("start", "end") else moved(item)
                for key, item in value.items()
            }
        return [moved(item) for item in value] if isinstance(value, list) else value

    for name in ("quotes", "sources", "people", "claims"):
        assert long.to_dict()[name] == moved(short.to_dict()[name])


def test_windows_do_not_show_in_the_result():
    text = "\n\n".join(f"{STORY} Part {number}." for number in range(8))
    whole = Extractor.from_checkpoint(
        lexicon_checkpoint(window=100_000), device="cpu", dtype="float32"
    )(text)
    assert len(whole.quotes) == 8
    for window, overlap in ((60, 16), (33, 5), (20, 10), (16, 0)):
        parts = Extractor.from_checkpoint(
            lexicon_checkpoint(window=window, overlap=overlap), device="cpu"
        )(text)
        assert parts.to_dict() == whole.to_dict()


@pytest.mark.parametrize(
    "text", ["x" * 30_000, "中" * 3_000, "a " + "é" * 5_000 + " b", "“" * 3_000]
)
def test_a_long_text_without_spaces_is_read_to_the_end(random, text):
    extraction = random(text)
    assert extraction.error is None
    assert_places_hold(extraction)


# ---- many articles ------------------------------------------------------------------------------

MANY = [
    STORY, "", "She said “no” twice. " * 30, "Okafor", "Ruiz told Norvale: 12 percent.\n\n" * 9, " ",
    "“We will shut the pier.\n\n“We will,” Ines Okafor said.",
]  # fmt: skip


def test_an_article_has_the_same_result_alone_in_a_batch_and_in_any_order(random):
    articles = [Article(f"a{number}", text) for number, text in enumerate(MANY)]
    alone = [random(article) for article in articles]
    assert sum(len(list(all_spans(extraction.to_dict()))) for extraction in alone) > 50
    for one, other in zip(alone, random.extract_many(articles), strict=True):
        assert_alike(one, other)
    for one, other in zip(
        alone[::-1], random.stream(articles[::-1], tokens_at_once=50), strict=True
    ):
        assert_alike(one, other)


def test_eight_threads_give_what_one_gives(random):
    articles = [Article(f"a{number}", text) for number, text in enumerate(MANY * 4)]
    expected = [random(article).to_dict() for article in articles]
    with ThreadPoolExecutor(8) as pool:
        found = [extraction.to_dict() for extraction in pool.map(random, articles)]
    assert found == expected


def test_strings_are_named_by_their_place(extractor):
    assert [item.id for item in extractor.extract_many(["a", "b"])] == ["0", "1"]


def test_stream_reads_only_a_little_ahead(extractor):
    taken = []

    def endless() -> Iterator[str]:
        number = 0
        while True:
            taken.append(number)
            yield STORY
            number += 1

    stream = extractor.stream(endless(), tokens_at_once=100)
    for _ in range(3):
        next(stream)
    assert len(taken) < 12


def test_no_articles_have_no_extractions(extractor):
    assert extractor.extract_many([]) == []


# ---- articles that cannot be read -------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [None, 5, b"bytes", ["text"], Article("a", None), Article("a", b"x")]
)
def test_what_is_not_text_raises_alone(extractor, bad):
    with pytest.raises(InputError) as raised:
        extractor(bad)
    assert raised.value.kind == "not_text"


def test_too_large_raises_alone_and_says_what_to_do():
    small = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cpu", dtype="float32", max_chars=200
    )
    assert small("x" * 200).error is None
    with pytest.raises(InputError, match=r"'a'.*201 characters.*max_chars = 200") as raised:
        small(Article("a", "x" * 201))
    assert raised.value.kind == "too_large"


def test_bad_articles_are_errors_in_their_place_and_harm_no_neighbour(extractor):
    small = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cpu", dtype="float32", max_chars=500
    )
    articles = [
        Article("good", STORY), Article("large", "x" * 501, meta={"page": 2}), 5,
        Article("none", None), Article("last", STORY),
    ]  # fmt: skip
    results = small.extract_many(articles)
    assert [item.id for item in results] == ["good", "large", "2", "none", "last"]
    assert [item.error and item.error.kind for item in results] == [
        None, "too_large", "not_text", "not_text", None,
    ]  # fmt: skip
    assert results[1].meta == {"page": 2}
    for place in (0, 4):
        assert results[place].to_dict()["quotes"] == extractor(STORY).to_dict()["quotes"]


@pytest.mark.parametrize("stage", ["encode", "score"])
def test_a_fault_inside_harms_its_own_article_alone(stage, monkeypatch):
    extractor = Extractor.from_checkpoint(lexicon_checkpoint(), device="cpu", dtype="float32")
    engine = extractor._engine
    honest = getattr(engine, stage)

    def faulty(given: Any, *rest: Any) -> Any:
        texts = [given] if isinstance(given, str) else [item.text for item in given]
        if "poison" in texts:
            raise RuntimeError("out of ink")
        return honest(given, *rest)

    monkeypatch.setattr(engine, stage, faulty)
    results = extractor.extract_many([STORY, "poison", STORY])
    assert [item.error and item.error.kind for item in results] == [None, "internal", None]
    assert results[1].id == "1"
    assert "out of ink" in results[1].error.message
    assert len(results[2].quotes) == 1


def test_an_article_that_memory_does_not_hold_harms_its_own_article_alone():
    extractor = Extractor.from_checkpoint(lexicon_checkpoint(), device="cpu", dtype="float32")
    honest = extractor._engine.backend.model.forward

    def narrow(ids: torch.Tensor, *others: torch.Tensor) -> Any:
        if ids.numel() > 48:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return honest(ids, *others)

    extractor._engine.backend.model.forward = narrow
    results = extractor.extract_many([STORY, STORY * 3, STORY])
    assert [item.error is None for item in results] == [True, False, True]
    assert "single window" in results[1].error.message
    assert (
        results[2].quotes
        == Extractor.from_checkpoint(lexicon_checkpoint(), device="cpu", dtype="float32")(
            STORY
        ).quotes
    )


def test_a_single_text_in_place_of_many_is_refused(extractor):
    with pytest.raises(InputError):
        extractor.extract_many(STORY)


def test_a_stream_that_is_left_early_leaves_no_thread_behind(extractor):
    before = threading.active_count()
    stream = extractor.stream((STORY for _ in count()), tokens_at_once=50)
    assert next(stream).quotes
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before


# ---- options ------------------------------------------------------------------------------------


def test_the_title_is_read_only_where_it_is_asked_for(extractor):
    article = Article("a", "It was the pier.", title="“No,” said Okafor")
    assert extractor(article).quotes == ()
    with_title = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cpu", dtype="float32", title="prepend"
    )(article)
    assert with_title.text == "“No,” said Okafor\n\nIt was the pier."
    assert texts_of(with_title.quotes) == ["“No,”"]
    assert_places_hold(with_title)
    assert (
        Extractor.from_checkpoint(
            lexicon_checkpoint(), device="cpu", dtype="float32", title="prepend"
        )(STORY).text
        == STORY
    )


def test_spans_below_the_least_score_are_left_out():
    every = Extractor.from_checkpoint(random_checkpoint(), device="cpu", dtype="float32")(MANY[4])
    quotes = sorted(quote.score for quote in every.quotes)
    least = quotes[len(quotes) // 2]
    some = Extractor.from_checkpoint(
        random_checkpoint(), device="cpu", dtype="float32", min_score=least
    )(MANY[4])
    assert 0 < len(some.quotes) < len(every.quotes)
    assert min(quote.score for quote in some.quotes) >= least
    assert {quote.start for quote in some.quotes} <= {quote.start for quote in every.quotes}


def test_the_broad_layer_answers_where_it_is_asked_for(extractor):
    text = "“No,” said the board."
    assert extractor(text).quotes[0].speaker is None
    broad = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cpu", dtype="float32", attribution="broad"
    )(text)
    assert broad.attribution == "broad"
    assert broad.quotes[0].speaker.text == "board"


def test_a_bare_dollar_is_what_the_caller_says():
    lexicon = {"$": "quantity/B-QUANTITY", "40": "quantity/I-QUANTITY"}
    for currency in ("USD", "AUD"):
        found = Extractor.from_checkpoint(
            lexicon_checkpoint(lexicon), device="cpu", currency=currency
        )("It was $40.")
        assert found.claims[0].quantity.unit == currency


@pytest.mark.parametrize(
    "options",
    [
        {"attribution": "wide"}, {"min_score": 1.5}, {"title": "append"}, {"currency": "dollars"},
        {"device": "moon"}, {"dtype": "int3"}, {"device": "mps"}, {"device": 3}, {"dtype": 4},
        {"min_score": "0.5"}, {"min_score": True}, {"max_chars": 0}, {"max_chars": "9"},
        {"max_chars": 1.5}, {"currency": 840}, {"attribution": 7}, {"title": False},
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(options):
    (value,) = options.values()
    with pytest.raises(ConfigError, match=str(value)):
        Extractor.from_checkpoint(lexicon_checkpoint(), **{"device": "cpu", **options})


@pytest.mark.parametrize("given", [(), ("claimx-en",), (None,)])
def test_an_extractor_that_is_made_without_a_model_says_how_it_is_made(given):
    with pytest.raises(ConfigError, match=r"made by Extractor\.from_pretrained\(\)"):
        Extractor(*given)


def test_an_extractor_says_what_it_reads_with(extractor):
    shown = repr(extractor)
    for part in (extractor.model_name, "'torch'", "'cpu'", "'float32'"):
        assert part in shown


def test_a_model_without_the_broad_layer_says_so():
    schema = LabelSchema.from_dict({"layers": {"attribution": ["QUOTE", "CUE", "SPEAKER"]}})
    checkpoint = random_checkpoint(schema=schema)
    assert (
        Extractor.from_checkpoint(checkpoint, device="cpu", dtype="float32")(STORY).attribution
        == "reported"
    )
    with pytest.raises(ConfigError, match="no 'broad' attribution"):
        Extractor.from_checkpoint(checkpoint, device="cpu", dtype="float32", attribution="broad")


def test_a_users_own_schema_is_read():
    schema = LabelSchema.from_dict(
        {"layers": {"pets": ["CAT"]}, "links": {"near": {"heads": ["CAT"], "tails": ["CAT"]}}}
    )
    extractor = Extractor.from_checkpoint(
        lexicon_checkpoint({"ferry": "pets/B-CAT", "pier": "pets/B-CAT"}, schema), device="cpu"
    )
    (article,) = extractor.annotate_many([Article("a", "The ferry hit the pier.")])
    assert [(span.label, span.text) for span in article.spans] == [
        ("CAT", "ferry"),
        ("CAT", "pier"),
    ]
    assert {link.type for link in article.links} == {"near"}
    assert extractor("The ferry hit the pier.").quotes == ()


def test_a_folder_gives_the_results_of_the_model_that_was_written(tmp_path):
    model = random_model().half().float()
    save_checkpoint(tmp_path, model, wordpiece(), {"fingerprints": ["ab"]})
    loaded = Extractor.from_pretrained(tmp_path, backend="torch", device="cpu", dtype="float32")
    before = Extractor.from_checkpoint(random_checkpoint(), device="cpu", dtype="float32")
    before._engine.backend.model.load_state_dict(model.state_dict())
    assert loaded.training_fingerprints == {"ab"}
    assert_alike(loaded(MANY[2]), replace(before(MANY[2]), model=loaded.model_name))


# ---- for evaluation -------------------------------------------------------------------------------


def test_annotations_come_in_all_layers_with_links_and_normal_forms(extractor):
    (article,) = extractor.annotate_many([Article("a", STORY)])
    found = {(span.layer, span.label, span.text) for span in article.spans}
    assert ("attribution", "SPEAKER", "Okafor") in found
    assert ("attribution_broad", "SPEAKER", "board") in found
    assert ("quantity", "QUANTITY", "40 percent") in found
    (quantity,) = (span for span in article.spans if span.label == "QUANTITY")
    assert (quantity.attrs["value"], quantity.attrs["unit"]) == (40, "percent")
    assert {"said_by", "cued_by", "measures", "modified_by"} <= {
        link.type for link in article.links
    }


def test_annotations_refuse_what_cannot_be_read(extractor):
    with pytest.raises(InputError, match="'b'"):
        extractor.annotate_many([Article("a", STORY), Article("b", None)])


def test_given_spans_are_kept_and_their_links_replaced(extractor):
    def span(span_id: str, label: str, surface: str) -> AnnotatedSpan:
        start = STORY.index(surface)
        return AnnotatedSpan(span_id, "attribution", label, start, start + len(surface), surface)

    spans = (
        span("q", "QUOTE", "“The harbour will be shut,”"), span("s", "SPEAKER", "kafor"),
        span("c", "CUE", "said"),
    )  # fmt: skip
    (linked,) = extractor.link_many([AnnotatedArticle("a", STORY, spans)])
    assert linked.spans == spans
    assert {(link.type, link.head, link.tail) for link in linked.links} == {
        ("said_by", "q", "s"), ("cued_by", "q", "c"),
    }  # fmt: skip


@pytest.mark.gpu
def test_a_gpu_finds_what_the_cpu_finds():
    articles = [Article(f"a{number}", text) for number, text in enumerate(MANY)]
    on_cpu = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cpu", dtype="float32"
    ).extract_many(articles)
    on_gpu = Extractor.from_checkpoint(
        lexicon_checkpoint(), device="cuda", dtype="float32"
    ).extract_many(articles)
    for one, other in zip(on_cpu, on_gpu, strict=True):
        assert_alike(one, other, tolerance=1e-2)


def test_an_article_alone_is_no_span():
    checkpoint = lexicon_checkpoint({**LEXICON, "the": "identity/B-AFFILIATION"})
    [article] = Extractor.from_checkpoint(checkpoint).annotate_many(
        [Article("a", "The minister told Norvale.")]
    )
    assert [span.text for span in article.spans if span.layer == "identity"] == [
        "minister", "Norvale"
    ]  # fmt: skip
