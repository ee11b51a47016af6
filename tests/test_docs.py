"""The examples in the documentation are what the code reads and writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import claimx
from claimx.formats.inline import parse_inline
from claimx.reading import read_files
from claimx.types import AnnotatedArticle, Article, Extraction

ROOT = Path(claimx.__file__).parents[1]
FORMATS = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", FORMATS, re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


def test_the_native_annotation_example_is_valid():
    article = AnnotatedArticle.from_dict(json.loads(block("json", "own/mint")))
    assert (len(article.spans), len(article.links)) == (5, 3)


def test_the_inline_example_is_valid():
    article = parse_inline(block("text", "<Q id=q1"))
    assert {link.type for link in article.links} >= {"said_by", "has_role", "measures"}


def test_the_record_example_has_the_keys_of_the_record(harbour):
    example = block("jsonc", '"schema": 1')
    documented = set(re.findall(r'"(\w+)":', example))

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    assert documented == keys(harbour.to_dict())


def test_the_record_can_be_read_back(harbour):
    record = json.loads(json.dumps(harbour.to_dict(with_text=True)))
    assert Extraction.from_dict(record).to_dict(with_text=True) == record


def test_every_example_is_an_article():
    paths = sorted(str(path) for path in (ROOT / "examples").iterdir())
    articles = list(read_files(paths))
    assert len(articles) >= 4
    assert all(isinstance(article, Article) and article.text.strip() for article in articles)
