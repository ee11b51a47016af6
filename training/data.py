"""Annotated files -> examples: merged, aligned, cut into windows, ready to be batched.

An example is one article, or a stretch of whole windows of a long one. Rows live in a
`datasets.Dataset`; everything that varies in length is a flat column of integers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset, Features, Value
from datasets import Sequence as Column
from tokenizers import Tokenizer

from claimx import text as chars
from claimx.alignment import AlignmentReport, align_spans
from claimx.batching import SpecialTokens
from claimx.encoding import Encoding, encode
from claimx.errors import AnnotationError
from claimx.formats import read_articles
from claimx.labels import LabelSchema
from claimx.pairs import LinkSpan, propose_pairs, span_kinds
from claimx.tagging import encode_tags
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link
from claimx.windows import Window, plan_windows
from training.config import Corpus, TrainConfig

IGNORED = -100
Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainingArticle:
    """One article with the settings of the corpora that it comes from."""

    article: AnnotatedArticle
    corpus: Corpus


def text_fingerprint(text: str) -> str:
    """Return the SHA-256 of a text, by which a training article is known again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def load_articles(corpora: Sequence[Corpus]) -> list[TrainingArticle]:
    """Read all corpora; an article that stands in several files becomes one.

    Raises:
        AnnotationError: if a file cannot be read, or two files disagree on an article's text.
    """
    merged: dict[str, TrainingArticle] = {}
    for corpus in corpora:
        for raw in read_articles(Path(corpus.path)):
            article = load_clean(_keep_layers(raw, corpus.layers))
            known = merged.get(article.id)
            if known is None:
                merged[article.id] = TrainingArticle(article, corpus)
                continue
            if known.article.text != article.text:
                raise AnnotationError(
                    f"article {article.id!r} has another text in {corpus.path} than in "
                    f"{known.corpus.path}; give one of them another id"
                )
            merged[article.id] = TrainingArticle(
                merge_articles(known.article, article), _wider(known.corpus, corpus)
            )
    return list(merged.values())


def _keep_layers(article: AnnotatedArticle, layers: tuple[str, ...]) -> AnnotatedArticle:
    if not layers:
        return article
    spans = tuple(span for span in article.spans if span.layer in layers)
    kept = {span.id for span in spans}
    return replace(
        article,
        spans=spans,
        links=tuple(link for link in article.links if {link.head, link.tail} <= kept),
        complete_layers=tuple(name for name in article.complete_layers if name in layers),
    )


def load_clean(article: AnnotatedArticle) -> AnnotatedArticle:
    """Read lone surrogates as inference does; offsets hold."""
    text, count = chars.replace_surrogates(article.text)
    return replace(article, text=text) if count else article


def _wider(first: Corpus, second: Corpus) -> Corpus:
    """Settings for an article of two corpora: as often, as long and as lenient as either."""
    return replace(
        first,
        passes=max(first.passes, second.passes),
        begin=min(first.begin, second.begin),
        end=max(first.end, second.end),
        align="snap" if "snap" in (first.align, second.align) else "strict",
        unlinked=tuple({*first.unlinked, *second.unlinked}),
    )


def merge_articles(first: AnnotatedArticle, second: AnnotatedArticle) -> AnnotatedArticle:
    """Unite the layers of two annotations of one text; a layer of the first wins."""
    taken = {span.layer for span in first.spans} | set(first.complete_layers)
    used = {span.id for span in first.spans}
    names: dict[str, str] = {}
    for span in second.spans:
        if span.layer not in taken:
            name = f"2:{span.id}"
            while name in used:  # a third file may have the ids of the second
                name = f"2:{name}"
            names[span.id] = name
    spans = tuple(replace(s, id=names[s.id]) for s in second.spans if s.id in names)
    links = tuple(
        Link(link.type, names[link.head], names[link.tail])
        for link in second.links
        if link.head in names and link.tail in names
    )
    layers = dict.fromkeys((*first.complete_layers, *second.complete_layers))
    return replace(
        first,
        spans=first.spans + spans,
        links=first.links + links,
        complete_layers=tuple(layers),
    )


_TO_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


def swap_marks(text: str) -> str:
    """Write straight marks for curly ones or, in a straight text, the other way round.

    One character for one, so that all offsets hold.
    """
    if any(mark in text for mark in "“”‘’"):
        return text.translate(_TO_STRAIGHT)
    states = chars.quotation_states(text)
    curly = {
        ('"', chars.OPENING): "“",
        ('"', chars.CLOSING): "”",
        ("'", chars.OPENING): "‘",
    }
    return "".join(
        curly.get((char, int(state)), "’" if char == "'" else char)
        for char, state in zip(text, states, strict=True)
    )


def with_text(article: AnnotatedArticle, text: str) -> AnnotatedArticle:
    """Put another text of the same length under an article's annotations."""
    spans = tuple(replace(span, text=text[span.start : span.end]) for span in article.spans)
    return replace(article, text=text, spans=spans)


class Featuriser:
    """Turns articles into examples, with the code that inference uses.

    Args:
        tokenizer: the encoder's tokenizer, without truncation and padding.
        special: its special tokens.
        schema: layers and link types of the model.
        config: window sizes.
    """

    def __init__(
        self, tokenizer: Tokenizer, special: SpecialTokens, schema: LabelSchema, config: TrainConfig
    ) -> None:
        self.tokenizer = tokenizer
        self.special = special
        self.schema = schema
        self.config = config
        self.kinds = span_kinds(schema)
        self.report = AlignmentReport()

    def examples(self, item: TrainingArticle, text: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the examples of one article.

        Args:
            item: the article and its corpus.
            text: read this text, of equal length, instead of the article's own.
        """
        article = item.article if text is None else with_text(item.article, text)
        encoding = encode(article.text, self.tokenizer)
        if not len(encoding.ids):
            return
        known = [span for span in article.spans if (span.layer, span.label) in self.kinds]
        starts, ends = encoding.unit_offsets()
        units = align_spans(
            known, starts, ends, article_id=article.id, policy=item.corpus.align, report=self.report
        )
        tags = self._tags(article, known, units, len(starts))
        links = self._links(article, item.corpus, known, units, encoding)
        windows = plan_windows(encoding.unit_starts, self.config.window, self.config.overlap)
        for group in _group_windows(windows, self.config.example_tokens):
            yield _example(encoding, tags, links, group)

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


def _example(
    encoding: Encoding, tags: Array, links: _LinkTable, windows: Sequence[Window]
) -> dict[str, Any]:
    """Cut one stretch of windows out of an article; all token indices count from its start."""
    low, high = windows[0].start, windows[-1].end
    own_low, own_high = windows[0].own_start, windows[-1].own_end
    token_tags = np.full((len(tags), len(encoding.ids)), IGNORED, dtype=np.int64)
    token_tags[:, encoding.unit_tokens] = tags
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
            "tokens": Value("int32"),
        }
    )
    return Dataset.from_list(rows, features=features).with_format("numpy")
