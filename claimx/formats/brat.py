"""brat standoff: folders of ``.txt`` and ``.ann`` pairs, read into articles.

What brat has no words for (span ids, layers, attributes that are no plain words) stands in notes
of type ``claimx`` at the annotation, and ids, meta and complete layers of the articles stand in
the folder's ``claimx.json``, which brat does not touch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.assembly import assemble, parse_label, quantity_attrs
from claimx.formats.brat_lines import Standoff, TextBound, one_line, parse_standoff
from claimx.formats.brat_words import DOCUMENTS, NOTE, read_type, read_value, safe_name
from claimx.formats.brat_writer import write_brat
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.sources import parse_json, read_text
from claimx.types import AnnotatedArticle

__all__ = ["brat_pairs", "parts_of", "read_brat", "read_documents", "text_that_fits", "write_brat"]


def read_brat(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read the articles of a brat folder, or of one pair of files.

    Args:
        path: a folder, with subfolders or without, or a ``.ann`` or ``.txt`` file of a pair.
        reading: takes problems and counts what is left out.

    Yields:
        The good articles, in the order of ``claimx.json``, then of the file names.

    Raises:
        FormatError: if a file cannot be read as text, or there is no pair.
    """
    folder = path if path.is_dir() else path.parent
    documents = read_documents(folder)
    order = {name: index for index, name in enumerate(documents)}
    pairs = {
        standoff_file.relative_to(folder).with_suffix("").as_posix(): (text_file, standoff_file)
        for text_file, standoff_file in brat_pairs(path)
    }
    for name in sorted(pairs, key=lambda name: (order.get(name, len(order)), name)):
        text_file, standoff_file = pairs[name]
        source, text = read_text(standoff_file), read_text(text_file, keep_mark=True)
        try:
            yield _article(name, text, parse_standoff(source), documents.get(name, {}), reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), str(standoff_file)))


def brat_pairs(path: Path) -> list[tuple[Path, Path]]:
    """Return the pairs of text and standoff file, in the order of their names.

    A text may also stand in another subfolder than its standoff file, under the same name.

    Args:
        path: a folder, or one file of a pair.

    Raises:
        FormatError: if a text or every standoff file is missing, or a text is annotated twice.
    """
    if not path.is_dir():
        pair = (path.with_suffix(".txt"), path.with_suffix(".ann"))
        for file in pair:
            if not file.is_file():
                raise FormatError(f"{file}: is missing; brat needs both {pair[0].name} and .ann")
        return [pair]
    standoff = sorted(file for file in path.rglob("*.ann") if not file.name.startswith("."))
    if not standoff:
        raise FormatError(f"{path}: the folder holds no .ann file")
    texts: dict[str, list[Path]] = {}
    for file in sorted(path.rglob("*.txt")):
        texts.setdefault(file.stem, []).append(file)
    pairs = []
    for file in standoff:
        beside = file.with_suffix(".txt")
        found = [beside] if beside.is_file() else texts.get(file.stem, [])
        if len(found) != 1:
            raise FormatError(f"{file}: there are {len(found)} texts {beside.name} to it; give one")
        pairs.append((found[0], file))
    twice = [text for text, count in Counter(text for text, _ in pairs).items() if count > 1]
    if twice:
        raise FormatError(
            f"{twice[0]}: has several .ann files; convert the folder of one annotator at a time"
        )
    return pairs


def read_documents(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Return file name without suffix -> what ``claimx.json`` says of the article.

    Args:
        folder: the folder of the file; there need not be one.

    Raises:
        FormatError: if there is one and it cannot be read.
    """
    file = folder / DOCUMENTS
    if not file.is_file():
        return {}
    try:
        record = parse_json(read_text(file))
    except AnnotationError as error:
        raise FormatError(f"{file}: {error}; remove the file if it cannot be mended") from error
    documents = record.get("documents") if isinstance(record, dict) else None
    if not isinstance(documents, dict) or not all(
        isinstance(entry, dict)
        and isinstance(entry.get("id", ""), str)
        and isinstance(entry.get("meta", {}), dict)
        and isinstance(entry.get("complete_layers", []), list)
        for entry in documents.values()
    ):
        raise FormatError(f"{file}: `documents` must say id, meta and complete_layers of each file")
    return documents


def text_that_fits(text: str, spans: Iterable[TextBound], reading: Reading, name: str) -> str:
    """Return the text in the form that the offsets count.

    A byte order mark may have been added, and line ends changed, after the annotation.

    Args:
        text: the text as its bytes stand.
        spans: the annotations with their surfaces.
        reading: counts a text that had to be changed.
        name: of the article.

    Raises:
        AnnotationError: naming the first span that fits in no form.
    """
    spans = list(spans)
    bare = text.removeprefix("\ufeff")
    forms = (text, bare, bare.replace("\r\n", "\n"), bare.replace("\n", "\r\n"))
    first = None
    for form in dict.fromkeys(forms):
        wrong = next((bad for span in spans if (bad := _misfit(form, span))), None)
        if wrong is None:
            if form != text:
                reading.left_out.add("texts with line ends other than annotated, now as then", name)
            return form
        first = first or wrong
    raise AnnotationError(f"{first}; the text has changed since it was annotated")


def _misfit(text: str, span: TextBound) -> str | None:
    for start, end in span.fragments:
        if not start < end <= len(text):
            return (
                f"{span.id} [{start}, {end}) lies outside the text ({len(text)}), line {span.line}"
            )
    surface = " ".join(text[start:end] for start, end in span.fragments)
    if span.surface and one_line(surface).split() != one_line(span.surface).split():
        return f"{span.id} reads {surface[:60]!r}, not {span.surface[:60]!r}, line {span.line}"
    return None


def parts_of(fragments: Iterable[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Return the parts of a span: its fragments, joined where only white space divides them.

    Args:
        fragments: start and end of each.
        text: the text.
    """
    parts: list[tuple[int, int]] = []
    for start, end in sorted(fragments):
        if parts and not text[parts[-1][1] : start].strip():
            parts[-1] = (parts[-1][0], max(end, parts[-1][1]))
        else:
            parts.append((start, end))
    return parts


def _article(
    name: str, text: str, found: Standoff, document: Mapping[str, Any], reading: Reading
) -> AnnotatedArticle:
    text = text_that_fits(text, found.spans.values(), reading, name)
    notes = _our_notes(found)
    attributes = _attributes(found, reading)
    spans: list[dict[str, Any]] = []
    parts: dict[str, list[str]] = {}
    taken: set[str] = set()
    for span in found.spans.values():
        note = notes.get(span.id, {})
        span_id = str(note.get("id", span.id))
        if span_id in taken:
            span_id = next(name for n in range(2, 10**6) if (name := f"{span_id}#{n}") not in taken)
        layer, label = _layer(span.type, note, reading)
        given = attributes.get(span.id, {})
        kept = note.get("attrs")
        attrs = (
            {**(kept if isinstance(kept, dict) else {}), **given}
            if note
            else quantity_attrs(label, given, None)
        )
        places = parts_of(span.fragments, text)
        parts[span.id] = [span_id, *(f"{span_id}.{n}" for n in range(2, len(places) + 1))]
        taken.update(parts[span.id])
        for part, (start, end) in zip(parts[span.id], places, strict=True):
            spans.append(
                {"id": part, "layer": layer, "label": label, "start": start, "end": end,
                 "attrs": attrs, "score": note.get("score")}
            )  # fmt: skip
    layers = document.get("complete_layers", [])
    return assemble(
        str(document.get("id", name)),
        text,
        spans,
        [*_links(found, notes, parts, reading), *_parted(found, parts, reading)],
        left_out=reading.left_out,
        complete_layers=[str(layer) for layer in layers],
        meta=document.get("meta", {}),
    )


def _layer(kind: str, note: Mapping[str, Any], reading: Reading) -> tuple[str, str]:
    written = note.get("type")
    if isinstance(written, str) and safe_name(written) == kind:  # not changed in brat since
        return parse_label(written)
    return read_type(kind, reading.schema)


def _our_notes(found: Standoff) -> dict[str, Mapping[str, Any]]:
    notes: dict[str, Mapping[str, Any]] = {}
    for remark in found.notes:
        if remark.name == NOTE:
            record = parse_json(remark.value or "")
            if not isinstance(record, dict):
                raise AnnotationError(f"note {remark.id} of {remark.target} must be a JSON object")
            notes[remark.target] = record
    return notes


def _attributes(found: Standoff, reading: Reading) -> dict[str, dict[str, Any]]:
    attributes: dict[str, dict[str, Any]] = {}
    remarks = [(one, read_value(one.value)) for one in found.attributes]
    remarks += [(one, one.value or "") for one in found.notes if one.name != NOTE]
    for remark, value in remarks:
        target = found.triggers.get(remark.target, remark.target)
        if target in found.spans:
            known = attributes.setdefault(target, {})
            several = remark.id.startswith("#") and remark.name in known
            known[remark.name] = f"{known[remark.name]}; {value}" if several else value
        else:
            kind = "notes" if remark.id.startswith("#") else "attributes"
            reading.left_out.add(f"{kind} of relations and events", f"{remark.id} {remark.name}")
    return attributes


def _links(
    found: Standoff,
    notes: Mapping[str, Mapping[str, Any]],
    parts: Mapping[str, Sequence[str]],
    reading: Reading,
) -> Iterator[dict[str, Any]]:
    for tie in found.ties:
        if tie.head not in parts or tie.tail not in parts:
            reading.left_out.add("relations of annotations that are not there", tie.id)
            continue
        note = notes.get(tie.id, {})
        written = note.get("type")
        kind = written if isinstance(written, str) and safe_name(written) == tie.type else tie.type
        for head in parts[tie.head]:  # every part of a statement has its speaker and cue
            yield {
                "type": kind, "head": head, "tail": parts[tie.tail][0], "score": note.get("score")
            }  # fmt: skip
    for members in found.groups:
        first, *others = [parts[name][0] for name in members if name in parts] or [""]
        yield from ({"type": "Equiv", "head": other, "tail": first} for other in others)


def _parted(
    found: Standoff, parts: Mapping[str, Sequence[str]], reading: Reading
) -> Iterator[dict[str, Any]]:
    """Say that the parts of a discontinuous span belong together."""
    for name, (first, *others) in parts.items():
        if others:
            reading.left_out.add(
                "discontinuous spans, now parts with same_quote links", found.spans[name].surface
            )
        yield from ({"type": "same_quote", "head": other, "tail": first} for other in others)
