"""What every test shares: no network, and GPU tests only where there is a GPU."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from typing import Any

import pytest
from hypothesis import settings

from claimx.types import Claim, Extraction, Person, Quantity, Quote, Source, Span, Speaker

# Set before anything imports a Hugging Face library, which read them once.
os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_EVALUATE_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    TOKENIZERS_PARALLELISM="false",
    CLAIMX_CACHE=tempfile.mkdtemp(prefix="claimx-cache-"),
)
atexit.register(shutil.rmtree, os.environ["CLAIMX_CACHE"], ignore_errors=True)

# No deadline: a loaded machine is no failure. No database: runs leave nothing behind.
settings.register_profile("claimx", deadline=None, database=None)
settings.load_profile("claimx")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `gpu` where torch sees no CUDA device."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        skip = pytest.mark.skip(reason="no CUDA device here")
        for item in marked:
            item.add_marker(skip)


@pytest.fixture
def harbour() -> Extraction:
    """A small extraction in which every part of the record is filled."""
    text = (
        "“Close the pier,” said Ines Okafor, deputy head of the Harbour Board. She said that "
        "roughly 40 percent of the piles were rotten. The firm expects 5 to 7 months of repairs."
    )

    def span(surface: str, score: float = 0.9) -> Span:
        start = text.index(surface)
        return Span(start, start + len(surface), surface, score)

    def bounds(surface: str) -> dict[str, Any]:
        return {
            "start": text.index(surface),
            "end": text.index(surface) + len(surface),
            "text": surface,
        }

    roles, bodies = (span("deputy head"),), (span("the Harbour Board"),)
    known = {
        "source": "s0",
        "persons": ("p0",),
        "name": "Ines Okafor",
        "roles": roles,
        "affiliations": bodies,
    }
    full = Speaker(**bounds("Ines Okafor, deputy head of the Harbour Board"), score=0.93, **known)
    pronoun = Speaker(**bounds("She"), score=0.81, **known)
    piles = Quantity(
        **bounds("40 percent"), value=40, unit="percent", kind="percent", modifier="approximate"
    )
    repairs = Quantity(
        **bounds("5 to 7 months"), low=5, high=7, unit="month", kind="duration", modifier="range"
    )
    return Extraction(
        id="harbour.txt",
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        model="claimx-en 0.1.0 (3f2a91c4)",
        attribution="reported",
        notes=("1 lone surrogate read as U+FFFD",),
        quotes=(
            Quote("q0", **bounds("“Close the pier,”"), kind="direct", score=0.98, speaker=full),
            Quote(
                "q1", **bounds("that roughly 40 percent of the piles were rotten"),
                kind="indirect", score=0.74321, speaker=pronoun, cue=span("said that"),
            ),
            Quote("q2", **bounds("5 to 7 months of repairs"), kind="indirect", score=0.4),
        ),
        sources=(Source("s0", "person", "Ines Okafor", ("p0",), ("q0", "q1")),),
        people=(Person("p0", "Ines Okafor", (span("Ines Okafor"),), roles, bodies),),
        claims=(
            Claim(
                "c0", **bounds("roughly 40 percent of the piles"), score=0.9, quantity=piles,
                modifier=span("roughly"), measured=span("piles"), quote="q1",
            ),
            Claim("c1", **bounds("5 to 7 months"), score=0.9, quantity=repairs),
        ),
        text=text,
    )  # fmt: skip
