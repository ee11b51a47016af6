"""Batches hold every token once, and the loss is what it says it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.batching import special_tokens
from claimx.labels import DEFAULT_SCHEMA
from claimx.modeling import ClaimxModel
from claimx.types import AnnotatedArticle
from tests.tiny import random_model, wordpiece
from tests.training.small import ARTICLES, MINE, PIER, QUIET, only
from tests.training.test_examples import examples, long_article
from training.examples import IGNORED
from training.objective import Batch, Objective, choice_loss, collate, tag_loss

SPECIAL = special_tokens(wordpiece())
LAYERS = [layer.name for layer in DEFAULT_SCHEMA.layers]


def rows_of(*articles: AnnotatedArticle) -> list[dict[str, Any]]:
    """Examples as a dataset gives them."""
    return [
        {name: np.array(value) for name, value in row.items()}
        for article in articles
        for row in examples(article)
    ]


def batch_of(*articles: AnnotatedArticle, bucket_tokens: int = 1024) -> Batch:
    return collate(rows_of(*articles), SPECIAL, DEFAULT_SCHEMA, bucket_tokens)


@pytest.fixture(scope="module")
def model() -> ClaimxModel:
    return random_model()


def losses(model: ClaimxModel, batch: Batch, weight: float = 0.5) -> dict[str, float]:
    with torch.no_grad():
        return {name: float(value) for name, value in Objective(model, weight)(batch).items()}


# ---- batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bucket_tokens", [64, 200, 4096])
def test_every_owned_token_stands_at_its_place_once(bucket_tokens):
    rows = rows_of(PIER, long_article(5), QUIET)
    batch = collate(rows, SPECIAL, DEFAULT_SCHEMA, bucket_tokens)
    flat = torch.cat([bucket.input_ids.flatten() for bucket in batch.buckets])
    owned = [
        (token, *np.array(row["tags"]).reshape(4, -1)[:, place])
        for row in rows
        for place, token in enumerate(row["ids"])
        if any(a <= place < b for _, _, a, b in row["windows"].reshape(-1, 4))
    ]
    assert flat[batch.places].tolist() == [entry[0] for entry in owned]
    assert batch.tags.T.tolist() == [list(entry[1:]) for entry in owned]
    assert len(set(batch.places.tolist())) == len(batch.places)


def test_the_number_of_buckets_follows_the_tokens_that_one_may_hold():
    one, many = batch_of(long_article(5)), batch_of(long_article(5), bucket_tokens=64)
    assert len(one.buckets) < len(many.buckets)
    assert max(bucket.input_ids.numel() for bucket in many.buckets) <= 64
    assert one.tokens == many.tokens == sum(int(b.attention_mask.sum()) for b in many.buckets)


def test_spans_point_at_their_own_tokens():
    batch = batch_of(QUIET, PIER, MINE)
    assert len(batch.spans) == len(PIER.spans) + len(MINE.spans)
    for first, last, kind in batch.spans.tolist():
        layer, label = divmod(kind, 3)
        assert batch.tags[layer, first] == 2 * label + 1
        assert batch.tags[layer, last] == (2 * label + 1 if first == last else 2 * label + 2)


def test_pairs_point_at_spans_of_their_own_article():
    batch = batch_of(PIER, MINE)
    border = len(PIER.spans)
    heads, tails = batch.pairs[:, 0], batch.pairs[:, 1]
    assert ((heads < border) == (tails < border)).all()
    assert int(batch.pairs[:, 3].sum()) == len(PIER.links) + len(MINE.links)


def test_a_batch_without_spans_has_empty_tables():
    batch = batch_of(QUIET)
    assert batch.spans.shape == (0, 3)
    assert batch.pairs.shape[0] == 0


# ---- losses -----------------------------------------------------------------------------------


def test_the_loss_does_not_depend_on_padding_and_buckets(model):
    one = losses(model, batch_of(*ARTICLES))
    many = losses(model, batch_of(*ARTICLES, bucket_tokens=64))
    assert one == pytest.approx(many, rel=1e-4)


def test_the_tag_loss_of_a_batch_is_the_mean_over_the_known_tags_of_all_its_examples(model):
    parts = [batch_of(article) for article in (PIER, only(MINE, "identity"), QUIET)]
    together = losses(model, batch_of(PIER, only(MINE, "identity"), QUIET))
    for row, name in enumerate(LAYERS):
        known = [int((part.tags[row] != IGNORED).sum()) for part in parts]
        sums = [losses(model, part)[name] * count for part, count in zip(parts, known, strict=True)]
        assert together[name] == pytest.approx(sum(sums) / max(1, sum(known)), rel=1e-4), name


@pytest.mark.parametrize("choose", ["one", "any"])
def test_the_link_loss_of_a_batch_is_the_mean_over_the_heads_of_all_its_examples(model, choose):
    kept = torch.tensor([link.choose == choose for link in DEFAULT_SCHEMA.links])

    def of_this_kind(*articles: AnnotatedArticle) -> tuple[float, int]:
        """The loss of the pairs of one kind of link type, and their number of heads."""
        batch = batch_of(*articles)
        pairs = batch.pairs[kept[batch.pairs[:, 2]]]
        heads = len({tuple(pair) for pair in pairs[:, [0, 2]].tolist()})
        return losses(model, replace(batch, pairs=pairs))["links"], heads

    (first, heads), (second, others), (both, all_heads) = (
        of_this_kind(*some) for some in ((PIER,), (MINE,), (PIER, MINE))
    )
    assert all_heads == heads + others
    assert both == pytest.approx((first * heads + second * others) / all_heads, rel=1e-4)
    assert first != pytest.approx(second, rel=1e-2)


def taught(batch: Batch, *layers: str) -> Batch:
    """A batch in which a teacher speaks of some layers, of every other token."""
    soft = torch.zeros(len(batch.places), sum(len(layer.tags) for layer in DEFAULT_SCHEMA.layers))
    begin = 0
    for layer in DEFAULT_SCHEMA.layers:
        width = len(layer.tags)
        if layer.name in layers:
            soft[::2, begin : begin + width] = torch.arange(1.0, width + 1).softmax(0)
        begin += width
    return replace(batch, soft_tags=soft)


def test_what_the_shares_of_a_step_teach_adds_up_to_what_the_step_teaches():
    # The first knows most tags, the second one layer, the third, left without example, nothing.
    shares = [
        taught(batch_of(PIER, QUIET), "attribution_broad"),
        taught(batch_of(only(MINE, "identity")), "attribution_broad", "quantity"),
        batch_of(PIER).silent(),
    ]
    whole = batch_of(PIER, QUIET, only(MINE, "identity"))
    both = torch.cat([share.soft_tags for share in shares[:2]])
    model = random_model()
    objective = Objective(model, 0.5)
    expected = objective(replace(whole, soft_tags=both))
    counts = sum(objective.counts(share) for share in shares)
    assert torch.equal(counts, objective.counts(replace(whole, soft_tags=both)))
    parts = [objective(share, counts) for share in shares]
    assert {"teacher", "links", *LAYERS} < expected.keys()
    for name, loss in expected.items():
        together = float(sum(part[name].detach() for part in parts))
        assert together == pytest.approx(float(loss.detach()), rel=1e-5), name
    gradients = [
        torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
        for loss in (expected["total"], sum(part["total"] for part in parts))
    ]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5)


def test_the_total_is_the_sum_of_the_layers_and_the_weighted_links(model):
    found = losses(model, batch_of(PIER), weight=0.25)
    expected = sum(found[name] for name in LAYERS) + 0.25 * found["links"]
    assert found["total"] == pytest.approx(expected, rel=1e-5)


def test_what_is_not_known_costs_nothing(model):
    batch = batch_of(only(PIER, "identity"))
    found = losses(model, batch)
    assert found["attribution"] == found["quantity"] == 0.0
    assert found["identity"] > 0


def test_the_loss_leaves_ignored_tags_out():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    expected = math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))
    assert float(tag_loss(logits, torch.tensor([0, 0, IGNORED]))) == pytest.approx(
        expected, rel=1e-5
    )
    assert float(tag_loss(logits, torch.full((3,), IGNORED))) == 0.0


def plain_choice_loss(scores: list[float], targets: list[int], groups: list[int]) -> float:
    """Sum of the negative log-probability of the right tails, or of "no link", score 0."""
    total = []
    for group in sorted(set(groups)):
        members = [n for n, g in enumerate(groups) if g == group]
        every = 1.0 + sum(math.exp(scores[n]) for n in members)
        right = sum(math.exp(scores[n]) for n in members if targets[n]) or 1.0
        total.append(-math.log(right / every))
    return sum(total)


PAIRS = st.lists(
    st.tuples(st.floats(-15, 15), st.integers(0, 1), st.integers(0, 4).map(lambda n: 7 * n)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(PAIRS)
def test_the_loss_of_a_choice_is_that_of_the_plain_formula(rows):
    scores, targets, groups = map(list, zip(*rows, strict=True))
    found = choice_loss(
        torch.tensor(scores, dtype=torch.float64), torch.tensor(targets), torch.tensor(groups)
    )
    assert float(found) == pytest.approx(plain_choice_loss(scores, targets, groups), abs=1e-5)


def test_the_gradient_of_a_choice_is_that_of_the_plain_formula():
    scores = torch.tensor([0.3, -1.2, 2.0, -0.4, 0.9], dtype=torch.float64, requires_grad=True)
    targets, groups = torch.tensor([1, 1, 0, 0, 0]), torch.tensor([3, 3, 3, 8, 8])
    choice_loss(scores, targets, groups).backward()
    step = 1e-5
    for place in range(5):
        values = scores.detach().tolist()
        up, down = list(values), list(values)
        up[place] += step
        down[place] -= step
        slope = (
            plain_choice_loss(up, targets.tolist(), groups.tolist())
            - plain_choice_loss(down, targets.tolist(), groups.tolist())
        ) / (2 * step)
        assert float(scores.grad[place]) == pytest.approx(slope, abs=1e-6)


# ---- gradients --------------------------------------------------------------------------------


def test_a_gradient_reaches_every_parameter():
    model = random_model()
    broad = long_article(1)
    spans = [s for s in broad.spans if s.layer == "attribution"]
    both = AnnotatedArticle(
        "b", broad.text,
        broad.spans + tuple(type(s)(f"b{s.id}", "attribution_broad", *(getattr(s, n) for n in ("label", "start", "end", "text"))) for s in spans),
        broad.links, (*broad.complete_layers, "attribution_broad"),
    )  # fmt: skip
    Objective(model, 0.5)(batch_of(both, MINE))["total"].backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # Token types are one and the same for all tokens, keys have a bias that cancels out.
    assert [name for name in without if "token_type" not in name and "key.bias" not in name] == []


def test_parameters_that_a_batch_does_not_need_take_part_with_gradient_zero():
    # Otherwise two processes would not agree on what to exchange.
    model = random_model()
    Objective(model, 0.5)(batch_of(QUIET))["total"].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert not any(parameter.grad.any() for parameter in model.links.parameters())
