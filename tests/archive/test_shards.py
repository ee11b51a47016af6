"""What becomes of the rows of a shard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claimx.archive.rows import Row
from claimx.archive.shards import records
from claimx.extractor import Extractor
from claimx.types import Article, Extraction, Failure
from tests.tiny import lexicon_checkpoint

TEXT = "“The ferry was late,” said Okafor."


class Counting(Extractor):
    """Remembers which articles it was given."""

    def stream(self, articles, *options):
        articles = list(articles)
        self.given = [*getattr(self, "given", []), *(article.id for article in articles)]
        return super().stream(articles, *options)


@pytest.fixture
def extractor() -> Counting:
    return Counting.from_checkpoint(lexicon_checkpoint(), device="cpu", dtype="float32")


def row(number: int, name: str, text: str = TEXT, **options) -> Row:
    return Row("d/in.jsonl", number, Article(name, text, meta={"n": number}), **options)


def test_rows_come_back_in_order_with_their_own_meta(extractor):
    found = list(records([row(0, "a"), row(1, "b", "Ruiz told us.")], extractor))
    assert [(one.id, one.meta) for one in found] == [("a", {"n": 0}), ("b", {"n": 1})]
    assert found[0] == extractor(Article("a", TEXT, meta={"n": 0}))


def test_the_title_is_kept_in_meta_unless_that_has_one(extractor):
    headed = Article("a", TEXT, "Ferry", {"n": 0})
    own = replace(headed, id="b", meta={"title": "Late"})
    passed = Row("f", 2, replace(headed, id="c"), skip=True)
    found = records([Row("f", 0, headed), Row("f", 1, own), passed], extractor)
    kept = {"n": 0, "title": "Ferry"}
    assert [one.meta for one in found] == [kept, {"title": "Late"}, kept]


def test_a_text_that_comes_twice_is_read_once(extractor):
    first, second = records([row(0, "a"), row(1, "b")], extractor)
    assert extractor.given == ["a"]
    assert second == replace(first, id="b", meta={"n": 1})


def test_an_id_that_comes_twice_gets_its_place_and_a_note(extractor):
    first, second = records([row(0, "a"), row(1, "a", "Ruiz told us.")], extractor)
    assert (first.id, second.id) == ("a", "a#in.jsonl:1")
    assert "occurred before" in second.notes[0]


def test_error_rows_and_skipped_rows_keep_their_places(extractor):
    failed = Extraction("bad", error=Failure("not_json", "no"))
    rows = [Row("f", 0, failed), row(1, "a", skip=True, notes=("not English",)), row(2, "b")]
    found = list(records(rows, extractor))
    assert found[0] == failed
    assert (found[1].quotes, found[1].notes) == ((), ("not English",))
    assert found[2].quotes
    assert extractor.given == ["b"]


def test_row_by_row_each_place_is_said_before_it_is_read(extractor):
    said: list[int | None] = []
    rows = [row(0, "a"), row(1, "b"), row(2, "c", "Ruiz told us.")]
    careful = list(records(rows, extractor, said.append))
    assert said == [0, 2, None]  # whatever goes wrong from here on is no row's fault
    assert [one.id for one in careful] == ["a", "b", "c"]
