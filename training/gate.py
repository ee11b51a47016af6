"""Hold a model to the floors of configs/floors.yaml: ``python -m training.gate``.

Every label of the test articles has a floor, the least exact F1 that a shipped model may have
there, and so have a few figures end to end. ``--propose`` prints the file anew, two points below
what the model reaches.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from claimx.errors import ConfigError
from claimx.metrics.figures import Counts, Key, Tally
from claimx.metrics.scoring import ALL, score
from claimx.types import AnnotatedArticle, Article
from training.command import finish
from training.config import read_yaml
from training.evaluate import Annotator, read_gold, split_seen

FLOORS = Path("configs/floors.yaml")
ARTICLES = Path("data/annotations/test.jsonl")
SLACK = 2.0
# Besides the exact F1 of every label.
_END_TO_END = frozenset(
    {
        "quote_speaker.attribution.overlap",
        "speaker_role.attribution",
        "speaker_affiliation.attribution",
        "quantities.all.value",
        "quantities.all.value_and_unit",
    }
)
_HEAD = """\
# The least that the shipped model must reach on data/annotations/test.jsonl, in percent: F1, or for
# quantities.* the share that is right. `.ci/run` holds it to this (python -m training.gate). The
# names are those of the report of training.evaluate (docs/metrics.md).
#
# A floor is lowered only on purpose: in a commit of its own that says what was gained for it.
# When a better model is packaged, raise them:
#
#   python -m training.gate --propose > configs/floors.yaml
"""


def measure(model: Annotator, golds: Sequence[AnnotatedArticle]) -> dict[str, float]:
    """Return the guarded figures of a model in percent, by their dotted names.

    Raises:
        ConfigError: if the model was trained on one of the articles.
    """
    seen = split_seen(golds, model)[1]
    if seen:
        raise ConfigError(
            f"the model was trained on {len(seen)} of the articles that guard it "
            f"({seen[0].id!r} ...); leave them out of its training data"
        )
    predicted = model.annotate_many([Article(gold.id, gold.text) for gold in golds])
    tallies = score(list(zip(golds, predicted, strict=True)))
    return {".".join(key): 100 * counts.f1 for key, counts in _guarded(tallies)}


def _guarded(tallies: Sequence[Tally]) -> list[tuple[Key, Counts]]:
    totals: dict[Key, Counts] = {}
    for tally in tallies:
        for key, counts in tally.items():
            totals[key] = totals.get(key, Counts()) + counts
    return sorted(
        (key, counts)
        for key, counts in totals.items()
        if counts.gold
        and (
            (key[0] == "spans" and key[2] != ALL and key[3] == "exact")
            or ".".join(key) in _END_TO_END
        )
    )


def failures(
    figures: Mapping[str, float], floors: Mapping[str, float], absent: Sequence[str] = ()
) -> list[str]:
    """Say in one sentence each what fell below its floor, or cannot be held to one.

    Args:
        figures: what the model reaches.
        floors: the least for each of them.
        absent: figures of labels that the model does not have at all.
    """
    problems = []
    for name in sorted(figures.keys() | floors.keys()):
        if name in absent:
            problems.append(f"{name}: the model has no such label.")
        elif name not in floors:
            problems.append(
                f"{name}: there is no floor for it; it stands at {figures[name]:.1f}, and "
                "`python -m training.gate --propose` prints floors for all."
            )
        elif name not in figures:
            problems.append(f"{name}: nothing in the test articles is annotated so.")
        elif figures[name] < floors[name]:
            problems.append(f"{name}: {figures[name]:.2f} is below its floor, {floors[name]:g}.")
    return problems


def absent_labels(figures: Mapping[str, float], known: Sequence[tuple[str, str]]) -> list[str]:
    """Name the span figures whose layer and label are not among those the model knows."""
    return [
        name
        for name in figures
        if name.startswith("spans.") and tuple(name.split(".")[1:3]) not in known
    ]


def read_floors(path: Path) -> dict[str, float]:
    """Read the floors, by the dotted name of the figure.

    Raises:
        ConfigError: if the file is missing or holds anything but percentages.
    """
    try:
        raw = read_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if not isinstance(raw, dict) or not raw:
        raise ConfigError(f"{path}: holds no floors; `--propose` prints some")
    for name, floor in raw.items():
        if isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor <= 100:
            raise ConfigError(f"{path}: the floor of {name} is a percentage, not {floor!r}")
    return {str(name): float(floor) for name, floor in raw.items()}


def propose(figures: Mapping[str, float]) -> str:
    """Return the text of a floors file, two points below the figures, in halves of a point."""
    rows = (
        f"{name}: {max(0.0, int(2 * (value - SLACK)) / 2):.1f}\n" for name, value in figures.items()
    )
    return _HEAD + "".join(rows)


def _print_table(figures: Mapping[str, float], floors: Mapping[str, float]) -> None:
    width = max(map(len, figures))
    print(f"{'figure'.ljust(width)}  percent  floor")
    for name, value in figures.items():
        floor = f"{floors[name]:5.1f}" if name in floors else "    -"
        fell = "  fell" if value < floors.get(name, 0) else ""
        print(f"{name.ljust(width)}  {value:7.1f}  {floor}{fell}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.gate", description=__doc__)
    parser.add_argument("model", nargs="?", help="model folder (default: the packaged model)")
    parser.add_argument("--data", nargs="+", type=Path, default=[ARTICLES], help="gold articles")
    parser.add_argument("--floors", type=Path, default=FLOORS, help=f"(default: {FLOORS})")
    parser.add_argument("--propose", action="store_true", help="print floors for this model")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda ...")
    return parser


def _run(options: argparse.Namespace) -> int:
    floors = {} if options.propose else read_floors(options.floors)
    golds = read_gold(options.data)
    from claimx.checkpoint import load_checkpoint
    from claimx.extractor import Extractor
    from claimx.hub import find_model

    checkpoint = load_checkpoint(find_model(options.model))
    layers = checkpoint.model.config.label_schema.layers
    known = [(layer.name, label) for layer in layers for label in layer.labels]
    figures = measure(
        Extractor.from_checkpoint(checkpoint, device=options.device, dtype="float32"), golds
    )
    if options.propose:
        print(propose(figures), end="")
        return 0
    _print_table(figures, floors)
    fallen = failures(figures, floors, absent_labels({**floors, **figures}, known))
    for sentence in fallen:
        print(f"error: {sentence}", file=sys.stderr)
    return int(bool(fallen))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0 if every floor holds, 1 if one fell, 2 if it cannot be told."""
    arguments = _parser().parse_args(argv)
    return finish(lambda: _run(arguments))


if __name__ == "__main__":
    sys.exit(main())
