"""Compare two annotations of the same articles: ``python -m training.agreement FIRST SECOND``.

Either side is an annotated file or a folder of them. Articles are paired by id, and only layers
that both annotators completed are compared. No side is the right one: swapping them swaps
nothing but the columns. Spans, overlap and quantities are counted as docs/metrics.md defines it;
a token is one of its words and has the label of the span that holds its first character.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from claimx.errors import AnnotationError
from claimx.formats import read_articles
from claimx.metrics.figures import RESAMPLES, Figure, Key, Tally, summarise
from claimx.metrics.matching import MATCHERS, LinkKind, Matching, match_spans
from claimx.metrics.scoring import ALL, Pair, annotated_links, link_counts, quantity_counts
from claimx.metrics.scoring import span_counts as count_spans
from claimx.quantities import canonical_unit
from claimx.text import counted
from claimx.types import AnnotatedArticle
from training import report as reports
from training.command import finish
from training.disagreements import Disagreement, disagreements

_SHOWN = 5
_LINKS = {"links_exact": "exact", "links_overlap": "overlap", "links_same_spans": "same_spans"}
_ATTRIBUTES = ("value", "unit", "kind", "modifier", "change")


# ---- reading ------------------------------------------------------------------------------


def read_side(path: Path) -> dict[str, AnnotatedArticle]:
    """Read what one annotator did.

    Args:
        path: an annotated file of any format, or a folder of native or inline files.

    Raises:
        AnnotationError: if a file breaks a rule, or an id occurs twice.
        FormatError: if a file cannot be read at all.
    """
    articles: dict[str, AnnotatedArticle] = {}
    for article in read_articles(path):
        if article.id in articles:
            raise AnnotationError(f"{path}: article {article.id!r} is there twice; remove one")
        articles[article.id] = article
    return articles


def pair_articles(
    first: Mapping[str, AnnotatedArticle], second: Mapping[str, AnnotatedArticle]
) -> list[Pair]:
    """Pair the articles that both sides have, cut down to the layers that both completed.

    Args:
        first: the articles of one annotator by id.
        second: those of the other.

    Raises:
        AnnotationError: if there are none, a text differs, or an article has no common layer;
            all articles with a problem are named together.
    """
    common = [name for name in first if name in second]
    if not common:
        raise AnnotationError(
            f"no article is on both sides (first: {_some(first)}; second: {_some(second)}); "
            "articles are paired by id"
        )
    problems, pairs = [], []
    for name in common:
        one, other = first[name], second[name]
        layers = tuple(layer for layer in one.complete_layers if layer in other.complete_layers)
        if one.text != other.text:
            problems.append(f"{name!r}: {_first_difference(one.text, other.text)}")
        elif not layers:
            problems.append(f"{name!r}: no layer is in complete_layers on both sides")
        else:
            pairs.append((_within(one, layers), _within(other, layers)))
    if problems:
        raise AnnotationError("articles that cannot be compared:\n  " + "\n  ".join(problems))
    return pairs


def _some(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown} ..." if len(names) > _SHOWN else shown or "nothing"


def _first_difference(one: str, other: str) -> str:
    shorter = min(len(one), len(other))
    at = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    start = max(0, at - 20)
    return (
        f"the texts differ at character {at}: {one[start : at + 20]!r} and "
        f"{other[start : at + 20]!r}; annotate the same text"
    )


def _within(article: AnnotatedArticle, layers: Collection[str]) -> AnnotatedArticle:
    kept = _only(article, {span.id for span in article.spans if span.layer in layers})
    return replace(kept, complete_layers=tuple(layers))


def _only(article: AnnotatedArticle, ids: Collection[str]) -> AnnotatedArticle:
    return replace(
        article,
        spans=tuple(span for span in article.spans if span.id in ids),
        links=tuple(link for link in article.links if link.head in ids and link.tail in ids),
    )


# ---- counting -----------------------------------------------------------------------------


def compare(pairs: Sequence[Pair], *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """Measure how far two annotators agree; the report is plain JSON types throughout.

    Args:
        pairs: the two annotations of each article, over the same layers.
        resamples: draws of the bootstrap over articles.
        seed: seed of the bootstrap.

    Returns:
        ``articles``; ``spans`` by layer, label and way of matching; ``links`` by type and layer
        of the head, with both ends the same exactly, by overlap, or counted only between spans
        that both annotators have (by overlap); ``attributes`` of the quantities that both have;
        ``tokens`` with Cohen's kappa by layer; and every disagreement.
    """
    kinds = annotated_links(side for pair in pairs for side in pair)
    figures = summarise(
        [_tally(first, second, kinds) for first, second in pairs], resamples=resamples, seed=seed
    )
    report: dict[str, Any] = {
        "articles": [first.id for first, _ in pairs],
        "resamples": resamples,
        "seed": seed,
        "spans": {},
        "links": {},
        "attributes": {},
        "tokens": _tokens(pairs),
        "disagreements": [
            found.to_dict() for first, second in pairs for found in disagreements(first, second)
        ],
    }
    for key, figure in figures.items():
        _place(report, key, figure)
    return report


def _tally(first: AnnotatedArticle, second: AnnotatedArticle, kinds: frozenset[LinkKind]) -> Tally:
    tally: Tally = {}
    matchings = {how: match_spans(first, second, how) for how in MATCHERS}
    for how, matching in matchings.items():
        count_spans(tally, first, second, matching, how)
        _count_links(tally, (first, second), matching, kinds, f"links_{how}")
    matching = matchings["overlap"]
    shared = (_only(first, set(matching.values())), _only(second, set(matching)))
    _count_links(tally, shared, matching, kinds, "links_same_spans")
    quantity_counts(tally, first, second, matching, canonical_unit)
    return tally


def _count_links(
    tally: Tally, pair: Pair, matching: Matching, kinds: frozenset[LinkKind], group: str
) -> None:
    first, second = pair
    persons = frozenset(kind for kind in kinds if kind[0] == "same_person")
    link_counts(tally, first, second, matching, kinds - persons, group)
    # same_person counts only where the first side has it at all; here neither side is gold.
    if any(link.type == "same_person" for link in first.links):
        link_counts(tally, first, second, matching, persons, group)
    else:
        back = {gold: predicted for predicted, gold in matching.items()}
        link_counts(tally, second, first, back, persons, group)


def _place(report: dict[str, Any], key: Key, figure: Figure) -> None:
    """Put a figure where the report has it; figures of single sides are left out."""
    if key[0] == "spans":
        path = key
    elif key[0] in _LINKS:
        path = ("links", *key[1:], _LINKS[key[0]])
    elif key[:2] == ("quantities", "found") and key[2] in _ATTRIBUTES:
        report["attributes"][key[2]] = figure.to_share_dict()
        return
    else:
        return
    branch = report
    for part in path[:-1]:
        branch = branch.setdefault(part, {})
    branch[path[-1]] = {
        "f1": figure.counts.f1,
        "f1_interval": [figure.f1_low, figure.f1_high],
        "both": figure.counts.gold_right,
        "first": figure.counts.gold,
        "second": figure.counts.predicted,
    }


def _tokens(pairs: Sequence[Pair]) -> dict[str, Any]:
    tables = {}
    for layer, table in reports.confusion(pairs).items():
        matrix = np.array(table["matrix"])
        labels: Sequence[str] = table["labels"]
        tables[layer] = {
            "kappa": _kappa(matrix),
            "label_kappa": {
                label: _kappa(_one_against_rest(matrix, index))
                for index, label in enumerate(labels)
                if label != "O"
            },
            "agreed": float(np.trace(matrix) / matrix.sum()),
            "tokens": int(matrix.sum()),
            **table,
        }
    return tables


def _one_against_rest(matrix: Any, index: int) -> Any:
    both, first, second = matrix[index, index], matrix[index].sum(), matrix[:, index].sum()
    return np.array([[both, first - both], [second - both, matrix.sum() - first - second + both]])


def _kappa(matrix: Any) -> float | None:
    """Cohen's kappa of a table of counts; None where both sides gave one label to every token."""
    from sklearn.metrics import cohen_kappa_score

    if np.count_nonzero(matrix.sum(axis=0) + matrix.sum(axis=1)) < 2:
        return None
    rows, columns = np.indices(matrix.shape)
    return float(cohen_kappa_score(rows.ravel(), columns.ravel(), sample_weight=matrix.ravel()))


# ---- tables -------------------------------------------------------------------------------


def tables(report: Mapping[str, Any]) -> list[reports.Table]:
    """Lay a report out, one table a subject; empty ones are left out.

    Args:
        report: what `compare` returned.
    """
    made = (
        (
            "Spans (F1 in percent; the range is the 95% interval of the F1 before it)",
            ("layer", "label", "exact", "", "overlap", "", "first", "second"),
            _span_rows(report["spans"]),
        ),
        (
            "Tokens (Cohen's kappa)",
            ("layer", "label", "kappa", "agreed, percent", "tokens"),
            _token_rows(report["tokens"]),
        ),
        (
            "Links (F1 in percent; same spans: among the spans that both have)",
            ("type", "layer", "exact", "", "overlap", "same spans", "first", "second"),
            _link_rows(report["links"]),
        ),
        (
            "Quantities that both have (percent equal)",
            ("attribute", "", "equal", "", "quantities"),
            _attribute_rows(report["attributes"]),
        ),
    )
    return [
        reports.Table(title, header, rows)
        for title, header, found in made
        if (rows := tuple(found))
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _cells(entry: Mapping[str, Any] | None) -> tuple[str, str]:
    if entry is None:
        return "-", "-"
    low, high = entry["f1_interval"]
    return _percent(entry["f1"]), f"{_percent(low)}-{_percent(high)}"


def _span_rows(tree: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for layer, labels in sorted(tree.items()):
        for label, entry in sorted(labels.items(), key=lambda item: (item[0] == ALL, item[0])):
            sizes = (str(entry["exact"]["first"]), str(entry["exact"]["second"]))
            yield (layer, label, *_cells(entry["exact"]), *_cells(entry["overlap"]), *sizes)


def _token_rows(tree: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for layer, entry in tree.items():
        for label, kappa in entry["label_kappa"].items():
            yield layer, label, _kappa_cell(kappa), "", ""
        shares = (_percent(entry["agreed"]), str(entry["tokens"]))
        yield (layer, ALL, _kappa_cell(entry["kappa"]), *shares)


def _kappa_cell(kappa: float | None) -> str:
    return "-" if kappa is None else f"{kappa:.3f}"


def _link_rows(tree: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for kind, layers in sorted(tree.items()):
        shown = [layer for layer in sorted(layers) if layer != ALL]
        # A total says something only where there is more than one layer.
        for layer in (*shown, *([ALL] if len(shown) > 1 else [])):
            entry = layers[layer]
            yield (
                kind,
                layer,
                *_cells(entry["exact"]),
                _cells(entry["overlap"])[0],
                _cells(entry.get("same_spans"))[0],
                str(entry["exact"]["first"]),
                str(entry["exact"]["second"]),
            )


def _attribute_rows(tree: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name in _ATTRIBUTES:
        if entry := tree.get(name):
            low, high = entry["accuracy_interval"]
            interval = f"{_percent(low)}-{_percent(high)}"
            yield name, "", _percent(entry["accuracy"]), interval, str(entry["total"])


# ---- command ------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.agreement", description=__doc__)
    parser.add_argument("first", type=Path, help="annotated file or folder of one annotator")
    parser.add_argument("second", type=Path, help="the same articles by the other")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report here")
    parser.add_argument("--list", action="store_true", help="print every disagreement as well")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    first, second = read_side(arguments.first), read_side(arguments.second)
    pairs = pair_articles(first, second)
    report = {
        "first": str(arguments.first),
        "second": str(arguments.second),
        "only_in_first": sorted(first.keys() - second.keys()),
        "only_in_second": sorted(second.keys() - first.keys()),
        **compare(pairs, resamples=arguments.resamples, seed=arguments.seed),
    }
    print(
        f"{counted(len(pairs), 'article')} on both sides; {len(report['only_in_first'])} only "
        "on the first, "
        f"{len(report['only_in_second'])} only on the second\n"
    )
    reports.print_tables(tables(report), sys.stdout)
    if arguments.list:
        for entry in report["disagreements"]:
            print(Disagreement(**entry))
    if arguments.json is not None:
        written = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
        arguments.json.write_text(written + "\n", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    return finish(lambda: _run(arguments))


if __name__ == "__main__":
    sys.exit(main())
