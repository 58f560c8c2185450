# SPDX-License-Identifier: Apache-2.0
"""Fills a sandbox by a real conversion of a demo nova-baremetal database."""

import sys
from collections.abc import Callable
from pathlib import Path
from shlex import join, quote

import yaml

from bm_shim.sandbox import command, nova_bm
from bm_shim.sandbox.bmc import Bmc
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.errors import SandboxError
from bm_shim.sandbox.nova_bm_conf import nova_conf
from bm_shim.sandbox.sandbox import Sandbox


def convert(sandbox: Sandbox, nodes: int, while_waiting: Callable[[], None]) -> Path:
    """Make the database, if it is not there yet, and convert it with ``bm-shim migrate``.

    The first machines are the simulated ones with a BMC, as many as there are; Ironic simulates
    the others.

    :param nodes: machines in the database
    :param while_waiting: called some times a second
    :returns: the log of the conversion
    :raises SandboxError: it failed
    """
    arguments = _arguments(sandbox, nodes)
    log = sandbox.state_dir / "conversion.log"
    line = f"exec {join(arguments)} >{quote(str(log))} 2>&1"
    status = command.run(line, for_part(), while_waiting)
    if status:
        raise SandboxError(f"The conversion ended with exit status {status}; its log is {log}")
    return log


def _arguments(sandbox: Sandbox, nodes: int) -> list[str]:
    """Write the files that the conversion reads, and return its command line."""
    directory = sandbox.state_dir
    database = directory / "nova_bm.sqlite"
    url = f"sqlite:///{database}"
    if not database.exists():
        _switch_on(sandbox.bmcs)
        unfinished = database.with_name(f"{database.name}.new")
        unfinished.unlink(missing_ok=True)
        nova_bm.generate(f"sqlite:///{unfinished}", nodes=nodes)
        unfinished.rename(database)
    conf = directory / "nova.conf"
    conf.write_text(nova_conf(sql_connection=url))
    mapping = directory / "mapping.yaml"
    mapping.touch(mode=0o600)
    mapping.write_text(yaml.safe_dump(_mapping(sandbox.bmcs)))
    return [
        *(sys.executable, "-m", "bm_shim", "migrate"),
        *("--nova-conf", str(conf)),
        *("--mapping", str(mapping)),
        *("--driver", "fake-hardware"),
        *("--config-file", str(directory / "bm-shim.conf")),
        *("--report", str(directory / "conversion.json")),
    ]


def _mapping(bmcs: list[Bmc]) -> dict[str, object]:
    """Say where the BMCs are: nova-baremetal knew of no ports."""
    ids = nova_bm.live_ids(len(bmcs))
    return {
        "nodes": {
            number: {"name": bmc.name, "driver": "ipmi", "driver_info": bmc.driver_info}
            for number, bmc in zip(ids, bmcs, strict=True)
        }
    }


def _switch_on(bmcs: list[Bmc]) -> None:
    """Let the machines run that have an instance, as they would."""
    for number, bmc in zip(nova_bm.live_ids(len(bmcs)), bmcs, strict=True):
        if nova_bm.describe_node(number)["instance_uuid"]:
            bmc.switch("on")
