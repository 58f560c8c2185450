# SPDX-License-Identifier: Apache-2.0
"""Whether Ironic is ready, and nova out of the way."""

from typing import Any

import pytest
import responses

from bm_shim.context import RequestContext
from bm_shim.ironic import Connection
from bm_shim.ironic import Ironic as Client
from bm_shim.migrate.errors import PreflightError
from bm_shim.migrate.model import NodeRow
from bm_shim.migrate.preflight import check, machines_at_work, nova_services

from . import wire as wire_module
from .conftest import WITH_KEYSTONE, MakeConf
from .planned import plan, planned
from .wire import (
    ALWAYS,
    PROJECT,
    REFUSED,
    SERVICE_TOKEN,
    TIMEOUT,
    Answer,
    Keystone,
    Outcome,
    Request,
    Service,
    answer,
    refusal,
)

NO = refusal(403, "Access was denied to the following resource: x")
MAY_NOT_LIST, MAY_NOT_CREATE = "may not list all nodes", "may not create nodes"
MAY_NOT_CREATE_PORTS = "may not create ports"
ADVICE = "Sign in as an administrator of the system"


class Ironic(wire_module.Ironic):
    """As the usual one, with versions and drivers."""

    version = "1.115"

    def perform(self, request: Request) -> Answer:
        if request.call == "GET /v1":
            return answer(200, {"version": {"version": self.version, "min_version": "1.1"}})
        return super().perform(request)

    def _get_drivers(self, request: Request) -> Answer:
        return answer(200, {"drivers": [{"name": "redfish"}, {"name": "ipmi"}]})

    def _post_nodes(self, request: Request) -> Answer:
        return refusal(400, "No valid host was found. Reason: No conductor service registered.")


@pytest.fixture
def ironic(wire: responses.RequestsMock) -> Ironic:
    return Ironic(wire)


@pytest.fixture
def connection(make_conf: MakeConf, ironic: Ironic) -> Connection:
    conf = make_conf({"ironic": {"api_max_retries": 0}})
    return Client(conf).on_behalf(RequestContext())


@pytest.fixture
def account(make_conf: MakeConf, ironic: Ironic, keystone: Keystone) -> Connection:
    return Client(make_conf(WITH_KEYSTONE)).on_behalf(RequestContext())


def refused(connection: Connection, *nodes: Any) -> list[str]:
    """Return the lines of what is missing."""
    with pytest.raises(PreflightError) as caught:
        check(connection, plan(*(nodes or (planned(),))))
    return str(caught.value).splitlines()


# Ironic


def test_ironic_that_is_ready(connection: Connection, ironic: Ironic) -> None:
    assert check(connection, plan(planned(1), planned(2, driver="redfish"))) == []
    assert not ironic.nodes
    assert not ironic.ports


@pytest.mark.parametrize("version", ["1.65", "1.100", "2.1"])
def test_version_that_is_new_enough(connection: Connection, ironic: Ironic, version: str) -> None:
    ironic.version = version
    assert check(connection, plan(planned())) == []


@pytest.mark.parametrize("version", ["1.64", "1.9"])
def test_version_that_is_too_old_is_all_that_is_told(
    connection: Connection, ironic: Ironic, version: str
) -> None:
    ironic.version = version
    (line,) = refused(connection)
    assert f"version {version} at most; 1.65 is needed" in line
    assert ironic.calls == ["GET /v1"]
    # Which every Ironic answers.
    assert ironic.requests[0].headers["X-OpenStack-Ironic-API-Version"] == "1.1"


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ({"GET /v1/nodes": NO}, [MAY_NOT_LIST, ADVICE]),
        ({"POST /v1/nodes": NO}, [MAY_NOT_CREATE, ADVICE]),
        ({"POST /v1/ports": NO}, [MAY_NOT_CREATE_PORTS, ADVICE]),
        (
            {"GET /v1/nodes": NO, "POST /v1/nodes": NO, "POST /v1/ports": NO},
            [MAY_NOT_LIST, MAY_NOT_CREATE, MAY_NOT_CREATE_PORTS, ADVICE],
        ),
    ],
    ids=str,
)
def test_all_missing_rights_are_told_at_once(
    connection: Connection, ironic: Ironic, rules: dict[str, Outcome], missing: list[str]
) -> None:
    for pattern, outcome in rules.items():
        ironic.fail(pattern, outcome)
    lines = refused(connection)
    assert len(lines) == 1 + len(missing)
    assert all(text in line for text, line in zip(missing, lines[1:], strict=True))


@pytest.mark.parametrize(("role", "is_enough"), [("admin", 1), ("service", 1), ("member", 0)])
def test_owner_of_what_it_creates_may_give_ports_to_it(
    account: Connection, ironic: Ironic, keystone: Keystone, role: str, is_enough: bool
) -> None:
    keystone.tokens[SERVICE_TOKEN]["roles"] = [{"id": "1", "name": role}]
    ironic.fail("POST /v1/ports", NO)
    if is_enough:
        check(account, plan(planned()))
    else:
        assert any(MAY_NOT_CREATE_PORTS in line for line in refused(account))


def test_owner_is_told_unless_the_plan_gives_one(account: Connection) -> None:
    (warning,) = check(account, plan(planned(1, owner="x"), planned(2)))
    assert f"the project {PROJECT}, which Ironic makes the owner" in warning
    assert check(account, plan(planned(1, owner="x"))) == []


def test_missing_drivers_are_told_with_who_needs_them(connection: Connection) -> None:
    nodes = [
        planned(1),
        planned(7, driver="ilo"),
        planned(8, driver="ilo"),
        planned(9, driver="x"),
    ]
    lines = refused(connection, *nodes)
    assert lines[1:] == [
        "No conductor has the driver 'ilo' (option enabled_hardware_types), but ipmi, redfish; "
        "planned with it: 2, among them the id 7.",
        "No conductor has the driver 'x' (option enabled_hardware_types), but ipmi, redfish; "
        "planned with it: 1, among them the id 9.",
    ]


@pytest.mark.parametrize("outcome", [NO, refusal(500, "scope")])
def test_drivers_that_the_account_may_not_see(
    connection: Connection, ironic: Ironic, outcome: Answer
) -> None:
    ironic.fail("GET /v1/drivers", outcome)
    (warning,) = check(connection, plan(planned()))
    assert "may not ask which drivers are enabled" in warning


@pytest.mark.parametrize("pattern", ["GET /v1", "GET /v1/nodes", "POST /v1/ports"])
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (REFUSED, "cannot be reached"),
        (TIMEOUT, "did not answer in time"),
        (Answer(200, "<html>"), "not its API"),
        (refusal(401, "no"), "refused it with 401"),
    ],
)
def test_ironic_that_cannot_be_asked(
    connection: Connection, ironic: Ironic, pattern: str, outcome: Outcome, reason: str
) -> None:
    ironic.fail(pattern, outcome, ALWAYS)
    (line,) = refused(connection)
    assert line.startswith("Ironic cannot be asked: ")
    assert reason in line


# Nova


class Nova(Service):
    """A nova-api that knows some nova-compute services."""

    url = "http://nova.test/v2.1"

    def perform(self, request: Request) -> Answer:
        assert request.call == "GET /os-services"
        assert request.query == {"binary": "nova-compute"}
        states = {"bm1": "up", "bm2": "down", "kvm1": "up"}
        services = [{"host": host, "state": state} for host, state in states.items()]
        return answer(200, {"services": services})


@pytest.fixture
def nova(wire: responses.RequestsMock, keystone: Keystone) -> Nova:
    endpoint = {"id": "1", "interface": "internal", "region": "RegionOne", "url": Nova.url}
    compute = {"id": "2", "type": "compute", "name": "nova", "endpoints": [endpoint]}
    keystone.tokens[SERVICE_TOKEN]["catalog"].append(compute)
    return Nova(wire)


@pytest.fixture
def cloud(make_conf: MakeConf, ironic: Ironic, keystone: Keystone) -> Client:
    return Client(make_conf(WITH_KEYSTONE))


def test_services_that_are_up_on_hosts_of_the_database(cloud: Client, nova: Nova) -> None:
    assert nova_services(cloud, {"bm1", "bm2", "bm3"}) == [
        "nova-compute on bm1 is up: stop it first, or both will manage its machines."
    ]
    assert nova_services(cloud, {"bm2"}) == []
    assert {request.headers["X-Auth-Token"] for request in nova.requests} == {SERVICE_TOKEN}


@pytest.mark.parametrize(
    "outcome",
    [
        answer(404, {"itemNotFound": {"code": 404, "message": "no"}}),
        answer(403, {}),
        answer(503, {}),
        REFUSED,
        TIMEOUT,
        Answer(200, "<html>"),
        answer(200, {}),
        answer(200, []),
        answer(200, {"services": [{"host": "bm1"}]}),
        answer(200, {"services": None}),
    ],
    ids=str,
)
def test_nova_that_cannot_be_asked(cloud: Client, nova: Nova, outcome: Outcome) -> None:
    nova.fail(".*", outcome, ALWAYS)
    (warning,) = nova_services(cloud, {"bm1"})
    assert warning.startswith("Nova could not be asked whether its nova-compute services are stop")


@pytest.mark.usefixtures("ironic", "keystone")
def test_catalogue_without_nova(cloud: Client) -> None:
    (warning,) = nova_services(cloud, {"bm1"})
    assert "Nova could not be asked" in warning


def test_cloud_without_keystone(make_conf: MakeConf, ironic: Ironic) -> None:
    ironic.fail("GET /os-services", refusal(404, "no"))
    (warning,) = nova_services(Client(make_conf()), {"bm1"})
    assert "Nova could not be asked" in warning


def test_keystone_that_refuses_the_account(
    make_conf: MakeConf, ironic: Ironic, keystone: Keystone
) -> None:
    keystone.fail("POST /v3/auth/tokens", answer(401, {"error": {"message": "no"}}), ALWAYS)
    (warning,) = nova_services(Client(make_conf(WITH_KEYSTONE)), {"bm1"})
    assert "Nova could not be asked" in warning


@pytest.mark.parametrize(
    "task_state", ["initializing", "building", "deploying", "deploy complete", "prepared"]
)
def test_machines_that_nova_is_at_work_on_are_warned_of(task_state: str) -> None:
    rows = [
        NodeRow(id=1, task_state="active"),
        NodeRow(id=2, task_state=task_state),
        NodeRow(id=3, task_state=task_state),
    ]
    assert machines_at_work(rows) == [
        "nova-baremetal seems to be at work on 2 of its machines, the first with id 2 "
        f"(task_state '{task_state}'): make sure that it is stopped."
    ]


@pytest.mark.parametrize("task_state", [None, "active", "deleted", "deploy failed", "error"])
def test_machines_at_rest_are_not_warned_of(task_state: str | None) -> None:
    assert machines_at_work([NodeRow(id=1, task_state=task_state)]) == []
