"""docs/integrations.md is run from its first block to its last, with a model whose answers are known."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import claimx
from claimx.checkpoint import save_checkpoint
from claimx.cli import main
from claimx.types import Extraction
from tests.integrations.test_web_annotation import broken_rules
from tests.tiny import lexicon_engine, random_model, wordpiece

for library in ("spacy", "datasets", "pandas", "polars", "pyarrow"):
    pytest.importorskip(library)

import claimx.integrations.spacy  # noqa: E402 - an installed claimx is found without

ROOT = Path(claimx.__file__).parents[1]
PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder in which the page was walked, and its names; that nothing fails is a test."""
    folder = tmp_path_factory.mktemp("integrations")
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("claimx.extractor.open_engine", lexicon_engine)
        save_checkpoint(folder / "claimx-en-small", random_model(name="tiny"), wordpiece(), {})
        (folder / "examples").mkdir()
        (folder / "examples" / "harbour.txt").write_text("“No,” said Ruiz.", encoding="utf-8")
        for language, text in BLOCKS:
            if language == "python":
                exec(compile(text, "docs/integrations.md", "exec"), names)  # the page is our own
            else:
                run(folder, text)
        yield folder, names


def run(folder: Path, text: str) -> None:
    """Run the commands of a block; what follows > is the file for standard output."""
    for command in text.splitlines():
        words, _, target = command.partition(" > ")
        program, *arguments = shlex.split(words)
        assert program == "claimx"
        with pytest.MonkeyPatch.context() as patch, (folder / target).open("w") as stream:
            patch.setattr("sys.stdout", stream)
            assert main(arguments) == 0


def test_spacy_stores_what_the_page_says(walked):
    _, names = walked
    assert [span.text for span in names["doc"].spans["identity"]] == ["Ruiz", "Norvale"]
    assert names["records"] == [doc._.claimx.to_dict() for doc in names["loaded"]]
    assert [record["id"] for record in names["records"]] == ["a1", "a2"]
    assert names["widened"] == 0


def test_the_data_set_has_the_columns(walked):
    _, names = walked
    dataset = names["dataset"]
    assert dataset[0]["quotes"][0]["text"] == "“No,”"
    assert dataset[1]["claims"][0]["quantity"]["value"] == 40
    named = PAGE.partition("The new columns are")[2].partition("unless the article")[0]
    assert set(re.findall(r"`(\w+)`", named)) == set(dataset.column_names) - {"id", "text"}


def test_the_tables_have_quotes_and_claims(walked):
    _, names = walked
    assert names["by_speaker"][["article_id", "quote", "speaker"]].values.tolist() == [
        ["a1", "“No,”", "Ruiz"]
    ]
    assert names["percents"].rows() == [("a2", "About 40 percent of boats", 40.0)]
    assert names["failed"] == []


def test_both_ways_to_web_annotations_keep_the_rules(walked):
    folder, names = walked
    for name in ("harbour.jsonld", "annotations.jsonld"):
        collection = json.loads((folder / name).read_text(encoding="utf-8"))
        assert list(broken_rules(collection)) == []
        assert collection["total"] > 0
    assert isinstance(names["found"][0]._.claimx, Extraction)
