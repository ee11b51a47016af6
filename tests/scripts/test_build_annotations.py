"""The corpus script: what it refuses, what it writes, and that it writes nothing half."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from claimx.formats import read_articles

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_annotations.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_annotations", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_annotations"] = module
    spec.loader.exec_module(module)
    return module


def filler(seed: int, count: int = 130) -> str:
    """Return words that no other seed shares."""
    return " ".join(f"word{seed}x{number}" for number in range(count))


def source(name: str, body: str, **head: str) -> str:
    fields = {
        "id": f"own/{name}",
        "genre": "wire",
        "topic": "business",
        "date": "3 May 2024",
        "phenomena": "{inverted_cue: [c1]}",
        **head,
    }
    lines = "\n".join(f"{key}: {value}" for key, value in fields.items())
    return f"---\n{lines}\n---\n\n<C id=c1>Warned</C> {body}\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for split, name, seed in (
        ("train", "b", 1),
        ("train", "a", 2),
        ("dev", "c", 3),
        ("test", "d", 4),
    ):
        folder = tmp_path / "inline" / split
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(source(name, filler(seed)))
    return tmp_path


def run(script: ModuleType, corpus: Path, *arguments: str) -> int:
    code = script.main([*arguments, "--corpus", str(corpus)])
    assert isinstance(code, int)
    return code


def test_build_writes_each_split_sorted_by_id(script: ModuleType, corpus: Path) -> None:
    assert run(script, corpus) == 0
    written = {
        split: [a.id for a in read_articles(corpus / f"{split}.jsonl")] for split in script.SPLITS
    }
    assert written == {"train": ["own/a", "own/b"], "dev": ["own/c"], "test": ["own/d"]}


def test_building_twice_gives_the_same_bytes(script: ModuleType, corpus: Path) -> None:
    run(script, corpus)
    before = (corpus / "train.jsonl").read_bytes()
    run(script, corpus)
    assert (corpus / "train.jsonl").read_bytes() == before


def test_one_problem_keeps_everything_from_being_written(
    script: ModuleType, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = corpus / "inline" / "dev" / "c.txt"
    bad.write_text(source("c", f"<S id=s1 ref=p7>x</S> {filler(3)}"))
    assert run(script, corpus) == 1
    assert f"{bad}:9:21: <S id=s1 ref=p7>" in capsys.readouterr().out
    assert not list(corpus.glob("*.jsonl"))


@pytest.mark.parametrize(
    ("head", "line", "told"),
    [
        ({"id": "own/other"}, 2, "should be 'own/a'"),
        ({"genre": "novel"}, 3, "genre 'novel'; use one of wire"),
        ({"topic": "pottery"}, 4, "topic 'pottery'; use one or more of business"),
        ({"topic": "[courts, mud]"}, 4, "topic 'mud'; use one or more of business"),
        ({"date": ""}, 5, "`date` is missing"),
        ({"phenomena": "{range: [v9]}"}, 6, "range names v9, which is no span"),
        ({"phenomena": "{ranges: [c1]}"}, 6, "unknown phenomenon 'ranges'; did you mean 'range'?"),
        ({"phenomena": "{range: []}"}, 6, "range has no span"),
        ({"phenomena": "{range: c1}"}, 6, "give a list of span ids"),
        ({"phenomena": "[c1]"}, 6, "maps each phenomenon"),
        ({"phenomena": "{scare_quotes: []}"}, 6, "neither spans nor words"),
        (
            {"phenomena": "{scare_quotes: [], scare_quotes_text: [nowhere]}"},
            6,
            "'nowhere' does not occur in the text",
        ),
    ],
)
def test_front_matter_mistake_is_told_with_its_line(
    script: ModuleType,
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    head: dict[str, str],
    line: int,
    told: str,
) -> None:
    path = corpus / "inline" / "train" / "a.txt"
    path.write_text(source("a", filler(2), **head))
    assert run(script, corpus, "--check", str(path)) == 1
    out = capsys.readouterr().out
    assert told in out
    assert out.startswith(f"{path}:{line}: ")


def test_words_of_a_phenomenon_are_lifted_out_of_it(script: ModuleType, corpus: Path) -> None:
    phenomena = "{number_not_quantity: [], number_not_quantity_text: [word2x1, word2x2]}"
    path = corpus / "inline" / "train" / "a.txt"
    path.write_text(source("a", filler(2), phenomena=phenomena))
    assert run(script, corpus) == 0
    meta = next(iter(read_articles(corpus / "train.jsonl"))).meta
    assert meta["phenomena"] == {"number_not_quantity": []}
    assert meta["number_not_quantity_text"] == ["word2x1", "word2x2"]


def test_short_article_is_refused(
    script: ModuleType, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = corpus / "inline" / "train" / "a.txt"
    path.write_text(source("a", filler(2, 40)))
    assert run(script, corpus, "--check", str(path)) == 1
    assert "41 words; an article has at least 120" in capsys.readouterr().out


def test_near_duplicate_in_another_split_is_refused(
    script: ModuleType, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = corpus / "inline" / "test" / "d.txt"
    path.write_text(source("d", f"{filler(4, 100)} {filler(1, 40)}"))
    assert run(script, corpus, "--check", str(path)) == 1
    assert f"near-duplicate of {corpus / 'inline' / 'train' / 'b.txt'}" in capsys.readouterr().out


def test_check_reports_only_on_the_files_given(script: ModuleType, corpus: Path) -> None:
    (corpus / "inline" / "dev" / "c.txt").write_text("no head")
    assert run(script, corpus, "--check", str(corpus / "inline" / "train" / "a.txt")) == 0
    assert run(script, corpus, "--check") == 1


def test_missing_file_is_one_problem(
    script: ModuleType, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(script, corpus, "--check", str(corpus / "none.txt")) == 1
    assert "none.txt: cannot be read" in capsys.readouterr().out


def test_counts_in_the_readme_are_refreshed_between_the_marks(
    script: ModuleType, corpus: Path
) -> None:
    readme = corpus / "README.md"
    readme.write_text("before\n<!-- counts -->\nold\n<!-- end of counts -->\nafter\n")
    run(script, corpus)
    text = readme.read_text()
    assert "| articles | 2 | 1 | 1 |" in text
    assert "| CUE | 2 | 1 | 1 | 4 |" in text
    assert "| inverted_cue (fewer than 15) | 2 | 1 | 1 | 4 |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_article_is_counted_under_each_of_its_topics(
    script: ModuleType, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = corpus / "inline" / "train" / "a.txt"
    path.write_text(source("a", filler(2), topic="[sport, courts]"))
    run(script, corpus, "--stats")
    out = capsys.readouterr().out
    assert "| business (fewer than 15) | 1 | 1 | 1 | 3 |" in out
    assert "| sport (fewer than 15) | 1 | 0 | 0 | 1 |" in out
    assert "| courts (fewer than 15) | 1 | 0 | 0 | 1 |" in out
