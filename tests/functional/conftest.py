# SPDX-License-Identifier: Apache-2.0
"""The shared sandbox as the functional tests see it."""

import pytest

from bm_shim.sandbox import Sandbox

from .support import Cloud


@pytest.fixture(scope="module")
def cloud(sandbox: Sandbox) -> Cloud:
    """What a module works with; some have one of their own."""
    return Cloud(sandbox)
