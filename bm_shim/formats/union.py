# SPDX-License-Identifier: Apache-2.0
"""The default format: a superset for readers of either era.

It has every key of nova-baremetal (Grizzly to Juno) and every key of nova's Ironic proxy (Juno to
today). Where both had a key, its value suits both.
"""

from bm_shim.formats.values import PROXY_HOST, legacy_time, size
from bm_shim.model import Interface, Node

UPDATED_AT_IN_LIST = False


def node(node: Node) -> dict[str, object]:
    """Return the body of show and create: all that a list has, and ``updated_at``."""
    return {**node_in_list(node), "updated_at": legacy_time(node.updated_at)}


def node_in_list(node: Node) -> dict[str, object]:
    """Return a node as an entry of the list.

    ``id`` is the integer of a machine that has one of old, else the UUID. Sizes are integers; 0
    where Ironic holds none, or something that is not a whole number.
    """
    disk_gb = size(node, "local_gb")
    return {
        "id": node.uuid if node.recorded_id is None else node.recorded_id,
        "uuid": node.uuid,
        "host": PROXY_HOST,
        "service_host": node.service_host,
        "cpus": size(node, "cpus"),
        "memory_mb": size(node, "memory_mb"),
        "local_gb": disk_gb,
        "disk_gb": disk_gb,
        "pm_address": node.pm_address,
        "pm_user": node.pm_user,
        "terminal_port": node.terminal_port,
        "instance_uuid": node.instance_uuid,
        "task_state": node.provision_state,
        "pxe_config_path": node.pxe_config_path,
        "interfaces": [interface(each) for each in node.interfaces],
    }


def interface(interface: Interface) -> dict[str, object]:
    """Return an interface."""
    return {
        "id": interface.id,
        "address": interface.address,
        "datapath_id": interface.datapath_id,
        "port_no": interface.port_no,
    }


def node_not_found(node_id: str) -> str:
    """Say which node is not there, as nova's proxy did."""
    return f"Node {node_id} could not be found."
