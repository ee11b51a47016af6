"""Batches and the training loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from claimx.batching import SpecialTokens, pad_windows, padded_length
from claimx.encoding import FEATURE_SIZES
from claimx.labels import LabelSchema
from claimx.modeling import ClaimxModel
from claimx.pairs import PAIR_FEATURE_SIZES
from training.examples import IGNORED

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Windows of similar length, one forward pass.

    Args:
        input_ids: ``(windows, tokens)``.
        attention_mask: ``(windows, tokens)``.
        features: ``(windows, tokens, features)``.
    """

    input_ids: Tensor
    attention_mask: Tensor
    features: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """One optimiser step's share of a process.

    Args:
        buckets: its windows.
        places: where each example token that some window owns lies in the buckets' outputs,
            laid out one after another, ``(owned tokens,)``.
        tags: tags of every layer for these tokens, ``(layers, owned tokens)``.
        soft_tags: the teacher's probabilities of all layers' tags, 0 where it is not asked,
            ``(owned tokens, tags)``; no rows where nothing is taught.
        spans: first token, last token (as indices into the owned tokens) and kind of every
            span, ``(spans, 3)``.
        pairs: head, tail, link type, target and features, ``(pairs, 4 + features)``.
        tokens: tokens in all windows, padding not counted.
    """

    buckets: tuple[Bucket, ...]
    places: Tensor
    tags: Tensor
    soft_tags: Tensor
    spans: Tensor
    pairs: Tensor
    tokens: int

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device."""
        return Batch(
            tuple(
                Bucket(*(getattr(b, name).to(device) for name in Bucket.__slots__))
                for b in self.buckets
            ),
            self.places.to(device),
            self.tags.to(device),
            self.soft_tags.to(device),
            self.spans.to(device),
            self.pairs.to(device),
            self.tokens,
        )

    def silent(self) -> Batch:
        """Return the same windows with nothing to learn from them."""
        return replace(
            self,
            tags=torch.full_like(self.tags, IGNORED),
            soft_tags=self.soft_tags[:0],
            pairs=self.pairs[:0],
            tokens=0,
        )


def collate(
    rows: Sequence[Row], special: SpecialTokens, schema: LabelSchema, bucket_tokens: int = 1024
) -> Batch:
    """Lay examples out as a batch.

    Args:
        rows: examples of `training.data.build_dataset`.
        special: tokens to put around each window.
        schema: the layers.
        bucket_tokens: padded tokens in one forward pass.
    """
    width = len(FEATURE_SIZES)
    windows = []  # (length, example, start, end, own_start, own_end)
    for number, row in enumerate(rows):
        for start, end, own_start, own_end in row["windows"].reshape(-1, 4).tolist():
            windows.append((end - start, number, start, end, own_start, own_end))
    windows.sort()
    buckets: list[Bucket] = []
    places: list[np.ndarray[Any, Any]] = [np.full(len(row["ids"]), -1) for row in rows]
    base = 0
    while windows:
        longest = padded_length(windows[-1][0], special)
        count = max(1, bucket_tokens // longest)
        chosen, windows = windows[-count:], windows[:-count]
        padded = pad_windows(
            [
                (rows[n]["ids"][start:end], rows[n]["features"].reshape(-1, width)[start:end])
                for _, n, start, end, _, _ in chosen
            ],
            special,
            longest,
        )
        for line, (_, number, start, _, own_start, own_end) in enumerate(chosen):
            shift = base + line * longest + len(special.prefix) - start
            places[number][own_start:own_end] = shift + np.arange(own_start, own_end)
        arrays = (padded.input_ids, padded.attention_mask, padded.features)
        buckets.append(Bucket(*(torch.from_numpy(array) for array in arrays)))
        base += padded.input_ids.size
    return _gather(rows, tuple(buckets), places, schema)


def _gather(
    rows: Sequence[Row],
    buckets: tuple[Bucket, ...],
    places: list[np.ndarray[Any, Any]],
    schema: LabelSchema,
) -> Batch:
    """Number owned tokens, spans and pairs over all examples of a batch."""
    tags, soft, spans, pairs = [], [], [], []
    width = sum(len(layer.tags) for layer in schema.layers)
    token_base = span_base = 0
    for row, place in zip(rows, places, strict=True):
        owned = place >= 0
        index = np.cumsum(owned) - 1 + token_base
        tags.append(row["tags"].reshape(len(schema.layers), -1)[:, owned])
        taught = row["soft_tags"].reshape(-1, width).astype(np.float32)
        soft.append(taught[owned] if len(taught) else np.zeros((int(owned.sum()), width)))
        own_spans = row["spans"].reshape(-1, 3).astype(np.int64)
        own_spans[:, :2] = index[own_spans[:, :2]]
        own_pairs = row["pairs"].reshape(-1, 4 + len(PAIR_FEATURE_SIZES)).astype(np.int64)
        own_pairs[:, :2] += span_base
        spans.append(own_spans)
        pairs.append(own_pairs)
        token_base += int(owned.sum())
        span_base += len(own_spans)
    flat = np.concatenate(places)
    soft_tags = np.concatenate(soft).astype(np.float32)
    return Batch(
        buckets,
        torch.from_numpy(flat[flat >= 0]),
        torch.from_numpy(np.concatenate(tags, axis=1).astype(np.int64)),
        torch.from_numpy(soft_tags if soft_tags.any() else soft_tags[:0]),
        torch.from_numpy(np.concatenate(spans)),
        torch.from_numpy(np.concatenate(pairs)),
        sum(int(bucket.attention_mask.sum()) for bucket in buckets),
    )


class Objective(nn.Module):
    """The loss of a batch: cross-entropy of the tags of each layer, plus that of the links.

    One module, so that every parameter is used inside the ``forward`` that distributed
    training wraps.

    Args:
        model: the model to train.
        link_weight: weight of the link loss.
        teacher_weight: weight of the loss on what a teacher says of the tags.
    """

    def __init__(self, model: ClaimxModel, link_weight: float, teacher_weight: float = 1.0) -> None:
        super().__init__()
        self.model = model
        self.link_weight = link_weight
        self.teacher_weight = teacher_weight
        schema = model.config.label_schema
        self.layers = [layer.name for layer in schema.layers]
        self.widths = [len(layer.tags) for layer in schema.layers]
        one = [link.choose == "one" for link in schema.links] or [True]
        self.one: Tensor
        self.register_buffer("one", torch.tensor(one), persistent=False)

    def counts(self, batch: Batch) -> Tensor:
        """Count what the losses of a batch are means over.

        Returns:
            Known tags of each layer, taught tokens of each layer, heads that choose one tail,
            heads that choose any number, and the tokens of all windows.
        """
        known = (batch.tags != IGNORED).sum(1)
        soft = batch.soft_tags.split(self.widths, dim=1)
        taught = [_is_taught(part).sum() for part in soft]
        one = self.one[self._groups(batch.pairs).unique() % len(self.one)]
        tokens = known.new_tensor(batch.tokens)
        return torch.cat([known, torch.stack([*taught, one.sum(), (~one).sum(), tokens])])

    def forward(self, batch: Batch, counts: Tensor | None = None) -> dict[str, Tensor]:
        """Return the losses by name; ``total`` is the one to minimise.

        Args:
            batch: the examples.
            counts: over how many things each loss is a mean, as `counts` returns them. Where
                the batch is one process's share of a step, they are those of the whole step:
                the losses are then the share's parts of the step's losses, and add up to them.
        """
        counts = self.counts(batch) if counts is None else counts
        every = len(self.layers)
        known, taught, heads = counts[:-1].split([every, every, 2])
        outputs = [
            self.model(bucket.input_ids, bucket.attention_mask, bucket.features)
            for bucket in batch.buckets
        ]
        losses: dict[str, Tensor] = {}
        states = torch.cat([states.flatten(0, 1) for _, states in outputs])[batch.places]
        teacher = torch.zeros((), device=states.device)
        soft = batch.soft_tags.split(self.widths, dim=1)
        for row, name in enumerate(self.layers):
            flat = torch.cat([logits[name].flatten(0, 1) for logits, _ in outputs])
            flat = flat[batch.places]
            losses[name] = tag_loss(flat, batch.tags[row]) / known[row].clamp(min=1)
            if len(batch.soft_tags):
                teacher = teacher + teacher_loss(flat, soft[row]) / taught[row].clamp(min=1)
        losses["links"] = self._link_loss(states, batch, heads)
        # Parameters that this batch has no use for still take part, with gradient zero, so
        # that processes agree on what to exchange.
        idle = sum(parameter.float().sum() * 0.0 for parameter in self.model.links.parameters())
        losses["total"] = (
            sum(losses[name] for name in self.layers) + self.link_weight * losses["links"] + idle
        )
        if taught.any():
            losses["teacher"] = teacher
            losses["total"] = losses["total"] + self.teacher_weight * teacher
        return losses

    def _groups(self, pairs: Tensor) -> Tensor:
        """Number the heads of pairs by head and link type."""
        return pairs[:, 0] * len(self.one) + pairs[:, 2]

    def _link_loss(self, states: Tensor, batch: Batch, counts: Tensor) -> Tensor:
        if not len(batch.pairs):
            return states.float().sum() * 0.0
        scorer = self.model.links
        spans = scorer.span_states(states, *batch.spans.unbind(1))
        heads, tails, types, targets = batch.pairs[:, :4].unbind(1)
        scores = scorer(spans, heads, tails, types, batch.pairs[:, 4:]).float()
        one = self.one[types]
        loss: Tensor = scores.sum() * 0.0
        if one.any():
            group = self._groups(batch.pairs)[one]
            loss = loss + choice_loss(scores[one], targets[one], group) / counts[0]
        if (~one).any():
            pairwise = nn.functional.binary_cross_entropy_with_logits(
                scores[~one], targets[~one].float(), reduction="sum"
            )
            loss = loss + pairwise / counts[1]
        return loss


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Sum of the cross-entropy over the known tags.

    Args:
        logits: ``(tokens, tags)``.
        tags: ``(tokens,)``, IGNORED where unknown.
    """
    return nn.functional.cross_entropy(logits.float(), tags, ignore_index=IGNORED, reduction="sum")


def teacher_loss(logits: Tensor, soft_tags: Tensor) -> Tensor:
    """Sum of the divergence from the teacher over the tokens that it teaches.

    The Kullback-Leibler divergence of Hinton et al. (2015), at temperature 1.

    Args:
        logits: ``(tokens, tags)``.
        soft_tags: the teacher's probabilities, ``(tokens, tags)``, all 0 where it is not asked.
    """
    divergence = nn.functional.kl_div(
        nn.functional.log_softmax(logits.float(), dim=-1), soft_tags, reduction="none"
    )
    return divergence.sum(-1)[_is_taught(soft_tags)].sum()


def _is_taught(soft_tags: Tensor) -> Tensor:
    return soft_tags.sum(-1) > 0.5


def choice_loss(scores: Tensor, targets: Tensor, group: Tensor) -> Tensor:
    """Negative log-likelihood of choosing any right tail, or "no link" where there is none.

    Args:
        scores: of each pair, relative to "no link", ``(pairs,)``.
        targets: 1 for right tails, ``(pairs,)``.
        group: which head and link type a pair belongs to, ``(pairs,)``.

    Returns:
        The sum over groups, as in mention ranking with several antecedents.
    """
    _, index = group.unique(return_inverse=True)
    count = int(index.max()) + 1
    every = _group_logsumexp(scores, index, count, with_none=torch.ones(count, dtype=torch.bool))
    right = torch.where(targets > 0, scores, torch.full_like(scores, -1e4))
    has_right = torch.zeros(count, dtype=scores.dtype, device=scores.device)
    has_right = has_right.index_add(0, index, targets.to(scores.dtype)) > 0
    chosen = _group_logsumexp(right, index, count, with_none=~has_right)
    return (every - chosen).sum()


def _group_logsumexp(scores: Tensor, index: Tensor, count: int, with_none: Tensor) -> Tensor:
    """Log-sum-exp in each group; the score 0 of "no link" joins where ``with_none``."""
    top = torch.zeros(count, dtype=scores.dtype, device=scores.device)
    top = top.scatter_reduce(0, index, scores.detach(), "amax", include_self=True)
    mass = torch.exp(scores - top[index])
    total = torch.zeros_like(top).index_add(0, index, mass)
    none = torch.where(with_none.to(top.device), torch.exp(-top), torch.zeros_like(top))
    return top + torch.log(total + none + 1e-30)
