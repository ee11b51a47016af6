"""News in XML: NITF documents and NewsML-G2 items, told by the root element.

A row comes of each ``nitf`` document and of each ``newsItem`` with text in it (``inlineXML`` with
NITF or XHTML, or ``inlineData``); items without text, such as pictures, are passed over, and how
many is logged. The text is the paragraphs of the body with an empty line between; white space
inside them is one blank. Tables, pictures and their captions are left out.

Nothing outside the file is read: no entities of the document's own, no other files, no network;
elements nest at most 200 deep. Articles are built one at a time.
"""

from __future__ import annotations

import html.entities
import logging
import xml.etree.ElementTree as ET  # only to build elements; defusedxml parses
from collections.abc import Iterator
from typing import Any, BinaryIO

from claimx.archive.readers.options import ReadOptions
from claimx.archive.readers.records import error_at, too_large
from claimx.archive.unpacking import ContainerError
from claimx.errors import InputError
from claimx.extras import needed
from claimx.types import Article, Extraction

_LOG = logging.getLogger("claimx")
_ROOTS = ("nitf", "newsItem", "newsMessage")
_ITEMS = ("nitf", "newsItem")
_MAX_DEPTH = 200
_PIECE = 1 << 16
_BLOCKS = frozenset(
    "p hl2 h1 h2 h3 h4 h5 h6 li dt dd pre blockquote bq div section article body block".split()
)
_LEFT_OUT = frozenset(
    "script style head table media figure figcaption img caption media-caption aside nav".split()
)


def read(stream: BinaryIO, path: str, options: ReadOptions) -> Iterator[Article | Extraction]:
    """Yield the article of each document or item."""
    library = needed("defusedxml.ElementTree", "defusedxml", "reading XML")
    common = needed("defusedxml.common", "defusedxml", "reading XML")
    items = _Items(options.max_bytes)
    parser = library.XMLParser(target=items)
    parser.entity.update({name: chr(code) for name, code in html.entities.name2codepoint.items()})
    broken = (library.ParseError, common.DefusedXmlException, ContainerError, ValueError)
    number = passed_over = 0
    data = b" "
    while data:
        data = stream.read(_PIECE)
        problem = _feed(parser, items, data, broken)
        for item in items.taken():
            place = f"{path}:{number + passed_over + 1}"
            article = _article(item, place)
            if article is None:
                passed_over += 1
            else:
                number += 1
                yield article
        if problem is not None:
            if items.root is None or isinstance(problem, _OtherRootError):
                raise InputError(f"{path}: this is no NITF or NewsML-G2: {problem}", "not_xml")
            kind = "damaged" if data else "truncated"
            raise ContainerError(f"the XML is broken: {problem}", kind) from problem
    if passed_over:
        _LOG.info("%s: %s items without text", path, passed_over)


class _OtherRootError(InputError):
    """The file is XML of another kind."""


def _feed(parser: Any, items: _Items, data: bytes, broken: tuple[Any, ...]) -> Exception | None:
    try:
        if data:
            parser.feed(data)
            items.fed(len(data))
        else:
            parser.close()
    except broken as error:
        return error if isinstance(error, Exception) else None
    return None


class _Items:
    """What the parser talks to: builds the elements of one item at a time.

    Attributes:
        root: name of the root element, None before it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._done: list[ET.Element | InputError] = []
        self._builder: ET.TreeBuilder | None = None
        self._depth = self._item_depth = self._size = self._since = 0
        self._heard = False
        self.root: str | None = None

    def taken(self) -> list[ET.Element | InputError]:
        """Return the items that are complete, once."""
        done, self._done = self._done, []
        return done

    def fed(self, size: int) -> None:
        """Note that the parser took bytes; it keeps a tag in memory until the tag ends."""
        self._since = 0 if self._heard else self._since + size
        self._heard = False
        if self._since > self._max:
            raise ContainerError("a tag does not end", "damaged")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        name = _local(tag)
        self._heard = True
        self._depth += 1
        if self.root is None:
            self.root = name
            if name not in _ROOTS:
                raise _OtherRootError(f"its root element is <{name[:40]}>", "not_xml")
        if self._depth > _MAX_DEPTH:
            raise ContainerError(f"elements nest more than {_MAX_DEPTH} deep", "damaged")
        if not self._item_depth and name in _ITEMS:
            self._item_depth, self._size = self._depth, 0
            self._builder = ET.TreeBuilder()
        self._count(64 + sum(len(key) + len(value) for key, value in attributes.items()))
        if self._builder:
            self._builder.start(name, {_local(key): value for key, value in attributes.items()})

    def data(self, text: str) -> None:
        """Take text."""
        self._heard = True
        self._count(len(text))
        if self._builder:
            self._builder.data(text)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._heard = True
        if self._builder:
            self._builder.end(_local(tag))
        if self._depth == self._item_depth:
            whole = self._builder.close() if self._builder else too_large("item", self._max)
            self._done.append(whole)
            self._builder, self._item_depth = None, 0
        self._depth -= 1

    def comment(self, _: str) -> None:
        """Take a comment."""
        self._heard = True

    def close(self) -> None:
        """Take the end of the document."""

    def _count(self, size: int) -> None:
        """Give an item up that gets too large; the parser goes on through it."""
        self._size += size
        if self._size > self._max:
            self._builder = None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


# ---- articles -----------------------------------------------------------------------------


def _article(item: ET.Element | InputError, place: str) -> Article | Extraction | None:
    if isinstance(item, InputError):
        return error_at(place, item)
    return _nitf(item, place) if item.tag == "nitf" else _news_item(item, place)


def _nitf(document: ET.Element, place: str) -> Article:
    head = "body/body.head"
    content = document.find("body/body.content")
    text = "\n\n".join(_paragraphs(content)) if content is not None else ""
    title = _first(document, f"{head}/hedline/hl1", f"{head}/hedline", "head/title")
    name = _attribute(document, "head/docdata/doc-id", "id-string")
    meta = {
        "byline": _first(document, f"{head}/byline"),
        "dateline": _first(document, f"{head}/dateline"),
        "date": _attribute(document, "head/docdata/date.issue", "norm"),
        "publication": _attribute(document, "head/pubdata", "name"),
    }
    return Article(name or place, text, title, {key: value for key, value in meta.items() if value})


def _news_item(item: ET.Element, place: str) -> Article | None:
    text, inner = _content(item)
    if text is None:
        return None
    meta = {
        "byline": _first(item, "contentMeta/by"),
        "dateline": _first(item, "contentMeta/dateline"),
        "date": _first(item, "itemMeta/versionCreated"),
        "language": _attribute(item, "contentMeta/language", "tag"),
        "version": item.get("version"),
    }
    meta = {key: value for key, value in meta.items() if value}
    title = _first(item, "contentMeta/headline", "itemMeta/title")
    if inner is not None:  # the document inside knows what the envelope does not say
        title = title or inner.title
        meta = {**inner.meta, **meta}
    return Article(item.get("guid") or place, text, title, meta)


def _content(item: ET.Element) -> tuple[str | None, Article | None]:
    """Return the text of the first form of the content that has one."""
    found: str | None = None
    for form in item.iterfind("contentSet/*"):
        if form.tag == "inlineXML":
            for child in form:
                inner = _nitf(child, "") if child.tag == "nitf" else None
                text = inner.text if inner else "\n\n".join(_paragraphs(child))
                if text:
                    return text, inner
                found = ""
        elif form.tag == "inlineData":
            text = "".join(form.itertext()).strip()
            if text:
                return text, None
            found = ""
    return found, None


def _paragraphs(element: ET.Element) -> list[str]:
    """Return the blocks of text, in order."""
    blocks: list[list[str]] = [[]]

    def walk(node: ET.Element) -> None:
        if node.tag not in _LEFT_OUT:
            is_block = node.tag in _BLOCKS
            if is_block:
                blocks.append([])
            # "\0" cannot stand in XML: it keeps the place of a line break.
            blocks[-1].append("\0" if node.tag == "br" else node.text or "")
            for child in node:
                walk(child)
                blocks[-1].append(child.tail or "")
            if is_block:
                blocks.append([])

    walk(element)
    texts = ("".join(block) for block in blocks)
    return [text for raw in texts if (text := _tidy(raw))]


def _tidy(text: str) -> str:
    """Make white space one blank; keep line breaks."""
    return "\n".join(" ".join(line.split()) for line in text.split("\0")).strip()


def _first(element: ET.Element, *paths: str) -> str | None:
    for path in paths:
        found = element.find(path)
        if found is not None and (text := " ".join(" ".join(_paragraphs(found)).split())):
            return text
    return None


def _attribute(element: ET.Element, path: str, name: str) -> str | None:
    found = element.find(path)
    return None if found is None else found.get(name)
