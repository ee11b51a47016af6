"""Small annotated articles for tests, and what the metrics count on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claimx.metrics.figures import Counts, Key
from claimx.metrics.scoring import score
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

LAYERS = {
    **dict.fromkeys(("QUOTE", "CUE", "SPEAKER"), "attribution"),
    **dict.fromkeys(("PERSON", "ROLE", "AFFILIATION"), "identity"),
    **dict.fromkeys(("QUANTITY", "MODIFIER", "MEASURED"), "quantity"),
}


def annotate(
    text: str,
    spans: Iterable[tuple[Any, ...]],
    links: Iterable[tuple[str, str, str]] = (),
    complete: Sequence[str] = ("attribution", "identity", "quantity"),
) -> AnnotatedArticle:
    """Spans are ``(id, label, surface[, occurrence[, attrs[, score]]])``."""
    made = []
    for span_id, label, surface, *rest in spans:
        occurrence, attrs, value = (*rest, *(0, {}, None)[len(rest) :])
        start = -1
        for _ in range(occurrence + 1):
            start = text.index(surface, start + 1)
        layer, _, name = label.rpartition("/")
        made.append(
            AnnotatedSpan(
                span_id, layer or LAYERS[name], name, start, start + len(surface), surface,
                attrs, value,
            )
        )  # fmt: skip
    return AnnotatedArticle(
        "a", text, tuple(made), tuple(Link(*link) for link in links), tuple(complete)
    )


def kind_by_first_mark(text: str, start: int, end: int) -> str:
    surface = text[start:end]
    return "direct" if surface[0] == '"' else "mixed" if '"' in surface else "indirect"


def count(
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    given_gold: AnnotatedArticle | None = None,
) -> Mapping[Key, Counts]:
    [tally] = score(
        [(gold, predicted)],
        [(gold, given_gold)] if given_gold else (),
        quote_kind=kind_by_first_mark,
        canonical_unit=lambda name: {"tonnes": "tonne"}.get(name or "", name),
    )
    return tally
