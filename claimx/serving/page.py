"""The page at `/`: what to send, what comes back, and a field to try it.

It is written from the OpenAPI description and loads nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from claimx.page.markup import Html, element, escape, join
from claimx.serving.limits import Limits

_ORDER = (
    "ExtractRequest", "NewsArticle", "Records", "Record", "Quote", "Speaker", "Source", "Person",
    "Claim", "Quantity", "Span", "ErrorRecord", "Failure",
)  # fmt: skip
_LIMITS = {
    "articles": "articles in a request",
    "chars": "characters in an article; a longer one gets an error record",
    "body": "bytes in a request",
    "waiting": "requests at once that are being sent, wait or are being read",
    "held": "bytes of all of them together",
    "seconds": "seconds from the start of a request to its answer",
    "sending": "seconds within which a request must have arrived",
}


def front_page(
    described: Mapping[str, Any], facts: Mapping[str, Any], limits: Limits, base: str
) -> tuple[str, str]:
    """Return the page and its Content-Security-Policy.

    Args:
        described: the OpenAPI description.
        facts: what is said of the model.
        limits: of the server.
        base: address of the server, with a slash at its end.
    """
    extract = described["paths"]["/extract"]["post"]
    request = extract["requestBody"]["content"]["application/json"]["example"]
    response = extract["responses"]["200"]["content"]["application/json"]["example"]
    body = element(
        "body",
        element("h1", escape("claimx serve")),
        element("p", escape("claimx " + " · ".join(map(str, facts.values()))), class_="dim"),
        element("p", escape(f"{described['info']['summary']}. {extract['description']}")),
        *_trial(request["articles"][0]["text"]),
        *_calls(base, request, response),
        *_answers(extract["responses"], limits),
        element("h2", escape("Fields")),
        *_schemas(described["components"]["schemas"]),
        element("script", _asset("front.js")),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", escape("claimx serve")),
        element("style", _asset("front.css")),
    )
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"connect-src 'self'; style-src '{_hash('front.css')}'; script-src '{_hash('front.js')}'"
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n", policy


def _trial(text: str) -> Iterator[Html]:
    yield element("h2", escape("Try it"))
    yield element(
        "form",
        element("label", escape("An article"), for_="text"),
        element("textarea", escape(text), id="text", name="text"),
        element("button", escape("Read it")),
    )
    yield element("pre", id="found", aria_live="polite")


def _calls(base: str, request: Any, response: Any) -> Iterator[Html]:
    yield element("h2", escape("Call it"))
    yield element(
        "p",
        element("code", escape("POST /extract")),
        escape(" takes articles and returns records; "),
        element("a", element("code", escape("GET /health")), href="health"),
        escape(" says whether requests are taken; "),
        element("a", element("code", escape("/openapi.json")), href="openapi.json"),
        escape(" describes all this to programs."),
    )
    short = {"articles": [{"id": "a", "text": "“No,” said Ana Ruiz."}]}
    sent = json.dumps(short, ensure_ascii=False)
    yield element(
        "pre",
        escape(f"curl -H 'Content-Type: application/json' {base}extract \\\n  -d '{sent}'"),
    )
    for title, value in (("A request", request), ("Its answer", response)):
        shown = json.dumps(value, ensure_ascii=False, indent=2)
        yield element("details", element("summary", escape(title)), element("pre", escape(shown)))


def _answers(responses: Mapping[str, Any], limits: Limits) -> Iterator[Html]:
    yield element("h2", escape("Answers and limits"))
    yield element(
        "p",
        escape("Anything but 200 carries "),
        element("code", escape('{"error": {"kind": …, "message": …}}')),
        escape(", with a sentence that says what is wrong; 429 and 503 say when to try again."),
    )
    yield _table(
        (escape(status), _said(said["description"])) for status, said in sorted(responses.items())
    )
    yield element("h3", escape("Limits of this server"))
    yield _table(
        (escape(f"{int(getattr(limits, name)):,}"), escape(said)) for name, said in _LIMITS.items()
    )


def _schemas(schemas: Mapping[str, Any]) -> Iterator[Html]:
    for name in _ORDER:
        schema = schemas[name]
        yield element("h3", escape(name), id=name)
        yield element("p", _said(schema.get("description", "")), class_="dim")
        rows = []
        for key, said in schema["properties"].items():
            about = _said(said.get("description", ""))
            rows.append((element("code", escape(key)), _kind(said), about))
        yield _table(rows)


def _said(text: str) -> Html:
    """Escape a sentence in which code stands between backticks."""
    parts = text.replace("``", "`").split("`")
    return join(element("code", escape(p)) if at % 2 else escape(p) for at, p in enumerate(parts))


def _kind(said: Mapping[str, Any]) -> Html:
    """Name the type of a field, with links to the schemas that it speaks of."""
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        return element("a", escape(name), href=f"#{name}")
    if "anyOf" in said:
        return join([_kind(each) for each in said["anyOf"]], " or ")
    if "const" in said:
        return escape(json.dumps(said["const"]))
    if "enum" in said:
        return escape(" or ".join(map(json.dumps, said["enum"])))
    if said.get("type") == "array":
        return join([escape("list of "), _kind(said["items"])])
    return escape(said.get("type", "anything"))


def _table(rows: Iterable[Sequence[Html]]) -> Html:
    lines = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("table", element("tbody", *lines))


@cache
def _asset(name: str) -> Html:
    """Return a file of this package; the only text that goes onto the page unescaped."""
    return Html((files("claimx.serving") / name).read_text(encoding="utf-8"))


def _hash(name: str) -> str:
    digest = hashlib.sha256(_asset(name).encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
