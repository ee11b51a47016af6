"""How an article's sources, quotes and claims are called on the page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from claimx.render import clean, listed
from claimx.types import Claim, Extraction, Person, Quote, Source, Span, Speaker

NOBODY = "no source named"
WRITER = "the article itself"
TINTS = 6  # as many sources are told apart by tint, those with most to say
_LONGEST_HEADLINE = 160
_LONGEST_LABEL = 120
LINE = re.compile(r"[^\r\n]+")
_ARTICLE = re.compile(r"^(?:the|an?) ")
_DATE = re.compile(r"(?:\w+day,? )?(?:\w+\.? \d{1,2}|\d{1,2} \w+\.?),? \d{4}")


def letters(number: int) -> str:
    """Return the letters that count sources: A, B … Z, AA, AB and so on."""
    written = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        written = chr(ord("A") + rest) + written
    return written


def short(text: str, most: int = _LONGEST_LABEL) -> str:
    """Return a text on one line, cut with dots where it is long."""
    line = clean(text)
    return line if len(line) <= most else f"{line[:most].rstrip()}…"


def _not_in(name: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Leave out what a name says itself: ``Analysts at Fjeld`` need no role and no affiliation."""
    words = f" {clean(name).casefold()} "
    return (
        span for span in spans if f" {_ARTICLE.sub('', clean(span.text).casefold())} " not in words
    )


def headline_end(text: str) -> int:
    """Return where the headline that a text begins with ends; 0 if it begins with none.

    A headline is a first line that is short, no date, does not end like a sentence and has text
    below it.
    """
    lines = (line for line in LINE.finditer(text) if not line.group().isspace())
    first, second = next(lines, None), next(lines, None)
    if first is None or second is None:
        return 0
    words = first.group().strip()
    sentence = words.endswith((".", ":", ",", ";"))
    if len(words) > _LONGEST_HEADLINE or sentence or _DATE.fullmatch(words):
        return 0
    return first.end()


@dataclass(frozen=True)
class Names:
    """The names of one article's parts.

    Args:
        extraction: what was found; with its text.
        prefix: begins every id of this article on the page.
        level: of the article's heading.
    """

    extraction: Extraction
    prefix: str
    level: int

    @property
    def text(self) -> str:
        """The text of the article."""
        return self.extraction.text or ""

    @cached_property
    def headline(self) -> int:
        """Where the headline in the text ends; 0 if the text has none, or it stands in ``meta``."""
        given = self._given_title
        return 0 if given and not clean(self.text).startswith(given) else headline_end(self.text)

    @property
    def title(self) -> str:
        """The headline, or the id where the article has none."""
        found = clean(self.text[: self.headline])
        return self._given_title or found or clean(self.extraction.id) or "an article without id"

    @property
    def _given_title(self) -> str:
        given = self.extraction.meta.get("title")
        return clean(given) if isinstance(given, str) else ""

    @cached_property
    def quote_numbers(self) -> dict[str, int]:
        """Quote id -> its place."""
        return {quote.id: at for at, quote in enumerate(self.extraction.quotes)}

    @cached_property
    def source_numbers(self) -> dict[str, int]:
        """Source id -> its place."""
        return {source.id: at for at, source in enumerate(self.extraction.sources)}

    @cached_property
    def _tints(self) -> dict[int, int]:
        sources = self.extraction.sources
        order = sorted(range(len(sources)), key=lambda at: (-len(sources[at].quotes), at))
        return {at: tint for tint, at in enumerate(order[:TINTS])}

    def source_number(self, quote: Quote) -> int | None:
        """Return the place of the source that a quote is from, None where there is none."""
        return self.source_numbers.get(quote.speaker.source) if quote.speaker else None

    def tint(self, source: int | None) -> str:
        """Return the class that colours a source and what it says."""
        tint = None if source is None else self._tints.get(source)
        return "plain" if tint is None else f"tint{tint}"

    def letter(self, source: int | None) -> str:
        """Return the short name of a source."""
        return "–" if source is None else letters(source)

    def source_name(self, source: Source) -> str:
        """Return the name of a source, with a capital."""
        name = clean(source.name)
        return name[:1].upper() + name[1:]

    @cached_property
    def _voices(self) -> dict[str, list[Person | Speaker]]:
        """Source id -> its people and the expressions that mean it."""
        people = {person.id: person for person in self.extraction.people}
        found: dict[str, list[Person | Speaker]] = defaultdict(list)
        for source in self.extraction.sources:
            found[source.id] += [people[name] for name in source.persons if name in people]
        for quote in self.extraction.quotes:
            if quote.speaker is not None:
                found[quote.speaker.source].append(quote.speaker)
        return found

    def source_facts(self, source: Source) -> str:
        """Say what kind of source this is, with roles and affiliations."""
        return " · ".join(filter(None, (clean(source.kind), self.source_described(source))))

    def source_described(self, source: Source) -> str:
        """List the roles and affiliations of a source, but for those that only repeat its name."""
        voices = self._voices[source.id]
        roles = _not_in(source.name, (role for voice in voices for role in voice.roles))
        bodies = _not_in(source.name, (body for voice in voices for body in voice.affiliations))
        return " · ".join(filter(None, (listed(roles), listed(bodies))))

    def who(self, quote: Quote | None) -> str:
        """Name who says a quote."""
        if quote is None or quote.speaker is None:
            return NOBODY
        number = self.source_number(quote)
        if number is not None:
            return self.source_name(self.extraction.sources[number])
        return clean(quote.speaker.name or quote.speaker.text)

    def quote_label(self, number: int) -> str:
        """Say in one line what a quote is and who says it."""
        quote = self.extraction.quotes[number]
        facts = [f"{quote.kind.capitalize()} quote {number + 1}: {self.who(quote)}"]
        speaker = quote.speaker
        if speaker is not None:
            facts += filter(None, (listed(speaker.roles), listed(speaker.affiliations)))
            if clean(speaker.text) not in facts[0]:
                facts[0] += f" (“{short(speaker.text)}”)"
        return f"{', '.join(facts)}; score {quote.score:.2f}"

    def claimed_by(self, claim: Claim) -> str:
        """Name who claims a number; outside every quote it is the writer."""
        if claim.quote is None:
            return WRITER
        number = self.quote_numbers.get(claim.quote)
        return self.who(None if number is None else self.extraction.quotes[number])

    def person_label(self, number: int) -> str:
        """Say in one line who a person is."""
        person = self.extraction.people[number]
        facts = filter(None, (listed(person.roles), listed(person.affiliations)))
        return ", ".join((f"Person: {clean(person.name)}", *facts))
