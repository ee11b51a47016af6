"""CoNLL: one column a layer, every tagging scheme, texts put together again."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx.errors import AnnotationError, FormatError
from claimx.formats.conll import write_conll
from claimx.formats.convert import convert
from claimx.formats.native import write_native
from claimx.types import AnnotatedArticle, AnnotatedSpan
from tests.formats.reading import read_all
from tests.formats.samples import harbour


def read(folder: Path, source: str) -> tuple[list[AnnotatedArticle], list[str], dict[str, int]]:
    (folder / "a.conll").write_bytes(source.encode())
    return read_all(folder / "a.conll", "conll")


def found(article: AnnotatedArticle) -> list[str]:
    return [f"{span.label}={span.text}" for span in article.spans]


@pytest.mark.parametrize(
    "tags",
    [
        "B-PERSON I-PERSON B-PERSON O B-ROLE",
        "I-PERSON I-PERSON B-PERSON O I-ROLE",
        "B-PERSON E-PERSON S-PERSON O S-ROLE",
        "B-PERSON L-PERSON U-PERSON O U-ROLE",
    ],
)
def test_every_scheme_is_read(tmp_path, tags):
    words = "Ana Ruiz Ann met senators".split()
    rows = "\n".join(map("\t".join, zip(words, tags.split(), strict=True)))
    [article], _, left_out = read(tmp_path, rows + "\n")
    assert found(article) == ["PERSON=Ana Ruiz", "PERSON=Ann", "ROLE=senators"]
    assert (article.meta, left_out) == ({"approximate": True}, {})


def test_a_change_of_label_ends_a_span(tmp_path):
    [article], _, _ = read(tmp_path, "Ann I-PERSON\nspoke I-ROLE\n")
    assert found(article) == ["PERSON=Ann", "ROLE=spoke"]


def test_columns_of_other_things_are_counted(tmp_path):
    source = "-DOCSTART- -X- O O\n\nAnn NNP B-NP B-PERSON\nspoke VBD B-VP O\n\n. . O O\n"
    [article], problems, left_out = read(tmp_path, source)
    assert (found(article), problems) == (["PERSON=Ann"], [])
    assert left_out == {"columns that hold no tags of spans": 2}


def test_each_docstart_is_an_article_and_may_name_it(tmp_path):
    source = "-DOCSTART- (own/one)\n\nAnn\tO\n\n-DOCSTART-\tO\n\nBob\tB-PERSON\n"
    articles, _, _ = read(tmp_path, source)
    assert [(article.id, article.text) for article in articles] == [
        ("own/one", "Ann"),
        ("a-2", "Bob"),
    ]


def test_the_text_gets_its_usual_spaces_back(tmp_path):
    words = [
        "“",
        "Costs",
        ",",
        "”",
        "she",
        "said",
        ",",
        '"',
        "rose",
        "$",
        "5",
        '"',
        "(",
        "or",
        "6",
        "%",
        ")",
        ".",
    ]
    [article], _, _ = read(tmp_path, "".join(f"{word}\tO\n" for word in words) + "\nNew\tO\n")
    assert article.text == '“Costs,” she said, "rose $5" (or 6%).\nNew'


def test_layers_are_columns_and_lines_are_sentences(tmp_path):
    write_conll(tmp_path / "a.conll", [harbour()])
    blocks = (tmp_path / "a.conll").read_text().split("\n\n")
    assert blocks[0] == "-DOCSTART- (own/harbour)"
    assert blocks[1].split("\n")[0] == "🚢\tO\tO\tO\tO"
    assert "40\tI-QUOTE\tB-QUANTITY\tO\tO" in blocks[2].split("\n")
    assert "piles\tI-QUOTE\tB-MEASURED\tO\tI-attribution_broad/QUOTE" in blocks[2].split("\n")


def test_losses_are_counted(tmp_path):
    write_native(tmp_path / "in.jsonl", [harbour()])
    losses = convert(tmp_path / "in.jsonl", tmp_path / "out.conll")
    assert {loss.what: loss.count for loss in losses.lost} == {
        "texts with their white space": 1, "span ids": 10, "attributes": 9, "links": 8,
        "articles with their meta": 1, "articles with their complete_layers": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "source", ["Ann\n", "Ann\tB-PERSON\nspoke\n", "Ann\tB-PERSON\nspoke\tO\tO\n", "Ann\tX\n"]
)
def test_rows_that_do_not_fit_are_refused_with_their_line(tmp_path, source):
    with pytest.raises(FormatError, match=r"a\.conll:[12]: .* is no row"):
        read(tmp_path, source)


def test_a_label_with_a_space_is_refused(tmp_path):
    article = AnnotatedArticle("a", "Ann", (AnnotatedSpan("s", "x", "a b", 0, 3, "Ann"),))
    with pytest.raises(AnnotationError, match="white space"):
        write_conll(tmp_path / "a.conll", [article])
    assert list(tmp_path.iterdir()) == []
