"""Scores of one text -> its annotation: spans of every layer and the links between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from claimx.alignment import AlignmentReport, align_spans
from claimx.decoding import decode_layer
from claimx.engine import EncodedText, Engine, UnitScores
from claimx.labels import DEFAULT_SCHEMA, Layer
from claimx.pairs import LinkSpan, span_kinds
from claimx.types import AnnotatedArticle, AnnotatedSpan, Article, Link

# Alone they are what is left of a longer span, and no instance of any of our labels.
_ARTICLES = frozenset({"a", "an", "the"})
_OUR_KINDS = frozenset(span_kinds(DEFAULT_SCHEMA))


def annotate(
    engine: Engine,
    article: Article,
    encoded: EncodedText,
    scores: UnitScores,
    layers: Sequence[Layer],
    *,
    min_score: float = 0.0,
) -> AnnotatedArticle:
    """Decode spans and choose links; spans that are nothing but an article are left out.

    Args:
        engine: the model.
        article: whose id and meta the annotation carries.
        encoded: its text as the model read it.
        scores: what the model said.
        layers: layers to decode.
        min_score: spans below it are left out.

    Returns:
        The text that was read, with the model's spans and links; every layer counts as complete.
    """
    text = encoded.text
    starts, ends = encoded.encoding.unit_offsets()
    config = engine.config
    spans: list[AnnotatedSpan] = []
    placed: list[LinkSpan] = []
    for layer in layers:
        logits = scores.logits[layer.name]
        for found in decode_layer(logits, layer, config.calibration, config.persistence):
            if found.score < min_score:
                continue
            start, end = int(starts[found.first]), int(ends[found.last])
            kind = (layer.name, found.label)
            if kind in _OUR_KINDS and text[start:end].lower() in _ARTICLES:
                continue
            name = f"t{len(spans)}"
            spans.append(AnnotatedSpan(name, *kind, start, end, text[start:end], {}, found.score))
            placed.append(LinkSpan(kind, start, end, found.first, found.last))
    links = _link(engine, encoded, scores, spans, placed)
    names = tuple(layer.name for layer in layers)
    return AnnotatedArticle(article.id, text, tuple(spans), links, names, article.meta)


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
