# SPDX-License-Identifier: Apache-2.0
"""The default format."""

from dataclasses import replace

import pytest

from bm_shim.formats import union, values
from bm_shim.model import Interface, Node

INTERFACE = Interface(
    uuid="4d2eae87-03f2-4d2e-ae87-c02d7f33c999",
    id=7,
    address="52:54:00:AB:cd:ef",
    ironic_address="52:54:00:ab:cd:ef",
    datapath_id="0",
    port_no=0,
)
NODE = Node(
    uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
    recorded_id=42,
    properties={"cpus": "8", "memory_mb": 8192, "local_gb": "100", "cpu_arch": "x86_64"},
    provision_state="active",
    instance_uuid="0be26c0b-03f2-4d2e-ae87-c02d7f33c000",
    service_host="host1",
    pm_address="10.0.0.1",
    pm_user="root",
    terminal_port=8000,
    pxe_config_path="/tftpboot/x",
    updated_at="2026-11-22T20:30:17+00:00",
    interfaces=(INTERFACE,),
)
BARE = Node(
    uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
    recorded_id=None,
    properties={},
    provision_state=None,
    instance_uuid=None,
    service_host=None,
    pm_address=None,
    pm_user=None,
    terminal_port=None,
    pxe_config_path=None,
    updated_at=None,
    interfaces=(),
)


def test_a_node_in_show() -> None:
    assert union.node(NODE) == {
        "id": 42,
        "uuid": "1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
        "host": "IRONIC MANAGED",
        "service_host": "host1",
        "cpus": 8,
        "memory_mb": 8192,
        "local_gb": 100,
        "disk_gb": 100,
        "pm_address": "10.0.0.1",
        "pm_user": "root",
        "terminal_port": 8000,
        "instance_uuid": "0be26c0b-03f2-4d2e-ae87-c02d7f33c000",
        "task_state": "active",
        "pxe_config_path": "/tftpboot/x",
        "updated_at": "2026-11-22T20:30:17.000000",
        "interfaces": [
            {"id": 7, "address": "52:54:00:AB:cd:ef", "datapath_id": "0", "port_no": 0}
        ],
    }


@pytest.mark.parametrize("node", [NODE, BARE])
def test_a_list_leaves_out_updated_at_only(node: Node) -> None:
    shown = union.node(node)
    del shown["updated_at"]
    assert union.node_in_list(node) == shown


def test_a_bare_node_has_all_keys() -> None:
    shown = union.node(BARE)
    assert shown.keys() == union.node(NODE).keys()
    assert shown["id"] == shown["uuid"] == BARE.uuid
    assert {name for name, value in shown.items() if value is None} == {
        "service_host",
        "pm_address",
        "pm_user",
        "terminal_port",
        "instance_uuid",
        "task_state",
        "pxe_config_path",
        "updated_at",
    }
    assert [shown[name] for name in ("cpus", "memory_mb", "local_gb", "disk_gb")] == [0] * 4
    assert shown["interfaces"] == []


@pytest.mark.parametrize("name", ["cpus", "memory_mb", "local_gb"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [(8, 8), ("8", 8), (8.0, 8), (0, 0), (None, 0), ("abc", 0), ("", 0), ([8], 0), (True, 0)],
)
def test_sizes_are_integers(name: str, value: object, shown: int) -> None:
    body = union.node_in_list(replace(BARE, properties={name: value}))
    assert body[name] == shown
    assert type(body[name]) is int
    if name == "local_gb":
        assert body["disk_gb"] == shown


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (None, None),
        ("2026-11-22T20:30:17+00:00", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T20:30:17Z", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T20:30:17", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T20:30:17.5+00:00", "2026-11-22T20:30:17.500000"),
        ("2026-11-22T22:30:17+02:00", "2026-11-22T20:30:17.000000"),
        ("2026-11-23T00:30:17+02:00", "2026-11-22T22:30:17.000000"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_in_utc_with_microseconds_and_no_zone(
    time: str | None, shown: str | None
) -> None:
    assert values.legacy_time(time) == shown
    assert union.node(replace(NODE, updated_at=time))["updated_at"] == shown


def test_interfaces_keep_their_order() -> None:
    second = replace(INTERFACE, id=3, datapath_id=None, port_no=None)
    body = union.node_in_list(replace(NODE, interfaces=(INTERFACE, second)))
    assert body["interfaces"] == [union.interface(INTERFACE), union.interface(second)]
    assert union.interface(second) == {
        "id": 3,
        "address": "52:54:00:AB:cd:ef",
        "datapath_id": None,
        "port_no": None,
    }
