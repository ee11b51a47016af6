"""Draw the README's picture: the readable view of a sample article, as an SVG.

python scripts/draw_picture.py examples/harbour.txt docs/picture.svg
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from rich.console import Console

from claimx import Article, Extractor
from claimx.terminal.view import print_extraction


def main() -> None:
    """Extract, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("article", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    article = Article(str(options.article), options.article.read_text(encoding="utf-8"))
    console = Console(record=True, width=96, file=io.StringIO(), force_terminal=True)
    print_extraction(Extractor.from_pretrained()(article), console)
    console.save_svg(str(options.picture), title=f"claimx extract {options.article}")


if __name__ == "__main__":
    main()
