# SPDX-License-Identifier: Apache-2.0
"""What the bodies of requests may hold."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bm_shim import schemas
from bm_shim.errors import BadRequest
from bm_shim.model import InterfaceMatch, NewInterface, NewNode, ServerQuery

MAC = "52:54:00:cf:2d:31"
UUID = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
MAC_MESSAGE = "Must specify address in the form of xx:xx:xx:xx:xx:xx"

INTEGERS = ["cpus", "memory_mb", "local_gb", "terminal_port"]
INTEGER_FACTS = ["root_mb", "swap_mb", "ephemeral_mb"]
TEXTS = ["pm_address", "pm_user", "pm_password"]
TEXT_FACTS = ["service_host", "pxe_config_path", "instance_name", "image_path"]
UUIDS = ["uuid", "instance_uuid"]
ALL_KEYS = [
    *INTEGERS, *INTEGER_FACTS, *TEXTS, *TEXT_FACTS, *UUIDS,
    "id", "prov_mac_address", "preserve_ephemeral",
]  # fmt: skip

# nova's own tables of what its check took and refused (Icehouse, Juno).
GOOD_MACS = [
    "52:54:00:cf:2d:31", "AA:BB:CC:DD:EE:FF", "aA:bB:00:11:22:33", "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01",
]  # fmt: skip
BAD_MACS = [
    "52-54-00-cf-2d-31", "5254.00cf.2d31", "525400cf2d31", "52:54:0:cf:2d:31",
    "52:54:00:cf:2d", "52:54:00:cf:2d:31:00", "52:54:00:cf:2d:31:00:01", "52:54:00:cf:2d:3g",
    " 52:54:00:cf:2d:31", "52:54:00:cf:2d:31\n", "52:54:00:cf:2d:31\x00", "٥٢:54:00:cf:2d:31",
    "", [], {}, [MAC], {"address": MAC}, 12345, "12345", "127.0.0.1", 1.5, 5, 0, True, False,
]  # fmt: skip


def load_node(**node: object) -> NewNode:
    loaded: NewNode = schemas.load(schemas.NewNodeSchema(), {"node": node}, "node")
    return loaded


def load_interface(**interface: object) -> NewInterface:
    body = {"add_interface": interface}
    loaded: NewInterface = schemas.load(schemas.NewInterfaceSchema(), body, "add_interface")
    return loaded


def load_match(**match: object) -> InterfaceMatch:
    body = {"remove_interface": match}
    loaded: InterfaceMatch = schemas.load(schemas.InterfaceMatchSchema(), body, "remove_interface")
    return loaded


def field_of(node: NewNode, key: str) -> object:
    return node.facts.get(key) if key in schemas.NewNodeSchema.FACTS else getattr(node, key)


def test_no_key_is_required_in_create() -> None:
    assert load_node() == NewNode()


def test_a_full_node() -> None:
    assert load_node(
        id=42,
        uuid=UUID,
        cpus=8,
        memory_mb=8192,
        local_gb=100,
        pm_address="10.0.0.1",
        pm_user="root",
        pm_password="calvin",
        terminal_port=8000,
        prov_mac_address=MAC,
        instance_uuid=UUID,
        service_host="host1",
        pxe_config_path="/tftpboot/x",
        instance_name="vm",
        image_path="/image",
        root_mb=1,
        swap_mb=2,
        ephemeral_mb=3,
        preserve_ephemeral=True,
    ) == NewNode(
        id=42,
        uuid=UUID,
        cpus=8,
        memory_mb=8192,
        local_gb=100,
        pm_address="10.0.0.1",
        pm_user="root",
        pm_password="calvin",
        terminal_port=8000,
        instance_uuid=UUID,
        prov_mac_address=MAC,
        facts={
            "service_host": "host1",
            "pxe_config_path": "/tftpboot/x",
            "instance_name": "vm",
            "image_path": "/image",
            "root_mb": 1,
            "swap_mb": 2,
            "ephemeral_mb": 3,
            "preserve_ephemeral": True,
        },
    )


@pytest.mark.parametrize("key", ALL_KEYS)
def test_null_is_absent(key: str) -> None:
    assert field_of(load_node(**{key: None}), key) is None


@pytest.mark.parametrize("key", ["task_state", "deploy_key", "interfaces", "deleted", "save"])
def test_unknown_keys_are_ignored(key: str) -> None:
    assert load_node(**{key: "x", "cpus": 1}) == NewNode(cpus=1)


@pytest.mark.parametrize("key", [*INTEGERS, *INTEGER_FACTS, "id"])
@pytest.mark.parametrize(
    ("given", "taken"),
    [(8, 8), (8.0, 8), ("8", 8), (" 8\n", 8), ("+8", 8), ("008", 8), (2**31 - 1,) * 2],
)
def test_whole_numbers_may_come_in_other_forms(key: str, given: object, taken: int) -> None:
    assert field_of(load_node(**{key: given}), key) == taken


@pytest.mark.parametrize("key", [*INTEGERS, *INTEGER_FACTS, "id"])
@pytest.mark.parametrize(
    "value",
    ["", "abc", "8.0", "8 GB", "1_000", "٨", "9" * 20, 8.5, float("inf"), True, [], {}],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(key: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        load_node(**{key: value})
    assert caught.value.message == f"Invalid input for '{key}': Not a valid integer."


@pytest.mark.parametrize("key", [*INTEGERS, *INTEGER_FACTS])
@pytest.mark.parametrize("value", [-1, "-1", 2**31, str(2**31), 10**18])
def test_numbers_fit_the_old_column(key: str, value: object) -> None:
    with pytest.raises(BadRequest, match=f"Invalid input for '{key}': Must be greater than or"):
        load_node(**{key: value})


@pytest.mark.parametrize(("given", "taken"), [(0, None), ("0", None), (1, 1), (2**52 - 1,) * 2])
def test_ids_that_can_be_recorded(given: object, taken: int | None) -> None:
    assert load_node(id=given).id == taken


@pytest.mark.parametrize("value", [-1, 2**52])
def test_ids_of_the_derived_range_cannot_be_chosen(value: int) -> None:
    with pytest.raises(BadRequest, match="'id'"):
        load_node(id=value)


@pytest.mark.parametrize("key", [*TEXTS, *TEXT_FACTS])
@pytest.mark.parametrize("value", ["", "x" * 255, "ÿ€🐍", " a b ", "a\nb"])
def test_texts_are_kept_as_they_are(key: str, value: str) -> None:
    assert field_of(load_node(**{key: value}), key) == value


@pytest.mark.parametrize("key", [*TEXTS, *TEXT_FACTS])
@pytest.mark.parametrize(("given", "taken"), [(0, "0"), (123456, "123456"), (-1, "-1")])
def test_integers_become_texts(key: str, given: int, taken: str) -> None:
    assert field_of(load_node(**{key: given}), key) == taken


@pytest.mark.parametrize("key", [*TEXTS, *TEXT_FACTS])
@pytest.mark.parametrize(
    "value", ["x" * 256, "a\0b", "\ud800", 10**255, 1.5, True, ["x"], {"x": "y"}]
)
def test_what_is_no_storable_text_is_refused(key: str, value: object) -> None:
    with pytest.raises(BadRequest, match=f"Invalid input for '{key}': "):
        load_node(**{key: value})


@pytest.mark.parametrize("key", UUIDS)
@pytest.mark.parametrize(
    "given", [UUID, UUID.upper(), UUID.replace("-", ""), UUID.replace("-", "", 2)]
)
def test_uuids_are_brought_into_their_canonical_spelling(key: str, given: str) -> None:
    assert getattr(load_node(**{key: given}), key) == UUID


@pytest.mark.parametrize("key", UUIDS)
def test_an_empty_uuid_is_none(key: str) -> None:
    assert getattr(load_node(**{key: ""}), key) is None


@pytest.mark.parametrize("key", UUIDS)
@pytest.mark.parametrize(
    "value",
    ["x", " ", "0", UUID[:-1], UUID + "0", "../nodes", 5, 0, True, 1.5, [UUID], {},
     "1_be26c0b03f24d2eae87c02d7f33c12", " 1be26c0b03f24d2eae87c02d7f33c1 ", f"{{{UUID}}}",
     f" {UUID}", f"{UUID}\n", f"urn:uuid:{UUID}", UUID.replace("-", "_"), UUID[:-1] + "٣"],
)  # fmt: skip
def test_what_is_no_uuid_is_refused(key: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        load_node(**{key: value})
    assert caught.value.message == f"Invalid input for '{key}': Not a valid UUID."


@pytest.mark.parametrize("value", [True, False])
def test_preserve_ephemeral_is_a_boolean(value: bool) -> None:
    assert load_node(preserve_ephemeral=value).facts == {"preserve_ephemeral": value}


@pytest.mark.parametrize("value", ["maybe", 2, [], {}, [True], 1.5])
def test_other_values_of_preserve_ephemeral_are_refused(value: object) -> None:
    with pytest.raises(BadRequest, match="'preserve_ephemeral': Not a valid boolean"):
        load_node(preserve_ephemeral=value)


@pytest.mark.parametrize("mac", GOOD_MACS)
def test_macs_are_kept_in_their_spelling(mac: str) -> None:
    assert load_node(prov_mac_address=mac).prov_mac_address == mac
    assert load_interface(address=mac) == NewInterface(mac)


@pytest.mark.parametrize("mac", BAD_MACS)
def test_other_macs_are_refused_in_novas_words(mac: object) -> None:
    with pytest.raises(BadRequest) as caught:
        load_node(prov_mac_address=mac)
    assert caught.value.message == MAC_MESSAGE
    with pytest.raises(BadRequest) as caught:
        load_interface(address=mac)
    assert caught.value.message == MAC_MESSAGE


@pytest.mark.parametrize("interface", [{}, {"address": None}, {"datapath_id": "0"}])
def test_an_interface_needs_an_address(interface: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as caught:
        load_interface(**interface)
    assert caught.value.message == MAC_MESSAGE


@pytest.mark.parametrize(
    ("given", "taken"), [(0, "0"), (7, "7"), ("0x1", "0x1"), ("", ""), (None, None), (-1, "-1")]
)
def test_datapath_ids_are_texts(given: object, taken: str | None) -> None:
    assert load_interface(address=MAC, datapath_id=given).datapath_id == taken


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "x" * 256, 10**255])
def test_other_datapath_ids_are_refused(value: object) -> None:
    with pytest.raises(BadRequest, match="'datapath_id'"):
        load_interface(address=MAC, datapath_id=value)


@pytest.mark.parametrize(("given", "taken"), [(0, 0), ("7", 7), (None, None)])
def test_port_numbers(given: object, taken: int | None) -> None:
    assert load_interface(address=MAC, port_no=given).port_no == taken


@pytest.mark.parametrize("value", [-1, "x", 1.5, True, [], 2**31])
def test_other_port_numbers_are_refused(value: object) -> None:
    with pytest.raises(BadRequest, match="'port_no'"):
        load_interface(address=MAC, port_no=value)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"id": 3}, InterfaceMatch(id=3)),
        ({"id": "3"}, InterfaceMatch(id=3)),
        ({"id": 2**53 - 1}, InterfaceMatch(id=2**53 - 1)),
        ({"address": MAC}, InterfaceMatch(address=MAC)),
        ({"address": "not a MAC"}, InterfaceMatch(address="not a MAC")),
        ({"id": 3, "address": MAC}, InterfaceMatch(id=3, address=MAC)),
        ({"id": 3, "address": ""}, InterfaceMatch(id=3)),
        ({"id": 0, "address": MAC}, InterfaceMatch(address=MAC)),
        ({"id": "", "address": MAC}, InterfaceMatch(address=MAC)),
        ({"id": None, "address": MAC, "x": 1}, InterfaceMatch(address=MAC)),
        ({"id": 3, "address": None}, InterfaceMatch(id=3)),
        # As text it is not empty: an id that no interface has.
        ({"id": "0"}, InterfaceMatch(id=0)),
        ({"id": "0", "address": MAC}, InterfaceMatch(id=0, address=MAC)),
    ],
)
def test_an_interface_is_meant_by_id_or_address_or_both(
    given: dict[str, object], match: InterfaceMatch
) -> None:
    assert load_match(**given) == match


@pytest.mark.parametrize(
    "given",
    [{}, {"id": None}, {"id": 0}, {"id": ""}, {"address": ""}, {"x": 1}, {"address": None},
     {"id": 0, "address": ""}, {"id": "", "address": None}],
)  # fmt: skip
def test_empty_values_mean_no_interface(given: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as caught:
        load_match(**given)
    assert caught.value.message == "Must specify id or address"


@pytest.mark.parametrize(
    "given",
    [{"id": "x"}, {"id": " "}, {"id": 1.5}, {"id": [1]}, {"id": True}, {"id": False},
     {"address": 5}, {"address": 0}, {"address": False}, {"address": []}],
)  # fmt: skip
def test_matches_of_the_wrong_type_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match=r"Invalid input for '(id|address)': Not a valid"):
        load_match(**given)


@pytest.mark.parametrize(
    "body",
    [{}, {"node": None}, {"node": "x"}, {"node": []}, {"node": [{}]}, {"node": 5}, {"Node": {}}],
)
def test_the_value_under_the_key_must_be_an_object(body: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as caught:
        schemas.load(schemas.NewNodeSchema(), body, "node")
    assert caught.value.message == "Invalid input: 'node' must be an object."


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadRequest) as caught:
        load_node(cpus="x", uuid="y")
    assert "'cpus'" in caught.value.message
    assert "'uuid'" in caught.value.message


SECRET = "hunter2-hunter2"
BAD_VALUES: list[Any] = [
    SECRET * 20, SECRET + "\0", [SECRET], {SECRET: SECRET}, SECRET + "\ud800", {"a": [SECRET]}
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_VALUES)
@pytest.mark.parametrize("key", ALL_KEYS)
def test_no_message_repeats_a_value(key: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        load_node(**{key: value})
    assert SECRET not in json.dumps(str(caught.value))
    assert caught.value.detail is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("value", BAD_VALUES)
@pytest.mark.parametrize("key", ["address", "datapath_id", "port_no"])
def test_no_message_repeats_a_value_of_an_interface(key: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        load_interface(**{"address": MAC, key: value})
    assert SECRET not in str(caught.value)


def test_the_password_is_in_no_repr() -> None:
    assert SECRET not in repr(load_node(pm_password=SECRET))


# Servers


@pytest.mark.parametrize(
    ("kind", "soft"),
    [("SOFT", True), ("soft", True), ("sOfT", True), ("HARD", False), ("Hard", False)],
)
def test_reboot(kind: str, soft: bool) -> None:
    body = {"reboot": {"type": kind, "more": 1}}
    assert schemas.load(schemas.RebootSchema(), body, "reboot") is soft


@pytest.mark.parametrize(
    ("reboot", "message"),
    [
        ({}, "Missing argument 'type' for reboot"),
        ({"TYPE": "SOFT"}, "Missing argument 'type' for reboot"),
        ({"type": None}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"type": ""}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"type": "warm"}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"type": " SOFT"}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"type": 1}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"type": ["SOFT"]}, "Argument 'type' for reboot is not HARD or SOFT"),
    ],
)
def test_reboot_of_no_type(reboot: dict[str, object], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        schemas.load(schemas.RebootSchema(), {"reboot": reboot}, "reboot")
    assert caught.value.message == message


def query(**parameters: str | list[str]) -> ServerQuery:
    lists = {n: [value] if isinstance(value, str) else value for n, value in parameters.items()}
    return schemas.load_server_query(lists)


def test_a_query_of_nothing() -> None:
    assert query() == ServerQuery()
    assert query(nonsense="1", sort_key="name", offset="2", page_size="3") == ServerQuery()


@pytest.mark.parametrize(("text", "limit"), [("0", 0), ("1", 1), ("1000000", 10**6), (" 5 ", 5)])
def test_limit(text: str, limit: int) -> None:
    assert query(limit=text).limit == limit


@pytest.mark.parametrize("text", ["", "a", "1.5", "0x1", "1_0", "٣", "9" * 20, "1 2", "None"])
def test_no_limit(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^limit param must be an integer$"):
        query(limit=text)


@pytest.mark.parametrize(
    ("text", "yes"),
    [("1", True), ("True", True), ("yes", True), ("", True), ("0", False), ("False", False)],
)
def test_all_tenants(text: str, yes: bool) -> None:
    assert query(all_tenants=text).all_tenants is yes


@pytest.mark.parametrize("text", ["2", "maybe", "None", " "])
def test_neither_all_tenants_nor_not(text: str) -> None:
    with pytest.raises(BadRequest, match="Unrecognized value"):
        query(all_tenants=text)


@pytest.mark.parametrize(
    ("text", "yes"), [("1", True), ("True", True), ("False", False), ("", False), ("x", False)]
)
def test_deleted(text: str, yes: bool) -> None:
    assert query(deleted=text).deleted is yes


def test_status_may_come_several_times() -> None:
    assert query(status=["active", "Error"]).status == {"ACTIVE", "ERROR"}


def test_of_others_the_last_counts() -> None:
    asked = query(limit=["1", "2"], host=["a", "b"], marker=["c", "d"], all_tenants=["x", "1"])
    assert asked == ServerQuery(limit=2, marker="d", all_tenants=True, equal={"host": "b"})


@pytest.mark.parametrize(
    "text", ["2026-11-22T20:30:17Z", "2026-11-22T20:30:17", "2026-11-22T22:30:17+02:00"]
)
def test_changes_since(text: str) -> None:
    assert query(**{"changes-since": text}).changes_since == datetime(
        2026, 11, 22, 20, 30, 17, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["", "now", "2026-99-22", "1400000000", "2026-11-22T22:30:17 2"])
def test_changes_since_no_time(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^Invalid changes-since value$"):
        query(**{"changes-since": text})


def test_names_are_patterns() -> None:
    patterns = query(name="^web", instance_name="1$").patterns
    assert {name: pattern.pattern for name, pattern in patterns.items()} == {
        "name": "^web",
        "instance_name": "1$",
    }


@pytest.mark.parametrize("text", ["[", "(", "*", "(?P<x", "\\", "a**"])
def test_names_that_are_no_patterns(text: str) -> None:
    for name in ("name", "instance_name"):
        with pytest.raises(BadRequest, match=f"^Invalid input for '{name}': Not a valid regular"):
            query(**{name: text})


def test_attributes_that_must_be_equal() -> None:
    equal = {"flavor": "gold", "ip": "10.0.0.1", "uuid": UUID, "tags-any": "a,b"}
    assert query(**equal, color="red").equal == equal
