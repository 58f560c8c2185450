# SPDX-License-Identifier: Apache-2.0
"""Demo nova-baremetal databases: a fleet that a cloud of the time might have had.

The machines are the same each time, and the first ones the same however many there are.
"""

import ipaddress
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, MetaData, create_engine

from bm_shim.sandbox.nova_bm_schema import LATEST, create_schema, tables

Row = dict[str, Any]

#: Interfaces of a machine.
INTERFACES_PER_NODE = 2
# Version in which prov_mac_address was copied into bm_interfaces; the next dropped the column.
_COPIED = 6
# One is for the copy.
_INTERFACE_IDS_PER_NODE = INTERFACES_PER_NODE + 1

_NAMESPACE = uuid.UUID("7c9b1f1e-0d3a-4d0b-9a53-0f8f1f3a9d11")
_BEGINNING = datetime(2013, 4, 8, 9, 30)

# cpus, memory in MiB, disk in GiB
_SIZES = ((8, 24576, 500), (16, 49152, 1000), (24, 98304, 2000))
# 198.18.0.0/15 is set aside for tests: nothing answers there.
_POWER_MANAGEMENT = ipaddress.IPv4Network("198.18.0.0/15")
_PXE_CLIENTS = ipaddress.IPv4Network("10.250.0.0/17")
_PXE_SERVERS = ipaddress.IPv4Network("10.250.128.0/17")
_USERS = ("admin", "root", "ADMIN")
_PASSWORDS = (
    "bmc-{}",
    "100%sure-{}",
    "bmc-{}",
    'it\'s "{}"',
    "bmc-{}",
    "pässwörd-{}",
    "a%2Fb%s{}",
)
_HOSTS = ("compute-1", "compute-2", "compute-3", "compute-4.example.org")


def generate(url: str, *, nodes: int, schema_version: int = LATEST) -> None:
    """Fill an empty database.

    A third of the machines have an instance, the others are free, some of them after an
    instance. Every tenth id is that of a soft-deleted node.

    Two of three machines date from Grizzly, so before migration 006, and have what it left:
    interface rows whose ``deleted`` is NULL, some without an address, and those of deleted
    nodes. In a real database their ids would be lower than those of the others; here a few
    machines are to show it all. In versions 3 and 4 some rows are older than the column ``uuid``
    and have none.

    :param url: for SQLAlchemy.
    :param nodes: machines that are not deleted, all of them fit for Ironic.
    :param schema_version: 1 to 10.
    :raises ValueError: there is no such version, or the database is not empty.
    """
    metadata = tables(schema_version)
    engine = create_engine(url)
    try:
        create_schema(engine, schema_version)
        with engine.begin() as connection:
            insert(connection, metadata, _fleet(nodes, schema_version))
    finally:
        engine.dispose()


def live_ids(nodes: int) -> list[int]:
    """Return the ids of the machines that :func:`generate` makes, without the deleted ones."""
    return [number for number in _ids(nodes) if not _is_deleted(number)]


def insert(connection: Connection, metadata: MetaData, rows: Mapping[str, list[Row]]) -> None:
    """Write rows, given by table; tables and columns that a schema does not have are left out."""
    for name, table_rows in rows.items():
        if name in metadata.tables and table_rows:
            table = metadata.tables[name]
            names = table.columns.keys()
            values = [{name: row.get(name) for name in names} for row in table_rows]
            connection.execute(table.insert(), values)


def describe_node(number: int) -> Row:
    """Return a row of ``bm_nodes``, with the columns of version 10.

    :param number: its id.
    """
    cpus, memory, disk = _SIZES[number % len(_SIZES)]
    created = _created(number)
    row: Row = {
        "id": number,
        "uuid": identifier(f"node {number}"),
        "created_at": created,
        "updated_at": None,
        "deleted": False,
        "cpus": cpus,
        "memory_mb": memory,
        "local_gb": disk,
        "pm_address": str(_address(_POWER_MANAGEMENT, number)),
        "pm_user": _USERS[number % len(_USERS)],
        "pm_password": _PASSWORDS[number % len(_PASSWORDS)].format(number),
        "terminal_port": 10000 + number % 50000 if number % 4 else None,
        "service_host": _HOSTS[number % len(_HOSTS)],
        "task_state": None,
        "instance_uuid": None,
        # Migration 010 filled it in machines that were there; nova left it NULL in later ones.
        "preserve_ephemeral": False if _is_from_grizzly(number) else None,
    }
    # Three of nine: every tenth id is of a deleted node.
    if number % 10 in (1, 4, 8):
        row |= instance_columns(number)
        row["updated_at"] = created + timedelta(days=20, minutes=number)
    elif number % 2:
        # An instance was there, and nova took it away again.
        row |= {"task_state": "deleted", "root_mb": 0, "swap_mb": 0, "ephemeral_mb": 0}
        row["updated_at"] = created + timedelta(days=90, minutes=number)
    return row


def instance_columns(number: int) -> Row:
    """Return the columns of ``bm_nodes`` that tell of an instance."""
    instance = identifier(f"instance {number}")
    return {
        "task_state": "active",
        "instance_uuid": instance,
        "instance_name": f"web-{number:04d}",
        "image_path": f"/var/lib/nova/instances/instance-{number:08x}/disk",
        "pxe_config_path": f"/tftpboot/{instance}/config",
        "deploy_key": identifier(f"key {number}").replace("-", ""),
        "root_mb": (10, 20, 40)[number % 3] * 1024,
        # Nova made a swap partition of 1 MiB for flavors without swap.
        "swap_mb": 2048 if number % 2 else 1,
        "ephemeral_mb": 20480 if number % 3 else 0,
        "preserve_ephemeral": number % 6 == 1,
    }


def describe_interfaces(number: int, *, plugged: bool = False) -> list[Row]:
    """Return the rows of ``bm_interfaces`` of a node.

    :param number: the node's id.
    :param plugged: there is an instance: a network of its is on the second interface, often
        another one on the first.
    """
    rows = []
    for index in range(INTERFACES_PER_NODE):
        has_vif = plugged and (index == 1 or number % 2 == 0)
        has_switch = number % 3 == 1
        rows.append(
            {
                "id": (number - 1) * _INTERFACE_IDS_PER_NODE + index + 1,
                "created_at": _created(number),
                "deleted": False,
                "bm_node_id": number,
                "address": mac_address(number, index),
                # novaclient sent "0" and 0 unless told otherwise.
                "datapath_id": f"0x{number:x}" if has_switch else "0",
                "port_no": (2 * number + index) % 48 + 1 if has_switch else 0,
                "vif_uuid": identifier(f"vif {number} {index}") if has_vif else None,
            }
        )
    return rows


def mac_address(number: int, index: int) -> str:
    """Return the address of an interface; some machines have theirs in upper case."""
    serial = number * INTERFACES_PER_NODE + index
    address = "52:b0:" + serial.to_bytes(4).hex(":")
    return address.upper() if number % 5 == 2 else address


def identifier(name: str) -> str:
    """Return the UUID of something."""
    return str(uuid.uuid5(_NAMESPACE, name))


def _fleet(nodes: int, schema_version: int) -> Mapping[str, list[Row]]:
    """Return the rows of all tables."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for number in _ids(nodes):
        node = _deleted_node(number) if _is_deleted(number) else describe_node(number)
        of_grizzly = schema_version <= _COPIED or _is_from_grizzly(number)
        if of_grizzly:
            node |= _grizzly_columns(number)
        if schema_version in (3, 4) and number % 4 == 1:
            node["uuid"] = None
        rows["bm_nodes"].append(node)
        rows["bm_interfaces"] += _interfaces(node, of_grizzly, schema_version)
        if node["instance_uuid"]:
            rows["bm_deployments"].append(_deployment(node))
        if number % 5 == 0:
            rows["bm_pxe_ips"].append(_pxe_ip(node))
    return rows


def _ids(nodes: int) -> Iterator[int]:
    """Yield ids until so many machines that are not deleted are among them."""
    for number in count(1):
        if nodes <= 0:
            return
        yield number
        nodes -= not _is_deleted(number)


def _created(number: int) -> datetime:
    # All before Juno.
    return _BEGINNING + timedelta(hours=5 * number % 12000)


def _is_deleted(number: int) -> bool:
    return number % 10 == 0


def _is_from_grizzly(number: int) -> bool:
    return number % 3 != 2


def _deleted_node(number: int) -> Row:
    return {
        **describe_node(number),
        "task_state": "deleted",
        "deleted": True,
        "deleted_at": _created(number) + timedelta(days=120),
    }


def _grizzly_columns(number: int) -> Row:
    return {
        "prov_mac_address": mac_address(number, 0) if number % 7 != 3 else None,
        "prov_vlan_id": 100 + number % 900,
        "registration_status": "done",
    }


def _interfaces(node: Row, of_grizzly: bool, schema_version: int) -> list[Row]:
    """Return the interface rows that a node has in a version."""
    number = node["id"]
    first, second = describe_interfaces(number, plugged=node["instance_uuid"] is not None)
    if not of_grizzly:
        return [] if node["deleted"] else [first, second]
    prov_mac = node["prov_mac_address"]
    # The first interface was the node's prov_mac_address; some registered it a second time.
    rows = [first, second] if prov_mac is None or number % 5 == 1 else [second]
    if node["deleted"]:
        rows = []
    if schema_version >= _COPIED and (prov_mac is None or first not in rows):
        # Migration 006 filled these columns and no others, and asked for no address.
        copy_id = number * _INTERFACE_IDS_PER_NODE
        rows.append({"id": copy_id, "bm_node_id": number, "address": prov_mac})
    return rows


def _deployment(node: Row) -> Row:
    return {
        "id": node["id"],
        "created_at": node["updated_at"],
        "deleted": False,
        "key": node["deploy_key"],
        "image_path": node["image_path"],
        "pxe_config_path": node["pxe_config_path"],
        "root_mb": node["root_mb"],
        "swap_mb": node["swap_mb"],
    }


def _pxe_ip(node: Row) -> Row:
    number = node["id"]
    return {
        "id": number,
        "created_at": _BEGINNING,
        "deleted": False,
        "bm_node_id": None if node["deleted"] else number,
        "address": str(_address(_PXE_CLIENTS, number)),
        "server_address": str(_address(_PXE_SERVERS, number)),
    }


def _address(network: ipaddress.IPv4Network, number: int) -> ipaddress.IPv4Address:
    """Return an address of a network that is large enough for the fleets we make."""
    return network[number % (network.num_addresses - 2) + 1]
