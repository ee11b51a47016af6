"""Articles for the tests of the exchange formats: one by hand, and any number at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

LAYERS = {
    "attribution": ("QUOTE", "CUE", "SPEAKER"),
    "attribution_broad": ("QUOTE", "CUE", "SPEAKER"),
    "identity": ("PERSON", "ROLE", "AFFILIATION"),
    "quantity": ("QUANTITY", "MODIFIER", "MEASURED"),
    "dates": ("DATE", "per/iod 50%"),
}

TEXT = (
    "🚢 Harbour news\r\n\r\n"
    "“We lost 🙂 roughly 40 percent of the piles,” said Ines Okafor,\r\n"
    "deputy head of the board. “And\r\nthe crane.”\r\n"
)


def span(text: str, name: str, layer: str, label: str, surface: str, **attrs: Any) -> AnnotatedSpan:
    start = text.index(surface)
    return AnnotatedSpan(name, layer, label, start, start + len(surface), surface, attrs)


def harbour() -> AnnotatedArticle:
    """Emoji before and inside spans, CR LF, a span over two lines, every kind of link end."""
    quantity = {
        "value": 40, "low": None, "high": None, "unit": "percent", "kind": "percent",
        "modifier": "approximate", "change": "down",
    }  # fmt: skip
    spans = (
        span(TEXT, "q1", "attribution", "QUOTE", "“We lost 🙂 roughly 40 percent of the piles,”"),
        span(TEXT, "m1", "quantity", "MODIFIER", "roughly"),
        span(TEXT, "v1", "quantity", "QUANTITY", "40 percent", **quantity),
        span(TEXT, "x1", "quantity", "MEASURED", "piles"),
        span(TEXT, "c1", "attribution", "CUE", "said"),
        span(
            TEXT, "s1", "attribution", "SPEAKER",
            "Ines Okafor,\r\ndeputy head of the board",
        ),
        span(TEXT, "p1", "identity", "PERSON", "Ines Okafor"),
        span(TEXT, "r1", "identity", "ROLE", "deputy head"),
        span(TEXT, "q2", "attribution", "QUOTE", "“And\r\nthe crane.”"),
        span(
            TEXT, "b1", "attribution_broad", "QUOTE", "the piles", is_speech=True, no_source=False
        ),
    )  # fmt: skip
    links = (
        Link("said_by", "q1", "s1"), Link("cued_by", "q1", "c1"), Link("said_by", "q2", "s1"),
        Link("same_quote", "q2", "q1"), Link("refers_to", "s1", "p1"), Link("has_role", "p1", "r1"),
        Link("modified_by", "v1", "m1"), Link("measures", "v1", "x1"),
    )  # fmt: skip
    meta = {"genre": "wire", "n": [1, None, {"é": "“”"}]}
    return AnnotatedArticle("own/harbour", TEXT, spans, links, ("attribution", "quantity"), meta)


_PIECES = (
    "a", "Ruiz", "said", "40", "1,200", "don’t", "🙂", "👩‍🚀", "é", "e\u0301", "“", "”", '"', ",",
    ".", "%", "$", "<b>", "&amp;", "#", "-DOCSTART-", "\\n", "{", "T1", "%2F", "/",
)  # fmt: skip
_GAPS = (" ", " ", " ", "", "\n", "\r\n", "\n\n", "  ", "\t", "\u00a0", " \r\n ", "\u2028", "\x85")

_plain = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "USD per year", "USD", "true", "40", "1e3", "null", "a\nb\t|", "é🙂", " x", "007", "[]"]
    ),
)  # fmt: skip
_values = st.one_of(
    _plain, st.lists(_plain, max_size=2), st.dictionaries(st.text("ab"), _plain, max_size=2)
)
_keys = st.sampled_from(
    ["value", "low", "high", "unit", "kind", "modifier", "change", "is_speech", "a b", "é", "note"]
)
_ids = st.text("abqQ19_#:é🙂-", min_size=1, max_size=5)


@st.composite
def texts(draw: st.DrawFn) -> str:
    pieces = draw(
        st.lists(st.tuples(st.sampled_from(_PIECES), st.sampled_from(_GAPS)), max_size=20)
    )
    return "".join(piece + gap for piece, gap in pieces)


@st.composite
def articles(draw: st.DrawFn, *, scores: bool = False) -> AnnotatedArticle:
    """A legal article: spans that cross between layers but not inside one, links of all kinds."""
    text = draw(texts())
    names = draw(st.lists(_ids, unique=True, max_size=8))
    spans: list[AnnotatedSpan] = []
    taken: dict[str, list[tuple[int, int]]] = {}
    for name in names:
        layer = draw(st.sampled_from(sorted(LAYERS)))
        start = draw(st.integers(0, max(0, len(text) - 1)))
        surface = text[start : start + draw(st.integers(1, 12))]
        start += len(surface) - len(surface.lstrip())
        surface = surface.strip()
        end = start + len(surface)
        apart = all(end <= first or last <= start for first, last in taken.get(layer, []))
        if not surface or not apart:
            continue
        taken.setdefault(layer, []).append((start, end))
        label = draw(st.sampled_from(LAYERS[layer]))
        attrs = draw(st.dictionaries(_keys, _values, max_size=3))
        score = draw(st.floats(0, 1)) if scores else None
        spans.append(AnnotatedSpan(name, layer, label, start, end, surface, attrs, score))
    links = draw(_links([one.id for one in spans], scores)) if len(spans) > 1 else ()
    meta = draw(st.dictionaries(st.text(max_size=5), _values, max_size=2))
    layers = draw(st.lists(st.sampled_from(sorted(LAYERS)), unique=True))
    name = draw(st.sampled_from(["own/a", "A", "a.b/../c", "é 🙂", "CON"]))
    return AnnotatedArticle(name, text, tuple(spans), tuple(links), tuple(layers), meta)


@st.composite
def _links(draw: st.DrawFn, names: list[str], scores: bool) -> tuple[Link, ...]:
    ends = st.sampled_from(names)
    kinds = st.sampled_from(["covers", "mentions", "a/b c", "é"])
    drawn = draw(st.lists(st.tuples(kinds, ends, ends), unique=True, max_size=6))
    return tuple(
        Link(kind, head, tail, draw(st.floats(0, 1)) if scores else None)
        for kind, head, tail in drawn
        if head != tail
    )
