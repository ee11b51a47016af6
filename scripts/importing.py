"""What the scripts `import_*.py` share: sources with their hashes, safe paths, matching, writing.

None of them downloads anything: each is given the path of what its user has downloaded from the
source that it names, and writes the native form, or texts for `attach_text.py`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from claimx.errors import AnnotationError, ClaimxError, FormatError
from claimx.formats import write_articles
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.sources import MAX_BYTES, decode, parse_json, read_bytes
from claimx.types import AnnotatedArticle
from training.data import text_fingerprint

STANDOFF = Path(__file__).resolve().parents[1] / "data" / "annotations" / "standoff"
_MARK = b"\xef\xbb\xbf"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Source:
    """Where a corpus comes from.

    Args:
        name: what it is called.
        url: where it is to be had.
        version: commit, release or date of what was imported; empty if not recorded.
        licence: as the source states it.
        sha256: file name -> hash of its bytes; files that are not named were not recorded.
    """

    name: str
    url: str
    version: str
    licence: str
    sha256: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        """Return two lines about the source for the help of a script."""
        return f"{self.name}: {self.url} ({self.version or 'version not recorded'})\n{self.licence}"


# ---- reading ------------------------------------------------------------------------------


def verified(path: Path, source: Source, *, quiet: bool = False) -> bytes:
    """Return the bytes of a downloaded file, checked against its recorded hash.

    Args:
        path: the file.
        source: knows the hash by the file's name, or does not know it.
        quiet: do not say so if no hash was recorded.

    Raises:
        FormatError: if it cannot be read, or is not the file that was recorded.
    """
    raw = read_bytes(path)
    wanted = source.sha256.get(path.name)
    actual = hashlib.sha256(raw).hexdigest()
    if wanted is not None and actual != wanted:
        raise FormatError(
            f"{path}: is not the file that was imported (SHA-256 {actual}, not {wanted}); "
            f"get it from {source.url}"
        )
    if wanted is None and not quiet:
        print(f"{path.name}: no hash recorded, SHA-256 {actual}", file=sys.stderr)
    return raw


def text_of(raw: bytes, where: str, fallback: str = "") -> str:
    """Return bytes as text with the line ends of Unix and without a byte order mark.

    Args:
        raw: the bytes.
        where: how messages call the place.
        fallback: encoding of bytes that are not UTF-8; without it they are refused.

    Raises:
        FormatError: if the bytes are not UTF-8 and there is no fallback.
    """
    raw = raw.removeprefix(_MARK)
    try:
        text = decode(raw, where)
    except FormatError:
        if not fallback:
            raise
        text = raw.decode(fallback)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a table of a corpus names, if it lies in the folder.

    Args:
        folder: the folder that holds it.
        name: from a table of the corpus, so not to be trusted.

    Raises:
        FormatError: if the name leads out of the folder.
    """
    path = PurePosixPath(name)
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if leads_out or not name or not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise FormatError(f"{folder}: the file name {name!r} leads out of the folder")
    return folder / name


def files_under(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder and its subfolders, or the file itself.

    Args:
        path: a folder or a file.
        suffixes: the ends of the names that count.

    Raises:
        FormatError: if there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.name.lower().endswith(suffixes)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.is_file()
    )
    if not found:
        raise FormatError(f"{path}: no file ends in {' or '.join(suffixes)}")
    return found


def file_of(path: Path, name: str, source: Source) -> bytes:
    """Return a file of a source that may be a folder, a zip of it, or the file itself.

    Args:
        path: what the user gave.
        name: of the file; in a zip it is looked for in every folder.
        source: for the hash; a zip is known by its own hash.

    Raises:
        FormatError: if there is no such file or it is not the recorded one.
    """
    if path.is_dir():
        return verified(inside(path, name), source)
    if path.suffix != ".zip":
        return verified(path, source)
    raw = verified(path, source)
    try:
        with zipfile.ZipFile(path) as packed:
            member = next(
                (
                    entry
                    for entry in packed.infolist()
                    if PurePosixPath(entry.filename).name == name
                ),
                None,
            )
            if member is None:
                raise FormatError(f"{path}: holds no {name}")
            if member.file_size > MAX_BYTES:
                raise FormatError(f"{path}: {name} is too large in it")
            return packed.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise FormatError(f"{path}: is no zip ({len(raw)} bytes): {error}") from error


# ---- texts by their hash --------------------------------------------------------------------


def records_of(corpus: str, folder: Path, source: str = "") -> list[Mapping[str, Any]]:
    """Return the records of the standoff files of a corpus.

    Args:
        corpus: the files `CORPUS.train`, `.dev` and `.test` are read.
        folder: where they lie.
        source: if given, only articles whose source begins so.

    Raises:
        FormatError: if there is none, or one cannot be read.
    """
    records: list[Mapping[str, Any]] = []
    for split in ("train", "dev", "test"):
        path = folder / f"{corpus}.{split}.jsonl.gz"
        if not path.is_file():
            continue
        try:
            for line in gzip.decompress(read_bytes(path)).decode("utf-8").splitlines():
                record = parse_json(line)
                if str(record.get("source") or "").startswith(source):
                    records.append(
                        {
                            "id": record["id"],
                            "text_sha256": record["text_sha256"],
                            "url": record.get("url"),
                        }
                    )
        except (OSError, EOFError, ValueError, KeyError, AttributeError, AnnotationError) as error:
            raise FormatError(f"{path}: cannot be read: {error}") from error
    if not records:
        raise FormatError(f"{folder}: no standoff file of {corpus} with such articles")
    return records


def wanted_texts(corpus: str, folder: Path, source: str = "") -> dict[str, str]:
    """Return SHA-256 of a text -> article id, of the standoff files of a corpus.

    Args:
        corpus: as for `records_of`.
        folder: as for `records_of`.
        source: as for `records_of`.

    Raises:
        FormatError: if there is none, or one cannot be read.
    """
    return {record["text_sha256"]: record["id"] for record in records_of(corpus, folder, source)}


def matched(candidates: Iterable[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return article id -> text, of the candidates whose hash is wanted.

    Args:
        candidates: texts in any order.
        wanted: SHA-256 -> article id.
    """
    found: dict[str, str] = {}
    for text in candidates:
        article_id = wanted.get(text_fingerprint(text))
        if article_id is not None:
            found[article_id] = text
    return found


def finish(output: Path, found: Mapping[str, str], wanted: Mapping[str, str]) -> int:
    """Write the texts for `attach_text.py`, and say what was not found.

    Args:
        output: a new `.jsonl` or `.jsonl.gz` file.
        found: article id -> text.
        wanted: SHA-256 -> article id.

    Returns:
        The exit code: 0 if all was found, 1 if some was.

    Raises:
        FormatError: if nothing was found; then nothing is written.
    """
    missing = sorted(set(wanted.values()) - set(found))
    if not found:
        raise FormatError(
            f"none of the {len(missing)} annotated articles is in there; nothing was written"
        )
    write_texts(output, found)
    print(f"{output}: {len(found)} of {len(found) + len(missing)} texts", file=sys.stderr)
    tell("not found", missing)
    return 1 if missing else 0


def write_texts(output: Path, texts: Mapping[str, str]) -> None:
    """Write texts in the form that `attach_text.py` reads; the file appears whole or not at all.

    Args:
        output: a `.jsonl` or `.jsonl.gz` file.
        texts: article id -> text.

    Raises:
        FormatError: if the file is named otherwise.
    """
    if not output.name.endswith((".jsonl", ".jsonl.gz")):
        raise FormatError(f"{output}: name a .jsonl or .jsonl.gz file")
    with replacing(output) as stream:
        for article_id in sorted(texts):
            line = json.dumps({"id": article_id, "text": texts[article_id]}, ensure_ascii=False)
            stream.write(line.encode("utf-8") + b"\n")


# ---- annotated corpora ----------------------------------------------------------------------


class Gathering:
    """Takes the articles of a corpus and what is wrong with others.

    Everything wrong is told together, and nothing is written then.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.reading = Reading(lambda problem: self.problems.append(_said(problem)))

    def write(self, output: Path, articles: Iterable[AnnotatedArticle], least: int = 1) -> int:
        """Write the articles and count what was changed or left out.

        Args:
            output: a `.jsonl` or `.jsonl.gz` file.
            articles: what to write.
            least: fewer articles than these are refused.

        Returns:
            The exit code, 0.

        Raises:
            FormatError: if an article was wrong or there are too few; nothing is written.
        """
        given = list(articles)
        if self.problems:
            raise FormatError(
                f"{len(self.problems)} articles cannot be read, nothing was written:\n  "
                + "\n  ".join(self.problems[:_SHOWN])
            )
        if len(given) < least:
            raise FormatError(f"{len(given)} articles were found, {least} are expected")
        write_articles(output, given)
        print(f"{output}: {len(given)} articles", file=sys.stderr)
        for loss in self.reading.left_out.losses():
            print(f"  {loss.count} {loss.what}", file=sys.stderr)
        return 0


def _said(problem: Problem) -> str:
    return str(problem)


# ---- the command line -----------------------------------------------------------------------


def tell(what: str, names: Iterable[str]) -> None:
    """Print names on standard error, one a line.

    Args:
        what: is said before each.
        names: what to list.
    """
    for name in names:
        print(f"{what}: {name}", file=sys.stderr)


def parser_of(text: str | None, source: Source, *arguments: str) -> argparse.ArgumentParser:
    """Return a parser of paths whose help names the source.

    Args:
        text: the docstring of the script.
        source: what it reads.
        arguments: the names of the positional paths.
    """
    parser = argparse.ArgumentParser(
        description=f"{text}\n{source.describe()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in arguments:
        parser.add_argument(name, type=Path)
    return parser


def guarded(work: Callable[[], int]) -> int:
    """Run a script's work; bad input gives one sentence and exit code 2.

    Args:
        work: returns the exit code.
    """
    try:
        return work()
    except (ClaimxError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
