"""The other measurements of scripts/bench.py: agreement, length, memory, start."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from claimx import Article, Extractor
from claimx.batching import PaddedWindows
from claimx.types import AnnotatedArticle
from scripts.processes import resident_bytes

_LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
_SHORT = "“We will close two mines,” said Ana Ruiz, head of Norvale.\n"
_Spans = set[tuple[str, str, str, int, int]]


def extractor(options: argparse.Namespace) -> Extractor:
    """Load the model as the options say."""
    return Extractor.from_pretrained(
        options.model, backend=options.backend, device=options.device, dtype=options.dtype
    )


def spans_of(articles: Sequence[AnnotatedArticle]) -> _Spans:
    """Return all spans of all articles."""
    return {(a.id, s.layer, s.label, s.start, s.end) for a in articles for s in a.spans}


def agreement(one: _Spans, other: _Spans) -> float:
    """Share of spans that are in both, of those in either, each side weighing the same (F1)."""
    return 2 * len(one & other) / max(1, len(one) + len(other))


def agree(options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """Compare spans with those of torch in float32, and of each article alone with all together."""
    articles = [Article(str(number), text) for number, text in enumerate(texts)]
    reader = extractor(options)
    together = reader.annotate_many(articles)
    alone = [reader.annotate_many([article])[0] for article in articles]
    reference = Extractor.from_pretrained(
        options.model, backend="torch", device="cpu", dtype="float32"
    ).annotate_many(articles)
    found = {
        "spans": len(spans_of(reference)),
        "as torch in float32": agreement(spans_of(together), spans_of(reference)),
        "alone as together": agreement(spans_of(alone), spans_of(together)),
        "largest difference of scores": max(
            (
                abs(scores[key] - span.score)
                for article, scores in zip(reference, map(_scores, together), strict=True)
                for span in article.spans
                if span.score is not None
                and (key := (span.layer, span.label, span.start, span.end)) in scores
            ),
            default=0.0,
        ),
    }
    print(f"{reader.model_name}: {reader.backend}, {reader.dtype}; {len(articles):,} articles")
    for name, value in found.items():
        print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value:.4%}")
    return found


def _scores(article: AnnotatedArticle) -> dict[tuple[str, str, int, int], float]:
    return {
        (span.layer, span.label, span.start, span.end): span.score
        for span in article.spans
        if span.score is not None
    }


def length(options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """Read texts that are longer and longer, and articles of usual length for comparison."""
    reader = extractor(options)
    reader.extract_many(texts[:50])
    before = reader.tokens_read
    begun = time.perf_counter()
    for _ in reader.stream(texts):
        pass
    usual = (reader.tokens_read - before) / (time.perf_counter() - begun)
    tokens = (reader.tokens_read - before) / len(texts)
    print(f"{len(texts):,} articles of {tokens:,.0f} tokens: {usual:,.0f} tokens/s", flush=True)
    rates: dict[str, float] = {"usual": usual}
    for wanted in _LENGTHS:
        count = max(1, round(wanted / tokens))
        text = "\n\n".join((list(texts) * (1 + count // len(texts)))[:count])
        before, begun = reader.tokens_read, time.perf_counter()
        reader(text)
        seconds = time.perf_counter() - begun
        rates[f"{wanted}"] = (reader.tokens_read - before) / seconds
        print(
            f"one text of {reader.tokens_read - before:,} tokens: {rates[str(wanted)]:,.0f} "
            f"tokens/s, {resident_bytes(os.getpid()) / 1e6:,.0f} MB held afterwards",
            flush=True,
        )
    return rates


def memory(options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """Run 2,000 passes of all shapes and look at what the process holds."""
    del texts
    reader = extractor(options)
    backend = reader._engine.backend
    widest = reader._engine.config.window + 2
    generator = np.random.default_rng(0)
    held: list[int] = []

    def batches(count: int) -> Any:
        for _ in range(count):
            width = 16 * int(generator.integers(1, -(-widest // 16) + 1))
            rows = int(generator.integers(1, max(2, backend.tokens_at_once // width + 1)))
            shape = (rows, width)
            ones = np.ones(shape, dtype=np.int64)
            yield PaddedWindows(
                generator.integers(5, 20_000, shape), ones, np.ones((*shape, 3), np.int64)
            )

    for _ in range(40):
        for _ in backend.passes(batches(50)):
            pass
        held.append(resident_bytes(os.getpid()))
    first, last = statistics.mean(held[10:15]), statistics.mean(held[-5:])
    print(
        f"{reader.model_name}: {reader.backend}, {reader.dtype}: {held[0] / 1e6:,.0f} MB after 50 "
        f"passes, {first / 1e6:,.0f} MB after 500, {last / 1e6:,.0f} MB after 2,000 "
        f"({last / first - 1:+.1%})"
    )
    return {"bytes": held, "change": last / first - 1}


def start(options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """Measure the command line from its start to its end, three times each."""
    del texts
    found: dict[str, float] = {}
    chosen = ["--backend", options.backend, "--device", options.device, "--dtype", options.dtype]
    chosen += ["--model", options.model] if options.model else []
    with tempfile.TemporaryDirectory() as scratch:
        article = Path(scratch) / "short.txt"
        article.write_text(_SHORT, "utf-8")
        for name, call in (
            ("claimx --help", ["--help"]),
            ("claimx extract, one short article", ["extract", str(article), *chosen]),
        ):
            seconds = []
            for _ in range(3):
                begun = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "claimx", *call], check=True, capture_output=True
                )
                seconds.append(time.perf_counter() - begun)
            found[name] = statistics.median(seconds)
            print(f"{name}: {found[name]:.2f} s (median of 3: {seconds})")
    return found


CHECKS: dict[str, Callable[[argparse.Namespace, Sequence[str]], dict[str, Any]]] = {
    "agree": agree, "length": length, "memory": memory, "start": start,
}  # fmt: skip
