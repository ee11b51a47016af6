"""What requests and answers look like, as the OpenAPI description says it.

The record's parts are the dataclasses of `claimx.types` themselves, with what their docstrings
say of each field.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from claimx import types

REFERENCE = "#/components/schemas/{model}"


class NewsArticle(BaseModel):
    """One article. Other keys are ignored."""

    id: str = Field(description="A name that comes back in the record.")
    text: str = Field(description="The text; every offset in the record points into it.")
    title: str | None = Field(
        None,
        description="The headline; comes back as meta.title, unless meta has one; only read where "
        "the server runs with --title prepend.",
    )
    meta: dict[str, Any] | None = Field(
        None, description="Anything else; passed through untouched."
    )


class ExtractRequest(BaseModel):
    """Articles to be read."""

    model_config = ConfigDict(extra="forbid")
    articles: list[NewsArticle]
    with_text: bool = Field(False, description="Put its text into each record.")


class Record(BaseModel):
    """Everything found in one article. Offsets are Unicode code points, half open."""

    schema_: Literal[1] = Field(alias="schema", description="The number of this form.")
    id: str = Field(description="As it came.")
    text_sha256: str = Field(description="SHA-256 of the text in UTF-8.")
    model: str = Field(description="Name, version and start of the SHA-256 of the weights.")
    attribution: Literal["reported", "broad"] = Field(description="What counts as a quote.")
    meta: dict[str, Any] = Field(description="As it came.")
    notes: list[str] = Field(description="What was peculiar about the text.")
    quotes: list[types.Quote]
    sources: list[types.Source]
    people: list[types.Person]
    claims: list[types.Claim]
    text: str | None = Field(None, description="Only on request.")


class ErrorRecord(BaseModel):
    """An article that could not be read, in its place among the others."""

    schema_: Literal[1] = Field(alias="schema", description="The number of this form.")
    id: str = Field(description="As it came; its place, counted from 0, if it had none.")
    error: types.Failure
    meta: dict[str, Any] = Field(description="As it came.")


class Records(BaseModel):
    """One record for each article, in order."""

    records: list[Record | ErrorRecord]


class Problem(BaseModel):
    """Why a request is not answered with records."""

    error: types.Failure


class Health(BaseModel):
    """Whether requests are taken, and what answers them."""

    ready: bool
    claimx: str = Field(description="Version of claimx.")
    model: str
    backend: str = Field(description="What runs the model.")
    device: str
    dtype: str
    attribution: str
    requests: int = Field(description="Requests that are being sent, wait or are being read.")


def request_schemas() -> dict[str, Any]:
    """Return the schemas of requests by name, for the components of an OpenAPI description."""
    schema = ExtractRequest.model_json_schema(ref_template=REFERENCE)
    return {**schema.pop("$defs"), "ExtractRequest": schema}


# Of fields whose name says enough to a reader of the code.
_COMMON = {
    "id": "what other parts of the record call it",
    "start": "first code point",
    "end": "one past the last code point",
    "text": "the words themselves",
    "score": "calibrated probability of being exactly right",
    "name": "the fullest name that the article gives",
    "persons": "ids of people",
    "quotes": "ids of quotes",
    "continues": "id of the first part of the same statement",
    "cue": "the words that report it",
    "quote": "id of the quote that holds it, so: who claims it",
    "message": "a sentence for people",
}


def describe(schemas: dict[str, Any]) -> None:
    """Put what docstrings say of each field into the schemas of the record's parts."""
    for name, schema in schemas.items():
        kind = getattr(types, name, None)
        if kind is None or not hasattr(kind, "__dataclass_fields__"):
            continue
        about, _, args = (kind.__doc__ or "").partition("Args:")
        schema["description"] = " ".join(about.split())
        for entry in fields(kind):
            said = re.search(rf"^\s+{entry.name}: (.*?)(?=^\s+\w+: |\Z)", args, re.M | re.S)
            text = said[1] if said else _COMMON.get(entry.name)
            if text and entry.name in schema["properties"]:
                text = re.sub(r"\bNone\b", "null", " ".join(text.split()))
                schema["properties"][entry.name]["description"] = text
