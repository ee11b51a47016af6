"""The plan of a run: the same shards, whoever does them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimx.archive.inputs import InputFile
from claimx.archive.plan import Part, chunks, plan_groups
from claimx.archive.rows import Row
from claimx.errors import ConfigError
from claimx.types import Article


def file(path: str, kind: str = "jsonl") -> InputFile:
    return InputFile(path, 1, "", kind)


def rows(count: int, text: str = "x") -> list[Row]:
    return [Row("f", n, Article(str(n), text)) for n in range(count)]


def test_small_files_fill_a_group_and_large_ones_stand_alone():
    files = [file("a.txt", "text"), file("b.jsonl"), file("c.txt", "text"), file("d.txt", "text")]
    groups = plan_groups(files, rows_in_shard=2)
    assert [[one.path for one in group.files] for group in groups] == [
        ["b.jsonl"], ["a.txt", "c.txt"], ["d.txt"]
    ]  # fmt: skip


@given(st.integers(0, 40), st.integers(1, 9))
def test_every_row_is_in_one_shard_and_the_last_is_known(count, size):
    parts = list(chunks(rows(count), size))
    assert [row for _, part, _ in parts for row in part] == rows(count)
    assert [number for number, _, _ in parts] == list(range(len(parts)))
    assert [last for _, _, last in parts] == [False] * (len(parts) - 1) + [True]
    assert all(len(part) == size for _, part, last in parts if not last)


def test_long_texts_end_a_shard_early():
    parts = [len(part) for _, part, _ in chunks(rows(5, "x" * 60), 100, chars_in_shard=100)]
    assert parts == [2, 2, 1]


@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 5))
def test_every_shard_belongs_to_one_part(count, groups, shards):
    plan = plan_groups([file(str(n)) for n in range(groups)], 10)
    for group in plan:
        for chunk in range(shards):
            takers = [n for n in range(count) if Part(n, count).takes_shard(group, chunk, groups)]
            assert len(takers) == 1
            assert Part(takers[0], count).takes_group(group, groups)


@pytest.mark.parametrize("text", ["2/2", "1", "a/b", "-1/2"])
def test_a_part_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="i from 0 to n - 1"):
        Part.parse(text)


def test_a_part_is_read():
    assert Part.parse("3/8") == Part(3, 8)
