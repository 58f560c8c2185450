# SPDX-License-Identifier: Apache-2.0
"""Machines with a BMC: Ironic's own driver switches them over IPMI."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from daemons import find_program
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Bmc, Part, Sandbox
from bm_shim.sandbox.bmc_nodes import enroll
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.process import is_dead

from .support import Cloud, wait_until
from .test_sandbox import Run, sandbox_command

OPENSTACK = str(Path(sys.executable).parent / "openstack")


@pytest.fixture(autouse=True, scope="module")
def _needs_ipmitool() -> None:
    find_program("ipmitool")


@pytest.fixture(scope="module")
def sandbox(_needs_ipmitool: None) -> Iterator[Sandbox]:
    """Our own, with two machines, available in Ironic."""
    with Sandbox(bmcs=2) as running:
        enroll(running.bmcs, running.ironic_url, running.admin.for_system().session())
        yield running


@pytest.fixture
def ironic(sandbox: Sandbox) -> Adapter:
    return Cloud(sandbox).ironic


def node(ironic: Adapter, bmc: Bmc) -> dict[str, Any]:
    shown: dict[str, Any] = ironic.get(f"/v1/nodes/{bmc.name}").json()
    return shown


def set_power(ironic: Adapter, bmc: Bmc, target: str) -> dict[str, Any]:
    """Ask Ironic for a power state, and return the node when Ironic is done."""
    assert ironic.put(f"/v1/nodes/{bmc.name}/states/power", json={"target": target})

    def is_done() -> bool:
        shown = node(ironic, bmc)
        return shown["target_power_state"] is None and shown["reservation"] is None

    wait_until(is_done, 30)
    return node(ironic, bmc)


def simulator_of(sandbox: Sandbox) -> Part:
    (part,) = [part for part in sandbox.parts if part.name == "bmc"]
    return part


def ipmitool(bmc: Bmc, *command: str) -> str:
    """Talk to a BMC without Ironic."""
    result = subprocess.run(
        ["ipmitool", "-I", "lanplus", "-H", bmc.address, "-p", str(bmc.port), "-U", bmc.username,
         "-E", *command],
        env={**os.environ, "IPMI_PASSWORD": bmc.password},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )  # fmt: skip
    return result.stdout.strip() or f"exit status {result.returncode}"


def test_the_machines_are_available_nodes(sandbox: Sandbox, ironic: Adapter) -> None:
    for bmc in sandbox.bmcs:
        shown = node(ironic, bmc)
        assert (shown["driver"], shown["provision_state"]) == ("ipmi", "available")
        assert shown["driver_info"] == {**bmc.driver_info, "ipmi_password": "******"}
        assert shown["power_state"] == "power off"
        assert shown["last_error"] is None
    assert len({bmc.address for bmc in sandbox.bmcs}) == 2
    assert all(bmc.password not in repr(bmc) for bmc in sandbox.bmcs)


def test_ironic_switches_the_machine(sandbox: Sandbox, ironic: Adapter) -> None:
    bmc, other = sandbox.bmcs
    began = len(bmc.power_log)
    for target, expected in (
        ("power on", ["on"]),
        ("power on", ["on"]),
        ("rebooting", ["on", "off", "on"]),
        ("power off", ["on", "off", "on", "off"]),
    ):
        shown = set_power(ironic, bmc, target)
        assert shown["last_error"] is None
        assert bmc.power_log[began:] == expected
        assert bmc.power_state == expected[-1]
        assert shown["power_state"] == f"power {expected[-1]}"
    assert other.power_state == "off"


def test_a_silent_bmc_is_reported_and_may_come_back(sandbox: Sandbox, ironic: Adapter) -> None:
    silent, other = sandbox.bmcs
    before = silent.power_log
    silent.stop()
    try:
        shown = set_power(ironic, silent, "power on")
        assert "IPMI call failed: power status" in shown["last_error"]
        assert ipmitool(other, "power", "status") == "Chassis Power is off"
    finally:
        silent.start()
    assert silent.power_log == before
    assert set_power(ironic, silent, "power on")["last_error"] is None
    assert silent.power_state == "on"
    silent.switch("off")


def test_a_bmc_shows_what_the_machine_does_by_itself(sandbox: Sandbox) -> None:
    bmc = sandbox.bmcs[1]
    for power in ("on", "off"):
        bmc.switch(power)
        assert ipmitool(bmc, "power", "status") == f"Chassis Power is {power}"


def test_other_commands_of_ipmi(sandbox: Sandbox) -> None:
    bmc = sandbox.bmcs[1]
    began = len(bmc.power_log)
    for command in ("on", "cycle", "reset", "soft", "cycle"):
        ipmitool(bmc, "power", command)
    assert bmc.power_log[began:] == ["on", "off", "on", "off", "on", "off"]
    assert ipmitool(bmc, "chassis", "bootdev", "pxe") == "Set Boot Device to pxe"
    assert "Force PXE" in ipmitool(bmc, "chassis", "bootparam", "get", "5")


def test_nobody_gets_in_without_the_password(sandbox: Sandbox) -> None:
    bmc, other = sandbox.bmcs
    stranger = replace(bmc, password=other.password)
    assert ipmitool(stranger, "power", "on") == "exit status 1"
    assert bmc.power_state == "off"


def test_junk_does_not_end_it(sandbox: Sandbox) -> None:
    bmc = sandbox.bmcs[0]
    junk = random.Random(5)
    header = b"\x06\x00\xff\x07"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.connect((bmc.address, bmc.port))
        client.send(header + b"\x06\x10" + bytes(42))
        assert client.recv(1000)  # a session has begun
        for kind in (0x00, 0x10, 0x12, 0x14, 0xC0):
            for _ in range(100):
                client.send(header + bytes([6, kind]) + junk.randbytes(junk.randrange(60)))
                client.send(header + junk.randbytes(junk.randrange(60)))
    assert ipmitool(bmc, "power", "status").startswith("Chassis Power is")
    log = simulator_of(sandbox).log_path
    wait_until(lambda: "A packet was ignored" in log.read_text())
    assert simulator_of(sandbox).status is None


def test_the_machine_goes_on_while_its_bmc_is_down(sandbox: Sandbox) -> None:
    bmc = sandbox.bmcs[0]
    simulator = simulator_of(sandbox)
    bmc.switch("on")
    simulator.kill()
    assert ipmitool(bmc, "-R", "1", "-N", "1", "power", "status") == "exit status 1"
    simulator.start()
    assert ipmitool(bmc, "power", "status") == "Chassis Power is on"
    bmc.switch("off")


def test_the_command_keeps_its_machines_and_ends_with_them(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    arguments = ["--bmc", "2", "--state-dir", str(tmp_path)]
    switch_on = f"{OPENSTACK} baremetal node power on bmc-2; cat $BM_SHIM_STATE_DIR/bmc.pid"
    result = sandbox_command(*arguments, "--exec", switch_on)
    assert result.returncode == 0, result.stderr
    assert "machines with a BMC (2)" in result.stderr
    assert not psutil.pid_exists(int(result.stdout))

    sandbox = Run(*arguments)
    request.addfinalizer(sandbox.close)
    sandbox.wait_for_progress("Ready")
    (simulator,) = [p for p in sandbox.processes if "bm_shim.sandbox.bmc_server" in p.cmdline()]
    assert simulator.pid == int((tmp_path / "bmc.pid").read_text())
    sandbox.process.kill()
    sandbox.process.wait()
    Home(tmp_path).close()  # waits for the parts
    assert sandbox.all_gone()
    assert is_dead(simulator)
    assert "power on bmc-1" in sandbox.stdout.read()


def test_without_ipmitool(tmp_path: Path) -> None:
    result = sandbox_command("--bmc", "1", environment={"PATH": str(tmp_path)})
    assert result.returncode == 1
    assert "Error: Ironic needs the program ipmitool" in result.stderr
    assert "Debian package ipmitool" in result.stderr
