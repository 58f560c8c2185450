# SPDX-License-Identifier: Apache-2.0
"""Ironic's states in Nova's words."""

import pytest
from ironic.common import states
from ironic.common.state_machine import machine

from bm_shim.server_states import TABLE, UNKNOWN, power_state_of, state_of

RUNNING = ["active", "servicing", "service wait", "service hold"]


@pytest.mark.parametrize("provision", RUNNING)
@pytest.mark.parametrize(
    ("target_power", "power", "expected"),
    [
        (None, "power on", ("ACTIVE", "active", None)),
        (None, "power off", ("SHUTOFF", "stopped", None)),
        (None, None, ("ACTIVE", "active", None)),
        (None, "error", ("ACTIVE", "active", None)),
        ("power on", "power on", ("REBOOT", "active", "reboot_started")),
        ("power on", None, ("REBOOT", "active", "reboot_started")),
        ("power on", "power off", ("SHUTOFF", "stopped", "powering-on")),
        ("power off", "power on", ("ACTIVE", "active", "powering-off")),
        ("power off", "power off", ("ACTIVE", "active", "powering-off")),
    ],
)
def test_of_a_running_machine_the_power_decides(
    provision: str,
    target_power: str | None,
    power: str | None,
    expected: tuple[str, str, str | None],
) -> None:
    assert state_of(provision, target_power, power) == expected


@pytest.mark.parametrize("power", ["power on", "power off", None])
@pytest.mark.parametrize(
    ("provision", "expected"),
    [
        ("available", ("BUILD", "building", "scheduling")),
        ("manageable", ("BUILD", "building", "scheduling")),
        ("adopting", ("BUILD", "building", "spawning")),
        ("wait call-back", ("BUILD", "building", "spawning")),
        ("rescue", ("RESCUE", "rescued", None)),
        ("rescue wait", ("ACTIVE", "active", "rescuing")),
        ("unrescuing", ("RESCUE", "rescued", "unrescuing")),
        ("deleting", ("DELETED", "deleted", "deleting")),
        ("cleaning", ("DELETED", "deleted", "deleting")),
        ("adopt failed", ("ERROR", "error", None)),
        ("deploy failed", ("ERROR", "error", None)),
        ("error", ("ERROR", "error", None)),
    ],
)
def test_of_others_the_provision_state_decides(
    provision: str, power: str | None, expected: tuple[str, str, str | None]
) -> None:
    assert state_of(provision, None, power) == expected


def test_every_state_of_ironic_is_in_one_group_of_rows() -> None:
    groups = {row.provision_states for row in TABLE}
    in_table = [state for group in groups for state in group]
    assert sorted(in_table) == sorted(machine.states)


@pytest.mark.parametrize("target_power", ["power on", "power off"])
def test_every_change_of_power_is_a_task(target_power: str) -> None:
    """These are the targets that there are: where a reboot leads is "power on"."""
    for power in (states.POWER_ON, states.POWER_OFF, states.ERROR, states.NOSTATE):
        assert state_of("active", states.NOSTATE, power).task_state is None
        assert state_of("active", target_power, power).task_state is not None


@pytest.mark.parametrize("provision", [None, "", "invented", 5])
def test_a_state_that_nobody_knows(provision: object) -> None:
    assert state_of(provision, None, "power on") is UNKNOWN


@pytest.mark.parametrize(
    ("power", "expected"),
    [("power on", 1), ("power off", 4), ("error", 0), (None, 0), ("", 0), (1, 0), ([], 0)],
)
def test_power_state_is_always_an_integer(power: object, expected: int) -> None:
    """Old clients crash on null."""
    assert power_state_of(power) == expected
