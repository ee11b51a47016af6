"""What can be read off a text without a model: characters, lines, quotation marks, UTF-16.

Everything here is linear in the length of the text and works on code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

OTHER, LOWER, UPPER, DIGIT, SPACE, NEWLINE, COMBINING = range(7)
OUTSIDE, INSIDE, OPENING, CLOSING = range(4)

_DOUBLE = re.compile(r"[\"“”„‟«»＂]|``|''|\n")
_SINGLE = re.compile("[‘’'‛]")
# How far a single quotation may run, in code points; beyond it the mark was an apostrophe.
_LONGEST_SINGLE = 2_000
# How many marks are weighed as its end, so that a text of apostrophes stays linear.
_MOST_CLOSERS = 64
# How far ahead a closing mark is looked for behind a line break.
_LONGEST_OPEN = 4_000
_BEFORE_OPENING = frozenset("([{—–-/“\"‘'«„")
_STOPS = frozenset(".,;:?!…")
# What an apostrophe stands in front of though it looks like an opening mark: '90s, 'n', 'tis.
_ELISION = re.compile(r"\d\ds\b|n['’]|tis\b|twas\b", re.IGNORECASE)


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as "1 person" or "1,200 people".

    Args:
        count: how many there are.
        one: the noun for one.
        many: the noun for all other numbers; by default with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def replace_surrogates(text: str) -> tuple[str, int]:
    """Replace each lone surrogate by U+FFFD, one for one, so that offsets hold.

    Returns:
        The clean text and how many code points were replaced.
    """
    return re.subn("[\ud800-\udfff]", "�", text)


def utf16_offsets(text: str) -> npt.NDArray[np.int64]:
    """Return the UTF-16 offset of every code point, and of the end: ``(len(text) + 1,)``."""
    wide = code_points(text) > 0xFFFF
    return np.concatenate(([0], np.cumsum(1 + wide.astype(np.int64))))


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the text as an array of code points, ``(len(text),)``."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@cache
def _class_table() -> npt.NDArray[np.uint8]:
    """Character classes of the Basic Multilingual Plane; anything beyond is OTHER."""
    import unicodedata

    table = np.zeros(0x10000, dtype=np.uint8)
    for code in range(0x10000):
        char = chr(code)
        category = unicodedata.category(char)
        if char in "\n\x0b\x0c\r\x85\u2028\u2029":
            table[code] = NEWLINE
        elif char.isspace():
            table[code] = SPACE
        elif category in ("Lu", "Lt"):
            table[code] = UPPER
        elif category in ("Ll", "Lo", "Lm"):
            table[code] = LOWER
        elif category in ("Nd", "Nl", "No"):
            table[code] = DIGIT
        elif category in ("Mn", "Mc", "Me") or 0x200B <= code <= 0x200D or code == 0xFE0F:
            table[code] = COMBINING
    return table


def character_classes(text: str) -> npt.NDArray[np.uint8]:
    """Return the class of every code point (OTHER, LOWER, UPPER, DIGIT ...), ``(len(text),)``."""
    codes = code_points(text)
    classes = _class_table()[np.where(codes > 0xFFFF, 0, codes)]
    # "\r\n" is one line break, not two.
    classes[:-1][(codes[:-1] == 0x0D) & (codes[1:] == 0x0A)] = SPACE
    return classes


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of every line that holds more than white space."""
    return [match.span() for match in re.finditer(r"[^\r\n]*\S[^\r\n]*", text)]


# A full stop, and what opens a sentence behind it.
_SENTENCE_END = re.compile(r"""[.!?…]+["'”’»)\]]*\s+(?=["'“‘«(\[]*(?:[A-Z]|(?<!\bNo\.\s)\d))""")
_NO_END = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Capt|Sgt|Maj|Rev|Hon|St|Jr|Sr|vs"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$"
)
_LONGEST_NO_END = 6


def sentence_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where sentences begin behind others, between two places in a line of text."""
    for match in _SENTENCE_END.finditer(text, start, end):
        before = text[max(start, match.start() - _LONGEST_NO_END) : match.start() + 1]
        if not _NO_END.search(before):
            yield match.end()


def _looks_opening(text: str, start: int, end: int) -> bool:
    """Say whether a straight mark at ``[start, end)`` stands where a quotation opens."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    if after.isspace():
        return False
    return before.isspace() or before in _BEFORE_OPENING


def _double_role(text: str, match: re.Match[str], is_open: bool) -> int:
    """Say whether a double mark opens or closes, or is none (an inch mark): 0."""
    mark = match.group()
    if mark in ("“", "„", "«", "``", "‟"):
        return OPENING
    if mark in ("”", "»"):
        return CLOSING
    if mark == "''":
        return CLOSING if is_open else 0
    if _looks_opening(text, *match.span()):
        # Between two quotations ("a" "b") the context alone decides; inside one, a mark that
        # is followed by a letter and preceded by white space starts the next.
        return OPENING
    if is_open:
        return CLOSING
    before = text[match.start() - 1] if match.start() else " "
    if before.isdigit():
        return 0
    after = text[match.end()] if match.end() < len(text) else " "
    if not after.isspace():
        return OPENING
    # Marks with white space on both sides: `" We agree , " she said`.
    return OPENING if before.isspace() and _followed_on_line(text, match.end()) else 0


def _followed_on_line(text: str, start: int) -> bool:
    """Say whether another straight double mark stands further on in the line."""
    end = text.find('"', start, start + _LONGEST_OPEN)
    return end >= 0 and "\n" not in text[start:end]


def _mark_doubles(text: str, states: npt.NDArray[np.uint8]) -> None:
    """Fill in quotations between double marks, whatever lines they run over."""
    events = [(match, match.group() == "\n") for match in _DOUBLE.finditer(text)]
    opened: int | None = None
    for index, (match, is_break) in enumerate(events):
        start, end = match.span()
        if is_break:
            if opened is not None and not _closes_later(text, events, index):
                states[opened:start] = np.maximum(states[opened:start], INSIDE)
                opened = None
            continue
        role = _double_role(text, match, opened is not None)
        if role == OPENING:
            if opened is not None:
                states[opened:start] = np.maximum(states[opened:start], INSIDE)
            states[start:end] = OPENING
            opened = end
        elif role == CLOSING:
            if opened is not None:
                states[opened:start] = np.maximum(states[opened:start], INSIDE)
            states[start:end] = CLOSING
            opened = None
    if opened is not None:
        states[opened:] = np.maximum(states[opened:], INSIDE)


def _closes_later(text: str, events: list[tuple[re.Match[str], bool]], index: int) -> bool:
    """Say whether a quotation open at a line break goes on behind it up to a closing mark.

    The next double mark decides: a closing one means that the quotation runs over the break,
    an opening one that the next paragraph takes the quotation up again, or starts another.
    """
    here = events[index][0].start()
    for match, is_break in events[index + 1 : index + 64]:
        if match.start() - here > _LONGEST_OPEN:
            return False
        if not is_break:
            return _double_role(text, match, True) == CLOSING
    return False


def _single_closer(
    text: str, candidates: list[int], first: int, opened: int, limit: int
) -> int | None:
    """Find the mark that closes a single quotation; apostrophes stand in the way.

    A mark behind punctuation closes; one behind a letter closes unless it can be the
    possessive of a plural ("the workers' union") and a surer one follows.
    """
    fallback = None
    for position in candidates[first : first + _MOST_CLOSERS]:
        if position >= limit:
            break
        after = text[position + 1] if position + 1 < len(text) else " "
        if after.isalnum() or position == opened + 1:
            continue
        before = text[position - 1]
        if before.isspace():
            continue
        if before in _STOPS or after in _STOPS or before in '”"’)':
            return position
        if before != "s":
            return position
        fallback = position if fallback is None else fallback
    return fallback


def _mark_singles(text: str, states: npt.NDArray[np.uint8]) -> None:
    """Fill in quotations between single marks that stand outside double ones."""
    marks = [match.start() for match in _SINGLE.finditer(text) if states[match.start()] == OUTSIDE]
    done = -1
    for index, position in enumerate(marks):
        if position <= done:
            continue
        after = text[position + 1] if position + 1 < len(text) else " "
        if text[position] == "’" or not _looks_opening(text, position, position + 1):
            continue
        if not (after.isalnum() or after in '“"…[($£€') or _ELISION.match(text, position + 1):
            continue
        limit = min(len(text), position + _LONGEST_SINGLE)
        line_end = text.find("\n", position, limit)
        limit = limit if line_end < 0 else line_end
        closer = _single_closer(text, marks, index + 1, position, limit)
        if closer is not None:
            states[position + 1 : closer] = np.maximum(states[position + 1 : closer], INSIDE)
            states[position], states[closer] = OPENING, CLOSING
            done = closer
        elif text[position] == "‘" and _reopens(text, limit):
            states[position + 1 : limit] = np.maximum(states[position + 1 : limit], INSIDE)
            states[position] = OPENING
            done = limit


def _reopens(text: str, line_end: int) -> bool:
    """Say whether the next paragraph starts with the same single opening mark."""
    rest = text[line_end : line_end + 16].lstrip()
    return rest.startswith("‘")


def quotation_states(text: str) -> npt.NDArray[np.uint8]:
    """Say for every code point whether it stands inside quotation marks.

    Straight, curly, angled, low and doubled marks and British single ones are read; an
    apostrophe is none. A paragraph that opens with a mark and has no closing one, because the
    quotation goes on in the next paragraph or the mark was forgotten, is inside to its end.

    Returns:
        ``(len(text),)``: OUTSIDE 0, INSIDE 1, OPENING 2 (the mark), CLOSING 3 (the mark).
    """
    states = np.zeros(len(text), dtype=np.uint8)
    _mark_doubles(text, states)
    _mark_singles(text, states)
    return states
