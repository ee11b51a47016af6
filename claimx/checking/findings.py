"""What the linter says: one finding for each thing that is wrong or deserves a second look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from claimx.text import counted

Severity = Literal["error", "warning"]

WIDTH = 60

# Rule -> how grave its findings are, and what it looks for.
RULES: dict[str, tuple[Severity, str]] = {
    "structure": ("error", "offsets, overlaps, links, chains, white space, records"),
    "duplicate-id": ("error", "two articles with one id, or a layer that is annotated twice"),
    "unlike-copies": ("error", "one article in two formats, annotated differently"),
    "near-duplicate": ("error", "articles of two splits of which one is a copy of the other"),
    "convention": ("warning", "what imported corpora may hold and one's own should not"),
    "incomplete": ("warning", "articles that name no layer as completely annotated"),
    "unknown-label": ("warning", "layers and labels that the schema does not know"),
    "repeated-text": ("warning", "articles that share passages, or copies inside one split"),
    "speaker": ("warning", "a quote without speaker beside a speaker and a cue"),
    "marks": ("warning", "quotation marks that the edge of a quote cuts off"),
    "quantity": (
        "warning",
        "a quantity whose attributes are not what its surface reads as, or not spelt so",
    ),
    "both-ways": ("warning", "a surface that is marked here and not there"),
    "unlinked": ("warning", "a cue, speaker, modifier or measured thing without its link"),
    "same-person": ("warning", "a further mention of a person that is not linked"),
    "phenomena": ("warning", "meta.phenomena names a span that is not there"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """What a rule says about one article, before its place in a file is known.

    Args:
        rule: a key of `RULES`.
        span_ids: the spans that it is about, the most telling one first.
        message: what is wrong, and after a semicolon what to do.
        start: first code point of the text to show.
        end: one past its last.
    """

    rule: str
    span_ids: tuple[str, ...]
    message: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or deserves a second look, with its place.

    Args:
        rule: a key of `RULES`.
        file: the file.
        line: its line, from 1; None where the format has no lines to speak of.
        column: the column, from 1, where that is known.
        article_id: the article's id, or "" where it could not be read.
        span_ids: the spans that it is about, the most telling one first.
        message: what is wrong, and what to do.
        context: the text around it with the place marked ``[[so]]``, or "".
    """

    rule: str
    file: str
    line: int | None
    column: int | None
    article_id: str
    span_ids: tuple[str, ...]
    message: str
    context: str = ""

    @property
    def severity(self) -> Severity:
        """``error`` or ``warning``."""
        return RULES[self.rule][0]

    @property
    def place(self) -> str:
        """``file:line:column``, as far as it is known."""
        numbers = (number for number in (self.line, self.column) if number is not None)
        return ":".join([self.file, *map(str, numbers)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "severity": self.severity,
            "rule": self.rule,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "article": self.article_id,
            "spans": list(self.span_ids),
            "message": self.message,
            "context": self.context,
        }

    def lines(self) -> list[str]:
        """Return the lines that a person reads: the place and what is wrong, then the text."""
        spans = f" {','.join(self.span_ids)}" if self.span_ids else ""
        named = f" ({self.article_id}{spans})" if self.article_id else ""
        first = f"{self.place}: {self.severity} [{self.rule}]{named}: {self.message}"
        return [first, *([f"    {self.context}"] if self.context else [])]


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, errors and warnings, in the order of the files.

    Args:
        articles: how many articles were looked at.
        findings: what was found.
        notes: what was passed over, and why.
    """

    articles: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """Return how many findings are that grave."""
        return sum(finding.severity == severity for finding in self.findings)

    def passes(self, *, strict: bool = False) -> bool:
        """Whether there is no error, and with ``strict`` no warning either."""
        return not (self.findings if strict else self.count("error"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "articles": self.articles,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "rules": dict(Counter(finding.rule for finding in self.findings)),
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """Return one sentence: how much was read and how much was found."""
        rules = Counter(finding.rule for finding in self.findings)
        told = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common())
        counts = [
            counted(count, name)
            for count, name in (
                (self.articles, "article"),
                (self.count("error"), "error"),
                (self.count("warning"), "warning"),
            )
        ]
        return ", ".join(counts) + (f" ({told})" if told else "")


def context(text: str, start: int, end: int, width: int = WIDTH) -> str:
    """Return a stretch of text in one line, cut to about ``width`` characters of it.

    Args:
        text: the article.
        start: first code point of what is marked ``[[so]]``.
        end: one past its last.
        width: how much of the text is shown, marks not counted.
    """
    start, end = max(0, min(start, len(text))), max(0, min(end, len(text)))
    marked = text[start:end]
    if len(marked) > width * 2 // 3:
        half = width // 3 - 1
        marked = f"{marked[:half]} … {marked[-half:]}"
    room = max(width - len(marked), width // 3) // 2
    first, last = max(0, start - room), min(len(text), end + room)
    shown = (
        f"{'…' * (first > 0)}{text[first:start]}[[{marked}]]{text[end:last]}"
        f"{'…' * (last < len(text))}"
    )
    return " ".join(shown.split())
