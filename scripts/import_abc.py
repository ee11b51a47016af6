r"""Find the texts of `news_annotated_abc` in the corpus `abc` of the NLTK data.

    python -m nltk.downloader -d nltk_data abc
    python scripts/import_abc.py nltk_data/corpora/abc abc.texts.jsonl.gz
    for part in train dev test; do
        python scripts/attach_text.py data/annotations/standoff/news_annotated_abc.$part.jsonl.gz \
            abc.texts.jsonl.gz news_annotated_abc.$part.jsonl.gz
    done

The first argument is the folder with `rural.txt` and `science.txt`, or `abc.zip`. An article is a
run of lines between blank lines, its lines are its paragraphs; the number in its id counts the
articles of a file from 0. Only articles whose text is the annotated one, by its SHA-256, are
written. Exit code: 0 all found, 1 some, 2 none or unreadable.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.importing import (
    STANDOFF,
    Source,
    file_of,
    finish,
    guarded,
    matched,
    parser_of,
    text_of,
    wanted_texts,
)

SOURCE = Source(
    "NLTK data, corpus abc (Australian Broadcasting Commission 2006)",
    "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/abc.zip",
    "",
    "text (c) Australian Broadcasting Corporation; no licence stated, in NLTK data",
)
FILES = ("rural.txt", "science.txt")
_BLANK = re.compile(r"\n[ \t]*\n\s*")


def articles_of(text: str) -> Iterator[str]:
    """Yield the articles of a file in their order, with a blank line between paragraphs.

    Args:
        text: the file, with Unix line ends.
    """
    for block in _BLANK.split(text.strip()):
        yield "\n\n".join(line for raw in block.split("\n") if (line := raw.strip()))


def run(path: Path, output: Path, standoff: Path) -> int:
    """Match the articles and write the texts.

    Args:
        path: the folder of the corpus or its zip.
        output: where the texts go.
        standoff: the folder with our annotations.
    """
    wanted = wanted_texts("news_annotated_abc", standoff)
    candidates = (
        article
        for name in FILES
        # science.txt is older than the custom of UTF-8; NLTK reads it as Latin-1.
        for article in articles_of(text_of(file_of(path, name, SOURCE), name, "latin-1"))
    )
    return finish(output, matched(candidates, wanted), wanted)


def main(arguments: list[str] | None = None) -> int:
    """Import the texts of ABC."""
    parser = parser_of(__doc__, SOURCE, "abc", "output")
    parser.add_argument("--standoff", type=Path, default=STANDOFF)
    options = parser.parse_args(arguments)
    return guarded(lambda: run(options.abc, options.output, options.standoff))


if __name__ == "__main__":
    sys.exit(main())
