"""The state of a run: what it was started with, and whether it may be gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from claimx.archive.inputs import InputFile
from claimx.archive.opening import STANDARD_INPUT
from claimx.archive.places import (
    RECEIPTS,
    RECORDS,
    RUN,
    file_sha256,
    file_size,
    is_url,
    join,
    list_files,
    opened,
    write_whole,
)
from claimx.archive.plan import plan_groups
from claimx.archive.receipts import inputs_of, read_receipts
from claimx.errors import ConfigError

_SHOWN = 5
_FACTS = 4  # of an input in the state, before its hash: path, size, version, format
_HASHED = 1 << 30  # bytes of input that are hashed as a run starts, which takes seconds


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides what the records of a run are.

    How many machines, workers and threads share the work is not among it.

    Args:
        claimx: version of claimx.
        model: name, version and weights hash.
        extractor: options of the `Extractor`; what "auto" stood for as its dtype, and the kind of
            device.
        reading: options of the readers.
        rows_in_shard: rows in a full shard.
        format: ``parquet`` or ``jsonl.zst``.
        with_text: whether records hold the text.
        tables: names of the flat tables that are written.
    """

    claimx: str
    model: str
    extractor: Mapping[str, Any]
    reading: Mapping[str, Any]
    rows_in_shard: int
    format: str
    with_text: bool
    tables: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A hash by which the config is known again."""
        return _digest(asdict(self))


def check(folder: str, config: RunConfig, files: Sequence[InputFile], *, resume: bool) -> bool:
    """See that a run may start in a folder, or that the one that is there may be gone on with.

    Several machines that share a folder all come with ``resume``: the first one starts the run.
    A file that was left out, since it could not be read, may have been mended.

    Returns:
        Whether the folder has the state of this run already; if not, `start` is to write it.

    Raises:
        ConfigError: if there is a run and ``resume`` was not asked for, or if it had another
            model, config or input, the differences named; or if its state is gone.
    """
    path = join(folder, RUN)
    if file_size(path) is None:
        lost = without_state(folder)
        if file_size(path) is None:  # another machine may have started the run just now
            if lost is not None:
                raise lost
            return False
    if not resume:
        raise ConfigError(
            f"{folder} holds a run already; go on with it by --resume, or name another folder"
        )
    state = _state(config, files)
    before = _read(path)
    try:
        inputs = [row[:_FACTS] for row in before["inputs"]]
        now = _untouched(before["inputs"], state["inputs"])
        mended = _mended(inputs, now, folder)
        differences = [
            *_changed_config(before["config"], state["config"]),
            *_changed_inputs(mended, now),
        ]
    except (ValueError, LookupError, TypeError) as error:
        raise _damaged(path, error) from error
    if differences:
        raise ConfigError(
            f"the run in {folder} was started otherwise, and its records would not fit together: "
            f"{'; '.join(differences)}. Put it back as it was, or start anew in another folder"
        )
    return bool(mended == inputs)


def start(folder: str, config: RunConfig, files: Sequence[InputFile]) -> None:
    """Write the state of a run into its folder.

    Raises:
        ClaimxError: if it cannot be written.
    """
    state = _state(config, files)
    for row, digest in zip(state["inputs"], _hashes(files), strict=True):
        row.append(digest)
    text = json.dumps(state, ensure_ascii=False, indent=1) + "\n"
    write_whole(join(folder, RUN), text.encode("utf-8", "surrogatepass"))


def without_state(folder: str) -> ConfigError | None:
    """Return the error of a folder that holds shards of a run, but not its state, if it does."""
    if not any(list_files(join(folder, name)) for name in (RECEIPTS, RECORDS)):
        return None
    return ConfigError(
        f"{folder} holds shards of a run, but {RUN} is gone, which says what they were made from: "
        "put it back, or start anew in another folder"
    )


def group_count(folder: str) -> int:
    """Return how many groups of inputs the run in a folder has.

    Raises:
        ClaimxError: if its state is damaged or not there.
    """
    path = join(folder, RUN)
    groups = _read(path).get("groups")
    if not isinstance(groups, int):
        raise _damaged(path, TypeError("`groups` is no number"))
    return groups


def named_as_before(folder: str, files: Sequence[InputFile]) -> list[InputFile]:
    """Give files the names that the run in a folder has for them, if there is one.

    ``news/a.csv``, ``./news/a.csv`` and the whole path of it are one file; receipts and error
    records have the name that it had first.
    """
    path = join(folder, RUN)
    if file_size(path) is None:
        return list(files)
    try:
        before = [row[0] for row in _read(path)["inputs"]]
        known = {_place(name): name for name in before}
    except (LookupError, TypeError, AttributeError):  # it is damaged, which `check` says
        return list(files)
    found = [replace(file, path=known.get(_place(file.path), file.path)) for file in files]
    return sorted(found, key=lambda file: file.path)


def _place(path: str) -> str:
    """Return where a file is, however it is named."""
    if is_url(path) or path == STANDARD_INPUT:
        return path
    return str(Path(path.removeprefix("file://")).resolve())


def _state(config: RunConfig, files: Sequence[InputFile]) -> dict[str, Any]:
    return {
        "config": _plain(asdict(config)),
        "groups": len(plan_groups(files, config.rows_in_shard)),
        "inputs": [[file.path, file.size, file.version, file.format] for file in files],
    }


def _hashes(files: Sequence[InputFile]) -> list[str | None]:
    """Return the SHA-256 of each local file, if all of them together are not too large for that."""
    if sum(file.size or 0 for file in files) > _HASHED:
        return [None] * len(files)
    return [
        None
        if is_url(file.path) or file.path == STANDARD_INPUT or file_size(file.path) is None
        else file_sha256(file.path)
        for file in files
    ]


def _untouched(before: Sequence[Any], now: Sequence[Any]) -> list[Any]:
    """Give files that were written again with the content that they had the version from then."""
    known = {row[0]: row for row in before}
    return [known[row[0]][:_FACTS] if _same(known.get(row[0]), row) else row for row in now]


def _same(before: Any, now: Sequence[Any]) -> bool:
    """Say whether a file that has changed has the same content."""
    if before is None or before[:_FACTS] == now or len(before) == _FACTS:
        return False
    alike = (before[1], before[3]) == (now[1], now[3])
    return alike and before[_FACTS] is not None and file_sha256(now[0]) == before[_FACTS]


def _read(path: str) -> dict[str, Any]:
    try:
        with opened(path) as stream:
            state = json.loads(stream.read().decode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise _damaged(path, error) from error
    if not isinstance(state, dict):
        raise _damaged(path, TypeError("it is no object"))
    return state


def _damaged(path: str, error: Exception) -> ConfigError:
    return ConfigError(f"{path} is damaged ({error!r}); start anew in another folder")


def _mended(before: Sequence[Any], now: Sequence[Any], folder: str) -> Sequence[Any]:
    """Let files be as they are now where they have changed, but none of their rows was taken."""
    current = {row[0]: row for row in now}
    changed = {row[0] for row in before if current.get(row[0], row) != row}
    if not changed:
        return before
    read, left_out = inputs_of(read_receipts(folder, on_damage=lambda _: None))
    free = changed & left_out - read
    return [[*current[row[0]][:3], row[3]] if row[0] in free else row for row in before]


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
    gone = [path for path in old if path not in new]
    groups = {
        "no longer there": [path for path in gone if file_size(path) is None],
        "not named this time": [path for path in gone if file_size(path) is not None],
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
