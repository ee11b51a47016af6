"""A whole run through worker processes, with a tiny model."""

from __future__ import annotations

import json
import os
import signal
from functools import partial

import pytest

from claimx.archive.receipts import Receipt, input_ranges, read_receipts
from claimx.archive.rows import Row
from claimx.archive.shards import Shard
from claimx.archive.workers import WorkerError, run_shards
from claimx.archive.writers import read_records
from claimx.checkpoint import save_checkpoint
from claimx.cli import main
from claimx.types import Article, Extraction
from tests.tiny import random_model, wordpiece, write_lines

ARTICLES = [
    {"id": f"a{n}", "text": f"“The ferry was late {n} times,” said Okafor about {n} percent of it."}
    for n in range(7)
]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_checkpoint(folder, random_model(), wordpiece(), {"fingerprints": []})
    return str(folder)


def contents(folder) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in sorted((folder / "records").iterdir())
    }  # fmt: skip


def test_a_run_that_lost_shards_ends_as_one_that_did_not(model, tmp_path, capsys):
    write_lines(tmp_path / "in.jsonl", [*ARTICLES, {"id": "bad"}])
    call = [
        "archive", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out"), "--model", model,
        "--rows", "3", "--metrics", str(tmp_path / "metrics.json"),
    ]  # fmt: skip
    assert main(call) == 1  # one article has no text
    before = contents(tmp_path / "out")
    assert json.loads((tmp_path / "metrics.json").read_text())["errors"] == 1
    found = [
        record["id"]
        for name in before
        for record in read_records(str(tmp_path / "out" / "records" / name))
    ]
    assert len(found) == 8
    (tmp_path / "out" / "receipts" / "00000-001.json").unlink()
    (tmp_path / "out" / "records" / "00000-000.parquet").write_bytes(b"cut")
    assert main(call) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*call, "--resume"]) == 1
    assert contents(tmp_path / "out") == before
    assert len(list(read_receipts(str(tmp_path / "out")))) == 3
    assert main(["archive", "--verify", str(tmp_path / "out")]) == 0


# ---- workers that die -------------------------------------------------------------------------


def deadly(folder: str, *, whatever: bool = False):
    """A runner without a model that kills its process on the article `poison`."""

    def run(shard: Shard, say=None) -> Receipt:
        done = []
        for number, row in enumerate(shard.rows):
            if isinstance(row.item, Extraction):
                done.append(row.item.error.kind)
                continue
            if say:
                say(number)
            if row.item.id == "poison" or whatever:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(row.item.id)
        return Receipt(
            shard.name, shard.last, input_ranges(shard.rows), (), len(shard.rows), len(done),
            done.count("killed_worker"), 0, "m", "c", " ".join(done),
        )  # fmt: skip

    return run


def shards(*names: str) -> list[Shard]:
    return [
        Shard(
            f"0000{n}-000",
            tuple(Row("f", k, Article(i, i)) for k, i in enumerate(ids.split())),
            True,
        )
        for n, ids in enumerate(names)
    ]


def test_an_article_that_kills_its_worker_becomes_an_error_and_takes_nothing_along(tmp_path):
    work = shards("a b", "c poison d", "e")
    receipts = run_shards(work, [partial(deadly, str(tmp_path))])
    assert [receipt.claimx for receipt in receipts] == ["a b", "c killed_worker d", "e"]


def test_workers_that_always_die_end_the_run(tmp_path):
    with pytest.raises(WorkerError, match="exit code -9"):
        list(run_shards(shards("a"), [partial(dead, str(tmp_path))]))


def dead(folder: str):
    """What cannot even start."""
    os.kill(os.getpid(), signal.SIGKILL)
