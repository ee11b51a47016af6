"""What readers hand to the runner."""

from __future__ import annotations

from dataclasses import dataclass

from claimx.types import Article, Extraction


@dataclass(frozen=True, slots=True)
class Row:
    """One article of an input file, or the error record in its place.

    Args:
        file: path or URL of the input file, as listed.
        number: place in the file, counted from 0; the same in every run.
        item: the article; an `Extraction` with an ``error`` where it could not be read.
        notes: what the reader has to say about it, for ``notes`` of the record.
        skip: write the record without running the model (the text is not English).
    """

    file: str
    number: int
    item: Article | Extraction
    notes: tuple[str, ...] = ()
    skip: bool = False
