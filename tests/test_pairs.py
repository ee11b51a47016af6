"""Which spans may be linked, and what the scorer is told about a pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.pairs import PAIR_FEATURE_SIZES, LinkSpan, propose_pairs, span_kinds
from claimx.text import quotation_states

KINDS = list(span_kinds(DEFAULT_SCHEMA))
COLUMN = {name: number for number, name in enumerate(PAIR_FEATURE_SIZES)}


def words_of(text: str) -> list[tuple[int, int]]:
    bounds, at = [], 0
    for word in text.split(" "):
        bounds.append((at, at + len(word)))
        at += len(word) + 1
    return bounds


def place(text: str, *marked: tuple[str, str]) -> list[LinkSpan]:
    """Spans as ``(layer/LABEL, surface)``; units are the words between spaces."""
    bounds, spans = words_of(text), []
    for kind, surface in marked:
        start = text.index(surface)
        end = start + len(surface)
        units = [n for n, (low, high) in enumerate(bounds) if low < end and high > start]
        layer, label = kind.split("/")
        spans.append(LinkSpan((layer, label), start, end, units[0], units[-1]))
    return spans


def pairs_in(text: str, *marked: tuple[str, str], schema: LabelSchema = DEFAULT_SCHEMA):
    spans = place(text, *marked)
    pairs = propose_pairs(text, quotation_states(text), spans, schema)
    triples = {
        (schema.links[number].name, marked[head][1], marked[tail][1])
        for head, tail, number in zip(pairs.heads, pairs.tails, pairs.types, strict=True)
    }
    assert len(triples) == len(pairs.heads)
    return triples, pairs


def feature(text: str, name: str, *marked: tuple[str, str]) -> int:
    """One feature of the only pair."""
    _, pairs = pairs_in(text, *marked)
    assert len(pairs.heads) == 1
    return int(pairs.features[0, COLUMN[name]])


Q, S, B, P = (
    "attribution/QUOTE",
    "attribution/SPEAKER",
    "attribution_broad/SPEAKER",
    "identity/PERSON",
)
V, M, R = "quantity/QUANTITY", "quantity/MODIFIER", "identity/ROLE"


def test_pairs_join_the_kinds_that_the_schema_allows():
    triples, _ = pairs_in(
        "It sank said Ana Ruiz minister about 40", (Q, "It sank"), (S, "Ana Ruiz minister"),
        (P, "Ana Ruiz"), (R, "minister"), (V, "40"), (M, "about"),
    )  # fmt: skip
    assert triples == {
        ("said_by", "It sank", "Ana Ruiz minister"),
        ("refers_to", "Ana Ruiz minister", "Ana Ruiz"),
        ("has_role", "Ana Ruiz minister", "minister"),
        ("has_role", "Ana Ruiz", "minister"),
        ("modified_by", "40", "about"),
    }


def test_a_quote_is_not_said_by_a_speaker_of_the_other_scope():
    triples, _ = pairs_in("It sank said Ruiz", (Q, "It sank"), (B, "Ruiz"))
    assert triples == set()


def test_a_speaker_of_either_scope_may_refer_to_a_person():
    triples, _ = pairs_in("Ana told Ruiz", (P, "Ana"), (B, "Ruiz"))
    assert triples == {("refers_to", "Ruiz", "Ana")}


def test_a_span_is_never_linked_to_itself():
    triples, _ = pairs_in("Ana met Ruiz", (P, "Ana"), (P, "Ruiz"))
    assert triples == {("same_person", "Ana", "Ruiz"), ("same_person", "Ruiz", "Ana")}


@pytest.mark.parametrize(("between", "joined"), [(39, True), (40, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_pairs_stay_within_reach(between, joined, turned):
    # modified_by reaches over 40 units; the distance is one more than the words between.
    first, last = ("40", "about") if turned else ("about", "40")
    text = " ".join([first, *["x"] * between, last])
    triples, _ = pairs_in(text, (V, "40"), (M, "about"))
    assert bool(triples) == joined


def test_a_type_without_reach_joins_the_ends_of_the_article():
    text = " ".join(["Ana", *["x"] * 3_000, "Ruiz"])
    triples, _ = pairs_in(text, (P, "Ana"), (P, "Ruiz"))
    assert len(triples) == 2


def test_no_spans_have_no_pairs():
    _, pairs = pairs_in("Nothing here")
    assert len(pairs.heads) == 0
    assert pairs.features.shape == (0, len(PAIR_FEATURE_SIZES))


@st.composite
def spans_in_text(draw: st.DrawFn) -> tuple[str, list[LinkSpan]]:
    text = draw(st.text("Ab. ?\n“”\"‘’'s", min_size=1, max_size=60))
    spans = []
    for kind, start, length in draw(
        st.lists(
            st.tuples(st.sampled_from(KINDS), st.integers(0, len(text) - 1), st.integers(1, 60)),
            max_size=30,
        )
    ):
        end = min(len(text), start + length)
        # Units much further apart than characters, so that every bucket of distance is met.
        spans.append(LinkSpan(kind, start, end, 20 * start, 20 * (end - 1)))
    return text, spans


@settings(max_examples=60)
@given(spans_in_text())
def test_every_pair_feature_has_a_place_in_its_embedding(given_spans):
    text, spans = given_spans
    pairs = propose_pairs(text, quotation_states(text), spans, DEFAULT_SCHEMA)
    assert pairs.features.shape == (len(pairs.heads), len(PAIR_FEATURE_SIZES))
    assert (pairs.features >= 0).all()
    assert (pairs.features < list(PAIR_FEATURE_SIZES.values())).all()


@settings(max_examples=60)
@given(spans_in_text())
def test_every_pair_is_allowed_and_stands_once(given_spans):
    text, spans = given_spans
    pairs = propose_pairs(text, quotation_states(text), spans, DEFAULT_SCHEMA)
    rows = list(zip(pairs.heads.tolist(), pairs.tails.tolist(), pairs.types.tolist(), strict=True))
    assert len(set(rows)) == len(rows)
    for head, tail, number in rows:
        assert head != tail
        assert DEFAULT_SCHEMA.allows(
            DEFAULT_SCHEMA.links[number], spans[head].kind, spans[tail].kind
        )


def plain_pairs(spans: list[LinkSpan]) -> set[tuple[int, int, int, int]]:
    """Head, tail, type and rank of every pair, head by head."""
    rows = set()
    order = sorted(range(len(spans)), key=lambda n: (spans[n].start, spans[n].end))
    kinds = list(dict.fromkeys(spans[n].kind for n in order))
    for number, link in enumerate(DEFAULT_SCHEMA.links):
        for head in order:
            tails = [
                tail
                for kind in kinds
                for tail in order
                if spans[tail].kind == kind and DEFAULT_SCHEMA.allows(link, spans[head].kind, kind)
            ]
            tails.sort(key=lambda n: spans[n].start)
            before = [tail for tail in tails if spans[tail].start < spans[head].start]
            ranked = [(tail, 9 + min(at, 8)) for at, tail in enumerate(before[:-25:-1])]
            ranked += [(tail, min(at, 8)) for at, tail in enumerate(tails[len(before) :][:24])]
            for tail, rank in ranked:
                one, other = spans[head], spans[tail]
                gap = max(one.first_unit - other.last_unit, other.first_unit - one.last_unit)
                if tail != head and (link.reach is None or gap <= link.reach):
                    rows.add((head, tail, number, rank))
    return rows


@settings(max_examples=60, deadline=None)
@given(spans_in_text())
def test_pairs_are_those_of_a_plain_search_for_each_head(given_spans):
    text, spans = given_spans
    pairs = propose_pairs(text, quotation_states(text), spans, DEFAULT_SCHEMA)
    ranks = pairs.features[:, COLUMN["rank"]]
    found = [
        *zip(*(v.tolist() for v in (pairs.heads, pairs.tails, pairs.types, ranks)), strict=True)
    ]
    assert len(found) == len(set(found))
    assert set(found) == plain_pairs(spans)


@settings(max_examples=30)
@given(spans_in_text(), st.randoms())
def test_pairs_do_not_depend_on_the_order_of_the_spans(given_spans, random):
    text, spans = given_spans
    spans = list(dict.fromkeys(spans))
    order = sorted(range(len(spans)), key=lambda _: random.random())

    def described(some: list[LinkSpan]) -> set[tuple[object, ...]]:
        pairs = propose_pairs(text, quotation_states(text), some, DEFAULT_SCHEMA)
        # Which of two tails at one place is the nearer one is not fixed.
        kept = np.delete(pairs.features, COLUMN["rank"], axis=1)
        return {
            (some[h], some[t], n, *row)
            for h, t, n, row in zip(
                pairs.heads.tolist(), pairs.tails.tolist(), pairs.types.tolist(), kept.tolist(),
                strict=True,
            )
        }  # fmt: skip

    if len(spans) < 24:
        assert described(spans) == described([spans[n] for n in order])


def test_distance_tells_sides_and_lengths_apart():
    values = {
        feature(f"40 {'x ' * n}about", "distance", (V, "40"), (M, "about"))
        for n in (0, 1, 2, 5, 20)
    } | {
        feature(f"about {'x ' * n}40", "distance", (V, "40"), (M, "about"))
        for n in (0, 1, 2, 5, 20)
    }
    assert len(values) == 10


def test_rank_counts_tails_from_the_head():
    text = "a b 40 c d"
    marked = [(V, "40"), *((M, word) for word in "abcd")]
    _, pairs = pairs_in(text, *marked)
    ranks = {
        marked[tail][1]: int(row[COLUMN["rank"]])
        for tail, row in zip(pairs.tails, pairs.features, strict=True)
    }
    assert ranks == {"c": 0, "d": 1, "b": 9, "a": 10}


def test_far_tails_share_one_rank_on_either_side():
    words = [f"n{n}" for n in range(12)]
    text = " ".join([*words, "40", *(word.upper() for word in words)])
    marked = [(V, "40"), *((M, word) for word in text.split() if word != "40")]
    _, pairs = pairs_in(text, *marked)
    ranks = pairs.features[:, COLUMN["rank"]].tolist()
    assert sorted(ranks) == sorted([*range(8), *[8] * 4, *range(9, 17), *[17] * 4])


def test_line_breaks_stops_and_marks_in_the_gap_are_counted():
    text = "It sank. “No.” It did?\n\nRuiz said"
    marked = ((Q, "It sank"), (S, "Ruiz"))
    assert feature(text, "lines", *marked) == 2
    assert feature(text, "stops", *marked) == 3
    assert feature(text, "marks", *marked) == 2


def test_nesting_says_which_span_holds_the_other():
    text = "Ana Ruiz the minister said"
    assert feature(text, "nesting", (S, "Ana Ruiz the minister"), (R, "minister")) == 1
    assert feature(text, "nesting", (P, "Ana Ruiz"), (R, "minister")) == 0


@pytest.mark.parametrize(
    ("head", "tail", "value"),
    [
        ("Ana Ruiz", "ana ruiz", 1), ("Ana Ruiz", "Ruiz", 2), ("Ruiz", "Ruiz Mora", 3),
        ("Ruiz’s", "Ruiz", 1), ("Ana Ruiz", "Ana Mora", 4), ("Ana Ruiz", "Tom Hale", 6),
    ],
)  # fmt: skip
def test_names_are_compared(head, tail, value):
    text = f"{head} met {tail} here"
    spans = [
        LinkSpan(("identity", "PERSON"), 0, len(head), 0, 1),
        LinkSpan(("identity", "PERSON"), len(head) + 5, len(head) + 5 + len(tail), 3, 4),
    ]
    pairs = propose_pairs(text, quotation_states(text), spans, DEFAULT_SCHEMA)
    found = dict(zip(pairs.heads.tolist(), pairs.features[:, COLUMN["name"]].tolist(), strict=True))
    assert found[0] == value


def test_a_head_weighs_the_nearest_tails_alone():
    text = " ".join(f"n{n}" for n in range(200))
    spans = place(text, *((P, f"n{n}") for n in range(100, 200)))
    pairs = propose_pairs(text, quotation_states(text), spans, DEFAULT_SCHEMA)
    per_head = np.bincount(pairs.heads)
    assert per_head.max() <= 48
    assert (pairs.features < list(PAIR_FEATURE_SIZES.values())).all()
    # The nearest on both sides are among them.
    assert {49, 51} <= set(pairs.tails[pairs.heads == 50].tolist())


def test_a_schema_of_ones_own_decides_what_is_joined():
    schema = LabelSchema.from_dict(
        {
            "layers": {"things": ["CAT", "DOG"]},
            "links": {"chases": {"heads": ["DOG"], "tails": ["CAT"]}},
        }
    )
    triples, _ = pairs_in(
        "Rex saw Tom", ("things/DOG", "Rex"), ("things/CAT", "Tom"), schema=schema
    )
    assert triples == {("chases", "Rex", "Tom")}
