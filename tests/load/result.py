# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found, as a table to read and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from .pairs import Spread

#: Against what most is compared.
BARE = "the same of Ironic, bare"


@dataclass(frozen=True)
class Comparison:
    """How many times as long as something else something takes."""

    what: str
    against: str
    ratio: Spread
    #: What the ratio should be at most.
    goal: float | None = None
    of_the_shim: bool = True


@dataclass(frozen=True)
class Load:
    """A number of callers who ask for the list at the same moment, of one worker."""

    callers: int
    #: How long the callers in the middle waited, in lists of a single caller.
    median: Spread
    #: How long the last of them waited.
    last: Spread
    #: Lists of nodes read from Ironic, at most.
    ironic_lists: int
    #: Time of the processor that the worker used for all of them.
    cpu_seconds: Spread
    #: The most memory that the worker held, in MiB.
    peak_mib: float


@dataclass(frozen=True)
class Result:
    """All of it."""

    nodes: int
    ports: int
    comparisons: tuple[Comparison, ...]
    loads: tuple[Load, ...]

    def to_json(self) -> str:
        """Return it for programs; spreads are lower quartile, median, upper quartile."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def to_text(self) -> str:
        """Return it for people, as two Markdown tables."""
        return "\n".join(
            [
                f"{self.nodes:,} nodes, {self.ports:,} ports. Medians, and quartiles in brackets.",
                "",
                *_table(
                    ["What", "Takes", "times as long as", "Goal"],
                    (
                        [each.what, _spread(each.ratio), each.against, _goal(each.goal)]
                        for each in self.comparisons
                    ),
                ),
                "",
                *_table(
                    ["Callers at once", "Each waits, in lists of one caller", "The last of them",
                     "Lists read from Ironic", "Processor, seconds", "Memory, MiB"],
                    (
                        [str(each.callers), _spread(each.median), _spread(each.last),
                         str(each.ironic_lists), _spread(each.cpu_seconds), f"{each.peak_mib:.0f}"]
                        for each in self.loads
                    ),
                ),
                "",
            ]
        )  # fmt: skip


def _spread(spread: Spread) -> str:
    low, median, high = (f"{value:.2f}" for value in spread)
    return f"{median} ({low} to {high})"


def _goal(goal: float | None) -> str:
    return "" if goal is None else f"≤ {goal:.2f}"


def _table(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Return the lines of a table whose columns are aligned in the source, too."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
