"""The records that claimx reads and writes.

Offsets are Unicode code points, half open, into the text as given:
``text[span.start:span.end] == span.text`` always holds.

Two families live here. *Annotations* (`AnnotatedSpan`, `Link`, `AnnotatedArticle`) are what
people and the model mark in a text, flat and by label. *Extractions* (`Quote`, `Person`,
`Claim`, `Extraction` ...) are what users read: linked, resolved and in normal form. The JSON
form of an `Extraction` is a public contract, numbered by `SCHEMA_VERSION`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal

from claimx.errors import AnnotationError, FormatError
from claimx.plain import from_plain, json_line, to_plain
from claimx.span_records import record_problems

SCHEMA_VERSION = 1

QuoteKind = Literal["direct", "indirect", "mixed"]
SourceKind = Literal["person", "organisation", "document", "group", "unknown"]
Number = int | float


# ---- articles and annotations -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Article:
    """One text to be read.

    Args:
        id: a name that comes back in the record; a whole number is taken as its digits.
        text: the text; offsets in every result point into it.
        title: the headline; only read where the caller asks for it.
        meta: anything else; passed through untouched; None is nothing.
    """

    id: str
    text: str
    title: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take what tables hold for names and for nothing; readers refuse the rest in words."""
        name: object = self.id
        meta: object = self.meta
        if type(name) is not bool and isinstance(name, Integral):
            object.__setattr__(self, "id", str(name))
        if meta is None:
            object.__setattr__(self, "meta", {})


@dataclass(frozen=True, slots=True)
class AnnotatedSpan:
    """A labelled stretch of text in one layer, from a person or from the model.

    Args:
        id: unique inside the article.
        layer: the layer, such as ``attribution``.
        label: the label, such as ``QUOTE``.
        start: first code point.
        end: one past the last code point.
        text: the surface, ``article.text[start:end]``.
        attrs: attributes, such as the value and unit of a QUANTITY.
        score: calibrated probability of being exactly right; None for gold spans.
    """

    id: str
    layer: str
    label: str
    start: int
    end: int
    text: str
    attrs: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the native annotation form; empty attrs and absent scores are left out."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _SPAN_KEYS}
        if self.attrs:
            record["attrs"] = dict(self.attrs)
        if self.score is not None:
            record["score"] = self.score
        return record


_SPAN_KEYS = ("id", "layer", "label", "start", "end", "text")


@dataclass(frozen=True, slots=True)
class Link:
    """A typed link from one span to another, by span ids."""

    type: str
    head: str
    tail: str
    score: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the native annotation form; an absent score is left out."""
        record: dict[str, Any] = {"type": self.type, "head": self.head, "tail": self.tail}
        if self.score is not None:
            record["score"] = self.score
        return record


@dataclass(frozen=True, slots=True)
class AnnotatedArticle:
    """A text with its spans and links, gold or predicted.

    ``complete_layers`` names the layers in which everything is annotated; in any other layer
    silence means "unknown", not "nothing".
    """

    id: str
    text: str
    spans: tuple[AnnotatedSpan, ...] = ()
    links: tuple[Link, ...] = ()
    complete_layers: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the native annotation form, one JSON object."""
        return {
            "id": self.id,
            "text": self.text,
            "meta": dict(self.meta),
            "spans": [span.to_dict() for span in self.spans],
            "links": [link.to_dict() for link in self.links],
            "complete_layers": list(self.complete_layers),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> AnnotatedArticle:
        """Build an article from its native form and check that every offset holds.

        Raises:
            AnnotationError: naming the article and every broken span or link at once.
        """
        if not isinstance(record, Mapping):
            raise AnnotationError(f"an annotated article is an object, not {record!r:.60}")
        article_id, text = record.get("id"), record.get("text")
        if not isinstance(article_id, str) or not isinstance(text, str):
            raise AnnotationError("an annotated article needs a string `id` and a string `text`")
        spans, links = record.get("spans", ()), record.get("links", ())
        problems = record_problems(text, spans, links)
        if problems:
            shown = "; ".join(problems[:5]) + (
                f"; and {len(problems) - 5} more" * (len(problems) > 5)
            )
            raise AnnotationError(f"article {article_id!r}: {shown}")
        return cls(
            article_id,
            text,
            tuple(_span(raw, text) for raw in spans),
            tuple(_link(raw) for raw in links),
            tuple(record.get("complete_layers", ())),
            dict(record.get("meta", {})),
        )


def _span(raw: Mapping[str, Any], text: str) -> AnnotatedSpan:
    start, end = raw["start"], raw["end"]
    return AnnotatedSpan(
        str(raw["id"]), str(raw["layer"]), str(raw["label"]), start, end, text[start:end],
        dict(raw.get("attrs") or {}), raw.get("score"),
    )  # fmt: skip


def _link(raw: Mapping[str, Any]) -> Link:
    return Link(str(raw["type"]), str(raw["head"]), str(raw["tail"]), raw.get("score"))


# ---- extractions --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text with the probability that it is exactly right."""

    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who said a quote.

    Args:
        score: the span's score times that of the said_by link.
        source: id of the `Source` that this expression belongs to.
        persons: ids of the people that the expression means; empty is a legal answer.
        name: the fullest name of the first of them.
        roles: its own roles and those of its persons.
        affiliations: likewise.
    """

    start: int
    end: int
    text: str
    score: float
    source: str
    persons: tuple[str, ...] = ()
    name: str | None = None
    roles: tuple[Span, ...] = ()
    affiliations: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """Words or content that a source is reported to say; ``kind`` follows from the marks."""

    id: str
    start: int
    end: int
    text: str
    kind: QuoteKind
    score: float
    continues: str | None = None
    cue: Span | None = None
    speaker: Speaker | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One voice of the article with all its quotes."""

    id: str
    kind: SourceKind
    name: str
    persons: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """One person with every mention, role and affiliation found in the article."""

    id: str
    name: str
    mentions: tuple[Span, ...] = ()
    roles: tuple[Span, ...] = ()
    affiliations: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its normal form.

    Args:
        value: the number, scaled out, percents in points; None for ranges and vague numbers.
        low: lower end of a range, or the bound of "at least".
        high: upper end of a range, or the bound of "up to".
        unit: "percent", an ISO 4217 code, a unit name of units.yaml, or None for a pure count.
        kind: percent, money, count, measure, duration, age, ratio or multiple.
        modifier: exact, approximate, lower_bound, upper_bound or range.
        change: none, up, down, from or to.
    """

    start: int
    end: int
    text: str
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    unit: str | None = None
    kind: str | None = None
    modifier: str = "exact"
    change: str = "none"


@dataclass(frozen=True, slots=True)
class Claim:
    """A quantity with its modifier, what it measures and the quote that holds it."""

    id: str
    start: int
    end: int
    text: str
    score: float
    quantity: Quantity
    modifier: Span | None = None
    measured: Span | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an article could not be read."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """Everything found in one article; ``to_dict`` is the output record."""

    id: str
    text_sha256: str | None = None
    model: str | None = None
    attribution: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    sources: tuple[Source, ...] = ()
    people: tuple[Person, ...] = ()
    claims: tuple[Claim, ...] = ()
    error: Failure | None = None
    text: str | None = field(default=None, repr=False)

    def to_dict(self, *, with_text: bool = False) -> dict[str, Any]:
        """Return the output record: plain JSON types, scores rounded to 4 places."""
        if self.error is not None:
            return {
                "schema": SCHEMA_VERSION,
                "id": self.id,
                "error": to_plain(self.error),
                "meta": dict(self.meta),
            }
        record: dict[str, Any] = {"schema": SCHEMA_VERSION, "id": self.id}
        for name in ("text_sha256", "model", "attribution"):
            record[name] = getattr(self, name)
        record["meta"] = dict(self.meta)
        for name in ("notes", "quotes", "sources", "people", "claims"):
            record[name] = to_plain(getattr(self, name))
        if with_text:
            record["text"] = self.text
        return record

    def to_json(self, *, with_text: bool = False) -> str:
        """Return the output record as one line of JSON that any UTF-8 stream can carry."""
        return json_line(self.to_dict(with_text=with_text))

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Extraction:
        """Build an extraction from its record; what others have added to it is passed over.

        Raises:
            FormatError: if the record's schema number is not the one this version reads, or a
                value is not of its type.
        """
        if not isinstance(record, Mapping):
            raise FormatError(f"a record is an object, not {record!r:.60}")
        if record.get("schema") != SCHEMA_VERSION:
            raise FormatError(
                f"record {record.get('id')!r} has schema {record.get('schema')!r}; "
                f"this version of claimx reads schema {SCHEMA_VERSION}"
            )
        failed = bool(record.get("error"))
        names = _FAILED if failed else _NOTHING.keys() - {"error"} | {"id"}
        absent = _NOTHING if failed else {name: _NOTHING[name] for name in _OPTIONAL}
        given = {name: record[name] for name in names if name in record}
        found: Extraction = from_plain(cls, {**absent, **given}, "the record")
        return found


_FAILED = ("id", "meta", "error")
_OPTIONAL = ("meta", "notes", "error", "text")
_NOTHING = {name: value for name, value in to_plain(Extraction("")).items() if name != "id"}
