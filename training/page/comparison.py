"""The model against a baseline: figure by figure, and sentence by sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, get_args

from claimx.metrics.scoring import ALL
from claimx.page.markup import Html, element, escape, words
from claimx.types import AnnotatedArticle, AnnotatedSpan
from training.changes import Change, Comparison, Verdict
from training.error_classes import Error
from training.page.charts import Scale, axis, difference_scale, interval_chart
from training.page.filters import filters
from training.page.passages import Stretch, passage, sentences
from training.page.tables import column, figure, name, row, scrolling
from training.report import Interval

# First part of a figure's dotted name -> heading.
_GROUPS = {
    "spans": "Spans",
    "links_given_gold": "Links, given gold spans",
    "links_exact": "Links end to end, exact",
    "links_overlap": "Links end to end, overlap",
    "quote_speaker": "Quote + speaker",
    "quote_kinds": "Kinds of quotes",
    "speaker_role": "Speaker + role",
    "speaker_affiliation": "Speaker + affiliation",
    "references": "Nameless speaker → person, given gold spans",
    "pronouns": "Pronoun → person, given gold spans",
    "nameless": "Nameless speaker → person or nobody",
    "quantities": "Normal forms",
}
# The figures to look at first.
_MAIN = re.compile(
    r"spans\..*\.exact|quote_speaker\..*\.overlap|speaker_.*|nameless\..*\.right"
    r"|quantities\.all\.value_and_unit"
)
_VERDICTS = {
    "better": "▲ better",
    "worse": "▼ worse",
    "otherwise": "◆ otherwise wrong",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of two models.

    Args:
        key: its dotted name in the report.
        group: heading that it stands under.
        name: what it is called there.
        baseline: in the other model.
        model: in this one.
        difference: with its interval.
    """

    key: str
    group: str
    name: str
    baseline: float
    model: float
    difference: Interval

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` where the interval leaves out 0, else empty."""
        _, low, high = self.difference
        return "better" if low > 0 else "worse" if high < 0 else ""


def compared(differences: Mapping[str, Any]) -> list[Compared]:
    """Name all figures of a report that two models were compared in, group by group."""
    keys = {key: tuple(key.split(".")) for key in differences}
    layers = Counter(parts[:-1] for parts in keys.values() if parts[0].startswith("links_"))
    found = []
    for key, parts in keys.items():
        # What an answer would have right that no model gives, and totals of a single layer.
        if parts[-1] == "nobody" or (parts[-1] == ALL and layers[parts[:-1]] == 2):
            continue
        entry = differences[key]
        interval = (entry["difference"], *entry["difference_interval"])
        named = _named(*parts)
        found.append(Compared(key, *named, entry["baseline_f1"], entry["f1"], interval))
    order = list(_GROUPS)
    return sorted(found, key=lambda one: (order.index(one.key.split(".")[0]), one.group, one.name))


def _named(head: str, *rest: str) -> tuple[str, str]:
    """Return the heading and the name of a figure."""
    group = _GROUPS[head]
    if head in ("spans", "quote_speaker", "quote_kinds"):
        return f"{group}, {rest[-1]}", " ".join(rest[:-1])
    if head.startswith("links_"):
        return group, f"{rest[0]} ({rest[1]})"
    if head == "quantities":
        attribute, subset = rest[1].replace("_", " "), rest[0].replace("_", " ")
        return group, attribute if subset == ALL else f"{attribute}, {subset}"
    return group, rest[0]


def figures_section(found: Sequence[Compared]) -> Iterator[Html]:
    """Return the figures to look at first, then those that changed beyond chance, then all."""
    scale = difference_scale(one.difference for one in found)
    certain = sorted(
        (one for one in found if one.verdict),
        key=lambda one: (one.verdict, -abs(one.difference[0])),
    )
    better, worse = (
        sum(one.verdict == verdict for one in found) for verdict in ("better", "worse")
    )
    yield element("p", escape(
        f"{len(certain)} of {len(found)} figures are told apart, {better} better and {worse} "
        "worse: the 95% interval of the paired difference leaves out 0. If neither model were "
        f"better in truth, chance alone would tell about {round(len(found) / 20)} apart."
    ))  # fmt: skip
    yield scrolling(_table(_by_group(one for one in found if _MAIN.fullmatch(one.key)), scale))
    if certain:
        yield _folded(
            f"All that are told apart, the largest differences first ({len(certain)})",
            _table([("", certain)], scale),
        )
    yield _folded(f"All {len(found)} figures", _table(_by_group(found), scale))


def _by_group(found: Iterable[Compared]) -> list[tuple[str, list[Compared]]]:
    return [(title, list(group)) for title, group in groupby(found, key=lambda one: one.group)]


def _folded(title: str, table: Html) -> Html:
    return element("details", element("summary", escape(title)), scrolling(table))


def _table(groups: Iterable[tuple[str, Sequence[Compared]]], scale: Scale) -> Html:
    head = [
        column("figure", number=False),
        element("th", axis(scale, signed=True), scope="col"),
        *map(column, ("baseline", "this model", "difference", "95% interval")),
        column("", number=False),
    ]
    bodies = []
    for title, figures in groups:
        heading = element("th", words(title), colspan=len(head), scope="rowgroup")
        rows = [row([heading], class_="group")] if title else []
        rows += (_row(one, scale, whole=not title) for one in figures)
        bodies.append(element("tbody", *rows))
    return element("table", row(head, head=True), *bodies)


def _row(one: Compared, scale: Scale, *, whole: bool) -> Html:
    difference, low, high = (100 * value for value in one.difference)
    called = f"{one.group}: {one.name}" if whole else one.name
    cells = [
        name(called),
        element("td", interval_chart(one.difference, scale)),
        figure(f"{100 * one.baseline:.1f}"),
        figure(f"{100 * one.model:.1f}"),
        figure(signed(difference)),
        figure(f"{signed(low)} to {signed(high)}"),
        element("td", escape(_VERDICTS.get(one.verdict, "")), class_="verdict"),
    ]
    return row(cells, class_=one.verdict or None)


def signed(points: float) -> str:
    """Write a difference with its sign; what rounds to 0 has none."""
    written = f"{points:+.1f}"
    return "0.0" if written in ("+0.0", "-0.0") else written


# ---- sentence by sentence -----------------------------------------------------------------

Articles = Mapping[str, AnnotatedArticle]


def sentences_section(
    changes: Comparison, golds: Articles, ours: Articles, theirs: Articles
) -> Iterator[Html]:
    """Return every sentence that the two read differently, with all readings of it.

    Args:
        changes: what differs.
        golds: the gold articles by their ids.
        ours: as the model reads them.
        theirs: as the baseline does.
    """
    counts = changes.to_dict()
    yield element("p", escape(
        f"Better in {counts['better']:,} sentences, worse in {counts['worse']:,}, wrong in another "
        f"way in {counts['otherwise']:,}. In {changes.same:,} both make the same mistakes; "
        f"{changes.right:,} both read as gold has them. Counted are gold spans, links and normal "
        "forms that were not found and predictions that are wrong; a mistake belongs to the "
        "sentence in which it begins."
    ))  # fmt: skip
    shown = [change for verdict in get_args(Verdict) for change in changes.having(verdict)]
    layers = sorted({layer for change in shown for layer in _layers(change)})
    choices = {
        "verdict": ("Verdict", _VERDICTS),
        "layer": ("Layer", {each: each for each in layers}),
    }
    if shown:
        yield filters("changes", "sentences", choices)
    items = (
        _change(change, *(side[change.article] for side in (golds, theirs, ours)))
        for change in shown
    )
    yield element("ol", *items, id="changes-list")


def _layers(change: Change) -> list[str]:
    return sorted({error.layer for error in (*change.gone, *change.new)})


def _change(
    change: Change, gold: AnnotatedArticle, before: AnnotatedArticle, now: AnnotatedArticle
) -> Html:
    gain = abs(change.gain)
    verdict = _VERDICTS[change.verdict] + (f" by {gain}" if gain else "")
    where = f" {change.article}:{change.start}"
    where += f" · {change.shared} more mistakes in both" if change.shared else ""
    spans = [
        span for error in (*change.gone, *change.new) for span in (*error.gold, *error.predicted)
    ]
    stretches = sentences(gold.text, spans)
    notes = [_note("no longer", error) for error in change.gone]
    notes += [_note("now", error) for error in change.new]
    readings = (
        element("div", *_readings(gold, before, now, layer, stretches), class_="layer")
        for layer in sorted({span.layer for span in spans})
    )
    return element(
        "li",
        element("p", element("strong", escape(verdict)), words(where), class_="where"),
        element("ul", *notes, class_="notes"),
        *readings,
        class_=f"item {change.verdict}",
        data_verdict=change.verdict,
        data_layer=" ".join(_layers(change)),
    )


def _note(when: str, error: Error) -> Html:
    # Where edges are wrong the detail says in which way; elsewhere it goes on from the class.
    edges = error.detail.startswith(("starts", "ends"))
    said = error.detail if edges else ", ".join(filter(None, (error.kind, error.detail)))
    return element(
        "li",
        element("strong", escape(when)),
        words(f"{error.layer} {error.label}: {said}"),
        class_=when.split(maxsplit=1)[0],
    )


def _readings(
    gold: AnnotatedArticle,
    before: AnnotatedArticle,
    now: AnnotatedArticle,
    layer: str,
    stretches: Sequence[Stretch],
) -> Iterator[Html]:
    """Return a layer as gold has it and as the models read it; equal readings are one."""
    rows: dict[tuple[tuple[int, int, str], ...], tuple[list[str], list[AnnotatedSpan]]] = {}
    for side, article in (("gold", gold), ("baseline", before), ("model", now)):
        spans = [
            span
            for span in article.spans
            if span.layer == layer
            and any(start < span.end and span.start < end for start, end in stretches)
        ]
        places = tuple(sorted((span.start, span.end, span.label) for span in spans))
        rows.setdefault(places, ([], spans))[0].append(side)
    for sides, spans in rows.values():
        yield passage(sides, gold.text, stretches, spans)
