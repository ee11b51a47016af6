"""Dataclasses as plain JSON values, and back, by what their annotations say.

What comes from outside is held to the annotations: a part has every field and no other, and
every field is of its type.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from claimx.errors import FormatError

_Reader = Callable[[Any], Any]
_SHOWN = 60  # characters of a value that an error quotes


def to_plain(value: Any) -> Any:
    """Turn nested dataclasses into plain JSON types; every score to 4 places."""
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if is_dataclass(value):
        return {
            entry.name: round(item, 4) if entry.name == "score" else to_plain(item)
            for entry in fields(value)
            for item in (getattr(value, entry.name),)
        }
    return value


def json_line(value: Mapping[str, Any]) -> str:
    """Return plain values as one line of JSON that any UTF-8 stream can carry."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates have a form in JSON but none in UTF-8
        line = json.dumps(value, separators=(",", ":"))
    return line


def from_plain(kind: Any, value: Any, where: str) -> Any:
    """Build what an annotation names out of plain JSON values.

    Args:
        kind: a dataclass, ``str``, ``int``, ``float``, a ``Literal``, a ``Mapping``, a tuple of any
            number of one of them, or a union of them.
        value: what JSON held.
        where: what the value is called in an error.

    Raises:
        FormatError: naming the first place that does not fit, such as ``quotes[3].cue.score``.
    """
    try:
        return _reader(kind)(value)
    except _MisfitError as error:
        path = "".join(reversed(error.path))
        raise FormatError(f"{where}{path} {error.trouble}") from None


class _MisfitError(Exception):
    """A value that does not fit, and the way to it, innermost first."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.path: list[str] = []


def _misfit(value: Any, wanted: str) -> _MisfitError:
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}..."
    return _MisfitError(f"is {shown}, not {wanted}")


@cache
def _reader(kind: Any) -> _Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return partial(_read_fields, kind, {name: _reader(hint) for name, hint in hints.items()})
    if origin is tuple:
        return partial(_read_items, _reader(arguments[0]))
    if origin in (Union, UnionType):
        if set(arguments) == {int, float}:
            return _read_number
        rest = tuple(one for one in arguments if one is not NoneType)
        return partial(_read_optional, _reader(Union[rest]))  # noqa: UP007 (made, not written)
    if origin is Literal:
        return partial(_read_choice, arguments)
    return _SIMPLE[origin or kind]


def _read_fields(kind: type, readers: Mapping[str, _Reader], value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise _misfit(value, "an object")
    for name in readers.keys() - value.keys():
        raise _MisfitError(f"lacks {name!r}")
    for name in value.keys() - readers.keys():
        raise _MisfitError(f"has {str(name)[:_SHOWN]!r}, which is no field of it")
    found = {}
    for name, reader in readers.items():
        try:
            found[name] = reader(value[name])
        except _MisfitError as error:
            error.path.append(f".{name}")
            raise
    return kind(**found)


def _read_items(reader: _Reader, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _misfit(value, "a list")
    found = []
    for number, item in enumerate(value):
        try:
            found.append(reader(item))
        except _MisfitError as error:
            error.path.append(f"[{number}]")
            raise
    return tuple(found)


def _read_optional(reader: _Reader, value: Any) -> Any:
    return None if value is None else reader(value)


def _read_choice(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise _misfit(value, f"one of {', '.join(map(str, choices))}")
    return value


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise _misfit(value, "a string")
    return value


def _read_integer(value: Any) -> int:
    if type(value) is not int:
        raise _misfit(value, "a whole number")
    return value


def _read_number(value: Any) -> int | float:
    try:
        if type(value) in (int, float) and math.isfinite(value):
            return value  # type: ignore[no-any-return]
    except OverflowError:  # a whole number of hundreds of digits
        pass
    raise _misfit(value, "a number")


def _read_mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _misfit(value, "an object")
    return dict(value)


_SIMPLE: dict[Any, _Reader] = {
    str: _read_text, int: _read_integer, float: _read_number, Mapping: _read_mapping,
}  # fmt: skip
