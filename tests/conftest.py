# SPDX-License-Identifier: Apache-2.0
"""The sandbox that all tests share, and more shims in it."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without demo nodes; who stops one of its parts starts it again."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def shim_with(sandbox: Sandbox) -> Callable[[Mapping[str, object]], str]:
    """Gives the URL of a shim with some ``[api]`` options, started when first asked for."""
    urls = {"": sandbox.url}

    def find(options: Mapping[str, object]) -> str:
        values = {name: str(value) for name, value in options.items()}
        name = "-".join(re.sub("[^a-z]", "-", value.lower()) for value in values.values())
        if name not in urls:
            urls[name] = sandbox.add_shim(name, {"api": values}).url
        return urls[name]

    return find


@pytest.fixture(scope="session")
def ironic(sandbox: Sandbox) -> Adapter:
    """Ironic's REST API, for an administrator of the system."""
    return Adapter(
        sandbox.admin.for_system().session(),
        endpoint_override=sandbox.ironic_url,
        service_type="baremetal",
        default_microversion="1.90",
    )


@pytest.fixture(scope="session")
def remove_nodes(ironic: Adapter) -> Callable[[], None]:
    """Removes all nodes, in whichever state they are."""

    def remove() -> None:
        fields = "uuid,instance_uuid,provision_state"
        for node in ironic.get(f"/v1/nodes?fields={fields}").json()["nodes"]:
            path = f"/v1/nodes/{node['uuid']}"
            if node["instance_uuid"] or node["provision_state"] != "available":
                ironic.put(f"{path}/maintenance", json={})
            ironic.delete(path)

    return remove


@pytest.fixture
def no_nodes(remove_nodes: Callable[[], None]) -> Iterator[None]:
    """No nodes before a test, and none of its own after it."""
    remove_nodes()
    yield
    remove_nodes()
