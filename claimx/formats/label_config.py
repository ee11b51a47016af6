"""Labelling configurations: what an annotation tool must be told of a label schema.

They use the very names that the codec of the tool writes and reads, so that predictions show up
in it and corrections come back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

from claimx.errors import ConfigError
from claimx.formats.assembly import label_name
from claimx.formats.brat_words import safe_name
from claimx.formats.checks import CHANGES, KINDS, MODIFIERS
from claimx.formats.label_studio import ATTRIBUTE_CONTROLS, TEXT
from claimx.labels import LabelSchema

# Nine colours that people with any kind of colour blindness tell apart (the scheme "muted" by
# Paul Tol), then others that are as far from these as can be; after that they repeat.
COLOURS = (
    "#88CCEE", "#DDCC77", "#CC6677", "#44AA99", "#AA4499", "#999933", "#117733", "#882255",
    "#332288", "#E69F00", "#0072B2", "#F0E442", "#D55E00", "#000000", "#BBBBBB",
)  # fmt: skip
# Keys that are free in Label Studio's editor, which keeps u for itself; 0 follows 9.
HOTKEYS = "1234567890qwertyiopasdfghjklzxcvbnm"
CHOICES = {"kind": KINDS, "modifier": MODIFIERS, "change": CHANGES}


def label_configuration(schema: LabelSchema, tool: str) -> dict[str, str]:
    """Return the files, name -> content, that tell a tool about a schema.

    Args:
        schema: layers, labels and link types.
        tool: one of `TOOLS`.

    Raises:
        ConfigError: if the tool is unknown, or cannot take the names of the schema.
    """
    if tool not in TOOLS:
        raise ConfigError(
            f"there is no labelling configuration for {tool!r}; known are {', '.join(TOOLS)}"
        )
    return TOOLS[tool](schema)


def colours(schema: LabelSchema) -> dict[tuple[str, str], str]:
    """Return the colour of each label, given as ``(layer, label)``.

    Args:
        schema: its labels are coloured in their order.
    """
    kinds = [(layer.name, label) for layer in schema.layers for label in layer.labels]
    return {kind: COLOURS[number % len(COLOURS)] for number, kind in enumerate(kinds)}


# ---- Label Studio -------------------------------------------------------------------------

# A bar that stays in view above a long article, in light and dark themes.
_BAR = (
    "position: sticky; top: 0; z-index: 5; padding: 4px 0; "
    "background: var(--color-neutral-background, #fff)"
)
_TAGS = {"number": "Number", "textarea": "TextArea", "choices": "Choices"}
_TAG_OPTIONS: dict[str, dict[str, str]] = {
    "number": {},
    "textarea": {"maxSubmissions": "1", "editable": "true", "rows": "1"},
    "choices": {"choice": "single", "showInline": "true"},
}


def _label_studio(schema: LabelSchema) -> dict[str, str]:
    _check_controls(schema)
    view = ElementTree.Element("View")
    if schema.links:
        relations = ElementTree.SubElement(view, "Relations", choice="single")
        for link in schema.links:
            ElementTree.SubElement(relations, "Relation", value=link.name)
    bar = ElementTree.SubElement(view, "View", style=_BAR)
    coloured = colours(schema)
    keys = iter(HOTKEYS)
    for layer in schema.layers:
        control = ElementTree.SubElement(
            bar, "Labels", name=layer.name, toName=TEXT, showInline="true"
        )
        for label in layer.labels:
            key = next(keys, None)
            described = {
                "value": label,
                "background": coloured[layer.name, label],
                "hint": f"{label} ({layer.name})",
            }
            ElementTree.SubElement(control, "Label", described | ({"hotkey": key} if key else {}))
    if _has_quantities(schema):
        bar.append(_attribute_controls())
    ElementTree.SubElement(view, "Text", name=TEXT, value=f"${TEXT}")
    ElementTree.indent(view)
    return {"label-studio.xml": ElementTree.tostring(view, encoding="unicode") + "\n"}


def _attribute_controls() -> ElementTree.Element:
    """Return the controls of a QUANTITY's attributes, shown while one is selected."""
    quantity = {"perRegion": "true", "whenLabelValue": "QUANTITY"}
    view = ElementTree.Element(
        "View", visibleWhen="region-selected", whenLabelValue="QUANTITY",
        style="display: flex; flex-wrap: wrap; gap: 4px 16px",
    )  # fmt: skip
    for name, kind in ATTRIBUTE_CONTROLS.items():
        # Label Studio shows no name beside a control.
        field = ElementTree.SubElement(view, "View")
        ElementTree.SubElement(field, "Header", value=name, size="6")
        described = {"name": name, "toName": TEXT, **quantity, **_TAG_OPTIONS[kind]}
        control = ElementTree.SubElement(field, _TAGS[kind], described)
        for choice in CHOICES.get(name, ()):
            ElementTree.SubElement(control, "Choice", value=choice)
    return view


def _check_controls(schema: LabelSchema) -> None:
    """Refuse names that would mean something else in a labelling configuration."""
    taken = {TEXT, *ATTRIBUTE_CONTROLS}
    labels = [label for layer in schema.layers for label in layer.labels]
    names = [*(layer.name for layer in schema.layers), *(link.name for link in schema.links)]
    wrong = [
        *(f"layer {layer.name!r} has the name of a control" for layer in schema.layers
          if layer.name in taken),
        *(f"{name!r} starts with $, which stands for a field of the task"
          for name in (*names, *labels) if name.startswith("$")),
    ]  # fmt: skip
    if wrong:
        raise ConfigError(f"Label Studio cannot take this schema: {'; '.join(wrong)}; rename it")


def _has_quantities(schema: LabelSchema) -> bool:
    return any("QUANTITY" in layer.labels for layer in schema.layers)


# ---- brat, doccano, Prodigy ---------------------------------------------------------------


def _brat(schema: LabelSchema) -> dict[str, str]:
    types = {kind: safe_name(label_name(*kind)) for kind in colours(schema)}
    lines = ["[entities]", *types.values(), "[relations]"]
    for link in schema.links:
        pairs = _pairs(schema, link.heads, link.tails)
        heads = dict.fromkeys(types[head] for head, _ in pairs)
        tails = dict.fromkeys(types[tail] for _, tail in pairs)
        lines.append(f"{safe_name(link.name)}\tArg1:{'|'.join(heads)}, Arg2:{'|'.join(tails)}")
    lines += ["[events]", "[attributes]"]
    owners = [name for (_, label), name in types.items() if label == "QUANTITY"]
    if owners:
        lines += [
            f"{name}\tArg:{'|'.join(owners)}, Value:{'|'.join(values)}"
            for name, values in CHOICES.items()
        ]
    drawn = [
        f"{types[kind]}\tbgColor:{colour}, fgColor:{_ink(colour)}, borderColor:darken"
        for kind, colour in colours(schema).items()
    ]
    return {
        "annotation.conf": "\n".join(lines) + "\n",
        "visual.conf": "\n".join(["[labels]", "[drawing]", *drawn]) + "\n",
    }


def _pairs(
    schema: LabelSchema, heads: Sequence[str], tails: Sequence[str]
) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    kinds = [(layer.name, label) for layer in schema.layers for label in layer.labels]
    return [
        (head, tail)
        for head in kinds
        for tail in kinds
        if head[1] in heads and tail[1] in tails
    ]  # fmt: skip


def _doccano(schema: LabelSchema) -> dict[str, str]:
    keys = iter("1234567890abcdefghijklmnopqrstuvwxyz")
    spans = [
        {
            "text": label_name(*kind),
            "suffix_key": next(keys, None),
            "background_color": colour,
            "text_color": _ink(colour),
        }
        for kind, colour in colours(schema).items()
    ]
    relations = [
        {"text": link.name, "suffix_key": None, "background_color": "#BBBBBB",
         "text_color": "#000000"}
        for link in schema.links
    ]  # fmt: skip
    return {"span_types.json": _json(spans), "relation_types.json": _json(relations)}


def _prodigy(schema: LabelSchema) -> dict[str, str]:
    named = {label_name(*kind): colour for kind, colour in colours(schema).items()}
    return {
        "prodigy.json": _json({"custom_theme": {"labels": named}}),
        "span_labels.txt": "".join(f"{name}\n" for name in named),
        "relation_labels.txt": "".join(f"{link.name}\n" for link in schema.links),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _ink(background: str) -> str:
    """Return black or white, whichever is read more easily on a colour."""
    red, green, blue = (int(background[at : at + 2], 16) for at in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else "#FFFFFF"


TOOLS: dict[str, Callable[[LabelSchema], dict[str, str]]] = {
    "label-studio": _label_studio,
    "brat": _brat,
    "doccano": _doccano,
    "prodigy": _prodigy,
}
