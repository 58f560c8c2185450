# SPDX-License-Identifier: Apache-2.0
"""Charts as shapes, in pixels, for SVG; y grows downwards."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)

#: What a column may stand for; the first is taken that needs no more than so many columns.
_STEPS = (_HOUR, 6 * _HOUR, _DAY, _WEEK, 4 * _WEEK, 52 * _WEEK)
_MOST_COLUMNS = 100

#: Labels below the columns, and lines behind them.
_LABELS = 7
_LINES = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a column: one operation."""

    y: float
    height: float
    operation: str
    calls: int


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch of time."""

    x: float
    begin: str
    segments: Sequence[Segment]

    @property
    def calls(self) -> int:
        """How many in all."""
        return sum(segment.calls for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked columns over time."""

    width: float
    height: float
    #: Of each column.
    column_width: float
    #: What one stands for: ``hour``.
    step: str
    columns: Sequence[Column]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]


def columns(
    hours: Mapping[tuple[str, datetime], int],
    operations: Sequence[str],
    period: tuple[datetime, datetime],
    *,
    width: float,
    height: float,
) -> Chart:
    """Return a chart of calls over time.

    :param hours: calls by operation and hour
    :param operations: from the bottom of a column to its top
    """
    begin, step = _grid(*period)
    count = (period[1] - begin) // step + 1
    calls: Counter[tuple[int, str]] = Counter()
    for (operation, hour), number in hours.items():
        calls[(hour - begin) // step, operation] += number
    highest = max(sum(calls[i, each] for each in operations) for i in range(count))
    top, interval = _scale(highest)
    slot = width / count
    form = "%d %b %Y %H:%M" if step < _DAY else "%d %b %Y"
    return Chart(
        width=width,
        height=height,
        column_width=min(slot * 0.82, 48),
        step=_name(step),
        columns=[
            Column(
                x=_round((i + 0.5) * slot - min(slot * 0.82, 48) / 2),
                begin=(begin + i * step).strftime(form),
                segments=_stack([(each, calls[i, each]) for each in operations], top, height),
            )
            for i in range(count)
        ],
        x_ticks=[
            Tick(_round((i + 0.5) * slot), (begin + i * step).strftime(_label_form(step)))
            for i in range(0, count, max(1, math.ceil(count / _LABELS)))
        ],
        y_ticks=[
            Tick(_round(height - height * value / top), f"{value:,}")
            for value in range(0, top + 1, interval)
        ],
    )


def sparkline(
    days: Mapping[date, int], period: tuple[datetime, datetime], *, width: float, height: float
) -> str:
    """Return an SVG path: small columns for the calls of days, or of several days each."""
    first, last = (each.date() for each in period)
    count = (last - first).days + 1
    step = math.ceil(count / 60)
    calls: Counter[int] = Counter()
    for day, number in days.items():
        calls[(day - first).days // step] += number
    highest = max(calls.values())
    slot = width / math.ceil(count / step)
    parts = []
    for i, number in sorted(calls.items()):
        tall = max(height * number / highest, 1)
        parts.append(
            f"M{_round(i * slot)} {_round(height)}v{_round(-tall)}h{_round(slot * 0.8)}"
            f"v{_round(tall)}z"
        )
    return "".join(parts)


def _grid(first: datetime, last: datetime) -> tuple[datetime, timedelta]:
    """Return where the first column begins, and what a column stands for."""
    fitting = (step for step in _STEPS if (last - first) / step < _MOST_COLUMNS)
    step = next(fitting, _STEPS[-1])
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if step >= _DAY:
        return midnight, step
    return midnight + (first - midnight) // step * step, step


def _stack(calls: Sequence[tuple[str, int]], top: int, height: float) -> list[Segment]:
    segments = []
    y = height
    for operation, number in calls:
        if number:
            tall = height * number / top
            y -= tall
            segments.append(Segment(_round(y), _round(tall), operation, number))
    return segments


def _scale(highest: int) -> tuple[int, int]:
    """Return a round number that is not lower, and the interval between lines."""
    magnitude = 10 ** max(0, len(str(highest)) - 1)
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        interval = math.ceil(magnitude * factor / 10) or 1
        if interval * _LINES >= highest:
            return interval * math.ceil(highest / interval), interval
    raise AssertionError("some factor is large enough")


def _name(step: timedelta) -> str:
    names = {_HOUR: "hour", 6 * _HOUR: "6 hours", _DAY: "day", _WEEK: "week", 4 * _WEEK: "4 weeks"}
    return names.get(step, "year")


def _label_form(step: timedelta) -> str:
    if step < _DAY:
        return "%d %b %H:%M"
    return "%d %b" if step == _DAY else "%d %b %Y"


def _round(value: float) -> float:
    return round(value, 1)
