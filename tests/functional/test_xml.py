# SPDX-License-Identifier: Apache-2.0
"""XML over HTTP: every operation there and back, and bodies that mean harm."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import psutil
import pytest
import requests

from bm_shim.sandbox import Sandbox

MIB = 2**20
#: What a worker may grow by, whatever it is sent.
FEW = 6 * MIB
LARGE = 10 * MIB
LIMIT = 114688
FAULTS = "{http://docs.openstack.org/compute/api/v1.1}"


class Caller:
    """An administrator who speaks XML."""

    def __init__(self, sandbox: Sandbox, http: requests.Session) -> None:
        session = sandbox.admin.session()
        self.token = str(session.get_token())
        self.url = f"{sandbox.url}/v2/{session.get_project_id()}/os-baremetal-nodes"
        self._http = http
        http.trust_env = False  # a proxy cannot reach our loopback
        http.headers.update({"X-Auth-Token": self.token, "Accept": "application/xml"})

    def send(self, method: str, path: str = "", body: bytes | None = None) -> requests.Response:
        headers = {} if body is None else {"Content-Type": "application/xml"}
        url = self.url + path
        return self._http.request(method, url, data=body, headers=headers, timeout=60)

    def ask(self, method: str, path: str = "", body: bytes | None = None) -> Element:
        """Send a request that succeeds, and return the answer."""
        response = self.send(method, path, body)
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "application/xml"
        return ElementTree.fromstring(response.content)

    def send_raw(self, headers: Iterable[str], body: Iterable[bytes]) -> tuple[int, bytes]:
        """Send what no client library would, and take the answer whenever it comes."""
        parts = urlsplit(self.url)
        lines = [
            f"POST {parts.path} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"X-Auth-Token: {self.token}",
            "Accept: application/xml",
            "Content-Type: application/xml",
            "Connection: close",
            *headers,
        ]
        address = (str(parts.hostname), int(parts.port or 0))
        with socket.create_connection(address, timeout=60) as connection:

            def send() -> None:
                # The server may have lost interest by now.
                with contextlib.suppress(OSError):
                    connection.sendall("\r\n".join([*lines, "", ""]).encode())
                    for piece in body:
                        connection.sendall(piece)

            sender = threading.Thread(target=send)
            sender.start()
            with http.client.HTTPResponse(connection) as response:
                response.begin()
                answer = response.status, response.read()
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            sender.join()
        return answer


@pytest.fixture(scope="module")
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    with requests.Session() as session:
        yield Caller(sandbox, session)


@pytest.fixture
def growth(sandbox: Sandbox) -> Callable[[Callable[[], object]], int]:
    """Tells by how many bytes, at most, a worker grew during a call."""
    assert sandbox.shim.pid is not None
    (worker,) = psutil.Process(sandbox.shim.pid).children()

    def measure(call: Callable[[], object]) -> int:
        before = worker.memory_info().rss
        highest = before
        over = threading.Event()

        def watch() -> None:
            nonlocal highest
            while not over.is_set():
                highest = max(highest, worker.memory_info().rss)
                time.sleep(0.002)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            call()
        finally:
            over.set()
            watcher.join()
        return max(highest, worker.memory_info().rss) - before

    return measure


@pytest.mark.usefixtures("no_nodes")
def test_every_operation_there_and_back(caller: Caller) -> None:
    name = "rack <7> & \"8\", 'ä😀'\n"
    node = Element("node", {"id": "5", "service_host": name, "cpus": "8", "pm_user": ""})
    created = caller.ask("POST", "", ElementTree.tostring(node, encoding="utf-16"))
    assert {**node.attrib, "local_gb": "0"}.items() <= created.attrib.items()

    interface = Element("add_interface", {"address": "AA:bb:cc:dd:ee:05", "port_no": "1"})
    added = caller.ask("POST", "/5/action", ElementTree.tostring(interface))
    assert interface.attrib.items() <= added.attrib.items()

    shown = caller.ask("GET", "/5")
    assert [each.attrib for each in shown.iter("interface")] == [added.attrib]
    (listed,) = caller.ask("GET")
    assert listed.attrib == {k: v for k, v in shown.attrib.items() if k != "updated_at"}

    removal = Element("remove_interface", {"id": added.attrib["id"]})
    removed = caller.send("POST", "/5/action", ElementTree.tostring(removal))
    assert (removed.status_code, removed.content) == (202, b"")
    assert list(caller.ask("GET", "/5").iter("interface")) == []

    deleted = caller.send("DELETE", "/5")
    assert (deleted.status_code, deleted.content) == (202, b"")
    assert len(caller.ask("GET")) == 0


def laughs() -> bytes:
    entities = [f'<!ENTITY e{n + 1} "{10 * f"&e{n};"}">' for n in range(20)]
    return f'<!DOCTYPE n [<!ENTITY e0 "ha">{"".join(entities)}]><node a="&e20;"/>'.encode()


HOSTILE = {
    "billion-laughs": laughs(),
    "quadratic": b'<!DOCTYPE n [<!ENTITY e "'
    + b"x" * 50000
    + b'">]><n>'
    + b"&e;" * 9000
    + b"</n>",
    "device": b'<!DOCTYPE n [<!ENTITY e SYSTEM "file:///dev/zero">]><node><a>&e;</a></node>',
    "remote-dtd": b'<!DOCTYPE n SYSTEM "http://192.0.2.1/n.dtd"><node/>',
    "parameter": b'<!DOCTYPE n [<!ENTITY % p SYSTEM "http://192.0.2.1/p"> %p;]><node/>',
    "deep": b"<a>" * 16000 + b"</a>" * 16000,
    "unclosed": b"<a>" * 38000,
    "nul": b"<node>\0</node>",
    "escape": b"<node pm_user='\x1b[2J'/>",
    "encoding": b"<?xml version='1.0' encoding='klingon'?><node/>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_refused_at_no_cost(
    caller: Caller, growth: Callable[[Callable[[], object]], int], name: str
) -> None:
    assert len(HOSTILE[name]) <= LIMIT
    caller.ask("GET")
    responses: list[requests.Response] = []
    began = time.monotonic()
    grown = growth(lambda: responses.append(caller.send("POST", "", HOSTILE[name])))
    assert time.monotonic() - began < 5
    (response,) = responses
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/xml; charset=UTF-8"
    assert ElementTree.fromstring(response.content).tag == f"{FAULTS}badRequest"
    assert grown < FEW
    assert len(caller.ask("GET")) == 0


def chunked(piece: bytes, times: int, last: bytes = b"") -> Iterator[bytes]:
    for each in [piece] * times + [last] * bool(last):
        yield b"%x\r\n%s\r\n" % (len(each), each)
    yield b"0\r\n\r\n"


OPENING = b"<node><!-- "


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (f"Content-Length: {LIMIT + 1}", lambda: [OPENING.ljust(LIMIT + 1)]),
        (f"Content-Length: {LARGE}", lambda: [OPENING.ljust(LARGE)]),
        ("Transfer-Encoding: chunked", lambda: chunked(OPENING.ljust(LIMIT + 1), 1)),
        ("Transfer-Encoding: chunked", lambda: chunked(OPENING.ljust(1024), LARGE // 1024)),
        ("Transfer-Encoding: chunked", lambda: chunked(OPENING.ljust(LARGE), 1)),
        ("Transfer-Encoding: chunked", lambda: chunked(b" ", LIMIT + 1)),
    ],
    ids=["one-too-many", "10-MiB", "chunked-one-too-many", "10-MiB-in-chunks",
         "10-MiB-in-one-chunk", "in-chunks-of-one-byte"],
)  # fmt: skip
def test_too_large_bodies_are_refused_at_no_cost(
    caller: Caller,
    growth: Callable[[Callable[[], object]], int],
    header: str,
    body: Callable[[], Iterable[bytes]],
) -> None:
    # What the first of its kind costs is not what is asked here.
    caller.send_raw(["Content-Length: 5"], [b"<node"])
    answers: list[tuple[int, bytes]] = []

    def send() -> None:
        for _ in range(3):
            answers.append(caller.send_raw([header], body()))

    grown = growth(send)
    for status, answer in answers:
        assert status == 413
        assert ElementTree.fromstring(answer).tag == f"{FAULTS}overLimit"
    assert grown < FEW


@pytest.mark.usefixtures("no_nodes")
@pytest.mark.parametrize(
    ("header", "pieces"),
    [
        (f"Content-Length: {LIMIT}", lambda: [b"<node/>".ljust(LIMIT)]),
        (
            "Transfer-Encoding: chunked",
            lambda: chunked(b" " * (LIMIT // 2 - 7), 2, b"<node/>      \n"),
        ),
    ],
)
def test_largest_body_is_served(
    caller: Caller, header: str, pieces: Callable[[], Iterable[bytes]]
) -> None:
    status, answer = caller.send_raw([header], pieces())
    assert (status, ElementTree.fromstring(answer).tag) == (200, "node")


def test_nothing_is_read_from_this_machine(caller: Caller, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    uri = (tmp_path / "secret").as_uri()
    body = f'<!DOCTYPE n [<!ENTITY e SYSTEM "{uri}">]><reboot><a>&e;</a></reboot>'
    response = caller.send("POST", "/1/action", body.encode())
    assert response.status_code == 400
    assert "a secret" not in response.text
