"""Train a model: ``python -m training.train configs/default.yaml``.

The same in several processes, on one machine or several, under ``torchrun``.
The finished model stands in ``<output>/model``; checkpoints of the run beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import torch
import transformers
from rich.console import Console
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from claimx.batching import padded_length, special_tokens
from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.errors import ClaimxError, ConfigError, did_you_mean
from claimx.extractor import Extractor
from claimx.hub import find_model
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.modeling import ClaimxConfig, ClaimxModel
from claimx.pairs import span_kinds
from claimx.text import counted
from claimx.torch_backend import bfloat16_pays
from training.calibrate import calibrate_folder
from training.config import TrainConfig, load_config, read_yaml
from training.data import TrainingArticle, load_articles, text_fingerprint
from training.evaluate import evaluate, publish, read_gold
from training.examples import Featuriser, build_dataset
from training.growing import grow
from training.schedule import plan_steps, settle_passes
from training.teacher import Teacher
from training.trainer import Plan, is_first_process, take_own_gpu, train
from training.watch import too_short

_console = Console(stderr=True, highlight=False)


def encoder_tokenizer(name: str) -> Tokenizer:
    """Load the tokenizer of an encoder, without truncation and padding.

    Raises:
        ConfigError: if there is no such encoder.
    """
    try:
        loaded = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"the encoder {name!r} cannot be loaded: {reason}") from error
    tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def start_tokenizer(config: TrainConfig) -> Tokenizer:
    """Load the tokenizer that belongs to where the model starts from."""
    if config.init:
        return load_checkpoint(find_model(config.init)).tokenizer
    return encoder_tokenizer(config.encoder)


def build_model(config: TrainConfig) -> ClaimxModel:
    """Start a model from the configured encoder, or go on from a trained one.

    A trained model keeps its calibration until another is fitted. New parts are drawn from
    the seed.

    Raises:
        ConfigError: if the model to go on from has another label schema.
    """
    torch.manual_seed(config.seed)
    if config.init:
        model = load_checkpoint(find_model(config.init)).model
        known = model.config.label_schema
        if config.schema and LabelSchema.from_dict(config.schema) != known:
            raise ConfigError(
                f"{config.init} has another label schema than `schema`; leave that out and name "
                "what is to be added in `new_labels`"
            )
        model = grow(model, known.extended(config.new_labels))
        for name in ("window", "overlap", "name", "version"):
            setattr(model.config, name, getattr(config, name))
    else:
        schema = LabelSchema.from_dict(config.schema) if config.schema else DEFAULT_SCHEMA
        sizes = {name: getattr(config, name) for name in ("link_size", "window", "overlap")}
        model = ClaimxModel.from_encoder(
            config.encoder,
            ClaimxConfig(
                schema=schema.extended(config.new_labels).to_dict(),
                name=config.name,
                version=config.version,
                **sizes,
            ),
            config.encoder_layers,
        )
    model.train()
    return model


def build_plan(
    items: Sequence[TrainingArticle],
    tokenizer: Tokenizer,
    schema: LabelSchema,
    config: TrainConfig,
) -> tuple[Plan, Featuriser]:
    """Featurise all articles and fix the order in which they are seen."""
    special = special_tokens(tokenizer)
    teacher = _teacher(config) if config.teacher else None
    featuriser = Featuriser(tokenizer, special, schema, config, teacher)
    datasets = [build_dataset(items, featuriser, swapped=False)]
    if config.swap_marks:
        # A featuriser of its own, so that spans are counted once.
        again = Featuriser(tokenizer, special, schema, config, teacher)
        datasets.append(build_dataset(items, again, swapped=True))
    owners = datasets[0]["article"][:].tolist()
    if any(owners != dataset["article"][:].tolist() for dataset in datasets):
        raise ConfigError(
            "swapped quotation marks changed how articles are cut: use swap_marks: false"
        )
    rows_of: list[list[int]] = [[] for _ in items]
    for row, owner in enumerate(owners):
        rows_of[owner].append(row)
    steps = plan_steps(
        items,
        rows_of,
        datasets[0]["tokens"][:].tolist(),
        step_tokens=config.step_tokens,
        seed=config.seed,
        variants=len(datasets),
    )
    return Plan(datasets, steps, special), featuriser


def _teacher(config: TrainConfig) -> Teacher:
    """Load the teacher in the precision that the training has."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    fast = config.precision == "auto" and bfloat16_pays(device)
    dtype = "bfloat16" if fast or config.precision == "bfloat16" else "float32"
    return Teacher(load_checkpoint(find_model(config.teacher)), dtype)


def portable(config: dict[str, Any]) -> dict[str, Any]:
    """Keep the names of files and drop the folders, which are those of one machine."""
    changed = dict(config)
    for key in ("encoder", "init", "teacher"):
        if Path(config[key]).is_dir():
            changed[key] = "/".join(Path(config[key]).parts[-2:])
    changed["output"] = Path(config["output"]).name
    changed["test"] = [Path(name).name for name in config["test"]]
    for key in ("corpora", "dev"):
        changed[key] = [{**entry, "path": Path(entry["path"]).name} for entry in config[key]]
    return changed


def check_window(model: ClaimxModel, plan: Plan, config: TrainConfig) -> None:
    """Stop before the first step if the encoder has too few positions for a window.

    Raises:
        ConfigError: saying how many it has.
    """
    positions = getattr(model.encoder.config, "max_position_embeddings", None)
    width = padded_length(config.window, plan.special)
    if positions and width > positions:
        raise ConfigError(
            f"a window of {config.window} tokens is padded to {width}, but the encoder reads "
            f"{positions} at once: use a smaller `window`"
        )


def check_labels(items: Sequence[TrainingArticle], schema: LabelSchema) -> None:
    """Stop if no annotated label is one of the model's; warn of layers that it does not have.

    Raises:
        ConfigError: naming the labels on both sides.
    """
    known = set(span_kinds(schema))
    found = {(span.layer, span.label) for item in items for span in item.article.spans}
    if found and not found & known:
        raise ConfigError(
            f"none of the annotated labels {_names(found)} is one of the model's "
            f"{_names(known)}; `new_labels` adds labels"
        )
    if found - known:
        _console.print(f"not learnt, for the model has no such labels: {_names(found - known)}")
    layers = [layer.name for layer in schema.layers]
    named = {name for item in items for name in item.article.complete_layers}
    for name in sorted(named.difference(layers)):
        _warn(f"complete_layers names {name!r}, which the model lacks{did_you_mean(name, layers)}")
    if not named.intersection(layers):
        _warn("complete_layers of no article names a layer, so that nothing teaches absence")


def _warn(sentence: str) -> None:
    _console.print(f"warning: {sentence}", style="yellow", markup=False, soft_wrap=True)


def _names(kinds: Iterable[tuple[str, str]]) -> str:
    return ", ".join(sorted(f"{layer}/{label}" for layer, label in kinds))


def training_record(
    config: TrainConfig, items: Sequence[TrainingArticle], featuriser: Featuriser, steps: int
) -> dict[str, Any]:
    """Say how a model was made: config, data fingerprints, versions."""
    packages = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "numpy")
    return {
        "config": portable(config.to_dict()),
        "steps": steps,
        "articles": len(items),
        "alignment": {
            "spans": featuriser.report.spans,
            "snapped": featuriser.report.snapped,
            "dropped": featuriser.report.dropped,
        },
        "fingerprints": sorted({text_fingerprint(item.article.text) for item in items}),
        "versions": {name: version(name) for name in packages},
        "python": platform.python_version(),
    }


def run(config: TrainConfig, *, resume: bool, stop_after: int | None = None) -> Path:
    """Train from a config and write the model; return its folder."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    _console.quiet = not is_first_process()
    take_own_gpu()
    items = settle_passes(load_articles(config.corpora), config.seed)
    tokenizer = start_tokenizer(config)
    model = build_model(config)
    schema = model.config.label_schema
    check_labels(items, schema)
    if config.teacher:
        size = sum(len(item.article.text) for item in items)
        _console.print(
            f"first the teacher reads {counted(len(items), 'article')} ({size:,} characters), "
            "which takes as long as any reading with it"
        )
    plan, featuriser = build_plan(items, tokenizer, schema, config)
    report = featuriser.report
    taught = " with those of the teacher" if config.teacher else ""
    _console.print(
        f"{counted(len(items), 'article')}, {counted(len(plan.datasets[0]), 'example')}, "
        f"{counted(len(plan.steps), 'step')}; {counted(report.spans, 'span')}{taught}, "
        f"{report.snapped} moved to word edges, {report.dropped} dropped"
    )
    for example in report.examples[:5]:
        _console.print(f"  {example}", markup=False, soft_wrap=True)
    if warning := too_short(len(plan.steps)):
        _warn(warning)
    check_window(model, plan, config)
    steps = train(model, plan, config, resume=resume, stop_after=stop_after)
    folder = Path(config.output) / "model"
    if is_first_process():
        save_checkpoint(folder, model, tokenizer, training_record(config, items, featuriser, steps))
        if config.dev:
            calibrate_folder(folder, config.dev)
        if config.test:
            report_on(folder, [Path(name) for name in config.test])
    return folder


def report_on(folder: Path, test: Sequence[Path]) -> None:
    """Print the finished model's figures on test files; they are written beside it as well."""
    golds = read_gold(test)
    model = Extractor.from_pretrained(folder, backend="torch", dtype="float32")
    found = evaluate(model, golds).report
    report = {"model": folder.name, "data": [path.name for path in test], **found}
    publish(report, folder.parent / "test.json")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a second KEY=VALUE behind one --set."""

    def error(self, message: str) -> NoReturn:
        """End the command, with the message."""
        several = message.startswith("unrecognized arguments") and "=" in message
        super().error(message + "; --set stands before each KEY=VALUE" * several)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; errors of configuration and data are one sentence and exit code 2."""
    parser = _Parser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("config", type=Path, help="YAML file, such as configs/default.yaml")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="replace a key of the file"
    )
    options = parser.parse_args(arguments)
    try:
        pairs = [entry.split("=", 1) for entry in options.set]
        if any(len(pair) != 2 for pair in pairs):
            raise ConfigError(f"--set takes KEY=VALUE, got {options.set}")
        overrides = {key: read_yaml(value, f"--set {key}") for key, value in pairs}
        config = load_config(options.config, overrides)
        folder = run(config, resume=options.resume)
    except ClaimxError as error:
        # The processes of one machine have the same files, and so the same to say.
        _console.quiet = os.environ.get("LOCAL_RANK", "0") != "0"
        _console.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        return 2
    if is_first_process():
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
