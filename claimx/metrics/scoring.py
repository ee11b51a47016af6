"""What is measured, and how: every definition behind a published figure.

Both sides are `AnnotatedArticle`s over one text. Only spans in layers that the gold article names
in ``complete_layers`` are looked at, on both sides; elsewhere silence means "unknown". F1 is the
harmonic mean of precision (share of the predicted items that are right) and recall (share of the
gold items that are found); empty denominators give 0. Counts are added up over the articles
(micro average) before anything is divided. Intervals are 95% percentile bootstrap intervals over
articles (`claimx.metrics.figures.summarise`).

**Spans** (`span_counts`). *Exact*: same layer, label, start and end. *Overlap*: a one-to-one
maximum matching of spans of one layer and label that share at least one character (of the
largest matchings one that shares the most characters). Every "matched by overlap" below is this
matching.

**Links** (`link_counts`), by type and layer of the head. Scored are the combinations of type,
head layer and tail layer that occur in the gold data at all (`annotated_links`). *Given gold
spans*: the model saw the gold spans; a link is right if type and both ends are. *End to end*:
predicted spans; both ends must match gold spans exactly, or by overlap. same_person is read as
the pairs of mentions that its links join directly or through others, in either direction, and
only scored in articles whose gold has such a link.

**Quote + speaker** (`quote_speaker_counts`). Gold items are the quotes with a said_by, predicted
items the predicted quotes with a said_by (of several the first speaker in the text). A predicted
one is right if its quote is matched (by overlap; also reported: exactly) with a gold quote and
its speaker is exactly one of the gold speakers of that quote. A speaker predicted where gold has
none is a false positive.

**Speaker + role, speaker + affiliation** (`speaker_attribute_counts`). An item is a speaker with
one role (roles of one speaker with the same text but for case are one). The roles of a speaker
are its own, by has_role from the SPEAKER, and those of all mentions of its persons; its persons
are those that refers_to names and those whose PERSON span stands inside the speaker. Mentions are
one person by same_person where the article has such a link; in gold also, where it has none, by
an equal last name (`claimx.metrics.speakers.person_clusters`). A predicted item is right if its
speaker is matched by overlap with a gold one that has a role which it overlaps or whose text is
equal but for case, one to one within the speaker. Affiliations likewise.

**Kinds of quotes** (`quote_kind_counts`): direct, indirect, mixed, by the quotation marks on both
sides. Precision over the predicted quotes of that kind, recall over the gold quotes of that kind;
right means matched, exactly or by overlap, with a quote of any kind. Quotes that are exactly equal
have one kind, so the exact F1 of direct quotes is that of the quotes that are direct on both sides.

**Normal forms** (`quantity_counts`), accuracies over gold quantities that carry the attribute. A
gold quantity is matched by overlap; unmatched it is wrong. *value*: value, low and high all
agree, within a relative error of 1e-3, null only with null. *unit*: the same unit by name
(`canonical_unit`), null only with null. *value_and_unit*: both. *kind*, *modifier*, *change*:
equal. Also apart: gold quantities with a bare "$" (no letter directly before it), all others, and
those that were found.

**Speakers without a name** (`reference_counts`), given gold spans: speakers with no PERSON
inside. Items are (speaker, person) by refers_to, a person being a whole cluster of mentions.
*Nameless*: of all of them the share whose set of predicted persons is the gold one, be it empty;
beside it the share that always answering "nobody" has right. *Pronouns*: of the speakers that are a
pronoun and have a person in gold, the share whose set of predicted persons is the gold one.

**Calibration** (`span_calibration`): is a span's score the probability that it is exactly right?
Beside the error stands the one that perfect scores would show at that count
(`claimx.metrics.figures.perfect_calibration`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Any

from claimx.metrics.figures import (
    Counts,
    Key,
    Tally,
    add_counts,
    calibration,
    perfect_calibration,
)
from claimx.metrics.matching import (
    MATCHERS,
    LinkKind,
    Matching,
    by_label,
    intervals,
    joined,
    labelled,
    match_spans,
    tails,
)
from claimx.metrics.speakers import reference_counts, speaker_attribute_counts
from claimx.types import AnnotatedArticle, AnnotatedSpan

Pair = tuple[AnnotatedArticle, AnnotatedArticle]
QuoteKindOf = Callable[[str, int, int], str]
UnitName = Callable[[str | None], str | None]

ALL = "all"
ACCURACIES = frozenset({"quantities", "pronouns", "nameless"})
"""Figures whose precision, recall and F1 are one and the same share."""

_UNSCORED_LINKS = frozenset({"coref", "not_coref"})  # pairs for training, nowhere complete
_BARE_DOLLAR = re.compile(r"(?<![^\W\d_])\$")


def score(
    pairs: Sequence[Pair],
    given_gold: Sequence[Pair] = (),
    *,
    quote_kind: QuoteKindOf | None = None,
    canonical_unit: UnitName | None = None,
) -> list[Tally]:
    """Count everything; hand the result to `claimx.metrics.figures.summarise`.

    Args:
        pairs: gold and predicted articles.
        given_gold: the same gold articles, with the links that the model predicted between the
            gold spans; empty if there are none.
        quote_kind: tells a quote's kind from text, start and end; `claimx.linking.quote_kind`
            by default.
        canonical_unit: the closed name of a unit; `claimx.quantities.canonical_unit` by default.

    Returns:
        The counts of each article.

    Raises:
        ValueError: if two sides of a pair are not over the same text.
    """
    # Every quote is asked for up to four times, and each answer reads the whole text.
    quote_kind = lru_cache(maxsize=4096)(quote_kind or _default_quote_kind())
    canonical_unit = canonical_unit or _default_unit_name()
    if given_gold and len(given_gold) != len(pairs):
        raise ValueError(f"{len(pairs)} articles but {len(given_gold)} with gold spans given")
    pairs = [comparable(pair) for pair in pairs]
    kinds = annotated_links(gold for gold, _ in pairs)
    tallies = []
    for gold, predicted in pairs:
        tally: Tally = {}
        matchings = {how: match_spans(gold, predicted, how) for how in MATCHERS}
        for how, matching in matchings.items():
            span_counts(tally, gold, predicted, matching, how)
            link_counts(tally, gold, predicted, matching, kinds, f"links_{how}")
            quote_speaker_counts(tally, gold, predicted, matching, how)
            quote_kind_counts(tally, gold, predicted, matching, how, quote_kind)
        speaker_attribute_counts(tally, gold, predicted, matchings["overlap"], kinds)
        quantity_counts(tally, gold, predicted, matchings["overlap"], canonical_unit)
        tallies.append(tally)
    for tally, pair in zip(tallies, given_gold, strict=False):
        gold, linked = comparable(pair)
        same = {span.id: span.id for span in gold.spans}
        link_counts(tally, gold, linked, same, kinds, "links_given_gold")
        reference_counts(tally, gold, linked, kinds)
    return tallies


def _default_quote_kind() -> QuoteKindOf:
    from claimx.linking import quote_kind

    return quote_kind


def _default_unit_name() -> UnitName:
    from claimx.quantities import canonical_unit

    return canonical_unit


def comparable(pair: Pair) -> Pair:
    """Check that both sides share one text and keep what lies in completely annotated layers."""
    gold, predicted = pair
    if gold.text != predicted.text:
        raise ValueError(f"article {gold.id!r}: the predicted text is not the gold text")
    layers = frozenset(gold.complete_layers)
    return _within(gold, layers), _within(predicted, layers)


def _within(article: AnnotatedArticle, layers: frozenset[str]) -> AnnotatedArticle:
    spans = tuple(span for span in article.spans if span.layer in layers)
    ids = {span.id for span in spans}
    links = tuple(link for link in article.links if link.head in ids and link.tail in ids)
    return replace(article, spans=spans, links=links)


def span_counts(
    tally: Tally, gold: AnnotatedArticle, predicted: AnnotatedArticle, matching: Matching, how: str
) -> None:
    """Count spans by layer and label under ``("spans", layer, label, how)``."""
    gold_groups, predicted_groups = by_label(gold), by_label(predicted)
    for group in sorted({*gold_groups, *predicted_groups}):
        predicted_spans = predicted_groups.get(group, [])
        right = sum(span.id in matching for span in predicted_spans)
        counts = Counts.paired(right, len(predicted_spans), len(gold_groups.get(group, [])))
        add_counts(tally, ("spans", *group, how), counts)
        add_counts(tally, ("spans", group[0], ALL, how), counts)


def annotated_links(golds: Iterable[AnnotatedArticle]) -> frozenset[LinkKind]:
    """Return the combinations of type, head layer and tail layer that gold articles link."""
    return frozenset(kind for gold in golds for kind in _pairs_by_kind(gold))


def _pairs_by_kind(article: AnnotatedArticle) -> dict[LinkKind, set[tuple[str, str]]]:
    by_id = {span.id: span for span in article.spans}
    found: dict[LinkKind, set[tuple[str, str]]] = defaultdict(set)
    for link in article.links:
        if link.type not in _UNSCORED_LINKS:
            kind = (link.type, by_id[link.head].layer, by_id[link.tail].layer)
            found[kind].add((link.head, link.tail))
    for kind, pairs in found.items():
        if kind[0] == "same_person":
            found[kind] = _joined_pairs(pairs)
    return found


def _joined_pairs(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All pairs that the links join, directly or through others, each in its sorted order."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, group in joined((name for pair in sorted(pairs) for name in pair), pairs).items():
        groups[group].append(name)
    return {pair for group in groups.values() for pair in combinations(sorted(group), 2)}


def link_counts(
    tally: Tally,
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    matching: Matching,
    kinds: frozenset[LinkKind],
    group: str,
) -> None:
    """Count links by type under ``(group, type, layer of the head)``.

    Args:
        tally: what to add to.
        gold: one side.
        predicted: the other.
        matching: which predicted span stands for which gold span.
        kinds: the combinations that are scored.
        group: first part of the key.
    """
    gold_pairs, predicted_pairs = _pairs_by_kind(gold), _pairs_by_kind(predicted)
    for kind in sorted(kinds):
        wanted, found = gold_pairs.get(kind, set()), predicted_pairs.get(kind, set())
        if kind[0] == "same_person" and not wanted:
            continue
        right = 0
        for head, tail in found:
            ends = matching.get(head, ""), matching.get(tail, "")
            right += (tuple(sorted(ends)) if kind[0] == "same_person" else ends) in wanted
        counts = Counts.paired(right, len(found), len(wanted))
        add_counts(tally, (group, kind[0], kind[1]), counts)
        add_counts(tally, (group, kind[0], ALL), counts)


def quote_speaker_counts(
    tally: Tally, gold: AnnotatedArticle, predicted: AnnotatedArticle, matching: Matching, how: str
) -> None:
    """Count quotes with the right speaker under ``("quote_speaker", layer, how)``."""
    gold_speakers, predicted_speakers = tails(gold, "said_by"), tails(predicted, "said_by")
    for quote in labelled(gold, "QUOTE"):
        if quote.id in gold_speakers:
            add_counts(tally, ("quote_speaker", quote.layer, how), Counts(gold=1))
    for quote in labelled(predicted, "QUOTE"):
        if quote.id not in predicted_speakers:
            continue
        speaker = predicted_speakers[quote.id][0]
        allowed = gold_speakers.get(matching.get(quote.id, ""), [])
        right = int((speaker.start, speaker.end) in intervals(allowed))
        add_counts(tally, ("quote_speaker", quote.layer, how), Counts(right, 1, right, 0))


def quote_kind_counts(
    tally: Tally,
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    matching: Matching,
    how: str,
    quote_kind: QuoteKindOf,
) -> None:
    """Count quotes of each kind under ``("quote_kinds", layer, kind, how)``."""
    found = set(matching.values())
    for quote in labelled(gold, "QUOTE"):
        kind = quote_kind(gold.text, quote.start, quote.end)
        counts = Counts(gold_right=int(quote.id in found), gold=1)
        add_counts(tally, ("quote_kinds", quote.layer, kind, how), counts)
    for quote in labelled(predicted, "QUOTE"):
        kind = quote_kind(gold.text, quote.start, quote.end)
        counts = Counts(predicted_right=int(quote.id in matching), predicted=1)
        add_counts(tally, ("quote_kinds", quote.layer, kind, how), counts)


def quantity_counts(
    tally: Tally,
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    matching: Matching,
    canonical_unit: UnitName,
) -> None:
    """Count right normal forms under ``("quantities", subset, attribute)``.

    The subsets are ``all``, ``bare_dollar``, ``without_bare_dollar`` and ``found``.
    """
    by_gold = {matching[span.id]: span for span in predicted.spans if span.id in matching}
    for quantity in labelled(gold, "QUANTITY"):
        partner = by_gold.get(quantity.id)
        bare = _has_bare_dollar(gold.text, quantity)
        subsets = [ALL, "bare_dollar" if bare else "without_bare_dollar"]
        if partner:
            subsets.append("found")
        answers = partner.attrs if partner else None
        for attribute, right in compare_normal_forms(
            quantity.attrs, answers, canonical_unit
        ).items():
            for subset in subsets:
                add_counts(tally, ("quantities", subset, attribute), Counts.share(right, 1))


def _has_bare_dollar(text: str, span: AnnotatedSpan) -> bool:
    # The whole text is searched, because the letter may stand just outside the span.
    return _BARE_DOLLAR.search(text, span.start, span.end) is not None


def compare_normal_forms(
    gold: Mapping[str, Any], predicted: Mapping[str, Any] | None, canonical_unit: UnitName
) -> dict[str, bool]:
    """Say for every attribute that gold carries whether the predicted one agrees.

    Args:
        gold: attributes of the gold quantity.
        predicted: those of its partner; None where the quantity was not found.
        canonical_unit: the closed name of a unit.
    """
    answer = predicted or {}
    found = predicted is not None
    right: dict[str, bool] = {}
    numbers = ("value", "low", "high")
    if any(isinstance(gold.get(name), int | float) for name in numbers):
        value = found and all(_agree(gold.get(name), answer.get(name)) for name in numbers)
        unit = found and _unit(gold, canonical_unit) == _unit(answer, canonical_unit)
        right |= {"value": value, "unit": unit, "value_and_unit": value and unit}
    for name, default in (("kind", None), ("modifier", "exact"), ("change", "none")):
        if gold.get(name) is not None:
            right[name] = found and gold[name] == (answer.get(name) or default)
    return right


def _unit(attrs: Mapping[str, Any], canonical_unit: UnitName) -> str | None:
    name = attrs.get("unit")
    return canonical_unit(name) if isinstance(name, str) and name.strip() else None


def _agree(gold: Any, predicted: Any) -> bool:
    if not isinstance(gold, int | float) or not isinstance(predicted, int | float):
        return gold is None and predicted is None
    try:
        return bool(abs(predicted - gold) * 1000 <= abs(gold))
    except OverflowError:  # an integer that no float can hold
        return False


def span_calibration(pairs: Iterable[Pair]) -> dict[Key, dict[str, Any]]:
    """Measure calibration of all predicted spans with a score, and by layer and label.

    Correct means exactly right. The expected calibration error is that of
    `claimx.metrics.figures.calibration` with 15 bins of equal size; beside it stands what
    `claimx.metrics.figures.perfect_calibration` says of the same scores.

    Returns:
        ``("all",)`` and ``(layer, label)`` -> the result.
    """
    groups: dict[Key, list[tuple[float, bool]]] = defaultdict(list)
    for gold, predicted in map(comparable, pairs):
        matching = match_spans(gold, predicted, "exact")
        for span in predicted.spans:
            if span.score is not None:
                item = (span.score, span.id in matching)
                groups[ALL,].append(item)
                groups[span.layer, span.label].append(item)
    return {
        key: calibration(groups[key]) | perfect_calibration(score for score, _ in groups[key])
        for key in sorted(groups, key=lambda key: (key != (ALL,), key))
    }
