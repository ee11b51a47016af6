"""An evaluation as JSON and as readable tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

import numpy as np

from claimx.metrics.figures import Difference, Figure, Key
from claimx.metrics.scoring import ACCURACIES, ALL, Pair

_WORD = re.compile(r"\w+|[^\w\s]")
_GAP = "  "
_MOST_CLASSES = 20


# ---- JSON ---------------------------------------------------------------------------------


def nested(figures: Mapping[Key, Figure]) -> dict[str, Any]:
    """Return figures as nested dicts, as in ``["spans"]["attribution"]["QUOTE"]["exact"]``."""
    tree: dict[str, Any] = {}
    for key, figure in figures.items():
        branch = tree
        for part in key[:-1]:
            branch = branch.setdefault(part, {})
        branch[key[-1]] = figure.to_share_dict() if key[0] in ACCURACIES else figure.to_dict()
    return tree


def nested_differences(differences: Mapping[Key, Difference]) -> dict[str, Any]:
    """Return differences of two models as dicts by the dotted name of the figure."""
    return {".".join(key): difference.to_dict() for key, difference in differences.items()}


def nested_calibration(results: Mapping[Key, dict[str, Any]]) -> dict[str, Any]:
    """Return calibration as ``{"all": ..., layer: {label: ...}}``."""
    tree: dict[str, Any] = {}
    for key, result in results.items():
        if key == (ALL,):
            tree[ALL] = result
        else:
            tree.setdefault(key[0], {})[key[1]] = result
    return tree


def confusion(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Count which label words have in gold (rows) and in the prediction (columns), by layer.

    A word has the label of the span that holds its first character, or ``O``; words are runs of
    letters and digits, and single other characters. Only completely annotated layers count.
    """
    from sklearn.metrics import confusion_matrix

    tables = {}
    for layer in sorted({name for gold, _ in pairs for name in gold.complete_layers}):
        scored = [pair for pair in pairs if layer in pair[0].complete_layers]
        found = {span.label for pair in scored for side in pair for span in side.spans
                 if span.layer == layer}  # fmt: skip
        if not found:
            continue
        labels = ["O", *sorted(found)]
        gold, predicted = (
            np.concatenate([_word_labels(pair, side, layer, labels) for pair in scored])
            for side in (0, 1)
        )
        matrix = confusion_matrix(gold, predicted, labels=range(len(labels)))
        tables[layer] = {"labels": labels, "matrix": matrix.tolist()}
    return tables


def _word_labels(pair: Pair, side: int, layer: str, labels: Sequence[str]) -> Any:
    text = pair[0].text
    codes = np.zeros(len(text), dtype=np.int64)
    for span in pair[side].spans:
        if span.layer == layer:
            codes[span.start : span.end] = labels.index(span.label)
    return codes[[match.start() for match in _WORD.finditer(text)]]


# ---- tables -------------------------------------------------------------------------------


Interval = tuple[float, float, float]
"""A figure and the ends of its interval."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of strings; the first ``names`` columns are names, the others figures.

    A page draws the ``intervals``, one for each row or None; a terminal has no room for them.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 2
    intervals: tuple[Interval | None, ...] = ()


Row = tuple[tuple[str, ...], Interval | None]

_NORMAL_FORM = ("kind", "modifier", "change", "value", "unit", "value_and_unit")
_QUANTITY_SUBSETS = {
    ALL: "all",
    "without_bare_dollar": 'without a bare "$"',
    "bare_dollar": 'with a bare "$"',
    "found": "found (by overlap)",
}
_SPAN_HEADER = tuple("exact P|R|F1||overlap P|R|F1|gold|predicted".split("|"))


def tables(report: Mapping[str, Any]) -> list[Table]:
    """Lay the figures of a report out, one table a subject; empty ones are left out."""
    figures = report["figures"]
    made = (
        (
            "Spans (percent; the range is the 95% interval of the F1 before it)",
            ("layer", "label", *_SPAN_HEADER),
            _span_rows(figures.get("spans", {})),
        ),
        (
            "Links (F1 in percent)",
            ("type", "layer", "given gold spans", "", "end to end, exact", "overlap", "gold"),
            _link_rows(figures),
        ),
        (
            "Speakers (percent)",
            ("figure", "layer", "P", "R", "F1", "", "gold", "predicted"),
            _speaker_rows(figures),
        ),
        (
            "Kinds of quotes (percent)",
            ("layer", "kind", *_SPAN_HEADER),
            _span_rows(figures.get("quote_kinds", {})),
        ),
        (
            "Normal forms of quantities (percent right of gold)",
            ("gold quantities", *(name.replace("_", " ") for name in _NORMAL_FORM), "", "gold"),
            _quantity_rows(figures.get("quantities", {})),
        ),
        (
            "Calibration of span scores (percent)",
            (
                "layer",
                "label",
                "error",
                "if perfect",
                "",
                "mean score",
                "exactly right",
                "predicted",
            ),
            _calibration_rows(report["calibration"]),
        ),
        (
            "Compared with the baseline (percent; paired, * where the interval leaves out 0)",
            ("figure", "", "baseline", "this model", "difference", ""),
            _difference_rows(report.get("differences") or {}),
        ),
        (
            "Errors by class, the most frequent (points of F1 if that class alone were mended)",
            ("label", "class", "errors", "points"),
            _error_rows(report.get("errors", ())),
        ),
    )
    return [
        Table(
            title,
            header,
            tuple(cells for cells, _ in rows),
            names=1 if header[0] == "gold quantities" else 2,
            intervals=tuple(interval for _, interval in rows),
        )
        for title, header, found in made
        if (rows := list(found))
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _between(interval: Sequence[float]) -> str:
    return f"{_percent(interval[0])}-{_percent(interval[1])}"


def _interval(figure: Mapping[str, Any], name: str = "f1") -> Interval:
    low, high = figure[f"{name}_interval"]
    return figure[name], low, high


def _f1_cells(figure: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_percent(figure[name]) for name in ("precision", "recall", "f1"))


def _span_rows(tree: Mapping[str, Any]) -> Iterator[Row]:
    for layer, labels in sorted(tree.items()):
        for label, entry in sorted(labels.items(), key=lambda item: (item[0] == ALL, item[0])):
            exact, overlap = entry["exact"], entry["overlap"]
            cells = (
                layer,
                label,
                *_f1_cells(exact),
                _between(exact["f1_interval"]),
                *_f1_cells(overlap),
                str(exact["gold"]),
                str(exact["predicted"]),
            )
            yield cells, _interval(exact)


def _link_rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    groups = [figures.get(f"links_{name}", {}) for name in ("given_gold", "exact", "overlap")]
    for kind in sorted({kind for group in groups for kind in group}):
        layers = {layer for group in groups for layer in group.get(kind, {})} - {ALL}
        # A total says something only where there is more than one layer.
        for layer in (*sorted(layers), *([ALL] if len(layers) > 1 else [])):
            given, exact, overlap = (group.get(kind, {}).get(layer) for group in groups)
            known = given or exact or overlap
            cells = (
                kind,
                layer,
                _percent(given["f1"]) if given else "-",
                _between(given["f1_interval"]) if given else "-",
                _percent(exact["f1"]) if exact else "-",
                _percent(overlap["f1"]) if overlap else "-",
                str(known["gold"]),
            )
            yield cells, _interval(given) if given else None


_SPEAKER_FIGURES = (
    ("quote_speaker", "overlap", "quote + speaker"),
    ("quote_speaker", "exact", "quote + speaker, quote exact"),
    ("speaker_role", "", "speaker + role"),
    ("speaker_affiliation", "", "speaker + affiliation"),
    ("references", "", "nameless speaker -> person, given gold"),
)


def _speaker_rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    for group, how, name in _SPEAKER_FIGURES:
        for layer, entry in sorted(figures.get(group, {}).items()):
            figure = entry.get(how) if how else entry
            if figure:
                counts = (str(figure["gold"]), str(figure["predicted"]))
                cells = (*_f1_cells(figure), _between(figure["f1_interval"]), *counts)
                yield (name, layer, *cells), _interval(figure)
    for name, layer, share in _speaker_shares(figures):
        cells = (_percent(share["accuracy"]), _between(share["accuracy_interval"]))
        row = (name, layer, "", "", *cells, str(share["total"]), "")
        yield row, _interval(share, "accuracy")


def _speaker_shares(
    figures: Mapping[str, Any],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for layer, share in sorted(figures.get("pronouns", {}).items()):
        yield "pronoun -> person, given gold (accuracy)", layer, share
    for layer, shares in sorted(figures.get("nameless", {}).items()):
        yield "nameless speaker -> person or nobody (accuracy)", layer, shares["right"]
        yield '  answering always "nobody"', layer, shares["nobody"]


def _quantity_rows(tree: Mapping[str, Any]) -> Iterator[Row]:
    for subset, title in _QUANTITY_SUBSETS.items():
        shares = tree.get(subset)
        if shares:
            known = shares.get("value_and_unit") or next(iter(shares.values()))
            cells = (
                title,
                *(
                    _percent(shares[name]["accuracy"]) if name in shares else "-"
                    for name in _NORMAL_FORM
                ),
                _between(known["accuracy_interval"]),
                str(known["total"]),
            )
            yield cells, _interval(known, "accuracy")


_CALIBRATION = ("error", "perfect_error", "mean_score", "share_right")


def _calibration_rows(tree: Mapping[str, Any]) -> Iterator[Row]:
    for layer, entry in tree.items():
        for label, result in [("", entry)] if layer == ALL else entry.items():
            cells = [_percent(result[name]) for name in _CALIBRATION]
            cells.insert(2, _between(result["perfect_interval"]))
            yield (layer, label, *cells, str(result["items"])), None


def _difference_rows(differences: Mapping[str, Any]) -> Iterator[Row]:
    for name, found in sorted(differences.items()):
        low, high = found["difference_interval"]
        cells = (
            name,
            "*" if low > 0 or high < 0 else "",
            _percent(found["baseline_f1"]),
            _percent(found["f1"]),
            f"{100 * found['difference']:+.1f}",
            f"{100 * low:+.1f} to {100 * high:+.1f}",
        )
        yield cells, (found["difference"], low, high)


def _error_rows(classes: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for one in classes[:_MOST_CLASSES]:
        label = f"{one['layer']} {one['label']}"
        yield (label, one["kind"], str(one["count"]), points(one["gains"])), None


def points(gains: Mapping[str, float]) -> str:
    """Say which figures would rise, and by how much; a link's figure stands under its type."""
    return ", ".join(f"{name} {value:+.1f}" for name, value in gains.items())


def print_tables(made: Sequence[Table], out: TextIO) -> None:
    """Write tables: with rich on a terminal, else as plain aligned columns."""
    if out.isatty():
        _print_rich(made, out)
        return
    for table in made:
        widths = _widths(table)
        out.write(f"{table.title}\n")
        for line in (table.header, *table.rows):
            cells = (
                cell.ljust(width) if column < table.names else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            out.write(f"{_GAP}{_GAP.join(cells).rstrip()}\n")
        out.write("\n")


def _widths(table: Table) -> list[int]:
    return [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)]


def _print_rich(made: Sequence[Table], out: TextIO) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=out)
    for table in made:
        widths = _widths(table)
        # A narrow terminal may wrap lines, but no figure is cut.
        console.width = max(console.width, sum(widths) + 4 * len(widths))
        shown = RichTable(
            title=table.title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 2, 0, 0)
        )
        for column, name in enumerate(table.header):
            side: Literal["left", "right"] = "left" if column < table.names else "right"
            shown.add_column(name, justify=side, no_wrap=True)
        for row in table.rows:
            # As Text, because a label in brackets would be read as mark-up.
            shown.add_row(*map(Text, row))
        console.print(shown)
