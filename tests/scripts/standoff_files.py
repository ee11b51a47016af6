"""Standoff files of texts of our own, for the tests of the import scripts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from scripts.export_standoff import write_gzip


def write_standoff(
    folder: Path, corpus: str, texts: Iterable[tuple[str, str]], source: str = "", url: str = ""
) -> Path:
    """Write `CORPUS.train.jsonl.gz` for pairs of id and text; return the folder."""
    records = [
        {"id": name, "source": source, "url": url,
         "text_sha256": hashlib.sha256(text.encode()).hexdigest()}
        for name, text in texts
    ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    write_gzip(folder / f"{corpus}.train.jsonl.gz", records)
    return folder


def texts_of(path: Path) -> dict[str, str]:
    """Return id -> text of a plain file of texts."""
    lines = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return {line["id"]: line["text"] for line in lines}
