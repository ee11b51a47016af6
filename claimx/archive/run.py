"""The state of a run: what it was started with, and whether it may be gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from claimx.archive.inputs import InputFile
from claimx.archive.places import file_size, join, opened, write_whole
from claimx.errors import ConfigError

RUN = "run.json"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides what the records of a run are.

    How many machines, workers and threads share the work is not among it.

    Args:
        claimx: version of claimx.
        model: name, version and weights hash.
        extractor: options of the `Extractor`, its dtype among them.
        reading: options of the readers.
        rows_in_shard: rows in a full shard.
        output: ``parquet`` or ``jsonl.zst``.
        with_text: whether records hold the text.
        tables: names of the flat tables that are written.
    """

    claimx: str
    model: str
    extractor: Mapping[str, Any]
    reading: Mapping[str, Any]
    rows_in_shard: int
    output: str
    with_text: bool
    tables: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A hash by which the config is known again."""
        return _digest(asdict(self))


def begin(folder: str, config: RunConfig, files: Sequence[InputFile], *, resume: bool) -> None:
    """Start a run in a folder, or see that the one that is there may be gone on with.

    Several machines that share a folder all come with ``resume``: the first one starts the run.

    Raises:
        ConfigError: if there is a run and ``resume`` was not asked for, or if it had another
            model, config or input; the differences are named.
    """
    state = {
        "config": _plain(asdict(config)),
        "inputs": [[file.path, file.size, file.version, file.format] for file in files],
    }
    path = join(folder, RUN)
    if file_size(path) is None:
        text = json.dumps(state, ensure_ascii=False, indent=1) + "\n"
        write_whole(path, text.encode("utf-8", "surrogatepass"))
        return
    if not resume:
        raise ConfigError(
            f"{folder} holds a run already; go on with it by --resume, or name another folder"
        )
    if any(file.path == "-" for file in files):
        raise ConfigError("standard input cannot be read twice: a run over `-` cannot be resumed")
    try:
        with opened(path) as stream:
            before = json.loads(stream.read().decode("utf-8", "surrogatepass"))
        differences = [
            *_changed_config(before["config"], state["config"]),
            *_changed_inputs(before["inputs"], state["inputs"]),
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged ({error!r}); start anew in another folder") from error
    if differences:
        raise ConfigError(
            f"the run in {folder} was started otherwise, and its records would not fit together: "
            f"{'; '.join(differences)}. Put it back as it was, or start anew in another folder"
        )


def _changed_config(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """Name what differs, by the path of its key."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from _changed_config(
                before.get(key), now.get(key), f"{name}.{key}" if name else key
            )
    elif before != now:
        yield f"{name} was {before!r} and is {now!r}"


def _changed_inputs(before: Sequence[Any], now: Sequence[Any]) -> Iterator[str]:
    """Name files that came, went or changed."""
    old, new = ({row[0]: row[1:] for row in rows} for rows in (before, now))
    groups = {
        "no longer there": [path for path in old if path not in new],
        "new": [path for path in new if path not in old],
        "changed": [path for path in new if path in old and old[path] != new[path]],
    }
    for what, paths in groups.items():
        if paths:
            more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
            yield f"input {what}: {', '.join(paths[:_SHOWN])}{more}"
    if not any(groups.values()) and [row[0] for row in before] != [row[0] for row in now]:
        yield "the inputs are in another order"


def _digest(value: Any) -> str:
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value as it comes back from JSON, so that it can be compared with one."""
    return json.loads(json.dumps(value))
