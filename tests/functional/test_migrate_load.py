# SPDX-License-Identifier: Apache-2.0
"""Plans brought into a real Ironic: whole, in part, again, in spite of faults, and compared."""

import itertools
import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from daemons import find_program
from oslo_config import cfg

from bm_shim import conf as configuration
from bm_shim.context import RequestContext
from bm_shim.ironic import Connection, Ironic
from bm_shim.migrate import fleet, verify
from bm_shim.migrate.load import Loader
from bm_shim.migrate.model import (
    NodeResult,
    Outcome,
    Plan,
    PlannedNode,
    PlannedPort,
    Target,
)

from .support import JSON, Answer, Cloud, Cut, Forward, Proxy, Request

FREE, RUNNING = Target.AVAILABLE, Target.ACTIVE
TARGETS = pytest.mark.parametrize("target", [FREE, RUNNING])

#: Distinctive, also in a part of it or under another encoding.
PASSWORD = "Zw3rgpinscher"

#: The writes that make a node of each kind with two ports.
WRITES = {
    FREE: ["POST nodes", "POST ports", "POST ports", "PATCH nodes"],
    RUNNING: [
        "POST nodes",
        "PUT nodes",
        "POST ports",
        "POST ports",
        "PUT nodes",
        "PATCH nodes",
    ],
}

#: Columns that tell when something was done, or in which order.
VOLATILE = re.compile(r"id|node_id|.*_at|reservation")

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture(scope="module")
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture
def ironic(cloud: Cloud, proxy: Proxy) -> Ironic:
    """Ironic as the shim's account sees it, through the proxy, and soon given up."""
    conf = configuration_of(cloud)
    options = {"endpoint_override": proxy.url, "api_max_retries": 0, "timeout": 20}
    for name, value in options.items():
        conf.set_override(name, value, group="ironic")
    return Ironic(conf)


@pytest.fixture
def connection(ironic: Ironic) -> Connection:
    return ironic.on_behalf(RequestContext())


def configuration_of(cloud: Cloud) -> cfg.ConfigOpts:
    """Return the configuration of the sandbox's shim."""
    return configuration.load(config_files=[str(cloud.sandbox.state_dir / "bm-shim.conf")])


def planned(target: Target = FREE, **fields: Any) -> PlannedNode:
    """Return a node that was never planned before, with two ports."""
    number = next(_numbers)
    node_uuid = str(uuid.UUID(int=(0xB0 << 120) + number))
    values: dict[str, Any] = {
        "legacy_id": number,
        "uuid": node_uuid,
        "target": target,
        "driver": "fake-hardware",
        "driver_info": {
            "ipmi_address": f"198.18.0.{number}",
            "ipmi_username": "admin",
            "ipmi_password": PASSWORD,
            "ipmi_terminal_port": 7000 + number,
        },
        "properties": {"cpu_arch": "x86_64", "cpus": 8, "memory_mb": 16384, "local_gb": 480},
        "extra": {"nova_baremetal": {"id": number, "service_host": "compute-7"}},
        "ports": tuple(port_of(node_uuid, number, index) for index in (1, 2)),
        "resource_class": "baremetal",
    }
    if target is RUNNING:
        values["instance_uuid"] = str(uuid.UUID(int=(0x15 << 120) + number))
        values["instance_info"] = {"display_name": f"server-{number}"}
    return PlannedNode(**{**values, **fields})


def port_of(node_uuid: str, number: int, index: int) -> PlannedPort:
    address = f"52:54:00:b0:{number:02x}:{index:02x}"
    facts = {"id": number * 10 + index, "datapath_id": "0x7f", "port_no": index}
    return PlannedPort(
        uuid=str(uuid.uuid5(uuid.UUID(node_uuid), address)),
        address=address,
        extra={"nova_baremetal": facts, "vif_port_id": str(uuid.UUID(int=number))},
    )


EMPTY = fleet.Fleet(nodes={}, ports={}, ports_of={}, holders={})


def load(ironic: Ironic, *nodes: PlannedNode, **options: Any) -> list[NodeResult]:
    """Load nodes, and return their results in the order of the nodes."""
    found = fleet.read(ironic.on_behalf(RequestContext()))
    results = Loader(ironic, **options).run(Plan(nodes, ()), found, lambda result: None)
    return [results[node.uuid] for node in nodes]


def load_one(ironic: Ironic, node: PlannedNode, **options: Any) -> NodeResult:
    (result,) = load(ironic, node, **options)
    return result


def find(connection: Connection, node: PlannedNode) -> fleet.Machine:
    return fleet.read(connection).find(node.uuid)


def differences(connection: Connection, node: PlannedNode) -> tuple[object, ...]:
    return verify.compare_node(node, find(connection, node))


def end_state(cloud: Cloud, node: PlannedNode) -> tuple[JSON, list[JSON]]:
    """Return what there is of a node in the database, but for times."""
    rows = [cloud.database.node(node.uuid), *cloud.database.ports(node.uuid)]
    first, *rest = (
        {name: value for name, value in row.items() if not VOLATILE.fullmatch(name)}
        for row in rows
    )
    return first, sorted(rest, key=lambda port: str(port["address"]))


def write_of(request: Request) -> str | None:
    """Return what a request changes: ``POST ports``; None: nothing."""
    return None if request.method == "GET" else f"{request.method} {request.route.split('/')[2]}"


def enroll(cloud: Cloud, node: PlannedNode, state: str = "available", **fields: Any) -> None:
    """Make the node by hand, as an operator would, in some provision state."""
    body = {"uuid": node.uuid, "driver": node.driver, **fields}
    assert cloud.ironic.post("/v1/nodes", json=body).status_code == 201
    cloud.database.set_node(node.uuid, provision_state=state)


def change(cloud: Cloud, node: PlannedNode, **fields: object) -> None:
    """Change a node by hand."""
    patch = [
        {"op": "add", "path": f"/{path.replace('__', '/')}", "value": value}
        for path, value in fields.items()
    ]
    assert cloud.ironic.patch(f"/v1/nodes/{node.uuid}", json=patch).status_code == 200


# From scratch


@TARGETS
def test_node_is_made_as_planned(
    cloud: Cloud, ironic: Ironic, connection: Connection, target: Target
) -> None:
    node = planned(target, name="tor", owner="1" * 32, lessee="2" * 32)

    assert load_one(ironic, node) == NodeResult(node.uuid, Outcome.CREATED)

    assert differences(connection, node) == ()
    row, ports = cloud.database.node(node.uuid), cloud.database.ports(node.uuid)
    assert row["driver_info"] == node.driver_info
    assert row["properties"] == node.properties
    facts = {"id": node.legacy_id, "service_host": "compute-7", "conversion": "done"}
    assert row["extra"] == {"nova_baremetal": facts}
    assert row["provision_state"] == target
    assert row["instance_uuid"] == node.instance_uuid
    assert (row["resource_class"], row["name"]) == ("baremetal", "tor")
    assert (row["owner"], row["lessee"]) == ("1" * 32, "2" * 32)
    assert {(port["uuid"], port["address"]) for port in ports} == {
        (port.uuid, port.address) for port in node.ports
    }
    assert [port["extra"] for port in ports] == [port.extra for port in node.ports]


@TARGETS
def test_power_is_not_touched_and_nothing_is_deployed(
    cloud: Cloud, ironic: Ironic, proxy: Proxy, target: Target
) -> None:
    node = planned(target)
    proxy.seen.clear()

    load(ironic, node)

    assert [each for each in map(write_of, proxy.seen) if each] == WRITES[target]
    verbs = [request.body for request in proxy.seen if request.method == "PUT"]
    assert [re.findall(rb'"target": "(\w+)"', body)[0] for body in verbs] == (
        [b"manage", b"adopt"] if target is RUNNING else []
    )
    assert cloud.database.node(node.uuid)["power_state"] is None


@pytest.mark.parametrize(("target", "most"), [(FREE, 4), (RUNNING, 10)])
def test_few_requests_are_needed(ironic: Ironic, proxy: Proxy, target: Target, most: int) -> None:
    node = planned(target)
    found = fleet.read(ironic.on_behalf(RequestContext()))
    before = ironic.requests
    proxy.seen.clear()

    Loader(ironic).run(Plan((node,), ()), found, lambda result: None)

    assert ironic.requests - before == len(proxy.seen) <= most


def test_free_node_has_no_resource_class_before_its_ports_are_there(
    cloud: Cloud, ironic: Ironic, proxy: Proxy
) -> None:
    """Or nova would schedule to it."""
    node = planned()
    seen: list[tuple[str | None, int]] = []

    def rule(request: Request, forward: Forward) -> Answer:
        answer = forward()
        if write_of(request):
            row = cloud.database.node(node.uuid)
            seen.append((row["resource_class"], len(cloud.database.ports(node.uuid))))
        return answer

    with proxy.ruled_by(rule):
        load(ironic, node)

    assert seen == [(None, 0), (None, 1), (None, 2), ("baremetal", 2)]


# Again


@TARGETS
def test_second_run_asks_and_changes_nothing(
    cloud: Cloud, ironic: Ironic, proxy: Proxy, target: Target
) -> None:
    node = planned(target)
    load(ironic, node)
    found = fleet.read(ironic.on_behalf(RequestContext()))
    proxy.seen.clear()

    with cloud.unchanged():
        results = Loader(ironic).run(Plan((node,), ()), found, lambda result: None)

    assert results == {node.uuid: NodeResult(node.uuid, Outcome.UNCHANGED)}
    assert proxy.seen == []


@TARGETS
def test_whatever_an_operator_changed_later_stays(
    cloud: Cloud, ironic: Ironic, connection: Connection, target: Target
) -> None:
    node = planned(target)
    load(ironic, node)
    change(
        cloud,
        node,
        name="renamed",
        owner="3" * 32,
        properties__cpus=16,
        driver_info__ipmi_password="0ther",
        extra__rack="r1",
    )
    cloud.ironic.delete(f"/v1/ports/{node.ports[0].uuid}")
    with cloud.unchanged():
        assert load_one(ironic, node).outcome is Outcome.UNCHANGED
    assert [each.field for each in verify.compare_node(node, find(connection, node))] == [
        "properties.cpus",
        f"port {node.ports[0].address}",
    ]


@pytest.mark.parametrize("state", ["manageable", "error", "deploying", "clean failed"])
def test_converted_node_is_left_in_whatever_state_it_is(
    cloud: Cloud, ironic: Ironic, state: str
) -> None:
    node = planned()
    load(ironic, node)
    cloud.database.set_node(node.uuid, provision_state=state, reservation="elsewhere")
    with cloud.unchanged():
        assert load_one(ironic, node).outcome is Outcome.UNCHANGED


# Stopped at any point


@pytest.fixture(scope="module")
def undisturbed(cloud: Cloud) -> dict[Target, tuple[PlannedNode, object]]:
    """A node of each kind, and what it comes to when nothing goes wrong; it is gone again."""
    ironic = Ironic(configuration_of(cloud))
    states: dict[Target, tuple[PlannedNode, object]] = {}
    with cloud.restored():
        for target in WRITES:
            node = planned(target)
            assert load_one(ironic, node).outcome is Outcome.CREATED
            states[target] = (node, end_state(cloud, node))
    return states


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not-done"])
@pytest.mark.parametrize(
    ("target", "number"),
    [(target, number) for target, writes in WRITES.items() for number in range(len(writes))],
)
def test_run_that_was_killed_is_completed_by_the_next(
    cloud: Cloud,
    ironic: Ironic,
    proxy: Proxy,
    undisturbed: dict[Target, tuple[PlannedNode, object]],
    target: Target,
    number: int,
    is_done: bool,
) -> None:
    """Killed while it waits for the answer to one of its writes, executed or not."""
    node, expected = undisturbed[target]
    count = itertools.count()
    killed: list[Request] = []

    def kill(request: Request, forward: Forward) -> Answer:
        if killed or (write_of(request) and next(count) == number):
            killed.append(request)
            if is_done and len(killed) == 1:
                forward()
            raise Cut
        return forward()

    with proxy.ruled_by(kill):
        first = Loader(ironic).run(Plan((node,), ()), EMPTY, lambda result: None)
    assert write_of(killed[0]) == WRITES[target][number]
    assert first[node.uuid].outcome is Outcome.FAILED

    second = load_one(ironic, node)

    is_over = is_done and number == len(WRITES[target]) - 1
    is_new = number == 0 and not is_done
    assert second == NodeResult(
        node.uuid,
        Outcome.UNCHANGED if is_over else Outcome.CREATED if is_new else Outcome.COMPLETED,
    )
    assert end_state(cloud, node) == expected


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not-done"])
@TARGETS
def test_answers_that_got_lost_are_looked_up(
    cloud: Cloud,
    ironic: Ironic,
    proxy: Proxy,
    undisturbed: dict[Target, tuple[PlannedNode, object]],
    target: Target,
    is_done: bool,
) -> None:
    """Those of all writes, executed; or of each second, not executed."""
    node, expected = undisturbed[target]
    count = itertools.count()

    def lose(request: Request, forward: Forward) -> Answer:
        if write_of(request) is None:
            return forward()
        if is_done:
            forward()
        elif next(count) % 2:
            return forward()
        raise Cut

    with proxy.ruled_by(lose):
        assert load_one(ironic, node) == NodeResult(node.uuid, Outcome.CREATED)

    assert end_state(cloud, node) == expected


def test_two_runs_at_once_make_each_node_once(
    cloud: Cloud, ironic: Ironic, connection: Connection
) -> None:
    nodes = [planned(target) for target in (FREE, RUNNING) * 3]

    def other(result: NodeResult) -> None:
        """Load the rest as well, while the first run is at it."""
        if not again:
            again.append(Loader(ironic, workers=1).run(Plan(tuple(nodes[::-1]), ()), EMPTY, note))

    def note(result: NodeResult) -> None:
        assert result.outcome in (Outcome.CREATED, Outcome.COMPLETED)

    again: list[dict[str, NodeResult]] = []
    first = Loader(ironic, workers=2).run(Plan(tuple(nodes), ()), EMPTY, other)

    assert {result.error for result in (*first.values(), *again[0].values())} == {None}
    for node in nodes:
        assert differences(connection, node) == ()


# What somebody else has begun


@pytest.mark.parametrize(
    ("target", "state"),
    [
        (FREE, "enroll"),
        (FREE, "manageable"),
        (FREE, "available"),
        (RUNNING, "enroll"),
        (RUNNING, "manageable"),
        (RUNNING, "available"),
        (RUNNING, "active"),
        (RUNNING, "adopt failed"),
    ],
)
def test_node_that_an_operator_enrolled_is_completed(
    cloud: Cloud, ironic: Ironic, connection: Connection, target: Target, state: str
) -> None:
    node = planned(target)
    enroll(
        cloud,
        node,
        state,
        driver_info={"ipmi_password": "0f-the-0perator"},
        properties={"cpus": 16, "capabilities": "boot_mode:uefi"},
        extra={"rack": "r1"},
        name="mine",
        resource_class="gold",
    )
    port = {"node_uuid": node.uuid, "address": node.ports[0].address, "extra": {"cable": "red"}}
    cloud.ironic.post("/v1/ports", json=port)

    result = load_one(ironic, node)

    assert result.outcome is Outcome.COMPLETED
    assert result.remarks == (
        'resource_class is left as it is in Ironic, "gold"; planned: "baremetal"',
        "properties.cpus is left as it is in Ironic, 16; planned: 8",
    )
    row = cloud.database.node(node.uuid)
    assert row["provision_state"] == target
    assert row["instance_uuid"] == node.instance_uuid
    assert row["driver_info"] == {**node.driver_info, "ipmi_password": "0f-the-0perator"}
    assert row["properties"] == {**node.properties, "cpus": 16, "capabilities": "boot_mode:uefi"}
    facts = {**node.extra["nova_baremetal"], "conversion": "done"}  # type: ignore[dict-item]
    assert row["extra"] == {"rack": "r1", "nova_baremetal": facts}
    assert (row["name"], row["resource_class"]) == ("mine", "gold")
    first, second = cloud.database.ports(node.uuid)
    assert first["extra"] == {"cable": "red", **node.ports[0].extra}
    assert second["uuid"] == node.ports[1].uuid
    assert load_one(ironic, node).outcome is Outcome.UNCHANGED


def test_node_with_another_driver_keeps_its_driver_info(cloud: Cloud, ironic: Ironic) -> None:
    node = planned()
    enroll(cloud, node, driver_info={"deploy_username": "x"})

    result = load_one(ironic, replace(node, driver="redfish"))

    assert result.outcome is Outcome.COMPLETED
    assert 'driver is left as it is in Ironic, "fake-hardware"; planned: "redfish"' in (
        result.remarks
    )
    assert cloud.database.node(node.uuid)["driver_info"] == {"deploy_username": "x"}


def test_secrets_are_never_written_back_masked(cloud: Cloud, ironic: Ironic) -> None:
    """A key with a dot cannot stand in a patch, and the whole is shown with masks."""
    node = planned()
    info = {"ipmi_address": "198.18.9.9", "ipmi_username": "x", "ipmi_password": "0f-the-0perator"}
    enroll(cloud, node, driver_info=info, properties={"cpus": 8})
    odd = replace(
        node,
        driver_info={**node.driver_info, "odd.name": "v"},
        properties={**node.properties, "odd.name": "v"},
    )

    result = load_one(ironic, odd)

    assert result.outcome is Outcome.COMPLETED
    assert (
        'driver_info.odd.name is left as it is in Ironic, nothing; planned: "v"' in result.remarks
    )
    row = cloud.database.node(node.uuid)
    assert row["driver_info"] == {**info, "ipmi_terminal_port": 7000 + node.legacy_id}
    assert row["properties"] == {**node.properties, "odd.name": "v"}


# Failures


def test_failures_of_single_nodes_do_not_keep_the_others(cloud: Cloud, ironic: Ironic) -> None:
    """Each fails in its own way, with its reason; what was there is not changed."""
    held, other_id, used, deployed = there = [planned() for _ in range(4)]
    address, instance = "52:54:00:b1:00:01", str(uuid.uuid4())
    enroll(cloud, held)
    cloud.ironic.post("/v1/ports", json={"node_uuid": held.uuid, "address": address})
    enroll(cloud, other_id, extra={"nova_baremetal": {"id": 4711}})
    enroll(cloud, used, instance_uuid=instance)
    enroll(cloud, deployed, "active")
    with_held_address = (PlannedPort(str(uuid.uuid4()), address, {}),)
    doomed = [
        (planned(ports=with_held_address), f"{address} is that of a port of node {held.uuid}"),
        (planned(legacy_id=4711), f"the integer id 4711 is that of node {other_id.uuid}"),
        (other_id, "has the integer id 4711"),
        (used, f"its instance is none, in Ironic {instance}"),
        (deployed, "in Ironic it is active, from where it is not brought to available"),
        (planned(RUNNING, instance_uuid=instance), "is already associated with a node"),
        (planned(driver="no-such"), "No conductor service registered which supports driver"),
        (planned(properties={"memory_mb": "8 GB"}), "memory_mb"),
        (planned(RUNNING, instance_info={"image_source": "junk"}), "image href junk failed"),
        (planned(name="not a name"), "not a name"),
    ]
    good = [planned(FREE), planned(RUNNING)]
    before = [end_state(cloud, node) for node in there]

    results = load(ironic, good[0], *(node for node, _ in doomed), good[1])

    assert [result.outcome for result in (results[0], results[-1])] == [Outcome.CREATED] * 2
    for result, (_, reason) in zip(results[1:-1], doomed, strict=True):
        assert result.outcome is Outcome.FAILED
        assert reason in str(result.error)
    assert [end_state(cloud, node) for node in there] == before


def test_address_of_another_node_is_seen_before_anything_is_done_else_when_ironic_refuses_it(
    cloud: Cloud, ironic: Ironic, proxy: Proxy
) -> None:
    first, second = planned(), planned()
    clash = replace(second, ports=(replace(second.ports[0], address=first.ports[0].address),))
    load(ironic, first)
    found = fleet.read(ironic.on_behalf(RequestContext()))
    proxy.seen.clear()
    known = Loader(ironic).run(Plan((clash,), ()), found, lambda result: None)
    assert known[second.uuid].outcome is Outcome.FAILED
    assert proxy.seen == []

    late = Loader(ironic).run(Plan((clash,), ()), EMPTY, lambda result: None)
    assert late[second.uuid].outcome is Outcome.FAILED
    assert f"MAC address {first.ports[0].address} already exists" in str(late[second.uuid].error)
    assert cloud.database.node(second.uuid)["resource_class"] is None


def test_failed_adoption_is_taken_up_again_when_put_right(
    cloud: Cloud, ironic: Ironic, connection: Connection
) -> None:
    node = planned(RUNNING, instance_info={"image_source": "junk"})
    for _ in range(2):
        result = load_one(ironic, node)
        assert result.outcome is Outcome.FAILED
        assert "Ironic cannot adopt it" in str(result.error)
    assert cloud.database.node(node.uuid)["provision_state"] == "adopt failed"
    change(cloud, node, instance_info__image_source="http://198.18.0.1/image")

    assert load_one(ironic, node).outcome is Outcome.COMPLETED
    assert [each.field for each in verify.compare_node(node, find(connection, node))] == [
        "instance_info.image_source"
    ]


def test_node_whose_bmc_cannot_be_used_is_told_with_ironics_reason(
    cloud: Cloud, ironic: Ironic
) -> None:
    find_program("ipmitool")  # which the driver needs
    node = planned(RUNNING, driver="ipmi", driver_info={"ipmi_username": "x"})

    result = load_one(ironic, node)

    assert result.outcome is Outcome.FAILED
    assert "Ironic cannot manage it" in str(result.error)
    assert "ipmi_address" in str(result.error)
    assert cloud.database.node(node.uuid)["provision_state"] == "enroll"


def test_locked_node_fails_alone_and_is_completed_later(
    cloud: Cloud, ironic: Ironic, connection: Connection
) -> None:
    locked, other = planned(), planned()
    enroll(cloud, locked)
    cloud.database.set_node(locked.uuid, reservation="elsewhere")

    results = load(ironic, locked, other, timeout=0)

    assert [result.outcome for result in results] == [Outcome.FAILED, Outcome.CREATED]
    assert "is locked by host elsewhere" in str(results[0].error)
    cloud.database.set_node(locked.uuid, reservation=None)
    assert load_one(ironic, locked).outcome is Outcome.COMPLETED
    assert differences(connection, locked) == ()


def test_node_that_is_locked_for_a_while_is_waited_for(
    cloud: Cloud, ironic: Ironic, proxy: Proxy
) -> None:
    node = planned()
    enroll(cloud, node)
    cloud.database.set_node(node.uuid, reservation="elsewhere")

    def release(request: Request, forward: Forward) -> Answer:
        answer = forward()
        if answer.status == 409:
            cloud.database.set_node(node.uuid, reservation=None)
        return answer

    with proxy.ruled_by(release):
        assert load_one(ironic, node).outcome is Outcome.COMPLETED


# Ironic away, no rights


def test_run_ends_soon_when_ironic_is_away_and_is_completed_when_it_is_back(
    cloud: Cloud, ironic: Ironic, connection: Connection, proxy: Proxy
) -> None:
    nodes = [planned(target) for target in (FREE, RUNNING) * 8]
    seen = itertools.count()

    def stop_ironic(request: Request, forward: Forward) -> Answer:
        if next(seen) == 15:
            cloud.sandbox.ironic.stop()
        try:
            return forward()
        except OSError:
            raise Cut from None

    try:
        with proxy.ruled_by(stop_ironic):
            results = load(ironic, *nodes, workers=2)
    finally:
        cloud.sandbox.ironic.start()

    outcomes = [result.outcome for result in results]
    assert outcomes[0] is Outcome.CREATED
    assert 4 <= outcomes.count(Outcome.FAILED) <= 6
    assert outcomes[-1] is Outcome.NOT_TRIED
    assert {result.outcome for result in load(ironic, *nodes)} == {
        Outcome.UNCHANGED,
        Outcome.COMPLETED,
        Outcome.CREATED,
    }
    assert [differences(connection, node) for node in nodes] == [()] * len(nodes)


def test_account_without_rights_fails_no_more_nodes_than_needed(cloud: Cloud) -> None:
    reader = cloud.sandbox.add_user("migrate-reader", system_roles=["reader"])
    nodes = [planned() for _ in range(10)]

    results = load(Ironic(configuration_of(cloud), reader.session()), *nodes, workers=1)

    assert [result.outcome for result in results] == [Outcome.FAILED] * 2 + [Outcome.NOT_TRIED] * 8
    assert results[0].error == (
        "Ironic refused it with 403: Access was denied to the following resource: "
        "baremetal:node:create"
    )


# Stopping


def test_stopped_run_ends_what_is_under_way(ironic: Ironic, connection: Connection) -> None:
    nodes = [planned(RUNNING) for _ in range(5)]
    loader = Loader(ironic, workers=2)
    seen: list[NodeResult] = []

    def note(result: NodeResult) -> None:
        seen.append(result)
        loader.stop()

    results = loader.run(Plan(tuple(nodes), ()), EMPTY, note)

    assert sorted(results) == sorted(result.uuid for result in seen)
    made = [node for node in nodes if results[node.uuid].outcome is Outcome.CREATED]
    assert 2 <= len(made) <= 3
    assert all(differences(connection, node) == () for node in made)
    left = [results[node.uuid].outcome for node in nodes if node not in made]
    assert left == [Outcome.NOT_TRIED] * len(left)


def test_interrupted_run_ends_what_is_under_way_as_well(ironic: Ironic) -> None:
    nodes = [planned() for _ in range(5)]
    seen: list[NodeResult] = []

    def interrupt(result: NodeResult) -> None:
        seen.append(result)
        if len(seen) == 1:
            raise KeyboardInterrupt

    results = Loader(ironic, workers=1).run(Plan(tuple(nodes), ()), EMPTY, interrupt)

    assert list(results.values()) == seen
    outcomes = [results[node.uuid].outcome for node in nodes]
    assert outcomes[0] is Outcome.CREATED
    assert outcomes[-1] is Outcome.NOT_TRIED


# Secrets


def test_secrets_are_in_no_log_and_no_result(
    cloud: Cloud, ironic: Ironic, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    there = planned()
    enroll(cloud, there, driver_info={"ipmi_password": f"other-{PASSWORD}"})
    caplog.set_level(logging.DEBUG)
    nodes = [
        there,
        planned(FREE),
        planned(RUNNING),
        planned(driver="no-such"),
        planned(properties={"memory_mb": "8 GB"}),
        planned(RUNNING, instance_info={"image_source": "junk"}),
    ]

    def fail(request: Request, forward: Forward) -> Answer:
        if request.body and next(count) % 3 == 0:
            raise Cut
        return forward()

    count = itertools.count()
    with proxy.ruled_by(fail):
        results = load(ironic, *nodes)

    tokens = {request.headers["X-Auth-Token"] for request in proxy.seen}
    assert tokens
    text = f"{results} {nodes} {fleet.read(ironic.on_behalf(RequestContext()))} {caplog.text}"
    for secret in (PASSWORD, *tokens, cloud.sandbox.service.password):
        assert secret not in text
