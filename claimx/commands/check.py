"""``claimx check``: the linter of annotations."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claimx.commands.shared import added_labels
from claimx.errors import ClaimxError
from claimx.labels import DEFAULT_SCHEMA

if TYPE_CHECKING:
    from claimx.checking import Report

# So many warnings of one rule are spelled out in one file; an imported corpus may have thousands.
_MOST_WARNINGS = 100
_MOST = {"unknown-label": 3, "incomplete": 3}  # a note says the rest of them


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="Files in any annotation format, or folders; together they are one corpus.",
            show_default=False,
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="LAYER=LABELS",
            help="A layer, or labels of one, that claimx-en does not have, such as time=DATE.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as one JSON object.")
    ] = False,
) -> None:
    """Check annotations: what is wrong, and what deserves a second look.

    Every finding names file, line, article, spans and what to do. Exit code: 0 no errors,
    1 errors (with --strict: or warnings), 2 something could not be read.
    """
    from claimx.checking import check_paths

    try:
        report = check_paths(paths, DEFAULT_SCHEMA.extended(added_labels(add or [])))
    except ClaimxError as error:
        sys.stderr.write(f"claimx: {error}\n")
        raise typer.Exit(2) from error
    except OSError as error:
        sys.stderr.write(f"claimx: {error.filename or 'input'}: {error.strerror or error}\n")
        raise typer.Exit(2) from error
    if as_json:
        sys.stdout.write(json.dumps(report.to_dict(), ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _listed(report))
        for note in report.notes:
            sys.stderr.write(f"claimx: {note}\n")
        sys.stderr.write(f"claimx: {report.summary()}\n")
    if not report.passes(strict=strict):
        raise typer.Exit(1)


def _listed(report: Report) -> Iterator[str]:
    """Yield the lines of the findings; of many alike in one file only the first."""
    counts: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        counts[finding.file, finding.rule] += 1
        most = _MOST.get(finding.rule, _MOST_WARNINGS)
        if finding.severity == "error" or counts[finding.file, finding.rule] <= most:
            yield from finding.lines()
    errors = {finding.rule for finding in report.findings if finding.severity == "error"}
    for (file, rule), count in counts.items():
        most = _MOST.get(rule, _MOST_WARNINGS)
        if rule not in errors and count > most:
            yield f"{file}: warning [{rule}]: {count - most:,} more; --json lists all"
