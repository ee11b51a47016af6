"""What `mkdocs build` asks of this repository: pages that lie outside docs/, or are made from code.

Links are written as GitHub reads them, from file to file. On the site a page of the repository may
stand elsewhere, or nowhere: links are turned to where it stands, and what is not on the site keeps
its name and loses its link. mkdocs.yml names this file as a hook.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from typer.main import get_command

from claimx.cli import app

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# Where pages outside docs/ stand on the site.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "claimx/models/claimx-en/README.md": "cards/claimx-en.md",
    "models/claimx-en-small/README.md": "cards/claimx-en-small.md",
    "data/annotations/GUIDELINES.md": "guidelines.md",
    "data/annotations/SOURCES.md": "sources.md",
}
COMMANDS = "reference/commands.md"
_SOURCES = {site: source for source, site in PAGES.items()}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    from mkdocs.structure.files import File

    for source, site in PAGES.items():
        files.append(File.generated(config, site, abs_src_path=str(ROOT / source)))
    files.append(File.generated(config, COMMANDS, content=commands_page()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn the links of a page to where their targets stand on the site."""
    return turned(markdown, page.file.src_uri)


# ---- links ------------------------------------------------------------------------------------


def turned(markdown: str, site: str) -> str:
    """Return a page with its links turned.

    Args:
        markdown: the page; what stands in blocks of code stays as it is.
        site: its place on the site.
    """
    parts = _CODE.split(markdown)
    parts[::2] = [_LINK.sub(lambda link: _turned_link(link, site), part) for part in parts[::2]]
    return "".join(parts)


def _turned_link(link: re.Match[str], site: str) -> str:
    mark, text, target, anchor = link.groups()
    if "://" in target or target.startswith("mailto:"):
        return link[0]
    folder = posixpath.dirname(_SOURCES.get(site, f"docs/{site}"))
    source = posixpath.normpath(posixpath.join(folder, target))
    if source.startswith("docs/"):
        place = source.removeprefix("docs/")
    elif source in PAGES:
        place = PAGES[source]
    elif (ROOT / source).exists():
        return text if "`" in text or text != target else f"`{text}`"
    else:
        return link[0]  # leads nowhere, which a strict build says
    relative = posixpath.relpath(place, posixpath.dirname(site) or ".")
    return f"{mark}[{text}]({relative}{anchor or ''})"


# ---- the page of the commands -----------------------------------------------------------------


def commands_page() -> str:
    """Return the page that has what every command of claimx prints at `--help`."""
    names = sorted(get_command(app).commands)  # type: ignore[attr-defined]
    lines = [
        "# The command claimx",
        "",
        "What `claimx --help` and `claimx COMMAND --help` print.",
        "",
    ]
    for words in ([], *([name] for name in names)):
        lines += [
            f"## {' '.join(['claimx', *words])}",
            "",
            "```text",
            printed_help(words),
            "```",
            "",
        ]
    return "\n".join(lines)


def printed_help(words: Sequence[str]) -> str:
    """Return what a command prints at `--help`, 80 columns wide and without colour."""
    from typer.testing import CliRunner

    plain = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "TERM": "dumb"}
    result = CliRunner().invoke(app, [*words, "--help"], env=plain, prog_name="claimx")
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    return "\n".join(lines).strip("\n")
