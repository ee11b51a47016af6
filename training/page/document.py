"""The page itself: what is to be known at a glance, then section by section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimx.metrics.scoring import ALL
from claimx.page.markup import Html, element, escape, words
from claimx.page.shell import asset, skip_link, whole_page
from claimx.text import counted
from training import report as reports
from training.page import tables
from training.page.charts import Scale, reliability, reliability_scale
from training.page.comparison import Compared, compared, figures_section, sentences_section
from training.page.errors import errors_section

if TYPE_CHECKING:
    from training.evaluate import Evaluation

Section = tuple[str, str, Sequence[Html]]
_FEWEST_ITEMS = 100  # spans of a label from which on its curve says anything


def page(evaluation: Evaluation) -> str:
    """Return an evaluation as one self-contained HTML page."""
    report = evaluation.report
    found = compared(report.get("differences") or {})
    sections = [*_comparison(evaluation, found), *_sections(evaluation)]
    links = (element("li", element("a", escape(title), href=f"#{key}"))
             for key, title, _ in sections)  # fmt: skip
    name = _name(report)
    return whole_page(
        f"{name} · evaluation",
        skip_link("Skip to the figures"),
        element("header", *_header(report), *_at_a_glance(evaluation, found)),
        element("nav", element("ol", *links), aria_label="Sections"),
        element("main", *(_section(*each) for each in sections), id="main"),
        style=asset("training.page", "page.css"),
        script=asset("training.page", "page.js"),
    )


def _name(report: Mapping[str, Any]) -> str:
    return str(report.get("name") or report.get("model") or "a model")


def _section(key: str, title: str, content: Sequence[Html]) -> Html:
    heading = element("h2", escape(title), id=f"{key}-title")
    return element("section", heading, *content, id=key, aria_labelledby=f"{key}-title")


def _header(report: Mapping[str, Any]) -> Iterator[Html]:
    files = ", ".join(Path(path).name for path in report.get("data", ()))
    yield element("p", words(" · ".join(filter(None, ("Evaluation", files)))), class_="kicker")
    yield element("h1", words(_name(report)))
    if report.get("baseline"):
        other = report.get("baseline_name") or report["baseline"]
        yield element("p", words(f"compared with {other}"), class_="against")
    unread = "neither model was" if report.get("baseline") else "the model was not"
    facts = [f"{counted(len(report['articles']), 'article')} that {unread} trained on"]
    facts += [f"model {report['model']}"] if report.get("model") else []
    facts += [f"baseline {report['baseline']}"] if report.get("baseline") else []
    facts += [f"{report['device']}, {report['dtype']}"] if report.get("device") else []
    facts.append(
        f"95% intervals by drawing whole articles {report['resamples']:,} times, "
        f"seed {report['seed']}"
    )
    yield element("p", words(" · ".join(facts)), class_="facts")
    seen = report.get("seen_in_training")
    if seen:
        yield element("p", escape(
            f"{len(seen['articles']):,} more articles were in the training data. They are in no "
            "figure of this page but those of the last section."
        ), class_="notice")  # fmt: skip


def _at_a_glance(evaluation: Evaluation, found: Sequence[Compared]) -> Iterator[Html]:
    lines = [*_glances(evaluation, found)]
    if lines:
        yield element("ul", *(element("li", words(line)) for line in lines), class_="glance")


def _glances(evaluation: Evaluation, found: Sequence[Compared]) -> Iterator[str]:
    report = evaluation.report
    labels = sorted(
        (entry["exact"]["f1"], f"{layer} {label}", entry["exact"]["f1_interval"])
        for layer, entries in report["figures"].get("spans", {}).items()
        for label, entry in entries.items()
        if label != ALL and entry["exact"]["gold"]
    )
    for title, ends in (("Best", labels[-1:]), ("Weakest", labels[:1])):
        for f1, label, (low, high) in ends:
            yield (f"{title} label: {label}, exact F1 {100 * f1:.1f} "
                   f"({100 * low:.1f} to {100 * high:.1f})")  # fmt: skip
    if evaluation.reading.classes:
        first = evaluation.reading.classes[0]
        gains = reports.points(first.gains)
        yield (f"Most frequent error: {first.layer} {first.label}, {first.kind}, "
               f"{len(first.errors)} times ({gains} if it were mended)")  # fmt: skip
    pooled = report["calibration"].get(ALL)
    if pooled:
        low, high = pooled["perfect_interval"]
        yield (f"Scores are off by {100 * pooled['error']:.1f} points on average; chance alone "
               f"would show {100 * low:.1f} to {100 * high:.1f}")  # fmt: skip
    if found:
        better, worse = (sum(one.verdict == word for one in found) for word in ("better", "worse"))
        chance = round(len(found) / 20)
        yield (f"Told apart from the baseline: {better + worse} of {len(found)} figures, {better} "
               f"better and {worse} worse; by chance it would be about {chance}")  # fmt: skip
    if evaluation.changes:
        counts = evaluation.changes.to_dict()
        yield f"Fewer mistakes in {counts['better']:,} sentences, more in {counts['worse']:,}"


def _comparison(evaluation: Evaluation, found: Sequence[Compared]) -> Iterator[Section]:
    if evaluation.baseline is None or evaluation.changes is None:
        return
    yield "better-or-worse", "Better or worse", list(figures_section(found))
    golds = {gold.id: gold for gold, _ in evaluation.reading.pairs}
    ours, theirs = (
        {gold.id: predicted for gold, predicted in each.pairs}
        for each in (evaluation.reading, evaluation.baseline)
    )
    content = list(sentences_section(evaluation.changes, golds, ours, theirs))
    yield "changes", "Sentence by sentence", content


def _sections(evaluation: Evaluation) -> Iterator[Section]:
    report, reading = evaluation.report, evaluation.reading
    yield "figures", "Figures", _figures(report)
    calibration = list(_calibration(report["calibration"], report.get("baseline_calibration")))
    if calibration:
        yield "calibration", "Are the scores probabilities?", calibration
    if report["word_confusion"]:
        note = escape(
            "Words by their label in gold (rows) and in the prediction (columns), with the share "
            "of the row. The more of a row stands where it should not, the stronger the tint."
        )
        content = [element("p", note), *tables.confusion(report["word_confusion"])]
        yield "confusion", "What is taken for what", content
    others = evaluation.baseline.classes if evaluation.baseline else None
    texts = {gold.id: gold.text for gold, _ in reading.pairs}
    note = escape(
        "Spans stand in [brackets] behind their label, with the model's score; gold is underlined "
        "once, the model twice. The points say by how much the F1 (of a normal form: the share "
        "that is right) would rise if this class alone were mended."
    )
    yield "errors", "Errors", [element("p", note), *errors_section(reading.classes, texts, others)]
    if report.get("seen_in_training"):
        yield "seen", "On articles of the training data", _figures(report["seen_in_training"])


def _figures(report: Mapping[str, Any]) -> list[Html]:
    """Return the tables of figures alone; differences and errors have sections of their own."""
    alone = {**report, "differences": None, "errors": ()}
    return [tables.figures(each) for each in reports.tables(alone)]


# ---- calibration --------------------------------------------------------------------------


def _calibration(tree: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> Iterator[Html]:
    """Return the reliability curve of all spans, and small ones of the labels."""
    pooled = tree.get(ALL)
    if not pooled:
        return
    yield element("p", escape(
        "Spans sorted by score and cut into parts of equal size; each point is a part. On the "
        "diagonal the score of a span is the probability that it is exactly right; above it the "
        "model is too modest, below it too sure."
        + (" Squares on a dashed line are the baseline." if baseline else "")
    ))  # fmt: skip
    curves = _curves(pooled, (baseline or {}).get(ALL))
    yield _curve("All spans", curves, reliability_scale(each for _, each in curves), 380)
    small = [
        (f"{layer} {label}", _curves(result, (baseline or {}).get(layer, {}).get(label)))
        for layer, labels in tree.items()
        if layer != ALL
        for label, result in labels.items()
        if result["items"] >= _FEWEST_ITEMS
    ]
    if not small:
        return
    scale = reliability_scale(each for _, both in small for _, each in both)
    pictures = (_curve(title, both, scale, 210) for title, both in small)
    summary = element(
        "summary", escape(f"Label by label ({len(small)} with {_FEWEST_ITEMS} spans or more)")
    )
    yield element("details", summary, element("div", *pictures, class_="curves"))


Curves = list[tuple[str, Mapping[str, Any]]]


def _curves(result: Mapping[str, Any], other: Mapping[str, Any] | None) -> Curves:
    return [*([("baseline", other)] if other else []), ("model", result)]


def _curve(title: str, curves: Curves, scale: Scale, size: int) -> Html:
    told = []
    for name, result in curves:
        low, high = (100 * value for value in result["perfect_interval"])
        told.append(f"{name}: {result['items']:,} spans, error {100 * result['error']:.1f}, "
                    f"by chance {low:.1f} to {high:.1f}")  # fmt: skip
    label = f"Reliability of {title}; {'; '.join(told)}"
    lines = (element("span", words(line)) for line in told)
    caption = element("figcaption", element("strong", words(title)), *lines)
    return element("figure", reliability(curves, label, scale, size=size), caption)
