# SPDX-License-Identifier: Apache-2.0
"""What is compared: the shim, bare requests to Ironic for the same, and Ironic's own client."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from uuid import uuid4

import requests
from ironicclient.v1.client import Client

from bm_shim import translation
from bm_shim.ironic import API_VERSION, AVAILABLE_API_VERSION
from bm_shim.sandbox import Sandbox

JSON = dict[str, Any]

_addresses: Iterator[str] = (
    f"52:54:01:{n >> 16 & 0xFF:02x}:{n >> 8 & 0xFF:02x}:{n & 0xFF:02x}" for n in itertools.count()
)


class Caller:
    """Sends requests with a token over one connection that it keeps."""

    def __init__(self, url: str, token: str, **headers: str) -> None:
        self.url = url
        self.token = token
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"X-Auth-Token": token, **headers})

    def ask(self, path: str, method: str = "GET", **kwargs: Any) -> JSON:
        """Return the object that is answered; an absolute ``path`` is taken as it is."""
        url = path if path.startswith("http") else self.url + path
        response = self._session.request(method, url, timeout=120, **kwargs)
        response.raise_for_status()
        answer: JSON = response.json() if response.content else {}
        return answer


class Shim:
    """The legacy API."""

    PATH: ClassVar[str] = "/v2.1/os-baremetal-nodes"

    def __init__(self, url: str, token: str) -> None:
        self.caller = Caller(url, token)
        self.created: list[str] = []

    def list(self) -> list[JSON]:
        """Return all nodes with their interfaces."""
        nodes: list[JSON] = self.caller.ask(self.PATH)["nodes"]
        return nodes

    def show(self, uuid: str) -> JSON:
        """Return a node."""
        return self.caller.ask(f"{self.PATH}/{uuid}")

    def create(self) -> None:
        """Create a node with an interface."""
        body = {"node": {"prov_mac_address": next(_addresses), "cpus": 8, "memory_mb": 16384}}
        self.created.append(self.caller.ask(self.PATH, "POST", json=body)["node"]["uuid"])

    def delete(self) -> None:
        """Delete a node created before."""
        self.caller.ask(f"{self.PATH}/{self.created.pop()}", "DELETE")


class BareIronic:
    """The least that must be asked of Ironic for the same, at the same time where that goes."""

    def __init__(self, url: str, token: str) -> None:
        version = {"X-OpenStack-Ironic-API-Version": API_VERSION}
        # A connection each for what is asked at the same time.
        self._nodes = Caller(url, token, **version)
        self._ports = Caller(url, token, **version)
        self._beside = ThreadPoolExecutor(1)
        self._port_fields = ",".join(translation.PORT_FIELDS)
        self.created: list[str] = []

    def list(self) -> tuple[list[JSON], list[JSON]]:
        """Return all nodes and all ports."""
        ports = self._beside.submit(
            _pages, self._ports, "ports", f"/v1/ports?fields={self._port_fields}"
        )
        fields = ",".join(translation.NODE_FIELDS)
        return _pages(self._nodes, "nodes", f"/v1/nodes?fields={fields}"), ports.result()

    def show(self, uuid: str) -> tuple[JSON, JSON]:
        """Return a node and its ports."""
        path = f"/v1/ports?node={uuid}&fields={self._port_fields}"
        ports = self._beside.submit(self._ports.ask, path)
        return self._nodes.ask(f"/v1/nodes/{uuid}"), ports.result()

    def create(self) -> None:
        """Create an available node with a resource class, and its port."""
        uuid = str(uuid4())
        self._nodes.ask(
            "/v1/nodes",
            "POST",
            json={
                "uuid": uuid,
                "driver": "fake-hardware",
                "properties": {"cpus": 8, "memory_mb": 16384},
            },
            headers={"X-OpenStack-Ironic-API-Version": AVAILABLE_API_VERSION},
        )
        self._nodes.ask("/v1/ports", "POST", json={"node_uuid": uuid, "address": next(_addresses)})
        patch = [{"op": "add", "path": "/resource_class", "value": "baremetal"}]
        self._nodes.ask(f"/v1/nodes/{uuid}", "PATCH", json=patch)
        self.created.append(uuid)

    def delete(self) -> None:
        """Delete a node created before."""
        self._nodes.ask(f"/v1/nodes/{self.created.pop()}", "DELETE")

    def close(self) -> None:
        """End the thread."""
        self._beside.shutdown()


class PythonClient:
    """python-ironicclient, as a script without knowledge of fields would use it."""

    def __init__(self, sandbox: Sandbox) -> None:
        session = sandbox.admin.for_system().session()
        self._client = Client(
            sandbox.ironic_url, session=session, os_ironic_api_version=API_VERSION
        )

    def list(self) -> None:
        """Read all nodes and all ports with full detail, one after the other."""
        self._client.node.list(detail=True, limit=0)
        self._client.port.list(detail=True, limit=0)


def _pages(caller: Caller, key: str, path: str | None) -> list[JSON]:
    rows = []
    while path:
        page = caller.ask(path)
        rows += page[key]
        path = page.get("next")
    return rows
