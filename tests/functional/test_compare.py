# SPDX-License-Identifier: Apache-2.0
"""``bm-shim compare`` with real servers, signed in as operators do."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bm_shim.cmd.compare import compare

from .support import Cloud, LogTail


@pytest.fixture(scope="module")
def run(cloud: Cloud) -> Iterator[Callable[..., Result]]:
    """Runs the command with the sandbox's environment, on two nodes."""

    def invoke(*arguments: object) -> Result:
        words = [str(each) for each in arguments]
        result = CliRunner().invoke(compare, words, env=cloud.sandbox.admin.environment)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    with cloud.restored():
        for address in ("52:54:00:c0:01:01", "52:54:00:c0:01:02"):
            cloud.api.create(prov_mac_address=address, cpus=4)
        yield invoke


def test_a_server_is_like_itself(cloud: Cloud, run: Callable[..., Result]) -> None:
    log = LogTail(cloud.sandbox.shim.log_path)
    result = run(f"{cloud.sandbox.url}/v2.1", cloud.sandbox.url)
    assert result.exit_code == 0, result.output
    lines = [line for line in log.text().splitlines() if "bm-shim-compare/" in line]
    assert len(lines) > 20
    assert all(" method=GET " in line for line in lines)


def test_two_formats_differ(
    cloud: Cloud,
    run: Callable[..., Result],
    shim_with: Callable[[Mapping[str, object]], str],
) -> None:
    proxy = shim_with({"response_format": "ironic-proxy"})
    result = run(proxy, cloud.sandbox.url, "--format", "json")
    assert result.exit_code == 1
    made: dict[str, Any] = json.loads(result.stdout)
    shown = made["requests"][-1]
    found = {each["where"]: each["kind"] for each in shown["differences"]}
    assert found["node.memory_mb"] == "type"
    assert found["node.pm_user"] == "added"


def test_the_reads_of_a_real_log(cloud: Cloud, run: Callable[..., Result], tmp_path: Path) -> None:
    name = cloud.names()[-1]
    log = LogTail(cloud.sandbox.shim.log_path)
    cloud.api.show(name)
    cloud.api.list()
    cloud.api.delete("no-such-node")
    file = tmp_path / "log"
    file.write_text(log.text())
    result = run(cloud.sandbox.url, cloud.sandbox.url, "--log", file, "--format", "json")
    assert result.exit_code == 0, result.output
    assert [each["request"] for each in json.loads(result.stdout)["requests"]] == [
        f"GET /v2.1/os-baremetal-nodes/{name}",
        "GET /v2.1/os-baremetal-nodes",
    ]
