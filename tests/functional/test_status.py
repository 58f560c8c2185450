# SPDX-License-Identifier: Apache-2.0
"""``bm-shim status upgrade check`` on a real cloud, with accounts that have this right or that."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bm_shim.cmd.status import status
from bm_shim.sandbox import Credentials

from .support import Cloud


def check(*files: Path) -> dict[str, int]:
    """The result of each check, with these configuration files, the last of which wins."""
    names = [word for file in files for word in ("--config-file", str(file))]
    result = CliRunner().invoke(status, ["upgrade", "check", "--json", *names])
    made: dict[str, Any] = json.loads(result.stdout)
    found = {each["check"]: each["result"] for each in made["checks"]}
    assert result.exit_code == max(found.values())
    return found


def as_account(directory: Path, caller: Credentials) -> Path:
    """Write a configuration in which Ironic is called with another account."""
    file = directory / "account.conf"
    lines = [f"{name} = {value or ''}" for name, value in caller.options.items()]
    file.write_text("\n".join(["[ironic]", *lines]))
    return file


def test_the_sandbox_is_ready(cloud: Cloud) -> None:
    """But for memcached, which it does without."""
    with cloud.unchanged():
        found = check(cloud.sandbox.state_dir / "bm-shim.conf")
    assert found.pop("Configuration") == 1
    assert set(found.values()) == {0}


def test_what_accounts_lack(cloud: Cloud, tmp_path: Path) -> None:
    config = cloud.sandbox.state_dir / "bm-shim.conf"
    reader = cloud.sandbox.add_user("status-reader", system_roles=["reader"]).for_system()
    found = check(config, as_account(tmp_path, reader))
    assert (found["Right to list all nodes"], found["Right to create nodes"]) == (0, 1)
    found = check(config, as_account(tmp_path, cloud.sandbox.member))
    assert (found["Ironic"], found["Right to list all nodes"]) == (0, 2)
