"""The column beside the article: filters, sources with all they said, claims, people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from claimx.page.markup import Html, element, escape, words
from claimx.page.naming import NOBODY, Names, short
from claimx.render import listed, normal_form
from claimx.text import counted
from claimx.types import Claim

_LONGEST_EXCERPT = 300
_KINDS = (
    ("direct", "direct quotes"),
    ("mixed", "mixed quotes"),
    ("indirect", "indirect quotes"),
    ("claims", "claims"),
    ("people", "people"),
)


def side_column(names: Names) -> Html:
    """Return the lists of what was found, and the filters, which the script makes visible."""
    found = names.extraction
    if not (found.quotes or found.claims or found.people):
        return element(
            "aside", element("p", escape("No quotes, claims or people found.")), class_="side"
        )
    parts = [_filters(names)]
    if found.quotes:
        parts.append(_section(names, "Sources", "sources", _sources(names)))
    if found.claims:
        claims = [_claim(names, at, claim) for at, claim in enumerate(found.claims)]
        parts.append(_section(names, "Claims", "claims", claims))
    if found.people:
        parts.append(_section(names, "People", "people", _people(names)))
    # What scrolls must be reachable from the keyboard.
    return element("aside", *parts, class_="side", aria_label="What was found", tabindex=0)


def _section(names: Names, title: str, kind: str, entries: Iterable[Html]) -> Html:
    heading = element(f"h{names.level + 1}", escape(title), id=f"{names.prefix}-{kind}")
    return element(
        "section",
        heading,
        element("ol", *entries, class_=kind),
        aria_labelledby=f"{names.prefix}-{kind}",
    )


# ---- filters ------------------------------------------------------------------------------


def _filters(names: Names) -> Html:
    """Return the form that hides what is not wanted; without a script it is not shown."""
    found = names.extraction
    quotes, claims = len(found.quotes), len(found.claims)
    count = f"{quotes} of {quotes} quotes, {claims} of {claims} claims"
    boxes = [
        element(
            "label",
            element("input", type="checkbox", name="kind", value=value, checked=True),
            escape(f" {title}"),
        )
        for value, title in _KINDS
        if value in {*("claims",) * bool(found.claims), *("people",) * bool(found.people),
                     *(quote.kind for quote in found.quotes)}
    ]  # fmt: skip
    return element(
        "form",
        element("label", escape("Who "), element("select", *_choices(names), name="who")),
        element("fieldset", element("legend", escape("What"), class_="unseen"), *boxes),
        element(
            "label",
            escape("Score at least "),
            element("input", type="range", name="score", min="0", max="1", step="0.01", value="0"),
            element("output", escape("0.00"), name="least"),
        ),
        element("button", escape("Show everything"), type="reset"),
        element("p", escape(count), class_="count", role="status"),
        class_="filters",
        aria_label="Filters",
        hidden=True,
    )


def _choices(names: Names) -> Iterator[Html]:
    """Yield everyone, the sources, and the people who are not quoted."""
    yield element("option", escape("everyone"), value="")
    numbers = {person.id: at for at, person in enumerate(names.extraction.people)}
    quoted: set[str] = set()
    for at, source in enumerate(names.extraction.sources):
        quoted.update(source.persons)
        meant = " ".join(str(numbers[name]) for name in source.persons if name in numbers)
        title = escape(f"{names.letter(at)}  {short(names.source_name(source), 60)}")
        yield element("option", title, value=f"s{at}", data_people=meant)
    for at, person in enumerate(names.extraction.people):
        if person.id not in quoted:
            title = escape(f"{short(person.name, 60)} (not quoted)")
            yield element("option", title, value=f"p{at}", data_people=at)


# ---- sources ------------------------------------------------------------------------------


def _sources(names: Names) -> Iterator[Html]:
    """Yield every source with everything that it said, then the quotes without one."""
    for at, source in enumerate(names.extraction.sources):
        said = [names.quote_numbers[name] for name in source.quotes if name in names.quote_numbers]
        if said:
            facts = names.source_facts(source)
            yield _source(names, at, names.source_name(source), facts, said)
    nobody = [
        at for at, quote in enumerate(names.extraction.quotes) if names.source_number(quote) is None
    ]
    if nobody:
        yield _source(names, None, NOBODY[0].upper() + NOBODY[1:], "", nobody)


def _source(names: Names, source: int | None, name: str, facts: str, said: Sequence[int]) -> Html:
    count = counted(len(said), "quote")
    return element(
        "li",
        element(f"h{names.level + 2}", escape(short(name)), data_letter=names.letter(source)),
        element("p", escape(" · ".join(filter(None, (facts, count)))), class_="facts"),
        element("ul", *(_said(names, number, source) for number in said)),
        class_=f"source {names.tint(source)}",
    )


def _said(names: Names, number: int, source: int | None) -> Html:
    quote = names.extraction.quotes[number]
    text = f"{'… ' if quote.continues else ''}{short(quote.text, _LONGEST_EXCERPT)}"
    return element(
        "li",
        element("a", escape(text), href=f"#{names.prefix}-q{number}"),
        escape(f" {quote.kind} · {quote.score:.2f}"),
        id=f"{names.prefix}-said{number}",
        data_quote=number,
        data_kind=quote.kind,
        data_source=source,
        data_score=f"{quote.score:.2f}",
    )


# ---- claims and people --------------------------------------------------------------------


def _claim(names: Names, number: int, claim: Claim) -> Html:
    """Return a claim: its normal form, what it measures, how it is put and who claims it."""
    quote = names.quote_numbers.get(claim.quote) if claim.quote is not None else None
    source = None if quote is None else names.source_number(names.extraction.quotes[quote])
    measured = f" {short(claim.measured.text)}" if claim.measured else ""
    by = f"{short(names.claimed_by(claim))} · {claim.score:.2f}"
    return element(
        "li",
        element(
            "a",
            element("b", escape(normal_form(claim.quantity))),
            escape(measured),
            href=f"#{names.prefix}-c{number}",
        ),
        element("q", escape(short(claim.text))),
        element("p", escape(by), data_letter=names.letter(source)),
        class_=names.tint(source),
        id=f"{names.prefix}-claim{number}",
        data_claim=number,
        data_source=source,
        data_score=f"{claim.score:.2f}",
    )


def _people(names: Names) -> Iterator[Html]:
    for at, person in enumerate(names.extraction.people):
        facts = (
            listed(person.roles),
            listed(person.affiliations),
            counted(len(person.mentions), "mention"),
        )
        target = f"#{names.prefix}-at{person.mentions[0].start}" if person.mentions else None
        yield element(
            "li",
            element("a", words(person.name), href=target),
            element("p", escape(" · ".join(filter(None, facts))), class_="facts"),
            data_person=at,
            data_label=names.person_label(at),
        )
