"""The shell of a page: one file that needs no network and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from claimx.page.markup import Html, element, escape, join


def asset(package: str, name: str) -> Html:
    """Return a file of a package; the only text that goes onto a page unescaped."""
    return Html((files(package) / name).read_text(encoding="utf-8"))


def skip_link(label: str) -> Html:
    """Return the link that leads keyboards past the head of a page, to the element ``main``."""
    return element("a", escape(label), class_="skip", href="#main")


def whole_page(title: str, *body: Html, style: Html, script: Html) -> str:
    """Return a page whose policy allows this style and this script, by their hashes, alone.

    Args:
        title: of the window.
        body: what stands on the page.
        style: what is added to the style that all pages share.
        script: runs when the page is there.
    """
    sheet = join((asset("claimx.page", "base.css"), style), "\n")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(sheet)}'; script-src '{_hash(script)}'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", escape(title)),
        element("style", sheet),
    )
    content = element("body", *body, element("script", script))
    return f"<!doctype html>\n{element('html', head, content, lang='en')}\n"


def _hash(content: Html) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
