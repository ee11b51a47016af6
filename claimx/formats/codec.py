"""What a format has to offer, and what reading one is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimx.formats.checks import OnError
from claimx.formats.losses import Tally
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.types import AnnotatedArticle


@dataclass(frozen=True, slots=True)
class Reading:
    """What a codec is told when it reads, and where it puts what it cannot keep.

    Args:
        on_error: called for each thing that is wrong; the article is then left out.
        left_out: counts what the format holds and claimx does not.
        annotator: whose annotations to take where several people annotated one text.
        schema: finds the layer of a label that stands alone.
    """

    on_error: OnError
    left_out: Tally = field(default_factory=Tally)
    annotator: str | None = None
    schema: LabelSchema = DEFAULT_SCHEMA


@dataclass(frozen=True, slots=True)
class Codec:
    """One annotation format.

    Args:
        name: what it is called, such as ``label-studio``.
        title: the same for people.
        suffixes: the ends of file names that belong to it, the longest first; empty where
            another format has the better claim.
        read: from a path and a `Reading` to the good articles.
        write: from a path and articles to how many were written; whole or not at all.
        folders: whether one data set is a folder rather than a file.
        gathered: whether `read_articles` of a folder picks up files of this format.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, Reading], Iterator[AnnotatedArticle]]
    write: Callable[[Path, Iterable[AnnotatedArticle]], int]
    folders: bool = False
    gathered: bool = False
