"""Says that a run is too short, and that a model learns nothing, which its loss alone may hide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from claimx.text import counted
from training.examples import IGNORED

# A model that knows only how frequent each tag is has this share of the loss, namely all of it.
_LEARNT = 0.9
_SHORTEST = 50
# docs/experiments.md, "short fine-tunings": below that a run at the shipped rates hardly learns.
FEW_STEPS = 50


def too_short(steps: int) -> str:
    """Return what to say before a run of so few steps that it does more harm than good, or "".

    Args:
        steps: optimiser steps of the run.
    """
    if steps >= FEW_STEPS:
        return ""
    return (
        f"a run of {counted(steps, 'step')} is too short; take {FEW_STEPS} at least. A new label "
        "will hardly be found, and what the model knew may suffer, for the first steps are large "
        "and the rates have no time to fall. Take more `passes`, smaller `step_tokens` or more "
        "articles; else lower `learning_rate` and `head_learning_rate`. Then compare the models "
        "with python -m training.evaluate --baseline"
    )


class LearningWatch:
    """Compares the loss of each layer with what the frequencies of its tags alone would give.

    A collapsed encoder, whose token states are all alike, ends exactly there: the loss falls at
    first and then stays, and no span is ever found.

    Args:
        layers: layer -> its number of tags, in the order of a batch's rows.
        total: steps of the run; every tenth of them is looked at by itself.
    """

    def __init__(self, layers: Mapping[str, int], total: int) -> None:
        self.layers = tuple(layers)
        self.stretch = max(_SHORTEST, total // 10)
        self.steps = 0
        self.counts = [torch.zeros(size, dtype=torch.long) for size in layers.values()]
        self.losses = [0.0] * len(self.layers)

    def add(self, tags: Tensor, losses: Mapping[str, Tensor]) -> list[str]:
        """Take a step into account.

        Args:
            tags: of every layer, ``(layers, tokens)``, IGNORED where unknown.
            losses: layer -> mean loss over its known tags.

        Returns:
            At the end of a stretch but the first, a sentence for every layer in which nothing
            beyond the frequencies was learnt; else nothing.
        """
        self.steps += 1
        for row, name in enumerate(self.layers):
            known = tags[row][tags[row] != IGNORED].cpu()
            self.counts[row] += torch.bincount(known, minlength=len(self.counts[row]))
            self.losses[row] += float(losses[name].detach()) * len(known)
        if self.steps % self.stretch:
            return []
        found = self._findings() if self.steps > self.stretch else []
        for row, counts in enumerate(self.counts):
            counts.zero_()
            self.losses[row] = 0.0
        return found

    def _findings(self) -> list[str]:
        found = []
        for name, counts, loss in zip(self.layers, self.counts, self.losses, strict=True):
            known = int(counts.sum())
            blind = entropy(counts.tolist())
            if known and blind > 0 and loss / known > _LEARNT * blind:
                found.append(
                    f"{name}: the loss is {loss / known:.3f}, and {blind:.3f} for a model that "
                    "knows only how frequent each tag is. It learns nothing there; stop, and try "
                    "a lower learning_rate or a longer warmup"
                )
        return found


def entropy(counts: Sequence[int]) -> float:
    """Return the cross-entropy, in nats, of guessing by frequency.

    Args:
        counts: how often each tag occurs.
    """
    total = sum(counts)
    shares = torch.tensor([count / total for count in counts if count], dtype=torch.float64)
    return float(-(shares * shares.log()).sum())
