"""Annotated files to training articles: read, cleaned, merged, marks swapped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.errors import AnnotationError
from claimx.labels import DEFAULT_SCHEMA
from claimx.text import quotation_states
from claimx.types import AnnotatedArticle, Link
from tests.training.small import MINE, PIER, only, write_corpus
from training.config import Corpus
from training.data import load_articles, load_clean, swap_marks, text_fingerprint

LAYERS = [layer.name for layer in DEFAULT_SCHEMA.layers]
LINKS = [link.name for link in DEFAULT_SCHEMA.links]


def renamed(article: AnnotatedArticle) -> AnnotatedArticle:
    """The same spans under ids that count from 0, as every tool does."""
    names = {span.id: f"t{number}" for number, span in enumerate(article.spans)}
    return replace(
        article,
        spans=tuple(replace(span, id=names[span.id]) for span in article.spans),
        links=tuple(Link(x.type, names[x.head], names[x.tail]) for x in article.links),
    )


def load(folder: Path, *files: AnnotatedArticle | list[AnnotatedArticle], **settings: object):
    corpora = []
    for number, content in enumerate(files):
        articles = content if isinstance(content, list) else [content]
        path = write_corpus(folder / f"{number}.jsonl", articles)
        corpora.append(Corpus(str(path), **{k: v[number] for k, v in settings.items()}))
    return load_articles(corpora)


def surfaces(article: AnnotatedArticle) -> set[tuple[str, str, str]]:
    assert len({span.id for span in article.spans}) == len(article.spans)
    for span in article.spans:
        assert article.text[span.start : span.end] == span.text
    return {(span.layer, span.label, span.text) for span in article.spans}


def joined(article: AnnotatedArticle) -> set[tuple[str, str, str]]:
    by_id = {span.id: span.text for span in article.spans}
    return {(link.type, by_id[link.head], by_id[link.tail]) for link in article.links}


# ---- loading and merging ------------------------------------------------------------------------


def test_one_article_in_two_files_becomes_one_with_both_layers(tmp_path):
    (item,) = load(tmp_path, only(PIER, "attribution", "identity"), only(PIER, "quantity"))
    assert surfaces(item.article) == surfaces(PIER)
    assert joined(item.article) == joined(PIER)
    assert set(item.article.complete_layers) == set(PIER.complete_layers)


def test_three_files_whose_spans_have_the_same_ids_are_merged_without_a_mix_up(tmp_path):
    parts = [renamed(only(PIER, name)) for name in ("attribution", "identity", "quantity")]
    (item,) = load(tmp_path, *parts)
    assert surfaces(item.article) == surfaces(PIER)
    assert joined(item.article) == set.union(*(joined(part) for part in parts))


def test_a_layer_of_the_first_file_wins(tmp_path):
    other = replace(only(PIER, "identity"), spans=only(PIER, "identity").spans[:1], links=())
    (item,) = load(tmp_path, other, PIER)
    assert {s for s in surfaces(item.article) if s[0] == "identity"} == surfaces(other)
    assert {s for s in surfaces(item.article) if s[0] == "quantity"}


def test_an_empty_complete_layer_of_the_first_file_stays_empty(tmp_path):
    none = replace(only(PIER), complete_layers=("quantity",))
    (item,) = load(tmp_path, none, PIER)
    assert "quantity" not in {span.layer for span in item.article.spans}


def test_different_texts_under_one_id_are_refused_with_both_files(tmp_path):
    with pytest.raises(AnnotationError, match=r"'pier'.*1\.jsonl.*0\.jsonl"):
        load(tmp_path, PIER, replace(MINE, id="pier"))


def test_an_article_of_two_corpora_has_the_wider_settings(tmp_path):
    (item,) = load(
        tmp_path, PIER, PIER, passes=(1.0, 3.0), begin=(0.2, 0.5), end=(0.6, 1.0),
        align=("strict", "snap"), unlinked=((), ("said_by",)),
    )  # fmt: skip
    corpus = item.corpus
    assert (corpus.passes, corpus.begin, corpus.end, corpus.align) == (3.0, 0.2, 1.0, "snap")
    assert corpus.unlinked == ("said_by",)


def test_layers_that_are_not_asked_for_are_left_out(tmp_path):
    (item,) = load(tmp_path, PIER, layers=(("identity",),))
    assert surfaces(item.article) == surfaces(only(PIER, "identity"))
    assert item.article.complete_layers == ("identity",)
    assert {link.type for link in item.article.links} == {"has_role", "affiliated_with"}


def test_the_held_out_tenth_and_the_rest_are_all_and_do_not_meet(tmp_path):
    articles = [replace(PIER, id=f"a{number}") for number in range(100)]
    parts = {
        part: {item.article.id for item in load(tmp_path, articles, part=[part])}
        for part in ("all", "kept", "held_out")
    }
    assert parts["kept"] | parts["held_out"] == parts["all"]
    assert not parts["kept"] & parts["held_out"]
    assert 3 <= len(parts["held_out"]) <= 20


def test_lone_surrogates_are_read_as_inference_reads_them():
    article = AnnotatedArticle("a", "\ud83d “No,” said Ruiz.")
    assert load_clean(article).text == "� “No,” said Ruiz."
    assert load_clean(PIER) is PIER


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "a", "text": "x", "spans": [{"id": 1}]}\n')
    with pytest.raises(Exception, match=r"bad\.jsonl"):
        load_articles([Corpus(str(path))])


def test_a_text_is_known_by_its_hash():
    assert text_fingerprint("a") == text_fingerprint("a") != text_fingerprint("a ")
    assert len(text_fingerprint("\ud800")) == 64


# ---- swapped marks ------------------------------------------------------------------------------


@settings(max_examples=80)
@given(st.text("“”‘’\"' ab.,\n\r", max_size=50))
def test_swapping_marks_changes_marks_alone_one_for_one(text):
    swapped = swap_marks(text)
    assert len(swapped) == len(text)
    for before, after in zip(text, swapped, strict=True):
        assert before == after or (before in "“”\"" and after in "“”\"") or (
            before in "‘’'" and after in "‘’'"
        )  # fmt: skip
    assert not set(swapped) & set("“”‘’") or not set(text) & set("“”‘’")


@pytest.mark.parametrize(
    ("straight", "curly"),
    [
        ('"No," she said. "Don\'t."', "“No,” she said. “Don’t.”"),
        ("'We don't,' he said.", "‘We don’t,’ he said."),
    ],
)
def test_straight_and_curly_marks_are_each_others_swap(straight, curly):
    assert swap_marks(straight) == curly
    assert swap_marks(curly) == straight
    assert quotation_states(straight).tolist() == quotation_states(curly).tolist()
