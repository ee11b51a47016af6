"""Annotation codecs: one module a format, the checks they share, and one registry."""

from claimx.formats.checks import OnError, Problem, check_article
from claimx.formats.registry import read_articles, write_articles

__all__ = ["OnError", "Problem", "check_article", "read_articles", "write_articles"]
