# SPDX-License-Identifier: Apache-2.0
"""Rows of a nova_bm database, and shortcuts to their plan."""

import uuid
from typing import Any

from bm_shim.migrate import plan
from bm_shim.migrate.model import (
    BaremetalOptions,
    InterfaceRow,
    NodeMapping,
    NodeRow,
    NovaBm,
    Override,
    Plan,
    PlannedNode,
    PlannedPort,
)

UUID = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
OTHER_UUID = "2be26c0b-03f2-4d2e-ae87-c02d7f33c123"
INSTANCE = "0be26c0b-03f2-4d2e-ae87-c02d7f33c000"
VIF = "7c1f1d5b-0f4f-4b39-8a57-2c1a2f1f2a11"
MAC = "52:54:00:cf:2d:31"
OTHER_MAC = "52:54:00:cf:2d:32"
PASSWORD = "s3cr3t-of-the-bmc"

PM = "nova.virt.baremetal"
RUNNING = {"instance_uuid": INSTANCE, "task_state": "active"}
VIRTUAL = f"{PM}.virtual_power_driver.VirtualPowerManager"

NO_PORT = "no MAC address, so no port: it cannot be deployed before it has one"


def row(number: int = 42, **columns: Any) -> NodeRow:
    """Return a row without a fault; each number has a UUID and a BMC of its own."""
    values: dict[str, Any] = {
        "uuid": UUID if number == 42 else str(uuid.UUID(int=abs(number))),
        "pm_address": f"10.0.0.{number}",
        "pm_user": "root",
        "pm_password": PASSWORD,
    }
    return NodeRow(id=number, **{**values, **columns})


def interface(number: int = 7, address: str | None = MAC, **columns: Any) -> InterfaceRow:
    return InterfaceRow(id=number, address=address, **{"bm_node_id": 42, **columns})


def nova_bm(*rows: NodeRow | InterfaceRow, **values: Any) -> NovaBm:
    return NovaBm(
        url="mysql://nova@db/nova_bm",
        nodes=tuple(each for each in rows if isinstance(each, NodeRow)),
        interfaces=tuple(each for each in rows if isinstance(each, InterfaceRow)),
        **{"schema_version": 10, **values},
    )


def make(
    *rows: NodeRow | InterfaceRow,
    manager: str | None = None,
    mapping: NodeMapping | None = None,
    cpu_arch: str | None = "x86_64",
    **arguments: Any,
) -> Plan:
    options = BaremetalOptions(power_manager=manager) if manager else BaremetalOptions()
    return plan.make(
        nova_bm(*rows), options, mapping or NodeMapping(), cpu_arch=cpu_arch, **arguments
    )


def for_all(**values: Any) -> NodeMapping:
    return NodeMapping(defaults=Override(**values))


def planned(*rows: NodeRow | InterfaceRow, **arguments: Any) -> PlannedNode:
    """Return what becomes of the first node, which must not be left out."""
    made = make(*rows, **arguments)
    assert made.left_out == ()
    return made.nodes[0]


def left_out(*rows: NodeRow | InterfaceRow, **arguments: Any) -> tuple[str, ...]:
    """Return why the one node that is left out is."""
    (each,) = make(*rows, **arguments).left_out
    return each.reasons


def facts(node: PlannedNode | PlannedPort) -> Any:
    return node.extra["nova_baremetal"]
