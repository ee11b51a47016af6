"""Whether a quantity is the size of a change (up, down), or its start or end (from, to)."""

from __future__ import annotations

import re

from claimx.quantities.context import PASSED, Around

_UP = (
    r"r[io]s(?:e|es|en|ing)|increas\w*|jump\w*|climb\w*|gain(?:s|ed|ing)?|gr(?:ow|ew)\w*|soar\w*|"
    r"surg\w*|advanc(?:e|es|ed|ing)|boost\w*|up|expand\w*|rall(?:y|ied)|swell\w*|hik(?:e|es|ed|ing)|"
    r"additional|leap\w*|rebound\w*|accelerat\w+|spik\w+|improv\w+|widen\w*|lengthen\w*|extend\w*|"
    r"rais(?:e|es|ed|ing)|add(?:s|ed|ing)?|lift(?:s|ed|ing)?|strengthen\w*|quicken\w*|firmed"
)
_DOWN = (
    r"f[ae]ll(?:s|en|ing)?|drop\w*|declin\w*|decreas\w*|down|cut(?:s|ting)?|reduc\w*|sl[iu]d\w*|"
    r"slip\w*|plung\w*|shed(?:s|ding)?|dip\w*|tumbl\w*|shr[aiu]nk\w*|lower(?:ed|s|ing)?|plummet\w*|"
    r"slump\w*|s[aiu]nk\w*|eas(?:e|ed|es)|narrow\w*|slash\w*|trim\w*|contract(?:ed|ion|ing)|"
    r"weaken\w*|sag(?:s|ged|ging)?|crash\w*|shav(?:e|ed|ing)|lost|loses?|losing|moderat(?:ed|ing)|soften\w*|"
    r"retreat\w*|diminish\w*|(?:slow|cool)(?:s|ed|ing)?(?!\s(?:an?|the|its|their|his|her)\b)"
)
_EITHER = rf"(?<![\w-])(?:(?P<up>{_UP})|(?P<down>{_DOWN}))(?![\w-])"
_MOVE = re.compile(_EITHER, re.I)
_SHIFT = re.compile(
    r"\b(?:chang\w+|revis\w+|adjust\w+|mov(?:e|es|ed|ing)|heat\w+|reheat\w+|br(?:ings?|ought)|went|"
    r"tak(?:es|ing)|swung|restor\w+|return\w*|(?:doubl|tripl|trebl|quadrupl|halv)(?:e|es|ed|ing)|"
    r"c[ao]me down)\b",
    re.I,
)
# Verbs that take an object without changing it: "raised $25,000", "added two players".
_TAKES_SUM = re.compile(r"^(?:rais|add|lift)", re.I)
_OF_ITS = re.compile(r"\s(?:of\s)?(?:its|their|his|her|the)\b")
_LOSES = re.compile(r"^los", re.I)
# "lost $214 to $3,866", "lost £5m, or 2%": a price or a worth; "will lose $90,000" is a payment.
_PRICE_BEHIND = re.compile(
    r"^,?\s(?:or\s[^.;]{1,20}\s)?to\s(?:(?:trade|close|end|finish|settle)\s(?:at\s)?)?\S{0,3}\d"
    r"|^(?:,?\sor|\s\()[^.;\n]{1,20}?(?:%|\sper\s?cent\b)|^\s(?:of|in|from|off)\s(?:(?:its|their|the)\s)?"
    r"(?:stock\s|share\s|market\s)?(?:price|value|worth|capitali[sz]ation)\b",
    re.I,
)
_PRICED = re.compile(r"\b(?:shares?|stocks?|futures|prices?|bonds?|currency|crude)\b", re.I)
_PHRASAL = re.compile(
    r"\b(?:ma[dk]e|makes|making|put|puts|dig|digs|digging|dug|hold|held|holds|pick|picked|free[ds]?|freeing|"
    r"show|shows|showed|end|ended|ends|wind|wound|set|sets|t[ou]rn(?:s|ed)?|g[aio]ve?n?|open(?:ed|s)?|"
    r"t[ao]k(?:e|es|en|ing)|took|wrap(?:ped)?|br(?:eak|oke)|pile[ds]?|line[ds]?|sign(?:ed|s)?|add|adds|"
    r"sh[uo]t) (?:up|down)\b|\bc[ao]mes? up\b|\b(?:storm|tidal) surges?\b|\bextended famil\w+|"
    r"\boffset by\b",
    re.I,
)
_SMALL_WORDS = (
    r"(?:\s(?:by|of|about|some|an?|the|its|further|only|just|at|least|more|than|over|nearly|"
    r"around|almost|another|roughly|approximately|an estimated|a record|a factor|\w+ly))*"
)
_HERE = re.compile(rf"{_EITHER}(?P<between>{_SMALL_WORDS})\s*[(—–-]?\s*$", re.I)
_BY = re.compile(rf"\bby(?: an average of)?{_SMALL_WORDS}\s*$", re.I)
_CONTEST = re.compile(r"\b(?:w[io]n|wins|lose|loses|lost|losing|lead\w*|led|trail\w*|beat\w*|ahead|"
                      r"behind|defeat\w*|outnumber\w*)\b", re.I)  # fmt: skip
_OR = re.compile(
    r",?\s(?:or|and)\s(?:about\s|nearly\s)?$|\s[(—–-]+\s?(?:about\s|or\s|~|roughly\s)?$"
)
_LAST_NUMBER = re.compile(
    r"(?:^|[\s(])(?:[A-Z]{0,3}[$€£]\s?)?(?:\d[\d.,]*(?:[kmp]|[bt]n)?|one|two|three|four|five|six|seven|"
    r"eight|nine|ten|half|a)(?=[\s–-]|$)(?:[\s–-][\w$€£%.,/]+){0,4}[%,]?$",
    re.I,
)
_TO = re.compile(
    rf"(?:^|[\s(])(?:in)?to(?:\s(?:as (?:low|high|much) as|record|"
    rf"(?:an?|its|the)\s(?:[\w-]+\s){{0,2}}(?:high|low|peak|total|average) of))?{_SMALL_WORDS}\s*$",
    re.I,
)
_AT = re.compile(
    r"\b(?:(?:clos|settl|peak|bottom|finish|end)\w*(?:\s(?:now|out))?|to trade) at\s*$"
    r"|\d[^.;,]{0,30}\s(?:higher|lower|firmer|weaker) at\s*$"
    r"|\b(?:up|down)\s[$€£]?\d(?:[^.;,]|\.\d){0,20}\sat\s*$",
    re.I,
)
_REACH = re.compile(
    r"\b(?:reach(?:es|ed|ing)?|surpass(?:es|ed|ing)?|exceed(?:s|ed|ing)?|topp(?:ed|ing)|"
    r"could hit|hit|swelled to)(?:\s(?:an?|the|nearly|over|about|almost|record))*\s*$",
    re.I,
)
_FROM = re.compile(
    rf"(?:^|[\s(])from(?P<far>\s(?:an?|its|the|last|previous|earlier)(?:\s(?!to\b)[a-z]+){{0,2}}"
    rf"(?:\sof)?)?"
    rf"{_SMALL_WORDS}\s*$",
    re.I,
)
# Modifiers that name the level reached: "rose towards 300", "fell below 5 percent".
_LEVEL = re.compile(r"(?:up to|towards?|below|above)\b", re.I)
_RANGING = re.compile(r"\b(?:rang\w+|aged?|ages|vary|varies|anywhere)\b", re.I)
_TO_NEXT = re.compile(
    r"\s*(?:\w+\s){0,3}to\s(?:\w+\s)?(?:[$€£\d]|one|two|three|four|five|six|seven|eight|nine|ten)",
    re.I,
)
_FROM_TO = re.compile(
    r"\sfrom\s(?:[$€£]?\d[\d,.]*%?|one|two|three|four|five|six|seven|eight|nine|ten)"
    r"(?:\s[a-z%]+){0,3}?\sto(?:\sjust|\sonly|\sabout)?\s*$",
    re.I,
)
_NOUN = (
    r"(?P<up>increases?|rises?|raises?|jump|gains?|growth|hikes?|surge|boost|uptick|spike)|"
    r"(?P<down>decreases?|drop|declines?|cuts?|reductions?|dip|plunge|slump|fall)"
)
_BEHIND = re.compile(
    rf"^[\s-](?:(?!(?:of|to|and|or|the|but|that|could|would|will|can|may|might|has|have|had)\b)"
    rf"[a-z]+\s)?(?:{_NOUN})\b",
    re.I,
)
# "three brokerages cut their ratings": a verb, not a noun
_THEY_CUT = re.compile(r"^\s[a-z]+s\s\w+\s(?:the|their|its|his|her|an?)\b", re.I)
_COMPARED = re.compile(
    r"^(?:[\s-](?:\w+\s)?(?:(?P<up>higher|greater|dearer|pricier)|(?P<down>lower|fewer|cheaper))\b|"
    r"\s(?:(?P<more>more)|(?P<less>less))(?:\slikely\b|(?=[.,;])|\s(?:\w+\s){0,6}than\b))",
    re.I,
)
_TURNED = re.compile(
    r"^(?:(?:more than|almost|nearly|about|roughly|at least)\s)?"
    r"(?:(?P<up>(?:doubl|tripl|trebl|quadrupl|quintupl)(?:ed|ing)|double|triple)|"
    r"(?P<down>halv(?:ed|ing|es?)))$",
    re.I,
)
_VERB_BEFORE = re.compile(r"\b(?:to|would|will|could|has|have|had|n['’]t|may|might|than)\s*$", re.I)


def change_of(surface: str, around: Around, kind: str | None) -> str:
    """Return none, up, down, from or to.

    Args:
        surface: the quantity itself: "tripled" is a change upwards.
        around: the words around it.
        kind: the kind of quantity; sums, counts and shares are spoken of in different words.
    """
    turned = _TURNED.match(surface)
    if turned:
        verb = surface[-1] != "e" or _VERB_BEFORE.search(around.before)
        return _direction(turned) if verb else "none"
    if kind == "age":
        return "none"
    quoted = _quoted(around, kind)
    if quoted is not None:
        return quoted
    if _is_idle(surface, around, kind):
        return "none"
    before = _without_bound(_PHRASAL.sub("", around.before))
    apposition = _OR.search(before)
    if apposition:  # "fell $1.25, or [1.4 percent]", "reached 185 mph ([295 km/h])"
        earlier = _LAST_NUMBER.search(before[: apposition.start()])
        if earlier:
            moved_by = before[: earlier.start() + 1]
            share = re.search(r"%|\bper\s?cent\b", earlier[0])  # "lost 4 percent, or [$3 million]"
            return _ends(moved_by, around) or _size(moved_by, "", "percent" if share else kind)
    behind = _BEHIND.match(around.after)
    if behind and kind in ("percent", "money", "measure"):
        return _direction(behind)
    if kind == "percent" and (moved := _GAPPED.search(before)):
        return _direction(moved)
    return _ends(before, around) or _size(before, around.after, kind)


# "worth up to [£50]" moves nothing, "cut by up to [£50]" no level; "edged up to [£50]" does
_BOUND = re.compile(r"(?P<size>\b(?:by|of))?(?:^|\s)up to\s*$", re.I)
_UPWARDS = re.compile(
    r"\b(?:edg|inch|tick|nudg|cre[ep]|went|go|mov|sho[to]|push|dr[io]ve|back|c[ao]me|pick)\w*$|\bfrom\s",
    re.I,
)


def _without_bound(before: str) -> str:
    """Return the words before a quantity without an "up to" that only bounds it."""
    bound = _BOUND.search(before)
    if bound is None:
        return before
    rest = before[: bound.end("size") if bound["size"] else bound.start()]
    moves = _MOVE.search(rest) or _SHIFT.search(rest) or _UPWARDS.search(rest)
    return f"{rest} " if bound["size"] or not moves else before


# "put on $12 to $2,418", "gave up 9 percent": prices; "put on a show" is none
_PUT_ON = re.compile(rf"\b(?:put|puts|putting|tacked)\son{_SMALL_WORDS}\s*$", re.I)
_GAVE_UP = re.compile(rf"\bg[ai]v(?:e|es|ing)\sup{_SMALL_WORDS}\s*$", re.I)
_TO_PRICE = re.compile(r"^,?\s(?:or\s[^.;]{1,20}\s)?to\s\S{0,3}\d")
_PUT_TO = re.compile(
    r"\b(?:put on|g[ai]v(?:e|es|ing) up)\s[^.;\d]{0,4}\d[\d.,]*[^.;]{0,12}\sto\s*$", re.I
)
# "took 4 percent off the bill", "wiped $3 million off"
_OFF = re.compile(r"^(?:\s(?:of\s)?[a-z]+){0,2}\soff\s")
_TAKES_OFF = re.compile(
    rf"\b(?:t[ao]k(?:e|es|en|ing)|took|knock|wip|shav|cut)\w*{_SMALL_WORDS}\s*$", re.I
)


def _quoted(around: Around, kind: str | None) -> str | None:
    """Return the change of a price or share where the market's own words say it, else None."""
    if kind not in ("percent", "money", "measure"):
        return None
    before, after = around.before, around.after
    if _PUT_TO.search(before) or (kind != "measure" and PASSED.search(before)):
        return "to"
    priced = kind == "percent" or _TO_PRICE.match(after)
    if priced and _PUT_ON.search(before):
        return "up"
    if priced and _GAVE_UP.search(before):
        return "down"
    if _OFF.match(after) and _TAKES_OFF.search(before):
        return "down"
    return None


# "fell 1.4 percent, Standard Veld (2 percent)", "shed 3.4% and Union Maritime (2.9%)"
_GAPPED = re.compile(
    rf"{_EITHER}{_SMALL_WORDS}\s\d[\d.]*(?:%|\sper\s?cent\b)(?:,| and|;)(?: and)?"
    r"(?:\s(?:[A-Z][\w'’.&-]*|of|the|de|del)){1,4}\s(?:by\s)?$",
)
_DOWN_PIPE = re.compile(
    r"\b(?:go|goes|went|going|runs?|leads?|reach(?:es|ed)?) (?:down|up)\s$", re.I
)
_TOPPLED = re.compile(r"\bbr(?:ing|ings|ought|inging) (?:down|up)\s$", re.I)
# "cut two of its engines", "grows a fifth of the rice"
_OF_THEM = re.compile(r"^\sof\s", re.I)
_CUTS = re.compile(rf"\b(?:cut(?:s|ting)?|grows?|growing|lift(?:s|ed)?){_SMALL_WORDS}\s*$", re.I)
_TIME_GAP = re.compile(r"^\s(?:before|after|later|earlier|ago)\b", re.I)
_RAISED_FROM = re.compile(r"\brais(?:e|es|ed|ing)\s[^.;]{0,3}\d[^.;]{0,20}\sfrom\s", re.I)
_INTO = re.compile(r"\binto(?:\sat least|\sabout)?\s*$", re.I)
_GIVEN_BACK = re.compile(r"\b(?:restor|return)\w*\b[^.;]*\sto\s(?:the\s)?$", re.I)
_LEADS = re.compile(r"\bpolls?\b[^.;,]*\s[A-Z]\w+\s(?:up|down)\s(?:by\s|an?\s\w+\s)?$")


# "kept increases below 3%": what is kept, held or capped does not move
_KEPT = re.compile(
    r"\b(?:ke(?:ep|eps|pt|eping)|hold(?:s|ing)?|held|limit(?:s|ed|ing)?|cap(?:s|ped|ping)?|"
    r"restrict(?:s|ed|ing)?)\s(?:[\w-]+\s){0,3}(?:increases?|rises?|growth|gains|cuts|losses|falls|"
    r"declines?|reductions)(?:\s(?:to|at|below|under|within))?\s*$",
    re.I,
)


def _is_idle(surface: str, around: Around, kind: str | None) -> bool:
    """Whether a verb of change beside a quantity does not change it."""
    before, after = around.before, around.after
    if kind == "duration":
        attributive = re.search(r"\w-[a-z]", surface) and not re.match(r"\s(?:ext|inc|red)", after)
        return _TIME_GAP.match(after) is not None or bool(attributive)
    if kind == "measure":
        return _DOWN_PIPE.search(before) is not None
    if kind in ("percent", "money") and _KEPT.search(before):
        return True
    if kind == "percent":
        return _LEADS.search(before) is not None
    if kind == "multiple":
        return re.match(r"\sas\b", after) is not None
    if kind not in ("count", "ratio"):
        return False
    if _TOPPLED.search(before) or (_OF_THEM.match(after) and _CUTS.search(before)):
        return True
    if kind == "ratio":
        return False
    given = _INTO.search(before) or _GIVEN_BACK.search(before) or _RAISED_FROM.search(before)
    return given is not None or re.match(r"-[a-z]", after) is not None


def _direction(match: re.Match[str]) -> str:
    return "up" if match["up"] else "down"


def _ends(before: str, around: Around) -> str | None:
    """Return from or to where the quantity is an end of a change."""
    moves = _MOVE.search(before) or _SHIFT.search(before)
    start = _FROM.search(before)
    if start and (_MOVE.search(before[: start.start() + 1]) if start["far"] else moves):
        return "from"
    ranging = _RANGING.search(before)
    if start and not ranging and _TO_NEXT.match(around.after):
        return "from"
    if _FROM_TO.search(before) and not ranging:
        return "to"
    if (_TO.search(before) and moves) or _AT.search(before) or _REACH.search(before):
        return "to"
    here = _HERE.search(before)
    if here and "by" not in here["between"] and _LEVEL.match(around.modifier):
        return "to"
    return None


def _size(before: str, after: str, kind: str | None) -> str:
    """Return up or down where the quantity is the size of a change, else none."""
    behind = _BEHIND.match(after)
    if behind and not (kind == "count" and _THEY_CUT.match(after)):
        return _direction(behind)
    compared = _COMPARED.match(after)
    if compared and kind in ("percent", "money"):
        return "up" if compared["up"] or compared["more"] else "down"
    here = _HERE.search(before)
    if here:
        by = "by" in here["between"].split()
        verb = here["up"] or here["down"]
        if by and _LOSES.match(verb):
            return "none"
        if _TAKES_SUM.match(verb) and not by:
            return "up" if (verb.lower() == "additional") is (kind == "money") else "none"
        part = kind == "ratio" and _OF_ITS.match(after)
        if _LOSES.match(verb) and not part and kind not in ("percent", "measure"):
            priced = _PRICE_BEHIND.match(after) or _PRICED.search(before)
            return "down" if kind == "money" and priced else "none"
        return _direction(here)
    if _BY.search(before) and not _CONTEST.search(before):
        moves = list(_MOVE.finditer(before))
        if moves:
            return _direction(moves[-1])
    return "none"
