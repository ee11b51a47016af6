"""The linter itself: every rule over every article, each finding with its place."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from claimx.checking.findings import Finding, Remark, Report, context
from claimx.checking.loading import Loaded, Placed, load
from claimx.checking.meaning import phenomena, quantities, same_person, units, unlinked
from claimx.checking.quotes import marks, speakers
from claimx.checking.similarity import SHINGLE, similar_texts
from claimx.checking.surfaces import both_ways
from claimx.formats.checks import Problem, check_article, check_names
from claimx.formats.inline_tags import normal_order
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.text import counted

# Two articles that share more are copies. Articles about one event in different words, with the
# same background paragraph, were measured to share up to 25%.
_COPY = 0.3
_INCOMPLETE = (
    "complete_layers is missing or empty: a model learns nothing from what is not marked, and an "
    "evaluation passes the article over; name the layers in which everything is annotated"
)
_PLACE = re.compile(r"(?P<file>.*?):(?P<line>\d+)(?::(?P<column>\d+))?", re.DOTALL)


def check_paths(paths: Sequence[Path | str], schema: LabelSchema = DEFAULT_SCHEMA) -> Report:
    """Check annotated articles and say what is wrong, and what deserves a second look.

    Args:
        paths: files in any annotation format, and folders; together they are one corpus, whose
            splits must not share articles.
        schema: the layers, labels and link types that are expected.

    Returns:
        Every finding, ordered by file and line.

    Raises:
        FormatError: if a file cannot be read at all, or there is no article.
    """
    loaded = load([Path(path) for path in paths], schema)
    findings = [
        _from_problem(problem, file, shown=shown) for file, problem, shown in loaded.problems
    ]
    linked = {
        placed.split
        for placed in loaded.articles
        if any(link.type == "same_person" for link in placed.article.links)
    }
    articles, copies = _without_copies(loaded)
    findings += copies
    for index, placed in articles:
        structural = list(_structure(placed, schema))
        findings += structural
        if index in loaded.broken or any(one.severity == "error" for one in structural):
            continue  # the rules trust the structure
        findings += _remarks(placed, follow_people=placed.split in linked)
    findings += _duplicate_ids([placed for _, placed in articles])
    findings += _near_duplicates([placed for _, placed in articles])
    findings.sort(key=lambda one: (one.file, one.line or 0, one.column or 0))
    notes = (*loaded.notes, *_unknown_labels([placed for _, placed in articles], schema))
    return Report(len({_key(placed) for _, placed in articles}), tuple(findings), notes)


# ---- one article ------------------------------------------------------------------------------


def _structure(placed: Placed, schema: LabelSchema) -> Iterator[Finding]:
    """Errors, and the stricter checks as warnings; inline files were held to both as errors."""
    if placed.checked:
        return
    errors = check_article(placed.article, schema)
    known = {(problem.span_ids, problem.message) for problem in errors}
    names = set(check_names(placed.article, schema))
    for problem in errors:
        yield _from_problem(problem, placed.file, placed)
    if not placed.article.complete_layers:
        yield _about(placed, "incomplete", _INCOMPLETE)
    for problem in check_article(placed.article, schema, strict=True):
        said = (problem.span_ids, problem.message)
        if said not in known:
            rule = "unknown-label" if said in names else "convention"
            yield _from_problem(problem, placed.file, placed, rule=rule)


def _remarks(placed: Placed, *, follow_people: bool) -> Iterator[Finding]:
    article = placed.article
    for rule in (speakers, marks, quantities, units, both_ways, unlinked, phenomena):
        for remark in rule(article):
            yield _from_remark(remark, placed)
    if follow_people:
        for remark in same_person(article):
            yield _from_remark(remark, placed)


def _from_remark(remark: Remark, placed: Placed) -> Finding:
    line, column = _line_of(placed, remark.span_ids)
    if remark.rule == "both-ways" and placed.first_line is not None:
        # The spans that it names are elsewhere; the place is that of the unmarked words.
        line = placed.first_line + placed.article.text.count("\n", 0, remark.start)
        column = None
    shown = context(placed.article.text, remark.start, remark.end) if remark.end else ""
    return Finding(
        remark.rule, placed.file, line, column, placed.article.id, remark.span_ids,
        remark.message, shown,
    )  # fmt: skip


def _from_problem(
    problem: Problem,
    file: str,
    placed: Placed | None = None,
    *,
    shown: str = "",
    rule: str = "structure",
) -> Finding:
    place = _PLACE.fullmatch(problem.where)
    numbers = [int(place[name]) if place and place[name] else None for name in ("line", "column")]
    line, column = numbers
    if placed is not None:
        line, column = _line_of(placed, problem.span_ids)
        span = next((one for one in placed.article.spans if one.id in problem.span_ids), None)
        if span is not None:
            shown = context(placed.article.text, span.start, span.end)
    return Finding(
        rule, file, line, column, problem.article_id, problem.span_ids, problem.message, shown
    )


def _line_of(placed: Placed, span_ids: Sequence[str]) -> tuple[int | None, int | None]:
    where = next((placed.places[name] for name in span_ids if name in placed.places), "")
    place = _PLACE.fullmatch(where)
    if place is not None:
        return int(place["line"]), int(place["column"]) if place["column"] else None
    return (1 if placed.format == "inline" else placed.line), None


def _unknown_labels(articles: Sequence[Placed], schema: LabelSchema) -> Iterator[str]:
    """Say once how the labels that the schema does not know are made known."""
    known = {(layer.name, label) for layer in schema.layers for label in layer.labels}
    spans = [(span.layer, span.label) for placed in articles for span in placed.article.spans]
    unknown = Counter(span for span in spans if span not in known)
    if not unknown:
        return
    labels: dict[str, list[str]] = defaultdict(list)
    for layer, label in sorted(unknown):
        labels[layer].append(label)
    told = ", ".join(f"{label} of {layer} ({n:,})" for (layer, label), n in sorted(unknown.items()))
    added = " ".join(f"--add {layer}={','.join(names)}" for layer, names in labels.items())
    count = counted(unknown.total(), "span has a label", "spans have labels")
    yield f"{count} that the schema does not know: {told}; if they are no mistakes, say {added}"


# ---- the corpus -------------------------------------------------------------------------------


def _without_copies(loaded: Loaded) -> tuple[list[tuple[int, Placed]], list[Finding]]:
    """Take an article that is there in two formats once, and say where the two differ."""
    kept: dict[tuple[str, str], Placed] = {}
    articles: list[tuple[int, Placed]] = []
    findings = []
    # Inline files come first: people mend them by hand, and the others are made from them.
    order = sorted(
        range(len(loaded.articles)), key=lambda index: loaded.articles[index].format != "inline"
    )
    for index in order:
        placed = loaded.articles[index]
        other = kept.setdefault(_key(placed), placed)
        if other.format == placed.format or not _layers(other) & _layers(placed):
            articles.append((index, placed))
        elif _annotations(other) != _annotations(placed):
            message = (
                f"the annotations differ from those of the same article in {other.file}; "
                "write it again from there"
            )
            findings.append(_about(placed, "unlike-copies", message))
    return articles, findings


def _key(placed: Placed) -> tuple[str, str]:
    return placed.article.id, placed.article.text


def _annotations(placed: Placed) -> tuple[object, ...]:
    article = normal_order(placed.article)
    return article.spans, article.links, set(article.complete_layers)


def _duplicate_ids(articles: Sequence[Placed]) -> Iterator[Finding]:
    by_id: dict[str, list[Placed]] = defaultdict(list)
    for placed in articles:
        by_id[placed.article.id].append(placed)
    for same in by_id.values():
        for index, placed in enumerate(same):
            if message := next(filter(None, (_clash(one, placed) for one in same[:index])), ""):
                yield _about(placed, "duplicate-id", message)


def _clash(first: Placed, second: Placed) -> str:
    """Say why two articles of one id are not one whose layers stand apart, or return ""."""
    there = f"{first.file}:{first.line}" if first.line else first.file
    if first.article.text != second.article.text:
        return f"the id {first.article.id!r} is that of {there} too; give each article its own"
    both = sorted(_layers(first) & _layers(second))
    if not both:
        return ""
    return (
        f"{', '.join(both)} of the article {first.article.id!r} is annotated in {there} too, and "
        "only the first is learnt; take one of the two out"
    )


def _layers(placed: Placed) -> set[str]:
    article = placed.article
    return {*article.complete_layers, *(span.layer for span in article.spans)}


def _near_duplicates(articles: Sequence[Placed]) -> Iterator[Finding]:
    for pair in similar_texts([placed.article.text for placed in articles]):
        first, second = articles[pair.first], articles[pair.second]
        if _key(first) == _key(second):
            continue  # one article in two files, of which `_duplicate_ids` judges
        apart, copy = first.split != second.split, pair.share > _COPY
        if not apart and not copy:
            continue
        rule, advice = _SHARED[apart, copy]
        message = (
            f"shares {pair.shared:,} runs of {SHINGLE} words ({pair.share:.0%} of the shorter "
            f"text) with {first.article.id!r} of {first.file}, such as {pair.example!r}; {advice}"
        )
        yield _about(second, rule, message)


# (whether in two splits, whether a copy) -> the rule and what to do
_SHARED = {
    (True, True): ("near-duplicate", "take one of the two out"),
    (True, False): ("repeated-text", "rewrite the passage, or put both into one split"),
    (False, True): ("repeated-text", "keep both only if that is meant"),
}


def _about(placed: Placed, rule: str, message: str) -> Finding:
    line, column = _line_of(placed, ())
    return Finding(rule, placed.file, line, column, placed.article.id, (), message)
