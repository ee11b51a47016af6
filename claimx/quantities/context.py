"""What the words around a quantity say about it: its modifier, ages, points and money."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_BEFORE, _AFTER = 60, 40  # characters looked at on either side
_FAR_BEFORE = 160  # and, inside its sentence, for the number it is compared with
# The end of a sentence or a line; a text that is wrapped goes on in lower case or with a number.
_SENTENCE = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]*[A-Z0-9])|(?<![a-z,])\n|\n(?![a-z0-9$£€(])")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|Lt|St|Jr|Sr|No|U\.S|vs|[A-Z])$")


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of a quantity.

    Args:
        before: up to 60 characters before it, inside its sentence, without the modifier.
        sentence: the same, up to 160 characters.
        after: up to 40 characters behind it, inside its sentence.
        wide: the same 60 and 40 characters across sentences, the quantity itself left out.
        modifier: the text of the modifier span, or "".
        measured: the text of the measured span, or "".
        measured_before: whether that span stands before the quantity.
    """

    before: str
    sentence: str
    after: str
    wide: str
    modifier: str
    measured: str
    measured_before: bool


def look_around(
    text: str,
    start: int,
    end: int,
    modifier: tuple[int, int] | None,
    measured: tuple[int, int] | None,
) -> Around:
    """Cut the surroundings of `text[start:end]` out of an article."""
    after = text[end : end + _AFTER]
    wide = f"{text[max(0, start - _BEFORE) : start]} {after}"
    sentence = _sentence_before(text[max(0, start - _FAR_BEFORE) : start + 1])
    before = sentence[-_BEFORE:]
    sentence_end = _SENTENCE.search(after)
    after = after[: sentence_end.start() + 1] if sentence_end else after
    bend = " ".join(text[slice(*modifier)][:_BEFORE].split()) if modifier else ""
    if modifier and modifier[1] <= start and modifier[0] >= start - _BEFORE:
        between = text[modifier[1] : start]
        before, sentence = (words[: modifier[0] - start] + between for words in (before, sentence))
    thing = text[measured[0] : measured[1]][:_BEFORE] if measured else ""
    measured_before = measured is not None and measured[0] < start
    spoken = " ".join(before.split("\n")), " ".join(sentence.split("\n"))
    return Around(*spoken, after, wide, bend, thing, measured_before)


def _sentence_before(text: str) -> str:
    """Return what stands before the last character of a text in its sentence."""
    cut = 0
    for match in _SENTENCE.finditer(text):
        if not _ABBREVIATION.search(text[: match.start()]):
            cut = match.end()
    return text[cut:-1]


# ---- modifier -----------------------------------------------------------------------------

# The first line that fits decides. A modifier span is asked as a whole; without one, the words
# that stand directly before or behind the quantity.
_MODIFIERS: tuple[tuple[str, str], ...] = (
    ("approximate", r"(?:plus|give) or (?:minus|take)|\+\s?/\s?-|±"),
    ("lower_bound", r"(?:no|not) (?:less|fewer|younger|smaller|shorter|lower) than"),
    ("exact", r"exactly|precisely|fully|a full|a whole|all of|no fewer and no more than"),
    ("range", r"between|anywhere from|in the range(?: of)?|from"),
    (
        "upper_bound",
        r"(?:no|not|never|nor|n't) (?:(?:\w+ ){0,2})(?:more|older|later|larger|longer|higher|"
        r"greater|bigger) than|not to exceed|or (?:less|fewer|under|younger|below|lower|sooner)|"
        r"and (?:under|younger|below)|up to|upto|as (?:much|many|high|large|long|late|early|tall|"
        r"big|old|far|deep|fast|great|heavy|often) as|at (?:the )?most|maximum(?: of)?|"
        r"a maximum of|(?:less|fewer|younger|smaller|shorter|lower|slower|cheaper|lighter) than|"
        r"under|below|within|inside|beneath|just (?:under|below)|short of|shy of|"
        r"as low as (?:under|below)|capped at|limited to|<|≤|by",
    ),
    (
        "lower_bound",
        r"at least|at a minimum|"
        r"or (?:more|over|older|above|longer|greater|better|higher)|and (?:over|older|above|up)|"
        r"more than|over|above|exceed\w*|surpass\w*|eclips\w*|"
        r"topp(?:ed|ing)|in excess of|upwards? of|"
        r"north of|beyond|(?:older|longer|larger|higher|greater|bigger|faster|taller|better|"
        r"heavier|farther|further) than|minimum(?: of)?|a minimum of|"
        r"as (?:low|little|few|small|short|young) as|plus|many|well over|>|≥|\+",
    ),
    (
        "approximate",
        r"plus or minus|about|around|roughly|approximate\w*|approx\.?|nearly|almost|some|close to|"
        r"estimat\w+|near|or so|circa|c\.|~|towards?|like|perhaps|maybe|probably|say|"
        r"give or take|on the order of|in the (?:region|neighbou?rhood|vicinity) of|virtually|"
        r"practically|barely|soon-to-be|just (?:shy|short) of|ish|an average of|"
        r"(?:or )?thereabouts|closer to|something like|of the order of|rough",
    ),
    ("exact", r"only|just|mere|merely|a mere|even|fully|a total of"),
)
_MODIFIER_PATTERNS = tuple(
    (name, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.I)) for name, words in _MODIFIERS
)
_NOT = re.compile(
    # "no other candidate for mayor scored", but "no candidate with (less than half)"
    r"(?:\b(?:not|never|nor|no|cannot)|n['’]t)(?:\s(?!(?:with|who|whose|that)\b)[\w-]+){0,5}\s*$",
    re.I,
)
_TURNED_ROUND = {"lower_bound": "upper_bound", "upper_bound": "lower_bound"}
# "added up to 30", "woke up to", "signed up to a": the verb has taken the "up"
_ADDS = re.compile(
    r"\b(?:add|wak|wok|sign|fac|stand|stood|liv|own|match|measur|hook|listen|edg|inch|tick|crept|nudg|went|gone|go|mov|shot|push|"
    r"driven|back)(?:e|es|s|ed|ing|en)?$",
    re.I,
)
_SHY = re.compile(r"(?:shy|short) of$", re.I)
_THAN = re.compile(r"^(?:more|less|fewer|higher|lower|larger|smaller|better|greater) than$", re.I)
# Without a modifier span, only words that can mean nothing else count.
_DIRECTLY_BEFORE = re.compile(
    r"(?:^|[\s(])(at least|(?:(?:no|not) )?(?:more|less|fewer) than|up to|"
    r"as (?:many|much|few|little) as|just (?:over|under|above|below)|well (?:over|above)|"
    r"about|around|roughly|approximately|nearly|almost|an? estimated|upwards? of|north of|some|"
    r"(?<!person )(?<!people )(?<!sources )(?<!source )close to|in excess of|capped at|"
    r"plus or minus|(?:surpass\w*|exceed\w*|eclips\w+|topp(?:ed|ing))(?:\sthe)?|~)"
    r"\s*(?:an?\s|over\s)?$",
    re.I,
)
# "has passed 300 million euros"; but "passed three laws"
PASSED = re.compile(r"\b(?:ha[sd]|have|to|will|would|could) (?:now )?pass(?:ed)?\s$", re.I)
_DIRECTLY_BEHIND = re.compile(r"^\s(or (?:more|less|fewer|older|younger|so)|and over)\b", re.I)


def modifier_of(around: Around, lead: str, kind: str | None) -> str:
    """Return exact, approximate, lower_bound, upper_bound or range.

    Args:
        around: the words around the quantity.
        lead: the words inside it that stand before its number ("nearly half").
        kind: the kind of quantity.
    """
    words = around.modifier or lead
    if not around.modifier and not any(fits.search(lead) for _, fits in _MODIFIER_PATTERNS):
        if kind in ("percent", "money") and PASSED.search(around.before):
            return "lower_bound"
        match = _DIRECTLY_BEFORE.search(around.before) or _DIRECTLY_BEHIND.search(around.after)
        if match is None:
            return "exact"
        words = match[1]
        if words.lower() == "up to" and _ADDS.search(around.before[: match.start()]):
            return "exact"
    if _SHY.search(words.strip()):
        return "approximate"
    for name, pattern in _MODIFIER_PATTERNS:
        if pattern.search(words):
            # "won't provide more than 3" is at most 3
            if _THAN.search(words) and _NOT.search(around.before):
                return _TURNED_ROUND[name]
            return name
    return "exact"


# ---- points, magnitudes, money ---------------------------------------------------------------

_QUAKE = re.compile(r"\b(?:earthquakes?|quakes?|magnitude|aftershocks?|tremors?|richter)\b", re.I)
_INDEX = re.compile(
    r"\b(?:dow|nasdaq|index|s&p|standard & poor|industrial average|industrials|ftse|nikkei|dax|"
    r"composite|hang seng|gauge|standings)\b",
    re.I,
)
_MARKET = re.compile(
    rf"{_INDEX.pattern}|\b(?:average|stocks?|shares|game|games|quarter|half-?time|scored?|scoring|"
    r"season|rebounds|touchdown|league|match|goals|benchmark|the break)\b",
    re.I,
)
_POLL = re.compile(
    r"\b(?:polls?|polling|survey\w*|percent(?:age)?|per cent|voters?|approval|"
    r"primary|caucus\w*|rating|turnout)\b|%",
    re.I,
)
_MONEY = re.compile(
    r"\b(?:spen[dt]\w*|pa(?:y|id|ys)|cost\w*|worth|invest\w*|donat\w*|profits?|fund\w*|tax\w*|"
    r"rais(?:e|ed|ing)|charity|foundation|revenues?|savings?|earn\w*|gifts?|debt|dollars|\$|"
    r"billionaires?|millionaires?|budget|pocket\w*|advertising|fortune)",
    re.I,
)
_SUM = re.compile(
    r"\b(?:loss|losses|profits?|turnover|revenues?|checks?|cheques?|salary|salaries|bonus|donations?|"
    r"pledges?|paychecks?)$",
    re.I,
)
_STERLING = re.compile(r"£|\bsterling\b|\bGBP\b|\bpence\b")
_MILLION, _THOUSANDS = 10**6, 2000
_WHOLE = 100  # percentage points are no more than that
# What is owed, paid or cost in pounds is money; so are pounds of debt.
_PAID = re.compile(
    r"\b(?:owe[sd]?|pa(?:y|ys|id)|costs?|worth|fined|earns?|earned|spent|raised|donated|charged|"
    r"borrowed|owing|salary|a fine)\s+(?:[a-z]+\s+){0,3}$"
)
_OF_DEBT = re.compile(
    r"\s+of\s(?:[a-z-]+\s)?(?:notes|bonds|gilts|debts?|shares|assets|cuts|savings|spending|funding|"
    r"investment|losses|loans|sales|orders|tax|taxes|aid|damages|fees|fines|compensation|revenue|"
    r"turnover|profit|income|taxpayers|public money)\b"
)
_CELSIUS = re.compile(r"\d\s?°?C\b|\b[Cc]elsius\b|\bcentigrade\b")
_FAHRENHEIT = re.compile(r"\d\s?°?F\b|\bFahrenheit\b")
_ANGLE = re.compile(
    r"^\s(?:north|south|east|west|latitude|longitude|of (?:arc|separation|freedom))|^-?\s?angle",
    re.I,
)


_COMPARISON = re.compile(
    r"^\s(?:as|the|that|those|this|his|her|its|their|what|more|less|fewer|better|worse|normal|too|"
    r"above|below|current|usual|pre-\w+|today['’]s|"
    r"last (?:year|month|quarter|season)['’]s|earnings|sales|profits?|revenues?|"
    r"average|[a-z]{2,}er)\b",
    re.I,
)
_MULTIPLIES = re.compile(r"\b(?:magnif|increas|multipl|grow|grew|rose|risen|size)", re.I)


def times_kind(surface: str, value: Decimal | None, around: Around) -> str:
    """Tell "twice as many" (multiple) from "passed the Senate twice" (count)."""
    if value is not None and value % 1:
        return "multiple"
    often = r"\b(?:twice|thrice|once|times)(?P<rate> (?:an?|per|each|every) \w+)?$"
    times = re.search(often, surface.strip(), re.I)
    if times is None:
        return "multiple"
    if times["rate"]:
        return "count"
    if _COMPARISON.match(around.after) or _MULTIPLIES.search(around.before):
        return "multiple"
    return "count"


def is_magnitude(around: Around, value: Decimal | None) -> bool:
    """Whether a bare number with a decimal point is the magnitude of an earthquake."""
    return (
        value is not None
        and 0 < value < 11
        and int(value.as_tuple().exponent) < 0
        and bool(_QUAKE.search(f"{around.wide} {around.measured}"))
    )


def is_index(around: Around, value: Decimal | None) -> bool:
    """Whether a bare number is the level of a stock index."""
    return value is not None and value > 100 and bool(_INDEX.search(around.measured))


def is_market_point(around: Around, value: Decimal | None) -> bool:
    """Whether "points" are those of an index or a game, not of a percentage."""
    if value is not None and abs(value) > _WHOLE:
        return True
    words = f"{around.wide} {around.measured}"
    if _POLL.search(words) and not _INDEX.search(words):
        return False
    return bool(_MARKET.search(words))


def is_sterling(around: Around, value: Decimal | None, *, vague: bool) -> bool:
    """Whether "pounds" are money: "24 million pounds", but not "20 million pounds of gas".

    Args:
        around: the words around the quantity.
        value: its value, or the low end of a vague number.
        vague: whether it is vague: "thousands of pounds" are money.
    """
    if re.match(r"\s+of\b", around.after) and not _OF_DEBT.match(around.after):
        return False
    if value is not None and value >= (_THOUSANDS if vague else _MILLION):
        return True
    return bool(_STERLING.search(around.wide) or _PAID.search(around.before))


def is_euro_cent(around: Around) -> bool:
    """Whether the cents are the euro's: it stands beside them and no dollar does."""
    words = f"{around.sentence} {around.after}"
    return bool(re.search(r"€|\beuros?\b", words)) and not re.search(r"\$|\bdollars?\b", words)


def is_celsius(around: Around) -> bool:
    """Whether bare degrees are Celsius: the words around name that scale alone."""
    words = f"{around.sentence} {around.after}"
    if _ANGLE.match(around.after) or _FAHRENHEIT.search(words):
        return False
    return _CELSIUS.search(words) is not None


_TEMPERATURE = re.compile(
    r"\b(?:temperatures?|mercury|thermometers?|degrees|celsius|fahrenheit|heatwave)\b", re.I
)
_THEIRS = re.compile(r"\b(?:his|her|their|my|aged?)\s$", re.I)


def is_temperature(around: Around) -> bool:
    """Whether a decade is one of degrees: "temperatures in the (mid-30s)"."""
    words = f"{around.sentence} {around.after} {around.measured}"
    return bool(_TEMPERATURE.search(words)) and not _THEIRS.search(around.before)


def is_factor(around: Around) -> bool:
    """Whether a number multiplies: "grown by a factor of (34)"."""
    return re.search(r"\bfactors? of\s*$", around.before) is not None


def is_sum(around: Around, value: Decimal | None) -> bool:
    """Whether what is measured can only be money: "a 107 million loss"."""
    return value is not None and value >= 1000 and bool(_SUM.search(around.measured))


def is_vague_money(around: Around) -> bool:
    """Whether "millions" alone, with nothing counted, are sums of money."""
    if re.match(r"\W*\s+of\b", around.after):
        return False
    if re.search(r"\bworth\s*$", around.before) or _MONEY.search(around.measured):
        return True
    return not around.measured and bool(_MONEY.search(f"{around.before} {around.after}"))


_ELLIPTICAL = re.compile(
    r"^\s*(?:to|or|and|-|–|versus)\s*(?:about\s|just\s|only\s|nearly\s)?"
    r"(?P<number>\d[\d,.]*)(?P<rest>\s?[a-z%°]{1,12}(?:\s[a-z]{1,12}){0,2})",
    re.I | re.ASCII,
)


def following_number(around: Around) -> tuple[str, str] | None:
    """Return the number and the words behind it in "(46) to 40 percent", or None."""
    match = _ELLIPTICAL.match(around.after)
    if match is None or re.match(r"\s?in\b", match["rest"]):  # "(71) to 148 in seven days"
        return None
    return match["number"], match["rest"]
