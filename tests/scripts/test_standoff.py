"""Annotations leave without their text and find it again, or not at all."""

from __future__ import annotations

import gzip
import json

from claimx.formats import read_articles, write_articles
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link
from scripts.attach_text import main
from scripts.export_standoff import standoff_record, write_gzip

TEXT = "“We close,” said Ana Ruiz."
ARTICLE = AnnotatedArticle(
    "corpus/one",
    TEXT,
    (
        AnnotatedSpan("q1", "attribution", "QUOTE", 0, 11, TEXT[0:11]),
        AnnotatedSpan("s1", "attribution", "SPEAKER", 17, 25, TEXT[17:25]),
    ),
    (Link("said_by", "q1", "s1"),),
    ("attribution",),
    {"source": "wire", "title": "Ruiz closes", "url": None, "date": "2026-01-02"},
)


def exported(tmp_path):
    path = tmp_path / "standoff.jsonl.gz"
    write_gzip(path, [standoff_record(ARTICLE)])
    return path


def test_no_word_of_text_or_title_leaves(tmp_path):
    content = gzip.decompress(exported(tmp_path).read_bytes()).decode()
    assert "close" not in content
    assert "Ruiz" not in content


def test_joined_article_is_the_one_that_was_exported(tmp_path):
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"id": "any", "text": TEXT}) + "\n")
    output = tmp_path / "joined.jsonl"
    assert main([str(exported(tmp_path)), str(texts), str(output)]) == 0
    [joined] = read_articles(output)
    assert (joined.spans, joined.links) == (ARTICLE.spans, ARTICLE.links)
    assert joined.complete_layers == ARTICLE.complete_layers


def test_another_text_under_the_id_is_refused_and_nothing_written(tmp_path):
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"id": "corpus/one", "text": TEXT.replace("We", "I")}) + "\n")
    output = tmp_path / "joined.jsonl"
    assert main([str(exported(tmp_path)), str(texts), str(output)]) == 2
    assert not output.exists()


def test_missing_texts_are_listed_and_the_rest_is_joined(tmp_path, capsys):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "one.txt").write_text(TEXT, encoding="utf-8")
    path = tmp_path / "standoff.jsonl.gz"
    other = AnnotatedArticle("corpus/two", "Nothing.", complete_layers=("attribution",))
    write_gzip(path, [standoff_record(ARTICLE), standoff_record(other)])
    output = tmp_path / "joined.jsonl"
    assert main([str(path), str(folder), str(output)]) == 1
    assert "corpus/two" in capsys.readouterr().err
    assert len(list(read_articles(output))) == 1


def test_a_cut_file_is_one_sentence(tmp_path, capsys):
    path = exported(tmp_path)
    path.write_bytes(path.read_bytes()[:-12])
    texts = tmp_path / "texts.jsonl"
    write_articles(texts, [ARTICLE])
    assert main([str(path), str(texts), str(tmp_path / "out.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err
