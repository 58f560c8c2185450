# SPDX-License-Identifier: Apache-2.0
"""What Ironic is to hold for a database without faults, told from its rows alone."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from keystoneauth1.adapter import Adapter
from sqlalchemy import create_engine, select

from bm_shim.sandbox.nova_bm_schema import LATEST, tables

from .support import JSON

Row = Mapping[str, Any]
Rows = Mapping[str, list[Row]]

#: Columns of bm_nodes that are kept as they are, beside the node.
FACTS = (
    "id",
    "service_host",
    "task_state",
    "instance_name",
    "image_path",
    "pxe_config_path",
    "root_mb",
    "swap_mb",
    "ephemeral_mb",
    "preserve_ephemeral",
    "prov_mac_address",
    "prov_vlan_id",
    "registration_status",
    "created_at",
    "updated_at",
)
#: Where the power credentials go.
CREDENTIALS = {
    "pm_address": "ipmi_address",
    "pm_user": "ipmi_username",
    "pm_password": "ipmi_password",
    "terminal_port": "ipmi_terminal_port",
}
#: Fields of Ironic's nodes that are compared.
FIELDS = (
    "uuid",
    "driver",
    "driver_info",
    "properties",
    "extra",
    "instance_uuid",
    "instance_info",
    "provision_state",
    "resource_class",
    "name",
    "owner",
    "lessee",
    "maintenance",
    "last_error",
    "power_state",
    "target_power_state",
)
MASK = "******"


def read_rows(url: str, version: int = LATEST) -> Rows:
    """Return the rows that are not soft-deleted, by table.

    What a machine of version 1 has in ``bm_deployments`` is with its row in ``bm_nodes``.
    """
    engine = create_engine(url)
    with engine.connect() as connection:
        rows: dict[str, list[Row]] = {
            table.name: [
                dict(row)
                for row in connection.execute(select(table)).mappings()
                if not row.get("deleted")
            ]
            for table in tables(version).sorted_tables
        }
    engine.dispose()
    deployed = {
        PurePosixPath(row["pxe_config_path"]).parent.name: {
            name: row[name] for name in ("image_path", "pxe_config_path", "root_mb", "swap_mb")
        }
        for row in rows.get("bm_deployments", ())
    }
    rows["bm_nodes"] = [
        {**row, **deployed.get(row["instance_uuid"], {})} for row in rows["bm_nodes"]
    ]
    return rows


def node_of(row: Row) -> JSON:
    """Return what is to be seen of a machine in Ironic, but for its UUID if it has none."""
    facts = {name: row.get(name) for name in FACTS}
    driver_info = {key: row[column] for column, key in CREDENTIALS.items() if row[column]}
    instance = row["instance_uuid"]
    name = row.get("instance_name")
    return {
        "uuid": row.get("uuid"),
        "driver": "fake-hardware",
        "driver_info": {**driver_info, "ipmi_password": MASK},
        "properties": {
            "cpu_arch": "x86_64",
            **_given({name: row[name] for name in ("cpus", "memory_mb", "local_gb")}),
        },
        "extra": {"nova_baremetal": {**_given(facts), "conversion": "done"}},
        "instance_uuid": instance,
        "instance_info": {"display_name": name} if instance and name else {},
        "provision_state": "active" if instance else "available",
        "resource_class": "baremetal",
        "name": None,
        "owner": None,
        "lessee": None,
        "maintenance": False,
        "last_error": None,
        # Nobody has looked at the power of simulated machines, or touched it.
        "power_state": None,
        "target_power_state": None,
    }


def ports_of(row: Row, interfaces: Iterable[Row]) -> JSON:
    """Return the ``extra`` that the ports of a machine are to have, by address."""
    ports: JSON = {}
    if prov_mac_address := row.get("prov_mac_address"):
        ports[prov_mac_address.lower()] = {"nova_baremetal": _spelling(prov_mac_address)}
    for interface in interfaces:
        address = interface["address"]
        if interface["bm_node_id"] != row["id"] or address is None:
            continue
        facts = {name: interface[name] for name in ("id", "datapath_id", "port_no")}
        vif = interface["vif_uuid"]
        ports[address.lower()] = {
            "nova_baremetal": {**_given(facts), **_spelling(address)},
            **({"vif_port_id": vif} if vif else {}),
        }
    return ports


def all_ports(rows: Rows) -> dict[str, JSON]:
    """Return what :func:`ports_in` is to return, if all machines of some rows have a UUID."""
    ports = {row["uuid"]: ports_of(row, rows["bm_interfaces"]) for row in rows["bm_nodes"]}
    return {node_uuid: made for node_uuid, made in ports.items() if made}


def nodes_in(ironic: Adapter) -> dict[int, JSON]:
    """Return all nodes of Ironic, what is expected of each, by their integer ids."""
    return {
        node["extra"]["nova_baremetal"]["id"]: {name: node[name] for name in FIELDS}
        for node in read_list(ironic, "nodes")
    }


def ports_in(ironic: Adapter) -> dict[str, JSON]:
    """Return the ``extra`` of all ports of Ironic, by node and address."""
    ports: dict[str, JSON] = {}
    for port in read_list(ironic, "ports"):
        ports.setdefault(port["node_uuid"], {})[port["address"]] = port["extra"]
    return ports


def read_list(ironic: Adapter, what: str) -> list[JSON]:
    """Return all nodes or all ports, whole, however many pages they fill."""
    found: list[JSON] = []
    path = f"/v1/{what}/detail"
    while path:
        page = ironic.get(path).json()
        found += page[what]
        path = page.get("next", "").removeprefix(str(ironic.endpoint_override))
    return found


def _spelling(address: str) -> JSON:
    """Return what is kept of an address that Ironic spells in another way."""
    return {} if address == address.lower() else {"address": address}


def _given(values: Row) -> JSON:
    return {
        name: value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }
