"""Pages taken apart by an HTML parser, and extractions to make pages of."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser

from claimx.types import Claim, Extraction, Person, Quantity, Quote, Source, Span, Speaker

VOID = {"meta", "input"}


class Parsed(HTMLParser):
    """What a parser sees.

    Attributes:
        tags: every element with its attributes.
        texts: of every element with the class "text", its text content.
        words: everything else that is to be read.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.words = ""
        self.raw: dict[str, str] = {}
        self._open: list[str] = []
        self._text_depth: int | None = None
        self.feed(re.sub("\r\n?", "\n", page))  # as every browser does before it parses
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute stands twice: {attrs}"
        self.tags.append((tag, dict(attrs)))
        if "text" in (dict(attrs).get("class") or "").split():
            self._text_depth = len(self._open)
            self.texts.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"
        if self._text_depth == len(self._open):
            self._text_depth = None

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("style", "script"):
            self.raw[self._open[-1]] = self.raw.get(self._open[-1], "") + data
            return
        if self._text_depth is not None:
            self.texts[-1] += data
        else:
            self.words += f"{data} "

    def ids(self) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get("id"))]


def written(text: str) -> str:
    """The text as a page can carry it: NUL and lone surrogates have no form in UTF-8 HTML."""
    return "".join(
        "\ufffd" if character == "\0" or "\ud800" <= character <= "\udfff" else character
        for character in text
    )


def marked(text: str, spans: list[tuple[str, int, int]], **more: object) -> Extraction:
    """An extraction whose quotes, speakers, people and claims lie at the given places."""

    def span(start: int, end: int) -> Span:
        return Span(start, end, text[start:end], 0.5)

    of = {kind: [(s, e) for k, s, e in spans if k == kind] for kind, _, _ in spans}
    mentions = tuple(span(s, e) for s, e in of.get("person", ()))
    roles = tuple(span(s, e) for s, e in of.get("role", ()))
    people = (Person("p0", "<b>Ana</b> & co", mentions, roles),) if mentions else ()
    speakers = [
        Speaker(s, e, text[s:e], 0.5, "s0", ("p0",) if people else (), roles=roles)
        for s, e in of.get("speaker", ())
    ]
    quotes = tuple(
        Quote(f"q{at}", s, e, text[s:e], "direct", 0.5,
              speaker=speakers[at % len(speakers)] if speakers else None)
        for at, (s, e) in enumerate(of.get("quote", ()))
    )  # fmt: skip
    claims = tuple(
        Claim(f"c{at}", s, e, text[s:e], 0.5, Quantity(s, e, text[s:e], value=3),
              quote="q0" if quotes else None)
        for at, (s, e) in enumerate(of.get("claim", ()))
    )  # fmt: skip
    said = tuple(quote.id for quote in quotes) if speakers else ()
    values: dict[str, object] = {
        "id": "a",
        "text_sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "model": "m",
        "attribution": "reported",
        **more,
    }
    return Extraction(
        **values,  # type: ignore[arg-type]
        quotes=quotes,
        sources=(Source("s0", "person", "a board", (), said),) if said else (),
        people=people,
        claims=claims,
        text=text,
    )
