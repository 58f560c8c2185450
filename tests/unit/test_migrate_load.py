# SPDX-License-Identifier: Apache-2.0
"""Bringing Ironic to where a plan wants it: which step is next, and an Ironic out of order."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import responses

from bm_shim import errors
from bm_shim.context import RequestContext
from bm_shim.ironic import Ironic as Client
from bm_shim.ironic_session import load_session
from bm_shim.migrate import fleet
from bm_shim.migrate.fleet import Fleet, Machine, canonical
from bm_shim.migrate.load import Loader
from bm_shim.migrate.model import NodeResult, Outcome, PlannedNode, Target
from bm_shim.migrate.steps import (
    PASSING,
    Change,
    CreateNode,
    CreatePort,
    Impossible,
    PatchNode,
    PatchPort,
    Step,
    next_step,
)

from . import wire as wire_module
from .conftest import WITH_KEYSTONE, MakeConf
from .planned import PASSWORD, machine, plan, planned
from .wire import (
    ALWAYS,
    LOCKED,
    REFUSED,
    SERVICE_TOKEN,
    Answer,
    Keystone,
    Request,
    answer,
    refusal,
)

FREE, RUNNING = Target.AVAILABLE, Target.ACTIVE
EMPTY = Fleet(nodes={}, ports={}, ports_of={}, holders={})

#: All states that Ironic has, but for those below.
DEAD_ENDS = (
    "deploying", "wait call-back", "deploy complete", "deploy failed", "deploy hold", "deleted",
    "clean failed", "clean hold", "error", "rebuild", "inspect failed", "rescue", "rescuing",
    "rescue wait", "rescue failed", "unrescuing", "unrescue failed", "servicing", "service wait",
    "service failed", "service hold",
)  # fmt: skip


# Which step is next


def verb(node: PlannedNode, found: Machine) -> str | None:
    """Return what is next: the verb of a transition, or the name of a step."""
    step = next_step(node, found)
    if isinstance(step, Change):
        return step.verb
    return type(step).__name__ if step else None


def begun(node: PlannedNode, **fields: Any) -> Machine:
    """A node of an earlier run, with all that is made early."""
    return machine(node, "begun", resource_class=None, **fields)


@pytest.mark.parametrize(
    ("target", "state", "expected"),
    [
        (FREE, "enroll", "manage"),
        (FREE, "manageable", "provide"),
        (FREE, "available", "PatchNode"),
        (RUNNING, "enroll", "manage"),
        (RUNNING, "available", "manage"),
        (RUNNING, "manageable", "adopt"),
        (RUNNING, "adopt failed", "adopt"),
        (RUNNING, "active", "PatchNode"),
        *((target, state, "Wait") for target in Target for state in sorted(PASSING)),
    ],
)
def test_state_decides_what_is_next(target: Target, state: str, expected: str) -> None:
    node = planned(target=target)
    assert verb(node, begun(node, provision_state=state)) == expected


@pytest.mark.parametrize(
    ("target", "state"),
    [
        *((target, state) for target in Target for state in DEAD_ENDS),
        (FREE, "active"),
        (FREE, "adopt failed"),
    ],
)
def test_no_way_leads_out_of_other_states(target: Target, state: str) -> None:
    node = planned(target=target)
    with pytest.raises(Impossible, match=f"in Ironic it is {state}, from where"):
        next_step(node, begun(node, provision_state=state))


def test_first_comes_the_node() -> None:
    assert next_step(planned(), Machine()) == CreateNode()


@pytest.mark.parametrize(
    ("target", "state"), [(FREE, "available"), (FREE, "manageable"), (RUNNING, "verifying")]
)
def test_ports_come_before_what_makes_the_node_usable_and_while_ironic_is_busy(
    target: Target, state: str
) -> None:
    node = planned(target=target)
    found = begun(node, provision_state=state)
    assert next_step(node, Machine(found.node)) == CreatePort(node.ports[0])


@pytest.mark.parametrize("changed", [{"address": "52:54:00:ff:ff:ff"}, {"uuid": "another"}])
def test_port_whose_address_was_changed_or_that_somebody_else_made_is_there(
    changed: dict[str, str],
) -> None:
    node = planned()
    found = begun(node)
    ports = (found.ports[0] | changed,)
    assert isinstance(next_step(node, Machine(found.node, ports)), PatchNode)


def test_ports_are_completed() -> None:
    node = planned()
    found = begun(node)

    def step(extra: object) -> Step | None:
        return next_step(node, Machine(found.node, (found.ports[0] | {"extra": extra},)))

    facts = {"op": "add", "path": "/extra/nova_baremetal", "value": {"id": 7}}
    vif = {"op": "add", "path": "/extra/vif_port_id", "value": "vif"}
    an_id = {"op": "add", "path": "/extra/nova_baremetal/id", "value": 7}
    port_uuid = node.ports[0].uuid
    assert step({}) == PatchPort(port_uuid, [facts, vif])
    assert step({"nova_baremetal": None, "vif_port_id": "kept"}) == PatchPort(port_uuid, [facts])
    assert step({"nova_baremetal": {}, "vif_port_id": ""}) == PatchPort(port_uuid, [an_id])
    assert isinstance(step({"nova_baremetal": "kept", "vif_port_id": 1}), PatchNode)


def test_last_step_makes_the_node_usable_and_says_that_all_is_done() -> None:
    node = planned(name="tor", owner="o", lessee=None)
    found = begun(node, owner="kept", name=None)
    assert next_step(node, found) == PatchNode(
        [
            {"op": "add", "path": "/resource_class", "value": "baremetal"},
            {"op": "add", "path": "/name", "value": "tor"},
            {"op": "add", "path": "/extra/nova_baremetal/conversion", "value": "done"},
        ]
    )


@pytest.mark.parametrize("state", ["available", "active", *DEAD_ENDS, *sorted(PASSING)])
def test_nothing_follows(state: str) -> None:
    node = planned()
    facts = {"nova_baremetal": {"conversion": "done", "id": 4711}}
    assert next_step(node, machine(node, provision_state=state, extra=facts)) is None


def test_node_that_somebody_made_gets_what_it_lacks_in_one_patch() -> None:
    node = planned(target=RUNNING)
    found = machine(
        node,
        provision_state="enroll",
        instance_uuid=None,
        instance_info=None,
        driver_info={"ipmi_password": "******"},
        properties={"cpus": 16, "memory_mb": None},
        extra={"rack": 1},
    )
    facts = {"id": 42, "service_host": "compute-7", "conversion": "begun"}
    step = next_step(node, found)
    assert step == PatchNode(
        [
            {"op": "add", "path": "/instance_uuid", "value": node.instance_uuid},
            {"op": "add", "path": "/properties/memory_mb", "value": 1024},
            {"op": "add", "path": "/driver_info/ipmi_address", "value": "10.0.0.42"},
            {"op": "add", "path": "/instance_info", "value": {"display_name": "web"}},
            {"op": "add", "path": "/extra/nova_baremetal", "value": facts},
        ]
    )
    assert PASSWORD not in repr(step)


def test_available_node_that_runs_an_instance_is_first_taken_from_nova() -> None:
    node = planned(target=RUNNING)
    found = machine(node, None, provision_state="available", instance_uuid=None)
    assert verb(node, found) == "manage"
    found = machine(node, None, provision_state="manageable", instance_uuid=None)
    assert verb(node, found) == "PatchNode"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"instance_uuid": "other"}, "in Ironic other"),
        ({"extra": {"nova_baremetal": {"id": 43}}}, "has the integer id 43"),
        ({"extra": {"nova_baremetal": "x"}}, "is no object"),
    ],
)
@pytest.mark.parametrize("target", Target)
def test_node_that_is_another_machine_is_left_alone(
    target: Target, fields: dict[str, object], reason: str
) -> None:
    node = planned(target=target)
    with pytest.raises(Impossible, match=reason):
        next_step(node, begun(node, **fields))


# Reading the fleet


def test_fleet(make_conf: MakeConf, ironic: "Ironic") -> None:
    shouted = "ABCDEF00-0000-4000-8000-0000000000A1"
    ironic.add_node(shouted, extra={"nova_baremetal": {"id": 5}})
    ironic.add_node(planned(1).uuid, extra={"nova_baremetal": {"id": 5}})
    ironic.add_port("p", shouted, "52:54:00:AB:CD:EF")

    found = fleet.read(Client(make_conf()).on_behalf(RequestContext()))

    assert found.nodes.keys() == {shouted.lower(), planned(1).uuid}
    assert found.find(shouted.lower()).node == found.nodes[shouted.lower()]
    assert [port["uuid"] for port in found.find(shouted.lower()).ports] == ["p"]
    assert found.find("nobody") == Machine()
    assert found.ports["52:54:00:ab:cd:ef"]["uuid"] == "p"
    assert found.holders == {5: (shouted.lower(), planned(1).uuid)}
    assert sorted(ironic.calls) == ["GET /v1/nodes", "GET /v1/ports"]


@pytest.mark.parametrize("row", [{}, {"node_uuid": None}, {"node_uuid": "x", "address": None}])
def test_fleet_that_is_none(make_conf: MakeConf, ironic: "Ironic", row: object) -> None:
    ironic.fail("GET /v1/ports", answer(200, {"ports": [row]}))
    with pytest.raises(errors.BadGateway):
        fleet.read(Client(make_conf()).on_behalf(RequestContext()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ABCDEF00000040008000000000000000", "abcdef00-0000-4000-8000-000000000000"),
        ("no uuid", "no uuid"),
        (None, "None"),
    ],
)
def test_uuids_are_compared_in_one_spelling(text: object, expected: str) -> None:
    assert canonical(text) == expected


# An Ironic out of order


class Ironic(wire_module.Ironic):
    """As the usual one, with whole lists, patches of any path, and provision states."""

    #: Where each verb leads.
    states: dict[str, dict[str, object]]

    def __init__(self, mock: responses.RequestsMock) -> None:
        super().__init__(mock)
        self.states = {
            "manage": {"provision_state": "manageable"},
            "provide": {"provision_state": "available"},
            "adopt": {"provision_state": "active"},
        }

    def add_node(self, uuid: str, **fields: object) -> dict[str, Any]:
        return super().add_node(uuid, **{"instance_info": {}, "reservation": None, **fields})

    def _get_nodes(self, request: Request, ident: str | None = None) -> Answer:
        if request.query.get("detail"):
            return answer(200, {"nodes": list(self.nodes.values())})
        return super()._get_nodes(request, ident)

    def _patch_nodes(self, request: Request, uuid: str) -> Answer:
        node = self.nodes[uuid]
        for operation in request.body:
            *parents, last = operation["path"][1:].split("/")
            target = node
            for name in parents:
                target = target[name]
            target[last] = operation["value"]
        return answer(200, node)

    def _put_nodes(self, request: Request, uuid: str, *path: str) -> Answer:
        self.nodes[uuid] |= self.states[request.body["target"]]
        return Answer(202)

    @property
    def writes(self) -> list[str]:
        return [
            request.call.split("/")[0] + request.call.split("/")[2] for request in self.changes
        ]


@pytest.fixture
def ironic(wire: responses.RequestsMock) -> Ironic:
    return Ironic(wire)


Load = Callable[..., list[NodeResult]]


@pytest.fixture
def load(make_conf: MakeConf, ironic: Ironic) -> Load:
    """Loads nodes, and returns their results in the order of the nodes."""

    def run(*nodes: PlannedNode, found: Fleet = EMPTY, **options: Any) -> list[NodeResult]:
        loader = Loader(Client(make_conf({"ironic": {"api_max_retries": 0}})), **options)
        results = loader.run(plan(*nodes), found, lambda result: None)
        return [results[node.uuid] for node in nodes]

    return run


NODE = "/v1/nodes/[^/]*"


@pytest.mark.parametrize("target", Target)
def test_node_is_loaded(load: Load, ironic: Ironic, target: Target) -> None:
    node = planned(target=target)
    assert load(node) == [NodeResult(node.uuid, Outcome.CREATED)]
    assert ironic.nodes[node.uuid]["provision_state"] == target


def test_bmc_that_does_not_answer_is_told_without_its_password(load: Load, ironic: Ironic) -> None:
    text = f"Failed to get power state: ipmitool password={PASSWORD} timed out."
    ironic.states["manage"] = {"provision_state": "enroll", "last_error": text}
    (result,) = load(planned(target=RUNNING))
    assert result.outcome is Outcome.FAILED
    assert result.error == (
        "Ironic cannot manage it: Failed to get power state: ipmitool password=*** timed out. "
        "Put it right in Ironic, where another run changes nothing that is there, and run again"
    )
    assert [request.call for request in ironic.changes if request.method == "PUT"] == [
        f"PUT /v1/nodes/{planned().uuid}/states/provision"
    ]


def test_bmc_is_told_without_the_password_in_its_url(load: Load, ironic: Ironic) -> None:
    text = f"Unable to connect to https://root:{PASSWORD}@10.0.0.42/redfish/v1"
    ironic.states["manage"] = {"provision_state": "enroll", "last_error": text}
    (result,) = load(planned(target=RUNNING))
    assert result.error is not None
    assert result.error.startswith(
        "Ironic cannot manage it: Unable to connect to https://***@10.0.0.42/redfish/v1. "
    )


def test_fleet_with_a_node_that_has_no_settings(make_conf: MakeConf, ironic: Ironic) -> None:
    ironic.add_node(planned(1).uuid, driver_info=None)
    found = fleet.read(Client(make_conf()).on_behalf(RequestContext()))
    assert found.nodes.keys() == {planned(1).uuid}
    assert not found.bmcs


@pytest.mark.parametrize("row", [{"driver_info": 5}, {"driver": []}])
def test_fleet_with_a_node_that_is_none(
    make_conf: MakeConf, ironic: Ironic, row: dict[str, object]
) -> None:
    ironic.add_node(planned(1).uuid, **row)
    with pytest.raises(errors.BadGateway):
        fleet.read(Client(make_conf()).on_behalf(RequestContext()))


@pytest.mark.parametrize("target", Target)
def test_machine_that_is_in_ironic_by_another_name_is_left(
    make_conf: MakeConf, load: Load, ironic: Ironic, target: Target
) -> None:
    """To clean that node, or to deploy to it, would be to wipe the disk of an instance."""
    node, other = planned(target=target), planned(43)
    info = {"ipmi_address": "10.0.0.42", "ipmi_username": "admin", "deploy_kernel": "file:///k"}
    ironic.add_node(other.uuid, driver="ipmi", driver_info=info)
    found = fleet.read(Client(make_conf()).on_behalf(RequestContext()))
    (result,) = load(node, found=found)
    assert result.outcome is Outcome.FAILED
    assert result.error == (
        f"its BMC is that of node {other.uuid} in Ironic, so it is that machine"
    )
    assert node.uuid not in ironic.nodes


def test_ironic_that_gives_no_reason(load: Load, ironic: Ironic) -> None:
    ironic.states["adopt"] = {"provision_state": "adopt failed"}
    (result,) = load(planned(target=RUNNING))
    assert str(result.error).startswith("Ironic cannot adopt it: it does not say why.")


def test_state_that_does_not_pass_is_given_up(load: Load, ironic: Ironic) -> None:
    ironic.states["manage"] = {"provision_state": "verifying"}
    (result,) = load(planned(target=RUNNING), timeout=0.3)
    assert result.error == "in Ironic it is still verifying after 0.3 s"


def test_node_that_ironic_holds_after_the_transition_is_waited_for(
    load: Load, ironic: Ironic
) -> None:
    ironic.states["manage"] = {"provision_state": "manageable", "reservation": "conductor"}
    looks = itertools.count()

    def release(request: Request) -> None:
        if request.query.get("fields", "").startswith("provision_state") and next(looks) == 2:
            ironic.nodes[planned().uuid]["reservation"] = None

    ironic.before = release
    assert load(planned(target=RUNNING))[0].outcome is Outcome.CREATED
    assert next(looks) > 3


def test_change_that_ironic_accepts_and_does_not_make(load: Load, ironic: Ironic) -> None:
    node = planned()
    ironic.fail(f"PATCH {NODE}", answer(200, machine(node, "begun").node), ALWAYS)
    (result,) = load(node)
    assert result.error == "Ironic accepted a change and did not make it"


@pytest.mark.parametrize("outcome", [REFUSED, refusal(500, "oops")])
def test_what_ironic_fails_at_is_tried_three_times(
    load: Load, ironic: Ironic, outcome: Answer | Exception
) -> None:
    ironic.fail("POST /v1/nodes", outcome, times=2)
    assert load(planned(1))[0].outcome is Outcome.CREATED
    ironic.fail("POST /v1/nodes", outcome, times=3)
    assert load(planned(2))[0].outcome is Outcome.FAILED
    assert ironic.calls.count("POST /v1/nodes") == 6


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (400, "no such thing", "no such thing"),
        (409, "taken", "taken"),
        (403, "Access was denied", "Ironic refused it with 403: Access was denied"),
        (400, "No valid host was found.", "Ironic refused it with 400: No valid host was found."),
    ],
)
def test_what_ironic_refuses_is_tried_once(
    load: Load, ironic: Ironic, status: int, text: str, error: str
) -> None:
    ironic.fail("POST /v1/nodes", refusal(status, text))
    (result,) = load(planned())
    assert (result.outcome, result.error) == (Outcome.FAILED, error)
    assert len(ironic.changes) == 1


def test_locked_node_is_tried_until_the_timeout(load: Load, ironic: Ironic) -> None:
    ironic.fail(f"PATCH {NODE}", refusal(409, LOCKED), times=3)
    assert load(planned())[0].outcome is Outcome.CREATED


@pytest.mark.parametrize("extra", [None, "x", []])
def test_node_that_is_none_fails_alone(load: Load, ironic: Ironic, extra: object) -> None:
    odd, other = planned(1), planned(2)
    ironic.fail("POST /v1/nodes", answer(201, machine(odd, extra=extra).node))
    results = load(odd, other, workers=1)
    assert [result.outcome for result in results] == [Outcome.FAILED, Outcome.CREATED]
    assert str(results[0].error).startswith("Ironic answered what is no node")


def test_node_is_called_as_ironic_spells_it(load: Load, ironic: Ironic) -> None:
    node = planned()
    spelled = node.uuid.upper()
    ironic.add_node(spelled, driver="ipmi")
    found = Fleet({node.uuid: ironic.nodes[spelled]}, {}, {}, {})
    (result,) = load(node, found=found)
    assert result.outcome is Outcome.COMPLETED
    assert ironic.nodes.keys() == {spelled}
    assert ironic.ports[node.ports[0].uuid]["node_uuid"] == spelled


def test_what_was_changed_since_the_fleet_was_read_is_kept(load: Load, ironic: Ironic) -> None:
    node = planned()
    old = machine(node, "begun", properties={}, resource_class=None).node or {}
    ironic.add_node(**{**old, "properties": {"cpus": 16}, "resource_class": "gold"})
    (result,) = load(node, found=Fleet({node.uuid: old}, {}, {}, {}))
    assert result.outcome is Outcome.COMPLETED
    assert len(result.remarks) == 2
    assert ironic.nodes[node.uuid]["properties"] == {"cpus": 16, "memory_mb": 1024}
    assert ironic.nodes[node.uuid]["resource_class"] == "gold"


def test_node_that_vanished_since_is_made_again(load: Load, ironic: Ironic) -> None:
    node = planned()
    found = Fleet({node.uuid: machine(node, "begun").node or {}}, {}, {}, {})
    assert load(node, found=found)[0].outcome is Outcome.COMPLETED
    assert node.uuid in ironic.nodes


# Giving up


def test_run_ends_when_ironic_fails_node_after_node(load: Load, ironic: Ironic) -> None:
    ironic.fail("POST /v1/nodes", REFUSED, ALWAYS)
    ironic.fail("GET .*", REFUSED, ALWAYS)
    results = load(*map(planned, range(1, 12)), workers=2)
    outcomes = [result.outcome for result in results]
    assert 4 <= outcomes.count(Outcome.FAILED) <= 5
    assert outcomes.count(Outcome.NOT_TRIED) == 11 - outcomes.count(Outcome.FAILED)
    assert "Ironic or Keystone cannot be reached" in str(results[0].error)


def test_run_goes_on_when_ironic_fails_at_nodes_but_answers(load: Load, ironic: Ironic) -> None:
    """Else no run would come past machines that Ironic cannot take, as by its database."""
    nodes = list(map(planned, range(1, 8)))
    ironic.fail("POST /v1/nodes", refusal(500, "Incorrect string value"), times=3 * 6)
    outcomes = [result.outcome for result in load(*nodes, workers=1)]
    assert outcomes == [Outcome.FAILED] * 6 + [Outcome.CREATED]


def test_run_goes_on_when_some_nodes_succeed_in_between(load: Load, ironic: Ironic) -> None:
    nodes = list(map(planned, range(1, 8)))
    for node in nodes[::2]:
        ironic.fail(f"PATCH /v1/nodes/{node.uuid}", refusal(403, "no"))
    outcomes = [result.outcome for result in load(*nodes, workers=1)]
    assert outcomes == [Outcome.FAILED, Outcome.CREATED] * 3 + [Outcome.FAILED]


def test_converted_nodes_are_no_sign_of_life(load: Load, ironic: Ironic) -> None:
    nodes = list(map(planned, range(1, 8)))
    done = {node.uuid: machine(node).node or {} for node in nodes[1::2]}
    ironic.fail("POST /v1/nodes", refusal(403, "no"), ALWAYS)
    outcomes = [
        result.outcome for result in load(*nodes, found=Fleet(done, {}, {}, {}), workers=1)
    ]
    assert outcomes[:4] == [Outcome.FAILED, Outcome.UNCHANGED, Outcome.FAILED, Outcome.NOT_TRIED]


def test_missing_driver_is_no_reason_to_give_up(load: Load, ironic: Ironic) -> None:
    ironic.fail("POST /v1/nodes", refusal(400, "No valid host was found."), times=6)
    results = load(*map(planned, range(1, 8)), workers=1)
    assert [result.outcome for result in results] == [Outcome.FAILED] * 6 + [Outcome.CREATED]


# Workers, results, requests


def test_no_more_nodes_than_workers_are_under_way(make_conf: MakeConf, ironic: Ironic) -> None:
    under_way: set[int] = set()
    most: list[int] = []

    def note(request: Request) -> None:
        under_way.add(threading.get_ident())
        most.append(len(under_way))
        time.sleep(0.002)
        under_way.discard(threading.get_ident())

    ironic.before = note
    told: list[tuple[str, int]] = []
    nodes = list(map(planned, range(1, 21)))

    results = Loader(Client(make_conf()), workers=3).run(
        plan(*nodes), EMPTY, lambda result: told.append((result.uuid, threading.get_ident()))
    )

    assert max(most) == 3
    assert {result.outcome for result in results.values()} == {Outcome.CREATED}
    assert [uuid for uuid, _ in told] == list(results)
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_failure_to_tell_ends_the_run(make_conf: MakeConf, ironic: Ironic) -> None:
    def fail(result: NodeResult) -> None:
        raise BrokenPipeError

    nodes = list(map(planned, range(1, 21)))
    with pytest.raises(BrokenPipeError):
        Loader(Client(make_conf()), workers=1).run(plan(*nodes), EMPTY, fail)
    assert len(ironic.nodes) < 10


def test_empty_plan(load: Load, ironic: Ironic) -> None:
    assert load() == []
    assert ironic.requests == []


def test_requests_are_counted(make_conf: MakeConf, ironic: Ironic, keystone: Keystone) -> None:
    client = Client(make_conf(WITH_KEYSTONE))
    loader = Loader(client)
    assert loader.requests == 0
    loader.run(plan(planned(1), planned(2)), EMPTY, lambda result: None)
    assert loader.requests == client.requests == len(ironic.requests) + len(keystone.requests)


def test_session_of_somebody_else_is_used_quietly_and_no_token_forwarded(
    make_conf: MakeConf, ironic: Ironic, keystone: Keystone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = load_session(make_conf(WITH_KEYSTONE))
    del session.__dict__["request"]
    options = {"auth_type": None, "forward_user_token": True, "endpoint_override": None}
    client = Client(make_conf({"ironic": options}), session)
    node = planned()

    results = Loader(client).run(plan(node), EMPTY, lambda result: None)

    assert results[node.uuid].outcome is Outcome.CREATED
    assert {request.headers["X-Auth-Token"] for request in ironic.requests} == {SERVICE_TOKEN}
    assert not client.forwards_tokens
    assert PASSWORD not in caplog.text


def test_clashing_plan_fails_where_the_first_was(load: Load, ironic: Ironic) -> None:
    """Plans do not have it, but two databases may."""
    first = planned(1)
    second = replace(
        planned(2), ports=(replace(planned(2).ports[0], address=first.ports[0].address),)
    )
    results = load(first, second, workers=1)
    assert [result.outcome for result in results] == [Outcome.CREATED, Outcome.FAILED]
    assert "52:54:00:00:00:01 already exists" in str(results[1].error)
    assert ironic.nodes[second.uuid].get("resource_class") is None
