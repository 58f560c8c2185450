# SPDX-License-Identifier: Apache-2.0
"""Demo nodes, written straight into Ironic's database while Ironic is down.

Ironic's API takes a tenth of a second for a node with two ports, so minutes for a big fleet.
Run as ``python demo.py IRONIC_CONF COUNT``, by the Python that Ironic has. Nodes and ports are
the same each time; those that exist already are left as they are.
"""

import ipaddress
import sys
import uuid
from collections.abc import Iterator
from typing import Any

PORTS_PER_NODE = 2

Row = dict[str, Any]

_NAMESPACE = uuid.UUID("5b9ff1c0-35f0-4d0e-8a5c-6f5c2a3f7f0e")

# cpus, memory in MiB, disk in GiB
_SIZES = ((8, 16384, 480), (16, 65536, 960), (32, 131072, 1920))

# 20 nodes: 14 free, 3 with an instance, 2 to be made available, 1 just registered
_STATES = ("available",) * 14 + ("active",) * 3 + ("manageable",) * 2 + ("enroll",)
_POWER = {"active": "power on", "enroll": None}

# 198.18.0.0/15 is set aside for tests: nothing answers there.
_FIRST_BMC = ipaddress.IPv4Address("198.18.0.1")


def describe_node(number: int) -> Row:
    """Return the columns of a node that differ from Ironic's defaults.

    :param number: from 1.
    """
    name = f"demo-{number:04d}"
    # Neighbours differ: 7 and 20 have no common divisor.
    state = _STATES[number * 7 % len(_STATES)]
    cpus, memory, disk = _SIZES[number % len(_SIZES)]
    return {
        "uuid": _identifier(name),
        "name": name,
        "driver": "fake-hardware",
        "provision_state": state,
        "power_state": _POWER.get(state, "power off"),
        "instance_uuid": _identifier(f"{name} instance") if state == "active" else None,
        "resource_class": "baremetal",
        "properties": {
            "cpus": cpus,
            "memory_mb": memory,
            "local_gb": disk,
            "cpu_arch": "x86_64",
        },
        "driver_info": {
            "ipmi_address": str(_FIRST_BMC + number - 1),
            "ipmi_username": "admin",
            "ipmi_password": f"demo-bmc-{number:04d}",
            "ipmi_terminal_port": 10000 + number,
        },
    }


def describe_ports(number: int) -> Iterator[Row]:
    """Yield the columns of a node's ports, but for the node's id."""
    for index in range(PORTS_PER_NODE):
        serial = (number - 1) * PORTS_PER_NODE + index
        octets = (serial >> 16 & 0xFF, serial >> 8 & 0xFF, serial & 0xFF)
        address = "52:54:00:" + ":".join(f"{octet:02x}" for octet in octets)
        yield {
            "uuid": _identifier(f"port {address}"),
            "address": address,
            # Machines boot from their first interface.
            "pxe_enabled": index == 0,
        }


def _identifier(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def insert(count: int) -> None:
    """Write the nodes and their ports; Ironic's configuration is loaded already."""
    from ironic.db.sqlalchemy import models
    from oslo_db.sqlalchemy import enginefacade
    from sqlalchemy import insert as insert_into
    from sqlalchemy import select

    defaults, port_defaults = _defaults()
    with enginefacade.writer.get_engine().begin() as connection:
        existing = set(connection.scalars(select(models.Node.uuid)))
        nodes = {number: describe_node(number) for number in range(1, count + 1)}
        missing = {n: row for n, row in nodes.items() if row["uuid"] not in existing}
        if not missing:
            return
        connection.execute(
            insert_into(models.Node), [{**defaults, **row} for row in missing.values()]
        )
        ids = dict(connection.execute(select(models.Node.uuid, models.Node.id)).all())
        connection.execute(
            insert_into(models.Port),
            [
                {**port_defaults, **port, "node_id": ids[row["uuid"]]}
                for number, row in missing.items()
                for port in describe_ports(number)
            ],
        )


def _defaults() -> tuple[Row, Row]:
    """Return what Ironic itself puts into a new node and a new port.

    That is, beside empty JSON columns, the version of the record and, for a node, the hardware
    interfaces that its hardware type gets with this configuration. Ironic cannot do anything
    with records that lack them.
    """
    from ironic.common import driver_factory
    from ironic.objects import node as node_object
    from ironic.objects import port as port_object

    template = node_object.Node(uuid=_identifier("template"), driver="fake-hardware")
    driver_factory.check_and_update_node_interfaces(template)
    interfaces = {
        name: value
        for name, value in template.obj_get_changes().items()
        if name.endswith("_interface")
    }
    empty: Row = {
        name: {}
        for name in (
            "properties",
            "driver_info",
            "driver_internal_info",
            "instance_info",
            "extra",
            "clean_step",
            "deploy_step",
            "service_step",
            "raid_config",
            "target_raid_config",
            "network_data",
        )
    }
    node = {**empty, **interfaces, "version": node_object.Node.get_target_version()}
    port = {
        "extra": {},
        "local_link_connection": {},
        "internal_info": {},
        "version": port_object.Port.get_target_version(),
    }
    return node, port


def main(config: str, count: str) -> None:
    """Load Ironic's configuration and write the nodes."""
    from ironic.common import service

    service.prepare_command(["demo", "--config-file", config])
    insert(int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
