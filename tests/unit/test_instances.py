# SPDX-License-Identifier: Apache-2.0
"""What the shim does with the instances that Ironic records."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bm_shim import errors
from bm_shim.context import RequestContext
from bm_shim.instances import Instances
from bm_shim.inventory import Inventory
from bm_shim.model import Instance, ServerState

from .conftest import MakeConf
from .wire import LOCKED, REFUSED, Ironic, Request, refusal

A = "aaaaaaaa-03f2-4d2e-ae87-c02d7f33c123"
B = "bbbbbbbb-03f2-4d2e-ae87-c02d7f33c456"
C = "cccccccc-03f2-4d2e-ae87-c02d7f33c789"
ON_A = "0000000a-7b41-4f08-9a1d-5e2f8c7b6a01"
ON_B = "0000000B-7B41-4F08-9A1D-5E2F8C7B6A01"
UNKNOWN = "00000000-7b41-4f08-9a1d-5e2f8c7b6a01"

CONTEXT = RequestContext(overwrite=False)
PROBE = {"project": "0" * 32, "fields": "uuid", "limit": "1"}
DENIED = refusal(403, "Access was denied to the following resource: baremetal:node:list_all")
POWER = f"PUT /v1/nodes/{A}/states/power"
PROVISION = f"PUT /v1/nodes/{A}/states/provision"


@pytest.fixture
def instances(make_conf: MakeConf, ironic: Ironic) -> Instances:
    return Inventory(make_conf()).instances


@pytest.fixture
def fleet(ironic: Ironic) -> Ironic:
    """Two machines with an instance, and one without."""
    times = {"created_at": "2020-01-01T00:00:00+00:00"}
    active = {"provision_state": "active", "power_state": "power on", **times}
    ironic.add_node(A, instance_uuid=ON_A, name="machine-a", **active)
    ironic.add_node(C, **times)
    ironic.add_node(B, instance_uuid=ON_B, **active)
    return ironic


@pytest.fixture
def on_a(instances: Instances, fleet: Ironic) -> Instance:
    instance = instances.get(CONTEXT, ON_A)
    fleet.requests.clear()
    return instance


def asked(ironic: Ironic) -> list[tuple[str, object]]:
    return [(request.call, request.body) for request in ironic.changes]


def without(parameter: str) -> Callable[[Request], None]:
    """Make an Ironic forget a parameter of queries."""

    def forget(request: Request) -> None:
        request.query.pop(parameter, None)

    return forget


# List


def test_a_list_has_the_machines_with_an_instance_newest_first(
    instances: Instances, fleet: Ironic
) -> None:
    assert [each.uuid for each in instances.list(CONTEXT)] == [ON_B, ON_A]


def test_a_list_is_read_to_its_end(instances: Instances, fleet: Ironic) -> None:
    fleet.page_size = 1
    assert [each.uuid for each in instances.list(CONTEXT)] == [ON_B, ON_A]


@pytest.mark.parametrize("detail", [False, True])
def test_times_come_with_whole_nodes_only(
    instances: Instances, fleet: Ironic, detail: bool
) -> None:
    listed = instances.list(CONTEXT, detail=detail)
    expected = datetime(2020, 1, 1, tzinfo=UTC) if detail else None
    assert {each.created_at for each in listed} == {expected}
    query = fleet.requests[-1].query
    assert query["associated"] == "true"
    assert ("fields" in query, query.get("detail")) == (not detail, "True" if detail else None)


def test_a_partial_view_is_not_served_as_a_list(instances: Instances, fleet: Ironic) -> None:
    fleet.fail("GET /v1/nodes", DENIED)
    with pytest.raises(errors.NotSetUp):
        instances.list(CONTEXT)


def test_a_machine_that_lost_its_instance_between_two_pages(
    instances: Instances, fleet: Ironic
) -> None:
    """Should a link between pages ever forget the filter, too."""
    fleet.page_size = 1
    fleet.before = without("associated")
    assert [each.uuid for each in instances.list(CONTEXT)] == [ON_B, ON_A]


# Get


def test_an_instance_is_found_by_its_uuid(instances: Instances, fleet: Ironic) -> None:
    found = instances.get(CONTEXT, ON_A)
    assert (found.uuid, found.node_uuid, found.name) == (ON_A, A, "machine-a")
    (request,) = fleet.requests
    assert (request.call, request.query) == (
        "GET /v1/nodes",
        {"instance_uuid": ON_A, "detail": "True"},
    )


@pytest.mark.parametrize(
    ("server_id", "found"),
    [(ON_A.upper(), ON_A), (ON_B, ON_B)],
    ids=["asked for in capitals", "recorded in capitals"],
)
def test_letter_case(instances: Instances, fleet: Ironic, server_id: str, found: str) -> None:
    assert instances.get(CONTEXT, server_id).uuid == found


@pytest.mark.parametrize(
    "server_id",
    [
        *("web-1", "1", "", "..", "../ports", "detail", f"{ON_A}.json", f"{ON_A}&detail=False"),
        *(ON_A.replace("-", ""), f"{{{ON_A}}}", f" {ON_A}", f"{ON_A}\n", "\x00", "ä", "٤" * 36),
    ],
)
def test_what_is_no_uuid_is_not_asked_for(
    instances: Instances, fleet: Ironic, server_id: str
) -> None:
    with pytest.raises(errors.InstanceNotFound) as caught:
        instances.get(CONTEXT, server_id)
    assert caught.value.server_id == server_id
    assert [request.query for request in fleet.requests] == [PROBE]


def test_an_unknown_instance(instances: Instances, fleet: Ironic) -> None:
    with pytest.raises(errors.InstanceNotFound):
        instances.get(CONTEXT, UNKNOWN)


def test_an_instance_that_may_be_hidden_is_not_called_unknown(
    instances: Instances, fleet: Ironic
) -> None:
    fleet.before = lambda request: (
        fleet.fail("GET /v1/nodes", DENIED) if "project" in request.query else None
    )
    with pytest.raises(errors.NotSetUp):
        instances.get(CONTEXT, UNKNOWN)


def test_another_instance_is_not_taken_for_it(instances: Instances, fleet: Ironic) -> None:
    """Should a proxy drop the query."""
    fleet.before = without("instance_uuid")
    with pytest.raises(errors.InstanceNotFound):
        instances.get(CONTEXT, UNKNOWN)


# Reboot


@pytest.mark.parametrize(("soft", "target"), [(False, "rebooting"), (True, "soft rebooting")])
def test_reboot(
    instances: Instances, fleet: Ironic, on_a: Instance, soft: bool, target: str
) -> None:
    instances.reboot(CONTEXT, on_a, soft=soft)
    assert asked(fleet) == [(POWER, {"target": target})]


def test_hardware_without_soft_reboot_is_rebooted_the_other_way(
    instances: Instances, fleet: Ironic, on_a: Instance
) -> None:
    fleet.fail(POWER, refusal(400, "The driver x does not support the power state, soft y"))
    instances.reboot(CONTEXT, on_a, soft=True)
    assert [body for _, body in asked(fleet)] == [
        {"target": "soft rebooting"},
        {"target": "rebooting"},
    ]


@pytest.mark.parametrize("outcome", [refusal(409, LOCKED), refusal(500, "x"), REFUSED])
def test_nothing_but_a_refusal_leads_to_another_reboot(
    instances: Instances, fleet: Ironic, on_a: Instance, outcome: object
) -> None:
    fleet.fail(POWER, outcome)  # type: ignore[arg-type]
    with pytest.raises(errors.ShimError):
        instances.reboot(CONTEXT, on_a, soft=True)
    assert asked(fleet) == [(POWER, {"target": "soft rebooting"})]


STATES = {
    "active": ServerState("ACTIVE", "active", None),
    "stopped": ServerState("SHUTOFF", "stopped", None),
    "building": ServerState("BUILD", "building", None),
    "rescued": ServerState("RESCUE", "rescued", None),
    "error": ServerState("ERROR", "error", None),
}


@pytest.mark.parametrize("vm_state", STATES)
@pytest.mark.parametrize(
    ("soft", "allowed"), [(True, {"active"}), (False, {"active", "stopped", "error"})]
)
def test_states_that_allow_a_reboot(
    instances: Instances,
    fleet: Ironic,
    on_a: Instance,
    vm_state: str,
    soft: bool,
    allowed: set[str],
) -> None:
    """They are Nova's."""
    instance = replace(on_a, state=STATES[vm_state])
    if vm_state in allowed:
        instances.reboot(CONTEXT, instance, soft=soft)
        assert len(asked(fleet)) == 1
        return
    with pytest.raises(errors.Conflict) as caught:
        instances.reboot(CONTEXT, instance, soft=soft)
    assert caught.value.message == (
        f"Cannot 'reboot' instance {ON_A} while it is in vm_state {vm_state}"
    )
    assert asked(fleet) == []


@pytest.mark.parametrize("task_state", ["reboot_started", "powering-off", "deleting"])
def test_no_reboot_while_something_is_under_way(
    instances: Instances, fleet: Ironic, on_a: Instance, task_state: str
) -> None:
    busy = replace(on_a, state=ServerState("X", "active", task_state))
    with pytest.raises(errors.Conflict) as caught:
        instances.reboot(CONTEXT, busy, soft=False)
    assert caught.value.message == (
        f"Cannot 'reboot' instance {ON_A} while it is in task_state {task_state}"
    )
    assert asked(fleet) == []


# Delete


def test_delete(instances: Instances, fleet: Ironic, on_a: Instance) -> None:
    instances.delete(CONTEXT, on_a)
    assert asked(fleet) == [(PROVISION, {"target": "deleted"})]
    with pytest.raises(errors.InstanceNotFound):
        instances.get(CONTEXT, ON_A)


def test_a_delete_under_way_is_not_asked_for_again(
    instances: Instances, fleet: Ironic, on_a: Instance
) -> None:
    going = replace(on_a, state=ServerState("DELETED", "deleted", "deleting"), maintenance=True)
    instances.delete(CONTEXT, going)
    assert fleet.requests == []


@pytest.mark.parametrize(
    ("node", "vm_state"),
    [
        ({}, "active"),
        ({"power_state": "power off"}, "stopped"),
        ({"provision_state": "available"}, "building"),
        ({"provision_state": "rescue"}, "rescued"),
        ({"provision_state": "error"}, "error"),
    ],
)
def test_in_which_states_to_delete_is_for_ironic_to_say(
    instances: Instances, fleet: Ironic, node: dict[str, object], vm_state: str
) -> None:
    fleet.nodes[A] |= node
    instance = instances.get(CONTEXT, ON_A)
    fleet.fail(PROVISION, refusal(400, 'The requested action "deleted" can not be performed'))
    with pytest.raises(errors.Conflict) as caught:
        instances.delete(CONTEXT, instance)
    assert caught.value.message == (
        f"Cannot 'delete' instance {ON_A} while it is in vm_state {vm_state}"
    )
    instances.delete(CONTEXT, instance)


def test_two_who_delete_at_the_same_time(
    instances: Instances, fleet: Ironic, on_a: Instance
) -> None:
    """The second one is told what it would have been told a moment later."""
    fleet.nodes[A]["provision_state"] = "deleting"
    fleet.fail(PROVISION, refusal(400, 'The requested action "deleted" can not be performed'))
    instances.delete(CONTEXT, on_a)


def test_a_protected_machine_keeps_its_instance(
    instances: Instances, fleet: Ironic, on_a: Instance
) -> None:
    """Ironic's refusal of it looks like that of an account."""
    with pytest.raises(errors.Conflict, match="while its node is protected"):
        instances.delete(CONTEXT, replace(on_a, protected=True))
    assert asked(fleet) == []


# Both


def act(instances: Instances, action: str, instance: Instance) -> None:
    if action == "reboot":
        instances.reboot(CONTEXT, instance, soft=False)
    else:
        instances.delete(CONTEXT, instance)


both = pytest.mark.parametrize(("action", "call"), [("reboot", POWER), ("delete", PROVISION)])


@both
def test_hands_off_in_maintenance(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    with pytest.raises(errors.Conflict) as caught:
        act(instances, action, replace(on_a, maintenance=True))
    assert caught.value.message == (
        f"Cannot '{action}' instance {ON_A} while its node is in maintenance"
    )
    assert asked(fleet) == []


@both
def test_a_locked_machine_is_asked_once(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    """Until a later attempt, another instance might have taken the place of this one."""
    fleet.fail(call, refusal(409, LOCKED))
    with pytest.raises(errors.NodeLocked) as caught:
        act(instances, action, on_a)
    assert caught.value.message == (
        f"Cannot '{action}' instance {ON_A} while another operation holds its node locked"
    )
    assert caught.value.retry_after == 5
    assert [request.call for request in fleet.changes] == [call]


@both
def test_what_ironic_says_of_hardware_is_not_passed_on(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    for status in (400, 409):
        fleet.fail(call, refusal(status, "ipmi_address 10.0.0.1 is odd"))
        with pytest.raises(errors.Conflict) as caught:
            act(instances, action, on_a)
        assert "10.0.0.1" not in str(caught.value)


@both
def test_a_machine_that_vanished(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    fleet.fail(call, refusal(404, f"Node {A} could not be found."))
    with pytest.raises(errors.InstanceNotFound):
        act(instances, action, on_a)


@both
def test_an_instance_that_vanished_from_its_machine(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    fleet.nodes[A] |= {"instance_uuid": None, "provision_state": "cleaning"}
    fleet.fail(call, refusal(400, "The requested action can not be performed"))
    with pytest.raises(errors.InstanceNotFound):
        act(instances, action, on_a)


@both
def test_an_account_that_may_not(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    fleet.fail(call, refusal(403, "Access was denied"))
    with pytest.raises(errors.NotSetUp):
        act(instances, action, on_a)


@both
def test_an_ironic_that_is_away(
    instances: Instances, fleet: Ironic, on_a: Instance, action: str, call: str
) -> None:
    fleet.fail(call, REFUSED)
    with pytest.raises(errors.ServiceUnavailable):
        act(instances, action, on_a)
