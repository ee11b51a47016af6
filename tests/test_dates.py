"""The example of a new label stands on this project's own articles, split as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx.formats import read_articles

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(("split", "count"), [("train", 50), ("test", 15)])
def test_dates_are_marked_in_articles_of_the_same_split(split, count):
    dated = list(read_articles(DATA / "dates" / f"{split}.jsonl"))
    texts = {a.id: a.text for a in read_articles(DATA / "annotations" / f"{split}.jsonl")}
    assert len({article.id for article in dated}) == count
    for article in dated:
        assert article.text == texts[article.id]
        assert article.complete_layers == ("time",)
        assert {span.label for span in article.spans} <= {"DATE"}
