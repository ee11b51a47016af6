"""The voices of an article: what kind of source an expression is, and which ones are the same.

Persons are told apart by `claimx.linking.people`; this module is for everything else:
organisations, documents, groups and speakers that resolve to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claimx.linking.names import fold
from claimx.linking.speakers import is_document
from claimx.types import AnnotatedSpan, SourceKind

_ARTICLE = re.compile(r"(?:the|an?)\s+(?=\S)", re.IGNORECASE)
_BRACKET = re.compile(r"\s*[(\[]\s*(?:the\s+)?([^()\[\]]{2,30}?)\s*[)\]]")
_ABBREVIATION = re.compile(r"[^\W\d_](?:[^\W_]|[&.-]){1,11}")
_DEFINITION = re.compile(r"\(\s*(?:the\s+)?([A-Z][A-Za-z&.-]{1,11})\s*\)")
_HEAD_END = re.compile(
    r"""[,;:(\[–—]|\s(?:of|for|in|at|from|with|who|that|which|by|on|to|about|against|near|under|
    inside|close|familiar|briefed|led|including|such|like|around|across|behind|over|among|between|
    released|issued|published|obtained|posted|conducted|commissioned|handling|seeking|involved|
    working|interviewed|contacted|reached|quoted|cited|carried|seen|written|filed|prepared|sent|
    speaking|representing|based|whose|where|as|is|are|was|were|has|have)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_VERB = re.compile(r"([^\W\d_]+)\s+(?:[a-z]+(?:ing|ed|ly)|done|heard|held|made)\b")
_JOINED = re.compile(r"\s(?:and|or|&)\s", re.IGNORECASE)
_APPOSITION = re.compile(r",\s+(?:an?|the|one|which|who|whose)\b")
_PARTY = re.compile(r"[A-Z]{1,3}[-.]")
_DESCRIPTION = re.compile(r"(?:[a-z][\w'’-]*\s+)+(?=[A-Z])")
_PLAIN_WORD = re.compile(r"[^\W_]+(?:[-'’&./][^\W_]+)*")

_ORGANISATIONS = frozenset(
    """academy administration agency airline alliance army assembly association authority
    bank board body branch brewery broadcaster bureau business cabinet campaign centre
    center chain chamber charity church city club coalition college commission committee
    company conference congress consortium consulate corporation council country county
    court department directorate district division embassy establishment exchange
    executive factory federation firm force foundation fund government group hospital
    house industry inquiry inspectorate institute institution intelligence jury kremlin
    laboratory lab league leadership legislature magazine management manufacturer maker
    media military ministry mission movement municipality museum nation navy network
    newspaper office opposition organisation organization outlet pac panel paper
    parliament parish party pentagon plant police press prosecution provider publication
    publisher regime regulator retailer school secretariat senate service site society
    staff state station store studio subsidiary supplier syndicate task-force team
    think-tank treasury tribunal trust tv union university utility vatican venture
    watchdog""".split()
)  # fmt: skip
_PLURALS = frozenset(
    """people men women children police-officers folk youth media-reports both others many some
    several most few all those these we everybody everyone americans public majority minority crowd
    crew couple family families pair trio duo audience population electorate electors personnel
    clergy brass""".split()
)  # fmt: skip
_GROUP_NAMES = re.compile(r"(?:ans|ors|crats|licans|tives|ists|ites|ers|ese|ish|men|als)$")
_NO_PLURAL = ("ss", "us", "is", "ews", "omics", "olitics", "istics", "athletics", "physics")
_SHORTEST_PLURAL = 3
_UNKNOWN = frozenset("it this that they them who which what these those another other".split())
_SINGLE_PEOPLE = frozenset(
    """i he she him her you one official expert aide ally analyst teacher witness president
    secretary general chief head chair guard mp cop judge prime minister captain king
    queen prince princess monk nurse patient parent mother father son daughter wife
    husband sister brother uncle aunt widow friend colleague neighbour neighbor boy girl
    guest host victim suspect defendant accused resident student client fan critic rival
    source insider veteran delegate candidate advocate activist anonymous applicant
    assistant attendant agent diplomat envoy graduate guide intern plaintiff respondent
    participant informant immigrant migrant tourist pilot correspondent fiancé fiancée
    attorney celebrity deputy sheriff someone somebody anyone nobody user coach
    ombudsman doctor pope governor mayor woman man""".split()
)  # fmt: skip
_PERSON_ENDINGS = re.compile(
    r"(?:er|or|ist|ian|man|woman|person|ee|eer|ant|ent|crat|logist|tative|utive)$"
)
_INDEFINITE = frozenset(
    """his her its their our my your whose a an another other others some several two three
    four five six seven eight nine ten many one both dozens hundreds thousands most few
    half all any each every no multiple various numerous more these those this certain
    additional unnamed unidentified anonymous you we they it he she i someone somebody
    everyone everybody""".split()
)  # fmt: skip


# Other documents in a proper name are newspapers and offices: "the Harbour Post".
_LAWS = frozenset(
    """act account amendment analysis bill constitution convention data database estimate
    law memo order poll report resolution ruling statement statistic study treaty
    transcript update""".split()
)
_SHARES = frozenset(
    """percent per-cent half third quarter none two three four five six seven eight nine
    ten""".split()
)
_BODIES_OF = frozenset({"group", "team", "panel", "coalition", "number", "alliance", "handful"})
_SINGULAR_NAMES = frozenset({"reuters"})
_NOUNS = _ORGANISATIONS | _SINGLE_PEOPLE
# "Harbour Holdings" may be called "Harbour" later on.
_COMPANY_ENDINGS = frozenset(
    """company corporation corp inc incorporated ltd limited plc llc co holdings group ag gmbh
    airlines airways industries motors""".split()
)
_OWNER = re.compile(r"['’]s?$")
_BY_NOUN: tuple[tuple[SourceKind, frozenset[str]], ...] = (
    ("unknown", _UNKNOWN),
    ("person", _SINGLE_PEOPLE),
    ("group", _PLURALS),
)


@dataclass(frozen=True, slots=True)
class Voice:
    """How a speaker expression without a known person is filed.

    Args:
        kind: what sort of source it is.
        name: the name to show.
        key: equal for expressions of the same source; None for a source of its own.
    """

    kind: SourceKind
    name: str
    key: tuple[str, str] | None


def plain_name(text: str) -> str:
    """Return an expression on one line, without its leading article."""
    line = " ".join(text.split())
    return _ARTICLE.sub("", line, count=1) if _ARTICLE.match(line) else line


def head_noun(text: str) -> str:
    """Return the noun that an expression is built around, as it is written."""
    end = _HEAD_END.search(text, 1)
    phrase = text[: end.start()] if end else text
    joined = _JOINED.search(phrase)
    if joined and not phrase[joined.end() : joined.end() + 1].isupper():
        phrase = phrase[joined.end() :]
    verb = next((found for found in _VERB.finditer(phrase) if _stands_alone(found.group(1))), None)
    phrase = phrase[: verb.end(1)] if verb else phrase
    words = _PLAIN_WORD.findall(phrase) or _PLAIN_WORD.findall(text)
    return words[-1] if words else ""


def _stands_alone(noun: str) -> bool:
    """Say whether a participle behind this noun describes it: "donors meeting", "study done"."""
    noun = noun.casefold()
    return _is_plural(noun) or is_document(noun)


def source_kind(text: str, roles: Sequence[str] = ()) -> SourceKind:
    """Say what kind of source an expression without a known person is.

    The head noun decides: the last word before the first comma, bracket, preposition or relative
    pronoun ("two officials briefed on the talks" -> "officials"). In this order: pronouns that
    tell nothing are *unknown*; a written or recorded thing is a *document*; a body is an
    *organisation*; a plural, or several people, is a *group*; a human being by noun, role or
    pronoun is a *person*; any other proper name is an *organisation*; the rest is *unknown*.

    Args:
        text: the expression.
        roles: surfaces of ROLE spans that are linked from it.
    """
    line = " ".join(text.split())
    head = head_noun(plain_name(line))
    noun = _OWNER.sub("", head.casefold())
    last = noun.rsplit("-", 1)[-1]
    for kind, nouns in _BY_NOUN:
        if noun in nouns and (kind != "unknown" or " " not in line):
            return kind
    plural = _is_plural(last)
    capital = _capitals(head) > 0
    named = _capitals(head) > 1 or (
        capital and line.find(head) > 0 and not _only_first_capital(line)
    )
    if last.isdigit() or last in _SHARES or (last in _BODIES_OF and f"{head} of " in line):
        return "group"
    if any(head and fold(role).endswith(fold(head)) for role in roles):
        return "group" if plural else "person"
    if last in _ORGANISATIONS or (named and _singular(last) in _ORGANISATIONS):
        return "organisation"
    titled = named and _capitals(line) > _capitals(head) and not _is_law(last)
    if (is_document(noun) or is_document(last)) and not titled:
        return "document"
    if plural and last not in _SINGULAR_NAMES:
        people = not capital or _GROUP_NAMES.search(last) or _singular(last) in _NOUNS
        if people or not named:
            return "group" if people else "organisation"
    if named and not roles:
        return "organisation"
    if roles or _singular(last) in _SINGLE_PEOPLE or _PERSON_ENDINGS.search(last):
        return "person"
    return "organisation" if capital else "unknown"


def is_organisation_noun(noun: str) -> bool:
    """Say whether a noun in small letters names a body: "board", "companies"."""
    return noun in _ORGANISATIONS or _singular(noun) in _ORGANISATIONS


def _is_law(noun: str) -> bool:
    """Say whether a capital does not make an organisation of it: "the Harbour Safety Act"."""
    return (noun if noun in _LAWS else _singular(noun)) in _LAWS


def _only_first_capital(line: str) -> bool:
    words = _PLAIN_WORD.findall(line)
    return sum(word[0].isupper() for word in words) == 1 and line[:1].isupper()


def _singular(noun: str) -> str:
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "shes", "ches", "xes")):
        return noun[:-2]
    return noun[:-1] if _is_plural(noun) and noun.endswith("s") else noun


def _is_plural(noun: str) -> bool:
    if noun in _PLURALS or noun.endswith(("women", "smen", "cemen", "people")):
        return True
    return len(noun) > _SHORTEST_PLURAL and noun.endswith("s") and not noun.endswith(_NO_PLURAL)


class Organisations:
    """The long and short names of an article's organisations, and which belong together."""

    def __init__(self, text: str, names: Iterable[AnnotatedSpan]) -> None:
        self._text = text
        self._long: dict[str, str] = {}  # folded abbreviation or short name -> long name as shown
        self._known: dict[str, str] = {}
        self._by_head: dict[str, dict[str, tuple[int, str]]] = {}
        for match in _DEFINITION.finditer(text):
            long = _spelled_out(text, match)
            if long:
                self._long.setdefault(fold(match.group(1)), long)
        short: dict[str, dict[str, str]] = {}
        for span in names:
            name = self.long_name(span.text)
            words = _PLAIN_WORD.findall(name)
            if not words or not (words[0][0].isupper() and words[-1][0].isupper()):
                continue
            self._known.setdefault(fold(name), name)
            self._note_heads(name, words, span.start)
            if len(words) > 1 and words[-1].casefold() in _COMPANY_ENDINGS:
                for start in (words[0], " ".join(words[:-1])):
                    short.setdefault(fold(start), {})[fold(name)] = name
        for start, longs in short.items():
            if len(longs) == 1:
                self._long.setdefault(start, *longs.values())

    def _note_heads(self, name: str, words: Sequence[str], start: int) -> None:
        """Remember "Board" for "Harbour Safety Board", "Department" for "Department of Trade"."""
        if len(words) < 2:
            return
        heads = {words[-1].casefold()} | ({words[0].casefold()} if " of " in name else set())
        for head in heads & _ORGANISATIONS:
            self._by_head.setdefault(head, {}).setdefault(fold(name), (start, name))

    def long_name(self, text: str) -> str:
        """Return the name to show: no article, an abbreviation in brackets left out or spelled."""
        name = plain_name(text)
        described = _APPOSITION.search(name)
        if described and name[:1].isupper():
            name = name[: described.start()]  # "Harbour One, a regional broadcaster"
        bracket = _BRACKET.search(name)
        if bracket and _abbreviates(bracket.group(1), name[: bracket.start()]):
            rest = name[bracket.end() :]
            name = name[: bracket.start()].strip() + ("" if rest.startswith(",") else rest)
            self._long.setdefault(fold(bracket.group(1)), name)
        return self._long.get(fold(name), name)

    def voice(self, span: AnnotatedSpan, roles: Sequence[str]) -> Voice:
        """File a speaker expression that means no known person."""
        name = self.long_name(span.text)
        kind = source_kind(name if name != plain_name(span.text) else span.text, roles)
        words = span.text.split()
        first = words[0].casefold() if words else ""
        if first == "the" and len(words) == 2:
            known = self._by_head.get(words[1], {})
            long = [long for start, long in known.values() if start <= span.start]
            if len(known) == 1 and long:  # "the board", where there is just one Board
                return Voice("organisation", long[0], ("organisation", fold(long[0])))
        if kind in ("person", "unknown") or first in _INDEFINITE - {"a", "an"}:
            return Voice(kind, name, None)
        if kind == "group" and (first in ("a", "an") or first[:1].isdigit()):
            return Voice(kind, name, None)
        described = _DESCRIPTION.match(name)
        if kind == "organisation" and described:  # "state broadcaster HBC" is "HBC"
            name = self._known.get(fold(name[described.end() :]), name)
        shown = f"The {name}" if self._keeps_article(span, name) else name
        return Voice(kind, shown, (kind, fold(name)))

    def _keeps_article(self, span: AnnotatedSpan, name: str) -> bool:
        """Say whether a capital "The" in mid-sentence is part of the name: "The Herald"."""
        before = self._text[max(0, span.start - 2) : span.start].strip()[-1:]
        return span.text == f"The {name}" and (before.isalnum() or before == ",")


def _abbreviates(short: str, long: str) -> bool:
    """Say whether a bracket holds a short name: capitals, or letters of the long one in order."""
    if not long.strip() or not _ABBREVIATION.fullmatch(short) or _PARTY.match(short):
        return False
    letters = iter(fold(long))
    in_order = short[0].isupper() and all(letter in letters for letter in fold(short))
    return _capitals(short) > 1 or (in_order and _capitals(long) > 1)


def _capitals(word: str) -> int:
    return sum(char.isupper() for char in word)


def _spelled_out(text: str, match: re.Match[str]) -> str | None:
    """Return the words before "(HSB)" whose initials it spells, else None."""
    letters = [char.casefold() for char in match.group(1) if char.isupper()]
    if len(letters) < 2:
        return None
    before = list(re.finditer(r"[^\W_][^\s()]*", text[max(0, match.start() - 120) : match.start()]))
    words = before[-2 * len(letters) - 2 :]
    for start in range(len(words) - 1, -1, -1):
        taken = [word.group() for word in words[start:]]
        capitals = [word[0].casefold() for word in taken if word[0].isupper()]
        if capitals == letters and taken[0][0].isupper():
            phrase = text[max(0, match.start() - 120) : match.start()][words[start].start() :]
            joined = " ".join(phrase.split())
            return None if re.search(r"[.;:!?]\s", joined) else joined
    return None
