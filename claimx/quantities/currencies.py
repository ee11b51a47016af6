"""Which currency a name means that several countries use: dollars, pesos, crowns, rupees."""

from __future__ import annotations

import re

from claimx.quantities.units import LOCAL, find_unit

_LONGEST_SEARCH = 20_000  # characters of an article searched for its currency

# What a text calls its dollars, and words that show which country's news it is.
_DOLLARS = {
    "AUD": r"\bAustralian dollars?\b|(?<![A-Za-z])(?:A|AU)\$|\$A(?![A-Za-z])|\bAUD\b",
    "CAD": r"\bCanadian (?:dollars?|funds)\b|(?<![A-Za-z])(?:C|CA|CAN|Can|Cdn)\$|\bCAD\b",
    "NZD": r"\bNew Zealand dollars?\b|(?<![A-Za-z])NZ ?\$|\bNZD\b",
    "HKD": r"\bHong Kong dollars?\b|(?<![A-Za-z])HK ?\$|\bHKD\b",
    "SGD": r"\bSingapore(?:an)? dollars?\b|(?<![A-Za-z])S\$|\bSGD\b",
    "TWD": r"\bTaiwan(?:ese)? dollars?\b|(?<![A-Za-z])NT\$|\bTWD\b",
    "USD": r"\b(?:U\.?S\.?|American) dollars?\b|(?<![A-Za-z])(?<!the )US ?\$|\$US(?![A-Za-z])"
    r"|\bUSD\b",
}
# Whatever a pattern above finds holds one of these; most articles hold none.
_DOLLAR_MARKS = ("$", "dollar", "Canadian funds", *_DOLLARS)
_COUNTRIES = {
    "AUD": r"\b(?:Australians?|Australia|Queensland|New South Wales|NSW|Tasmania|Sydney|Melbourne|"
    r"Brisbane|Adelaide|Canberra|Northern Territory|CSIRO)\b",
    "CAD": r"\b(?:Canada|Canadians?|Ontario|Quebec|Toronto|Ottawa|Alberta|British Columbia)\b",
    "NZD": r"\b(?:New Zealand|New Zealanders?|Auckland|Wellington)\b",
    "HKD": r"\bHong Kong\b",
    "SGD": r"\bSingapore\b",
    "USD": r"\b(?:U\.S\.|US|USA|Americans?|America|United States|Congress|Washington|NASA|"
    r"Californian?|Texas|Florida|New York|Senate|Senators?|Democrats?|Republicans?)\b",
}
_MOSTLY = 3  # times as often as American words must a country be named, to be the article's own
_ALL_FIGURES = re.compile(
    r"\b(?:[Aa]ll|[Tt]he)\s+(?:figures|amounts|prices|values|sums|dollars|dollar\s+(?:figures|amounts))"
    r"[^.\n]{0,40}?\bin\s+(?P<name>[A-Z][A-Za-z.]*(?:\s[A-Z][a-z]+)?)\s+(?:dollars|funds)",
)


def article_currency(text: str, default: str = "USD") -> str:
    """Return the ISO code that a bare "$" means in an article.

    "All figures in Canadian dollars" decides. Else a foreign dollar that the article names, unless
    it names US dollars too; else the one dollar country that it speaks of, if it hardly speaks of
    the United States; else the default. Only the first 20,000 characters are searched.

    Args:
        text: the article.
        default: the code where the article's words do not tell.
    """
    text = text[:_LONGEST_SEARCH]
    stated = _ALL_FIGURES.search(text)
    if stated and (unit := find_unit(f"{stated['name']} dollar")) and unit.name != LOCAL:
        return unit.name
    named = set[str]()
    if any(mark in text for mark in _DOLLAR_MARKS):
        named = {code for code, pattern in _DOLLARS.items() if re.search(pattern, text)}
    if "USD" in named:
        return default
    if named:
        return named.pop() if len(named) == 1 else default
    counts = {code: len(re.findall(pattern, text)) for code, pattern in _COUNTRIES.items()}
    american = counts.pop("USD")
    spoken_of = [code for code, count in counts.items() if count > _MOSTLY * american]
    return spoken_of[0] if len(spoken_of) == 1 else default


# The country whose dollar it is, apart from the sign: "US $5", "$5 million U.S."
_SPACED = re.compile(
    r"(?:(?<![A-Za-z.])(?P<code>U\.?S\.?|AUS?|Aus|NZ|HK|NT|CAN?|Can|Cdn)"
    r"|(?<=\s)[a-z]+\s(?P<letter>[ACS]))\s$"
)
_AMERICAN = re.compile(r"\sU\.?S\.?$")
_AMERICAN_BEHIND = re.compile(r"\s(?:\(U\.?S\.?\)|US(?=[.,;:)\n]|$)|U\.S\.(?=[,;:)\n]|\s[A-Z]|$))")
_AHEAD = 24  # characters before the sign in which its country stands


def spaced_dollar(text: str, start: int, end: int) -> str | None:
    """Return the code of a "$" whose country stands apart from it, or None: "US $5".

    A letter alone counts only inside a sentence: "A $5 million plan" begins with an article.

    Args:
        text: the article.
        start: first character of the quantity.
        end: one past its last.
    """
    sign = text.find("$", start, end)
    if sign < 0:
        return None
    ahead = _SPACED.search(text[max(0, sign - _AHEAD) : sign])
    if ahead:
        name = (ahead["code"] or ahead["letter"]).replace(".", "")
        unit = find_unit(f"{name}$")
        return unit.name if unit else None
    american = _AMERICAN.search(text[sign:end]) or _AMERICAN_BEHIND.match(text, end)
    return "USD" if american else None


# Names of money that several countries share: the code that `units.yaml` gives the bare word, the
# word, the words that show that code's own country, and those that show the others'.
_SHARED = {
    "MXN": ("pesos?", "Mexic", {
        "PHP": "Philippin|Filipin|Manila", "ARS": "Argentin|Buenos Aires", "CLP": "Chile|Santiago",
        "COP": "Colombia|Bogot", "CUP": "Cuba|Havana", "UYU": "Urugua|Montevideo"}),
    "DKK": ("kroner?", "Denmark|Danish|Danes?|Copenhagen", {"NOK": "Norw|Oslo|Bergen|Stavanger"}),
    "SEK": ("kron(?:a|or)", "Swed|Stockholm", {"ISK": "Iceland|Reykjav"}),
    "INR": ("rupees?", "India|Delhi|Mumbai", {
        "PKR": "Pakistan|Karachi|Lahore|Islamabad", "LKR": "Sri Lanka|Colombo",
        "NPR": "Nepal|Kathmandu"}),
    "CHF": ("francs?", "Swiss|Switzerland|Zurich|Geneva", {
        "XOF": "Senegal|Dakar|Ivory Coast|Ivorian|Abidjan|Mali|Burkina|Benin|Togo|Niger",
        "XAF": "Cameroon|Gabon|Chad|Congo-Brazzaville", "RWF": "Rwanda|Kigali"}),
    "SAR": ("riyals?", "Saudi|Riyadh", {"QAR": "Qatar|Doha", "OMR": "Oman|Muscat"}),
    "AED": ("dirhams?", "Emirat|Dubai|Abu Dhabi", {"MAD": "Morocc|Casablanca|Rabat"}),
    "KRW": ("won", "South Korea|Seoul", {"KPW": "North Korea|Pyongyang"}),
}  # fmt: skip
_ADJECTIVE = r"\b(?!Million|Billion|Trillion)[A-Z][a-z]+\s"


def local_currency(code: str, surface: str, text: str) -> str:
    """Return what a name of money means that several countries share: "kroner", "pesos".

    The country decides that the article speaks of, if it hardly speaks of the one that the bare
    word stands for. Only the first 20,000 characters are searched.

    Args:
        code: the code that the bare word stands for.
        surface: the quantity; "Mexican pesos" and "DKK" need no article.
        text: the article.
    """
    if code not in _SHARED:
        return code
    word, own, others = _SHARED[code]
    bare = re.search(rf"\b{word}\b", surface, re.I)
    if bare is None or re.search(rf"{_ADJECTIVE}{word}\b", surface):
        return code
    text = text[:_LONGEST_SEARCH]
    ours = len(re.findall(rf"\b(?:{own})", text))
    spoken_of = [
        other
        for other, words in others.items()
        if len(re.findall(rf"\b(?:{words})", text)) > _MOSTLY * ours
    ]
    return spoken_of[0] if len(spoken_of) == 1 else code
