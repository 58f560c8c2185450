# SPDX-License-Identifier: Apache-2.0
"""A part of the sandbox: one server, run as a child process."""

import abc
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

import psutil

from bm_shim.sandbox import launcher
from bm_shim.sandbox.address import HOST, Address
from bm_shim.sandbox.errors import PartFailed
from bm_shim.sandbox.home import Home

#: Seconds that a part may take until it answers; a busy machine is allowed for.
START_TIMEOUT = 60.0
#: Seconds between SIGTERM and SIGKILL.
GRACE = 10.0
#: Seconds that killed processes may take to be gone.
_KILL_TIMEOUT = 5.0
_POLL_INTERVAL = 0.03
_LOG_LINES = 20

# A child is told when the *thread* that started it ends, so all are started from one that
# lasts as long as the program.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-spawner")


@dataclass(frozen=True)
class Program:
    """What to run: arguments, environment, and sockets and descriptors to hand over."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    sockets: Sequence[socket.socket] = ()


def spawn(
    program: Program,
    *,
    output: IO[bytes] | None = None,
    descriptors: Sequence[int] = (),
    session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a program that gets SIGTERM when this one ends, in whatever way it ends.

    Its sockets are closed here afterwards.

    :param output: where its stdout and stderr go, its stdin then being empty; None: it shares
        all three with us.
    :param descriptors: further open files that it inherits.
    :param session: give it a session, and so a process group, of its own.
    """
    command = [sys.executable, "-I", "-S", launcher.__file__, str(os.getpid())]
    try:
        return _spawner.submit(
            subprocess.Popen,
            [*command, *program.arguments],
            env=program.environment,
            stdin=None if output is None else subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            pass_fds=[*descriptors, *(shared.fileno() for shared in program.sockets)],
            start_new_session=session,
        ).result()
    finally:
        for shared in program.sockets:
            shared.close()


def describe_status(status: int) -> str:
    """Return in words how a process ended, from its ``Popen.returncode``."""
    if status < 0:
        return f"was ended by signal {-status}"
    return f"ended with exit status {status}"


def is_dead(process: psutil.Process) -> bool:
    """Whether a process has ended, with or without somebody having taken note of it."""
    try:
        # It looks dead as soon as its main thread is; the other threads may still end.
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
    except psutil.NoSuchProcess:
        return True


class Part(abc.ABC):
    """One server of the sandbox, with its port, configuration, log and pid file.

    The port stays the same however often the part is stopped and started.

    :param name: unique in the sandbox; names the files ``NAME.log``, ``NAME.pid``.
    """

    #: Shown to people.
    title: ClassVar[str]
    #: Answers with a status below 500 when the part is ready.
    probe: ClassVar[str] = "/"
    #: A line of the log which says that a worker process died. gunicorn and Ironic start such
    #: a worker again and again, so during the start the log tells sooner than a timeout.
    worker_died: ClassVar[re.Pattern[str]]

    def __init__(self, name: str, home: Home, address: Address) -> None:
        self.name = name
        self.home = home
        self.address = address
        self.log_path: Path = home.path / f"{name}.log"
        self.pid_path: Path = home.path / f"{name}.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._lock = threading.Lock()

    @abc.abstractmethod
    def program(self) -> Program:
        """Write the configuration and return what to run."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self.address.url

    @property
    def pid(self) -> int | None:
        """Process id, also the id of its session and process group; None when stopped."""
        return self._process.pid if self._process else None

    @property
    def status(self) -> int | None:
        """How the process ended by itself, as in ``Popen.returncode``; None otherwise."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the part and wait until it answers. Nothing is done when it is running.

        :raises PartFailed: it ended, or did not answer in time; it is stopped then.
        :raises Cancelled: the sandbox was stopped meanwhile.
        """
        if self._process and self.status is None:
            return
        self.stop()  # it may have ended by itself
        try:
            self._spawn(self.program())
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self, grace: float = GRACE) -> None:
        """Stop the part and all its processes.

        :param grace: seconds until it is killed.
        """
        with self._lock:
            process, self._process = self._process, None
        if process:
            _end(process, grace)
        self.pid_path.unlink(missing_ok=True)

    def restart(self) -> None:
        """Stop and start, with the configuration written anew."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End the part and all its processes at once, with SIGKILL."""
        self.stop(grace=0)

    def run_step(self, program: Program, purpose: str) -> None:
        """Run a program that prepares the part, to its end.

        :param purpose: for the message: ``making its database``.
        :raises PartFailed: it failed, or took too long.
        :raises Cancelled: the sandbox was stopped meanwhile.
        """
        try:
            process = self._spawn(program)
            deadline = time.monotonic() + START_TIMEOUT
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise self.failure(f"{purpose} took more than {START_TIMEOUT:.0f} s")
                self._pause()
            if process.returncode:
                raise self.failure(f"{purpose} {describe_status(process.returncode)}")
        finally:
            self.stop()

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        # Under the lock: who stops the sandbox meanwhile finds the process, or prevents it.
        with self._lock, open(self.log_path, "ab") as log:
            self.home.check_open()
            self._log_start = log.tell()
            self._process = spawn(
                program, output=log, descriptors=[self.home.parts_lock_descriptor]
            )
            self.pid_path.write_text(f"{self._process.pid}\n")
            return self._process

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if (status := self.status) is not None:
                raise self.failure(f"it {describe_status(status)}")
            if death := self.worker_died.search(self._log()):
                raise self.failure(f"its log says {death.group().strip()!r}")
            if time.monotonic() > deadline:
                raise self.failure(f"no answer from {self.url} within {START_TIMEOUT:.0f} s")
            self._pause()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.address.port, timeout=5)
        try:
            connection.request("GET", self.probe)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _pause(self) -> None:
        self.home.closing.wait(_POLL_INTERVAL)
        self.home.check_open()

    def _log(self) -> str:
        with open(self.log_path, errors="replace") as log:
            log.seek(self._log_start)
            return self.home.redact(log.read())

    def failure(self, reason: str) -> PartFailed:
        """Return the error for a failed start, with the end of the log."""
        return PartFailed(self.title, reason, self._log().splitlines()[-_LOG_LINES:])


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """End a process that leads a group, and whatever is left of the group."""
    if grace:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    # Also after a good end: a group that is empty by then is no error.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Their sockets and databases are free only when the last of them is gone.
    deadline = time.monotonic() + _KILL_TIMEOUT
    while _is_alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def _is_alive(group: int) -> bool:
    """Whether a process group has living members."""
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) == group and not is_dead(process):
                return True
    return False
