"""Measure `read_quantity` on gold spans: value, unit, kind, modifier and change.

A normal form is right when value, low and high all agree (relative error 1e-3, null only with
null) and the units have the same name. Usage:

    python scripts/measure_quantities.py [FILES ...] [--misses NAME] [--currency CODE]
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from claimx.quantities import (
    article_currency,
    canonical_unit,
    read_quantity,
)
from claimx.types import AnnotatedArticle, AnnotatedSpan, Quantity

FOLDER, DEFAULT = Path("../shared/corpora"), "news_annotated*.dev.jsonl.gz"
MEASURES = ("value", "bounds", "unit", "normal form", "kind", "modifier", "change")
_TOLERANCE = 1e-3


def articles(path: Path) -> Iterator[AnnotatedArticle]:
    """Yield the articles of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield AnnotatedArticle.from_dict(json.loads(line))


def agree(gold: Any, found: Any) -> bool:
    """Whether two numbers agree; null only with null."""
    if gold is None or found is None:
        return gold is None and found is None
    return abs(float(gold) - float(found)) <= _TOLERANCE * abs(float(gold)) + 1e-15


def read_span(
    article: AnnotatedArticle, span: AnnotatedSpan, currency: str
) -> tuple[Quantity, dict[str, bool]]:
    """Read one gold span and say which measures are right; absent attributes are left out."""
    spans = {other.id: other for other in article.spans}
    linked = {
        link.type: (spans[link.tail].start, spans[link.tail].end)
        for link in reversed(article.links)
        if link.head == span.id
    }
    found = read_quantity(
        article.text, span.start, span.end, modifier=linked.get("modified_by"),
        measured=linked.get("measures"), currency=currency,
    )  # fmt: skip
    gold = span.attrs
    value = agree(gold.get("value"), found.value)
    unit = canonical_unit(gold.get("unit")) == canonical_unit(found.unit)
    if isinstance(gold.get("value"), list):  # quantulum3 writes a range as a list
        value = [found.low, found.high] == sorted(gold["value"])
    right = {"value": value, "unit": unit}
    if "kind" in gold:
        bounds = agree(gold.get("low"), found.low) and agree(gold.get("high"), found.high)
        right |= {name: gold.get(name) == getattr(found, name) for name in MEASURES[4:]}
        right |= {"bounds": value and bounds, "normal form": value and bounds and unit}
    else:
        right["normal form"] = value and unit
    return found, right


def main() -> None:
    """Print the share that is right for each measure, and the misses of one measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--misses", choices=MEASURES, help="print what this measure gets wrong")
    parser.add_argument("--currency", default="USD", help="a bare $ where the article is silent")
    arguments = parser.parse_args()
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path in arguments.files or sorted(FOLDER.glob(DEFAULT)):
        for article in articles(path):
            currency = article_currency(article.text, arguments.currency)
            for span in article.spans:
                if span.label != "QUANTITY":
                    continue
                found, measures = read_span(article, span, currency)
                groups = ["", " (bare $)"] if span.text.lstrip().startswith("$") else [""]
                for group in groups:
                    total.update(f"{name}{group}" for name in measures)
                    right.update(f"{name}{group}" for name, good in measures.items() if good)
                if arguments.misses and not measures.get(arguments.misses, True):
                    show_miss(article, span, found)
    for name in sorted(total, key=lambda name: (name.endswith(")"), name)):
        print(f"{name:26} {right[name] / total[name]:7.4f}  {right[name]} of {total[name]}")


def show_miss(article: AnnotatedArticle, span: AnnotatedSpan, found: Quantity) -> None:
    """Print a span in its surroundings with the gold and the found attributes."""
    before = article.text[max(0, span.start - 60) : span.start]
    after = article.text[span.end : span.end + 40]
    names = ("value", "low", "high", "unit", "kind", "modifier", "change")
    gold = " ".join(str(span.attrs.get(name)) for name in names)
    ours = " ".join(str(getattr(found, name)) for name in names)
    print(f"{before}[[{span.text}]]{after}".replace("\n", "|"), f"\n    {gold}\n    {ours}")


if __name__ == "__main__":
    main()
