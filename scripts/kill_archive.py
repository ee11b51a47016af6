"""Kill `claimx archive` at random moments, resume it, and compare what it leaves.

Each round starts a job, ends it by SIGKILL with all its processes at a moment drawn over the whole
time that an undisturbed run takes, starts and ends included, and goes on with --resume, to be
killed again, until a run comes to its end. Then every file must equal that of the undisturbed run
byte by byte, receipts but for their seconds; every id is there once; `--verify` finds nothing.

Without --model the script makes one of its own with random weights, two layers, 32 wide: what it
finds is nonsense, but the same each time, and it is fast, so that kills hit starting, reading and
writing as often as the model. The articles are made up; 1 in 97 is broken.

    python scripts/kill_archive.py [--rounds 50] [--articles 2000] [--engine ray] [--workers 2]

Exit code 1 at any difference. Linux only.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from claimx.archive.places import RECORDS, TEMPORARY
from claimx.archive.verify import verify
from claimx.archive.writers import read_records
from scripts.killing import Call, play, told
from scripts.processes import end_in_order

_BROKEN = 97  # each article of a multiple of this has no text
_MOST_KILLS = 6  # in one round; then it is left alone
_SHARDS = 12
_MOSTLY_NOTHING = 6.0  # added to the score of "no label"; without it every other word has one


def write_articles(folder: Path, count: int) -> list[Path]:
    """Make up articles: half of them as packed JSON lines, half as Parquet."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    names = ("Ines Okafor", "Ruiz", "the minister", "Ana Norvale", "the Harbour Board")
    records = []
    for number in range(count):
        name = names[number % len(names)]
        text = (
            f"Ferry {number} did not leave the pier on Monday.\n\n“We lost {number % 90 + 2} "
            f"percent of the boats,” said {name}. She told the board that about {number} piles "
            f"were rotten, and that repairs would take {number % 11 + 2} months."
        )
        records.append({"id": f"a{number:06d}", "text": None if number % _BROKEN == 1 else text})
    half = count // 2
    lines = folder / "first.jsonl.gz"
    lines.write_bytes(gzip.compress("".join(json.dumps(r) + "\n" for r in records[:half]).encode()))
    table = folder / "second.parquet"
    parquet.write_table(arrow.Table.from_pylist(records[half:]), table)
    return [lines, table]


def write_model(folder: Path) -> Path:
    """Make a model of random weights that finds something here and there."""
    from claimx.checkpoint import save_checkpoint
    from tests.tiny import random_model, wordpiece

    model = random_model()
    for name, parameter in model.named_parameters():
        if name.startswith("tag_heads.") and name.endswith(".bias"):
            parameter.data[0] = _MOSTLY_NOTHING
    save_checkpoint(folder, model, wordpiece(), {"fingerprints": []})
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of an output folder but unfinished ones; receipts without seconds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or TEMPORARY in path.name:
            continue
        data = path.read_bytes()
        if path.parent.name == "receipts":
            receipt = json.loads(data)
            del receipt["seconds"]
            data = json.dumps(receipt).encode()
        found[path.relative_to(folder).as_posix()] = data
    return found


def ids(folder: Path) -> Counter[str]:
    """Count how often each id occurs in the records."""
    paths = (str(path) for path in (folder / RECORDS).iterdir() if TEMPORARY not in path.name)
    return Counter(record["id"] for path in sorted(paths) for record in read_records(path))


def differences(folder: Path, expected: dict[str, bytes], wanted: Counter[str]) -> Iterator[str]:
    """Say how a folder differs from that of the undisturbed run."""
    found = contents(folder)
    yield from (f"{name} is missing" for name in sorted(expected.keys() - found.keys()))
    yield from (f"{name} should not be there" for name in sorted(found.keys() - expected.keys()))
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            yield f"{name} has other bytes"
    counted = ids(folder)
    yield from (f"{name} is lost" for name in sorted((wanted - counted).keys()))
    yield from (f"{name} is there too often" for name in sorted((counted - wanted).keys()))
    yield from verify(str(folder)).problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--model", help="a folder or name; by default one of random weights")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=17, help="of the moments")
    options = parser.parse_args(arguments)
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="claimx-kill-") as scratch:
        return rounds(options, Path(scratch))


def rounds(options: argparse.Namespace, scratch: Path) -> int:
    """Do all rounds; return the exit code."""
    model = options.model or str(write_model(scratch / "model"))
    engine = () if options.engine == "local" else ("--engine", options.engine)
    inputs = write_articles(scratch, options.articles)
    size = max(1, -(-options.articles // _SHARDS))
    command = (
        sys.executable, "-m", "claimx", "archive", *map(str, inputs), "--model", model,
        "--rows", str(size), "--tables", "--any-language", "--workers", str(options.workers),
        *engine,
    )  # fmt: skip

    def into(folder: Path) -> Call:
        return Call((*command, "--out", str(folder)), scratch / "log")

    begun = time.monotonic()
    calm = scratch / "calm"
    _, code = play(into(calm), iter(()))
    seconds = time.monotonic() - begun
    wanted = ids(calm) if code in (0, 1) else Counter()
    if wanted.total() != options.articles or len(wanted) != options.articles:
        print(f"the undisturbed run failed, exit code {code}:\n{into(calm).last_words()}")
        return 1
    expected = contents(calm)
    print(f"undisturbed: {seconds:.1f} s, {len(wanted):,} articles, {len(expected)} files")
    draw = random.Random(options.seed)  # noqa: S311 (no secret)
    bad = kills = 0
    for number in range(1, options.rounds + 1):
        folder = scratch / f"round-{number}"
        moments = [draw.uniform(0, seconds) for _ in range(_MOST_KILLS)]
        call = into(folder)
        killed, ended = play(call, iter(moments))
        problems = list(differences(folder, expected, wanted))
        if ended != code:
            problems.append(f"exit code {ended}, not {code}: {call.last_words()}")
        kills += len(killed)
        bad += bool(problems)
        print(f"round {number}: {told(killed, problems)}", flush=True)
        shutil.rmtree(folder)
    print(f"{options.rounds} rounds, {kills} kills, {bad} rounds with differences")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
