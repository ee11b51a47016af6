"""PolNeAR's own form: brat standoff of sources, cues and contents.

Assumed of the original, since the corpus is not part of this project: one ``.ann`` file and one
``.txt`` file a text, of the same name, in one folder or in two; text-bound annotations of the
types ``source``, ``cue`` and ``content`` (in any case, a prefix before a dash or dot allowed),
discontinuous where a statement is interrupted; and relations or events that tie them together.
What is tied, directly or by way of others, is one attribution: every content in it gets the
links said_by to its sources and cued_by to its cues. The layer is ``attribution_broad``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.assembly import assemble, file_names
from claimx.formats.brat import brat_pairs, parts_of, text_that_fits
from claimx.formats.brat_lines import Standoff, fragments_of, one_line, parse_standoff
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.sources import read_text, replacing_folder
from claimx.types import AnnotatedArticle, AnnotatedSpan

LAYER = "attribution_broad"
_PREFIX = "polnear/"
TYPES = {"source": "SPEAKER", "cue": "CUE", "content": "QUOTE"}
_NAMES = {label: name for name, label in TYPES.items()}
_TIES = {"said_by": "source", "cued_by": "cue"}
_LAST_WORD = re.compile(r"[A-Za-z]+\Z")


# ---- reading ------------------------------------------------------------------------------


def read_polnear(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read the articles of a folder of PolNeAR.

    Args:
        path: a folder with ``.ann`` and ``.txt`` files, or one file of a pair.
        reading: takes problems and counts what is left out.

    Yields:
        The good articles.

    Raises:
        FormatError: if a file cannot be read as text, or there is no pair.
    """
    for text_file, standoff_file in brat_pairs(path):
        source, text = read_text(standoff_file), read_text(text_file, keep_mark=True)
        try:
            yield _article(_PREFIX + standoff_file.stem, text, parse_standoff(source), reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), str(standoff_file)))


def polnear_label(kind: str) -> str | None:
    """Return the label that a type of PolNeAR stands for, or None.

    Args:
        kind: such as ``source`` or ``Attribution-Content``.
    """
    word = _LAST_WORD.search(kind)
    return TYPES.get(word[0].lower()) if word else None


def _article(name: str, text: str, found: Standoff, reading: Reading) -> AnnotatedArticle:
    text = text_that_fits(text, found.spans.values(), reading, name)
    spans: list[dict[str, Any]] = []
    parts: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for span in found.spans.values():
        label = polnear_label(span.type)
        if label is None:
            reading.left_out.add(f"annotations of type {span.type}", span.surface)
            continue
        labels[span.id] = label
        places = parts_of(span.fragments, text)
        parts[span.id] = [span.id, *(f"{span.id}.{n}" for n in range(2, len(places) + 1))]
        spans += [
            {"id": part, "layer": LAYER, "label": label, "start": start, "end": end}
            for part, (start, end) in zip(parts[span.id], places, strict=True)
        ]
    for remark in (*found.attributes, *found.notes):
        reading.left_out.add("attributes and notes", f"{remark.id} {remark.name}")
    links = [
        link for group in _groups(labels, found) for link in _attribution(group, labels, parts)
    ]
    return assemble(
        name, text, spans, links, left_out=reading.left_out, complete_layers=(LAYER,),
        meta={"corpus": "polnear"},
    )  # fmt: skip


def _groups(labels: Iterable[str], found: Standoff) -> list[list[str]]:
    """Return the annotations that hang together, each group in the order of the file."""
    group_of = {name: [name] for name in labels}
    for tie in found.ties:
        if tie.head not in group_of or tie.tail not in group_of:
            continue
        first, second = group_of[tie.head], group_of[tie.tail]
        if first is not second:
            first += second
            for name in second:
                group_of[name] = first
    order = {name: index for index, name in enumerate(group_of)}
    unique = {id(group): group for group in group_of.values()}
    return [sorted(group, key=order.__getitem__) for group in unique.values()]


def _attribution(
    group: Sequence[str], labels: dict[str, str], parts: dict[str, list[str]]
) -> Iterator[dict[str, Any]]:
    contents = [part for name in group if labels[name] == "QUOTE" for part in parts[name]]
    for content in contents:
        for kind, role in _TIES.items():
            for name in group:
                if labels[name] == TYPES[role]:
                    yield {"type": kind, "head": content, "tail": parts[name][0]}
    for content in contents[1:]:
        yield {"type": "same_quote", "head": content, "tail": contents[0]}


# ---- writing ------------------------------------------------------------------------------


def write_polnear(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write the attributions of articles: spans of one attribution layer, and what ties them.

    Args:
        path: a new or empty folder; it appears whole or not at all.
        articles: what to write; of two attribution layers the broad one is taken.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if a text cannot be written as UTF-8.
        FormatError: if the folder is there already, or a file is named.
    """
    if path.suffix.lower() in (".ann", ".txt"):
        raise FormatError(f"{path}: PolNeAR is a folder of pairs; name a folder")
    given = list(articles)
    with replacing_folder(path) as folder:
        names = file_names(article.id.removeprefix(_PREFIX) for article in given)
        for name, article in zip(names, given, strict=True):
            try:
                (folder / f"{name}.txt").write_bytes(article.text.encode("utf-8"))
            except UnicodeEncodeError as error:
                raise AnnotationError(f"article {article.id!r}: {error.reason}") from error
            lines = "".join(_lines(article))
            (folder / f"{name}.ann").write_bytes(lines.encode("utf-8"))
    return len(given)


def _lines(article: AnnotatedArticle) -> Iterator[str]:
    layers = {span.layer for span in article.spans}
    layer = LAYER if LAYER in layers else "attribution"
    first = {link.head: link.tail for link in article.links if link.type == "same_quote"}
    spans = [span for span in article.spans if span.layer == layer and span.label in _NAMES]
    names: dict[str, str] = {}
    wholes: dict[str, list[AnnotatedSpan]] = {}
    for span in spans:
        whole = first.get(span.id, span.id)
        wholes.setdefault(whole if whole in {one.id for one in spans} else span.id, []).append(span)
    for number, (whole, members) in enumerate(wholes.items(), start=1):
        names |= {member.id: f"T{number}" for member in members}
        places = [
            place
            for member in sorted(members, key=lambda member: member.start)
            for place in fragments_of(article.text, member.start, member.end)
        ]
        offsets = ";".join(f"{start} {end}" for start, end in places)
        surface = " ".join(one_line(article.text[start:end]) for start, end in places)
        kind = _NAMES[members[0].label]
        yield f"{names[whole]}\t{kind} {offsets}\t{surface}\n"
    ties = {
        (names[link.head], names[link.tail], _TIES[link.type]): None
        for link in article.links
        if link.type in _TIES and link.head in names and link.tail in names
    }
    for number, (head, tail, role) in enumerate(ties, start=1):
        yield f"R{number}\t{role} Arg1:{head} Arg2:{tail}\n"
