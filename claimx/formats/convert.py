"""From one annotation format to another, with a report of what was lost.

What is written is read back before it takes its place, so the losses are measured and not
promised.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from claimx.errors import AnnotationError, FormatError
from claimx.formats.checks import Problem, check_article, raise_problems
from claimx.formats.codec import Codec, Reading
from claimx.formats.detection import detect
from claimx.formats.losses import Losses, Tally, compare
from claimx.formats.registry import codec_for, codec_named
from claimx.formats.sources import refuse_taken
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.outputs import refuse_output
from claimx.text import counted
from claimx.types import AnnotatedArticle

MAX_PROBLEMS = 1000


def convert(
    source: Path | str,
    target: Path | str,
    from_: str | None = None,
    to: str | None = None,
    *,
    annotator: str | None = None,
    complete_layers: Sequence[str] = (),
    skip_bad: bool = False,
    schema: LabelSchema = DEFAULT_SCHEMA,
) -> Losses:
    """Convert annotated articles; the target appears whole or not at all.

    Args:
        source: a file or folder.
        target: a file, or a new or empty folder.
        from_: the format of the source; told by its content if left out.
        to: the format of the target; told by its suffix if left out.
        annotator: whose annotations to take where several people annotated one text.
        complete_layers: layers in which everything is annotated, for articles whose source does
            not say.
        skip_bad: leave articles with problems out and count them, instead of refusing all.
        schema: finds the layer of a label that stands alone.

    Returns:
        What was converted and what was lost, by reading and by writing.

    Raises:
        AnnotationError: naming every problem of the articles.
        FormatError: if the source cannot be read at all, or the target not written.
    """
    source, target = Path(source), Path(target)
    refuse_output(target, [source])
    reader = codec_named(from_ or detect(source))
    writer = codec_named(to) if to else _by_suffix(target)
    left_out = Tally()
    articles = _read(source, reader, Reading(_no_problem, left_out, annotator, schema), skip_bad)
    silent = 0
    for index, article in enumerate(articles):
        if not article.complete_layers and complete_layers:
            articles[index] = replace(article, complete_layers=tuple(complete_layers))
        silent += not articles[index].complete_layers
    lost = _write(target, writer, articles)
    return Losses(
        len(articles),
        sum(len(article.spans) for article in articles),
        sum(len(article.links) for article in articles),
        lost.losses(),
        left_out.losses(),
        tuple(_advice(writer, articles, silent)),
    )


def _by_suffix(target: Path) -> Codec:
    try:
        return codec_for(target)
    except FormatError as error:
        raise FormatError(f"{error}; or name the format with --to") from error


def _no_problem(problem: Problem) -> None:
    raise AnnotationError(str(problem))


def _read(source: Path, codec: Codec, reading: Reading, skip_bad: bool) -> list[AnnotatedArticle]:
    """Read all articles; raise everything that is wrong with them together, or count it."""
    problems: list[Problem] = []

    def report(problem: Problem) -> None:
        if skip_bad:
            reading.left_out.add("problems, their articles skipped", str(problem))
            return
        problems.append(problem)
        if len(problems) >= MAX_PROBLEMS:
            raise_problems(problems)

    reading = replace(reading, on_error=report)
    articles: list[AnnotatedArticle] = []
    for file in _files(source, codec):
        for article in codec.read(file, reading):
            found = check_article(article, reading.schema)
            for problem in found:
                report(replace(problem, where=f"{file}: article {article.id!r}"))
            if not found:
                articles.append(article)
    if len(problems) == 1:
        raise AnnotationError(str(problems[0]))
    raise_problems(problems)
    if not articles:
        raise FormatError(f"{source}: there is no article to convert in it ({codec.title})")
    return articles


def _files(source: Path, codec: Codec) -> list[Path]:
    if codec.folders or not source.is_dir():
        return [source]
    suffixes = codec.suffixes or (".jsonl",)
    files = sorted(
        file
        for file in source.iterdir()
        if file.name.lower().endswith(suffixes) and not file.name.startswith(".")
    )
    if not files:
        raise FormatError(f"{source}: the folder holds no file of {', '.join(suffixes)}")
    return files


def _write(target: Path, codec: Codec, articles: Sequence[AnnotatedArticle]) -> Tally:
    """Write beside the target, read that back, and only then put it into its place."""
    if target.is_dir() or (codec.folders and target.suffix.lower() != ".zip"):
        refuse_taken(target)
    if target.exists() and not (target.is_file() or target.is_dir()):
        # Renaming a file over it would take a device such as /dev/null from everybody.
        raise FormatError(f"{target}: is no plain file but a pipe or a device; name a new file")
    place = Path(os.path.realpath(target))  # what a link points to, and not the link, is written
    if not place.parent.is_dir():
        raise FormatError(f"{target}: there is no folder {place.parent}; make it first")
    try:
        room = Path(tempfile.mkdtemp(prefix=".claimx.", dir=place.parent))
    except OSError as error:
        raise FormatError(f"{target}: cannot be written: {error.strerror or error}") from error
    try:
        written = room / target.name
        codec.write(written, articles)
        again = Reading(_damaged)
        files = _files(written, codec)
        lost = compare(articles, [one for file in files for one in codec.read(file, again)])
        written.replace(place)
    except OSError as error:
        raise FormatError(f"{target}: cannot be written: {error.strerror or error}") from error
    except FormatError as error:
        raise FormatError(str(error).replace(str(written), str(target))) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return lost


def _damaged(problem: Problem) -> None:
    raise AnnotationError(f"what was written does not read back, a fault of claimx: {problem}")


def _advice(codec: Codec, articles: Iterable[AnnotatedArticle], silent: int) -> Iterable[str]:
    articles = list(articles)
    if silent and codec.gathered:  # formats that a model is trained from
        yield (
            f"{counted(silent, 'article says', 'articles say')} of no layer that it is complete, "
            "so a model learns nothing from what is not marked; name the layers with --complete if "
            "they are"
        )
    if codec.name == "doccano" and any(_nested(article) for article in articles):
        yield (
            "some spans overlap: doccano drops such spans unless the project allows overlapping "
            "spans"
        )


def _nested(article: AnnotatedArticle) -> bool:
    end = 0
    for span in sorted(article.spans, key=lambda span: span.start):
        if span.start < end:
            return True
        end = max(end, span.end)
    return False
