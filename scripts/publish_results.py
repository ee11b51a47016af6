"""Write measured figures into the README and the model card, from evaluation reports.

    python -m training.evaluate claimx-en DEV... --json dev.json
    python -m training.evaluate claimx-en TEST... --json test.json
    python -m training.evaluate claimx-en polnear.dev.jsonl.gz --json broad.json
    python scripts/publish_results.py --dev dev.json --test test.json --broad broad.json \
        --machine "2 cores of an AMD EPYC" --date 2026-01-31

What stands between `<!-- results: begin ... -->` and `<!-- results: end -->` is replaced.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claimx.checkpoint import find_model, load_checkpoint

ROOT = Path(__file__).resolve().parents[1]
_MARKED = re.compile(r"(?<=<!-- results: begin -->)(.*)(?=<!-- results: end -->)", re.S)

# What a row is called, and where its figure stands in a report.
SPANS = (
    ("attribution", ("QUOTE", "CUE", "SPEAKER")),
    ("identity", ("PERSON", "ROLE", "AFFILIATION")),
    ("quantity", ("QUANTITY", "MODIFIER", "MEASURED")),
)
COMBINED = (
    ("quote (overlap) with the right speaker", "quote_speaker.attribution.overlap"),
    ("speaker with the right role", "speaker_role.attribution"),
    ("speaker with the right affiliation", "speaker_affiliation.attribution"),
    ("said_by, given gold spans", "links_given_gold.said_by.attribution"),
    ("refers_to, given gold spans", "links_given_gold.refers_to.attribution"),
    ("measures, given gold spans", "links_given_gold.measures.quantity"),
)
KINDS = (
    ("direct quotes", "quote_kinds.attribution.direct.exact"),
    ("mixed quotes", "quote_kinds.attribution.mixed.exact"),
    ("indirect quotes", "quote_kinds.attribution.indirect.exact"),
)


def figure(report: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
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
    if "accuracy" in found:
        low, high = found["accuracy_interval"]
        return ["-", "-", f"{percent(found['accuracy'])} ({percent(low)}-{percent(high)})"]
    low, high = found["f1_interval"]
    shown = f"{percent(found['f1'])} ({percent(low)}-{percent(high)})"
    return [percent(found["precision"]), percent(found["recall"]), shown]


def table(dev: Mapping[str, Any], test: Mapping[str, Any]) -> list[str]:
    """Rows of the main table."""
    rows = [(label, f"spans.{layer}.{label}.exact") for layer, labels in SPANS for label in labels]
    rows += [*KINDS, *COMBINED]
    rows.append(("normal form of a quantity: value and unit", "quantities.all.value_and_unit"))
    lines = [
        "| | dev: precision | recall | F1 | test: precision | recall | F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, path in rows:
        values = cells(figure(dev, path)) + cells(figure(test, path))
        lines.append(f"| {name} | {' | '.join(values)} |")
    return lines


def broad_table(report: Mapping[str, Any]) -> list[str]:
    """Rows for the broad scope on PolNeAR."""
    layer = "attribution_broad"
    rows = [
        (f"{label}, {kind}", f"spans.{layer}.{label}.{kind}")
        for label in SPANS[0][1]
        for kind in ("exact", "overlap")
    ]
    rows += [
        ("direct quotes, exact", f"quote_kinds.{layer}.direct.exact"),
        ("quote (overlap) with the right speaker", f"quote_speaker.{layer}.overlap"),
        ("said_by, given gold spans", f"links_given_gold.said_by.{layer}"),
    ]
    lines = ["| broad scope, PolNeAR dev | precision | recall | F1 |", "|---|---|---|---|"]
    return lines + [
        f"| {name} | {' | '.join(cells(figure(report, path)))} |" for name, path in rows
    ]


def main() -> None:
    """Read the reports, write README and card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("dev", "test", "broad"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--date", required=True)
    options = parser.parse_args()
    reports = {
        name: json.loads(getattr(options, name).read_text(encoding="utf-8"))
        for name in ("dev", "test", "broad")
    }
    folder = find_model(None)
    counts = {name: len(report["articles"]) for name, report in reports.items()}
    text = [
        f"Exact spans, no tolerance, in percent, with 95% bootstrap intervals over articles; the "
        f"stored file of {load_checkpoint(folder).name}, measured on {options.date} on "
        f"{options.machine}. dev ({counts['dev']} articles, for choosing) and test "
        f"({counts['test']} articles) are news that the model was not trained on; definitions in "
        "docs/metrics.md.",
        "",
        *table(reports["dev"], reports["test"]),
        "",
        *broad_table(reports["broad"]),
    ]
    for path in (ROOT / "README.md", folder / "README.md"):
        before, _, after = _MARKED.split(path.read_text(encoding="utf-8"), maxsplit=1)
        path.write_text("\n".join([before, *text, "", after]), encoding="utf-8")


if __name__ == "__main__":
    main()
