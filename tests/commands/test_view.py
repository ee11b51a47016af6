"""``claimx view``: what it reads, writes and returns, with a stand-in for the model."""

from __future__ import annotations

import gzip
import json
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from claimx.archive.writers import open_shard
from claimx.cli import main
from claimx.types import Article, Extraction
from tests.page.parsing import Parsed, marked
from tests.tiny import write_lines


class StandIn:
    @classmethod
    def from_pretrained(cls, model: str | None = None, **options: object) -> StandIn:
        return cls()

    def stream(self, articles: Iterable[Article]) -> Iterator[Extraction]:
        for article in articles:
            yield marked(article.text, [("quote", 0, 2)], id=article.id, meta=article.meta)


@pytest.fixture
def run(capsys, monkeypatch):
    module = types.ModuleType("claimx.extractor")
    module.Extractor = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "claimx.extractor", module)

    def run(*arguments: str | Path) -> tuple[int, str]:
        code = main(["view", *map(str, arguments)])
        return code, capsys.readouterr().err

    return run


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.html"


def test_an_article_becomes_a_page(run, tmp_path, page):
    article = tmp_path / "article.txt"
    article.write_text("“No,” she said.", encoding="utf-8")
    code, told = run(article, "-o", page)
    assert code == 0
    assert Parsed(page.read_text(encoding="utf-8")).texts == ["“No,” she said."]
    assert f"{page}: 1 article, 1 quote, 0 claims;" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["article.txt", "page.html"]


def test_a_page_takes_no_place_of_what_it_is_made_of(run, tmp_path):
    article = tmp_path / "article.txt"
    article.write_text("“No,” she said.", encoding="utf-8")
    code, told = run(article, "-o", article)
    assert (code, article.read_text(encoding="utf-8")) == (2, "“No,” she said.")
    assert f"{article}: is an input itself" in told
    code, told = run("other.txt", "--texts", article, "-o", article)
    assert (code, article.read_text(encoding="utf-8")) == (2, "“No,” she said.")


@pytest.mark.parametrize(
    ("place", "says"), [("", "is a folder; name a file"), ("gone/x.html", "there is no folder")]
)
def test_a_page_that_cannot_be_written_is_said_by_its_own_name(run, tmp_path, place, says):
    article = tmp_path / "article.txt"
    article.write_text("“No,” she said.", encoding="utf-8")
    code, told = run(article, "-o", tmp_path / place)
    assert code == 2
    assert f"claimx: {tmp_path / place}: {says}" in told
    assert ".part" not in told


def test_a_dash_is_standard_output(run, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("article.txt").write_text("“No,” she said.", encoding="utf-8")
    assert main(["view", "article.txt", "-o", "-"]) == 0
    captured = capsys.readouterr()
    assert Parsed(captured.out).texts == ["“No,” she said."]
    assert captured.err.startswith("claimx: standard output: 1 article")
    assert [path.name for path in tmp_path.iterdir()] == ["article.txt"]


def test_records_are_shown_without_a_model_and_the_title_of_an_article_is_kept(
    run, tmp_path, page, harbour, monkeypatch
):
    records = write_lines(tmp_path / "records.jsonl", [harbour.to_dict(with_text=True)])
    plain = write_lines(tmp_path / "a.jsonl", [{"id": "a", "text": "No.", "title": "Storm"}])
    assert run(records, plain, "-o", page)[0] == 0
    shown = Parsed(page.read_text(encoding="utf-8"))
    assert shown.texts == [harbour.text, "No."]
    assert "Storm" in shown.words
    monkeypatch.delattr(StandIn, "from_pretrained")
    assert run(records, "-o", page)[0] == 0


def test_records_without_text_write_no_page(run, tmp_path, page, harbour):
    records = write_lines(tmp_path / "records.jsonl", [harbour.to_dict()])
    code, told = run(records, "-o", page)
    assert (code, page.exists()) == (2, False)
    assert "--with-text" in told and "--texts" in told
    texts = write_lines(tmp_path / "t.jsonl", [{"id": harbour.id, "text": harbour.text}])
    assert run(records, "--texts", texts, "-o", page)[0] == 0
    assert page.exists()


def test_the_folder_of_an_archive_run_is_shown_with_the_texts_of_its_inputs(
    run, tmp_path, page, harbour
):
    pytest.importorskip("pyarrow")
    shard = tmp_path / "out" / "records" / "00000-000.parquet"
    shard.parent.mkdir(parents=True)
    with open_shard(str(shard), "parquet") as writer:
        writer.write(harbour.to_dict())
    articles = tmp_path / "articles.jsonl.gz"
    line = json.dumps({"docid": harbour.id, "body": harbour.text})
    articles.write_bytes(gzip.compress(line.encode()))
    assert run(tmp_path / "out", "--texts", articles, "-o", page)[0] == 0
    assert Parsed(page.read_text(encoding="utf-8")).texts == [harbour.text]
    code, told = run(tmp_path / "out", "--texts", tmp_path / "absent.jsonl", "-o", page)
    assert code == 2 and "absent.jsonl matches no file" in told


def test_an_article_that_cannot_be_read_is_said_and_the_others_are_shown(run, tmp_path, page):
    article = tmp_path / "article.txt"
    article.write_text("No.", encoding="utf-8")
    code, told = run(article, tmp_path / "absent.txt", "-o", page)
    assert code == 1
    assert "absent.txt: there is no such file" in told
    assert "there is no such file" in page.read_text(encoding="utf-8")
    assert run(tmp_path / "absent.txt", "-o", tmp_path / "none.html")[0] == 2
    assert not (tmp_path / "none.html").exists()


def test_one_article_of_many_is_chosen_and_a_page_holds_no_more_than_a_hundred(run, tmp_path, page):
    many = write_lines(
        tmp_path / "many.jsonl", [{"id": f"n{at}", "text": f"No {at}."} for at in range(120)]
    )
    assert run(many, "--id", "n117", "-o", page)[0] == 0
    assert Parsed(page.read_text(encoding="utf-8")).texts == ["No 117."]
    code, told = run(many, "-o", page)
    assert code == 0
    assert "the first 100 articles" in told
    assert "there are more" in page.read_text(encoding="utf-8")
    assert "no article of that id" in run(many, "--id", "x", "-o", page)[1]


def test_lone_surrogates_in_a_record_are_shown_as_what_they_were_read_as(run, tmp_path, page):
    found = marked("“No\ufffd,” she said.", [("quote", 0, 5)])
    path = tmp_path / "records.jsonl"
    record = found.to_dict(with_text=True)
    path.write_text(json.dumps({**record, "meta": {"note": "\ud83d"}}), encoding="utf-8")
    assert run(path, "-o", page)[0] == 0
    assert "\ufffd" in page.read_text(encoding="utf-8")
