# SPDX-License-Identifier: Apache-2.0
"""Machines of the old clients in today's ``openstack baremetal``, and the other way round."""

from typing import Any

import pytest

from .cloud import Cloud
from .nova import Nova, read_cell


@pytest.mark.parametrize("nova", ["3.4.0"], indirect=True)
def test_a_machine_of_nova_in_openstack(nova: Nova, cloud: Cloud) -> None:
    first, second = cloud.new_address(), cloud.new_address()
    uuid = nova.properties(
        "baremetal-node-create",
        *("--pm_address", "198.18.0.9", "--pm_user", "operator", "--pm_password", "hidden"),
        *("--terminal_port", "7001", "compute-7", "8", "16384", "480", first.upper()),
    )["uuid"]
    nova.properties(
        *("baremetal-interface-add", uuid, second, "--datapath_id", "0x7f", "--port_no", "4")
    )

    node = cloud.openstack_json("baremetal", "node", "show", uuid)
    assert node["driver_info"] == {
        "ipmi_address": "198.18.0.9",
        "ipmi_username": "operator",
        "ipmi_password": "******",
        "ipmi_terminal_port": 7001,
    }
    # Ironic shows the password to nobody; so the shim cannot have shown it either.
    assert "hidden" not in str(node)
    sizes = {"cpus": 8, "memory_mb": 16384, "local_gb": 480}
    assert sizes.items() <= node["properties"].items()
    facts = {"service_host": "compute-7", "prov_mac_address": first.upper()}
    assert facts.items() <= node["extra"]["nova_baremetal"].items()
    assert node["provision_state"] == "available"
    assert node["maintenance"] is False
    assert node["resource_class"] == "baremetal"

    ports = cloud.openstack_json("baremetal", "port", "list", "--node", uuid, "--long")
    assert [(port["address"], port["extra"]["nova_baremetal"]) for port in ports] == [
        (first, {"address": first.upper()}),
        (second, {"datapath_id": "0x7f", "port_no": 4}),
    ]

    nova.quietly("baremetal-node-delete", uuid)
    assert uuid not in cloud.openstack("baremetal", "node", "list")
    assert cloud.openstack_json("baremetal", "port", "list", "--address", first) == []


@pytest.mark.parametrize("nova", ["7.1.2"], indirect=True)
def test_a_machine_of_openstack_in_nova(nova: Nova, cloud: Cloud) -> None:
    address = cloud.new_address()
    uuid = cloud.openstack_json(
        *("baremetal", "node", "create", "--driver", "fake-hardware", "--name", "modern"),
        # The command stores these as texts.
        *("--property", "cpus=16", "--property", "memory_mb=65536", "--property", "local_gb=960"),
        *("--driver-info", "ipmi_address=198.18.0.10", "--driver-info", "ipmi_username=root"),
        *("--driver-info", "ipmi_password=hidden"),
    )["uuid"]
    cloud.openstack("baremetal", "port", "create", address, "--node", uuid)

    (row,) = [row for row in nova.table("baremetal-node-list") if row["ID"] == uuid]
    shown = nova.properties("baremetal-node-show", uuid)
    cloud.discard_node(uuid)
    assert row == {
        "ID": uuid,
        "Host": "IRONIC MANAGED",
        "Task State": "enroll",
        "CPUs": "16",
        "Memory_MB": "65536",
        "Disk_GB": "960",
        "MAC Address": address,
        "PM Address": "198.18.0.10",
        "PM Username": "root",
        "PM Password": "",
        "Terminal Port": "-",
    }
    assert [interface["address"] for interface in read_cell(shown["interfaces"])] == [address]
    assert "hidden" not in str(shown)


@pytest.mark.parametrize("nova", ["3.4.0"], indirect=True)
def test_a_machine_in_use_stays_until_it_is_free(
    nova: Nova, cloud: Cloud, machine: dict[str, Any]
) -> None:
    instance = "feedface-0000-4000-8000-000000000002"
    cloud.openstack("baremetal", "node", "set", machine["uuid"], "--instance-uuid", instance)
    assert nova.properties("baremetal-node-show", machine["uuid"])["instance_uuid"] == instance
    refused = nova.run("baremetal-node-delete", machine["uuid"])
    assert refused.status == 1
    assert f"is associated with instance {instance}" in refused.stderr

    cloud.openstack("baremetal", "node", "unset", machine["uuid"], "--instance-uuid")
    nova.quietly("baremetal-node-delete", machine["uuid"])
    assert cloud.show_node(machine["uuid"]) is None
