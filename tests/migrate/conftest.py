# SPDX-License-Identifier: Apache-2.0
"""Database servers and databases, for all tests here."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from functional.support import Cloud

from bm_shim.sandbox import Sandbox

from .databases import DatabaseServer, MariaDB, NotInstalled, PostgreSQL, make_name, running


def _serve(kind: type[DatabaseServer]) -> Iterator[DatabaseServer]:
    try:
        with running(kind) as server:
            yield server
    except NotInstalled as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    yield from _serve(MariaDB)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    yield from _serve(PostgreSQL)


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    """Each of the servers, started when first asked for."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, DatabaseServer)
    return found


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each of the kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/nova_bm.sqlite"
        return
    server: DatabaseServer = request.getfixturevalue(request.param)
    name = make_name()
    yield server.create_database(name)
    server.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def cloud(sandbox: Sandbox) -> Cloud:
    """The shared sandbox, seen from both sides."""
    return Cloud(sandbox)


@pytest.fixture
def empty_ironic(cloud: Cloud, remove_nodes: Callable[[], None]) -> Iterator[None]:
    """No nodes before a test, and none after it, however many it makes."""

    def remove() -> None:
        # A list shows a thousand of them.
        while cloud.names():
            remove_nodes()

    remove()
    yield
    remove()
