"""Measure `claimx archive`: its memory over a long run, and its speed against the bare model's.

    python scripts/measure_archive.py memory --model claimx-en-small [--articles 100000]
        [--minutes 60] [--workers 1]
    python scripts/measure_archive.py rate --model claimx-en-small [--articles 1200] [--runs 3]

The articles are real ones, repeated with new ids and another first line each time, so that no
text comes twice. They are written to Parquet first.

memory: one run, which is stopped after so many minutes. What the main process and its workers
hold is looked at once a second; what was seen before the first shard was done is the start and
does not count. Exit code 1 if the mean of the last tenth differs by more than 5% from that of the
first, or if the main process ever holds 2 GB.

rate: tokens a second of the whole command, from Parquet to shards on disk, against the forward
passes alone (encoder and heads). The forward passes are recorded once from the same articles in
the same shards, so that both sides have the same windows in the same batches, and are played again
by themselves; runs of both sides alternate, and medians are compared. Tokens are those in windows,
where windows overlap counted twice, on both sides. The start does not count: the command's time
goes from the receipt of its first shard to that of its last, and the tokens are those of the
shards between; the bare model is loaded and has run before. Exit code 1 below 85%.

Linux only.
"""

from __future__ import annotations

import argparse
import gzip
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import count, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from claimx.archive.inputs import find_inputs
from claimx.archive.plan import chunks
from claimx.archive.readers import ReadOptions, read_rows
from claimx.archive.receipts import read_receipts, receipt_path
from claimx.archive.shards import records
from claimx.extractor import Extractor
from scripts.passes import Passes, recorded
from scripts.processes import below, end_in_order, kill, resident_bytes

_ROOT = Path(__file__).resolve().parent.parent
NEWS = Path("../shared/corpora/news_raw.jsonl.gz")
_ROWS_IN_FILE = 10_000
_ROWS_IN_GROUP = 1_000
_MOST_CHANGE, _MOST_BYTES, _LEAST_SHARE = 0.05, 2_000_000_000, 0.85


# ---- articles ---------------------------------------------------------------------------------


def articles(path: Path) -> Iterator[dict[str, Any]]:
    """Repeat the articles of a gzipped JSONL file without end, each time with other first lines."""
    for edition in count():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                given = json.loads(line)
                first, end, rest = given["text"].partition("\n")
                yield {
                    "id": f"{given['id']}/{edition}",
                    "title": given.get("title"),
                    "text": f"{first} (edition {edition}){end}{rest}",
                }


def write_tables(found: Iterator[dict[str, Any]], folder: Path, number: int) -> None:
    """Write so many articles to Parquet files, a few in memory at a time."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    schema = arrow.schema([(name, arrow.string()) for name in ("id", "title", "text")])
    folder.mkdir()
    for place in range(0, number, _ROWS_IN_FILE):
        wanted = islice(found, min(_ROWS_IN_FILE, number - place))
        with parquet.ParquetWriter(folder / f"{place:08d}.parquet", schema) as file:
            while group := list(islice(wanted, _ROWS_IN_GROUP)):
                file.write_table(arrow.Table.from_pylist(group, schema=schema))


def command(inputs: Path, out: Path, options: argparse.Namespace, *more: str) -> list[str]:
    """Return the call of `claimx archive`."""
    model = ["--model", options.model] if options.model else []
    return [
        sys.executable, "-m", "claimx", "archive", str(inputs), "--out", str(out), *model,
        "--rows", str(options.rows), "--backend", options.backend, "--device", options.device,
        "--dtype", options.dtype, *more,
    ]  # fmt: skip


# ---- memory -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Bytes that are held at a moment, by the main process and by all others together."""

    main: int
    others: int


def memory(options: argparse.Namespace, scratch: Path) -> int:
    """Measure what a long run holds."""
    inputs, out, figures = scratch / "in", scratch / "out", scratch / "metrics.json"
    begun = time.monotonic()
    write_tables(articles(options.news), inputs, options.articles)
    print(f"{options.articles:,} articles written in {time.monotonic() - begun:.0f} s", flush=True)
    call = command(
        inputs, out, options, "--workers", str(options.workers), "--metrics", str(figures)
    )
    process = subprocess.Popen(call, cwd=_ROOT, start_new_session=True)
    try:
        samples = list(watch(process, out, options.minutes * 60))
    finally:
        kill(process)
    if process.returncode not in (0, 1, 130) or len(samples) < 20:
        print(f"exit code {process.returncode}, {len(samples)} seconds watched: too short a run")
        return 1
    done = json.loads(figures.read_text())
    print(
        f"{done['articles']:,} articles in {done['seconds']:,.0f} s, start included: "
        f"{done['articles_per_second']:.1f} articles/s, {done['tokens_per_second']:,.0f} tokens/s, "
        f"{done['errors']:,} errors"
    )
    change, peak = show("main process", [sample.main for sample in samples])
    show("its workers", [sample.others for sample in samples])
    return int(abs(change) > _MOST_CHANGE or peak >= _MOST_BYTES)


def watch(process: subprocess.Popen[bytes], out: Path, seconds: float) -> Iterator[Sample]:
    """Look at a run once a second from its first finished shard on; ask it to stop in the end."""
    begun = time.monotonic()
    asked = started = False
    while process.poll() is None:
        started = started or any((out / "receipts").glob("*.json"))
        if started and not asked:
            others = sum(resident_bytes(number) for number in below(process.pid))
            yield Sample(resident_bytes(process.pid), others)
        if not asked and time.monotonic() - begun > seconds:
            process.send_signal(signal.SIGTERM)  # it finishes the shards under way
            asked = True
        time.sleep(1)


def show(whose: str, held: Sequence[int]) -> tuple[float, int]:
    """Print peak, first tenth and last tenth; return the change between these and the peak."""
    tenth = max(1, len(held) // 10)
    first, last = statistics.mean(held[:tenth]), statistics.mean(held[-tenth:])
    change = last / first - 1
    print(
        f"{whose}: peak {max(held) / 1e6:,.0f} MB, first tenth {first / 1e6:,.0f} MB, last tenth "
        f"{last / 1e6:,.0f} MB ({change:+.1%}) in {len(held):,} seconds"
    )
    return change, max(held)


# ---- rate -------------------------------------------------------------------------------------


def record(options: argparse.Namespace, inputs: Path) -> Passes:
    """Read the articles as the command does, but for the first shard, and keep the passes."""
    extractor = Extractor.from_pretrained(
        options.model, backend=options.backend, device=options.device, dtype=options.dtype
    )
    (file,) = find_inputs([str(inputs)])
    with recorded(extractor) as passes:
        for number, rows, _ in chunks(read_rows(file, ReadOptions()), options.rows):
            if number:
                list(records(rows, extractor))
    return passes


def archive_rate(options: argparse.Namespace, passes: Passes, inputs: Path, out: Path) -> float:
    """Return the same of the command, between the receipts of its first shard and its last."""
    process = subprocess.Popen(command(inputs, out, options), cwd=_ROOT, start_new_session=True)
    try:
        process.wait()
    finally:
        kill(process)
    first, *others = read_receipts(str(out))
    read = sum(receipt.tokens for receipt in others)
    if read != passes.tokens_read:
        raise RuntimeError(
            f"the command read {read:,} tokens, the bare model {passes.tokens_read:,}"
        )
    begin, end = (
        Path(receipt_path(str(out), shard)).stat().st_mtime_ns / 1e9
        for shard in (first.shard, others[-1].shard)
    )
    return passes.tokens / (end - begin)


def rate(options: argparse.Namespace, scratch: Path) -> int:
    """Measure both sides in turns."""
    if options.articles <= options.rows:
        raise SystemExit("--articles must be more than --rows: the first shard does not count")
    folder = scratch / "in"
    write_tables(articles(options.news), folder, min(options.articles, _ROWS_IN_FILE))
    passes = record(options, folder)
    print(
        f"{passes.extractor.model_name}, {passes.extractor.backend}, {passes.extractor.dtype} on "
        f"{passes.extractor.device}: "
        f"{len(passes.groups):,} groups, {passes.tokens:,} tokens in windows, "
        f"{passes.tokens_read:,} read"
    )
    bare: list[float] = []
    whole: list[float] = []
    for number in range(options.runs):
        whole.append(archive_rate(options, passes, folder, scratch / f"out-{number}"))
        bare.append(passes.play())
        print(f"run {number + 1}: command {whole[-1]:,.0f}, bare model {bare[-1]:,.0f} tokens/s",
              flush=True)  # fmt: skip
    share = statistics.median(whole) / statistics.median(bare)
    print(
        f"medians: command {statistics.median(whole):,.0f}, bare model "
        f"{statistics.median(bare):,.0f} tokens/s: {share:.1%}"
    )
    return int(share < _LEAST_SHARE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("memory", "rate"))
    parser.add_argument("--model", help="a folder or name")
    parser.add_argument("--articles", type=int, help="100,000 for memory, 1,200 for rate")
    parser.add_argument("--rows", type=int, help="articles in a shard: 1,000, and 200 for rate")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--news", type=Path, default=NEWS, help="gzipped JSONL")
    parser.add_argument("--minutes", type=float, default=60.0, help="memory: stop after so long")
    parser.add_argument("--workers", type=int, default=1, help="memory: processes with a model")
    parser.add_argument("--runs", type=int, default=3, help="rate: of each side")
    options = parser.parse_args(arguments)
    long = options.what == "memory"
    options.articles = options.articles or (100_000 if long else 1_200)
    options.rows = options.rows or (1_000 if long else 200)
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="claimx-measure-") as scratch:
        return (memory if long else rate)(options, Path(scratch))


if __name__ == "__main__":
    sys.exit(main())
