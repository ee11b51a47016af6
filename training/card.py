"""Write a model card from what a run left behind: ``python -m training.card MODEL``.

The card says what the model marks, what it was trained on and from what it started
(``training.json``), and how good it is, if the run's ``test.json`` stands beside the model's
folder. It becomes ``README.md`` of the folder; one that is there already is not replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from claimx.checkpoint import Checkpoint, load_checkpoint
from claimx.errors import CheckpointError, ClaimxError
from claimx.folder import read_object
from claimx.hub import find_model

CARD = "README.md"
_REPORT = "test.json"

_HEAD = """\
---
language: en
{licence}library_name: claimx
pipeline_tag: token-classification
tags: [claimx, news, quotation-attribution, quantity-extraction]
---

# {name}

A model for [claimx](https://pypi.org/project/claimx/), version {version}, that reads English news.
{size} million parameters: {layers} {kind} layers, {width} wide, with a tag head for each layer of
labels and a link scorer. Weights are stored in {storage}.

```python
from claimx import Extractor

extractor = Extractor.from_pretrained("{name}")
```

On the command line: `claimx extract --model {name} ARTICLE`.
"""
_LIMITS = """\
## What it does not do

It does not check whether a claim is true, and knows nobody beyond the article in which they are
named. Its scores say how often a span is exactly right; look at what matters yourself.
"""


def card(
    checkpoint: Checkpoint, *, licence: str | None = None, report: Mapping[str, Any] | None = None
) -> str:
    """Return the card of a model, in Markdown with a head that hubs read.

    Args:
        checkpoint: the model.
        licence: SPDX expression; None where nobody stated one.
        report: figures on test articles, as `training.evaluate` writes them.
    """
    config, encoder = checkpoint.model.config, checkpoint.model.config.encoder_config()
    head = _HEAD.format(
        name=config.name,
        version=config.version,
        licence=f"license: {licence.lower()}\n" if licence else "",
        size=round(sum(value.numel() for value in checkpoint.model.parameters()) / 1e6, 1),
        layers=encoder.num_hidden_layers,
        kind=encoder.model_type,
        width=encoder.hidden_size,
        storage=checkpoint.storage,
    )
    parts = (_labels(checkpoint), _training(checkpoint.training), _figures(report or {}))
    return "\n".join((head, *("\n".join(part) for part in parts), _LIMITS))


def _labels(checkpoint: Checkpoint) -> Iterator[str]:
    schema = checkpoint.model.config.label_schema
    yield "## What it marks\n"
    yield from table(
        ("layer", "labels"), [(each.name, ", ".join(each.labels)) for each in schema.layers]
    )
    if schema.links:
        yield f"\nLinks: {', '.join(link.name for link in schema.links)}.\n"


def _training(training: Mapping[str, Any]) -> Iterator[str]:
    yield "## Trained on\n"
    config = training.get("config", {})
    if not config:
        yield "The model does not say.\n"
        return
    start, taught = config.get("init") or config.get("encoder"), config.get("teacher")
    yield (
        f"{training['articles']:,} articles, {training['steps']:,} steps, starting from "
        f"`{start}`{f', taught by `{taught}` what nobody annotated' if taught else ''}.\n"
    )
    rows = [
        (Path(corpus["path"]).name, f"{corpus['passes']:g}", ", ".join(corpus["layers"]) or "all")
        for corpus in config["corpora"]
    ]
    yield from table(("data", "passes", "layers"), rows)
    if config.get("dev"):
        names = ", ".join(Path(corpus["path"]).name for corpus in config["dev"])
        yield f"\nCalibration, prices and thresholds were fitted on {names}."
    versions = ", ".join(f"{name} {value}" for name, value in training["versions"].items())
    yield (
        f"\nThe whole config and the SHA-256 of every training text are in `training.json`. "
        f"Python {training['python']}, {versions}.\n"
    )


def _figures(report: Mapping[str, Any]) -> Iterator[str]:
    yield "## Figures\n"
    spans = report.get("figures", {}).get("spans", {})
    if not spans:
        yield "None were measured; `python -m training.evaluate MODEL ARTICLES` does it.\n"
        return
    names = ", ".join(Path(name).name for name in report["data"])
    yield (
        f"Exact spans, no tolerance, in percent, with the 95% bootstrap interval of F1; "
        f"{len(report['articles']):,} articles ({names}) that the model was not trained on.\n"
    )
    rows = [
        (layer, label, *_cells(found["exact"]))
        for layer, labels in spans.items()
        for label, found in labels.items()
        if "exact" in found
    ]
    yield from table(("layer", "label", "precision", "recall", "F1"), rows)
    yield ""


def _cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = found["f1_interval"]
    precision, recall, f1 = (f"{100 * found[key]:.1f}" for key in ("precision", "recall", "f1"))
    return precision, recall, f"{f1} ({100 * low:.1f}-{100 * high:.1f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay a table out in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def report_beside(folder: Path, checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    """Read the figures that a run left beside its model; None if there are none of this model."""
    path = folder.resolve().parent / _REPORT
    if not path.is_file():
        return None
    report = read_object(path)
    # A run's own report has no name; one of `training.evaluate` ends in the hash of the weights.
    mine = f"({checkpoint.weights_hash[:8]})"
    return report if str(report.get("name", mine)).endswith(mine) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; what goes wrong is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m training.card", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("model", help="a model folder, or the name of a model")
    parser.add_argument("--license", metavar="SPDX", help="such as apache-2.0")
    parser.add_argument("--report", type=Path, help="of training.evaluate (default: test.json)")
    options = parser.parse_args(arguments)
    try:
        folder = find_model(options.model)
        if (folder / CARD).exists():
            raise CheckpointError(f"{folder / CARD} is there already; remove it first")
        checkpoint = load_checkpoint(folder)
        named = options.report
        report = read_object(named) if named else report_beside(folder, checkpoint)
        written = card(checkpoint, licence=options.license, report=report)
        (folder / CARD).write_text(written, encoding="utf-8")
    except (ClaimxError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    print(folder / CARD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
