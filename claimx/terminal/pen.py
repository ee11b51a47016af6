"""How text is put on a terminal: safe, in its encoding, and marked by signs as well as by style.

No distinction is made by colour alone. Where a terminal knows no bold and no underline (a pipe,
``TERM=dumb``), signs stand in their place.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("‐‑‒–—―−·", "-"),
        "…": "...",
        "\N{FRACTION SLASH}": "/",
        "€": "EUR ",
        "£": "GBP ",
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
    }
)


@dataclass(frozen=True, slots=True)
class Pen:
    """What a terminal can show.

    Args:
        encoding: of its characters.
        styled: whether it knows bold and underline.
        width: in cells.
    """

    encoding: str
    styled: bool
    width: int

    @classmethod
    def of(cls, console: Console) -> Pen:
        """Return the pen of a console."""
        return cls(console.encoding, console.color_system is not None, console.width)

    def text(self, words: str, style: str = "") -> Text:
        """Return words that are safe already (`claimx.render.clean`), ready to be laid out."""
        return Text(self.spelled(words), style=style)

    def spelled(self, words: str) -> str:
        """Write what the terminal has no characters for in those that it has."""
        if self._has(words):
            return words
        return "".join(
            character if self._has(character) else self._nearest(character) for character in words
        )

    def _has(self, words: str) -> bool:
        try:
            words.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _nearest(self, character: str) -> str:
        """Return a spelling, the letter without its accents, or question marks as wide."""
        parts = unicodedata.normalize("NFKD", character)
        letters = "".join(part for part in parts if not unicodedata.combining(part))
        spelling = character.translate(_SPELLINGS)
        if spelling == character:
            spelling = letters.translate(_SPELLINGS)
        return spelling if self._has(spelling) else "?" * cell_len(character)

    def cut(self, words: str, cells: int) -> str:
        """Return words that fit into some cells, with dots where they were cut."""
        words, dots = self.spelled(words), self.spelled("…")
        if cell_len(words) <= cells:
            return words
        return set_cell_size(words, cells - len(dots)).rstrip() + dots

    @property
    def quote_marks(self) -> tuple[str, str]:
        """What stands before and after a quote."""
        return ("«", "»") if self._has("«»") else ("<", ">")

    def number(self, number: int) -> str:
        """Return the number of a claim, as it stands behind the claim in the text."""
        raised = str(number).translate(_SUPERSCRIPTS)
        return raised if self._has(raised) and self._has("⁴") else f"#{number}"
