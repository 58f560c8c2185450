# SPDX-License-Identifier: Apache-2.0
"""The samples of the API reference are what the service takes and gives."""

import json
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest
from werkzeug.test import TestResponse

from bm_shim.formats import FORMATS
from bm_shim.model import InterfaceMatch, NewInterface, NewNode

from .api_ref import INSTANCES, NODES, PROJECT, SAMPLES, SOURCE, FakeInventory, client, service

_NODES = f"/v2/{PROJECT}/os-baremetal-nodes"
_NODE = f"{_NODES}/{NODES[0].recorded_id}"
_EXTENSIONS = f"/v2/{PROJECT}/extensions"
_SERVERS = f"/v2.1/{PROJECT}/servers"
_SERVER = f"{_SERVERS}/{INSTANCES[0].uuid}"


@dataclass(frozen=True)
class Exchange:
    """A request, and the samples of its body and of its answer."""

    method: str
    path: str
    response: str | None
    request: str | None = None
    format: str = "union"
    role: str = "admin"
    version: str = "2.1"

    def __str__(self) -> str:
        return str(self.response or self.request)

    def take_place(self, inventory: FakeInventory) -> TestResponse:
        browser = client(service(inventory, response_format=[self.format]), self.role)
        body = (SAMPLES / self.request).read_bytes() if self.request else None
        # Requests without a sample of an answer are answered with nothing.
        suffix = (self.response or "").rpartition(".")[2]
        headers = {
            "Accept": f"application/{suffix}",
            "X-OpenStack-Nova-API-Version": self.version,
        }
        if self.request:
            headers["Content-Type"] = f"application/{self.request.rpartition('.')[2]}"
        return browser.open(
            self.path,
            method=self.method,
            data=body,
            headers=headers,
            base_url="http://compute.example.org:8774",
        )


def _in_formats(method: str, path: str, name: str) -> list[Exchange]:
    exchanges = [Exchange(method, path, f"{name}.json"), Exchange(method, path, f"{name}.xml")]
    for form in ("nova-baremetal", "ironic-proxy"):
        exchanges.append(Exchange(method, path, f"{name}-{form}.json", format=form))
    return exchanges


def _in_types(method: str, path: str, name: str) -> list[Exchange]:
    exchanges = []
    for suffix in ("json", "xml"):
        response = f"{name}-response.{suffix}"
        known = response if "remove" not in name else None
        exchanges.append(Exchange(method, path, known, f"{name}-request.{suffix}"))
    return exchanges


EXCHANGES = [
    *_in_formats("GET", _NODES, "nodes/list-response"),
    *_in_formats("GET", _NODE, "nodes/show-response"),
    *_in_types("POST", _NODES, "nodes/create"),
    *_in_types("POST", f"{_NODE}/action", "nodes/add-interface"),
    Exchange(
        "POST",
        f"{_NODE}/action",
        "nodes/add-interface-response-ironic-proxy.json",
        "nodes/add-interface-request.json",
        format="ironic-proxy",
    ),
    *_in_types("POST", f"{_NODE}/action", "nodes/remove-interface"),
    Exchange("GET", "/", "versions/list-response.json"),
    Exchange("GET", "/v2.1/", "versions/show-v2.1-response.json"),
    Exchange("GET", "/v2/", "versions/show-v2-response.json"),
    Exchange("GET", "/v2/", "versions/show-v2-response.xml"),
    Exchange("GET", _EXTENSIONS, "extensions/list-response.json"),
    Exchange("GET", _EXTENSIONS, "extensions/list-response.xml"),
    Exchange("GET", f"{_EXTENSIONS}/os-baremetal-nodes", "extensions/show-response.json"),
    Exchange("GET", f"{_EXTENSIONS}/os-baremetal-nodes", "extensions/show-response.xml"),
    Exchange("GET", f"{_SERVERS}?limit=1", "servers/list-response.json", role="reader"),
    Exchange("GET", f"{_SERVERS}/detail", "servers/list-detail-response.json", role="reader"),
    Exchange("GET", _SERVER, "servers/show-response.json", role="reader"),
    Exchange("GET", _SERVER, "servers/show-response-2.35.json", version="2.35"),
    # In XML under the prefixes that had it.
    *(
        Exchange(
            "POST",
            f"{_SERVER.replace('v2.1', 'v2')}/action",
            None,
            f"servers/reboot-request.{suffix}",
        )
        for suffix in ("json", "xml")
    ),
    Exchange(
        "GET", f"/v2.1/{PROJECT}/flavors/baremetal", "flavors/show-response.json", role="reader"
    ),
    Exchange("GET", f"{_NODES}/13", "faults/not-found.json"),
    Exchange("GET", f"{_NODES}/13", "faults/not-found.xml"),
]

# What the requests of the samples mean, whichever way they are written.
MEANINGS = {
    "create": NewNode(
        cpus=16,
        memory_mb=65536,
        local_gb=960,
        pm_address="192.0.2.47",
        pm_user="operator",
        pm_password="correct-horse",
        terminal_port=8047,
        prov_mac_address="52:54:00:A1:0E:2F",
        facts={"service_host": "compute-bm-1"},
    ),
    "add-interface": NewInterface("52:54:00:A1:0C:18", datapath_id="0", port_no=1),
    "remove-interface": InterfaceMatch(address="52:54:00:A1:0C:17"),
    "reboot": {"soft": True},
}


def canonical(text: str, suffix: str) -> Any:
    """Return a body without regard to white space; the order of keys counts in JSON."""
    if suffix == "json":
        return json.loads(text, object_pairs_hook=list)
    return ElementTree.canonicalize(text, strip_text=True)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=str)
def test_sample_is_what_is_answered(exchange: Exchange) -> None:
    answer = exchange.take_place(FakeInventory())
    if exchange.response is None:
        assert (answer.status_code, answer.text) == (202, "")
        return
    assert answer.status_code == (404 if "not-found" in exchange.response else 200)
    suffix = exchange.response.rpartition(".")[2]
    assert answer.mimetype == f"application/{suffix}"
    sample = (SAMPLES / exchange.response).read_text()
    assert canonical(sample, suffix) == canonical(answer.text, suffix)


@pytest.mark.parametrize("exchange", [e for e in EXCHANGES if e.request], ids=str)
def test_sample_is_understood(exchange: Exchange) -> None:
    inventory = FakeInventory()
    exchange.take_place(inventory)
    assert exchange.request is not None
    name = exchange.request.rpartition("/")[2].partition("-request")[0]
    assert inventory.asked[-1] == MEANINGS[name]


def test_every_format_has_samples() -> None:
    assert {exchange.format for exchange in EXCHANGES} == set(FORMATS)


def test_every_sample_is_tested_and_shown() -> None:
    tested = {name for e in EXCHANGES for name in (e.request, e.response) if name}
    pages = "".join(page.read_text() for page in SOURCE.glob("*.rst"))
    shown = re.findall(r"literalinclude:: samples/(\S+)", pages)
    files = {str(p.relative_to(SAMPLES)) for p in SAMPLES.rglob("*") if p.is_file()}
    assert sorted(shown) == sorted(files)
    assert tested == files
