# SPDX-License-Identifier: Apache-2.0
"""Replicas behind HAProxy, as ``deploy/haproxy.cfg`` has it: killed, drained, restarted."""

import csv
import itertools
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from daemons import Daemon, find_program, running
from functional.support import (
    Answer,
    Api,
    Cloud,
    Forward,
    Proxy,
    Request,
    body_of,
    node_of,
    raw_request,
    wait_until,
)

from bm_shim.sandbox import Shim
from bm_shim.sandbox.address import Address

CONFIG = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
MAC = "52:54:00:4a:00:01"
UUID = "9d1e8c1a-52d5-4d5c-8f4e-6a2f1d1c7b10"

#: Callers at once, all the time.
CALLERS = 6


@dataclass
class Replica:
    """A replica of the shim, with Ironic as only this replica sees it."""

    name: str
    shim: Shim
    ironic: Proxy
    #: While this file is there, it says that it is out of service.
    down: Path


class Balancer:
    """HAProxy before the replicas."""

    def __init__(self, url: str, admin_socket: Path, log: Path) -> None:
        self.url = url
        self.log = log
        self._admin_socket = admin_socket

    def states(self) -> dict[str, str]:
        """Return the state of each replica: UP, DOWN ..."""
        return {
            row["svname"]: row["status"]
            for row in self._statistics()
            if row["# pxname"] == "bm-shim" and row["svname"] != "BACKEND"
        }

    def retries(self) -> int:
        """Return how often a request was sent again."""
        (row,) = (
            row
            for row in self._statistics()
            if (row["# pxname"], row["svname"]) == ("bm-shim", "BACKEND")
        )
        return int(row["wretr"])

    def wait_for(self, replica: Replica, state: str) -> None:
        """Wait until HAProxy has taken note."""
        wait_until(lambda: self.states()[replica.name].startswith(state), 30)

    def _statistics(self) -> list[dict[str, str]]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._admin_socket))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return list(csv.DictReader(text.strip().splitlines()))


@pytest.fixture(scope="module")
def haproxy() -> str:
    """The program."""
    return find_program("haproxy")


@pytest.fixture(scope="module")
def replicas(cloud: Cloud, haproxy: str) -> Iterator[list[Replica]]:
    """Three replicas."""
    with ExitStack() as stack:
        made = []
        for number in (1, 2, 3):
            name = f"bm-shim-{number}"
            down = cloud.sandbox.state_dir / f"{name}.down"
            proxy = stack.enter_context(Proxy(cloud.sandbox.ironic_url))
            options = {
                "ironic": {"endpoint_override": proxy.url},
                "healthcheck": {"backends": "disable_by_file", "disable_by_file_path": down},
            }
            shim = stack.enter_context(cloud.shim(name, **options))
            made.append(Replica(name, shim, proxy, down))
        yield made


def configuration(port: int, replicas: list[Replica], nova: str) -> str:
    """Return the configuration with our addresses, and with times for tests."""
    servers = {replica.name: replica.shim.address.netloc for replica in replicas}
    text = CONFIG.read_text().replace("bind :8774", f"bind 127.0.0.1:{port}")
    for name, address in {**servers, "nova-1": nova}.items():
        text, count = re.subn(rf"(server {name}) \S+", rf"\1 {address}", text)
        assert count == 1
    return text.replace("inter 2s", "inter 200ms").replace("http-request 10s", "http-request 1s")


@pytest.fixture(scope="module")
def nova() -> Iterator[Proxy]:
    """Plays nova: says who it is."""
    with Proxy("http://nobody", lambda request, forward: Answer(200, b"nova")) as server:
        yield server


@pytest.fixture(scope="module")
def balancer(
    haproxy: str, replicas: list[Replica], nova: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Balancer]:
    """HAProxy, when all replicas are in service."""
    # Paths of sockets must be short.
    directory = tmp_path_factory.mktemp("haproxy")
    admin_socket, common, own = (directory / name for name in ("s", "common.cfg", "own.cfg"))
    common.write_text(f"global\n    stats socket {admin_socket} level admin\n")
    address = Address()
    own.write_text(configuration(address.port, replicas, nova.url.removeprefix("http://")))
    program = [haproxy, "-db", "-f", str(common), "-f", str(own)]
    with running(Daemon(program, address, directory / "haproxy.log")) as daemon:
        balancer = Balancer(address.url, admin_socket, daemon.log)
        for replica in replicas:
            balancer.wait_for(replica, "UP")
        yield balancer


@pytest.fixture
def node(cloud: Cloud) -> Iterator[str]:
    """A node with the id 42."""
    with cloud.restored():
        yield node_of(cloud.api.create(id=42, prov_mac_address=MAC))["uuid"]


class Load:
    """Reads without pause: of all kinds, on kept connections and on new ones."""

    def __init__(self, url: str, token: str, node: str) -> None:
        self._url = f"{url}/v2.1/os-baremetal-nodes"
        self._token = token
        self._paths = ["", "/42", f"/{node}"]
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(CALLERS)
        self.answered = 0
        self.slowest = 0.0
        self.failures: list[str] = []

    def __enter__(self) -> "Load":
        self._futures = [self._pool.submit(self._read, number) for number in range(CALLERS)]
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        for future in self._futures:
            future.result()
        self._pool.shutdown()

    def wait_for_more(self) -> None:
        """Wait until each caller has had some more answers."""
        target = self.answered + 5 * CALLERS
        wait_until(lambda: self.answered >= target, 60)

    def _read(self, number: int) -> None:
        with requests.Session() as session:
            if number % 2:
                # As by the tools of old: a connection for each request.
                session.headers["Connection"] = "close"
            for path in itertools.islice(itertools.cycle(self._paths), number, None):
                if self._over.is_set():
                    return
                began = time.monotonic()
                if failure := self._get(session, path):
                    self.failures.append(f"{path}: {failure}")
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answered += 1

    def _get(self, session: requests.Session, path: str) -> str:
        """Read; return what went wrong, empty for nothing."""
        headers = {"X-Auth-Token": self._token}
        try:
            response = session.get(f"{self._url}{path}", headers=headers, timeout=60)
        except requests.RequestException as error:
            return str(error)
        return "" if response.status_code == 200 else response.text


def test_configuration_is_valid_as_it_is(haproxy: str) -> None:
    subprocess.run([haproxy, "-c", "-f", str(CONFIG)], check=True, capture_output=True)


def test_no_read_fails_while_replicas_are_killed_and_restarted(
    cloud: Cloud, replicas: list[Replica], balancer: Balancer, node: str
) -> None:
    with Load(balancer.url, cloud.admin_token, node) as load:
        load.wait_for_more()
        killed = replicas[0]
        killed.shim.kill()
        balancer.wait_for(killed, "DOWN")
        load.wait_for_more()
        killed.shim.start()
        balancer.wait_for(killed, "UP")

        assert balancer.retries() > 0
        assert "is DOWN" in balancer.log.read_text()

        for replica in replicas[1:]:
            replica.down.touch()
            balancer.wait_for(replica, "DOWN")
            replica.shim.restart()
            replica.down.unlink()
            balancer.wait_for(replica, "UP")
            replica.ironic.seen.clear()
            load.wait_for_more()
            assert replica.ironic.seen

    assert load.failures == []
    assert load.answered > 100
    assert load.slowest < 10


def test_write_that_a_dying_replica_cut_off_is_not_sent_to_another(
    cloud: Cloud, replicas: list[Replica], balancer: Balancer
) -> None:
    hit: list[Replica] = []

    def kill(replica: Replica) -> Callable[[Request, Forward], Answer]:
        def rule(request: Request, forward: Forward) -> Answer:
            if (request.method, request.route) != ("POST", "/v1/nodes"):
                return forward()
            hit.append(replica)
            answer = forward()
            replica.shim.kill()
            return answer

        return rule

    with cloud.restored(), ExitStack() as stack:
        for replica in replicas:
            stack.enter_context(replica.ironic.ruled_by(kill(replica)))
        response = Api(balancer.url, cloud.admin_token).create(uuid=UUID, prov_mac_address=MAC)

        assert response.status_code == 502
        assert response.json()["computeFault"]["code"] == 502
        (dead,) = hit
        # It could not take back what it had made; the node says by which request.
        half_made = cloud.database.node(UUID)
        assert half_made["extra"]["nova_baremetal"]["request_id"].startswith("req-")
        assert cloud.database.ports(UUID) == []
    dead.shim.start()
    balancer.wait_for(dead, "UP")


def test_legacy_paths_go_to_the_shim_and_all_others_to_nova(
    cloud: Cloud, balancer: Balancer, nova: Proxy
) -> None:
    project = cloud.admin_project
    headers = {"X-Auth-Token": cloud.admin_token, "X-Forwarded-For": "6.6.6.6"}

    def get(path: str) -> requests.Response:
        return requests.get(f"{balancer.url}{path}", headers=headers, timeout=30)

    for prefix in (f"/v1.1/{project}", "/v2", f"/v2/{project}", "/v2.1", f"/v2.1/{project}"):
        body_of(get(f"{prefix}/os-baremetal-nodes"))
        assert get(f"{prefix}/os-baremetal-nodes/nobody").status_code == 404
        assert "extension" in body_of(get(f"{prefix}/extensions/os-baremetal-nodes"))
    body_of(get("/v2.1//os-baremetal-nodes"))
    nova.seen.clear()
    for path in (
        "/",
        "/v2.1/servers",
        f"/v2/{project}/servers/os-baremetal-nodes",
        "/v2.1/extensions",
        "/v2.1/os-baremetal-nodes-not",
        "/v3/os-baremetal-nodes",
    ):
        assert get(path).text == "nova", path
    assert "6.6.6.6" not in str(nova.seen)


def test_slow_caller_holds_no_thread_of_a_replica(cloud: Cloud, balancer: Balancer) -> None:
    head = f"POST /v2.1/os-baremetal-nodes HTTP/1.1\r\nX-Auth-Token: {cloud.admin_token}\r\n"
    for rest in ("", "Content-Length: 12\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n"):
        received = raw_request(balancer.url, f"{head}Host: x\r\n{rest}".encode())
        assert received.startswith(b"HTTP/1.1 408 ")


def test_without_any_replica_the_answer_is_a_fault_of_nova(
    cloud: Cloud, replicas: list[Replica], balancer: Balancer
) -> None:
    for replica in replicas:
        replica.down.touch()
    for replica in replicas:
        balancer.wait_for(replica, "DOWN")
    response = Api(balancer.url, cloud.admin_token).list()
    for replica in replicas:
        replica.down.unlink()
    for replica in replicas:
        balancer.wait_for(replica, "UP")

    assert response.status_code == 503
    assert response.json()["serviceUnavailable"]["code"] == 503
    assert response.headers["Retry-After"] == "5"
    assert "has no server available" in balancer.log.read_text()
