"""The inference API: text in, quotes, people and claims out; CUDA or CPU.

One article's way: text -> encoding -> windows -> model -> scores of units -> spans -> links
-> people -> normal forms -> `Extraction`. Windows of many articles share forward passes; an
article's result does not depend on its neighbours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from claimx import text as chars
from claimx.annotating import Scored, annotate_all, link_given
from claimx.backends import open_engine
from claimx.engine import EncodedText, Engine, UnitScores
from claimx.errors import ConfigError, InputError
from claimx.given import as_article, check_many, failed
from claimx.labels import Layer
from claimx.linking import assemble, resolve_people
from claimx.options import one_of, probability, whole_number
from claimx.quantities import article_currency, read_quantity
from claimx.types import (
    AnnotatedArticle,
    AnnotatedSpan,
    Article,
    Extraction,
)

if TYPE_CHECKING:
    from claimx.checkpoint import Checkpoint

_MOST_CHARS = 2**31 - 1  # of one article; no text is longer
_ATTRIBUTION = {"reported": "attribution", "broad": "attribution_broad"}
# Tokens that are read ahead and share forward passes.
_TOKENS_AHEAD = 16_384
_ARTICLES_AHEAD = 512


@dataclass(frozen=True, slots=True)
class _Task:
    """An article on its way, with what was done to its text before it was read."""

    article: Article
    notes: tuple[str, ...]
    encoded: EncodedText


class Extractor:
    """Extracts quotes, people and claims from English news.

    Use `Extractor.from_pretrained`. One extractor may be shared by threads.

    Args:
        engine: a model that is ready to read.
        attribution: "reported" (what is said) or "broad" (also intentions and stances).
        min_score: spans below it are left out.
        max_chars: longer articles are refused.
        currency: what a bare "$" means, an ISO 4217 code.
        title: "prepend" reads headline, blank line, text.

    Attributes:
        model_name: name, version and short weights hash, as written into records.
        backend: what runs the model, "torch" or "openvino".
        device: where it runs: "cpu", "cuda", "cuda:1" ...
        dtype: in which precision: "float32", "bfloat16" or "float16".
        training_fingerprints: SHA-256 of every text that the model was trained on.
        tokens_read: tokens of all texts read so far; what windows share is counted once.

    Raises:
        ConfigError: if an option has a value that cannot be used.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        attribution: Literal["reported", "broad"] = "reported",
        min_score: float = 0.0,
        max_chars: int = 20_000_000,
        currency: str = "USD",
        title: Literal["prepend"] | None = None,
    ) -> None:
        if not isinstance(engine, Engine):
            raise ConfigError(
                "an Extractor is made by Extractor.from_pretrained(), which takes the name or the "
                "folder of a model, and not by Extractor(...)"
            )
        one_of("attribution", attribution, tuple(_ATTRIBUTION))
        one_of("title", title, ("prepend", None))
        if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
            raise ConfigError(f"currency is an ISO 4217 code such as 'USD', got {currency!r}")
        self._engine = engine
        self.backend = engine.backend.name
        self.device = engine.backend.device
        self.dtype = engine.backend.dtype
        self.model_name = engine.name
        self.training_fingerprints = frozenset(engine.training.get("fingerprints", ()))
        self.attribution = attribution
        self.min_score = probability("min_score", min_score)
        self.max_chars = whole_number("max_chars", max_chars, 1, _MOST_CHARS)
        self.currency = currency
        self.title = title
        self.tokens_read = 0
        self._layers = self._chosen_layers()

    def __repr__(self) -> str:
        """Say which model reads, and what it runs with."""
        return (
            f"<Extractor model={self.model_name!r} backend={self.backend!r} "
            f"device={self.device!r} dtype={self.dtype!r}>"
        )

    @classmethod
    def from_pretrained(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        backend: str = "auto",
        device: str = "auto",
        dtype: str = "auto",
        threads: int = 0,
        **options: Any,
    ) -> Extractor:
        """Load a model: the packaged ``claimx-en``, another that is installed, or one on the hub.

        "auto" takes what is quickest here among what gives the results of float32.

        Args:
            model: None for the packaged model; else a folder, or a name.
            backend: "auto", "torch", or "openvino" (CPUs; needs the extra ``fast``).
            device: "auto", "cpu", "cuda", "cuda:1" ...
            dtype: "auto", "float32", "bfloat16" or "float16".
            threads: processors that OpenVINO takes; 0 is all of them. torch has one number of
                threads for the whole process, ``torch.set_num_threads``, which stays as it is.
            options: those of the constructor.

        Raises:
            CheckpointError: if the model is missing, damaged or of a newer format.
            ConfigError: if an option has a value that cannot be used.
        """
        engine = open_engine(model, backend=backend, device=device, dtype=dtype, threads=threads)
        return cls(engine, **options)

    @classmethod
    def from_checkpoint(
        cls, checkpoint: Checkpoint, *, device: str = "auto", dtype: str = "auto", **options: Any
    ) -> Extractor:
        """Read with a model that is loaded already, run by torch; see `from_pretrained`."""
        from claimx.torch_backend import torch_engine

        return cls(torch_engine(checkpoint, device, dtype), **options)

    # ---- public calls ---------------------------------------------------------------------

    def __call__(self, article: str | Article) -> Extraction:
        """Read one article.

        Raises:
            InputError: if it is not text or longer than ``max_chars``.
        """
        task = self._prepare(as_article(article, 0))
        return self._finish([task], self._score([task], self._layers))[0]

    def stream(
        self, articles: Iterable[str | Article], tokens_at_once: int = _TOKENS_AHEAD
    ) -> Iterator[Extraction]:
        """Read any number of articles in constant memory, in order.

        An article that cannot be read becomes an `Extraction` with an ``error``.

        Args:
            articles: strings or articles; a string's id is its place, counted from 0.
            tokens_at_once: tokens that are read ahead and share forward passes.
        """
        # While the model reads a group in a thread of its own, the one before it is decoded here.
        with ThreadPoolExecutor(1, "claimx") as reader:
            waiting: tuple[list[_Task | Extraction], Future[list[UnitScores]]] | None = None
            for group in self._groups(articles, tokens_at_once):
                tasks = [item for item in group if isinstance(item, _Task)]
                running = reader.submit(self._score, tasks, self._layers)
                if waiting is not None:
                    yield from self._in_line(*waiting)
                waiting = group, running
            if waiting is not None:
                yield from self._in_line(*waiting)

    def extract_many(self, articles: Iterable[str | Article]) -> list[Extraction]:
        """Read articles into a list; see `stream`."""
        return list(self.stream(articles))

    def annotate_many(self, articles: Sequence[Article]) -> list[AnnotatedArticle]:
        """Mark articles with the model's spans in all layers, links and normal forms.

        This is what evaluation compares with gold annotations.

        Raises:
            InputError: if one of them cannot be read.
        """
        layers = self._engine.schema.layers
        results: list[AnnotatedArticle] = []
        for group in self._groups(articles, _TOKENS_AHEAD):
            for item in group:
                if isinstance(item, Extraction):
                    raise InputError(f"article {item.id!r}: {item.error and item.error.message}")
            tasks = [item for item in group if isinstance(item, _Task)]
            results += self._annotate_all(tasks, self._score(tasks, layers), layers)
        return results

    def link_many(self, articles: Sequence[AnnotatedArticle]) -> list[AnnotatedArticle]:
        """Keep the given spans of each article and replace its links by the model's."""
        results = []
        for article in articles:
            task = self._prepare(Article(article.id, article.text, meta=article.meta))
            scores = self._engine.score([task.encoded], ())[0]
            results.append(resolve_people(link_given(self._engine, article, task.encoded, scores)))
        return results

    # ---- stages ---------------------------------------------------------------------------

    def _chosen_layers(self) -> tuple[Layer, ...]:
        """All layers but the scope of attribution that was not asked for."""
        wanted = _ATTRIBUTION[self.attribution]
        names = [layer.name for layer in self._engine.schema.layers]
        known = [name for name in _ATTRIBUTION.values() if name in names]
        if known and wanted not in known:
            raise ConfigError(
                f"this model has no {self.attribution!r} attribution; layers: {names}"
            )
        return tuple(
            layer
            for layer in self._engine.schema.layers
            if layer.name == wanted or layer.name not in known
        )

    def _groups(
        self, articles: Iterable[str | Article], most: int
    ) -> Iterator[list[_Task | Extraction]]:
        """Gather articles until they hold enough tokens; failures take their place in line."""
        check_many(articles)
        group: list[_Task | Extraction] = []
        tokens = 0
        for number, given in enumerate(articles):
            try:
                article = as_article(given, number)
                item: _Task | Extraction = self._prepare(article)
            except InputError as error:
                item = failed(given, number, error.kind, str(error))
            except Exception as error:  # whatever it is, the neighbours must not suffer
                item = failed(given, number, "internal", f"{type(error).__name__}: {error}")
            group.append(item)
            tokens += len(item.encoded.encoding.ids) if isinstance(item, _Task) else 0
            if tokens >= most or len(group) >= _ARTICLES_AHEAD:
                yield group
                group, tokens = [], 0
        if group:
            yield group

    def _prepare(self, article: Article) -> _Task:
        text = article.text
        if self.title == "prepend" and article.title:
            text = f"{article.title}\n\n{text}"
        if len(text) > self.max_chars:
            raise InputError(
                f"article {article.id!r} has {len(text):,} characters, more than max_chars = "
                f"{self.max_chars:,}; split it or raise the limit",
                kind="too_large",
            )
        text, replaced = chars.replace_surrogates(text)
        notes = (f"{chars.counted(replaced, 'lone surrogate')} read as U+FFFD",) if replaced else ()
        return _Task(article, notes, self._engine.encode(text))

    def _in_line(
        self, group: Sequence[_Task | Extraction], running: Future[list[UnitScores]]
    ) -> Iterator[Extraction]:
        """Finish the articles of a group, and put those that failed before between them."""
        tasks = [item for item in group if isinstance(item, _Task)]
        done = iter(self._finish_safely(tasks, running.result))
        for item in group:
            yield next(done) if isinstance(item, _Task) else item

    def _finish_safely(
        self, tasks: Sequence[_Task], scores: Callable[[], list[UnitScores]]
    ) -> list[Extraction]:
        """Finish a group; if that fails, read each alone, so that one fault harms one article."""
        try:
            return self._finish(tasks, scores())
        except Exception:  # whatever it is, the neighbours must not suffer
            results = []
            for task in tasks:
                try:
                    results += self._finish([task], self._score([task], self._layers))
                except Exception as error:
                    message = f"{type(error).__name__}: {error}"
                    results.append(failed(task.article, 0, "internal", message))
            return results

    def _score(self, tasks: Sequence[_Task], layers: Sequence[Layer]) -> list[UnitScores]:
        return self._engine.score([task.encoded for task in tasks], layers)

    def _finish(self, tasks: Sequence[_Task], scores: Sequence[UnitScores]) -> list[Extraction]:
        return [
            assemble(
                annotated,
                layer=_ATTRIBUTION[self.attribution],
                model=self.model_name,
                notes=task.notes,
                meta=task.article.meta,
            )
            for task, annotated in zip(
                tasks, self._annotate_all(tasks, scores, self._layers), strict=True
            )
        ]

    def _annotate_all(
        self, tasks: Sequence[_Task], scores: Sequence[UnitScores], layers: Sequence[Layer]
    ) -> list[AnnotatedArticle]:
        """Decode spans and links, resolve people, read quantities."""
        self.tokens_read += sum(len(task.encoded.encoding.ids) for task in tasks)
        readings = [
            Scored(task.article, task.encoded, score)
            for task, score in zip(tasks, scores, strict=True)
        ]
        annotated = annotate_all(self._engine, readings, layers, min_score=self.min_score)
        return [self._read_quantities(resolve_people(article)) for article in annotated]

    def _read_quantities(self, article: AnnotatedArticle) -> AnnotatedArticle:
        """Give every QUANTITY its normal form as attributes."""
        if not any(span.label == "QUANTITY" for span in article.spans):
            return article
        currency = article_currency(article.text, self.currency)
        by_id = {span.id: (span.start, span.end) for span in article.spans}
        partner = {(link.type, link.head): by_id[link.tail] for link in article.links}
        return replace(
            article,
            spans=tuple(
                replace(span, attrs=_normal_form(article.text, span, partner, currency))
                if span.label == "QUANTITY"
                else span
                for span in article.spans
            ),
        )


_NORMAL_FORM = ("value", "low", "high", "unit", "kind", "modifier", "change")


def _normal_form(
    text: str,
    span: AnnotatedSpan,
    partner: dict[tuple[str, str], tuple[int, int]],
    currency: str,
) -> dict[str, Any]:
    quantity = read_quantity(
        text,
        span.start,
        span.end,
        modifier=partner.get(("modified_by", span.id)),
        measured=partner.get(("measures", span.id)),
        currency=currency,
    )
    return {name: getattr(quantity, name) for name in _NORMAL_FORM}


__all__ = ["Extractor"]
