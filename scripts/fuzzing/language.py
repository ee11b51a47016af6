"""Texts: any text into records, and any surface of a quantity into its normal form."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from math import isfinite
from time import process_time
from typing import Any

from claimx.quantities import article_currency, read_quantity
from scripts.fuzzing.feed import Feed
from scripts.fuzzing.target import (
    RECORD,
    BrokenError,
    Target,
    must_keep_to,
    offsets_must_hold,
    validator,
)

_NUMBERS = (
    "0 1 5 12 40 007 1,200 1.200 1,2,3 3.5 .5 5. 1e5 1/2 2/0 3/4 ½ ⅔ ٣ ５ one two a half "
    "hundred hundreds thousand million billion trillion bn m k hundredth third thirds quarter "
    "first twice double tenfold score and point minus -5 +5 −5 99999999999999999999 9.99e99 "
    "dozen dozens fifteen hundred twenty-one forty- couple several few no nil zero"
).split()
_WORDS = (
    "$ £ € A$ US$ USD EUR % percent per cent percentage points basis tonnes miles km² mph barrels "
    "per day a year month old aged years-old people boats degrees Celsius F ° magnitude point "
    "dollars pounds pence cents euro yen rupees crore lakh stone foot feet ' \" in inches acres "
    "times as many fold out of in every from to between and or up down by at least more than "
    "under over nearly about roughly almost less exactly some around as rose fell cut increase "
    "index stood 6-figure mid-40s 1990s 9/11 24/7 3-2 10-15 10–15 10 - 15 10 to 15 ~5 >5 <5 ≥5 ± "
    "U.S. Australian Canadian Hong Kong New Zealand market gross GDP temperature earthquake"
).split()
_GAPS = (" ", " ", " ", " ", " ", "", "-", "\n", "\u00a0", ", ", ". ", " (", ") ", "–", "/", ".")
_SURFACES = tuple(word + gap for word in (*_NUMBERS, *_WORDS) for gap in _GAPS)
_CURRENCIES = ("USD", "GBP", "AUD")


def make_quantity(feed: Feed) -> tuple[Any, ...]:
    """A surface, what stands around it, spans of a modifier and a measured thing, a currency."""
    before, surface, after = (feed.text(_SURFACES, most) for most in (5, 4, 5))
    spans = (_span(feed, len(before)), _span(feed, len(before) + len(surface) + len(after)))
    return before, surface, after, *spans, feed.pick(_CURRENCIES)


def _span(feed: Feed, limit: int) -> tuple[int, int] | None:
    first, second = feed.below(limit + 1), feed.below(limit + 1)
    return (min(first, second), max(first, second)) if first != second else None


def check_quantity(given: tuple[Any, ...]) -> None:
    """Read one surface in its surroundings."""
    before, surface, after, bend, thing, currency = given
    if not surface:
        return
    text = before + surface + after
    start = len(before)
    found = read_quantity(
        text, start, start + len(surface), modifier=bend, measured=thing,
        currency=article_currency(text, currency),
    )  # fmt: skip
    numbers = (found.value, found.low, found.high)
    if any(type(number) is float and not isfinite(number) for number in numbers):
        raise BrokenError(f"a number that is not finite: {found}")
    if text[found.start : found.end] != found.text or found.text != surface:
        raise BrokenError(f"{found} does not stand in the text")
    _must_be_a_quantity(*map(type, numbers), found.unit, found.kind, found.modifier, found.change)


@lru_cache(100_000)
def _must_be_a_quantity(value: type, low: type, high: type, *words: str | None) -> None:
    """Check a quantity against its schema, which asks only for the types of its numbers."""
    some = {int: 1, float: 1.5, type(None): None}
    names = ("value", "low", "high", "unit", "kind", "modifier", "change")
    fields = dict(zip(names, (some[value], some[low], some[high], *words), strict=True))
    must_keep_to(validator(RECORD, "quantity"), {"start": 0, "end": 1, "text": "1", **fields})


# ---- texts --------------------------------------------------------------------------------

_PIECES = (
    *"said told okafor Okafor ruiz she minister Minister norvale 40 12 percent about boats board "
    "Ines ines he the of and that harbour mines A$ $ € 1,200 forty two dozen million U.S.".split(),
    "“", "”", "‘", "’", '"', "'", "''", "``", "«", "»", "„", "…", "—", "–", "- ", ".", ",", "?!",
    "\n", "\n\n", "\r\n", "\t", " ", "\u00a0", "\u2028", "\x85", "\x00", "\ufeff", "\u200b",
    "\u202e", "\ud800", "\udc00", "\ufffd", "e\u0301", "İ", "ß", "ﬁ", "🙂", "👩‍🚀", "ا", "漢字",
    "<b>", "&amp;", "[SEP]", "[CLS]", "[PAD]", "<s>", "##ing", "%2F", "{", "}", "\\",
)  # fmt: skip
_TEXT = (*_PIECES, *(piece + " " for piece in _PIECES))


def make_texts(feed: Feed) -> list[str]:
    """Some texts that are read together."""
    return [feed.text(_TEXT, 30) for _ in range(12)]


@cache
def _extractor() -> Any:
    tiny = import_module("tests.tiny")
    extractor = import_module("claimx.extractor").Extractor
    return extractor.from_checkpoint(tiny.lexicon_checkpoint(), device="cpu", dtype="float32")


def check_texts(texts: list[str]) -> int:
    """Read some texts together."""
    found = _extractor().extract_many(texts)
    if len(found) != len(texts):
        raise BrokenError(f"{len(texts)} texts became {len(found)} records")
    for text, extraction in zip(texts, found, strict=True):
        if extraction.error is not None:
            raise BrokenError(f"{text!r} was not read: {extraction.error}")
        record = extraction.to_dict(with_text=True)
        if len(record["text"]) != len(text):
            raise BrokenError(f"{text!r} changed its length")
        must_keep_to(validator(RECORD, "reading"), record)
        offsets_must_hold({**record, "text": None}, record["text"])
    return len(texts)


# ---- time ---------------------------------------------------------------------------------

_SHORT, _TIMES = 20_000, 4  # characters; how often as long the long text is
_MOST = 1.75 * _TIMES  # times the time; what is linear takes _TIMES times as long
_IDLE = 0.2  # seconds of processor time that do not matter


def make_stretch(feed: Feed) -> str:
    """A stretch of text that is then repeated."""
    return feed.text(_TEXT + _SURFACES, 40)


def check_stretch(stretch: str) -> None:
    """Read the stretch over and over, and then four times as much, in about four times the time."""
    if not stretch:
        return
    short = stretch * (_SHORT // len(stretch) + 1)
    for _ in range(3):  # a busy machine may be slow once
        least, most = _seconds(short), _seconds(short * _TIMES)
        if most <= _MOST * least + _IDLE:
            return
    raise BrokenError(
        f"{len(short)} characters took {least:.2f} s, {_TIMES} times as many {most:.2f}"
    )


def _seconds(text: str) -> float:
    begun = process_time()
    found = _extractor()(text)
    if found.error is not None:
        raise BrokenError(f"not read: {found.error}")
    return process_time() - begun


TARGETS = (
    Target("quantities", "text", make_quantity, check_quantity, size=1024),
    Target("texts", "text", make_texts, check_texts, size=600, seconds=10.0),
    Target("growth", "text", make_stretch, check_stretch, size=100, seconds=120.0),
)
