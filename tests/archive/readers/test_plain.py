"""Text files: one article a file."""

from __future__ import annotations

import gzip

import pytest

from claimx.types import Article
from tests.archive.reading import articles, kinds, rows


@pytest.mark.parametrize(
    ("name", "data", "meta"),
    [
        ("a.txt", "The café.\r\nOpen.".encode(), {}),
        ("a.txt", "The café.\r\nOpen.".encode("cp1252"), {"encoding": "cp1252"}),
        ("a.txt.gz", gzip.compress("The café.\r\nOpen.".encode(), mtime=0), {}),
    ],
)
def test_a_text_file_is_an_article(tmp_path, name, data, meta):
    path = tmp_path / name
    path.write_bytes(data)
    assert articles(rows(path)) == [Article(str(path), "The café.\r\nOpen.", None, meta)]


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"x" * 101, "too_large"), (b"%PDF-1.7", "not_text"), (b"\0" * 100, "not_text")],
)
def test_what_is_no_article_is_an_error_record(tmp_path, data, kind):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert kinds(rows(path, max_bytes=100)) == [kind]
