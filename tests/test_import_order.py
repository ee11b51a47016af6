"""The rules that scripts/check_imports.py enforces, and that the package keeps them."""

from __future__ import annotations

import pytest

import claimx
from scripts.check_imports import check, loaded_by, problems_of


def test_every_module_imports_downward_only():
    assert check() == []


@pytest.mark.parametrize(
    "statement", ["import claimx", "import claimx.cli", "import claimx.render"]
)
def test_importing_loads_no_heavy_library(statement):
    assert loaded_by(statement) == set()


@pytest.mark.parametrize(
    ("room", "source", "words"),
    [
        ("types", "from claimx.render import x", "stands below"),
        ("types", "def f():\n    from claimx import extractor", "stands below"),
        ("windows", "import torch", "loads torch"),
        ("reading", "try:\n    import torch.nn\nexcept ImportError: ...", "loads torch"),
        ("cli", "from claimx.checkpoint import load_checkpoint", "and so torch"),
        ("extractor", "import training.data", "never imports training"),
        ("render", "from . import types", "relative import"),
        ("gadgets", "import os", "not in ORDER"),
    ],
)
def test_a_broken_rule_is_found(room, source, words):
    (problem,) = problems_of(room, source)
    assert words in problem


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("render", "from claimx.types import Span\nfrom claimx import labels"),
        ("cli", "def run():\n    from claimx.extractor import Extractor\n    import torch"),
        ("windows", "if TYPE_CHECKING:\n    import torch"),
        ("checkpoint", "import torch\nfrom claimx.modeling import ClaimxModel"),
        ("formats", "from claimx.formats.native import read"),
    ],
)
def test_what_the_rules_allow_passes(room, source):
    assert list(problems_of(room, source)) == []


def test_every_public_name_has_a_home():
    for name in set(claimx.__all__) - {"__version__", "Extractor"}:
        assert getattr(claimx, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Extracter"):
        claimx.Extracter  # noqa: B018


def test_public_names_are_listed_whether_loaded_or_not():
    assert dir(claimx) == sorted(claimx.__all__)
