"""Offsets that are not code points: UTF-16 units, and texts whose line ends have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from claimx.errors import AnnotationError
from claimx.text import utf16_offsets


@dataclass(frozen=True, slots=True)
class Offsets:
    """A way to count characters: what it says of each code point, and of the end.

    Args:
        counted: ``(len(text) + 1,)``, rising: the foreign offset of each code point.
        unit: what is counted, for messages.
        remark: what to tell the user where this is not the way that the format promises.
    """

    counted: npt.NDArray[np.int64] = field(repr=False)
    unit: str
    remark: str = ""

    def point(self, offset: int) -> int:
        """Return the code point at a foreign offset.

        Args:
            offset: the foreign offset.

        Raises:
            AnnotationError: if it lies outside the text or inside a character.
        """
        if not 0 <= offset <= int(self.counted[-1]):
            raise AnnotationError(
                f"offset {offset} lies outside the text ({int(self.counted[-1])} {self.unit})"
            )
        index = int(np.searchsorted(self.counted, offset))
        if int(self.counted[index]) != offset:
            raise AnnotationError(f"offset {offset} lies inside a character ({self.unit})")
        return index


def utf16(text: str) -> Offsets:
    """Return the count in UTF-16 units, as JavaScript and Java have it."""
    return Offsets(utf16_offsets(text), "UTF-16 units")


def _code_points(text: str) -> Offsets:
    counted = np.arange(len(text) + 1, dtype=np.int64)
    return Offsets(counted, "characters", "tasks whose offsets count characters, not UTF-16 units")


def _one_line_end(text: str) -> Offsets:
    counted = utf16_offsets(text)
    pairs = np.array([text[i : i + 2] == "\r\n" for i in range(len(text) + 1)], dtype=np.int64)
    shift = np.concatenate(([0], np.cumsum(pairs)[:-1]))
    return Offsets(
        counted - shift, "UTF-16 units", "tasks whose offsets count CR LF as one character"
    )


_WAYS: tuple[Callable[[str], Offsets], ...] = (utf16, _code_points, _one_line_end)


def agreeing_offsets(text: str, places: Sequence[tuple[int, int, Any]]) -> Offsets:
    """Return the first way to count under which every place has the surface that it says.

    Args:
        text: the text.
        places: start, end and the surface, or None where that is not told.

    Raises:
        AnnotationError: naming the first place that fits under none.
    """
    first: str | None = None
    # Another way than the one promised needs the evidence of the surfaces.
    told = all(isinstance(surface, str) for _, _, surface in places)
    for way in _WAYS if told else _WAYS[:1]:
        offsets = way(text)
        wrong = _first_wrong(text, places, offsets)
        if wrong is None:
            return offsets
        first = first or wrong
    raise AnnotationError(f"{first}; the text has changed since it was annotated")


def _first_wrong(text: str, places: Iterable[tuple[int, int, Any]], offsets: Offsets) -> str | None:
    for start, end, surface in places:
        try:
            found = text[offsets.point(start) : offsets.point(end)]
        except AnnotationError as error:
            return f"[{start}, {end}): {error}"
        if isinstance(surface, str) and _plain(found) != _plain(surface):
            return f"[{start}, {end}) reads {found[:60]!r}, not {surface[:60]!r}"
    return None


def _plain(surface: str) -> str:
    return surface.replace("\r\n", "\n").replace("\r", "\n")
