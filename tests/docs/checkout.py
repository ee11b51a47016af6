"""A folder as the pages speak of it, in which their commands are run."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import yaml

from claimx.checkpoint import save_checkpoint
from claimx.formats import write_articles
from tests.docs.blocks import ROOT
from tests.tiny import random_model, wordpiece
from tests.training.small import ARTICLES

SMALL_MODEL = ROOT / "models" / "claimx-en-small" / "claimx_model_claimx_en_small"
SENTENCE = (
    "“We will close two mines,” said Ana Ruiz, head of Norvale. It cut 40 percent of the jobs."
)
# Keys that make the training of the README small, as its reader fills them in.
TRAINING = {
    "init": "tiny", "teacher": "tiny", "output": "runs/mine", "window": 60, "overlap": 16,
    "example_tokens": 200, "step_tokens": 400, "precision": "float32",
    "corpora": [{"path": "my-annotations/train.jsonl", "passes": 1}],
    "new_labels": {},
}  # fmt: skip
# Programs that are not run, or may be missing: curl gives an article, the last three do nothing.
PROGRAMS = {
    "claimx": f'exec "{sys.executable}" -m claimx "$@"',
    "python": f'exec "{sys.executable}" "$@"',
    "duckdb": f'exec "{sys.executable}" -c "import duckdb, sys; print(duckdb.sql(sys.argv[2]))" "$@"',
    "curl": "cat article.txt",
    "pip": "exit 0",
    "make": "exit 0",
    "git": "exit 0",
}


def lay_out(folder: Path, *, trained: bool) -> None:
    """Fill an empty folder: articles, annotations, configs, models, and programs in `bin`.

    The packaged model is played by the small one, which reads faster; `tiny` knows nothing and is
    there to be trained.

    Args:
        folder: the folder.
        trained: whether `runs/mine/model` is there already.
    """
    # A folder goes before the model of that name.
    (folder / "claimx" / "models").mkdir(parents=True)
    for name in ("claimx-en", "claimx-en-small", "claimx/models/claimx-en"):
        (folder / name).symlink_to(SMALL_MODEL, target_is_directory=True)
    for name in ("tiny", "runs/mine/model") if trained else ("tiny",):
        save_checkpoint(folder / name, random_model(name=name), wordpiece(), {"fingerprints": []})
    (folder / "article.txt").write_text(SENTENCE, encoding="utf-8")
    (folder / "articles.jsonl").write_text(lines("one", "two"), encoding="utf-8")
    (folder / "news").mkdir()
    (folder / "news" / "mines.txt").write_text(SENTENCE, encoding="utf-8")
    (folder / "news" / "a.jsonl.gz").write_bytes(gzip.compress(lines("three").encode()))
    write_annotations(folder)
    (folder / "configs").mkdir()
    for path in (ROOT / "configs").glob("*.yaml"):
        shutil.copy(path, folder / "configs")
    finetune = folder / "configs" / "finetune.yaml"
    config = yaml.safe_load(finetune.read_text(encoding="utf-8"))
    finetune.write_text(yaml.safe_dump(config | TRAINING), encoding="utf-8")
    (folder / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    write_programs(folder / "bin")


def lines(*names: str) -> str:
    """Return articles as JSON lines."""
    return "".join(json.dumps({"id": name, "text": f"{SENTENCE} {name}"}) + "\n" for name in names)


def write_annotations(folder: Path) -> None:
    """Write annotated articles under every name that a page has for them."""
    for name in ("my-annotations/train", "my-annotations/dev", "data/dev", "dev-a", "dev-b", "dev"):
        path = folder / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        write_articles(path, ARTICLES[-1:] if name.endswith("dev") else ARTICLES[:-1])
    for name in ("annotations", "agreement", "dates"):
        (folder / "data" / name).symlink_to(ROOT / "data" / name, target_is_directory=True)


def write_programs(folder: Path) -> None:
    """Write the programs that stand first on the path of the pages' shell."""
    folder.mkdir()
    for name, body in PROGRAMS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the pages' shell."""
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
