# SPDX-License-Identifier: Apache-2.0
"""A cloud whose parts can be made to fail, and a shim that meets them through proxies."""

from collections.abc import Iterator

import pytest
from functional.support import Cloud, Proxy

from bm_shim.sandbox import Sandbox


@pytest.fixture(scope="module")
def cloud(sandbox: Sandbox) -> Cloud:
    """The shared sandbox, from both sides."""
    return Cloud(sandbox)


@pytest.fixture(scope="module")
def ironic_proxy(cloud: Cloud) -> Iterator[Proxy]:
    """Stands before Ironic."""
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def keystone_proxy(cloud: Cloud) -> Iterator[Proxy]:
    """Stands before Keystone."""
    with Proxy(cloud.sandbox.keystone_url) as proxy:
        yield proxy
