"""An extraction as long as one likes: another one, repeated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from claimx.types import Extraction

_NAMES = frozenset({"id", "continues", "source", "quote"})
_LISTS = frozenset({"persons", "quotes"})


def repeated(found: Extraction, times: int) -> Extraction:
    """Put an article behind itself, with everything that was found in it."""
    record = found.to_dict(with_text=True)
    text = f"{found.text}\n\n"
    made = dict(record)
    made["text"] = text * times
    made["text_sha256"] = hashlib.sha256(made["text"].encode()).hexdigest()
    for part in ("quotes", "sources", "people", "claims"):
        size = len(record[part])
        made[part] = [
            _moved(one, at * len(text), at) for at in range(times) for one in record[part][:size]
        ]
    return Extraction.from_dict(made)


def _moved(value: Any, distance: int, at: int) -> Any:
    if isinstance(value, list):
        return [_moved(one, distance, at) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: one + distance
        if key in ("start", "end")
        else f"{one}.{at}"
        if key in _NAMES and isinstance(one, str) and re.fullmatch(r"[a-z]\d+", one)
        else [f"{each}.{at}" for each in one]
        if key in _LISTS and all(isinstance(each, str) for each in one)
        else _moved(one, distance, at)
        for key, one in value.items()
    }
