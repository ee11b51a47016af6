"""Native files: streaming, everything that is wrong told together, reproducible bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimx.errors import AnnotationError, FormatError
from claimx.formats import Problem, check_article, read_articles, write_articles
from claimx.formats.native import read_native, write_native
from claimx.labels import DEFAULT_SCHEMA
from claimx.types import AnnotatedArticle, AnnotatedSpan, Link

TEXT = "“Ja 😀,” she said."


def article(name: str = "a", text: str = TEXT) -> AnnotatedArticle:
    spans = (
        AnnotatedSpan("q1", "attribution", "QUOTE", 0, 7, text[0:7]),
        AnnotatedSpan("s1", "attribution", "SPEAKER", 8, 11, text[8:11]),
    )
    links = (Link("said_by", "q1", "s1"),)
    return AnnotatedArticle(name, text, spans, links, ("attribution",), {"n": [1, None]})


def record(**change: object) -> str:
    return json.dumps({**article().to_dict(), **change}, ensure_ascii=False)


def write(path: Path, *lines: str | bytes) -> Path:
    data = [line.encode() if isinstance(line, str) else line for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in data))
    return path


# ---- reading what is right ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    articles = [article("a"), article("b"), AnnotatedArticle("c", "")]
    assert write_articles(tmp_path / name, articles) == 3
    assert list(read_articles(tmp_path / name)) == articles


def test_offsets_are_code_points(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", record())
    (read,) = read_articles(path)
    assert [span.text for span in read.spans] == ["“Ja 😀,”", "she"]


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    odd = article(text=TEXT + " a\u2028b\x85c\x0cd\re")
    write_articles(tmp_path / "a.jsonl", [odd])
    assert list(read_articles(tmp_path / "a.jsonl")) == [odd]


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + record().encode(), "", "  ", record())
    assert len(list(read_articles(path))) == 2


def test_empty_file_holds_no_article(tmp_path: Path) -> None:
    assert list(read_articles(write(tmp_path / "a.jsonl"))) == []


def test_last_line_of_a_gzip_file_needs_no_line_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(f"{record()}\n{record(id='z')}".encode()))
    assert [read.id for read in read_articles(path)] == ["a", "z"]


def test_lines_longer_than_a_chunk_are_whole(tmp_path: Path) -> None:
    long = [AnnotatedArticle(str(n), "wörd " * 700_000) for n in range(2)]
    write_articles(tmp_path / "a.jsonl.gz", long)
    assert list(read_articles(tmp_path / "a.jsonl.gz")) == long


def test_reading_streams(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", record(), "{broken")
    stream = read_articles(path)
    assert next(stream).id == "a"


# ---- reading what is wrong ----------------------------------------------------------------

BAD_LINES = {
    "{broken": "not JSON at column 2",
    "[1]": "not a JSON object: '[1]'",
    '{"id": "a", "id": "b", "text": ""}': "the key 'id' is given twice",
    '{"id": "a", "text": "x", "meta": {"k": 1, "k": 2}}': "the key 'k' is given twice",
    '{"id": "a", "text": "x\\ud800y"}': "lone surrogate '\\ud800' near",
    '{"id": "a", "text": "x", "meta": {"n": NaN}}': "NaN is not a JSON number",
    '{"id": 5, "text": "x"}': "`id` must be a str, not '5'",
    '{"id": "a"}': "`text` is missing",
    '{"id": "a", "text": "x", "spans": null}': "`spans` must be a list",
    '{"id": "a", "text": "x", "meta": []}': "`meta` must be a dict",
    '{"id": "a", "text": "x", "spans": [7]}': "span 7 lacks",
    '{"id": "a", "text": "x", "complete_layers": [1]}': "`complete_layers` holds 1",
    '{"id": "a", "text": "x", "meta": ' + "[" * 100_000 + "}": "not JSON",
    '{"id": "a", "text": "x", "meta": {"n": ' + "9" * 5000 + "}}": "not JSON that can be read",
}
BAD_SPANS = {
    "outside": ({"start": 0, "end": 99}, "lies outside the text"),
    "empty": ({"start": 3, "end": 3}, "[3, 3) is empty"),
    "number": ({"start": "0", "end": 3}, "`start` and `end` must be whole numbers, not '0' and 3"),
    "surface": ({"start": 0, "end": 2, "text": "she"}, "reads '“J', not 'she'"),
    "attrs": ({"start": 0, "end": 2, "attrs": "x"}, "`attrs` must be an object"),
    "score": ({"start": 0, "end": 2, "score": "high"}, "`score` must be a number"),
    "label": ({"start": 0, "end": 2, "label": ["QUOTE"]}, "`label` must be a string"),
}


@pytest.mark.parametrize(("line", "told"), BAD_LINES.items(), ids=BAD_LINES.values())
def test_bad_line_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    path = write(tmp_path / "a.jsonl", record(), line)
    with pytest.raises(AnnotationError) as caught:
        list(read_articles(path))
    assert "a.jsonl:2: " in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(("change", "told"), BAD_SPANS.values(), ids=BAD_SPANS)
def test_bad_span_is_told(tmp_path: Path, change: dict[str, object], told: str) -> None:
    span = {"id": "q1", "layer": "attribution", "label": "QUOTE", **change}
    path = write(tmp_path / "a.jsonl", record(spans=[span], links=[]))
    with pytest.raises(AnnotationError) as caught:
        list(read_articles(path))
    assert told in str(caught.value)


def told(tmp_path: Path, **change: object) -> str:
    """What reading says of one line."""
    path = write(tmp_path / "a.jsonl", record(**change))
    with pytest.raises(AnnotationError) as caught:
        list(read_articles(path))
    return str(caught.value)


def test_spans_of_a_changed_text_are_told_once_with_how_far_they_are_shifted(
    tmp_path: Path,
) -> None:
    text = "The mint said it would shed 30 jobs."
    places = [(0, 8), (9, 13), (14, 35), (28, 30), (31, 35)]
    marked = [
        {"id": f"s{number}", "layer": f"l{number}", "label": "X", "start": start, "end": end,
         "text": text[start:end]}
        for number, (start, end) in enumerate(places)
    ]  # fmt: skip
    message = told(tmp_path, text=text.replace("said", "also said"), spans=marked, links=[])
    assert "4 spans from character 9 on are shifted: their text stands 5 places further" in message
    assert "Add 5 to their `start` and `end`" in message
    assert message.count("reads") == 1


def test_a_text_that_stands_elsewhere_is_told_with_its_place(tmp_path: Path) -> None:
    span = {"id": "q", "layer": "a", "label": "X", "start": 0, "end": 4, "text": "mint"}
    message = told(tmp_path, text="The mint.", spans=[span], links=[])
    assert "span q [0, 4) reads 'The ', not 'mint', which stands at [4, 8)" in message


def test_spans_of_one_id_are_told_by_it(tmp_path: Path) -> None:
    span = {"id": "q", "layer": "a", "label": "X", "start": 0, "end": 4}
    spans = [span, span | {"start": 5, "end": 6}]
    assert "2 spans have the id 'q'" in told(tmp_path, spans=spans, links=[])


def test_links_of_a_span_that_is_wrong_are_not_told_as_well(tmp_path: Path) -> None:
    spans = article().to_dict()["spans"]
    spans[0]["end"] = spans[0]["start"]
    message = told(tmp_path, spans=spans)
    assert "is empty" in message
    assert "not there" not in message


def test_bytes_that_are_not_utf8_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'{"id": "a", "text": "caf\xe9"}', record())
    with pytest.raises(AnnotationError, match=r"a\.jsonl:1: not UTF-8 at byte 24: .*caf.xe9"):
        list(read_articles(path))


def test_good_articles_come_first_and_then_all_problems_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", "{", record(), *["["] * 24, record())
    read: list[str] = []
    with pytest.raises(AnnotationError) as caught:
        read.extend(one.id for one in read_articles(path))
    lines = str(caught.value).splitlines()
    assert read == ["a", "a"]
    assert lines[0] == "25 problems:"
    assert lines[-1] == "and 5 more"
    assert len(lines) == 22


def test_callback_gets_the_problems_and_nothing_is_raised(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", "{", record(), "[]")
    problems: list[Problem] = []
    assert [read.id for read in read_articles(path, on_error=problems.append)] == ["a"]
    assert [problem.where for problem in problems] == [f"{path}:1", f"{path}:3"]


def test_schema_adds_the_structural_checks(tmp_path: Path) -> None:
    overlap = {"id": "s2", "layer": "attribution", "label": "SPEAKER", "start": 9, "end": 16}
    spans = [*article().to_dict()["spans"], overlap]
    path = write(tmp_path / "a.jsonl", record(spans=spans), record(id="b"))
    assert len(list(read_articles(path))) == 2
    with pytest.raises(AnnotationError, match=r"article 'a': SPEAKER s2 .* overlaps SPEAKER s1"):
        list(read_articles(path, schema=DEFAULT_SCHEMA))


# ---- files that are no whole file ---------------------------------------------------------


def test_cut_gzip_file_is_told(tmp_path: Path) -> None:
    write_articles(tmp_path / "a.jsonl.gz", [article(str(n)) for n in range(50)])
    whole = (tmp_path / "a.jsonl.gz").read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(whole[:-20])
    with pytest.raises(FormatError, match=r"a\.jsonl\.gz:\d+: the gzip file is cut short"):
        list(read_articles(tmp_path / "a.jsonl.gz"))


@pytest.mark.parametrize(
    "data", [b"", b"plain text", gzip.compress(b"x" * 99, mtime=0)[:-8] + b"\0" * 8]
)
def test_file_that_is_no_gzip_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    with pytest.raises(FormatError, match="gzip"):
        list(read_articles(tmp_path / "a.jsonl.gz"))


def test_decompressed_size_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * 5_000_000, mtime=0))
    with pytest.raises(FormatError, match="larger than 2000000 bytes when decompressed"):
        list(read_native(path, max_bytes=2_000_000))
    assert list(read_native(path, max_bytes=5_000_000)) == []


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"none\.jsonl: cannot be read: No such file"):
        list(read_articles(tmp_path / "none.jsonl"))


def test_unknown_suffix_is_told_with_those_known(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"\.jsonl \(native\), \.txt \(inline\)"):
        list(read_articles(tmp_path / "a.csv"))


# ---- folders ------------------------------------------------------------------------------


def test_folder_reads_its_files_in_sorted_order(tmp_path: Path) -> None:
    write_articles(tmp_path / "b.jsonl", [article("second")])
    write_articles(tmp_path / "a.jsonl.gz", [article("first")])
    (tmp_path / "c.txt").write_text("---\nid: third\n---\nx\n")
    (tmp_path / "README.md").write_text("not data")
    assert [read.id for read in read_articles(tmp_path)] == ["first", "second", "third"]


def test_folder_tells_the_problems_of_all_its_files_together(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", "{")
    (tmp_path / "b.txt").write_text("---\nid: b\n---\n<S>x</S>\n")
    with pytest.raises(AnnotationError) as caught:
        list(read_articles(tmp_path))
    assert "a.jsonl:1: " in str(caught.value)
    assert "b.txt:4:1: " in str(caught.value)


def test_folder_without_annotations_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no file of"):
        list(read_articles(tmp_path))


# ---- writing ------------------------------------------------------------------------------


def test_gzipped_bytes_depend_on_the_articles_alone(tmp_path: Path) -> None:
    write_articles(tmp_path / "a.jsonl.gz", [article()])
    write_articles(tmp_path / "other.jsonl.gz", [article()])
    data = (tmp_path / "a.jsonl.gz").read_bytes()
    assert data == (tmp_path / "other.jsonl.gz").read_bytes()
    assert data[4:8] == b"\0\0\0\0"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, name: str) -> None:
    write_articles(tmp_path / name, [article("old")])

    def failing() -> Iterator[AnnotatedArticle]:
        yield article("new")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_articles(tmp_path / name, failing())
    assert [read.id for read in read_articles(tmp_path / name)] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (AnnotatedArticle("a", "x\ud800"), "lone surrogate"),
        (AnnotatedArticle("a", "x", meta={"n": float("nan")}), "no JSON form"),
        (AnnotatedArticle("a", "x", meta={"n": {1, 2}}), "no JSON form"),
    ],
)
def test_article_without_json_form_is_refused(
    tmp_path: Path, bad: AnnotatedArticle, told: str
) -> None:
    with pytest.raises(AnnotationError, match=f"article 'a'.*{told}"):
        write_articles(tmp_path / "a.jsonl", [bad])
    assert list(tmp_path.iterdir()) == []


def test_inline_file_takes_one_article(tmp_path: Path) -> None:
    write_articles(tmp_path / "a.txt", [article()])
    assert next(iter(read_articles(tmp_path / "a.txt"))).spans == article().spans
    with pytest.raises(FormatError, match="one article, not 2"):
        write_articles(tmp_path / "b.txt", [article(), article()])


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=60), st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.txt"]))
def test_any_bytes_are_read_or_refused_with_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(data)
    try:
        assert all(isinstance(read, AnnotatedArticle) for read in read_articles(path))
    except (AnnotationError, FormatError) as error:
        assert str(path) in str(error)  # noqa: PT017 (both outcomes are legal)


@settings(deadline=None, max_examples=40)
@given(st.text(st.characters(exclude_categories=("Cs",))), st.sampled_from(["jsonl", "jsonl.gz"]))
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("text") / f"a.{suffix}"
    one = AnnotatedArticle("a", text, meta={text: text})
    write_native(path, [one])
    assert list(read_native(path)) == [one]


# ---- structural checks --------------------------------------------------------------------


def spans(*rows: tuple[str, str, str, int, int]) -> tuple[AnnotatedSpan, ...]:
    return tuple(
        AnnotatedSpan(name, layer, label, start, end, TEXT[start:end])
        for name, layer, label, start, end in rows
    )


A, I = "attribution", "identity"  # noqa: E741
QUOTE, SHE, SAID = ("q1", A, "QUOTE", 0, 7), ("s1", A, "SPEAKER", 8, 11), ("c1", A, "CUE", 12, 16)
PERSON, ORG = ("p1", I, "PERSON", 8, 11), ("o1", I, "ORG", 12, 16)

ALWAYS = [
    ((QUOTE, ("c1", A, "CUE", 6, 11)), (), "overlaps QUOTE q1"),
    ((("s1", A, "SPEAKER", 7, 11),), (), "white space at its edge"),
    ((QUOTE, ("q1", A, "QUOTE", 8, 11)), (), "2 spans have the id 'q1'"),
    ((QUOTE, SHE), (Link("said_by", "s1", "q1"),), "goes from QUOTE to SPEAKER"),
    ((QUOTE,), (Link("said_by", "q1", "s9"),), "names s9, which is not there"),
    ((QUOTE, SHE), (Link("said_by", "q1", "s1"),) * 2, "is given twice"),
    (
        (QUOTE, ("q2", A, "QUOTE", 8, 11), ("q3", A, "QUOTE", 12, 16)),
        (Link("same_quote", "q2", "q1"), Link("same_quote", "q3", "q2")),
        "same_quote q3 -> q2 is a chain",
    ),
    (
        (QUOTE, ("s1", "attribution_broad", "SPEAKER", 8, 11)),
        (Link("said_by", "q1", "s1"),),
        "is not allowed",
    ),
]
STRICT = [
    ((ORG,), (), "layer identity has the labels PERSON, ROLE, AFFILIATION"),
    ((("x1", "own", "DATE", 0, 7),), (), "unknown layer 'own'"),
    ((PERSON, ORG), (Link("affiliated_with", "p1", "o1"),), "is not allowed"),
    ((PERSON, ORG), (Link("coref", "p1", "o1"),), "unknown type"),
    ((("v1", "quantity", "QUANTITY", 0, 7),), (), "attributes of a QUANTITY: missing"),
    (
        (QUOTE, ("q2", A, "QUOTE", 8, 11)),
        (Link("same_quote", "q1", "q2"),),
        "q2 comes later in the text",
    ),
    (
        (SHE, PERSON, ("p2", I, "PERSON", 12, 16)),
        (Link("same_person", "p1", "p2"), Link("refers_to", "s1", "p1")),
        "refer to p2",
    ),
]


@pytest.mark.parametrize(("rows", "links", "told"), ALWAYS)
def test_structural_mistake_is_found(rows: tuple, links: tuple, told: str) -> None:
    found = check_article(AnnotatedArticle("a", TEXT, spans(*rows), links), DEFAULT_SCHEMA)
    assert [told in problem.message for problem in found] == [True]


@pytest.mark.parametrize(("rows", "links", "told"), STRICT)
def test_what_imported_corpora_may_hold_is_found_only_in_strict_mode(
    rows: tuple, links: tuple, told: str
) -> None:
    one = AnnotatedArticle("a", TEXT, spans(*rows), links)
    assert check_article(one, DEFAULT_SCHEMA) == []
    found = check_article(one, DEFAULT_SCHEMA, strict=True)
    assert any(told in problem.message for problem in found), found


def test_wrong_surface_is_found() -> None:
    wrong = AnnotatedSpan("q1", A, "QUOTE", 0, 7, "she said")
    (problem,) = check_article(AnnotatedArticle("a", TEXT, (wrong,)), DEFAULT_SCHEMA)
    assert problem.span_ids == ("q1",)
    assert "mend the offsets" in problem.message


def test_legal_article_has_no_problem_and_layers_may_nest() -> None:
    one = AnnotatedArticle("a", TEXT, spans(QUOTE, SHE, SAID, PERSON), ())
    assert check_article(one, DEFAULT_SCHEMA, strict=True) == []
