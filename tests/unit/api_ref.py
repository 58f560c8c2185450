# SPDX-License-Identifier: Apache-2.0
"""What the tests of the API reference share: its files, and the service that it describes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml
from flask import Flask
from flask.testing import FlaskClient

from bm_shim import conf as configuration
from bm_shim import context, errors, translation
from bm_shim.api import prefixes
from bm_shim.app import create_flask_app
from bm_shim.context import RequestContext
from bm_shim.inventory import Inventory
from bm_shim.legacy_ids import derived_id
from bm_shim.listing import Listing
from bm_shim.model import (
    Instance,
    Interface,
    InterfaceMatch,
    NewInterface,
    NewNode,
    Node,
    ServerState,
)

ROOT = Path(__file__).parents[2]
DIRECTORY = ROOT / "api-ref"
SOURCE = DIRECTORY / "source"
SAMPLES = SOURCE / "samples"
OPENAPI = DIRECTORY / "openapi.yaml"

PROJECT = "6a1e8f0c2b3d4e5f8091a2b3c4d5e6f7"

# One that came from nova-baremetal, and one that somebody made in Ironic.
NODES = (
    Node(
        uuid="5e8c1d0a-7b62-4f39-a1d4-90c3e2f4b716",
        recorded_id=12,
        properties={"cpus": "16", "memory_mb": "65536", "local_gb": "960", "cpu_arch": "x86_64"},
        provision_state="active",
        instance_uuid="f2b90c57-3c1e-4d0b-8a4f-6d7e51c2a8b3",
        service_host="compute-bm-1",
        pm_address="192.0.2.12",
        pm_user="operator",
        terminal_port=8012,
        pxe_config_path="/tftpboot/5e8c1d0a-7b62-4f39-a1d4-90c3e2f4b716/config",
        updated_at="2026-11-20T09:14:32+00:00",
        interfaces=(
            Interface(
                uuid="0c4f7a68-1d5e-4b92-b3a7-5f8e6c2d9014",
                id=23,
                address="52:54:00:A1:0C:17",
                ironic_address="52:54:00:a1:0c:17",
                datapath_id="0",
                port_no=0,
            ),
        ),
    ),
    Node(
        uuid="c73f2b9e-48d1-4a06-9e5b-1f0d8c6a3e27",
        recorded_id=None,
        properties={"cpus": 8, "memory_mb": 32768, "local_gb": 480},
        provision_state="available",
        instance_uuid=None,
        service_host=None,
        pm_address="192.0.2.31",
        pm_user="operator",
        terminal_port=None,
        pxe_config_path=None,
        updated_at=None,
        interfaces=(
            Interface(
                uuid="8b1e6d40-92f7-4c35-a0de-27c9f3b5a618",
                id=derived_id("8b1e6d40-92f7-4c35-a0de-27c9f3b5a618"),
                address="52:54:00:a1:0d:42",
                ironic_address="52:54:00:a1:0d:42",
                datapath_id=None,
                port_no=None,
            ),
        ),
    ),
)

# What runs on the first of them, and something that failed.
_RUNNING = Instance(
    uuid=str(NODES[0].instance_uuid),
    node_uuid=NODES[0].uuid,
    name="database-1",
    project_id=PROJECT,
    service_host="compute-bm-1",
    flavor="baremetal",
    cpus=16,
    memory_mb=65536,
    local_gb=960,
    state=ServerState("ACTIVE", "active", None),
    power_state=1,
    maintenance=False,
    protected=False,
    last_error=None,
    created_at=datetime(2014, 2, 3, 4, 5, 6, tzinfo=UTC),
    updated_at=datetime(2026, 11, 20, 9, 14, 32, tzinfo=UTC),
)
INSTANCES = (
    _RUNNING,
    replace(
        _RUNNING,
        uuid="4a7d1e93-6f28-4c05-b7e4-0d9c3f5a8b61",
        node_uuid="91c5e7f2-0b3d-4d86-a2f9-6e4b8d1c7035",
        name="database-2",
        state=ServerState("ERROR", "error", None),
        power_state=0,
        last_error="Error while attempting to adopt node",
    ),
)

# What create and add_interface make.
_NEW_NODE_UUID = "2d6f4c1b-e05a-47c8-8b93-a4f7d1e60c52"
_NEW_PORT_UUID = "b7a05e92-6c3d-4f18-9d2e-81f4c0a7d365"


@dataclass
class FakeInventory:
    """Has the two nodes and the instances, and takes everything."""

    #: Raised by each call.
    error: Exception | None = None
    asked: list[object] = field(default_factory=list)
    public_url: str | None = "https://ironic.example.org:6385"

    @property
    def instances(self) -> "FakeInstances":
        return FakeInstances(self)

    def list_nodes(
        self, context: RequestContext, *, detail: bool = False, max_age: float = 0
    ) -> Listing:
        self.note("list")
        return Listing([node if detail else replace(node, updated_at=None) for node in NODES])

    def get_node(self, context: RequestContext, node_id: str) -> Node:
        self.note(node_id)
        for node in NODES:
            if node_id in (node.uuid, str(node.recorded_id)):
                return node
        raise errors.NodeNotFound(node_id)

    def create_node(self, context: RequestContext, new: NewNode) -> Node:
        self.note(new)
        node = translation.node_to_ironic(
            new, uuid=_NEW_NODE_UUID, driver="ipmi", cpu_arch="x86_64", mark="req-1"
        )
        ports = []
        if new.prov_mac_address is not None:
            ports.append(_port(NewInterface(new.prov_mac_address)))
        return translation.node_from_ironic({**node, "provision_state": "available"}, ports)

    def delete_node(self, context: RequestContext, node_id: str) -> None:
        self.get_node(context, node_id)

    def add_interface(self, context: RequestContext, node_id: str, new: NewInterface) -> Interface:
        self.get_node(context, node_id)
        self.note(new)
        return translation.interface_from_ironic(_port(new))

    def remove_interface(
        self, context: RequestContext, node_id: str, match: InterfaceMatch
    ) -> None:
        self.get_node(context, node_id)
        self.note(match)

    def note(self, what: object) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error


@dataclass
class FakeInstances:
    """Has the instances, and takes everything."""

    inventory: FakeInventory

    def list(self, context: RequestContext, *, detail: bool = False) -> list[Instance]:
        self.inventory.note("list")
        return list(INSTANCES)

    def get(self, context: RequestContext, server_id: str) -> Instance:
        self.inventory.note(server_id)
        for instance in INSTANCES:
            if instance.uuid == server_id:
                return instance
        raise errors.InstanceNotFound(server_id)

    def reboot(self, context: RequestContext, instance: Instance, *, soft: bool) -> None:
        self.inventory.note({"soft": soft})

    def delete(self, context: RequestContext, instance: Instance) -> None:
        self.inventory.note("delete")


def _port(new: NewInterface) -> dict[str, object]:
    port = translation.interface_to_ironic(new, uuid=_NEW_PORT_UUID, node_uuid=_NEW_NODE_UUID)
    return {**port, "address": new.address.lower()}


def service(inventory: FakeInventory | None = None, **options: object) -> Flask:
    """Return the views, all that there are, with some ``[api]`` options."""
    conf = configuration.load(config_files=[])
    for name, value in {"serve_instances": True, **options}.items():
        conf.set_override(name, value, group="api")
    return create_flask_app(conf, cast(Inventory, inventory or FakeInventory()))


def client(app: Flask, *roles: str) -> FlaskClient:
    """Return a client that calls the views as somebody with these roles; none: as nobody."""
    browser = app.test_client()
    if roles:
        caller = RequestContext(user_id="somebody", project_id=PROJECT, roles=list(roles))
        cast(dict[str, Any], browser.environ_base)[context.ENVIRON_KEY] = caller
    return browser


def routes() -> Iterator[tuple[str, str, str]]:
    """Yield each route's method, path with ``{variables}``, and the name of its view."""
    for rule in service().url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path, rule.endpoint.rpartition(".")[2]


#: Views that only say that there is no such thing.
REFUSALS = {"update_node", "update_server", "refuse_launch", "refuse_choice", "refuse_image"}


def openapi() -> dict[str, Any]:
    """Return the OpenAPI description as it is checked in."""
    description: dict[str, Any] = yaml.safe_load(OPENAPI.read_text())
    return description


def split(path: str) -> tuple[str, str]:
    """Split the path of a resource into the prefix, with its project, and what is below.

    Other paths, those of version documents, have no prefix.
    """
    for route in prefixes.ROUTES.values():
        prefix = route.replace("<project:", "{").replace("<", "{").replace(">", "}")
        if path.startswith(prefix + "/") and not path.endswith("/"):
            return prefix, path.removeprefix(prefix)
    return "", path
