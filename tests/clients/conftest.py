# SPDX-License-Identifier: Apache-2.0
"""The old clients and a sandbox for them, once for all tests here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from bm_shim.sandbox import Sandbox

from . import environments as clients
from .cloud import Cloud, User
from .nova import Nova, signed_in

#: Seconds that a test may take which has to wait for the installation of clients first.
_INSTALLATION_TIMEOUT = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave time for the installation."""
    directory = clients.default_directory()
    if not all(clients.Environment(version, directory).is_ready for version in clients.VERSIONS):
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.timeout(_INSTALLATION_TIMEOUT))


@pytest.fixture(scope="session")
def environments(pytestconfig: pytest.Config) -> Mapping[str, clients.Environment]:
    """All old clients; those that are missing are installed."""
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", end="", flush=True)

    try:
        return clients.install(clients.default_directory(), say)
    except clients.InstallError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A sandbox that only the tests of the clients use, who fail to sign in more than people."""
    sandbox = Sandbox()
    sandbox.shim.overrides = {"identity_bridge": {"failed_logins_per_minute": 1000}}
    with sandbox, requests.Session() as http:
        admin = User.sign_in(sandbox.admin)
        http.trust_env = False  # a proxy cannot reach our loopback
        http.headers["X-Auth-Token"] = admin.token
        home = tmp_path_factory.mktemp("home")
        yield Cloud(sandbox, home, admin, User.sign_in(sandbox.member), http)


@pytest.fixture
def nova(
    request: pytest.FixtureRequest, environments: Mapping[str, clients.Environment], cloud: Cloud
) -> Nova:
    """The command for the login that is the test's (indirect) parameter, as administrator."""
    return signed_in(request.param, environments, cloud)


@pytest.fixture
def machine(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """A machine, as create showed it."""
    node = cloud.create_node()
    yield node
    cloud.discard_node(node["uuid"])
