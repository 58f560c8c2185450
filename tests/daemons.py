# SPDX-License-Identifier: Apache-2.0
"""Programs that no Python package brings, and servers that are started and stopped."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from functional.support import wait_until

from bm_shim.sandbox.address import HOST, Address
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.process import Program, spawn

ROOT = Path(__file__).parents[1]


def find_program(name: str, package: str | None = None) -> str:
    """Return the path of a program; without it the test is skipped, or in CI fails.

    :param package: Debian's, where its name is another
    """
    # Some come as Python packages; Debian keeps servers out of the users' PATH.
    places = (str(Path(sys.executable).parent), None, "/usr/sbin:/usr/local/sbin")
    path = next((path for place in places if (path := shutil.which(name, path=place))), None)
    if path is None:
        message = f"{name} is not installed (Debian package {package or name})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


class Daemon:
    """A server on a port of its own, which stays the same when it is started again.

    It is in a process group of its own.

    :param program: and its arguments
    :param environment: beside what every part of a sandbox gets
    """

    def __init__(
        self,
        program: Sequence[object],
        address: Address,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._program = [str(word) for word in program]
        self._environment = {**for_part(), "PYTHONPATH": str(ROOT), **(environment or {})}
        self.address = address
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self.address.url

    @property
    def pid(self) -> int:
        """Process id of the first process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with open(self.log, "ab") as output:
            self._process = spawn(Program(self._program, self._environment), output=output)
        wait_until(self._listens, 60)

    def wait_for(self, path: str, status: int = 200) -> None:
        """Wait until it answers a request in this way."""
        wait_until(lambda: self.ask(path) == status, 60)

    def ask(self, path: str) -> int | None:
        """Return the status of an answer; None if there is none."""
        connection = http.client.HTTPConnection(HOST, self.address.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def terminate(self) -> None:
        """Ask it to end."""
        assert self._process is not None
        self._process.terminate()

    def wait(self) -> int:
        """Wait until it has ended, and return how, as in ``Popen.returncode``."""
        assert self._process is not None
        return self._process.wait(60)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hang during the block: it takes connections and does not answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it and all that it started, if it runs."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

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
