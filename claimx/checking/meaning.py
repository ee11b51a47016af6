"""Rules for what spans mean: quantities against their surface, mentions of one person, meta."""

from __future__ import annotations

import difflib
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from claimx.checking.findings import Remark
from claimx.checking.phenomena import missing_spans
from claimx.formats.checks import quantity_problems
from claimx.linking.clusters import cluster_persons
from claimx.linking.graph import Groups
from claimx.quantities import article_currency, canonical_unit, read_quantity
from claimx.quantities.numbers import find_numbers
from claimx.quantities.surface import read_surface
from claimx.quantities.units import LOCAL, find_unit, unit_names
from claimx.types import AnnotatedArticle, AnnotatedSpan, Quantity

_TOLERANCE = 1e-3
_NEARLY = 0.85  # how alike a unit and a misspelling of it are at least
_CENT = Decimal("0.01")
# Marks that name one currency; "$", "cents" or "kroner" are those of the article's country.
_CLEAR_CURRENCY = re.compile(r"[€£¥]|[A-Z]\$|\beuros?\b|\byen\b|\b[A-Z]{3}\b")
# "Points" are those of an index, of a game or of a percentage.
_POINTS = frozenset({"point", "percentage point", "basis point"})


def quantities(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each QUANTITY whose normal form is not what its surface reads as.

    Only what the surface itself says is held against the annotation: not the unit of a bare
    number, not the rate or the currency that the article leaves to be understood.

    Args:
        article: an article without structural problems.
    """
    spans = {span.id: span for span in article.spans}
    linked: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for link in article.links:
        tail = spans[link.tail]
        linked[link.head].setdefault(link.type, (tail.start, tail.end))
    currency = article_currency(article.text, "USD")
    for span in article.spans:
        if span.label != "QUANTITY" or quantity_problems(span.attrs):
            continue  # incomplete attributes are another rule's business
        modifier = linked[span.id].get("modified_by")
        found = read_quantity(
            article.text,
            span.start,
            span.end,
            modifier=modifier,
            measured=linked[span.id].get("measures"),
            currency=currency,
        )
        if message := _compare(span, found, bent=modifier is not None):
            yield Remark("quantity", (span.id,), message, span.start, span.end)


def units(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each unit that is a known one in another spelling.

    Args:
        article: any article.
    """
    for span in article.spans:
        unit = span.attrs.get("unit")
        if span.label != "QUANTITY" or not isinstance(unit, str):
            continue
        parts = (_spelling(part, article.text) for part in unit.split(" per "))
        if (written := " per ".join(parts)) != unit:
            message = f"unit {unit!r} is not known; write {written!r}, or leave it if it is another"
            yield Remark("quantity", (span.id,), message, span.start, span.end)


def _spelling(unit: str, text: str) -> str:
    """Return how the list of units spells a unit; the unit itself where it is none of them."""
    known = find_unit(unit)
    if known is not None:
        return unit if known.name == LOCAL or known.size == _CENT else known.name
    if unit.lower() in text.lower():
        return unit  # no slip of the pen, but a word of the article: "92 moths a night"
    near = difflib.get_close_matches(unit, unit_names(), n=1, cutoff=_NEARLY)
    return near[0] if near else unit


def _compare(span: AnnotatedSpan, found: Quantity, *, bent: bool) -> str:
    """Say where the annotation differs from the surface, or return ""."""
    if found.kind is None:
        if re.search(r"\d", span.text) or find_numbers(span.text):
            return ""  # too hard to read is not wrong
        return f"{span.text!r} holds no number; a QUANTITY has one"
    names = ["unit"] if _units_differ(span, found) else []
    numbers = ("value", "low", "high")
    same_number = _agree(_stated(span.attrs), _stated(found)) or _scale_elided(span, found)
    if not same_number or (bent and _bends(span, found)):
        names = [*numbers, *names]
    if bent and _bends(span, found):
        names.append("modifier")
    if not names:
        return ""
    return (
        f"{span.text!r} reads as {_told(names, found)}, and is annotated with "
        f"{_told(names, span)}; mend it, or leave it if the text says so"
    )


def _stated(record: Mapping[str, Any] | Quantity) -> float | None:
    """Return the number that is stated, whether as a value or as a bound."""
    get = record.get if isinstance(record, Mapping) else partial(getattr, record)
    numbers = (get(name) for name in ("value", "low", "high"))
    return next((number for number in numbers if number is not None), None)


def _scale_elided(span: AnnotatedSpan, found: Quantity) -> bool:
    """Whether a bare number leaves its scale to be understood: "from $71 million to 48"."""
    reading, given, read = read_surface(span.text), _stated(span.attrs), _stated(found)
    if reading is None or reading.unit or not reading.bare or not given or not read:
        return False
    exponent = math.log10(abs(given / read))
    return exponent != 0 and abs(exponent - round(exponent)) < _TOLERANCE


def _bends(span: AnnotatedSpan, found: Quantity) -> bool:
    """Whether the words of the modifier are known, and say something else."""
    return found.modifier not in ("exact", span.attrs["modifier"])


def _units_differ(span: AnnotatedSpan, found: Quantity) -> bool:
    """Whether the surface names a unit, and it is not that of the annotation."""
    reading = read_surface(span.text)
    if reading is None or reading.unit is None or found.unit is None:
        return False
    given, read = canonical_unit(span.attrs["unit"]) or "", canonical_unit(found.unit) or ""
    if _begins_with(given, read) or {given, read} <= _POINTS:
        return False
    ambiguous = "pound" in span.text or not _CLEAR_CURRENCY.search(span.text)
    if "money" in (span.attrs["kind"], found.kind) and ambiguous:
        return bool(re.sub("^[A-Z]{3}|^pound", "", given) != re.sub("^[A-Z]{3}|^pound", "", read))
    return True


def _begins_with(given: str, read: str) -> bool:
    """Whether the annotated unit is the one that is read, or goes on: "USD per metric ton unit"."""
    words = given.split()
    return any(canonical_unit(" ".join(words[:end])) == read for end in range(1, len(words) + 1))


def _agree(gold: float | None, found: float | None) -> bool:
    if gold is None or found is None:
        return gold is None and found is None
    return abs(float(gold) - float(found)) <= _TOLERANCE * abs(float(gold)) + 1e-15


def _told(names: list[str], record: AnnotatedSpan | Quantity) -> str:
    values = record.attrs if isinstance(record, AnnotatedSpan) else None
    told = {name: values[name] if values is not None else getattr(record, name) for name in names}
    return ", ".join(f"{name} {value}" for name, value in told.items() if value is not None) or (
        "none of these"
    )


def same_person(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each further mention of a person, by its name, that is not linked.

    Args:
        article: an article of a corpus that annotates same_person.
    """
    persons = {span.id: span for span in article.spans if span.label == "PERSON"}
    groups = Groups()
    numbers = {span_id: groups.add() for span_id in persons}
    linked: set[str] = set()
    targets: set[str] = set()
    for link in article.links:
        if link.type == "same_person":
            groups.join(numbers[link.head], numbers[link.tail])
            linked |= {link.head, link.tail}
            targets.add(link.tail)
    by_name: dict[int, list[AnnotatedSpan]] = defaultdict(list)
    for span_id, person in cluster_persons(replace(article, links=())).items():
        by_name[person].append(persons[span_id])
    for mentions in by_name.values():
        full = max(mentions, key=lambda span: (span.id in targets, len(span.text), -span.start))
        for span in mentions:
            alone = span.id not in linked
            if alone and groups.find(numbers[span.id]) != groups.find(numbers[full.id]):
                message = (
                    f"{span.text!r} seems to be a further mention of {full.id} {full.text!r}; "
                    f"add same={full.id}, or leave it if it is another person"
                )
                yield Remark("same-person", (span.id, full.id), message, span.start, span.end)


_LINKED_BY = {
    "SPEAKER": ("said_by", "quote"),
    "CUE": ("cued_by", "quote"),
    "MODIFIER": ("modified_by", "quantity"),
    "MEASURED": ("measures", "quantity"),
}


def unlinked(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each span that is only there for a link, and has none.

    Args:
        article: any article; only its complete layers are judged, and only by the types of
            links that it has.
    """
    tails = {(link.type, link.tail) for link in article.links}
    used = {link.type for link in article.links}
    for span in article.spans:
        link, head = _LINKED_BY.get(span.label, ("", ""))
        judged = link in used and span.layer in article.complete_layers
        if judged and (link, span.id) not in tails:
            message = f"no {head} points at {span.label} {span.id} {span.text[:40]!r} by {link}"
            message += "; link it, or remove it"
            yield Remark("unlinked", (span.id,), message, span.start, span.end)


def phenomena(article: AnnotatedArticle) -> Iterator[Remark]:
    """Yield a remark for each phenomenon that names a span which is not there.

    Args:
        article: any article.
    """
    for _, message in missing_spans(article.meta, {span.id for span in article.spans}):
        yield Remark("phenomena", (), f"{message}; mend the id or remove it", 0, 0)
