# SPDX-License-Identifier: Apache-2.0
"""Planned nodes, and the machines that they come to in Ironic."""

import uuid
from typing import Any

from bm_shim.migrate.fleet import Machine
from bm_shim.migrate.model import Plan, PlannedNode, PlannedPort, Target

PASSWORD = "s3cr3t-of-the-bmc"


def planned(number: int = 42, target: Target = Target.AVAILABLE, **fields: Any) -> PlannedNode:
    """Return a planned node with one port; each number has UUIDs and addresses of its own."""
    address = f"52:54:00:00:00:{number:02x}"
    values: dict[str, Any] = {
        "legacy_id": number,
        "uuid": str(uuid.UUID(int=(0xA0 << 120) + number)),
        "target": target,
        "driver": "ipmi",
        "driver_info": {"ipmi_address": f"10.0.0.{number}", "ipmi_password": PASSWORD},
        "properties": {"cpus": 8, "memory_mb": 1024},
        "extra": {"nova_baremetal": {"id": number, "service_host": "compute-7"}},
        "ports": (
            PlannedPort(
                uuid=str(uuid.UUID(int=(0xE0 << 120) + number)),
                address=address,
                extra={"nova_baremetal": {"id": 7}, "vif_port_id": "vif"},
            ),
        ),
        "resource_class": "baremetal",
    }
    if target is Target.ACTIVE:
        values["instance_uuid"] = str(uuid.UUID(int=(0x10 << 120) + number))
        values["instance_info"] = {"display_name": "web"}
    return PlannedNode(**{**values, **fields})


def plan(*nodes: PlannedNode) -> Plan:
    return Plan(nodes, ())


def machine(node: PlannedNode, conversion: str | None = "done", **fields: Any) -> Machine:
    """Return what Ironic shows of a planned node when all is done, but for some fields."""
    facts = {**node.extra["nova_baremetal"], "conversion": conversion}  # type: ignore[dict-item]
    if conversion is None:
        del facts["conversion"]
    info = {key: "******" if "password" in key else v for key, v in node.driver_info.items()}
    shown = {
        "uuid": node.uuid,
        "driver": node.driver,
        "driver_info": info,
        "properties": dict(node.properties),
        "extra": {**node.extra, "nova_baremetal": facts},
        "instance_uuid": node.instance_uuid,
        "instance_info": dict(node.instance_info),
        "provision_state": str(node.target),
        "resource_class": node.resource_class,
        "name": node.name,
        "owner": node.owner,
        "lessee": node.lessee,
    }
    ports = tuple(
        {
            "uuid": port.uuid,
            "node_uuid": node.uuid,
            "address": port.address,
            "extra": dict(port.extra),
        }
        for port in node.ports
    )
    return Machine({**shown, **fields}, ports)
