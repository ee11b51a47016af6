"""From bytes to inputs, so that whoever chooses the bytes (hypothesis, libFuzzer) chooses all.

What is sound is spoiled in two ways: bytes cut out and put in, and values of JSON changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")

PIECES = [
    b"", b"0", b"9", b"-", b'"', b"{", b"}", b"[", b"]", b"null", b"\t", b"\n", b"\r", b" ",
    b"\xff",    b"\x00", b"true", b"<", b">", b"</", b"/>", b"&x;", b"&#0;", b"&#xD800;", b'"a"',
    b"1e9",
    b"1e999", b"_", b"T9", b"R1", b"E1", b"1.5", b"\\ud800", b"\xed\xa0\x80", b"\xf0\x9f\x99\x82",
    b"\xef\xbb\xbf", b"NaN", b"9" * 5000, b"[" * 3000, b"-1", b"18446744073709551616", b",", b":",
    b"'", b"|", b"#", b"=", b"\xe2\x80\xa8", b"\x85", b"\\", b"\\n", b"*", b"&a", b"!!", b"---\n",
    b"\r\n\r\n", b";", b"B-QUOTE", b"I-", b"<Q id=q9>", b"</Q>", b"<!DOCTYPE a [", b"<![CDATA[",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 7, 40, 2**31, 2**63, 10**400, -0.0, 0.5, 1e308, float("nan"),
    float("inf"), "", "0", "q1", "s1", "v1", "QUOTE", "quantity", "attribution", "said_by",
    "\ud800", "é🙂", "../x", "a\nb", "<b>", "1e999", "x" * 5000, [], {}, [[]], [0], ["a"], [None],
    {"a": 1},
    {"id": "q1"}, {"": None}, [1, "a", {}],
]  # fmt: skip


class Feed:
    """Choices made by bytes; at their end every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def __bool__(self) -> bool:
        return self._place < len(self._data)

    def below(self, limit: int) -> int:
        """Return a number from 0 to below a limit."""
        size = 1 if limit <= 1 << 8 else 2 if limit <= 1 << 16 else 3
        piece = self._data[self._place : self._place + size]
        self._place += size
        return int.from_bytes(piece, "little") % limit

    def pick(self, table: Sequence[Item]) -> Item:
        """Return an item of a table."""
        return table[self.below(len(table))]

    def text(self, pieces: Sequence[str], most: int) -> str:
        """Return some pieces in a row, now and then a character of any kind, or many in a row."""
        parts = []
        for _ in range(self.below(most + 1)):
            way = self.below(32)
            if way == 0:
                parts.append(chr(self.below(0x110000)))
            elif way == 1:
                parts.append((self.pick(pieces) + self.pick(pieces)) * self.below(400))
            else:
                parts.append(self.pick(pieces))
        return "".join(parts)

    def spoil(self, content: bytes) -> bytes:
        """Return bytes with one to three stretches cut out and others put in."""
        for _ in range(1 + self.below(3)):
            at = self.below(len(content) + 1)
            cut = self.below(8) or self.below(4096) * (self.below(8) == 0)
            piece = self.pick(PIECES) if self.below(4) else bytes([self.below(256)])
            content = content[:at] + piece + content[at + cut :]
        return content

    def spoil_value(self, value: Any) -> Any:
        """Return a value of JSON with one to three places in it changed or taken away."""
        spoiled = copy.deepcopy(value)
        for _ in range(1 + self.below(3)):
            self._spoil_place(spoiled)
        return spoiled

    def _spoil_place(self, value: Any) -> None:
        while value and isinstance(value, dict | list):
            keys = list(value) if isinstance(value, dict) else range(len(value))
            key = self.pick(keys)
            inner = value[key]
            deeper = isinstance(inner, dict | list) and bool(inner)
            if deeper and self.below(8):
                value = inner
                continue
            if self.below(6) == 0:
                del value[key]
            elif self.below(6) == 0 and isinstance(value, dict):
                value[self.pick(["", "id", "x", "\ud800", key + key])] = inner
            else:
                value[key] = copy.deepcopy(self.pick(VALUES))
            return


def as_json(value: Any) -> bytes:
    """Return JSON, or nearly so: NaN and lone surrogates are written as Python writes them."""
    return json.dumps(value).encode()
