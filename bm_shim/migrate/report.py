# SPDX-License-Identifier: Apache-2.0
"""The plan and what came of it, for people and for programs. Neither shows a secret."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from prettytable import PrettyTable

from bm_shim.migrate.errors import without_userinfo
from bm_shim.migrate.masking import MASK, is_secret
from bm_shim.migrate.model import (
    Difference,
    LeftOut,
    NodeResult,
    Outcome,
    Plan,
    PlannedNode,
    Target,
)
from bm_shim.translation import power_keys

#: Of what :func:`plan_json` and :meth:`Report.as_json` return; changes when a reader must.
VERSION = 1


_IN_IRONIC = (Outcome.CREATED, Outcome.COMPLETED, Outcome.UNCHANGED)
_SOME, _NONE = 1, 2


def plan_table(plan: Plan) -> str:
    """Return a table of the nodes, and below it a line for all there is to know beside."""
    table = PrettyTable(
        ["ID", "UUID", "Target", "Driver", "BMC address", "Instance", "Ports", "Remarks"]
    )
    table.align = "l"
    for number in ("ID", "Ports", "Remarks"):
        table.align[number] = "r"
    for node in plan.nodes:
        bmc_address = node.driver_info.get(power_keys(node.driver).address)
        table.add_row([
            node.legacy_id,
            node.uuid,
            node.target,
            node.driver,
            _shown(bmc_address) or "",
            node.instance_uuid or "",
            len(node.ports),
            len(node.remarks),
        ])  # fmt: skip
    return "\n".join([table.get_string(), *_plan_lines(plan)])


def plan_json(plan: Plan) -> dict[str, object]:
    """Return the plan as JSON takes it: ``version``, ``nodes``, ``left_out``, ``remarks``.

    Nodes have Ironic's names for what Ironic is to hold; ``id`` is the integer of the database.
    """
    return {
        "version": VERSION,
        "nodes": [_node_json(node) for node in plan.nodes],
        "left_out": [
            {"id": each.legacy_id, "uuid": each.uuid, "reasons": list(each.reasons)}
            for each in plan.left_out
        ],
        "remarks": list(plan.remarks),
    }


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, or found."""

    #: The URL, its password hidden.
    database: str
    schema_version: int | None
    started_at: datetime
    finished_at: datetime
    #: Sent to Ironic.
    requests: int
    plan: Plan
    #: By UUID, as are the differences. Nodes of the plan that are not here were not tried.
    results: Mapping[str, NodeResult]
    differences: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)
    #: Whether what is in Ironic in the end was compared with the plan.
    is_compared: bool = True
    #: Whether that is all that was to be done; then what differs counts as left.
    is_comparison: bool = False
    #: On the run as a whole.
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def exit_status(self) -> int:
        """0: every live node is in Ironic; 1: some are; 2: none is, though there are some.

        It is 1 as well if all should be, but that was not compared, or is other than it should be
        where nothing else was asked.
        """
        counts = self._counts()
        done = sum(counts[outcome] for outcome in _IN_IRONIC)
        if done < counts.total():
            return _SOME if done else _NONE
        differs = self.is_comparison and any(self.differences.values())
        return _SOME if differs or not self.is_compared else 0

    def summary_lines(self) -> list[str]:
        """Return how many nodes came out how, then a line for all there is to know of each.

        Nodes are in the order of their ids.
        """
        counts = self._counts()
        lines = [
            f"nodes: {counts.total()}",
            *(f"{outcome}: {counts[outcome]}" for outcome in Outcome if counts[outcome]),
            f"time: {self.seconds:.1f} s, requests: {self.requests}",
            *(f"remark: {text}" for text in (*self.plan.remarks, *self.remarks)),
            *(line for entry in self._entries() for line in entry.lines()),
        ]
        # Errors of Ironic may go over several.
        return [" ".join(line.split()) for line in lines]

    def as_json(self) -> dict[str, object]:
        """Return all of it as JSON takes it.

        ``nodes`` has every live node: ``id``, ``uuid``, ``outcome`` (see :class:`Outcome`),
        ``reasons`` why it is not in Ironic, ``remarks``, ``differences`` and ``planned``, which
        is what :func:`plan_json` has of it, and null for what is left out. Without ``compared``
        nobody looked for differences.
        """
        counts = self._counts()
        return {
            "version": VERSION,
            "database": self.database,
            "schema_version": self.schema_version,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "seconds": self.seconds,
            "requests": self.requests,
            "exit_status": self.exit_status,
            "compared": self.is_compared,
            "outcomes": {outcome.value: counts[outcome] for outcome in Outcome},
            "remarks": [*self.plan.remarks, *self.remarks],
            "nodes": [entry.as_json() for entry in self._entries()],
        }

    def _counts(self) -> Counter[Outcome]:
        return Counter(entry.outcome for entry in self._entries())

    def _entries(self) -> list["_Entry"]:
        entries = [self._entry(node) for node in self.plan.nodes]
        entries += [
            _Entry(each.legacy_id, each.uuid, Outcome.LEFT_OUT, each.reasons)
            for each in self.plan.left_out
        ]
        return sorted(entries, key=lambda entry: entry.legacy_id)

    def _entry(self, node: PlannedNode) -> "_Entry":
        result = self.results.get(node.uuid, NodeResult(node.uuid, Outcome.NOT_TRIED))
        differences = self.differences.get(node.uuid, ())
        if result.outcome not in _IN_IRONIC:
            # That the node is not there is told by its outcome.
            differences = tuple(each for each in differences if each.field)
        return _Entry(
            legacy_id=node.legacy_id,
            uuid=node.uuid,
            outcome=result.outcome,
            reasons=(result.error,) if result.error else (),
            remarks=(*node.remarks, *result.remarks),
            differences=differences,
            planned=node,
        )


def write(path: Path, report: Report) -> None:
    """Write a report as JSON, readable by its owner only, in place of the file that was there.

    :raises OSError: it cannot be written; the file that was there stays
    """
    text = json.dumps(report.as_json(), indent=2) + "\n"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class _Entry:
    """A live node in a report."""

    legacy_id: int
    uuid: str | None
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    planned: PlannedNode | None = None

    def lines(self) -> Iterator[str]:
        name = _name(self.legacy_id, self.uuid)
        for reason in self.reasons:
            yield f"{name}: {self.outcome}: {reason}"
        if self.outcome not in _IN_IRONIC and not self.reasons:
            yield f"{name}: {self.outcome}"
        for remark in self.remarks:
            yield f"{name}: {remark}"
        for each in self.differences:
            if each.as_kept in self.remarks:
                continue
            what = f"{each.field}: " if each.field else ""
            yield f"{name}: differs: {what}expected {each.expected}, found {each.found}"

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.legacy_id,
            "uuid": self.uuid,
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "remarks": list(self.remarks),
            "differences": [
                {"field": each.field, "expected": each.expected, "found": each.found}
                for each in self.differences
            ],
            "planned": None if self.planned is None else _node_json(self.planned),
        }


def _plan_lines(plan: Plan) -> Iterator[str]:
    targets = Counter(node.target for node in plan.nodes)
    yield (
        f"nodes: {targets.total()} ({targets[Target.AVAILABLE]} to {Target.AVAILABLE}, "
        f"{targets[Target.ACTIVE]} to {Target.ACTIVE}), left out: {len(plan.left_out)}"
    )
    for remark in plan.remarks:
        yield f"remark: {remark}"
    nodes: list[PlannedNode | LeftOut] = [*plan.nodes, *plan.left_out]
    for each in sorted(nodes, key=lambda each: each.legacy_id):
        name = _name(each.legacy_id, each.uuid)
        if isinstance(each, LeftOut):
            yield from (f"{name}: {Outcome.LEFT_OUT}: {reason}" for reason in each.reasons)
        else:
            yield from (f"{name}: {remark}" for remark in each.remarks)


def _name(legacy_id: int, uuid: str | None) -> str:
    return f"node {legacy_id} ({uuid})" if uuid else f"node {legacy_id}"


def _node_json(node: PlannedNode) -> dict[str, object]:
    return {
        "id": node.legacy_id,
        "uuid": node.uuid,
        "target": node.target.value,
        "driver": node.driver,
        "driver_info": _shown(node.driver_info),
        "properties": _shown(node.properties),
        "extra": _shown(node.extra),
        "ports": [
            {"uuid": port.uuid, "address": port.address, "extra": _shown(port.extra)}
            for port in node.ports
        ],
        "instance_uuid": node.instance_uuid,
        "instance_info": _shown(node.instance_info),
        "resource_class": node.resource_class,
        "name": node.name,
        "owner": node.owner,
        "lessee": node.lessee,
        "remarks": list(node.remarks),
    }


def _shown(value: object) -> object:
    """Return a value as JSON takes it, with secrets masked as Ironic masks them, and more."""
    if isinstance(value, Mapping):
        return {str(key): MASK if is_secret(key) else _shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_userinfo(str(value))
