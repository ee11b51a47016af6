"""All annotation formats in one table, and which of them reads and writes which file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from claimx.errors import FormatError
from claimx.formats.assembly import file_names
from claimx.formats.brat import read_brat, write_brat
from claimx.formats.checks import SHOWN, OnError, Problem, check_article, raise_problems
from claimx.formats.codec import Codec, Reading
from claimx.formats.conll import read_conll, write_conll
from claimx.formats.docbin import read_docbin, write_docbin
from claimx.formats.doccano import read_doccano, write_doccano
from claimx.formats.inline import read_inline_report, render_inline
from claimx.formats.label_studio import read_label_studio, write_label_studio
from claimx.formats.native import read_native, replacing, write_native
from claimx.formats.polnear import read_polnear, write_polnear
from claimx.formats.prodigy import read_prodigy, write_prodigy
from claimx.formats.sources import replacing_folder
from claimx.formats.xmi import read_xmi, write_xmi
from claimx.labels import LabelSchema
from claimx.types import AnnotatedArticle

__all__ = [
    "CODECS",
    "Codec",
    "annotation_files",
    "codec_for",
    "codec_named",
    "read_articles",
    "write_articles",
]


def _read_native(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    return read_native(path, reading.on_error)


def _read_inline(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    article = read_inline_report(path, reading.on_error)
    if article is not None:
        yield article


def _write_inline(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write one article as a file, or any number as a folder of files."""
    given = list(articles)
    sources = [render_inline(article).encode("utf-8") for article in given]
    if path.suffix.lower() != ".txt":
        with replacing_folder(path) as folder:
            for name, source in zip(file_names(one.id for one in given), sources, strict=True):
                (folder / f"{name}.txt").write_bytes(source)
        return len(given)
    if len(given) != 1:
        raise FormatError(
            f"{path}: an inline file holds one article, not {len(given)}; name a folder"
        )
    with replacing(path) as stream:
        stream.write(sources[0])
    return 1


CODECS = (
    Codec(
        "native", "native JSONL", (".jsonl.gz", ".jsonl"), _read_native, write_native,
        gathered=True,
    ),
    Codec("inline", "inline mark-up", (".txt",), _read_inline, _write_inline, gathered=True),
    Codec("label-studio", "Label Studio JSON", (".json",), read_label_studio, write_label_studio),
    Codec("brat", "brat standoff", (".ann",), read_brat, write_brat, folders=True),
    Codec(
        "xmi", "UIMA CAS XMI (INCEpTION)", (".xmi", ".zip"), read_xmi, write_xmi, folders=True
    ),
    Codec("doccano", "doccano JSONL", (), read_doccano, write_doccano),
    Codec("prodigy", "Prodigy JSONL", (), read_prodigy, write_prodigy),
    Codec("conll", "CoNLL columns of BIO tags", (".conll", ".bio"), read_conll, write_conll),
    Codec("docbin", "spaCy DocBin", (".spacy",), read_docbin, write_docbin),
    Codec("polnear", "PolNeAR", (), read_polnear, write_polnear, folders=True),
)  # fmt: skip


def codec_named(name: str) -> Codec:
    """Return the codec of a format.

    Args:
        name: such as ``label-studio``.

    Raises:
        FormatError: naming all formats, if there is none of that name.
    """
    for codec in CODECS:
        if codec.name == name:
            return codec
    known = ", ".join(codec.name for codec in CODECS)
    raise FormatError(f"there is no format {name!r}; known are {known}")


def codec_for(path: Path | str) -> Codec:
    """Return the codec that a file name calls for.

    Args:
        path: only its name is looked at.

    Raises:
        FormatError: if no codec has the suffix.
    """
    name = Path(path).name.lower()
    for codec in CODECS:
        if name.endswith(codec.suffixes):
            return codec
    known = ", ".join(f"{suffix} ({codec.name})" for codec in CODECS for suffix in codec.suffixes)
    raise FormatError(f"{path}: no annotation format has this suffix; known are {known}")


def annotation_files(path: Path | str) -> list[Path]:
    """Return the files that `read_articles` reads: the file itself, or those of a folder, sorted.

    Args:
        path: a file, or a folder whose native and inline files are meant (not its subfolders).

    Raises:
        FormatError: if there is no such path, or no annotation file in the folder.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    suffixes = tuple(suffix for codec in CODECS if codec.gathered for suffix in codec.suffixes)
    files = sorted(
        entry
        for entry in path.iterdir()
        if entry.name.lower().endswith(suffixes) and not entry.name.startswith(".")
    )
    if not files:
        raise FormatError(f"{path}: the folder holds no file of {', '.join(suffixes)}")
    return files


def read_articles(
    path: Path | str, on_error: OnError | None = None, schema: LabelSchema | None = None
) -> Iterator[AnnotatedArticle]:
    """Read annotated articles one by one from a file or a folder of files.

    Args:
        path: ``.jsonl`` or ``.jsonl.gz`` (native), ``.txt`` (inline mark-up), another suffix of
            `CODECS`, or a folder, whose native and inline files are read in sorted order.
        on_error: called with a `Problem` for whatever cannot be read; the article is then left
            out. Without it all problems are collected and raised together at the end, after
            the last good article.
        schema: if given, articles that break its structural checks are problems as well.

    Yields:
        The good articles.

    Raises:
        AnnotationError: naming file, line and offending text of each problem.
        FormatError: if a file cannot be read at all.
    """
    problems: list[Problem] = []
    report = problems.append if on_error is None else on_error
    try:
        for file in annotation_files(path):
            for article in codec_for(file).read(file, Reading(report)):
                found = check_article(article, schema) if schema is not None else []
                for problem in found:
                    message = f"article {article.id!r}: {problem.message}"
                    report(replace(problem, message=message, where=str(file)))
                if not found:
                    yield article
    except FormatError as error:
        for problem in problems[:SHOWN]:
            error.add_note(str(problem))
        raise
    raise_problems(problems)


def write_articles(path: Path | str, articles: Iterable[AnnotatedArticle]) -> int:
    """Write annotated articles in the format of the file's suffix, whole or not at all.

    Args:
        path: ``.jsonl`` or ``.jsonl.gz`` (native), ``.txt`` (inline, one article), or another
            suffix of `CODECS`.
        articles: what to write, in this order.

    Returns:
        How many articles were written.

    Raises:
        AnnotationError: if an article cannot be expressed in the format.
        FormatError: if the suffix is unknown.
    """
    return codec_for(path).write(Path(path), articles)
