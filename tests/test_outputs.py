"""Files that are written: never over an input, whole or not at all, and named in errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claimx.errors import FormatError
from claimx.formats.native import replacing
from claimx.outputs import beside, refuse_no_file, refuse_output
from claimx.render import write_whole


def test_an_input_is_no_output_however_it_is_spelled(tmp_path):
    file, link = tmp_path / "a.txt", tmp_path / "b.txt"
    file.write_text("text")
    link.symlink_to(file)
    for target in (file, link, tmp_path / "." / "a.txt"):
        with pytest.raises(FormatError, match="is an input itself"):
            refuse_output(target, ["nothing.txt", file])
    refuse_output(tmp_path / "c.txt", [file])


def test_a_place_where_no_file_can_be_is_named_as_it_was_given(tmp_path):
    with pytest.raises(FormatError, match="is a folder; name a file"):
        refuse_no_file(tmp_path)
    with pytest.raises(FormatError, match="there is no folder .*gone; make it first"):
        refuse_no_file(tmp_path / "gone" / "page.html")
    refuse_no_file(Path("page.html"))


@pytest.mark.parametrize("target", ["gone/page.html", "."])
def test_an_error_names_the_target_and_no_file_beside_it(tmp_path, target):
    for write in (lambda place: write_whole(place, "text"), _fill):
        with pytest.raises(OSError, match=".") as raised:
            write(tmp_path / target)
        assert raised.value.filename == str(tmp_path / target)


def _fill(place: Path) -> None:
    with replacing(place) as stream:
        stream.write(b"text")


def test_what_was_there_before_stays_where_writing_fails(tmp_path):
    file = tmp_path / "page.html"
    file.write_text("before")

    def half() -> None:
        with beside(file) as place:
            place.write_text("half")
            raise OSError(28, "the disk is full")

    with pytest.raises(OSError, match="full") as raised:
        half()
    assert raised.value.filename == str(file)
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_link_stays_a_link_and_what_it_points_to_is_written(tmp_path):
    file, link = tmp_path / "a.html", tmp_path / "b.html"
    file.write_text("before")
    link.symlink_to(file)
    write_whole(link, "after")
    assert link.is_symlink()
    assert file.read_text() == "after"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, "page ")
        _fill(pipe)
        assert os.read(reader, 100) == b"page text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
