"""A whole run through worker processes, with a tiny model."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from claimx.archive import job
from claimx.archive.inputs import InputFile
from claimx.archive.places import Written
from claimx.archive.plan import Part, plan_groups
from claimx.archive.receipts import Receipt, read_receipts
from claimx.archive.writers import read_records
from claimx.backends import Choice
from claimx.checkpoint import save_checkpoint
from claimx.cli import main
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


def test_a_run_that_lost_shards_ends_as_one_that_did_not(model, tmp_path, capsys, monkeypatch):
    write_lines(tmp_path / "in.jsonl", [*ARTICLES, {"id": "bad"}])
    call = [
        "archive", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out"), "--model", model,
        "--rows", "3", "--metrics", str(tmp_path / "metrics.json"),
    ]  # fmt: skip
    assert main(call) == 1  # one article has no text
    said = capsys.readouterr().err
    assert "claimx: 1 article could not be read" in said
    assert f"\nclaimx:   {tmp_path / 'in.jsonl'}:8: there is no text" in said.replace("bad: ", "")
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
    chosen = Choice("torch", "cuda:0", "float16")
    monkeypatch.setattr("claimx.backends.choose", lambda *asked: chosen)
    capsys.readouterr()
    assert main([*call, "--resume"]) == 2
    said = capsys.readouterr().err
    assert "extractor.device was 'cpu' and is 'cuda'; extractor.dtype was" in said
    assert "and is 'float16'" in said


def test_a_file_that_cannot_be_read_is_named_until_it_is_mended(model, tmp_path, capsys):
    write_lines(tmp_path / "a.jsonl", ARTICLES[:2])
    (tmp_path / "b.csv").write_text("")
    call = [
        "archive", str(tmp_path / "a.jsonl"), str(tmp_path / "b.csv"), "--out",
        str(tmp_path / "out"), "--model", model, "--metrics", str(tmp_path / "metrics.json"),
    ]  # fmt: skip
    listed = tmp_path / "out" / "quarantined.jsonl"
    assert main(call) == 1
    found = [json.loads(line) for line in listed.read_text().splitlines()]
    assert [Path(one["path"]).name for one in found] == ["b.csv"]
    assert "nothing in it" in found[0]["reason"]
    assert json.loads((tmp_path / "metrics.json").read_text())["quarantined"] == found
    capsys.readouterr()
    assert main(["archive", "--verify", str(tmp_path / "out")]) == 0
    assert "b.csv could not be read and is left out" in capsys.readouterr().out
    (tmp_path / "b.csv").write_text("id,text\nb,Ruiz told us.\n")
    assert main([*call, "--resume"]) == 0
    assert not listed.exists()
    [record] = read_records(str(tmp_path / "out" / "records" / "00001-000.parquet"))
    assert record["id"] == "b"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_misspelt_field_leaves_the_folder_free(model, tmp_path, capsys, name):
    source = tmp_path / name
    if name == "a.csv":
        source.write_text("id,tale\na,Ruiz told us.\n")
    else:
        write_lines(source, [{"id": "a", "tale": "Ruiz told us."}])
    out = tmp_path / "out"
    call = ["archive", str(source), "--out", str(out), "--model", model, "--text-field"]
    assert main([*call, "tael"]) == 2
    said = capsys.readouterr().err
    assert "nothing can be read of 1 input file, and nothing was written" in said
    assert "there is no `tael`" in said
    assert not out.exists()
    assert main(call[:-1]) == 2  # "tale" is none of the usual names
    assert not out.exists()
    assert main([*call, "tale"]) == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [("--attribution", "broadly"), ("--currency", "dollar"), ("--title", "append")],
)
def test_a_wrong_option_leaves_the_folder_free(model, tmp_path, capsys, option, value):
    source = write_lines(tmp_path / "a.jsonl", ARTICLES[:1])
    out = tmp_path / "out"
    call = ["archive", str(source), "--out", str(out), "--model", model, option, value]
    assert main(call) == 2
    assert value in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_standard_input_is_read_once_and_by_one_machine(model, tmp_path, monkeypatch, capsys):
    call = ["archive", "-", "--out", str(tmp_path / "out"), "--model", model]
    for option in (["--resume"], ["--shard", "0/2"]):
        assert main([*call, *option]) == 2
        assert "leave --resume and --shard out" in capsys.readouterr().err
    lines = "".join(json.dumps(article) + "\n" for article in ARTICLES).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert main([*call, "--input-format", "jsonl", "--rows", "4"]) == 0
    found = [
        record["id"]
        for name in contents(tmp_path / "out")
        for record in read_records(str(tmp_path / "out" / "records" / name))
    ]
    assert found == [article["id"] for article in ARTICLES]


def test_the_format_of_the_records_is_chosen_once_for_a_run(model, tmp_path, capsys):
    source = write_lines(tmp_path / "a.jsonl", ARTICLES[:1])
    call = ["archive", str(source), "--out", str(tmp_path / "out"), "--model", model]
    assert main([*call, "--format", "jsonl.zst"]) == 0
    assert [*contents(tmp_path / "out")] == ["00000-000.jsonl.zst"]
    capsys.readouterr()
    assert main([*call, "--resume"]) == 2
    assert "format was 'jsonl.zst' and is 'parquet'" in capsys.readouterr().err


def test_small_shards_are_expected_to_take_more_space():
    files = [InputFile("a.jsonl", 400_000, "", "jsonl")]
    whole, tenths = (
        job._expected(job.Job(["a.jsonl"], "out", rows_in_shard=rows), files) for rows in (1000, 10)
    )
    assert (tenths - whole) / 19 > 23_000  # 20 shards instead of one


def test_space_is_needed_only_for_what_is_not_done(tmp_path, monkeypatch):
    needed: list[int] = []
    monkeypatch.setattr(job, "space_problem", lambda folder, size: needed.append(size))
    files = [InputFile("a.jsonl", 10**6, "", "jsonl"), InputFile("b.jsonl", 10**6, "", "jsonl")]
    groups = plan_groups(files, 1000)
    done = job.Done({
        f"{group}-000": Receipt(
            f"{group}-000", True, (), (Written("r", "", 500_000), Written("q", "", 40_000)),
            0, 0, 0, 0, "m", "c", "1",
        )
        for group in ("00000", "00001")
    })  # fmt: skip
    asked = job.Job(["a.jsonl"], str(tmp_path), tables=True)
    said: list[str] = []
    for part, there in ((Part(), job.Done({})), (Part(), done), (Part(1, 2), done)):
        job._announce(replace(asked, part=part), files, groups, there, said.append)
    whole = job.estimate_bytes(2 * 10**6, "parquet", shards=2, tables=True)
    assert needed == [whole, whole - 1_080_000, whole // 2 - 540_000]
    assert said[2] == "1.08 MB of it are there already"
