"""Personal names: their parts in a comparable form.

A name is folded (case, diacritics, apostrophes), freed of titles, possessives and suffixes, and
split into tokens; particles join the token that follows ("de Blasio" -> ``deblasio``).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})
_APOSTROPHES = "'’‘ʼ`´"
_HYPHENS = "-‐‑–"
_TOKEN = re.compile(rf"\w+(?:[{_HYPHENS}{_APOSTROPHES}]\w+)*")
_POSSESSIVE = re.compile(rf"(?<=\w)[{_APOSTROPHES}][sS]?$")
_NICKNAME = re.compile(r"""(?:(?<=\s)|^)(?:["“‘'(]\s*)([^"”’'()]+?)\s*["”’')](?=\s|$)""")
_DOUBLED = re.compile(r"([^\W\d_])\1")
_SUFFIXES = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr"} | {
    number: number for number in ("ii", "iii", "iv")
}
_PARTICLES = frozenset(
    """de del della der den des di da dos das du la le van von zu ter ten bin ibn bint abu st
    san""".split()
)
_LOWER_PARTICLES = frozenset({"al", "el", "ul", "y", "e"})  # "Al Gore" is no particle

MALE_TITLES = frozenset({"mr", "mister", "sir", "lord", "king", "prince", "brother", "monsieur"})
FEMALE_TITLES = frozenset(
    "mrs ms miss mme madame madam lady dame queen princess sister duchess baroness".split()
)
TITLES = (
    MALE_TITLES
    | FEMALE_TITLES
    | frozenset(
        """dr doctor prof professor sen sens senator senators rep reps representative
        representatives congressman congresswoman gov govs governor president prime minister pres
        vice chancellor secretary judge justice general gen col colonel capt captain lt lieutenant
        sgt sergeant maj major cmdr commander adm admiral cpl corporal rev reverend father fr pope
        archbishop bishop cardinal rabbi imam sheikh ayatollah mayor councillor councilman
        councilwoman alderman speaker chairman chairwoman chair officer detective inspector
        constable superintendent ambassador emperor duke earl baron count coach mp hon honorable
        honourable attorney sheriff chief premier treasurer""".split()
    )
)  # fmt: skip

_NICKNAME_ROWS = """
abraham abe|albert al bert|alexander alex alec sasha|alexandra sandra|andrew andy drew|anthony
tony barbara barb|benjamin ben benny|bernard bernie|beverly bev|bradley brad|calvin cal|catherine
katherine kathryn cathy kathy kate katie|charles charlie chuck|christopher chris|clifford
cliff|cynthia cindy daniel dan danny|david dave|deborah debra debbie deb|dennis denny|donald don
donny|dorothy dot douglas doug|edward ed eddie ted|elizabeth liz beth betsy betty lizzie|eugene
gene|francis frank franklin frankie|frederick fred freddie|gabriel gabe|gerald gerry jerry|gregory
greg|gretchen greta harold hal|henry harry hank|herbert herb|isaac ike|jacob jake|jacqueline
jackie|james jim jimmy jamie janet jan|jeffrey geoffrey jeff geoff|jennifer jen jenny|jessica
jess|john johnny jack|jonathan jon joseph joe joey|joshua josh|judith judy|kenneth ken
kenny|kimberly kim|lawrence laurence larry leonard len lenny|leslie les|louis lou lewis|lucille
lucy|margaret maggie meg peggy|martin marty matthew matt|maxwell max|melvin mel|michael mike
mickey|mitchell mitch|nancy nan|nathaniel nathan nate nicholas nick|norman norm|pamela
pam|patricia pat patty trish|patrick paddy|peter pete|philip phillip phil randall randy|raymond
ray|rebecca becky|richard rick dick rich ricky|robert bob rob bobby robbie ronald ron
ronnie|russell russ|samuel sam sammy|stanley stan|stephen steven steve|stuart stewart stu susan
sue suzanne|terrence terence terry|theodore theo|theresa terri tess|thomas tom tommy timothy
tim|valerie val|vernon vern|victoria vicky|vincent vince|walter walt|william will bill billy
willie zachary zach|joaquin joaquim|mohammed muhammad mohamed mohammad muhammed|yevgeny
evgeny|sergei sergey dmitry dmitri|alexei alexey aleksei|volodymyr vladimir|yusuf yousef
youssef|ahmed ahmad
"""
_CANONICAL = {form: row.split()[0] for row in _NICKNAME_ROWS.split("|") for form in row.split()}
_FEMALE = frozenset(
    """hillary mary patricia jennifer linda elizabeth barbara susan jessica sarah karen
    nancy lisa margaret betty sandra ashley kimberly emily donna michelle carol amanda
    dorothy melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela
    shirley anna brenda pamela emma nicole helen samantha katherine christine debra
    rachel carolyn janet catherine maria heather diane ruth julie olivia joyce virginia
    victoria kelly lauren christina joan evelyn judith megan andrea cheryl hannah
    jacqueline martha gloria teresa ann anne sara madison frances kathryn janice jean
    alice abigail sophia grace denise judy isabella theresa julia marie jane melania
    ivanka chelsea ines ana eva nicola kamala jill""".split()
)  # fmt: skip
_MALE = frozenset(
    """james robert john michael david william richard joseph thomas charles christopher
    daniel matthew anthony mark donald steven paul andrew joshua kenneth kevin brian
    george timothy ronald edward jason jeffrey ryan jacob gary nicholas eric jonathan
    stephen larry justin scott brandon benjamin samuel gregory alexander frank patrick
    raymond jack dennis jerry tyler aaron jose adam nathan henry douglas zachary peter
    kyle noah ethan jeremy walter christian keith roger terry austin sean gerald carl
    harold dylan arthur lawrence jordan jesse bryan bruce gabriel joe logan alan juan
    albert willie wayne randy mohammed vincent philip bobby johnny bradley barack jeb
    boris luis carlos ivan igor hans klaus""".split()
)  # fmt: skip


def fold(text: str) -> str:
    """Return ``text`` without case, diacritics and outer or repeated white space."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(kept.translate(_LETTERS).split())


@dataclass(frozen=True, slots=True)
class Name:
    """A parsed name; two surfaces of equal parts are one name.

    Args:
        tokens: folded parts in order; initials are single letters.
        pieces: the parts with hyphens and particles taken apart.
        suffix: ``jr``, ``sr``, ``ii`` ... or the empty string.
        nicknames: what stood in quotation marks or brackets inside the name.
    """

    tokens: tuple[str, ...]
    pieces: tuple[str, ...] = ()
    suffix: str = ""
    nicknames: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        """Whether there is more than one part."""
        return len(self.tokens) > 1

    @property
    def middle(self) -> str:
        """The initials between the first and the last part."""
        return "".join(token[0] for token in self.tokens[1:-1])


@lru_cache(maxsize=4096)
def parse_name(surface: str) -> Name:
    """Take a name apart; a surface without any letter or digit gives no tokens.

    Args:
        surface: the name as it stands in the text.
    """
    surface = _POSSESSIVE.sub("", surface.strip())
    nicknames: list[str] = []

    def take_nickname(match: re.Match[str]) -> str:
        if not surface[: match.start()].strip():
            return match.group(1)  # “Rachel” Hale: the nickname is all the first name there is
        nicknames.append(fold(match.group(1)))
        return " "

    words = _TOKEN.findall(_NICKNAME.sub(take_nickname, surface))
    while len(words) > 1 and words[0].casefold() in TITLES:
        words.pop(0)
    suffix = ""
    while len(words) > 1 and words[-1].casefold() in _SUFFIXES:
        suffix = _SUFFIXES[words.pop().casefold()]
    tokens, pieces = _join_particles(words)
    return Name(tokens, pieces, suffix, tuple(nicknames))


def _join_particles(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tokens: list[str] = []
    pieces: list[str] = []
    prefix = ""
    for position, word in enumerate(words):
        plain = fold(word)
        parts = [part for part in re.split(rf"[{_HYPHENS}]", plain) if part]
        joined = "".join(char for char in plain if char.isalnum())
        if not joined:
            continue
        bare = joined in _PARTICLES or (joined in _LOWER_PARTICLES and word[0].islower())
        if bare and position + 1 < len(words):
            prefix += joined
            continue
        tokens.append(prefix + joined)
        prefix = ""
        if len(parts) > 1:
            parts = [part for part in parts if part not in _LOWER_PARTICLES] or parts
        pieces += ["".join(filter(str.isalnum, part)) for part in parts]
    return tuple(tokens), tuple(piece for piece in pieces if piece)


def canonical(first: str) -> str:
    """Return the long form of a first name, doubled letters once: ``bob`` gives ``robert``."""
    return _DOUBLED.sub(r"\1", _CANONICAL.get(first, first))


def title_gender(title: str) -> str:
    """Return ``m`` or ``f`` where a title tells, else the empty string."""
    return "m" if title in MALE_TITLES else "f" if title in FEMALE_TITLES else ""


def name_gender(name: Name) -> str:
    """Return ``m`` or ``f`` where a common first name tells, else the empty string."""
    if not name.full:
        return ""
    first = name.tokens[0]
    first = _CANONICAL.get(first, first)
    return "f" if first in _FEMALE else "m" if first in _MALE else ""


def display_name(surface: str) -> str:
    """Return a name as it is shown: one line, without title and possessive."""
    words = _POSSESSIVE.sub("", " ".join(surface.split())).split(" ")
    while len(words) > 1 and words[0].rstrip(".").casefold() in TITLES:
        words.pop(0)
    return " ".join(words)
