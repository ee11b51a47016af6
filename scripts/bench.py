"""Measure how fast claimx reads, beside what a user would otherwise run and what the chip can do.

    python scripts/bench.py speed --model claimx-en-small [--articles 500] [--runs 3]
    python scripts/bench.py agree      same spans as float32, and alone as together
    python scripts/bench.py length     texts of 1,000 to 1,000,000 tokens
    python scripts/bench.py memory     2,000 passes of all shapes
    python scripts/bench.py start      from the command line to the first record

Each takes --model, --backend, --device and --dtype. speed runs five sides in one process,
in turns, on the same real articles, and compares medians:

a  `transformers.pipeline("token-classification")`, float32, same encoder and one head: as it is,
   and with a batch of 16
b  a plain loop in torch, float32: windows in the order of the articles, 16 a batch, padded
c  claimx, from text to record
d  the forward passes alone, on batches without any padding: the ceiling, in c's dtype and backend
e  a large matrix product in c's dtype: the chip

The pipeline reads 512 tokens of an article and drops the rest without a word. Articles are cut
there for all sides, so that all read the same text; a ratio to `a` is one of times. Tokens are
those in claimx's windows, where windows overlap counted twice, on both sides of a ratio; padding
never counts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from torch import nn
from transformers import (
    AutoModelForTokenClassification,
    PreTrainedTokenizerFast,
    TokenClassificationPipeline,
)

from claimx import Article, Extractor
from claimx.batching import PaddedWindows, pad_windows, padded_length, special_tokens
from claimx.checkpoint import load_checkpoint
from claimx.hub import find_model
from claimx.modeling import ClaimxModel
from scripts import bench_checks
from scripts.passes import Passes, recorded

NEWS = Path("../shared/corpora/news_raw.jsonl.gz")
_MOST_TOKENS = 510  # and two special ones
_TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def read_texts(path: Path, number: int) -> list[str]:
    """Read the first texts of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, number)]


@dataclass(frozen=True)
class Sides:
    """What is compared, ready to run on the same texts."""

    texts: tuple[str, ...]
    extractor: Extractor
    passes: Passes
    model: ClaimxModel
    tokenizer: PreTrainedTokenizerFast

    @classmethod
    def of(cls, options: argparse.Namespace) -> Sides:
        """Load the model twice, as claimx runs it and in float32, and cut the articles."""
        checkpoint = load_checkpoint(find_model(options.model))
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=checkpoint.tokenizer, model_max_length=_MOST_TOKENS + 2,
            pad_token="[PAD]",  # noqa: S106
        )  # fmt: skip
        texts = tuple(cut(tokenizer, text) for text in read_texts(options.news, options.articles))
        extractor = bench_checks.extractor(options)
        with recorded(extractor) as passes:
            extractor.extract_many(texts)
        model: Any = checkpoint.model
        model.to(extractor.device)
        return cls(texts, extractor, passes, model, tokenizer)


def cut(tokenizer: PreTrainedTokenizerFast, text: str) -> str:
    """Cut a text where the pipeline would stop to read it."""
    encoded = tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
    )
    offsets = encoded["offset_mapping"]
    return text if len(offsets) <= _MOST_TOKENS else text[: offsets[_MOST_TOKENS - 1][1]]


# ---- the sides --------------------------------------------------------------------------------


def one_head(model: ClaimxModel) -> Any:
    """Give the encoder of a model one plain head, as `run_ner` makes them."""
    config = model.config.encoder_config()
    config.num_labels = 7
    tagger = AutoModelForTokenClassification.from_config(config)
    tagger.base_model.load_state_dict(model.encoder.state_dict(), strict=False)
    return tagger.eval().to(model.device)


def pipeline_seconds(sides: Sides, batch: int) -> float:
    """Side a."""
    model = one_head(sides.model)
    tagger = TokenClassificationPipeline(
        model=model, tokenizer=sides.tokenizer, device=sides.model.device
    )
    with redirect_stderr(StringIO()):
        tagger(list(sides.texts[:4]), batch_size=batch)
        return timed(lambda: tagger(list(sides.texts), batch_size=batch))


@torch.inference_mode()
def plain_seconds(sides: Sides) -> float:
    """Side b."""
    model, engine = one_head(sides.model), sides.extractor._engine
    special = special_tokens(engine._tokenizer)

    def run() -> None:
        encoded = [engine.encode(text) for text in sides.texts]
        windows = [(text.encoding, window) for text in encoded for window in text.windows]
        for begin in range(0, len(windows), 16):
            pieces = [
                (e.ids[w.start : w.end], e.features[w.start : w.end])
                for e, w in windows[begin : begin + 16]
            ]
            longest = max(len(ids) for ids, _ in pieces) + special.count
            padded = pad_windows(pieces, special, longest)
            ids, mask = torch.from_numpy(padded.input_ids), torch.from_numpy(padded.attention_mask)
            where = sides.model.device
            logits = model(input_ids=ids.to(where), attention_mask=mask.to(where)).logits
            logits.argmax(-1).cpu()

    return timed(run)


def claimx_seconds(sides: Sides) -> float:
    """Side c."""

    def run() -> None:
        for extraction in sides.extractor.stream(sides.texts):
            json.dumps(extraction.to_dict(), ensure_ascii=False)

    return timed(run)


def ceiling(sides: Sides) -> float:
    """Side d: tokens a second."""
    engine = sides.extractor._engine
    special = special_tokens(engine._tokenizer)
    width = padded_length(engine.config.window, special, engine.backend.round_to)
    rows = max(1, engine.backend.tokens_at_once // width)
    count = max(4, min(400, sides.passes.tokens // (rows * width)))
    generator = np.random.default_rng(0)
    batch = PaddedWindows(
        generator.integers(5, 20_000, (rows, width)),
        np.ones((rows, width), dtype=np.int64),
        np.ones((rows, width, 3), dtype=np.int64),
    )
    return rows * width * count / timed(lambda: drain(engine.backend.passes([batch] * count)))


def chip(dtype: str, device: torch.device) -> float:
    """Side e: floating point operations a second."""
    size = 2048 if device.type == "cpu" else 8192
    left = torch.randn(size, size, dtype=_TORCH_DTYPES[dtype], device=device)
    count = 10

    def run() -> None:
        for _ in range(count):
            left @ left
        if device.type == "cuda":
            torch.cuda.synchronize()

    run()
    seconds = timed(run)
    return 2.0 * size**3 * count / seconds


def operations(model: Any, tokens: int) -> float:
    """Floating point operations of the encoder for each token of a window of so many."""
    layers = [m for m in model.encoder.modules() if isinstance(m, nn.Linear)]
    config = model.encoder.config
    attention = 4 * tokens * config.hidden_size * config.num_hidden_layers
    return 2.0 * sum(layer.weight.numel() for layer in layers) + float(attention)


def timed(run: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def drain(things: Iterable[object]) -> None:
    """Go through an iterable to its end."""
    for _ in things:
        pass


# ---- stages -----------------------------------------------------------------------------------


def stages(sides: Sides) -> dict[str, float]:
    """Return the processor seconds of each stage of side c, one after the other."""
    reader: Any = sides.extractor
    found: dict[str, float] = {}

    def measure(name: str, run: Callable[[], Any]) -> Any:
        begun = time.process_time()
        result = run()
        found[name] = time.process_time() - begun
        return result

    tasks = measure(
        "tokens and features",
        lambda: [reader._prepare(Article(str(n), text)) for n, text in enumerate(sides.texts)],
    )
    scores = measure("model", lambda: reader._score(tasks, reader._layers))
    extractions = measure("decoding and linking", lambda: reader._finish(tasks, scores))
    measure("records", lambda: [json.dumps(one.to_dict()) for one in extractions])
    return found


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Run all sides in turns and print their medians."""
    sides = Sides.of(options)
    passes, extractor = sides.passes, sides.extractor
    tokens, unique = passes.tokens, passes.tokens_read
    print(
        f"{extractor.model_name}: {extractor.backend}, {extractor.dtype}, {extractor.device}; "
        f"{len(sides.texts):,} articles, {unique:,} tokens, {tokens:,} in windows, padding "
        f"{1 - tokens / passes.padded:.1%}",
        flush=True,
    )
    runs: dict[str, list[float]] = {}
    rates: dict[str, Callable[[], float]] = {
        "a": lambda: tokens / pipeline_seconds(sides, 1),
        "a, batch 16": lambda: tokens / pipeline_seconds(sides, 16),
        "b": lambda: tokens / plain_seconds(sides),
        "c": lambda: tokens / claimx_seconds(sides),
        "d": lambda: ceiling(sides),
    }
    for number in range(options.runs):
        for name, rate in rates.items():
            runs.setdefault(name, []).append(rate())
            print(f"run {number + 1}, {name}: {runs[name][-1]:,.0f} tokens/s", flush=True)
        runs.setdefault("e", []).append(chip(extractor.dtype, sides.model.device))
    median = {name: statistics.median(values) for name, values in runs.items()}
    share = median["d"] * operations(sides.model, extractor._engine.config.window) / median["e"]
    ratios = {
        "c/a": median["c"] / median["a"],
        "c/a, batch 16": median["c"] / median["a, batch 16"],
        "c/b": median["c"] / median["b"],
        "c/d": median["c"] / median["d"],
        "d/e": share,
    }
    spent = stages(sides)
    whole = sum(spent.values())
    for name, value in median.items():
        unit = "GFLOP/s" if name == "e" else "tokens/s"
        print(f"{name:<12} {value / (1e9 if name == 'e' else 1):>10,.0f} {unit}")
    print(f"c: {median['c'] / tokens * len(sides.texts) * 60:,.0f} articles a minute, "
          f"{median['c'] / tokens * unique:,.0f} tokens of text a second")  # fmt: skip
    for name, value in ratios.items():
        print(f"{name:<14} {value:>8.2f}")
    for name, value in spent.items():
        print(f"{name:<22} {value / whole:>6.1%} of the processor time")
    return {"median": median, "ratios": ratios, "stages": spent, "runs": runs}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("speed", *bench_checks.CHECKS))
    parser.add_argument("--model", help="a folder or a name (default: claimx-en)")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--news", type=Path, default=NEWS, help="gzipped JSONL with texts")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser


def main() -> int:
    """Run one measurement."""
    options = _parser().parse_args()
    if options.what == "speed":
        figures = speed(options)
    else:
        texts = (
            []
            if options.what in ("start", "memory")
            else read_texts(options.news, options.articles)
        )
        figures = bench_checks.CHECKS[options.what](options, texts)
    if options.json:
        place = {"machine": platform.processor() or platform.machine(), **figures}
        options.json.write_text(json.dumps(place, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
