# SPDX-License-Identifier: Apache-2.0
"""What differs, as a table for people and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from prettytable import PrettyTable

from bm_shim.callers.text import visible
from bm_shim.compare.cases import Case
from bm_shim.compare.difference import Difference, Kind

#: Of what :meth:`Report.as_json` returns; changes when a reader must.
VERSION = 1

_LONGEST_VALUE = 48

#: What a side has that has nothing.
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request; the pairs are of the old server and of the new one."""

    case: Case
    statuses: tuple[int, int] | None = None
    seconds: tuple[float, float] | None = None
    differences: Sequence[Difference] = ()
    #: Why it could not be compared.
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all requests."""

    old: str
    new: str
    results: Sequence[Result]
    #: What kept the rest from being asked.
    stopped: str | None = None

    @property
    def exit_status(self) -> int:
        """0: the same; 1: there are differences; 2: not everything could be compared."""
        if self.stopped or not self.results or any(result.error for result in self.results):
            return 2
        return 1 if any(result.differences for result in self.results) else 0

    def as_json(self) -> dict[str, object]:
        """Return all of it as JSON takes it."""
        return {
            "version": VERSION,
            "old": self.old,
            "new": self.new,
            "exit_status": self.exit_status,
            "stopped": self.stopped,
            "requests": [_result_json(result) for result in self.results],
        }

    def as_text(self) -> str:
        """Return a table of the differences and a summary."""
        return "\n".join(self._parts())

    def _parts(self) -> Iterator[str]:
        groups = self._groups()
        if groups:
            table = PrettyTable(
                ["Request", "Difference", "Where", "Times", "Old server", "New server"]
            )
            table.align = "l"
            table.align["Times"] = "r"
            for (kind, where), found in groups.items():
                case, example = found[0]
                table.add_row([
                    visible(str(case)),
                    kind,
                    visible(where if len(found) > 1 else example.where),
                    len(found),
                    _value(example.old, is_there=example.kind is not Kind.ADDED),
                    _value(example.new, is_there=example.kind is not Kind.MISSING),
                ])  # fmt: skip
            yield table.get_string()
            yield "Each line shows the first of several that are alike; --format json has all."
        yield from (f"{result.case}: {result.error}" for result in self.results if result.error)
        yield self._summary()
        if self.stopped:
            yield self.stopped

    def _summary(self) -> str:
        compared = [result for result in self.results if not result.error]
        differing = sum(bool(result.differences) for result in compared)
        text = f"{len(compared)} requests compared, {differing} of them differ."
        pairs = [result.seconds for result in compared if result.seconds]
        if pairs:
            old, new = (median(pair[i] for pair in pairs) for i in (0, 1))
            text += f" Median time: {old:.3f} s old, {new:.3f} s new."
        return text

    def _groups(self) -> dict[tuple[str, str], list[tuple[Case, Difference]]]:
        """Return differences by kind and place, whichever element and request they are in."""
        groups: dict[tuple[str, str], list[tuple[Case, Difference]]] = {}
        for result in self.results:
            for each in result.differences:
                groups.setdefault((each.kind, each.everywhere), []).append((result.case, each))
        return groups


def _result_json(result: Result) -> dict[str, object]:
    return {
        "request": f"GET {result.case.path}",
        "microversion": result.case.microversion,
        "token": result.case.with_token,
        "status": result.statuses,
        "seconds": result.seconds and [round(each, 3) for each in result.seconds],
        "differences": [
            {"kind": each.kind, "where": each.where, "old": each.old, "new": each.new}
            for each in result.differences
        ],
        "error": result.error,
    }


def _value(value: object, *, is_there: bool) -> str:
    if not is_there:
        return _NOTHING
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
