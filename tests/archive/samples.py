"""Records of every kind, made up at random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from claimx.types import (
    Claim,
    Extraction,
    Failure,
    Person,
    Quantity,
    Quote,
    Source,
    Span,
    Speaker,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_offsets = st.integers(0, 2**31 - 1)
_scores = st.floats(0, 1)
_ids = st.tuples(words, words).map(tuple)
# What `claimx.quantities.decimals.to_plain` returns: an int unless there is a fraction.
_numbers = (
    st.none()
    | st.integers(-(2**53), 2**53)
    | st.decimals(-1000, 1000, places=2).map(
        lambda value: int(value) if value == value.to_integral_value() else float(value)
    )
)
_maybe = st.none() | words
spans = st.builds(Span, _offsets, _offsets, words, _scores)
_many = st.lists(spans, max_size=2).map(tuple)
speakers = st.builds(Speaker, _offsets, _offsets, words, _scores, words, _ids, _maybe, _many, _many)
quotes = st.builds(
    Quote, words, _offsets, _offsets, words, st.sampled_from(["direct", "indirect", "mixed"]),
    _scores, _maybe, st.none() | spans, st.none() | speakers,
)  # fmt: skip
quantities = st.builds(
    Quantity, _offsets, _offsets, words, _numbers, _numbers, _numbers, _maybe, _maybe, words, words
)
claims = st.builds(
    Claim, words, _offsets, _offsets, words, _scores, quantities, st.none() | spans,
    st.none() | spans, _maybe,
)  # fmt: skip
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
metas = st.dictionaries(words, json_values, max_size=3)
extractions = st.builds(
    Extraction,
    id=words,
    text_sha256=words,
    model=words,
    attribution=words,
    meta=metas,
    notes=_ids,
    quotes=st.lists(quotes, max_size=2).map(tuple),
    sources=st.lists(st.builds(Source, words, words, words, _ids, _ids), max_size=2).map(tuple),
    people=st.lists(st.builds(Person, words, words, _many, _many, _many), max_size=2).map(tuple),
    claims=st.lists(claims, max_size=2).map(tuple),
    text=words,
)
failures = st.builds(Extraction, id=words, meta=metas, error=st.builds(Failure, words, words))
records = st.builds(
    lambda item, text: item.to_dict(with_text=text), extractions, st.booleans()
) | failures.map(Extraction.to_dict)


def failed(article_id: str = "broken.txt") -> dict[str, Any]:
    """Return an error record."""
    failure = Failure("too_large", "this is larger than 80,000,000 bytes")
    return Extraction(article_id, meta={"page": 3}, error=failure).to_dict()


def names_in(folder: Path) -> list[str]:
    """Return the names of what a folder holds."""
    return sorted(path.name for path in folder.iterdir())


def numbered(record: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Return a record that many times, each with an id of its own."""
    return [{**record, "id": f"{record['id']}/{number}"} for number in range(count)]
