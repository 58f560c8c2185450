# SPDX-License-Identifier: Apache-2.0
"""What our account may do in Ironic, and how long we believe it."""

import pytest

from bm_shim.context import RequestContext
from bm_shim.errors import Forbidden, NotSetUp, ServiceUnavailable
from bm_shim.ironic import Connection
from bm_shim.ironic import Ironic as Client
from bm_shim.rights import Rights

from .conftest import WITH_KEYSTONE, MakeConf
from .wire import ALWAYS, REFUSED, Ironic, Keystone, Request, answer, refusal

PROBE_LIST = "GET /v1/nodes"
PROBE_CREATE = "POST /v1/ports"
DENIED = refusal(403, "Access was denied to the following resource: baremetal:node:list_all")
NO_NODE = refusal(400, "Node 00000000-0000-0000-0000-000000000000 could not be found.")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rights(clock: Clock) -> Rights:
    return Rights(60, clock)


@pytest.fixture
def connection(make_conf: MakeConf, ironic: Ironic) -> Connection:
    return Client(make_conf()).on_behalf(RequestContext())


@pytest.fixture
def callers_connection(make_conf: MakeConf, ironic: Ironic) -> Connection:
    conf = make_conf({"ironic": {"forward_user_token": True}})
    return Client(conf).on_behalf(RequestContext(auth_token="caller"))


@pytest.fixture
def account(make_conf: MakeConf, ironic: Ironic, keystone: Keystone) -> Connection:
    return Client(make_conf(WITH_KEYSTONE)).on_behalf(RequestContext())


def test_the_question_lists_nodes_of_a_project_that_nobody_is_in(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    rights.ensure_can_list(connection)
    (asked,) = ironic.requests
    assert asked.call == PROBE_LIST
    assert asked.query == {"project": "0" * 32, "fields": "uuid", "limit": "1"}


def test_a_favourable_answer_holds_for_the_interval(
    rights: Rights, connection: Connection, ironic: Ironic, clock: Clock
) -> None:
    for seconds, asked in [(0, 1), (59, 1), (2, 2), (59, 2)]:
        clock.now += seconds
        rights.ensure_can_list(connection)
        assert len(ironic.requests) == asked


def test_an_account_that_sees_a_part_of_the_fleet_is_not_set_up(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    ironic.fail(PROBE_LIST, DENIED)
    with pytest.raises(NotSetUp) as caught:
        rights.ensure_can_list(connection)
    assert "system_scope = all" in str(caught.value.detail)
    assert "baremetal:node:list_all" in str(caught.value.detail)
    assert "system_scope" not in caught.value.message
    assert caught.value.retry_after is None


def test_a_refusal_is_not_remembered(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    ironic.fail(PROBE_LIST, DENIED, times=2)
    for _ in range(2):
        with pytest.raises(NotSetUp):
            rights.ensure_can_list(connection)
    rights.ensure_can_list(connection)
    assert len(ironic.requests) == 3


def test_a_right_that_was_taken_away_is_noticed(
    rights: Rights, connection: Connection, ironic: Ironic, clock: Clock
) -> None:
    rights.ensure_can_list(connection)
    ironic.fail(PROBE_LIST, DENIED)
    clock.now += 60
    with pytest.raises(NotSetUp):
        rights.ensure_can_list(connection)


def test_an_ironic_that_is_away_is_no_answer(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    ironic.fail(PROBE_LIST, REFUSED, times=3)
    with pytest.raises(ServiceUnavailable):
        rights.ensure_can_list(connection)
    rights.ensure_can_list(connection)


def test_interval_zero_asks_each_time(connection: Connection, ironic: Ironic) -> None:
    rights = Rights(0)
    rights.ensure_can_list(connection)
    rights.ensure_can_list(connection)
    assert len(ironic.requests) == 2


def test_callers_are_asked_for_each_time(
    rights: Rights, callers_connection: Connection, ironic: Ironic
) -> None:
    rights.ensure_can_list(callers_connection)
    ironic.fail(PROBE_LIST, DENIED)
    with pytest.raises(Forbidden):
        rights.ensure_can_list(callers_connection)
    assert [request.headers["X-Auth-Token"] for request in ironic.requests] == ["caller"] * 2


@pytest.mark.parametrize("status", [400, 404])
def test_who_hears_that_the_node_is_missing_may_create_ports(
    rights: Rights, connection: Connection, ironic: Ironic, status: int
) -> None:
    ironic.fail(PROBE_CREATE, refusal(status, "Node 0 could not be found."))
    rights.ensure_can_create(connection)
    rights.ensure_can_create(connection)
    (asked,) = ironic.requests
    assert asked.call == PROBE_CREATE
    assert asked.body == {
        "node_uuid": "00000000-0000-0000-0000-000000000000",
        "address": "00:00:00:00:00:00",
    }
    assert ironic.ports == {}


def test_an_account_that_may_not_create_ports_is_not_set_up(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    ironic.fail(PROBE_CREATE, DENIED)
    with pytest.raises(NotSetUp, match="not set up") as caught:
        rights.ensure_can_create(connection)
    assert "baremetal:port:create" in str(caught.value.detail)


@pytest.mark.parametrize(("roles", "may"), [(["service"], False), (["service", "admin"], True)])
def test_an_administrator_of_a_project_may_create_ports_on_its_own_nodes(
    rights: Rights,
    account: Connection,
    ironic: Ironic,
    keystone: Keystone,
    roles: list[str],
    may: bool,
) -> None:
    keystone.tokens["serv1ce-t0ken"]["roles"] = [{"id": role, "name": role} for role in roles]
    ironic.fail(PROBE_CREATE, DENIED)
    if may:
        rights.ensure_can_create(account)
    else:
        with pytest.raises(NotSetUp):
            rights.ensure_can_create(account)


def test_callers_that_may_not_create_ports_are_forbidden_to(
    rights: Rights, callers_connection: Connection, ironic: Ironic
) -> None:
    ironic.fail(PROBE_CREATE, DENIED)
    with pytest.raises(Forbidden):
        rights.ensure_can_create(callers_connection)
    ironic.fail(PROBE_CREATE, NO_NODE)
    rights.ensure_can_create(callers_connection)


def test_the_two_rights_are_remembered_apart(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    rights.ensure_can_list(connection)
    ironic.fail(PROBE_CREATE, DENIED)
    with pytest.raises(NotSetUp):
        rights.ensure_can_create(connection)


LISTED = "00000000-0000-0000-0000-00000000000a"
SHOW = f"GET /v1/nodes/{LISTED}"


@pytest.mark.parametrize("nodes", [[], [LISTED]])
def test_whose_listed_nodes_are_found_may_show_them(
    rights: Rights, connection: Connection, ironic: Ironic, nodes: list[str]
) -> None:
    for uuid in nodes:
        ironic.add_node(uuid)
    rights.ensure_can_show(connection)
    assert ironic.calls == [PROBE_LIST, PROBE_LIST, SHOW][: 2 + len(nodes)]
    rights.ensure_can_show(connection)
    assert len(ironic.calls) == 2 + len(nodes)


def test_whose_listed_nodes_are_not_found_may_not_show_them(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    ironic.add_node(LISTED)
    ironic.fail(SHOW, refusal(404, f"Node {LISTED} could not be found."))
    with pytest.raises(NotSetUp, match="not set up") as caught:
        rights.ensure_can_show(connection)
    assert "baremetal:node:get" in str(caught.value.detail)
    rights.ensure_can_show(connection)


def test_a_node_deleted_meanwhile_says_nothing_of_rights(
    rights: Rights, connection: Connection, ironic: Ironic
) -> None:
    ironic.add_node(LISTED)

    def delete(request: Request) -> None:
        if request.call == SHOW:
            del ironic.nodes[LISTED]

    ironic.before = delete
    rights.ensure_can_show(connection)


def test_callers_own_rights_do_not_make_us_doubt(
    rights: Rights, callers_connection: Connection, ironic: Ironic
) -> None:
    rights.ensure_can_show(callers_connection)
    assert ironic.calls == []


def test_nonsense_is_no_answer(rights: Rights, connection: Connection, ironic: Ironic) -> None:
    ironic.fail(PROBE_LIST, answer(503, {"error": "maintenance"}), times=ALWAYS)
    with pytest.raises(ServiceUnavailable):
        rights.ensure_can_list(connection)
