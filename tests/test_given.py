"""What callers give in place of articles is read, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest

from claimx.errors import AnnotationError, FormatError, InputError
from claimx.extractor import Extractor
from claimx.types import AnnotatedArticle, Article, Extraction
from tests.tiny import lexicon_checkpoint

TEXT = "“No,” said Okafor."


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor.from_checkpoint(lexicon_checkpoint(), device="cpu", dtype="float32")


@pytest.mark.parametrize("number", [7, np.int64(7), np.uint8(7)])
def test_a_whole_number_is_a_name_as_tables_have_them(extractor, number):
    found = extractor(Article(number, TEXT))
    assert found.id == "7"
    assert Extraction.from_dict(found.to_dict()).id == "7"


def test_rows_of_a_table_are_articles_whatever_is_missing_in_them(extractor):
    table = pandas.DataFrame({"id": [1, 2], "text": [TEXT, None], "title": ["Mines", None]})
    articles = (Article(*row) for row in table.itertuples(index=False))
    read, missing = (found.to_dict() for found in extractor.stream(articles))
    assert (read["id"], missing["id"]) == ("1", "2")
    assert "error" not in read
    assert missing["error"]["kind"] == "not_text"


def test_no_meta_is_empty_meta(extractor):
    assert extractor(Article("a", TEXT, meta=None)).to_dict()["meta"] == {}


@pytest.mark.parametrize(
    ("article", "says"),
    [
        (Article(None, TEXT), "article None: its id is NoneType, not str"),
        (Article(1.5, TEXT), "article 1.5: its id is float, not str"),
        (Article(True, TEXT), "article True: its id is bool, not str"),
        (Article("a", TEXT, title=5), "article 'a': its title is int, not str or None"),
        (Article("a", TEXT, meta=[("page", 2)]), "article 'a': its meta is list, not a mapping"),
        ({"id": "a", "text": TEXT}, r"not dict; make one: Article\(record\['id'\], record"),
        (Path("article.txt"), "claimx.read_files reads files"),
    ],
)
def test_what_is_no_article_is_refused_alone_and_an_error_among_others(extractor, article, says):
    with pytest.raises(InputError, match=says):
        extractor(article)
    _, found, _ = extractor.stream([TEXT, article, TEXT])
    record = found.to_dict()
    assert isinstance(record["id"], str)
    assert isinstance(record["meta"], dict)
    assert record["error"]["kind"] != "internal"


@pytest.mark.parametrize(
    "one",
    [
        TEXT, b"bytes", Article("a", TEXT), {"id": "a", "text": TEXT}, 5, None,
        pandas.DataFrame({"id": ["a"], "text": [TEXT]}),
    ],
)  # fmt: skip
def test_one_thing_in_place_of_many_articles_is_not_taken_apart(extractor, one):
    with pytest.raises(InputError, match="give a list|give an Article for each of its rows"):
        extractor.extract_many(one)


def test_the_name_of_a_file_is_read_as_a_text_with_a_warning(extractor, tmp_path, caplog):
    file = tmp_path / "article.txt"
    assert extractor(str(file)).error is None
    assert not caplog.messages
    file.write_text(TEXT)
    assert extractor(str(file)).error is None
    [said] = caplog.messages
    assert "claimx.read_files" in said
    assert extractor("no\0file").error is None


@pytest.mark.parametrize("record", [None, 5, "text", ["a"]])
def test_what_is_no_record_is_refused_in_words(record):
    with pytest.raises(FormatError, match="a record is an object, not "):
        Extraction.from_dict(record)
    with pytest.raises(AnnotationError, match="an annotated article is an object, not "):
        AnnotatedArticle.from_dict(record)
