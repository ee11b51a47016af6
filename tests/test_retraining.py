"""docs/retraining.md is walked from its first command to its last, on small data.

The commands run in the order of the page, in a folder of their own, on a tiny model under the name
of the shipped one. Two steps are not what the page says: Label Studio is played by `submit`, and
installing a wheel is unpacking it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.distributed.run import get_args_parser

from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.cli import main as claimx
from claimx.extractor import Extractor
from claimx.formats import write_articles
from claimx.formats.native import read_native
from claimx.types import AnnotatedArticle, Article
from scripts.export_standoff import standoff_record, write_gzip
from tests.tiny import WORDS, random_model, wordpiece, write_encoder, write_lines
from tests.training.small import ARTICLES, only
from training.config import load_config
from training.data import text_fingerprint

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "retraining.md").read_text(encoding="utf-8")
# Keys of the shipped configs that make a run small.
SMALL = {
    "window": 60, "overlap": 16, "example_tokens": 200, "step_tokens": 400, "link_size": 16,
    "precision": "float32", "encoder_layers": 0,
}  # fmt: skip
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def commands(block: str) -> Iterator[str]:
    """Yield the commands of a shell block; lines that go on, and here-documents, are one."""
    lines = iter(block.splitlines())
    for line in lines:
        command = line
        while command.endswith("\\"):
            command = command[:-1] + next(lines)
        if "<<'END'" in command:
            for added in lines:
                command += f"\n{added}"
                if added == "END":
                    break
        yield command


class Walk:
    """The folder in which the page is walked, and what its commands print."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = patch
        self.printed: dict[str, str] = {}

    def take(self, language: str, text: str) -> None:
        """Do what a block of the page says."""
        if language == "sh" and text.startswith("# not run by the tests:"):
            for command in commands(text.partition("\n")[2]):
                self.read(command)
        elif language == "sh":
            for command in commands(text):
                self.run(command)
        elif language == "yaml" and text.startswith("# instead"):
            path = self.folder / "configs" / "mine.yaml"
            load_config(path, yaml.safe_load(text))
        elif language == "yaml":
            path = self.folder / text.splitlines()[0].removeprefix("# ")
            path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | yaml.safe_load(text)))
        elif language == "json":
            Article(**json.loads(text))
            with (self.folder / "own" / "articles.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(text)
        elif language == "python":
            exec(compile(text, "docs/retraining.md", "exec"), {})  # the page is our own
        else:
            pytest.fail(f"a block in {language} is run by nobody:\n{text}")

    def run(self, command: str) -> None:
        """Run one command; any failure fails the walk."""
        match shlex.split(command):
            case ["claimx", "convert", source, *_] as words:
                submit(self.folder / "own" / "tasks.json", self.folder / source)
                call = (claimx, words[1:])
            case ["claimx", *words]:
                call = (claimx, words)
            case ["python", "-m", module, *words]:
                call = (importlib.import_module(module).main, words)
            case ["python", script, *words] if script.startswith("scripts/"):
                module = script.removesuffix(".py").replace("/", ".")
                call = (importlib.import_module(module).main, words)
            case ["pip", "install", *words]:
                self.install(words)
                return
            case ["export", assignment]:
                self.patch.setenv(*assignment.split("=", 1))
                return
            case words:
                call = (self.shell, [command])
        shown = StringIO()
        with redirect_stdout(shown):
            code = call[0](call[1])
        self.printed[command] = shown.getvalue()
        assert code == 0, f"{command}\nended with {code}"

    def read(self, command: str) -> None:
        """Check a command that needs more machines than a test has: its options, module and file."""
        launcher, *words = shlex.split(command)
        assert launcher == "torchrun"
        given = get_args_parser().parse_args(words)
        assert given.module
        assert importlib.util.find_spec(given.training_script)
        assert load_config(self.folder / given.training_script_args[0])

    def shell(self, command: Sequence[str]) -> int:
        """Run a command as a user's shell does, with this Python first on the path."""
        binaries = self.folder / "bin"
        environment = {
            **os.environ,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }
        done = subprocess.run(
            ["bash", "-euc", *command], cwd=self.folder, env=environment, capture_output=True,
            text=True, timeout=900, check=False,
        )  # fmt: skip
        print(done.stdout)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.returncode

    def install(self, words: Sequence[str]) -> None:
        """Unpack a wheel where it is found; of a checkout, see that it could be installed."""
        *options, what = words
        if what.endswith(".whl"):
            with zipfile.ZipFile(self.folder / what) as archive:
                archive.extractall(self.folder / "site")
            self.patch.syspath_prepend(str(self.folder / "site"))
            return
        if what.startswith("./models/"):
            assert (ROOT / what / "pyproject.toml").is_file()
            return
        assert options == ["--constraint", "constraints.txt", "--editable"]
        assert (ROOT / "constraints.txt").is_file()
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert what.removeprefix(".[").removesuffix("]") in extras["optional-dependencies"]


# ---- what a person does -----------------------------------------------------------------------


def submit(tasks: Path, export: Path) -> None:
    """Accept every prediction as Label Studio does, mark DATE by hand, and export.

    An export of that name which is there already stays; what two people did is in `twice.json`.
    """
    if export.suffix != ".json" or export.exists():
        return
    people = (1, 2) if export.name == "twice.json" else (1,)
    exported = []
    for task in json.loads(tasks.read_text(encoding="utf-8")):
        result = [
            item | ({"origin": "prediction"} if "value" in item else {})
            for item in task["predictions"][0]["result"]
        ]
        annotations = [
            {
                "id": person, "completed_by": person, "was_cancelled": False,
                # The second person is less careful.
                "result": [*result, *dates(task["data"]["text"])[: 1 if person == 2 else None]],
            }
            for person in people
        ]  # fmt: skip
        exported.append({**task, "annotations": annotations, "predictions": []})
    export.write_text(json.dumps(exported), encoding="utf-8")


def dates(text: str) -> list[dict[str, Any]]:
    """The regions that a person draws by hand; all characters here are one UTF-16 unit."""
    return [
        {
            "id": f"hand{match.start()}", "from_name": "time", "to_name": "text",
            "type": "labels", "origin": "manual",
            "value": {
                "start": match.start(), "end": match.end(), "text": match[0], "labels": ["DATE"],
            },
        }
        for match in re.finditer("Tuesday|1 May", text)
    ]  # fmt: skip


# ---- what lies in the folder before the first command -----------------------------------------


def own_articles(count: int) -> list[dict[str, str]]:
    """Articles with dates in them, of which no two have a sentence in common."""
    articles = []
    for number in range(count):
        drawn = random.Random(number)
        first, second = (" ".join(drawn.choices(WORDS, k=9)) for _ in range(2))
        text = f"“{first.capitalize()},” said Ruiz on Tuesday. It {second} on 1 May.\n\nOn Tuesday."
        articles.append({"id": f"own/{number}", "text": text})
    return articles


def renamed(prefix: str) -> list[AnnotatedArticle]:
    """`ARTICLES` under other ids and with other texts."""
    return [
        replace(article, id=f"{prefix}/{article.id}", text=f"{article.text} {prefix}")
        for article in ARTICLES
    ]


def prepare(folder: Path) -> None:
    """Lay out what the page takes for granted: the checkout, the texts and the corpora."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    torchrun = folder / "bin" / "torchrun"
    torchrun.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m torch.distributed.run "$@"\n')
    torchrun.chmod(0o755)
    shutil.copytree(ROOT / "configs", folder / "configs")
    for path in (folder / "configs").glob("*.yaml"):
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | SMALL))
    # A folder goes before the model of that name.
    for name in ("claimx-en", "claimx-en-small"):
        model = random_model(name=name)
        with torch.no_grad():
            for head in model.tag_heads.values():
                head.bias[0] += 5.0  # few spans, and so few pairs to link
        save_checkpoint(folder / name, model, wordpiece(), {"fingerprints": []})
    write_encoder(folder / "encoder")
    (folder / "own").mkdir()
    write_lines(folder / "own" / "articles.jsonl", own_articles(19))
    data = folder / "data" / "annotations"
    for split in ("train", "dev"):
        (data / "inline" / split).mkdir(parents=True)
        [pier] = (only(article, "attribution", "identity") for article in renamed(split)[:1])
        write_articles(data / "inline" / split / "pier.txt", [pier])
    write_articles(data / "test.jsonl", renamed("test"))
    prepare_corpora(folder, data / "standoff")


def prepare_corpora(folder: Path, standoff: Path) -> None:
    """Write the corpora of the shipped model, one of them without its texts."""
    standoff.mkdir()
    (folder / "corpora").mkdir()
    configs = "".join(path.read_text() for path in sorted((ROOT / "configs").glob("*.yaml")))
    named = re.findall(r"corpora}/(\S+)\.jsonl", configs)
    for name in dict.fromkeys(named):
        articles = renamed(name)
        if name == "news_annotated.train":
            texts = [{"id": one.id, "text": one.text} for one in articles]
            write_lines(folder / "texts.jsonl", texts)
            records = [standoff_record(one) for one in articles]
            write_gzip(standoff / f"{name}.jsonl.gz", records)
        else:
            write_articles(folder / "corpora" / f"{name}.jsonl.gz", articles)


@pytest.fixture(scope="module")
def walk(tmp_path_factory) -> Iterator[Walk]:
    """The page, walked to its end; that no command fails is a test in itself."""
    folder = tmp_path_factory.mktemp("checkout")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("CLAIMX_ENCODER", "CLAIMX_BASE_ENCODER"):
            patch.setenv(name, str(folder / "encoder"))
        for name in ("CLAIMX_INIT", "CLAIMX_CORPORA"):
            patch.delenv(name, raising=False)
        prepare(folder)
        walk = Walk(folder, patch)
        for language, text in BLOCKS:
            walk.take(language, text)
        yield walk


# ---- what comes of it -------------------------------------------------------------------------


def test_every_article_is_in_one_part_of_the_split(walk):
    parts = [set(), set(), set()]
    for part, name in zip(parts, ("train", "dev", "test"), strict=True):
        part.update(article.id for article in read_native(walk.folder / "own" / f"{name}.jsonl"))
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20


def test_corrections_come_back_with_the_layers_that_were_on_offer(walk):
    articles = list(read_native(walk.folder / "own" / "annotated.jsonl"))
    assert {a.complete_layers for a in articles} == {
        ("attribution", "identity", "quantity", "time")
    }
    assert all(any(span.label == "DATE" for span in article.spans) for article in articles)


def test_the_new_model_has_the_new_layer_and_has_seen_train_alone(walk):
    checkpoint = load_checkpoint(walk.folder / "runs" / "mine" / "model")
    assert checkpoint.name.startswith("newsroom-en 0.1.0 (")
    assert checkpoint.model.config.label_schema.layer("time").labels == ("DATE",)
    train = read_native(walk.folder / "own" / "train.jsonl")
    known = Extractor.from_checkpoint(
        checkpoint, device="cpu", dtype="float32"
    ).training_fingerprints
    assert known == {text_fingerprint(article.text) for article in train}


def test_the_evaluation_has_differences_from_the_old_model(walk):
    report = json.loads((walk.folder / "own" / "report.json").read_text())
    assert report["baseline"] == "claimx-en-small"
    assert any(name.startswith("spans.time.DATE") for name in report["differences"])


def test_two_annotators_are_told_apart(walk):
    [printed] = [text for command, text in walk.printed.items() if "agreement" in command]
    assert "20 articles on both sides" in printed
    [row] = [line for line in printed.splitlines() if "DATE" in line and "time" in line][:1]
    assert "100.0" not in row


def test_the_installed_model_is_found_by_its_name(walk):
    [printed] = [text for command, text in walk.printed.items() if "claimx info" in command]
    assert "newsroom-en 0.1.0 (" in printed


def test_the_other_runs_end_with_a_model(walk):
    for name in ("scratch", "default", "small", "open", "in-two"):
        assert load_checkpoint(walk.folder / "runs" / name / "model")


# ---- the page itself --------------------------------------------------------------------------


def test_links_within_the_page_lead_somewhere():
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings
    assert "](docs/retraining.md" in (ROOT / "README.md").read_text(encoding="utf-8")
