"""Articles to inline mark-up; `claimx.formats.inline` says what the mark-up is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from claimx.formats import front_matter
from claimx.formats.checks import Problem, check_article, raise_problems
from claimx.formats.inline_tags import (
    LAYERS,
    LINKS,
    RESERVED,
    SPAN_ID,
    TAG_OF,
    TAGS,
    normal_order,
    quantity_attributes,
)
from claimx.labels import DEFAULT_SCHEMA
from claimx.text import counted
from claimx.types import AnnotatedArticle, AnnotatedSpan

_NEEDS_ESCAPE = re.compile(r"<|&(?=(?:lt|amp);)")


def render_inline(article: AnnotatedArticle) -> str:
    """Return the inline form of an article; `parse_inline` gives the article back.

    Args:
        article: a legal article of the three layers attribution, identity and quantity.

    Returns:
        The normal form: attributes in a fixed order, defaults left out.

    Raises:
        AnnotationError: naming all that tags cannot express, such as spans that cross.
    """
    article = normal_order(article)
    raise_problems(_without_tag(article))
    found = _inexpressible(article) + check_article(article, DEFAULT_SCHEMA, strict=True)
    raise_problems(found or _crossings(article))
    head = {"id": article.id, **article.meta}
    if article.complete_layers != LAYERS:
        head["complete_layers"] = list(article.complete_layers)
    return f"---\n{front_matter.dump(head)}---\n\n{_marked_text(article)}\n"


def _marked_text(article: AnnotatedArticle) -> str:
    opening = _opening_tags(article)
    pieces: list[str] = []
    position = 0
    stack: list[AnnotatedSpan] = []

    def move(target: int) -> None:
        nonlocal position
        pieces.append(_NEEDS_ESCAPE.sub(_escape, article.text[position:target]))
        position = target

    for span in article.spans:
        while stack and stack[-1].end <= span.start:
            move(stack[-1].end)
            pieces.append(f"</{TAG_OF[stack.pop().label]}>")
        move(span.start)
        pieces.append(opening[span.id])
        stack.append(span)
    while stack:
        move(stack[-1].end)
        pieces.append(f"</{TAG_OF[stack.pop().label]}>")
    move(len(article.text))
    return "".join(pieces)


def _escape(match: re.Match[str]) -> str:
    return "&lt;" if match[0] == "<" else "&amp;"


def _opening_tags(article: AnnotatedArticle) -> dict[str, str]:
    tails: dict[tuple[str, str], list[str]] = {}
    for link in article.links:
        tails.setdefault((link.head, link.type), []).append(link.tail)
    tags = {}
    for span in article.spans:
        tag = TAG_OF[span.label]
        written = [f"id={span.id}", *(quantity_attributes(span.attrs) if tag == "V" else ())]
        for (owner, key), link_type in LINKS.items():
            if owner == tag and (targets := tails.get((span.id, link_type.name))):
                written.append(f"{key}={','.join(targets)}")
        tags[span.id] = f"<{tag} {' '.join(written)}>"
    return tags


def _without_tag(article: AnnotatedArticle) -> list[Problem]:
    """Return a problem for each label that no tag stands for, with its number of spans."""
    foreign: dict[tuple[str, str], list[str]] = {}
    for span in article.spans:
        tag = TAGS.get(TAG_OF.get(span.label, ""))
        if tag is None or tag.layer != span.layer:
            foreign.setdefault((span.label, span.layer), []).append(span.id)
    return [
        Problem(
            article.id,
            tuple(names),
            f"there is no tag for {label} in layer {layer} ({counted(len(names), 'span')}): the "
            f"inline form has tags for {', '.join(LAYERS)} alone; take another format for other "
            "layers, such as JSON lines (.jsonl)",
        )
        for (label, layer), names in foreign.items()
    ]


def _inexpressible(article: AnnotatedArticle) -> list[Problem]:
    """Return what inline mark-up has no words for."""
    found = [
        f"meta holds the key {key!r}, which the inline form needs itself"
        for key in RESERVED
        if key in article.meta
    ]
    if bad := front_matter.not_json(article.meta):
        found.append(f"meta: {bad}")
    if surrogate := re.search("[\\ud800-\\udfff]", article.text):
        found.append(f"lone surrogate at {surrogate.start()}: the text is not valid Unicode")
    problems = [Problem(article.id, (), message) for message in found]
    for span in article.spans:
        problems += [
            Problem(article.id, (span.id,), f"span {span.id!r}: {bad}")
            for bad in _span_obstacles(span)
        ]
    problems += [
        Problem(article.id, (link.head,), f"link {link.type} {link.head} -> {link.tail}: a score")
        for link in article.links
        if link.score is not None
    ]
    return problems


def _span_obstacles(span: AnnotatedSpan) -> Iterator[str]:
    if not SPAN_ID.fullmatch(span.id):
        yield "the id cannot be written in a tag"
    if span.score is not None:
        yield "it has a score; the inline form is for gold annotations"
    if span.attrs and span.label != "QUANTITY":
        yield f"the attributes {sorted(span.attrs)} cannot be written"
    unit = span.attrs.get("unit")
    if isinstance(unit, str) and (unit != " ".join(unit.split()) or re.search("[_<>]", unit)):
        yield f"the unit {unit!r} cannot be written"


def _crossings(article: AnnotatedArticle) -> list[Problem]:
    """Return the pairs of spans that overlap without one holding the other."""
    problems: list[Problem] = []
    stack: list[AnnotatedSpan] = []
    for span in article.spans:
        stack = [outer for outer in stack if outer.end > span.start]
        for outer in stack:
            if outer.end < span.end:
                message = (
                    f"{outer.label} {outer.id} [{outer.start}, {outer.end}) and {span.label} "
                    f"{span.id} [{span.start}, {span.end}) cross; tags can only nest"
                )
                problems.append(Problem(article.id, (span.id, outer.id), message))
        stack.append(span)
    return problems
