"""``claimx check``: places, exit codes, splits, and one sentence for what cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claimx.cli import main
from claimx.formats import read_articles, write_articles
from claimx.types import AnnotatedArticle, AnnotatedSpan

BODY = (
    "<S id=s1 ref=p1><P id=p1>Ana Ruiz</P></S> <C id=c1>said</C> <Q id=q1 by=s1 cue=c1>that "
    "<V id=v1 val=12 unit=percent of=x1>12 percent</V> of the <X id=x1>mines</X> had closed</Q>."
)
DOUBTFUL = BODY.replace("val=12", "val=13")


def write(path: Path, body: str = BODY, name: str | None = None, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\nid: own/{name or path.stem}\n---\n\n{body}\n{text}\n")
    return path


def words(seed: int) -> str:
    return " ".join(f"w{seed}x{number}" for number in range(60))


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = main(["check", "--json", *map(str, arguments)])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else {}


def rules(report: dict[str, Any]) -> list[str]:
    return [finding["rule"] for finding in report["findings"]]


def test_clean_corpus_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.txt")
    code, report = check(capsys, tmp_path, "--strict")
    assert (code, report["articles"], report["findings"]) == (0, 1, [])


def test_warning_fails_only_with_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.txt", DOUBTFUL)
    code, report = check(capsys, path)
    assert (code, rules(report)) == (0, ["quantity"])
    assert check(capsys, path, "--strict")[0] == 1


def test_finding_names_file_line_column_article_span_and_context(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.txt", DOUBTFUL)
    assert main(["check", str(path)]) == 0
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.startswith(f"{path}:5:{DOUBTFUL.index('<V') + 1}: warning [quantity] (own/a v1): ")
    assert second == "    Ana Ruiz said that [[12 percent]] of the mines had closed.…"
    assert "1 article, 0 errors, 1 warning (quantity 1)" in err


def test_unmarked_words_of_an_inline_file_are_placed_where_they_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.txt", "<P id=p1>Ana Ruiz</P> left.\n\nLater Ana Ruiz came back.")
    [finding] = check(capsys, path)[1]["findings"]
    assert (finding["rule"], finding["line"]) == ("both-ways", 7)
    assert path.read_text().splitlines()[6].startswith("Later")


def test_native_finding_names_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    articles = [
        *read_articles(write(tmp_path / "a.txt", text=words(1))),
        *read_articles(write(tmp_path / "b.txt", DOUBTFUL, text=words(2))),
    ]
    write_articles(tmp_path / "corpus.jsonl.gz", articles)
    code, report = check(capsys, tmp_path / "corpus.jsonl.gz")
    [finding] = report["findings"]
    assert (code, finding["line"], finding["article"], finding["spans"]) == (0, 2, "own/b", ["v1"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<X id=x1>mines</X>", "<X id=x1>mines", "is never closed"),
        ("by=s1", "by=s7", "there is no span with the id 's7'"),
        ("ref=p1", "ref=c1", "takes the id of a <P>"),
        ("that <V", " <V", "white space at its edge"),
        ("<X id=x1>mines</X>", "<X id=x1>mi<M id=m1>nes</M></X>", "must not overlap"),
        ("<C id=c1>", "<C id=p1>", "the id is taken"),
    ],
)
def test_structural_mistake_of_an_inline_file_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    body = BODY.replace(old, new)
    code, report = check(capsys, write(tmp_path / "a.txt", body))
    assert code == 1
    assert told in " ".join(finding["message"] for finding in report["findings"])
    assert set(rules(report)) == {"structure"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda record: record["spans"][0].update(start=1), "reads"),
        (lambda record: record["links"].append({"type": "said_by", "head": "q1", "tail": "z"}),
         "names a span that is not there"),
        (lambda record: record["links"].append({"type": "said_by", "head": "c1", "tail": "s1"}),
         "is not allowed"),
        (lambda record: record["spans"].append(record["spans"][0]), "2 spans have the id"),
    ],
)  # fmt: skip
def test_structural_mistake_of_a_native_file_is_an_error_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, told: str
) -> None:
    [article] = read_articles(write(tmp_path / "a.txt"))
    record = json.loads(json.dumps(article.to_dict()))
    change(record)
    path = tmp_path / "b.jsonl"
    path.write_text(json.dumps(record) + "\n")
    code, report = check(capsys, path)
    [finding] = report["findings"]
    assert (code, finding["rule"], finding["line"]) == (1, "structure", 1)
    assert told in finding["message"]


def test_same_quote_chain_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "<Q id=q1>“A.”</Q> <Q id=q2 same=q1>“B.”</Q> <Q id=q3 same=q2>“C.”</Q>"
    code, report = check(capsys, write(tmp_path / "a.txt", body))
    assert code == 1
    assert "is a chain" in report["findings"][0]["message"]


def test_near_duplicate_in_another_split_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "train" / "a.txt", text=words(1))
    write(tmp_path / "dev" / "b.txt", text=words(1))
    code, report = check(capsys, tmp_path)
    assert (code, rules(report)) == (1, ["near-duplicate"])


def test_shared_passage_between_splits_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "train" / "a.txt", "", text=f"{words(1)} {words(2)} {words(3)}")
    write(tmp_path / "dev" / "b.txt", "", text=f"{words(1)[:200]} {words(4)} {words(5)}")
    code, report = check(capsys, tmp_path)
    assert (code, rules(report)) == (0, ["repeated-text"])


def test_copy_inside_a_split_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.txt", text=words(1))
    write(tmp_path / "b.txt", text=words(1))
    code, report = check(capsys, tmp_path)
    assert (code, rules(report)) == (0, ["repeated-text"])


def test_duplicate_id_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.txt", text=words(1))
    write(tmp_path / "b.txt", name="a", text=words(2))
    code, report = check(capsys, tmp_path)
    assert (code, rules(report)) == (1, ["duplicate-id"])


def parts(path: Path) -> tuple[AnnotatedArticle, AnnotatedArticle]:
    """One article, once with one of its layers and once with the others."""
    [article] = read_articles(write(path, text=words(1)))
    layers = ("quantity",), ("attribution", "identity")
    first, second = (
        replace(
            article,
            complete_layers=names,
            spans=tuple(span for span in article.spans if span.layer in names),
            links=tuple(x for x in article.links if (x.type == "measures") == (names == layers[0])),
        )
        for names in layers
    )
    path.unlink()
    return first, second


def test_an_article_whose_layers_stand_in_two_files_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = parts(tmp_path / "a.txt")
    write_articles(tmp_path / "first.jsonl", [first])
    write_articles(tmp_path / "second.jsonl", [second])
    code, report = check(capsys, tmp_path, "--strict")
    assert (code, report["articles"], report["findings"]) == (0, 1, [])


def test_a_layer_that_is_annotated_twice_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = parts(tmp_path / "a.txt")
    write_articles(tmp_path / "first.jsonl", [first])
    write_articles(tmp_path / "second.jsonl", [first])
    code, report = check(capsys, tmp_path)
    [finding] = report["findings"]
    assert (code, finding["rule"]) == (1, "duplicate-id")
    assert finding["message"].startswith("quantity of the article 'own/a' is annotated in ")


def test_an_article_without_complete_layers_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = parts(tmp_path / "a.txt")
    write_articles(tmp_path / "first.jsonl", [replace(first, complete_layers=())])
    assert "incomplete" in rules(check(capsys, tmp_path)[1])


def test_misspelt_layers_and_labels_come_with_what_was_probably_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = parts(tmp_path / "a.txt")
    spans = (replace(first.spans[0], label="QUANTTY"), *first.spans[1:])
    wrong = replace(first, spans=spans, links=(), complete_layers=("quantity", "atribution"))
    write_articles(tmp_path / "first.jsonl", [wrong])
    told = " ".join(finding["message"] for finding in check(capsys, tmp_path)[1]["findings"])
    assert "did you mean 'attribution'?" in told
    assert "did you mean 'QUANTITY'?" in told


def test_articles_without_annotations_are_passed_over_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = parts(tmp_path / "a.txt")
    write_articles(tmp_path / "first.jsonl", [first])
    plain = tmp_path / "plain.jsonl"
    plain.write_text(json.dumps({"id": "own/a", "text": first.text}) + "\n")
    code, report = check(capsys, tmp_path)
    assert (code, report["articles"], report["findings"]) == (0, 1, [])
    assert report["notes"] == [f"{plain}: holds articles without annotations, and is passed over"]


def test_article_in_two_formats_counts_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_articles(tmp_path / "a.jsonl", read_articles(write(tmp_path / "inline" / "a.txt")))
    code, report = check(capsys, tmp_path, "--strict")
    assert (code, report["articles"]) == (0, 1)


def test_two_formats_that_differ_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [article] = read_articles(write(tmp_path / "inline" / "a.txt"))
    write_articles(tmp_path / "a.jsonl", [replace(article, links=article.links[1:])])
    code, report = check(capsys, tmp_path)
    assert (code, rules(report)) == (1, ["unlike-copies"])


def test_same_person_is_asked_only_of_a_corpus_that_annotates_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.txt", "<P id=p1>Ana Ruiz</P> and <P id=p2>Ruiz</P>")
    assert check(capsys, path)[1]["findings"] == []
    other = write(tmp_path / "b.txt", "<P id=p1>Bo Lind</P> and <P id=p2 same=p1>Lind</P>")
    assert rules(check(capsys, path, other)[1]) == ["same-person"]


def test_annotations_without_text_are_passed_over_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.txt")
    standoff = tmp_path / "standoff.jsonl"
    standoff.write_text(json.dumps({"id": "b", "text_sha256": "00", "spans": [], "links": []}))
    code, report = check(capsys, tmp_path)
    assert (code, report["articles"]) == (0, 1)
    assert report["notes"][0].startswith(f"{standoff}: holds no text")


def test_corpus_with_labels_of_its_own_gets_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = [
        {"id": f"d{at}", "layer": "time", "label": "DATE", "start": 4 * at, "end": 4 * at + 3}
        for at in range(5)
    ]
    record = {"id": "a", "text": "May " * 5, "spans": spans, "complete_layers": ["identity"]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record))
    code, report = check(capsys, path)
    assert (code, rules(report)) == (0, ["unknown-label"] * 5)
    assert main(["check", str(path)]) == 0
    out, err = capsys.readouterr()
    assert (out.count("'May': unknown layer"), out.count("2 more; --json lists all")) == (3, 1)
    assert "5 spans have labels that the schema does not know: DATE of time (5);" in err
    assert "--add time=DATE\n" in err
    assert main(["check", str(path), "--add", "time=DATE"]) == 0
    assert "--add" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.jsonl", None),
        ("cut.jsonl.gz", b"\x1f\x8b\x08\x00"),
        ("latin.txt", "---\nid: a\n---\ncafé".encode("latin-1")),
        ("empty.jsonl", b""),
        ("picture.png", b"\x89PNG\r\n"),
    ],
)
def test_unreadable_input_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main(["check", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("claimx: ")
    assert str(path) in err
    assert err.count("\n") == 1


def test_empty_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "holds no file of" in capsys.readouterr().err


def test_many_warnings_alike_are_counted_and_not_all_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = " ".join(f"<V id=v{number} val=1 unit=percent>2 percent</V>" for number in range(150))
    assert main(["check", str(write(tmp_path / "a.txt", body))]) == 0
    out, err = capsys.readouterr()
    assert out.count("2 percent' reads as") == 100
    assert "50 more; --json lists all" in out
    assert "150 warnings" in err


def test_labels_of_ones_own_are_known_once_they_are_added(capsys, tmp_path):
    [article] = read_articles(write(tmp_path / "one.txt", text="\nIt was on Tuesday."))
    start = article.text.index("Tuesday")
    span = AnnotatedSpan("d1", "time", "DATE", start, start + 7, "Tuesday")
    layers = (*article.complete_layers, "time")
    dated = replace(article, spans=(*article.spans, span), complete_layers=layers)
    write_articles(tmp_path / "mine.jsonl", [dated])
    plain = rules(check(capsys, tmp_path / "mine.jsonl")[1])
    added = rules(check(capsys, tmp_path / "mine.jsonl", "--add", "time=DATE,HOUR")[1])
    assert sorted(plain) == sorted([*added, "unknown-label", "unknown-label"])
    assert main(["check", str(tmp_path / "mine.jsonl"), "--add", "DATE"]) == 2
    assert "--add takes LAYER=LABEL" in capsys.readouterr().err
