"""Who the speakers are: the part of `claimx.metrics` that reads persons and their attributes.

The definitions stand in the docstring of `claimx.metrics`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from claimx.linking.names import parse_name
from claimx.metrics.figures import Counts, Tally, add_counts
from claimx.metrics.matching import (
    LinkKind,
    Matching,
    joined,
    labelled,
    most_pairs,
    overlaps,
    tails,
)
from claimx.types import AnnotatedArticle, AnnotatedSpan

_ATTRIBUTES = {"speaker_role": "has_role", "speaker_affiliation": "affiliated_with"}
_PRONOUNS = frozenset(
    {"he", "she", "they", "i", "we", "it", "you", "who", "him", "her", "them", "us", "me"}
)


def person_clusters(article: AnnotatedArticle, *, by_name: bool) -> dict[str, str]:
    """Map the id of every PERSON to that of the first mention of the same person.

    Args:
        article: whose persons.
        by_name: where no same_person link is annotated, take mentions with one last name as one
            person if the article has at most one fuller name with that last name. Of several
            fuller names each is a person, and bare last names stay apart.
    """
    persons = sorted(labelled(article, "PERSON"), key=lambda span: span.start)
    ids = {span.id for span in persons}
    links = [
        (link.head, link.tail)
        for link in article.links
        if link.type == "same_person" and {link.head, link.tail} <= ids
    ]
    if not links and by_name:
        links = list(_same_name_links(persons))
    return joined((span.id for span in persons), links)


def _same_name_links(persons: Sequence[AnnotatedSpan]) -> Iterator[tuple[str, str]]:
    by_last_name: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for span in persons:
        tokens = parse_name(span.text).tokens
        if tokens:
            by_last_name[tokens[-1]].append((tokens, span.id))
    for mentions in by_last_name.values():
        fuller = {tokens for tokens, _ in mentions if len(tokens) > 1}
        first: dict[tuple[str, ...], str] = {}
        for tokens, span_id in mentions:
            if len(fuller) <= 1:
                yield mentions[0][1], span_id
            elif len(tokens) > 1:
                yield first.setdefault(tokens, span_id), span_id


def _persons_of(article: AnnotatedArticle, clusters: Mapping[str, str]) -> dict[str, set[str]]:
    """The clusters of the persons that each SPEAKER means, by refers_to or by a name inside."""
    referred = tails(article, "refers_to")
    persons = labelled(article, "PERSON")
    return {
        speaker.id: {
            clusters[person.id]
            for person in (
                *referred.get(speaker.id, ()),
                *(p for p in persons if speaker.start <= p.start and p.end <= speaker.end),
            )
            if person.id in clusters
        }
        for speaker in labelled(article, "SPEAKER")
    }


def _attributes(
    article: AnnotatedArticle, link_type: str, *, by_name: bool
) -> dict[str, list[list[AnnotatedSpan]]]:
    """The roles of each SPEAKER, those of one text (but for case) together."""
    clusters = person_clusters(article, by_name=by_name)
    owned: dict[str, list[AnnotatedSpan]] = defaultdict(list)
    for head, spans in tails(article, link_type).items():
        owned[clusters.get(head, head)] += spans
    attributes = {}
    for speaker, persons in _persons_of(article, clusters).items():
        texts: dict[str, list[AnnotatedSpan]] = defaultdict(list)
        for owner in (speaker, *sorted(persons)):
            for span in owned.get(owner, ()):
                texts[span.text.casefold()].append(span)
        attributes[speaker] = list(texts.values())
    return attributes


def _same_attribute(left: Sequence[AnnotatedSpan], right: Sequence[AnnotatedSpan]) -> bool:
    return any(
        one.text.casefold() == other.text.casefold()
        or overlaps((one.start, one.end), (other.start, other.end))
        for one in left
        for other in right
    )


def speaker_attribute_counts(
    tally: Tally,
    gold: AnnotatedArticle,
    predicted: AnnotatedArticle,
    matching: Matching,
    kinds: frozenset[LinkKind],
) -> None:
    """Count speakers with a role or affiliation under ``("speaker_role", layer)`` and so on.

    Layers whose speakers are nowhere linked to persons or attributes are left out.
    """
    for group, link_type in _ATTRIBUTES.items():
        annotated = {head for kind, head, _ in kinds if kind in ("refers_to", link_type)}
        wanted = _attributes(gold, link_type, by_name=True)
        found = _attributes(predicted, link_type, by_name=False)
        for speaker in labelled(gold, "SPEAKER"):
            if speaker.layer in annotated:
                counts = Counts(gold=len(wanted[speaker.id]))
                add_counts(tally, (group, speaker.layer), counts)
        for speaker in labelled(predicted, "SPEAKER"):
            if speaker.layer in annotated:
                items, partner = found[speaker.id], matching.get(speaker.id)
                allowed = wanted[partner] if partner else []
                right = len(most_pairs(allowed, items, _same_attribute))
                add_counts(tally, (group, speaker.layer), Counts(right, len(items), right, 0))


def reference_counts(
    tally: Tally,
    gold: AnnotatedArticle,
    linked: AnnotatedArticle,
    kinds: frozenset[LinkKind],
) -> None:
    """Count whom nameless speakers mean, under ``("references" or "pronouns", layer)``.

    Under ``("nameless", layer, "right")`` stands how many have the right persons, or rightly
    none, and under ``("nameless", layer, "nobody")`` how many the answer "nobody" would have right.
    Only articles whose persons are all annotated count there.

    Args:
        tally: what to add to.
        gold: the gold article.
        linked: the same spans with the model's links.
        kinds: the combinations that are annotated.
    """
    clusters = person_clusters(gold, by_name=True)
    persons = labelled(gold, "PERSON")
    wanted, found = tails(gold, "refers_to"), tails(linked, "refers_to")
    complete = {kind[1] for kind in kinds
                if kind[0] == "refers_to" and kind[2] in gold.complete_layers}  # fmt: skip
    for speaker in labelled(gold, "SPEAKER"):
        named = any(speaker.start <= p.start and p.end <= speaker.end for p in persons)
        if named or not any(kind[:2] == ("refers_to", speaker.layer) for kind in kinds):
            continue
        meant = {clusters.get(person.id, person.id) for person in wanted.get(speaker.id, ())}
        given = {clusters.get(person.id, person.id) for person in found.get(speaker.id, ())}
        counts = Counts.paired(len(meant & given), len(given), len(meant))
        add_counts(tally, ("references", speaker.layer), counts)
        if speaker.layer in complete:
            for answer, right in (("right", meant == given), ("nobody", not meant)):
                add_counts(tally, ("nameless", speaker.layer, answer), Counts.share(right, 1))
        if meant and speaker.text.casefold() in _PRONOUNS:
            add_counts(tally, ("pronouns", speaker.layer), Counts.share(meant == given, 1))
