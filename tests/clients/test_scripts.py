# SPDX-License-Identifier: Apache-2.0
"""Scripts of each era that speak HTTP themselves: with curl, and with Python's requests."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from .cloud import PATIENCE, Cloud
from .nova import SPELLINGS


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        """Return the body, which must call itself JSON."""
        assert self.headers["content-type"].startswith("application/json")
        return json.loads(self.body)


Send = Callable[[str, str, dict[str, str], str | None], Answer]


def send_with_curl(method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
    """Send a request with curl; an empty header keeps it from adding its own."""
    command = ["curl", "--silent", "--show-error", "--include", "--noproxy", "*"]
    command += ["--max-time", str(PATIENCE), "--request", method, url]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}" if value else f"{name}:"]
    if body is not None:
        command += ["--data", body]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head, _, content = done.stdout.replace("\r\n", "\n").partition("\n\n")
    status_line, *fields = head.splitlines()
    pairs = (field.partition(": ") for field in fields)
    answered = {name.lower(): value for name, _, value in pairs}
    return Answer(int(status_line.split()[1]), answered, content)


def send_with_requests(method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
    """Send a request with requests, which adds no Content-Type to a text."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy cannot reach our loopback
        given = {name: value for name, value in headers.items() if value}
        answer = session.request(method, url, headers=given, data=body, timeout=PATIENCE)
    answered = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status_code, answered, answer.text)


SENDERS = [send_with_requests]
if shutil.which("curl"):
    SENDERS.append(send_with_curl)

CONTENT_TYPES = ("application/json", "application/json; charset=UTF-8", "")


@dataclass(frozen=True)
class Script:
    """A script for some era."""

    send: Send
    nodes_url: str
    token: str

    def call(
        self, method: str, path: str = "", body: Any = None, content_type: str = "application/json"
    ) -> Answer:
        """Send a request with a token."""
        headers = {"X-Auth-Token": self.token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        text = None if body is None else json.dumps(body)
        return self.send(method, self.nodes_url + path, headers, text)


@pytest.fixture(params=SENDERS, ids=lambda send: send.__name__.removeprefix("send_with_"))
def send(request: pytest.FixtureRequest) -> Send:
    """What sends the requests."""
    sender: Send = request.param
    return sender


@pytest.fixture(params=SPELLINGS)
def script(request: pytest.FixtureRequest, send: Send, cloud: Cloud) -> Script:
    """A script of each era."""
    prefix = request.param.replace("PROJECT", cloud.admin.project_id)
    return Script(send, f"{cloud.url}{prefix}/os-baremetal-nodes", cloud.admin.token)


@pytest.fixture
def body(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """A body that creates a node; the node goes away afterwards."""
    uuid = f"feedface-0000-4000-8000-{cloud.new_number():012x}"
    address = cloud.new_address()
    yield {"node": {"uuid": uuid, "cpus": 8, "local_gb": 480, "prov_mac_address": address}}
    cloud.discard_node(uuid)


@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=["json", "with charset", "without"])
def test_create(script: Script, body: dict[str, Any], content_type: str) -> None:
    answer = script.call("POST", "", body, content_type)
    # Not 201.
    assert answer.status == 200
    node = answer.json()["node"]
    assert (node["uuid"], node["cpus"], node["local_gb"]) == (body["node"]["uuid"], 8, 480)
    assert [each["address"] for each in node["interfaces"]] == [body["node"]["prov_mac_address"]]


def test_create_as_a_form(script: Script, body: dict[str, Any], cloud: Cloud) -> None:
    """What ``curl --data`` says its data are, unless told otherwise; it never worked."""
    answer = script.call("POST", "", body, "application/x-www-form-urlencoded")
    status, name = (415, "badMediaType") if "/v2.1/" in script.nodes_url else (400, "badRequest")
    assert answer.status == status
    assert answer.json() == {name: {"code": status, "message": "Unsupported Content-Type"}}
    assert cloud.show_node(body["node"]["uuid"]) is None


def test_list_and_show(script: Script, machine: dict[str, Any]) -> None:
    listed = script.call("GET")
    shown = script.call("GET", f"/{machine['uuid']}")
    assert (listed.status, shown.status) == (200, 200)
    node = shown.json()["node"]
    assert node == {**machine, "updated_at": node["updated_at"]}
    del node["updated_at"]
    assert node in listed.json()["nodes"]


def test_interfaces(script: Script, machine: dict[str, Any], cloud: Cloud) -> None:
    address = cloud.new_address()
    action = f"/{machine['uuid']}/action"
    added = script.call("POST", action, {"add_interface": {"address": address}})
    assert added.status == 200
    interface = added.json()["interface"]
    assert interface == {
        **{"id": interface["id"], "address": address},
        **{"datapath_id": None, "port_no": None},
    }
    removed = script.call("POST", action, {"remove_interface": {"id": interface["id"]}})
    assert (removed.status, removed.body) == (202, "")
    node = cloud.show_node(machine["uuid"])
    assert node is not None
    assert node["interfaces"] == machine["interfaces"]


def test_delete(script: Script, machine: dict[str, Any]) -> None:
    answer = script.call("DELETE", f"/{machine['uuid']}")
    assert (answer.status, answer.body) == (202, "")
    gone = script.call("GET", f"/{machine['uuid']}")
    assert gone.status == 404
    message = f"Node {machine['uuid']} could not be found."
    assert gone.json() == {"itemNotFound": {"code": 404, "message": message}}


def test_no_token(script: Script) -> None:
    answer = script.send("GET", script.nodes_url, {}, None)
    assert answer.status == 401
    assert list(answer.json()) == ["unauthorized"]
