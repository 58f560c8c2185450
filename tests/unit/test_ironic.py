# SPDX-License-Identifier: Apache-2.0
"""The client of Ironic, at the wire."""

import contextlib
import copy
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import responses

from bm_shim import errors
from bm_shim.context import RequestContext
from bm_shim.ironic import Connection
from bm_shim.ironic import Ironic as Client

from .conftest import WITH_KEYSTONE, MakeConf
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
PORT = "cccccccc-03f2-4d2e-ae87-c02d7f33c789"
MAC = "52:54:00:ab:cd:ef"
NEW_NODE = {"uuid": B, "driver": "ipmi", "driver_info": {}, "properties": {}, "extra": {}}
NEW_PORT = {"uuid": B, "node_uuid": A, "address": "52:54:00:00:00:01", "extra": {}}

JSON = {"Content-Type": "application/json"}
HTML = Answer(200, "<html>It works!</html>", {"Content-Type": "text/html"})
TRUNCATED = Answer(200, '{"nodes": [{"uu', JSON)
ANYTHING = ".*"

Call = Callable[[Connection], Any]

READS: dict[str, Call] = {
    "list_nodes": lambda ironic: ironic.list_nodes(["uuid"]),
    "list_ports": lambda ironic: ironic.list_ports(["uuid"]),
    "list_node_ports": lambda ironic: ironic.list_node_ports(A, ["uuid"]),
    "get_node": lambda ironic: ironic.get_node(A),
}
POSTS: dict[str, Call] = {
    "create_node": lambda ironic: ironic.create_node(NEW_NODE, available=True),
    "create_port": lambda ironic: ironic.create_port(NEW_PORT),
}
WRITES: dict[str, Call] = POSTS | {
    "update_node": lambda ironic: ironic.update_node(A, {"resource_class": "baremetal"}),
    "manage_node": lambda ironic: ironic.manage_node(A),
    "delete_node": lambda ironic: ironic.delete_node(A),
    "delete_port": lambda ironic: ironic.delete_port(PORT),
}
QUESTIONS: dict[str, Call] = {
    "may_list_all_nodes": lambda ironic: ironic.may_list_all_nodes(),
    "may_create_ports": lambda ironic: ironic.may_create_ports(),
}
CALLS = READS | WRITES | QUESTIONS


def each(calls: dict[str, Call]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("call", calls.values(), ids=calls)


@pytest.fixture
def context() -> RequestContext:
    return RequestContext(
        auth_token="caller", global_request_id="req-11111111-1111-1111-1111-111111111111"
    )


@pytest.fixture
def fleet(ironic: Ironic) -> Ironic:
    """An Ironic with a node and its port."""
    ironic.add_node(A)
    ironic.add_port(PORT, A, MAC)
    return ironic


@pytest.fixture
def connection(make_conf: MakeConf, fleet: Ironic, context: RequestContext) -> Connection:
    return Client(make_conf()).on_behalf(context)


@pytest.fixture
def account(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone, context: RequestContext
) -> Connection:
    return Client(make_conf(WITH_KEYSTONE)).on_behalf(context)


@pytest.fixture
def callers_connection(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone, context: RequestContext
) -> Connection:
    conf = make_conf(WITH_KEYSTONE, {"ironic": {"forward_user_token": True}})
    return Client(conf).on_behalf(context)


# What is sent


def test_whole_nodes_are_shown(connection: Connection, fleet: Ironic) -> None:
    assert connection.get_node(A) == fleet.nodes[A]
    assert fleet.requests[0].query == {}


def test_lists_ask_for_the_fields_only(connection: Connection, fleet: Ironic) -> None:
    assert connection.list_nodes(["uuid", "extra"]) == [{"uuid": A, "extra": {}}]
    assert connection.list_ports(["uuid"]) == [{"uuid": PORT}]
    assert [r.query for r in fleet.requests] == [{"fields": "uuid,extra"}, {"fields": "uuid"}]


def test_the_ports_of_a_node(connection: Connection, fleet: Ironic) -> None:
    fleet.add_node(B)
    fleet.add_port(B, B, "52:54:00:00:00:01")
    assert connection.list_node_ports(A, ["uuid"]) == [{"uuid": PORT}]
    assert fleet.requests[0].query == {"node": A, "fields": "uuid"}


@pytest.mark.parametrize(("available", "version"), [(True, "1.10"), (False, "1.65")])
def test_only_create_speaks_the_version_that_makes_available_nodes(
    connection: Connection, fleet: Ironic, available: bool, version: str
) -> None:
    created = connection.create_node(NEW_NODE, available=available)
    connection.get_node(B)
    sent = [r.headers["X-OpenStack-Ironic-API-Version"] for r in fleet.requests]
    assert sent == [version, "1.65"]
    assert fleet.requests[0].body == NEW_NODE
    assert created["provision_state"] == ("available" if available else "enroll")


@each(READS | QUESTIONS | {k: v for k, v in WRITES.items() if k != "create_node"})
def test_the_version_is_pinned(connection: Connection, fleet: Ironic, call: Call) -> None:
    call(connection)
    (request,) = fleet.requests
    assert request.headers["X-OpenStack-Ironic-API-Version"] == "1.65"


@each(CALLS)
def test_ironic_is_told_the_id_of_the_request(
    connection: Connection, fleet: Ironic, context: RequestContext, call: Call
) -> None:
    call(connection)
    sent = [request.headers["X-OpenStack-Request-ID"] for request in fleet.requests]
    assert sent == [context.global_request_id]


def test_a_request_without_an_id_of_its_callers_passes_its_own_on(
    make_conf: MakeConf, fleet: Ironic
) -> None:
    context = RequestContext()
    Client(make_conf()).on_behalf(context).get_node(A)
    assert fleet.requests[0].headers["X-OpenStack-Request-ID"] == context.request_id


def test_fields_are_set_by_patch(connection: Connection, fleet: Ironic) -> None:
    assert connection.update_node(A, {"resource_class": "x", "instance_uuid": B}) == fleet.nodes[A]
    (request,) = fleet.requests
    assert request.call == f"PATCH /v1/nodes/{A}"
    assert request.body == [
        {"op": "add", "path": "/resource_class", "value": "x"},
        {"op": "add", "path": "/instance_uuid", "value": B},
    ]


def test_manage(connection: Connection, fleet: Ironic) -> None:
    connection.manage_node(A)
    (request,) = fleet.requests
    assert request.call == f"PUT /v1/nodes/{A}/states/provision"
    assert request.body["target"] == "manage"


def test_deletes(connection: Connection, fleet: Ironic) -> None:
    connection.delete_port(PORT)
    connection.delete_node(A)
    assert fleet.calls == [f"DELETE /v1/ports/{PORT}", f"DELETE /v1/nodes/{A}"]


@pytest.mark.parametrize(("option", "timeout"), [({}, 20), ({"timeout": 5}, 5)])
@each(CALLS)
def test_each_request_has_a_timeout(
    make_conf: MakeConf,
    fleet: Ironic,
    wire: responses.RequestsMock,
    option: dict[str, object],
    timeout: int,
    call: Call,
) -> None:
    call(Client(make_conf({"ironic": option})).on_behalf(RequestContext()))
    sent = [made.request for made in wire.calls]
    assert [request.req_kwargs["timeout"] for request in sent] == [timeout]  # type: ignore[attr-defined]


# Lists


def test_all_pages_are_read(
    connection: Connection, fleet: Ironic, context: RequestContext
) -> None:
    uuids = [A, *(f"{n:08x}-03f2-4d2e-ae87-c02d7f33c123" for n in range(4))]
    for uuid in uuids[1:]:
        fleet.add_node(uuid)
    fleet.page_size = 2
    assert connection.list_nodes(["uuid"]) == [{"uuid": uuid} for uuid in uuids]
    assert fleet.calls == ["GET /v1/nodes"] * 3
    assert fleet.requests[2].query == {"fields": "uuid", "marker": uuids[3], "limit": "2"}
    assert {r.headers["X-OpenStack-Request-ID"] for r in fleet.requests} == {
        context.global_request_id
    }


def test_an_empty_last_page(connection: Connection, fleet: Ironic) -> None:
    following = f"{Ironic.url}/v1/nodes?marker={A}&fields=uuid"
    fleet.fail("GET /v1/nodes", answer(200, {"nodes": [{"uuid": A}], "next": following}))
    assert connection.list_nodes(["uuid"]) == [{"uuid": A}]
    assert len(fleet.requests) == 2


def test_links_to_the_next_page_lead_to_our_endpoint(
    connection: Connection, fleet: Ironic
) -> None:
    """Ironic may call itself by a name that only others can reach."""
    following = f"https://public.example/baremetal/v1/nodes?marker={A}&fields=uuid"
    fleet.add_node(B)
    fleet.fail("GET /v1/nodes", answer(200, {"nodes": [{"uuid": A}], "next": following}))
    assert connection.list_nodes(["uuid"]) == [{"uuid": A}, {"uuid": B}]


@pytest.mark.parametrize("link", ["", "?", "/", "/v1/ports", "//x", "/v1/nodes/..", "http://["])
def test_links_to_something_else_are_not_followed(
    connection: Connection, fleet: Ironic, link: str
) -> None:
    fleet.fail("GET /v1/nodes", answer(200, {"nodes": [], "next": link}))
    with pytest.raises(errors.BadGateway):
        connection.list_nodes(["uuid"])
    assert len(fleet.requests) == 1


def vanish(fleet: Ironic, times: int) -> None:
    """Take away the row where the next page begins, ``times`` times."""
    spare = [f"{n:08x}-03f2-4d2e-ae87-c02d7f33c123" for n in range(10)]
    for uuid in spare:
        fleet.add_node(uuid)
    left = [times]

    def delete_marker(request: Request) -> None:
        if "marker" in request.query and left[0] > 0:
            left[0] -= 1
            del fleet.nodes[request.query["marker"]]

    fleet.before = delete_marker
    fleet.page_size = 6


def test_a_list_whose_next_page_vanished_starts_again(
    connection: Connection, fleet: Ironic
) -> None:
    vanish(fleet, times=1)
    found = connection.list_nodes(["uuid"])
    assert found == [{"uuid": uuid} for uuid in fleet.nodes]
    assert len(found) == 10
    assert len(fleet.requests) == 4


def test_a_list_that_keeps_vanishing_is_given_up(connection: Connection, fleet: Ironic) -> None:
    vanish(fleet, times=ALWAYS)
    with pytest.raises(errors.ServiceUnavailable) as caught:
        connection.list_nodes(["uuid"])
    assert "could not be read to its end" in str(caught.value.detail)
    assert len(fleet.requests) == 6  # api_max_retries is 2


# What Ironic says, and what we make of it


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (REFUSED, errors.ServiceUnavailable),
        (RESET, errors.ServiceUnavailable),
        (BROKEN, errors.ServiceUnavailable),
        (TIMEOUT, errors.ServiceUnavailable),
        (refusal(401, "no"), errors.NotSetUp),
        (refusal(403, "no"), errors.NotSetUp),
        (refusal(500, "oops"), errors.BadGateway),
        (Answer(500), errors.BadGateway),
        (refusal(501, "no"), errors.NotImplementedByIronic),
        (refusal(502, "no"), errors.ServiceUnavailable),
        (refusal(503, "no"), errors.ServiceUnavailable),
        (Answer(503, "<html>", {"Content-Type": "text/html"}), errors.ServiceUnavailable),
        (refusal(504, "no"), errors.ServiceUnavailable),
        (refusal(505, "no"), errors.BadGateway),
    ],
)
@each(READS | WRITES)
def test_failures_of_ironic(
    connection: Connection,
    fleet: Ironic,
    outcome: Outcome,
    error: type[errors.ShimError],
    call: Call,
) -> None:
    fleet.fail(ANYTHING, outcome, ALWAYS)
    with pytest.raises(errors.ShimError) as caught:
        call(connection)
    assert isinstance(caught.value, error)
    assert caught.value.message == error.default_message
    assert caught.value.detail


@pytest.mark.parametrize("status", [408, 429])
def test_an_overloaded_ironic_is_temporary(
    connection: Connection, fleet: Ironic, status: int
) -> None:
    fleet.fail(ANYTHING, Answer(status), ALWAYS)
    with pytest.raises(errors.ServiceUnavailable):
        connection.get_node(A)


@pytest.mark.parametrize("outcome", [HTML, TRUNCATED, Answer(200, "[]", JSON), Answer(200)])
@each(READS | {"create_node": POSTS["create_node"], "update_node": WRITES["update_node"]})
def test_nonsense_is_no_answer(
    connection: Connection, fleet: Ironic, outcome: Answer, call: Call
) -> None:
    fleet.fail(ANYTHING, outcome, ALWAYS)
    with pytest.raises(errors.BadGateway) as caught:
        call(connection)
    assert caught.value.detail


@pytest.mark.parametrize("outcome", [HTML, TRUNCATED])
@each(QUESTIONS | {name: WRITES[name] for name in ("delete_node", "delete_port")})
def test_nonsense_is_no_right_and_no_success(
    connection: Connection, fleet: Ironic, outcome: Answer, call: Call
) -> None:
    fleet.fail(ANYTHING, outcome, ALWAYS)
    with pytest.raises(errors.BadGateway):
        call(connection)


@pytest.mark.parametrize("status", [400, 404, 409])
@each(CALLS)
def test_what_a_proxy_says_is_not_ironics_word(
    connection: Connection, fleet: Ironic, status: int, call: Call
) -> None:
    page = Answer(status, "<html>no</html>", {"Content-Type": "text/html"})
    fleet.fail(ANYTHING, page, ALWAYS)
    with pytest.raises(errors.BadGateway):
        call(connection)


@each({name: READS[name] for name in ("list_nodes", "list_ports", "list_node_ports")})
def test_an_object_without_a_list_is_no_empty_list(
    connection: Connection, fleet: Ironic, call: Call
) -> None:
    """Whatever answers there, it is not Ironic, and its answer must not pass for "no nodes"."""
    fleet.fail(ANYTHING, answer(200, {"versions": []}), ALWAYS)
    with pytest.raises(errors.BadGateway):
        call(connection)


@pytest.mark.parametrize(
    ("status", "error"), [(400, errors.BadRequest), (404, errors.NotFound), (409, errors.Conflict)]
)
@each({name: CALLS[name] for name in ("get_node", "create_node", "delete_node", "delete_port")})
def test_what_ironic_says_of_the_request_is_passed_on(
    connection: Connection,
    fleet: Ironic,
    status: int,
    error: type[errors.ShimError],
    call: Call,
) -> None:
    fleet.fail(ANYTHING, refusal(status, "Because of this."))
    with pytest.raises(errors.ShimError) as caught:
        call(connection)
    assert type(caught.value) is error
    assert caught.value.message == "Because of this."
    assert len(fleet.requests) == 1


def test_the_other_shape_of_errors_is_understood(connection: Connection, fleet: Ironic) -> None:
    inner = '{"code": 400, "title": "Bad", "description": "Expected a logical name or uuid."}'
    fleet.fail(ANYTHING, answer(400, {"error_message": inner}))
    with pytest.raises(errors.BadRequest, match="Expected a logical name or uuid"):
        connection.get_node(A)


def test_no_conductor_for_the_driver_is_the_operators_affair(
    connection: Connection, fleet: Ironic
) -> None:
    text = "No valid host was found. Reason: No conductor service registered which supports x."
    fleet.fail("POST /v1/nodes", refusal(400, text))
    with pytest.raises(errors.NotSetUp) as caught:
        connection.create_node(NEW_NODE, available=True)
    assert "[enroll]" in str(caught.value.detail)
    assert "conductor" not in caught.value.message


def test_a_port_for_an_unknown_node_is_not_found(connection: Connection, fleet: Ironic) -> None:
    with pytest.raises(errors.NotFound):
        connection.create_port(NEW_PORT | {"node_uuid": B})


def test_other_malformed_ports_stay_bad_requests(connection: Connection, fleet: Ironic) -> None:
    fleet.fail("POST /v1/ports", refusal(400, "Expected valid MAC address."))
    with pytest.raises(errors.BadRequest, match="Expected valid MAC address"):
        connection.create_port(NEW_PORT)


def test_an_ironic_too_old_is_told_to_the_operator(connection: Connection, fleet: Ironic) -> None:
    versions = {
        "X-OpenStack-Ironic-API-Minimum-Version": "1.1",
        "X-OpenStack-Ironic-API-Maximum-Version": "1.50",
    }
    fleet.fail("GET /v1/nodes/.*", refusal(406, "Request not acceptable."))
    fleet.fail("GET /v1", Answer(200, "{}", JSON | versions))
    with pytest.raises(errors.NotSetUp) as caught:
        connection.get_node(A)
    assert "1.65" in str(caught.value.detail)


# Retries


@each(
    {name: WRITES[name] for name in ("update_node", "manage_node", "delete_node", "delete_port")}
)
def test_a_locked_node_is_tried_again(connection: Connection, fleet: Ironic, call: Call) -> None:
    fleet.fail(ANYTHING, refusal(409, LOCKED), times=2)
    call(connection)
    assert len(fleet.requests) == 3


@each(WRITES)
def test_a_node_that_stays_locked_is_given_up(
    connection: Connection, fleet: Ironic, call: Call
) -> None:
    fleet.fail(ANYTHING, refusal(409, LOCKED), ALWAYS)
    with pytest.raises(errors.NodeLocked) as caught:
        call(connection)
    assert caught.value.message == LOCKED
    assert len(fleet.requests) == 3  # api_max_retries is 2


@each(READS)
@pytest.mark.parametrize("outcome", [REFUSED, RESET, BROKEN])
def test_reads_are_tried_again_when_the_connection_fails(
    connection: Connection, fleet: Ironic, outcome: Exception, call: Call
) -> None:
    fleet.fail(ANYTHING, outcome, times=2)
    assert call(connection)
    assert len(fleet.requests) == 3


@each(READS)
@pytest.mark.parametrize("outcome", [TIMEOUT, refusal(503, "no"), refusal(500, "no"), TRUNCATED])
def test_other_failures_of_reads_are_final(
    connection: Connection, fleet: Ironic, outcome: Outcome, call: Call
) -> None:
    fleet.fail(ANYTHING, outcome)
    with pytest.raises(errors.ShimError):
        call(connection)
    assert len(fleet.requests) == 1


@each(WRITES)
@pytest.mark.parametrize(
    "outcome",
    [REFUSED, RESET, BROKEN, TIMEOUT, TRUNCATED, refusal(409, "exists"), refusal(503, "no")],
)
def test_writes_are_never_sent_twice(
    connection: Connection, fleet: Ironic, outcome: Outcome, call: Call
) -> None:
    fleet.fail(ANYTHING, outcome, ALWAYS)
    with contextlib.suppress(errors.ShimError):
        call(connection)
    assert len(fleet.requests) == 1


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_api_max_retries_bounds_the_attempts(
    make_conf: MakeConf, fleet: Ironic, retries: int
) -> None:
    conf = make_conf({"ironic": {"api_max_retries": retries}})
    fleet.fail(ANYTHING, REFUSED, ALWAYS)
    with pytest.raises(errors.ServiceUnavailable):
        Client(conf).on_behalf(RequestContext()).get_node(A)
    assert len(fleet.requests) == 1 + retries


def test_retry_timeout_bounds_the_time(make_conf: MakeConf, fleet: Ironic) -> None:
    options = {"api_max_retries": 10**6, "api_retry_interval": 0.01, "retry_timeout": 0.1}
    fleet.fail(ANYTHING, REFUSED, ALWAYS)
    began = time.monotonic()
    with pytest.raises(errors.ServiceUnavailable):
        Client(make_conf({"ironic": options})).on_behalf(RequestContext()).get_node(A)
    assert time.monotonic() - began < 1
    assert 2 <= len(fleet.requests) <= 11


def test_no_attempt_begins_after_retry_timeout(make_conf: MakeConf, fleet: Ironic) -> None:
    options = {"api_max_retries": 5, "api_retry_interval": 0.1, "retry_timeout": 0.05}
    fleet.fail(ANYTHING, REFUSED, ALWAYS)
    with pytest.raises(errors.ServiceUnavailable):
        Client(make_conf({"ironic": options})).on_behalf(RequestContext()).get_node(A)
    assert len(fleet.requests) == 1


# The account


@each(READS | WRITES | QUESTIONS)
def test_calls_are_made_with_the_account_of_the_configuration(
    account: Connection, fleet: Ironic, call: Call
) -> None:
    call(account)
    assert [r.headers["X-Auth-Token"] for r in fleet.requests] == [SERVICE_TOKEN]
    assert not account.forwards_token


def test_nobody_is_asked_before_the_first_use(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone, context: RequestContext
) -> None:
    connection = Client(make_conf(WITH_KEYSTONE)).on_behalf(context)
    assert keystone.requests == []
    connection.get_node(A)
    assert keystone.calls.count("POST /v3/auth/tokens") == 1


def test_the_token_is_kept(account: Connection, keystone: Keystone) -> None:
    for _ in range(3):
        account.get_node(A)
    assert keystone.calls.count("POST /v3/auth/tokens") == 1


def test_many_threads_sign_in_once_each_at_most(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone, context: RequestContext
) -> None:
    """They do not wait for each other, where Keystone hangs; one client stays."""
    client = Client(make_conf(WITH_KEYSTONE))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.on_behalf(context).get_node(A), range(32)))
        assert len(found) == 32
        signed_in = keystone.calls.count("POST /v3/auth/tokens")
        assert 1 <= signed_in <= 8
        list(pool.map(lambda _: client.on_behalf(context).get_node(A), range(32)))
    assert keystone.calls.count("POST /v3/auth/tokens") == signed_in


def test_an_expired_token_is_renewed(
    account: Connection, fleet: Ironic, keystone: Keystone
) -> None:
    account.get_node(A)
    fleet.fail(ANYTHING, refusal(401, "expired"))
    account.get_node(A)
    assert keystone.calls.count("POST /v3/auth/tokens") == 2


KEYSTONE_SAYS_NO = answer(401, {"error": {"code": 401, "message": "no"}})
KEYSTONE_FAILS = answer(500, {"error": {"code": 500, "message": "no"}})


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (KEYSTONE_SAYS_NO, errors.NotSetUp),
        (KEYSTONE_FAILS, errors.ServiceUnavailable),
        (answer(503, {}), errors.ServiceUnavailable),
        (REFUSED, errors.ServiceUnavailable),
        (TIMEOUT, errors.ServiceUnavailable),
    ],
)
@each({name: CALLS[name] for name in ("get_node", "create_node")})
def test_failures_to_sign_in(
    account: Connection,
    fleet: Ironic,
    keystone: Keystone,
    outcome: Outcome,
    error: type[errors.ShimError],
    call: Call,
) -> None:
    keystone.fail("POST /v3/auth/tokens", outcome, ALWAYS)
    with pytest.raises(error) as caught:
        call(account)
    assert caught.value.detail
    assert SERVICE_PASSWORD not in caught.value.detail
    assert fleet.requests == []
    keystone.rules.clear()
    assert call(account)


@pytest.mark.parametrize("outcome", [KEYSTONE_FAILS, REFUSED, TIMEOUT])
def test_a_keystone_that_is_away_altogether(
    account: Connection, keystone: Keystone, outcome: Outcome
) -> None:
    keystone.fail(ANYTHING, outcome, ALWAYS)
    with pytest.raises(errors.ServiceUnavailable):
        account.get_node(A)
    keystone.rules.clear()
    assert account.get_node(A)


@pytest.mark.parametrize(
    ("catalog", "option"),
    [([], {}), (None, {"region_name": "elsewhere"})],
    ids=["empty", "region"],
)
def test_a_catalogue_without_ironic_is_the_operators_affair(
    make_conf: MakeConf,
    fleet: Ironic,
    keystone: Keystone,
    catalog: list[Any] | None,
    option: dict[str, object],
) -> None:
    if catalog is not None:
        keystone.tokens[SERVICE_TOKEN]["catalog"] = catalog
    client = Client(make_conf(WITH_KEYSTONE, {"ironic": option}))
    with pytest.raises(errors.NotSetUp) as caught:
        client.on_behalf(RequestContext()).get_node(A)
    assert "[ironic]" in str(caught.value.detail)


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("forward", [False, True])
def test_the_endpoint_in_the_catalogue_may_end_in_the_version(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone, end: str, forward: bool
) -> None:
    for endpoint in ironic_in_the_catalogue(keystone)["endpoints"]:
        endpoint["url"] += end
    client = Client(make_conf(WITH_KEYSTONE, {"ironic": {"forward_user_token": forward}}))
    assert client.on_behalf(RequestContext(auth_token="caller")).get_node(A)
    assert client.public_url() == Ironic.url


def test_of_several_services_of_the_type_the_named_one_is_asked(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone
) -> None:
    other = copy.deepcopy(ironic_in_the_catalogue(keystone))
    other["name"] = "other"
    for endpoint in other["endpoints"]:
        endpoint["url"] = f"{Ironic.url}/other"
    keystone.tokens[SERVICE_TOKEN]["catalog"].insert(0, other)
    client = Client(make_conf(WITH_KEYSTONE, {"ironic": {"service_name": "baremetal"}}))
    assert client.on_behalf(RequestContext()).get_node(A)


def ironic_in_the_catalogue(keystone: Keystone) -> dict[str, Any]:
    catalog = keystone.tokens[SERVICE_TOKEN]["catalog"]
    service: dict[str, Any] = next(each for each in catalog if each["type"] == "baremetal")
    return service


@pytest.mark.parametrize(
    "option",
    [
        {"auth_type": None},
        {"auth_type": "no-such-plugin"},
        {"auth_section": "no-such-section"},
        {"endpoint_override": None},
    ],
)
def test_an_incomplete_section_is_the_operators_affair(
    make_conf: MakeConf, fleet: Ironic, option: dict[str, object]
) -> None:
    options = {"auth_type": None, "endpoint_override": None} | option
    client = Client(make_conf({"ironic": options}))
    with pytest.raises(errors.NotSetUp) as caught:
        client.on_behalf(RequestContext()).get_node(A)
    assert "[ironic]" in str(caught.value.detail)


@pytest.mark.parametrize("option", ["cafile", "certfile"])
def test_a_certificate_that_is_not_there_is_the_operators_affair(
    make_conf: MakeConf, option: str
) -> None:
    options = {"endpoint_override": "https://127.0.0.1:9", option: "/nowhere/file.pem"}
    client = Client(make_conf({"ironic": options}))
    with pytest.raises(errors.NotSetUp, match="not set up") as caught:
        client.on_behalf(RequestContext()).get_node(A)
    assert "/nowhere/file.pem" in str(caught.value.detail)


def test_the_roles_of_the_account(account: Connection, keystone: Keystone) -> None:
    keystone.tokens[SERVICE_TOKEN]["roles"] = [{"id": "1", "name": "admin"}]
    assert account.own_roles() == {"admin"}


def test_without_keystone_there_are_no_roles(connection: Connection) -> None:
    assert connection.own_roles() == frozenset()


@each(QUESTIONS)
def test_rights_are_what_ironic_does_not_refuse(
    connection: Connection, fleet: Ironic, call: Call
) -> None:
    assert call(connection) is True
    fleet.fail(ANYTHING, refusal(403, "no"))
    assert call(connection) is False


# The caller's token


@each(READS | WRITES | QUESTIONS)
def test_calls_are_made_with_the_callers_token_where_it_is_forwarded(
    callers_connection: Connection, fleet: Ironic, call: Call
) -> None:
    call(callers_connection)
    assert [r.headers["X-Auth-Token"] for r in fleet.requests] == ["caller"]
    assert callers_connection.forwards_token


def test_tokens_of_callers_are_not_mixed_up(
    make_conf: MakeConf, fleet: Ironic, keystone: Keystone
) -> None:
    client = Client(make_conf(WITH_KEYSTONE, {"ironic": {"forward_user_token": True}}))
    sent: dict[str, str] = {}

    def note(request: Request) -> None:
        sent[request.headers["X-OpenStack-Request-ID"]] = request.headers["X-Auth-Token"]

    fleet.before = note
    contexts = [RequestContext(auth_token=f"token-{n}", overwrite=False) for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda context: client.on_behalf(context).get_node(A), contexts))
    assert sent == {context.request_id: context.auth_token for context in contexts}


@pytest.mark.parametrize(
    ("status", "error"), [(401, errors.Unauthorized), (403, errors.Forbidden)]
)
def test_refusals_are_the_callers_where_the_token_is_forwarded(
    callers_connection: Connection, fleet: Ironic, status: int, error: type[errors.ShimError]
) -> None:
    fleet.fail(ANYTHING, refusal(status, "Access was denied."), ALWAYS)
    with pytest.raises(error):
        callers_connection.get_node(A)


# Processes


class _TellsConnections(BaseHTTPRequestHandler):
    """A node that tells by which port of the client it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"uuid": A, "name": str(self.client_address[1])}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def real_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _TellsConnections) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_speaks_on_connections_of_its_own(
    make_conf: MakeConf, real_server: str
) -> None:
    """Servers may load the application first and fork then: gunicorn --preload."""
    conf = make_conf({"ironic": {"endpoint_override": real_server}})
    connection = Client(conf).on_behalf(RequestContext())
    ours = connection.get_node(A)["name"]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.write(writing, connection.get_node(A)["name"].encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        theirs = told.read()
    assert theirs
    assert theirs != ours
    assert connection.get_node(A)["name"] == ours
