"""A trained model as teacher of the layers that nobody annotated.

While a model learns something new, it keeps what it knew by being held to what it said before:
learning without forgetting (Li and Hoiem, 2016). Tags are taught by their probabilities, links
by the teacher's choice between its own spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from claimx.annotating import annotate
from claimx.checkpoint import Checkpoint
from claimx.decoding import Floats, log_softmax
from claimx.torch_backend import torch_engine
from claimx.types import AnnotatedArticle, Article, Link

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the teacher says of one article.

    Args:
        article: the annotation, with the teacher's spans and links in layers of which the
            annotation says nothing.
        tags: layer that is not completely annotated -> probabilities ``(units, tags)``.
        words: starts and ends of the units as the teacher cut them.
    """

    article: AnnotatedArticle
    tags: Mapping[str, Floats]
    words: tuple[Offsets, Offsets] | None = None


class Teacher:
    """Labels the silent layers of articles.

    Args:
        checkpoint: the model that teaches; it stays as it is.
        dtype: in which precision it runs.
    """

    def __init__(self, checkpoint: Checkpoint, dtype: str = "auto") -> None:
        self._engine = torch_engine(checkpoint, dtype=dtype)
        self._lessons: dict[str, tuple[AnnotatedArticle, Lesson]] = {}

    def lesson(self, article: AnnotatedArticle) -> Lesson:
        """Read an article, the first time that it is asked for.

        Returns:
            The lesson; its words must be the learner's.
        """
        read, lesson = self._lessons.get(article.id, (None, None))
        if lesson is None or read is not article:
            lesson = self._read(article)
            self._lessons[article.id] = (article, lesson)
        return lesson

    def _read(self, article: AnnotatedArticle) -> Lesson:
        silent = tuple(
            layer
            for layer in self._engine.schema.layers
            if layer.name not in article.complete_layers
        )
        encoded = self._engine.encode(article.text)
        if not silent or not len(encoded.encoding.ids):
            return Lesson(article, {})
        scores = self._engine.score([encoded], silent)[0]
        tags = {
            name: np.exp(log_softmax(logits)).astype(np.float32)
            for name, logits in scores.logits.items()
        }
        given = {span.layer for span in article.spans}
        unmarked = [layer for layer in silent if layer.name not in given]
        plain = Article(article.id, article.text)
        said = annotate(self._engine, plain, encoded, scores, unmarked)
        return Lesson(_united(article, said), tags, encoded.encoding.unit_offsets())


def _united(article: AnnotatedArticle, said: AnnotatedArticle) -> AnnotatedArticle:
    """Add the teacher's spans and links to an annotation, under ids of their own."""
    taken = {span.id for span in article.spans}
    names = {}
    for span in said.spans:
        name = f"teacher:{span.id}"
        while name in taken:
            name = f"teacher:{name}"
        names[span.id] = name
    return replace(
        article,
        spans=(*article.spans, *(replace(span, id=names[span.id]) for span in said.spans)),
        links=(
            *article.links,
            *(Link(link.type, names[link.head], names[link.tail]) for link in said.links),
        ),
        complete_layers=(*article.complete_layers, *said.complete_layers),
    )
