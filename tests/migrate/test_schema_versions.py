# SPDX-License-Identifier: Apache-2.0
"""Each of the ten versions of the schema is converted, with what databases of its time hold."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.support import Cloud

from bm_shim.sandbox.nova_bm import generate, identifier, live_ids, mac_address
from bm_shim.sandbox.nova_bm_schema import LATEST

from . import expected, support
from .support import JSON

VERSIONS = range(1, LATEST + 1)
#: As many as it takes to have each kind of machine, a deleted one among them.
NODES = 10

pytestmark = pytest.mark.usefixtures("empty_ironic")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_database_of_a_version_is_converted(cloud: Cloud, tmp_path: Path, version: int) -> None:
    url = f"sqlite:///{tmp_path}/nova_bm.sqlite"
    generate(url, nodes=NODES, schema_version=version)
    rows = expected.read_rows(url, version)

    finished = support.run("--nova-bm-db", url, *support.into(cloud.sandbox))

    assert finished.status == 0, finished.text
    nodes, ports = expected.nodes_in(cloud.ironic), expected.ports_in(cloud.ironic)
    computed = {number: nodes[number]["uuid"] for number in without_uuid(version)}
    assert finished.remarks == sorted([*remarks_on_database(version), *remarks_on_uuids(computed)])
    assert {uuid.UUID(each).version for each in computed.values()} <= {5}
    machines: list[expected.Row] = [
        {**row, "uuid": computed.get(row["id"], row.get("uuid"))} for row in rows["bm_nodes"]
    ]
    assert nodes == {row["id"]: expected.node_of(row) for row in machines}
    assert ports == expected.all_ports({**rows, "bm_nodes": machines})
    assert_of_its_time(nodes, ports, version)


def without_uuid(version: int) -> list[int]:
    """Return the machines without a UUID: all, or those that are older than the column."""
    if version < 3:
        return live_ids(NODES)
    return [number for number in live_ids(NODES) if number % 4 == 1] if version < 5 else []


def remarks_on_uuids(computed: dict[int, str]) -> Iterator[str]:
    for number, made in computed.items():
        yield f"node {number} ({made}): no UUID in the database: {made} is computed"


def remarks_on_database(version: int) -> Iterator[str]:
    if version <= 7:
        yield "remark: addresses in bm_pxe_ips, for which Ironic has no place: 2"
    if version >= 6:
        yield "remark: interfaces of deleted nodes, not carried: 1"


def assert_of_its_time(nodes: dict[int, JSON], ports: dict[str, JSON], version: int) -> None:
    """Look at single machines, with the migrations in mind and not the generator's rows."""
    # In use since Grizzly; its first interface was registered beside prov_mac_address.
    assert_in_use(nodes[1], version)
    interfaces = ports[nodes[1]["uuid"]]
    assert [interfaces[mac_address(1, index)]["nova_baremetal"]["id"] for index in (0, 1)] == [
        1,
        2,
    ]

    # Of Grizzly, its first interface known as prov_mac_address only; 006 made a row of that.
    made = ports[nodes[4]["uuid"]][mac_address(4, 0)]
    assert made == {"nova_baremetal": {"id": 12} if version >= 6 else {}}

    # Of Grizzly, without a prov_mac_address; 006 made an empty row of that.
    assert set(ports[nodes[3]["uuid"]]) == {mac_address(3, 0), mac_address(3, 1)}

    # Later than Grizzly, where the version is; typed in in upper case.
    spelling = mac_address(2, 1)
    assert spelling != spelling.lower()
    assert ports[nodes[2]["uuid"]][spelling.lower()]["nova_baremetal"]["address"] == spelling

    # Soft-deleted.
    assert 10 not in nodes


def assert_in_use(node: JSON, version: int) -> None:
    """Make sure that a machine has all that a version knew of its instance."""
    instance, facts = identifier("instance 1"), node["extra"]["nova_baremetal"]
    assert (node["provision_state"], node["instance_uuid"]) == ("active", instance)
    assert node["instance_info"] == ({"display_name": "web-0001"} if version >= 4 else {})
    for name, since, until, value in (
        # In bm_deployments, until 001.
        ("pxe_config_path", 1, 10, f"/tftpboot/{instance}/config"),
        ("image_path", 1, 10, "/var/lib/nova/instances/instance-00000001/disk"),
        ("root_mb", 1, 10, 20480),
        ("swap_mb", 1, 10, 2048),
        ("ephemeral_mb", 9, 10, 20480),
        ("preserve_ephemeral", 10, 10, True),
        ("prov_mac_address", 1, 6, mac_address(1, 0)),
        ("prov_vlan_id", 1, 4, 101),
        ("registration_status", 1, 4, "done"),
    ):
        assert facts.get(name) == (value if since <= version <= until else None), name
