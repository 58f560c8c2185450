# SPDX-License-Identifier: Apache-2.0
"""The entry for WSGI servers, in a process of its own: it sets up logging for good."""

import os
import subprocess
import sys
from pathlib import Path

from .conftest import ini

ROOT = Path(__file__).parents[2]

ASK = """
import werkzeug.test
from wsgi import application
response = werkzeug.test.Client(application).get("/v2.1/os-baremetal-nodes")
print(f"{response.status_code} {response.text}")
"""


def run(config: Path) -> tuple[int, str]:
    """Return the exit status and all output of a process that serves a request."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK],
        cwd=ROOT,
        env=os.environ | {"BM_SHIM_CONFIG": str(config)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    # Two pipes: a thread that still logs would write into the answer.
    return ended.returncode, ended.stdout + ended.stderr


def test_the_service_starts_while_ironic_is_away(tmp_path: Path) -> None:
    config = tmp_path / "bm-shim.conf"
    ironic = {
        "auth_type": "none",
        "endpoint_override": "http://127.0.0.1:1",
        "api_max_retries": 0,
    }
    config.write_text(ini({"api": {"auth_strategy": "noauth"}, "ironic": ironic}))
    status, output = run(config)
    assert status == 0
    assert '503 {"serviceUnavailable"' in output
    assert "path=/v2.1/os-baremetal-nodes" in output  # the access line
    assert "Traceback" not in output


def test_a_configuration_that_cannot_work_ends_the_start(tmp_path: Path) -> None:
    config = tmp_path / "bm-shim.conf"
    config.write_text(ini({"api": {"auth_strategy": "keystone"}}))
    status, output = run(config)
    assert status != 0
    assert "[keystone_authtoken] has no auth_type" in output
