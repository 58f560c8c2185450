# SPDX-License-Identifier: Apache-2.0
"""Old clients and machines that were converted: they answer to their old integers."""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox.nova_bm import generate, identifier, mac_address

from .cloud import Cloud, succeed
from .environments import Environment
from .nova import Nova, parse_table, read_cell

VERSION = "3.4.0"
#: The first and the last have an instance.
NODES = 4

COMMAND = [sys.executable, "-m", "bm_shim"]

for_client = pytest.mark.parametrize("nova", [VERSION], indirect=True)


@pytest.fixture(scope="module")
def _converted(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    url = f"sqlite:///{tmp_path_factory.mktemp('converted')}/nova_bm.sqlite"
    generate(url, nodes=NODES)
    conf = cloud.sandbox.state_dir / "bm-shim.conf"
    options = ["--nova-bm-db", url, "--config-file", str(conf), "--driver", "fake-hardware"]
    succeed([*COMMAND, "migrate", *options], cloud.environment())
    yield
    ironic = Adapter(
        cloud.sandbox.admin.for_system().session(), endpoint_override=cloud.sandbox.ironic_url
    )
    for number in range(1, NODES + 1):
        path = f"/v1/nodes/{identifier(f'node {number}')}"
        ironic.put(f"{path}/maintenance", json={})
        ironic.delete(path)


pytestmark = pytest.mark.usefixtures("_converted")


@for_client
def test_the_machines_are_listed_under_their_integers(nova: Nova) -> None:
    rows = {row["ID"]: row for row in nova.table("baremetal-node-list")}
    # Others may have machines here, too.
    rows = {number: row for number, row in rows.items() if number in {"1", "2", "3", "4"}}
    assert [rows[number]["Task State"] for number in sorted(rows)] == [
        "active",
        "available",
        "available",
        "active",
    ]
    assert rows["2"] == {
        "ID": "2",
        "Host": "IRONIC MANAGED",
        "Task State": "available",
        "CPUs": "24",
        "Memory_MB": "98304",
        "Disk_GB": "2000",
        # As they were typed in once.
        "MAC Address": f"{mac_address(2, 0)}, {mac_address(2, 1)}",
        "PM Address": "198.18.0.3",
        "PM Username": "ADMIN",
        "PM Password": "",
        "Terminal Port": "10002",
    }


@for_client
def test_a_machine_is_shown_by_its_integer(nova: Nova) -> None:
    instance = identifier("instance 4")
    printed = nova.properties("baremetal-node-show", "4")
    assert [each["id"] for each in read_cell(printed.pop("interfaces"))] == [11, 12]
    assert printed.pop("updated_at")
    assert printed == {
        "id": "4",
        "uuid": identifier("node 4"),
        "host": "IRONIC MANAGED",
        "service_host": "compute-1",
        "cpus": "16",
        "memory_mb": "49152",
        "local_gb": "1000",
        "disk_gb": "1000",
        "pm_address": "198.18.0.5",
        "pm_user": "root",
        "terminal_port": "-",
        "instance_uuid": instance,
        "task_state": "active",
        "pxe_config_path": f"/tftpboot/{instance}/config",
    }


@for_client
def test_it_is_shown_by_its_uuid_as_well(nova: Nova) -> None:
    by_uuid = nova.properties("baremetal-node-show", identifier("node 4"))
    assert by_uuid == nova.properties("baremetal-node-show", "4")


@for_client
def test_the_interfaces_have_their_integers(nova: Nova) -> None:
    rows = nova.table("baremetal-interface-list", "1")
    assert sorted(rows, key=lambda row: row["ID"]) == [
        {"ID": "1", "Datapath_ID": "0x1", "Port_No": "3", "Address": mac_address(1, 0)},
        {"ID": "2", "Datapath_ID": "0x1", "Port_No": "4", "Address": mac_address(1, 1)},
    ]


def test_the_sandbox_converts_by_itself(
    cloud: Cloud, environments: Mapping[str, Environment]
) -> None:
    command = f"{shlex.quote(str(environments[VERSION].nova))} baremetal-node-list"
    done = subprocess.run(
        [*COMMAND, "sandbox", "--from-nova-bm", "--nodes", "3", "--exec", command],
        env=cloud.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Converting a demo nova-baremetal database of 3 machines" in done.stderr
    assert {row["ID"]: row["Task State"] for row in parse_table(done.stdout)} == {
        "1": "active",
        "2": "available",
        "3": "available",
    }
