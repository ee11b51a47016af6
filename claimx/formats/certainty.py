"""How sure a model is of an article: the order in which people should correct its predictions."""

from __future__ import annotations

from claimx.types import AnnotatedArticle

# The key of an article's meta that names the model whose predictions were its first annotation.
PRELABELLED_BY = "prelabelled_by"


def expected_errors(article: AnnotatedArticle) -> float:
    """Return how many of a model's spans are expected to be wrong, which scores tell.

    A score is the calibrated probability that a span is exactly right, so the sum of
    ``1 - score`` is the expected number of spans that a person will have to correct.

    Args:
        article: with scores; spans without one, which are a person's, count as right.
    """
    return sum(1.0 - span.score for span in article.spans if span.score is not None)


def certainty(article: AnnotatedArticle) -> float:
    """Return 1 minus the expected number of wrong spans per word, between 0 and 1.

    The lower it is, the more there is to correct, and to learn, in the time that reading the
    article takes: 0.97 stands for 3 wrong spans in 100 words, whatever the article's length. An
    article in which the model finds nothing has certainty 1; what it has missed cannot be known.

    Args:
        article: with scores.
    """
    words = len(article.text.split())
    return max(0.0, 1.0 - expected_errors(article) / max(1, words))
