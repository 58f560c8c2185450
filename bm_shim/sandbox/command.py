# SPDX-License-Identifier: Apache-2.0
"""Runs the user's command against a sandbox."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping

import psutil

from bm_shim.sandbox.lifetime import Interrupted
from bm_shim.sandbox.process import Program, is_dead, spawn

#: Seconds that the command has to end when the sandbox is asked to.
_GRACE = 5.0
_POLL_INTERVAL = 0.05


def run(command: str, environment: Mapping[str, str], while_waiting: Callable[[], None]) -> int:
    """Run a shell command, with our stdin, stdout and stderr.

    When the sandbox is interrupted, the command and what it has started are ended, too.

    :param while_waiting: called some times a second.
    :returns: its status, 128 + N if signal N ended it, as shells have it.
    :raises Interrupted: the sandbox was asked to end.
    """
    program = Program(["/bin/sh", "-c", command], environment)
    # In our own session and process group, so that it may use the terminal.
    process = spawn(program, session=False)
    try:
        while process.poll() is None:
            time.sleep(_POLL_INTERVAL)
            while_waiting()
    except Interrupted as interruption:
        if interruption.signal == signal.SIGINT and _has_terminal():
            # The terminal has told the command as well: let it end as it sees fit.
            with contextlib.suppress(subprocess.TimeoutExpired):
                return _shell_status(process.wait(_GRACE))
        _end(process)
        raise
    return _shell_status(process.returncode)


def _has_terminal() -> bool:
    """Whether keys like Ctrl-C reach our process group."""
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the shell and its descendants: SIGTERM, then SIGKILL."""
    try:
        shell = psutil.Process(process.pid)
        doomed = [shell, *shell.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        for victim in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.send_signal(number)
        deadline = time.monotonic() + _GRACE
        while not all(map(is_dead, doomed)) and time.monotonic() < deadline:
            time.sleep(_POLL_INTERVAL)
    process.wait()


def _shell_status(status: int) -> int:
    return 128 - status if status < 0 else status
