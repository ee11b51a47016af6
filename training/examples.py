"""Training articles -> examples: aligned, cut into windows, ready to be batched.

An example is one article, or a stretch of whole windows of a long one. Rows live in a
`datasets.Dataset`; everything that varies in length is a flat column of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset, Features, Value
from datasets import Sequence as Column
from tokenizers import Tokenizer

from claimx.alignment import AlignmentReport, align_spans
from claimx.batching import SpecialTokens
from claimx.decoding import Floats
from claimx.encoding import Encoding, encode
from claimx.errors import ConfigError
from claimx.labels import LabelSchema
from claimx.pairs import LinkSpan, propose_pairs, span_kinds
from claimx.tagging import encode_tags
from claimx.types import AnnotatedArticle, AnnotatedSpan
from claimx.windows import Window, plan_windows
from training.config import Corpus, TrainConfig
from training.data import TrainingArticle, swap_marks, with_text
from training.teacher import Lesson, Teacher

IGNORED = -100
Array = npt.NDArray[np.int64]


class Featuriser:
    """Turns articles into examples, with the code that inference uses.

    Args:
        tokenizer: the encoder's tokenizer, without truncation and padding.
        special: its special tokens.
        schema: layers and link types of the model.
        config: window sizes.
        teacher: labels what nobody annotated; None to learn nothing there.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        special: SpecialTokens,
        schema: LabelSchema,
        config: TrainConfig,
        teacher: Teacher | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.special = special
        self.schema = schema
        self.config = config
        self.teacher = teacher
        self.kinds = span_kinds(schema)
        self.report = AlignmentReport()

    def examples(self, item: TrainingArticle, text: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the examples of one article.

        Args:
            item: the article and its corpus.
            text: read this text, of equal length, instead of the article's own.
        """
        text = item.article.text if text is None else text
        encoding = encode(text, self.tokenizer)
        if not len(encoding.ids):
            return
        # The teacher reads an article as it was printed; what it says holds for both texts.
        lesson = self._lesson(item.article, encoding)
        article, full = with_text(item.article, text), with_text(lesson.article, text)
        known = [span for span in full.spans if (span.layer, span.label) in self.kinds]
        starts, ends = encoding.unit_offsets()
        units = align_spans(
            known, starts, ends, article_id=article.id, policy=item.corpus.align, report=self.report
        )
        own = {span.id for span in article.spans}
        tags = self._tags(article, [s for s in known if s.id in own], units, len(starts))
        columns = _Columns(
            tags,
            self._soft_tags(lesson, tags),
            self._links(full, item.corpus, known, units, encoding),
        )
        windows = plan_windows(encoding.unit_starts, self.config.window, self.config.overlap)
        for group in _group_windows(windows, self.config.example_tokens):
            yield _example(encoding, columns, group)

    def _lesson(self, article: AnnotatedArticle, encoding: Encoding) -> Lesson:
        """Ask the teacher, if there is one.

        Raises:
            ConfigError: if it cuts the text into other words.
        """
        if self.teacher is None:
            return Lesson(article, {})
        lesson = self.teacher.lesson(article)
        if lesson.words and not all(map(np.array_equal, lesson.words, encoding.unit_offsets())):
            raise ConfigError(
                f"article {article.id!r}: the teacher cuts words otherwise than this encoder; "
                "use a teacher whose tokenizer has the same rules for words"
            )
        return lesson

    def _soft_tags(self, lesson: Lesson, tags: Array) -> Floats:
        """Probabilities of all tags, ``(units, tags of all layers)``; 0 where the tag is known.

        A label that the teacher does not have counts as absent wherever its layer is taught.
        """
        if not lesson.tags:
            return np.zeros((0, 0), dtype=np.float32)
        sizes = [len(layer.tags) for layer in self.schema.layers]
        soft = np.zeros((tags.shape[1], sum(sizes)), dtype=np.float32)
        begin = 0
        for row, (layer, size) in enumerate(zip(self.schema.layers, sizes, strict=True)):
            if (taught := lesson.tags.get(layer.name)) is not None:
                unknown = tags[row] == IGNORED
                soft[unknown, begin : begin + taught.shape[1]] = taught[unknown]
            begin += size
        return soft

    def _tags(
        self,
        article: AnnotatedArticle,
        known: Sequence[AnnotatedSpan],
        units: Mapping[str, tuple[int, int]],
        size: int,
    ) -> Array:
        """Tags of every layer, ``(layers, units)``; IGNORED where nothing is known."""
        table = np.full((len(self.schema.layers), size), IGNORED, dtype=np.int64)
        for row, layer in enumerate(self.schema.layers):
            spans = [
                (layer.labels.index(span.label), *units[span.id])
                for span in known
                if span.layer == layer.name and span.id in units
            ]
            tags = encode_tags(spans, size)
            known_units = (tags > 0) | (layer.name in article.complete_layers)
            table[row][known_units] = tags[known_units]
        return table

    def _links(
        self,
        article: AnnotatedArticle,
        corpus: Corpus,
        known: Sequence[AnnotatedSpan],
        units: Mapping[str, tuple[int, int]],
        encoding: Encoding,
    ) -> _LinkTable:
        spans = [span for span in known if span.id in units]
        placed = [
            LinkSpan((s.layer, s.label), s.start, s.end, units[s.id][0], units[s.id][1] - 1)
            for s in spans
        ]
        pairs = propose_pairs(article.text, encoding.states, placed, self.schema)
        targets = link_targets(article, spans)
        rows = []
        for index, (head, tail, number) in enumerate(
            zip(pairs.heads.tolist(), pairs.tails.tolist(), pairs.types.tolist(), strict=True)
        ):
            link = self.schema.links[number]
            positives = targets.get((link.name, spans[head].id), frozenset())
            complete = {spans[head].layer, spans[tail].layer} <= set(article.complete_layers)
            usable = complete and link.name not in corpus.unlinked
            if usable or (positives and link.choose == "one"):
                rows.append((index, int(spans[tail].id in positives)))
        chosen = np.array(rows, dtype=np.int64).reshape(-1, 2)
        first = encoding.unit_tokens
        return _LinkTable(
            np.array(
                [(first[s.first_unit], first[s.last_unit], self.kinds[s.kind]) for s in placed],
                dtype=np.int64,
            ).reshape(-1, 3),
            np.concatenate(
                [
                    np.stack([pairs.heads, pairs.tails, pairs.types], axis=1)[chosen[:, 0]],
                    chosen[:, 1:],
                    pairs.features[chosen[:, 0]],
                ],
                axis=1,
            ),
        )


@dataclass(frozen=True, slots=True)
class _LinkTable:
    """Spans ``(spans, 3)``: first token, last token, kind; pairs ``(pairs, 4 + features)``."""

    spans: Array
    pairs: Array


@dataclass(frozen=True, slots=True)
class _Columns:
    """What an article teaches: tags ``(layers, units)``, soft tags ``(units, all tags)``, links."""

    tags: Array
    soft: Floats
    links: _LinkTable


def link_targets(
    article: AnnotatedArticle, spans: Sequence[AnnotatedSpan]
) -> dict[tuple[str, str], frozenset[str]]:
    """Collect the right tails of every ``(link type, head id)``.

    A speaker refers to a person, so every mention of that person is a right answer for
    refers_to: the marked one, those that same_person joins to it, those of the same last name.
    """
    targets: dict[tuple[str, str], set[str]] = {}
    for link in article.links:
        targets.setdefault((link.type, link.head), set()).add(link.tail)
    people = [span for span in spans if span.label == "PERSON"]
    by_id = {span.id: span for span in people}
    joined = {link.head: link.tail for link in article.links if link.type == "same_person"}
    for (kind, _), tails in targets.items():
        if kind != "refers_to":
            continue
        names = {by_id[tail].text.split()[-1] for tail in tails if tail in by_id}
        tails |= {
            span.id
            for span in people
            if joined.get(span.id) in tails
            or (span.id not in joined and span.text.split()[-1] in names)
        }
    return {key: frozenset(tails) for key, tails in targets.items()}


def _group_windows(windows: Sequence[Window], most: int) -> Iterator[Sequence[Window]]:
    """Cut a long article into stretches of whole windows."""
    group: list[Window] = []
    for window in windows:
        if group and window.end - group[0].start > most:
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def _example(encoding: Encoding, columns: _Columns, windows: Sequence[Window]) -> dict[str, Any]:
    """Cut one stretch of windows out of an article; all token indices count from its start."""
    low, high = windows[0].start, windows[-1].end
    own_low, own_high = windows[0].own_start, windows[-1].own_end
    links = columns.links
    token_tags = np.full((len(columns.tags), len(encoding.ids)), IGNORED, dtype=np.int64)
    token_tags[:, encoding.unit_tokens] = columns.tags
    soft = np.zeros((0, 0), dtype=np.float16)
    if len(columns.soft):
        soft = np.zeros((len(encoding.ids), columns.soft.shape[1]), dtype=np.float16)
        soft[encoding.unit_tokens] = columns.soft
    inside = (links.spans[:, 0] >= own_low) & (links.spans[:, 1] < own_high)
    renumber = np.cumsum(inside) - 1
    pairs = links.pairs[_kept_pairs(links.pairs, inside)].copy()
    pairs[:, :2] = renumber[pairs[:, :2]]
    spans = links.spans[inside] - np.array([low, low, 0])
    bounds = np.array([(w.start, w.end, w.own_start, w.own_end) for w in windows]) - low
    return {
        "ids": encoding.ids[low:high].tolist(),
        "features": encoding.features[low:high].reshape(-1).tolist(),
        "tags": token_tags[:, low:high].reshape(-1).tolist(),
        "soft_tags": soft[low:high].reshape(-1),
        "windows": bounds.reshape(-1).tolist(),
        "spans": spans.reshape(-1).tolist(),
        "pairs": pairs.reshape(-1).tolist(),
        "tokens": int(sum(w.end - w.start for w in windows)),
    }


def _kept_pairs(pairs: Array, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say which pairs a stretch holds.

    A head whose right tails all lie outside is left out: "no link" would be the wrong lesson.
    """
    kept = inside[pairs[:, 0]] & inside[pairs[:, 1]]
    heads = pairs[:, 0] * (int(pairs[:, 2].max(initial=0)) + 1) + pairs[:, 2]
    right = pairs[:, 3] > 0
    lost = np.setdiff1d(heads[right], heads[right & kept])
    kept &= ~np.isin(heads, lost)
    return kept


_COLUMNS = ("ids", "features", "tags", "windows", "spans", "pairs")


def build_dataset(
    items: Iterable[TrainingArticle], featuriser: Featuriser, swapped: bool
) -> Dataset:
    """Build the dataset of examples.

    Args:
        items: the training articles.
        featuriser: turns each into examples.
        swapped: read every text with its quotation marks swapped.

    Returns:
        One row an example; column ``article`` is the article's place in ``items``.
    """
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(items):
        text = swap_marks(item.article.text) if swapped else None
        rows += [{"article": number, **row} for row in featuriser.examples(item, text)]
    features = Features(
        {
            "article": Value("int32"),
            **{name: Column(Value("int32")) for name in _COLUMNS},
            "soft_tags": Column(Value("float16")),
            "tokens": Value("int32"),
        }
    )
    return Dataset.from_list(rows, features=features).with_format("numpy")
