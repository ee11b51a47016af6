"""How far a run is."""

from __future__ import annotations

import io
import json

from claimx.archive.progress import Progress
from claimx.archive.receipts import LeftOut, Receipt


def receipt(bytes_in: int, rows: int = 10, errors: int = 0) -> Receipt:
    return Receipt(
        "00000-000",
        True,
        (),
        (),
        rows,
        rows,
        errors,
        0,
        "m",
        "c",
        "1",
        tokens=100,
        bytes_in=bytes_in,
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(total: int | None) -> Progress:
    return Progress(total, io.StringIO(), Clock())


def test_the_time_left_counts_only_what_this_run_has_done():
    found = progress(1000)
    found.skip(receipt(800))
    assert (found.share(), found.seconds_left()) == (0.8, None)
    found.clock.now = 10.0
    found.add(receipt(100))
    assert (found.share(), found.seconds_left()) == (0.9, 10)
    assert "90% done, 0:00:10 left" in found.line()
    assert found.line().startswith("20 articles, 1.0 articles/s, 10 tokens/s")


def test_nothing_is_said_of_the_end_where_sizes_are_not_known():
    found = progress(None)
    found.clock.now = 10.0
    found.add(receipt(0))
    assert found.line() == "10 articles, 1.0 articles/s, 10 tokens/s"


def test_a_run_at_its_end_has_no_time_left():
    found = progress(1000)
    found.clock.now = 10.0
    found.add(receipt(1000))
    assert found.line().endswith("100% done")


def test_a_run_with_nothing_left_to_do_says_so_and_no_speed():
    found = progress(1000)
    found.skip(receipt(1000))
    found.close()
    assert found.stream.getvalue() == "10 articles, 100% done, nothing was left to do\n"
    found = progress(1000)
    found.close(stopped=True)
    assert "nothing" not in found.stream.getvalue()


def test_files_that_cannot_be_read_are_in_the_figures():
    found = progress(10)
    found.left_out.append(LeftOut("a.csv", "there is nothing in it"))
    assert json.loads(found.to_json())["quarantined"] == [
        {"path": "a.csv", "reason": "there is nothing in it"}
    ]
    assert found.line().endswith("1 file not readable")
