"""Ray does what one machine does; its actors may die, and so may the process that started them."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from claimx.archive import local, ray_engine
from claimx.archive.inputs import InputFile
from claimx.archive.job import Job, Outcome, run
from claimx.archive.local import make_runner
from claimx.archive.plan import Group, Part
from claimx.archive.progress import Progress
from claimx.archive.ray_engine import pieces
from claimx.archive.ray_worker import ATTEMPTS, Board, Ended, Piece, see
from claimx.archive.receipts import Receipt, read_receipts
from claimx.archive.shards import ShardRunner
from claimx.archive.writers import read_records
from claimx.checkpoint import save_checkpoint
from claimx.cli import main
from claimx.errors import ClaimxError
from tests.tiny import random_model, wordpiece, write_lines

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs ray: pip install 'claimx[ray]'"
)
TEXT = "“The ferry was late {0} times,” said Okafor about {0} percent of it."


@pytest.fixture(scope="module")
def ray():
    found = pytest.importorskip("ray")
    with ray_engine._connected("local", 2):
        yield found


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_checkpoint(folder, random_model(), wordpiece(), {"fingerprints": []})
    return str(folder)


@pytest.fixture(scope="module")
def news(tmp_path_factory) -> Path:
    """A file of many shards, one of a single one, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("news")
    for name, count in (("long", 14), ("short", 2)):
        lines = [{"id": f"{name}{n}", "text": TEXT.format(n)} for n in range(count)]
        write_lines(folder / f"{name}.jsonl", lines)
    write_lines(folder / "poison.jsonl", [{"id": "poison", "text": "poison"}])
    (folder / "broken.parquet").write_bytes(b"PAR1 this is none PAR1")
    return folder


def murderous(marker: str, *arguments) -> ShardRunner:
    """A runner that ends its process on one article, and once that of the actor that owns it."""
    runner = make_runner(*arguments)
    read = runner.extractor.stream

    def stream(articles):
        for article in articles:
            if article.text == "poison":
                os.kill(os.getpid(), signal.SIGKILL)
            if article.id == "long7" and not Path(marker).exists():
                Path(marker).touch()
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)  # until it is missed
            yield from read([article])

    runner.extractor.stream = stream
    runner.extractor.extract_many = lambda articles: list(stream(articles))
    return runner


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a run; a worker that is killed leaves an unfinished one behind."""
    paths = sorted((folder / "records").glob("*.parquet"))
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def both(ray, model, news, tmp_path_factory) -> SimpleNamespace:
    """The same job under both engines."""
    base = tmp_path_factory.mktemp("out")
    (base / "local.killed").touch()  # this process is not to be killed
    outcomes: dict[str, Outcome] = {}
    for engine, module in (("local", local), ("ray", ray_engine)):
        job = Job(
            [str(news)], str(base / engine), rows_in_shard=2, engine=engine, model=model, workers=2
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "make_runner", partial(murderous, str(base / f"{engine}.killed")))
            outcomes[engine] = run(job, print)
    return SimpleNamespace(base=base, **outcomes)


@needs_ray
def test_ray_writes_the_bytes_that_one_machine_writes_though_an_actor_was_killed(both):
    assert (both.base / "ray.killed").exists()
    assert contents(both.base / "ray") == contents(both.base / "local")
    assert len(contents(both.base / "ray")) == 10


@needs_ray
def test_ray_counts_what_one_machine_counts(both):
    found, wanted = (
        (
            outcome.progress.articles, outcome.progress.shards, outcome.progress.errors,
            outcome.progress.done_bytes, outcome.exit_code, outcome.stopped,
        )
        for outcome in (both.ray, both.local)
    )  # fmt: skip
    assert found == wanted
    assert found[0] == 17


@needs_ray
def test_under_ray_too_an_article_that_kills_the_model_becomes_an_error_record(both):
    [name] = [name for name in contents(both.base / "ray") if name.startswith("00002")]
    [record] = read_records(str(both.base / "ray" / "records" / name))
    assert record["error"]["kind"] == "killed_worker"


@needs_ray
def test_a_file_that_actors_cannot_read_is_named_once(both):
    [left_out] = both.ray.progress.left_out
    assert left_out.file.endswith("broken.parquet")
    assert both.ray.progress.left_out == both.local.progress.left_out


@needs_ray
def test_a_run_goes_on_when_the_process_that_started_it_was_killed(ray, model, news, tmp_path):
    out = tmp_path / "out"
    call = [
        "archive", str(news / "long.jsonl"), "--model", model, "--rows", "1", "--engine", "ray"
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    begun = subprocess.Popen(
        [sys.executable, "-m", "claimx", *call, "--out", str(out)], env=environment
    )
    while not list(out.glob("receipts/*.json")):
        assert begun.poll() is None
        time.sleep(0.05)
    begun.kill()
    begun.wait()
    assert main([*call, "--out", str(out), "--resume"]) == 0
    assert main([*call[:-2], "--out", str(tmp_path / "local")]) == 0
    assert contents(out) == contents(tmp_path / "local")


def slow(*arguments) -> ShardRunner:
    runner = make_runner(*arguments)
    read = runner.extractor.stream

    def stream(articles):
        time.sleep(0.5)
        yield from read(articles)

    runner.extractor.stream = stream
    return runner


@needs_ray
def test_sigterm_finishes_the_shard_under_way_and_leaves_the_rest(
    ray, model, news, tmp_path, monkeypatch
):
    add = Progress.add

    def and_stop(progress, receipt):
        add(progress, receipt)
        os.kill(os.getpid(), signal.SIGTERM)
        monkeypatch.setattr(Progress, "add", add)

    monkeypatch.setattr(Progress, "add", and_stop)
    monkeypatch.setattr(ray_engine, "make_runner", slow)
    job = Job(
        [str(news / "long.jsonl")], str(tmp_path), rows_in_shard=1, engine="ray", model=model,
        workers=1,
    )  # fmt: skip
    outcome = run(job, print)
    assert outcome.exit_code == 130
    assert 1 <= outcome.progress.shards < 14
    assert len(list(read_receipts(str(tmp_path)))) == outcome.progress.shards


# ---- without Ray ------------------------------------------------------------------------------


def group(number: int, size: int | None) -> Group:
    return Group(number, (InputFile(f"{number}.jsonl", size, "", "jsonl"),))


def shares(sizes: list[int | None], workers: int) -> list[tuple[int, int]]:
    plan = pieces([group(number, size) for number, size in enumerate(sizes)], workers)
    return [(piece.group.number, piece.part.count) for piece in plan]


def test_one_large_file_is_cut_for_all_workers():
    assert shares([1000], 3) == [(0, 3)] * 3
    assert shares([None], 2) == [(0, 2)] * 2
    assert shares([1000, 10, 10], 2) == [(0, 2), (0, 2), (1, 1), (2, 1)]


def test_many_files_are_read_once():
    assert shares([10] * 20, 4) == [(number, 1) for number in range(20)]


def test_a_piece_that_is_begun_over_and_over_without_a_receipt_is_given_up():
    board, name = Board(), (0, 0, 1)
    receipt = Receipt("00000-000", False, (), (), 0, 0, 0, 0, "m", "c", "1")
    assert all(board.begin(name) for _ in range(ATTEMPTS))
    board.tell(name, receipt)
    assert all(board.begin(name) for _ in range(ATTEMPTS))
    assert not board.begin(name)
    assert board.begin((0, 1, 2))
    assert board.take() == [receipt]


def test_a_board_that_stops_is_idle_when_pieces_have_ended():
    board = Board()
    board.begin((0, 0, 1))
    board.stop()
    assert not board.begin((1, 0, 1))
    assert not board.idle()
    board.tell((0, 0, 1), Ended((0, 0, 1)))
    assert board.idle()


def test_a_machine_that_does_not_see_the_files_says_so(tmp_path):
    piece = Piece(Group(0, (InputFile(str(tmp_path / "in.jsonl"), 5, "", "jsonl"),)), Part())
    with pytest.raises(ClaimxError, match=r"does not see .*run\.json"):
        see(piece, str(tmp_path))
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ClaimxError, match=r"does not see .*in\.jsonl"):
        see(piece, str(tmp_path))
    (tmp_path / "in.jsonl").write_text("{}")
    see(piece, str(tmp_path))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-", "--engine", "ray"], "name files instead of -"),
        (["in.jsonl", "--engine", "ray", "--shard", "0/2"], "leave --shard out"),
        (["in.jsonl", "--engine", "ray", "--device", "cuda:1"], "--device cuda, not cuda:1"),
        (["in.jsonl", "--address", "auto"], "belong to --engine ray"),
        (["in.jsonl", "--gpus-per-worker", "1"], "belong to --engine ray"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(options, reason, tmp_path, capsys):
    assert main(["archive", *options, "--out", str(tmp_path / "out")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
