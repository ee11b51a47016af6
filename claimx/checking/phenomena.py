"""``meta.phenomena``: which spans of an article show which phenomenon of news prose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claimx.errors import did_you_mean

PHENOMENA = tuple(
    (
        "quote_over_paragraphs interrupted_quote partial_quote indirect_without_that inverted_cue "
        "distant_pronoun_speaker shared_surname anonymous_source collective_source document_source "
        "poll_source court_source several_roles former_role scare_quotes headline_quote "
        "straight_marks curly_marks single_marks mixed_marks missing_closing_mark range bound "
        "fraction one_in_n per_unit currency basis_points vague_plural from_to number_not_quantity"
    ).split()
)
# Shown by words that are no span; the words stand under `<name>_text`.
BY_WORDS = ("scare_quotes", "number_not_quantity")


def lift_words(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Move ``<name>_text`` out of ``phenomena``, which then maps to span ids and nothing else.

    Args:
        meta: the head of an inline file.
    """
    phenomena = meta.get("phenomena")
    if not isinstance(phenomena, Mapping):
        return dict(meta)
    words = {f"{name}_text": phenomena.get(f"{name}_text") for name in BY_WORDS}
    words = {name: value for name, value in words.items() if value is not None}
    rest = {name: ids for name, ids in phenomena.items() if name not in words}
    return {**meta, "phenomena": rest, **words}


def missing_spans(meta: Mapping[str, Any], span_ids: set[str]) -> Iterator[tuple[str, str]]:
    """Yield phenomenon and message wherever ``meta.phenomena`` names a span that is not there.

    Args:
        meta: the article's meta.
        span_ids: the ids of all its spans.
    """
    phenomena = meta.get("phenomena")
    if not isinstance(phenomena, Mapping):
        return
    for name, ids in phenomena.items():
        if not isinstance(ids, list) or (isinstance(name, str) and name.endswith("_text")):
            continue
        if missing := [str(name) for name in ids if str(name) not in span_ids]:
            message = f"phenomenon {name} names {', '.join(missing)}, which is no span"
            yield str(name), f"{message} of the article"


def phenomenon_problems(name: str, ids: object, words: object, span_ids: set[str]) -> Iterator[str]:
    """Yield what is wrong with one phenomenon by the rules of ``data/annotations``.

    Args:
        name: the phenomenon.
        ids: what it maps to; a list of span ids is expected.
        words: what ``<name>_text`` holds, if anything.
        span_ids: the ids of all spans of the article.
    """
    if name not in PHENOMENA:
        hint = did_you_mean(name, PHENOMENA)
        yield f"unknown phenomenon {name!r}{hint} (all are listed in the corpus README)"
        return
    if not isinstance(ids, list):
        yield f"phenomenon {name}: give a list of span ids, not {ids!r}"
        return
    yield from (message for _, message in missing_spans({"phenomena": {name: ids}}, span_ids))
    if not ids and name not in BY_WORDS:
        yield f"phenomenon {name} has no span; name the spans that show it, or remove it"
    if not ids and name in BY_WORDS and not words:
        yield f"phenomenon {name} has neither spans nor words; put the words in {name}_text"


def word_problems(name: str, meta: Mapping[str, Any], text: str) -> Iterator[str]:
    """Yield each of the words of ``<name>_text`` that does not occur in the text.

    Args:
        name: one of `BY_WORDS`.
        meta: the article's meta, after `lift_words`.
        text: the article.
    """
    words = meta.get(f"{name}_text", [])
    flat = " ".join(text.split())
    for word in words if isinstance(words, list) else [words]:
        if " ".join(str(word).split()) not in flat:
            yield f"{name}_text: {str(word)!r} does not occur in the text"
