# SPDX-License-Identifier: Apache-2.0
"""The sandbox that functional tests share."""

from collections.abc import Iterator

import pytest

from bm_shim.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without demo nodes; who stops one of its parts starts it again."""
    with Sandbox() as running:
        yield running
