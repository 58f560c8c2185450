# SPDX-License-Identifier: Apache-2.0
"""The conversion of one node: takes the steps that :mod:`bm_shim.migrate.steps` decides on."""

import time

from bm_shim import errors
from bm_shim.ironic import Connection
from bm_shim.ironic_json import JsonObject
from bm_shim.migrate import steps
from bm_shim.migrate.errors import without_secrets
from bm_shim.migrate.fleet import PORT_FIELDS, Machine, canonical
from bm_shim.migrate.model import PlannedNode, Target
from bm_shim.migrate.steps import (
    Change,
    CreateNode,
    CreatePort,
    Impossible,
    PatchNode,
    PatchPort,
    Step,
    Wait,
)

#: How often a step is taken that Ironic, or the way to it, fails at.
_ATTEMPTS = 3

#: Seconds between two looks at a node that Ironic is busy with: the first, and the longest pause.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0

#: What such a look asks for.
_STATE_FIELDS = ["provision_state", "last_error", "reservation"]


class Conversion:
    """The conversion of one node.

    :param timeout: seconds that Ironic may take for one transition, or to unlock the node
    """

    def __init__(self, connection: Connection, planned: PlannedNode, timeout: float) -> None:
        self._ironic = connection
        self._planned = planned
        self._timeout = timeout
        self._machine = Machine()
        self._asked: set[Change] = set()

    def run(self, before: Machine) -> Machine:
        """Take steps until none is left, and return the node as it is then.

        :param before: what was there some time ago
        :raises Impossible: there is something that only the operator can decide
        :raises errors.ShimError: Ironic refuses a step, or fails at it time and again
        """
        self._machine = before
        if before.node is not None:
            # It may have been changed since.
            self._look()
        last: Step | None = None
        while (step := self._next_step()) is not None:
            if step == last:
                raise errors.BadGateway(detail="Ironic accepted a change and did not make it")
            self._take_patiently(step)
            last = step
        return self._machine

    def _next_step(self) -> Step | None:
        return steps.next_step(self._planned, self._machine)

    def _take_patiently(self, step: Step) -> None:
        """Take a step, again if need be, or find that it is not the next one any more.

        What Ironic did not answer it may have done, and what it refuses may have been done by
        somebody else. So after each failure the node is looked at.

        :raises errors.ShimError: it cannot be taken
        """
        began = time.monotonic()
        failures = 0
        while True:
            try:
                self._take(step)
                return
            except errors.NotSetUp:
                raise
            except errors.ShimError as error:
                failures += 1
                time_left = time.monotonic() - began < self._timeout
                self._look()
                if self._next_step() != step:
                    return
                if not _is_worth_another_try(error, failures, time_left=time_left):
                    raise
            time.sleep(min(_FIRST_PAUSE * 3**failures, _LONGEST_PAUSE))

    def _take(self, step: Step) -> None:
        node_uuid = self._machine.node["uuid"] if self._machine.node else self._planned.uuid
        match step:
            case CreateNode():
                available = self._planned.target is Target.AVAILABLE
                body = steps.creation(self._planned)
                self._see(node=self._ironic.create_node(body, available=available))
            case PatchNode(patch):
                self._see(node=self._ironic.patch_node(node_uuid, patch))
            case CreatePort(port):
                body = {
                    "uuid": port.uuid,
                    "node_uuid": node_uuid,
                    "address": port.address,
                    "extra": dict(port.extra),
                }
                self._see(port=self._ironic.create_port(body))
            case PatchPort(uuid, patch):
                self._see(port=self._ironic.patch_port(uuid, patch))
            case Change():
                self._change(node_uuid, step)
            case Wait():
                self._wait(node_uuid)

    def _change(self, node_uuid: str, change: Change) -> None:
        """Ask for a transition, once.

        :raises Impossible: that was done already, and came to nothing
        """
        if change in self._asked:
            error = (self._machine.node or {}).get("last_error") or "it does not say why"
            reason = without_secrets(str(error)).rstrip(".")
            raise Impossible(
                f"Ironic cannot {change.verb} it: {reason}. Put it right in Ironic, where another "
                "run changes nothing that is there, and run again"
            )
        self._ironic.set_provision_state(node_uuid, change.verb)
        self._asked.add(change)
        self._see(node={"provision_state": change.during})

    def _wait(self, node_uuid: str) -> None:
        """Wait until Ironic is done with the node.

        :raises Impossible: that takes too long
        """
        deadline = time.monotonic() + self._timeout
        pause = _FIRST_PAUSE
        while True:
            time.sleep(pause)
            state = self._ironic.get_node(node_uuid, _STATE_FIELDS)
            self._see(node=state)
            name, is_late = state["provision_state"], time.monotonic() > deadline
            if name not in steps.PASSING and (is_late or not state["reservation"]):
                return
            if is_late:
                raise Impossible(f"in Ironic it is still {name} after {self._timeout:g} s")
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _look(self) -> None:
        """Look at the node and its ports, whoever made them."""
        node_uuid = self._machine.node["uuid"] if self._machine.node else self._planned.uuid
        try:
            node = self._ironic.get_node(node_uuid)
            ports = self._ironic.list_node_ports(node_uuid, PORT_FIELDS)
        except errors.NotFound:
            self._machine = Machine()
            return
        # Filtered here as well: the links between Ironic's pages forget the filter.
        owner = canonical(node_uuid)
        own = tuple(port for port in ports if canonical(port["node_uuid"]) == owner)
        self._machine = Machine(node, own)

    def _see(self, *, node: JsonObject | None = None, port: JsonObject | None = None) -> None:
        """Take in what Ironic answered: a node, or some fields of it, or a port."""
        ports = {each["uuid"]: each for each in self._machine.ports}
        if port is not None:
            ports[port["uuid"]] = port
        fields = {**(self._machine.node or {}), **(node or {})}
        self._machine = Machine(fields, tuple(ports.values()))


def _is_worth_another_try(error: errors.ShimError, failures: int, *, time_left: bool) -> bool:
    if isinstance(error, errors.NodeLocked):
        return time_left
    return error.status >= 500 and failures < _ATTEMPTS
