"""From scored spans and links to the public record: quotes, sources, people and claims.

`resolve_people` completes the links, `assemble` builds the `Extraction`. Both are deterministic,
free of torch, close to linear in the number of spans, and take any legal `AnnotatedArticle`:
links of odd types, between odd labels or to spans that are not there are ignored.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import not_
from typing import Any

from claimx.linking.claims import build_claims
from claimx.linking.graph import Groups, LinkTable, probability, text_order, to_span
from claimx.linking.names import display_name, fold
from claimx.linking.people import fullest
from claimx.linking.sources import Organisations, Voice
from claimx.text import INSIDE, OPENING, quotation_states
from claimx.types import (
    AnnotatedArticle,
    AnnotatedSpan,
    Extraction,
    Link,
    Person,
    Quote,
    QuoteKind,
    Source,
    Span,
    Speaker,
)

__all__ = ["assemble", "quote_kind"]

_ATTRIBUTION = {"attribution": "reported", "attribution_broad": "broad"}


def quote_kind(text: str, start: int, end: int, inside: Sequence[bool] | None = None) -> QuoteKind:
    """Say whether a quote is direct, mixed or indirect, by the quotation marks.

    Direct: every letter stands inside quotation marks; mixed: some do; indirect: none does. A
    quote without letters is judged by its digits, one without either by all its characters.

    Args:
        text: the article.
        start: first code point of the quote.
        end: one past its last.
        inside: for every code point of the text, whether it is inside marks; worked out if None.
    """
    if inside is None:
        inside = (quotation_states(text) == INSIDE).tolist()
    surface, held = text[start:end], inside[start:end]
    within = "".join(compress(surface, held))
    without = "".join(compress(surface, map(not_, held)))
    for counts in (str.isalpha, str.isalnum, lambda char: not char.isspace()):
        found = any(map(counts, within)), any(map(counts, without))
        if any(found):
            return "mixed" if all(found) else "direct" if found[0] else "indirect"
    return "indirect"


def assemble(
    article: AnnotatedArticle,
    *,
    layer: str = "attribution",
    model: str | None = None,
    notes: Sequence[str] = (),
    meta: Mapping[str, Any] = {},
) -> Extraction:
    """Build the record of one article from its spans and links.

    Give it what `resolve_people` returns; it takes same_person and refers_to as they stand.

    Sources: one for each person; one for several people who speak together (kind *group*); one
    for each organisation, document or group of the same name (article dropped, abbreviation in
    brackets joined to its long form, "the board" joined to the only Board named before); and one
    for each speaker that resolves to nothing. The kind of a source with one person is *person*;
    of any other, see `claimx.linking.sources.source_kind`.

    Args:
        article: spans and links, resolved.
        layer: the layer that quotes, cues and speakers are read from.
        model: name of the model, for the record.
        notes: what was done to the text before it was read.
        meta: passed through; the article's own where it is empty.
    """
    links = LinkTable(article)
    people = _people(article, links)
    quotes, sources = _Statements(article, links, people, layer).build()
    return Extraction(
        id=article.id,
        text_sha256=hashlib.sha256(article.text.encode("utf-8", "surrogatepass")).hexdigest(),
        model=model,
        attribution=_ATTRIBUTION.get(layer, layer),
        meta=dict(meta or article.meta),
        notes=tuple(notes),
        quotes=quotes,
        sources=sources,
        people=people.people,
        claims=build_claims(article, links, quotes),
        text=article.text,
    )


def _distinct(spans: Iterable[AnnotatedSpan]) -> tuple[Span, ...]:
    """Return each surface once, where it stands first."""
    seen: dict[str, AnnotatedSpan] = {}
    for span in text_order(spans):
        seen.setdefault(fold(span.text).rstrip("."), span)
    return tuple(to_span(span) for span in seen.values())


# ---- people --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _People:
    people: tuple[Person, ...]
    of_mention: Mapping[str, int]

    def of_speaker(self, links: LinkTable, speaker: AnnotatedSpan) -> tuple[int, ...]:
        """Return the numbers of the people that a speaker expression means, in text order."""
        tails = (self.of_mention[tail.id] for tail, _ in links.tails("refers_to", speaker.id))
        return tuple(dict.fromkeys(tails))


def _people(article: AnnotatedArticle, links: LinkTable) -> _People:
    persons = text_order(span for span in article.spans if span.label == "PERSON")
    number = {span.id: at for at, span in enumerate(persons)}
    groups = Groups(len(persons))
    for span in persons:
        for tail, _ in links.tails("same_person", span.id):
            groups.join(number[span.id], number[tail.id])
    roots = [groups.find(at) for at in range(len(persons))]
    order = {root: at for at, root in enumerate(dict.fromkeys(roots))}
    of_mention = {span.id: order[roots[at]] for at, span in enumerate(persons)}
    mentions: list[list[AnnotatedSpan]] = [[] for _ in order]
    for span in persons:
        mentions[of_mention[span.id]].append(span)
    facts: dict[str, list[list[AnnotatedSpan]]] = {
        kind: [[] for _ in order] for kind in ("has_role", "affiliated_with")
    }
    for span in article.spans:
        if span.label == "PERSON":
            meant = [of_mention[span.id]]
        elif span.label == "SPEAKER":
            meant = [of_mention[tail.id] for tail, _ in links.tails("refers_to", span.id)]
        else:
            continue
        for kind, found in facts.items():
            for tail, _ in links.tails(kind, span.id):
                for at in meant:
                    found[at].append(tail)
    people = tuple(
        Person(
            f"p{at}",
            display_name(fullest(members).text),
            tuple(to_span(member) for member in members),
            _distinct(facts["has_role"][at]),
            _distinct(facts["affiliated_with"][at]),
        )
        for at, members in enumerate(mentions)
    )
    return _People(people, of_mention)


# ---- quotes and sources --------------------------------------------------------------------


class _Statements:
    """Turns QUOTE spans into quotes and their speakers into sources."""

    def __init__(
        self, article: AnnotatedArticle, links: LinkTable, people: _People, layer: str
    ) -> None:
        self.text, self.links, self.people = article.text, links, people
        here = [span for span in article.spans if span.layer == layer]
        self.quotes = text_order(span for span in here if span.label == "QUOTE")
        self.states = quotation_states(article.text)
        names = [
            span
            for span in text_order([*here, *article.spans])
            if (span.label == "SPEAKER" and span.layer == layer) or span.label == "AFFILIATION"
        ]
        self.organisations = Organisations(article.text, names)
        self.sources: dict[object, Source] = {}
        self.said: dict[str, list[str]] = defaultdict(list)
        self.speakers: dict[str, Speaker] = {}

    def build(self) -> tuple[tuple[Quote, ...], tuple[Source, ...]]:
        """Return the quotes and the sources, each in text order."""
        firsts = self._first_parts()
        said_by = self._inherited("said_by", firsts)
        cued_by = self._inherited("cued_by", firsts)
        inside = (self.states == INSIDE).tolist()
        quotes = []
        for at, span in enumerate(self.quotes):
            said, cue = said_by[at], cued_by[at]
            speaker = self._speaker(*said) if said else None
            if speaker is not None:
                self.said[speaker.source].append(f"q{at}")
            quotes.append(
                Quote(
                    f"q{at}",
                    span.start,
                    span.end,
                    span.text,
                    quote_kind(self.text, span.start, span.end, inside),
                    probability(span.score),
                    f"q{firsts[at]}" if firsts[at] != at else None,
                    to_span(cue[0]) if cue else None,
                    speaker,
                )
            )
        sources = tuple(
            Source(source.id, source.kind, source.name, source.persons, tuple(self.said[source.id]))
            for source in self.sources.values()
        )
        return tuple(quotes), sources

    def _first_parts(self) -> list[int]:
        """Return for each quote the number of the first part of its statement."""
        number = {span.id: at for at, span in enumerate(self.quotes)}
        groups = Groups(len(self.quotes))
        linked = set()
        for at, span in enumerate(self.quotes):
            for tail, _ in self.links.tails("same_quote", span.id):
                if tail.id in number:
                    groups.join(at, number[tail.id])
                    linked.add(at)
        voiced = {
            groups.find(at)
            for at, span in enumerate(self.quotes)
            if self.links.tails("said_by", span.id)
        }
        for at in range(1, len(self.quotes)):
            both = groups.find(at) in voiced and groups.find(at - 1) in voiced
            if (
                at not in linked
                and not both
                and self._goes_on(self.quotes[at - 1], self.quotes[at])
            ):
                one_voiced = {groups.find(at), groups.find(at - 1)} & voiced
                groups.join(at, at - 1)
                if one_voiced:
                    voiced.add(groups.find(at))
        return [groups.find(at) for at in range(len(self.quotes))]

    def _goes_on(self, before: AnnotatedSpan, quote: AnnotatedSpan) -> bool:
        """Say whether a paragraph takes up a quotation that the one before left open."""
        last = quote.start - 1
        while last >= 0 and self.text[last].isspace():
            last -= 1
        gap = self.text[last + 1 : quote.start]
        return (
            last >= 0
            and ("\n" in gap or "\r" in gap)
            and self.states[quote.start] == OPENING
            and self.states[last] == INSIDE
            and before.start <= last
            and not any(map(str.isalnum, self.text[before.end : last + 1]))
        )

    def _inherited(
        self, link_type: str, firsts: Sequence[int]
    ) -> list[tuple[AnnotatedSpan, Link] | None]:
        """Return for each quote its own link, or that of the first part that has one."""
        own = [next(iter(self.links.tails(link_type, span.id)), None) for span in self.quotes]
        of_statement: dict[int, tuple[AnnotatedSpan, Link]] = {}
        for at, found in enumerate(own):
            if found is not None:
                of_statement.setdefault(firsts[at], found)
        return [found or of_statement.get(firsts[at]) for at, found in enumerate(own)]

    def _speaker(self, span: AnnotatedSpan, link: Link) -> Speaker:
        known = self.speakers.get(span.id)
        score = probability(span.score) * probability(link.score)
        if known is None:
            known = self._new_speaker(span, score)
            self.speakers[span.id] = known
        if known.score == score:
            return known
        return Speaker(
            known.start, known.end, known.text, score, known.source,
            known.persons, known.name, known.roles, known.affiliations,
        )  # fmt: skip

    def _new_speaker(self, span: AnnotatedSpan, score: float) -> Speaker:
        persons = [self.people.people[at] for at in self.people.of_speaker(self.links, span)]
        ids = tuple(person.id for person in persons)
        roles = _distinct(tail for tail, _ in self.links.tails("has_role", span.id))
        bodies = _distinct(tail for tail, _ in self.links.tails("affiliated_with", span.id))
        if len(persons) == 1:  # a person has the roles of all expressions that mean it
            roles, bodies = persons[0].roles, persons[0].affiliations
        elif persons:
            roles = _union(roles, (person.roles for person in persons))
            bodies = _union(bodies, (person.affiliations for person in persons))
        source = self._source(span, persons, [role.text for role in roles])
        name = persons[0].name if persons else None
        return Speaker(span.start, span.end, span.text, score, source.id, ids, name, roles, bodies)

    def _source(
        self, span: AnnotatedSpan, persons: Sequence[Person], roles: Sequence[str]
    ) -> Source:
        """Return the source that a speaker expression belongs to, made on first sight."""
        ids = tuple(person.id for person in persons)
        if persons:
            names = [person.name for person in persons]
            name = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
            voice = Voice("person" if len(names) == 1 else "group", name, None)
            key: object = frozenset(ids)
        else:
            voice = self.organisations.voice(span, roles)
            key = voice.key or span.id
        if key not in self.sources:
            self.sources[key] = Source(f"s{len(self.sources)}", voice.kind, voice.name, ids)
        return self.sources[key]


def _union(own: tuple[Span, ...], more: Iterable[tuple[Span, ...]]) -> tuple[Span, ...]:
    seen = {fold(span.text): span for spans in (own, *more) for span in reversed(spans)}
    return tuple(sorted(seen.values(), key=lambda span: (span.start, span.end)))
