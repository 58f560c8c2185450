# SPDX-License-Identifier: Apache-2.0
"""Servers on a machine with a BMC: what is asked of them is seen on its power."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from adoption import Adopted, adopt, set_power, wait_for
from daemons import find_program

from bm_shim.sandbox import Bmc, Sandbox

from .support import Cloud, Servers, body_of, fault, wait_until


@pytest.fixture(autouse=True, scope="module")
def _needs_ipmitool() -> None:
    find_program("ipmitool")


@pytest.fixture(scope="module")
def sandbox(_needs_ipmitool: None) -> Iterator[Sandbox]:
    """Our own, with one machine."""
    with Sandbox(bmcs=1) as running:
        yield running


@pytest.fixture
def bmc(sandbox: Sandbox) -> Bmc:
    """The machine."""
    (only,) = sandbox.bmcs
    return only


@pytest.fixture
def servers(cloud: Cloud) -> Servers:
    """Servers, for an administrator."""
    return Servers(cloud.sandbox.url, cloud.admin_token)


@pytest.fixture
def server(cloud: Cloud, bmc: Bmc) -> Iterator[Adopted]:
    """What runs on the machine, which is on."""
    with cloud.restored():
        yield adopt(cloud.ironic, "web-1", driver="ipmi", driver_info=bmc.driver_info)


def show(servers: Servers, server: Adopted) -> dict[str, Any]:
    shown: dict[str, Any] = body_of(servers.show(server.uuid))["server"]
    return shown


def has_status(servers: Servers, server: Adopted, status: str) -> Callable[[], bool]:
    return lambda: bool(show(servers, server)["status"] == status)


@pytest.mark.parametrize("kind", ["SOFT", "HARD"])
def test_reboot(cloud: Cloud, servers: Servers, server: Adopted, bmc: Bmc, kind: str) -> None:
    began = len(bmc.power_log)
    assert servers.reboot(server.uuid, kind).status_code == 202
    wait_until(has_status(servers, server, "REBOOT"))
    assert fault(servers.reboot(server.uuid, kind), 409) == (
        f"Cannot 'reboot' instance {server.uuid} while it is in task_state reboot_started"
    )
    wait_for(cloud.ironic, server.node_uuid, power_state="power on", last_error=None)
    assert bmc.power_log[began:] == ["off", "on"]
    shown = show(servers, server)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("ACTIVE", 1)
    assert shown["OS-EXT-STS:task_state"] is None


def test_what_is_off_is_switched_on(
    cloud: Cloud, servers: Servers, server: Adopted, bmc: Bmc
) -> None:
    set_power(cloud.ironic, server.node_uuid, "power off")
    assert show(servers, server)["status"] == "SHUTOFF"
    assert servers.reboot(server.uuid).status_code == 202
    wait_until(lambda: show(servers, server)["OS-EXT-STS:task_state"] == "powering-on")
    wait_for(cloud.ironic, server.node_uuid, power_state="power on", last_error=None)
    assert bmc.power_state == "on"
    assert show(servers, server)["status"] == "ACTIVE"


def test_delete(cloud: Cloud, servers: Servers, server: Adopted, bmc: Bmc) -> None:
    assert servers.delete(server.uuid).status_code == 204
    wait_until(has_status(servers, server, "DELETED"))
    assert servers.delete(server.uuid).status_code == 204
    fault(servers.reboot(server.uuid), 409)
    node = wait_for(cloud.ironic, server.node_uuid, provision_state="available", last_error=None)
    assert (node["instance_uuid"], node["power_state"]) == (None, "power off")
    assert bmc.power_state == "off"
    fault(servers.show(server.uuid), 404)
    fault(servers.delete(server.uuid), 404)
    # The machine goes on as any other.
    assert body_of(cloud.api.show(server.node_uuid))["node"]["task_state"] == "available"
    assert cloud.api.delete(server.node_uuid).status_code == 202
