"""doccano: JSONL with spans and relations; offsets are code points.

Offsets are right only for projects that do not count grapheme clusters as one character, which is
doccano's default. Spans and relations are kept; attributes, scores and span ids have no place.
Columns other than doccano's own come back as they were, so id, meta and complete layers are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError
from claimx.formats.assembly import assemble, label_name, parse_label
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.sources import parse_json, read_lines, start_of, to_json
from claimx.types import AnnotatedArticle

_OWN = ("id", "text", "data", "label", "labels", "entities", "relations", "cats", "Comments")
_OURS = "claimx"


def write_doccano(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write articles in the form that a project with relations exports and imports.

    Args:
        path: the file, replaced whole or not at all.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if an article has no JSON form.
    """
    number = 0
    with replacing(path) as stream:
        for number, article in enumerate(articles, start=1):
            line = to_json(doccano_record(article, number), article.id)
            stream.write(line.encode("utf-8") + b"\n")
    return number


def doccano_record(article: AnnotatedArticle, number: int) -> dict[str, Any]:
    """Return one line.

    Args:
        article: the article.
        number: its number in the file.
    """
    ids = {span.id: index for index, span in enumerate(article.spans, start=1)}
    return {
        "id": number,
        "text": article.text,
        "entities": [
            {
                "id": ids[span.id],
                "label": label_name(span.layer, span.label),
                "start_offset": span.start,
                "end_offset": span.end,
            }
            for span in article.spans
        ],
        "relations": [
            {"id": index, "from_id": ids[link.head], "to_id": ids[link.tail], "type": link.type}
            for index, link in enumerate(article.links, start=1)
        ],
        "Comments": [],
        _OURS: {
            "id": article.id,
            "meta": article.meta,
            "complete_layers": list(article.complete_layers),
        },
    }


def read_doccano(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read an export: with ``entities`` and ``relations``, or with ``label`` triples.

    Args:
        path: a JSONL file.
        reading: takes problems and counts what is left out.

    Yields:
        The good articles.

    Raises:
        FormatError: if the file cannot be read at all.
    """
    for number, line in read_lines(path):
        try:
            yield _article(parse_json(line), number, reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), f"{path}:{number}"))


def _article(record: Any, number: int, reading: Reading) -> AnnotatedArticle:
    text = record.get("text", record.get("data")) if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(text, str):
        raise AnnotationError(f"not a doccano record with `text`: {start_of(str(record))}")
    name = str(record.get("id", number))
    ours = record.get(_OURS)
    ours = ours if isinstance(ours, dict) else {}
    meta = ours.get("meta", {key: record[key] for key in record if key not in (*_OWN, _OURS)})
    layers = ours.get("complete_layers", [])
    if not isinstance(meta, dict) or not isinstance(layers, list):
        raise AnnotationError("`claimx` is damaged: meta must be an object, layers a list")
    for key in ("cats", "Comments"):
        if record.get(key):
            reading.left_out.add(f"records with {key}", name)
    return assemble(
        str(ours.get("id", name)),
        text,
        list(_spans(record, reading)),
        list(_links(record)),
        left_out=reading.left_out,
        complete_layers=[str(layer) for layer in layers],
        meta=meta,
    )


def _spans(record: Mapping[str, Any], reading: Reading) -> Iterator[dict[str, Any]]:
    entities = record.get("entities")
    if entities is None:
        triples = record.get("label", record.get("labels")) or []
        if not isinstance(triples, list) or not all(
            isinstance(triple, list) and len(triple) == 3 for triple in triples
        ):
            raise AnnotationError(f"`label` must be a list of [start, end, name], not {triples!r}")
        keys = ("start_offset", "end_offset", "label")
        entities = [
            {"id": index} | dict(zip(keys, triple, strict=True))
            for index, triple in enumerate(triples, start=1)
        ]
    for entity in _objects(entities, "entities"):
        label = entity.get("label")
        if not isinstance(label, str) or not label:
            raise AnnotationError(f"entity {entity.get('id')!r} has no label: {label!r}")
        layer, plain = parse_label(label, reading.schema)
        yield {
            "id": f"e{entity.get('id')}",
            "layer": layer,
            "label": plain,
            "start": entity.get("start_offset"),
            "end": entity.get("end_offset"),
        }


def _links(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for relation in _objects(record.get("relations") or [], "relations"):
        yield {
            "type": str(relation.get("type")),
            "head": f"e{relation.get('from_id')}",
            "tail": f"e{relation.get('to_id')}",
        }


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise AnnotationError(f"`{name}` must be a list of objects, not {start_of(str(value))}")
    return value
