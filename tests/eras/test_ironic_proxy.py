# SPDX-License-Identifier: Apache-2.0
"""Nova's proxy to Ironic, from Juno to today: the same machines, shown the same."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter

from .conftest import Caller
from .replay import OWN, RECORDED, body_of, read, sample_set

SETS = [
    sample_set(RECORDED, "ironic-proxy", ".json"),
    sample_set(OWN, "ironic-proxy", ".json"),
]

#: Seconds that Ironic may take to adopt a machine.
PATIENCE = 30


@pytest.fixture
def url(shim_with: Callable[[Mapping[str, object]], str], no_nodes: None) -> str:
    return shim_with({"response_format": "ironic-proxy", "read_only": True})


def make_node(ironic: Adapter, shown: dict[str, Any], instance: str | None) -> None:
    """Make the machine that a sample shows, in Ironic."""
    sizes = {"cpus": shown["cpus"], "memory_mb": shown["memory_mb"], "local_gb": shown["disk_gb"]}
    path = f"/v1/nodes/{shown['id']}"
    body = {"uuid": shown["id"], "driver": "fake-hardware", "properties": sizes}
    ironic.post("/v1/nodes", json=body)
    if instance:
        ironic.patch(path, json=[{"op": "add", "path": "/instance_uuid", "value": instance}])
    for target, state in (("manage", "manageable"), ("adopt", "active")):
        if shown["task_state"] in ("active", state):
            ironic.put(f"{path}/states/provision", json={"target": target})
            wait_for(ironic, path, state)


def wait_for(ironic: Adapter, path: str, state: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while (node := ironic.get(path).json())["provision_state"] != state:
        assert time.monotonic() < deadline, (node["provision_state"], node["last_error"])
        time.sleep(0.05)


@pytest.mark.parametrize(("samples", "suffix"), SETS)
def test_list_and_show(
    caller: Caller, ironic: Adapter, url: str, samples: Path, suffix: str
) -> None:
    listed = read(samples / f"baremetal-node-list-resp{suffix}")
    shown = read(samples / f"baremetal-node-get-resp{suffix}")
    for node in listed["nodes"]:
        in_use = node["id"] == shown["node"]["id"]
        make_node(ironic, node, shown["node"]["instance_uuid"] if in_use else None)
    for address in shown["node"]["interfaces"]:
        ironic.post("/v1/ports", json={"node_uuid": shown["node"]["id"], **address})
    for prefix in ("/v2.1", f"/v2.1/{caller.project}", "/v2", f"/v2/{caller.project}"):
        nodes = f"{url}{prefix}/os-baremetal-nodes"
        assert body_of(caller.call("GET", nodes), suffix) == listed
        one = caller.call("GET", f"{nodes}/{shown['node']['id']}")
        assert body_of(one, suffix) == shown


@pytest.mark.parametrize(
    ("method", "path", "sample", "command"),
    [
        ("POST", "", "create", "node-create"),
        ("POST", "", "create-with-address", "node-create"),
        ("DELETE", "/1", None, "node-delete"),
        ("POST", "/1/action", "add-interface", "port-create"),
        ("POST", "/1/action", "remove-interface", "port-delete"),
    ],
)
@pytest.mark.parametrize("prefix", ["/v2/{project}", "/v2.1"])
def test_writes_of_older_clients_are_told_where_to_go(
    caller: Caller,
    url: str,
    prefix: str,
    method: str,
    path: str,
    sample: str | None,
    command: str,
) -> None:
    file = OWN / "novaclient" / f"baremetal-node-{sample}-req.json"
    response = caller.call(
        method,
        f"{url}{prefix.format(project=caller.project)}/os-baremetal-nodes{path}",
        file.read_bytes() if sample else None,
    )
    message = f"Command not supported. Please use Ironic command {command} to perform this action."
    assert response.status_code == 400
    assert response.json() == {"badRequest": {"code": 400, "message": message}}
