# SPDX-License-Identifier: Apache-2.0
"""Whether Ironic holds what was planned. Pure functions.

Values are compared as they are in JSON: Ironic keeps them as they were sent, so ``8`` and ``"8"``
differ, and ``8`` and ``8.0``. What Ironic holds beyond the plan is no difference, ports excepted.
Of a secret Ironic shows only that there is one, so no more is compared.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bm_shim.migrate.errors import without_userinfo
from bm_shim.migrate.fleet import Fleet, Machine
from bm_shim.migrate.masking import MASK, is_secret
from bm_shim.migrate.model import Difference, Plan, PlannedNode, PlannedPort

_FIELDS = ("driver", "resource_class", "name", "owner", "lessee")
_OBJECTS = ("driver_info", "properties", "instance_info", "extra")

_NOTHING = "nothing"


def compare(plan: Plan, fleet: Fleet) -> dict[str, tuple[Difference, ...]]:
    """Return what differs, by the UUIDs of the planned nodes; an empty tuple: nothing does."""
    return {node.uuid: compare_node(node, fleet.find(node.uuid)) for node in plan.nodes}


def compare_node(planned: PlannedNode, machine: Machine) -> tuple[Difference, ...]:
    """Return what differs between a planned node and the one in Ironic."""
    if machine.node is None:
        return (Difference("", "a node", _NOTHING),)
    return (*_compare_node(planned, machine.node), *_compare_ports(planned, machine))


def _compare_node(planned: PlannedNode, node: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _compare("provision_state", planned.target, node.get("provision_state"))
    yield from _compare("instance_uuid", planned.instance_uuid, node.get("instance_uuid"))
    for name in _FIELDS:
        if (value := getattr(planned, name)) is not None:
            yield from _compare(name, value, node.get(name))
    for name in _OBJECTS:
        yield from _compare_objects(name, getattr(planned, name), node.get(name))


def _compare_ports(planned: PlannedNode, machine: Machine) -> Iterator[Difference]:
    found = {port["address"].lower(): port for port in machine.ports}
    wanted = {port.address: port for port in planned.ports}
    for address in {**wanted, **found}:
        if address not in found:
            yield Difference(f"port {address}", "a port of this node", _NOTHING)
        elif address not in wanted:
            yield Difference(f"port {address}", _NOTHING, "a port of this node")
        else:
            yield from _compare_port(wanted[address], found[address])


def _compare_port(planned: PlannedPort, port: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _compare_objects(f"port {planned.address} extra", planned.extra, port.get("extra"))


def _compare_objects(
    field: str, planned: Mapping[str, Any], found: object
) -> Iterator[Difference]:
    """Compare what an object of Ironic should hold, key by key, secrets by their presence."""
    planned, found = _masked(planned), _masked(found if isinstance(found, Mapping) else {})
    for key, value in planned.items():
        path = f"{field}.{key}"
        if isinstance(value, Mapping):
            yield from _compare_objects(path, value, found.get(key))
        elif value is not None:
            yield from _compare(path, value, found.get(key))


def _compare(field: str, planned: object, found: object) -> Iterator[Difference]:
    expected, there = _text(planned), _text(found)
    if expected != there:
        yield Difference(field, without_userinfo(expected), without_userinfo(there))


def _masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of which secrets compare equal if they are there."""
    return {
        key: MASK if value is not None and is_secret(key) else value
        for key, value in values.items()
    }


def _text(value: object) -> str:
    return _NOTHING if value is None else json.dumps(value, sort_keys=True, default=str)
