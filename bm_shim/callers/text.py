# SPDX-License-Identifier: Apache-2.0
"""The report as tables for a terminal."""

from collections.abc import Iterator
from datetime import datetime

from prettytable import PrettyTable

from bm_shim.callers.report import Entry, Report
from bm_shim.callers.successors import SUCCESSORS, name_of

_LONGEST_USER_AGENT = 48


def render(report: Report) -> str:
    """Return the whole report."""
    return "\n".join(_parts(report))


def minute(time: datetime) -> str:
    """Return a time for people."""
    return time.strftime("%Y-%m-%d %H:%M")


def visible(text: str | None) -> str:
    """Return a text that a caller chose, without what a terminal would act on; ``-`` for None."""
    if text is None:
        return "-"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def name(text: str | None, identifier: str | None, nobody: str = "-") -> str:
    """Return a user's or project's name, or its id where that is all there is."""
    if text is None and identifier is None:
        return nobody
    return visible(text if text is not None else identifier)


def _parts(report: Report) -> Iterator[str]:
    period = report.period
    if period is None:
        yield "Nobody called."
    else:
        yield (
            f"{report.calls:,} calls by {len(report.entries):,} callers from {minute(period[0])} "
            f"to {minute(period[1])} UTC, {report.failed:,} of them failed."
        )
        yield _callers(report).get_string()
        yield "Use instead:"
        yield _instead(report).get_string()
    if report.aside and not report.with_aside:
        yield (
            f"{report.aside:,} further requests only looked for versions or extensions, or for "
            "what is not there: --all shows them."
        )
    if report.unreadable:
        yield f"{report.unreadable:,} lines were cut off or garbled, and are not counted."


def _callers(report: Report) -> PrettyTable:
    table = PrettyTable([
        "User", "Project", "Address", "User agent", "Operation", "Calls", "Failed", "First",
        "Last",
    ])  # fmt: skip
    table.align = "l"
    table.align["Calls"] = table.align["Failed"] = "r"
    for entry in report.entries:
        for operation, usage in entry.usage.items():
            table.add_row([
                *_who(entry),
                visible(name_of(operation)),
                f"{usage.calls:,}",
                f"{usage.failed:,}",
                minute(usage.first),
                minute(usage.last),
            ])  # fmt: skip
    return table


def _who(entry: Entry) -> list[str]:
    caller = entry.caller
    agent = visible(caller.user_agent)
    if len(agent) > _LONGEST_USER_AGENT:
        agent = agent[: _LONGEST_USER_AGENT - 1] + "…"
    return [
        name(caller.user_name, caller.user, nobody="(not signed in)"),
        name(caller.project_name, caller.project),
        visible(caller.address),
        agent,
    ]


def _instead(report: Report) -> PrettyTable:
    table = PrettyTable(["Operation", "Calls", "Command", "Request"])
    table.align = "l"
    table.align["Calls"] = "r"
    table.max_width["Command"] = 70
    for operation, calls in report.operations.items():
        if found := SUCCESSORS.get(operation):
            row = [visible(name_of(operation)), f"{calls:,}", found.command, found.request]
            table.add_row(row)
    return table
