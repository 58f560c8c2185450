# SPDX-License-Identifier: Apache-2.0
"""The bare metal commands of ``nova``, with what they print."""

from typing import Any

import pytest

from .cloud import MACHINE, Cloud
from .nova import READERS, SPELLINGS, WRITERS, Nova, read_cell

for_readers = pytest.mark.parametrize("nova", READERS, indirect=True)
for_writers = pytest.mark.parametrize("nova", WRITERS, indirect=True)


def expected_properties(uuid: str) -> dict[str, str]:
    """What show and create print of the usual machine, but for times and interfaces."""
    return {
        "id": uuid,
        "uuid": uuid,
        "host": "IRONIC MANAGED",
        "service_host": "compute-7",
        "cpus": "8",
        "memory_mb": "16384",
        "local_gb": "480",
        "disk_gb": "480",
        "pm_address": "198.18.0.9",
        "pm_user": "operator",
        "terminal_port": "7001",
        "instance_uuid": "-",
        "task_state": "available",
        "pxe_config_path": "-",
    }


def add_interface(cloud: Cloud, machine: dict[str, Any]) -> str:
    """Add a second interface to a machine and return its address."""
    address = cloud.new_address()
    body = {"add_interface": {"address": address, "datapath_id": "0x7f", "port_no": 4}}
    answer = cloud.http.post(f"{cloud.nodes_url}/{machine['uuid']}/action", json=body)
    assert answer.status_code == 200, answer.text
    return address


def addresses(cloud: Cloud, machine: dict[str, Any]) -> list[str]:
    """Return the addresses that a machine has by now."""
    node = cloud.show_node(machine["uuid"])
    assert node is not None
    return [interface["address"] for interface in node["interfaces"]]


@for_writers
def test_node_create_prints_the_properties(nova: Nova, cloud: Cloud) -> None:
    address = cloud.new_address().upper()
    printed = nova.properties(
        "baremetal-node-create",
        *("--pm_address", MACHINE["pm_address"]),
        *("--pm_user", MACHINE["pm_user"]),
        *("--pm_password", MACHINE["pm_password"]),
        *("--terminal_port", str(MACHINE["terminal_port"])),
        *(str(MACHINE[name]) for name in ("service_host", "cpus", "memory_mb", "local_gb")),
        address,
    )
    cloud.discard_node(printed["uuid"])
    (interface,) = read_cell(printed.pop("interfaces"))
    assert interface["address"] == address
    assert interface["datapath_id"] is None
    assert interface["port_no"] is None
    assert printed.pop("updated_at")
    assert printed == expected_properties(printed["uuid"])


@for_writers
def test_node_create_needs_no_power_management(nova: Nova, cloud: Cloud) -> None:
    printed = nova.properties(
        "baremetal-node-create", "compute-7", "1", "2", "3", cloud.new_address()
    )
    cloud.discard_node(printed["uuid"])
    unset = ("pm_address", "pm_user", "terminal_port")
    assert [printed[name] for name in unset] == ["-", "-", "-"]


@for_readers
def test_node_list_fills_the_columns(nova: Nova, cloud: Cloud, machine: dict[str, Any]) -> None:
    both = [*addresses(cloud, machine), add_interface(cloud, machine)]
    rows = nova.table("baremetal-node-list")
    assert [row for row in rows if row["ID"] == machine["uuid"]] == [
        {
            "ID": machine["uuid"],
            "Host": "IRONIC MANAGED",
            "Task State": "available",
            "CPUs": "8",
            "Memory_MB": "16384",
            "Disk_GB": "480",
            "MAC Address": ", ".join(both),
            "PM Address": "198.18.0.9",
            "PM Username": "operator",
            # No server ever sent it.
            "PM Password": "",
            "Terminal Port": "7001",
        }
    ]


@for_readers
def test_node_show_finds_a_uuid(nova: Nova, machine: dict[str, Any]) -> None:
    printed = nova.properties("baremetal-node-show", machine["uuid"])
    assert read_cell(printed.pop("interfaces")) == machine["interfaces"]
    assert printed.pop("updated_at")
    assert printed == expected_properties(machine["uuid"])


@for_readers
def test_node_show_finds_an_integer(nova: Nova, cloud: Cloud) -> None:
    number = 42_000 + cloud.new_number()
    uuid = cloud.create_node(id=number)["uuid"]
    printed = nova.properties("baremetal-node-show", str(number))
    listed = [row["ID"] for row in nova.table("baremetal-node-list")]
    cloud.discard_node(uuid)
    assert (printed["id"], printed["uuid"]) == (str(number), uuid)
    assert str(number) in listed


@for_writers
def test_interface_add_without_options(nova: Nova, cloud: Cloud, machine: dict[str, Any]) -> None:
    address = cloud.new_address()
    printed = nova.properties("baremetal-interface-add", machine["uuid"], address)
    assert int(printed.pop("id")) > 0
    # The client sends zeros.
    assert printed == {"address": address, "datapath_id": "0", "port_no": "0"}
    assert address in addresses(cloud, machine)


@for_writers
def test_interface_add_with_options(nova: Nova, cloud: Cloud, machine: dict[str, Any]) -> None:
    address = cloud.new_address()
    printed = nova.properties(
        "baremetal-interface-add",
        *("--datapath_id", "0x7f", "--port_no", "4"),
        *(machine["uuid"], address),
    )
    assert int(printed.pop("id")) > 0
    assert printed == {"address": address, "datapath_id": "0x7f", "port_no": "4"}


@for_readers
def test_interface_list_shows_all_interfaces(
    nova: Nova, cloud: Cloud, machine: dict[str, Any]
) -> None:
    (first,) = addresses(cloud, machine)
    second = add_interface(cloud, machine)
    rows = nova.table("baremetal-interface-list", machine["uuid"])
    assert {row.pop("ID").isdecimal() for row in rows} == {True}
    assert rows == [
        {"Datapath_ID": "-", "Port_No": "-", "Address": first},
        {"Datapath_ID": "0x7f", "Port_No": "4", "Address": second},
    ]


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
@for_writers
def test_interface_remove_by_address(
    nova: Nova, cloud: Cloud, machine: dict[str, Any], spelling: Any
) -> None:
    first = addresses(cloud, machine)
    second = add_interface(cloud, machine)
    nova.quietly("baremetal-interface-remove", machine["uuid"], spelling(second))
    assert addresses(cloud, machine) == first


@for_writers
def test_node_delete_takes_the_interfaces_along(
    nova: Nova, cloud: Cloud, machine: dict[str, Any]
) -> None:
    (address,) = addresses(cloud, machine)
    nova.quietly("baremetal-node-delete", machine["uuid"])
    assert cloud.show_node(machine["uuid"]) is None
    assert machine["uuid"] not in [row["ID"] for row in nova.table("baremetal-node-list")]
    # The address is free again.
    cloud.discard_node(cloud.create_node(prov_mac_address=address)["uuid"])


@for_writers
def test_node_delete_of_an_integer(nova: Nova, cloud: Cloud) -> None:
    number = 42_000 + cloud.new_number()
    uuid = cloud.create_node(id=number)["uuid"]
    nova.quietly("baremetal-node-delete", str(number))
    assert cloud.show_node(uuid) is None


@pytest.mark.parametrize("nova", [f"2.18.1 {path}" for path in SPELLINGS], indirect=True)
def test_every_spelling_of_the_address_will_do(nova: Nova, cloud: Cloud) -> None:
    address = cloud.new_address()
    values = ("compute-7", "8", "16384", "480", address)
    uuid = nova.properties("baremetal-node-create", *values)["uuid"]
    nova.properties("baremetal-interface-add", uuid, cloud.new_address())
    nova.quietly("baremetal-interface-remove", uuid, address)
    (interface,) = nova.table("baremetal-interface-list", uuid)
    assert interface["Address"] != address
    nova.quietly("baremetal-node-delete", uuid)
    assert cloud.show_node(uuid) is None


@pytest.mark.parametrize("nova", ["7.1.2"], indirect=True)
def test_the_last_client_needs_no_version_option(nova: Nova, machine: dict[str, Any]) -> None:
    """It refuses these commands where a server offers more than 2.35."""
    assert nova.options == ()
    assert "OS_COMPUTE_API_VERSION" not in nova.variables
    finished = nova.run("--debug", "baremetal-node-show", machine["uuid"])
    assert finished.status == 0
    assert "X-OpenStack-Nova-API-Version: 2.35" in finished.stderr
