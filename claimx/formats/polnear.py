"""PolNeAR's own form: brat standoff in which every attribution is an event.

As the corpus is published: a compartment (``data/train``) holds ``text/NAME.txt`` and
``attributions/NAME_ANNOTATOR.ann``, several for some texts. Text-bound annotations are of the
types ``Source``, ``Cue`` and ``Content``, discontinuous where a statement is interrupted; an event
``Attribution:T4 Content:T3 Cue:T2 Source:T1`` (or ``Attribution-no-source``) ties them together,
and its trigger is a text-bound annotation that stands over the cue and means nothing else. One
source may take part in several events, which stay separate attributions. Pairs of the same name in
one folder are read as well. The layer is ``attribution_broad``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
TRIGGER = "ATTRIBUTION"
_PREFIX = "polnear/"
TYPES = {"source": "SPEAKER", "cue": "CUE", "content": "QUOTE"}
_NAMES = {label: name.title() for name, label in TYPES.items()}
_TIES = {"said_by": "SPEAKER", "cued_by": "CUE"}
_ANNOTATOR = re.compile(r"(.+)_([0-9a-z]{4})")


# ---- reading ------------------------------------------------------------------------------


def read_polnear(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read the articles of a compartment of PolNeAR.

    Of several annotators of a text the one that ``reading`` names is taken, else the first.

    Args:
        path: a folder with ``.ann`` and ``.txt`` files, or one file of a pair.
        reading: takes problems and counts what is left out.

    Yields:
        The good articles.

    Raises:
        FormatError: if a file cannot be read as text, or a text is missing.
    """
    for text_file, standoff_file in _pairs(path, reading):
        try:
            yield read_pair(text_file, standoff_file, reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), str(standoff_file)))


def read_pair(text_file: Path, standoff_file: Path, reading: Reading) -> AnnotatedArticle:
    """Read one article; its id is ``polnear/`` and the name of the text.

    Args:
        text_file: its text.
        standoff_file: its annotations.
        reading: counts what is left out.

    Raises:
        AnnotationError: if the annotations are broken or of another text.
        FormatError: if a file cannot be read as text.
    """
    text = read_text(text_file, keep_mark=True)
    found = parse_standoff(read_text(standoff_file))
    return _article(_PREFIX + text_file.stem, text, found, reading)


def polnear_label(kind: str) -> str | None:
    """Return the label that a type of PolNeAR stands for, ``ATTRIBUTION`` for triggers, or None.

    Args:
        kind: such as ``Source`` or ``Attribution-no-source``.
    """
    name = kind.lower()
    return TRIGGER if name.partition("-")[0] == "attribution" else TYPES.get(name)


def _pairs(path: Path, reading: Reading) -> list[tuple[Path, Path]]:
    if not path.is_dir():
        return brat_pairs(path)
    standoff = sorted(file for file in path.rglob("*.ann") if not file.name.startswith("."))
    if not standoff:
        raise FormatError(f"{path}: the folder holds no .ann file")
    texts = {file.stem: file for file in sorted(path.parent.glob("text/*.txt"))}
    texts |= {file.stem: file for file in sorted(path.rglob("*.txt"))}
    several: dict[Path, dict[str, Path]] = {}
    for file in standoff:
        coded = _ANNOTATOR.fullmatch(file.stem)
        name, annotator = (file.stem, "") if file.stem in texts or not coded else coded.groups()
        if name not in texts:
            raise FormatError(f"{file}: there is no text {name}.txt; name a folder that has both")
        several.setdefault(texts[name], {})[annotator] = file
    pairs = []
    for text, by_annotator in several.items():
        wanted = reading.annotator or next(iter(by_annotator))
        for annotator, file in by_annotator.items():
            if annotator == wanted or len(by_annotator) == 1:
                pairs.append((text, file))
            else:
                reading.left_out.add("annotations by other annotators", file.name)
    return pairs


def _article(name: str, text: str, found: Standoff, reading: Reading) -> AnnotatedArticle:
    text = text_that_fits(text, found.spans.values(), reading, name)
    spans: list[dict[str, Any]] = []
    parts: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for span in found.spans.values():
        label = polnear_label(span.type)
        if label is None:
            reading.left_out.add(f"annotations of type {span.type}", span.surface)
        if label in (None, TRIGGER):
            continue
        labels[span.id] = str(label)
        places = parts_of(span.fragments, text)
        parts[span.id] = [span.id, *(f"{span.id}.{n}" for n in range(1, len(places)))]
        spans += [
            {"id": part, "layer": LAYER, "label": label, "start": start, "end": end}
            for part, (start, end) in zip(parts[span.id], places, strict=True)
        ]
    for remark in (*found.attributes, *found.notes):
        reading.left_out.add("attributes and notes", f"{remark.id} {remark.name}")
    starts = {span["id"]: span["start"] for span in spans}
    return assemble(
        name, text, spans, _links(_events(found, labels, reading), labels, parts, starts),
        left_out=reading.left_out, complete_layers=(LAYER,), meta={"corpus": "polnear"},
    )  # fmt: skip


def _events(found: Standoff, labels: Mapping[str, str], reading: Reading) -> list[list[str]]:
    """Return the annotations of each attribution."""
    events: dict[str, list[str]] = {name: [] for name in found.triggers}
    for tie in found.ties:
        if tie.id not in events:
            reading.left_out.add("relations, which PolNeAR has none of", tie.id)
        elif tie.tail in labels and tie.tail not in events[tie.id]:
            events[tie.id].append(tie.tail)
    return list(events.values())


def _links(
    events: Sequence[Sequence[str]],
    labels: Mapping[str, str],
    parts: Mapping[str, Sequence[str]],
    starts: Mapping[str, int],
) -> Iterator[dict[str, Any]]:
    alone = [[name] for name, label in labels.items() if label == "QUOTE"]
    first: dict[str, str] = {}
    for members in (*events, *alone):
        contents = sorted(
            (part for name in members if labels[name] == "QUOTE" for part in parts[name]),
            key=lambda part: starts[part],
        )
        for content in contents:
            for kind, label in _TIES.items():
                for name in members:
                    if labels[name] == label:
                        yield {"type": kind, "head": content, "tail": parts[name][0]}
        for content in contents[1:]:
            root = first.get(contents[0], contents[0])
            if content not in (root, *first, *first.values()):
                first[content] = root
    for content, root in first.items():
        yield {"type": "same_quote", "head": content, "tail": root}


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
    spans = {
        span.id: span for span in article.spans if span.layer == layer and span.label in _NAMES
    }
    whole_of = {name: name for name in spans} | {
        link.head: link.tail
        for link in article.links
        if link.type == "same_quote" and link.head in spans and link.tail in spans
    }
    wholes: dict[str, list[AnnotatedSpan]] = {}
    for span in spans.values():
        wholes.setdefault(whole_of[span.id], []).append(span)
    names = {whole: f"T{number}" for number, whole in enumerate(wholes, start=1)}
    bodies = {whole: _body(article.text, members) for whole, members in wholes.items()}
    for whole, members in wholes.items():
        yield f"{names[whole]}\t{_NAMES[members[0].label]} {bodies[whole]}\n"
    ties: dict[str, dict[str, None]] = {}
    for link in article.links:
        if link.type in _TIES and link.head in spans and link.tail in spans:
            ties.setdefault(whole_of[link.head], {})[whole_of[link.tail]] = None
    for number, (content, others) in enumerate(ties.items(), start=1):
        roles = [(_NAMES[spans[name].label], name) for name in (content, *others)]
        cue = next((name for role, name in roles if role == "Cue"), content)
        kind = "Attribution" + "-no-source" * all(role != "Source" for role, _ in roles)
        trigger = f"T{len(wholes) + number}"
        yield f"{trigger}\t{kind} {bodies[cue]}\n"
        yield f"E{number}\t{kind}:{trigger} {' '.join(_arguments(roles, names))}\n"


def _body(text: str, members: Iterable[AnnotatedSpan]) -> str:
    places = [
        place
        for member in sorted(members, key=lambda member: member.start)
        for place in fragments_of(text, member.start, member.end)
    ]
    offsets = ";".join(f"{start} {end}" for start, end in places)
    return f"{offsets}\t{' '.join(one_line(text[start:end]) for start, end in places)}"


def _arguments(roles: Iterable[tuple[str, str]], names: Mapping[str, str]) -> Iterator[str]:
    """Number the second and later arguments of a role, as brat does."""
    count: dict[str, int] = {}
    for role, name in roles:
        count[role] = count.get(role, 0) + 1
        yield f"{role}{count[role] if count[role] > 1 else ''}:{names[name]}"
