"""One Label Studio annotation: regions, answers and relations -> spans and links.

See `formats.label_studio`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from claimx.errors import AnnotationError
from claimx.formats.assembly import parse_label, quantity_attrs
from claimx.formats.codec import Reading
from claimx.formats.offsets import Offsets, agreeing_offsets
from claimx.labels import LabelSchema

_Json = Mapping[str, Any]
# Types of results that are read as attributes of a region.
_ANSWERS = ("number", "rating", "choices", "textarea")


def spans_of(
    results: Sequence[_Json], text: str, reading: Reading, *, own: bool
) -> list[dict[str, Any]]:
    """Return the labelled regions in native form, and with `region`, the id of each one's region.

    A region that a person has given labels of two controls comes as two results of one id.

    Args:
        results: of one annotation.
        text: of the task.
        reading: counts what is left out.
        own: whether the task is one of ours, in which a control is always a layer.

    Raises:
        AnnotationError: if a region has no labels or offsets that can be read.
    """
    spans: list[dict[str, Any]] = []
    regions = [item for item in results if item.get("type") == "labels"]
    offsets = _offsets(regions, text, reading)
    answers = _answers(results, reading)
    owners = _attribute_owners(regions)
    parts: Counter[str] = Counter()
    for number, item in enumerate(regions, start=1):
        value = item["value"]
        labels = _labels(item)
        if not labels:
            reading.left_out.add("regions without label", repr(value.get("text")))
        for label in labels:
            region = str(item.get("id", f"r{number}"))
            parts[region] += 1
            name = str(_kept(item).get("id", region))
            control = str(item.get("from_name"))
            layer, plain = (control, label) if own else _layer(control, label, reading)
            attrs: dict[str, Any] = {}
            if owners.get(region, label) == label:
                attrs = quantity_attrs(plain, answers.get(region, {}), _kept_attrs(item, plain))
            score = item.get("score")
            spans.append(
                {
                    "id": name if parts[region] == 1 else f"{name}#{parts[region]}",
                    "region": region,
                    "layer": layer,
                    "label": plain,
                    "start": offsets.point(value["start"]),
                    "end": offsets.point(value["end"]),
                    "score": score if type(score) in (int, float) else None,
                    "attrs": attrs,
                }
            )
    return spans


def _labels(item: _Json) -> list[str]:
    labels = item["value"].get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise AnnotationError(f"region {item.get('id')!r}: `labels` must be a list of names")
    return labels


def _attribute_owners(regions: Iterable[_Json]) -> dict[str, str]:
    """Return region id -> the one of its several labels that the attributes belong to."""
    labels: dict[str, list[str]] = {}
    for item in regions:
        labels.setdefault(str(item.get("id")), []).extend(_labels(item))
    return {
        region: next((name for name in names if name.endswith("QUANTITY")), names[0])
        for region, names in labels.items()
        if len(names) > 1
    }


def _layer(control: str, label: str, reading: Reading) -> tuple[str, str]:
    """Return layer and label; a control of another name than a layer is a foreign project's."""
    layer, plain = parse_label(label, reading.schema)
    known = {entry.name for entry in reading.schema.layers}
    return (control, label) if control in known or layer not in known else (layer, plain)


def _kept(item: _Json) -> dict[str, Any]:
    """Return what was kept aside of a region at export."""
    meta = item.get("meta")
    ours = meta.get("claimx") if isinstance(meta, dict) else None
    return ours if isinstance(ours, dict) else {}


def _kept_attrs(item: _Json, label: str) -> dict[str, Any] | None:
    """Return the attributes as they were; those of another label went with that label."""
    kept = _kept(item)
    attrs = kept.get("attrs")
    return attrs if isinstance(attrs, dict) and kept.get("label", label) == label else None


def _offsets(regions: Sequence[_Json], text: str, reading: Reading) -> Offsets:
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


def _answers(results: Sequence[_Json], reading: Reading) -> dict[str, dict[str, Any]]:
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


def links_of(
    results: Iterable[_Json], spans: Iterable[_Json], reading: Reading
) -> Iterator[dict[str, Any]]:
    """Yield the relations in native form.

    Args:
        results: of one annotation.
        spans: what `spans_of` gives.
        reading: counts what is left out; its schema chooses where a region is several spans.

    Raises:
        AnnotationError: if a relation's labels are no list.
    """
    ends: dict[str, list[_Json]] = {}
    for span in spans:
        for name in dict.fromkeys((span["region"], span["id"])):
            ends.setdefault(name, []).append(span)
    for item in results:
        if item.get("type") != "relation":
            continue
        first, last = str(item.get("from_id")), str(item.get("to_id"))
        if item.get("direction") == "left":
            first, last = last, first
        if first not in ends or last not in ends:
            reading.left_out.add("relations of regions that are not there", f"{first} -> {last}")
            continue
        score = item.get("score")
        names = item.get("labels") or _only_link(ends[first], ends[last], reading)
        if not isinstance(names, list):
            raise AnnotationError(
                f"the labels of relation {first} -> {last} are no list: {names!r}"
            )
        for name in names:
            head, tail = _ends(str(name), ends[first], ends[last], reading.schema)
            yield {"type": str(name), "head": head["id"], "tail": tail["id"], "score": score}


def _only_link(heads: Sequence[_Json], tails: Sequence[_Json], reading: Reading) -> list[str]:
    """Name a relation that was drawn and not labelled, where its ends leave one choice."""
    fitting = [
        link.name
        for link in reading.schema.links
        if any(_fits(link.name, head, tail, reading.schema) for head in heads for tail in tails)
    ]
    if len(fitting) != 1:
        return ["relation"]
    reading.left_out.add("relations without label, now named by what they join", fitting[0])
    return fitting


def _ends(
    name: str, heads: Sequence[_Json], tails: Sequence[_Json], schema: LabelSchema
) -> tuple[_Json, _Json]:
    """Choose among the spans of two regions those that a link of this type may join."""
    pairs = [(head, tail) for head in heads for tail in tails]
    return next((pair for pair in pairs if _fits(name, *pair, schema)), pairs[0])


def _fits(name: str, head: _Json, tail: _Json, schema: LabelSchema) -> bool:
    ends = (head["layer"], head["label"]), (tail["layer"], tail["label"])
    return any(link.name == name and schema.allows(link, *ends) for link in schema.links)
