"""What is drawn on the page: intervals and reliability curves, as SVG without any script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil, floor
from typing import Any

from claimx.page.markup import Html, element, escape
from training.report import Interval

_WIDTH, _HEIGHT, _MARGIN = 170, 14, 6
_SIDE, _LEFT, _BELOW, _AROUND = 300, 44, 40, 12
Scale = tuple[float, float]


def share_scale(intervals: Iterable[Interval | None]) -> Scale:
    """Return the stretch from 0 to 1 that holds the intervals, from a round number on."""
    least = min((interval[1] for interval in intervals if interval), default=0.0)
    return min(floor(least * 10) / 10, 0.9), 1.0


def difference_scale(intervals: Iterable[Interval]) -> Scale:
    """Return a stretch with 0 in its middle that holds most of the intervals.

    A rare figure may differ by 100 points; it is drawn with an arrow, so that others can be told
    from 0.
    """
    far = sorted(max(abs(value) for value in interval) for interval in intervals)
    most = far[int(0.8 * (len(far) - 1))] if far else 0.0
    most = max(ceil(most * 20) / 20, 0.05)
    return -most, most


def interval_chart(interval: Interval, scale: Scale) -> Html:
    """Draw a figure as a dot on its interval; the numbers stand beside it in the table."""
    value, low, high = (_across(min(max(each, scale[0]), scale[1]), scale) for each in interval)
    middle = _HEIGHT / 2
    parts = [_line(_MARGIN, middle, _WIDTH - _MARGIN, middle, "rail")]
    if scale[0] < 0 < scale[1]:
        zero = _across(0, scale)
        parts.append(_line(zero, 0, zero, _HEIGHT, "zero"))
    parts.append(_line(low, middle, high, middle, "range"))
    parts += [_arrow(_MARGIN, -1)] if interval[1] < scale[0] else []
    parts += [_arrow(_WIDTH - _MARGIN, 1)] if interval[2] > scale[1] else []
    if scale[0] <= interval[0] <= scale[1]:
        parts.append(element("circle", cx=_at(value), cy=_at(middle), r="3.5"))
    return _picture(_WIDTH, _HEIGHT, parts, class_="interval", aria_hidden="true")


def _arrow(x: float, way: int) -> Html:
    middle = _HEIGHT / 2
    corners = ((x + way * 5, middle), (x - way, middle - 4), (x - way, middle + 4))
    return element("polygon", points=" ".join(f"{_at(x)},{_at(y)}" for x, y in corners))


def axis(scale: Scale, *, signed: bool = False) -> Html:
    """Draw the scale of a column of intervals: its two ends and its middle, in percent."""
    low, high = scale
    anchors = ("start", "middle", "end")
    ticks = [
        _label(
            _across(value, scale),
            10,
            f"{100 * value:+.0f}" if signed and value else f"{100 * value:.0f}",
            anchor,
        )
        for value, anchor in zip((low, (low + high) / 2, high), anchors, strict=True)
    ]
    return _picture(_WIDTH, _HEIGHT, ticks, class_="interval", aria_hidden="true")


def _across(value: float, scale: Scale) -> float:
    low, high = scale
    return _MARGIN + (_WIDTH - 2 * _MARGIN) * (value - low) / (high - low)


# ---- reliability --------------------------------------------------------------------------


def reliability(
    results: Sequence[tuple[str, Mapping[str, Any]]], label: str, scale: Scale, *, size: int
) -> Html:
    """Draw the share that is right over the mean score, part by part.

    Args:
        results: class of a curve -> what `claimx.metrics.figures.calibration` returned.
        label: what the picture shows, for those who do not see it.
        scale: of both axes.
        size: width of the picture in pixels.
    """
    parts = list(_frame(scale))
    for name, result in results:
        points = [(row["mean_score"], row["share_right"]) for row in result["bins"]]
        places = [(_right(score, scale), _up(share, scale)) for score, share in points]
        path = " ".join(f"{_at(x)},{_at(y)}" for x, y in places)
        parts.append(element("polyline", points=path, class_=name))
        parts += [
            element("circle", cx=_at(x), cy=_at(y), r="4", class_=name)
            if name == "model"
            else element("rect", x=_at(x - 3.5), y=_at(y - 3.5), width="7", height="7", class_=name)
            for x, y in places
        ]
    return _picture(_SIDE, _SIDE, parts, width=size, class_="reliability", role="img",
                    aria_label=label)  # fmt: skip


def reliability_scale(results: Iterable[Mapping[str, Any]]) -> Scale:
    """Return the stretch from 0 to 1 in which all points of the curves lie."""
    least = min(
        (row[name] for each in results for row in each["bins"]
         for name in ("mean_score", "share_right")),
        default=0.0,
    )  # fmt: skip
    return min(floor(least * 10) / 10, 0.8), 1.0


def _frame(scale: Scale) -> Iterator[Html]:
    low, high = scale
    left, right = _right(low, scale), _right(high, scale)
    bottom, top = _up(low, scale), _up(high, scale)
    step = 0.1 if high - low < 0.55 else 0.2
    for number in range(1 + floor((high - low) / step + 1e-6)):
        value = high - number * step
        x, y = _right(value, scale), _up(value, scale)
        yield _line(left, y, right, y, "grid")
        yield _line(x, bottom, x, top, "grid")
        yield _label(left - 6, y + 4, f"{100 * value:.0f}", "end")
        yield _label(x, bottom + 16, f"{100 * value:.0f}", "middle")
    yield _line(left, bottom, right, top, "ideal")
    yield _label((left + right) / 2, bottom + 33, "mean score", "middle")
    middle = (bottom + top) / 2
    yield element("text", escape("exactly right"), x=0, y=0, text_anchor="middle",
                  transform=f"translate(11 {_at(middle)}) rotate(-90)")  # fmt: skip


def _right(value: float, scale: Scale) -> float:
    low, high = scale
    return _LEFT + (_SIDE - _LEFT - _AROUND) * (value - low) / (high - low)


def _up(value: float, scale: Scale) -> float:
    low, high = scale
    return _SIDE - _BELOW - (_SIDE - _BELOW - _AROUND) * (value - low) / (high - low)


# ---- SVG ----------------------------------------------------------------------------------


def _picture(across: int, down: int, parts: Iterable[Html], *, width: int | None = None,
             **attributes: str) -> Html:  # fmt: skip
    shown = width or across
    return element("svg", *parts, viewBox=f"0 0 {across} {down}", width=shown,
                   height=round(shown * down / across), **attributes)  # fmt: skip


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> Html:
    return element("line", x1=_at(x1), y1=_at(y1), x2=_at(x2), y2=_at(y2), class_=name)


def _label(x: float, y: float, text: str, anchor: str) -> Html:
    return element("text", escape(text), x=_at(x), y=_at(y), text_anchor=anchor)


def _at(value: float) -> str:
    return f"{value:.1f}"
