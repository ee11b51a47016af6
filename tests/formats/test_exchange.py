"""What all exchange formats promise: nothing lost, or the loss counted; hostile files refused."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from claimx.errors import ClaimxError, FormatError
from claimx.formats import write_articles
from claimx.formats.convert import convert
from claimx.formats.detection import detect
from claimx.formats.losses import compare
from claimx.formats.native import read_native, write_native
from claimx.formats.registry import CODECS
from claimx.formats.sources import read_bytes
from claimx.types import AnnotatedArticle, Link
from tests.formats.samples import articles, harbour

EXTRAS = {"xmi": "cassis", "docbin": "spacy"}
TARGETS = {
    "native": "out.jsonl", "inline": "out", "label-studio": "out.json", "brat": "out",
    "xmi": "out.zip", "doccano": "out.jsonl", "prodigy": "out.jsonl", "conll": "out.conll",
    "docbin": "out.spacy", "polnear": "out",
}  # fmt: skip
LOSSLESS = ("native", "label-studio", "brat", "xmi", "docbin")
LOSSY = ("doccano", "prodigy", "conll", "polnear")
random_articles = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def needs(name: str) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])


def there_and_back(
    given_articles: Sequence[AnnotatedArticle], name: str, folder: Path
) -> list[AnnotatedArticle]:
    source, back = folder / "in.jsonl", folder / "back.jsonl"
    write_native(source, given_articles)
    target = folder / TARGETS[name]
    losses = convert(source, target, "native", name)
    assert not losses, losses.lines()
    assert not convert(target, back, name, "native")
    return list(read_native(back))


def test_every_format_has_a_target_here():
    assert set(TARGETS) == {codec.name for codec in CODECS}


@pytest.mark.parametrize("name", LOSSLESS)
def test_the_harbour_comes_back_whole(name, tmp_path):
    needs(name)
    assert there_and_back([harbour()], name, tmp_path) == [harbour()]


@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_between_any_two_formats_every_loss_is_said(name, tmp_path):
    needs(name)
    write_native(tmp_path / "in.jsonl", [harbour()])
    source = tmp_path / f"source-{TARGETS[name]}"
    convert(tmp_path / "in.jsonl", source, "native", name)
    convert(source, tmp_path / "before.jsonl", name, "native")
    before = list(read_native(tmp_path / "before.jsonl"))
    for other in (*LOSSLESS, *LOSSY):
        if other in EXTRAS and find_spec(EXTRAS[other]) is None:
            continue
        target = tmp_path / f"{other}-{TARGETS[other]}"
        losses = convert(source, target, name, other)
        convert(target, tmp_path / f"{other}.after.jsonl", other, "native")
        after = list(read_native(tmp_path / f"{other}.after.jsonl"))
        said = {loss.what: loss.count for loss in losses.lost}
        assert said == dict(compare(before, after).counts), other


@pytest.mark.parametrize("name", LOSSLESS)
@random_articles
@given(article=articles())
def test_any_legal_article_comes_back_whole(name, article):
    needs(name)
    with tempfile.TemporaryDirectory() as folder:
        [back] = there_and_back([article], name, Path(folder))
    assert back == article


@pytest.mark.parametrize("name", ["label-studio", "brat", "xmi", "docbin"])
@random_articles
@given(article=articles(scores=True))
def test_scores_come_back(name, article):
    needs(name)
    with tempfile.TemporaryDirectory() as folder:
        [back] = there_and_back([article], name, Path(folder))
    assert back == article


@pytest.mark.parametrize("name", LOSSY)
@random_articles
@given(article=articles())
def test_what_a_format_drops_is_counted(name, article):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.jsonl"
        write_native(source, [article])
        try:
            losses = convert(source, Path(folder) / TARGETS[name], "native", name)
        except ClaimxError:
            assert name == "conll"  # a label with a space, or an article without a word
            return
    lost = {loss.what: loss.count for loss in losses.lost}
    values = sum(len(span.attrs) for span in article.spans)
    if name != "polnear":
        assert "spans" not in lost
        assert lost.get("attributes", 0) == values
    if name in ("doccano", "prodigy"):
        assert "links" not in lost


@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_the_format_is_told_by_the_content(name, tmp_path):
    needs(name)
    write_native(tmp_path / "in.jsonl", [harbour()])
    target = tmp_path / TARGETS[name]
    convert(tmp_path / "in.jsonl", target, "native", name)
    assert detect(target) == name


def test_an_inline_folder_is_told_and_read(tmp_path):
    kept = tuple(span for span in harbour().spans if span.id not in ("b1", "q2"))
    article = replace(harbour(), spans=kept, links=(), meta={})
    write_native(tmp_path / "in.jsonl", [article, replace(article, id="own/two")])
    assert not convert(tmp_path / "in.jsonl", tmp_path / "out", to="inline")
    assert detect(tmp_path / "out") == "inline"
    assert not convert(tmp_path / "out", tmp_path / "back.jsonl")
    assert {one.id for one in read_native(tmp_path / "back.jsonl")} == {"own/harbour", "own/two"}


def test_losses_are_counted_article_by_article_in_any_order():
    one, two = harbour(), AnnotatedArticle("own/b", "Other.", meta={"a": 1})
    renamed = [replace(two, id="x", meta={}), replace(one, id="y", spans=one.spans[1:], links=())]
    assert dict(compare([one, two], renamed).counts) == {
        "spans": 1, "links": 8, "article ids": 2, "articles with their meta": 1,
    }  # fmt: skip
    assert dict(compare([one], [one, two]).counts) == {"added articles": 1}
    assert dict(compare([one, two], [two]).counts) == {"articles": 1}


def test_the_order_of_two_sources_is_no_small_thing():
    links = (Link("said_by", "q1", "s1"), Link("said_by", "q1", "p1"))
    one = replace(harbour(), links=links)
    assert dict(compare([one], [replace(one, links=links[::-1])]).counts) == {"orders of links": 1}


# ---- hostile files ------------------------------------------------------------------------

HOSTILE = {
    "label-studio": ("bad.json", b'[{"id": 1, "data": {"text": "Ann'),
    "doccano": ("bad.jsonl", b'{"id": 1, "text": "Ann", "entities": [{"id":'),
    "prodigy": ("bad.jsonl", b'{"text": "Ann", "answer": "accept", "spans": [{"token_start'),
    "conll": ("bad.conll", b"Ann\tB-SPEAKER\nsaid\n"),
    "docbin": ("bad.spacy", b"\x78\x9c\xed\xbd\x07"),
    "xmi": ("bad.zip", b"PK\x03\x04 cut short"),
    "brat": ("bad.ann", b"T1\tQUOTE 0"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_truncated_file_is_refused_in_one_sentence(name, tmp_path):
    needs(name)
    file, content = HOSTILE[name]
    (tmp_path / file).write_bytes(content)
    (tmp_path / "bad.txt").write_text("Ann said so.")
    with pytest.raises(ClaimxError) as caught:
        convert(tmp_path / file, tmp_path / "out.jsonl", name)
    assert file in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {entry.name for entry in tmp_path.iterdir()} == {file, "bad.txt"}


@pytest.mark.parametrize("name", ["label-studio", "doccano", "prodigy", "conll", "brat"])
def test_a_wrong_encoding_is_refused_in_one_sentence(name, tmp_path):
    file, _ = HOSTILE[name]
    (tmp_path / file).write_bytes("[Ånn said é\tB-X]\n".encode("latin-1"))
    (tmp_path / "bad.txt").write_text("Ann")
    with pytest.raises(ClaimxError, match="not UTF-8") as caught:
        convert(tmp_path / file, tmp_path / "out.jsonl", name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["label-studio", "conll", "brat", "docbin", "doccano", "prodigy"])
def test_a_file_of_a_hundred_megabytes_is_refused(name, tmp_path):
    needs(name)
    file, _ = HOSTILE[name]
    with (tmp_path / file).open("wb") as stream:
        stream.truncate(100 * 2**20)
    (tmp_path / "bad.txt").write_text("Ann")
    with pytest.raises(FormatError, match="64 MiB"):
        convert(tmp_path / file, tmp_path / "out.jsonl", name)


def test_brackets_without_end_are_refused(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(FormatError, match="not JSON"):
        convert(tmp_path / "a.json", tmp_path / "out.jsonl")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    for name in (None, *(codec.name for codec in CODECS if codec.name not in EXTRAS)):
        (tmp_path / "a.txt").write_text("Ann")
        with pytest.raises(FormatError, match=r"a pipe or a device|is missing"):
            convert(tmp_path / "a.jsonl", tmp_path / "out.jsonl", name, "native")


def test_a_folder_named_like_a_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match="is no plain file but a folder"):
        read_bytes(tmp_path)


def test_a_line_or_an_article_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("claimx.formats.native.MAX_BYTES", 100)
    monkeypatch.setattr("claimx.formats.conll.MAX_TOKENS", 5)
    line = json.dumps({"id": "a", "text": "x" * 200}).encode()
    (tmp_path / "a.jsonl").write_bytes(line)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(line))
    (tmp_path / "c.conll").write_text("Ann\tB-X\n" * 9)
    for name, told in (
        ("a.jsonl", "1: the line is"),
        ("b.jsonl.gz", "1: the line is"),
        ("c.conll", "6: more than 5"),
    ):
        with pytest.raises(FormatError, match=f"{name}:{told}"):
            convert(tmp_path / name, tmp_path / "out.jsonl")


def test_a_gzipped_file_is_read_whatever_its_name(tmp_path):
    write_native(tmp_path / "in.jsonl.gz", [harbour()])
    (tmp_path / "in.jsonl.gz").rename(tmp_path / "in.data")
    assert not convert(tmp_path / "in.data", tmp_path / "out.jsonl")
    assert list(read_native(tmp_path / "out.jsonl")) == [harbour()]


def test_an_unknown_format_says_which_there_are(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\x00\x01\x02")
    with pytest.raises(FormatError, match="label-studio"):
        convert(tmp_path / "a.bin", tmp_path / "out.jsonl")


# ---- whole or not at all ------------------------------------------------------------------


def test_a_bad_article_leaves_the_target_as_it_was(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    record = json.loads((tmp_path / "in.jsonl").read_text())
    record["spans"][0]["end"] = 10_000
    with (tmp_path / "in.jsonl").open("a") as stream:
        stream.write(json.dumps(record) + "\n")
    (tmp_path / "out.json").write_text("before")
    with pytest.raises(ClaimxError, match="lies outside the text"):
        convert(tmp_path / "in.jsonl", tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text() == "before"
    losses = convert(tmp_path / "in.jsonl", tmp_path / "out.json", skip_bad=True)
    assert losses.articles == 1
    assert [loss.what for loss in losses.left_out] == ["problems, their articles skipped"]


def test_a_pipe_or_a_device_is_never_replaced(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    os.mkfifo(tmp_path / "out.json")
    with pytest.raises(FormatError, match="a pipe or a device"):
        convert(tmp_path / "in.jsonl", tmp_path / "out.json")
    assert (tmp_path / "out.json").is_fifo()


@pytest.mark.parametrize("name", ["in.jsonl", "link.jsonl"])
def test_the_input_is_never_its_own_output(name, tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    before = (tmp_path / "in.jsonl").read_bytes()
    (tmp_path / "link.jsonl").symlink_to("in.jsonl")
    with pytest.raises(FormatError, match="is an input itself"):
        convert(tmp_path / "in.jsonl", tmp_path / name, to="doccano")
    assert (tmp_path / "in.jsonl").read_bytes() == before


def test_a_link_is_written_through(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    (tmp_path / "out.json").symlink_to("real.json")
    convert(tmp_path / "in.jsonl", tmp_path / "out.json")
    assert (tmp_path / "out.json").is_symlink()
    assert detect(tmp_path / "real.json") == "label-studio"


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("article_id", ["../../x", "a/b", "con", "", "x" * 5000, "/etc/x", "a\nb"])
def test_no_article_id_leads_out_of_the_target(article_id, name, tmp_path):
    needs(name)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    [back] = there_and_back([replace(harbour(), id=article_id)], name, tmp_path / "deep" / "er")
    assert back.id == article_id
    assert [entry.name for entry in tmp_path.iterdir()] == ["deep"]
    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["er"]


def test_a_folder_with_files_in_it_is_not_touched(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FormatError, match="is there already"):
        convert(tmp_path / "in.jsonl", tmp_path / "out", to="brat")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    with pytest.raises(ClaimxError, match="attribution_broad"):
        convert(tmp_path / "in.jsonl", tmp_path / "out.txt", to="inline")
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.jsonl"]


def test_complete_layers_can_be_named_where_the_source_is_silent(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "Ann spoke", "label": [[0, 3, "PERSON"]]}')
    silent = convert(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert "--complete" in silent.advice[0]
    told = convert(tmp_path / "a.jsonl", tmp_path / "b.jsonl", complete_layers=["identity"])
    assert told.advice == ()
    [article] = read_native(tmp_path / "b.jsonl")
    assert article.complete_layers == ("identity",)


def test_write_articles_knows_the_suffixes(tmp_path):
    assert write_articles(tmp_path / "a.json", [harbour()]) == 1
    assert detect(tmp_path / "a.json") == "label-studio"
