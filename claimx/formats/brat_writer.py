"""Articles to brat standoff, a folder of ``.txt`` and ``.ann`` pairs; see `formats.brat`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.assembly import file_names, label_name
from claimx.formats.brat_lines import fragments_of, one_line
from claimx.formats.brat_words import DOCUMENTS, NOTE, read_type, safe_name, write_value
from claimx.formats.sources import replacing_folder, to_json
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

_CONFIG = "annotation.conf"
_SUFFIXES = (".ann", ".txt")


def write_brat(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write articles as a folder of pairs, with ``annotation.conf`` and ``claimx.json``.

    Args:
        path: the folder, new or empty; it appears whole or not at all.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if an article cannot be written as UTF-8 or JSON.
        FormatError: if the folder is there already, or a file is named.
    """
    if path.suffix.lower() in _SUFFIXES:
        raise FormatError(f"{path}: brat takes a folder of pairs; name a folder")
    given = list(articles)
    documents: dict[str, Any] = {}
    with replacing_folder(path) as folder:
        for name, article in zip(file_names(one.id for one in given), given, strict=True):
            try:
                text = article.text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise AnnotationError(f"article {article.id!r}: {error.reason}") from error
            (folder / f"{name}.txt").write_bytes(text)
            (folder / f"{name}.ann").write_bytes("".join(standoff_lines(article)).encode("utf-8"))
            documents[name] = {
                "id": article.id,
                "meta": article.meta,
                "complete_layers": list(article.complete_layers),
            }
        told = {"about": "article ids and meta, kept by claimx", "documents": documents}
        (folder / DOCUMENTS).write_bytes(to_json(told, "of claimx.json", indent=1).encode("utf-8"))
        (folder / _CONFIG).write_bytes(_configuration(given).encode("utf-8"))
    return len(given)


def standoff_lines(article: AnnotatedArticle) -> Iterator[str]:
    """Yield the lines of an ``.ann`` file, each with its line feed.

    Args:
        article: the article.

    Raises:
        AnnotationError: if an attribute has no JSON form.
    """
    names = {span.id: f"T{number}" for number, span in enumerate(article.spans, start=1)}
    notes, attributes = count(1), count(1)
    for span in article.spans:
        name = names[span.id]
        places = fragments_of(article.text, span.start, span.end)
        surface = " ".join(one_line(article.text[start:end]) for start, end in places)
        offsets = ";".join(f"{start} {end}" for start, end in places)
        yield f"{name}\t{_type_of(span)} {offsets}\t{surface}\n"
        kept: dict[str, Any] = {}
        for key, value in span.attrs.items():
            written = write_value(key, value)
            if written is None:
                kept[key] = value
            else:
                yield f"A{next(attributes)}\t{key} {name}{' ' * bool(written)}{written}\n"
        if note := _span_note(span, name, kept):
            yield f"#{next(notes)}\t{NOTE} {name}\t{_one_line_json(note, article.id)}\n"
    for number, link in enumerate(article.links, start=1):
        kind = safe_name(link.type)
        yield f"R{number}\t{kind} Arg1:{names[link.head]} Arg2:{names[link.tail]}\n"
        if note := _link_note(link):
            yield f"#{next(notes)}\t{NOTE} R{number}\t{_one_line_json(note, article.id)}\n"


def _type_of(span: AnnotatedSpan) -> str:
    return safe_name(label_name(span.layer, span.label))


def _span_note(span: AnnotatedSpan, name: str, kept: dict[str, Any]) -> dict[str, Any]:
    note: dict[str, Any] = {"id": span.id} if span.id != name else {}
    if read_type(_type_of(span)) != (span.layer, span.label):
        note["type"] = label_name(span.layer, span.label)
    if span.score is not None:
        note["score"] = span.score
    # An empty entry says that the attributes are all there, so that none are filled in.
    if kept or (span.attrs and not note):
        note["attrs"] = kept
    return note


def _link_note(link: Link) -> dict[str, Any]:
    note: dict[str, Any] = {"type": link.type} if safe_name(link.type) != link.type else {}
    return note | ({} if link.score is None else {"score": link.score})


def _one_line_json(note: dict[str, Any], article_id: str) -> str:
    to_json(note, article_id)
    return json.dumps(note)  # ASCII, so that no character can end the line


def _configuration(articles: Iterable[AnnotatedArticle]) -> str:
    """Return the ``annotation.conf`` that lets brat show and edit what is in the folder."""
    entities: dict[str, None] = {}
    relations: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    values: dict[str, dict[str, None]] = {}
    owners: dict[str, dict[str, None]] = {}
    for article in articles:
        types = {span.id: _type_of(span) for span in article.spans}
        entities |= dict.fromkeys(types.values())
        for link in article.links:
            heads, tails = relations.setdefault(safe_name(link.type), ({}, {}))
            heads[types[link.head]] = tails[types[link.tail]] = None
        for span in article.spans:
            for key, value in span.attrs.items():
                written = write_value(key, value)
                if written is not None:
                    owners.setdefault(key, {})[types[span.id]] = None
                    values.setdefault(key, {}).update({written: None} if written else {})
    lines = ["[entities]", *entities, "[relations]"]
    lines += [
        f"{name}\tArg1:{'|'.join(heads)}, Arg2:{'|'.join(tails)}"
        for name, (heads, tails) in relations.items()
    ]
    lines += ["[events]", "[attributes]"]
    for key, owner in owners.items():
        choice = f", Value:{'|'.join(values[key])}" if values[key] else ""
        lines.append(f"{key}\tArg:{'|'.join(owner)}{choice}")
    return "\n".join(lines) + "\n"
