# SPDX-License-Identifier: Apache-2.0
"""The states of a server, translated from those of its node: one table. Pure.

The words are Nova's: ``status`` is what people see, ``vm_state`` and ``task_state`` are what it is
made of, and what a refused request names.
"""

from typing import NamedTuple

from bm_shim.model import ServerState

#: Fits everything, absence included.
ANY: frozenset[str] = frozenset()

#: The task of an instance that Ironic is taking off its node.
DELETING = "deleting"


class Row(NamedTuple):
    """What Ironic may say of a node, and what that means for the server on it."""

    provision_states: frozenset[str]
    state: ServerState
    target_power_states: frozenset[str] = ANY
    power_states: frozenset[str] = ANY

    def fits(self, provision: object, target_power: object, power: object) -> bool:
        """Whether these states of a node are those of this row."""
        return (
            provision in self.provision_states
            and (self.target_power_states is ANY or target_power in self.target_power_states)
            and (self.power_states is ANY or power in self.power_states)
        )


def _row(
    provision: set[str],
    status: str,
    vm_state: str,
    task_state: str | None,
    *,
    target_power: frozenset[str] = ANY,
    power: frozenset[str] = ANY,
) -> Row:
    state = ServerState(status, vm_state, task_state)
    return Row(frozenset(provision), state, target_power, power)


_RUNNING = {"active", "servicing", "service wait", "service hold"}
_OFF = frozenset({"power off"})
_ON = frozenset({"power on"})

_PREPARED = {"enroll", "verifying", "manageable", "inspecting", "inspect wait", "available"}
_DEPLOYED = {"adopting", "deploying", "wait call-back", "deploy hold"}
_CLEARED = {"deleting", "cleaning", "clean wait", "clean hold"}
_FAILED = {
    "adopt failed", "clean failed", "deploy failed", "error", "inspect failed", "rescue failed",
    "service failed", "unrescue failed",
}  # fmt: skip

#: The first row that fits counts. The reference shows the same table.
TABLE = (
    _row(_RUNNING, "SHUTOFF", "stopped", "powering-on", target_power=_ON, power=_OFF),
    # A reboot of either kind ends with the power on. That is all that Ironic tells of it.
    _row(_RUNNING, "REBOOT", "active", "reboot_started", target_power=_ON),
    _row(_RUNNING, "ACTIVE", "active", "powering-off", target_power=_OFF),
    _row(_RUNNING, "SHUTOFF", "stopped", None, power=_OFF),
    # Also where no power state is known: Ironic has none before it first looked.
    _row(_RUNNING, "ACTIVE", "active", None),
    _row({"rescuing", "rescue wait"}, "ACTIVE", "active", "rescuing"),
    _row({"rescue"}, "RESCUE", "rescued", None),
    _row({"unrescuing"}, "RESCUE", "rescued", "unrescuing"),
    _row(_PREPARED, "BUILD", "building", "scheduling"),
    _row(_DEPLOYED, "BUILD", "building", "spawning"),
    _row(_CLEARED, "DELETED", "deleted", DELETING),
    _row(_FAILED, "ERROR", "error", None),
)

#: Of a node in a state that was not known when this was written.
UNKNOWN = ServerState("UNKNOWN", None, None)

#: All there are.
STATUSES = {row.state.status for row in TABLE} | {UNKNOWN.status}

_POWER_STATES = {"power on": 1, "power off": 4}


def state_of(provision: object, target_power: object, power: object) -> ServerState:
    """Return the state of the server on a node in these states of Ironic's."""
    for row in TABLE:
        if row.fits(provision, target_power, power):
            return row.state
    return UNKNOWN


def power_state_of(power: object) -> int:
    """Return Nova's integer for a power state of Ironic's: 1 on, 4 off, 0 not known.

    Never null, on which old clients crash.
    """
    return _POWER_STATES.get(power, 0) if isinstance(power, str) else 0
