# SPDX-License-Identifier: Apache-2.0
"""What the unit tests share."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
import responses
import werkzeug.test
from oslo_config import cfg

from bm_shim import conf as configuration
from bm_shim import inventory as inventory_module
from bm_shim.app import create_app
from bm_shim.context import RequestContext
from bm_shim.errors import InstanceNotFound
from bm_shim.instances import Instances
from bm_shim.inventory import Inventory
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

from .wire import OTHER_PROJECT, PROJECT, SERVICE_PASSWORD, Ironic, Keystone

Options = Mapping[str, Mapping[str, object]]

_SERVICE_ACCOUNT: dict[str, object] = {
    "auth_type": "password",
    "auth_url": f"{Keystone.url}/v3",
    "username": "bm-shim",
    "password": SERVICE_PASSWORD,
    "user_domain_name": "Default",
    "project_name": "service",
    "project_domain_name": "Default",
}
#: No Keystone: everybody may do everything, and Ironic wants no token. All that can be served is.
_NOAUTH: Options = {
    "api": {"auth_strategy": "noauth", "serve_instances": True},
    "ironic": {
        "auth_type": "none",
        "endpoint_override": Ironic.url,
        "api_max_retries": 2,
        "api_retry_interval": 0,
    },
}
WITH_KEYSTONE: Options = {
    "api": {"auth_strategy": "keystone"},
    "keystone_authtoken": {
        **_SERVICE_ACCOUNT,
        "www_authenticate_uri": Keystone.url,
        "http_request_max_retries": 0,
        "token_cache_time": -1,
    },
    "ironic": {**_SERVICE_ACCOUNT, "endpoint_override": None},
}


class MakeConf(Protocol):
    """Makes a configuration from options over those of a shim without Keystone."""

    def __call__(self, *options: Options) -> cfg.ConfigOpts: ...


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of the configuration."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("OS_", "BM_SHIM_")):
                patch.delenv(name)
        yield


@pytest.fixture
def make_conf(tmp_path: Path) -> MakeConf:
    def make(*options: Options) -> cfg.ConfigOpts:
        file = tmp_path / "bm-shim.conf"
        file.write_text(ini(_NOAUTH, *options))
        return configuration.load(config_files=[str(file)])

    return make


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[responses.RequestsMock]:
    """No request leaves the process, nor outlives its test."""
    pools: list[ThreadPoolExecutor] = []

    def make_pool(*args: Any, **kwargs: Any) -> ThreadPoolExecutor:
        pools.append(ThreadPoolExecutor(*args, **kwargs))
        return pools[-1]

    monkeypatch.setattr(inventory_module, "ThreadPoolExecutor", make_pool)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock
        # The other read of two, of which the first has failed.
        for pool in pools:
            pool.shutdown()


@pytest.fixture
def ironic(wire: responses.RequestsMock) -> Iterator[Ironic]:
    """An empty Ironic; a rule of a test that never applied is a mistake in the test."""
    service = Ironic(wire)
    yield service
    assert [rule.pattern for rule in service.rules if not rule.used] == []


@pytest.fixture
def keystone(wire: responses.RequestsMock) -> Keystone:
    """A Keystone that knows some people."""
    service = Keystone(wire)
    service.add_token("admin", ["admin"])
    service.add_token("member", ["member"])
    service.add_token("reader", ["reader"])
    service.add_token("system-admin", ["admin"], project=None)
    return service


class StubInstances(Instances):
    """Holds three instances; calls are recorded with those of the inventory."""

    own = Instance(
        uuid="3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6a01",
        node_uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
        name="web-1",
        project_id=PROJECT,
        service_host="host1",
        flavor="baremetal",
        cpus=8,
        memory_mb=16384,
        local_gb=480,
        state=ServerState("ACTIVE", "active", None),
        power_state=1,
        maintenance=False,
        protected=False,
        last_error=None,
        created_at=datetime(2014, 2, 3, 4, 5, 6, tzinfo=UTC),
        updated_at=datetime(2026, 11, 22, 20, 30, 17, tzinfo=UTC),
    )
    others = replace(
        own, uuid="3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6a02", name="db-1", project_id=OTHER_PROJECT
    )
    nobodys = replace(
        own, uuid="3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6a03", name="old-1", project_id=None
    )

    def __init__(self, inventory: "StubInventory") -> None:
        self._inventory = inventory
        self.all = [self.nobodys, self.others, self.own]

    def list(self, context: RequestContext, *, detail: bool = False) -> list[Instance]:
        self._inventory.note(context, "list", detail)
        return self.all

    def get(self, context: RequestContext, server_id: str) -> Instance:
        self._inventory.note(context, "get", server_id)
        for instance in self.all:
            if instance.uuid == server_id:
                return instance
        raise InstanceNotFound(server_id)

    def reboot(self, context: RequestContext, instance: Instance, *, soft: bool) -> None:
        self._inventory.note(context, "reboot", instance, soft)

    def delete(self, context: RequestContext, instance: Instance) -> None:
        self._inventory.note(context, "delete", instance)


class StubInventory(Inventory):
    """Holds one node, records calls, and fails when told to."""

    interface = Interface(
        uuid="0a5d7ea1-0000-4000-8000-0000000000a1",
        id=7,
        address="52:54:00:AB:cd:ef",
        ironic_address="52:54:00:ab:cd:ef",
        datapath_id="0",
        port_no=0,
    )
    node = Node(
        uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
        recorded_id=42,
        properties={"cpus": "8", "memory_mb": 8192},
        provision_state="available",
        instance_uuid=None,
        service_host="host1",
        pm_address="10.0.0.1",
        pm_user="root",
        terminal_port=None,
        pxe_config_path=None,
        updated_at=None,
        interfaces=(interface,),
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.listing = Listing([self.node])
        self.max_age = 0.0
        self.calls: list[tuple[Any, ...]] = []
        self.callers: list[RequestContext] = []
        self.failure: Exception | None = None
        self.instances: StubInstances = StubInstances(self)
        self.ironic_url: str | None = None

    @property
    def public_url(self) -> str | None:
        return self.ironic_url

    def note(self, context: RequestContext, *call: object) -> None:
        self.callers.append(context)
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure

    def list_nodes(
        self, context: RequestContext, *, detail: bool = False, max_age: float = 0
    ) -> Listing:
        self.note(context, "list")
        self.max_age = max_age
        return self.listing

    def get_node(self, context: RequestContext, node_id: str) -> Node:
        self.note(context, "show", node_id)
        return self.node

    def create_node(self, context: RequestContext, new: NewNode) -> Node:
        self.note(context, "create", new)
        return self.node

    def delete_node(self, context: RequestContext, node_id: str) -> None:
        self.note(context, "delete", node_id)

    def add_interface(self, context: RequestContext, node_id: str, new: NewInterface) -> Interface:
        self.note(context, "add", node_id, new)
        return self.interface

    def remove_interface(
        self, context: RequestContext, node_id: str, match: InterfaceMatch
    ) -> None:
        self.note(context, "remove", node_id, match)


@pytest.fixture(scope="session")
def _stub() -> StubInventory:
    return StubInventory()


@pytest.fixture
def inventory(_stub: StubInventory) -> StubInventory:
    """The inventory behind ``api``, as new."""
    _stub.reset()
    return _stub


class Api:
    """A client of the application."""

    def __init__(self, conf: cfg.ConfigOpts, inventory: Inventory) -> None:
        self._client = werkzeug.test.Client(create_app(conf, inventory))

    def __call__(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        address: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> werkzeug.test.TestResponse:
        headers = dict(headers or {})
        if token is not None:
            headers["X-Auth-Token"] = token
        kwargs.setdefault("environ_overrides", {})["REMOTE_ADDR"] = address
        return self._client.open(path, method=method, headers=headers, **kwargs)


@pytest.fixture(scope="session")
def _noauth_api(_stub: StubInventory, tmp_path_factory: pytest.TempPathFactory) -> Api:
    file = tmp_path_factory.mktemp("noauth") / "bm-shim.conf"
    file.write_text(ini(_NOAUTH))
    return Api(configuration.load(config_files=[str(file)]), _stub)


@pytest.fixture
def api(_noauth_api: Api, inventory: StubInventory) -> Api:
    """A client of a shim where everybody is an administrator, the same for all tests."""
    return _noauth_api


@pytest.fixture
def guarded_api(make_conf: MakeConf, inventory: StubInventory, keystone: Keystone) -> Api:
    """A client of a shim that asks Keystone about tokens."""
    return Api(make_conf(WITH_KEYSTONE), inventory)


def log_all(caplog: pytest.LogCaptureFixture, levels: Iterable[str] = ()) -> None:
    """Collect all log lines, of the libraries named in ``levels`` (``a=WARN``) those only."""
    for name, level in (entry.split("=") for entry in levels):
        caplog.set_level(level, name)
    caplog.set_level(logging.DEBUG)


def ini(*layers: Options) -> str:
    """Write options as a configuration file, later layers over earlier ones; None is left out."""
    merged: dict[str, dict[str, object]] = {}
    for layer in layers:
        for group, options in layer.items():
            merged.setdefault(group, {}).update(options)
    lines = []
    for group, options in merged.items():
        lines.append(f"[{group}]")
        lines += [f"{name} = {value}" for name, value in options.items() if value is not None]
    return "\n".join(lines) + "\n"
