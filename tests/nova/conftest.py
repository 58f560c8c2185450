# SPDX-License-Identifier: Apache-2.0
"""nova-api and the shim beside each other, once for all tests here."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from clients.environments import InstallError, default_directory, install_missing

from bm_shim.sandbox import Sandbox, Shim
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.errors import PartFailed
from bm_shim.sandbox.home import Home

from .environment import VERSION, NovaEnvironment
from .machines import DEMO_NODES, create_all
from .server import Nova
from .sides import Side, Sides

#: Seconds that a test may take which has to wait for the installation of nova first.
_INSTALLATION_TIMEOUT = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave time for the installation."""
    if not NovaEnvironment(VERSION, default_directory()).is_ready:
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.timeout(_INSTALLATION_TIMEOUT))


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> NovaEnvironment:
    """Nova's environment; it is made if it is missing."""
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", end="", flush=True)

    environment = NovaEnvironment(VERSION, default_directory())
    try:
        install_missing([environment], environment.directory, say)
    except InstallError as error:
        pytest.fail(str(error), pytrace=False)
    return environment


@pytest.fixture(scope="session")
def sides(
    environment: NovaEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sides]:
    """Nova, and a shim that is set up to answer like it."""
    with ExitStack() as cleanup:
        sandbox = Sandbox(nodes=DEMO_NODES)
        cleanup.callback(sandbox.stop)
        home = Home(tmp_path_factory.mktemp("nova") / "state")
        cleanup.callback(home.close)
        address = Address()
        cleanup.callback(address.release)
        nova = Nova(home, address, environment, sandbox.service)
        cleanup.callback(nova.stop)
        try:
            shim = _start(sandbox, nova)
        except PartFailed as error:
            pytest.fail(str(error), pytrace=False)
        pool = cleanup.enter_context(ThreadPoolExecutor(max_workers=1))
        yield _sides(sandbox, nova, shim, pool)


def _start(sandbox: Sandbox, nova: Nova) -> Shim:
    """Start everything, and return the shim."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        preparation = pool.submit(nova.prepare)
        sandbox.start()
        create_all(sandbox)
        preparation.result()
    nova.start()
    overrides = {"api": {"response_format": "ironic-proxy", "read_only": True}}
    return sandbox.add_shim("proxy", overrides)


def _sides(sandbox: Sandbox, nova: Nova, shim: Shim, pool: ThreadPoolExecutor) -> Sides:
    admin, member = sandbox.admin.session(), sandbox.member.session()
    tokens = {"admin": str(admin.get_token()), "member": str(member.get_token())}
    projects = {
        "OTHER-PROJECT": str(member.get_project_id()),
        "PROJECT": str(admin.get_project_id()),
    }
    return Sides(Side(nova.url, tokens, projects), Side(shim.url, tokens, projects), pool)
