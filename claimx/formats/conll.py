"""CoNLL: one token a line, one column of BIO tags a layer, a blank line after each sentence.

Spans are kept, and nothing else: the format has no links, attributes or white space. When read,
the text is put together again from the tokens, and ``meta.approximate`` says so. IOB1, BIO and
BIOES (or BILOU) tags are all read by the same rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.assembly import assemble, label_name, parse_label
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.sources import decode, read_lines
from claimx.formats.tokens import token_range, tokens_of
from claimx.types import AnnotatedArticle

_START = "-DOCSTART-"
# A row takes some hundred bytes of memory; no article has as many.
MAX_TOKENS = 1_000_000
_NAMED_START = re.compile(r"-DOCSTART-\s+\((.+)\)")
_TAG = re.compile(r"O|[BIESLU]-\S+")
# Columns of chunks, as in CoNLL 2000 and 2003, hold no spans that anybody wants here.
_CHUNKS = frozenset("NP VP PP ADVP ADJP SBAR PRT CONJP INTJ LST UCP".split())
_NO_SPACE_BEFORE = frozenset(".,;:!?%)]}”’…")
_NO_SPACE_AFTER = frozenset("([{“‘$£€")


# ---- writing ------------------------------------------------------------------------------


def write_conll(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write the tokens of articles with one column of tags for each layer.

    Args:
        path: the file, replaced whole or not at all.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if a label holds white space, which a column cannot.
    """
    given = list(articles)
    layers = dict.fromkeys(
        layer
        for article in given
        for layer in (*article.complete_layers, *(span.layer for span in article.spans))
    )
    with replacing(path) as stream:
        for article in given:
            try:
                stream.write("".join(_lines(article, list(layers) or [""])).encode("utf-8"))
            except UnicodeEncodeError as error:
                raise AnnotationError(f"article {article.id!r}: {error.reason}") from error
    return len(given)


def _lines(article: AnnotatedArticle, layers: Sequence[str]) -> Iterator[str]:
    tokens = tokens_of(article.text, article.spans)
    columns = {layer: ["O"] * len(tokens) for layer in layers}
    for span in article.spans:
        name = label_name(span.layer, span.label)
        if re.search(r"\s", name):
            raise AnnotationError(f"article {article.id!r}: the label {name!r} holds white space")
        first, end = token_range(tokens, span)
        column = columns[span.layer]
        column[first:end] = [f"B-{name}", *[f"I-{name}"] * (end - first - 1)]
    yield f"{_START} ({' '.join(article.id.split())})\n\n"
    for index, token in enumerate(tokens):
        word = article.text[token.start : token.end]
        yield (
            "\t".join([word, *(columns[layer][index] for layer in layers or ("",))]) + "\n"
            if layers
            else f"{word}\tO\n"
        )
        after = tokens[index + 1].start if index + 1 < len(tokens) else len(article.text)
        if "\n" in article.text[token.end : after]:
            yield "\n"
    yield "\n"


# ---- reading ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Document:
    """The rows of one article: token and tags; None for the end of a sentence."""

    name: str
    line: int
    rows: list[tuple[str, list[str]] | None] = field(default_factory=list)


def read_conll(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read a file of tokens and tags.

    Args:
        path: a file whose first column is the token, with tabs or spaces between columns.
        reading: takes problems and counts what is left out.

    Yields:
        One article for each -DOCSTART-, or one for the whole file.

    Raises:
        FormatError: if the file cannot be read at all, or no column holds tags.
    """
    for document in _documents(path):
        try:
            yield _article(document, reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), f"{path}:{document.line}"))


def _documents(path: Path) -> Iterator[_Document]:
    document = _Document(path.stem, 1)
    count, last = 0, 0
    columns: int | None = None
    for number, raw in read_lines(path):
        line = decode(raw, f"{path}").rstrip("\r\n")
        if number != last + 1:
            document.rows.append(None)
        last = number
        if line.startswith(_START):
            if any(document.rows):
                yield document
            count += 1
            named = _NAMED_START.match(line)
            document = _Document(named[1] if named else f"{path.stem}-{count}", number)
            continue
        row = line.split("\t") if "\t" in line else line.split()
        tagged = len(row) > 1 and row[0] and _TAG.fullmatch(row[-1])
        if line.startswith("#") and not tagged:
            continue  # a comment
        if not tagged or (columns is not None and len(row) != columns):
            raise FormatError(
                f"{path}:{number}: {line[:60]!r} is no row of {columns or 'two or more'} columns "
                "with a BIO tag in the last"
            )
        columns = len(row)
        document.rows.append((row[0], row[1:]))
        if len(document.rows) > MAX_TOKENS:
            raise FormatError(
                f"{path}:{number}: more than {MAX_TOKENS:,} tokens in one article; "
                f"divide the file by {_START} lines"
            )
    if any(document.rows):
        yield document


def _article(document: _Document, reading: Reading) -> AnnotatedArticle:
    text, places = _rebuilt(document.rows)
    rows = [row for row in document.rows if row is not None]
    spans: list[dict[str, Any]] = []
    for column in range(len(rows[0][1])):
        tags = [tags[column] for _, tags in rows]
        names = {tag[2:] for tag in tags if tag != "O"}
        if not all(_TAG.fullmatch(tag) for tag in tags) or (names and names <= _CHUNKS):
            reading.left_out.add("columns that hold no tags of spans", f"column {column + 2}")
            continue
        for first, last, name in _spans(tags):
            layer, label = parse_label(name, reading.schema)
            spans.append(
                {"id": f"s{len(spans) + 1}", "layer": layer, "label": label,
                 "start": places[first][0], "end": places[last][1]}
            )  # fmt: skip
    return assemble(
        document.name, text, spans, left_out=reading.left_out, meta={"approximate": True}
    )


def _spans(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield first token, last token and label of each span, whatever the scheme."""
    first: int | None = None
    for index, (tag, after) in enumerate(pairwise([*tags, "O"])):
        if tag == "O":
            continue
        if first is None:
            first = index
        goes_on = after[0] in "IEL" and after[2:] == tag[2:] and tag[0] in "BI"
        if not goes_on:
            yield first, index, tag[2:]
            first = None


def _rebuilt(
    rows: Iterable[tuple[str, list[str]] | None],
) -> tuple[str, list[tuple[int, int]]]:
    """Put a text together from its words; return it and the place of each word."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    length = 0
    glue, inside = "", False  # inside straight marks, whose direction must be counted
    for row in rows:
        if row is None:
            glue, inside = "\n" if pieces else "", False
            continue
        word = row[0]
        mark = word[0] == '"'
        if glue == " " and (word[0] in _NO_SPACE_BEFORE or (mark and inside)):
            glue = ""
        inside ^= mark
        start = length + len(glue)
        length = start + len(word)
        pieces += [glue, word]
        places.append((start, length))
        glue = "" if word[-1] in _NO_SPACE_AFTER or (mark and inside) else " "
    return "".join(pieces), places
