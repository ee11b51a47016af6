"""Write measured figures into the README and the model cards, from evaluation reports.

Reports lie in a folder for each model, REPORTS/claimx-en and REPORTS/claimx-en-small, as
`python -m training.evaluate MODEL DATA... --json FILE` writes them: dev.json, test.json, own.json
(the test articles of data/annotations) and broad.json (PolNeAR's).

    python scripts/publish_results.py REPORTS --machine "2 cores of an AMD EPYC" --date 2026-01-31

A model's card gets its figures in full, the README those of all models side by side. What stands
between `<!-- results: begin -->` and `<!-- results: end -->` is replaced.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CARDS = {
    "claimx-en": ROOT / "claimx/models/claimx-en/README.md",
    "claimx-en-small": ROOT / "models/claimx-en-small/README.md",
}
REPORTS = ("dev", "test", "own", "broad")
_MARKED = re.compile(r"(?<=<!-- results: begin -->)(.*)(?=<!-- results: end -->)", re.S)

Report = Mapping[str, Any]
Row = tuple[str, str]
"""What a row is called, and where its figure stands in a report."""

SPANS: tuple[Row, ...] = tuple(
    (label, f"spans.{layer}.{label}.exact")
    for layer, labels in (
        ("attribution", ("QUOTE", "CUE", "SPEAKER")),
        ("identity", ("PERSON", "ROLE", "AFFILIATION")),
        ("quantity", ("QUANTITY", "MODIFIER", "MEASURED")),
    )
    for label in labels
)
KINDS: tuple[Row, ...] = tuple(
    (f"{kind} quotes", f"quote_kinds.attribution.{kind}.exact")
    for kind in ("direct", "mixed", "indirect")
)
COMBINED: tuple[Row, ...] = (
    ("quote (overlap) with the right speaker", "quote_speaker.attribution.overlap"),
    ("speaker with the right role", "speaker_role.attribution"),
    ("speaker with the right affiliation", "speaker_affiliation.attribution"),
)
NORMAL_FORM: tuple[Row, ...] = (
    ("value of a quantity", "quantities.all.value"),
    ("value and unit", "quantities.all.value_and_unit"),
)
GIVEN_GOLD: tuple[Row, ...] = tuple(
    (f"{name}, given gold spans", f"links_given_gold.{name}.{layer}")
    for name, layer in (
        ("said_by", "attribution"), ("refers_to", "attribution"), ("measures", "quantity"),
    )
)  # fmt: skip
BROAD: tuple[Row, ...] = (
    *(
        (f"{label}, {kind}", f"spans.attribution_broad.{label}.{kind}")
        for label in ("QUOTE", "CUE", "SPEAKER")
        for kind in ("exact", "overlap")
    ),
    ("direct quotes, exact", "quote_kinds.attribution_broad.direct.exact"),
    ("quote (overlap) with the right speaker", "quote_speaker.attribution_broad.overlap"),
    ("said_by, given gold spans", "links_given_gold.said_by.attribution_broad"),
)
# What two people reach who annotate by the same guidelines (data/annotations/README.md names the
# figures of our own articles; these are of news of the kind of test), in percent.
PEOPLE = {
    "QUOTE": 98, "CUE": 99, "SPEAKER": 99, "PERSON": 100, "ROLE": 97, "AFFILIATION": 95,
    "QUANTITY": 100, "MODIFIER": 100, "MEASURED": 99, "quote (overlap) with the right speaker": 96,
    "speaker with the right role": 90, "speaker with the right affiliation": 91,
}  # fmt: skip


def figure(report: Report, path: str) -> Mapping[str, Any] | None:
    """Look a figure up by its dotted path; None where the report has none."""
    branch: Any = report["figures"]
    for part in path.split("."):
        if not isinstance(branch, Mapping) or part not in branch:
            return None
        branch = branch[part]
    return branch if isinstance(branch, Mapping) else None


def percent(value: float) -> str:
    """One decimal is as much as these corpora can tell."""
    return f"{100 * value:.1f}"


def cells(found: Mapping[str, Any] | None) -> list[str]:
    """Precision, recall and F1 with its interval; or an accuracy with its interval."""
    if found is None:
        return ["-", "-", "-"]
    kind = "accuracy" if "accuracy" in found else "f1"
    low, high = found[f"{kind}_interval"]
    shown = f"{percent(found[kind])} ({percent(low)}-{percent(high)})"
    parts = (
        ["-", "-"] if kind == "accuracy" else map(percent, (found["precision"], found["recall"]))
    )
    return [*parts, shown]


def short(report: Report, path: str) -> str:
    """F1, or the accuracy, alone."""
    found = figure(report, path)
    if found is None:
        return "-"
    return percent(found["accuracy" if "accuracy" in found else "f1"])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay a table out in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def card(reports: Mapping[str, Report], measured: str) -> list[str]:
    """Everything about one model."""
    counts = {name: len(report["articles"]) for name, report in reports.items()}
    rows = [*SPANS, *KINDS, *COMBINED, *NORMAL_FORM, *GIVEN_GOLD]
    three = ("dev", "test", "own")
    return [
        f"Exact spans, no tolerance, in percent, with 95% bootstrap intervals over articles; the "
        f"stored file of {reports['test']['name']}, {measured}. dev ({counts['dev']} articles, for "
        f"choosing) and test ({counts['test']} articles) are news, own test ({counts['own']} "
        "articles) is data/annotations/test, which is made to be hard; the model was trained on "
        "none of them. Definitions: docs/metrics.md.",
        "",
        *table(
            ("", "dev: F1", "test: precision", "recall", "F1", "own test: F1"),
            [
                (
                    name,
                    cells(figure(reports["dev"], path))[2],
                    *cells(figure(reports["test"], path)),
                    cells(figure(reports["own"], path))[2],
                )
                for name, path in rows
                if any(figure(reports[part], path) for part in three)
            ],
        ),
        "",
        *table(
            ("broad scope, PolNeAR dev", "precision", "recall", "F1"),
            [(name, *cells(figure(reports["broad"], path))) for name, path in BROAD],
        ),
    ]


def overview(models: Mapping[str, Mapping[str, Report]], measured: str) -> list[str]:
    """All models side by side."""
    count = len(next(iter(models.values()))["test"]["articles"])
    names = [f"`{name}`" for name in models]
    people = {name: str(value) for name, value in PEOPLE.items()}
    return [
        f"F1 of exact spans, no tolerance, in percent, on {count} test articles of news that no "
        f"model was trained on, {measured}; for normal forms, the share of quantities that is "
        "right. Intervals, precision and recall stand in the model cards.",
        "",
        *table(
            ("", *names, "two people"),
            [
                (name, *(short(m["test"], path) for m in models.values()), people.get(name, ""))
                for name, path in (*SPANS, *KINDS, *COMBINED, *NORMAL_FORM)
            ],
        ),
        "",
        *table(
            ("`--attribution broad`, PolNeAR dev", *names),
            [(name, *(short(m["broad"], path) for m in models.values())) for name, path in BROAD],
        ),
    ]


def replace_marked(path: Path, text: Sequence[str]) -> None:
    """Put text between the marks of a file."""
    before, _, after = _MARKED.split(path.read_text(encoding="utf-8"), maxsplit=1)
    path.write_text("\n".join([before, *text, "", after]), encoding="utf-8")


def main() -> None:
    """Read the reports, write README and cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--date", required=True)
    options = parser.parse_args()
    measured = f"measured on {options.date} on {options.machine}"
    models = {
        name: {
            part: json.loads((options.reports / name / f"{part}.json").read_text(encoding="utf-8"))
            for part in REPORTS
        }
        for name in CARDS
        if (options.reports / name).is_dir()
    }
    for name, reports in models.items():
        replace_marked(CARDS[name], card(reports, measured))
    replace_marked(ROOT / "README.md", overview(models, measured))


if __name__ == "__main__":
    main()
