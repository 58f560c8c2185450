# SPDX-License-Identifier: Apache-2.0
"""The resource os-baremetal-nodes: routes, bodies, statuses."""

import json
from typing import Any

import pytest

from bm_shim import errors
from bm_shim.formats import nova_baremetal, union
from bm_shim.listing import Listing
from bm_shim.model import InterfaceMatch, NewInterface, NewNode

from .conftest import Api, MakeConf, StubInventory
from .wire import PROJECT

NODE = StubInventory.node
MAC = "52:54:00:cf:2d:31"

COLLECTIONS = [
    f"/v1.1/{PROJECT}/os-baremetal-nodes",
    f"/v2/{PROJECT}/os-baremetal-nodes",
    f"/v2.1/{PROJECT}/os-baremetal-nodes",
    "/v2/os-baremetal-nodes",
    "/v2.1/os-baremetal-nodes",
]
COLLECTION = "/v2.1/os-baremetal-nodes"

every_prefix = pytest.mark.parametrize("path", COLLECTIONS)


@every_prefix
def test_list(api: Api, inventory: StubInventory, path: str) -> None:
    response = api("GET", path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json == {"nodes": [union.node_in_list(NODE)]}
    assert inventory.calls == [("list",)]


def test_a_list_does_not_tell_its_age_unless_it_may_be_old(
    api: Api, inventory: StubInventory
) -> None:
    assert "Age" not in api("GET", COLLECTION).headers
    assert inventory.max_age == 0


@every_prefix
def test_a_list_that_may_be_old_tells_its_age(
    make_conf: MakeConf, inventory: StubInventory, path: str
) -> None:
    api = Api(make_conf({"api": {"list_max_age": 10}}), inventory)
    for began, age in ((107.9, "0"), (100, "7")):
        inventory.listing = Listing([NODE], began, clock=lambda: 107.9)
        response = api("GET", path)
        assert response.headers["Age"] == age
        assert response.json == {"nodes": [union.node_in_list(NODE)]}
    assert inventory.max_age == 10
    assert "Age" not in api("GET", f"{path}/42").headers


def test_a_shared_listing_has_a_body_for_each_format_and_media_type(
    make_conf: MakeConf, inventory: StubInventory
) -> None:
    api = Api(make_conf({"api": {"response_format": "nova-baremetal,v2.1:union"}}), inventory)
    for _ in range(2):
        by_accept = [
            api("GET", path, headers={"Accept": accept})
            for path in ("/v2/os-baremetal-nodes", COLLECTION)
            for accept in ("application/json", "application/xml")
        ]
        assert [each.content_type for each in by_accept] == [
            "application/json", "application/xml", "application/json", "application/json",
        ]  # fmt: skip
        assert by_accept[0].json == {"nodes": [nova_baremetal.node_in_list(NODE)]}
        assert by_accept[1].data.startswith(b"<?xml")
        assert by_accept[2].json == by_accept[3].json == {"nodes": [union.node_in_list(NODE)]}


@every_prefix
def test_show(api: Api, inventory: StubInventory, path: str) -> None:
    response = api("GET", f"{path}/42")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json == {"node": union.node(NODE)}
    assert inventory.calls == [("show", "42")]


@every_prefix
def test_create(api: Api, inventory: StubInventory, path: str) -> None:
    response = api("POST", path, json={"node": {"cpus": 8, "prov_mac_address": MAC}, "x": 1})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json == {"node": union.node(NODE)}
    assert inventory.calls == [("create", NewNode(cpus=8, prov_mac_address=MAC))]


@every_prefix
def test_delete(api: Api, inventory: StubInventory, path: str) -> None:
    response = api("DELETE", f"{path}/42")
    assert response.status_code == 202
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert response.data == b""
    assert inventory.calls == [("delete", "42")]


@every_prefix
def test_add_interface(api: Api, inventory: StubInventory, path: str) -> None:
    body = {"add_interface": {"address": MAC, "datapath_id": 0, "port_no": 0}}
    response = api("POST", f"{path}/42/action", json=body)
    assert response.status_code == 200
    assert response.json == {"interface": union.interface(StubInventory.interface)}
    assert inventory.calls == [("add", "42", NewInterface(MAC, "0", 0))]


@every_prefix
def test_remove_interface(api: Api, inventory: StubInventory, path: str) -> None:
    response = api("POST", f"{path}/42/action", json={"remove_interface": {"address": MAC}})
    assert response.status_code == 202
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert response.data == b""
    assert inventory.calls == [("remove", "42", InterfaceMatch(address=MAC))]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("body", [b"nonsense", b'{"node": {}}'])
def test_bodies_of_reads_and_deletes_are_ignored(api: Api, method: str, body: bytes) -> None:
    response = api(method, f"{COLLECTION}/42", data=body, content_type="application/xml")
    assert response.status_code < 300


@pytest.mark.parametrize("path", [COLLECTION, f"{COLLECTION}/42"])
def test_unknown_parameters_are_ignored(api: Api, path: str) -> None:
    assert api("GET", f"{path}?limit=1&fields=id&x").status_code == 200


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"),
        ("node%20one", "node one"),
        ("%C3%A4", "ä"),
        ("2.html", "2.html"),
        ("a%00b", "a\0b"),
        ("..", ".."),
        ("new", "new"),
    ],
)
def test_the_id_is_passed_on_as_it_is(
    api: Api, inventory: StubInventory, sent: str, taken: str
) -> None:
    api("GET", f"{COLLECTION}/{sent}")
    assert inventory.calls == [("show", taken)]


@pytest.mark.parametrize("action", ["add_interface", "remove_interface"])
@pytest.mark.parametrize("value", [None, "x", [], 5, [{}]])
def test_the_value_of_an_action_must_be_an_object(api: Api, action: str, value: object) -> None:
    response = api("POST", f"{COLLECTION}/42/action", json={action: value})
    assert fault(response.json) == (
        "badRequest",
        400,
        f"Invalid input: '{action}' must be an object.",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Malformed request body"),
        ({"add_interface": {}, "x": 1}, "Malformed request body"),
        ({"add_interface": {}, "remove_interface": {}}, "Malformed request body"),
        ([], "Malformed request body"),
        ("add_interface", "Malformed request body"),
        ({"reboot": None}, "There is no such action: reboot"),
        ({"Add_Interface": {}}, "There is no such action: Add_Interface"),
        ({"": {}}, "There is no such action: "),
        ({"ä\n\ud800": {}}, "There is no such action: ä\n\ud800"),
        ({"add_interface": {}}, "Must specify address in the form of xx:xx:xx:xx:xx:xx"),
        ({"remove_interface": {}}, "Must specify id or address"),
    ],
)
def test_bodies_that_name_no_action(
    api: Api, inventory: StubInventory, body: object, message: str
) -> None:
    response = api(
        "POST", f"{COLLECTION}/42/action", data=json.dumps(body), content_type="application/json"
    )
    assert fault(response.json) == ("badRequest", 400, message)
    assert inventory.calls == []


def test_a_bad_field_of_create(api: Api, inventory: StubInventory) -> None:
    node = {"cpus": "many", "pm_password": ["s3cret"]}
    response = api("POST", COLLECTION, json={"node": node})
    name, code, message = fault(response.json)
    assert (name, code) == ("badRequest", 400)
    assert "'cpus'" in message
    assert "many" not in message
    assert "s3cret" not in message
    assert inventory.calls == []


OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("GET", "/42", {}),
    ("POST", "", {"json": {"node": {}}}),
    ("DELETE", "/42", {}),
    ("POST", "/42/action", {"json": {"add_interface": {"address": MAC}}}),
    ("POST", "/42/action", {"json": {"remove_interface": {"address": MAC}}}),
]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (errors.BadRequest("Because."), "badRequest"),
        (errors.Unauthorized("Because."), "unauthorized"),
        (errors.Forbidden("Because."), "forbidden"),
        (errors.NotFound("Because."), "itemNotFound"),
        (errors.Conflict("Because."), "conflictingRequest"),
        (errors.NodeLocked("Because."), "conflictingRequest"),
        (errors.NotImplementedByIronic("Because."), "notImplemented"),
        (errors.BadGateway("Because."), "computeFault"),
        (errors.ServiceUnavailable("Because."), "serviceUnavailable"),
        (errors.NotSetUp("Because."), "serviceUnavailable"),
    ],
)
@pytest.mark.parametrize(("method", "path", "more"), OPERATIONS)
def test_errors_of_the_inventory(
    api: Api,
    inventory: StubInventory,
    method: str,
    path: str,
    more: dict[str, Any],
    error: errors.ShimError,
    name: str,
) -> None:
    inventory.failure = error
    response = api(method, f"{COLLECTION}{path}", **more)
    assert response.status_code == error.status
    assert fault(response.json) == (name, error.status, "Because.")
    assert response.headers.get("Retry-After") == (error.retry_after and str(error.retry_after))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("union", "Node 42 could not be found."),
        ("ironic-proxy", "Node 42 could not be found."),
        ("nova-baremetal", "The resource could not be found."),
    ],
)
@every_prefix
def test_each_dialect_has_its_words_for_a_missing_node(
    make_conf: MakeConf, inventory: StubInventory, form: str, message: str, path: str
) -> None:
    api = Api(make_conf({"api": {"response_format": form}}), inventory)
    inventory.failure = errors.NodeNotFound("42")
    for method, below, more in OPERATIONS:
        if below:
            response = api(method, f"{path}{below}", **more)
            assert fault(response.json) == ("itemNotFound", 404, message)
    in_xml = api("GET", f"{path}/42", headers={"Accept": "application/xml"})
    assert in_xml.status_code == 404
    assert in_xml.is_json is path.startswith("/v2.1/")
    assert message in in_xml.text


def test_prefixes_may_have_dialects_of_their_own(
    make_conf: MakeConf, inventory: StubInventory
) -> None:
    options = {"response_format": "nova-baremetal,v2.1:ironic-proxy"}
    api = Api(make_conf({"api": options}), inventory)
    inventory.failure = errors.NodeNotFound("x")
    words = ["The resource could not be found."] * 2 + ["Node x could not be found."]
    for path, message in zip(COLLECTIONS, words, strict=False):
        assert fault(api("GET", f"{path}/x").json) == ("itemNotFound", 404, message)


READ_ONLY = "Command not supported. Please use Ironic command {} to perform this action."


@pytest.mark.parametrize(
    ("method", "below", "body", "message"),
    [
        ("POST", "", {"node": {}}, READ_ONLY.format("node-create")),
        ("POST", "", {"whatever": 1}, READ_ONLY.format("node-create")),
        ("POST", "", None, READ_ONLY.format("node-create")),
        ("DELETE", "/42", None, READ_ONLY.format("node-delete")),
        ("POST", "/42/action", {"add_interface": {}}, READ_ONLY.format("port-create")),
        ("POST", "/42/action", {"remove_interface": {}}, READ_ONLY.format("port-delete")),
        ("POST", "/42/action", {"reboot": {}}, "There is no such action: reboot"),
        ("POST", "/42/action", {}, "Malformed request body"),
        ("POST", "/42/action", None, "Malformed request body"),
    ],
)
@every_prefix
def test_writes_to_a_service_that_is_read_only(
    make_conf: MakeConf,
    inventory: StubInventory,
    path: str,
    method: str,
    below: str,
    body: object,
    message: str,
) -> None:
    api = Api(make_conf({"api": {"read_only": True}}), inventory)
    more: dict[str, Any] = {} if body is None else {"json": body}
    assert fault(api(method, f"{path}{below}", **more).json) == ("badRequest", 400, message)
    assert api("GET", path).status_code == 200
    assert inventory.calls == [("list",)]


def fault(body: Any) -> tuple[str, int, str]:
    """Take a fault apart: its one key, its code and its message, which are all it has."""
    ((name, inner),) = body.items()
    assert inner.keys() == {"code", "message"}
    return name, inner["code"], inner["message"]
