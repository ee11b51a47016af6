"""Numbers in words and digits: where they stand in a short text, and their exact value.

A bounded grammar over `Decimal`: number words, digits, fractions, scales, "two and a half million"
and "tens of thousands". No text can make it slow; no value is NaN or infinite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from claimx.quantities.decimals import ONE, add, divide, multiply, shift

LONGEST_TEXT = 200  # characters of one surface; no quantity in news comes near it
LONGEST_DIGITS = 20  # digits in one number
_LARGEST_POWER = 30  # of ten
_MOST_SCALES = 3  # scale words in a row: "a million million million"


@dataclass(frozen=True, slots=True)
class ReadNumber:
    """A number found in a text.

    Args:
        start: first character in the text that was searched.
        end: one past its last character.
        value: its value; None for a vague number and for one that cannot be read.
        low: what a vague number at least means ("dozens" = 24).
        scale: the scale words that close it, multiplied ("5 million" = 1000000), else 1.
        fraction: whether it is written as a part of one: "two-thirds", "1/2", "half".
        article: whether it is only the "a" of "a year".
    """

    start: int
    end: int
    value: Decimal | None
    low: Decimal | None = None
    scale: Decimal = ONE
    fraction: bool = False
    article: bool = False

    @property
    def unread(self) -> bool:
        """Whether there is a number that could not be read."""
        return self.value is None and self.low is None


_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "quadrillion": 10**15, "quintillion": 10**18, "dozen": 12, "grand": 1000, "lakh": 10**5,
    "crore": 10**7,
}  # fmt: skip
# Behind digits. A single lower-case letter is a scale only beside money; else it means metres.
_SHORT_SCALES = {
    "mln": 10**6, "mn": 10**6, "mil": 10**6, "mio": 10**6, "bln": 10**9, "bn": 10**9,
    "tln": 10**12, "trn": 10**12, "tn": 10**12, "k": 1000, "K": 1000,
    "M": 10**6, "B": 10**9, "T": 10**12,
}  # fmt: skip
_MONEY_SCALES = {"m": 10**6, "b": 10**9, "t": 10**12, "mm": 10**6}
_VAGUE_WORDS = {
    "tens": 10, "scores": 20, "dozens": 12, "hundreds": 10**2, "thousands": 10**3,
    "millions": 10**6, "billions": 10**9, "trillions": 10**12,
}  # fmt: skip
_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "ninteen": 19,
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_PARTS = {
    "half": 2, "halve": 2, "quarter": 4, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
    "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
    "eighteenth": 18, "nineteenth": 19, "twentieth": 20,
}  # fmt: skip
# As in "a millionth"; nobody writes "three and two millionths".
_SMALL_PARTS = {
    "hundredth": 100, "thousandth": 1000, "millionth": 10**6, "billionth": 10**9,
    "trillionth": 10**12,
}  # fmt: skip


def _any_of(words: Iterator[str] | dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_GAP = r"(?:\s*-\s*|\s+)"
_UNIT, _TEEN, _TENS = (
    f"(?:{_any_of(word for word, value in _NUMBERS.items() if value in values)})"
    for values in (range(1, 10), (0, *range(10, 20)), range(20, 100))
)
_SMALL = rf"(?:{_TENS}(?:{_GAP}?{_UNIT}\b)?|{_TEEN}|{_UNIT})\b"
_NUMBER_WORD = re.compile(rf"{_any_of(_NUMBERS)}|hundred|[0-9]")
_SCALE_WORDS = _any_of(_SCALES)
_PART_WORDS = rf"(?P<part>{_any_of(_PARTS)}|{_any_of(_SMALL_PARTS)})s?\b"

# "two hundred and fifty-three"; the scale behind it is read apart.
_GROUP = re.compile(
    rf"\b{_SMALL}(?:{_GAP}hundred\b(?!{_GAP}hundred)"
    rf"(?:{_GAP}(?:and{_GAP})?{_SMALL}(?!{_GAP}hundred\b))?)?"
    rf"|\b(?:an?{_GAP})?hundred\b(?:{_GAP}(?:and{_GAP})?{_SMALL}(?!{_GAP}hundred\b))?",
    re.I,
)
_DIGITS = re.compile(
    r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!,?\d)(?:\.\d+)?"  # 1,234,567.8 and Indian 1,26,976
    r"|\d{1,3}(?: \d{3})+(?![\d,])(?:\.\d+)?"  # 1 234 567
    r"|\d+,\d{1,2}(?![\d,])"  # a decimal comma
    r"|\d+(?:,\d+)+"  # wrongly grouped: not read
    r"|\d+(?:\.\d+)?|\.\d+)",
    re.ASCII,
)
_POWER = re.compile(r"\s*[x×]\s*10\s?(?:\^\s?|(?=-))(-?\d{1,2})(?![\d^])", re.ASCII)
# Arithmetic, exponents and version numbers are no quantities that we read.
_STRANGE = re.compile(r"\s*(?:\*\*?|\^|[x×])\s*[\d(]|\.\d|e[+-]?\d", re.ASCII | re.I)
_GLUED = {"2": 2, "3": 3, "4": 4, "8": 8}
_SLASH = re.compile(r"\s?/\s?(\d{1,9})(?![\d/])", re.ASCII)
_DIGIT_FRACTION = re.compile(r"(?:\s+|-)(?:and\s+)?(\d{1,4})/(\d{1,4})(?![\d/])", re.ASCII)
_WORD_SCALE = re.compile(rf"(?:\+?(?:{_GAP}(?:odd|plus))?{_GAP}|(?<=\d))({_SCALE_WORDS})s?\b", re.I)
_BARE_SCALE = re.compile(rf"\b(?:an?{_GAP})?({_SCALE_WORDS})\b", re.I)
_SHORT_SCALE = re.compile(
    rf"\s?({_any_of(_SHORT_SCALES | _MONEY_SCALES)})(?=$|[^\w/²³]|[-+])", re.I
)
_COUNTED = re.compile(  # in millions, where "5m" is not metres
    r"[\s-](?:people|strong|viewers|users|customers|households|homes|jobs|vot(?:es|ers)|tonnes|tons|barrels|"
    r"children|workers|copies|subscribers|visitors|passengers|followers|doses|cases|residents|"
    r"members|students|acres|hectares|litres|shares|euros?|pounds?|dollars?|Americans|adults)\b"
)
_PART = re.compile(rf"{_GAP}{_PART_WORDS}", re.I)
_BARE_PART = re.compile(rf"\b(?:(?:an?|the|one){_GAP}{_PART_WORDS}|(?P<only>half|quarter)\b)", re.I)
_AND_PART = re.compile(
    rf"{_GAP}and{_GAP}(?P<count>an?|{_UNIT}){_GAP}(?P<part>{_any_of(_PARTS)})s?\b", re.I
)
_POINT = re.compile(rf"{_GAP}point((?:{_GAP}(?:{_UNIT}|zero|oh|\d)\b){{1,9}})", re.I | re.ASCII)
_OF_SCALE = re.compile(rf"{_GAP}(?:of{_GAP})?(?:an?{_GAP})?({_SCALE_WORDS})\b", re.I)
_OF_NUMBER = re.compile(rf"{_GAP}of{_GAP}(?=\d|{_UNIT}\b)", re.I | re.ASCII)
_JOIN = re.compile(rf"{_GAP}(?:and{_GAP})?", re.I)
_COMMA = re.compile(rf",?{_GAP}(?:and{_GAP})?", re.I)
_VAGUE = re.compile(
    rf"\b({_any_of(_VAGUE_WORDS)})\b((?:\s+(?:of|and|upon)\s+(?:{_any_of(_VAGUE_WORDS)}"
    r"|hundred|thousand|million|billion)\b){0,5})",
    re.I,
)
_SEVERAL = re.compile(
    rf"\b(?:several|(?:an?\s+)?few|(?<!as )many|multi)(?:{_GAP}(?:an?\s+)?(?P<scales>"
    rf"(?:{_SCALE_WORDS}|tens)s?\b(?:\s+(?:of\s+)?(?:{_SCALE_WORDS})s?\b)?))?",
    re.I,
)
_PAIR = re.compile(r"\b(?:an?\s+)?(?:couple|pair)\b(?:\s+of\b)?", re.I)
_ARTICLE = re.compile(r"(?:^|(?<=[\s$]))an?\b(?=\s|-)", re.I)


def counts_in_millions(after: str) -> bool:
    """Whether the text behind a "5m" shows that it means five million, not five metres."""
    return _COUNTED.match(after) is not None


def find_numbers(text: str, *, money: bool = False) -> tuple[ReadNumber, ...]:
    """Find the numbers of a short text, from left to right.

    Args:
        text: the surface of a quantity, at most `LONGEST_TEXT` characters.
        money: whether the text names a currency, so that "5m" means five million.

    Raises:
        ValueError: if the text is longer than that.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a surface of {len(text)} characters; at most {LONGEST_TEXT} are read")
    found: list[ReadNumber] = []
    position = 0
    for match in _START.finditer(text):
        if match.start() < position:
            continue
        number = _read_number(text, match.start(), money)
        if number is not None:
            found.append(number)
            position = number.end
    return tuple(found)


# Where a number may begin; what stands there decides the rest.
_START = re.compile(
    # not the exponent of "km2" or "m^3"
    rf"(?<![\d.,^])(?!(?<=[a-z])[23](?![\d.,]|\s?(?:in|lb|oz)\b))\.?\d|\b(?:{_SMALL}|{_SCALE_WORDS}|{_any_of(_VAGUE_WORDS)}"
    r"|half|quarter|an?|several|few|many|multi|couple|pair)\b",
    re.I | re.ASCII,
)


def _read_number(text: str, start: int, money: bool) -> ReadNumber | None:
    """Read the number that begins at `start`: the first of the readers that fits."""
    number = _read_vague(text, start) or _read_part(text, start, money)
    number = number or _read_exact(text, start, money)
    if number is not None:
        return number
    pair = _PAIR.match(text, start)
    if pair:
        scale = _OF_SCALE.match(text, pair.end())
        factor = Decimal(_SCALES[scale[1].lower()]) if scale else ONE
        end = scale.end() if scale else pair.end()
        return ReadNumber(start, end, multiply(Decimal(2), factor), scale=factor)
    article = _ARTICLE.match(text, start)
    return ReadNumber(start, article.end(), ONE, article=True) if article else None


def _read_vague(text: str, start: int) -> ReadNumber | None:
    """Read "dozens", "tens of thousands", "several hundred", "a few"."""
    match = _VAGUE.match(text, start)
    if match:
        first = match[1].lower()
        low = Decimal(2 * _VAGUE_WORDS[first])
        for word in re.findall(rf"of\s+(?:{_any_of(_VAGUE_WORDS)}|\w+)", match[2], re.I):
            low = multiply(low, Decimal(_SCALES.get(word.split()[1].lower().rstrip("s"), 1)))
        return ReadNumber(start, match.end(), None, low)
    match = _SEVERAL.match(text, start)
    if match is None:
        return None
    low = Decimal(2)
    for word in re.findall(r"[a-z]+", (match["scales"] or "").lower()):
        low = multiply(low, Decimal(10 if word == "tens" else _SCALES.get(word.rstrip("s"), 1)))
    return ReadNumber(start, match.end(), None, low)


def _read_part(text: str, start: int, money: bool) -> ReadNumber | None:
    """Read "half", "a third", "half a million", "a quarter of a million"."""
    match = _BARE_PART.match(text, start)
    if match is None:
        return None
    part = _part_of_one(match["part"] or match["only"])
    return _finish_part(text, start, match.end(), part, money)


def _finish_part(
    text: str, start: int, end: int, value: Decimal | None, money: bool
) -> ReadNumber | None:
    """Take in what a part is a part of: "(half) a million", "(one-eighth) of 1 percent"."""
    if value is None:
        return None
    scale, fraction = ONE, True
    while (match := _OF_SCALE.match(text, end)) and scale < 10**18:
        scale = multiply(scale, Decimal(_SCALES[match[1].lower()]))
        end, fraction = match.end(), False
    whole = _OF_NUMBER.match(text, end) if fraction else None
    if whole and (number := _read_exact(text, whole.end(), money)) and number.value is not None:
        return ReadNumber(start, number.end, multiply(value, number.value))
    return ReadNumber(start, end, multiply(value, scale), scale=scale, fraction=fraction)


def _read_exact(text: str, start: int, money: bool) -> ReadNumber | None:
    """Read digits or number words with their scales: "1.5 million", "two thousand and six"."""
    term = _read_term(text, start, money)
    if term is None or term.unread or term.fraction or term.value is None:
        return term
    total, end, ceiling = term.value, term.end, term.scale
    # Smaller terms may follow; "five thousand and six thousand" is two numbers.
    while ceiling > 1 and (join := (_COMMA if ceiling > 100 else _JOIN).match(text, end)):
        following = _read_term(text, join.end(), money)
        if following is None or following.value is None or following.fraction:
            break
        digits = text[join.end()].isdigit()
        if following.value >= ceiling or (digits and (following.scale == 1 or join[0].strip())):
            break
        total, end, ceiling = add(total, following.value), following.end, following.scale
    return ReadNumber(start, end, total, scale=term.scale)


def _read_term(text: str, start: int, money: bool) -> ReadNumber | None:
    """Read one factor with its fraction and scales: "two and a half million", "$3.2bn"."""
    atom = _read_atom(text, start)
    if atom is None or atom.value is None:
        return atom
    if atom.fraction:
        return _finish_part(text, start, atom.end, atom.value, money)
    value, end = atom.value, atom.end
    part = _PART.match(text, end)
    if part:
        share = multiply(value, _part_of_one(part["part"]))
        return _finish_part(text, start, part.end(), share, money)
    scale = atom.scale
    value, end = _add_fraction(text, end, value, scale)
    for _ in range(_MOST_SCALES):
        factor, after = _read_scale(text, end, money)
        if factor == 1:
            break
        value, scale, end = multiply(value, factor), multiply(scale, factor), after
    if scale > 1:
        value, end = _add_fraction(text, end, value, scale)
    return ReadNumber(start, end, value, scale=scale)


def _read_atom(text: str, start: int) -> ReadNumber | None:
    """Read a number without its scale: digits, a group of words, or a bare scale word."""
    digits = _DIGITS.match(text, start)
    if digits:
        return _read_digits(text, start, digits)
    words = _GROUP.match(text, start)
    if words:
        value = _read_words(words[0])
        point = _POINT.match(text, words.end())
        if point is None:
            scale = Decimal(100) if words[0].lower().endswith("hundred") else ONE
            return ReadNumber(start, words.end(), value, scale=scale)
        for place, digit in enumerate(re.findall(r"[a-z]+|\d", point[1].lower()), 1):
            value = add(value, shift(_read_words(digit), -place))
        return ReadNumber(start, point.end(), value)
    bare = _BARE_SCALE.match(text, start)
    if bare:
        factor = Decimal(_SCALES[bare[1].lower()])
        return ReadNumber(start, bare.end(), factor, scale=factor)
    return None


def _read_digits(text: str, start: int, digits: re.Match[str]) -> ReadNumber:
    end, written = digits.end(), digits[0].replace(" ", "")
    if re.fullmatch(r"\d+,\d{1,2}", written):
        written = written.replace(",", ".")
    elif "," in written and not re.search(r",\d{3}(?:\.\d+)?$", written):
        return ReadNumber(start, end, None)
    written = written.replace(",", "")
    if len(written.replace(".", "")) > LONGEST_DIGITS:
        return ReadNumber(start, end, None)
    value = Decimal(written)
    power = _POWER.match(text, end)
    if power and abs(int(power[1])) <= _LARGEST_POWER:
        return ReadNumber(start, power.end(), shift(value, int(power[1])))
    if _STRANGE.match(text, end):
        return ReadNumber(start, len(text), None)
    mixed = _DIGIT_FRACTION.match(text, end)
    if mixed and "." not in written and (added := divide(Decimal(mixed[1]), Decimal(mixed[2]))):
        return ReadNumber(start, mixed.end(), add(value, added))
    slash = _SLASH.match(text, end)
    if slash and len(written) > 1 and written.isdigit() and (part := _GLUED.get(slash[1])):
        whole, above = divmod(int(written), 10)
        if 0 < above < part:  # typesetting lost a space: "41/2 years" are 4 1/2
            rest = divide(Decimal(above), Decimal(part)) or ONE
            return ReadNumber(start, slash.end(), add(Decimal(whole), rest))
    if slash:
        quotient = divide(value, Decimal(slash[1]))
        return ReadNumber(start, slash.end(), quotient, fraction=True)
    return ReadNumber(start, end, value)


def _read_scale(text: str, end: int, money: bool) -> tuple[Decimal, int]:
    match = _WORD_SCALE.match(text, end)
    if match:
        return Decimal(_SCALES[match[1].lower()]), match.end()
    match = _SHORT_SCALE.match(text, end) if text[end - 1].isdigit() else None
    if match:
        counted = money or _COUNTED.match(text, match.end())
        table = _SHORT_SCALES | _MONEY_SCALES if counted else _SHORT_SCALES
        word = match[1] if match[1] in table else match[1].lower()
        if word in table:
            return Decimal(table[word]), match.end()
    return ONE, end


def _add_fraction(text: str, end: int, value: Decimal, scale: Decimal) -> tuple[Decimal, int]:
    """Take in "and a half" behind a number; it is a half of the scale, if there is one."""
    match = _AND_PART.match(text, end)
    if match is None:
        return value, end
    count = ONE if match["count"].lower() in {"a", "an"} else _read_words(match["count"])
    part = _part_of_one(match["part"])
    return add(value, multiply(multiply(count, part), scale)), match.end()


def _part_of_one(name: str) -> Decimal:
    """Return the value of one part: "third" = 1/3."""
    return divide(ONE, Decimal((_PARTS | _SMALL_PARTS)[name.lower()])) or ONE


def _read_words(words: str) -> Decimal:
    """Read a group of number words, or a digit: "two hundred and fifty-three"."""
    value, counted = 0, False
    for word in _NUMBER_WORD.findall(words.lower()):
        if word == "hundred":
            value = (value if counted else 1) * 100
        else:
            value += int(word) if word.isdigit() else _NUMBERS[word]
        counted = True
    return Decimal(value)
