"""The YAML head of an inline file, read as plain JSON types: no dates, aliases or surprises."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from typing import Any

import yaml

from claimx.errors import FormatError

MAX_CHARACTERS = 100_000
MAX_DEPTH = 40
_HEAD = re.compile(
    r"\A\ufeff?---[ \t]*(\r?)\n(.*?)^---[ \t]*\r?(?:\n|\Z)", re.DOTALL | re.MULTILINE
)


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of JSON only, different keys, and no aliases."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases, which can unfold into gigabytes, and brackets nested without end."""
        refused = "aliases (*name) are not allowed"
        if self._depth > MAX_DEPTH:
            refused = f"nested deeper than {MAX_DEPTH}"
        if self._depth > MAX_DEPTH or self.check_event(yaml.events.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, refused, mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is given twice; YAML would keep the last without a word."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen if isinstance(key_node.value, str) else False:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} is given twice", key_node.start_mark
                )
            if isinstance(key_node.value, str):
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


# A subset of YAML 1.1, so that whatever yaml.safe_dump leaves without quotation marks reads back
# as what it was. Dates stay strings; so do `no` and `12:30`.
for _tag, _pattern, _first in (
    ("null", r"(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]{0,4000})$", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


class _Dumper(yaml.SafeDumper):
    """YAML that reads back exactly: unusual line ends are written as escapes."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = '"' if re.search("[\x85\u2028\u2029]", value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def split(source: str) -> tuple[str, int, str] | None:
    """Split a file into its YAML head and the rest.

    Args:
        source: the whole file.

    Returns:
        The YAML text, the index where the body begins and the file's line end; None where the
        file does not begin with a head between two lines ``---``.
    """
    match = _HEAD.match(source)
    return (match[2], match.end(), match[1] + "\n") if match else None


def load(head: str) -> dict[str, Any]:
    """Read the YAML head as a mapping of plain JSON types.

    Args:
        head: the text between the two lines ``---``.

    Raises:
        FormatError: with the line inside the file, if it is no such mapping.
    """
    if len(head) > MAX_CHARACTERS:
        raise FormatError(f"the front matter is longer than {MAX_CHARACTERS} characters")
    try:
        record = yaml.load(head, Loader=_Loader)  # noqa: S506 (a SafeLoader that allows less)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 2}: " if mark else ""
        raise FormatError(f"front matter, {line}{error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FormatError(f"front matter: {str(error).splitlines()[0]}") from error
    if not isinstance(record, dict):
        raise FormatError("the front matter must be a mapping such as `id: own/harbour`")
    if bad := not_json(record):
        raise FormatError(f"front matter: {bad}")
    return record


def dump(record: Mapping[str, Any]) -> str:
    """Return the YAML head for a mapping of plain JSON types, keys in the given order.

    Args:
        record: what `load` gives back.

    Raises:
        FormatError: if a value is not a plain JSON type, or the head would be too long to read.
    """
    if bad := not_json(record):
        raise FormatError(f"front matter: {bad}")
    head = yaml.dump(_copy(record), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    if len(head) > MAX_CHARACTERS:
        raise FormatError(f"the front matter would be longer than {MAX_CHARACTERS} characters")
    return head


def not_json(value: Any, place: str = "", depth: int = 0) -> str | None:
    """Return what keeps a value from being plain JSON, or None if nothing does.

    Args:
        value: the value.
        place: its key, for the message.
        depth: how deep it is nested already.
    """
    if depth >= MAX_DEPTH:
        return f"{place} is nested deeper than {MAX_DEPTH}"
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"the key {key!r} must be text; put it in quotation marks"
            if bad := not_json(item, f"{place}.{key}".lstrip("."), depth + 1):
                return bad
        return None
    if isinstance(value, list | tuple):
        return next((bad for item in value if (bad := not_json(item, place, depth + 1))), None)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{place} is {value}, not a finite number"
    if value is None or isinstance(value, str | bool | int | float):
        return None
    return f"{place} is of type {type(value).__name__}, which JSON does not have"


def _copy(value: Any) -> Any:
    """Copy into dicts and lists that share nothing, so that YAML writes no anchors."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value
