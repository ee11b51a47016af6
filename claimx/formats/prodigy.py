"""Prodigy: JSONL of tasks and answers; offsets are code points, ``token_end`` is inclusive.

Spans and relations are kept; attributes and span ids have no place. Only what was accepted is
read; of several annotators of one text one must be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError
from claimx.formats.assembly import assemble, label_name, parse_label
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.sources import parse_json, read_lines, start_of, to_json
from claimx.formats.tokens import Token, token_range, tokens_of
from claimx.types import AnnotatedArticle

_OURS = "claimx"
# Kept in meta, so that the origin of a record can be found again.
_KEPT = ("_input_hash", "_task_hash", "_session_id", "_annotator_id", "_timestamp", "_view_id")

_Json = Mapping[str, Any]


def write_prodigy(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write articles as accepted answers.

    Args:
        path: the file, replaced whole or not at all.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if an article has no JSON form.
    """
    count = 0
    with replacing(path) as stream:
        for count, article in enumerate(articles, start=1):  # noqa: B007
            stream.write(to_json(prodigy_task(article), article.id).encode("utf-8") + b"\n")
    return count


def prodigy_task(article: AnnotatedArticle) -> dict[str, Any]:
    """Return one line: a task of the interfaces ``spans_manual`` and ``relations``.

    Args:
        article: the article; with scores it is a task without an answer.
    """
    tokens = tokens_of(article.text, article.spans)
    spans = {}
    for span in article.spans:
        first, end = token_range(tokens, span)
        spans[span.id] = {
            "start": span.start,
            "end": span.end,
            "token_start": first,
            "token_end": end - 1,
            "label": label_name(span.layer, span.label),
        }
    relations = [
        {
            "head": spans[link.head]["token_end"],
            "child": spans[link.tail]["token_end"],
            "head_span": spans[link.head],
            "child_span": spans[link.tail],
            "label": link.type,
        }
        for link in article.links
    ]
    task: dict[str, Any] = {
        "text": article.text,
        "tokens": [_token(article.text, index, tokens) for index in range(len(tokens))],
        "spans": list(spans.values()),
        "relations": relations,
        "meta": dict(article.meta),
        _OURS: {"id": article.id, "complete_layers": list(article.complete_layers)},
    }
    predicted = any(span.score is not None for span in article.spans)
    return task if predicted else task | {"answer": "accept"}


def _token(text: str, index: int, tokens: Sequence[Token]) -> dict[str, Any]:
    token = tokens[index]
    return {
        "text": text[token.start : token.end],
        "start": token.start,
        "end": token.end,
        "id": index,
        "ws": text[token.end : token.end + 1] == " ",
    }


def read_prodigy(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read what was accepted, and tasks that nobody has answered yet.

    Args:
        path: a JSONL file.
        reading: takes problems and counts what is left out; names the annotator.

    Yields:
        The good articles.

    Raises:
        FormatError: if the file cannot be read at all.
    """
    seen: dict[tuple[str, int], tuple[int, str]] = {}
    for number, line in read_lines(path):
        try:
            record = parse_json(line)
            if not isinstance(record, dict) or not isinstance(record.get("text"), str):
                raise AnnotationError(f"not a Prodigy task with `text`: {start_of(str(record))}")
            if not _counts(record, number, seen, reading):
                continue
            yield _article(record, number, reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), f"{path}:{number}"))


def _counts(
    record: _Json, number: int, seen: dict[tuple[str, int], tuple[int, str]], reading: Reading
) -> bool:
    """Say whether a record is one to be read."""
    answer = record.get("answer", "accept")
    if answer != "accept":
        reading.left_out.add(f"records with the answer {answer}", f"line {number}")
        return False
    person = str(record.get("_annotator_id") or record.get("_session_id") or "unknown")
    if reading.annotator is not None and reading.annotator != person:
        reading.left_out.add("records of other annotators", f"{person} in line {number}")
        return False
    key = (str(_ours(record).get("id", record.get("_input_hash", ""))), hash(record["text"]))
    if key in seen:
        line, other = seen[key]
        if other != person:
            raise AnnotationError(
                f"annotated by several people: by {person} here, by {other} in line {line}; "
                "choose one with --annotator"
            )
        reading.left_out.add("records of one text by one annotator, after the first", person)
        return False
    seen[key] = (number, person)
    return True


def _ours(record: _Json) -> _Json:
    ours = record.get(_OURS)
    return ours if isinstance(ours, dict) else {}


def _article(record: _Json, number: int, reading: Reading) -> AnnotatedArticle:
    tokens = _objects(record, "tokens")
    spans = [
        _span(raw, f"s{index}", tokens, reading)
        for index, raw in enumerate(_objects(record, "spans"), start=1)
    ]
    links = []
    for relation in _objects(record, "relations"):
        ends = [_end(relation, side, spans, tokens) for side in ("head", "child")]
        if ends[0] is None or ends[1] is None:
            reading.left_out.add("relations between tokens that are no span", f"line {number}")
        else:
            links.append({"type": str(relation.get("label")), "head": ends[0], "tail": ends[1]})
    ours = _ours(record)
    meta = record.get("meta", {})
    if not isinstance(meta, dict):
        raise AnnotationError(f"`meta` must be an object, not {start_of(str(meta))}")
    kept = {key: record[key] for key in _KEPT if key in record}
    layers = ours.get("complete_layers", [])
    return assemble(
        str(ours.get("id", record.get("id", f"line-{number}"))),
        record["text"],
        spans,
        links,
        left_out=reading.left_out,
        complete_layers=[str(layer) for layer in layers] if isinstance(layers, list) else (),
        meta={**meta, **kept},
    )


def _objects(record: _Json, name: str) -> list[dict[str, Any]]:
    value = record.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise AnnotationError(f"`{name}` must be a list of objects, not {start_of(str(value))}")
    return value


def _span(raw: _Json, name: str, tokens: Sequence[_Json], reading: Reading) -> dict[str, Any]:
    label = raw.get("label")
    if not isinstance(label, str) or not label:
        raise AnnotationError(f"span {start_of(str(raw))} has no label")
    start, end = _place(raw, tokens)
    layer, plain = parse_label(label, reading.schema)
    return {"id": name, "layer": layer, "label": plain, "start": start, "end": end}


def _place(raw: _Json, tokens: Sequence[_Json]) -> tuple[int, int]:
    """Return the characters of a span; from its tokens, the last included, if it has only those."""
    if type(raw.get("start")) is int and type(raw.get("end")) is int:
        return raw["start"], raw["end"]
    first, last = raw.get("token_start"), raw.get("token_end")
    if not (type(first) is int and type(last) is int and 0 <= first <= last < len(tokens)):
        raise AnnotationError(f"span {start_of(str(raw))} has neither characters nor tokens")
    return _characters(tokens[first])[0], _characters(tokens[last])[1]


def _characters(token: _Json) -> tuple[int, int]:
    start, end = token.get("start"), token.get("end")
    if type(start) is not int or type(end) is not int:
        raise AnnotationError(f"token {start_of(str(token))} needs start and end")
    return start, end


def _end(relation: _Json, side: str, spans: Sequence[_Json], tokens: Sequence[_Json]) -> str | None:
    """Return the span at one end of a relation: the one that it repeats, else that of its token."""
    raw = relation.get(f"{side}_span")
    if isinstance(raw, dict):
        place = _place(raw, tokens)
        layers = [span for span in spans if (span["start"], span["end"]) == place]
        named = [span for span in layers if _named(span, raw.get("label"))]
        found = named or layers
        return str(found[0]["id"]) if found else None
    index = relation.get(side)
    if type(index) is not int or not 0 <= index < len(tokens):
        raise AnnotationError(f"relation {start_of(str(relation))} names no token as {side}")
    start, end = _characters(tokens[index])
    holding = [span for span in spans if span["start"] <= start and end <= span["end"]]
    # The head of a span is its last token; of nested ones the inner is meant.
    holding.sort(key=lambda span: (span["end"] != end, span["end"] - span["start"]))
    return str(holding[0]["id"]) if holding else None


def _named(span: _Json, label: object) -> bool:
    return label in (span["label"], label_name(span["layer"], span["label"]))
