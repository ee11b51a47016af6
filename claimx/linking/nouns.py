"""Noun phrases without a name: "the fire chief", "his mother", and what people are called.

Which noun a phrase is built around, what narrows it down, which nouns may stand for each other,
and by what a name is called in the words beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from claimx.linking.names import fold
from claimx.linking.sources import head_noun, plain_name
from claimx.types import AnnotatedSpan

# Words beside a name are read so far.
NEAR = 80

_WORD = re.compile(r"[^\W_]+(?:[-'’&./][^\W_]+)*")
_OWN = frozenset("his her their my our your its whose".split())
_OTHERS = frozenset("another other any every each no".split())
_INDEFINITE = frozenset("a an one some".split())
_OWNER = re.compile(r"\b[^\W_]+(?:['’]s|s['’])(?=\s)")
_LITTLE = (
    _OWN
    | _OTHERS
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
_OFFICES = frozenset(_SAME.values()) | {"ceo", "cfo", "mp"}
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
class Phrase:
    """A noun phrase without a name of its own.

    Args:
        noun: what it is built around, in small letters, one word for all that mean the same.
        narrowed: the other words of weight.
        places: words with a capital, which may be places, bodies and owners.
        first: the first word.
        owned: whether somebody has it: "his mother", "Okafor's lawyer".
    """

    noun: str
    narrowed: frozenset[str]
    places: frozenset[str]
    first: str = field(compare=False)
    owned: bool = field(compare=False)

    @property
    def indefinite(self) -> bool:
        """Whether it brings in somebody new: "a judge", "another judge"."""
        return self.other or self.first in _INDEFINITE

    @property
    def other(self) -> bool:
        """Whether it means nobody who was there before: "another judge", "no judge"."""
        return self.first in _OTHERS

    @property
    def belongs_to_pronoun(self) -> bool:
        """Whether it begins with "his" or the like."""
        return self.first in _OWN

    @property
    def office(self) -> bool:
        """Whether the noun is surely no body, whatever its letters look like: "the PM"."""
        return self.noun in _OFFICES

    @property
    def nouns(self) -> tuple[str, ...]:
        """What those are called whom it may mean.

        "Her boss" is no "chief executive", as "the boss" is: only who is called her boss.
        """
        broader = () if self.belongs_to_pronoun else _BROADER.get(self.noun, ())
        return (self.noun, *broader)

    def fits(self, called: Phrase) -> bool:
        """Say whether one who is called so elsewhere may be meant: no two different trades."""
        return self.narrowed <= called.narrowed or called.narrowed <= self.narrowed


@lru_cache(maxsize=4096)
def read_phrase(text: str) -> Phrase:
    """Take an expression or what somebody is called apart."""
    line = plain_name(" ".join(_OWNER.sub(" ", text).split())).casefold()
    for compound, word in _COMPOUNDS:
        line = compound.sub(word, line)
    noun = head_noun(line)
    noun = _SAME.get(noun, noun).removeprefix("ex-")
    capital = {word.casefold() for word in _WORD.findall(text) if word[0].isupper()} - _LITTLE
    places = {fold(_OWNER_END.sub("", word)) for word in capital if _SAME.get(word, word) != noun}
    narrowed = {_SAME.get(word, word) for word in _WORD.findall(line)} - _LITTLE - {noun}
    words = text.split(maxsplit=1)
    first = words[0].casefold() if words else ""
    owned = first in _OWN or _OWNER.search(text) is not None
    return Phrase(noun, frozenset(narrowed), frozenset(places), first, owned)


def read_roles(text: str) -> list[Phrase]:
    """Take the text of a ROLE apart: "president and chief executive" gives two."""
    return [read_phrase(part) for part in _PARTS.split(text) if part]


def appositions(text: str, person: AnnotatedSpan) -> Iterator[Phrase]:
    """Yield what a name is called beside it: "his mother, Sarah Ford", "Ana Ruiz, the judge,"."""
    after = text[person.end : person.end + NEAR]
    if after.startswith(","):
        yield from _behind(after)
    before = text[max(0, person.start - NEAR) : person.start].rstrip()
    apart = before.endswith(",")
    if apart and after[:1] not in (",", ".", ";"):
        return
    words = _CLAUSE.split(before.rstrip(",."))[-1].split()
    if words and (apart or words[-1] not in _PREPOSITIONS):
        yield read_phrase(" ".join(words[_last_noun(words, apart=apart) :]))


def _behind(after: str) -> Iterator[Phrase]:
    """Yield what a name is called behind a comma: ", 19," or ", the judge,"."""
    years = _YEARS.match(after)
    if years:
        yield read_phrase(f"{years.group(1)}-year-old")
    phrase = _AFTER.match(after)
    if phrase and not _SAID.search(phrase.group(1)):
        words = phrase.group(1).split()
        listed = "and" in words or _LISTED.match(after, phrase.end())
        if not (listed and words[0] in _OWN):
            yield read_phrase(phrase.group(1))


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
