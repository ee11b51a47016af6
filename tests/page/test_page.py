"""The page: the text character for character, everything escaped, every link with an end."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claimx.page.document import page
from claimx.page.marks import Mark, marks_of, segments
from claimx.page.naming import headline_end, letters
from claimx.types import Extraction, Failure
from tests.page.parsing import Parsed, marked, written

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> &amp; ]]> --> \u2028</style>\u202e"
)
ELEMENTS = set(
    "html head meta title style body a p main div ul li span label input article header h1 h2 h3 "
    "h4 q aside form select option fieldset legend output button section ol small details summary "
    "dl dt dd script nav b".split()
)

# Texts with everything that a parser may trip over, and spans that nest and cross.
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from("<>&\"'\r\n\t\0 \u2028\u202e\ud800\U0001f600;#x")),
    min_size=1,
    max_size=80,
)


@st.composite
def extractions(draw: st.DrawFn) -> Extraction:
    text = draw(TEXTS)
    edges = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))
    kinds = st.sampled_from(["quote", "speaker", "person", "role", "claim"])
    drawn = draw(st.lists(st.tuples(kinds, edges), max_size=8))
    return marked(
        text, [(kind, min(ends), max(ends)) for kind, ends in drawn if ends[0] != ends[1]]
    )


@given(extractions())
def test_a_parser_gets_the_text_back_character_for_character(found):
    parsed = Parsed(page([found]))
    assert parsed.texts == [written(found.text)]


@given(extractions())
@example(Extraction("a", "0", "m", "reported", text=" \n"))
def test_the_page_is_well_formed_and_ids_are_unique(found):
    parsed = Parsed(page([found, found]))
    assert {tag for tag, _ in parsed.tags} <= ELEMENTS
    assert len(set(parsed.ids())) == len(parsed.ids())


def test_every_link_leads_to_a_place_on_the_page(harbour):
    parsed = Parsed(page([harbour, harbour]))
    links = [attrs["href"] for tag, attrs in parsed.tags if tag == "a"]
    assert len(links) > 20
    assert {link.removeprefix("#") for link in links} <= set(parsed.ids())


def test_nothing_from_a_record_becomes_markup():
    text = f"{HOSTILE} said {HOSTILE}"
    found = marked(
        text, [("quote", 0, 40), ("speaker", 50, 70), ("person", 45, 60), ("claim", 3, 9)],
        id=HOSTILE, model=HOSTILE, attribution=HOSTILE, meta={HOSTILE: [HOSTILE]}, notes=(HOSTILE,),
    )  # fmt: skip
    source = replace(found.sources[0], name=HOSTILE, kind=HOSTILE)
    broken = Extraction(HOSTILE, error=Failure("x", HOSTILE))

    parsed = Parsed(page([replace(found, sources=(source,)), broken], HOSTILE))

    assert {tag for tag, _ in parsed.tags} <= ELEMENTS
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert not [name for _, attrs in parsed.tags for name in attrs if name.startswith("on")]
    assert not [attrs for _, attrs in parsed.tags if {"src", "style", "action"} & attrs.keys()]
    assert all(attrs["href"].startswith("#") for _, attrs in parsed.tags if attrs.get("href"))
    assert parsed.texts == [text]
    assert "\u202e" not in parsed.words


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(harbour):
    parsed = Parsed(page([harbour]))
    (policy,) = [a["content"] for t, a in parsed.tags if t == "meta" and "http-equiv" in a]

    def hashed(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{hashed(parsed.raw['script'])}'" in policy
    assert f"style-src 'sha256-{hashed(parsed.raw['style'])}'" in policy


def test_marks_are_told_by_name_and_offsets_are_code_points():
    text = "\U0001f600 “\U0001f4a1 No,” said Ana."
    found = marked(text, [("quote", 2, 9), ("speaker", 15, 18), ("person", 15, 18)])
    shown = page([found])
    quote = '<span class="direct new tint0" data-q="0">(<a [^>]*></a>)“\U0001f4a1 No,”</span> said'
    assert re.search(quote, shown)
    assert 'class="speaker new tint0" data-s="0"><span class="person new"' in re.sub(
        r' data-[pt]="[^"]*"| id="[^"]*"', "", shown
    )


def test_sources_claims_and_people_are_listed_beside_the_text(harbour):
    words = " ".join(Parsed(page([harbour])).words.split())
    assert "Sources Ines Okafor person · deputy head · the Harbour Board · 2 quotes “Close" in words
    assert "about 40 percent piles roughly 40 percent of the piles Ines Okafor · 0.90" in words
    assert "No source named 1 quote 5 to 7 months of repairs" in words
    assert "the article itself · 0.90" in words


def test_a_badge_says_who_says_a_quote_and_how_sure_that_is(harbour):
    labels = [attrs.get("aria-label") for _, attrs in Parsed(page([harbour])).tags]
    assert (
        "Indirect quote 2: Ines Okafor (“She”), deputy head, the Harbour Board; score 0.74"
        in labels
    )


def test_several_articles_have_an_index_and_failures_are_named_in_it(harbour):
    failed = Extraction("broken.txt", error=Failure("not_text", "this is a picture"))
    parsed = Parsed(page([harbour, failed]))
    assert "broken.txt  not read: this is a picture" in parsed.words
    assert [attrs["id"] for tag, attrs in parsed.tags if tag == "article"] == ["a0", "a1"]
    assert [tag for tag, _ in parsed.tags].count("h1") == 1


def test_an_article_in_which_nothing_is_found_is_shown():
    found = Extraction("x", "0", "m", "reported", text="Nothing to see.\n")
    parsed = Parsed(page([found]))
    assert parsed.texts == ["Nothing to see.\n"]
    assert "No quotes, claims or people found." in parsed.words


def test_the_headline_is_a_heading_and_a_title_in_meta_comes_before_it():
    found = marked("Pier closed\n\nIt rained. “No,” she said.", [("quote", 24, 29)])
    assert re.search(r"<h1 [^>]*>Pier closed</h1>", page([found]))
    other = page([replace(found, meta={"title": "Storm"})])
    assert re.search(r"<h1 [^>]*>Storm</h1>", other)
    assert "<p>Pier closed</p>" in other


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("Pier closed\n\nIt rained.", "Pier closed"),
        ("\n \nPier closed\r\nIt rained.", "\n \nPier closed"),
        ("It rained all day.\n\nThen it stopped.", ""),
        ("Pier closed", ""),
        ("Friday, January 4, 2019\n\nIt rained.", ""),
        ("4 January 2019\nIt rained.", ""),
        ("word " * 40 + "\nIt rained.", ""),
        ("", ""),
    ],
)
def test_a_headline_is_a_short_first_line_that_is_no_sentence(text, headline):
    assert text[: headline_end(text)] == headline


# ---- segments


@given(extractions(), st.sets(st.integers(0, 80)))
def test_segments_cover_the_text_and_carry_exactly_the_marks_over_them(found, cuts):
    length, marks = len(found.text), marks_of(found)
    made = list(segments(length, marks, {cut for cut in cuts if cut <= length}))
    assert made[0].start == 0
    assert made[-1].end == length
    assert all(one.end == other.start for one, other in pairwise(made))
    for piece in made:
        for at in (piece.start, piece.end - 1):
            assert set(piece.marks) == {mark for mark in marks if mark.start <= at < mark.end}


def test_a_speaker_of_several_quotes_is_one_mark_that_points_at_all():
    found = marked("aa bb cc", [("quote", 0, 2), ("quote", 6, 8), ("speaker", 3, 5)])
    speakers = [mark for mark in marks_of(found) if mark.kind == "speaker"]
    assert speakers == [Mark("attribution", "speaker", 3, 5, (0, 1), 0.5)]


def test_sources_are_counted_in_letters():
    assert [letters(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
