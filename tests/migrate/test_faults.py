# SPDX-License-Identifier: Apache-2.0
"""Each fault that a database can have, what is said of it, and what comes of it in Ironic."""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from functional.support import Cloud

from bm_shim.sandbox.nova_bm import describe_interfaces, generate, identifier, mac_address
from bm_shim.sandbox.nova_bm_faults import Fault, add_faults

from . import expected, support
from .support import JSON

#: The machines whose credentials are missing; it is IPMI that needs them.
WITHOUT_CREDENTIALS = {
    Fault.NO_PM_ADDRESS: "no pm_address in the database: the mapping must give ipmi_address in "
    "driver_info",
    Fault.NO_PM_USER: "no pm_user in the database: the mapping must give ipmi_username in "
    "driver_info",
    Fault.NO_PM_PASSWORD: "no pm_password in the database: the mapping must give ipmi_password "
    "in driver_info",
    Fault.EMPTY_PM: "no pm_address, pm_user, pm_password in the database: the mapping must give "
    "ipmi_address, ipmi_username, ipmi_password in driver_info",
}


def unfinished(fault: Fault, state: str) -> str:
    return (
        f"task_state {state} with instance {identifier(f'instance {fault:d}')}: finish or delete "
        "the instance in nova or, if it runs, say task_state: active in the mapping"
    )


def shared(other: Fault) -> str:
    instance = identifier("shared instance")
    return f"instance {instance} is on node {other:d} too: correct it in bm_nodes"


#: Machines that are left out, and why.
LEFT_OUT: Mapping[Fault, str] = {
    **WITHOUT_CREDENTIALS,
    **{
        fault: unfinished(fault, state)
        for fault, state in {
            Fault.INSTANCE_BUILDING: "'building'",
            Fault.INSTANCE_DEPLOYING: "'deploying'",
            Fault.INSTANCE_DEPLOY_FAILED: "'deploy failed'",
            Fault.INSTANCE_DEPLOY_COMPLETE: "'deploy complete'",
            Fault.INSTANCE_PREPARED: "'prepared'",
            Fault.INSTANCE_DELETED: "'deleted'",
            Fault.INSTANCE_ERROR: "'error'",
            Fault.INSTANCE_NULL: "NULL",
            Fault.INSTANCE_UNKNOWN: "'rebuilding'",
        }.items()
    },
    Fault.INSTANCE_UUID_JUNK: "instance_uuid 'i-00000012' is no UUID: correct it in bm_nodes",
    Fault.INSTANCE_SHARED: shared(Fault.INSTANCE_SHARED_OTHER),
    Fault.INSTANCE_SHARED_OTHER: shared(Fault.INSTANCE_SHARED),
}

#: Machines that are converted without a word.
SILENT = {
    Fault.MAC_DUPLICATE,
    # As in the rows that schema version 006 made.
    Fault.MAC_NULL,
    Fault.PERCENT_IN_PASSWORD,
    Fault.NON_ASCII_USER,
    Fault.SIZES_NULL,
    Fault.LONG_TEXTS,
}


def at_work(state: str) -> list[str]:
    return [f"task_state '{state}' without an instance: look at the machine before it is used"]


def interface_id(fault: Fault, index: int) -> int:
    return int(describe_interfaces(fault)[index]["id"])


def interface(fault: Fault, index: int) -> str:
    return f"interface {interface_id(fault, index)}"


UPPER_CASE = identifier("upper case")
#: What is remarked of machines that are converted.
REMARKED: Mapping[Fault, list[str]] = {
    Fault.UUID_NULL: ["no UUID in the database: {uuid} is computed"],
    Fault.UUID_JUNK: ["uuid 'rack-4-unit-12' is no UUID: {uuid} is computed"],
    Fault.UUID_UPPER_CASE: [f"uuid '{UPPER_CASE.upper()}' becomes {UPPER_CASE}"],
    Fault.MAC_DUPLICATE_OTHER: [
        f"{interface(Fault.MAC_DUPLICATE_OTHER, 0)}: MAC address "
        f"{mac_address(Fault.MAC_DUPLICATE, 0)} is also that of node {Fault.MAC_DUPLICATE:d}, "
        "which keeps it: no port is made"
    ],
    Fault.MAC_TWICE: [
        f"{interface(Fault.MAC_TWICE, 1)} has the MAC address {mac_address(Fault.MAC_TWICE, 0)} "
        f"of {interface(Fault.MAC_TWICE, 0)}: one port is made; lost is datapath_id '0xdbbad', "
        "port_no 28"
    ],
    Fault.MAC_DASHES: [
        f"{interface(Fault.MAC_DASHES, 0)}: MAC address '52-b0-00-1b-77-5c' becomes "
        "52:b0:00:1b:77:5c"
    ],
    Fault.MAC_BARE: [
        f"{interface(Fault.MAC_BARE, 0)}: MAC address '52b0001b775e' becomes 52:b0:00:1b:77:5e"
    ],
    Fault.MAC_JUNK: [
        f"{interface(Fault.MAC_JUNK, 0)}: 'eth0' is no MAC address, no port is made; lost is "
        "datapath_id '0xdbbb0', port_no 33"
    ],
    Fault.NO_INTERFACES: ["no MAC address, so no port: it cannot be deployed before it has one"],
    Fault.FREE_BUILDING: at_work("building"),
    Fault.FREE_DEPLOYING: at_work("deploying"),
    Fault.FREE_DEPLOY_FAILED: at_work("deploy failed"),
    Fault.FREE_DEPLOY_COMPLETE: at_work("deploy complete"),
    Fault.FREE_PREPARED: at_work("prepared"),
    Fault.FREE_ACTIVE: at_work("active"),
    Fault.FREE_ERROR: at_work("error"),
    Fault.FREE_UNKNOWN: at_work("rebuilding"),
    Fault.SIZES_NEGATIVE: [
        f"{name} -1 is no size: not carried" for name in ("cpus", "memory_mb", "local_gb")
    ],
    Fault.TERMINAL_PORT_ZERO: ["terminal_port 0 is no port: not carried"],
    Fault.TERMINAL_PORT_TOO_HIGH: ["terminal_port 70000 is no port: not carried"],
}

#: Of these there is no node. The interfaces of the first are counted, not named.
WITHOUT_NODE: Mapping[Fault, list[str]] = {
    Fault.INTERFACE_OF_DELETED_NODE: ["interfaces of deleted nodes, not carried: 2"],
    Fault.INTERFACE_OF_NO_NODE: [
        f"{interface(Fault.INTERFACE_OF_NO_NODE, index)} "
        f"({mac_address(Fault.INTERFACE_OF_NO_NODE, index)}) belongs to node "
        f"{Fault.INTERFACE_OF_NO_NODE:d}, which is not there: not carried"
        for index in (0, 1)
    ],
    Fault.INTERFACE_OF_NOBODY: [
        f"{interface(Fault.INTERFACE_OF_NOBODY, 0)} "
        f"({mac_address(Fault.INTERFACE_OF_NOBODY, 0)}) belongs to no node: not carried"
    ],
}


def test_each_fault_is_known_here() -> None:
    assert sorted([*LEFT_OUT, *SILENT, *REMARKED, *WITHOUT_NODE]) == sorted(Fault)


#: What becomes of values that cannot be kept.
NODE_VALUES: Mapping[Fault, JSON] = {
    Fault.SIZES_NEGATIVE: dict.fromkeys(("cpus", "memory_mb", "local_gb")),
    Fault.TERMINAL_PORT_ZERO: {"terminal_port": None},
    Fault.TERMINAL_PORT_TOO_HIGH: {"terminal_port": None},
}
#: What becomes of MAC addresses, by the index of the interface; None: there is no port.
ADDRESSES: Mapping[tuple[Fault, int], str | None] = {
    (Fault.MAC_DUPLICATE_OTHER, 0): None,
    (Fault.MAC_TWICE, 1): None,
    (Fault.MAC_DASHES, 0): mac_address(Fault.MAC_DASHES, 0),
    (Fault.MAC_BARE, 0): mac_address(Fault.MAC_BARE, 0),
    (Fault.MAC_JUNK, 0): None,
}


AT_WORK = (
    "nova-baremetal seems to be at work on 8 of its machines, the first with id 900041 "
    "(task_state 'building'): make sure that it is stopped."
)


@pytest.mark.usefixtures("empty_ironic")
def test_faults_are_reported_and_everything_else_is_converted(
    cloud: Cloud, database_url: str, tmp_path: Path
) -> None:
    generate(database_url, nodes=0)
    add_faults(database_url)
    rows = expected.read_rows(database_url)
    passwords = [row["pm_password"] for row in rows["bm_nodes"] if row["pm_password"]]
    mapping = tmp_path / "mapping.yaml"
    by_ipmi = {int(fault): {"driver": "ipmi"} for fault in WITHOUT_CREDENTIALS}
    mapping.write_text(yaml.safe_dump({"nodes": by_ipmi}))
    report = tmp_path / "report.json"
    arguments = ("--nova-bm-db", database_url, *support.into(cloud.sandbox), "--mapping", mapping)

    planned = support.run(*arguments, "--dry-run")
    shown = support.run(*arguments, "--dry-run", "--format", "json")
    assert cloud.names() == []
    finished = support.run(*arguments, "--report", report)

    assert [planned.status, shown.status, finished.status] == [1, 1, 1]
    plan, told = json.loads(shown.stdout), support.read_report(report)
    uuids = {node["id"]: node["uuid"] for node in (*plan["nodes"], *plan["left_out"])}
    assert planned.remarks == lines(uuids)
    assert finished.remarks == sorted([*lines(uuids), f"remark: {AT_WORK}"])
    assert f"Warning: {AT_WORK}" in finished.progress
    assert_reported(told, uuids)
    assert_converted(cloud, rows, uuids)
    support.assert_hidden(
        passwords, planned.text, shown.text, finished.text, report.read_text(), json.dumps(plan)
    )


def lines(uuids: Mapping[int, str]) -> list[str]:
    """Return all lines that are to be printed, sorted.

    :param uuids: of the nodes, by their integer ids.
    """
    of_nodes = {fault: [f"left out: {reason}"] for fault, reason in LEFT_OUT.items()} | {
        **REMARKED
    }
    return sorted(
        [
            *(f"remark: {text}" for texts in WITHOUT_NODE.values() for text in texts),
            *(
                f"node {fault:d} ({uuids[fault]}): {text.replace('{uuid}', uuids[fault])}"
                for fault, texts in of_nodes.items()
                for text in texts
            ),
        ]
    )


def assert_reported(report: JSON, uuids: Mapping[int, str]) -> None:
    """Make sure that a report tells the same, node by node."""
    assert report["exit_status"] == 1
    remarks = [text for texts in WITHOUT_NODE.values() for text in texts]
    assert sorted(report["remarks"]) == sorted([*remarks, AT_WORK])
    assert {node["id"]: node["uuid"] for node in report["nodes"]} == uuids
    for node in report["nodes"]:
        fault, reasons = Fault(node["id"]), []
        if fault in LEFT_OUT:
            reasons = [LEFT_OUT[fault]]
        remarks = [text.replace("{uuid}", node["uuid"]) for text in REMARKED.get(fault, [])]
        assert node["outcome"] == ("left out" if reasons else "created"), fault
        assert (node["reasons"], node["remarks"]) == (reasons, remarks), fault
        assert node["differences"] == [], fault


def assert_converted(cloud: Cloud, rows: expected.Rows, uuids: Mapping[int, str]) -> None:
    """Make sure that Ironic holds what can be kept, and nothing that cannot."""
    machines: list[expected.Row] = [
        {**row, **NODE_VALUES.get(Fault(row["id"]), {}), "uuid": uuids[row["id"]]}
        for row in rows["bm_nodes"]
        if row["id"] not in LEFT_OUT
    ]
    nodes = {row["id"]: expected.node_of(row) for row in machines}
    nodes[Fault.UUID_JUNK]["extra"]["nova_baremetal"]["uuid"] = "rack-4-unit-12"
    assert expected.nodes_in(cloud.ironic) == nodes
    addresses = {interface_id(*where): address for where, address in ADDRESSES.items()}
    interfaces: list[expected.Row] = [
        {**row, "address": addresses.get(row["id"], row["address"])}
        for row in rows["bm_interfaces"]
    ]
    assert expected.ports_in(cloud.ironic) == expected.all_ports(
        {"bm_nodes": machines, "bm_interfaces": interfaces}
    )
    for fault, node_uuid in uuids.items():
        if fault in (Fault.UUID_NULL, Fault.UUID_JUNK):
            assert uuid.UUID(node_uuid).version == 5
        elif fault == Fault.UUID_UPPER_CASE:
            assert node_uuid == UPPER_CASE
        else:
            assert node_uuid == identifier(f"node {fault:d}")
    for fault, password in (
        (Fault.PERCENT_IN_PASSWORD, "100%sure%(pm_user)s%"),
        (Fault.LONG_TEXTS, "p" * 255),
    ):
        stored = cloud.database.node(uuids[fault])["driver_info"]["ipmi_password"]
        assert stored == password
