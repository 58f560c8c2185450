# SPDX-License-Identifier: Apache-2.0
"""The six operations, from the caller to Ironic's database."""

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from bm_shim.legacy_ids import derived_id

from .support import (
    JSON,
    Api,
    Cloud,
    LogTail,
    assert_accepted,
    body_of,
    fault,
    node_of,
    wait_until,
)

PREFIXES = ["/v1.1/{project}", "/v2/{project}", "/v2", "/v2.1/{project}", "/v2.1"]

MAC = "52:54:00:c0:ff:01"
OTHER_MAC = "52:54:00:c0:ff:02"

REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: Every field that create knows, but for those with tests of their own.
FULL: JSON = {
    "service_host": "bm-host-1",
    "cpus": 8,
    "memory_mb": 16384,
    "local_gb": 480,
    "pm_address": "192.0.2.17",
    "pm_user": "operator",
    "pm_password": "s3cret-\u00fc$%&",
    "terminal_port": 8023,
    "prov_mac_address": MAC,
    "pxe_config_path": "/tftpboot/node/config",
    "instance_name": "instance-0000002a",
    "image_path": "/images/disk",
    "root_mb": 10240,
    "swap_mb": 512,
    "ephemeral_mb": 2048,
    "preserve_ephemeral": True,
}


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture
def api(cloud: Cloud) -> Api:
    return cloud.api


def interface_of(response: requests.Response) -> JSON:
    """Return the interface of a successful add_interface."""
    ((name, interface),) = body_of(response).items()
    assert name == "interface"
    assert isinstance(interface, dict)
    return interface


def make(api: Api, **fields: object) -> JSON:
    """Create a node and return it."""
    return node_of(api.create(**fields))


# Prefixes, statuses, headers


@pytest.mark.parametrize("template", PREFIXES)
def test_six_operations_under_each_prefix(cloud: Cloud, template: str) -> None:
    prefix = template.format(project=cloud.admin_project)
    api = cloud.api_of(cloud.sandbox, prefix=prefix)

    created = api.create(cpus=4, prov_mac_address=MAC)
    node = node_of(created)
    listed = api.list()
    shown = api.show(node["id"])
    added = api.add_interface(node["id"], address=OTHER_MAC, datapath_id="0xab", port_no=3)
    removed = api.remove_interface(node["id"], address=OTHER_MAC)
    with_one_interface = cloud.database.ports(node["uuid"])
    deleted = api.delete(node["id"])

    assert node["cpus"] == 4
    # Ironic's own answer is some milliseconds ahead of what it then stores.
    assert node.pop("updated_at")[:16] == node_of(shown)["updated_at"][:16]
    assert node_of(shown) == {**node, "updated_at": node_of(shown)["updated_at"]}
    assert node in body_of(listed)["nodes"]
    assert list(body_of(listed)) == ["nodes"]
    interface = interface_of(added)
    assert interface == {
        "id": interface["id"],
        "address": OTHER_MAC,
        "datapath_id": "0xab",
        "port_no": 3,
    }
    assert_accepted(removed)
    assert [port["address"] for port in with_one_interface] == [MAC]
    assert_accepted(deleted)
    fault(api.show(node["id"]), 404)
    assert node["uuid"] not in cloud.names()
    for response in (created, listed, shown, added, removed, deleted):
        assert REQUEST_ID.fullmatch(response.headers["x-compute-request-id"])
        assert (
            response.headers["x-openstack-request-id"] == response.headers["x-compute-request-id"]
        )
        versioned = template.startswith("/v2.1")
        assert response.headers.get("OpenStack-API-Version") == (
            "compute 2.1" if versioned else None
        )
        assert response.headers.get("X-OpenStack-Nova-API-Version") == (
            "2.1" if versioned else None
        )
        assert ("Vary" in response.headers) == versioned


def test_microversion_asked_for_is_answered_and_ends_at_2_35(api: Api) -> None:
    latest = api.request("GET", headers={"OpenStack-API-Version": "compute 2.35"})
    beyond = api.request("GET", headers={"OpenStack-API-Version": "compute 2.36"})
    unknown = api.request("GET", headers={"X-OpenStack-Nova-API-Version": "2.999"})
    malformed = api.request("GET", headers={"X-OpenStack-Nova-API-Version": "two"})

    body_of(latest)
    assert latest.headers["OpenStack-API-Version"] == "compute 2.35"
    fault(beyond, 404)
    assert "2.999" in fault(unknown, 406)
    fault(malformed, 400)


def test_path_with_another_project_is_refused(cloud: Cloud) -> None:
    api = cloud.api_of(cloud.sandbox, prefix=f"/v2/{'0' * 32}")

    with cloud.unchanged():
        message = fault(api.create(), 400)

    assert "doesn't match Context's project_id" in message


# Create


def test_create_puts_every_field_where_ironic_expects_it(cloud: Cloud, api: Api) -> None:
    node_uuid = str(uuid.uuid4())

    node = make(api, uuid=node_uuid, id=4711, **FULL)

    assert node["uuid"] == node_uuid
    stored = cloud.database.node(node_uuid)
    assert stored["driver"] == "fake-hardware"
    assert stored["driver_info"] == {
        "ipmi_address": "192.0.2.17",
        "ipmi_username": "operator",
        "ipmi_password": "s3cret-\u00fc$%&",
        "ipmi_terminal_port": 8023,
    }
    assert stored["properties"] == {
        "cpu_arch": "x86_64",
        "cpus": 8,
        "memory_mb": 16384,
        "local_gb": 480,
    }
    facts = stored["extra"].pop("nova_baremetal")
    assert stored["extra"] == {}
    assert REQUEST_ID.fullmatch(facts.pop("request_id"))
    assert facts == {
        "id": 4711,
        "prov_mac_address": MAC,
        "service_host": "bm-host-1",
        "pxe_config_path": "/tftpboot/node/config",
        "instance_name": "instance-0000002a",
        "image_path": "/images/disk",
        "root_mb": 10240,
        "swap_mb": 512,
        "ephemeral_mb": 2048,
        "preserve_ephemeral": True,
    }
    assert stored["resource_class"] == "baremetal"
    assert stored["provision_state"] == "available"
    assert stored["instance_uuid"] is None
    (port,) = cloud.database.ports(node_uuid)
    assert port["address"] == MAC
    assert cloud.ironic_node(node_uuid)["driver_info"]["ipmi_password"] == "******"


def test_create_answers_the_whole_node_without_its_password(api: Api) -> None:
    response = api.create(id=4711, **FULL)

    node = node_of(response)
    (interface,) = node.pop("interfaces")
    node_uuid = node.pop("uuid")
    assert str(uuid.UUID(node_uuid)) == node_uuid
    updated_at = node.pop("updated_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", updated_at)
    assert node == {
        "id": 4711,
        "host": "IRONIC MANAGED",
        "service_host": "bm-host-1",
        "cpus": 8,
        "memory_mb": 16384,
        "local_gb": 480,
        "disk_gb": 480,
        "pm_address": "192.0.2.17",
        "pm_user": "operator",
        "terminal_port": 8023,
        "instance_uuid": None,
        "task_state": "available",
        "pxe_config_path": "/tftpboot/node/config",
    }
    assert interface["address"] == MAC
    assert interface["datapath_id"] is None
    assert interface["port_no"] is None
    assert "s3cret" not in response.text


def test_create_without_any_field_makes_a_usable_node(cloud: Cloud, api: Api) -> None:
    node = make(api)

    assert node["id"] == node["uuid"]
    assert (node["cpus"], node["memory_mb"], node["local_gb"]) == (0, 0, 0)
    assert node["interfaces"] == []
    stored = cloud.database.node(node["uuid"])
    assert stored["provision_state"] == "available"
    assert stored["driver_info"] == {}
    assert stored["properties"] == {"cpu_arch": "x86_64"}
    assert cloud.database.ports(node["uuid"]) == []


def test_create_takes_nulls_empty_uuid_digits_and_unknown_keys(cloud: Cloud, api: Api) -> None:
    node = make(
        api,
        id=None,
        uuid="",
        cpus="8",
        memory_mb=" 4096 ",
        local_gb=None,
        pm_password=None,
        prov_mac_address=None,
        interfaces=[{"address": MAC}],
        task_state="active",
        deploy_key="of old",
        prov_vlan_id=7,
    )

    stored = cloud.database.node(node["uuid"])
    assert stored["properties"] == {"cpu_arch": "x86_64", "cpus": 8, "memory_mb": 4096}
    assert stored["driver_info"] == {}
    assert stored["provision_state"] == "available"
    assert set(stored["extra"]["nova_baremetal"]) == {"request_id"}
    assert cloud.database.ports(node["uuid"]) == []


def test_create_with_an_instance_associates_it(cloud: Cloud, api: Api) -> None:
    instance = str(uuid.uuid4())

    node = make(api, instance_uuid=instance, instance_name="web-1")

    assert node["instance_uuid"] == instance
    kept = cloud.ironic_node(node["uuid"])
    assert kept["instance_uuid"] == instance
    assert kept["instance_info"] == {"display_name": "web-1"}


def test_create_keeps_the_spelling_of_an_address(cloud: Cloud, api: Api) -> None:
    node = make(api, prov_mac_address="52:54:00:C0:Ff:01")
    added = interface_of(api.add_interface(node["id"], address="52:54:00:C0:FF:02"))

    assert added["address"] == "52:54:00:C0:FF:02"
    expected = ["52:54:00:C0:Ff:01", "52:54:00:C0:FF:02"]
    shown = node_of(api.show(node["id"]))
    (listed,) = (n for n in body_of(api.list())["nodes"] if n["uuid"] == node["uuid"])
    assert [each["address"] for each in shown["interfaces"]] == expected
    assert listed["interfaces"] == shown["interfaces"]
    assert [port["address"] for port in cloud.database.ports(node["uuid"])] == [MAC, OTHER_MAC]


def test_create_can_stop_at_enroll_and_set_no_resource_class(cloud: Cloud) -> None:
    options = {"target_state": "enroll", "resource_class": ""}
    with cloud.shim("enroll", enroll=options) as shim:
        node = make(cloud.api_of(shim), prov_mac_address=MAC)

    assert node["task_state"] == "enroll"
    stored = cloud.database.node(node["uuid"])
    assert (stored["provision_state"], stored["resource_class"]) == ("enroll", None)


def test_create_can_have_ironic_verify_the_node(cloud: Cloud) -> None:
    options = {"target_state": "manageable", "resource_class": "gold", "cpu_arch": "aarch64"}
    with cloud.shim("manageable", enroll=options) as shim:
        node = make(cloud.api_of(shim), prov_mac_address=MAC)

    def state() -> str:
        return str(cloud.database.node(node["uuid"])["provision_state"])

    wait_until(lambda: state() == "manageable")
    stored = cloud.database.node(node["uuid"])
    assert stored["resource_class"] == "gold"
    assert stored["properties"] == {"cpu_arch": "aarch64"}


def test_create_with_a_driver_that_ironic_lacks_is_a_matter_for_the_operator(
    cloud: Cloud,
) -> None:
    with cloud.shim("other-driver", enroll={"driver": "redfish"}) as shim:
        log = LogTail(shim.log_path)
        with cloud.unchanged():
            response = cloud.api_of(shim).create(prov_mac_address=MAC)

        assert "redfish" not in fault(response, 503)
        assert "Retry-After" not in response.headers
        assert "no conductor for the driver" in log.text()
        assert "redfish" in log.text()


# Duplicates


@pytest.mark.parametrize(
    "taken",
    ["uuid", "uuid in other case", "id", "id as text", "mac", "mac in other case", "instance"],
)
def test_duplicate_is_a_conflict_and_changes_nothing(cloud: Cloud, api: Api, taken: str) -> None:
    instance = str(uuid.uuid4())
    node = make(api, id=42, prov_mac_address=MAC, instance_uuid=instance)
    clash: JSON = {
        "uuid": {"uuid": node["uuid"]},
        "uuid in other case": {"uuid": node["uuid"].upper()},
        "id": {"id": 42},
        "id as text": {"id": "42"},
        "mac": {"prov_mac_address": MAC},
        "mac in other case": {"prov_mac_address": MAC.upper()},
        "instance": {"instance_uuid": instance},
    }[taken]

    with cloud.unchanged():
        response = api.create(**{"prov_mac_address": OTHER_MAC, **clash})

    message = fault(response, 409)
    assert "already" in message
    assert "Retry-After" not in response.headers


def test_duplicate_address_of_an_interface_is_a_conflict(cloud: Cloud, api: Api) -> None:
    first = make(api, prov_mac_address=MAC)
    second = make(api)

    with cloud.unchanged():
        for node in (first, second):
            for address in (MAC, MAC.upper()):
                message = fault(api.add_interface(node["id"], address=address), 409)
                assert MAC in message


@pytest.mark.parametrize("field", ["prov_mac_address", "uuid", "instance_uuid", "id"])
def test_only_one_of_many_creates_at_once_succeeds(cloud: Cloud, api: Api, field: str) -> None:
    value = {"prov_mac_address": MAC, "id": 42}.get(field, str(uuid.uuid4()))
    before = cloud.names()

    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda _: api.create(**{field: value}), range(6)))

    statuses = sorted(response.status_code for response in responses)
    assert statuses == [200, 409, 409, 409, 409, 409]
    (made,) = (r for r in responses if r.status_code == 200)
    assert [name for name in cloud.names() if name not in before] == [node_of(made)["uuid"]]


# Ids


def test_node_answers_to_all_its_ids(cloud: Cloud, api: Api) -> None:
    node = make(api, id=42, prov_mac_address=MAC)
    patch = [{"op": "add", "path": "/name", "value": "rack-1.node_7"}]
    cloud.ironic.patch(f"/v1/nodes/{node['uuid']}", json=patch)
    ids: list[Any] = [42, "042", "+42", derived_id(node["uuid"]), node["uuid"], "rack-1.node_7"]

    for node_id in ids:
        assert node_of(api.show(node_id))["uuid"] == node["uuid"]
        added = interface_of(api.add_interface(node_id, address=OTHER_MAC))
        assert_accepted(api.remove_interface(node_id, id=added["id"]))
    assert [port["address"] for port in cloud.database.ports(node["uuid"])] == [MAC]


def test_node_is_deleted_by_each_of_its_ids(cloud: Cloud, api: Api) -> None:
    for kind in ("recorded", "derived", "uuid", "name"):
        node = make(api, id=42, prov_mac_address=MAC)
        patch = [{"op": "add", "path": "/name", "value": "doomed"}]
        cloud.ironic.patch(f"/v1/nodes/{node['uuid']}", json=patch)
        ids = {
            "recorded": 42,
            "derived": derived_id(node["uuid"]),
            "uuid": node["uuid"],
            "name": "doomed",
        }

        assert_accepted(api.delete(ids[kind]))

        assert node["uuid"] not in cloud.names()
        fault(api.delete(ids[kind]), 404)


def test_recorded_id_goes_before_a_name_of_the_same_digits(cloud: Cloud, api: Api) -> None:
    named = make(api)
    patch = [{"op": "add", "path": "/name", "value": "42"}]
    cloud.ironic.patch(f"/v1/nodes/{named['uuid']}", json=patch)
    assert node_of(api.show(42))["uuid"] == named["uuid"]

    recorded = make(api, id=42)

    assert node_of(api.show(42))["uuid"] == recorded["uuid"]


def test_id_can_be_given_to_another_node_after_deletion(cloud: Cloud, api: Api) -> None:
    old = make(api, id=42, prov_mac_address=MAC)
    assert node_of(api.show(42))["uuid"] == old["uuid"]
    assert_accepted(api.delete(42))
    fault(api.show(42), 404)

    new = make(api, id=42, prov_mac_address=MAC)

    assert new["uuid"] != old["uuid"]
    assert node_of(api.show(42))["uuid"] == new["uuid"]
    fault(api.show(derived_id(old["uuid"])), 404)


def test_id_that_moved_behind_our_back_means_the_present_node(cloud: Cloud, api: Api) -> None:
    old = make(api, id=42)
    new = make(api)
    assert node_of(api.show(42))["uuid"] == old["uuid"]
    extra = [{"op": "add", "path": "/extra/nova_baremetal", "value": {"id": 42}}]
    cloud.ironic.patch(
        f"/v1/nodes/{old['uuid']}", json=[{"op": "remove", "path": "/extra/nova_baremetal/id"}]
    )
    cloud.ironic.patch(f"/v1/nodes/{new['uuid']}", json=extra)

    assert node_of(api.show(42))["uuid"] == new["uuid"]
    assert_accepted(api.delete(42))
    assert cloud.names()[-1] == old["uuid"]


def test_node_made_in_ironic_is_found_by_its_integers_at_once(cloud: Cloud, api: Api) -> None:
    fault(api.show(43), 404)
    body = {"driver": "fake-hardware", "extra": {"nova_baremetal": {"id": 43}}}
    made = cloud.ironic.post("/v1/nodes", json=body).json()["uuid"]

    assert node_of(api.show(43))["uuid"] == made
    assert node_of(api.show(derived_id(made)))["uuid"] == made


@pytest.mark.parametrize("unknown", ["nobody", str(uuid.UUID(int=7))])
def test_unknown_id_is_not_found_by_any_operation(cloud: Cloud, api: Api, unknown: str) -> None:
    make(api, id=42, prov_mac_address=MAC)

    with cloud.unchanged():
        fault(api.show(unknown), 404)
        fault(api.delete(unknown), 404)
        fault(api.add_interface(unknown, address=OTHER_MAC), 404)
        fault(api.remove_interface(unknown, address=MAC), 404)


@pytest.mark.parametrize("unknown", ["99", "-1", "9" * 18, "9" * 30, str(2**52), "1.5"])
def test_unknown_number_is_not_found(cloud: Cloud, api: Api, unknown: str) -> None:
    make(api, id=42)

    with cloud.unchanged():
        fault(api.show(unknown), 404)
        fault(api.delete(unknown), 404)


# Interfaces


def test_datapath_id_and_port_no_come_back_in_the_old_types(api: Api) -> None:
    node = make(api)

    added = interface_of(
        api.add_interface(node["id"], address=MAC, datapath_id=0, port_no="7", unknown="ignored")
    )

    assert (added["datapath_id"], added["port_no"]) == ("0", 7)
    assert node_of(api.show(node["id"]))["interfaces"] == [added]


def test_interface_is_removed_by_id_by_address_and_by_both(cloud: Cloud, api: Api) -> None:
    node = make(api)

    for what in ("id", "id as text", "address", "other case", "both", "id and empty address"):
        added = interface_of(api.add_interface(node["id"], address=MAC))
        match: JSON = {
            "id": {"id": added["id"]},
            "id as text": {"id": str(added["id"])},
            "address": {"address": MAC},
            "other case": {"address": MAC.upper()},
            "both": {"id": added["id"], "address": MAC},
            "id and empty address": {"id": added["id"], "address": ""},
        }[what]
        assert_accepted(api.remove_interface(node["id"], **match))
        assert cloud.database.ports(node["uuid"]) == []


def test_recorded_id_of_an_interface_works(cloud: Cloud, api: Api) -> None:
    node = make(api)
    extra = {"nova_baremetal": {"id": 9, "datapath_id": "0x1", "port_no": 2}}
    body = {"node_uuid": node["uuid"], "address": MAC, "extra": extra}
    cloud.ironic.post("/v1/ports", json=body)

    (interface,) = node_of(api.show(node["id"]))["interfaces"]
    assert interface == {"id": 9, "address": MAC, "datapath_id": "0x1", "port_no": 2}
    assert_accepted(api.remove_interface(node["id"], id=9))
    assert cloud.database.ports(node["uuid"]) == []


def test_interface_that_does_not_fit_is_left_alone(cloud: Cloud, api: Api) -> None:
    node = make(api)
    first = interface_of(api.add_interface(node["id"], address=MAC))
    second = interface_of(api.add_interface(node["id"], address=OTHER_MAC))
    other = make(api)

    with cloud.unchanged():
        for match in (
            {"id": first["id"], "address": second["address"]},
            {"id": first["id"] + 1},
            {"address": "52:54:00:c0:ff:99"},
            {"address": "not an address"},
        ):
            fault(api.remove_interface(node["id"], **match), 404)
        fault(api.remove_interface(other["id"], id=first["id"]), 404)
        fault(api.remove_interface(other["id"], address=MAC), 404)
        for empty in ({}, {"id": 0, "address": ""}, {"id": None, "address": None}):
            message = fault(api.remove_interface(node["id"], **empty), 400)
            assert message == "Must specify id or address"


# Delete


def test_delete_takes_the_interfaces_along(cloud: Cloud, api: Api) -> None:
    node = make(api, prov_mac_address=MAC)
    interface_of(api.add_interface(node["id"], address=OTHER_MAC))

    assert_accepted(api.delete(node["id"]))

    again = make(api, prov_mac_address=OTHER_MAC)
    assert [port["address"] for port in cloud.database.ports(again["uuid"])] == [OTHER_MAC]


def test_delete_of_a_node_with_an_instance_shows_ironics_reason(cloud: Cloud, api: Api) -> None:
    instance = str(uuid.uuid4())
    node = make(api, instance_uuid=instance, prov_mac_address=MAC)

    with cloud.unchanged(but="updated_at"):
        message = fault(api.delete(node["id"]), 409)

    assert instance in message


def test_delete_of_an_active_node_shows_ironics_reason(cloud: Cloud, api: Api) -> None:
    node = make(api, id=42)
    cloud.database.set_node(node["uuid"], provision_state="active")

    with cloud.unchanged(but="updated_at"):
        message = fault(api.delete(42), 409)

    assert 'provision state "active"' in message
    assert node_of(api.show(42))["task_state"] == "active"


def test_delete_of_a_protected_node_shows_ironics_reason(cloud: Cloud, api: Api) -> None:
    node = make(api, id=42)
    cloud.database.set_node(node["uuid"], protected=True)

    with cloud.unchanged(but="updated_at"):
        response = api.delete(42)
    cloud.database.set_node(node["uuid"], protected=False)

    assert fault(response, 409) == (
        f"Node {node['uuid']} is protected and cannot be undeployed, rebuilt or deleted"
    )
