"""Errors by class: a table with what mending each would give, and every error in its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from claimx.page.markup import Html, element, escape, words
from training.error_classes import Error
from training.errors import ErrorClass
from training.page.filters import filters
from training.page.passages import passage, sentences
from training.page.tables import column, figure, name, row, scrolling
from training.report import points

ClassKey = tuple[str, str, str]


def errors_section(
    classes: Sequence[ErrorClass],
    texts: Mapping[str, str],
    baseline: Sequence[ErrorClass] | None = None,
) -> Iterator[Html]:
    """Return the table of the classes and below it the errors.

    Args:
        classes: the model's errors, the most frequent class first.
        texts: the articles by their ids.
        baseline: the errors of another model, whose counts stand beside.
    """
    if not classes:
        yield element("p", escape("No errors."))
        return
    others = None if baseline is None else {_key(one): len(one.errors) for one in baseline}
    yield scrolling(_table(classes, others))
    layers = sorted({one.layer for one in classes})
    yield filters("errors", "errors", {"layer": ("Layer", {each: each for each in layers})})
    made = (_class(one, number, texts) for number, one in enumerate(classes))
    yield element("div", *made, id="errors-list")


def _key(one: ErrorClass) -> ClassKey:
    return one.layer, one.label, one.kind


def _table(classes: Sequence[ErrorClass], others: Mapping[ClassKey, int] | None) -> Html:
    head = [
        column("errors"),
        *([column("baseline")] if others is not None else []),
        *(column(text, number=False) for text in ("layer", "label or link", "class", "points")),
    ]
    rows = []
    for number, one in enumerate(classes):
        link = element("a", words(one.kind), href=f"#class{number}")
        kind = element("th", link, scope="row")
        counts = [len(one.errors)] + ([others.get(_key(one), 0)] if others is not None else [])
        rows.append(row([*_counts(counts), *_plain(one.layer, one.label), kind,
                         *_plain(points(one.gains))]))  # fmt: skip
    mended = {key: count for key, count in (others or {}).items() if key not in map(_key, classes)}
    rows += [
        row([*_counts([0, count]), *_plain(*key[:2]), name(key[2]), *_plain("")])
        for key, count in sorted(mended.items(), key=lambda item: -item[1])
    ]
    return element("table", row(head, head=True), element("tbody", *rows))


def _counts(counts: Iterable[int]) -> Iterator[Html]:
    return (figure(f"{count:,}") for count in counts)


def _plain(*texts: str) -> Iterator[Html]:
    return (element("td", words(text)) for text in texts)


def _class(one: ErrorClass, number: int, texts: Mapping[str, str]) -> Html:
    title = f"{one.layer} {one.label}: {one.kind}"
    count = element("span", escape(f" ({len(one.errors):,})"), class_="count")
    content = [element("summary", words(title), count)]
    if one.words:
        said = ", ".join(f"“{word}” {times}" for word, times in one.words)
        content.append(element("p", words(f"Words in question, most often: {said}"), class_="note"))
    content += (_error(error, texts[error.article]) for error in one.errors)
    return element("details", *content, id=f"class{number}")


def _error(error: Error, text: str) -> Html:
    stretches = sentences(text, [*error.gold, *error.predicted])
    facts = [f"{error.article}:{error.place}"]
    facts += [f"score {error.score:.2f}"] if error.score is not None else []
    facts += [error.detail] if error.detail else []
    return element(
        "article",
        element("p", words(", ".join(facts)), class_="where"),
        passage(["gold"], text, stretches, error.gold),
        passage(["model"], text, stretches, error.predicted),
        data_layer=error.layer,
        class_="item",
    )
