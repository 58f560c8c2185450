# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from bm_shim.formats import ironic_proxy
from bm_shim.model import Interface, Node

INTERFACE = Interface(
    uuid="0a5d7ea1-0000-4000-8000-0000000000a1",
    id=3,
    address="52:54:00:AB:cd:ef",
    ironic_address="52:54:00:ab:cd:ef",
    datapath_id="0",
    port_no=0,
)
NODE = Node(
    uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
    recorded_id=42,
    properties={"cpus": "8", "memory_mb": 8192, "local_gb": None},
    provision_state="active",
    instance_uuid="1ea4e53e-149a-4f02-9515-590c9fb2315a",
    service_host="host1",
    pm_address="10.0.0.1",
    pm_user="root",
    terminal_port=8000,
    pxe_config_path="/tftpboot/42",
    updated_at="2026-11-22T20:30:17+00:00",
    interfaces=(INTERFACE,),
)


def test_list_in_novas_order() -> None:
    assert list(ironic_proxy.node_in_list(NODE).items()) == [
        ("id", NODE.uuid),
        ("interfaces", []),
        ("host", "IRONIC MANAGED"),
        ("task_state", "active"),
        ("cpus", "8"),
        ("memory_mb", 8192),
        ("disk_gb", None),
    ]


def test_show_in_novas_order() -> None:
    assert list(ironic_proxy.node(NODE).items()) == [
        ("id", NODE.uuid),
        ("interfaces", [{"address": "52:54:00:ab:cd:ef"}]),
        ("host", "IRONIC MANAGED"),
        ("task_state", "active"),
        ("cpus", "8"),
        ("memory_mb", 8192),
        ("disk_gb", None),
        ("instance_uuid", NODE.instance_uuid),
    ]


@pytest.mark.parametrize("value", ["8", 8, 8.5, "", "many", None, [8], {"a": 1}, True])
def test_sizes_are_passed_on_untouched(value: object) -> None:
    properties = {"cpus": value, "memory_mb": value, "local_gb": value}
    shown = ironic_proxy.node(replace(NODE, properties=properties))
    assert [shown["cpus"], shown["memory_mb"], shown["disk_gb"]] == [value] * 3


def test_absent_sizes_are_the_text_0() -> None:
    shown = ironic_proxy.node(replace(NODE, properties={}))
    assert [shown["cpus"], shown["memory_mb"], shown["disk_gb"]] == ["0"] * 3


def test_no_state_is_available() -> None:
    assert ironic_proxy.node(replace(NODE, provision_state=None))["task_state"] == "available"


def test_not_found_names_the_node() -> None:
    assert ironic_proxy.node_not_found("x") == "Node x could not be found."


def test_list_does_without_updated_at() -> None:
    assert not ironic_proxy.UPDATED_AT_IN_LIST
