r"""Find the Wikinews texts of `news_annotated` in a dump of Wikinews.

    python scripts/import_wikinews.py enwikinews-latest-pages-articles.xml.bz2 \
        wikinews.texts.jsonl.gz

The annotated texts were read from the pages of 2019-20, not from a dump, by a program that is not
known. This script renders the wiki mark-up of the articles whose addresses stand in the standoff
files and keeps those whose text is the annotated one, by its SHA-256; pages that are there with
another text are listed, so that they can be got from the page (`import_texts.py` reads saved
pages as text or JSON). How many of the 230 a dump gives was not measured, for want of a dump.
Exit code: 0 all found, 1 some, 2 none or unreadable.
"""

from __future__ import annotations

import bz2
import datetime
import gzip
import html
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote
from xml.etree import ElementTree

from claimx.errors import FormatError
from scripts.importing import (
    STANDOFF,
    Source,
    finish,
    guarded,
    matched,
    parser_of,
    records_of,
    tell,
    wanted_texts,
)

SOURCE = Source(
    "English Wikinews",
    "https://dumps.wikimedia.org/enwikinews/latest/enwikinews-latest-pages-articles.xml.bz2",
    "",
    "CC BY 2.5",
)
_HEAD = 65_536
_INNER_TEMPLATE = re.compile(r"\{\{([^{}]*)\}\}")
_NOISE = re.compile(
    r"<!--.*?-->|<ref[^>/]*/>|<ref\b.*?</ref>|<gallery\b.*?</gallery>|<br\s*/?>|\{\|.*?\n\|\}"
    r"|__[A-Z]+__",
    re.DOTALL,
)
_FILE = re.compile(r"\[\[(?:file|image|category):(?:[^\[\]]|\[\[[^\[\]]*\]\])*\]\]", re.IGNORECASE)
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_ADDRESS = re.compile(r"\[https?://\S+(?: ([^\]]*))?\]")
_END = re.compile(
    r"^=+ *(?:sources?|related (?:news|articles)|external links?|see also|sister links?) *=+ *$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"^=+[^=\n]*=+ *$", re.MULTILINE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)


def _template(match: re.Match[str]) -> str:
    """Return what a template shows: the words of a link to Wikipedia, the day of a date."""
    name, *arguments = (part.strip() for part in match[1].split("|"))
    plain = [argument for argument in arguments if "=" not in argument]
    named = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    if name.lower() in ("w", "wikipedia", "w2") and plain:
        return plain[1] if len(plain) > 1 and plain[1] else plain[0]
    if name.lower() in ("date", "byline"):
        return _day(named.get("date", plain[0] if plain else "").strip())
    return ""


def _day(date: str) -> str:
    try:
        day = datetime.datetime.strptime(date, "%B %d, %Y").date()
    except ValueError:
        return date
    return f"{day:%A}, {date}"


def rendered(markup: str) -> str:
    """Return the words of an article as its page shows them, paragraphs parted by blank lines.

    Args:
        markup: wiki mark-up.
    """
    end = _END.search(markup)
    text = _NOISE.sub("", markup[: end.start()] if end else markup)
    replaced = 1
    while replaced:  # from the inside out
        text, replaced = _INNER_TEMPLATE.subn(_template, text)
    text = _LINK.sub(r"\1", _FILE.sub("", text))
    text = _HEADING.sub("", _ADDRESS.sub(lambda match: match[1] or "", text))
    text = html.unescape(_TAG.sub("", re.sub(r"'{2,}", "", text)))
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip(" *#:;") for line in text.split("\n"))
    return "\n\n".join(line for line in lines if line)


def forms_of(text: str) -> Iterator[str]:
    """Yield an article with and without the line of its date.

    Args:
        text: as `rendered` gives it.
    """
    yield text
    first, _, rest = text.partition("\n\n")
    if re.fullmatch(r"\w+day, \w+ \d{1,2}, \d{4}", first):
        yield rest
        yield f"{first}\n{rest}"


def _stream(path: Path) -> IO[bytes]:
    if path.suffix == ".bz2":
        return bz2.open(path, "rb")
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _opened(path: Path) -> IO[bytes]:
    try:
        with _stream(path) as stream:
            head = stream.read(_HEAD)
    except (OSError, EOFError) as error:
        raise FormatError(f"{path}: cannot be read: {error}") from error
    if b"<mediawiki" not in head or b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise FormatError(f"{path}: is no MediaWiki dump; see {SOURCE.url}")
    return _stream(path)


def pages_of(path: Path, titles: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield title and mark-up of the named pages of a dump.

    Args:
        path: an XML dump, packed or not.
        titles: with spaces.

    Raises:
        FormatError: if it is no dump, or is cut off.
    """
    with _opened(path) as stream:
        try:
            root = None
            for event, element in ElementTree.iterparse(  # noqa: S314  # no entities: see _opened
                stream, ("start", "end")
            ):
                root = element if root is None else root
                if event == "end" and element.tag.endswith("}page"):
                    title = element.findtext("{*}title") or ""
                    if title in titles:
                        yield title, element.findtext("{*}revision/{*}text") or ""
                    root.clear()  # pages that were read stay in memory otherwise
        except (ElementTree.ParseError, OSError, EOFError) as error:
            raise FormatError(f"{path}: is broken or cut off: {error}") from error


def run(path: Path, output: Path, standoff: Path) -> int:
    """Match the articles and write the texts.

    Args:
        path: the dump.
        output: where the texts go.
        standoff: the folder with our annotations.
    """
    wanted = wanted_texts("news_annotated", standoff, source="Wikinews")
    titles = {
        unquote(str(record["url"]).rpartition("/wiki/")[2]).replace("_", " "): record["id"]
        for record in records_of("news_annotated", standoff, source="Wikinews")
    }
    found: dict[str, str] = {}
    differing: list[str] = []
    for title, markup in pages_of(path, titles):
        here = matched(forms_of(rendered(markup)), wanted)
        found |= here
        if titles[title] not in here:
            differing.append(f"{titles[title]} ({title})")
    tell("the page is there, but its text is another", differing)
    return finish(output, found, wanted)


def main(arguments: list[str] | None = None) -> int:
    """Import the texts of Wikinews."""
    parser = parser_of(__doc__, SOURCE, "dump", "output")
    parser.add_argument("--standoff", type=Path, default=STANDOFF)
    options = parser.parse_args(arguments)
    return guarded(lambda: run(options.dump, options.output, options.standoff))


if __name__ == "__main__":
    sys.exit(main())
