"""Who is who: joins the mentions of one person and says whom each speaker expression means."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from claimx.linking.clusters import cluster_persons
from claimx.linking.names import display_name, parse_name
from claimx.linking.nominals import Nominals
from claimx.linking.speakers import has_pronoun, read_speakers
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

_SINGULAR = frozenset({"he", "she"})


def fullest(mentions: Sequence[AnnotatedSpan]) -> AnnotatedSpan:
    """Return the mention with the most complete name: most parts, then not in capitals, longest."""

    def rank(span: AnnotatedSpan) -> tuple[int, int, bool, int, int]:
        name, shown = parse_name(span.text), display_name(span.text)
        initials = sum(len(token) == 1 for token in name.tokens)
        parts = len(name.pieces)
        return (parts - initials, parts, not shown.isupper(), len(shown), -span.start)

    return max(mentions, key=rank)


def resolve_people(article: AnnotatedArticle) -> AnnotatedArticle:
    """Complete the links between names, speakers and people.

    Every further mention of a person gets a same_person link to the fullest one. Every SPEAKER
    that is built around names refers_to the fullest mention of each person that it means; for
    all other speakers the model's refers_to is kept and moved to the fullest mention. All other
    spans and links stay as they are. Links made here carry no score.

    Args:
        article: spans and links of the model or of a person; links of odd types or to spans
            that are not there are ignored.
    """
    spans = {span.id: span for span in article.spans}
    clusters = cluster_persons(article)
    mentions: dict[int, list[AnnotatedSpan]] = defaultdict(list)
    for span_id, cluster in clusters.items():
        mentions[cluster].append(spans[span_id])
    names = {cluster: fullest(members) for cluster, members in mentions.items()}
    scores = {
        (link.head, link.tail): link.score for link in article.links if link.type == "same_person"
    }
    same = [
        Link("same_person", member.id, name.id, scores.get((member.id, name.id)))
        for cluster, name in names.items()
        for member in mentions[cluster]
        if member.id != name.id
    ]
    others = [link for link in article.links if link.type not in ("same_person", "refers_to")]
    refers = _refer(article, clusters, names)
    return replace(article, links=(*others, *same, *refers))


def _refer(
    article: AnnotatedArticle,
    clusters: dict[str, int],
    names: dict[int, AnnotatedSpan],
) -> list[Link]:
    """Build the refers_to links: by name where a speaker has one, else those of the model."""
    given: dict[str, list[Link]] = defaultdict(list)
    for link in article.links:
        if link.type == "refers_to" and link.tail in clusters:
            given[link.head].append(link)
    answers: dict[str, dict[int, Link]] = {}
    speakers = []
    read = list(read_speakers(article))
    nominals = Nominals(article, clusters, [speaker for speaker, _, meant in read if not meant])
    for speaker, nested, meant in read:
        persons = dict.fromkeys(clusters[person.id] for person in meant)
        links = {cluster: Link("refers_to", speaker.id, names[cluster].id) for cluster in persons}
        named = {clusters[person.id] for person in nested}
        if not meant or has_pronoun(speaker.text):
            for link in given.get(speaker.id, ()):
                cluster = clusters[link.tail]
                if cluster not in named and cluster not in links:
                    links[cluster] = replace(link, tail=names[cluster].id)
        if not meant and len(links) < 2 and not has_pronoun(speaker.text):
            links = _judge(speaker, links, named, nominals, names)
        answers[speaker.id] = links
        speakers.append(speaker)
    _go_on(article, speakers, answers)
    return [link for links in answers.values() for link in links.values()]


def _judge(
    speaker: AnnotatedSpan,
    links: dict[int, Link],
    named: set[int],
    nominals: Nominals,
    names: dict[int, AnnotatedSpan],
) -> dict[int, Link]:
    """Hold the model's answer for "the judge" to what people are called; see `Nominals`."""
    given = next(iter(links), None)
    if given is not None and links[given].score is None:
        return links  # links of people (no score) always hold
    person = nominals.meaning(speaker, given, named)
    if person == given:
        return links
    return {} if person is None else {person: Link("refers_to", speaker.id, names[person].id)}


def _go_on(
    article: AnnotatedArticle,
    speakers: Sequence[AnnotatedSpan],
    answers: dict[str, dict[int, Link]],
) -> None:
    """Let a "he" mean whom the "he" before it means, if nobody is named between the two.

    Another speaker between them ends that: a writer who has changed the person by then says so
    by a name, but not always in front of the pronoun.
    """
    persons = sorted(span.start for span in article.spans if span.label == "PERSON")
    last: dict[str, AnnotatedSpan] = {}
    for speaker in sorted(speakers, key=lambda span: span.start):
        before = last.get(speaker.layer)
        last[speaker.layer] = speaker
        if (
            before is not None
            and speaker.text.lower() in _SINGULAR
            and before.text.lower() == speaker.text.lower()
            and bisect_left(persons, before.end) == bisect_left(persons, speaker.start)
            and len(answers[before.id]) == 1
            and answers[speaker.id].keys() != answers[before.id].keys()
        ):
            answers[speaker.id] = {
                cluster: replace(link, head=speaker.id)
                for cluster, link in answers[before.id].items()
            }
