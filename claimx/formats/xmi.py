"""UIMA CAS XMI, as INCEpTION exports and imports it: ``TypeSystem.xml`` and one ``.xmi`` a text.

Written are one span layer ``webanno.custom.ClaimxSpan`` (INCEpTION draws relations only inside
one layer, and claimx links across its own), one relation layer ``webanno.custom.ClaimxLink``
from Governor (head) to Dependent (tail), and the document's ``webanno.custom.ClaimxDocument``.
Other layers are read as well: a type with Governor and Dependent is a link, another a span.
Offsets in the file are UTF-16 units; dkpro-cassis turns them into code points. Needs it:
``pip install 'claimx[formats]'``.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.extras import needed
from claimx.formats.assembly import assemble, file_names, parse_label, quantity_attrs, shown_attrs
from claimx.formats.brat_words import read_value
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.sources import parse_json, to_json
from claimx.formats.xmi_files import read_bundle, write_bundle
from claimx.types import AnnotatedArticle, AnnotatedSpan

SPAN = "webanno.custom.ClaimxSpan"
LINK = "webanno.custom.ClaimxLink"
DOCUMENT = "webanno.custom.ClaimxDocument"

_SHOWN = ("value", "low", "high", "unit", "kind", "modifier", "change")
_STRING = "uima.cas.String"
_ANNOTATION = "uima.tcas.Annotation"
# Features that every annotation has, or that say how a layer is attached.
_OWN = ("sofa", "begin", "end", "Governor", "Dependent")
# What UIMA and DKPro know of a text besides what people mark: sentences, tokens, tags, trees.
_BUILT_IN = re.compile(
    r"uima\.|org\.dkpro\.core\.api\.xml\.|de\.tudarmstadt\.ukp\.clarin\.webanno\.api\.type\.|"
    r"de\.tudarmstadt\.ukp\.\S*\.(?:segmentation|metadata|tweet|syntax|lexmorph|transform)\."
)
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# ---- writing ------------------------------------------------------------------------------


def write_xmi(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write articles as one zip file, or as one folder.

    Args:
        path: a ``.zip`` file, replaced whole or not at all, or a new or empty folder.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if XML cannot hold a text.
        FormatError: if the folder is there already.
        ClaimxError: if dkpro-cassis is not installed.
    """
    cassis = needed("cassis", "dkpro-cassis", "XMI", extra="formats")
    if path.suffix.lower() == ".xmi":
        raise FormatError(f"{path}: XMI needs its type system beside it; name a folder or a .zip")
    types = _type_system(cassis)
    given = list(articles)
    names = file_names(article.id for article in given)
    files = {"TypeSystem.xml": types.to_xml().encode("utf-8")}
    for name, article in zip(names, given, strict=True):
        files[f"{name}.xmi"] = _document(article, types, cassis)
    write_bundle(path, files)
    return len(given)


def _type_system(cassis: Any) -> Any:
    types = cassis.TypeSystem()
    span = types.create_type(SPAN, supertypeName=_ANNOTATION)
    link = types.create_type(LINK, supertypeName=_ANNOTATION)
    document = types.create_type(DOCUMENT, supertypeName="uima.cas.AnnotationBase")
    for owner, names in (
        (span, ("layer", "label", "identifier", *_SHOWN, "kept")),
        (link, ("label", "kept")),
        (document, ("articleId", "meta", "completeLayers")),
    ):
        for name in names:
            types.create_feature(owner, name, _STRING)
    for name in ("Governor", "Dependent"):
        types.create_feature(link, name, span)
    return types


def _document(article: AnnotatedArticle, types: Any, cassis: Any) -> bytes:
    if bad := _NOT_XML.search(article.text):
        raise AnnotationError(
            f"article {article.id!r}: XML cannot hold U+{ord(bad[0]):04X} at {bad.start()}; "
            "replace it in the text by a space"
        )
    cas = cassis.Cas(types, sofa_string=article.text, sofa_mime="text/plain")
    span_type, link_type, document_type = (types.get_type(name) for name in (SPAN, LINK, DOCUMENT))
    made = {}
    for span in article.spans:
        made[span.id] = span_type(**_features(span, article.id))
        cas.add(made[span.id])
    for link in article.links:
        tail = made[link.tail]
        kept = {} if link.score is None else {"score": link.score}
        entry = link_type(
            begin=tail.begin, end=tail.end, label=link.type, Governor=made[link.head],
            Dependent=tail, kept=to_json(kept, article.id) if kept else None,
        )  # fmt: skip
        cas.add(entry)
    entry = document_type(
        articleId=article.id,
        meta=to_json(article.meta, article.id),
        completeLayers=to_json(list(article.complete_layers), article.id),
    )
    cas.add(entry)
    try:
        return bytes(cas.to_xmi().encode("utf-8"))
    except ValueError as error:
        raise AnnotationError(
            f"article {article.id!r}: XML cannot hold an id, label or attribute: {error}"
        ) from error


def _features(span: AnnotatedSpan, article_id: str) -> dict[str, Any]:
    kept: dict[str, Any] = {"attrs": span.attrs} if span.attrs else {}
    if span.score is not None:
        kept["score"] = span.score
    shown = {
        key: value if isinstance(value, str) else to_json(value, article_id)
        for key, value in shown_attrs(span.label, span.attrs).items()
    }
    return {
        "begin": span.start,
        "end": span.end,
        "layer": span.layer,
        "label": span.label,
        "identifier": span.id,
        "kept": to_json(kept, article_id) if kept else None,
        **shown,
    }


# ---- reading ------------------------------------------------------------------------------


def read_xmi(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read an export of INCEpTION or another UIMA tool.

    Args:
        path: a ``.zip`` file, a folder, or an ``.xmi`` file with ``TypeSystem.xml`` beside it.
        reading: takes problems and counts what is left out.

    Yields:
        The good articles.

    Raises:
        FormatError: if a file cannot be read.
        ClaimxError: if dkpro-cassis is not installed.
    """
    cassis = needed("cassis", "dkpro-cassis", "XMI", extra="formats")
    for where, name, types, source in read_bundle(path, reading):
        try:
            yield _read(source, types, name, cassis, reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), where))


def _read(
    source: bytes, types: bytes, name: str, cassis: Any, reading: Reading
) -> AnnotatedArticle:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            system = cassis.load_typesystem(BytesIO(types))
            cas = cassis.load_cas_from_xmi(BytesIO(source), typesystem=system)
            text = cas.sofa_string
            structures = sorted(cas.select_all_fs(), key=lambda entry: entry.xmiID)
        except Exception as error:  # whatever damaged XML makes of the library
            told = " ".join(str(error).split()) or type(error).__name__
            raise AnnotationError(f"no sound XMI: {told[:200]}") from error
    for warning in caught:
        if "Not mapping" in str(warning.message):
            raise AnnotationError(
                f"offsets outside the text or inside a character: {warning.message}"
            )
    if not isinstance(text, str):
        raise AnnotationError("the XMI holds no text (sofaString)")
    return _article(text, structures, system, name, reading)


def _article(
    text: str, structures: list[Any], system: Any, name: str, reading: Reading
) -> AnnotatedArticle:
    ours: dict[str, Any] = {}
    spans: dict[int, dict[str, Any]] = {}
    relations: list[Any] = []
    for entry in structures:
        kind = entry.type.name
        features = {feature.name for feature in entry.type.all_features}
        if kind == DOCUMENT:
            ours = _ours(entry)
        elif _BUILT_IN.match(kind) or not system.is_instance_of(kind, _ANNOTATION):
            continue
        elif {"Governor", "Dependent"} <= features:
            relations.append(entry)
        elif {"first", "next"} & features:
            reading.left_out.add("chains", kind)
        else:
            spans[entry.xmiID] = _span(entry, kind, features, reading)
    taken: set[str] = set()
    for number, span in enumerate(spans.values(), start=1):
        if span["id"] in taken or not span["id"]:  # copied in the tool, or new
            span["id"] = next(free for n in range(number, 10**9) if (free := f"a{n}") not in taken)
        taken.add(span["id"])
    return assemble(
        ours.get("id", name), text, spans.values(), list(_links(relations, spans, reading)),
        left_out=reading.left_out, complete_layers=ours.get("complete_layers", ()),
        meta=ours.get("meta", {}),
    )  # fmt: skip


def _ours(entry: Any) -> dict[str, Any]:
    record = {
        "id": _text(entry, "articleId"),
        "meta": parse_json(_text(entry, "meta") or "{}"),
        "complete_layers": parse_json(_text(entry, "completeLayers") or "[]"),
    }
    if not (
        isinstance(record["id"], str)
        and isinstance(record["meta"], dict)
        and isinstance(record["complete_layers"], list)
    ):
        raise AnnotationError("ClaimxDocument is damaged: meta must be an object, layers a list")
    return record


def _text(entry: Any, feature: str) -> str | None:
    """Return a feature; a type system that others made may lack it, or give it another type."""
    value = getattr(entry, feature, None)
    return value if isinstance(value, str) else None


def _span(entry: Any, kind: str, features: set[str], reading: Reading) -> dict[str, Any]:
    place = {"start": entry.begin, "end": entry.end}
    if kind == SPAN:
        kept = parse_json(_text(entry, "kept") or "null")
        kept = kept if isinstance(kept, dict) else None
        label = _text(entry, "label") or "unlabelled"
        shown = {
            key: read_value(value) if key in ("value", "low", "high") else value
            for key in _SHOWN
            if (value := _text(entry, key)) is not None
        }
        attrs = quantity_attrs(label, shown, kept and kept.get("attrs", {}))
        layer = _text(entry, "layer") or parse_label(label, reading.schema)[0]
        score = kept.get("score") if kept else None
        name = _text(entry, "identifier") or ""
        return {**place, "id": name, "layer": layer, "label": label, "attrs": attrs, "score": score}
    values = {}
    for feature in sorted(features.difference(_OWN)):
        value = getattr(entry, feature)
        if isinstance(value, str | bool | int | float):
            values[feature] = value
        elif value is not None:
            reading.left_out.add("features that refer to other annotations", f"{kind}.{feature}")
    short = kind.rpartition(".")[2]
    main = next((key for key in ("label", "value") if isinstance(values.get(key), str)), None)
    label = values.pop(main) if main else short
    layer, plain = parse_label(str(label), reading.schema)
    if layer not in {known.name for known in reading.schema.layers}:
        layer = short
    return {**place, "id": "", "layer": layer, "label": plain, "attrs": values}


def _links(
    relations: Iterable[Any], spans: dict[int, dict[str, Any]], reading: Reading
) -> Iterator[dict[str, Any]]:
    for entry in relations:
        head, tail = (
            spans.get(getattr(end, "xmiID", -1)) for end in (entry.Governor, entry.Dependent)
        )
        short = entry.type.name.rpartition(".")[2]
        features = {feature.name for feature in entry.type.all_features}
        names = (getattr(entry, key) for key in ("label", "value") if key in features)
        name = next((one for one in names if isinstance(one, str) and one), short)
        if head is None or tail is None:
            reading.left_out.add("relations of annotations that are not there", name)
            continue
        kept = parse_json(_text(entry, "kept") or "{}") if entry.type.name == LINK else {}
        score = kept.get("score") if isinstance(kept, dict) else None
        yield {"type": name, "head": head["id"], "tail": tail["id"], "score": score}
