"""How far a run is: on a terminal one line that changes, in a log a line now and then."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

from claimx.archive.receipts import LeftOut, Receipt
from claimx.text import counted

_LOG_SECONDS = 30.0
_TERMINAL_SECONDS = 0.5
_MOST_FLAWED = 5  # shards


@dataclass
class Progress:
    """Counts receipts and shows what they add up to.

    Args:
        total_bytes: size of the input files that are this machine's to read; None if not known.
        stream: where it is shown.
        clock: seconds.

    Attributes:
        flawed: files of the first shards that hold error records.
    """

    total_bytes: int | None
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    shards: int = 0
    articles: int = 0
    tokens: int = 0
    errors: int = 0
    notes: int = 0
    earlier: int = 0
    done_bytes: int = 0
    earlier_bytes: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    flawed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.clock()
        self.shown = self.begun

    def skip(self, receipt: Receipt) -> None:
        """Count a shard that an earlier run has done."""
        self.earlier += receipt.rows_out
        self.earlier_bytes += receipt.bytes_in
        self._count_errors(receipt)

    def add(self, receipt: Receipt) -> None:
        """Count a finished shard, and show the state if it is time."""
        self.shards += 1
        self.articles += receipt.rows_out
        self.tokens += receipt.tokens
        self.done_bytes += receipt.bytes_in
        self._count_errors(receipt)
        self.notes += receipt.n_notes
        now = self.clock()
        if now - self.shown >= (_TERMINAL_SECONDS if self.stream.isatty() else _LOG_SECONDS):
            self.shown = now
            self._write(self.line(), end="\r" if self.stream.isatty() else "\n")

    def _count_errors(self, receipt: Receipt) -> None:
        """Count error records, and keep where the first of them are."""
        self.errors += receipt.n_errors
        if receipt.n_errors and len(self.flawed) < _MOST_FLAWED:
            self.flawed.append(receipt.outputs[0].path)

    def close(self, *, stopped: bool = False) -> None:
        """Show the end."""
        idle = not (self.shards or stopped or self.left_out)
        self._write(self.line() + ", nothing was left to do" * idle, end="\n")

    def line(self) -> str:
        """Say where the run stands."""
        seconds = max(self.clock() - self.begun, 1e-9)
        parts = [counted(self.articles + self.earlier, "article")]
        if self.shards:
            parts.append(f"{self.articles / seconds:,.1f} articles/s")
            parts.append(f"{self.tokens / seconds:,.0f} tokens/s")
        share = self.share()
        if share is not None:
            parts.append(f"{share:.0%} done")
        left = self.seconds_left()
        if left:
            parts.append(f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left")
        if self.errors:
            parts.append(counted(self.errors, "error"))
        if self.left_out:
            parts.append(f"{counted(len(self.left_out), 'file')} not readable")
        return ", ".join(parts)

    def share(self) -> float | None:
        """Share of the input that is done, by bytes; None where sizes are not known."""
        if not self.total_bytes:
            return None
        return min(1.0, (self.earlier_bytes + self.done_bytes) / self.total_bytes)

    def seconds_left(self) -> int | None:
        """Guess the time to the end, by what this run alone has done; None while nothing is."""
        if not self.total_bytes or not self.done_bytes:
            return None
        rest = max(0, self.total_bytes - self.earlier_bytes - self.done_bytes)
        return round((self.clock() - self.begun) * rest / self.done_bytes)

    def metrics(self) -> dict[str, Any]:
        """Return the figures of the run."""
        seconds = max(self.clock() - self.begun, 1e-9)
        return {
            "seconds": round(seconds, 3),
            "shards": self.shards,
            "articles": self.articles,
            "articles_of_earlier_runs": self.earlier,
            "errors": self.errors,
            "notes": self.notes,
            "quarantined": [{"path": one.file, "reason": one.reason} for one in self.left_out],
            "tokens": self.tokens,
            "articles_per_second": round(self.articles / seconds, 3),
            "tokens_per_second": round(self.tokens / seconds, 1),
        }

    def to_json(self) -> str:
        """Return `metrics` as JSON."""
        return json.dumps(self.metrics(), indent=1) + "\n"

    def _write(self, line: str, end: str) -> None:
        clear = "\x1b[K" if self.stream.isatty() else ""
        self.stream.write(f"{line}{clear}{end}")
        self.stream.flush()
