"""Whether a number is somebody's age: "At 54, she", "a man of 34", "voters under 30"."""

from __future__ import annotations

import re
from decimal import Decimal

from claimx.quantities.context import Around

_AGE_BEFORE = re.compile(
    r"(?:\bage[ds]?(?:\s(?:of|at|from|between|group))?|\byears? of age|"
    r"\bage\s*:|\baged\s(?:[\w-]+,?\s(?:and\s)?){1,6})\s*(?:only|just|about|the)?\s*$",
    re.I,
)
_AGE_NAME = re.compile(
    r"(?:[A-Z][\w.'’-]+|[A-Z]\w+[\"”’]|\b(?:son|daughter|wife|husband|brother|sister|man|woman|"
    r"mother|father|boy|girl|victim|driver|teenager|student|sons|daughters|children))\s?[,(]\s?$"
)
_AGE_VERB = re.compile(
    r"\b(?:(?:[Hh]e|[Ss]he|who|I|(?!(?:It|There|That|This|What|Each|Total)\b)[A-Z]\w+),? "
    r"(?:was|is|am|will be|would (?:have been|be|turn)|had been|turn(?:s|ed)?|will turn)"
    r"|(?:[Hh]e|[Ss]he|who|I)['’](?:s|m|ll be)|turning)\s"
    r"(?:only\s|just\s|now\s|nearly\s|almost\s)?$"
    r"|(?i:\b(?:die[sd]|dead|killed|born|university|college|married|retire[sd]?)\b[^,;]{0,40}\bat\s$)"
)
# "a man of 34", but "a mother of four"
_AGE_OF = re.compile(
    r"\b(?:an?|the|one|this|that|another)\s(?:[\w-]+\s){0,2}(?:man|woman|boy|girl|lad|lady|youth|"
    r"child|baby|toddler|teenager|pensioner|widow|widower|gentleman|colleague|person)\sof\s$",
    re.I,
)
# "At 54, she has", "At 54 Ines Okafor has"
_AGE_AT = re.compile(r"^\W{0,2}At (?:just |only )?$")
_AGE_AT_BEHIND = re.compile(r"^,?\s(?:he|she|I|they|[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+)*)\s[a-z]+")
_AGE_PERSON = re.compile(r"\b(?:was|were|is|been|at|are)\s(?:only\s|just\s)?$")
_ORDERS_AT = re.compile(r"^[A-Z][a-z]+s .*\b(?:stand|stood|are|were|remain\w*)(?: still)? at\s$")
_PERSON = re.compile(r"^(?:[Hh]e|[Ss]he|I|[Ww]ho|they|[A-Z]\S+(?:\s[A-Z]\S+)*)$")
_NAMES_BOTH = re.compile(r"[A-Z][\w'’-]+ and (?:[A-Z][\w.'’-]+\s?){1,3}, (?:\d\d? and )?$")
_BETWEEN_COMMAS = re.compile(r"\b[a-z]{3,}, $")
_NEXT_AGE = re.compile(r"^[,.)]| and \d\d?\b")
_SEVERAL = re.compile(r"(?:(?<!s)s|men|people|children|number|total|toll)$")
_CHILD = 4  # smaller numbers between commas are rather counts
_ENDS = re.compile(
    r"^\s?(?:[,).;!?]|\band\b|\bor\b|when\b|$)|^\s(?:as well|too|now|in|on|next|this|last|today)\b"
)
_YOUNG = re.compile(r"\b(?:under|over|below|above|between|older|younger)\b", re.I)
_YOUNGER = re.compile(r"\b(?:older|younger)\b", re.I)
_PEOPLE = re.compile(
    r"\b(?:voters|people|children|adults|women|men|americans|those|kids|minors|patients|everyone|"
    r"anyone|persons|youths?|teens?|girls?|boys?|child|residents|citizens|islanders|students|"
    r"workers|drivers|respondents|players)\b",
    re.I,
)


def is_age(around: Around, value: Decimal | None) -> bool:
    """Whether a bare number is somebody's age."""
    if value is None or not 0 < value < 125 or around.after.startswith(" aged"):
        return False
    if _AGE_BEFORE.search(around.before):
        return True
    counts = around.measured and not around.measured_before
    if not counts and _AGE_OF.search(around.before):
        return True
    if not counts and value > _CHILD and _AGE_AT.match(around.before):
        return _AGE_AT_BEHIND.match(around.after) is not None
    named = _AGE_NAME.search(around.before) and re.match(r"^\s?[,).;]|^$", around.after)
    if named or (_AGE_VERB.search(around.before) and _ENDS.match(around.after)):
        return True
    person = around.measured_before and _PERSON.match(around.measured)
    if person and _ORDERS_AT.search(f"{around.measured} {around.before}"):
        return False
    ends = _ENDS.match(around.after) or re.match(r"\sthe\b", around.after)
    if person and _AGE_PERSON.search(around.before) and ends:
        return True
    if _NAMES_BOTH.search(around.before) and _NEXT_AGE.match(around.after):
        return True
    apposed = around.measured_before and around.after.startswith(", ") and value > _CHILD
    if apposed and _BETWEEN_COMMAS.search(around.before) and not _SEVERAL.search(around.measured):
        return True
    if _YOUNGER.search(around.modifier) or (
        around.modifier and re.match(r"[\s-]age(?:s|d)?\b", around.after)
    ):
        return True
    return bool(
        _YOUNG.search(around.modifier)
        and not re.search(r"\bfor\s*$", around.before)
        and (around.measured_before or not around.measured)
        and _PEOPLE.search(around.measured or around.before)
    )


_AGE_UNITS_BEFORE = re.compile(
    r"\b(?:aged?|ages|age groups?)\s(?:of\s)?[(]?(?:[\w-]+ months?(?:,| and)\s)*$"
)
_AGE_UNITS_BEHIND = re.compile(
    r"^[\s-](?:of age|old)\b|^\s(?:toddlers?|children|infants?|babies|baby|kids?)\b", re.I
)


def is_age_in_units(around: Around) -> bool:
    """Whether years or months are somebody's age: "aged 24 months", "5 years of age"."""
    return bool(_AGE_UNITS_BEFORE.search(around.before) or _AGE_UNITS_BEHIND.match(around.after))
