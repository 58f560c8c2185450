# SPDX-License-Identifier: Apache-2.0
"""What nova's proxy to Ironic answers, as of Nova 34: the same keys, values and order.

Sizes are whatever Ironic holds, text or number or null; the text ``"0"`` where it holds none.
"""

from bm_shim.formats.values import PROXY_HOST
from bm_shim.model import Interface, Node

UPDATED_AT_IN_LIST = False

_ABSENT = "0"


def node(node: Node) -> dict[str, object]:
    """Return the body of show."""
    return {
        **node_in_list(node),
        # In its place among the keys, with what a list leaves out.
        "interfaces": [interface(each) for each in node.interfaces],
        "instance_uuid": node.instance_uuid,
    }


def node_in_list(node: Node) -> dict[str, object]:
    """Return an entry of the list, whose interfaces are always empty."""
    return {
        "id": node.uuid,
        "interfaces": [],
        "host": PROXY_HOST,
        # Nova's library has it that a machine without a state is free, as it was in Juno.
        "task_state": node.provision_state or "available",
        "cpus": node.properties.get("cpus", _ABSENT),
        "memory_mb": node.properties.get("memory_mb", _ABSENT),
        "disk_gb": node.properties.get("local_gb", _ABSENT),
    }


def interface(interface: Interface) -> dict[str, object]:
    """Return an interface, with the address as Ironic spells it."""
    return {"address": interface.ironic_address}


def node_not_found(node_id: str) -> str:
    """Say which node is not there."""
    return f"Node {node_id} could not be found."
