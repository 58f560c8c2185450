# SPDX-License-Identifier: Apache-2.0
"""What to do next with a planned node, seeing what is in Ironic. Pure functions.

Each step is decided from what is there, never from what was done before. So a run can end at any
point, by whatever force, and the next one goes on from there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bm_shim import translation
from bm_shim.ironic_json import JsonObject
from bm_shim.migrate.fleet import Machine
from bm_shim.migrate.masking import MASK
from bm_shim.migrate.model import PlannedNode, PlannedPort, Target
from bm_shim.translation import EXTRA_KEY

#: The fact that tells how far the conversion of a node came. A node with ``DONE`` is left alone
#: for ever: it is the operator's.
CONVERSION = "conversion"
BEGUN, DONE = "begun", "done"

#: States that Ironic leaves by itself.
PASSING = frozenset(
    {
        "verifying", "adopting", "cleaning", "clean wait", "deleting", "inspecting",
        "inspect wait",
    }
)  # fmt: skip

#: Fields that are given at the end: nova schedules to a node by its resource class, and never
#: finds one that is half made; names may clash, and only some accounts may set an owner.
_LAST_FIELDS = ("resource_class", "name", "owner", "lessee")

#: Ironic takes no other keys in the path of a patch.
_PATH_KEY = re.compile(r"[\w-]+")


class Impossible(Exception):
    """The node cannot be converted as it is in Ironic; says why. It is left as it is."""


@dataclass(frozen=True, slots=True)
class CreateNode:
    """Create the node, see :func:`creation`."""


@dataclass(frozen=True, slots=True)
class CreatePort:
    """Create a port."""

    port: PlannedPort


@dataclass(frozen=True, slots=True)
class PatchNode:
    """Give the node what it lacks."""

    patch: list[JsonObject] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PatchPort:
    """Give a port what it lacks."""

    uuid: str
    patch: list[JsonObject]


@dataclass(frozen=True, slots=True)
class Change:
    """Bring the node to another provision state."""

    verb: str
    #: The state that it passes through.
    during: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until the provision state is none of ``PASSING``."""


Step = CreateNode | CreatePort | PatchNode | PatchPort | Change | Wait

_MANAGE = Change("manage", "verifying")
_PROVIDE = Change("provide", "cleaning")
_ADOPT = Change("adopt", "adopting")

_NEXT: Mapping[Target, Mapping[str, Change]] = {
    # "provide" runs Ironic's automated cleaning where that is on. New nodes begin in available
    # and do without; this is for those that somebody enrolled before.
    Target.AVAILABLE: {"enroll": _MANAGE, "manageable": _PROVIDE},
    Target.ACTIVE: {
        "enroll": _MANAGE,
        "available": _MANAGE,
        "manageable": _ADOPT,
        "adopt failed": _ADOPT,
    },
}


def next_step(planned: PlannedNode, machine: Machine) -> Step | None:
    """Return what to do next; None: nothing, the node is converted.

    :raises Impossible: there is something that only the operator can decide
    """
    node = machine.node
    if node is None:
        return CreateNode()
    if is_converted(node):
        return None
    state = node["provision_state"]
    _ensure_fitting(planned, node)
    if state not in PASSING:
        if (step := _prepare(planned, node)) is not None:
            return step
        if state == "enroll":
            # Ports are made while Ironic talks to the BMC.
            return _MANAGE
    if missing := _missing_ports(planned, machine):
        return CreatePort(missing[0])
    if state in PASSING:
        return Wait()
    if incomplete := _incomplete_ports(planned, machine):
        return incomplete[0]
    if state == planned.target:
        return PatchNode(_last_patch(planned, node))
    return _NEXT[planned.target][state]


def is_converted(node: JsonObject) -> bool:
    """Whether the conversion of a node is over."""
    return translation.facts_of(node).get(CONVERSION) == DONE


def ensure_same_id(planned: PlannedNode, node: JsonObject) -> None:
    """Make sure that the node is not recorded with another integer id.

    :raises Impossible: it is
    """
    recorded = translation.recorded_id_of(node)
    if recorded not in (None, planned.legacy_id):
        raise Impossible(
            f"its node in Ironic has the integer id {recorded}: another machine's, or another "
            "database's"
        )


def creation(planned: PlannedNode) -> JsonObject:
    """Return the body that creates the node."""
    body = {
        "uuid": planned.uuid,
        "driver": planned.driver,
        "driver_info": dict(planned.driver_info),
        "properties": dict(planned.properties),
        "extra": _extra(planned),
    }
    if planned.instance_uuid is not None:
        body["instance_uuid"] = planned.instance_uuid
    if planned.instance_info:
        body["instance_info"] = dict(planned.instance_info)
    return body


def _extra(planned: PlannedNode) -> JsonObject:
    facts = translation.facts_of({"extra": planned.extra})
    return {**planned.extra, EXTRA_KEY: {**facts, CONVERSION: BEGUN}}


def _ensure_fitting(planned: PlannedNode, node: JsonObject) -> None:
    """Make sure that the node is the planned machine, and that its target can be reached.

    :raises Impossible: it is not, or it cannot
    """
    ensure_same_id(planned, node)
    instance = node.get("instance_uuid")
    if instance is not None and instance != planned.instance_uuid:
        wanted = planned.instance_uuid or "none"
        raise Impossible(f"its instance is {wanted}, in Ironic {instance}")
    if not isinstance(node["extra"].get(EXTRA_KEY), dict | None):
        raise Impossible(f"extra.{EXTRA_KEY} of its node in Ironic is no object")
    state = node["provision_state"]
    if state not in PASSING and state != planned.target and state not in _NEXT[planned.target]:
        raise Impossible(
            f"in Ironic it is {state}, from where it is not brought to {planned.target}"
        )


def _prepare(planned: PlannedNode, node: JsonObject) -> Step | None:
    """Return the step that gives a node its credentials and its instance, if it lacks any."""
    if node["provision_state"] == "available" and planned.target is Target.ACTIVE:
        # First of all, that nova stops to schedule to it.
        return _MANAGE
    patch = _completion(planned, node)
    return PatchNode(patch) if patch else None


def _completion(planned: PlannedNode, node: JsonObject) -> list[JsonObject]:
    """Return the patch that adds what is planned and not there. What is there is kept."""
    patch = []
    if planned.instance_uuid is not None and node.get("instance_uuid") is None:
        patch.append(_add("/instance_uuid", planned.instance_uuid))
    patch += _additions("/properties", planned.properties, node["properties"])
    if node["driver"] == planned.driver:
        # What another driver is told is not ours to mix with.
        patch += _additions("/driver_info", planned.driver_info, node["driver_info"])
    patch += _additions("/instance_info", planned.instance_info, node["instance_info"])
    patch += _additions_to_extra(_extra(planned), node["extra"])
    return patch


def _last_patch(planned: PlannedNode, node: JsonObject) -> list[JsonObject]:
    values = {name: getattr(planned, name) for name in _LAST_FIELDS}
    return [
        *(
            _add(f"/{name}", value)
            for name, value in values.items()
            if value is not None and node.get(name) is None
        ),
        _add(f"/extra/{EXTRA_KEY}/{CONVERSION}", DONE),
    ]


def _missing_ports(planned: PlannedNode, machine: Machine) -> list[PlannedPort]:
    """Return the ports that are not there. One whose address was changed is there."""
    there = {value for port in machine.ports for value in (port["uuid"], port["address"].lower())}
    return [port for port in planned.ports if there.isdisjoint((port.uuid, port.address))]


def _incomplete_ports(planned: PlannedNode, machine: Machine) -> list[PatchPort]:
    by_address = {port["address"].lower(): port for port in machine.ports}
    patches = [
        PatchPort(found["uuid"], _additions_to_extra(port.extra, found["extra"]))
        for port in planned.ports
        if (found := by_address.get(port.address)) is not None
    ]
    return [each for each in patches if each.patch]


def _additions_to_extra(planned: Mapping[str, object], found: JsonObject) -> list[JsonObject]:
    """As :func:`_additions`, for ``extra``, with the legacy facts one by one."""
    patch = _additions("/extra", planned, found)
    facts = found.get(EXTRA_KEY)
    if isinstance(facts, dict):
        planned_facts = translation.facts_of({"extra": planned})
        patch += _additions(f"/extra/{EXTRA_KEY}", planned_facts, facts)
    return patch


def _additions(
    path: str, planned: Mapping[str, object], found: JsonObject | None
) -> list[JsonObject]:
    """Return the patch that adds to an object of Ironic the keys that it lacks.

    Where a key cannot stand in a path, the object as a whole; but not one with masked secrets,
    which Ironic would take for the secrets themselves.
    """
    there = found or {}
    missing = {k: v for k, v in planned.items() if v is not None and there.get(k) is None}
    if not missing:
        return []
    if found is None:
        return [_add(path, missing)]
    if all(_PATH_KEY.fullmatch(key) for key in missing) or _holds_masks(found):
        return [
            _add(f"{path}/{key}", value)
            for key, value in missing.items()
            if _PATH_KEY.fullmatch(key)
        ]
    return [_add(path, {**found, **missing})]


def _add(path: str, value: object) -> JsonObject:
    return {"op": "add", "path": path, "value": value}


def _holds_masks(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_masks(each) for each in value.values())
    if isinstance(value, list):
        return any(_holds_masks(each) for each in value)
    return value == MASK
