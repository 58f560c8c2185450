# SPDX-License-Identifier: Apache-2.0
"""``bm-shim compare`` with a real nova on one side: the evidence that an operator wants to see."""

import json
import re
from pathlib import Path

from click.testing import CliRunner

from bm_shim.cmd.compare import compare

from .sides import Sides

#: The purposeful differences, of which ``differences.py`` tells.
EXPECTED = {
    # All that nova's other APIs have is not here.
    ("missing", "extensions[*]"),
    # 2.35 is the highest version, and the old API is not deprecated.
    ("value", "versions[*].status"),
    ("value", "versions[*].updated"),
    ("value", "versions[*].version"),
    ("value", "version.version"),
    # Where there is no token, the answer is a fault like all others, with an id.
    ("missing", "error"),
    ("added", "unauthorized"),
    ("value", "header content-type"),
    ("added", "header x-compute-request-id"),
    ("added", "header x-openstack-request-id"),
}


def test_nova_and_the_shim(sides: Sides, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(sides.nova.tokens["admin"])
    arguments = [sides.nova.url, sides.shim.url, "--token-file", str(token), "--format", "json"]
    result = CliRunner().invoke(compare, arguments)
    made = json.loads(result.stdout)
    assert result.exit_code == made["exit_status"] == 1
    assert made["stopped"] is None
    found = {
        (each["kind"], re.sub(r"\[[^]]*\]", "[*]", each["where"]))
        for request in made["requests"]
        for each in request["differences"]
    }
    assert found == EXPECTED
    shown = [each for each in made["requests"] if "/os-baremetal-nodes/" in each["request"]]
    assert len(shown) > 20
    assert not any(each["differences"] for each in shown)
