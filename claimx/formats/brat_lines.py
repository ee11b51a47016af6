"""The lines of a brat ``.ann`` file: text-bound annotations, relations, events, attributes, notes.

Offsets are code points of the ``.txt`` file as its bytes stand, so CR LF counts two. A span may
have several fragments (``T1<TAB>QUOTE 0 5;16 23<TAB>...``); line ends stand as spaces in the
surface.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from claimx.errors import AnnotationError

# Whatever any program may take for the end of a line or a column.
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029]")
# A stretch of one line without white space at its edges.
_LINE = re.compile(r"[^\s](?:[^\n\r]*[^\s])?")
_FRAGMENTS = re.compile(r"\d{1,12} \d{1,12}(?:;\d{1,12} \d{1,12})*")


@dataclass(frozen=True, slots=True)
class TextBound:
    """A ``T`` line: a labelled span of one or more fragments."""

    id: str
    type: str
    fragments: tuple[tuple[int, int], ...]
    surface: str
    line: int


@dataclass(frozen=True, slots=True)
class Tie:
    """An ``R`` or ``E`` line, or a part of one: from one annotation to another."""

    id: str
    type: str
    head: str
    tail: str


@dataclass(frozen=True, slots=True)
class Remark:
    """An ``A``, ``M``, ``N`` or ``#`` line: something said about an annotation.

    Args:
        name: the attribute's name, or the type of the note.
        target: the annotation that it is about.
        value: what it says; None for a bare attribute, which says yes.
    """

    id: str
    name: str
    target: str
    value: str | None


@dataclass(slots=True)
class Standoff:
    """What an ``.ann`` file holds.

    Args:
        spans: its text-bound annotations by id.
        ties: its relations; an event gives one from its trigger for each argument.
        triggers: event id -> the id of its trigger.
        attributes: attributes and normalisations.
        notes: the ``#`` lines.
        groups: the members of each equivalence.
    """

    spans: dict[str, TextBound] = field(default_factory=dict)
    ties: list[Tie] = field(default_factory=list)
    triggers: dict[str, str] = field(default_factory=dict)
    attributes: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)


def one_line(surface: str) -> str:
    """Return a surface as brat writes it: with a space for each line end or tab.

    Args:
        surface: a stretch of the text.
    """
    return _BREAKS.sub(" ", surface)


def fragments_of(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return a span as fragments that hold no line end, which brat cannot draw.

    Args:
        text: the text.
        start: first code point of the span.
        end: one past its last.
    """
    return [
        (start + match.start(), start + match.end()) for match in _LINE.finditer(text[start:end])
    ]


def parse_standoff(source: str) -> Standoff:
    """Read the lines of an ``.ann`` file.

    Args:
        source: its text.

    Raises:
        AnnotationError: naming the first lines that cannot be read.
    """
    found = Standoff()
    problems: list[str] = []
    for number, raw in enumerate(source.split("\n"), start=1):
        line = raw.rstrip("\r")
        if not line.strip():
            continue
        parse = _LINES.get(line[0])
        try:
            if parse is None:
                raise AnnotationError("not a line of brat standoff")
            parse(line, number, found)
        except AnnotationError as error:
            shown = line if len(line) <= 60 else line[:57] + "..."
            problems.append(f"line {number}: {error}: {shown!r}")
    if problems:
        more = f"; and {len(problems) - 5} more" * (len(problems) > 5)
        raise AnnotationError("; ".join(problems[:5]) + more)
    found.ties = [
        Tie(tie.id, tie.type, *(found.triggers.get(end, end) for end in (tie.head, tie.tail)))
        for tie in found.ties
    ]
    return found


def _columns(line: str, least: int = 2, most: int = 2) -> list[str]:
    columns = line.split("\t", most - 1)
    if len(columns) < least:
        raise AnnotationError(f"{least} columns with a tab between them are needed")
    return columns


def _text_bound(line: str, number: int, found: Standoff) -> None:
    name, middle, *rest = _columns(line, 2, 3)
    kind, _, places = middle.partition(" ")
    if not kind or not _FRAGMENTS.fullmatch(places):
        raise AnnotationError("a span is `T1<TAB>TYPE 0 5<TAB>text`")
    fragments = tuple(
        (int(start), int(end)) for start, end in (one.split(" ") for one in places.split(";"))
    )
    if name in found.spans:
        raise AnnotationError(f"the id {name} is given twice")
    found.spans[name] = TextBound(name, kind, fragments, rest[0] if rest else "", number)


def _arguments(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        role, colon, target = word.rpartition(":")
        if not colon or not role or not target:
            raise AnnotationError(f"{word!r} is not ROLE:ID")
        yield role, target


def _relation(line: str, _number: int, found: Standoff) -> None:
    name, middle = _columns(line)
    kind, *words = middle.split("\t")[0].split(" ")
    ends = list(_arguments([word for word in words if word]))
    if len(ends) != 2:
        raise AnnotationError("a relation is `R1<TAB>TYPE Arg1:T1 Arg2:T2`")
    found.ties.append(Tie(name, kind, ends[0][1], ends[1][1]))


def _event(line: str, _number: int, found: Standoff) -> None:
    name, middle = _columns(line)
    words = [word for word in middle.split(" ") if word]
    if not words:
        raise AnnotationError("an event is `E1<TAB>TYPE:T1 ROLE:T2`")
    (_, trigger), *arguments = _arguments(words)
    found.triggers[name] = trigger
    found.ties += [Tie(name, role, trigger, target) for role, target in arguments]


def _attribute(line: str, _number: int, found: Standoff) -> None:
    name, middle = _columns(line)
    key, _, rest = middle.partition(" ")
    target, space, value = rest.partition(" ")
    if not key or not target:
        raise AnnotationError("an attribute is `A1<TAB>Name T1 value`")
    found.attributes.append(Remark(name, key, target, value if space else None))


def _normalisation(line: str, _number: int, found: Standoff) -> None:
    name, middle = _columns(line)
    key, _, rest = middle.split("\t")[0].partition(" ")
    target, _, value = rest.partition(" ")
    found.attributes.append(Remark(name, key, target, value))


def _note(line: str, _number: int, found: Standoff) -> None:
    columns = line.split("\t", 2)
    if len(columns) < 2 or " " not in columns[1]:
        return  # a bare comment
    kind, _, target = columns[1].partition(" ")
    found.notes.append(Remark(columns[0], kind, target, columns[2] if len(columns) > 2 else ""))


def _group(line: str, _number: int, found: Standoff) -> None:
    _, *members = _columns(line)[1].split(" ")
    found.groups.append(tuple(members))


_LINES: dict[str, Callable[[str, int, Standoff], None]] = {
    "T": _text_bound,
    "R": _relation,
    "E": _event,
    "A": _attribute,
    "M": _attribute,
    "N": _normalisation,
    "#": _note,
    "*": _group,
}
