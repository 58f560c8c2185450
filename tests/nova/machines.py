# SPDX-License-Identifier: Apache-2.0
"""The machines that both sides are asked about."""

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.demo import describe_node

#: How many of the sandbox's own machines: the pattern of their states is complete.
DEMO_NODES = 20

_NAMESPACE = uuid.UUID("6e1f5c0a-7f2b-4a43-9f0d-93a0a3f7c3f6")
_SIZES: Mapping[str, object] = {"cpus": 8, "memory_mb": 16384, "local_gb": 480}


@dataclass(frozen=True)
class Machine:
    """A node of Ironic, with what matters to either side."""

    name: str
    properties: Mapping[str, object] = field(default_factory=lambda: _SIZES)
    addresses: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    #: Of the port with the same index.
    port_extras: tuple[Mapping[str, object], ...] = ()
    #: Columns of Ironic's database, in place of what its API has put there.
    columns: Mapping[str, object] = field(default_factory=dict)

    @property
    def uuid(self) -> str:
        """Always the same."""
        return str(uuid.uuid5(_NAMESPACE, self.name))


def _sized(name: str, value: object) -> Machine:
    """Return a machine with the same value for each of its sizes."""
    return Machine(name, dict.fromkeys(_SIZES, value))


def _in_state(state: str | None) -> Machine:
    name = f"state-{(state or 'none').replace(' ', '-')}"
    return Machine(name, columns={"provision_state": state})


_OLD_FACTS = {
    "nova_baremetal": {
        "id": 7,
        "service_host": "compute-7",
        "terminal_port": 7001,
        "prov_mac_address": "52:54:00:AB:CD:EF",
        "pxe_config_path": "/tftpboot/7",
    }
}

MACHINES = (
    _sized("numbers", 12),
    _sized("texts", "12"),
    _sized("empty-texts", ""),
    _sized("words", "many"),
    _sized("floats", 8.0),
    _sized("exponents", 1e3),
    _sized("tiny", 1e-7),
    _sized("huge", 2**70),
    _sized("negative", -1),
    _sized("zeros", 0),
    _sized("nulls", None),
    _sized("yes", True),
    _sized("no", False),
    _sized("lists", [1, "2", None]),
    _sized("nested", {"b": {"a": [1.5, {"c": None}]}, "a": 1}),
    _sized("foreign", "zw\u00f6lf \u2603 \U0001f600"),
    _sized("control", 'a\x01\x7f\t"\\/</script>\u2028'),
    Machine("empty", {}),
    Machine("only-cpus", {"cpus": 4}),
    Machine("only-disk", {"local_gb": "20", "capabilities": "boot_mode:uefi"}),
    Machine("no-port"),
    Machine("one-port", addresses=("52:54:00:ab:00:01",)),
    Machine(
        "three-ports",
        addresses=("52:54:00:ab:00:13", "52:54:00:ab:00:11", "52:54:00:ab:00:12"),
    ),
    Machine("mixed-case", addresses=("52:54:00:Ab:Cd:eF",)),
    Machine(
        "converted",
        addresses=("52:54:00:AB:CD:00",),
        extra=_OLD_FACTS,
        port_extras=(
            {
                "nova_baremetal": {
                    "id": 3,
                    "datapath_id": "0x1",
                    "port_no": 2,
                    "address": "52:54:00:AB:CD:00",
                }
            },
        ),
    ),
    Machine("dots.and~tildes_-"),
    Machine("12345"),
    Machine("suffixed.json"),
    Machine("UpperCase"),
    Machine("with-instance", columns={"instance_uuid": str(uuid.uuid5(_NAMESPACE, "instance"))}),
    Machine("in-maintenance", columns={"maintenance": True}),
    Machine("locked", columns={"reservation": "another-conductor"}),
    Machine("without-properties", columns={"properties": None}),
    _in_state(None),
    *map(
        _in_state,
        (
            "clean wait",
            "deploying",
            "wait call-back",
            "deploy failed",
            "deleting",
            "error",
            "rescue",
            "adopt failed",
        ),
    ),
)

BY_NAME: Mapping[str, Machine] = {machine.name: machine for machine in MACHINES}

#: The sandbox's own machines: by name, their UUIDs.
DEMO: Mapping[str, str] = {
    row["name"]: row["uuid"] for row in map(describe_node, range(1, DEMO_NODES + 1))
}


def create_all(sandbox: Sandbox) -> None:
    """Make the machines in the Ironic of a sandbox."""
    ironic = Adapter(
        sandbox.admin.for_system().session(),
        endpoint_override=sandbox.ironic_url,
        service_type="baremetal",
        default_microversion="1.90",
    )
    for machine in MACHINES:
        _create(ironic, machine)
    _set_columns(sandbox.state_dir / "ironic.db")


def _create(ironic: Adapter, machine: Machine) -> None:
    node: dict[str, Any] = {
        "uuid": machine.uuid,
        "name": machine.name,
        "driver": "fake-hardware",
        "extra": machine.extra,
    }
    ironic.post("/v1/nodes", json=node)
    for index, address in enumerate(machine.addresses):
        extra = machine.port_extras[index] if machine.port_extras else {}
        port = {"node_uuid": machine.uuid, "address": address, "extra": extra}
        ironic.post("/v1/ports", json=port)


def _set_columns(database: Path) -> None:
    """Write what Ironic would refuse today, and may hold from earlier days all the same."""
    with contextlib.closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        for machine in MACHINES:
            columns = {"properties": json.dumps(machine.properties), **machine.columns}
            for column, value in columns.items():
                connection.execute(
                    f"UPDATE nodes SET {column} = ? WHERE uuid = ?", (value, machine.uuid)
                )
