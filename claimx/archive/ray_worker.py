"""What happens in an actor of Ray Data: pieces of the work come in, receipts are written.

Nothing here is believed by Ray's word. An actor skips the shards that have receipts by now, and
tells the `Board` what it does, which outlives it. It runs its model in a process of its own, as
``--engine local`` does, so that an article that kills the model becomes an error record.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from platform import node
from typing import Any

from claimx.archive.local import Done, Source
from claimx.archive.places import RUN, file_size, join
from claimx.archive.plan import Group, Part
from claimx.archive.readers import ReadOptions
from claimx.archive.receipts import Receipt, read_receipt, receipt_path, valid
from claimx.archive.run import RunConfig
from claimx.archive.workers import MakeRunner, Worker, feed
from claimx.errors import ClaimxError

# A piece that is begun so often without a receipt between is given up.
ATTEMPTS = 3
PieceName = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """What one actor does in one go.

    Args:
        group: files, read from the first to the last.
        part: which of their shards it does.
    """

    group: Group
    part: Part

    @property
    def name(self) -> PieceName:
        """What it is known by: its group, and which part of how many it is."""
        return self.group.number, self.part.index, self.part.count


@dataclass(frozen=True, slots=True)
class Work:
    """What actors have to know besides their pieces.

    Args:
        make: loads the model in a process of its own.
        config: of the run.
        folder: the output folder.
        reading: options of the readers.
        here: the working directory of the run, to which paths are relative.
    """

    make: MakeRunner
    config: RunConfig
    folder: str
    reading: ReadOptions
    here: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The name of a piece that has been gone through."""

    name: PieceName


@dataclass(frozen=True, slots=True)
class Trouble:
    """What must end the run, as a sentence."""

    sentence: str


Message = Receipt | Ended | Trouble


class Board:
    """An actor between the others and the first process: what has happened, and whether to stop."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._begun: Counter[PieceName] = Counter()
        self._under_way: set[PieceName] = set()
        self._stopping = False

    def begin(self, name: PieceName) -> bool:
        """Say whether a piece may be begun."""
        self._begun[name] += 1
        if self._stopping or self._begun[name] > ATTEMPTS:
            self._under_way.discard(name)
            return False
        self._under_way.add(name)
        return True

    def tell(self, name: PieceName, message: Message) -> None:
        """Take what happened in a piece."""
        if isinstance(message, Receipt):
            self._begun[name] = 0
        elif isinstance(message, Ended | Trouble):
            self._under_way.discard(name)
        self._messages.append(message)

    def take(self) -> list[Message]:
        """Return what happened since the last time."""
        taken, self._messages = self._messages, []
        return taken

    def stop(self) -> None:
        """Let no further shard be begun."""
        self._stopping = True

    def stopping(self) -> bool:
        """Say whether no further shard shall be begun."""
        return self._stopping

    def idle(self) -> bool:
        """Say whether no piece is under way."""
        return not self._under_way


class DoneByNow(Done):
    """Looks for each receipt when it is asked for: the shards that are done at this moment.

    Args:
        folder: the output folder.
        config: of the run.
    """

    def __init__(self, folder: str, config: RunConfig) -> None:
        self.folder = folder
        self.config = config

    @property
    def shards(self) -> dict[str, Receipt]:  # type: ignore[override]
        """All receipts, which takes a while; only asked for when a file cannot be read."""
        return Done.of(self.folder, self.config, lambda _: None).shards

    def find(self, shard: str) -> Receipt | None:
        """Return the receipt of a shard that is done."""
        try:
            receipt = read_receipt(receipt_path(self.folder, shard))
        except ClaimxError:  # there is none, or it is damaged
            return None
        fits = receipt.config_sha256 == self.config.digest and valid(receipt, self.folder)
        return receipt if fits else None


class PieceRunner:
    """Does pieces, one after the other, with a model that is loaded once.

    Args:
        work: what is the same for all pieces.
        board: handle of the `Board`.
    """

    def __init__(self, work: Work, board: Any) -> None:
        with suppress(OSError):  # `see` tells if that matters
            os.chdir(work.here)
        self.work = work
        self.board = board
        self.worker = Worker(work.make)
        self.worker.start()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Do the piece of a row of Ray Data; what comes of it is told to the board."""
        piece: Piece = row["piece"]
        tell = partial(self._ask, "tell", piece.name)
        try:
            if self._ask("begin", piece.name):
                see(piece, self.work.folder)
                for receipt in feed([self.worker], self._source(piece), self._stopping):
                    tell(receipt)
                tell(Ended(piece.name))
        except ClaimxError as error:
            tell(Trouble(str(error)))
        return {"group": piece.group.number}

    def _source(self, piece: Piece) -> Source:
        """Read a piece; its receipts say by themselves which files are left out."""
        work = self.work
        done = DoneByNow(work.folder, work.config)
        rows = work.config.rows_in_shard
        return Source(
            [piece.group], piece.part, work.reading, rows, done, lambda _: None, lambda _: None
        )

    def _stopping(self) -> bool:
        return bool(self._ask("stopping"))

    def _ask(self, what: str, *values: Any) -> Any:
        """Ask the board, and wait: what it was told is not lost with this process."""
        import ray

        return ray.get(getattr(self.board, what).remote(*values))


def see(piece: Piece, folder: str) -> None:
    """Make sure that this machine sees the files that the run was started with.

    One that does not would take its pieces for unreadable, and be the fastest of all.

    Raises:
        ClaimxError: if it does not.
    """
    first = piece.group.files[0]
    for path, size in ((join(folder, RUN), 0), (first.path, first.size)):
        if size is not None and file_size(path) is None:
            raise ClaimxError(
                f"the machine {node()} does not see {path}: inputs, model and output must be where "
                "every machine of the cluster finds them under the same path; then resume"
            )
