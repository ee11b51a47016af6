"""spaCy DocBin: white space kept, groups that spaCy wrote, bombs."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from claimx.errors import FormatError
from claimx.formats.docbin import refuse_bomb, write_docbin
from claimx.types import AnnotatedArticle
from tests.formats.reading import read_all, surfaces
from tests.formats.samples import harbour

spacy = pytest.importorskip("spacy")


def box(path: Path, *documents: object) -> Path:
    path.write_bytes(spacy.tokens.DocBin(docs=documents, store_user_data=True).to_bytes())
    return path


def document(text: str = "Ann Ruiz spoke") -> object:
    return spacy.tokens.Doc(spacy.vocab.Vocab(), words=text.split())


def test_spacy_sees_one_group_a_layer(tmp_path):
    write_docbin(tmp_path / "a.spacy", [harbour()])
    [doc] = spacy.tokens.DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.vocab.Vocab())
    assert doc.text == harbour().text
    assert {(span.label_, span.text) for span in doc.spans["identity"]} == {
        ("PERSON", "Ines Okafor"), ("ROLE", "deputy head"),
    }  # fmt: skip


def test_entities_and_groups_of_others_are_read(tmp_path):
    entities, groups, named = document(), document(), document()
    span = spacy.tokens.Span
    entities.ents = [span(entities, 0, 2, label="PERSON")]
    groups.spans["sc"] = [span(groups, 0, 2, label="PERSON"), span(groups, 1, 3, label="SHIP")]
    named.spans["things"] = [span(named, 0, 1, label="SHIP")]
    articles, problems, _ = read_all(box(tmp_path / "a.spacy", entities, groups, named), "docbin")
    assert [list(surfaces(article).values()) for article in articles] == [
        ["identity/PERSON=Ann Ruiz"],
        ["identity/PERSON=Ann Ruiz", "entities/SHIP=Ruiz spoke"],
        ["things/SHIP=Ann"],
    ]
    assert problems == []


def test_a_span_removed_in_spacy_takes_its_links_along(tmp_path):
    write_docbin(tmp_path / "a.spacy", [harbour()])
    [doc] = spacy.tokens.DocBin(store_user_data=True).from_disk(tmp_path / "a.spacy").get_docs(
        spacy.vocab.Vocab()
    )  # fmt: skip
    doc.spans["attribution"] = [one for one in doc.spans["attribution"] if one.label_ != "CUE"]
    [article], problems, _ = read_all(box(tmp_path / "b.spacy", doc), "docbin")
    assert "c1" not in surfaces(article)
    assert [link.type for link in article.links].count("cued_by") == 0
    assert len(article.links) == len(harbour().links) - 1
    assert problems == []


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ('{"links": [{"type": "said_by", "head": "q1"}]}', "a link has no usable tail"),
        ('{"links": [{"type": "said_by", "head": [], "tail": "a"}]}', "a link has no usable head"),
        ('{"spans": [{"id": {}, "label": "QUOTE"}]}', "a span has no usable id, layer, start, end"),
    ],
)
def test_damaged_user_data_is_a_problem_of_its_document(tmp_path, kept, words):
    doc = document()
    doc.user_data["claimx"] = kept
    articles, [problem], _ = read_all(box(tmp_path / "a.spacy", doc, document()), "docbin")
    assert len(articles) == 1
    assert words in problem


def test_a_label_that_the_file_does_not_hold_is_a_problem_of_its_document(tmp_path):
    doc = document()
    doc.set_ents([spacy.tokens.Span(doc, 0, 2, label="SHIPYARD")])
    file = box(tmp_path / "a.spacy", doc, document())
    raw = zlib.decompress(file.read_bytes())
    assert raw.count(b"SHIPYARD") == 1
    file.write_bytes(zlib.compress(raw.replace(b"SHIPYARD", b"DRAYPIHS")))
    articles, [problem], _ = read_all(file, "docbin")
    assert len(articles) == 1
    assert "spaCy cannot read it" in problem


def test_an_article_without_text_is_kept(tmp_path):
    write_docbin(tmp_path / "a.spacy", [AnnotatedArticle("a", ""), AnnotatedArticle("b", " \n")])
    articles, _, _ = read_all(tmp_path / "a.spacy", "docbin")
    assert [(article.id, article.text) for article in articles] == [("a", ""), ("b", " \n")]


def test_a_bomb_is_refused_before_it_unfolds():
    with pytest.raises(FormatError, match="more than 4 MiB"):
        refuse_bomb(zlib.compress(b"\0" * 2**24), Path("a.spacy"), 4 * 2**20)


@pytest.mark.parametrize(
    "content", [b"", b"nothing", zlib.compress(b"\x93\x01"), zlib.compress(b"x")[:-3]]
)
def test_other_bytes_are_refused(tmp_path, content):
    (tmp_path / "a.spacy").write_bytes(content)
    with pytest.raises(FormatError, match=r"a\.spacy: .*DocBin"):
        read_all(tmp_path / "a.spacy", "docbin")
