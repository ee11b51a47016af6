"""The order of a run: fixed by its seed, with every pass where the config puts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from claimx.types import AnnotatedArticle
from training.config import Corpus
from training.data import TrainingArticle
from training.schedule import Visit, plan_steps, settle_passes


def articles(*corpora: Corpus) -> list[TrainingArticle]:
    return [TrainingArticle(AnnotatedArticle(str(n), "x"), c) for n, c in enumerate(corpora)]


def plan(
    *corpora: Corpus,
    rows: int = 1,
    tokens: int = 100,
    step_tokens: int = 400,
    seed: int = 5,
    variants: int = 1,
) -> list[list[Visit]]:
    """A plan for one article of so many rows in each corpus."""
    items = articles(*corpora)
    rows_of: Sequence[Sequence[int]] = [range(n * rows, (n + 1) * rows) for n in range(len(items))]
    return plan_steps(
        items, rows_of, [tokens] * rows * len(items), step_tokens=step_tokens, seed=seed,
        variants=variants,
    )  # fmt: skip


def visits(steps: list[list[Visit]]) -> list[Visit]:
    return [visit for step in steps for visit in step]


A, B = Corpus("a", passes=3), Corpus("b", passes=1)


def test_one_seed_gives_one_order():
    assert plan(*[A] * 20) == plan(*[A] * 20)
    assert plan(*[A] * 20) != plan(*[A] * 20, seed=6)


def test_every_article_is_seen_as_often_as_its_corpus_says():
    counts = Counter(row for _, row in visits(plan(*[A] * 5, *[B] * 5, rows=2)))
    assert counts == {**dict.fromkeys(range(10), 3), **dict.fromkeys(range(10, 20), 1)}


def test_a_fraction_of_a_pass_sees_that_share_of_the_articles():
    counts = Counter(
        item.corpus.passes for item in settle_passes(articles(*[Corpus("a", passes=1.5)] * 400), 5)
    )
    assert set(counts) == {1.0, 2.0}
    assert 150 < counts[2.0] < 250


def test_which_articles_a_fraction_takes_is_fixed_by_the_seed():
    half = articles(*[Corpus("a", passes=0.5)] * 50)
    assert settle_passes(half, 5) == settle_passes(half, 5) != settle_passes(half, 6)


def test_an_article_that_is_never_seen_is_left_out():
    [seen] = settle_passes(articles(Corpus("a", passes=0), B), 5)
    assert (seen.article.id, seen.corpus) == ("1", B)


def test_passes_are_spread_evenly_over_the_run():
    seen = [row for _, row in visits(plan(*[Corpus("a", passes=4)] * 50))]
    for quarter in range(4):
        part = seen[quarter * 50 : (quarter + 1) * 50]
        assert len(set(part)) > 45


def test_a_corpus_comes_in_and_ends_where_the_config_says():
    early, late = Corpus("a", passes=2, end=0.5), Corpus("b", passes=2, begin=0.5)
    seen = [row >= 30 for _, row in visits(plan(*[early] * 30, *[late] * 30))]
    # The little noise that mixes rows of one moment may cross the border.
    assert sum(seen[:58]) == 0
    assert all(seen[62:])
    middle = Corpus("c", begin=0.4, end=0.6)
    places = [n for n, (_, row) in enumerate(visits(plan(*[B] * 60, *[middle] * 20))) if row >= 60]
    assert min(places) > 15
    assert max(places) < 65


def test_a_step_holds_no_more_tokens_than_it_may():
    steps = plan(*[A] * 30, tokens=150, step_tokens=400)
    assert {len(step) for step in steps[:-1]} == {2}


def test_an_example_larger_than_a_step_is_a_step_of_its_own():
    steps = plan(*[A] * 4, tokens=900, step_tokens=400)
    assert [len(step) for step in steps] == [1] * 12


def test_every_other_pass_reads_the_swapped_text():
    steps = plan(*[Corpus("a", passes=4)] * 10, variants=2)
    by_row: dict[int, list[int]] = {}
    for variant, row in visits(steps):
        by_row.setdefault(row, []).append(variant)
    assert all(sorted(seen) == [0, 0, 1, 1] for seen in by_row.values())
    assert all(seen in ([0, 1, 0, 1], [1, 0, 1, 0]) for seen in by_row.values())
    assert {seen[0] for seen in by_row.values()} == {0, 1}


def test_no_articles_have_no_steps():
    assert plan() == []
