# SPDX-License-Identifier: Apache-2.0
"""What was counted, in the order in which it is shown; and as JSON."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bm_shim.callers.successors import DISCOVERY, SUCCESSORS, UNKNOWN, name_of
from bm_shim.callers.tally import OTHERS, Caller, Tally, Usage

#: Of what :meth:`Report.as_json` returns; changes when a reader must.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A caller and what it calls, the most used operation first."""

    caller: Caller
    usage: Mapping[str, Usage]

    @property
    def calls(self) -> int:
        """How many in all."""
        return sum(each.calls for each in self.usage.values())

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(each.failed for each in self.usage.values())

    @property
    def first(self) -> datetime:
        """When it was seen first."""
        return min(each.first for each in self.usage.values())

    @property
    def last(self) -> datetime:
        """When it was seen last."""
        return max(each.last for each in self.usage.values())

    @property
    def days(self) -> Counter[date]:
        """Calls by day."""
        return sum((each.days for each in self.usage.values()), Counter())


@dataclass(frozen=True, slots=True)
class Report:
    """Who still calls."""

    #: Who calls most comes first; those whom nobody told apart come last.
    entries: tuple[Entry, ...]
    #: Calls by operation, the most used first.
    operations: Mapping[str, int]
    #: Calls by operation and hour.
    hours: Mapping[tuple[str, datetime], int]
    #: Requests that are no operation, and whether they are in the rest of the report.
    aside: int
    with_aside: bool
    #: Access lines that could not be read.
    unreadable: int

    @property
    def calls(self) -> int:
        """How many in all."""
        return sum(self.operations.values())

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(entry.failed for entry in self.entries)

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """The times of the first and of the last call; None if there was none."""
        if not self.entries:
            return None
        return min(e.first for e in self.entries), max(e.last for e in self.entries)

    def as_json(self) -> dict[str, object]:
        """Return all of it as JSON takes it; times are UTC."""
        period = self.period
        return {
            "version": VERSION,
            "calls": self.calls,
            "failed": self.failed,
            "first": period and _text(period[0]),
            "last": period and _text(period[1]),
            "discovery_and_unknown": self.aside,
            "unreadable_lines": self.unreadable,
            "callers": [_entry_json(entry) for entry in self.entries],
            "instead": {
                name_of(operation): {"command": found.command, "request": found.request}
                for operation in self.operations
                if (found := SUCCESSORS.get(operation))
            },
        }


def make(tally: Tally, *, with_aside: bool = False) -> Report:
    """Return the report on what was counted.

    :param with_aside: also on requests that are no operation: discovery, and unknown paths
    """
    operations: Counter[str] = Counter()
    entries = []
    aside = 0
    for caller, usages in tally.usage.items():
        aside += sum(usage.calls for name, usage in usages.items() if _is_aside(name))
        shown = {n: usage for n, usage in usages.items() if with_aside or not _is_aside(n)}
        operations.update({name: usage.calls for name, usage in shown.items()})
        if shown:
            by_calls = sorted(shown.items(), key=lambda item: -item[1].calls)
            entries.append(Entry(caller, dict(by_calls)))
    entries.sort(key=lambda entry: (entry.caller == OTHERS, -entry.calls, -entry.last.timestamp()))
    return Report(
        entries=tuple(entries),
        operations=dict(operations.most_common()),
        hours={key: calls for key, calls in tally.hours.items() if key[0] in operations},
        aside=aside,
        with_aside=with_aside,
        unreadable=tally.unreadable,
    )


def _is_aside(operation: str) -> bool:
    return operation in (DISCOVERY, UNKNOWN)


def _entry_json(entry: Entry) -> dict[str, object]:
    caller = entry.caller
    return {
        "user": {"id": caller.user, "name": caller.user_name},
        "project": {"id": caller.project, "name": caller.project_name},
        "address": caller.address,
        "user_agent": caller.user_agent,
        "calls": entry.calls,
        "failed": entry.failed,
        "first": _text(entry.first),
        "last": _text(entry.last),
        "operations": [
            {
                "operation": name_of(operation),
                "calls": usage.calls,
                "failed": usage.failed,
                "first": _text(usage.first),
                "last": _text(usage.last),
            }
            for operation, usage in entry.usage.items()
        ],
    }


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
