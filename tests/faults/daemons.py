# SPDX-License-Identifier: Apache-2.0
"""Servers that no Python package brings: HAProxy, memcached."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from functional.support import wait_until

from bm_shim.sandbox.address import HOST, Address
from bm_shim.sandbox.process import Program, spawn


def find_program(name: str) -> str:
    """Return the path of a program; without it the test is skipped, or in CI fails."""
    # Debian keeps servers out of the users' PATH.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        message = f"{name} is not installed (Debian package {name})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


class Daemon:
    """A server on a port of its own, which stays the same when it is started again.

    :param program: and its arguments
    """

    def __init__(self, program: Sequence[str], address: Address, log: Path) -> None:
        self._program = program
        self.address = address
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with open(self.log, "ab") as output:
            self._process = spawn(Program(self._program, dict(os.environ)), output=output)
        wait_until(self._listens)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hang during the block: it takes connections and does not answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.address.port), 1):
            return True
        return False


@contextlib.contextmanager
def running(daemon: Daemon) -> Iterator[Daemon]:
    """Run a server during the block."""
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
        daemon.address.release()
