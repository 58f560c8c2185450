# SPDX-License-Identifier: Apache-2.0
"""Simulated machines as nodes in Ironic."""

import ipaddress
import uuid
from collections.abc import Sequence

from ironicclient.common.apiclient.exceptions import ClientException as IronicException
from ironicclient.v1.client import Client
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session

from bm_shim.sandbox.bmc import Bmc
from bm_shim.sandbox.errors import SandboxError

#: Seconds that Ironic has for all of them, per step.
_TIMEOUT = 60
_POLL_INTERVAL = 0.2
_API_VERSION = "1.65"
_PROPERTIES = {"cpus": 8, "memory_mb": 16384, "local_gb": 480, "cpu_arch": "x86_64"}
# The way to `available`: state, verb, next state.
_STEPS = (("enroll", "manage", "manageable"), ("manageable", "provide", "available"))


def enroll(bmcs: Sequence[Bmc], ironic_url: str, session: Session) -> None:
    """Make machines available in Ironic, under their names, with the driver ``ipmi``.

    Those that are there already learn where their BMC is now; they are taken further when they
    are in enroll or manageable.

    :param session: of an administrator of the system.
    :raises SandboxError: Ironic did not do it.
    """
    ironic = Client(
        endpoint_override=ironic_url, session=session, os_ironic_api_version=_API_VERSION
    )
    try:
        known = set(_states(ironic))
        for bmc in bmcs:
            if bmc.name in known:
                _tell_address(ironic, bmc)
            else:
                _create(ironic, bmc)
        for state, verb, next_state in _STEPS:
            states = _states(ironic)
            names = [bmc.name for bmc in bmcs if states[bmc.name] == state]
            for name in names:
                ironic.node.set_provision_state(name, verb)
            ironic.node.wait_for_provision_state(names, next_state, _TIMEOUT, _POLL_INTERVAL)
    except (IronicException, ClientException) as error:
        raise SandboxError(f"Machines could not be made available in Ironic: {error}") from error


def _states(ironic: Client) -> dict[str, str]:
    """Return the provision states of all nodes, by name."""
    nodes = ironic.node.list(limit=0, fields=["name", "provision_state"])
    return {node.name: node.provision_state for node in nodes}


def _create(ironic: Client, bmc: Bmc) -> None:
    node_uuid = str(uuid.uuid4())
    ironic.node.create(
        uuid=node_uuid,
        name=bmc.name,
        driver="ipmi",
        driver_info=bmc.driver_info,
        properties=_PROPERTIES,
        resource_class="baremetal",
    )
    ironic.port.create(node_uuid=node_uuid, address=_mac_address(bmc))


def _tell_address(ironic: Client, bmc: Bmc) -> None:
    patch = {"op": "add", "path": "/driver_info", "value": bmc.driver_info}
    ironic.node.update(bmc.name, [patch])


def _mac_address(bmc: Bmc) -> str:
    """Return the address of a machine's interface, made from that of its BMC."""
    return "52:54:" + ipaddress.IPv4Address(bmc.address).packed.hex(":")
