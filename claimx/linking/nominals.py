"""Nameless speakers: whom of the article "the judge", "his mother" or "a report" may mean.

The model's answer holds only where the words allow it: an occupation belongs to a person who is
called by it somewhere in the article, a relative or an employee is never the one who has them,
and bodies and other people's documents are nobody. Where somebody else is called so, it is them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from claimx.linking.names import fold, name_gender, parse_name
from claimx.linking.nouns import NEAR, Phrase, appositions, read_phrase, read_roles
from claimx.linking.sources import is_organisation_noun, source_kind
from claimx.types import AnnotatedArticle, AnnotatedSpan

# Of more people who are called by one noun, the ones who were called so last are weighed.
_MAX_COMPARED = 32
# Letters by which "Serbia" and "Serbian" are one.
_STEM = 4

_WORD = re.compile(r"[^\W_]+(?:[-'’&./][^\W_]+)*")
_AGE = re.compile(r"-olds?$")
# Nouns that say little of a person's place in the world: the model's answer stands.
_ANYBODY = frozenset(
    """child teenager teen youth youngster pensioner adult person parent suspect defendant accused
    victim complainant plaintiff claimant convict prisoner inmate detainee offender culprit
    killer attacker gunman fugitive survivor patient star celebrity hero legend champion winner
    loser favourite favorite runner-up front-runner frontrunner candidate nominee contender
    challenger incumbent hopeful rival veteran newcomer native immigrant refugee entrepreneur
    tycoon mogul magnate billionaire millionaire author politician expert latter former
    republican democrat conservative liberal socialist independent moderate""".split()
)
_CHILDREN = frozenset("boy girl child".split())
_GENDERS = dict.fromkeys("man boy gentleman father grandfather widower businessman".split(), "m")
_GENDERS |= dict.fromkeys("woman girl lady mother grandmother widow businesswoman".split(), "f")
# "The letter" may be anybody's; a report, a ruling or an indictment is mostly another's.
_AUTHORED = frozenset(
    """letter statement email e-mail memo memoir book speech column op-ed essay tweet post blog
    message testimony proclamation decree note diary manifesto autobiography""".split()
)


class Nominals:
    """Whom the nameless speakers of one article may mean, by what its people are called."""

    def __init__(
        self,
        article: AnnotatedArticle,
        clusters: Mapping[str, int],
        nameless: Sequence[AnnotatedSpan],
    ) -> None:
        """Read roles, titles and appositions.

        Args:
            article: spans and links.
            clusters: span id of every PERSON -> its person.
            nameless: the speakers that mean nobody by name; roles inside them prove nothing.
        """
        self._text = article.text
        self._mentions: dict[int, list[AnnotatedSpan]] = defaultdict(list)
        self._called: dict[tuple[int, str], dict[Phrase, int]] = defaultdict(dict)
        self._by_noun: dict[str, list[tuple[int, int, Phrase]]] = defaultdict(list)
        self._roles: dict[str, list[str]] = defaultdict(list)
        self._with_role: set[int] = set()
        self._aged: set[int] = set()
        if any(len(speaker.text.split()) > 1 for speaker in nameless):
            self._read_names(article, clusters)
            self._read_roles(article, clusters, _Covered(nameless))
        for (person, noun), phrases in self._called.items():
            if _AGE.search(noun):
                self._aged.add(person)
            self._by_noun[noun] += [(start, person, phrase) for phrase, start in phrases.items()]
        for entries in self._by_noun.values():
            entries.sort(key=lambda entry: entry[:2])

    def _read_names(self, article: AnnotatedArticle, clusters: Mapping[str, int]) -> None:
        persons = (span for span in article.spans if span.id in clusters)
        for span in sorted(persons, key=lambda span: span.start):
            self._mentions[clusters[span.id]].append(span)
            for phrase in appositions(article.text, span):
                self._note(clusters[span.id], phrase, span.start)

    def _read_roles(
        self, article: AnnotatedArticle, clusters: Mapping[str, int], covered: _Covered
    ) -> None:
        spans = {span.id: span for span in article.spans}
        for link in article.links:
            role = spans.get(link.tail)
            if link.type != "has_role" or role is None or role.label != "ROLE":
                continue
            self._roles[link.head].append(role.text)
            if link.head in clusters and role not in covered:
                self._with_role.add(clusters[link.head])
                for phrase in read_roles(role.text):
                    self._note(clusters[link.head], phrase, role.start)

    def _note(self, person: int, phrase: Phrase, start: int) -> None:
        if not phrase.noun:
            return
        known = self._called[person, phrase.noun]
        known[phrase] = min(start, known.get(phrase, start))

    def meaning(
        self, speaker: AnnotatedSpan, given: int | None, named: Collection[int] = ()
    ) -> int | None:
        """Return the person that a nameless speaker means, None for nobody.

        Args:
            speaker: a SPEAKER that means nobody by name.
            given: the model's answer.
            named: the people named in the expression, whom it does not mean.
        """
        words = speaker.text.split()
        if len(words) < 2:
            return given  # a pronoun
        phrase = read_phrase(speaker.text)
        if given is None and self._by_noun.keys().isdisjoint(phrase.nouns):
            return None
        kind = source_kind(speaker.text, self._roles.get(speaker.id, ()))
        if kind == "document":
            bare = len(words) == 2 and phrase.noun in _AUTHORED
            return given if phrase.belongs_to_pronoun or bare else None
        if kind == "group":
            return None
        if kind == "organisation" and not phrase.office:
            return given if _is_proper(speaker.text, phrase.noun) else None
        return self._person(speaker, phrase, given, named)

    def _person(
        self, speaker: AnnotatedSpan, phrase: Phrase, given: int | None, named: Collection[int]
    ) -> int | None:
        """Return whom an expression for a single human being means."""
        if given is not None and any(
            phrase.fits(called)
            for noun in phrase.nouns
            for called in self._called.get((given, noun), ())
        ):
            return given
        before: list[int] = []
        after: list[int] = []
        if not phrase.other:
            before, after = self._candidates(phrase, speaker, named)
        if given is None:
            return before[0] if len(before) == 1 and not phrase.indefinite else None
        if before or len(after) == 1:
            return (before or after)[0]
        if self._mentions[given][0].start > speaker.start and given not in self._with_role:
            return given  # "Velden's top negotiator says ...", and then his bare name
        vague = not phrase.owned and not phrase.indefinite
        return given if vague and self._may_be(phrase.noun, given) else None

    def _may_be(self, noun: str, person: int) -> bool:
        """Say whether a noun that tells little may stand for a person: "the woman"."""
        if noun in _CHILDREN and person in self._with_role:
            return False
        if noun in _GENDERS:
            names = (name_gender(parse_name(span.text)) for span in self._mentions[person])
            gender = next(filter(None, names), "")
            return gender in ("", _GENDERS[noun])
        aged = _AGE.search(noun) and person not in self._aged
        return bool(aged) or noun in _ANYBODY

    def _candidates(
        self, phrase: Phrase, speaker: AnnotatedSpan, named: Collection[int]
    ) -> tuple[list[int], list[int]]:
        """Return who was called so before, named last first, and who only later on."""
        start = speaker.start
        before: dict[int, int] = {}
        after: dict[int, None] = {}
        for noun in phrase.nouns:
            entries = self._by_noun.get(noun, [])
            here = bisect_left(entries, start, key=lambda entry: entry[0])
            near = entries[max(0, here - _MAX_COMPARED) : here + _MAX_COMPARED]
            for called_at, person, called in near:
                fits = person not in named and phrase.fits(called)
                if not (fits and self._is_near(person, phrase, called, speaker)):
                    continue
                if called_at >= start:
                    after[person] = None
                    continue
                mentions = self._mentions[person]
                last = bisect_left(mentions, start, key=lambda span: span.start) - 1
                before[person] = mentions[max(0, last)].start
        return sorted(before, key=lambda person: -before[person]), list(after)

    def _is_near(self, person: int, phrase: Phrase, called: Phrase, speaker: AnnotatedSpan) -> bool:
        """Say whether the names in an expression belong to a person: "Serbia's president"."""
        missing = phrase.places - called.narrowed
        if not missing:
            return True
        around = []
        for span in self._mentions[person][:_MAX_COMPARED]:
            begin, end = max(0, span.start - NEAR), span.end + NEAR
            if span.start < speaker.start:  # what the expression says itself proves nothing
                end = min(end, speaker.start)
            else:
                begin = max(begin, speaker.end)
            around.append(fold(self._text[begin:end]))
        return all(any(place[:_STEM] in text for text in around) for place in missing)


class _Covered:
    """The stretches of some speakers: says which spans lie inside one."""

    def __init__(self, speakers: Sequence[AnnotatedSpan]) -> None:
        self._layers: dict[str, list[AnnotatedSpan]] = defaultdict(list)
        for speaker in sorted(speakers, key=lambda span: span.start):
            self._layers[speaker.layer].append(speaker)

    def __contains__(self, span: AnnotatedSpan) -> bool:
        for speakers in self._layers.values():
            at = bisect_right(speakers, span.start, key=lambda speaker: speaker.start) - 1
            if at >= 0 and span.end <= speakers[at].end:
                return True
        return False


def _is_proper(text: str, noun: str) -> bool:
    """Say whether an expression filed as an organisation is a name, or a people: "the Dane"."""
    return any(word[0].isupper() and word.casefold() == noun for word in _WORD.findall(text)) and (
        not is_organisation_noun(noun)
    )
