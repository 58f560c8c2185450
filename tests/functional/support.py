# SPDX-License-Identifier: Apache-2.0
"""What the functional tests share: callers of the API, a view into Ironic, faulty servers."""

import contextlib
import http.client
import json
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgpack
import requests
from cryptography.fernet import Fernet
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Credentials, Sandbox, Shim

JSON = dict[str, Any]

#: Nova's fault names.
FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
    503: "serviceUnavailable",
}


class Api:
    """A caller of the legacy API; every method returns the raw response."""

    resource = "os-baremetal-nodes"

    def __init__(self, url: str, token: str | None, prefix: str = "/v2.1") -> None:
        self.url = url
        self.token = token
        self.prefix = prefix

    def request(self, method: str, path: str = "", **kwargs: Any) -> requests.Response:
        """Send a request; ``path`` is below the resource."""
        headers = dict(kwargs.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("X-Auth-Token", self.token)
        url = f"{self.url}{self.prefix}/{self.resource}{path}"
        kwargs.setdefault("timeout", 60)
        return requests.request(method, url, headers=headers, **kwargs)

    def list(self) -> requests.Response:
        """List all nodes."""
        return self.request("GET")

    def show(self, node_id: object) -> requests.Response:
        """Show a node."""
        return self.request("GET", f"/{node_id}")

    def create(self, **node: object) -> requests.Response:
        """Create a node."""
        return self.request("POST", json={"node": node})

    def delete(self, node_id: object) -> requests.Response:
        """Delete a node."""
        return self.request("DELETE", f"/{node_id}")

    def act(self, node_id: object, action: str, **body: object) -> requests.Response:
        """Run an action."""
        return self.request("POST", f"/{node_id}/action", json={action: body})

    def add_interface(self, node_id: object, **body: object) -> requests.Response:
        """Add an interface."""
        return self.act(node_id, "add_interface", **body)

    def remove_interface(self, node_id: object, **body: object) -> requests.Response:
        """Remove an interface."""
        return self.act(node_id, "remove_interface", **body)


class Servers(Api):
    """A caller of servers."""

    resource = "servers"

    def reboot(self, server_id: object, kind: str = "HARD") -> requests.Response:
        """Reboot a server."""
        return self.act(server_id, "reboot", type=kind)


class Database:
    """Ironic's SQLite file, which shows what the API masks and takes what the API refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def query(self, statement: str, *values: object) -> list[JSON]:
        """Run a statement and return its rows."""
        with (
            contextlib.closing(sqlite3.connect(self._path, timeout=20)) as connection,
            connection,
        ):
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def snapshot(self) -> list[JSON]:
        """Return every column of every node and port."""
        tables = ("nodes", "ports")
        return [row for each in tables for row in self.query(f"SELECT * FROM {each} ORDER BY id")]

    def node(self, uuid: str) -> JSON:
        """Return a node, its JSON columns decoded, secrets and all."""
        (row,) = self.query("SELECT * FROM nodes WHERE uuid = ?", uuid)
        for name in ("properties", "driver_info", "extra", "instance_info"):
            row[name] = json.loads(row[name])
        return row

    def ports(self, node_uuid: str) -> list[JSON]:
        """Return the ports of a node, ``extra`` decoded."""
        rows = self.query(
            "SELECT ports.* FROM ports JOIN nodes ON nodes.id = node_id WHERE nodes.uuid = ? "
            "ORDER BY ports.id",
            node_uuid,
        )
        return [{**row, "extra": json.loads(row["extra"])} for row in rows]

    def set_node(self, uuid: str, **columns: object) -> None:
        """Overwrite columns of a node, behind Ironic's back."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self.query(f"UPDATE nodes SET {names} WHERE uuid = ?", *columns.values(), uuid)


class Cloud:
    """A sandbox seen from both sides: as callers see the shim, and Ironic behind it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.database = Database(sandbox.state_dir / "ironic.db")
        session = sandbox.admin.session()
        self.admin_token = str(session.get_token())
        self.admin_project = str(session.get_project_id())
        self.api = self.api_of(sandbox)
        #: Ironic's REST API, for an administrator of the system.
        self.ironic = self.ironic_as(sandbox.admin.for_system())

    def ironic_as(self, caller: Credentials) -> Adapter:
        """Return Ironic's REST API for an account."""
        return Adapter(
            caller.session(),
            endpoint_override=self.sandbox.ironic_url,
            service_type="baremetal",
            default_microversion="1.90",
        )

    def api_of(
        self, shim: Sandbox | Shim, caller: Credentials | None = None, prefix: str = "/v2.1"
    ) -> Api:
        """Return a caller of a shim: the project's administrator, or another account."""
        token = caller.token() if caller else self.admin_token
        return Api(shim.url, token, prefix)

    def names(self) -> list[str]:
        """Return the UUIDs of all nodes."""
        return [row["uuid"] for row in self.database.query("SELECT uuid FROM nodes ORDER BY id")]

    def ironic_node(self, uuid: str) -> JSON:
        """Return a node as Ironic's API shows it."""
        node: JSON = self.ironic.get(f"/v1/nodes/{uuid}").json()
        return node

    def delete_nodes(self, uuids: set[str]) -> None:
        """Delete nodes in Ironic, in whatever state they are."""
        for uuid in uuids:
            self.database.set_node(uuid, reservation=None, maintenance=True)
            self.ironic.delete(f"/v1/nodes/{uuid}")

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Delete afterwards the nodes that the block made."""
        before = set(self.names())
        try:
            yield
        finally:
            self.delete_nodes(set(self.names()) - before)

    @contextlib.contextmanager
    def unchanged(self, *, but: str = "") -> Iterator[None]:
        """Make sure that the block leaves every column of every node and port as it was.

        :param but: a column that may change: ``updated_at`` does whenever Ironic takes a node's
            lock, also for an operation that it then refuses
        """
        before = self.database.snapshot()
        yield
        after = self.database.snapshot()
        for row in (*before, *after):
            row.pop(but, None)
        assert after == before

    @contextlib.contextmanager
    def shim(self, name: str, **overrides: Any) -> Iterator[Shim]:
        """Run another shim; the overrides are option groups."""
        shim = self.sandbox.add_shim(name, overrides)
        try:
            yield shim
        finally:
            shim.stop()


def fault(response: requests.Response, status: int) -> str:
    """Make sure that a response is Nova's fault of this status; return its message."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert response.headers["x-compute-request-id"].startswith("req-")
    ((name, body),) = response.json().items()
    assert name == FAULT_NAMES.get(status, "computeFault")
    assert body["code"] == status
    message = body["message"]
    assert isinstance(message, str)
    assert message
    return message


def body_of(response: requests.Response) -> Any:
    """Make sure that a response is a 200 with JSON, and return what it holds."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    return response.json()


def node_of(response: requests.Response) -> JSON:
    """Return the node of a successful show or create."""
    ((name, node),) = body_of(response).items()
    assert name == "node"
    assert isinstance(node, dict)
    return node


def assert_accepted(response: requests.Response) -> None:
    """Make sure that a response is the empty 202 of delete and remove_interface."""
    assert response.status_code == 202, response.text
    assert response.content == b""
    assert response.headers["Content-Length"] == "0"
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class LogTail:
    """What a part of the sandbox logs from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = path.stat().st_size if path.exists() else 0

    def text(self) -> str:
        """Return it."""
        with open(self._path, errors="replace") as log:
            log.seek(self._start)
            return log.read()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Make sure that the block takes no longer."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took <= seconds, f"took {took:.1f} s"


def expired(token: str, sandbox: Sandbox, *, seconds: float = 3600) -> str:
    """Return a token like this one that expired some time ago, sealed with Keystone's own key."""
    keystone = Fernet((sandbox.state_dir / "keystone-tokens" / "1").read_bytes())
    sealed = token.encode() + b"=" * (-len(token) % 4)
    payload = msgpack.unpackb(keystone.decrypt(sealed))
    payload = [time.time() - seconds if isinstance(each, float) else each for each in payload]
    return keystone.encrypt(msgpack.packb(payload)).rstrip(b"=").decode()


class Cut(Exception):
    """Raised by a rule: the connection is closed without an answer, or without more of it.

    :param reset: abruptly, so that the other side is told of an error
    """

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}

    @classmethod
    def json(cls, status: int, body: object) -> "Answer":
        """Return a JSON response."""
        return cls(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    @classmethod
    def ironic_error(cls, status: int, text: str) -> "Answer":
        """Return an error in Ironic's shape."""
        inner = {"faultcode": "Client", "faultstring": text, "debuginfo": None}
        return cls.json(status, {"error_message": json.dumps(inner)})


class Pieces(NamedTuple):
    """A response as it goes over the wire, head and all; the connection is closed after it.

    Whoever makes the pieces decides when each of them goes.
    """

    pieces: Iterable[bytes]


@dataclass(frozen=True)
class Request:
    """A request on its way to Ironic or Keystone."""

    method: str
    #: With the query.
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def route(self) -> str:
        """The path without the query: ``/v1/nodes``."""
        return urlsplit(self.path).path.rstrip("/")

    @property
    def is_probe(self) -> bool:
        """Whether it does nothing, and only asks what the account may do."""
        return "project=" in self.path or b"00000000-0000-0000-0000-000000000000" in self.body

    def is_list(self, what: str) -> bool:
        """Whether it reads a page of ``nodes`` or ``ports``."""
        return self.method == "GET" and self.route == f"/v1/{what}" and not self.is_probe


Forward = Callable[[], Answer]
Rule = Callable[[Request, Forward], Answer | Pieces]


def pass_on(request: Request, forward: Forward) -> Answer:
    """Answer as Ironic does."""
    return forward()


@dataclass
class Proxy:
    """Stands before Ironic or Keystone: counts requests, and misbehaves as a rule says.

    Used as ``[ironic] endpoint_override`` or ``auth_url`` of a shim, inside a ``with`` block.
    """

    target: str
    rule: Rule = pass_on
    seen: list[Request] = field(default_factory=list)

    def __enter__(self) -> "Proxy":
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle_one_request()

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, dict(self.headers.items()), body)
                proxy.seen.append(request)
                try:
                    self._send(proxy.rule(request, lambda: proxy._forward(request)))
                except Cut as cut:
                    self.close_connection = True
                    if cut.reset:
                        linger = struct.pack("ii", 1, 0)
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        self.connection.close()

            def _send(self, answer: Answer | Pieces) -> None:
                if isinstance(answer, Pieces):
                    self.close_connection = True
                    for piece in answer.pieces:
                        self.wfile.write(piece)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def ruled_by(self, rule: Rule) -> Iterator["Proxy"]:
        """Follow a rule during the block, and count anew."""
        self.seen.clear()
        self.rule = rule
        try:
            yield self
        finally:
            self.rule = pass_on

    def _forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=60)
        try:
            connection.request(
                request.method, request.path, request.body or None, dict(request.headers)
            )
            response = connection.getresponse()
            kept = {"content-type", "location", "openstack-request-id", "x-subject-token"}
            headers = {
                name: value
                for name, value in response.getheaders()
                if name.lower() in kept or name.lower().startswith("x-openstack-ironic")
            }
            return Answer(response.status, response.read(), headers)
        finally:
            connection.close()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Yield the URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def raw_request(url: str, data: bytes, *, finish: bool = False) -> bytes:
    """Send bytes as they are, and return all that comes back until the server is done.

    :param finish: say that nothing more will come
    """
    address = urlsplit(url)
    assert address.hostname is not None
    received = b""
    with socket.create_connection((address.hostname, address.port or 80), 20) as connection:
        connection.sendall(data)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                received += chunk
    return received
