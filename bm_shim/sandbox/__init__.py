# SPDX-License-Identifier: Apache-2.0
"""A real Keystone, a real Ironic and the shim as child processes, for trials and tests.

::

    with Sandbox(nodes=20) as sandbox:
        requests.get(f"{sandbox.url}/v2.1/os-baremetal-nodes", ...)
"""

from bm_shim.sandbox.bmc import Bmc
from bm_shim.sandbox.credentials import Credentials
from bm_shim.sandbox.errors import PartFailed, SandboxError
from bm_shim.sandbox.process import Part
from bm_shim.sandbox.sandbox import Sandbox
from bm_shim.sandbox.shim import Shim

__all__ = ["Bmc", "Credentials", "Part", "PartFailed", "Sandbox", "SandboxError", "Shim"]
