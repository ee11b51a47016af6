"""Speaker expressions: which of the people named in one it means.

"Ines Okafor, deputy head of the board" means Okafor; "a spokesman for Ruiz" and "Ruiz's lawyer"
do not mean Ruiz, but "a statement by Ruiz" does, as its author. The rules read the words before
and behind each name; a name is out if it hangs on a preposition or a noun, else it is meant.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from claimx.types import AnnotatedArticle, AnnotatedSpan

DOCUMENTS = frozenset(
    """account act advisory affidavit agreement amendment analyses analysis announcement
    answer article assessment atlas audit autobiography autopsy average banner bill
    billboard biography blog book brief bulletin census comment commentary communique
    complaint consensus constitution contract copy data database decision declaration
    decree dispatch document dossier draft e-mail editorial email essay estimate
    evaluation evidence excerpt fact figure filing finding footage forecast form guideline
    headline index indictment interview investigation journal law lawsuit leaflet
    legislation letter log manifesto manual measure memo memoir memorandum message minute
    motion note notice number observation op-ed opinion order ordinance pamphlet paper
    papers paragraph passage petition placard plan poll polling post poster posting
    press-release proposal proposition publication ranking readout recommendation record
    recording release remark report research resolution result review ruling schedule
    screenshot script sign speech statement statistic statistics statute story studies
    study submission subpoena suit summary survey tape test testimony text transcript
    treaty tweet update verdict video warning warrant website will witness-statement word
    wording words writ""".split()
)  # fmt: skip

# What is heard or read from the author when it is "the ... of Ruiz"; "a poster of Ruiz" is not.
_WORDS_OF = frozenset(
    """account accounts comments letter letters memoir memoirs opinion remarks speech speeches
    statement statements testimony words writings""".split()
)
_POSSESSIVE = re.compile(r"['’ʼ]s?(?=\s|$)")
_DASHES = frozenset("-‐‑")
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*|[,;:&/]")
_PREPOSITIONS = frozenset(
    """of for to with about against in under from by at on behind between among over than like via
    representing supporting backing opposing that who which whose whom where when led loyal aligned
    as near investigating advising defending working""".split()
)
# What may follow a name that is meant; any other word in small letters makes it a modifier
# ("Ruiz supporters").
_AFTER_NAME = _PREPOSITIONS | frozenset(
    """and or nor but the a an himself herself themselves themself both alone too also jr sr ii iii
    iv here there then now later formerly previously once currently today yesterday said told says
    is was are were has had have et along while who's de la von van der""".split()
)
_NOUNS_AFTER = frozenset(
    """administration campaign campaigners supporters supporter camp team foundation institute
    family lawyer lawyers attorney attorneys spokesman spokeswoman spokesperson aide aides ally
    allies adviser advisers loyalist loyalists challenger government era organization organisation
    trust center centre university school college act fund group company companies republicans
    democrats delegates delegate voters voter backers backer fans""".split()
)
_ROLE_OF = re.compile(r"\s+(?:of|for|at|in|to|on|with)\s+\w")
_PHRASE_END = re.compile(r"[,;(]|\b(?:of|on|in|to|for|that|which|about|with|from|at|and)\b")
_JOINERS = frozenset({"and", "or", "&", "/", "nor"})
_CUTS = _JOINERS | {",", ";", ":"}
_WITH = ("along with", "together with", "as well as")
_APPOSED = frozenset({"the", "a", "an", "his", "her", "whose", "one"})
# More words than this between a name and a comma describe it: ", R-Utah," or "of Harbour City".
_LONGEST_ADDRESS = 3
_PRONOUN = re.compile(r"\b(?:he|she)\b", re.IGNORECASE)


def has_pronoun(text: str) -> bool:
    """Say whether "he" or "she" stands in a speaker expression, as in "he and Okafor"."""
    return _PRONOUN.search(text) is not None


def is_document(noun: str) -> bool:
    """Say whether a noun in small letters names something that is written or recorded."""
    return noun in DOCUMENTS or (noun.endswith("s") and noun[:-1] in DOCUMENTS)


def read_speakers(
    article: AnnotatedArticle,
) -> Iterator[tuple[AnnotatedSpan, list[AnnotatedSpan], list[AnnotatedSpan]]]:
    """Yield every SPEAKER, the PERSON spans inside it and those of them that it means."""
    persons = sorted(
        (span for span in article.spans if span.label == "PERSON"),
        key=lambda span: (span.start, span.end),
    )
    starts = [person.start for person in persons]
    facts = _Facts(article)
    for speaker in article.spans:
        if speaker.label != "SPEAKER":
            continue
        nested: list[AnnotatedSpan] = []
        first, last = bisect_left(starts, speaker.start), bisect_left(starts, speaker.end)
        for person in persons[first:last]:
            if person.end <= speaker.end and (not nested or person.start >= nested[-1].end):
                nested.append(person)
        yield speaker, nested, _meant(article.text, speaker, nested, facts) if nested else []


class _Facts:
    """ROLE and AFFILIATION spans by place, and the roles of each person."""

    def __init__(self, article: AnnotatedArticle) -> None:
        spans = {span.id: span for span in article.spans}
        self.described = sorted(
            (span.start, span.end)
            for span in article.spans
            if span.label in ("ROLE", "AFFILIATION")
        )
        self._text = article.text
        self._roles: dict[str, list[AnnotatedSpan]] = defaultdict(list)
        for link in article.links:
            tail = spans.get(link.tail)
            if link.type == "has_role" and tail is not None and tail.label == "ROLE":
                self._roles[link.head].append(tail)

    def leads(self, person: AnnotatedSpan, begin: int) -> bool:
        """Say whether a role of the person's own leads up to the name over a preposition."""
        return any(
            begin <= role.start < role.end < person.start
            and _ROLE_OF.match(self._text, role.end, person.start) is not None
            for role in self._roles.get(person.id, ())
        )

    def blank(self, text: str, start: int, end: int) -> str:
        """Return ``text[start:end]`` with every role and affiliation replaced by ``x``."""
        pieces, at = [], start
        for place in range(bisect_left(self.described, (start, 0)), len(self.described)):
            low, high = self.described[place]
            if low >= end:
                break
            if low >= at and high <= end:
                pieces += [text[at:low], "x"]
                at = high
        return "".join(pieces) + text[at:end]


def _meant(
    text: str, speaker: AnnotatedSpan, nested: list[AnnotatedSpan], facts: _Facts
) -> list[AnnotatedSpan]:
    """Choose the persons that a speaker expression means."""
    meant: list[AnnotatedSpan] = []
    begin = speaker.start
    hanging = False
    for index, person in enumerate(nested):
        until = nested[index + 1].start if index + 1 < len(nested) else speaker.end
        owns = _owns(text, person, until, index + 1 < len(nested))
        between = text[begin : person.start]
        if owns == "possessive" and meant and between.strip() == "and":
            meant.pop()  # "Okafor and Hale's mother" means neither
        if facts.leads(person, begin):
            hanging = False  # "director of the mint Ana Ruiz"
        else:
            words = _words(facts.blank(text, begin, person.start))
            hanging = _hangs(words, meant=bool(meant), hanging=hanging)
        if not hanging and owns in ("", "document"):
            meant.append(person)
        begin = person.end
    return meant


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _owns(text: str, person: AnnotatedSpan, until: int, more: bool) -> str:
    """Say whether a name only describes what follows: "Ruiz's lawyer", "Ruiz supporters".

    Returns:
        ``possessive``, ``noun`` (in front of a noun), ``document`` (its author) or nothing.
    """
    after = text[person.end : until]
    if _POSSESSIVE.match(after):
        return "document" if _ends_in_document(after) else "possessive"
    if (after[:1] in _DASHES and after.strip() == after) or text[person.start - 1] in _DASHES:
        return "noun" if after[:1] or text[person.start - 2 : person.start - 1].isalpha() else ""
    match = re.match(r"\s+([^\W\d_][\w'’.-]*)", after)
    if match is None:
        return ""
    word = match.group(1)
    participle = word.endswith(("ing", "ed")) and "-" not in word
    if participle or word.casefold().rstrip(".") in _AFTER_NAME:
        return ""
    if word[0].islower() or word.casefold() in _NOUNS_AFTER:
        return "document" if _ends_in_document(after) else "noun"
    # "Ruiz Challenger Tom Hale": without a comma there is no room for two heads.
    return "noun" if more and not re.search(r"[,;(]|\band\b", after) else ""


def _ends_in_document(after: str) -> bool:
    """Say whether what belongs to a name is a text: "Ruiz's new report on the harbour"."""
    phrase = _PHRASE_END.split(_POSSESSIVE.sub("", after, count=1))[0]
    words = phrase.split()
    while len(words) > 1 and words[-1][:1].isupper():
        words.pop()  # its title: "Ruiz's book Silent Harbour"
    return bool(words) and is_document(words[-1].casefold())


def _hangs(words: list[str], *, meant: bool, hanging: bool) -> bool:
    """Say whether the words before a name make it depend on another noun.

    Args:
        words: from the name before, or from the start; roles and affiliations are ``x``.
        meant: whether a name before is meant.
        hanging: whether the name before depends on another noun.
    """
    cut = max((at for at, word in enumerate(words) if word in _CUTS), default=-1)
    joiner, segment = words[cut] if cut >= 0 else "", words[cut + 1 :]
    if hanging and joiner in _JOINERS and words[max(0, cut - 1) : cut] != [","]:
        return True  # "lawyer for Okafor and Hale"; a comma before "and" ends the dependence
    if (
        segment[-1:] == ["named"]
        or segment[-1:] == ["called"]
        or segment[-2:] == ["identified", "as"]
    ):
        return False
    if segment[:1] == ["including"] or " ".join(segment[:3]).startswith(_WITH):
        segment = (
            segment[1:] if segment[0] == "including" else segment[3 if segment[0] == "as" else 2 :]
        )
    elif meant and joiner in {",", ";", ""}:
        if segment[:1] and segment[0] in _APPOSED:
            return True  # "Okafor, the aide Hale hired"
        described = [word for word in words[: max(cut, 0)] if word[0].isalnum() and word != "a"]
        if len(described) > _LONGEST_ADDRESS:
            return True  # "Okafor, spokeswoman for the top man on the board, Tom Hale"
    return _depends(words, segment)


def _depends(words: list[str], segment: list[str]) -> bool:
    """Say whether a preposition or verb in the segment governs the name, as no author."""
    found = [at for at, word in enumerate(segment) if word in _PREPOSITIONS]
    if not found:
        return False
    first, last = found[0], found[-1]
    noun = segment[last - 1] if last else ""
    if segment[last] == "by":
        text_before = any(is_document(word) for word in words[: len(words) - len(segment) + last])
        return not (text_before or (noun.isalpha() and not noun.endswith(("ed", "en", "un"))))
    nouns = {word for word in segment[:first][-1:] if is_document(word)}
    if first == last and segment[last] == "from":
        return not nouns
    if first == last and segment[last] == "of":
        return not nouns & _WORDS_OF
    return True
