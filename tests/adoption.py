# SPDX-License-Identifier: Apache-2.0
"""Machines with an instance, made in a real Ironic by adoption: nothing is deployed."""

import time
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from keystoneauth1.adapter import Adapter

#: Seconds that simulated hardware may take for anything.
PATIENCE = 30

#: Of each machine here.
PROPERTIES = {"cpus": 8, "memory_mb": 16384, "local_gb": 480, "cpu_arch": "x86_64"}


class Adopted(NamedTuple):
    """An instance, and its machine."""

    uuid: str
    node_uuid: str
    name: str


def adopt(
    ironic: Adapter,
    name: str,
    *,
    project_id: str | None = None,
    driver: str = "fake-hardware",
    driver_info: Mapping[str, object] = MappingProxyType({}),
) -> Adopted:
    """Make a machine that runs an instance, and is on.

    :param ironic: for an administrator of the system
    :param project_id: whose it is; None: nobody's
    """
    instance_uuid = str(uuid.uuid4())
    body = {
        "driver": driver,
        "driver_info": dict(driver_info),
        "resource_class": "baremetal",
        "properties": PROPERTIES,
        "instance_uuid": instance_uuid,
        "instance_info": {"display_name": name},
        "extra": {"nova_baremetal": {"service_host": "compute-7", "instance_name": name}},
    }
    node_uuid = str(ironic.post("/v1/nodes", json=body).json()["uuid"])
    path = f"/v1/nodes/{node_uuid}"
    if project_id is not None:
        ironic.patch(path, json=[{"op": "add", "path": "/owner", "value": project_id}])
    ironic.put(f"{path}/states/provision", json={"target": "manage"})
    wait_for(ironic, node_uuid, provision_state="manageable")
    set_power(ironic, node_uuid, "power on")
    ironic.put(f"{path}/states/provision", json={"target": "adopt"})
    wait_for(ironic, node_uuid, provision_state="active")
    return Adopted(instance_uuid, node_uuid, name)


def set_power(ironic: Adapter, node_uuid: str, state: str) -> None:
    """Switch a machine, and wait until that is done."""
    ironic.put(f"/v1/nodes/{node_uuid}/states/power", json={"target": state})
    wait_for(ironic, node_uuid, power_state=state)


def wait_for(ironic: Adapter, node_uuid: str, **values: object) -> dict[str, Any]:
    """Wait until a node that nothing is done to has these values, and return it."""
    wanted: dict[str, object] = {"reservation": None, "target_power_state": None, **values}
    deadline = time.monotonic() + PATIENCE
    while True:
        node: dict[str, Any] = ironic.get(f"/v1/nodes/{node_uuid}").json()
        if wanted.items() <= node.items():
            return node
        assert time.monotonic() < deadline, {name: node[name] for name in wanted}
        time.sleep(0.05)
