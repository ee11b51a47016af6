"""The spaCy component ``claimx``: ``nlp.add_pipe("claimx", config={"model": ...})``.

spaCy loads this module by itself, through the entry point that claimx installs, whenever a
pipeline is made; so nothing heavy is loaded before the component is added. Needs spaCy:
``pip install 'claimx[spacy]'``.

What a document gets:

* ``doc._.claimx``, the `Extraction`, or None where the component has not run. It is kept as the
  output record in ``doc.user_data``, since spaCy can store that and no object of ours.
* ``doc.spans``, one group a layer, named and labelled as in `claimx.formats.docbin`:
  ``attribution`` (or ``attribution_broad``) with QUOTE, CUE and SPEAKER, ``identity`` with PERSON,
  ROLE and AFFILIATION, ``quantity`` with QUANTITY, MODIFIER and MEASURED. ``span.id_`` is the id,
  in the record, of the first quote, person or claim that the span belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from claimx.extras import needed
from claimx.integrations.processes import OwnExtractor
from claimx.page.marks import Mark, marks_of
from claimx.types import Article, Extraction

needed("spacy", "spaCy", "the claimx component", extra="spacy")
from spacy.language import Language  # noqa: E402 - the extra is named first
from spacy.tokens import Doc, Span, SpanGroup  # noqa: E402
from spacy.util import minibatch  # noqa: E402

if TYPE_CHECKING:
    from claimx.extractor import Extractor

RECORD = "claimx_record"
_LAYERS = ("attribution", "identity", "quantity")


def extraction_of(doc: Doc) -> Extraction | None:
    """Return what was found in a document: the value of ``doc._.claimx``.

    Scores have 4 places, as in every record.
    """
    written = doc.user_data.get(RECORD)
    if written is None:
        return None
    record = json.loads(written)
    return Extraction.from_dict(record if "error" in record else {**record, "text": doc.text})


if not Doc.has_extension("claimx"):
    Doc.set_extension("claimx", getter=extraction_of)


class ClaimxComponent:
    """Reads documents with an extractor.

    Args:
        own: what reads them.
    """

    def __init__(self, own: OwnExtractor) -> None:
        self._own = own

    @property
    def extractor(self) -> Extractor:
        """The extractor of this process."""
        return self._own.get()

    def __call__(self, doc: Doc) -> Doc:
        """Read one document.

        Raises:
            InputError: if it is longer than the extractor's ``max_chars``.
        """
        return _filled(doc, self.extractor(_article(doc, 0)))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 128) -> Iterator[Doc]:
        """Read documents that share forward passes; each gets what it would get alone.

        A document that cannot be read gets an `Extraction` with an ``error`` and no spans.

        Args:
            stream: the documents.
            batch_size: how many are taken at once; that of ``nlp.pipe``.
        """
        extractor, numbers = self.extractor, count()
        for docs in minibatch(stream, size=batch_size):
            articles = [_article(doc, number) for doc, number in zip(docs, numbers, strict=False)]
            for doc, extraction in zip(docs, extractor.stream(articles), strict=True):
                yield _filled(doc, extraction)


@Language.factory(
    "claimx",
    assigns=["doc.spans", "doc._.claimx"],
    default_config={
        "model": None,
        "backend": "auto",
        "device": "auto",
        "dtype": "auto",
        "attribution": "reported",
        "min_score": 0.0,
        "currency": "USD",
    },
)
def make_component(
    nlp: Language,  # noqa: ARG001 - spaCy gives it
    name: str,  # noqa: ARG001
    model: str | None,
    backend: str,
    device: str,
    dtype: str,
    attribution: str,
    min_score: float,
    currency: str,
) -> ClaimxComponent:
    """Make the component; the settings are those of `Extractor.from_pretrained`.

    Raises:
        CheckpointError: if the model is missing or damaged.
        ConfigError: if a setting has a value that cannot be used.
    """
    options = {
        "backend": backend,
        "device": device,
        "dtype": dtype,
        "attribution": attribution,
        "min_score": min_score,
        "currency": currency,
    }
    component = ClaimxComponent(OwnExtractor(model, options))
    assert component.extractor  # what is wrong is said here and not at the first document
    return component


# ---- documents --------------------------------------------------------------------------------


def _article(doc: Doc, number: int) -> Article:
    """Return a document as an article, named by ``doc.user_data["id"]`` or else by its place."""
    return Article(str(doc.user_data.get("id", number)), doc.text)


def _filled(doc: Doc, extraction: Extraction) -> Doc:
    doc.user_data[RECORD] = json.dumps(extraction.to_dict())
    marks = marks_of(extraction)
    for layer in _LAYERS:
        name = layer
        if layer == "attribution" and extraction.attribution == "broad":
            name = "attribution_broad"
        own = [mark for mark in marks if mark.layer == layer]
        doc.spans[name] = _group(doc, name, own, extraction)
    return doc


def _group(doc: Doc, name: str, marks: Sequence[Mark], extraction: Extraction) -> SpanGroup:
    """Return the marks of a layer as spans; what does not fall on tokens is widened to them."""
    spans = [_span(doc, mark, extraction) for mark in marks]
    widened = [
        number
        for number, (mark, span) in enumerate(zip(marks, spans, strict=True))
        if (span.start_char, span.end_char) != (mark.start, mark.end)
    ]
    attrs = {"scores": [round(mark.score, 4) for mark in marks], "widened": widened}
    return SpanGroup(doc, name=name, attrs=attrs, spans=spans)


def _span(doc: Doc, mark: Mark, extraction: Extraction) -> Span:
    homes: dict[str, Sequence[Any]] = {
        "attribution": extraction.quotes,
        "identity": extraction.people,
        "quantity": extraction.claims,
    }
    home = homes[mark.layer][mark.references[0]].id if mark.references else ""
    span = doc.char_span(
        mark.start,
        mark.end,
        label=mark.label.upper(),
        span_id=home,
        alignment_mode="expand",
    )
    assert span is not None  # expanding always finds a token
    return span
