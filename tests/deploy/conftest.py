# SPDX-License-Identifier: Apache-2.0
"""The shared sandbox as the deployment tests see it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from functional.support import Cloud

from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.address import Address


@pytest.fixture(scope="session")
def cloud(sandbox: Sandbox) -> Cloud:
    """Keystone, Ironic, and a shim of the sandbox's own."""
    return Cloud(sandbox)


@pytest.fixture(scope="session")
def config(sandbox: Sandbox) -> Path:
    """A configuration that works in the sandbox."""
    return sandbox.state_dir / "bm-shim.conf"


@pytest.fixture
def address() -> Iterator[Address]:
    """A port that is free."""
    reserved = Address()
    yield reserved
    reserved.release()


@pytest.fixture(scope="session")
def environment(config: Path) -> Callable[..., Mapping[str, str]]:
    """Makes the environment of a shim: options as ``GROUP__OPTION``, all else by its name."""

    def make(options: Mapping[str, object] | None = None, **others: object) -> Mapping[str, str]:
        settings = {f"OS_{name}": str(value) for name, value in (options or {}).items()}
        more = {name: str(value) for name, value in others.items()}
        return {"BM_SHIM_CONFIG": str(config), **settings, **more}

    return make
