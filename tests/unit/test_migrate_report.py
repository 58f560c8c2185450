# SPDX-License-Identifier: Apache-2.0
"""The plan and what came of it, in words and as JSON."""

import json
import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bm_shim.migrate import report
from bm_shim.migrate.model import (
    Difference,
    LeftOut,
    NodeResult,
    Outcome,
    Plan,
    PlannedNode,
    PlannedPort,
    Target,
)
from bm_shim.migrate.report import Report

PASSWORD = "s3cr3t-of-the-bmc"
INSTANCE = "0be26c0b-03f2-4d2e-ae87-c02d7f33c000"
DRIVER_INFO = {
    "ipmi_address": "10.0.0.1",
    "ipmi_username": "root",
    "ipmi_password": PASSWORD,
    "ipmi_terminal_port": 8000,
}


def node(number: int, **fields: Any) -> PlannedNode:
    values: dict[str, Any] = {
        "target": Target.AVAILABLE,
        "driver": "ipmi",
        "driver_info": DRIVER_INFO,
        "properties": {"cpus": 8},
        "extra": {"nova_baremetal": {"id": number}},
        "ports": (),
    }
    return PlannedNode(legacy_id=number, uuid=f"uuid-{number}", **{**values, **fields})


def plan(*nodes: PlannedNode | LeftOut, remarks: tuple[str, ...] = ()) -> Plan:
    return Plan(
        nodes=tuple(each for each in nodes if isinstance(each, PlannedNode)),
        left_out=tuple(each for each in nodes if isinstance(each, LeftOut)),
        remarks=remarks,
    )


def made(*nodes: PlannedNode | LeftOut, outcomes: tuple[str, ...] = (), **fields: Any) -> Report:
    """Return the report of a run of 90 seconds; planned nodes came out as told, one by one."""
    planned = [each for each in nodes if isinstance(each, PlannedNode)]
    values: dict[str, Any] = {
        "database": "mysql://nova:***@db/nova_bm",
        "schema_version": 10,
        "started_at": datetime(2026, 11, 22, 20, 0, tzinfo=UTC),
        "finished_at": datetime(2026, 11, 22, 20, 1, 30, tzinfo=UTC),
        "requests": 12,
        "plan": plan(*nodes),
        "results": {
            each.uuid: NodeResult(each.uuid, Outcome(outcome))
            for each, outcome in zip(planned, outcomes, strict=False)
        },
    }
    return Report(**{**values, **fields})


LEFT_OUT = LeftOut(2, "uuid-2", ("no pm_user in the database", "another reason"))


def test_a_table_of_the_plan() -> None:
    text = report.plan_table(
        plan(
            node(1, remarks=("uuid 'UUID-1' becomes uuid-1",)),
            node(
                30,
                target=Target.ACTIVE,
                driver="redfish",
                driver_info={"redfish_address": "https://admin:pass@bmc"},
                instance_uuid="instance-30",
                ports=(PlannedPort("port-1", "52:54:00:cf:2d:31", {}),),
                remarks=("cpus -1 is no size: not carried",),
            ),
            LEFT_OUT,
            remarks=("interfaces of deleted nodes, not carried: 2",),
        )
    )
    assert text.splitlines() == [
        "+----+---------+-----------+---------+-----------------+-------------+-------+---------+",
        "| ID | UUID    | Target    | Driver  | BMC address     | Instance    | Ports | Remarks |",
        "+----+---------+-----------+---------+-----------------+-------------+-------+---------+",
        "|  1 | uuid-1  | available | ipmi    | 10.0.0.1        |             |     0 |       1 |",
        "| 30 | uuid-30 | active    | redfish | https://***@bmc | instance-30 |     1 |       1 |",
        "+----+---------+-----------+---------+-----------------+-------------+-------+---------+",
        "nodes: 2 (1 to available, 1 to active), left out: 1",
        "remark: interfaces of deleted nodes, not carried: 2",
        "node 1 (uuid-1): uuid 'UUID-1' becomes uuid-1",
        "node 2 (uuid-2): left out: no pm_user in the database",
        "node 2 (uuid-2): left out: another reason",
        "node 30 (uuid-30): cpus -1 is no size: not carried",
    ]


PLANNED_JSON = {
    "id": 1,
    "uuid": "uuid-1",
    "target": "active",
    "driver": "ipmi",
    "driver_info": {
        "ipmi_address": "10.0.0.1",
        "ipmi_username": "root",
        "ipmi_password": "******",
        "ipmi_terminal_port": 8000,
    },
    "properties": {"cpus": 8},
    "extra": {"nova_baremetal": {"id": 1}},
    "ports": [{"uuid": "port-1", "address": "52:54:00:cf:2d:31", "extra": {"vif_port_id": "vif"}}],
    "instance_uuid": INSTANCE,
    "instance_info": {"display_name": "web-1"},
    "resource_class": "baremetal",
    "name": "rack-1",
    "owner": None,
    "lessee": None,
    "remarks": ["a remark"],
}
PLANNED = node(
    1,
    target=Target.ACTIVE,
    ports=(PlannedPort("port-1", "52:54:00:cf:2d:31", {"vif_port_id": "vif"}),),
    instance_uuid=INSTANCE,
    instance_info={"display_name": "web-1"},
    resource_class="baremetal",
    name="rack-1",
    remarks=("a remark",),
)


def test_the_plan_as_json() -> None:
    made = report.plan_json(plan(PLANNED, LEFT_OUT, remarks=("a remark on all",)))
    assert json.loads(json.dumps(made)) == {
        "version": 1,
        "nodes": [PLANNED_JSON],
        "left_out": [
            {
                "id": 2,
                "uuid": "uuid-2",
                "reasons": ["no pm_user in the database", "another reason"],
            }
        ],
        "remarks": ["a remark on all"],
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"redfish_password": PASSWORD}, {"redfish_password": "******"}),
        ({"IPMI_PASSWORD": None}, {"IPMI_PASSWORD": "******"}),
        ({"a_secret": 1, "token": [PASSWORD]}, {"a_secret": "******", "token": "******"}),
        ({"ipmi_hex_kg_key": PASSWORD}, {"ipmi_hex_kg_key": "******"}),
        ({"of": {"the": [{"snmp_auth_key": 1}]}}, {"of": {"the": [{"snmp_auth_key": "******"}]}}),
        ({"snmp_community_write": PASSWORD}, {"snmp_community_write": "******"}),
        ({"house_passwd": PASSWORD}, {"house_passwd": "******"}),
        ({"deploy_kernel": f"http://me:{PASSWORD}@x/k"}, {"deploy_kernel": "http://***@x/k"}),
        ({"deploy_kernel": f"http://me:@{PASSWORD}@x/k"}, {"deploy_kernel": "http://***@x/k"}),
        ({"a": [1, 1.5, True, None, "x"]}, {"a": [1, 1.5, True, None, "x"]}),
        # YAML has more types than JSON.
        ({1: datetime(2014, 10, 16)}, {"1": "2014-10-16 00:00:00"}),
    ],
)
@pytest.mark.parametrize("where", ["driver_info", "properties", "extra", "instance_info"])
def test_secrets_are_masked(value: Any, shown: Any, where: str) -> None:
    made: Any = report.plan_json(plan(node(1, **{where: value})))
    assert made["nodes"][0][where] == shown


KEPT = Difference("owner", '"x"', '"y"')


def test_a_summary() -> None:
    done = made(
        plan=plan(
            node(3),
            node(1, remarks=("from the plan",)),
            LEFT_OUT,
            node(4),
            node(5),
            node(6),
            node(7),
            remarks=("on the database",),
        ),
        remarks=("on the run",),
        results={
            "uuid-1": NodeResult("uuid-1", Outcome.CREATED, remarks=(KEPT.as_kept,)),
            "uuid-3": NodeResult("uuid-3", Outcome.FAILED, error="no\nanswer"),
            "uuid-4": NodeResult("uuid-4", Outcome.UNCHANGED),
            "uuid-6": NodeResult("uuid-6", Outcome.ABSENT),
            # Somebody has deleted it since.
            "uuid-7": NodeResult("uuid-7", Outcome.CREATED),
        },
        differences={
            # What is said already is not said again: that it was kept, that it is not there.
            "uuid-1": (KEPT,),
            "uuid-3": (Difference("", "a node", "nothing"),),
            "uuid-5": (Difference("", "a node", "nothing"),),
            "uuid-6": (Difference("", "a node", "nothing"),),
            "uuid-7": (Difference("", "a node", "nothing"),),
            "uuid-4": (Difference("properties.cpus", "8", "4"), Difference("name", '"x"', '"y"')),
        },
    )
    assert done.summary_lines() == [
        "nodes: 7",
        "created: 2",
        "unchanged: 1",
        "failed: 1",
        "left out: 1",
        "not tried: 1",
        "not in Ironic: 1",
        "time: 90.0 s, requests: 12",
        "remark: on the database",
        "remark: on the run",
        "node 1 (uuid-1): from the plan",
        'node 1 (uuid-1): owner is left as it is in Ironic, "y"; planned: "x"',
        "node 2 (uuid-2): left out: no pm_user in the database",
        "node 2 (uuid-2): left out: another reason",
        "node 3 (uuid-3): failed: no answer",
        "node 4 (uuid-4): differs: properties.cpus: expected 8, found 4",
        'node 4 (uuid-4): differs: name: expected "x", found "y"',
        "node 5 (uuid-5): not tried",
        "node 6 (uuid-6): not in Ironic",
        "node 7 (uuid-7): differs: expected a node, found nothing",
    ]


def test_a_report_as_json() -> None:
    done = made(
        PLANNED,
        LEFT_OUT,
        results={"uuid-1": NodeResult("uuid-1", Outcome.FAILED, "gone", ("from Ironic",))},
        differences={"uuid-1": (Difference("name", '"x"', '"y"'),)},
        remarks=("on the run",),
    )
    assert json.loads(json.dumps(done.as_json())) == {
        "version": 1,
        "database": "mysql://nova:***@db/nova_bm",
        "schema_version": 10,
        "started_at": "2026-11-22T20:00:00+00:00",
        "finished_at": "2026-11-22T20:01:30+00:00",
        "seconds": 90.0,
        "requests": 12,
        "exit_status": 2,
        "compared": True,
        "outcomes": {
            "created": 0,
            "completed": 0,
            "unchanged": 0,
            "failed": 1,
            "left out": 1,
            "not tried": 0,
            "not in Ironic": 0,
        },
        "remarks": ["on the run"],
        "nodes": [
            {
                "id": 1,
                "uuid": "uuid-1",
                "outcome": "failed",
                "reasons": ["gone"],
                "remarks": ["a remark", "from Ironic"],
                "differences": [{"field": "name", "expected": '"x"', "found": '"y"'}],
                "planned": PLANNED_JSON,
            },
            {
                "id": 2,
                "uuid": "uuid-2",
                "outcome": "left out",
                "reasons": ["no pm_user in the database", "another reason"],
                "remarks": [],
                "differences": [],
                "planned": None,
            },
        ],
    }


@pytest.mark.parametrize(
    ("nodes", "outcomes", "status"),
    [
        ((), (), 0),
        ((node(1), node(3), node(4)), ("created", "completed", "unchanged"), 0),
        ((node(1), node(3)), ("created", "failed"), 1),
        ((node(1), node(3)), ("unchanged", "not tried"), 1),
        # It was not come to.
        ((node(1), node(3)), ("completed",), 1),
        ((node(1), LEFT_OUT), ("created",), 1),
        ((node(1), node(3)), ("failed", "not tried"), 2),
        ((node(1),), ("not in Ironic",), 2),
        ((LEFT_OUT,), (), 2),
    ],
)
def test_the_exit_status(
    nodes: tuple[PlannedNode | LeftOut, ...], outcomes: tuple[str, ...], status: int
) -> None:
    assert made(*nodes, outcomes=outcomes).exit_status == status
    uncertain = made(*nodes, outcomes=outcomes, is_compared=False)
    assert uncertain.exit_status == max(status, 1)
    assert uncertain.as_json()["compared"] is False


@pytest.mark.parametrize("is_comparison", [False, True])
def test_what_differs_counts_where_nothing_else_was_asked(is_comparison: bool) -> None:
    done = made(
        *(node(1), node(3)),
        outcomes=("unchanged", "unchanged"),
        differences={"uuid-1": (KEPT,), "uuid-3": ()},
        is_comparison=is_comparison,
    )
    assert done.exit_status == done.as_json()["exit_status"] == int(is_comparison)


def test_a_report_is_written(tmp_path: Path) -> None:
    done = made(PLANNED, outcomes=("created",))
    path = tmp_path / "out.json"
    path.write_text("what was there before")
    path.chmod(0o644)
    report.write(path, done)
    assert json.loads(path.read_text()) == json.loads(json.dumps(done.as_json()))
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    """Nothing is left behind."""
    path = tmp_path / "out.json"
    path.mkdir()
    with pytest.raises(OSError, match=r"out\.json"):
        report.write(path, made())
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_on_a_full_disk(tmp_path: Path) -> None:
    """What was there stays, and nothing is left behind."""
    path = tmp_path / "out.json"
    path.write_text("what was there before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            report.write(path, made(PLANNED, remarks=("long",) * 1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


def test_no_secret_is_shown(tmp_path: Path) -> None:
    done = made(node(1, remarks=("a remark",)), LEFT_OUT, outcomes=("created",))
    report.write(tmp_path / "out.json", done)
    for text in (
        report.plan_table(done.plan),
        json.dumps(report.plan_json(done.plan)),
        "\n".join(done.summary_lines()),
        (tmp_path / "out.json").read_text(),
        repr(done),
    ):
        assert "uuid-1" in text
        assert PASSWORD not in text
