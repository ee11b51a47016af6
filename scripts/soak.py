"""Read many articles with `Extractor.stream` and see whether memory stays where it is.

    python scripts/soak.py --model claimx-en-small [--articles 50000] [--words 1000] [--large 10]
        [--backend auto] [--dtype auto] [--news ../shared/corpora/news_raw.jsonl.gz]

The articles are real ones, repeated as `scripts/measure_archive.py` repeats them; spread evenly
among them are articles of a single word and articles of a million characters on one line. What
the process holds (resident, in MB) is looked at 400 times, after equally many articles. Exit code
1 if the mean of the last quarter is more than 5% above that of the second. Linux only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from claimx.extractor import Extractor
from claimx.types import Article
from scripts.measure_archive import NEWS, articles
from scripts.processes import resident_bytes

SAMPLES = 400
LARGE = 1_000_000  # characters
MOST_GROWTH = 0.05


def places(count: int, total: int) -> set[int]:
    """Spread so many places evenly over a row, in the middles of its equal parts."""
    return {(2 * number + 1) * total // (2 * count) for number in range(count)}


def mixed(news: Iterator[str], total: int, words: int, large: int) -> Iterator[Article]:
    """Yield articles, among them some of one word and some that are very large.

    Args:
        news: texts without end.
        total: how many articles.
        words: how many of them are a single word.
        large: how many are of `LARGE` characters, on one line.
    """
    single, huge = places(words, total), places(large, total)
    for number in range(total):
        text = next(news)
        if number in huge:
            while len(text) < LARGE:
                text += " " + next(news)
            text = text[:LARGE].replace("\n", " ")
        elif number in single:
            text = text.split()[0]
        yield Article(str(number), text)


def growth(samples: list[int]) -> float:
    """Compare the mean of the last quarter with that of the second."""
    quarter = len(samples) // 4
    second = statistics.fmean(samples[quarter : 2 * quarter])
    return statistics.fmean(samples[-quarter:]) / second - 1


def soak(extractor: Extractor, found: Iterator[Article], total: int) -> tuple[list[int], int]:
    """Read articles; return what the process held on the way, in bytes, and how many failed."""
    samples: list[int] = []
    failed = 0
    begun = time.monotonic()
    for number, extraction in enumerate(extractor.stream(found), 1):
        failed += extraction.error is not None
        if number * SAMPLES // total > len(samples):
            samples.append(resident_bytes(os.getpid()))
        if number % max(1, total // 10) == 0:
            seconds = time.monotonic() - begun
            print(f"{number:,} articles, {samples[-1] / 1e6:,.0f} MB, {seconds:.0f} s", flush=True)
    return samples, failed


def main() -> int:
    """Soak, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--words", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=10)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--news", type=Path, default=NEWS)
    options = parser.parse_args()
    extractor = Extractor.from_pretrained(
        options.model, backend=options.backend, device="cpu", dtype=options.dtype
    )
    print(f"{extractor.model_name}, {extractor.backend}, {extractor.dtype}", flush=True)
    news = (entry["text"] for entry in articles(options.news))
    found = mixed(news, options.articles, options.words, options.large)
    samples, failed = soak(extractor, islice(found, options.articles), options.articles)
    quarter = len(samples) // 4
    means = [statistics.fmean(samples[n * quarter :][:quarter]) / 1e6 for n in range(4)]
    said = ", ".join(f"{mean:,.0f}" for mean in means)
    print(f"{extractor.tokens_read:,} tokens, {failed} articles failed")
    print(f"mean of each quarter {said} MB, most {max(samples) / 1e6:,.0f} MB")
    print(f"the last quarter is {growth(samples):+.1%} from the second")
    return 1 if failed or growth(samples) > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
