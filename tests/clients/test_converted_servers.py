# SPDX-License-Identifier: Apache-2.0
"""What the clients do with converted instances, on machines with a real BMC."""

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
import requests
from adoption import wait_for
from daemons import find_program
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Bmc, Sandbox
from bm_shim.sandbox.conversion import convert
from bm_shim.sandbox.nova_bm import describe_node, identifier, live_ids

from .cloud import Cloud, User
from .environments import Environment
from .nova import signed_in

NOVAS = ("2.18.1 /v2/PROJECT", "3.4.0", "7.1.2")
OPENSTACK = "openstack"
CLIENTS = (*NOVAS, OPENSTACK)

#: Every third machine has an instance; there is to be one for each client.
MACHINES = 10

#: Seconds for a reboot: Ironic leaves a second between two commands to a BMC.
PATIENCE = 60


class Server(NamedTuple):
    """An instance that the conversion adopted, and the machine that it runs on."""

    uuid: str
    name: str
    node_id: int
    node_uuid: str
    bmc: Bmc


@pytest.fixture(scope="module")
def _needs_ipmitool() -> None:
    find_program("ipmitool")


@pytest.fixture(scope="module")
def cloud(_needs_ipmitool: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Our own, whose machines come from nova-baremetal and speak IPMI."""
    with Sandbox(bmcs=MACHINES) as sandbox, requests.Session() as http:
        convert(sandbox, MACHINES, while_waiting=lambda: None)
        admin = User.sign_in(sandbox.admin)
        http.trust_env = False  # a proxy cannot reach our loopback
        http.headers["X-Auth-Token"] = admin.token
        home = tmp_path_factory.mktemp("home")
        yield Cloud(sandbox, home, admin, User.sign_in(sandbox.member), http)


@pytest.fixture(scope="module")
def ironic(cloud: Cloud) -> Adapter:
    """Ironic's REST API, for an administrator of the system."""
    return Adapter(
        cloud.sandbox.admin.for_system().session(),
        endpoint_override=cloud.sandbox.ironic_url,
        service_type="baremetal",
        default_microversion="1.90",
    )


@pytest.fixture(scope="module")
def servers(cloud: Cloud) -> Mapping[str, Server]:
    """An instance for each client, by its name here."""
    ids = live_ids(MACHINES)
    found = [
        Server(
            str(row["instance_uuid"]),
            str(row["instance_name"]),
            number,
            identifier(f"node {number}"),
            bmc,
        )
        for number, bmc in zip(ids, cloud.sandbox.bmcs, strict=True)
        if (row := describe_node(number))["instance_uuid"]
    ]
    return dict(zip(CLIENTS, found, strict=True))


class Client:
    """One client, nova or openstack, by what it is to do."""

    def __init__(self, name: str, cloud: Cloud, environments: Mapping[str, Environment]) -> None:
        self._cloud = cloud
        self._nova = None if name == OPENSTACK else signed_in(name, environments, cloud)

    def names(self) -> dict[str, str]:
        """Return the names of all servers that a list shows, by UUID."""
        if self._nova:
            return {row["ID"]: row["Name"] for row in self._nova.table("list")}
        return {row["ID"]: row["Name"] for row in self._cloud.openstack_json("server", "list")}

    def status(self, server: Server) -> str:
        """Return the status that show prints."""
        if self._nova:
            return self._nova.properties("show", server.uuid)["status"]
        return str(self._cloud.openstack_json("server", "show", server.uuid)["status"])

    def reboot(self, server: Server, *, hard: bool) -> None:
        """Reboot a server, by its name."""
        options = ["--hard"] if hard else []
        if self._nova:
            assert self._nova.run("reboot", *options, server.name).status == 0
        else:
            self._cloud.openstack("server", "reboot", *options, server.name)

    def delete(self, server: Server) -> None:
        """Delete a server, by its name."""
        if self._nova:
            assert self._nova.run("delete", server.name).status == 0
        else:
            self._cloud.openstack("server", "delete", server.name)


def wait_for_power(server: Server, log: list[str]) -> None:
    """Wait until this, and no more, became of the machine's power."""
    deadline = time.monotonic() + PATIENCE
    while server.bmc.power_log != log:
        assert time.monotonic() < deadline, server.bmc.power_log
        time.sleep(0.1)


@pytest.mark.parametrize("name", CLIENTS)
def test_from_list_to_delete(
    name: str,
    cloud: Cloud,
    environments: Mapping[str, Environment],
    ironic: Adapter,
    servers: Mapping[str, Server],
) -> None:
    client, server = Client(name, cloud, environments), servers[name]
    # The conversion has not touched the machine, which was on.
    assert server.bmc.power_log == ["on"]
    assert client.names()[server.uuid] == server.name
    assert client.status(server) == "ACTIVE"

    for times, hard in ((1, False), (2, True)):
        client.reboot(server, hard=hard)
        wait_for_power(server, ["on", *(["off", "on"] * times)])
        wait_for(ironic, server.node_uuid, power_state="power on", last_error=None)
        assert client.status(server) == "ACTIVE"

    client.delete(server)
    wait_for(ironic, server.node_uuid, provision_state="available", instance_uuid=None)
    assert server.bmc.power_state == "off"
    assert server.uuid not in client.names()
    # The machine is one as any other now, and still answers to its integer.
    node = cloud.show_node(str(server.node_id))
    assert node is not None
    assert (node["task_state"], node["instance_uuid"]) == ("available", None)
    assert cloud.http.delete(f"{cloud.nodes_url}/{server.node_id}").status_code == 202
    assert ironic.get(f"/v1/nodes/{server.node_uuid}", raise_exc=False).status_code == 404
