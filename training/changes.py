"""What one model reads better or worse than another, sentence by sentence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from training.error_classes import Error

_Places = tuple[tuple[int, int], ...]
_Identity = tuple[str, str, str, str, _Places, _Places]
Verdict = Literal["better", "worse", "otherwise"]
# Titles and initials end no sentence.
SENTENCE_END = re.compile(
    r"[.!?](?<!\b[A-Z]\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\bSen\.)"
    r"(?<!\bRep\.)(?<!\bGov\.)(?<!\bGen\.)(?<!\bProf\.)[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])|\n"
)


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence that two models read differently, one of them at least not as gold has it.

    Args:
        article: id of the article.
        start: where the sentence begins.
        gone: errors of the baseline that the model does not make.
        new: errors of the model that the baseline does not make.
        shared: how many errors both make.
    """

    article: str
    start: int
    gone: tuple[Error, ...]
    new: tuple[Error, ...]
    shared: int

    @property
    def gain(self) -> int:
        """By how many mistakes the model is better."""
        return sum(map(_mistakes, self.gone)) - sum(map(_mistakes, self.new))

    @property
    def verdict(self) -> Verdict:
        """Which of the two is better; ``otherwise`` where they make equally many mistakes."""
        return "better" if self.gain > 0 else "worse" if self.gain < 0 else "otherwise"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same sentences.

    Args:
        changes: the sentences that differ, in the order of the articles.
        same: how many sentences have the same errors in both.
        right: how many both read as gold has them.
    """

    changes: tuple[Change, ...]
    same: int
    right: int

    def having(self, verdict: Verdict) -> list[Change]:
        """Return the sentences of a verdict, those that changed most first."""
        chosen = (change for change in self.changes if change.verdict == verdict)
        return sorted(chosen, key=lambda change: -abs(change.gain))

    def to_dict(self) -> dict[str, int]:
        """Return how many sentences there are of each sort."""
        return {
            "better": len(self.having("better")),
            "worse": len(self.having("worse")),
            "otherwise": len(self.having("otherwise")),
            "same_errors": self.same,
            "both_right": self.right,
        }


def compare_sentences(
    texts: dict[str, str], errors: Iterable[Error], baseline: Iterable[Error]
) -> Comparison:
    """Compare two models' errors sentence by sentence.

    An error belongs to the sentence in which its first span begins; gold's, if there is one.

    Args:
        texts: the articles by their ids.
        errors: those of the model.
        baseline: those of the other one.
    """
    starts = {article: sentence_starts(text) for article, text in texts.items()}
    ours, theirs = (_by_sentence(found, starts) for found in (errors, baseline))
    order = {article: at for at, article in enumerate(texts)}
    touched = sorted(ours.keys() | theirs.keys(), key=lambda key: (order[key[0]], key[1]))
    changes = []
    for key in touched:
        new = {_identity(error): error for error in ours.get(key, ())}
        gone = {_identity(error): error for error in theirs.get(key, ())}
        shared = new.keys() & gone.keys()
        if new.keys() != gone.keys():
            changes.append(Change(*key, _but(gone, shared), _but(new, shared), len(shared)))
    same = len(touched) - len(changes)
    return Comparison(tuple(changes), same, sum(map(len, starts.values())) - len(touched))


def sentence_starts(text: str) -> list[int]:
    """Return where the sentences of a text begin; those of white space alone are none."""
    cuts = [0, *(match.end() for match in SENTENCE_END.finditer(text)), len(text)]
    return [start for start, end in pairwise(cuts) if text[start:end].strip()]


def _by_sentence(
    errors: Iterable[Error], starts: dict[str, list[int]]
) -> dict[tuple[str, int], list[Error]]:
    found: dict[tuple[str, int], list[Error]] = defaultdict(list)
    for error in errors:
        begins = starts[error.article]
        at = bisect_right(begins, error.place) - 1
        found[error.article, begins[max(at, 0)]].append(error)
    return found


def _but(errors: Mapping[_Identity, Error], left_out: Set[_Identity]) -> tuple[Error, ...]:
    return tuple(error for identity, error in errors.items() if identity not in left_out)


def _identity(error: Error) -> _Identity:
    """What makes two models' errors the same one."""
    gold, predicted = (
        tuple((span.start, span.end) for span in side) for side in (error.gold, error.predicted)
    )
    return error.layer, error.label, error.kind, error.detail, gold, predicted


def _mistakes(error: Error) -> int:
    """Gold items not found and predictions that are wrong."""
    return sum(lost + wrong for lost, wrong in error.costs.values())
