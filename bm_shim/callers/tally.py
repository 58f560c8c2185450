# SPDX-License-Identifier: Apache-2.0
"""Calls, counted by caller and operation. Memory grows with the callers, not with the calls."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from bm_shim.callers.log import Call
from bm_shim.callers.successors import operation_of

#: How many callers are told apart. Anybody can make up user agents.
MOST_CALLERS = 20_000

#: The longest text of a caller that is kept.
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: one account, from one address, with one program; None where it is not known."""

    user: str | None
    user_name: str | None
    project: str | None
    project_name: str | None
    address: str | None
    user_agent: str | None


#: All whose calls came when there were :data:`MOST_CALLERS` already.
OTHERS = Caller(None, "(further callers)", None, None, None, None)


@dataclass(slots=True)
class Usage:
    """How an operation is used."""

    first: datetime
    last: datetime
    calls: int = 0
    #: Of the calls those answered with a status of 400 or more.
    failed: int = 0
    #: Calls by day, in UTC.
    days: Counter[date] = field(default_factory=Counter)

    def add(self, call: Call) -> None:
        """Count a call."""
        self.calls += 1
        self.failed += call.status >= 400
        self.first = min(self.first, call.time)
        self.last = max(self.last, call.time)
        self.days[call.time.date()] += 1


class Tally:
    """Counts calls; the logs may come in any order."""

    def __init__(self) -> None:
        #: By caller and operation.
        self.usage: dict[Caller, dict[str, Usage]] = {}
        #: Calls by operation and hour, in UTC.
        self.hours: Counter[tuple[str, datetime]] = Counter()
        #: Access lines that were cut off or garbled.
        self.unreadable = 0

    def add(self, call: Call) -> None:
        """Count a call."""
        operation = operation_of(call)
        usages = self._usages_of(_caller_of(call))
        if operation not in usages:
            usages[operation] = Usage(first=call.time, last=call.time)
        usages[operation].add(call)
        hour = call.time.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
        self.hours[operation, hour] += 1

    def add_unreadable(self) -> None:
        """Count a line that could not be read."""
        self.unreadable += 1

    def _usages_of(self, caller: Caller) -> dict[str, Usage]:
        usages = self.usage.get(caller)
        if usages is None:
            if len(self.usage) >= MOST_CALLERS:
                caller = OTHERS
            usages = self.usage.setdefault(caller, {})
        return usages


def _caller_of(call: Call) -> Caller:
    texts = (
        call.user,
        call.user_name,
        call.project,
        call.project_name,
        call.address,
        call.user_agent,
    )
    return Caller(*(text and text[:_LONGEST_TEXT] for text in texts))
