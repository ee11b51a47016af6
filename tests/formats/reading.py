"""Reading one file or folder in a test: the articles, what was wrong, what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.registry import codec_named
from claimx.types import AnnotatedArticle


def read_all(
    path: Path, name: str, **options: Any
) -> tuple[list[AnnotatedArticle], list[str], dict[str, int]]:
    """Articles, problems as text, and the counts of what was left out."""
    problems: list[Problem] = []
    reading = Reading(problems.append, **options)
    articles = list(codec_named(name).read(path, reading))
    return articles, [str(problem) for problem in problems], dict(reading.left_out.counts)


def surfaces(article: AnnotatedArticle) -> dict[str, str]:
    """Span id -> layer, label and surface in one word."""
    return {span.id: f"{span.layer}/{span.label}={span.text}" for span in article.spans}


def arrows(article: AnnotatedArticle) -> list[str]:
    return [f"{link.type} {link.head}>{link.tail}" for link in article.links]
