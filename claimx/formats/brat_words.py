"""How names and values are written in brat's lines, where a word holds no space."""

from __future__ import annotations

import json
import re
from typing import Any

from claimx.formats.assembly import parse_label
from claimx.labels import DEFAULT_SCHEMA, LabelSchema

# The type of our notes, and the file beside the pairs; brat shows the first and skips the other.
NOTE = "claimx"
DOCUMENTS = "claimx.json"

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_WORD = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,200}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][-+]?[0-9]{1,3})?")
_BARE = {"true": True, "false": False}


def safe_name(name: str) -> str:
    """Return the word that stands for a label or link type: a slash becomes a dot.

    Args:
        name: the name; `read_type` gives it back where that is possible.
    """
    return _UNSAFE.sub("_", name.replace("/", ".")) or "_"


def read_type(kind: str, schema: LabelSchema = DEFAULT_SCHEMA) -> tuple[str, str]:
    """Return the layer and label of a type: ``QUOTE`` or ``attribution_broad.QUOTE``.

    Args:
        kind: the type as it stands in the file.
        schema: its layers may stand before a dot; finds the layer of a label alone.
    """
    layer, dot, label = kind.partition(".")
    if dot and label and layer in {entry.name for entry in schema.layers}:
        return layer, label
    return parse_label(kind, schema)


def write_value(name: str, value: Any) -> str | None:
    """Return an attribute as it stands after its target, or None where brat has no words for it.

    Args:
        name: the attribute.
        value: yes is written as nothing at all.
    """
    if not _NAME.fullmatch(name):
        return None
    if value is True:
        return ""
    if isinstance(value, bool | int | float):
        written = json.dumps(value)
    elif isinstance(value, str) and _WORD.fullmatch(value):
        written = value
    else:
        return None
    back = read_value(written)
    return written if repr(back) == repr(value) else None


def read_value(written: str | None) -> Any:
    """Return the value of an attribute.

    Args:
        written: what stands after its target; None for a bare attribute.
    """
    if written is None:
        return True
    if written in _BARE:
        return _BARE[written]
    if _NUMBER.fullmatch(written):
        number = json.loads(written)
        if json.dumps(number) == written:  # 007 and 1.50 are words
            return number
    return written
