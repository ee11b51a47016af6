"""spaCy's DocBin (``.spacy``): documents with one group of spans a layer.

The tokens keep all white space, so the text comes back as it was. Span groups are what spaCy
trains on; ids, links, attributes and meta travel in the user data of each document, which spaCy
keeps. Needs spaCy: ``pip install 'claimx[formats]'``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.extras import needed
from claimx.formats.assembly import assemble, check_parts, label_name, parse_label
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.sources import parse_json, read_bytes, to_json
from claimx.formats.tokens import tokens_of
from claimx.types import AnnotatedArticle

MAX_DECOMPRESSED = 256 * 2**20
_KEY = "claimx"
_SPACES = re.compile(r"\s+")


def write_docbin(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write articles as the documents of one file.

    Args:
        path: the file, replaced whole or not at all.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if an article cannot be written.
        ClaimxError: if spaCy is not installed.
    """
    tokens = needed("spacy.tokens", "spacy", "DocBin", extra="formats")
    vocabulary = needed("spacy.vocab", "spacy", "DocBin", extra="formats").Vocab()
    given = list(articles)
    box = tokens.DocBin(store_user_data=True)
    for article in given:
        box.add(_document(article, tokens, vocabulary))
    with replacing(path) as stream:
        stream.write(box.to_bytes())
    return len(given)


def _document(article: AnnotatedArticle, library: Any, vocabulary: Any) -> Any:
    words, spaces, starts = _words(article)
    document = library.Doc(vocabulary, words=words, spaces=spaces)
    if document.text != article.text:
        raise AnnotationError(f"article {article.id!r}: spaCy cannot hold its text")
    ends = {
        start + len(word): index
        for index, (start, word) in enumerate(zip(starts, words, strict=True))
    }
    firsts = {start: index for index, start in enumerate(starts)}
    groups: dict[str, list[Any]] = {}
    for span in article.spans:
        name = label_name(span.layer, span.label)
        made = library.Span(document, firsts[span.start], ends[span.end] + 1, label=name)
        groups.setdefault(span.layer, []).append(made)
    for layer, spans in groups.items():
        document.spans[layer] = spans
    document.user_data[_KEY] = to_json(
        {
            "id": article.id,
            "meta": article.meta,
            "complete_layers": list(article.complete_layers),
            "spans": [span.to_dict() for span in article.spans],
            "links": [link.to_dict() for link in article.links],
        },
        article.id,
    )
    return document


def _words(article: AnnotatedArticle) -> tuple[list[str], list[bool], list[int]]:
    """Return spaCy's tokens: words, whether one space follows, starts; other space is a token."""
    text = article.text
    words: list[str] = []
    spaces: list[bool] = []
    starts: list[int] = []
    position = 0

    def fill(target: int) -> None:
        """Write the white space before a token."""
        nonlocal position
        if words and text[position:target].startswith(" "):
            spaces[-1] = True
            position += 1
        if position < target:
            words.append(text[position:target])
            spaces.append(False)
            starts.append(position)
            position = target

    for token in tokens_of(text, article.spans):
        fill(token.start)
        words.append(text[token.start : token.end])
        spaces.append(False)
        starts.append(token.start)
        position = token.end
    fill(len(text))
    return words, spaces, starts


def read_docbin(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read the documents of a file.

    Args:
        path: a ``.spacy`` file.
        reading: takes problems and counts what is left out.

    Yields:
        The good articles.

    Raises:
        FormatError: if the file cannot be read.
        ClaimxError: if spaCy is not installed.
    """
    library = needed("spacy.tokens", "spacy", "DocBin", extra="formats")
    vocabulary = needed("spacy.vocab", "spacy", "DocBin", extra="formats").Vocab()
    raw = read_bytes(path)
    refuse_bomb(raw, path)
    try:
        documents = list(library.DocBin().from_bytes(raw).get_docs(vocabulary))
    except Exception as error:  # whatever broken bytes make of spaCy's readers
        raise FormatError(f"{path}: no sound DocBin: {' '.join(str(error).split())}") from error
    for number, document in enumerate(documents, start=1):
        try:
            yield _article(document, f"{path.stem}-{number}", reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), f"{path}: document {number}"))


def refuse_bomb(raw: bytes, path: Path, max_bytes: int = MAX_DECOMPRESSED) -> None:
    """Raise `FormatError` unless bytes unpack to a bounded size.

    Args:
        raw: zlib data.
        path: for the message.
        max_bytes: the most that they may unpack to.
    """
    unpacker = zlib.decompressobj()
    size = 0
    try:
        data = raw
        while data and not unpacker.eof:
            size += len(unpacker.decompress(data, 2**20))
            data = unpacker.unconsumed_tail
            if size > max_bytes:
                raise FormatError(f"{path}: unpacks to more than {max_bytes // 2**20} MiB")
    except zlib.error as error:
        raise FormatError(f"{path}: no DocBin: {error}") from error
    if not unpacker.eof:
        raise FormatError(f"{path}: the DocBin is cut short; write it again")


def _article(document: Any, name: str, reading: Reading) -> AnnotatedArticle:
    ours = _ours(document)
    try:
        text, spans = document.text, list(_spans(document, reading))
    except Exception as error:  # of words and labels that a damaged file does not hold
        told = " ".join(str(error).split()) or type(error).__name__
        raise AnnotationError(f"spaCy cannot read it: {told}") from error
    known = {_place(span): span for span in ours.get("spans", [])}
    merged, gone = [], {span.get("id") for span in known.values()}
    for number, span in enumerate(spans, start=1):
        kept = known.get(_place(span))
        merged.append(dict(kept) if kept else {"id": f"new{number}", **span})
        gone.discard(merged[-1]["id"])
    links = [
        link for link in ours.get("links", []) if not {link.get("head"), link.get("tail")} & gone
    ]
    order = {key: index for index, key in enumerate(known)}
    merged.sort(key=lambda span: order.get(_place(span), len(order)))
    return assemble(
        str(ours.get("id", name)), text, merged, links, left_out=reading.left_out,
        complete_layers=ours.get("complete_layers", ()), meta=ours.get("meta", {}),
    )  # fmt: skip


def _place(span: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(repr(span.get(key)) for key in ("layer", "label", "start", "end"))


def _ours(document: Any) -> Mapping[str, Any]:
    written = document.user_data.get(_KEY)
    if not isinstance(written, str):
        return {}
    record = parse_json(written)
    kinds = {"spans": list, "links": list, "complete_layers": list, "meta": dict}
    if (
        not isinstance(record, dict)
        or not all(isinstance(record.get(key, kind()), kind) for key, kind in kinds.items())
        or not all(
            isinstance(item, dict) for key in ("spans", "links") for item in record.get(key, [])
        )
    ):
        raise AnnotationError("the user data `claimx` is damaged")
    check_parts(record.get("spans", ()), record.get("links", ()))
    return record


def _spans(document: Any, reading: Reading) -> Iterator[dict[str, Any]]:
    groups = {key: list(group) for key, group in document.spans.items()}
    if not groups:
        groups = {"": list(document.ents)}
    for key, group in groups.items():
        for span in group:
            layer, label = parse_label(span.label_, reading.schema)
            if not span.label_:
                reading.left_out.add("spans without label", span.text)
                continue
            # A group named like a layer says the layer; "sc" is spaCy's own name for any group.
            known = {entry.name for entry in reading.schema.layers}
            if layer not in known and key not in ("", "sc"):
                layer = key
            yield {
                "layer": layer, "label": label, "start": span.start_char, "end": span.end_char
            }  # fmt: skip
