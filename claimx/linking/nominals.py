"""Nameless speakers: whom of the article "the judge", "his mother" or "a report" may mean.

The model's answer holds only where the words allow it: an occupation belongs to a person who is
called by it somewhere in the article, a relative or an employee is never the one who has them,
and bodies and other people's documents are nobody. Where somebody else is called so, it is them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from claimx.linking.names import fold, name_gender, parse_name
from claimx.linking.sources import head_noun, is_organisation_noun, plain_name, source_kind
from claimx.types import AnnotatedArticle, AnnotatedSpan

# Of more people who are called by one noun, the ones who were called so last are weighed.
_MAX_COMPARED = 32
# What stands so near to a name may say what place or body the person belongs to.
_NEAR = 80
# Letters by which "Serbia" and "Serbian" are one.
_STEM = 4

_WORD = re.compile(r"[^\W_]+(?:[-'’&./][^\W_]+)*")
_OWN = frozenset("his her their my our your its whose".split())
_OTHERS = frozenset("another other any every each no".split())
_INDEFINITE = _OTHERS | frozenset("a an one some".split())
_OWNER = re.compile(r"\b[^\W_]+(?:['’]s|s['’])(?=\s)")
_AGE = re.compile(r"-olds?$")
_LITTLE = (
    _OWN
    | _INDEFINITE
    | frozenset(
        """the this that same of in for at on to from with by and former ex then new old young
        elder eldest younger youngest late current outgoing retired acting senior local federal
        veteran longtime long-time top leading deceased estranged only own now""".split()
    )
)
_OWNER_END = re.compile(r"['’]s?$")
_PARTS = re.compile(r"\s*(?:,|;|/|\band\b)\s*")
_DETERMINER = re.compile(
    r"(?:the|an?|his|her|their|my|our|whose|[^\W_]+['’]s|[^\W_]+s['’])", re.IGNORECASE
)
_PREPOSITIONS = frozenset("of for from to by with at in on as and but".split())
# What follows a name behind a comma and ends with the next mark.
_AFTER = re.compile(
    r""",\s+(
    (?:the|an?|one|his|her|their|my|our|(?:[^\W_]+\s)?[^\W_]+['’]s)\s[^,.;:()“”"]+
    |[a-z][\w-]*\s(?:of|for|at|to)\s[^,.;:()“”"]+)""",
    re.VERBOSE,
)
_YEARS = re.compile(r",\s+(?:aged\s+)?(\d{1,3})(?=[,.;]|\sand\b)")
# "Ford, his mother and two others", "Ford, his mother, and": a list, not what Ford is called.
_LISTED = re.compile(r",\s+(?:and|or|the|an?|his|her|their|two|three)\b")
_SAID = re.compile(r"\b(?:said|says|told|tells|wrote|added|was|is|had|has|[^\W_]+ed)\s*$")
_CLAUSE = re.compile(r"[.;:!?(),\n\"“”]")
# Nouns that say little of a person's place in the world: the model's answer stands.
_ANYBODY = frozenset(
    """man woman boy girl child teenager teen youth youngster pensioner adult person
    gentleman lady mother father parent grandmother grandfather widow widower suspect
    defendant accused victim complainant plaintiff claimant convict prisoner inmate detainee
    offender culprit killer attacker gunman fugitive survivor patient star celebrity hero legend
    champion winner loser favourite favorite runner-up front-runner frontrunner candidate nominee
    contender challenger incumbent hopeful rival veteran newcomer native immigrant refugee
    businessman businesswoman entrepreneur tycoon mogul magnate billionaire millionaire author
    politician expert latter former republican democrat
    conservative liberal socialist independent moderate""".split()
)
_CHILDREN = frozenset("boy girl child".split())
_GENDERS = dict.fromkeys("man boy gentleman father grandfather widower businessman".split(), "m")
_GENDERS |= dict.fromkeys("woman girl lady mother grandmother widow businesswoman".split(), "f")
# "The letter" may be anybody's; a report, a ruling or an indictment is mostly another's.
_AUTHORED = frozenset(
    """letter statement email e-mail memo memoir book speech column op-ed essay tweet post blog
    message testimony proclamation decree note diary manifesto autobiography""".split()
)
# Compounds that are one word here: a prime minister is no minister, a chief executive no chief.
_COMPOUNDS = (
    (re.compile(r"\bprime[ -]minister\b"), "premier"),
    (re.compile(r"\bchief[ -]executive(?:[ -]officer)?\b"), "ceo"),
    (re.compile(r"\b(?:chief[ -]financial[ -]officer|finance chief)\b"), "cfo"),
    (re.compile(r"\b(vice|deputy|attorney|secretary|inspector|solicitor)[ -]"
                r"(president|general)\b"), r"\1\2"),
    (re.compile(r"\bhead[ -]?(teacher|master|mistress)\b"), "headteacher"),
    (re.compile(r"\bmember of (?:the )?parliament\b"), "mp"),
)  # fmt: skip
# Words in one row are one; the first stands for all.
_SAME_ROWS = """
premier pm|senator sen sens|representative rep reps congressman congresswoman|governor gov|doctor
dr|professor prof|reverend rev|general gen|colonel col|captain capt|sergeant sgt|lieutenant lt|
judge justice|lawyer attorney solicitor barrister counsel|spokesman spokeswoman spokesperson|
chairman chairwoman chair chairperson|councillor councilor councilman councilwoman|policeman
policewoman constable|actor actress|president pres|mother mum mom|father dad|
fiancé fiancee fiancée|neighbour neighbor|adviser advisor|headteacher principal|secretary sec|
detective det|inspector insp|superintendent supt|commissioner comm|waiter waitress
"""
_SAME = {word: row.split()[0] for row in _SAME_ROWS.split("|") for word in row.split()}
# What some nouns may be called for short.
_BROADER_ROWS = """
lawmaker: senator representative mp councillor|legislator: senator representative mp|congressman:
senator|leader: head president premier chairman chief general-secretary director|boss: head ceo
manager chief director chairman|chief: head|officer: policeman detective inspector sergeant
superintendent sheriff lieutenant captain|envoy: ambassador|pontiff: pope|peer:
lord baron baroness|proprietor: owner|diplomat: ambassador envoy consul|
scientist: researcher professor|researcher: scientist professor|academic: professor lecturer|
physician: doctor|surgeon: doctor|doctor: physician surgeon|priest: reverend|official: director
commissioner secretary chief|executive: ceo cfo|minister: secretary|musician: singer guitarist|
writer: novelist author|player: goalkeeper defender striker
midfielder|son: stepson|daughter: stepdaughter|aide: adviser spokesman|detective:
inspector sergeant superintendent constable
"""
_BROADER = {
    general: tuple(narrow.split())
    for general, narrow in (row.split(":") for row in " ".join(_BROADER_ROWS.split()).split("|"))
}


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A noun phrase without its name: the noun, what narrows it down, and names in it."""

    noun: str
    narrowed: frozenset[str]
    places: frozenset[str] = frozenset()

    def fits(self, called: _Phrase) -> bool:
        """Say whether one who is called so elsewhere may be meant: no two different trades."""
        return self.narrowed <= called.narrowed or called.narrowed <= self.narrowed


@lru_cache(maxsize=4096)
def _read(text: str) -> _Phrase:
    """Take an expression or a role apart."""
    line = plain_name(" ".join(_OWNER.sub(" ", text).split())).casefold()
    for compound, word in _COMPOUNDS:
        line = compound.sub(word, line)
    noun = head_noun(line)
    places = frozenset(
        fold(_OWNER_END.sub("", word))
        for word in _WORD.findall(text)
        if word[0].isupper() and word.casefold() not in _LITTLE
    )
    narrowed = frozenset(_SAME.get(word, word) for word in _WORD.findall(line)) - _LITTLE
    noun = _SAME.get(noun, noun).removeprefix("ex-")
    return _Phrase(noun, narrowed - {noun}, places)


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
        self._called: dict[tuple[int, str], dict[_Phrase, int]] = defaultdict(dict)
        self._by_noun: dict[str, list[tuple[int, int, _Phrase]]] = defaultdict(list)
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
            for phrase in _appositions(article.text, span):
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
                for part in _PARTS.split(role.text):
                    self._note(clusters[link.head], _read(part), role.start)

    def _note(self, person: int, phrase: _Phrase, start: int) -> None:
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
        phrase, first = _read(speaker.text), words[0].casefold()
        if given is None and self._by_noun.keys().isdisjoint(_nouns(phrase, first)):
            return None
        kind = source_kind(speaker.text, self._roles.get(speaker.id, ()))
        if kind == "document":
            bare = len(words) == 2 and phrase.noun in _AUTHORED
            return given if first in _OWN or bare else None
        if kind == "group":
            return None
        if kind == "organisation":
            return given if _is_proper(speaker.text, phrase.noun) else None
        return self._person(speaker, phrase, given, named)

    def _person(
        self, speaker: AnnotatedSpan, phrase: _Phrase, given: int | None, named: Collection[int]
    ) -> int | None:
        """Return whom an expression for a single human being means."""
        first = speaker.text.split()[0].casefold()
        nouns = _nouns(phrase, first)
        if given is not None and any(
            phrase.fits(called) for noun in nouns for called in self._called.get((given, noun), ())
        ):
            return given
        before: list[int] = []
        after: list[int] = []
        if first not in _OTHERS:
            before, after = self._candidates(phrase, nouns, speaker, named)
        if given is None:
            return before[0] if len(before) == 1 and first not in _INDEFINITE else None
        if before or len(after) == 1:
            return (before or after)[0]
        if self._mentions[given][0].start > speaker.start and given not in self._with_role:
            return given  # "Velden's top negotiator says ...", and then his bare name
        owned = first in _OWN or _OWNER.search(speaker.text)
        vague = not owned and first not in _INDEFINITE
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
        self,
        phrase: _Phrase,
        nouns: Sequence[str],
        speaker: AnnotatedSpan,
        named: Collection[int],
    ) -> tuple[list[int], list[int]]:
        """Return who was called so before, named last first, and who only later on."""
        start = speaker.start
        before: dict[int, int] = {}
        after: dict[int, None] = {}
        for noun in nouns:
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

    def _is_near(
        self, person: int, phrase: _Phrase, called: _Phrase, speaker: AnnotatedSpan
    ) -> bool:
        """Say whether the names in an expression belong to a person: "Serbia's president"."""
        missing = phrase.places - called.narrowed - {phrase.noun}
        if not missing:
            return True
        around = []
        for span in self._mentions[person][:_MAX_COMPARED]:
            begin, end = max(0, span.start - _NEAR), span.end + _NEAR
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


def _nouns(phrase: _Phrase, first: str) -> tuple[str, ...]:
    """Return what those are called whom an expression may mean, by its first word.

    "Her boss" is no "chief executive", as "the boss" is: only who is called her boss.
    """
    return (phrase.noun, *(() if first in _OWN else _BROADER.get(phrase.noun, ())))


def _is_proper(text: str, noun: str) -> bool:
    """Say whether an expression filed as an organisation is a name, or a people: "the Dane"."""
    return any(word[0].isupper() and word.casefold() == noun for word in _WORD.findall(text)) and (
        not is_organisation_noun(noun)
    )


def _appositions(text: str, person: AnnotatedSpan) -> Iterator[_Phrase]:
    """Yield what a name is called beside it: "his mother, Sarah Ford", "Ana Ruiz, the judge,"."""
    after = text[person.end : person.end + _NEAR]
    if after.startswith(","):
        yield from _behind(after)
    before = text[max(0, person.start - _NEAR) : person.start].rstrip()
    apart = before.endswith(",")
    if apart and after[:1] not in (",", ".", ";"):
        return
    words = _CLAUSE.split(before.rstrip(",."))[-1].split()
    if words and (apart or words[-1] not in _PREPOSITIONS):
        yield _read(" ".join(words[_last_noun(words, apart=apart) :]))


def _behind(after: str) -> Iterator[_Phrase]:
    """Yield what a name is called behind a comma: ", 19," or ", the judge,"."""
    years = _YEARS.match(after)
    if years:
        yield _read(f"{years.group(1)}-year-old")
    phrase = _AFTER.match(after)
    if phrase and not _SAID.search(phrase.group(1)):
        words = phrase.group(1).split()
        listed = "and" in words or _LISTED.match(after, phrase.end())
        if not (listed and words[0] in _OWN):
            yield _read(phrase.group(1))


def _last_noun(words: Sequence[str], *, apart: bool) -> int:
    """Return where the noun phrase begins that ends a clause.

    Args:
        words: the clause.
        apart: whether a comma stands between it and the name: then it may be a long one.
    """
    begin = 0
    for at, word in enumerate(words):
        if _DETERMINER.fullmatch(word) or (not apart and word in _PREPOSITIONS):
            begin = at + 1
    if not begin and words:  # "told Foreign Minister Holm", "said actor Dan Reed"
        begin = len(words) - 1
        while begin and words[begin][0].isupper() and words[begin - 1][0].isupper():
            begin -= 1
    return begin
