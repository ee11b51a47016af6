"""Join standoff annotations to your own copy of the texts, for retraining.

    python scripts/attach_text.py data/annotations/standoff/news_annotated.train.jsonl.gz \
        texts.jsonl news_annotated.train.jsonl.gz

TEXTS is a JSONL file (`id`, `text`; plain or gzipped) or a folder with one UTF-8 text file for
each article, named by the SHA-256 of its text or by the last part of its id, ``.txt``. A text is
taken by its hash alone, under whatever id it stands. Articles without their exact text are left
out and listed; if a text stands under the article's id but its hash differs, that is an error.
Exit code: 0 all joined, 1 some texts missing, 2 a text differs or a file cannot be read.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from claimx.errors import ClaimxError, FormatError
from claimx.formats import write_articles
from claimx.types import AnnotatedArticle
from training.data import text_fingerprint


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a plain or gzipped JSONL file."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise FormatError(f"{path}:{number}: not a JSON object: {line[:60]!r}")
                yield record
    except (OSError, EOFError, ValueError) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error


def read_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield ``(id, text)`` of a JSONL file or of a folder of text files."""
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            yield file.stem, file.read_bytes().decode("utf-8")
        return
    for record in read_lines(path):
        if isinstance(record.get("text"), str):
            yield str(record.get("id", "")), record["text"]


def join(record: Mapping[str, Any], text: str) -> AnnotatedArticle:
    """Put a text under a standoff record; offsets are checked against it."""
    meta = {name: record.get(name) for name in ("corpus", "source", "url", "date", "licence")}
    return AnnotatedArticle.from_dict({**record, "text": text, "meta": meta})


def main(arguments: list[str] | None = None) -> int:
    """Join and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("standoff", "texts", "output"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args(arguments)
    try:
        by_hash: dict[str, str] = {}
        by_id: dict[str, str] = {}
        for article_id, text in read_texts(options.texts):
            by_hash[text_fingerprint(text)] = text
            by_id[article_id.rsplit("/", 1)[-1]] = text
        articles: list[AnnotatedArticle] = []
        missing: list[str] = []
        differing: list[str] = []
        for record in read_lines(options.standoff):
            text = by_hash.get(record["text_sha256"], "")
            if text:
                articles.append(join(record, text))
            else:
                known = record["id"].rsplit("/", 1)[-1] in by_id
                (differing if known else missing).append(record["id"])
        if differing:
            raise FormatError(
                f"{len(differing)} texts differ from those that were annotated, first "
                f"{differing[0]!r}: annotations would point at other words. Nothing was written."
            )
        write_articles(options.output, articles)
    except ClaimxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{options.output}: {len(articles)} articles", file=sys.stderr)
    for article_id in missing:
        print(f"no text for {article_id}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
