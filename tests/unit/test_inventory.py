# SPDX-License-Identifier: Apache-2.0
"""What the shim does with Ironic."""

import logging
import threading
from dataclasses import replace
from typing import Any

import pytest
from oslo_context.context import get_current

from bm_shim import errors, legacy_ids
from bm_shim.context import RequestContext
from bm_shim.inventory import Inventory
from bm_shim.legacy_ids import derived_id
from bm_shim.model import InterfaceMatch, NewInterface, NewNode

from .conftest import WITH_KEYSTONE, MakeConf, log_all
from .wire import (
    ALWAYS,
    BROKEN,
    LOCKED,
    REFUSED,
    RESET,
    SERVICE_PASSWORD,
    SERVICE_TOKEN,
    TIMEOUT,
    Answer,
    Ironic,
    Keystone,
    Outcome,
    Request,
    answer,
    refusal,
)

A = "aaaaaaaa-03f2-4d2e-ae87-c02d7f33c123"
B = "bbbbbbbb-03f2-4d2e-ae87-c02d7f33c456"
C = "cccccccc-03f2-4d2e-ae87-c02d7f33c789"
PORT_A = "aaaaaaaa-03f2-4d2e-ae87-00000000000a"
PORT_A2 = "aaaaaaaa-03f2-4d2e-ae87-0000000000a2"
PORT_B = "bbbbbbbb-03f2-4d2e-ae87-00000000000b"
MAC = "52:54:00:AB:cd:ef"
MAC_2 = "52:54:00:00:00:02"
MAC_B = "52:54:00:00:00:0b"

DENIED = refusal(403, "Access was denied to the following resource: baremetal:node:list_all")
#: Whether ports may be created is asked with a node that nobody has.
PROBE = "POST /v1/ports"
NO_NODE = "00000000-0000-0000-0000-000000000000"
CONTEXT = RequestContext(overwrite=False)

# Nothing of the kind is a node's name to Ironic, and some of it would reach another resource.
NEVER_SENT = [
    ".", "..", "../ports/x", "../../v1/ports", "a/b", "/", "a\\b", "detail", "maintenance",
    "management", "states", "validate", "vendor_passthru", "x.json", f"{A}.json", ".json",
    "\x00", f"{A}\x00", "%00", "a%2Fb", " ", "a b", " 42", "42 ", "42\n", "\t", "ä", "٤٢", "½",
    "x" * 256, "9" * 300, "?fields=uuid", f"{A}?x=1", "a#b", "a;b", "a&b", "*", "", "+",
    "--1+", "\ud800", "<script>", "a:b", "a,b", "a@b", "+1x",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _quick_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_ids, "REFRESH_INTERVAL", 0.01)


@pytest.fixture
def inventory(make_conf: MakeConf, ironic: Ironic) -> Inventory:
    return Inventory(make_conf())


@pytest.fixture
def fleet(ironic: Ironic) -> Ironic:
    """A node of old with two interfaces, a node with one, a node without."""
    ironic.add_node(A, extra={"nova_baremetal": {"id": 42}}, name="old")
    ironic.add_node(B, name="new")
    ironic.add_node(C)
    ironic.add_port(PORT_B, B, MAC_B)
    ironic.add_port(PORT_A, A, MAC, extra={"nova_baremetal": {"id": 7, "address": MAC}})
    ironic.add_port(PORT_A2, A, MAC_2)
    return ironic


def state(ironic: Ironic) -> tuple[Any, Any]:
    return dict(ironic.nodes), dict(ironic.ports)


# List


def test_a_list_has_all_nodes_with_their_interfaces(inventory: Inventory, fleet: Ironic) -> None:
    nodes = inventory.list_nodes(CONTEXT).nodes
    assert [(n.uuid, [i.address for i in n.interfaces]) for n in nodes] == [
        (A, [MAC, MAC_2]),
        (B, [MAC_B]),
        (C, []),
    ]
    assert [n.recorded_id for n in nodes] == [42, None, None]


def test_an_empty_fleet(inventory: Inventory, ironic: Ironic) -> None:
    assert inventory.list_nodes(CONTEXT).nodes == []


def test_ports_of_vanished_nodes_are_left_out(inventory: Inventory, fleet: Ironic) -> None:
    fleet.add_port("0000000c-0000-4000-8000-000000000000", "gone", "52:54:00:00:00:99")
    fleet.ports[PORT_A]["node_uuid"] = None
    nodes = inventory.list_nodes(CONTEXT).nodes
    assert [i.address for n in nodes for i in n.interfaces] == [MAC_2, MAC_B]


@pytest.mark.parametrize("size", [0, 1, 50])
def test_the_number_of_requests_does_not_grow_with_the_fleet(
    inventory: Inventory, ironic: Ironic, size: int
) -> None:
    for n in range(size):
        ironic.add_node(f"{n:08x}-03f2-4d2e-ae87-c02d7f33c123")
    inventory.list_nodes(CONTEXT)
    first = sorted(ironic.calls)
    ironic.requests.clear()
    inventory.list_nodes(CONTEXT)
    assert first == ["GET /v1/nodes", "GET /v1/nodes", "GET /v1/ports"]  # and the rights
    assert sorted(ironic.calls) == ["GET /v1/nodes", "GET /v1/ports"]


def test_the_two_reads_run_in_parallel_and_log_as_the_request(
    inventory: Inventory, fleet: Ironic
) -> None:
    inventory.check_rights()
    both, ids = threading.Barrier(2), []

    def meet(request: Request) -> None:
        both.wait(5)
        current = get_current()
        ids.append(current and current.request_id)

    fleet.before = meet
    context = RequestContext()
    inventory.list_nodes(context)
    assert ids == [context.request_id] * 2
    ids.clear()
    inventory.get_node(context, A)
    assert ids == [context.request_id] * 2


def test_a_part_of_the_fleet_is_never_listed_as_the_whole(
    inventory: Inventory, fleet: Ironic
) -> None:
    deny_the_right_to_list(fleet)
    with pytest.raises(errors.NotSetUp):
        inventory.list_nodes(CONTEXT)


@pytest.mark.parametrize("path", ["nodes", "ports"])
@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (REFUSED, errors.ServiceUnavailable),
        (TIMEOUT, errors.ServiceUnavailable),
        (refusal(500, "oops"), errors.BadGateway),
        (refusal(403, "no"), errors.NotSetUp),
        (Answer(200, "<html>", {"Content-Type": "text/html"}), errors.BadGateway),
    ],
)
def test_a_list_fails_when_either_read_does(
    inventory: Inventory,
    fleet: Ironic,
    path: str,
    outcome: Outcome,
    error: type[errors.ShimError],
) -> None:
    inventory.check_rights()
    fleet.fail(f"GET /v1/{path}", outcome, ALWAYS)
    with pytest.raises(error):
        inventory.list_nodes(CONTEXT)


@pytest.mark.parametrize("row", [{"node_uuid": A}, "x", None])
@pytest.mark.parametrize("path", ["nodes", "ports"])
def test_rows_that_ironic_does_not_write_are_nonsense(
    inventory: Inventory, fleet: Ironic, path: str, row: object
) -> None:
    inventory.check_rights()
    fleet.fail(f"GET /v1/{path}", answer(200, {path: [row]}))
    with pytest.raises(errors.BadGateway):
        inventory.list_nodes(CONTEXT)


# Show


def test_a_node_by_uuid(inventory: Inventory, fleet: Ironic) -> None:
    fleet.nodes[A]["updated_at"] = "2026-11-22T20:30:17+00:00"
    node = inventory.get_node(CONTEXT, A)
    assert (node.uuid, node.recorded_id) == (A, 42)
    assert [(i.id, i.address) for i in node.interfaces] == [(7, MAC), (derived_id(PORT_A2), MAC_2)]
    assert node.updated_at == "2026-11-22T20:30:17+00:00"
    assert sorted(fleet.calls) == [f"GET /v1/nodes/{A}", "GET /v1/ports"]


@pytest.mark.parametrize("node_id", ["42", "+42", "042", str(derived_id(A)), "old"])
def test_a_node_by_its_other_ids(inventory: Inventory, fleet: Ironic, node_id: str) -> None:
    assert inventory.get_node(CONTEXT, node_id) == inventory.get_node(CONTEXT, A)


def test_a_node_without_interfaces(inventory: Inventory, fleet: Ironic) -> None:
    assert inventory.get_node(CONTEXT, C).interfaces == ()


def test_an_integer_is_looked_for_once(inventory: Inventory, fleet: Ironic) -> None:
    for _ in range(3):
        inventory.get_node(CONTEXT, "42")
    listings = [
        request for request in fleet.requests if "extra" in request.query.get("fields", "")
    ]
    assert [request.query["fields"] for request in listings if request.path == "/v1/nodes"] == [
        "uuid,extra"
    ]
    assert fleet.calls.count(f"GET /v1/nodes/{A}") == 3


def test_a_number_may_be_a_name(inventory: Inventory, fleet: Ironic) -> None:
    fleet.nodes[B]["name"] = "99"
    assert inventory.get_node(CONTEXT, "99").uuid == B


def test_an_id_goes_before_a_name(inventory: Inventory, fleet: Ironic) -> None:
    fleet.nodes[B]["name"] = "42"
    assert inventory.get_node(CONTEXT, "42").uuid == A


@pytest.mark.parametrize(
    "node_id",
    ["nobody", "0", "-1", "43", "9" * 19, "9" * 20, str(derived_id(PORT_A)), PORT_A, "1.5",
     "OLD", "v1", "ports", "x" * 255, "a~b"],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
def test_unknown_nodes(inventory: Inventory, fleet: Ironic, operation: str, node_id: str) -> None:
    before = state(fleet)
    with pytest.raises(errors.NodeNotFound) as caught:
        do(inventory, operation, node_id)
    assert caught.value.node_id == node_id
    assert state(fleet) == before
    # A is what the account is asked to show, to see whether it may.
    allowed = {f"/v1/nodes/{node_id}", "/v1/nodes", "/v1/ports", f"/v1/nodes/{A}"}
    assert {request.path for request in fleet.requests} <= allowed


@pytest.mark.parametrize("node_id", ["0", "-1", "-42", str(2**53), "9" * 19])
def test_the_fleet_is_not_listed_for_a_number_that_no_node_can_have(
    inventory: Inventory, fleet: Ironic, node_id: str
) -> None:
    with pytest.raises(errors.NodeNotFound):
        inventory.get_node(CONTEXT, node_id)
    as_name, lists, first, shows = fleet.requests
    assert as_name.call == f"GET /v1/nodes/{node_id}"
    assert lists.query["project"] == "0" * 32  # the question, which lists nothing
    assert first.query["limit"] == "1"
    assert shows.call == f"GET /v1/nodes/{A}"


@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
def test_nodes_that_the_account_may_only_list_are_not_said_to_be_missing(
    inventory: Inventory, fleet: Ironic, operation: str
) -> None:
    of_the_node = "(GET|DELETE) /v1/nodes/.+|(GET|POST) /v1/ports"
    fleet.fail(of_the_node, refusal(404, f"Node {A} could not be found."), ALWAYS)
    with pytest.raises(errors.NotSetUp) as caught:
        do(inventory, operation, A)
    assert "baremetal:node:get" in str(caught.value.detail)


@pytest.mark.parametrize("node_id", NEVER_SENT)
@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
def test_what_can_be_no_node_never_reaches_ironic(
    inventory: Inventory, ironic: Ironic, operation: str, node_id: str
) -> None:
    with pytest.raises(errors.NodeNotFound) as caught:
        do(inventory, operation, node_id)
    assert caught.value.node_id == node_id
    assert ironic.requests == []


def do(
    inventory: Inventory, operation: str, node_id: str, context: RequestContext = CONTEXT
) -> None:
    """Do one of the operations on a node."""
    match operation:
        case "show":
            inventory.get_node(context, node_id)
        case "delete":
            inventory.delete_node(context, node_id)
        case "add":
            inventory.add_interface(context, node_id, NewInterface("52:54:00:00:00:01"))
        case "remove":
            inventory.remove_interface(context, node_id, InterfaceMatch(address=MAC_2))


def test_interfaces_of_other_nodes_do_not_slip_in(inventory: Inventory, fleet: Ironic) -> None:
    """The links between Ironic's pages forget which node was asked for."""
    fleet.page_size = 1
    fleet.add_port(C, B, "52:54:00:00:00:03")
    node = inventory.get_node(CONTEXT, A)
    assert [interface.address for interface in node.interfaces] == [MAC, MAC_2]


def test_an_id_that_went_to_another_node(inventory: Inventory, fleet: Ironic) -> None:
    assert inventory.get_node(CONTEXT, "42").uuid == A
    fleet.nodes[B]["extra"], fleet.nodes[A]["extra"] = fleet.nodes[A]["extra"], {}
    assert inventory.get_node(CONTEXT, "42").uuid == B


def test_an_id_whose_node_was_made_anew(inventory: Inventory, fleet: Ironic) -> None:
    assert inventory.get_node(CONTEXT, "42").uuid == A
    extra = fleet.nodes.pop(A)["extra"]
    fleet.nodes[B]["extra"] = extra
    assert inventory.get_node(CONTEXT, "42").uuid == B


def test_an_id_whose_node_is_gone(inventory: Inventory, fleet: Ironic) -> None:
    inventory.get_node(CONTEXT, "42")
    del fleet.nodes[A]
    with pytest.raises(errors.NotFound):
        inventory.get_node(CONTEXT, "42")


@pytest.mark.parametrize("node_id", ["42", str(derived_id(A)), A, "old", "0"])
@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
def test_a_node_is_not_missing_in_a_part_of_the_fleet(
    inventory: Inventory, ironic: Ironic, operation: str, node_id: str
) -> None:
    """To an account that may not list all, Ironic shows none; that is no reason for a 404."""
    deny_the_right_to_list(ironic)
    with pytest.raises(errors.NotSetUp):
        do(inventory, operation, node_id)


def test_an_interface_is_not_missing_in_a_part_of_the_fleet(
    inventory: Inventory, fleet: Ironic
) -> None:
    deny_the_right_to_list(fleet)
    with pytest.raises(errors.NotSetUp):
        inventory.remove_interface(CONTEXT, A, InterfaceMatch(id=8))


@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
def test_what_ironic_hides_from_a_caller_is_missing_to_them(
    make_conf: MakeConf, ironic: Ironic, operation: str
) -> None:
    """Where tokens are forwarded; nobody's right to list is asked for."""
    inventory = Inventory(make_conf({"ironic": {"forward_user_token": True}}))
    deny_the_right_to_list(ironic)
    with pytest.raises(errors.NodeNotFound):
        do(inventory, operation, A, RequestContext(auth_token="caller"))
    assert [request for request in ironic.requests if request.query.get("project")] == []


@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
def test_a_derived_id_of_several_nodes_means_none(
    inventory: Inventory, ironic: Ironic, operation: str
) -> None:
    """UUIDs made from the clock of one machine differ in their first half only."""
    twins = [f"{n}3d2cc1-e6c3-11f1-8000-525400abcdef" for n in ("99", "9a")]
    assert derived_id(twins[0]) == derived_id(twins[1])
    for n, twin in enumerate(twins):
        ironic.add_node(twin, extra={"nova_baremetal": {"id": n + 1}})
    before = state(ironic)
    with pytest.raises(errors.NodeNotFound):
        do(inventory, operation, str(derived_id(twins[0])))
    assert state(ironic) == before
    assert [inventory.get_node(CONTEXT, n).uuid for n in ("1", "2")] == twins


def deny_the_right_to_list(ironic: Ironic) -> None:
    perform = ironic.perform

    def deny(request: Request) -> Answer:
        return DENIED if request.query.get("project") else perform(request)

    ironic.perform = deny  # type: ignore[method-assign]


@pytest.mark.parametrize("node_id", [A, "old", "42"])
@pytest.mark.parametrize("outcome", [TIMEOUT, refusal(500, "oops"), refusal(403, "no")])
def test_a_node_that_cannot_be_read_is_not_missing(
    inventory: Inventory, fleet: Ironic, node_id: str, outcome: Outcome
) -> None:
    fleet.fail("GET /v1/nodes/.*", outcome, ALWAYS)
    with pytest.raises((errors.ServiceUnavailable, errors.BadGateway, errors.NotSetUp)):
        inventory.get_node(CONTEXT, node_id)


@pytest.mark.parametrize("operation", ["show", "delete", "add", "remove"])
@pytest.mark.parametrize("node_id", ["old", "42"])
def test_a_node_that_ironic_does_not_write_is_nonsense(
    inventory: Inventory, fleet: Ironic, operation: str, node_id: str
) -> None:
    fleet.fail("GET /v1/nodes/.*", answer(200, {"name": None}), ALWAYS)
    with pytest.raises(errors.BadGateway):
        do(inventory, operation, node_id)
    assert fleet.changes == []


def test_an_interface_that_ironic_does_not_write_is_nonsense(
    inventory: Inventory, fleet: Ironic
) -> None:
    fleet.fail("GET /v1/ports", answer(200, {"ports": [{"node_uuid": A}]}))
    with pytest.raises(errors.BadGateway):
        inventory.remove_interface(CONTEXT, A, InterfaceMatch(address=MAC))
    assert fleet.changes == []


# Create

NEW = NewNode(
    cpus=8,
    memory_mb=8192,
    local_gb=100,
    pm_address="10.0.0.1",
    pm_user="root",
    pm_password="calvin-s3cret",
    terminal_port=8000,
    prov_mac_address=MAC,
    facts={"service_host": "host1"},
)
WITHOUT_MAC = replace(NEW, prov_mac_address=None)


def test_create(inventory: Inventory, ironic: Ironic) -> None:
    node = inventory.create_node(CONTEXT, NEW)
    probe, create, port, patch = ironic.requests
    assert probe.call == PROBE
    assert probe.body["node_uuid"] == NO_NODE
    assert create.call == "POST /v1/nodes"
    assert create.headers["X-OpenStack-Ironic-API-Version"] == "1.10"
    assert create.body == {
        "uuid": node.uuid,
        "driver": "ipmi",
        "driver_info": {
            "ipmi_address": "10.0.0.1",
            "ipmi_username": "root",
            "ipmi_password": "calvin-s3cret",
            "ipmi_terminal_port": 8000,
        },
        "properties": {"cpu_arch": "x86_64", "cpus": 8, "memory_mb": 8192, "local_gb": 100},
        "extra": {
            "nova_baremetal": {
                "prov_mac_address": MAC,
                "request_id": CONTEXT.request_id,
                "service_host": "host1",
            }
        },
    }
    assert port.call == "POST /v1/ports"
    assert port.body["node_uuid"] == node.uuid
    assert port.body["address"] == MAC
    assert patch.call == f"PATCH /v1/nodes/{node.uuid}"
    assert patch.headers["X-OpenStack-Ironic-API-Version"] == "1.65"
    assert patch.body == [{"op": "add", "path": "/resource_class", "value": "baremetal"}]
    assert node == inventory.get_node(CONTEXT, node.uuid)
    assert (node.provision_state, node.interfaces[0].address) == ("available", MAC)


def test_create_without_an_interface(inventory: Inventory, ironic: Ironic) -> None:
    node = inventory.create_node(CONTEXT, WITHOUT_MAC)
    assert ironic.calls == [PROBE, "POST /v1/nodes", f"PATCH /v1/nodes/{node.uuid}"]
    assert node.interfaces == ()


@pytest.mark.parametrize("new", [NEW, WITHOUT_MAC])
def test_the_right_to_create_is_looked_at_first_and_believed_for_a_while(
    inventory: Inventory, ironic: Ironic, new: NewNode
) -> None:
    inventory.create_node(CONTEXT, new)
    assert ironic.requests[0].body == {"node_uuid": NO_NODE, "address": "00:00:00:00:00:00"}
    inventory.create_node(CONTEXT, replace(new, prov_mac_address=MAC_2))
    probes = [r for r in ironic.changes if r.call == PROBE and r.body["node_uuid"] == NO_NODE]
    assert len(probes) == 1


@pytest.mark.parametrize("interval", [0, 60])
def test_the_right_to_create_is_believed_as_long_as_configured(
    make_conf: MakeConf, ironic: Ironic, interval: int
) -> None:
    inventory = Inventory(make_conf({"ironic": {"rights_check_interval": interval}}))
    for _ in range(2):
        inventory.create_node(CONTEXT, WITHOUT_MAC)
    assert ironic.calls.count(PROBE) == (2 if interval == 0 else 1)


def test_create_with_nothing_given(inventory: Inventory, ironic: Ironic) -> None:
    node = inventory.create_node(CONTEXT, NewNode())
    assert list(ironic.nodes) == [node.uuid]


def test_new_nodes_have_uuids_of_their_own(inventory: Inventory, ironic: Ironic) -> None:
    assert len({inventory.create_node(CONTEXT, WITHOUT_MAC).uuid for _ in range(3)}) == 3


def test_a_uuid_and_an_id_can_be_chosen(inventory: Inventory, ironic: Ironic) -> None:
    new = replace(WITHOUT_MAC, uuid=A, id=42)
    node = inventory.create_node(CONTEXT, new)
    assert (node.uuid, node.recorded_id) == (A, 42)
    listings = ironic.calls.count("GET /v1/nodes")
    assert inventory.get_node(CONTEXT, "42") == inventory.get_node(CONTEXT, str(derived_id(A)))
    assert ironic.calls.count("GET /v1/nodes") == listings


@pytest.mark.parametrize(
    ("enroll", "version", "calls"),
    [
        ({}, "1.10", ["POST", "PATCH"]),
        ({"target_state": "enroll"}, "1.65", ["POST", "PATCH"]),
        ({"target_state": "manageable"}, "1.65", ["POST", "PATCH", "PUT"]),
        ({"target_state": "manageable", "resource_class": ""}, "1.65", ["POST", "PUT"]),
        ({"resource_class": ""}, "1.10", ["POST"]),
    ],
)
def test_new_nodes_are_brought_to_the_state_configured(
    make_conf: MakeConf,
    ironic: Ironic,
    enroll: dict[str, object],
    version: str,
    calls: list[str],
) -> None:
    inventory = Inventory(make_conf({"enroll": enroll}))
    node = inventory.create_node(CONTEXT, WITHOUT_MAC)
    probe, create, *_ = ironic.requests
    assert probe.call == PROBE
    assert [request.method for request in ironic.requests[1:]] == calls
    assert create.headers["X-OpenStack-Ironic-API-Version"] == version
    assert node.provision_state == ("available" if version == "1.10" else "enroll")
    if "PUT" in calls:
        assert ironic.requests[-1].path == f"/v1/nodes/{node.uuid}/states/provision"
        assert ironic.requests[-1].body["target"] == "manage"


def test_new_nodes_are_of_the_kind_configured(make_conf: MakeConf, ironic: Ironic) -> None:
    enroll = {"driver": "redfish", "cpu_arch": "aarch64", "resource_class": "arm"}
    node = Inventory(make_conf({"enroll": enroll})).create_node(CONTEXT, WITHOUT_MAC)
    made = ironic.nodes[node.uuid]
    assert (made["driver"], made["resource_class"]) == ("redfish", "arm")
    assert made["driver_info"]["redfish_address"] == "10.0.0.1"
    assert made["properties"]["cpu_arch"] == "aarch64"
    assert node.terminal_port == 8000


def test_an_instance_is_put_on_the_node(inventory: Inventory, ironic: Ironic) -> None:
    node = inventory.create_node(CONTEXT, replace(WITHOUT_MAC, instance_uuid=B))
    assert node.instance_uuid == B
    assert {"op": "add", "path": "/instance_uuid", "value": B} in ironic.requests[-1].body


@pytest.mark.parametrize("instance_uuid", [None, B])
def test_the_name_of_an_instance_is_kept_where_it_ends_with_the_instance(
    inventory: Inventory, ironic: Ironic, instance_uuid: str | None
) -> None:
    facts = {"instance_name": "web-1"}
    new = replace(WITHOUT_MAC, instance_uuid=instance_uuid, facts=facts)
    uuid = inventory.create_node(CONTEXT, new).uuid
    named = {"display_name": "web-1"} if instance_uuid else None
    assert ironic.nodes[uuid].get("instance_info") == named


@pytest.mark.parametrize(
    "new",
    [
        replace(NEW, uuid=A),
        replace(NEW, id=42),
        replace(NEW, prov_mac_address=MAC.upper()),
        replace(NEW, prov_mac_address=MAC_B),
        replace(NEW, instance_uuid=C),
    ],
)
def test_what_is_taken_is_a_conflict_and_changes_nothing(
    inventory: Inventory, fleet: Ironic, new: NewNode
) -> None:
    fleet.nodes[B]["instance_uuid"] = C
    new = replace(
        new, prov_mac_address=new.prov_mac_address if new.prov_mac_address != MAC else None
    )
    before = state(fleet)
    with pytest.raises(errors.Conflict) as caught:
        inventory.create_node(CONTEXT, new)
    assert caught.value.message
    assert state(fleet) == before


def test_a_taken_id_is_named(inventory: Inventory, fleet: Ironic) -> None:
    with pytest.raises(errors.Conflict, match="A node with id 42 already exists"):
        inventory.create_node(CONTEXT, replace(WITHOUT_MAC, uuid=PORT_A, id=42))
    assert [request.call for request in fleet.changes] == [
        PROBE,
        "POST /v1/nodes",
        f"DELETE /v1/nodes/{PORT_A}",
    ]
    assert inventory.get_node(CONTEXT, "42").uuid == A


def test_whether_an_id_is_taken_is_looked_at_in_the_whole_fleet_once_the_node_is_made(
    inventory: Inventory, ironic: Ironic
) -> None:
    ironic.page_size = 1
    ironic.add_node(B)
    inventory.create_node(CONTEXT, replace(NEW, uuid=A, id=42))
    probe, create, rights, listing, page, port, patch = ironic.requests
    assert [probe.call, create.call, port.call] == [PROBE, "POST /v1/nodes", "POST /v1/ports"]
    assert rights.query["project"] == "0" * 32
    assert listing.query == {"fields": "uuid,extra"}
    assert page.query["marker"] == B
    assert patch.method == "PATCH"


@pytest.mark.parametrize("first", [True, False])
def test_of_nodes_made_at_once_with_one_id_the_first_stays(
    inventory: Inventory, ironic: Ironic, first: bool
) -> None:
    """First in Ironic's order; whoever made the other comes to the same conclusion."""

    def make_the_other(request: Request) -> None:
        when = "extra" in request.query.get("fields", "") if first else request.call == PROBE
        if when and B not in ironic.nodes:
            ironic.add_node(B, extra={"nova_baremetal": {"id": 42}})

    ironic.before = make_the_other
    new = replace(WITHOUT_MAC, uuid=A, id=42)
    if first:
        assert inventory.create_node(CONTEXT, new).recorded_id == 42
        assert list(ironic.nodes) == [A, B]
    else:
        with pytest.raises(errors.Conflict, match="A node with id 42 already exists"):
            inventory.create_node(CONTEXT, new)
        assert list(ironic.nodes) == [B]


@pytest.mark.parametrize("outcome", [TIMEOUT, refusal(500, "oops"), answer(200, {"nodes": [{}]})])
def test_a_node_whose_id_could_not_be_checked_does_not_stay(
    inventory: Inventory, ironic: Ironic, outcome: Outcome
) -> None:
    inventory.check_rights()
    ironic.fail("GET /v1/nodes", outcome, ALWAYS)
    with pytest.raises(errors.ShimError):
        inventory.create_node(CONTEXT, replace(WITHOUT_MAC, id=42))
    assert ironic.nodes == {}


def test_whether_an_id_is_taken_is_not_judged_by_a_part_of_the_fleet(
    inventory: Inventory, ironic: Ironic
) -> None:
    deny_the_right_to_list(ironic)
    with pytest.raises(errors.NotSetUp):
        inventory.create_node(CONTEXT, replace(WITHOUT_MAC, id=42))
    assert ironic.nodes == {}


@pytest.mark.parametrize("new", [NEW, WITHOUT_MAC])
def test_no_node_is_made_that_could_not_get_an_interface(
    inventory: Inventory, ironic: Ironic, new: NewNode
) -> None:
    ironic.fail(PROBE, refusal(403, "baremetal:port:create"))
    with pytest.raises(errors.NotSetUp):
        inventory.create_node(CONTEXT, new)
    assert ironic.calls == [PROBE]


REFUSALS: list[Outcome] = [refusal(status, "no") for status in (400, 403, 404, 409)]
FAILURES: list[Outcome] = [
    REFUSED, RESET, BROKEN, TIMEOUT, refusal(500, "oops"), refusal(503, "no")
]  # fmt: skip
CUT_OFF = Answer(201, "{", {"Content-Type": "application/json"})

STEPS: dict[str, list[Outcome]] = {
    "POST /v1/nodes": [*FAILURES, CUT_OFF],
    "POST /v1/ports": [*FAILURES, CUT_OFF],
    "PATCH /v1/nodes/.*": [*FAILURES, CUT_OFF],
    "PUT /v1/nodes/.*": FAILURES,  # has no body that could be cut off
}


@pytest.mark.parametrize(
    ("step", "outcome", "done"),
    [
        *((step, outcome, False) for step in STEPS for outcome in [*STEPS[step], *REFUSALS]),
        *((step, outcome, True) for step in STEPS for outcome in STEPS[step]),
    ],
)
def test_a_create_that_fails_leaves_nothing_behind(
    make_conf: MakeConf, ironic: Ironic, step: str, outcome: Outcome, done: bool
) -> None:
    """Whether or not Ironic did the step whose answer got lost."""
    inventory = Inventory(make_conf({"enroll": {"target_state": "manageable"}}))
    inventory.create_node(CONTEXT, replace(NEW, prov_mac_address=MAC_2))  # looks at the rights
    before = state(ironic)
    ironic.fail(step, outcome, done=done)
    with pytest.raises(errors.ShimError):
        inventory.create_node(RequestContext(), replace(NEW, instance_uuid=B))
    assert state(ironic) == before


@pytest.mark.parametrize("extra", [{}, {"nova_baremetal": {"request_id": "req-of-another"}}])
@pytest.mark.parametrize("outcome", [TIMEOUT, refusal(500, "oops"), None])
def test_a_node_that_was_there_before_is_never_taken_away(
    inventory: Inventory, ironic: Ironic, extra: dict[str, object], outcome: Outcome | None
) -> None:
    ironic.add_node(A, extra=extra)
    if outcome is not None:
        ironic.fail("POST /v1/nodes", outcome)
    with pytest.raises(errors.ShimError):
        inventory.create_node(CONTEXT, replace(WITHOUT_MAC, uuid=A))
    assert list(ironic.nodes) == [A]
    assert [request.call for request in ironic.changes] == [PROBE, "POST /v1/nodes"]


def test_a_node_left_behind_is_told_to_the_operator(
    inventory: Inventory, ironic: Ironic, caplog: pytest.LogCaptureFixture
) -> None:
    ironic.fail("PATCH /v1/nodes/.*", refusal(409, "Because of this."))
    ironic.fail("DELETE /v1/nodes/.*", refusal(403, "baremetal:node:delete"))
    with caplog.at_level(logging.ERROR), pytest.raises(errors.Conflict, match="Because of this"):
        inventory.create_node(CONTEXT, replace(WITHOUT_MAC, uuid=A))
    assert f"may have left the node {A} behind" in caplog.text
    assert "baremetal:node:delete" in caplog.text


@pytest.mark.parametrize(("outcome", "told"), [(TIMEOUT, True), (refusal(409, "no"), False)])
def test_what_may_still_be_made_is_told_to_the_operator(
    inventory: Inventory,
    fleet: Ironic,
    caplog: pytest.LogCaptureFixture,
    outcome: Outcome,
    told: bool,
) -> None:
    inventory.create_node(CONTEXT, WITHOUT_MAC)  # looks at the right
    fleet.fail("POST /v1/(nodes|ports)", outcome, times=2)
    uuid = "dddddddd-03f2-4d2e-ae87-c02d7f33c000"
    with caplog.at_level(logging.WARNING):
        with pytest.raises(errors.ShimError):
            inventory.create_node(CONTEXT, replace(WITHOUT_MAC, uuid=uuid))
        with pytest.raises(errors.ShimError):
            inventory.add_interface(CONTEXT, A, NewInterface("52:54:00:00:00:ff"))
    assert (f"makes the node {uuid}" in caplog.text) is told
    assert ("makes the port" in caplog.text) is told


def test_a_locked_node_is_taken_away_as_soon_as_it_is_free(
    inventory: Inventory, ironic: Ironic
) -> None:
    ironic.fail("PATCH /v1/nodes/.*", refusal(500, "oops"))
    ironic.fail("DELETE /v1/nodes/.*", refusal(409, LOCKED), times=2)
    with pytest.raises(errors.BadGateway):
        inventory.create_node(CONTEXT, WITHOUT_MAC)
    assert ironic.nodes == {}


@pytest.mark.parametrize("libraries", ["as configured", "at DEBUG"])
def test_no_secret_is_logged(
    make_conf: MakeConf,
    ironic: Ironic,
    keystone: Keystone,
    caplog: pytest.LogCaptureFixture,
    libraries: str,
) -> None:
    conf = make_conf(WITH_KEYSTONE)
    log_all(caplog, conf.default_log_levels if libraries == "as configured" else ())
    inventory = Inventory(conf)
    ironic.fail("PATCH /v1/nodes/.*", refusal(500, "oops"))
    with pytest.raises(errors.BadGateway):
        inventory.create_node(CONTEXT, NEW)
    inventory.create_node(CONTEXT, NEW)
    assert len(ironic.nodes) == 1
    assert "Unexpected" not in caplog.text
    for secret in ("calvin-s3cret", SERVICE_TOKEN, SERVICE_PASSWORD):
        assert secret not in caplog.text


# Delete


def test_delete_by_uuid_is_one_request(inventory: Inventory, fleet: Ironic) -> None:
    inventory.delete_node(CONTEXT, A)
    assert fleet.calls == [f"DELETE /v1/nodes/{A}"]
    assert list(fleet.ports) == [PORT_B]


@pytest.mark.parametrize("node_id", ["42", str(derived_id(A)), "old"])
def test_delete_by_other_ids(inventory: Inventory, fleet: Ironic, node_id: str) -> None:
    inventory.delete_node(CONTEXT, node_id)
    assert list(fleet.nodes) == [B, C]


def test_what_ironic_says_to_a_delete_is_passed_on(inventory: Inventory, fleet: Ironic) -> None:
    fleet.fail("DELETE .*", refusal(409, 'Can not delete node "x" while it is active.'))
    with pytest.raises(errors.Conflict, match="while it is active"):
        inventory.delete_node(CONTEXT, A)


def test_a_locked_node_is_deleted_as_soon_as_it_is_free(
    inventory: Inventory, fleet: Ironic
) -> None:
    fleet.fail("DELETE .*", refusal(409, LOCKED), times=2)
    inventory.delete_node(CONTEXT, A)
    assert A not in fleet.nodes


# Interfaces


@pytest.mark.parametrize("node_id", [A, "42", "old"])
def test_add_interface(inventory: Inventory, fleet: Ironic, node_id: str) -> None:
    new = NewInterface("52:54:00:00:00:FF", "0", 0)
    interface = inventory.add_interface(CONTEXT, node_id, new)
    assert (interface.address, interface.datapath_id, interface.port_no) == (new.address, "0", 0)
    assert interface.id == derived_id(interface.uuid)
    assert fleet.ports[interface.uuid]["node_uuid"] == A
    assert interface in inventory.get_node(CONTEXT, A).interfaces


def test_add_interface_by_uuid_is_one_request(inventory: Inventory, fleet: Ironic) -> None:
    inventory.add_interface(CONTEXT, A, NewInterface("52:54:00:00:00:ff"))
    assert fleet.calls == ["POST /v1/ports"]


@pytest.mark.parametrize("address", [MAC, MAC.lower(), MAC_B])
def test_a_taken_address_is_a_conflict(inventory: Inventory, fleet: Ironic, address: str) -> None:
    before = state(fleet)
    with pytest.raises(errors.Conflict, match="already exists"):
        inventory.add_interface(CONTEXT, A, NewInterface(address))
    assert state(fleet) == before


@pytest.mark.parametrize(
    ("outcome", "done"),
    [
        *((outcome, False) for outcome in [*FAILURES, CUT_OFF, *REFUSALS]),
        *((outcome, True) for outcome in [*FAILURES, CUT_OFF]),
    ],
)
def test_an_interface_whose_making_failed_does_not_stay(
    inventory: Inventory, fleet: Ironic, outcome: Outcome, done: bool
) -> None:
    before = state(fleet)
    fleet.fail("POST /v1/ports", outcome, done=done)
    with pytest.raises(errors.ShimError):
        inventory.add_interface(CONTEXT, A, NewInterface("52:54:00:00:00:ff"))
    assert state(fleet) == before


@pytest.mark.parametrize(
    ("match", "removed"),
    [
        (InterfaceMatch(id=7), PORT_A),
        (InterfaceMatch(id=derived_id(PORT_A2)), PORT_A2),
        (InterfaceMatch(address=MAC), PORT_A),
        (InterfaceMatch(address=MAC.lower()), PORT_A),
        (InterfaceMatch(address=MAC.upper()), PORT_A),
        (InterfaceMatch(id=7, address=MAC), PORT_A),
        (InterfaceMatch(id=derived_id(PORT_A), address=MAC), PORT_A),
        (InterfaceMatch(id=derived_id(PORT_A)), PORT_A),
    ],
)
@pytest.mark.parametrize("node_id", [A, "42", "old"])
def test_remove_interface(
    inventory: Inventory, fleet: Ironic, node_id: str, match: InterfaceMatch, removed: str
) -> None:
    before = set(fleet.ports)
    inventory.remove_interface(CONTEXT, node_id, match)
    assert before - set(fleet.ports) == {removed}


@pytest.mark.parametrize(
    "match",
    [
        InterfaceMatch(id=8),
        InterfaceMatch(id=derived_id(PORT_B)),
        InterfaceMatch(address=MAC_B),
        InterfaceMatch(address="52:54:00:99:99:99"),
        InterfaceMatch(address="52-54-00-ab-cd-ef"),
        InterfaceMatch(address="nonsense"),
        InterfaceMatch(id=7, address=MAC_2),
        InterfaceMatch(id=8, address=MAC),
    ],
)
def test_an_interface_that_does_not_fit_stays(
    inventory: Inventory, fleet: Ironic, match: InterfaceMatch
) -> None:
    with pytest.raises(errors.NotFound) as caught:
        inventory.remove_interface(CONTEXT, A, match)
    assert not isinstance(caught.value, errors.NodeNotFound)
    assert len(fleet.ports) == 3
    assert fleet.changes == []


@pytest.mark.parametrize(
    ("uuid", "recorded", "number"),
    [
        (PORT_B, 7, 7),
        # Of one machine's clock, as PORT_A.
        (f"00000000{PORT_A[8:]}", None, derived_id(PORT_A)),
    ],
)
def test_which_of_several_interfaces_is_meant_is_not_guessed(
    inventory: Inventory, ironic: Ironic, uuid: str, recorded: int | None, number: int
) -> None:
    ironic.add_node(A)
    ironic.add_port(PORT_A, A, MAC, extra={"nova_baremetal": {"id": 7}})
    ironic.add_port(uuid, A, MAC_2, extra={"nova_baremetal": {"id": recorded}})
    with pytest.raises(errors.Conflict, match="address"):
        inventory.remove_interface(CONTEXT, A, InterfaceMatch(id=number))
    assert set(ironic.ports) == {PORT_A, uuid}
    inventory.remove_interface(CONTEXT, A, InterfaceMatch(id=number, address=MAC_2))
    assert set(ironic.ports) == {PORT_A}


def test_an_interface_that_vanished_meanwhile(inventory: Inventory, fleet: Ironic) -> None:
    fleet.fail("DELETE /v1/ports/.*", refusal(404, "Port could not be found."))
    with pytest.raises(errors.NotFound) as caught:
        inventory.remove_interface(CONTEXT, A, InterfaceMatch(id=7))
    assert not isinstance(caught.value, errors.NodeNotFound)


# Rights


def test_check_rights(inventory: Inventory, ironic: Ironic) -> None:
    inventory.check_rights()
    deny_the_right_to_list(ironic)
    inventory.check_rights()  # believed for a while
    assert len(ironic.requests) == 1


def test_check_rights_of_an_account_without(inventory: Inventory, ironic: Ironic) -> None:
    deny_the_right_to_list(ironic)
    with pytest.raises(errors.NotSetUp):
        inventory.check_rights()


def test_there_is_nothing_to_check_where_tokens_are_forwarded(
    make_conf: MakeConf, ironic: Ironic
) -> None:
    Inventory(make_conf({"ironic": {"forward_user_token": True}})).check_rights()
    assert ironic.requests == []


def test_callers_who_see_a_part_of_the_fleet_are_told_so(
    make_conf: MakeConf, fleet: Ironic
) -> None:
    inventory = Inventory(make_conf({"ironic": {"forward_user_token": True}}))
    context = RequestContext(auth_token="caller")
    assert len(inventory.list_nodes(context).nodes) == 3
    deny_the_right_to_list(fleet)
    with pytest.raises(errors.Forbidden):
        inventory.list_nodes(context)
