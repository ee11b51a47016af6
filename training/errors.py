"""Show the errors of a model by class: ``python -m training.errors MODEL DATA... -o errors.html``.

One HTML page without scripts or anything from a network: a table of the classes, the most frequent
first, with the points of F1 that mending each would give, and below it every error in its sentence,
as gold has it and as the model reads it. The classes: `training.error_classes`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError
from claimx.metrics.figures import Counts
from claimx.render import write_whole
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article
from training.command import finish
from training.error_classes import Error, classify_all
from training.evaluate import read_gold, split_seen

_TEMPLATE = "errors.html.jinja"
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])|\n")
_FARTHEST = 300  # characters of context on either side, where a sentence does not end
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """All errors of one layer, label and kind.

    Args:
        layer: see `training.error_classes.Error`.
        label: likewise.
        kind: likewise.
        errors: the errors, those of the highest score first.
        gains: figure -> points of F1 that mending this class alone would give.
        words: the words by which edges differ most often, with their counts.
    """

    layer: str
    label: str
    kind: str
    errors: tuple[Error, ...]
    gains: Mapping[str, float]
    words: tuple[tuple[str, int], ...]


def group(errors: Iterable[Error], totals: Mapping[str, Counts]) -> list[ErrorClass]:
    """Put errors into classes, the most frequent first."""
    classes: dict[tuple[str, str, str], list[Error]] = defaultdict(list)
    for error in errors:
        classes[error.layer, error.label, error.kind].append(error)
    made = []
    for key, members in classes.items():
        members.sort(key=lambda error: -(error.score or 0))
        words = Counter(word.lower() for error in members for word in error.words)
        made.append(
            ErrorClass(*key, tuple(members), gains(members, totals), tuple(words.most_common(6)))
        )
    return sorted(made, key=lambda one: (-len(one.errors), one.layer, one.label, one.kind))


def gains(errors: Iterable[Error], totals: Mapping[str, Counts]) -> dict[str, float]:
    """Say by how many points each figure would rise if these errors alone were mended.

    Mended, every gold item is found, and the wrong predictions are gone.
    """
    costs: dict[str, tuple[int, int]] = {}
    for error in errors:
        for name, (lost, wrong) in error.costs.items():
            before = costs.get(name, (0, 0))
            costs[name] = (before[0] + lost, before[1] + wrong)
    found = {}
    for name, (lost, wrong) in costs.items():
        now = totals[name]
        mended = now + Counts(lost, lost - wrong, lost, 0)
        found[name] = 100 * (mended.f1 - now.f1)
    return found


# ---- the text around an error -------------------------------------------------------------


def sentences(text: str, spans: Sequence[AnnotatedSpan]) -> list[tuple[int, int]]:
    """Return the stretches of text that hold the spans, widened to sentences, in order."""
    stretches: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda span: span.start):
        left, right = max(0, span.start - _FARTHEST), min(len(text), span.end + _FARTHEST)
        before = _SENTENCE_END.finditer(text, left, min(len(text), span.start + 2))
        ends = [match.end() for match in before if match.end() <= span.start]
        after = _SENTENCE_END.search(text, max(span.start, span.end - 1), right)
        start, end = ends[-1] if ends else left, after.end() if after else right
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text with the marks before it and whether it is underlined."""

    text: str
    opening: tuple[str, ...]
    closing: int
    marked: bool


def pieces(text: str, start: int, end: int, spans: Sequence[AnnotatedSpan]) -> list[Piece]:
    """Cut a stretch at the edges of spans, which may nest or cross.

    ``opening`` holds the label of every span that begins with the piece; ``closing`` says how many
    end with it.
    """
    spans = sorted((span for span in spans if start < span.end and span.start < end),
                   key=lambda span: (span.start, -span.end))  # fmt: skip
    edges = {start, end} | {edge for span in spans for edge in (span.start, span.end)}
    cuts = sorted(edge for edge in edges if start <= edge <= end)
    return [
        Piece(
            text[left:right],
            tuple(_mark(span) for span in spans if span.start == left),
            sum(span.end == right for span in spans),
            any(span.start <= left and right <= span.end for span in spans),
        )
        for left, right in pairwise(cuts)
    ]


def _mark(span: AnnotatedSpan) -> str:
    return span.label if span.score is None else f"{span.label} {span.score:.2f}"


# ---- page and JSON ------------------------------------------------------------------------


def _view(error: Error, text: str) -> dict[str, Any]:
    """What the template shows of one error: a row for either side, each of several stretches."""
    stretches = sentences(text, [*error.gold, *error.predicted])
    rows = (
        (name, [pieces(text, start, end, spans) for start, end in stretches])
        for name, spans in (("gold", error.gold), ("model", error.predicted))
    )
    place = (error.gold or error.predicted)[0].start
    return {"article": error.article, "place": place, "detail": error.detail,
            "score": error.score, "rows": list(rows)}  # fmt: skip


def page(
    classes: Sequence[ErrorClass],
    totals: Mapping[str, Counts],
    texts: Mapping[str, str],
    title: str,
) -> str:
    """Return the HTML page; everything that comes from articles is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [(one, [_view(error, texts[error.article]) for error in one.errors]) for one in classes]
    figures = {name: 100 * counts.f1 for name, counts in sorted(totals.items())}
    return environment.get_template(_TEMPLATE).render(
        title=title, classes=shown, figures=figures, articles=len(texts)
    )


def to_json(classes: Sequence[ErrorClass], totals: Mapping[str, Counts]) -> dict[str, Any]:
    """Return everything as plain JSON types."""
    return {
        "figures": {name: counts.f1 for name, counts in sorted(totals.items())},
        "classes": [
            {
                "layer": one.layer,
                "label": one.label,
                "kind": one.kind,
                "count": len(one.errors),
                "gains": dict(one.gains),
                "words": [list(pair) for pair in one.words],
                "errors": [
                    {
                        "article": error.article,
                        "gold": [span.to_dict() for span in error.gold],
                        "predicted": [span.to_dict() for span in error.predicted],
                        "detail": error.detail,
                        "score": error.score,
                    }
                    for error in one.errors
                ],
            }
            for one in classes
        ],
    }


# ---- command ------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.errors", description=__doc__)
    parser.add_argument("model", help="model folder, or claimx-en for the packaged model")
    parser.add_argument("data", nargs="+", type=Path, help="annotated files")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the page here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON here")
    parser.add_argument(
        "--attribution-layer", action="append", default=[], metavar="NAME",
        help="look only at this layer of attribution; may be given several times (default: all)",
    )  # fmt: skip
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda ...")
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N articles alone")
    return parser


def _run(options: argparse.Namespace) -> None:
    golds = read_gold(
        options.data, attribution_layers=options.attribution_layer, limit=options.limit
    )
    from claimx.extractor import Extractor
    from claimx.quantities import canonical_unit

    model = Extractor.from_pretrained(options.model, device=options.device, dtype="float32")
    unseen, seen = split_seen(golds, model)
    if seen:
        print(f"warning: {len(seen)} articles that the model was trained on are left out",
              file=sys.stderr)  # fmt: skip
    if not unseen:
        raise AnnotationError("the model was trained on all of these articles; give others")
    predicted: list[AnnotatedArticle] = []
    for start in range(0, len(unseen), _CHUNK):
        chunk = unseen[start : start + _CHUNK]
        predicted += model.annotate_many([Article(gold.id, gold.text) for gold in chunk])
    errors, totals = classify_all(list(zip(unseen, predicted, strict=True)), canonical_unit)
    classes = group(errors, totals)
    publish(classes, totals, {gold.id: gold.text for gold in unseen}, options)


def publish(
    classes: Sequence[ErrorClass],
    totals: Mapping[str, Counts],
    texts: Mapping[str, str],
    options: argparse.Namespace,
) -> None:
    """Print the classes, the most frequent first, and write the files that were asked for."""
    for one in classes:
        best = ", ".join(f"{name} {points:+.1f}" for name, points in one.gains.items())
        print(f"{len(one.errors):5}  {one.layer} {one.label}: {one.kind}  ({best})")
    if options.output:
        names = ", ".join(path.name for path in options.data)
        write_whole(options.output, page(classes, totals, texts, f"{options.model} on {names}"))
    if options.json:
        write_whole(options.json, json.dumps(to_json(classes, totals), indent=1) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    return finish(lambda: _run(arguments))


if __name__ == "__main__":
    sys.exit(main())
