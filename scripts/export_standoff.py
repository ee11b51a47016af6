"""Take the text out of annotated articles, so that the annotations can be passed on.

    python scripts/export_standoff.py ../shared/corpora/news_annotated*.jsonl.gz

Writes `data/annotations/standoff/<name>.jsonl.gz`, one article a line: id, source, url, date,
SHA-256 of the text, spans without their surface, links, complete layers. `attach_text.py` joins
them to the texts again.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from claimx.formats import read_articles
from claimx.types import AnnotatedArticle
from training.data import text_fingerprint

TARGET = Path(__file__).resolve().parents[1] / "data" / "annotations" / "standoff"
_KEPT_META = ("corpus", "source", "url", "date", "licence")


def standoff_record(article: AnnotatedArticle) -> dict[str, Any]:
    """Return an article's annotations without a word of its text or title."""
    spans = []
    for span in article.spans:
        record: dict[str, Any] = span.to_dict()
        del record["text"]
        spans.append(record)
    return {
        "id": article.id,
        **{name: article.meta.get(name) for name in _KEPT_META},
        "text_sha256": text_fingerprint(article.text),
        "spans": spans,
        "links": [link.to_dict() for link in article.links],
        "complete_layers": list(article.complete_layers),
    }


def write_gzip(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON lines whose bytes depend on the records alone."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as out:
        out.write(lines.encode("utf-8"))


def main() -> None:
    """Export every file named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.files:
        records = [standoff_record(article) for article in read_articles(path)]
        target = options.out / f"{path.name.removesuffix('.gz').removesuffix('.jsonl')}.jsonl.gz"
        write_gzip(target, records)
        print(f"{target}: {len(records)} articles")


if __name__ == "__main__":
    main()
