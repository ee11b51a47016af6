"""Label Studio: the JSON in which it imports and exports tasks.

Offsets are UTF-16 code units, as in a browser. The control tag of a span (``from_name``) is its
layer; the attributes of a quantity are answers of controls that belong to the region
(``perRegion``). Of several annotators one must be chosen; cancelled annotations are left out.
What Label Studio has no place for stays in ``data.claimx`` and in the ``meta`` of a region,
which it hands back untouched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from claimx.errors import AnnotationError, FormatError
from claimx.formats.assembly import NUMBERS, assemble, parse_label, quantity_attrs, shown_attrs
from claimx.formats.checks import Problem
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.offsets import Offsets, agreeing_offsets
from claimx.formats.sources import parse_json, read_text, to_json
from claimx.text import utf16_offsets
from claimx.types import AnnotatedArticle, AnnotatedSpan

_Json = Mapping[str, Any]
_CHOICES = ("kind", "modifier", "change")
# type of a result -> how its value is read as an attribute; these belong to a region.
_ANSWERS = ("number", "rating", "choices", "textarea")


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
    result: list[dict[str, Any]] = []
    for span in article.spans:
        result += _regions(span, offsets)
    for link in article.links:
        relation = {
            "from_id": link.head,
            "to_id": link.tail,
            "type": "relation",
            "direction": "right",
            "labels": [link.type],
        }
        result.append(relation | ({} if link.score is None else {"score": link.score}))
    ours = {"id": article.id, "meta": article.meta, "complete_layers": article.complete_layers}
    scores = [span.score for span in article.spans if span.score is not None]
    answer: dict[str, Any] = {"result": result}
    if scores:
        # The task manager sorts by this score: a text is as sure as its least sure span.
        answer = {"model_version": "claimx", "score": min(scores)} | answer
    else:
        answer = {"id": number, "was_cancelled": False, "ground_truth": False} | answer
    return {
        "id": number,
        "data": {"text": article.text, "claimx": ours},
        ("predictions" if scores else "annotations"): [answer],
    }


def _regions(span: AnnotatedSpan, offsets: list[int]) -> Iterator[dict[str, Any]]:
    place = {"start": offsets[span.start], "end": offsets[span.end], "text": span.text}
    region: dict[str, Any] = {
        "id": span.id,
        "from_name": span.layer,
        "to_name": "text",
        "type": "labels",
        "value": {**place, "labels": [span.label]},
    }
    if span.score is not None:
        region["score"] = span.score
    if span.attrs:
        region["meta"] = {"claimx": {"attrs": span.attrs}}
    yield region
    for key, value in shown_attrs(span.label, span.attrs).items():
        kind = "number" if key in NUMBERS else "choices" if key in _CHOICES else "textarea"
        given = value if kind == "number" else [value]
        yield {
            "id": span.id,
            "from_name": key,
            "to_name": "text",
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
    spans = _spans(results, text, reading, own=bool(ours))
    known = {span["id"] for span in spans} | {span["region"] for span in spans}
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
        list(_links(results, known, reading)),
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


def _spans(results: list[_Json], text: str, reading: Reading, *, own: bool) -> list[dict[str, Any]]:
    """Return the labelled regions in native form.

    Args:
        results: of one annotation.
        text: of the task.
        reading: counts what is left out.
        own: whether the task is one of ours, in which a control is always a layer.
    """
    spans: list[dict[str, Any]] = []
    regions = [item for item in results if item.get("type") == "labels"]
    offsets = _offsets(regions, text, reading)
    answers = _answers(results, reading)
    for item in regions:
        value = item["value"]
        labels = value.get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise AnnotationError(f"region {item.get('id')!r}: `labels` must be a list of names")
        if not labels:
            reading.left_out.add("regions without label", repr(value.get("text")))
        for index, label in enumerate(labels):
            region = str(item.get("id", f"r{len(spans) + 1}"))
            control = str(item.get("from_name"))
            layer, plain = (control, label) if own else _layer(control, label, reading)
            score = item.get("score")
            spans.append(
                {
                    "id": f"{region}#{index + 1}" if index else region,
                    "region": region,
                    "layer": layer,
                    "label": plain,
                    "start": offsets.point(value["start"]),
                    "end": offsets.point(value["end"]),
                    "score": score if type(score) in (int, float) else None,
                    "attrs": quantity_attrs(plain, answers.get(region, {}), _kept(item)),
                }
            )
    return spans


def _layer(control: str, label: str, reading: Reading) -> tuple[str, str]:
    """Return layer and label; a control of another name than a layer is a foreign project's."""
    layer, plain = parse_label(label, reading.schema)
    known = {entry.name for entry in reading.schema.layers}
    return (control, label) if control in known or layer not in known else (layer, plain)


def _kept(item: _Json) -> dict[str, Any] | None:
    meta = item.get("meta")
    ours = meta.get("claimx") if isinstance(meta, dict) else None
    attrs = ours.get("attrs") if isinstance(ours, dict) else None
    return attrs if isinstance(attrs, dict) else None


def _offsets(regions: list[_Json], text: str, reading: Reading) -> Offsets:
    places = []
    for item in regions:
        value = item.get("value")
        value = value if isinstance(value, dict) else {}
        start, end = value.get("start"), value.get("end")
        if type(start) is not int or type(end) is not int:
            raise AnnotationError(
                f"region {item.get('id')!r} has no offsets into plain text (start {start!r}); "
                "use a Text object, not HyperText or Paragraphs"
            )
        places.append((start, end, value.get("text")))
    offsets = agreeing_offsets(text, places)
    if offsets.remark:
        reading.left_out.add(offsets.remark, "")
    return offsets


def _answers(results: list[_Json], reading: Reading) -> dict[str, dict[str, Any]]:
    """Return region id -> what was answered about the region."""
    answers: dict[str, dict[str, Any]] = {}
    for item in results:
        kind = item.get("type")
        if kind in ("labels", "relation"):
            continue
        value = item.get("value")
        given = value.get("text" if kind == "textarea" else str(kind)) if (
            isinstance(value, dict) and "start" in value and kind in _ANSWERS
        ) else None  # fmt: skip
        if given is None or not item.get("id"):
            reading.left_out.add(f"results of type {kind}", f"{item.get('from_name')}")
            continue
        if isinstance(given, list) and len(given) == 1:
            given = given[0]
        if given not in ("", []):
            answers.setdefault(str(item["id"]), {})[str(item.get("from_name"))] = given
    return answers


def _links(results: list[_Json], known: set[str], reading: Reading) -> Iterator[dict[str, Any]]:
    for item in results:
        if item.get("type") != "relation":
            continue
        head, tail = str(item.get("from_id")), str(item.get("to_id"))
        if item.get("direction") == "left":
            head, tail = tail, head
        if not {head, tail} <= known:
            reading.left_out.add("relations of regions that are not there", f"{head} -> {tail}")
            continue
        score = item.get("score")
        for name in item.get("labels") or ["relation"]:
            yield {"type": str(name), "head": head, "tail": tail, "score": score}
