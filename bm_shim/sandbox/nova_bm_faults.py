# SPDX-License-Identifier: Apache-2.0
"""Machines in a demo nova-baremetal database that are not as they should be."""

from collections.abc import Mapping
from enum import IntEnum

from sqlalchemy import create_engine, select

from bm_shim.sandbox.nova_bm import (
    Row,
    describe_interfaces,
    describe_node,
    identifier,
    insert,
    instance_columns,
)
from bm_shim.sandbox.nova_bm_schema import LATEST, tables


class Fault(IntEnum):
    """What is wrong, and the id of the node that has it.

    Where the schema has no such column, the machine is there without its fault.
    """

    UUID_NULL = 900001
    UUID_JUNK = 900002
    UUID_UPPER_CASE = 900003

    #: Both have the same address, in two spellings: in upper and lower case, or, where the
    #: database takes these for the same, with colons and dashes.
    MAC_DUPLICATE = 900011
    MAC_DUPLICATE_OTHER = 900012
    #: The two interfaces of one node.
    MAC_TWICE = 900013
    MAC_DASHES = 900014
    MAC_BARE = 900015
    MAC_JUNK = 900016
    MAC_NULL = 900017
    NO_INTERFACES = 900018
    #: The ids of a node that is not there, and of one that is soft-deleted.
    INTERFACE_OF_NO_NODE = 900019
    INTERFACE_OF_DELETED_NODE = 900020
    #: The interface has no ``bm_node_id``; there is no node.
    INTERFACE_OF_NOBODY = 900021

    NO_PM_ADDRESS = 900031
    NO_PM_USER = 900032
    NO_PM_PASSWORD = 900033
    #: Empty texts, all three.
    EMPTY_PM = 900034
    PERCENT_IN_PASSWORD = 900035
    NON_ASCII_USER = 900036

    #: With an instance.
    INSTANCE_BUILDING = 900041
    INSTANCE_DEPLOYING = 900042
    INSTANCE_DEPLOY_FAILED = 900043
    INSTANCE_DEPLOY_COMPLETE = 900044
    INSTANCE_PREPARED = 900045
    INSTANCE_DELETED = 900046
    INSTANCE_ERROR = 900047
    INSTANCE_NULL = 900048
    INSTANCE_UNKNOWN = 900049

    #: Without one.
    FREE_BUILDING = 900051
    FREE_DEPLOYING = 900052
    FREE_DEPLOY_FAILED = 900053
    FREE_DEPLOY_COMPLETE = 900054
    FREE_PREPARED = 900055
    FREE_ACTIVE = 900056
    FREE_ERROR = 900057
    FREE_UNKNOWN = 900058

    INSTANCE_UUID_JUNK = 900061
    #: Both have the same ``instance_uuid``.
    INSTANCE_SHARED = 900062
    INSTANCE_SHARED_OTHER = 900063

    SIZES_NEGATIVE = 900071
    SIZES_NULL = 900072
    #: As long as the columns are wide.
    LONG_TEXTS = 900073
    TERMINAL_PORT_ZERO = 900074
    TERMINAL_PORT_TOO_HIGH = 900075


_UNKNOWN_STATE = "rebuilding"
_LONG = 255
_INSTANCE_STATES: Mapping[Fault, str | None] = {
    Fault.INSTANCE_BUILDING: "building",
    Fault.INSTANCE_DEPLOYING: "deploying",
    Fault.INSTANCE_DEPLOY_FAILED: "deploy failed",
    Fault.INSTANCE_DEPLOY_COMPLETE: "deploy complete",
    Fault.INSTANCE_PREPARED: "prepared",
    Fault.INSTANCE_DELETED: "deleted",
    Fault.INSTANCE_ERROR: "error",
    Fault.INSTANCE_NULL: None,
    Fault.INSTANCE_UNKNOWN: _UNKNOWN_STATE,
}
_FREE_STATES: Mapping[Fault, str] = {
    Fault.FREE_BUILDING: "building",
    Fault.FREE_DEPLOYING: "deploying",
    Fault.FREE_DEPLOY_FAILED: "deploy failed",
    Fault.FREE_DEPLOY_COMPLETE: "deploy complete",
    Fault.FREE_PREPARED: "prepared",
    Fault.FREE_ACTIVE: "active",
    Fault.FREE_ERROR: "error",
    Fault.FREE_UNKNOWN: _UNKNOWN_STATE,
}
_WITH_INSTANCE = frozenset(
    {
        *_INSTANCE_STATES,
        Fault.INSTANCE_UUID_JUNK,
        Fault.INSTANCE_SHARED,
        Fault.INSTANCE_SHARED_OTHER,
        Fault.LONG_TEXTS,
    }
)
_WITHOUT_NODE = frozenset({Fault.INTERFACE_OF_NO_NODE, Fault.INTERFACE_OF_NOBODY})
_NO_INSTANCE: Row = dict.fromkeys(instance_columns(0))

# Columns of bm_nodes.
_NODE_FAULTS: Mapping[Fault, Row] = {
    Fault.UUID_NULL: {"uuid": None},
    Fault.UUID_JUNK: {"uuid": "rack-4-unit-12"},
    Fault.UUID_UPPER_CASE: {"uuid": identifier("upper case").upper()},
    Fault.INTERFACE_OF_DELETED_NODE: {"deleted": True, "task_state": "deleted"},
    Fault.NO_PM_ADDRESS: {"pm_address": None},
    Fault.NO_PM_USER: {"pm_user": None},
    Fault.NO_PM_PASSWORD: {"pm_password": None},
    Fault.EMPTY_PM: {"pm_address": "", "pm_user": "", "pm_password": ""},
    Fault.PERCENT_IN_PASSWORD: {"pm_password": "100%sure%(pm_user)s%"},
    Fault.NON_ASCII_USER: {"pm_user": "Überwacher\N{WRENCH}"},
    **{fault: {"task_state": state} for fault, state in _INSTANCE_STATES.items()},
    **{fault: {"task_state": state} for fault, state in _FREE_STATES.items()},
    Fault.INSTANCE_UUID_JUNK: {"instance_uuid": "i-00000012"},
    Fault.INSTANCE_SHARED: {"instance_uuid": identifier("shared instance")},
    Fault.INSTANCE_SHARED_OTHER: {"instance_uuid": identifier("shared instance")},
    Fault.SIZES_NEGATIVE: {"cpus": -1, "memory_mb": -1, "local_gb": -1},
    Fault.SIZES_NULL: {"cpus": None, "memory_mb": None, "local_gb": None},
    Fault.LONG_TEXTS: {
        "pm_user": "u" * _LONG,
        "pm_password": "p" * _LONG,
        "service_host": "h" * _LONG,
        "instance_name": "n" * _LONG,
        "image_path": "/" + "i" * (_LONG - 1),
        "pxe_config_path": "/" + "c" * (_LONG - 1),
    },
    Fault.TERMINAL_PORT_ZERO: {"terminal_port": 0},
    Fault.TERMINAL_PORT_TOO_HIGH: {"terminal_port": 70000},
}


def add_faults(url: str) -> None:
    """Add one machine, or interface, for each :class:`Fault` to a database that was generated.

    To be done once. The database must be able to hold all of Unicode (MariaDB: ``utf8mb4``).

    :param url: for SQLAlchemy.
    """
    nodes = [_node(fault) for fault in Fault if fault not in _WITHOUT_NODE]
    engine = create_engine(url)
    ignores_case = engine.dialect.name in ("mysql", "mariadb")
    interfaces = [row for fault in Fault for row in _interfaces(fault, ignores_case)]
    version = tables(LATEST).tables["migrate_version"].c.version
    try:
        with engine.begin() as connection:
            metadata = tables(connection.scalars(select(version)).one())
            insert(connection, metadata, {"bm_nodes": nodes, "bm_interfaces": interfaces})
    finally:
        engine.dispose()


def _node(fault: Fault) -> Row:
    instance = instance_columns(fault) if fault in _WITH_INSTANCE else _NO_INSTANCE
    return {
        **describe_node(fault),
        "pm_user": "admin",
        "pm_password": f"fault-{fault:d}",
        "terminal_port": 7001,
        **instance,
        **_NODE_FAULTS.get(fault, {}),
    }


def _interfaces(fault: Fault, ignores_case: bool) -> list[Row]:
    first, second = describe_interfaces(fault, plugged=fault in _WITH_INSTANCE)
    address = first["address"]
    match fault:
        case Fault.NO_INTERFACES:
            return []
        case Fault.INTERFACE_OF_NOBODY:
            return [{**first, "bm_node_id": None}]
        case Fault.MAC_DUPLICATE_OTHER:
            other, _ = describe_interfaces(Fault.MAC_DUPLICATE)
            first["address"] = _respelt(other["address"], ignores_case)
        case Fault.MAC_TWICE:
            second["address"] = _respelt(address, ignores_case)
        case Fault.MAC_DASHES:
            first["address"] = address.replace(":", "-")
        case Fault.MAC_BARE:
            first["address"] = address.replace(":", "")
        case Fault.MAC_JUNK:
            first["address"] = "eth0"
        case Fault.MAC_NULL:
            first["address"] = None
        case Fault.LONG_TEXTS:
            first["datapath_id"] = "d" * _LONG
    return [first, second]


def _respelt(address: str, ignores_case: bool) -> str:
    return address.replace(":", "-") if ignores_case else address.swapcase()
