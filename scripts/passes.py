"""Forward passes, recorded while an extractor reads and played again by themselves."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from claimx.batching import PaddedWindows
from claimx.engine import Outputs
from claimx.extractor import Extractor


@dataclass
class Passes:
    """The forward passes of some articles.

    Args:
        extractor: holds the model.
        groups: batches that were handed to the backend together.
        tokens_read: tokens of the texts; what windows share is counted once.
    """

    extractor: Extractor
    groups: list[list[PaddedWindows]] = field(default_factory=list)
    tokens_read: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in windows, what they share counted each time; padding does not count."""
        return sum(int(batch.attention_mask.sum()) for group in self.groups for batch in group)

    @property
    def padded(self) -> int:
        """Tokens and padding."""
        return sum(batch.attention_mask.size for group in self.groups for batch in group)

    def play(self) -> float:
        """Run all passes again; return the tokens in windows a second."""
        backend = self.extractor._engine.backend
        begun = time.perf_counter()
        for group in self.groups:
            for _ in backend.passes(group):
                pass
        return self.tokens / (time.perf_counter() - begun)


@contextmanager
def recorded(extractor: Extractor) -> Iterator[Passes]:
    """Keep all passes of an extractor while the context lasts."""
    passes = Passes(extractor)
    backend = extractor._engine.backend
    honest = backend.passes

    def keep(batches: Iterable[PaddedWindows]) -> Iterator[Outputs]:
        passes.groups.append([])

        def each() -> Iterator[PaddedWindows]:
            for batch in batches:
                passes.groups[-1].append(batch)
                yield batch

        yield from honest(each())

    before = extractor.tokens_read
    backend.passes = keep  # type: ignore[method-assign]
    try:
        yield passes
    finally:
        del backend.passes
        passes.tokens_read = extractor.tokens_read - before
