# SPDX-License-Identifier: Apache-2.0
"""Parts of a sandbox, with small programs in the place of the real servers."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from bm_shim.sandbox import process
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.errors import Cancelled, PartFailed
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.process import Part, Program, describe_status, is_dead, spawn

SERVER = """
import http.server, sys
address = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""
# Ignores SIGTERM, and so does its child.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
"""
SLEEP = "import time; time.sleep(600)"


class Stub(Part):
    """Runs a piece of Python."""

    title: ClassVar[str] = "Stub"
    worker_died: ClassVar[re.Pattern[str]] = re.compile("worker died")
    code = SERVER

    def program(self) -> Program:
        arguments = [sys.executable, "-c", self.code, str(self.address.port)]
        return Program(arguments, dict(os.environ))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.fixture
def part(home: Home) -> Iterator[Stub]:
    address = Address()
    part = Stub("stub", home, address)
    yield part
    part.kill()
    address.release()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or is_dead(psutil.Process(pid))


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_life_of_a_part(part: Stub) -> None:
    part.start()
    pid = part.pid
    assert pid is not None
    assert part.pid_path.read_text() == f"{pid}\n"
    assert os.getpgid(pid) == os.getsid(pid) == pid
    part.start()  # has nothing to do
    assert part.pid == pid
    port = part.address.port
    part.restart()
    assert part.pid not in (None, pid)
    assert part.address.port == port
    assert gone(pid)
    part.stop()
    part.stop()
    assert part.pid is None
    assert not part.pid_path.exists()


def test_a_part_that_ended_by_itself_can_be_started_again(part: Stub) -> None:
    part.start()
    pid = part.pid
    assert pid is not None
    assert part.status is None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: part.status == -signal.SIGKILL)
    part.start()
    assert part.pid not in (None, pid)
    assert part.status is None


def test_a_stubborn_part_is_killed_with_its_children(
    part: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stub, "_answers", lambda self: True)
    part.code = STUBBORN + SLEEP
    part.start()
    pid = part.pid
    assert pid is not None
    assert eventually(lambda: bool(psutil.Process(pid).children()))
    child = psutil.Process(pid).children()[0].pid
    part.stop(grace=0.2)
    assert gone(pid)
    assert gone(child)


def test_a_part_that_ends_at_once(part: Stub) -> None:
    password = part.home.password("admin")
    part.code = f"print('\\n'.join(map(str, range(50)))); exit('no way with {password}')"
    with pytest.raises(PartFailed) as caught:
        part.start()
    assert caught.value.reason == "it ended with exit status 1"
    assert caught.value.log == [*map(str, range(31, 50)), "no way with ***"]
    assert str(caught.value).startswith("Stub did not start: it ended with exit status 1.\n")
    assert part.pid is None
    assert not part.pid_path.exists()


def test_a_program_that_does_not_exist(part: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "program", lambda: Program(["/no/such/program"], {}))
    with pytest.raises(PartFailed, match=r"/no/such/program: No such file or directory"):
        part.start()


def test_a_part_whose_workers_die(part: Stub) -> None:
    part.code = f"print('worker died', flush=True); {SLEEP}"
    with pytest.raises(PartFailed, match="its log says 'worker died'"):
        part.start()


def test_old_lines_of_the_log_do_not_count(part: Stub) -> None:
    part.log_path.write_text("worker died\n")
    part.start()
    assert part.pid is not None


def test_a_part_that_does_not_answer(part: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_TIMEOUT", 0.3)
    part.code = SLEEP
    with pytest.raises(PartFailed, match=r"no answer from http://127\.0\.0\.1:"):
        part.start()
    assert part.pid is None


def test_a_start_is_given_up_when_the_sandbox_is_stopped(part: Stub) -> None:
    part.code = SLEEP
    timer = threading.Timer(0.3, part.home.closing.set)
    timer.start()
    with pytest.raises(Cancelled):
        part.start()
    assert part.pid is None
    timer.join()


def test_steps(part: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(code: str) -> Program:
        return Program([sys.executable, "-c", code], dict(os.environ))

    part.run_step(step("pass"), "doing nothing")
    with pytest.raises(PartFailed, match="failing ended with exit status 3"):
        part.run_step(step("exit(3)"), "failing")
    monkeypatch.setattr(process, "START_TIMEOUT", 0.2)
    with pytest.raises(PartFailed, match="sleeping took more than 0 s"):
        part.run_step(step(SLEEP), "sleeping")
    assert part.pid is None


def test_the_lock_is_held_until_the_last_process_is_gone(part: Stub) -> None:
    part.start()
    assert part.pid is not None
    files = {file.path for file in psutil.Process(part.pid).open_files()}
    assert str(part.home.path / "parts.lock") in files


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started = []

    def start() -> None:
        program = Program([sys.executable, "-c", SLEEP], {})
        with open(tmp_path / "log", "wb") as log:
            started.append(spawn(program, output=log))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    time.sleep(0.3)
    child = started[0]
    assert child.poll() is None
    child.kill()
    child.wait()


def test_statuses_in_words() -> None:
    assert describe_status(0) == "ended with exit status 0"
    assert describe_status(-9) == "was ended by signal 9"
