"""HTML that is escaped by construction: what is not `Html` cannot get into an element."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

from claimx.render import clean

Html = NewType("Html", str)

_VOID = frozenset({"input", "meta", "br"})
# Character for character, so that a parser gives the text back: it would turn a carriage return
# into a line feed, and it has no form for NUL, nor UTF-8 one for lone surrogates.
_ESCAPES: dict[int, str] = {
    **dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd"),
    ord("\r"): "&#13;",
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&#39;",
}


def escape(text: str) -> Html:
    """Escape a text for content and for attributes alike; nothing but its characters remains."""
    return Html(text.translate(_ESCAPES))


def words(text: str) -> Html:
    """Escape a text that is shown outside the article: on one line, without direction marks."""
    return escape(clean(text))


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Put pieces of HTML side by side."""
    return Html(escape(between).join(parts))


def element(name: str, /, *content: Html, **attributes: str | int | bool | None) -> Html:
    """Build an element; every attribute is escaped.

    Args:
        name: of the element.
        content: what stands in it.
        attributes: ``class_`` is class, ``data_q`` is data-q; None and False leave one out, True
            gives it without a value.
    """
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        written.append(f" {label}" if value is True else f' {label}="{escape(str(value))}"')
    opening = f"<{name}{''.join(written)}>"
    return Html(opening if name in _VOID else f"{opening}{''.join(content)}</{name}>")
