"""Training articles to examples: masked where nothing is known, cut without loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from claimx.batching import special_tokens
from claimx.errors import AnnotationError
from claimx.labels import DEFAULT_SCHEMA
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link
from tests.annotating import annotate
from tests.tiny import TOKENIZERS, wordpiece
from tests.training.small import PIER, only, small_config
from training.config import Corpus
from training.data import TrainingArticle
from training.examples import IGNORED, Featuriser, build_dataset, link_targets

LAYERS = [layer.name for layer in DEFAULT_SCHEMA.layers]
LINKS = [link.name for link in DEFAULT_SCHEMA.links]


def featuriser(kind: str = "wordpiece", **changes: object) -> Featuriser:
    tokenizer = TOKENIZERS[kind]()
    config = small_config(Path(), corpora=(Corpus("x"),), **changes)
    return Featuriser(tokenizer, special_tokens(tokenizer), DEFAULT_SCHEMA, config)


def examples(article: AnnotatedArticle, corpus: Corpus | None = None, **changes: object):
    item = TrainingArticle(article, corpus or Corpus("x"))
    return list(featuriser(**changes).examples(item))


def tags_of(row: dict, layer: str) -> np.ndarray:
    return np.array(row["tags"]).reshape(len(LAYERS), -1)[LAYERS.index(layer)]


def pairs_of(row: dict) -> list[tuple[str, int, int, int]]:
    """``(type, head, tail, target)`` of every pair."""
    table = np.array(row["pairs"], dtype=int).reshape(-1, 12)
    return [(LINKS[number], head, tail, target) for head, tail, number, target in table[:, :4]]


def test_a_layer_that_is_not_complete_is_masked():
    (row,) = examples(only(PIER, "identity"))
    assert set(tags_of(row, "quantity").tolist()) == {IGNORED}
    assert set(tags_of(row, "attribution").tolist()) == {IGNORED}
    # In a complete layer silence means O.
    assert set(tags_of(row, "identity").tolist()) == {IGNORED, 0, 1, 2, 3, 4, 5, 6}


def test_spans_of_a_layer_that_is_not_complete_are_kept():
    (row,) = examples(replace(only(PIER, "identity"), complete_layers=()))
    assert set(tags_of(row, "identity").tolist()) == {IGNORED, 1, 2, 3, 4, 5, 6}


def test_tags_stand_at_the_first_token_of_each_word_alone():
    (row,) = examples(PIER)
    tags = tags_of(row, "identity")
    units = (tags != IGNORED).sum()
    assert units < len(tags)
    assert units == len(
        PIER.text.replace(",", " ,")
        .replace("“", "“ ")
        .replace("”", " ”")
        .replace(".", " .")
        .split()
    )


def test_links_are_taught_where_both_layers_are_complete():
    (row,) = examples(PIER)
    kinds = {kind for kind, _, _, _ in pairs_of(row)}
    assert {"said_by", "cued_by", "refers_to", "has_role", "modified_by", "measures"} <= kinds
    assert sum(target for *_, target in pairs_of(row)) == len(PIER.links)


def test_a_missing_link_is_no_answer_where_a_layer_is_not_complete():
    article = replace(PIER, complete_layers=("attribution",), links=())
    (row,) = examples(article)
    assert {kind for kind, *_ in pairs_of(row)} == {"said_by", "cued_by"}


def test_a_marked_link_is_an_answer_though_its_layers_are_not_complete():
    article = replace(PIER, complete_layers=())
    (row,) = examples(article)
    taught = {(kind, target) for kind, _, _, target in pairs_of(row)}
    assert {("said_by", 1), ("measures", 1), ("refers_to", 1)} <= taught
    # Of types whose pairs are judged alone, silence about the others says nothing.
    assert "has_role" not in {kind for kind, _ in taught}


def test_link_types_that_a_corpus_lacks_are_not_taught():
    (row,) = examples(PIER, Corpus("x", unlinked=("refers_to", "same_person")))
    kinds = {kind for kind, *_ in pairs_of(row)}
    assert "same_person" not in kinds
    assert "has_role" in kinds


def test_every_mention_of_a_person_is_a_right_answer():
    text = "Ana Ruiz left. Ruiz said no. She said so to Hale and A. Ruiz."
    article = annotate(
        text,
        [
            ("p1", "PERSON", "Ana Ruiz"), ("p2", "PERSON", "Ruiz", 1), ("p3", "PERSON", "Hale"),
            ("p4", "PERSON", "A. Ruiz"), ("s", "SPEAKER", "She"),
        ],
        [("refers_to", "s", "p1"), ("same_person", "p4", "p1")],
    )  # fmt: skip
    targets = link_targets(article, article.spans)
    assert targets["refers_to", "s"] == {"p1", "p2", "p4"}
    assert targets["same_person", "p4"] == {"p1"}


def test_a_namesake_that_is_joined_to_another_is_no_right_answer():
    text = "Ana Ruiz met Tom Ruiz. She said Tom Ruiz left."
    article = annotate(
        text,
        [
            ("p1", "PERSON", "Ana Ruiz"), ("p2", "PERSON", "Tom Ruiz"), ("p3", "PERSON", "Tom Ruiz", 1),
            ("s", "SPEAKER", "She"),
        ],
        [("refers_to", "s", "p1"), ("same_person", "p3", "p2")],
    )  # fmt: skip
    assert "p3" not in link_targets(article, article.spans)["refers_to", "s"]


def test_a_strict_corpus_stops_at_a_span_inside_a_word_with_article_and_text():
    broken = AnnotatedSpan(
        "z", "identity", "PERSON", PIER.text.index("kafor"), PIER.text.index("kafor") + 5, "kafor"
    )
    article = replace(only(PIER, "quantity"), spans=(*only(PIER, "quantity").spans, broken))
    with pytest.raises(AnnotationError, match="'pier'.*'kafor'"):
        examples(article, Corpus("x", align="strict"))


def test_a_snapping_corpus_moves_and_counts_it():
    broken = AnnotatedSpan(
        "z", "identity", "PERSON", PIER.text.index("kafor"), PIER.text.index("kafor") + 5, "kafor"
    )
    made = featuriser()
    (row,) = made.examples(TrainingArticle(replace(only(PIER), spans=(broken,)), Corpus("x")))
    assert (made.report.spans, made.report.snapped) == (1, 1)
    assert (tags_of(row, "identity") > 0).sum() == 1


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_article_without_words_is_no_example(text):
    assert examples(AnnotatedArticle("a", text)) == []


def long_article(copies: int) -> AnnotatedArticle:
    """The pier article again and again, ids numbered."""
    spans, links, text = [], [], ""
    for number in range(copies):
        shift = len(text)
        spans += [
            replace(s, id=f"{s.id}.{number}", start=s.start + shift, end=s.end + shift)
            for s in PIER.spans
        ]
        links += [Link(x.type, f"{x.head}.{number}", f"{x.tail}.{number}") for x in PIER.links]
        text += PIER.text + "\n\n"
    return AnnotatedArticle("long", text, tuple(spans), tuple(links), PIER.complete_layers)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_long_article_becomes_stretches_that_own_every_token_once(kind):
    article = long_article(12)
    rows = examples(article, kind=kind)
    whole = examples(article, kind=kind, example_tokens=100_000)
    assert len(rows) > 2
    assert len(whole) == 1
    ids, tags = [], []
    for row in rows:
        assert len(row["ids"]) <= 200
        for start, end, own_start, own_end in np.array(row["windows"]).reshape(-1, 4):
            assert 0 <= start <= own_start <= own_end <= end <= len(row["ids"])
            assert end - start <= 60
            ids += row["ids"][own_start:own_end]
            tags += np.array(row["tags"]).reshape(4, -1)[:, own_start:own_end].T.tolist()
    assert ids == whole[0]["ids"]
    assert tags == np.array(whole[0]["tags"]).reshape(4, -1).T.tolist()


def test_pairs_that_a_cut_leaves_whole_are_kept():
    rows = examples(long_article(12))
    whole = examples(long_article(12), example_tokens=100_000)[0]
    taught = sum(target for row in rows for *_, target in pairs_of(row))
    assert taught > 0.5 * sum(target for *_, target in pairs_of(whole))
    for row in rows:
        spans = np.array(row["spans"]).reshape(-1, 3)
        tags = np.array(row["tags"]).reshape(4, -1)
        for first, last, _ in spans:
            assert 0 <= first <= last < len(row["ids"])
            assert (tags[:, first] % 2 == 1).any()


def test_a_head_whose_right_tail_is_cut_off_is_not_taught_to_have_none():
    # The speaker stands in the next stretch; other speakers are near.
    text = "She said so. It was out " + "and out " * 40 + ", the board said."
    article = annotate(
        text,
        [("s", "SPEAKER", "She"), ("q", "QUOTE", "It was out"), ("b", "SPEAKER", "the board")],
        [("said_by", "q", "b")],
    )
    rows = examples(article, example_tokens=60)
    assert len(rows) > 1
    assert [pair for row in rows for pair in pairs_of(row) if pair[0] == "said_by"] == []
    (row,) = examples(article, example_tokens=1000)
    assert sorted(pair[3] for pair in pairs_of(row) if pair[0] == "said_by") == [0, 1]


def test_a_dataset_has_a_row_for_each_example_and_names_its_article():
    items = [
        TrainingArticle(PIER, Corpus("x")), TrainingArticle(AnnotatedArticle("no", ""), Corpus("x")),
        TrainingArticle(long_article(4), Corpus("x")),
    ]  # fmt: skip
    dataset = build_dataset(items, featuriser(), swapped=False)
    owners = dataset["article"][:].tolist()
    assert owners[0] == 0
    assert set(owners) == {0, 2}
    row = dataset[0]
    (expected,) = examples(PIER)
    for name in ("ids", "features", "tags", "windows", "spans", "pairs"):
        assert row[name].tolist() == expected[name]
    assert row["tokens"] == expected["tokens"]


def test_a_swapped_dataset_reads_the_other_marks():
    items = [TrainingArticle(PIER, Corpus("x"))]
    plain, swapped = (build_dataset(items, featuriser(), flag)[0] for flag in (False, True))
    assert plain["tags"].tolist() == swapped["tags"].tolist()
    curly, straight = wordpiece().token_to_id("“"), wordpiece().token_to_id('"')
    assert curly in plain["ids"]
    assert curly not in swapped["ids"]
    assert straight in swapped["ids"]
    assert plain["features"].tolist() == swapped["features"].tolist()
