# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a command, and the processes behind it.

Starting one takes some seconds, so each test looks at many things at once.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from bm_shim.sandbox import Credentials, Sandbox, SandboxError
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.process import is_dead

COMMAND = [sys.executable, "-c", "from bm_shim.cmd import main; main()", "sandbox"]

VARIABLES = {
    "OS_AUTH_URL",
    "OS_USERNAME",
    "OS_PASSWORD",
    "OS_PROJECT_NAME",
    "OS_USER_DOMAIN_ID",
    "OS_PROJECT_DOMAIN_ID",
    "OS_REGION_NAME",
    "OS_IDENTITY_API_VERSION",
    "BM_SHIM_MEMBER_USERNAME",
    "BM_SHIM_MEMBER_PASSWORD",
    "BM_SHIM_MEMBER_PROJECT_NAME",
    "BM_SHIM_URL",
    "BM_SHIM_IRONIC_URL",
    "BM_SHIM_STATE_DIR",
}

# Prints, as one line of JSON, what a command sees. Uses nothing but its environment.
REPORT = """
import json, os, pathlib
from keystoneauth1 import session
from keystoneauth1.identity import v3
E = os.environ
auth = v3.Password(E["OS_AUTH_URL"], username=E["OS_USERNAME"], password=E["OS_PASSWORD"],
    user_domain_id=E["OS_USER_DOMAIN_ID"], project_name=E["OS_PROJECT_NAME"],
    project_domain_id=E["OS_PROJECT_DOMAIN_ID"])
admin = session.Session(auth)
def ironic(path):
    return admin.get(path, endpoint_filter={"service_type": "baremetal"},
                     headers={"X-OpenStack-Ironic-API-Version": "1.90"}).json()
def logs_json(part):
    return '{"message": ' in pathlib.Path(E["BM_SHIM_STATE_DIR"], part + ".log").read_text()
nodes = ironic("/v1/nodes/detail")["nodes"]
print(json.dumps({
    "variables": sorted(name for name in E if name.startswith(("OS_", "BM_SHIM_"))),
    "compute": admin.get_endpoint(service_type="compute"),
    "url": E["BM_SHIM_URL"],
    "nodes": {node["name"]: node["provision_state"] for node in nodes},
    "ports": len(ironic("/v1/ports")["ports"]),
    "json": [part for part in ("shim", "ironic", "keystone") if logs_json(part)],
}))
"""


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


class Run:
    """A running ``bm-shim sandbox``."""

    def __init__(self, *arguments: str, via: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*(via or []), *COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdout = self.process.stdout
        self.progress: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,))
        self._reader.start()
        #: All processes of the sandbox, itself included, as of the last look.
        self.processes: list[psutil.Process] = []

    def _read(self, stderr: Iterator[str]) -> None:
        self.progress.extend(stderr)

    @property
    def state_dir(self) -> Path:
        return Path(self.progress[0].split()[-1])

    def wait_for_progress(self, text: str) -> None:
        assert eventually(lambda: any(text in line for line in self.progress), 60), self.progress
        self.look()

    def look(self) -> None:
        sandbox = psutil.Process(self.process.pid)
        self.processes = [sandbox, *sandbox.children(recursive=True)]

    def all_gone(self) -> bool:
        return eventually(lambda: all(map(is_dead, self.processes)))

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.stdout.close()
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Callable[..., Run]:
    def start(*arguments: str, via: list[str] | None = None) -> Run:
        started = Run(*arguments, via=via)
        request.addfinalizer(started.close)
        return started

    return start


def sandbox_command(
    *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def report(name: str) -> str:
    return f"{sys.executable} {name}; exit 7"


def test_command_with_its_environment_status_and_state(tmp_path: Path) -> None:
    script = tmp_path / "report.py"
    script.write_text(REPORT)
    state = ["--state-dir", str(tmp_path / "state")]

    result = sandbox_command(
        *("--nodes", "25", "--workers", "2", *state, "--exec", report(str(script))),
        environment={
            "OS_CLOUD": "mine",
            "OS_TOKEN": "old",
            "OS_PROJECT_ID": "x",
            "OS_DEFAULT__USE_JSON": "true",
        },
    )
    assert result.returncode == 7, result.stderr
    assert "Starting Ironic ... ready in" in result.stderr
    first = json.loads(result.stdout)  # so there is nothing else in it
    assert first["variables"] == sorted([*VARIABLES, "OS_DEFAULT__USE_JSON"])
    assert first["compute"] == f"{first['url']}/v2.1"
    assert first["json"] == ["shim"]
    assert list(first["nodes"]) == [f"demo-{number:04d}" for number in range(1, 26)]
    assert set(first["nodes"].values()) == {"available", "active", "manageable", "enroll"}
    assert first["ports"] == 50
    left = {path.name for path in (tmp_path / "state").iterdir()}
    assert {"keystone.log", "ironic.log", "shim.log"} <= left
    assert not [name for name in left if name.endswith(".pid")]

    # The state goes on, and so does what the user pasted: the ports are the same.
    result = sandbox_command(*state, "--exec", report(str(script)))
    assert result.returncode == 7, result.stderr
    second = json.loads(result.stdout)
    assert second["variables"] == sorted(VARIABLES)
    assert [second[key] for key in ("nodes", "ports", "url", "compute")] == [
        first[key] for key in ("nodes", "ports", "url", "compute")
    ]


def test_sigterm_ends_everything(run: Callable[..., Run]) -> None:
    sandbox = run()
    sandbox.wait_for_progress("Ready")
    state_dir = sandbox.state_dir
    pids = {int((state_dir / f"{p}.pid").read_text()) for p in ("keystone", "ironic", "shim")}
    assert pids < {process.pid for process in sandbox.processes}
    sandbox.process.terminate()
    assert sandbox.process.wait(20) == 0
    assert sandbox.all_gone()
    assert not state_dir.exists()
    output = sandbox.stdout.read()
    exported = {line.split("=")[0] for line in output.splitlines() if line.startswith("export ")}
    assert exported == {f"export {name}" for name in VARIABLES}


def test_sigint_during_the_start_ends_everything(run: Callable[..., Run]) -> None:
    sandbox = run()
    sandbox.wait_for_progress("Starting Keystone and Ironic")
    state_dir = sandbox.state_dir
    assert eventually(lambda: len(list(state_dir.glob("*.pid"))) == 2)
    sandbox.look()
    assert len(sandbox.processes) >= 3
    sandbox.process.send_signal(signal.SIGINT)
    assert sandbox.process.wait(20) == 128 + signal.SIGINT
    assert sandbox.all_gone()
    assert not state_dir.exists()


def test_sigint_ends_the_command_and_what_it_started(run: Callable[..., Run]) -> None:
    sandbox = run("--exec", "sleep 600 | sleep 601; echo survived")
    sandbox.wait_for_progress("Starting bm-shim")
    assert eventually(lambda: len(sleeping(sandbox)) == 2)
    sandbox.process.send_signal(signal.SIGINT)
    assert sandbox.process.wait(20) == 128 + signal.SIGINT
    assert sandbox.all_gone()
    assert sandbox.stdout.read() == ""


def sleeping(sandbox: Run) -> list[psutil.Process]:
    sandbox.look()
    return [process for process in sandbox.processes if process.name() == "sleep"]


def test_sigkill_leaves_no_process_and_frees_the_state(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    sandbox = run("--state-dir", str(tmp_path / "state"))
    sandbox.wait_for_progress("Ready")
    sandbox.process.kill()
    sandbox.process.wait()
    Home(tmp_path / "state").close()  # waits for the parts
    assert sandbox.all_gone()


def test_the_death_of_the_parent_ends_everything(run: Callable[..., Run]) -> None:
    # The shell does not replace itself with the sandbox, as something comes after it.
    sandbox = run(via=["/bin/sh", "-c", '"$@"; true', "sh"])
    sandbox.wait_for_progress("Ready")
    state_dir = sandbox.state_dir
    sandbox.process.kill()
    assert sandbox.all_gone()
    assert not state_dir.exists()


def test_a_part_that_does_not_start(tmp_path: Path) -> None:
    home = Home(tmp_path)
    password = home.password("ironic")
    home.close()
    (tmp_path / "ironic.db").write_text("This is no database. " * 100)

    result = sandbox_command("--state-dir", str(tmp_path), "--exec", "echo reached")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Error: Ironic did not start: making its database ended with exit" in result.stderr
    assert "file is not a database" in result.stderr
    assert password not in result.stderr
    # Ironic's own traceback may be in the end of its log; ours is not there.
    assert "\nTraceback" not in result.stderr
    assert not list(tmp_path.glob("*.pid"))


def test_a_port_in_use() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        result = sandbox_command("--port", str(port))
    assert result.returncode == 1
    assert result.stderr == (
        f"Error: Port {port} on 127.0.0.1 cannot be used: Address already in use.\n"
    )


def ironic(sandbox: Sandbox, account: Credentials, method: str, path: str) -> requests.Response:
    return account.session().request(
        f"{sandbox.ironic_url}{path}",
        method,
        headers={"X-OpenStack-Ironic-API-Version": "1.90"},
        json={"driver": "fake-hardware", "name": "test-sandbox"} if method == "POST" else None,
        raise_exc=False,
    )


def test_accounts_and_their_rights(sandbox: Sandbox) -> None:
    assert set(sandbox.environment) == VARIABLES
    service = sandbox.add_user("plain-service", roles=["service"], project="service")
    created = ironic(sandbox, sandbox.service.for_system(), "POST", "/v1/nodes")
    assert created.json()["owner"] is None
    try:
        for account, expected in ((sandbox.admin, 1), (sandbox.member, 0), (service, 0)):
            nodes = ironic(sandbox, account, "GET", "/v1/nodes").json()["nodes"]
            assert len(nodes) == expected, account.username
            path = "/v1/nodes/test-sandbox"
            found = ironic(sandbox, account, "GET", path).status_code
            assert found == (200 if expected else 404)
    finally:
        deleted = ironic(sandbox, sandbox.admin, "DELETE", "/v1/nodes/test-sandbox")
    assert deleted.status_code == 204


def test_several_sign_in_for_the_first_time_at_once(sandbox: Sandbox) -> None:
    for number in range(5):
        user = sandbox.add_user(f"busy-{number}", roles=["service"], project="service")
        with ThreadPoolExecutor(8) as pool:
            tokens = list(pool.map(lambda _, user=user: user.token(), range(8)))
        assert all(tokens)


@pytest.mark.parametrize("name", ["shim", "ironic", "keystone"])
def test_a_stopped_part_refuses_and_comes_back(sandbox: Sandbox, name: str) -> None:
    part = {"shim": sandbox.shim, "ironic": sandbox.ironic, "keystone": sandbox.keystone}[name]
    url, pid = part.url, part.pid
    for end in (part.stop, part.kill):
        end()
        assert not part.pid_path.exists()
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)
        part.start()
        assert part.url == url
        assert part.pid not in (None, pid)
        assert requests.get(url, timeout=5).status_code < 500


def test_another_shim(sandbox: Sandbox) -> None:
    weak = sandbox.add_user("weak-service", roles=["service"], project="service")
    shim = sandbox.add_shim("weak", {"ironic": weak.options})
    try:
        assert shim.url != sandbox.url
        config = (sandbox.state_dir / "weak.conf").read_text()
        assert "username = weak-service" in config
        assert "system_scope" not in config
        assert requests.get(shim.url, timeout=5).status_code < 500
        assert shim.log_path.read_text()
    finally:
        shim.stop()
    with pytest.raises(SandboxError, match="already a part named 'ironic'"):
        sandbox.add_shim("ironic", {})
