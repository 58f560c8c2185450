# SPDX-License-Identifier: Apache-2.0
"""What ``bm-shim sandbox`` does: start, use, stop."""

import time
from dataclasses import dataclass
from pathlib import Path

import click

from bm_shim.sandbox import command as user_command
from bm_shim.sandbox import lifetime
from bm_shim.sandbox.bmc_nodes import enroll
from bm_shim.sandbox.environment import for_command
from bm_shim.sandbox.errors import SandboxError
from bm_shim.sandbox.hints import paste_lines
from bm_shim.sandbox.process import Part, describe_status
from bm_shim.sandbox.sandbox import Sandbox

_POLL_INTERVAL = 0.2
#: Machines that are converted unless somebody says how many.
_CONVERTED_NODES = 20


@dataclass(frozen=True)
class Settings:
    """The options of the command, see :class:`Sandbox`."""

    nodes: int
    #: Fill it by a conversion, see :func:`bm_shim.sandbox.conversion.convert`.
    from_nova_bm: bool
    bmcs: int
    workers: int
    port: int
    state_dir: Path | None


def run(settings: Settings, command: str | None) -> int:
    """Run a sandbox until its command ends or, without one, until we are interrupted.

    :param command: for /bin/sh.
    :returns: the exit status: the command's; 0 after an interruption that was waited for, 128 + N
        after another, by signal N.
    :raises click.ClickException: something did not work.
    """
    sandbox = None
    try:
        lifetime.watch()
        sandbox = Sandbox(
            nodes=0 if settings.from_nova_bm else settings.nodes,
            bmcs=settings.bmcs,
            workers=settings.workers,
            port=settings.port,
            state_dir=settings.state_dir,
            progress=_say,
        )
        sandbox.start()
        if settings.from_nova_bm:
            _convert(sandbox, settings.nodes)
        if sandbox.bmcs:
            _enroll_bmcs(sandbox)
        if command is None:
            return _wait(sandbox)
        environment = for_command(sandbox.environment)
        return user_command.run(command, environment, _Watch(sandbox))
    except lifetime.Interrupted as interruption:
        return 128 + interruption.signal
    except SandboxError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"The sandbox cannot go on: {error}.") from error
    finally:
        lifetime.ignore()
        if sandbox:
            sandbox.stop()


def _convert(sandbox: Sandbox, nodes: int) -> None:
    # Only here are the packages needed that it comes with.
    from bm_shim.sandbox import conversion

    nodes = max(nodes or _CONVERTED_NODES, len(sandbox.bmcs))
    _say(f"Converting a demo nova-baremetal database of {nodes} machines")
    log = conversion.convert(sandbox, nodes, _Watch(sandbox))
    _say(f"Converted; its log is {log}")


def _enroll_bmcs(sandbox: Sandbox) -> None:
    _say(f"Making sure that Ironic knows the machines with a BMC ({len(sandbox.bmcs)})")
    enroll(sandbox.bmcs, sandbox.ironic_url, sandbox.admin.for_system().session())


def _wait(sandbox: Sandbox) -> int:
    click.echo(paste_lines(sandbox.environment, bmcs=bool(sandbox.bmcs)))
    _say("Ready. Ctrl-C stops everything.")
    watch = _Watch(sandbox)
    try:
        while True:
            time.sleep(_POLL_INTERVAL)
            watch()
    except lifetime.Interrupted:
        _say("Stopping")
        return 0


class _Watch:
    """Tells, once each, of parts that ended by themselves; the others go on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._told: set[Part] = set()

    def __call__(self) -> None:
        for part in self._sandbox.parts:
            if part not in self._told and (status := part.status) is not None:
                self._told.add(part)
                _say(f"{part.title} {describe_status(status)}; its log is {part.log_path}")


def _say(line: str) -> None:
    click.echo(line, err=True)
