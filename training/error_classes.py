"""What kind of error a model made, one record each: the pure part of `training.errors`.

Spans of one layer and label that touch form a group: gold without prediction is *missed*,
prediction without gold *spurious*, one of each with other edges a wrong boundary (*starts too
late*, *ends too early* ...), one gold span in several pieces *split*, several in one *joined*.
What is missed in the place of a spurious span of another label is *labelled* so. Links are compared
per head, normal forms between quantities that overlap. Every span and link of gold that was not
found and every predicted one that is wrong is in exactly one record, so that the F1 with a class
mended can be told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from claimx.metrics.figures import Counts
from claimx.metrics.matching import (
    Matching,
    by_label,
    intervals,
    match_spans,
    overlap_pairs,
)
from claimx.metrics.scoring import (
    Pair,
    UnitName,
    annotated_links,
    comparable,
    compare_normal_forms,
)
from claimx.metrics.speakers import person_clusters
from claimx.text import counted
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

_WORD = re.compile(r"\w+|[^\w\s]")
_ATTRIBUTES = ("value", "unit", "kind", "modifier", "change")
# As pairs of mentions; what goes wrong with persons shows in refers_to.
_LEFT_OUT = frozenset({"same_person", "coref", "not_coref"})
Spans = tuple[AnnotatedSpan, ...]


@dataclass(frozen=True, slots=True)
class Error:
    """One error.

    Args:
        article: id of the article.
        layer: layer of the span, or of the head of the link.
        label: label of the span, type of the link, or ``normal form``.
        kind: the class, such as ``missed`` or ``ends too late``.
        gold: the gold spans in question; of a link its head and tail.
        predicted: the predicted ones.
        detail: what exactly is wrong, in words.
        words: the words by which the edges differ.
        costs: figure -> gold items not found and predicted items that are wrong.
    """

    article: str
    layer: str
    label: str
    kind: str
    gold: Spans
    predicted: Spans
    detail: str
    words: tuple[str, ...]
    costs: Mapping[str, tuple[int, int]]

    @property
    def place(self) -> int:
        """Where it begins: in gold, or in the prediction if gold has nothing."""
        return (self.gold or self.predicted)[0].start

    @property
    def score(self) -> float | None:
        """The highest score of the predicted spans."""
        return max((span.score for span in self.predicted if span.score is not None), default=None)


def classify(
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    canonical_unit: UnitName,
    link_types: frozenset[tuple[str, str, str]] | None = None,
) -> tuple[list[Error], dict[str, Counts]]:
    """List the errors of one article, and count what was right.

    Args:
        gold: the gold article; only its complete layers are looked at.
        predicted: the model's reading of the same text.
        canonical_unit: the closed name of a unit.
        link_types: the types and layers of links that are annotated; those of this article if None.

    Returns:
        The errors in the order of the text, and figure -> counts.
    """
    gold, predicted = comparable((gold, predicted))
    kinds = annotated_links([gold]) if link_types is None else link_types
    totals: dict[str, Counts] = defaultdict(Counts)
    errors = [
        *_span_errors(gold, predicted, totals),
        *_link_errors(gold, predicted, kinds, totals),
        *_normal_form_errors(gold, predicted, canonical_unit, totals),
    ]
    return sorted(errors, key=lambda error: error.place), dict(totals)


def classify_all(
    pairs: Sequence[Pair], canonical_unit: UnitName
) -> tuple[list[Error], dict[str, Counts]]:
    """Do the same for many articles; a link type that one of them annotates is asked of all."""
    kinds = annotated_links(gold for gold, _ in pairs)
    errors: list[Error] = []
    totals: dict[str, Counts] = defaultdict(Counts)
    for gold, predicted in pairs:
        found, counts = classify(gold, predicted, canonical_unit, kinds)
        errors += found
        for name, count in counts.items():
            totals[name] += count
    return errors, dict(totals)


# ---- spans --------------------------------------------------------------------------------


def _span_errors(
    gold: AnnotatedArticle, predicted: AnnotatedArticle, totals: dict[str, Counts]
) -> Iterator[Error]:
    ours, theirs = by_label(gold), by_label(predicted)
    missed: list[AnnotatedSpan] = []
    spurious: list[AnnotatedSpan] = []
    for layer, label in sorted({*ours, *theirs}):
        wanted, found = ours.get((layer, label), []), theirs.get((layer, label), [])
        name = f"{layer}.{label}"
        right = 0
        for some, others in _groups(wanted, found):
            if intervals(some) == intervals(others):
                right += 1
            elif not others:
                missed += some
            elif not some:
                spurious += others
            else:
                kind, detail, words = _edges(gold.text, some, others)
                costs = {name: (len(some), len(others))}
                yield Error(gold.id, layer, label, kind, some, others, detail, words, costs)
        totals[name] += Counts.paired(right, len(found), len(wanted))
    yield from _alone(gold.id, missed, spurious)


def _groups(
    gold: Sequence[AnnotatedSpan], predicted: Sequence[AnnotatedSpan]
) -> list[tuple[Spans, Spans]]:
    """Part spans into groups that hang together by overlap, in the order of the text."""
    marked = sorted(
        [(span.start, span.end, 0, span) for span in gold]
        + [(span.start, span.end, 1, span) for span in predicted],
        key=lambda item: item[:3],
    )
    groups: list[tuple[list[AnnotatedSpan], list[AnnotatedSpan]]] = []
    until = -1
    for start, end, side, span in marked:
        if start >= until:
            groups.append(([], []))
        groups[-1][side].append(span)
        until = max(until, end)
    return [(tuple(some), tuple(others)) for some, others in groups]


def _edges(text: str, gold: Spans, predicted: Spans) -> tuple[str, str, tuple[str, ...]]:
    """Name a group whose edges differ: kind, detail and the words in question."""
    if len(gold) > 1 or len(predicted) > 1:
        # What lies between the pieces is what the model left out or took in.
        pieces = predicted if len(predicted) > 1 else gold
        words = tuple(
            word for one, other in pairwise(pieces) for word in _words(text[one.end : other.start])
        )
        kind = "split" if len(gold) == 1 else "joined" if len(predicted) == 1 else "split anew"
        detail = f"{len(gold)} in gold, {len(predicted)} predicted; between them: {_said(words)}"
        return kind, detail, words
    kinds, details, words = [], [], ()
    sides = (
        ("starts", gold[0].start, predicted[0].start, "too late", "too early"),
        ("ends", gold[0].end, predicted[0].end, "too early", "too late"),
    )
    for verb, wanted, found, short, long in sides:
        if wanted == found:
            continue
        differing = _words(text[min(wanted, found) : max(wanted, found)])
        is_long = (found < wanted) == (verb == "starts")
        kinds.append(f"{verb} {long if is_long else short}")
        count = counted(len(differing), "word")
        details.append(f"{kinds[-1]} by {count}: {_said(differing)}")
        words += differing
    return " and ".join(kinds), "; ".join(details), words


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text))


def _said(words: Sequence[str]) -> str:
    return " ".join(words) or "nothing but space"


def _alone(
    article: str, missed: Sequence[AnnotatedSpan], spurious: Sequence[AnnotatedSpan]
) -> Iterator[Error]:
    """Spans without a counterpart of their label; two in one place are one wrong label."""
    taken: set[str] = set()
    for layer in sorted({span.layer for span in (*missed, *spurious)}):
        some = [span for span in missed if span.layer == layer]
        others = [span for span in spurious if span.layer == layer]
        for i, j in overlap_pairs(intervals(some), intervals(others)):
            one, other = some[i], others[j]
            taken |= {one.id, other.id + " predicted"}
            costs = {f"{layer}.{one.label}": (1, 0), f"{layer}.{other.label}": (0, 1)}
            kind, words = f"labelled {other.label}", f"{one.label} read as {other.label}"
            yield Error(article, layer, one.label, kind, (one,), (other,), words, (), costs)
        for span in some:
            if span.id not in taken:
                costs = {f"{layer}.{span.label}": (1, 0)}
                yield Error(article, layer, span.label, "missed", (span,), (), "", (), costs)
        for span in others:
            if span.id + " predicted" not in taken:
                costs = {f"{layer}.{span.label}": (0, 1)}
                yield Error(article, layer, span.label, "spurious", (), (span,), "", (), costs)


# ---- links --------------------------------------------------------------------------------


def _link_errors(
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    kinds: frozenset[tuple[str, str, str]],
    totals: dict[str, Counts],
) -> Iterator[Error]:
    """Links by type and layer of the head; ends are matched by overlap, persons by cluster."""
    matching = match_spans(gold, predicted)
    clusters = person_clusters(gold, by_name=True)

    def meaning(span_id: str) -> str:
        return clusters.get(span_id, span_id)

    for kind in sorted(kind for kind in kinds if kind[0] not in _LEFT_OUT):
        wanted, found = _by_head(gold, kind, str), _by_head(predicted, kind, matching.get)
        name = f"{kind[0]}.{kind[1]}"
        for head in sorted({*wanted, *found}):
            some, others = wanted.get(head, []), found.get(head, [])
            answers = {meaning(matching.get(tail.id, "")) for _, tail in others}
            asked = {meaning(tail.id) for _, tail in some}
            lost = [pair for pair in some if meaning(pair[1].id) not in answers]
            wrong = [pair for pair in others if meaning(matching.get(pair[1].id, "")) not in asked]
            yield from _unlike(gold.id, kind, name, lost, wrong, matching)
            counts = Counts(len(others) - len(wrong), len(others), len(some) - len(lost), len(some))
            totals[name] += counts


LinkedSpans = tuple[AnnotatedSpan, AnnotatedSpan]


def _by_head(
    article: AnnotatedArticle,
    kind: tuple[str, str, str],
    name: Callable[[str], str | None],
) -> dict[str, list[LinkedSpans]]:
    """Head and tail of every link of a kind, by the head's gold id (or its own, if it has none)."""
    by_id = {span.id: span for span in article.spans}
    found: dict[str, list[LinkedSpans]] = defaultdict(list)
    for link in sorted(article.links, key=lambda link: by_id[link.tail].start):
        if _kind_of(link, by_id) == kind:
            key = name(link.head) or f"predicted {link.head}"
            found[key].append((by_id[link.head], by_id[link.tail]))
    return found


def _kind_of(link: Link, by_id: Mapping[str, AnnotatedSpan]) -> tuple[str, str, str]:
    return link.type, by_id[link.head].layer, by_id[link.tail].layer


def _unlike(
    article: str,
    kind: tuple[str, str, str],
    name: str,
    lost: Sequence[LinkedSpans],
    wrong: Sequence[LinkedSpans],
    matching: Matching,
) -> Iterator[Error]:
    """Pair what one head lacks with what it has wrongly; the rest is missing or spurious."""
    known = set(matching.values())
    for at in range(max(len(lost), len(wrong))):
        some: Spans = lost[at] if at < len(lost) else ()
        others: Spans = wrong[at] if at < len(wrong) else ()
        detail = ""
        if some and others:
            what, detail = "wrong", f"“{others[1].text}” instead of “{some[1].text}”"
        elif some:
            what = "missing" if some[0].id in known else "missing, its head was missed"
        else:
            what = "spurious" if others[0].id in matching else "spurious, so is its head"
        if some and some[1].id not in known and some[0].id in known:
            what += ", right tail not found"
        costs = {name: (int(bool(some)), int(bool(others)))}
        yield Error(article, kind[1], kind[0], what, some, others, detail, (), costs)


# ---- normal forms -------------------------------------------------------------------------


def _normal_form_errors(
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    canonical_unit: UnitName,
    totals: dict[str, Counts],
) -> Iterator[Error]:
    """Attributes that differ; of quantities that were not found the spans tell."""
    by_gold = {
        gold_id: span
        for found_id, gold_id in match_spans(gold, predicted).items()
        for span in predicted.spans
        if span.id == found_id
    }
    for span in gold.spans:
        if span.label != "QUANTITY":
            continue
        partner = by_gold.get(span.id)
        answers = partner.attrs if partner else None
        compared = compare_normal_forms(span.attrs, answers, canonical_unit)
        for attribute in _ATTRIBUTES:
            if attribute not in compared:
                continue
            name = f"normal form.{attribute}"
            totals[name] += Counts.share(compared[attribute], 1)
            if partner and not compared[attribute]:
                detail = f"{_form(partner, attribute)} instead of {_form(span, attribute)}"
                unread = attribute == "value" and _form(partner, attribute) == "null"
                kind = f"{attribute} {'not read' if unread else 'wrong'}"
                yield Error(gold.id, span.layer, "normal form", kind, (span,), (partner,), detail,
                            (), {name: (1, 1)})  # fmt: skip


def _form(span: AnnotatedSpan, attribute: str) -> str:
    """Return an attribute as words; of a value the bounds as well."""
    names = ("value", "low", "high") if attribute == "value" else (attribute,)
    given = {name: span.attrs[name] for name in names if span.attrs.get(name) is not None}
    if attribute != "value":
        return str(given.get(attribute, "null"))
    return ", ".join(f"{name} {number}" for name, number in given.items()) or "null"
