"""Is a text English? A light check that needs no library and knows no other language."""

from __future__ import annotations

import re

_LOOKED_AT = 20_000  # characters
_ENOUGH_WORDS = 25
_ENOUGH_LETTERS = 50
# Share of the words below among all words, and of Latin letters among all letters.
_ENGLISH_SHARE = 0.08
_LATIN_SHARE = 0.6

# Common in English, and rare in the languages of the newspapers around it: no "in", "is", "was",
# "on", "a", "an", "as", "at", "for", "had", "he", "no", "or", "over", "under", which German, Dutch,
# French, Spanish, Portuguese, Italian, Swedish or Danish write as well.
_FUNCTION_WORDS = frozenset(
    """
    about after again against all also although and any are because been before being between both
    but by can could did does down during each even every few first from has have having here him
    his how if into it its just last like many might more most much must new not now of off one
    only other our out own said same say says she should since some still such than that the their
    them then there these they this those though through to told too two until up upon very we
    were what when where whether which while who whose why will with within without would yet you
    your
    """.split()
)
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z\xaa-\u024f\u1e00-\u1eff]")


def is_english(text: str) -> bool | None:
    """Say whether a text is English, from the share of English function words.

    Args:
        text: the text; its first 20,000 characters are looked at.

    Returns:
        None if the text is too short to say.
    """
    words = _WORD.findall(text[:_LOOKED_AT].lower())
    letters = "".join(words)
    if len(letters) >= _ENOUGH_LETTERS and len(_LATIN.findall(letters)) < _LATIN_SHARE * len(
        letters
    ):
        return False
    if len(words) < _ENOUGH_WORDS:
        return None
    share = sum(word in _FUNCTION_WORDS for word in words) / len(words)
    return share >= _ENGLISH_SHARE
