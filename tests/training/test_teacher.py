"""A teacher speaks where the annotation is silent, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from claimx.batching import special_tokens
from claimx.errors import ConfigError
from claimx.labels import DEFAULT_SCHEMA
from claimx.types import AnnotatedSpan
from tests.tiny import TOKENIZERS, lexicon_checkpoint, random_checkpoint, random_model, wordpiece
from tests.training.small import PIER, only, small_config
from training.config import Corpus
from training.data import TrainingArticle, swap_marks
from training.examples import IGNORED, Featuriser
from training.objective import Objective, collate, teacher_loss
from training.teacher import Teacher

DATED = replace(
    PIER,
    spans=(AnnotatedSpan("d", "time", "DATE", 1, 4, PIER.text[1:4]),),
    links=(),
    complete_layers=("time",),
)
WIDER = DEFAULT_SCHEMA.extended({"time": ["DATE"]})


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher(lexicon_checkpoint())


def example(article, teacher, schema=DEFAULT_SCHEMA, text=None):
    tokenizer = wordpiece()
    config = small_config(Path(), corpora=(Corpus("x"),))
    featuriser = Featuriser(tokenizer, special_tokens(tokenizer), schema, config, teacher)
    (row,) = featuriser.examples(TrainingArticle(article, Corpus("x")), text)
    return row


def soft_of(row, layer: str, schema=DEFAULT_SCHEMA) -> np.ndarray:
    sizes = [len(entry.tags) for entry in schema.layers]
    place = [entry.name for entry in schema.layers].index(layer)
    table = np.array(row["soft_tags"], dtype=float).reshape(-1, sum(sizes))
    return table[:, sum(sizes[:place]) : sum(sizes[: place + 1])]


def test_a_complete_layer_is_not_taught(teacher):
    lesson = teacher.lesson(only(PIER, "identity"))
    assert "identity" not in lesson.tags
    assert {"attribution", "quantity"} <= set(lesson.tags)


def test_spans_and_links_of_the_teacher_fill_silent_layers(teacher):
    article = teacher.lesson(only(PIER, "identity")).article
    said = {s.text for s in article.spans if s.layer == "quantity"}
    assert said == {"40 percent", "About", "boats"}
    assert {"measures", "modified_by"} <= {link.type for link in article.links}


def test_a_layer_with_given_spans_gets_no_spans_of_the_teacher(teacher):
    given = replace(only(PIER, "identity"), complete_layers=())
    article = teacher.lesson(given).article
    assert [s for s in article.spans if s.layer == "identity"] == list(given.spans)
    assert "identity" not in article.complete_layers


def test_ids_of_both_stay_apart(teacher):
    given = replace(only(PIER, "identity"), links=())
    spans = tuple(replace(s, id=f"teacher:t{n}") for n, s in enumerate(given.spans))
    article = teacher.lesson(replace(given, spans=spans)).article
    assert len({span.id for span in article.spans}) == len(article.spans)


def test_an_article_that_is_complete_in_all_layers_is_not_read(teacher):
    layers = tuple(layer.name for layer in DEFAULT_SCHEMA.layers)
    complete = replace(PIER, complete_layers=layers)
    lesson = teacher.lesson(complete)
    assert lesson.article is complete
    assert not lesson.tags


def test_an_article_is_read_once_for_both_kinds_of_marks(teacher):
    article = only(PIER, "identity")
    assert teacher.lesson(article) is teacher.lesson(article)
    swapped = example(article, teacher, text=swap_marks(article.text))
    assert np.array_equal(swapped["soft_tags"], example(article, teacher)["soft_tags"])


def test_soft_tags_are_probabilities_at_the_first_token_of_each_word(teacher):
    row = example(only(PIER, "identity"), teacher)
    mass = soft_of(row, "quantity").sum(1)
    assert set(np.round(mass, 2)) == {0.0, 1.0}
    assert not soft_of(row, "identity").any()


def test_a_given_span_of_a_silent_layer_is_not_taught_again(teacher):
    row = example(replace(only(PIER, "identity"), complete_layers=()), teacher)
    tags = np.array(row["tags"]).reshape(4, -1)[2]
    assert not soft_of(row, "identity")[tags != IGNORED].any()


def test_a_new_layer_stays_with_its_annotation(teacher):
    row = example(DATED, teacher, WIDER)
    assert not soft_of(row, "time", WIDER).any()
    assert (np.array(row["tags"]).reshape(5, -1)[4] > 0).any()
    assert soft_of(row, "attribution", WIDER).any()


def test_a_teacher_that_cuts_other_words_is_refused():
    teacher = Teacher(random_checkpoint("byte_level"))
    article = replace(PIER, text="The \x01 pier", spans=(), links=(), complete_layers=())
    tokenizer = TOKENIZERS["wordpiece"]()
    theirs = teacher.lesson(article).words
    config = small_config(Path(), corpora=(Corpus("x"),))
    featuriser = Featuriser(tokenizer, special_tokens(tokenizer), DEFAULT_SCHEMA, config, teacher)
    rows = featuriser.examples(TrainingArticle(article, Corpus("x")))
    assert theirs is not None
    assert len(theirs[0])
    with pytest.raises(ConfigError, match="words otherwise"):
        list(rows)


def test_the_loss_is_zero_for_one_who_agrees_and_grows_with_distance():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    soft = logits.softmax(-1)
    assert float(teacher_loss(logits, soft)) == pytest.approx(0.0, abs=1e-6)
    assert float(teacher_loss(logits.flip(0), soft)) > 0.3


def test_tokens_without_lesson_count_for_nothing():
    logits = torch.tensor([[2.0, 0.0], [5.0, -5.0]])
    soft = torch.tensor([[0.5, 0.5], [0.0, 0.0]])
    assert torch.equal(teacher_loss(logits, soft), teacher_loss(logits[:1], soft[:1]))
    assert float(teacher_loss(logits, torch.zeros_like(soft))) == 0.0


def test_the_teachers_loss_joins_the_total_with_its_weight(teacher):
    row = {k: np.array(v) for k, v in example(only(PIER, "identity"), teacher).items()}
    batch = collate([row], special_tokens(wordpiece()), DEFAULT_SCHEMA)
    model = random_model().eval()
    with torch.no_grad():
        none, half = (Objective(model, 0.5, weight)(batch) for weight in (0.0, 0.5))
    gained = float(half["total"] - none["total"])
    assert gained == pytest.approx(0.5 * float(half["teacher"]), rel=1e-4)
