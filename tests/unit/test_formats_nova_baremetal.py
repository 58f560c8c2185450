# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from bm_shim.formats import nova_baremetal
from bm_shim.legacy_ids import derived_id
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
    properties={"cpus": "8", "memory_mb": 8192, "cpu_arch": "x86_64"},
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


def test_node_has_the_keys_of_icehouse_and_juno() -> None:
    shown = {
        "id": 42,
        "cpus": 8,
        "local_gb": None,
        "memory_mb": 8192,
        "service_host": "host1",
        "pm_address": "10.0.0.1",
        "pm_user": "root",
        "terminal_port": 8000,
        "instance_uuid": "1ea4e53e-149a-4f02-9515-590c9fb2315a",
        "uuid": "1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
        "task_state": "active",
        "updated_at": "2026-11-22T20:30:17.000000",
        "pxe_config_path": "/tftpboot/42",
        "interfaces": [
            {"id": 3, "address": "52:54:00:AB:cd:ef", "datapath_id": "0", "port_no": 0}
        ],
    }
    assert nova_baremetal.node(NODE) == shown
    assert nova_baremetal.node_in_list(NODE) == shown


def test_id_is_always_an_integer() -> None:
    shown = nova_baremetal.node(replace(NODE, recorded_id=None))
    assert shown["id"] == derived_id(NODE.uuid)
    assert isinstance(shown["id"], int)


@pytest.mark.parametrize("value", [None, "", "many", "8.5", 8.5, True, [8], {}])
def test_size_that_is_no_whole_number_is_null(value: object) -> None:
    properties = {"cpus": value, "memory_mb": value, "local_gb": value}
    shown = nova_baremetal.node(replace(NODE, properties=properties))
    assert [shown["cpus"], shown["memory_mb"], shown["local_gb"]] == [None] * 3


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (None, None),
        ("available", None),
        ("enroll", None),
        ("manageable", None),
        ("inspecting", None),
        ("a state of tomorrow", None),
        ("active", "active"),
        ("deploying", "deploying"),
        ("wait call-back", "deploying"),
        ("deploy failed", "deploy failed"),
        ("deleting", "deleted"),
        ("cleaning", "deleted"),
        ("error", "error"),
        ("clean failed", "error"),
        ("adopting", "building"),
        ("rescue", "active"),
    ],
)
def test_task_state_in_the_old_words(state: str | None, shown: str | None) -> None:
    assert nova_baremetal.node(replace(NODE, provision_state=state))["task_state"] == shown


def test_not_found_says_no_more_than_it_did() -> None:
    assert nova_baremetal.node_not_found("42") == "The resource could not be found."


def test_list_needs_updated_at() -> None:
    assert nova_baremetal.UPDATED_AT_IN_LIST
    assert nova_baremetal.node_in_list(replace(NODE, updated_at=None))["updated_at"] is None
