"""Text to tokens: offsets that hold, units, features, and long texts read in pieces."""

from __future__ import annotations

import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claimx import encoding as module
from claimx.encoding import FEATURE_SIZES, Encoding, encode
from claimx.text import INSIDE, OPENING
from tests.tiny import TOKENIZERS

both = pytest.mark.parametrize(
    "tokenizer", [make() for make in TOKENIZERS.values()], ids=TOKENIZERS
)
few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Whatever breaks tokenizers: NUL, control characters, zero width, accents apart from their
# letter, emoji of several code points, right to left, no spaces between words, odd white space.
NASTY = st.text(
    "aeBЖاש中한 \n\r\t\x0c\x1c\x85\xa0\u2028\u3000\0\u200b\u200d\u200f\u202e\ufeff\u0301\ufe0f\ufffd😀👩🚀𝔘1,.'\"“”’-_",
    max_size=60,
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "said",
        "Okafor",
        "harbours",
        "1,200",
        "don’t",
        "“No,”",
        "中文字",
        "a\u0301b",
        "😀👩",
        "x\u200by",
        "--",
    ]
)
SPACES = st.sampled_from(
    [" ", "  ", "\n", "\n\n", "\r\n", "\t", "\xa0", " \u3000 ", "\x0c", "\x85"]
)
PROSE = st.lists(st.tuples(WORDS, SPACES), max_size=40).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


def surfaces(text: str, encoding: Encoding) -> list[str]:
    """The text of every unit."""
    return [text[a:b] for a, b in zip(*encoding.unit_offsets(), strict=True)]


@both
@few
@given(text=NASTY)
def test_offsets_are_monotone_and_inside_the_text(tokenizer, text):
    result = encode(text, tokenizer)
    assert (np.diff(result.starts) >= 0).all()
    assert (np.diff(result.ends) >= 0).all()
    assert ((result.starts >= 0) & (result.starts < result.ends) & (result.ends <= len(text))).all()


@both
@few
@given(text=NASTY)
def test_no_token_begins_or_ends_with_white_space(tokenizer, text):
    result = encode(text, tokenizer)
    for start, end in zip(result.starts, result.ends, strict=True):
        assert not text[start].isspace()
        assert not text[end - 1].isspace()


@both
@few
@given(text=NASTY)
def test_units_follow_one_another_without_sharing_a_character(tokenizer, text):
    starts, ends = encode(text, tokenizer).unit_offsets()
    assert (starts < ends).all()
    assert (ends[:-1] <= starts[1:]).all()


@both
@few
@given(text=NASTY)
def test_every_feature_has_a_place_in_its_embedding(tokenizer, text):
    result = encode(text, tokenizer)
    assert result.features.shape == (len(result.ids), len(FEATURE_SIZES))
    # 0 is padding.
    assert (result.features > 0).all()
    assert (result.features < list(FEATURE_SIZES.values())).all()


@both
@few
@given(text=PROSE, piece=st.integers(20, 60))
@example(text="said\x0cboats " * 8, piece=20)
@example(text="said\x1cboats " * 8, piece=20)
@example(text="said  \n\n\n  boats" * 8, piece=20)
def test_a_text_read_in_pieces_equals_the_text_read_whole(tokenizer, monkeypatch, text, piece):
    # Cuts are made at plain spaces and line breaks; a stretch without any is cut anywhere.
    text = re.sub("[\xa0\x0c\x85]", r" \g<0>", text)
    whole = encode(text, tokenizer)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_PIECE", piece)
        patch.setattr(module, "_FEWEST", 3)
        pieces = encode(text, tokenizer)
    for entry in fields(Encoding):
        left, right = getattr(whole, entry.name), getattr(pieces, entry.name)
        assert np.array_equal(left, right), entry.name


@both
def test_a_long_text_is_cut_into_pieces(tokenizer, monkeypatch):
    lengths = []

    class Counting:
        def encode(self, text, **options):
            lengths.append(len(text))
            return tokenizer.encode(text, **options)

    monkeypatch.setattr(module, "_PIECE", 50)
    monkeypatch.setattr(module, "_FEWEST", 5)
    encode("the ferry was late " * 20 + "x" * 170, Counting())
    assert max(lengths) <= 50
    assert sum(lengths) == 20 * 19 + 170


@both
def test_a_word_of_several_tokens_is_one_unit(tokenizer):
    text = "Norvaleans mustn’t pay $1,250."
    result = encode(text, tokenizer)
    assert surfaces(text, result) == [
        "Norvaleans", "mustn", "’", "t", "pay", "$", "1", ",", "250", ".",
    ]  # fmt: skip
    assert len(result.ids) > len(result.unit_tokens)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_pieces_of_one_emoji_are_one_unit(name):
    text = "a 😀 b"
    assert surfaces(text, encode(text, TOKENIZERS[name]())) == ["a", "😀", "b"]


@both
def test_a_letter_with_its_accent_apart_does_not_cut_a_word(tokenizer):
    text = "cafe\u0301s open"
    units = surfaces(text, encode(text, tokenizer))
    assert units == ["cafe\u0301s", "open"]


@both
@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000\u2028"])
def test_a_text_without_characters_has_no_tokens(tokenizer, text):
    result = encode(text, tokenizer)
    assert len(result.ids) == len(result.unit_tokens) == 0
    assert result.features.shape == (0, len(FEATURE_SIZES))
    assert [len(part) for part in result.unit_offsets()] == [0, 0]
    assert len(result.states) == len(text)


def feature_of(text: str, name: str, tokenizer) -> dict[str, int]:
    """The feature of each unit's first token, by the unit's surface."""
    result = encode(text, tokenizer)
    column = result.features[result.unit_tokens, list(FEATURE_SIZES).index(name)]
    return dict(zip(surfaces(text, result), column.tolist(), strict=True))


@both
def test_the_case_class_is_that_of_the_whole_word(tokenizer):
    lower, title, upper, mixed, digits, mark = range(1, 7)
    text = "boats Boats BOATS McBoats 1200 covid19 A ! Éclair"
    assert feature_of(text, "case", tokenizer) == {
        "boats": lower, "Boats": title, "BOATS": upper, "McBoats": mixed, "1200": digits,
        "covid19": mixed, "A": title, "!": mark, "Éclair": title,
    }  # fmt: skip
    # Every token of the word has it, not only the first.
    result = encode("Norvaleans", tokenizer)
    assert set(result.features[:, 0].tolist()) == {title}


@both
def test_the_quote_feature_is_the_state_of_the_characters(tokenizer):
    found = feature_of("He said “no harm” twice", "quote", tokenizer)
    assert found["He"] == 1
    assert found["“"] == OPENING + 1
    assert found["harm"] == INSIDE + 1


@both
def test_the_break_feature_tells_nothing_space_line_and_blank_line_apart(tokenizer):
    text = "One, two\nthree\n\nfour\r\nfive\n \nsix"
    assert feature_of(text, "break", tokenizer) == {
        "One": 4, ",": 1, "two": 2, "three": 3, "four": 4, "five": 3, "six": 4,
    }  # fmt: skip


@both
def test_nothing_is_truncated(tokenizer):
    text = "the ferry was late " * 2_000
    result = encode(text, tokenizer)
    assert result.ends[-1] == len(text.rstrip())
    assert len(result.unit_tokens) == 8_000
