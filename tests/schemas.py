"""The published JSON Schemas, ready to check with."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

RECORD, ANNOTATION = "record-1", "annotation"


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema as it lies in the package."""
    path = files("claimx") / "schemas" / f"{name}.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    """What checks values against a schema."""
    return Draft202012Validator(schema(name))


def problems(name: str, value: Any) -> list[str]:
    """What a schema finds wrong with a value, place first."""
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]
