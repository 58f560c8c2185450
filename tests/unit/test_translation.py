# SPDX-License-Identifier: Apache-2.0
"""Ironic's JSON to the model and back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bm_shim import translation
from bm_shim.legacy_ids import derived_id
from bm_shim.model import Instance, Interface, NewInterface, NewNode, Node, ServerState

UUID = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
PORT_UUID = "4d2eae87-03f2-4d2e-ae87-c02d7f33c999"
REDACTED = "** Redacted - requires baremetal:node:get:driver_info permission. **"

#: What is not an object where one is expected.
NO_OBJECTS: list[object] = [None, "", REDACTED, [], [{"nova_baremetal": {}}], 5, True]


def node(**fields: object) -> Node:
    return translation.node_from_ironic({"uuid": UUID, **fields}, [])


def node_with_facts(**facts: object) -> Node:
    return node(extra={"nova_baremetal": facts})


def interface(**facts: object) -> Interface:
    extra = {"nova_baremetal": facts}
    port = {"uuid": PORT_UUID, "address": "52:54:00:ab:cd:ef", "extra": extra}
    return translation.interface_from_ironic(port)


def test_a_full_node() -> None:
    ironic = {
        "uuid": UUID,
        "driver": "ipmi",
        "driver_info": {
            "ipmi_address": "10.0.0.1",
            "ipmi_username": "root",
            "ipmi_password": "******",
            "ipmi_terminal_port": 8000,
        },
        "extra": {
            "nova_baremetal": {
                "id": 42,
                "service_host": "host1",
                "pxe_config_path": "/tftpboot/x",
                "prov_mac_address": "52:54:00:ab:cd:ef",
            },
            "other": 1,
        },
        "instance_uuid": "0be26c0b-03f2-4d2e-ae87-c02d7f33c000",
        "properties": {"cpus": "8", "cpu_arch": "x86_64"},
        "provision_state": "active",
        "updated_at": "2026-11-22T20:30:17+00:00",
        "unknown": "x",
    }
    port = {"uuid": PORT_UUID, "address": "52:54:00:ab:cd:ef", "extra": {}}
    assert translation.node_from_ironic(ironic, [port]) == Node(
        uuid=UUID,
        recorded_id=42,
        properties={"cpus": "8", "cpu_arch": "x86_64"},
        provision_state="active",
        instance_uuid="0be26c0b-03f2-4d2e-ae87-c02d7f33c000",
        service_host="host1",
        pm_address="10.0.0.1",
        pm_user="root",
        terminal_port=8000,
        pxe_config_path="/tftpboot/x",
        updated_at="2026-11-22T20:30:17+00:00",
        interfaces=(interface(),),
    )


def test_a_bare_node() -> None:
    assert node() == Node(
        uuid=UUID,
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


def test_lists_do_not_ask_for_updated_at() -> None:
    """Ironic refuses a list with that field."""
    assert "updated_at" not in translation.NODE_FIELDS


def test_all_that_is_read_of_a_list_is_asked_for() -> None:
    """A node of a list, cut to the fields asked for, reads as the whole one but for its time."""

    class Recording(dict[str, Any]):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.read: set[str] = set()

        def get(self, key: str, default: Any = None) -> Any:
            self.read.add(key)
            return super().get(key, default)

        def __getitem__(self, key: str) -> Any:
            self.read.add(key)
            return super().__getitem__(key)

    whole, port = Recording({"uuid": UUID}), Recording({"uuid": PORT_UUID, "address": "x"})
    translation.node_from_ironic(whole, [port])
    assert whole.read == {*translation.NODE_FIELDS, "updated_at"}
    assert port.read | {"node_uuid"} == set(translation.PORT_FIELDS)


@pytest.mark.parametrize("value", NO_OBJECTS)
@pytest.mark.parametrize("field", ["driver_info", "extra", "properties"])
def test_what_is_no_object_reads_as_empty(field: str, value: object) -> None:
    assert node(**{field: value}) == node()


@pytest.mark.parametrize("value", NO_OBJECTS)
def test_facts_that_are_no_object_read_as_none(value: object) -> None:
    assert node(extra={"nova_baremetal": value}) == node()
    assert translation.facts_of({"extra": {"nova_baremetal": value}}) == {}


@pytest.mark.parametrize("value", ["8", 8, 8.0, "abc", None, True, -1, [8], {"a": [1]}, "8 GB"])
def test_properties_are_left_alone(value: object) -> None:
    assert node(properties={"cpus": value}).properties == {"cpus": value}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (8, 8), ("8", 8), (" 8 ", 8), (8.0, 8), (0, 0), ("0", 0), (-1, -1), ("-1", -1),
        (2**70, 2**70), (8.5, None), ("8.0", None), ("8 GB", None), ("abc", None), ("", None),
        (None, None), (True, None), (False, None), ([8], None), ({"a": 8}, None),
        (float("nan"), None), (float("inf"), None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_whole_numbers(value: object, read: int | None) -> None:
    assert translation.integer(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [("x", "x"), ("", ""), (5, "5"), (1.5, "1.5"), (None, None), (True, None), ([], None)],
)
@pytest.mark.parametrize("name", ["service_host", "pxe_config_path"])
def test_facts_that_are_texts(name: str, value: object, read: str | None) -> None:
    assert getattr(node_with_facts(**{name: value}), name) == read


@pytest.mark.parametrize("field", ["provision_state", "instance_uuid", "updated_at"])
@pytest.mark.parametrize(("value", "read"), [("x", "x"), (None, None), ({}, None), ([], None)])
def test_fields_that_are_texts(field: str, value: object, read: str | None) -> None:
    assert getattr(node(**{field: value}), field) == read


@pytest.mark.parametrize("value", [None, 0, -1, 2**52, "42", 42.0, True, [42], {}])
def test_what_cannot_be_a_recorded_id_is_none(value: object) -> None:
    assert node_with_facts(id=value).recorded_id is None
    assert translation.recorded_id_of({"extra": {"nova_baremetal": {"id": value}}}) is None
    assert interface(id=value).id == derived_id(PORT_UUID)


def test_recorded_ids() -> None:
    assert translation.recorded_id_of({"extra": {"nova_baremetal": {"id": 42}}}) == 42
    assert interface(id=7).id == 7


IPMI_KEYS = ("ipmi_address", "ipmi_username", "ipmi_password", "ipmi_terminal_port")


@pytest.mark.parametrize(
    ("driver", "keys"),
    [
        ("ipmi", IPMI_KEYS),
        ("redfish", ("redfish_address", "redfish_username", "redfish_password", None)),
        ("idrac", ("redfish_address", "redfish_username", "redfish_password", None)),
        ("ilo", ("ilo_address", "ilo_username", "ilo_password", "console_port")),
        ("ilo5", ("ilo_address", "ilo_username", "ilo_password", "console_port")),
        ("irmc", ("irmc_address", "irmc_username", "irmc_password", None)),
        ("fake-hardware", IPMI_KEYS),
        (None, IPMI_KEYS),
        (["ilo"], IPMI_KEYS),
    ],
)
def test_power_credentials_by_hardware_type(
    driver: object, keys: tuple[str, str, str, str | None]
) -> None:
    address, username, password, port = keys
    assert translation.power_keys(driver) == keys
    info: dict[str, object] = {address: "10.0.0.1", username: "root", password: "******"}
    read = node(driver=driver, driver_info=info | ({port: "8000"} if port else {}))
    assert (read.pm_address, read.pm_user) == ("10.0.0.1", "root")
    assert read.terminal_port == (8000 if port else None)


@pytest.mark.parametrize("password", ["******", "calvin"])
def test_the_password_of_ironic_is_nowhere_in_the_model(password: str) -> None:
    assert password not in repr(node(driver="ipmi", driver_info={"ipmi_password": password}))


@pytest.mark.parametrize(
    ("driver", "info", "fact", "read"),
    [
        ("redfish", {}, 8000, 8000),
        ("redfish", {"ipmi_terminal_port": 1}, 8000, 8000),
        ("ipmi", {}, 8000, 8000),
        ("ipmi", {"ipmi_terminal_port": 1}, 8000, 1),
        ("ipmi", {"ipmi_terminal_port": "x"}, None, None),
        ("ilo", {"console_port": "23"}, 8000, 23),
    ],
)
def test_the_terminal_port_of_the_driver_wins_over_the_fact(
    driver: str, info: dict[str, object], fact: object, read: int | None
) -> None:
    extra = {"nova_baremetal": {"terminal_port": fact}}
    assert node(driver=driver, driver_info=info, extra=extra).terminal_port == read


def test_a_full_interface() -> None:
    assert interface(id=7, datapath_id="0x1", port_no=0, address="52:54:00:AB:cd:EF") == Interface(
        uuid=PORT_UUID,
        id=7,
        address="52:54:00:AB:cd:EF",
        ironic_address="52:54:00:ab:cd:ef",
        datapath_id="0x1",
        port_no=0,
    )


def test_a_bare_interface() -> None:
    port = {"uuid": PORT_UUID, "address": "52:54:00:ab:cd:ef"}
    assert translation.interface_from_ironic(port) == Interface(
        uuid=PORT_UUID,
        id=derived_id(PORT_UUID),
        address="52:54:00:ab:cd:ef",
        ironic_address="52:54:00:ab:cd:ef",
        datapath_id=None,
        port_no=None,
    )


@pytest.mark.parametrize("spelling", ["52:54:00:00:00:00", "", None, 5, {}])
def test_a_spelling_of_another_address_does_not_count(spelling: object) -> None:
    """Somebody changed the port's address in Ironic."""
    assert interface(address=spelling).address == "52:54:00:ab:cd:ef"


@pytest.mark.parametrize(
    ("value", "read"), [(0, "0"), ("0x1", "0x1"), (None, None), (True, None), ([], None)]
)
def test_datapath_ids(value: object, read: str | None) -> None:
    assert interface(datapath_id=value).datapath_id == read


@pytest.mark.parametrize(("value", "read"), [("7", 7), (7, 7), ("x", None), (True, None)])
def test_port_numbers(value: object, read: int | None) -> None:
    assert interface(port_no=value).port_no == read


def made(new: NewNode, driver: str = "ipmi") -> dict[str, Any]:
    return translation.node_to_ironic(
        new, uuid=UUID, driver=driver, cpu_arch="x86_64", mark="req-1"
    )


def test_the_smallest_node_for_ironic() -> None:
    assert made(NewNode()) == {
        "uuid": UUID,
        "driver": "ipmi",
        "driver_info": {},
        "properties": {"cpu_arch": "x86_64"},
        "extra": {"nova_baremetal": {"request_id": "req-1"}},
    }


FULL = NewNode(
    id=42,
    cpus=0,
    memory_mb=8192,
    local_gb=100,
    pm_address="10.0.0.1",
    pm_user="root",
    pm_password="calvin",
    terminal_port=8000,
    instance_uuid=PORT_UUID,
    prov_mac_address="52:54:00:AB:cd:ef",
    facts={"service_host": "host1", "preserve_ephemeral": False, "image_path": None},
)


def test_a_full_node_for_ironic() -> None:
    assert made(FULL) == {
        "uuid": UUID,
        "driver": "ipmi",
        "driver_info": {
            "ipmi_address": "10.0.0.1",
            "ipmi_username": "root",
            "ipmi_password": "calvin",
            "ipmi_terminal_port": 8000,
        },
        "properties": {"cpu_arch": "x86_64", "cpus": 0, "memory_mb": 8192, "local_gb": 100},
        "extra": {
            "nova_baremetal": {
                "id": 42,
                "prov_mac_address": "52:54:00:AB:cd:ef",
                "request_id": "req-1",
                "service_host": "host1",
                "preserve_ephemeral": False,
            }
        },
    }


@pytest.mark.parametrize("driver", ["ipmi", "redfish", "idrac", "ilo", "ilo5", "irmc", "custom"])
def test_what_was_created_reads_back(driver: str) -> None:
    read = translation.node_from_ironic(made(FULL, driver), [])
    assert (read.uuid, read.recorded_id) == (UUID, 42)
    assert (read.pm_address, read.pm_user, read.terminal_port) == ("10.0.0.1", "root", 8000)
    assert read.service_host == "host1"


@pytest.mark.parametrize("driver", ["ipmi", "redfish", "ilo", "irmc"])
def test_the_password_goes_to_driver_info_only(driver: str) -> None:
    body = made(FULL, driver)
    assert "calvin" in body.pop("driver_info").values()
    assert "calvin" not in repr(body)


def test_an_interface_for_ironic() -> None:
    new = NewInterface("52:54:00:AB:cd:ef", "0", 0)
    assert translation.interface_to_ironic(new, uuid=PORT_UUID, node_uuid=UUID) == {
        "uuid": PORT_UUID,
        "node_uuid": UUID,
        "address": "52:54:00:AB:cd:ef",
        "extra": {
            "nova_baremetal": {"datapath_id": "0", "port_no": 0, "address": "52:54:00:AB:cd:ef"}
        },
    }


def test_a_lower_case_address_needs_no_note() -> None:
    new = NewInterface("52:54:00:ab:cd:ef")
    body = translation.interface_to_ironic(new, uuid=PORT_UUID, node_uuid=UUID)
    assert body["extra"] == {"nova_baremetal": {}}


@pytest.mark.parametrize("address", ["52:54:00:AB:cd:ef", "52:54:00:ab:cd:ef"])
def test_the_spelling_of_an_address_survives_ironic(address: str) -> None:
    body = translation.interface_to_ironic(NewInterface(address), uuid=PORT_UUID, node_uuid=UUID)
    stored = body | {"address": address.lower()}
    assert translation.interface_from_ironic(stored).address == address


def test_marks_tell_nodes_of_the_same_uuid_apart() -> None:
    body = made(NewNode())
    assert translation.bears_mark(body, "req-1")
    assert not translation.bears_mark(body, "req-2")
    assert not translation.bears_mark({"uuid": UUID, "extra": {}}, "req-1")
    assert not translation.bears_mark({"uuid": UUID}, "None")


# Instances

ACTIVE: dict[str, Any] = {
    "uuid": UUID,
    "name": "rack-7",
    "instance_uuid": "3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6a01",
    "instance_info": {"display_name": "web-1"},
    "provision_state": "active",
    "power_state": "power on",
    "target_power_state": None,
    "resource_class": "gold",
    "properties": {"cpus": "8", "memory_mb": 16384, "local_gb": 480},
    "owner": "owner",
    "lessee": "lessee",
    "maintenance": False,
    "protected": False,
    "last_error": None,
    "created_at": "2026-01-01T00:00:00+00:00",
    "updated_at": "2026-11-22T20:30:17+00:00",
    "extra": {
        "nova_baremetal": {
            "service_host": "compute-7",
            "instance_name": "web-one",
            "created_at": "2014-02-03T04:05:06.000007",
            "updated_at": "2014-02-04T04:05:06.000007",
        }
    },
}


def instance(**values: object) -> Instance:
    return translation.instance_from_ironic(ACTIVE | values)


def test_a_full_instance() -> None:
    assert instance() == Instance(
        uuid="3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6a01",
        node_uuid=UUID,
        name="web-1",
        project_id="lessee",
        service_host="compute-7",
        flavor="gold",
        cpus=8,
        memory_mb=16384,
        local_gb=480,
        state=ServerState("ACTIVE", "active", None),
        power_state=1,
        maintenance=False,
        protected=False,
        last_error=None,
        created_at=datetime(2014, 2, 3, 4, 5, 6, 7, tzinfo=UTC),
        updated_at=datetime(2026, 11, 22, 20, 30, 17, tzinfo=UTC),
    )


def test_a_bare_instance() -> None:
    bare = translation.instance_from_ironic({"uuid": UUID, "instance_uuid": "i"})
    assert bare == Instance(
        uuid="i",
        node_uuid=UUID,
        name="i",
        project_id=None,
        service_host=None,
        flavor="baremetal",
        cpus=0,
        memory_mb=0,
        local_gb=0,
        state=ServerState("UNKNOWN", None, None),
        power_state=0,
        maintenance=False,
        protected=False,
        last_error=None,
        created_at=None,
        updated_at=None,
    )


def test_all_that_is_read_of_a_list_of_instances_is_asked_for() -> None:
    details = {"created_at", "last_error", "updated_at"}
    assert {*translation.INSTANCE_FIELDS, *details} == ACTIVE.keys()
    # Ironic refuses a list with these fields.
    assert not {"created_at", "updated_at"} & set(translation.INSTANCE_FIELDS)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "web-1"),
        # What is recorded was the name of an instance that may be gone.
        ({"instance_info": {}}, "rack-7"),
        ({"instance_info": {"display_name": ""}}, "rack-7"),
        ({"instance_info": {"display_name": None}, "extra": {}}, "rack-7"),
        ({"instance_info": None, "extra": None}, "rack-7"),
        ({"instance_info": "web-1", "extra": [], "name": None}, ACTIVE["instance_uuid"]),
        ({"instance_info": {"display_name": ["web-1"]}}, "rack-7"),
    ],
)
def test_an_instance_always_has_a_name(values: dict[str, object], name: str) -> None:
    assert instance(**values).name == name


@pytest.mark.parametrize(
    ("owner", "lessee", "project"),
    [
        ("o", "l", "l"),
        ("o", None, "o"),
        ("o", "", "o"),
        (None, "l", "l"),
        (None, None, None),
        ("", "", None),
        (["o"], None, None),
    ],
)
def test_whose_an_instance_is(owner: object, lessee: object, project: str | None) -> None:
    assert instance(owner=owner, lessee=lessee).project_id == project


@pytest.mark.parametrize(
    ("values", "created", "updated"),
    [
        ({"extra": {}}, "2026-01-01T00:00:00", "2026-11-22T20:30:17"),
        ({"extra": {}, "updated_at": None}, "2026-01-01T00:00:00", "2026-01-01T00:00:00"),
        ({"extra": {}, "created_at": "once"}, None, "2026-11-22T20:30:17"),
    ],
)
def test_times_of_an_instance(
    values: dict[str, object], created: str | None, updated: str
) -> None:
    """Those recorded go first; then the node's. What is never changed was changed at first."""
    read = instance(**values)
    assert (read.created_at and read.created_at.isoformat()) == (created and f"{created}+00:00")
    assert read.updated_at is not None
    assert read.updated_at.isoformat() == f"{updated}+00:00"


def test_an_error_is_read_without_secrets() -> None:
    error = instance(last_error="ipmitool -U admin failed: 'ipmi_password': 's3cret'").last_error
    assert error is not None
    assert "s3cret" not in error
    assert error.startswith("ipmitool")


@pytest.mark.parametrize("value", [None, "true", 1, "", []])
def test_only_true_is_true(value: object) -> None:
    read = instance(maintenance=value, protected=value)
    assert (read.maintenance, read.protected) == (False, False)
    read = instance(maintenance=True, protected=True)
    assert (read.maintenance, read.protected) == (True, True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-22T20:30:17+00:00", "2026-11-22T20:30:17+00:00"),
        ("2026-11-22T20:30:17", "2026-11-22T20:30:17+00:00"),
        ("2026-11-22T20:30:17.000007", "2026-11-22T20:30:17.000007+00:00"),
        ("2026-11-22T20:30:17Z", "2026-11-22T20:30:17+00:00"),
        ("2026-11-22T22:30:17+02:00", "2026-11-22T20:30:17+00:00"),
        ("2026-13-01T00:00:00", None),
        ("today", None),
        ("", None),
        (None, None),
        (5, None),
        ([], None),
    ],
)
def test_times(text: object, read: str | None) -> None:
    moment = translation.moment(text)
    assert (moment.isoformat() if moment else None) == read
