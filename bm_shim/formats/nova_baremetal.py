# SPDX-License-Identifier: Apache-2.0
"""What nova-baremetal answered from Icehouse to Juno, with its extended status.

Grizzly and Havana lacked ``uuid``, ``task_state``, ``updated_at`` and ``pxe_config_path``; Grizzly
had ``prov_mac_address`` and ``prov_vlan_id`` instead of a first interface.
"""

from bm_shim.errors import NotFound
from bm_shim.formats import union
from bm_shim.formats.values import legacy_time
from bm_shim.legacy_ids import derived_id
from bm_shim.model import Interface, Node
from bm_shim.translation import integer

UPDATED_AT_IN_LIST = True

#: What nova-baremetal called the states that it had, too. Those of a free machine are not here:
#: a machine never used had none.
_TASK_STATES = {
    "active": "active",
    "deploying": "deploying",
    "wait call-back": "deploying",
    "deploy hold": "deploying",
    "rebuild": "deploying",
    "deploy failed": "deploy failed",
    "adopting": "building",
    "deleting": "deleted",
    "undeploying": "deleted",
    "cleaning": "deleted",
    "clean wait": "deleted",
    "clean hold": "deleted",
    "adopt failed": "error",
    "clean failed": "error",
    "error": "error",
    "rescue": "active",
    "rescuing": "active",
    "rescue wait": "active",
    "rescue failed": "active",
    "unrescuing": "active",
    "unrescue failed": "active",
    "servicing": "active",
    "service wait": "active",
    "service hold": "active",
    "service failed": "active",
}


def node(node: Node) -> dict[str, object]:
    """Return the body of show and create, which is that of an entry of the list."""
    return node_in_list(node)


def node_in_list(node: Node) -> dict[str, object]:
    """Return a node. All ids are integers, as are sizes; null where Ironic holds none."""
    return {
        "id": derived_id(node.uuid) if node.recorded_id is None else node.recorded_id,
        "cpus": integer(node.properties.get("cpus")),
        "local_gb": integer(node.properties.get("local_gb")),
        "memory_mb": integer(node.properties.get("memory_mb")),
        "service_host": node.service_host,
        "pm_address": node.pm_address,
        "pm_user": node.pm_user,
        "terminal_port": node.terminal_port,
        "instance_uuid": node.instance_uuid,
        "uuid": node.uuid,
        "task_state": _TASK_STATES.get(node.provision_state or ""),
        "updated_at": legacy_time(node.updated_at),
        "pxe_config_path": node.pxe_config_path,
        "interfaces": [interface(each) for each in node.interfaces],
    }


def interface(interface: Interface) -> dict[str, object]:
    """Return an interface."""
    return union.interface(interface)


def node_not_found(node_id: str) -> str:
    """Say what nova-baremetal said of any resource."""
    return NotFound.default_message
