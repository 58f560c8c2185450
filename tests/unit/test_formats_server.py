# SPDX-License-Identifier: Apache-2.0
"""Servers and flavors as Nova shows them."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bm_shim.formats import server as form
from bm_shim.model import Instance, ServerState

LINKS = form.Links("http://host/v2.1/p", "http://host/p")
INSTANCE = Instance(
    uuid="3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6a01",
    node_uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
    name="web-1",
    project_id="p",
    service_host="host1",
    flavor="gold",
    cpus=8,
    memory_mb=16384,
    local_gb=480,
    state=ServerState("REBOOT", "active", "reboot_started"),
    power_state=1,
    maintenance=False,
    protected=False,
    last_error=None,
    created_at=datetime(2014, 2, 3, 4, 5, 6, 7, tzinfo=UTC),
    updated_at=datetime(2026, 11, 22, 20, 30, 17, tzinfo=UTC),
)
BARE = replace(INSTANCE, project_id=None, service_host=None, created_at=None, updated_at=None)
FAILED = replace(
    INSTANCE, state=ServerState("ERROR", "error", None), last_error="BMC 10.0.0.1 is silent"
)

#: What everybody sees at 2.1, the keys that nova 34 has among them.
AT_2_1 = {
    "id": INSTANCE.uuid,
    "name": "web-1",
    "links": [
        {"rel": "self", "href": f"http://host/v2.1/p/servers/{INSTANCE.uuid}"},
        {"rel": "bookmark", "href": f"http://host/p/servers/{INSTANCE.uuid}"},
    ],
    "status": "REBOOT",
    "tenant_id": "p",
    "user_id": "",
    "metadata": {},
    "hostId": hashlib.sha224(b"phost1").hexdigest(),
    "image": "",
    "flavor": {
        "id": "gold",
        "links": [{"rel": "bookmark", "href": "http://host/p/flavors/gold"}],
    },
    "created": "2014-02-03T04:05:06Z",
    "updated": "2026-11-22T20:30:17Z",
    "addresses": {},
    "accessIPv4": "",
    "accessIPv6": "",
    "key_name": None,
    "config_drive": "",
    "security_groups": [],
    "OS-DCF:diskConfig": "MANUAL",
    "OS-EXT-AZ:availability_zone": "",
    "OS-EXT-STS:power_state": 1,
    "OS-EXT-STS:task_state": "reboot_started",
    "OS-EXT-STS:vm_state": "active",
    "OS-SRV-USG:launched_at": None,
    "OS-SRV-USG:terminated_at": None,
    "os-extended-volumes:volumes_attached": [],
}
FOR_ADMINISTRATORS = {
    "OS-EXT-SRV-ATTR:host": "host1",
    "OS-EXT-SRV-ATTR:hypervisor_hostname": INSTANCE.node_uuid,
    "OS-EXT-SRV-ATTR:instance_name": "web-1",
}
OF_2_3 = {
    "OS-EXT-SRV-ATTR:hostname": "web-1",
    "OS-EXT-SRV-ATTR:kernel_id": "",
    "OS-EXT-SRV-ATTR:launch_index": 0,
    "OS-EXT-SRV-ATTR:ramdisk_id": "",
    "OS-EXT-SRV-ATTR:reservation_id": "",
    "OS-EXT-SRV-ATTR:root_device_name": None,
    "OS-EXT-SRV-ATTR:user_data": None,
}


def show(instance: Instance, version: tuple[int, int] = (2, 1), *, admin: bool) -> dict[str, Any]:
    return form.server(instance, LINKS, version=version, admin=admin)


def test_what_everybody_sees() -> None:
    assert show(INSTANCE, admin=False) == AT_2_1


def test_what_administrators_see_beside() -> None:
    assert show(INSTANCE, admin=True) == AT_2_1 | FOR_ADMINISTRATORS


@pytest.mark.parametrize(
    ("version", "all_see", "administrators_see"),
    [
        ((2, 2), {}, {}),
        ((2, 3), {}, OF_2_3),
        ((2, 9), {"locked": False}, OF_2_3),
        ((2, 16), {"locked": False}, {**OF_2_3, "host_status": "UP"}),
        ((2, 19), {"locked": False, "description": None}, {**OF_2_3, "host_status": "UP"}),
        *(
            (
                version,
                {"locked": False, "description": None, "tags": []},
                {**OF_2_3, "host_status": "UP"},
            )
            for version in ((2, 26), (2, 35))
        ),
    ],
)
def test_microversions_add_keys(
    version: tuple[int, int], all_see: dict[str, Any], administrators_see: dict[str, Any]
) -> None:
    assert show(INSTANCE, version, admin=False) == AT_2_1 | all_see
    expected = AT_2_1 | all_see | FOR_ADMINISTRATORS | administrators_see
    assert show(INSTANCE, version, admin=True) == expected


def test_a_host_in_maintenance() -> None:
    shown = show(replace(INSTANCE, maintenance=True), (2, 16), admin=True)
    assert shown["host_status"] == "MAINTENANCE"


def test_what_is_not_known_is_empty() -> None:
    shown = show(BARE, admin=True)
    empty = {"tenant_id": "", "hostId": "", "created": None, "updated": None}
    assert {key: shown[key] for key in empty} == empty
    assert shown["OS-EXT-SRV-ATTR:host"] is None


def test_the_short_form() -> None:
    assert form.server_in_index(INSTANCE, LINKS) == {
        key: AT_2_1[key] for key in ("id", "name", "links")
    }


@pytest.mark.parametrize(
    ("status", "shown"), [("ACTIVE", True), ("BUILD", True), ("SHUTOFF", False), ("ERROR", False)]
)
def test_progress_is_shown_where_there_is_some(status: str, shown: bool) -> None:
    instance = replace(INSTANCE, state=ServerState(status, None, None))
    assert ("progress" in show(instance, admin=False)) is shown


def test_hosts_are_told_apart_without_their_names() -> None:
    """As in Nova, by each project in its own way."""
    ids = {
        show(replace(INSTANCE, service_host=host, project_id=project), admin=False)["hostId"]
        for host in ("a", "b")
        for project in ("p", "q", None)
    }
    assert len(ids) == 6


def test_a_fault_is_told_in_general_terms() -> None:
    """Ironic's words may name addresses; they are for administrators."""
    fault = {"code": 500, "created": "2026-11-22T20:30:17Z", "message": form.FAULT_MESSAGE}
    assert show(FAILED, admin=False)["fault"] == fault
    assert "10.0.0.1" not in str(show(FAILED, admin=False))
    assert show(FAILED, admin=True)["fault"] == {**fault, "details": "BMC 10.0.0.1 is silent"}
    assert show(replace(FAILED, last_error=None), admin=True)["fault"] == fault


def test_without_an_error_there_is_no_fault() -> None:
    """A last error may be of long ago."""
    assert "fault" not in show(replace(INSTANCE, last_error="once"), admin=True)


# Flavors


def test_a_flavor_is_the_size_of_its_machines() -> None:
    assert form.flavor("gold", [INSTANCE, BARE], LINKS) == {
        "id": "gold",
        "name": "gold",
        "ram": 16384,
        "disk": 480,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "vcpus": 8,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": [
            {"rel": "self", "href": "http://host/v2.1/p/flavors/gold"},
            {"rel": "bookmark", "href": "http://host/p/flavors/gold"},
        ],
    }


def test_machines_of_different_sizes_have_none_in_common() -> None:
    shown = form.flavor("gold", [INSTANCE, replace(INSTANCE, cpus=16, memory_mb=1)], LINKS)
    assert (shown["vcpus"], shown["ram"], shown["disk"]) == (0, 0, 480)


@pytest.mark.parametrize(
    ("old", "message"),
    [(True, "Instance could not be found"), (False, "Instance 42 could not be found.")],
)
def test_what_is_said_of_a_server_that_is_not_there(old: bool, message: str) -> None:
    assert form.server_not_found("42", old=old) == message
