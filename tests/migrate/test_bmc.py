# SPDX-License-Identifier: Apache-2.0
"""Machines with a real BMC, spoken to by Ironic's own driver: their power is not touched."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from daemons import find_program
from functional.support import Cloud

from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.nova_bm import generate, identifier
from bm_shim.sandbox.nova_bm_conf import nova_conf

from . import support

#: Those with an instance have a BMC here.
NODES, OCCUPIED = 4, (1, 4)

VIRTUAL = "nova.virt.baremetal.virtual_power_driver.VirtualPowerManager"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Our own, with two machines."""
    find_program("ipmitool")
    with Sandbox(bmcs=len(OCCUPIED)) as running:
        yield running


def test_running_machines_are_adopted_and_one_with_a_silent_bmc_waits(
    sandbox: Sandbox, cloud: Cloud, tmp_path: Path
) -> None:
    url, mapping = f"sqlite:///{tmp_path}/nova_bm.sqlite", tmp_path / "mapping.yaml"
    generate(url, nodes=NODES)
    # nova-baremetal knew of no ports.
    nodes = {
        number: {"driver": "ipmi", "driver_info": bmc.driver_info}
        for number, bmc in zip(OCCUPIED, sandbox.bmcs, strict=True)
    }
    mapping.write_text(yaml.safe_dump({"nodes": nodes}))
    running, silent = sandbox.bmcs
    for bmc in sandbox.bmcs:
        bmc.switch("on")
    silent.stop()
    arguments = ("--nova-bm-db", url, *support.into(sandbox), "--mapping", mapping)
    names = {number: identifier(f"node {number}") for number in OCCUPIED}

    first = support.run(*arguments, "--timeout", "3")

    assert first.status == 1
    failed = f"node 4 ({names[4]}): failed: "
    (reason,) = [line for line in first.remarks if line.startswith(failed)]
    assert "in Ironic it is still verifying after 3 s" in reason
    assert sorted(line for line in first.progress if ": created" in line) == [
        f"node {number} ({identifier(f'node {number}')}): created" for number in (1, 2, 3)
    ]
    node = cloud.ironic_node(names[1])
    assert (node["provision_state"], node["power_state"]) == ("active", "power on")
    assert node["instance_uuid"] == identifier("instance 1")

    silent.start()
    second = support.run(*arguments)

    assert second.status == 0, second.text
    assert "completed: 1" in second.stdout.splitlines()
    node = cloud.ironic_node(names[4])
    assert (node["provision_state"], node["power_state"]) == ("active", "power on")
    # Switched on by us, in the beginning, and by nobody ever since.
    assert [running.power_log, silent.power_log] == [["on"], ["on"]]
    passwords = [bmc.password for bmc in sandbox.bmcs]
    support.assert_hidden(passwords, first.text, second.text)


def test_what_ironics_driver_requires_is_asked_for_before(
    sandbox: Sandbox, cloud: Cloud, tmp_path: Path
) -> None:
    properties = cloud.ironic.get("/v1/drivers/ipmi/properties").json()
    required = [
        name
        for name, text in properties.items()
        if name.startswith("ipmi_") and text.endswith(" Required.")
    ]
    url, mapping = f"sqlite:///{tmp_path}/nova_bm.sqlite", tmp_path / "mapping.yaml"
    generate(url, nodes=1)
    conf = tmp_path / "nova.conf"
    conf.write_text(nova_conf(power_manager=VIRTUAL))
    mapping.write_text(yaml.safe_dump({"defaults": {"driver": "ipmi"}}))
    arguments = ("--nova-bm-db", url, "--nova-conf", conf, "--mapping", mapping)
    with cloud.unchanged():
        finished = support.run(*arguments, *support.into(sandbox))
    assert finished.status == 2
    assert (
        f"node 1 ({identifier('node 1')}): left out: the mapping must give {', '.join(required)} "
        "in driver_info: the driver ipmi does not work without"
    ) in finished.remarks


@pytest.mark.parametrize("number", [1, 2])
def test_a_machine_that_ironic_has_by_another_name_is_left(
    sandbox: Sandbox, cloud: Cloud, tmp_path: Path, number: int
) -> None:
    """Whether it has an instance or is free."""
    url = f"sqlite:///{tmp_path}/nova_bm.sqlite"
    generate(url, nodes=2)
    cloud.delete_nodes(set(cloud.names()))
    options = ("--nova-bm-db", url, "--config-file", sandbox.state_dir / "bm-shim.conf")
    planned = json.loads(support.run(*options, "--dry-run", "--format", "json").stdout)
    address = planned["nodes"][number - 1]["driver_info"]["ipmi_address"]
    body = {"driver": "ipmi", "driver_info": {"ipmi_address": address}}
    other = cloud.ironic.post("/v1/nodes", json=body).json()["uuid"]
    with cloud.unchanged():
        finished = support.run(*options, "--cpu-arch", "x86_64", "--only", number)
    assert finished.status == 2
    assert finished.remarks == [
        f"node {number} ({identifier(f'node {number}')}): failed: its BMC is that of node {other} "
        "in Ironic, so it is that machine"
    ]
