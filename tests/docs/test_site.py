"""The site builds without a warning, and nothing on it comes from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.site import COMMANDS, PAGES, commands_page, turned
from tests.docs.blocks import ROOT

# What a browser loads by itself; links that a reader may follow are free.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*href=["']?(?:https?:)?//"""
    r"""|url\(["']?(?:https?:)?//|@import\s+["'](?:https?:)?//"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it; that this ends without a warning is a test in itself."""
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_it(site):
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    wanted = [*map(str, pages), *PAGES.values(), COMMANDS]
    assert not [name for name in wanted if not (site / name).with_suffix(".html").is_file()]


def test_nothing_is_loaded_from_elsewhere(site):
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    found = {
        f"{path.relative_to(site)}: {found[0]}"
        for path in files
        for found in _LOADED.finditer(path.read_text(encoding="utf-8"))
    }
    assert len(files) > 15
    assert not found


def test_no_class_of_the_reference_is_without_a_word(site):
    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("Extractor", "Extraction", "Quote", "Claim"):
        assert f'id="claimx.{name}"' in page


# ---- without mkdocs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "link", "turned_link"),
    [
        ("index.md", "[a](docs/formats.md#x)", "[a](formats.md#x)"),
        ("index.md", "![a](docs/picture.svg)", "![a](picture.svg)"),
        ("index.md", "[the licence](LICENSE)", "the licence"),
        ("formats.md", "[a](metrics.md)", "[a](metrics.md)"),
        ("limits.md", "[a](../claimx/models/claimx-en/README.md)", "[a](cards/claimx-en.md)"),
        ("reference/python.md", "[a](../formats.md)", "[a](../formats.md)"),
        ("guidelines.md", "[a](#b)", "[a](#b)"),
        ("guidelines.md", "[a](SOURCES.md)", "[a](sources.md)"),
        ("formats.md", "[a](https://example.org/x)", "[a](https://example.org/x)"),
        ("formats.md", "[a](missing.md)", "[a](missing.md)"),
        ("formats.md", "```\n[a](../LICENSE)\n```", "```\n[a](../LICENSE)\n```"),
    ],
)
def test_links_lead_to_where_the_page_stands_on_the_site(site, link, turned_link):
    assert turned(link, site) == turned_link


def test_every_command_and_option_is_on_the_page_of_the_commands():
    page = commands_page()
    for name in ("extract", "view", "archive", "check", "convert", "prelabel", "labels", "info"):
        assert f"## claimx {name}\n" in page
    assert "--min-score" in page
    assert "\x1b" not in page
