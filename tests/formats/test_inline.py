"""The inline mark-up: what it says, what it refuses, and that nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.errors import AnnotationError, FormatError
from claimx.formats.checks import CHANGES
from claimx.formats.inline import (
    parse_inline,
    parse_inline_report,
    read_inline,
    render_inline,
)
from claimx.formats.inline_tags import LAYERS, normal_order
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

HEAD = "---\nid: own/kiln\n---\n\n"

SAMPLE = """---
id: own/kiln
title: 'Kiln fires go out: 40 jobs at risk'
genre: wire
date: '2024-05-01'
phenomena:
  inverted_cue:
  - c1
---

<S id=s1 ref=p1><R id=r1>Foreman</R> <P id=p1 role=r1 aff=a1>Odo Brask</P> of <A id=a1>the Brask & Sons pottery</A></S> <C id=c1>feared</C> <Q id=q1 by=s1 cue=c1>that <M id=m1>about</M> <V id=v1 val=40 kind=count mod=approximate chg=down m=m1 of=x1>40</V> <X id=x1>jobs</X> would go</Q>.

<Q id=q2 by=s2 cue=c2>“Clay at &lt; $9 a sack,”</Q> <S id=s2 ref=p1>he</S> <C id=c2>said</C>, <Q id=q3 by=s2 cue=c2 same=q2>“is gone.”</Q> <P id=p2 same=p1>Brask</P> left.
"""


def body(marked: str) -> AnnotatedArticle:
    return parse_inline(f"{HEAD}{marked}\n")


def mistakes(marked: str) -> list[str]:
    return [str(problem) for problem in parse_inline_report(f"{HEAD}{marked}\n", "f.txt").problems]


def quantity(attributes: str) -> dict[str, object]:
    return dict(body(f"<V id=v1 {attributes}>12</V>").spans[0].attrs)


# ---- reading ------------------------------------------------------------------------------


def test_text_is_the_source_without_head_tags_and_outer_line_ends() -> None:
    article = parse_inline(SAMPLE)
    assert article.text == (
        "Foreman Odo Brask of the Brask & Sons pottery feared that about 40 jobs would go.\n\n"
        "“Clay at < $9 a sack,” he said, “is gone.” Brask left."
    )
    assert all(article.text[span.start : span.end] == span.text for span in article.spans)


def test_only_one_line_end_is_dropped_at_each_edge() -> None:
    assert parse_inline("---\nid: a\n---\n\n\nx\n\n").text == "\nx\n"


def test_every_link_attribute_becomes_its_link() -> None:
    links = {(link.type, link.head, link.tail) for link in parse_inline(SAMPLE).links}
    assert links == {
        ("said_by", "q1", "s1"),
        ("cued_by", "q1", "c1"),
        ("said_by", "q2", "s2"),
        ("cued_by", "q2", "c2"),
        ("said_by", "q3", "s2"),
        ("cued_by", "q3", "c2"),
        ("same_quote", "q3", "q2"),
        ("refers_to", "s1", "p1"),
        ("refers_to", "s2", "p1"),
        ("same_person", "p2", "p1"),
        ("has_role", "p1", "r1"),
        ("affiliated_with", "p1", "a1"),
        ("modified_by", "v1", "m1"),
        ("measures", "v1", "x1"),
    }


def test_comma_lists_keep_their_order() -> None:
    article = body("<S id=s2>Ilo</S> and <S id=s1>Una</S> said <Q id=q1 by=s1,s2>no</Q>")
    assert [link.tail for link in article.links] == ["s1", "s2"]


def test_head_becomes_meta_without_id_and_dates_stay_text() -> None:
    article = parse_inline("---\nid: a\ndate: 2024-05-01\ntopic: no\ncount: 3\n---\nx\n")
    assert article.id == "a"
    assert article.meta == {"date": "2024-05-01", "topic": "no", "count": 3}


def test_all_three_layers_are_complete_unless_the_head_says_otherwise() -> None:
    assert body("x").complete_layers == ("attribution", "identity", "quantity")
    named = parse_inline("---\nid: a\ncomplete_layers: [quantity]\n---\nx\n")
    assert named.complete_layers == ("quantity",)
    assert "complete_layers" not in named.meta


def test_carriage_returns_stay_in_the_text() -> None:
    article = parse_inline("---\r\nid: a\r\n---\r\n\r\n<S id=s1>x</S>\r\ny\r\n")
    assert article.text == "x\r\ny"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("val=12", {"value": 12, "kind": "count", "modifier": "exact", "change": "none"}),
        ("val=-0.5 kind=ratio", {"value": -0.5, "kind": "ratio"}),
        ("val=12 mod=lower_bound", {"value": 12, "low": 12, "high": None}),
        ("val=12 mod=upper_bound", {"value": 12, "low": None, "high": 12}),
        ("lo=24", {"value": None, "low": 24, "high": None, "modifier": "lower_bound"}),
        ("lo=4 hi=5", {"value": None, "low": 4, "high": 5, "modifier": "range"}),
        ("val=3 unit=percentage_point", {"unit": "percentage point", "kind": "percent"}),
        ("val=3 unit=USD_per_year", {"unit": "USD per year", "kind": "money"}),
        ("val=3 unit=barrel_per_day kind=measure", {"unit": "barrel per day"}),
        ("val=3 chg=up", {"change": "up", "unit": None}),
    ],
)
def test_quantity_attributes_are_filled_in(attributes: str, expected: dict[str, object]) -> None:
    attrs = quantity(attributes)
    assert list(attrs) == ["value", "low", "high", "unit", "kind", "modifier", "change"]
    assert {key: attrs[key] for key in expected} == expected


# ---- mistakes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "place", "told"),
    [
        ("a <Z id=z1>b</Z>", "5:3", "'<Z id=z1>' is not a tag"),
        ("<Z id=z1>a</Z> <Z id=z2>b</Z>", "5:1", "other labels have no tag"),
        ("1 < 2", "5:3", "written &lt;"),
        ("x\n <S id=s1>b", "6:2", "<S> is never closed; add </S>"),
        ("b</S>", "5:2", "</S> closes a tag that is not open"),
        ("<S id=s1>a <P id=p1>b</S></P>", "5:22", "comes before the </P> of f.txt:5:12"),
        ("<S>b</S>", "5:1", "<S> needs an id"),
        ("<S id=s1>a</S> <S id=s1>b</S>", "5:16", "the id is taken by f.txt:5:1"),
        ("<S id=s1></S>", "5:1", "spans nothing"),
        ("<S id=s1> b</S>", "5:1", "white space at its edge"),
        ("<S id=s1>a <C id=c1>b</C></S>", "5:12", "must not overlap"),
        ("<S id=s1 by=q1>b</S>", "5:1", "unknown attribute 'by'; <S> takes id, ref, role, aff"),
        ("<S id=s1 ref = p1>b</S>", "5:1", "'ref' is not key=value"),
        ('<S id="s1">b</S>', "5:1", "write id=s1 without marks"),
        ("<S id=s1 id=s2>b</S>", "5:1", "id is given twice"),
        ("<Q id=q1 by=s9>b</Q>", "5:1", "there is no span with the id 's9'"),
        ("<C id=c1>a</C> <Q id=q1 by=c1>b</Q>", "5:16", "c1 is a <C>; by= takes the id of a <S>"),
        ("<P id=p1 same=p1>b</P>", "5:1", "points at its own span"),
        ("<V id=v1 val=1,200>b</V>", "5:1", "val=1,200 is not a plain number"),
        ("<V id=v1 val=nan>b</V>", "5:1", "val=nan is not a plain number"),
        ("<V id=v1>b</V>", "5:1", "give val="),
        ("<V id=v1 val=3 unit=year>b</V>", "5:1", "say kind=duration"),
        ("<V id=v1 val=3 kind=many>b</V>", "5:1", "kind=many: use one of percent, money"),
        ("<V id=v1 val=3 unit=none>b</V>", "5:1", "leave unit out"),
        ("<V id=v1 val=3 mod=range>b</V>", "5:1", "takes low and high without value"),
        ("<V id=v1 val=3 lo=4 mod=lower_bound>b</V>", "5:1", "a bound repeats the value 3"),
        ("<V id=v1 lo=5 hi=4>b</V>", "5:1", "low 5 is above high 4"),
        ("<V id=v1 val=3 kind=money>b</V>", "5:1", "kind money needs a currency"),
    ],
)
def test_mistake_is_told_with_its_place_and_remedy(marked: str, place: str, told: str) -> None:
    found = mistakes(marked)
    assert any(line.startswith(f"f.txt:{place}: ") and told in line for line in found), found


def test_all_mistakes_of_a_file_come_together() -> None:
    with pytest.raises(AnnotationError) as caught:
        parse_inline(
            f"{HEAD}<S id=s1 ref=p9>a</S> <V id=v1 val=x>b</V>\n<C id=c1>d </C>\n", "f.txt"
        )
    message = str(caught.value)
    assert "3 problems" in message
    assert [f"f.txt:{place}: " in message for place in ("5:1", "5:23", "6:1")] == [True] * 3


def test_quote_chain_is_refused() -> None:
    found = mistakes("<Q id=q1>a</Q> <Q id=q2 same=q1>b</Q> <Q id=q3 same=q2>c</Q>")
    assert ["same_quote q3 -> q2 is a chain" in line for line in found] == [True]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("no head at all\n", "no front matter"),
        ("---\ntitle: x\n---\ny\n", "`id` must be text"),
        ("---\nid: 7\n---\ny\n", "`id` must be text"),
        ("---\nid: a\nid: b\n---\ny\n", "line 3: the key 'id' is given twice"),
        ("---\nid: a\ntitle: b: c\n---\ny\n", "front matter, line 3"),
        ("---\nid: a\ntext: b\n---\ny\n", "the key `text` is not allowed"),
        ("---\nid: a\nx: &b [1]\ny: *b\n---\ny\n", "aliases (*name) are not allowed"),
        ("---\nid: a\nx: !!python/name:os.system\n---\ny\n", "could not determine a constructor"),
        ("---\n- a\n---\ny\n", "must be a mapping"),
        (f"---\nid: a\nx: {'[' * 50_000}\n---\ny\n", "line 3: nested deeper than 40"),
        (f"---\nid: {'a' * 100_001}\n---\ny\n", "longer than 100000 characters"),
        ("---\nid: a\n7: b\n---\ny\n", "the key 7 must be text"),
    ],
)
def test_broken_head_is_told(source: str, told: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        parse_inline(source, "f.txt")
    assert told in str(caught.value)
    assert "f.txt:1" in str(caught.value)


def test_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"---\nid: a\n---\n\xff\n")
    with pytest.raises(FormatError, match=r"a\.txt:4: not UTF-8"):
        read_inline(path)


def test_missing_file_is_a_format_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_inline(tmp_path / "none.txt")


# ---- writing ------------------------------------------------------------------------------


def test_normal_form_renders_as_itself() -> None:
    assert render_inline(parse_inline(SAMPLE)) == SAMPLE


def test_rendering_normalises_what_people_write() -> None:
    written = (
        "---\n{id: a, title: T}\n---\n<V of=x1  val=12 mod=exact kind=count id=v1 >12</V> "
        "<X id=x1>tins</X> &amp; 1 &lt; 2 &amp;lt;"
    )
    assert render_inline(parse_inline(written)) == (
        "---\nid: a\ntitle: T\n---\n\n<V id=v1 val=12 kind=count of=x1>12</V> "
        "<X id=x1>tins</X> & 1 &lt; 2 &amp;lt;\n"
    )


def span(span_id: str, layer: str, label: str, start: int, end: int, text: str) -> AnnotatedSpan:
    return AnnotatedSpan(span_id, layer, label, start, end, text[start:end])


def test_crossing_spans_are_refused() -> None:
    text = "one two three"
    spans = (
        span("q1", "attribution", "QUOTE", 0, 7, text),
        span("p1", "identity", "PERSON", 4, 13, text),
    )
    with pytest.raises(AnnotationError, match=r"QUOTE q1 \[0, 7\) and PERSON p1 .*cross"):
        render_inline(AnnotatedArticle("a", text, spans, complete_layers=LAYERS))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"layer": "attribution_broad"}, "no tag for QUOTE in layer attribution_broad"),
        ({"label": "ORG"}, "no tag for ORG"),
        ({"score": 0.5}, "it has a score"),
        ({"attrs": {"is_speech": True}}, "cannot be written"),
        ({"id": "q 1"}, "the id cannot be written"),
    ],
)
def test_what_tags_cannot_express_is_refused(change: dict[str, object], told: str) -> None:
    text = "one two"
    wrong = replace(span("q1", "attribution", "QUOTE", 0, 3, text), **change)
    with pytest.raises(AnnotationError, match=told):
        render_inline(AnnotatedArticle("a", text, (wrong,)))


def test_lone_surrogate_is_refused() -> None:
    with pytest.raises(AnnotationError, match="lone surrogate at 1"):
        render_inline(AnnotatedArticle("a", "x\ud800"))


def test_example_of_the_guidelines_is_legal() -> None:
    guidelines = Path(__file__).parents[2] / "data" / "annotations" / "GUIDELINES.md"
    source = guidelines.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    article = parse_inline(source)
    assert {span.layer for span in article.spans} == set(LAYERS)


def test_mistakes_without_end_are_cut_off() -> None:
    found = mistakes("<" * 50_000)
    assert len(found) < 1100
    assert "the rest is not read" in found[-1]


# ---- nothing is lost ----------------------------------------------------------------------

_LABELS = {
    "attribution": ("QUOTE", "CUE", "SPEAKER"),
    "identity": ("PERSON", "ROLE", "AFFILIATION"),
    "quantity": ("QUANTITY", "MODIFIER", "MEASURED"),
}
_LINKABLE = (
    ("said_by", "QUOTE", "SPEAKER"),
    ("cued_by", "QUOTE", "CUE"),
    ("refers_to", "SPEAKER", "PERSON"),
    ("has_role", "SPEAKER", "ROLE"),
    ("has_role", "PERSON", "ROLE"),
    ("affiliated_with", "PERSON", "AFFILIATION"),
    ("modified_by", "QUANTITY", "MODIFIER"),
    ("measures", "QUANTITY", "MEASURED"),
)
_NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9).filter(lambda n: abs(n) > 1e-9)
_UNITS = st.sampled_from(
    [
        (None, "count"),
        ("percent", "percent"),
        ("USD per year", "money"),
        ("year", "age"),
        ("barrel per day", "measure"),
        (None, "multiple"),
    ]
)
_CHARACTERS = st.text(
    st.characters(exclude_categories=("Cs",)) | st.sampled_from("<>&;\n\r \"'”"), max_size=12
)
_SCALARS = st.none() | st.booleans() | st.integers() | _NUMBERS | _CHARACTERS
_META = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(
        lambda key: key not in ("id", "text", "complete_layers")
    ),
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_CHARACTERS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@st.composite
def quantity_attrs(draw: st.DrawFn) -> dict[str, object]:
    unit, kind = draw(_UNITS)
    modifier = draw(
        st.sampled_from(["exact", "approximate", "lower_bound", "upper_bound", "range"])
    )
    first, second = sorted((draw(_NUMBERS), draw(_NUMBERS)))
    value: object = None if modifier == "range" else first
    low: object = first if modifier in ("lower_bound", "range") else None
    high: object = {"upper_bound": first, "range": second}.get(modifier)
    if modifier == "lower_bound" and draw(st.booleans()):
        value = None
    change = draw(st.sampled_from(CHANGES))
    return {
        "value": value,
        "low": low,
        "high": high,
        "unit": unit,
        "kind": kind,
        "modifier": modifier,
        "change": change,
    }


_WORDS = ("Ana", "<b>", "&lt;", "“x", "&", "12", "é😀")
_GAPS = (" ", "\n\n", " < ", "&amp;", "\r\n")
_PIECES = ("<Q id=q1>", "</Q>", "<P", ">", "x ", "<V id=v1 val=2>", "</V>", "&lt;", "\n")


@st.composite
def legal_articles(draw: st.DrawFn) -> AnnotatedArticle:
    """Words that spans of the three layers begin and end at, flat inside and nested across."""
    words = draw(
        st.lists(st.sampled_from(["Ana", "<b>", "&lt;", "“x", "&", "12", "é😀"]), max_size=12)
    )
    gaps = [draw(st.sampled_from([" ", "\n\n", " < ", "&amp;", "\r\n"])) for _ in words]
    starts, text = [], draw(_CHARACTERS)
    for word, gap in zip(words, gaps, strict=True):
        starts.append(len(text))
        text += word + gap
    spans: list[AnnotatedSpan] = []
    for _ in range(draw(st.integers(0, 8)) if words else 0):
        first = draw(st.integers(0, len(words) - 1))
        last = draw(st.integers(first, len(words) - 1))
        start, end = starts[first], starts[last] + len(words[last])
        layer = draw(st.sampled_from(list(_LABELS)))
        if any(
            (one.layer == layer and start < one.end and one.start < end)
            or one.start < start < one.end < end
            or start < one.start < end < one.end
            for one in spans
        ):
            continue
        label = draw(st.sampled_from(_LABELS[layer]))
        attrs = draw(quantity_attrs()) if label == "QUANTITY" else {}
        name = f"{label[0].lower()}{len(spans)}"
        spans.append(AnnotatedSpan(name, layer, label, start, end, text[start:end], attrs))
    possible = [
        Link(kind, one.id, other.id)
        for kind, head, tail in _LINKABLE
        for one in spans
        for other in spans
        if (one.label, other.label) == (head, tail)
    ]
    links = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    layers = draw(st.sampled_from([LAYERS, ("quantity",), ()]))
    return AnnotatedArticle("own/a", text, tuple(spans), tuple(links), layers, draw(_META))


@settings(deadline=None, max_examples=60)
@given(legal_articles())
def test_rendering_and_parsing_gives_the_article_back(article: AnnotatedArticle) -> None:
    rendered = render_inline(article)
    assert parse_inline(rendered) == normal_order(article)
    assert render_inline(parse_inline(rendered)) == rendered


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            ["<Q id=q1>", "</Q>", "<P", ">", "x ", "<V id=v1 val=2>", "</V>", "&lt;", "\n"]
        )
    )
)
def test_any_mixture_of_tags_is_read_or_told(pieces: list[str]) -> None:
    parsed = parse_inline_report(HEAD + "".join(pieces))
    if parsed.problems:
        assert all(problem.where and problem.message for problem in parsed.problems)
    else:
        assert parsed.article is not None
        assert parse_inline(render_inline(parsed.article)) == parsed.article
