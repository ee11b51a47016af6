r"""Find annotated texts in a folder of any downloaded files, by their SHA-256.

    git clone https://github.com/lintool/GrimmerSenatePressReleases
    python scripts/import_texts.py GrimmerSenatePressReleases/raw senate.texts.jsonl.gz \
        --source "US Senate"

For the press releases of `news_annotated`: those of the Senate (2004-08) are the files of the
repository above, their lines stripped and empty lines left out. Those with the source "US Congress
member press releases" (2007-24, from the sites of Lee, Hawley, Pocan, Stefanik, Sanders,
Ocasio-Cortez and Greene) came from a collection whose address was not recorded: any collection
or own download of those pages can be tried. It serves for Wikinews pages saved as text or JSON as
well. Read are `.txt` files, and every long string in `.json`, `.jsonl`, `.csv` and `.tsv` files;
each is tried as it stands and with white space cleaned in several ways. `cat` joins several
results into one TEXTS file for `attach_text.py`.
Exit code: 0 all found, 1 some, 2 none or unreadable.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.sources import parse_json
from scripts.importing import (
    STANDOFF,
    Source,
    files_under,
    finish,
    guarded,
    matched,
    parser_of,
    text_of,
    verified,
    wanted_texts,
)

SOURCE = Source(
    "Press releases of US Senators 2004-08 (Grimmer 2010)",
    "https://github.com/lintool/GrimmerSenatePressReleases",
    "commit 2c7bab8837f934437a9fdbb8460876fde31f5cae",
    "works of the US government, public domain (17 USC 105); the repository states no licence",
)
SUFFIXES = (".txt", ".json", ".jsonl", ".csv", ".tsv")
_SHORTEST = 100
_SPACES = re.compile(r"[ \t\xa0]+")


def cleanings(text: str) -> Iterator[str]:
    """Yield a text as it stands and with its white space cleaned in the usual ways.

    Args:
        text: the text.
    """
    yield text
    yield text.strip()
    lines = [line.strip() for line in text.strip().split("\n")]
    for cleaned in (lines, [_SPACES.sub(" ", line) for line in lines]):
        filled = [line for line in cleaned if line]
        yield "\n".join(filled)
        yield "\n\n".join(filled)
        yield re.sub(r"\n{3,}", "\n\n", "\n".join(cleaned))
        yield "\n".join(filled[1:])  # without a headline
        yield "\n\n".join(filled[1:])


def _strings(value: Any) -> Iterator[str]:
    """Yield the long strings of a JSON value, however deep."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if len(item) >= _SHORTEST:
                yield item.replace("\r\n", "\n")
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def texts_in(path: Path) -> Iterator[str]:
    """Yield the texts of a file.

    Args:
        path: a file with one of the known suffixes.

    Raises:
        FormatError: if it cannot be read.
    """
    source = text_of(verified(path, SOURCE, quiet=True), str(path), "latin-1")
    try:
        if path.suffix == ".json":
            yield from _strings(parse_json(source))
        elif path.suffix == ".jsonl":
            for line in source.splitlines():
                yield from _strings(parse_json(line) if line.strip() else [])
        elif path.suffix in (".csv", ".tsv"):
            delimiter = "\t" if path.suffix == ".tsv" else ","
            yield from _strings(
                list(csv.reader(io.StringIO(source, newline=""), delimiter=delimiter))
            )
        else:
            yield source
    except (AnnotationError, ValueError, csv.Error) as error:
        raise FormatError(f"{path}: cannot be read: {error}") from error


def candidates(files: Iterable[Path], unreadable: list[str]) -> Iterator[str]:
    """Yield every cleaning of every text; files that cannot be read are noted.

    Args:
        files: what to read.
        unreadable: takes what is wrong with files.
    """
    for file in files:
        try:
            for text in texts_in(file):
                yield from cleanings(text)
        except FormatError as error:
            unreadable.append(str(error))


def run(path: Path, output: Path, standoff: Path, corpus: str, source: str) -> int:
    """Match the texts and write them.

    Args:
        path: a folder or file.
        output: where the texts go.
        standoff: the folder with our annotations.
        corpus: the standoff files to serve.
        source: only articles whose source begins so.
    """
    wanted = wanted_texts(corpus, standoff, source)
    unreadable: list[str] = []
    found = matched(candidates(files_under(path, SUFFIXES), unreadable), wanted)
    for problem in unreadable:
        print(f"left out: {problem}", file=sys.stderr)
    return finish(output, found, wanted)


def main(arguments: list[str] | None = None) -> int:
    """Import texts."""
    parser = parser_of(__doc__, SOURCE, "folder", "output")
    parser.add_argument("--standoff", type=Path, default=STANDOFF)
    parser.add_argument("--corpus", default="news_annotated")
    parser.add_argument("--source", default="", help="start of the source of the articles")
    given = parser.parse_args(arguments)
    return guarded(
        lambda: run(given.folder, given.output, given.standoff, given.corpus, given.source)
    )


if __name__ == "__main__":
    sys.exit(main())
