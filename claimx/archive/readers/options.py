"""What every reader is told."""

from __future__ import annotations

from dataclasses import dataclass

from claimx.archive.opening import MAX_RATIO, MAX_UNPACKED
from claimx.reading import MAX_BYTES


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How articles are read.

    Args:
        text_field: key or column of the text; by default the first known name that is there, such
            as ``text``, ``body``, ``content`` (`records.TEXT_NAMES`).
        id_field: likewise of the id (`records.ID_NAMES`); without one, the id is file and place.
        title_field: likewise of the headline (`records.TITLE_NAMES`).
        max_bytes: of one article; of the line, record or page that holds it, too.
        max_ratio: how many times its packed size a file may unpack to ...
        max_unpacked: ... once it has unpacked to this many bytes.
        check_language: pass articles that are not English through with a note.
        html_seconds: the longest time that one page may take.
    """

    text_field: str | None = None
    id_field: str | None = None
    title_field: str | None = None
    max_bytes: int = MAX_BYTES
    max_ratio: float = MAX_RATIO
    max_unpacked: int = MAX_UNPACKED
    check_language: bool = True
    html_seconds: float = 30.0
