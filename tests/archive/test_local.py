"""What there is to do: each shard once, and files that could not be read again by every run."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from claimx.archive.inputs import find_inputs
from claimx.archive.local import Done, Source
from claimx.archive.plan import Part, plan_groups
from claimx.archive.readers import ReadOptions
from claimx.archive.receipts import LeftOut, Receipt, input_ranges
from claimx.archive.shards import Shard
from claimx.errors import ClaimxError

NITF = "<nitf><body><body.content><p>{}</p></body.content></body></nitf>"
BROKEN = "<other/>"
WHOLE = Part()


class Run:
    """A run without a model: whatever the source gives is done."""

    def __init__(self, folder: Path, rows_in_shard: int = 2) -> None:
        self.folder, self.rows = folder, rows_in_shard
        self.done = Done({})

    def go(self, most: int = 99, part: Part = WHOLE) -> list[str]:
        """Do at most so many shards and return their names."""
        self.left_out: list[LeftOut] = []
        self.passed: list[str] = []
        files = find_inputs([str(self.folder)])
        source = Source(
            plan_groups(files, self.rows), part, ReadOptions(check_language=False), self.rows,
            Done(dict(self.done.shards)), self.left_out.append,
            lambda receipt: self.passed.append(receipt.shard),
        )  # fmt: skip
        names = []
        for shard in source:
            if len(names) == most:
                break
            names.append(shard.name)
            self.done.shards[shard.name] = receipt_of(shard)
        return names

    def output(self) -> list[str]:
        """Return the files and rows that are in the output."""
        return [
            f"{Path(part.file).name} {part.first}-{part.last}"
            for _, receipt in sorted(self.done.shards.items())
            for part in receipt.inputs
        ]


def receipt_of(shard: Shard) -> Receipt:
    count = len(shard.rows)
    return Receipt(
        shard.name, shard.last, input_ranges(shard.rows), (), count, count, 0, 0, "m", "c", "1",
        bytes_in=shard.bytes_in, left_out=shard.left_out,
    )  # fmt: skip


@pytest.fixture
def run(tmp_path) -> Run:
    pytest.importorskip("defusedxml")
    for name in "abcd":
        (tmp_path / f"{name}.xml").write_text(NITF.format(name))
    return Run(tmp_path, rows_in_shard=4)


def test_every_shard_is_done_once_and_then_passed(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n' * 5)
    run = Run(tmp_path)
    assert run.go(most=2) == ["00000-000", "00000-001"]
    assert (run.go(), run.passed) == (["00000-002"], ["00000-000", "00000-001"])
    assert (run.go(), run.passed) == ([], ["00000-000", "00000-001", "00000-002"])


def test_parts_pass_only_their_own_shards(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n' * 5)
    run = Run(tmp_path)
    assert [*run.go(part=Part(0, 2)), *run.go(part=Part(1, 2))] == [
        "00000-000", "00000-002", "00000-001"
    ]  # fmt: skip
    assert (run.go(part=Part(1, 2)), run.passed) == ([], ["00000-001"])


def test_a_file_that_cannot_be_read_is_tried_again_and_costs_nothing_while_it_cannot(run):
    (run.folder / "b.xml").write_text(BROKEN)
    assert run.go() == ["00000-000"]
    assert [Path(one.file).name for one in run.left_out] == ["b.xml"]
    assert run.output() == ["a.xml 0-0", "c.xml 0-0", "d.xml 0-0"]
    assert (run.go(), run.passed, len(run.left_out)) == ([], ["00000-000"], 1)
    (run.folder / "b.xml").write_text(NITF.format("b"))
    assert (run.go(), run.left_out) == (["00000-000"], [])
    assert run.output() == ["a.xml 0-0", "b.xml 0-0", "c.xml 0-0", "d.xml 0-0"]
    assert run.go() == []


def test_shards_behind_a_mended_file_are_done_again_though_a_run_is_killed_on_the_way(run):
    two = "<newsMessage>" + NITF.format("x") * 2 + "</newsMessage>"
    for name in "cd":
        (run.folder / f"{name}.xml").write_text(two)
    (run.folder / "b.xml").write_text(BROKEN)
    assert run.go() == ["00000-000", "00000-001"]
    (run.folder / "b.xml").write_text(NITF.format("b"))
    assert run.go(most=1) == ["00000-000"]
    assert run.go() == ["00000-001"]
    assert run.output() == ["a.xml 0-0", "b.xml 0-0", "c.xml 0-1", "d.xml 0-1"]


def test_a_file_whose_rows_are_in_the_output_is_not_left_out(run):
    (run.folder / "a.xml").write_text(BROKEN)
    run.go()
    (run.folder / "b.xml").write_text(BROKEN)
    with pytest.raises(ClaimxError, match=r"b.xml cannot be read, but could be .* resume"):
        run.go()


def test_a_shard_counts_the_bytes_that_were_read_for_it(tmp_path):
    lines = b"".join(b'{"text": "%d %s"}\n' % (n, b"x" * 20_000) for n in range(40))
    (tmp_path / "a.jsonl").write_bytes(lines)
    run = Run(tmp_path, rows_in_shard=10)
    run.go()
    sizes = [receipt.bytes_in for receipt in run.done.shards.values()]
    assert sum(sizes) == len(lines)
    assert sizes == pytest.approx([len(lines) / 4] * 4, rel=0.1)


def test_the_bytes_of_parquet_and_of_packed_files_add_up_as_well(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    made_up = random.Random(0)
    texts = [made_up.randbytes(20_000).hex() for _ in range(60)]
    parquet.write_table(pyarrow.table({"text": texts}), tmp_path / "a.parquet", row_group_size=2)
    lines = b"".join(b'{"text": "%s"}\n' % text.encode() for text in texts)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines))
    run = Run(tmp_path, rows_in_shard=10)
    run.go()
    for group, name in enumerate(("a.parquet", "b.jsonl.gz")):
        whole = (tmp_path / name).stat().st_size
        sizes = [one.bytes_in for shard, one in run.done.shards.items() if shard[4] == str(group)]
        assert sum(sizes) == whole
        assert sizes == pytest.approx([whole / 6] * 6, abs=1 << 18)
