"""Options that callers give, held to what is allowed where they are given."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real

from claimx.errors import ConfigError


def one_of(name: str, value: object, allowed: Sequence[str | None]) -> None:
    """Refuse what is not one of a few words.

    Raises:
        ConfigError: naming the option, the words and the value.
    """
    if not (value is None or isinstance(value, str)) or value not in allowed:
        words = ", ".join(map(repr, allowed[:-1]))
        raise ConfigError(f"{name} is {words} or {allowed[-1]!r}, got {value!r}")


def whole_number(name: str, value: object, least: int, most: int, meaning: str = "") -> int:
    """Return a whole number between two others.

    Args:
        name: of the option.
        value: what was given for it.
        least: the smallest that is allowed.
        most: the largest.
        meaning: what the smallest stands for, if that is something else than itself.

    Raises:
        ConfigError: naming the option, what is allowed and the value.
    """
    fits = isinstance(value, Integral) and not isinstance(value, bool)
    if not fits or not least <= value <= most:  # type: ignore[operator]
        first = f"{least:,}{f' ({meaning})' if meaning else ''}"
        raise ConfigError(f"{name} is a whole number from {first} to {most:,}, got {value!r}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def probability(name: str, value: object) -> float:
    """Return a number between 0 and 1.

    Raises:
        ConfigError: naming the option, what is allowed and the value.
    """
    fits = isinstance(value, Real) and not isinstance(value, bool)
    if not fits or not 0.0 <= value <= 1.0:  # type: ignore[operator]
        raise ConfigError(f"{name} is a number from 0 to 1, got {value!r}")
    return float(value)  # type: ignore[arg-type]
