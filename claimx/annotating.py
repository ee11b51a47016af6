"""Scores of one text -> its annotation: spans of every layer and the links between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from claimx.alignment import AlignmentReport, align_spans
from claimx.decoding import DecodedSpan, decode_layer
from claimx.engine import EncodedText, Engine, UnitScores
from claimx.labels import DEFAULT_SCHEMA, Layer
from claimx.pairs import LinkSpan, span_kinds
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article, Link

# Alone they are what is left of a longer span, and no instance of any of our labels.
_ARTICLES = frozenset({"a", "an", "the"})
_OUR_KINDS = frozenset(span_kinds(DEFAULT_SCHEMA))


@dataclass(frozen=True, slots=True)
class Scored:
    """An article, its text as the model read it, and what the model said."""

    article: Article
    encoded: EncodedText
    scores: UnitScores


def annotate(
    engine: Engine,
    article: Article,
    encoded: EncodedText,
    scores: UnitScores,
    layers: Sequence[Layer],
    *,
    min_score: float = 0.0,
) -> AnnotatedArticle:
    """Annotate one article; see `annotate_all`."""
    reading = Scored(article, encoded, scores)
    return annotate_all(engine, [reading], layers, min_score=min_score)[0]


def annotate_all(
    engine: Engine, readings: Sequence[Scored], layers: Sequence[Layer], *, min_score: float = 0.0
) -> list[AnnotatedArticle]:
    """Decode spans and choose links; spans that are nothing but an article are left out.

    Args:
        engine: the model.
        readings: articles of which the model has scored these layers.
        layers: layers to decode.
        min_score: spans below it are left out.

    Returns:
        The texts that were read, with the model's spans and links; every layer counts as complete.
    """
    config = engine.config
    decoded = [
        decode_layer(
            [reading.scores.logits[layer.name] for reading in readings],
            layer,
            config.calibration,
            config.persistence,
        )
        for layer in layers
    ]
    names = tuple(layer.name for layer in layers)
    results = []
    for number, reading in enumerate(readings):
        found = [span for spans in decoded for span in spans[number] if span.score >= min_score]
        spans, placed = _place(reading.encoded, found)
        links = _link(engine, reading.encoded, reading.scores, spans, placed)
        article = reading.article
        results.append(
            AnnotatedArticle(
                article.id, reading.encoded.text, tuple(spans), links, names, article.meta
            )
        )
    return results


def _place(
    encoded: EncodedText, found: Sequence[DecodedSpan]
) -> tuple[list[AnnotatedSpan], list[LinkSpan]]:
    """Turn spans over units into spans over characters, and name them."""
    starts, ends = encoded.encoding.unit_offsets()
    spans: list[AnnotatedSpan] = []
    placed: list[LinkSpan] = []
    for span in found:
        start, end = int(starts[span.first]), int(ends[span.last])
        kind, surface = (span.layer, span.label), encoded.text[start:end]
        if kind in _OUR_KINDS and surface.lower() in _ARTICLES:
            continue
        spans.append(AnnotatedSpan(f"t{len(spans)}", *kind, start, end, surface, {}, span.score))
        placed.append(LinkSpan(kind, start, end, span.first, span.last))
    return spans, placed


def link_given(
    engine: Engine, article: AnnotatedArticle, encoded: EncodedText, scores: UnitScores
) -> AnnotatedArticle:
    """Keep the spans of an annotation and replace its links by the model's.

    For the scorer alone, edges of spans move outward to words.
    """
    known = [span for span in article.spans if (span.layer, span.label) in engine.kinds]
    starts, ends = encoded.encoding.unit_offsets()
    units = align_spans(
        known, starts, ends, article_id=article.id, policy="snap", report=AlignmentReport()
    )
    spans = [span for span in known if span.id in units]
    placed = [
        LinkSpan((s.layer, s.label), s.start, s.end, units[s.id][0], units[s.id][1] - 1)
        for s in spans
    ]
    return replace(article, links=_link(engine, encoded, scores, spans, placed))


def _link(
    engine: Engine,
    encoded: EncodedText,
    scores: UnitScores,
    spans: Sequence[AnnotatedSpan],
    placed: Sequence[LinkSpan],
) -> tuple[Link, ...]:
    """Choose links between spans that stand in the same order in units."""
    return tuple(
        Link(link.type, spans[link.head].id, spans[link.tail].id, link.score)
        for link in engine.link(encoded, scores, placed)
    )
