# SPDX-License-Identifier: Apache-2.0
"""The old clients with each of the other formats; the default one is everywhere else."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from .cloud import MACHINE, Cloud
from .environments import Environment
from .nova import READERS, WRITERS, signed_in
from .test_bindings import Bindings


@pytest.fixture(scope="module", params=["nova-baremetal", "ironic-proxy"])
def dialect(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[str]:
    """A format that the shim answers in while the tests run."""
    shim = cloud.sandbox.shim
    shim.overrides = {"api": {"response_format": request.param}}
    shim.restart()
    yield request.param
    shim.overrides = {}
    shim.restart()


@pytest.mark.parametrize("login", WRITERS)
def test_all_seven_commands(
    dialect: str, login: str, environments: Mapping[str, Environment], cloud: Cloud
) -> None:
    nova = signed_in(login, environments, cloud)
    first, second = cloud.new_address(), cloud.new_address()
    values = [str(MACHINE[name]) for name in ("service_host", "cpus", "memory_mb", "local_gb")]
    created = nova.properties("baremetal-node-create", *values, first)
    node = created["id"]
    assert node.isdecimal() == (dialect == "nova-baremetal")
    nova.properties("baremetal-interface-add", node, second, "--datapath_id", "0x7f")
    (row,) = [row for row in nova.table("baremetal-node-list") if row["ID"] == node]
    assert (row["CPUs"], row["Memory_MB"], row["Disk_GB"]) == ("8", "16384", "480")
    in_list = f"{first}, {second}" if dialect == "nova-baremetal" else ""
    assert row["MAC Address"] == in_list
    shown = nova.properties("baremetal-node-show", node)
    assert shown.keys() == created.keys()
    interfaces = nova.table("baremetal-interface-list", node)
    assert [each["Address"] for each in interfaces] == [first, second]
    nova.quietly("baremetal-interface-remove", node, first)
    (interface,) = nova.table("baremetal-interface-list", node)
    assert interface["Address"] == second
    nova.quietly("baremetal-node-delete", node)
    assert node not in [row["ID"] for row in nova.table("baremetal-node-list")]


def test_the_last_client_reads(
    dialect: str, environments: Mapping[str, Environment], cloud: Cloud
) -> None:
    node = str(cloud.create_node()["id"])
    nova = signed_in(READERS[-1], environments, cloud)
    listed = [row["ID"] for row in nova.table("baremetal-node-list")]
    shown = nova.properties("baremetal-node-show", node)
    interfaces = nova.table("baremetal-interface-list", node)
    cloud.discard_node(node)
    assert node in listed
    assert shown["id"] == node
    assert len(interfaces) == 1


@pytest.mark.parametrize(
    ("client", "version"), [("2.18.1", "1.1"), ("2.35.0", "2.1"), ("3.4.0", "2.1")]
)
def test_bindings_write(
    dialect: str,
    client: str,
    version: str,
    environments: Mapping[str, Environment],
    cloud: Cloud,
) -> None:
    first, second = cloud.new_address(), cloud.new_address()
    values: dict[str, Any] = {**MACHINE, "prov_mac_address": first}
    bindings = Bindings(environments[client], version, cloud)
    seen = bindings.call("write", values=values, address=second)
    assert seen["shown"].keys() == seen["created"].keys()
    assert seen["added"]["address"] == second
    assert seen["with_two"] == [first, second]
    assert seen["with_one"] == [first]
    assert seen["created"]["id"] not in seen["left"]
