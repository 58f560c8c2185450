# SPDX-License-Identifier: Apache-2.0
"""Times taken side by side: a ratio of two means something where neither does alone."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

#: Of every comparison, however slow, so that there is a median.
MIN_ROUNDS = 3

Action = Callable[[], object]


class Spread(NamedTuple):
    """A median between its quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the spread of two values or more."""
        return cls(*statistics.quantiles(values, n=4, method="inclusive"))

    def over(self, unit: float) -> Self:
        """Return it in multiples of a unit."""
        return type(self)(*(value / unit for value in self))


class Limits(NamedTuple):
    """How long a comparison goes on."""

    rounds: int
    #: After these no further round begins, unless there are fewer than ``MIN_ROUNDS``.
    seconds: float


def seconds_of(action: Action) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def rounds(limits: Limits) -> Iterator[int]:
    """Count rounds from 0 until there are enough."""
    deadline = time.monotonic() + limits.seconds
    for number in range(limits.rounds):
        if number >= MIN_ROUNDS and time.monotonic() > deadline:
            break
        yield number


def alternate(actions: Mapping[str, Action], limits: Limits) -> dict[str, list[float]]:
    """Time each action once in every round, in turns from the front and from the back.

    So whatever else the machine does, and whatever changes over time, meets all of them.

    :returns: seconds by action, one of each for every round
    """
    for action in actions.values():
        action()  # connections, tokens, caches
    times: dict[str, list[float]] = {name: [] for name in actions}
    for number in rounds(limits):
        for name in list(actions)[:: -1 if number % 2 else 1]:
            times[name].append(seconds_of(actions[name]))
    return times


def ratios(times: Sequence[float], base: Sequence[float]) -> Spread:
    """Return how many times as long as the base something took, round by round."""
    return Spread.of([a / b for a, b in zip(times, base, strict=True)])
