"""A readable view of an extraction for the terminal.

Made to be read at 80 columns and without colour: every distinction is said in words, colour and
weight only help the eye. Text from articles is shown on one line and without control or
direction characters, so that no article can steer the terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from claimx.types import Claim, Extraction, Number, Person, Quantity, Quote, Span, Speaker

_MODIFIERS = {"approximate": "about", "lower_bound": "at least", "upper_bound": "at most"}
_CHANGES = {"up": "up", "down": "down", "from": "from", "to": "to"}
_NOBODY = "no source named"
_UNIT = re.compile(r"(?P<before>.*?)(?P<noun>degree|\S+)(?P<after>(?: (?:per|of|[CF]\S+) ?.*)?)")
_PLURALS = {
    "foot": "feet",
    "inch": "inches",
    "century": "centuries",
    "millennium": "millennia",
    "percent": "percent",
    "per mille": "per mille",
    "horsepower": "horsepower",
    "lux": "lux",
    "stone": "stone",
    "head": "head",
    "person": "people",
}


def print_extraction(extraction: Extraction, console: Console) -> None:
    """Print the readable view of one article.

    Args:
        extraction: what was found.
        console: where to; its width and colours are used.
    """
    console.print(view(extraction), highlight=False)


def view(extraction: Extraction) -> RenderableType:
    """Build the readable view of one article, ready for a rich console."""
    parts: list[RenderableType] = [_heading(extraction)]
    if extraction.error is not None:
        parts.append(Text(clean(extraction.error.message), style="red"))
    elif not (extraction.quotes or extraction.claims or extraction.people):
        parts.append(Text("no quotes, claims or people found", style="dim"))
    else:
        sections = (
            ("Quotes", _quotes(extraction.quotes)),
            ("Claims", _claims(extraction)),
            ("People", _people(extraction.people)),
        )
        for title, body in sections:
            if body is not None:
                parts += [Text(), Text(title, style="bold"), body]
    if extraction.notes:
        parts += [Text(), *(Text(f"note: {clean(note)}", style="dim") for note in extraction.notes)]
    return Group(*parts, Text())


def clean(text: str) -> str:
    """Make article text safe and short for a terminal: white space runs become one space."""
    return "".join(
        "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") else character
        for character in " ".join(text.split())
        if character not in _DIRECTION_MARKS
    )


_DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def _heading(extraction: Extraction) -> RenderableType:
    title = Text(clean(extraction.id), style="bold cyan")
    return Group(Rule(title, align="left", style="cyan", characters="─"), _facts(extraction))


def _facts(extraction: Extraction) -> Text:
    counts = (
        (len(extraction.quotes), "quote"),
        (len(extraction.claims), "claim"),
        (len(extraction.people), "person"),
    )
    words = [f"{count} {noun if count == 1 else _plural(noun)}" for count, noun in counts]
    if extraction.model:
        words.append(clean(extraction.model))
    if extraction.attribution not in (None, "reported"):
        words.append(f"{extraction.attribution} attribution")
    return Text(" · ".join(words) if extraction.error is None else "not read", style="dim")


def _plural(noun: str) -> str:
    if noun.isupper() or noun.endswith("hertz"):  # a currency's code
        return noun
    return _PLURALS.get(noun, noun + "s")


# ---- quotes -------------------------------------------------------------------------------


def _quotes(quotes: tuple[Quote, ...]) -> RenderableType | None:
    """Quotes in the order of the text; the speaker is named where the speaker changes."""
    if not quotes:
        return None
    parts: list[RenderableType] = []
    table = _quote_table()
    last: str | None = ""
    for quote in quotes:
        source = quote.speaker.source if quote.speaker else None
        if source != last:
            table = _quote_table()
            parts += [Padding(_speaker_line(quote.speaker), (0, 0, 0, 2)), table]
        last = source
        text = ("… " if quote.continues else "") + clean(quote.text)
        table.add_row(Text(quote.kind, style="dim"), Text(text), _score(quote.score))
    return Group(*parts)


def _quote_table() -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=12, justify="right")
    table.add_column(ratio=1)
    table.add_column(width=4, justify="right")
    return table


def _speaker_line(speaker: Speaker | None) -> Text:
    if speaker is None:
        return Text(_NOBODY, style="italic")
    line = Text(_who(speaker), style="bold green")
    if described := _described(speaker.roles, speaker.affiliations):
        line.append(f" · {described}", style="not bold default")
    if speaker.name and clean(speaker.name) not in clean(speaker.text):
        line.append(f" (“{clean(speaker.text)}”)", style="not bold dim")
    return line


def _who(speaker: Speaker | None) -> str:
    return _NOBODY if speaker is None else clean(speaker.name or speaker.text)


def _described(roles: Iterable[Span], affiliations: Iterable[Span]) -> str:
    return " · ".join(filter(None, (listed(roles), listed(affiliations))))


def listed(spans: Iterable[Span]) -> str:
    """Join the surfaces with commas, each once whatever its case."""
    seen: dict[str, str] = {}
    for span in spans:
        seen.setdefault(clean(span.text).casefold(), clean(span.text))
    return ", ".join(seen.values())


def _score(score: float) -> Text:
    return Text(f"{score:.2f}", style="dim")


# ---- claims -------------------------------------------------------------------------------


def _claims(extraction: Extraction) -> RenderableType | None:
    if not extraction.claims:
        return None
    speakers = {quote.id: quote.speaker for quote in extraction.quotes}
    table = _table("Claim", "Value", "Of what", "Claimed by")
    for claim in extraction.claims:
        table.add_row(
            Text(_short(clean(_stated(claim)))),
            Text(normal_form(claim.quantity)),
            Text(clean(claim.measured.text) if claim.measured else "–"),
            Text(_claimed_by(claim, speakers)),
        )
    return table


def _stated(claim: Claim) -> str:
    """The quantity as the text states it; what it measures has a column of its own."""
    modifier = claim.modifier
    if modifier is None:
        return claim.quantity.text
    words = [modifier.text, claim.quantity.text]
    return " ".join(words if modifier.start < claim.quantity.start else reversed(words))


def _short(text: str, most: int = 120) -> str:
    """Cut an endless surface; the record has it whole."""
    return text if len(text) <= most else f"{text[: most - 41].rstrip()} … {text[-38:].lstrip()}"


def _claimed_by(claim: Claim, speakers: dict[str, Speaker | None]) -> str:
    """Name who claims it; a number outside every quote is the writer's own."""
    return "–" if claim.quote is None else _who(speakers.get(claim.quote))


def normal_form(quantity: Quantity) -> str:
    """Say the normal form of a quantity in words: ``up at least 2.3 million USD``."""
    if quantity.value is None and quantity.low is None and quantity.high is None:
        return "not read"
    words = (
        _CHANGES.get(quantity.change),
        _MODIFIERS.get(quantity.modifier),
        _with_unit(_numbers(quantity), quantity),
    )
    return " ".join(filter(None, words))


def _numbers(quantity: Quantity) -> str:
    """Write the value, the two ends of a range, or the one end that is known."""
    if quantity.value is not None:
        return _number(quantity.value, quantity)
    ends = [_number(end, quantity) for end in (quantity.low, quantity.high) if end is not None]
    if len(ends) == 2:  # "1/4 to 1/3" needs no decimals
        ends = [end.partition(" (")[0] for end in ends]
    if len(ends) == 2 and quantity.change in ("from", "to"):  # not "to 3 to 5 percent"
        return f"between {ends[0]} and {ends[1]}"
    return " to ".join(ends)


def _with_unit(number: str, quantity: Quantity) -> str:
    """Put the unit to the number as it is said: ``3 barrels per day``, ``magnitude 5.2``."""
    if quantity.kind == "multiple":
        if quantity.change in ("up", "down"):
            return f"{number}-fold"
        return f"{number} {'time' if quantity.value == 1 else 'times'}"
    if quantity.unit == "magnitude":
        return f"magnitude {number}"
    unit = _unit(quantity)
    if quantity.kind == "age" and unit is not None:
        return f"{number} {unit} old"
    return f"{number} {unit}" if unit else number


def _unit(quantity: Quantity) -> str | None:
    """Name the unit as it is said after this number: ``barrels per day``."""
    if quantity.unit is None or quantity.value in (1, -1):
        return quantity.unit
    # The noun to change is the last word before "per" or "of"; "degree" comes first.
    match = _UNIT.fullmatch(quantity.unit)
    if match is None or quantity.unit in _PLURALS:
        return _plural(quantity.unit)
    return match["before"] + _plural(match["noun"]) + match["after"]


_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_LARGEST_SCALED = 10**15
_ROUNDED = 6e-5  # a normal form has four decimals of a third
_PARTS = 20  # shares are said in these parts at most, and as one in up to a thousand


def _number(value: Number, quantity: Quantity) -> str:
    """Write a number: in millions where that is short and exact, shares as fractions too."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_SCALED:
        value = int(value)
    if isinstance(value, int):
        return _scaled(value) if abs(value) < 10**18 else f"{Decimal(value):.4g}"
    if quantity.kind == "ratio" and (fraction := _fraction(value)):
        return f"{fraction} ({_decimals(value)})"
    if quantity.kind == "money" and round(value, 2) == value:
        return f"{value:,.2f}"
    return _decimals(value)


def _scaled(value: int) -> str:
    """Write ``2.3 million``; a number that would need more than three decimals is written out."""
    for scale, name in _SCALES:
        if scale <= abs(value) < _LARGEST_SCALED and value % (scale // 1000) == 0:
            return f"{value / scale:,.10g} {name}"
    return f"{value:,}"


def _decimals(value: float) -> str:
    """Write a number without exponent, unless it is too small or too large to read so."""
    if 1e-9 <= abs(value) < 1e-4:
        return f"{Decimal(repr(value)):f}"
    return f"{value:,.10g}"


def _fraction(value: float) -> str | None:
    """Return a share as a fraction, ``2/3``, where it is one of few parts, else None."""
    if not 0 < value < 1:
        return None
    part = Fraction(value).limit_denominator(_PARTS)
    if abs(part - Fraction(value)) < _ROUNDED:
        return f"{part.numerator}/{part.denominator}"
    whole = round(1 / value)
    return f"1/{whole}" if whole <= 1000 and abs(1 / whole - value) < _ROUNDED * value else None


# ---- people -------------------------------------------------------------------------------


def _people(people: tuple[Person, ...]) -> RenderableType | None:
    if not people:
        return None
    table = _table("Name", "Roles", "Affiliations", "Mentions")
    table.columns[-1].justify = "right"
    for person in people:
        table.add_row(
            Text(clean(person.name)),
            Text(listed(person.roles) or "–"),
            Text(listed(person.affiliations) or "–"),
            Text(str(len(person.mentions))),
        )
    return table


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, header_style="dim", overflow="fold")
    return table


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: if that fails; what was there before is still there.
    """
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(text.encode("utf-8"))
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
