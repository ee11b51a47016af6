"""Label Studio: the JSON in which it imports and exports tasks.

Offsets are UTF-16 code units, as in a browser. The control tag of a span (``from_name``) is its
layer; the attributes of a quantity are answers of controls that belong to the region
(``perRegion``); `formats.label_config` writes the labelling configuration with these controls.
Of several annotators one must be chosen; cancelled annotations are left out. What Label Studio
has no place for stays in ``data.claimx`` and in the ``meta`` of a region, which it hands back
untouched. The scores of what a person has accepted are a model's no longer and are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.assembly import assemble, shown_attrs
from claimx.formats.certainty import PRELABELLED_BY, certainty
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.label_studio_regions import links_of, spans_of
from claimx.formats.native import replacing
from claimx.formats.sources import parse_json, read_text, to_json
from claimx.text import utf16_offsets
from claimx.types import AnnotatedArticle, AnnotatedSpan

_Json = Mapping[str, Any]
# The object tag that shows the text, and the field of the task's data that holds it.
TEXT = "text"
# Attribute of a QUANTITY, which is the name of its control -> type of that control's results.
ATTRIBUTE_CONTROLS = {
    "value": "number", "low": "number", "high": "number", "unit": "textarea",
    "kind": "choices", "modifier": "choices", "change": "choices",
}  # fmt: skip


# ---- writing ------------------------------------------------------------------------------


def write_label_studio(path: Path, articles: Iterable[AnnotatedArticle]) -> int:
    """Write articles as the tasks of one JSON file.

    Articles with scores become predictions (pre-annotations), others annotations.

    Args:
        path: the file, replaced whole or not at all.
        articles: what to write.

    Returns:
        How many were written.

    Raises:
        AnnotationError: if an article has no JSON form.
    """
    count = 0
    with replacing(path) as stream:
        for count, article in enumerate(articles, start=1):
            task = to_json(label_studio_task(article, count), article.id)
            stream.write((b"[\n" if count == 1 else b",\n") + task.encode())
        stream.write(b"\n]\n" if count else b"[]\n")
    return count


def label_studio_task(article: AnnotatedArticle, number: int) -> dict[str, Any]:
    """Return the task of one article.

    Args:
        article: the article; if it has scores they are taken for a model's.
        number: the number of the task.
    """
    offsets = utf16_offsets(article.text).tolist()
    names = _region_names(article.spans)
    result: list[dict[str, Any]] = []
    for span in article.spans:
        result += _regions(span, names[span.id], offsets)
    for link in article.links:
        relation = {
            "from_id": names[link.head],
            "to_id": names[link.tail],
            "type": "relation",
            "direction": "right",
            "labels": [link.type],
        }
        result.append(relation | ({} if link.score is None else {"score": link.score}))
    ours = {"id": article.id, "meta": article.meta, "complete_layers": article.complete_layers}
    model = article.meta.get(PRELABELLED_BY)
    # A model that finds nothing predicts that; it is no annotation of a person's.
    predicted = any(span.score is not None for span in article.spans) or (
        model is not None and not article.spans
    )
    answer: dict[str, Any] = {"result": result}
    if predicted:
        # The task manager sorts by this score.
        score = round(certainty(article), 4)
        answer = {"model_version": str(model or "claimx"), "score": score} | answer
    else:
        answer = {"id": number, "was_cancelled": False, "ground_truth": False} | answer
    return {
        "id": number,
        "data": {TEXT: article.text, "claimx": ours},
        ("predictions" if predicted else "annotations"): [answer],
    }


def _region_names(spans: Iterable[AnnotatedSpan]) -> dict[str, str]:
    """Return span id -> region id; Label Studio cuts an id at ``#`` when a person accepts it."""
    names: dict[str, str] = {}
    given = [span.id for span in spans]
    taken = {name for name in given if "#" not in name}
    for name in given:
        region = name.replace("#", "~")
        while region != name and region in taken:
            region += "~"
        taken.add(region)
        names[name] = region
    return names


def _regions(span: AnnotatedSpan, name: str, offsets: list[int]) -> Iterator[dict[str, Any]]:
    place = {"start": offsets[span.start], "end": offsets[span.end], "text": span.text}
    region: dict[str, Any] = {
        "id": name,
        "from_name": span.layer,
        "to_name": TEXT,
        "type": "labels",
        "value": {**place, "labels": [span.label]},
    }
    if span.score is not None:
        region["score"] = span.score
    kept: dict[str, Any] = {"id": span.id} if span.id != name else {}
    if span.attrs:
        kept |= {"label": span.label, "attrs": span.attrs}
    if kept:
        region["meta"] = {"claimx": kept}
    yield region
    for key, value in shown_attrs(span.label, span.attrs).items():
        kind = ATTRIBUTE_CONTROLS[key]
        given = value if kind == "number" else [value]
        yield {
            "id": name,
            "from_name": key,
            "to_name": TEXT,
            "type": kind,
            "value": {**place, ("text" if kind == "textarea" else kind): given},
        }


# ---- reading ------------------------------------------------------------------------------


def read_label_studio(path: Path, reading: Reading) -> Iterator[AnnotatedArticle]:
    """Read the tasks of a JSON export.

    Args:
        path: a JSON file: a list of tasks, or one task.
        reading: takes problems and counts what is left out; names the annotator.

    Yields:
        One article for each task that has an annotation.

    Raises:
        FormatError: if the file cannot be read at all.
    """
    try:
        tasks = parse_json(read_text(path))
    except AnnotationError as error:
        raise FormatError(f"{path}: {error}; export as JSON again") from error
    tasks = [tasks] if isinstance(tasks, dict) else tasks
    if not isinstance(tasks, list):
        raise FormatError(f"{path}: not a list of Label Studio tasks; export as JSON")
    # A file without any annotation is one of pre-annotations; else predictions are not read.
    predicted = not any(isinstance(task, dict) and task.get("annotations") for task in tasks)
    for number, task in enumerate(tasks, start=1):
        name = task.get("id", number) if isinstance(task, dict) else number
        try:
            article = _article(task, name, predicted, reading)
        except AnnotationError as error:
            reading.on_error(Problem("", (), str(error), f"{path}: task {name}"))
            continue
        if article is not None:
            yield article


def _article(task: Any, name: object, predicted: bool, reading: Reading) -> AnnotatedArticle | None:
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        raise AnnotationError("not a task with `data`; choose the export format JSON, not JSON-MIN")
    text = _text(task["data"])
    answers = task.get("predictions" if predicted else "annotations") or []
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise AnnotationError("`annotations` must be a list of objects")
    answer = answers[-1] if predicted and answers else _chosen(answers, reading, str(name))
    if answer is None:
        reading.left_out.add("tasks without annotation", f"task {name}")
        return None
    results = answer.get("result") or []
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise AnnotationError("`result` must be a list of objects")
    ours = task["data"].get("claimx")
    ours = ours if isinstance(ours, dict) else {}
    spans = spans_of(results, text, reading, own=bool(ours))
    links = list(links_of(results, spans, reading))
    if not predicted:
        for item in (*spans, *links):
            item["score"] = None
    meta = ours.get(
        "meta", {key: value for key, value in task["data"].items() if value is not text}
    )
    layers = ours.get("complete_layers", [])
    if not isinstance(meta, dict) or not isinstance(layers, list):
        raise AnnotationError("`data.claimx` is damaged: meta must be an object, layers a list")
    return assemble(
        str(ours.get("id", name)),
        text,
        [{key: value for key, value in span.items() if key != "region"} for span in spans],
        links,
        left_out=reading.left_out,
        complete_layers=[str(layer) for layer in layers],
        meta=meta,
    )


def _text(data: _Json) -> str:
    if isinstance(data.get("text"), str):
        return str(data["text"])
    texts = [value for value in data.values() if isinstance(value, str)]
    if len(texts) != 1:
        raise AnnotationError(f"`data` has no `text`, only {sorted(data)}; name the text so")
    return texts[0]


def _chosen(answers: list[_Json], reading: Reading, name: str) -> _Json | None:
    """Return the one annotation of a task that counts."""
    valid = [answer for answer in answers if not answer.get("was_cancelled")]
    reading.left_out.add(
        "cancelled annotations", f"in task {name}", count=len(answers) - len(valid)
    )
    if reading.annotator is not None:
        mine = [answer for answer in valid if reading.annotator in _annotators(answer)]
    else:
        mine = [answer for answer in valid if answer.get("ground_truth")] or valid
        people = {_annotators(answer)[:1] for answer in mine}
        if len(people) > 1:
            names = ", ".join(sorted(name for one in people for name in one))
            raise AnnotationError(
                f"annotated by several people ({names}); choose one with --annotator"
            )
    reading.left_out.add(
        "annotations other than the one chosen", f"in task {name}", len(valid) - bool(mine)
    )
    return max(
        enumerate(mine), key=lambda item: (str(item[1].get("updated_at", "")), item[0]),
        default=(0, None),
    )[1]  # fmt: skip


def _annotators(answer: _Json) -> tuple[str, ...]:
    """Return the names by which the annotator of an annotation goes."""
    person = answer.get("completed_by")
    if isinstance(person, dict):
        return tuple(
            str(person[key]) for key in ("email", "username", "id") if person.get(key) is not None
        )
    return ("unknown",) if person is None else (str(person),)
