"""Measure how fast training is, against the same encoder under a plain `transformers.Trainer`.

    python scripts/bench_training.py [ENCODER ...] [--count 200] [--runs 3] [--sides NAME ...]

Both sides go once through the same articles, in one process, in turns. The plain side is what
Hugging Face's `run_ner` example does by default: `AutoModelForTokenClassification` with one head
(the first layer of the schema), whole articles cut at 512 tokens, 8 a step padded to the longest,
the encoder's own dropout, fp32, the default AdamW. The other side is `training.trainer.train` on
the plan of `training.train`, with the config's window, step size and precision, all heads and
the link scorer. Reading and tokenising the articles is not timed, on neither side, nor are the
first steps and the last checkpoint.

Tokens are counted in one way on both sides, at the encoder: those that it is given, without
padding and special tokens, and so twice where two windows overlap. Unique tokens are those of the
articles' text; the plain side has no windows and so no other number of them, but it leaves
out what stands behind the cut. "Filled" is how much of what the encoder computed were such tokens.

Further --sides are ours with one source of the gain switched off. Exit code 1 if the median of
ours is less than 2.5 times that of the plain side on a CPU.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
import transformers
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from transformers import (
    AutoModel,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from claimx.batching import SpecialTokens
from claimx.errors import ConfigError
from claimx.modeling import ClaimxModel
from claimx.torch_backend import bfloat16_pays
from training import trainer
from training.command import finish
from training.config import TrainConfig, load_config
from training.data import TrainingArticle, load_articles
from training.examples import IGNORED, Featuriser
from training.objective import collate
from training.schedule import Visit
from training.train import build_model, build_plan, encoder_tokenizer
from training.trainer import Plan

NEWS = Path("../shared/corpora/news_annotated.train.jsonl.gz")
CONFIG = Path("configs/small.yaml")
_LONGEST = 512  # of the plain side, special tokens included
_LEAST_RATIO = 2.5


@dataclass(frozen=True, slots=True)
class Timing:
    """What was timed of one run.

    Args:
        seconds: how long it took.
        steps: optimiser steps.
        tokens: what the encoder was given.
        places: the same with padding and special tokens: what it computed.
        unique: tokens of text, each once.
    """

    seconds: float
    steps: int
    tokens: int
    places: int
    unique: int


class Meter:
    """Counts what an encoder is given and notes when each optimiser step ends.

    Args:
        special: what stands around every text and is not counted.
    """

    def __init__(self, special: SpecialTokens) -> None:
        self.special = special
        self.tokens = self.places = 0
        self.marks: list[tuple[float, int, int]] = []

    @contextmanager
    def watching(self, encoder: nn.Module) -> Iterator[None]:
        """Count while a block runs."""
        self._mark()
        counting = encoder.register_forward_pre_hook(self._count, with_kwargs=True)
        marking = register_optimizer_step_post_hook(self._mark)
        try:
            yield
        finally:
            counting.remove()
            marking.remove()

    def _count(self, _: nn.Module, __: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        mask = named["attention_mask"]
        self.tokens += int(mask.sum()) - len(mask) * self.special.count
        self.places += mask.numel()

    def _mark(self, *_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.marks.append((time.perf_counter(), self.tokens, self.places))

    def timing(self, untimed: int, unique: int | None = None) -> Timing:
        """Return what came after the first ``untimed`` steps; all is unique if None."""
        begun, tokens_before, places_before = self.marks[untimed]
        ended, tokens, places = self.marks[-1]
        tokens -= tokens_before
        places -= places_before
        steps = len(self.marks) - 1 - untimed
        return Timing(ended - begun, steps, tokens, places, tokens if unique is None else unique)


@dataclass(frozen=True, slots=True)
class Job:
    """What both sides train on.

    Args:
        config: of our side; its encoder is that of both.
        items: the articles.
        plan: of our side.
        special: the encoder's special tokens.
        rows: the articles of the plain side, cut, with one tag a token.
        scratch: folder for what the runs write.
        untimed: steps at the start of each run that are not timed.
    """

    config: TrainConfig
    items: Sequence[TrainingArticle]
    plan: Plan
    special: SpecialTokens
    rows: Sequence[Mapping[str, list[int]]]
    scratch: Path
    untimed: int


def prepare(options: argparse.Namespace, encoder: str, scratch: Path) -> Job:
    """Read, tokenise and plan, for both sides."""
    changes = {
        "corpora": [str(options.news)], "dev": [], "test": [], "teacher": "", "init": "",
        "encoder_layers": 0, "output": str(scratch / "run"), "threads": options.threads,
        **({"encoder": encoder} if encoder else {}),
    }  # fmt: skip
    config = load_config(options.config, changes)
    items = load_articles(config.corpora)
    count = min(options.count, len(items))
    items = [items[number * len(items) // count] for number in range(count)]
    plan = planned(items, config)
    rows = plain_rows(items, plan.special, config)
    return Job(config, items, plan, plan.special, rows, scratch, options.untimed)


def planned(items: Sequence[TrainingArticle], config: TrainConfig) -> Plan:
    """Plan our side's run as `training.train` does."""
    schema = build_model(config).config.label_schema
    plan, _ = build_plan(items, encoder_tokenizer(config.encoder), schema, config)
    return plan


def plain_rows(
    items: Sequence[TrainingArticle], special: SpecialTokens, config: TrainConfig
) -> list[dict[str, list[int]]]:
    """Cut each article and tag what is left in one layer, as `run_ner` would."""
    model = build_model(config)
    room = _LONGEST - special.count
    whole = replace(config, window=room, overlap=0, example_tokens=room)
    tokenizer = encoder_tokenizer(config.encoder)
    featuriser = Featuriser(tokenizer, special, model.config.label_schema, whole)
    rows = []
    for item in items:
        # Of a longer article the first example is what stands before the cut.
        for row in islice(featuriser.examples(item), 1):
            ids = [*special.prefix, *row["ids"], *special.suffix]
            tags = row["tags"][: len(row["ids"])]
            labels = [*[IGNORED] * len(special.prefix), *tags, *[IGNORED] * len(special.suffix)]
            rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    return rows


def train_plainly(job: Job) -> Timing:
    """Train with `transformers.Trainer`, everything at its default but saving and logging."""
    torch.manual_seed(job.config.seed)
    labels = max(tag for row in job.rows for tag in row["labels"]) + 1
    model = AutoModelForTokenClassification.from_pretrained(
        job.config.encoder, num_labels=max(2, labels), dtype=torch.float32
    )
    settings = TrainingArguments(
        output_dir=str(job.scratch / "plain"), num_train_epochs=1, save_strategy="no",
        report_to="none", disable_tqdm=True, logging_strategy="no",
        dataloader_pin_memory=torch.cuda.is_available(),
    )  # fmt: skip
    collator = DataCollatorForTokenClassification(AutoTokenizer.from_pretrained(job.config.encoder))
    plain = Trainer(model, settings, data_collator=collator, train_dataset=job.rows)
    plain.remove_callback(PrinterCallback)
    meter = Meter(job.special)
    with meter.watching(model.base_model):
        plain.train()
    return meter.timing(job.untimed)


def train_ours(job: Job, model: ClaimxModel | None = None) -> Timing:
    """Train with `training.trainer.train`."""
    model = model or build_model(job.config)
    meter = Meter(job.special)
    with meter.watching(model.base_model):
        trainer.train(model, job.plan, job.config)
    return meter.timing(job.untimed, text_tokens(job.plan, job.plan.steps[job.untimed :]))


def text_tokens(plan: Plan, steps: Sequence[Sequence[Visit]]) -> int:
    """Count the tokens of text in some steps, each once, in whichever windows it stands."""
    total = 0
    for variant, row in (visit for step in steps for visit in step):
        for _, _, begin, end in plan.datasets[variant][row]["windows"].reshape(-1, 4).tolist():
            total += end - begin
    return total


# ---- switching one thing off -----------------------------------------------------------------


def without_bfloat16(job: Job) -> Timing:
    """Compute in fp32."""
    return train_ours(replace(job, config=replace(job.config, precision="float32")))


def with_dropout(job: Job) -> Timing:
    """Train with the dropout that the encoder comes with."""
    model = build_model(job.config)
    for name, module in AutoModel.from_pretrained(job.config.encoder).named_modules():
        if isinstance(module, nn.Dropout):
            model.encoder.get_submodule(name).p = module.p
    return train_ours(job, model)


def without_buckets(job: Job) -> Timing:
    """Pad all windows of a step to the longest and read them in one pass."""

    def collate_whole(rows: Any, special: Any, schema: Any, _: int) -> Any:
        return collate(rows, special, schema, bucket_tokens=sys.maxsize)

    with patch.object(trainer, "collate", collate_whole):
        return train_ours(job)


def with_long_windows(job: Job) -> Timing:
    """Read windows as long as the plain side's articles."""
    config = replace(job.config, window=_LONGEST - job.special.count)
    return train_ours(replace(job, config=config, plan=planned(job.items, config)))


def without_fusing(job: Job) -> Timing:
    """Use AdamW's plain loop over the parameters."""
    build = trainer.build_optimizer

    def build_unfused(model: Any, config: TrainConfig) -> torch.optim.AdamW:
        optimizer = build(model, config)
        for group in optimizer.param_groups:
            group["fused"] = False
        return optimizer

    with patch.object(trainer, "build_optimizer", build_unfused):
        return train_ours(job)


SIDES = {
    "plain": train_plainly,
    "ours": train_ours,
    "fp32": without_bfloat16,
    "with dropout": with_dropout,
    "a step in one pass": without_buckets,
    "windows of 510": with_long_windows,
    "AdamW not fused": without_fusing,
}


# ---- the command -----------------------------------------------------------------------------


def chip() -> str:
    """Name the processor, or the graphics card if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def measure(options: argparse.Namespace, encoder: str, scratch: Path) -> bool:
    """Run all sides of one encoder in turns, print their medians, say if the ratio will do."""
    job = prepare(options, encoder, scratch)
    if min(len(job.plan.steps), len(job.rows) // 8) <= job.untimed:
        raise ConfigError(f"too few articles: the first {job.untimed} steps are not timed")
    print(f"{job.config.encoder}: {len(job.items)} articles", flush=True)
    timings: dict[str, list[Timing]] = {name: [] for name in options.sides}
    for number in range(options.runs):
        for name, done in timings.items():
            found = SIDES[name](job)
            done.append(found)
            print(
                f"run {number + 1}, {name}: {found.tokens:,} tokens in {found.steps} steps and "
                f"{found.seconds:.1f} seconds",
                flush=True,
            )
    return show(timings)


def show(timings: Mapping[str, Sequence[Timing]]) -> bool:
    """Print the medians of all sides; say whether ours is fast enough beside the plain one."""
    medians = {
        name: median(one.tokens / one.seconds for one in found) for name, found in timings.items()
    }
    print(f"\n{'':20} tokens/s   unique   filled   to ours")
    for name, rate in medians.items():
        unique = median(one.unique / one.seconds for one in timings[name])
        filled = median(one.tokens / one.places for one in timings[name])
        to_ours = rate / medians.get("ours", rate)
        print(f"{name:20} {rate:8,.0f} {unique:8,.0f} {filled:8.1%} {to_ours:9.2f}")
    if not {"ours", "plain"} <= medians.keys():
        return True
    ratio = medians["ours"] / medians["plain"]
    print(f"\nours is {ratio:.2f} times as fast as the plain side")
    return ratio >= _LEAST_RATIO


def run(options: argparse.Namespace) -> int:
    """Measure every encoder."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if options.threads:
        torch.set_num_threads(options.threads)
    cuda = torch.cuda.is_available()
    kind = "bf16" if bfloat16_pays(torch.device("cuda" if cuda else "cpu")) else "no bf16"
    print(
        f"{chip()}, {torch.get_num_threads()} threads, {kind}, niceness {os.nice(0)}; "
        f"torch {torch.__version__}, transformers {transformers.__version__}"
    )
    with tempfile.TemporaryDirectory(prefix="claimx-bench-") as scratch:
        well = [measure(options, encoder, Path(scratch)) for encoder in options.encoders or [""]]
    return int(not all(well) and not cuda)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoders", nargs="*", help="folders or hub names; the config's if none")
    parser.add_argument("--config", type=Path, default=CONFIG, help="of our side")
    parser.add_argument("--news", type=Path, default=NEWS, help="annotated articles")
    parser.add_argument("--count", type=int, default=200, help="articles to go through")
    parser.add_argument("--runs", type=int, default=3, help="of each side")
    parser.add_argument("--untimed", type=int, default=3, help="first steps, not timed")
    parser.add_argument("--threads", type=int, default=0, help="0 is torch's choice")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=["plain", "ours"])
    options = parser.parse_args(arguments)
    return finish(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
