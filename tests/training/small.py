"""Small annotated articles of our own, and a training run that takes a second or two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from claimx.types import AnnotatedArticle
from tests.annotating import annotate
from tests.tiny import write_encoder, write_lines
from training.config import Corpus, TrainConfig

PIER = replace(
    annotate(
        "“The pier will be shut,” said Ines Okafor, deputy head of the board.\n\n"
        "About 40 percent of the boats leave.",
        [
            ("q", "QUOTE", "“The pier will be shut,”"),
            ("c", "CUE", "said"),
            ("s", "SPEAKER", "Ines Okafor, deputy head of the board"),
            ("p", "PERSON", "Ines Okafor"),
            ("r", "ROLE", "deputy head"),
            ("a", "AFFILIATION", "the board"),
            ("m", "MODIFIER", "About"),
            ("v", "QUANTITY", "40 percent"),
            ("x", "MEASURED", "boats"),
        ],
        [
            ("said_by", "q", "s"), ("cued_by", "q", "c"), ("refers_to", "s", "p"),
            ("has_role", "p", "r"), ("affiliated_with", "p", "a"), ("modified_by", "v", "m"),
            ("measures", "v", "x"),
        ],
    ),
    id="pier",
)  # fmt: skip
MINE = replace(
    annotate(
        "Minister Ana Ruiz told the harbour that Norvale was out. She said it was of 12 mines.",
        [
            ("s", "SPEAKER", "Minister Ana Ruiz"),
            ("c", "CUE", "told"),
            ("q", "QUOTE", "that Norvale was out"),
            ("s2", "SPEAKER", "She"),
            ("c2", "CUE", "said"),
            ("q2", "QUOTE", "it was of 12 mines"),
            ("p", "PERSON", "Ana Ruiz"),
            ("r", "ROLE", "Minister"),
            ("v", "QUANTITY", "12"),
            ("x", "MEASURED", "mines"),
        ],
        [
            ("said_by", "q", "s"), ("cued_by", "q", "c"), ("said_by", "q2", "s2"),
            ("cued_by", "q2", "c2"), ("refers_to", "s", "p"), ("refers_to", "s2", "p"),
            ("has_role", "p", "r"), ("measures", "v", "x"),
        ],
    ),
    id="mine",
)  # fmt: skip
QUIET = replace(
    annotate("The ferry was of the pier and the harbour was the ferry.", []), id="quiet"
)
ARTICLES = (PIER, MINE, QUIET)


def only(article: AnnotatedArticle, *layers: str) -> AnnotatedArticle:
    """The part of an annotation that lies in some layers."""
    spans = tuple(span for span in article.spans if span.layer in layers)
    ids = {span.id for span in spans}
    links = tuple(link for link in article.links if {link.head, link.tail} <= ids)
    complete = tuple(name for name in article.complete_layers if name in layers)
    return replace(article, spans=spans, links=links, complete_layers=complete)


def write_corpus(path: Path, articles: Iterable[AnnotatedArticle] = ARTICLES) -> Path:
    """Write articles as native JSONL."""
    return write_lines(path, [article.to_dict() for article in articles])


@cache
def encoder(kind: str = "wordpiece") -> Path:
    """An encoder folder, written once for all tests."""
    return write_encoder(Path(mkdtemp(prefix="claimx-tiny-")), kind)


def small_config(folder: Path, **changes: Any) -> TrainConfig:
    """Train on `ARTICLES`, without swapped marks, in full precision."""
    passes = changes.pop("passes", 4.0)
    if "corpora" not in changes:
        changes["corpora"] = (Corpus(str(write_corpus(folder / "corpus.jsonl")), passes=passes),)
    options: dict[str, Any] = {
        "encoder": str(encoder()), "output": str(folder / "run"), "window": 60, "overlap": 16,
        "example_tokens": 200, "step_tokens": 200, "learning_rate": 3e-3, "link_size": 16,
        "head_learning_rate": 1e-2, "precision": "float32", "swap_marks": False,
        "save_minutes": 60.0,
    }  # fmt: skip
    return TrainConfig(**{**options, **changes})


def write_yaml(folder: Path, **changes: object) -> Path:
    """Write `small_config` as the file that the command reads."""
    config = small_config(folder, **changes).to_dict()
    config["corpora"] = [{**c, "unlinked": [], "layers": []} for c in config["corpora"]]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({**config, "dev": []}))
    return path
