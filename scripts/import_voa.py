"""Find the Voice of America texts of `news_annotated` in the Groningen Meaning Bank.

    python scripts/import_voa.py ner_dataset.csv voa.texts.jsonl.gz

The file is the "Annotated Corpus for Named Entity Recognition": one token a line, columns `Word`
and `Sentence #` (filled in where a sentence begins); sentences of one article follow each other,
but nothing says where an article ends. Our texts are runs of its sentences, cut by a heuristic
that is not reproduced: every run of up to 60 sentences is tried and kept if its SHA-256 is that of
an annotated text. How sentences are put together from tokens was rebuilt from the texts.
Exit code: 0 all found, 1 some, 2 none or unreadable.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from claimx.errors import FormatError
from scripts.importing import (
    STANDOFF,
    Source,
    finish,
    guarded,
    parser_of,
    text_of,
    verified,
    wanted_texts,
)

SOURCE = Source(
    "Annotated Corpus for Named Entity Recognition (from the Groningen Meaning Bank)",
    "https://www.kaggle.com/datasets/abhinavwalia95/entity-annotated-corpus, ner_dataset.csv",
    "",
    "text public domain (Voice of America)",
)
LONGEST = 60
_CLOSING = re.compile(r"[.,;:?!%)\]]+|'(?:s|re|ve|ll|d|m|S)|n't")
_OPENING = frozenset("([$")
_MARKS = frozenset('"')


def sentences_of(source: str) -> Iterator[list[str]]:
    """Yield the tokens of each sentence.

    Args:
        source: the CSV file.

    Raises:
        FormatError: if the columns `Sentence #` and `Word` are not there.
    """
    reader = csv.DictReader(io.StringIO(source, newline=""))
    if not {"Sentence #", "Word"} <= set(reader.fieldnames or ()):
        raise FormatError("the file must have the columns `Sentence #` and `Word`")
    tokens: list[str] = []
    for row in reader:
        if row["Sentence #"] and tokens:
            yield tokens
            tokens = []
        if row["Word"]:
            tokens.append(row["Word"])
    if tokens:
        yield tokens


def detokenised(tokens: Iterable[str]) -> str:
    """Return a sentence as text: marks stand at the words that they enclose.

    Args:
        tokens: its tokens.
    """
    text = ""
    glued = True  # nothing stands before the first token
    marks = 0
    for token in tokens:
        mark = token in _MARKS
        closing = mark and marks % 2 == 1
        apart = not (glued or closing or _CLOSING.fullmatch(token))
        text += " " * apart + token
        glued = token in _OPENING or (mark and not closing)
        marks += mark
    return text


def runs_of(sentences: Sequence[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return article id -> text of the runs of sentences that are wanted.

    Args:
        sentences: in their order.
        wanted: SHA-256 -> article id.
    """
    found: dict[str, str] = {}
    encoded = [sentence.encode("utf-8") for sentence in sentences]
    for start in range(len(encoded)):
        state = hashlib.sha256()
        for end in range(start, min(start + LONGEST, len(encoded))):
            state.update(b" " * (end > start) + encoded[end])
            article_id = wanted.get(state.hexdigest())
            if article_id is not None:
                found[article_id] = " ".join(sentences[start : end + 1])
    return found


def run(path: Path, output: Path, standoff: Path) -> int:
    """Match the runs of sentences and write the texts.

    Args:
        path: the CSV file.
        output: where the texts go.
        standoff: the folder with our annotations.
    """
    wanted = wanted_texts("news_annotated", standoff, source="Voice of America")
    source = text_of(verified(path, SOURCE), str(path), "latin-1")
    sentences = [detokenised(tokens) for tokens in sentences_of(source)]
    return finish(output, runs_of(sentences, wanted), wanted)


def main(arguments: list[str] | None = None) -> int:
    """Import the texts of Voice of America."""
    parser = parser_of(__doc__, SOURCE, "ner_dataset", "output")
    parser.add_argument("--standoff", type=Path, default=STANDOFF)
    options = parser.parse_args(arguments)
    return guarded(lambda: run(options.ner_dataset, options.output, options.standoff))


if __name__ == "__main__":
    sys.exit(main())
