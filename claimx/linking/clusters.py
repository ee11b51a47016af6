"""Which mentions of people are one person: by names, with the model's links as hints.

Linear in the number of mentions: names are looked up by their words, never pair by pair.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from claimx.linking.graph import Groups, text_order
from claimx.linking.names import (
    TITLES,
    Name,
    canonical,
    fold,
    name_gender,
    parse_name,
    title_gender,
)
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

# More namesakes than this are not weighed one by one: the most recent one is taken.
_MAX_COMPARED = 16
# A name that is spelled this long or longer may differ from its full form by one letter.
_MIN_FUZZY = 5
# From this score on the model's same_person link may join what names do not tell.
_MIN_HINT = 0.5


@dataclass(slots=True)
class _Namesakes:
    """Everything known about the people who share one word of a name."""

    people: dict[int, None] = field(default_factory=dict)  # in order of appearance
    recent: int | None = None  # the one whose full name was read last


class _Directory:
    """The people of one article, indexed by the words of their names."""

    def __init__(self, names: Iterable[Name]) -> None:
        self.groups = Groups()
        self.identity: dict[Name, int] = {}
        self._by_names: dict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
        self._exact: dict[tuple[str, str, str, str], int] = {}
        self._vague: set[Name] = set()
        full = [name for name in dict.fromkeys(names) if name.full]
        for name in sorted(full, key=lambda name: not (name.middle or name.suffix)):
            if len(name.tokens[0]) > 1:
                self._enter(name)
        self._join_variants(full)
        self._join_initials(full)
        self.surnames: dict[str, _Namesakes] = defaultdict(_Namesakes)
        self.words: dict[str, _Namesakes] = defaultdict(_Namesakes)
        self.genders: dict[int, str] = {}
        self.seen: Counter[int] = Counter()
        self._index(full)
        self._fuzzy: dict[str, set[int]] = defaultdict(set)
        for word, namesakes in self.surnames.items():
            for key in _deletions(word):
                self._fuzzy[key].update(list(namesakes.people)[:2])

    def _enter(self, name: Name) -> None:
        """Give a name an identity; namesakes differ where middle names or suffixes disagree."""
        key = (canonical(name.tokens[0]), name.tokens[-1])
        middle, suffix = name.middle, name.suffix
        known = self._exact.get((*key, middle, suffix))
        if known is None:
            fitting = [
                identity
                for other_middle, other_suffix, identity in self._by_names[key][:_MAX_COMPARED]
                if (other_middle.startswith(middle) or middle.startswith(other_middle))
                and (not suffix or not other_suffix or suffix == other_suffix)
            ]
            if len(fitting) > 1 and not (middle or suffix):
                self._vague.add(name)  # "George Bush" where both of them occur
            known = fitting[0] if fitting else self.groups.add()
            self._exact[(*key, middle, suffix)] = known
            if not fitting:
                self._by_names[key].append((middle, suffix, known))
        self.identity[name] = known

    def _only(self, first: str, last: str) -> int | None:
        entries = self._by_names.get((canonical(first), last), ())
        return entries[0][2] if len(entries) == 1 else None

    def _join_variants(self, full: Sequence[Name]) -> None:
        """Join other forms: swapped order, second surname, middle name in use, nickname."""
        by_pieces: dict[tuple[str, ...], Name] = {}
        for name in full:
            if name not in self.identity:
                continue
            identity = self.identity[name]
            # "Song Min-jae" is "Min Jae Song"; the same order with another suffix is another.
            other_order = by_pieces.setdefault(tuple(sorted(name.pieces)), name)
            if other_order.tokens[-1] != name.tokens[-1] and other_order.suffix == name.suffix:
                self.groups.join(self.identity[other_order], identity)
            forms = [(nickname, name.tokens[-1]) for nickname in name.nicknames]
            if len(name.tokens) > 2:
                forms += [(name.tokens[0], name.tokens[-2]), (name.tokens[1], name.tokens[-1])]
            for first, last in forms:
                other = self._only(first, last)
                if other is not None and len(last) > 1:
                    self.groups.join(other, identity)
        self._join_ends(full)

    def _join_ends(self, full: Sequence[Name]) -> None:
        """Join "Solis Vega" to the only name that ends in it: "Marta Solis Vega"."""
        ends: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for name in full:
            for at in range(1, min(len(name.pieces) - 1, 4)):
                if name in self.identity:
                    ends[name.pieces[at:]].add(self.groups.find(self.identity[name]))
        for name in full:
            found = ends.get(name.pieces, set())
            if name in self.identity and len(found) == 1:
                self.groups.join(self.identity[name], next(iter(found)))

    def _join_initials(self, full: Sequence[Name]) -> None:
        """Join "I. Okafor" to the only Okafor whose first name starts so."""
        by_initial: dict[tuple[str, str], set[int]] = defaultdict(set)
        for name, identity in self.identity.items():
            by_initial[name.tokens[0][0], name.tokens[-1]].add(self.groups.find(identity))
        for name in full:
            if name in self.identity:
                continue
            key = (name.tokens[0], name.tokens[-1])
            if len(by_initial[key]) != 1:
                by_initial[key] = {self.groups.add()}
            self.identity[name] = next(iter(by_initial[key]))

    def _index(self, full: Sequence[Name]) -> None:
        initials: dict[str, set[int]] = defaultdict(set)
        for name in full:
            person = self.groups.find(self.identity[name])
            for word in _surname_forms(name):
                self.surnames[word].people[person] = None
            for word in (*name.tokens, *name.pieces, *name.nicknames):
                if len(word) > 1:
                    self.words[word].people[person] = None
            initials["".join(piece[0] for piece in name.pieces)].add(person)
            gender = name_gender(name)
            if gender:
                self.genders.setdefault(person, gender)
        for letters, people in initials.items():
            if len(letters) > 2 and len(people) == 1 and letters not in self.words:
                self.words[letters].people.update(dict.fromkeys(people))

    def saw_full(self, name: Name, person: int) -> None:
        """Note that a full name was just read, for bare surnames that follow."""
        self.seen[person] += 1
        for word in _surname_forms(name):
            self.surnames[word].recent = person

    def vague(self, name: Name) -> bool:
        """Say whether this full name may mean several of the people."""
        return name in self._vague

    def candidates(self, name: Name, *, guess: bool) -> _Namesakes | None:
        """Return the people that a name of one word, or a vague full name, may mean.

        Args:
            name: the name.
            guess: whether a surname that is spelled almost the same will do.
        """
        if not name.tokens:
            return None
        if name.full:
            entries = self._by_names[canonical(name.tokens[0]), name.tokens[-1]]
            recent = self.surnames[name.tokens[-1]].recent
            return _Namesakes({self.groups.find(entry[2]): None for entry in entries}, recent)
        for word in (name.tokens[-1], *name.pieces[-1:]):
            if word in self.surnames:
                return self.surnames[word]
        word = name.tokens[-1]
        if word in self.words:
            return self.words[word] if len(self.words[word].people) == 1 else None
        if guess and len(word) >= _MIN_FUZZY:
            near = {person for key in _deletions(word) for person in self._fuzzy.get(key, ())}
            if len(near) == 1:
                return _Namesakes(dict.fromkeys(near))
        return None


def _surname_forms(name: Name) -> set[str]:
    """Return the words that may stand for the person: surname, its bare form, first of two."""
    forms = {name.tokens[-1], *name.pieces[-1:]}
    if len(name.tokens) > 2 and len(name.tokens[-2]) > 1:
        forms.add(name.tokens[-2])
    return {form for form in forms if len(form) > 1}


def _deletions(word: str) -> set[str]:
    """Return the word and all its forms with one letter left out; the first letter stays."""
    if not _MIN_FUZZY <= len(word) <= 20:
        return set()
    return {word} | {word[:at] + word[at + 1 :] for at in range(1, len(word))}


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands around a mention: its gender by title, and its titles and roles."""

    gender: str
    roles: frozenset[str]


def _contexts(
    article: AnnotatedArticle, persons: Sequence[AnnotatedSpan], spans: dict[str, AnnotatedSpan]
) -> dict[str, _Context]:
    roles: dict[str, set[str]] = defaultdict(set)
    for link in article.links:
        role = spans.get(link.tail)
        if link.type == "has_role" and role is not None and role.label == "ROLE":
            roles[link.head].add(fold(role.text).rstrip("."))
    contexts = {}
    for person in persons:
        before = article.text[max(0, person.start - 24) : person.start].split()
        inside_name = person.text.split(maxsplit=1)
        titles = {
            title
            for word in (*before[-1:], *inside_name[:1])
            if (title := word.casefold().strip(".,()\"“‘'")) in TITLES
        }
        gender = next((found for title in sorted(titles) if (found := title_gender(title))), "")
        contexts[person.id] = _Context(gender, frozenset(titles | roles[person.id]))
    return contexts


def _weigh(
    namesakes: _Namesakes, context: _Context, directory: _Directory, roles: dict[int, set[str]]
) -> int:
    """Choose among namesakes: gender of the title, shared titles and roles, then prominence.

    Prominence is the number of mentions so far: a relative who is named once does not take
    over the bare surname of the person whom the article is about. Equals: the one named first.
    """
    people = list(namesakes.people)
    if len(people) > _MAX_COMPARED:
        return namesakes.recent if namesakes.recent in namesakes.people else people[0]
    if context.gender:
        people = [
            person for person in people if directory.genders.get(person, "") in ("", context.gender)
        ] or people
    people = [person for person in people if roles[person] & context.roles] or people
    most = max(directory.seen[person] for person in people)
    prominent = [person for person in people if directory.seen[person] == most]
    return prominent[0]


def cluster_persons(article: AnnotatedArticle) -> dict[str, int]:
    """Give every PERSON span of an article the number of its person.

    Returns:
        Span id -> a number that all mentions of one person share.
    """
    spans = {span.id: span for span in article.spans}
    persons = text_order(span for span in article.spans if span.label == "PERSON")
    names = {span.id: parse_name(span.text) for span in persons}
    directory = _Directory(names[span.id] for span in persons)
    contexts = _contexts(article, persons, spans)
    hints = _hints(article.links, names)
    groups = directory.groups
    roles: dict[int, set[str]] = defaultdict(set)
    for span in persons:
        name, context = names[span.id], contexts[span.id]
        if name.full and not directory.vague(name):
            person = groups.find(directory.identity[name])
            roles[person] |= context.roles
            if context.gender:
                directory.genders[person] = context.gender
    found: dict[str, int] = {}
    orphans: dict[tuple[str, str], int] = {}
    for span in persons:
        name, context = names[span.id], contexts[span.id]
        if name.full and not directory.vague(name):
            found[span.id] = groups.find(directory.identity[name])
            directory.saw_full(name, found[span.id])
            continue
        namesakes = directory.candidates(name, guess=span.id not in hints)
        if namesakes is None:
            found[span.id] = _orphan(name, span, context, orphans, groups)
            continue
        hinted = [
            person
            for other in hints.get(span.id, ())
            if names[other].full
            and (person := groups.find(directory.identity[names[other]])) in namesakes.people
        ]
        found[span.id] = hinted[0] if hinted else _weigh(namesakes, context, directory, roles)
        directory.seen[found[span.id]] += 1
    _follow_hints(article.links, names, found, set(orphans.values()), groups)
    return {span_id: groups.find(person) for span_id, person in found.items()}


def _orphan(
    name: Name,
    span: AnnotatedSpan,
    context: _Context,
    orphans: dict[tuple[str, str], int],
    groups: Groups,
) -> int:
    """Join names of one word that no full name explains; "Mr. Hale" is not "Mrs. Hale"."""
    word = name.tokens[-1] if name.tokens else fold(span.text)
    known = orphans.get((word, context.gender))
    if known is None and context.gender and (word, "mf".replace(context.gender, "")) not in orphans:
        known = orphans.get((word, ""))
    if known is None:
        known = groups.add()
    orphans[word, context.gender] = known
    orphans[word, ""] = known
    return known


def _hints(links: Iterable[Link], names: dict[str, Name]) -> dict[str, list[str]]:
    """Return the mentions that the model joins, strongest first, from either end."""
    hints: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for link in links:
        if link.type != "same_person" or link.head not in names or link.tail not in names:
            continue
        score = 1.0 if link.score is None else link.score
        if score >= _MIN_HINT:
            hints[link.head].append((-score, link.tail))
            hints[link.tail].append((-score, link.head))
    return {span_id: [other for _, other in sorted(found)] for span_id, found in hints.items()}


def _follow_hints(
    links: Iterable[Link],
    names: dict[str, Name],
    found: dict[str, int],
    orphans: set[int],
    groups: Groups,
) -> None:
    """Join by same_person links what names cannot tell; links of people (no score) always hold.

    A name that no full name explains joins one person at most, the one of its surest link: two
    full names never become one person by way of it.
    """
    usable = [
        link
        for link in links
        if link.type == "same_person" and link.head in names and link.tail in names
    ]
    anchored = {groups.find(person) for person in found.values() if person not in orphans}
    for link in sorted(usable, key=lambda link: -2.0 if link.score is None else -link.score):
        one, other = groups.find(found[link.head]), groups.find(found[link.tail])
        if link.score is not None:
            alone = found[link.head] in orphans or found[link.tail] in orphans
            if link.score < _MIN_HINT or not alone or {one, other} <= anchored:
                continue
        groups.join(one, other)
        if anchored & {one, other}:
            anchored.add(groups.find(one))
