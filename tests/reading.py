"""Texts to read, and what the tests of engines and backends share."""

from __future__ import annotations

import torch

from claimx.engine import Engine, UnitScores

TEXTS = [
    "“The ferry was late,” said Ines Okafor.",
    "",
    "He told Norvale that 40 percent of the boats will be mines. " * 12,
    " \n ",
    "Ruiz",
    "“No harm,” she said. “About 12 boats,” the minister told Ana Ruiz.\n\nIt was the pier. " * 4,
]


def scores_of(engine: Engine, texts: list[str]) -> list[UnitScores]:
    return engine.score([engine.encode(text) for text in texts], engine.schema.layers)


def with_room_for(engine: Engine, windows: int) -> list[int]:
    """Let an engine run out of memory above so many windows; return the sizes of its passes."""
    honest, sizes = engine.backend.model.forward, []

    def narrow(ids: torch.Tensor, *others: torch.Tensor):
        sizes.append(len(ids))
        if len(ids) > windows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return honest(ids, *others)

    engine.backend.model.forward = narrow
    return sizes
