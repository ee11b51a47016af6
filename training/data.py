"""Annotated files -> training articles: read, cleaned, merged over files, marks swapped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from claimx import text as chars
from claimx.errors import AnnotationError
from claimx.formats import read_articles
from claimx.types import AnnotatedArticle, Link
from training.config import Corpus

# Where a model's record names the texts that its scores were fitted on.
DEV_FINGERPRINTS = "dev_fingerprints"


@dataclass(frozen=True, slots=True)
class TrainingArticle:
    """One article with the settings of the corpora that it comes from."""

    article: AnnotatedArticle
    corpus: Corpus


def text_fingerprint(text: str) -> str:
    """Return the SHA-256 of a text, by which a training article is known again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_held_out(article_id: str) -> bool:
    """Say whether an article belongs to the tenth that `Corpus.part` holds out."""
    return int(hashlib.sha256(article_id.encode()).hexdigest(), 16) % 10 == 0


def load_articles(corpora: Sequence[Corpus]) -> list[TrainingArticle]:
    """Read all corpora; an article that stands in several files becomes one.

    Raises:
        AnnotationError: if a file cannot be read, or two files disagree on an article's text.
    """
    merged: dict[str, TrainingArticle] = {}
    for corpus in corpora:
        for raw in read_articles(Path(corpus.path)):
            if corpus.part != "all" and is_held_out(raw.id) != (corpus.part == "held_out"):
                continue
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
