"""Records and their texts: told from articles, joined by id, checked against the hash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from claimx.errors import InputError
from claimx.page.reading import join_texts, read_items
from claimx.types import Article, Extraction
from tests.tiny import write_lines


@pytest.fixture
def bare(harbour) -> Extraction:
    return replace(harbour, text=None)


def articles(folder: Path, *records: dict[str, str]) -> list[str]:
    return [str(write_lines(folder / "articles.jsonl", records))]


def test_records_and_articles_are_told_apart(tmp_path, harbour):
    records = write_lines(tmp_path / "records.jsonl", [harbour.to_dict(with_text=True)])
    plain = write_lines(tmp_path / "articles.jsonl", [{"id": "a", "text": "No."}])
    first, second = read_items([str(records), str(plain)])
    assert isinstance(first, Extraction) and first.text == harbour.text
    assert second == Article("a", "No.")


def test_a_record_gets_the_text_of_the_article_of_its_id(tmp_path, bare, harbour):
    paths = articles(tmp_path, {"id": "other", "text": "x"}, {"id": bare.id, "text": harbour.text})
    assert join_texts([bare], paths) == [harbour]


def test_a_title_that_was_prepended_is_found_again(tmp_path, harbour):
    title, text = harbour.text[:15], harbour.text[15:]
    from tests.page.parsing import marked

    found = marked(f"{title}\n\n{text}", [("quote", 0, 15)])
    paths = articles(tmp_path, {"id": "a", "title": title, "text": text})
    (joined,) = join_texts([replace(found, text=None)], paths)
    assert joined == replace(found, meta={"title": title})


def test_records_without_texts_ask_for_them_in_one_sentence(bare, harbour):
    with pytest.raises(InputError, match=r"no text in 1 of 2 records, 'harbour.txt'.*--texts"):
        join_texts([harbour, bare], [])


def test_another_text_than_the_records_is_refused(tmp_path, bare, harbour):
    paths = articles(tmp_path, {"id": bare.id, "text": harbour.text + "."})
    (joined,) = join_texts([bare], paths)
    assert "is not the text that the record was made from" in joined.error.message
    (own,) = join_texts([replace(harbour, text=harbour.text + ".")], [])
    assert "its text is not the text" in own.error.message


def test_a_record_without_its_article_is_named(tmp_path, bare):
    (joined,) = join_texts([bare], articles(tmp_path, {"id": "other", "text": "x"}))
    assert "no article with the id 'harbour.txt'" in joined.error.message


def test_a_span_that_does_not_stand_at_its_place_is_said(harbour):
    first = replace(harbour.quotes[0], start=3, end=6)
    (joined,) = join_texts([replace(harbour, quotes=(first,))], [])
    assert "stands at 3 to 6" in joined.error.message


def test_a_broken_record_is_named_by_its_line_and_takes_no_neighbour_with_it(tmp_path, harbour):
    good = json.dumps(harbour.to_dict(with_text=True))
    path = tmp_path / "records.jsonl"
    lines = [
        good,
        '{"schema": 1, "id": "a"}',
        '{"schema": 2, "id": "b"}',
        good.replace('"direct"', '"loud"'),
        good.replace('"start": 0', '"start": "0"'),
        "{",
        good,
    ]
    path.write_text("\n".join(lines), encoding="utf-8")

    found = list(read_items([str(path)]))

    assert [one.error is None for one in found] == [True, *[False] * 5, True]
    messages = [one.error.message for one in found if one.error]
    assert all(message.startswith(f"{path}:{at}: ") for at, message in enumerate(messages, 2))
    assert "schema 2" in messages[1]
    assert "'loud'" in messages[2]
