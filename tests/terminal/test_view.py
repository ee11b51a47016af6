"""The readable view: complete, honest at any width and without colour, safe for a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from claimx.terminal.view import print_extraction
from claimx.types import Extraction, Failure, Person, Quote, Span

STYLES = re.compile(r"\x1b\[[0-9;]*m")


class Screen(io.StringIO):
    """What a terminal is given; `encoding` is the terminal's."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def shown(extraction: Extraction, width: int = 80, encoding: str = "utf-8", **options) -> str:
    screen = Screen(encoding)
    print_extraction(extraction, Console(file=screen, width=width, **options))
    return screen.getvalue()


def section(extraction: Extraction, name: str, **options) -> str:
    """Return what stands below a heading, with its white space squeezed."""
    parts = re.split(
        r"^(Text|Who said what|Claims|People)\b", shown(extraction, **options), flags=re.M
    )
    return " ".join(parts[parts.index(name) + 1].split())


def read(text: str, **found) -> Extraction:
    return Extraction("a", text=text, **found)


def person(text: str, name: str) -> Person:
    start = text.index(name)
    return Person("p0", name, (Span(start, start + len(name), name, 0.9),))


# ---- the sentences


def test_layers_inside_one_another_are_told_apart_by_signs(harbour):
    text = section(harbour, "Text")
    assert (
        "A«“Close the pier,”» said A{*Ines Okafor*, _deputy head_ of _the Harbour Board_}." in text
    )
    assert "A{She} said A«that roughly [40 percent]¹ of the piles were rotten»." in text


def test_a_quote_without_source_has_a_question_mark_for_a_letter(harbour):
    assert "The firm expects ?«[5 to 7 months]² of repairs»." in section(harbour, "Text")


def test_where_there_is_bold_and_underline_they_stand_for_the_signs(harbour):
    text = shown(harbour, force_terminal=True, color_system="standard", no_color=True)
    assert "\x1b[1mInes Okafor\x1b[0m" in text
    assert "\x1b[4mdeputy head\x1b[0m" in text
    assert "*" not in STYLES.sub("", text)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", text)  # no colour


def test_the_text_is_whole_once_the_signs_are_taken_out(harbour):
    text = section(harbour, "Text", width=500).partition("claim 1 ")[2]
    assert re.sub(r"[A-Z?](?=[«{])|[«»{}*_\[\]¹²]", "", text) == harbour.text


def test_spans_that_cross_are_closed_in_their_own_places():
    text = "Anna Berg spoke."
    quote = Quote("q0", 5, 15, "Berg spoke", "indirect", 0.9)
    found = read(text, quotes=(quote,), people=(person(text, "Anna Berg"),))
    assert "*Anna ?«Berg* spoke»." in section(found, "Text")


def test_lines_are_apart_where_the_text_has_them_so():
    text = "Anna\nBerg\n\nspoke\r\n\r\n\r\nhere"
    lines = [
        line.strip() for line in shown(read(text, people=(person(text, "Anna"),))).splitlines()
    ]
    at = lines.index("*Anna*")
    assert lines[at : at + 6] == ["*Anna*", "Berg", "", "spoke", "", "here"]


def test_sentences_that_a_long_article_leaves_out_are_counted():
    text = "It rained. " * 50 + "Anna spoke. " + "It rained. " * 7
    view = section(read(text, people=(person(text, "Anna"),)), "Text")
    assert "1 of 58 sentences; nothing was found in the others" in view
    assert "… 50 sentences without findings left out … *Anna* spoke. … 7 sentences" in view
    assert "rained" not in view


def test_a_short_article_is_shown_whole():
    text = "It rained. " * 10 + "Anna spoke. "
    view = section(read(text, people=(person(text, "Anna"),)), "Text")
    assert view.count("It rained.") == 10
    assert "left out" not in view


# ---- the lists


def test_everything_that_a_source_said_stands_together_with_kind_and_score(harbour):
    said = section(harbour, "Who said what")
    assert (
        "A Ines Okafor · deputy head · the Harbour Board "
        "0.98 direct “Close the pier,” "
        "0.74 indirect that roughly 40 percent of the piles were rotten"
    ) in said
    assert "? no source named 0.40 indirect 5 to 7 months of repairs" in said


def test_a_quote_is_cut_to_a_line_only_where_the_text_shows_it_whole(harbour):
    long = replace(harbour.quotes[0], text="word " * 40 + "end")
    found = replace(harbour, quotes=(long,))
    assert "word wor…" in section(found, "Who said what")
    assert "word end" in section(replace(found, text=None), "Who said what")


def test_a_source_is_not_described_by_what_its_name_says(harbour):
    quote = harbour.quotes[0]
    speaker = replace(quote.speaker, affiliations=(Span(0, 1, "the  Okafor", 0.9),))
    found = replace(harbour, quotes=(replace(quote, speaker=speaker),), people=())
    assert "A Ines Okafor · deputy head 0.98" in section(found, "Who said what")


@pytest.mark.parametrize("width", [80, 40])
def test_a_claim_is_shown_with_value_measured_thing_who_claims_it_and_score(harbour, width):
    table = section(harbour, "Claims", width=width)
    if width == 80:
        assert "1 roughly 40 percent about 40 percent piles A Ines Okafor 0.90" in table
        assert "2 5 to 7 months 5 to 7 months – the article 0.90" in table
    else:
        assert (
            "# 1 as stated roughly 40 percent value about 40 percent of what piles "
            "claimed by A Ines Okafor score 0.90"
        ) in table


def test_a_claim_with_an_endless_surface_is_cut_in_the_middle(harbour):
    surface = "40 percent " + "of the old " * 50 + "piles"
    quantity = replace(harbour.claims[0].quantity, text=surface)
    claim = replace(harbour.claims[0], quantity=quantity)
    table = section(replace(harbour, claims=(claim,)), "Claims", width=300)
    assert "roughly 40 percent of the old" in table
    assert "… " in table
    assert table.count("of the old") < 12


def test_people_and_notes_are_shown(harbour):
    text = section(harbour, "People")
    assert "Ines Okafor deputy head the Harbour Board 1" in text
    assert "1 lone surrogate" in text


def test_a_role_is_listed_once_whatever_its_case(harbour):
    anna = harbour.people[0]
    roles = (*anna.roles, Span(0, 1, "Deputy  Head", 0.5))
    assert "eputy Head" not in section(
        replace(harbour, people=(replace(anna, roles=roles),)), "People"
    )


def test_an_article_with_nothing_in_it_says_so():
    assert "no quotes, claims or people found" in shown(Extraction("empty.txt"))


def test_an_error_record_says_why():
    assert "too large" in shown(Extraction("x", error=Failure("too_large", "too large")))


# ---- terminals of every kind


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [20, 40, 63, 64, 80, 200])
def test_no_line_is_wider_than_the_terminal(harbour, width, encoding):
    long = replace(harbour, id="folder/" * 30, text=f"{harbour.text} {'漢字' * 60} שלום")
    view = shown(long, width, encoding)
    assert all(cell_len(line) <= width for line in view.splitlines())
    view.encode(encoding)


def test_an_ascii_terminal_gets_words_in_its_letters(harbour):
    view = shown(replace(harbour, notes=("Ærø – naïve, 5 ½ €, 漢",)), encoding="ascii")
    assert 'A<"Close the pier,"> said A{*Ines Okafor*,' in view
    assert "[40 percent]#1" in view
    assert "note: ?r? - naive, 5 1/2 EUR , ??" in view


@given(st.text(max_size=60))
def test_no_article_can_steer_the_terminal(text):
    text = f"{text}\x1b[2J \x9b1m\x07\b\x7fAnna\u202e\r spoke{text}"
    start = text.index("Anna")
    anna = Person("p0", text, (Span(start, start + 5, text, 0.9),))
    view = shown(replace(read(text, people=(anna,), notes=(text,)), id=text))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", view)
    view.encode("utf-8")


def test_square_brackets_in_a_text_are_no_markup():
    text = "[bold]Anna[/bold] [/] [link=x]"
    quote = Quote("q0", 0, len(text), text, "direct", 0.9)
    found = read(text, people=(person(text, "Anna"),), quotes=(quote,))
    assert "?«[bold]*Anna*[/bold] [/] [link=x]»" in section(found, "Text")
    assert text in section(found, "Who said what")
