# SPDX-License-Identifier: Apache-2.0
"""nova-baremetal, from Grizzly to Juno: what was sent is sent again, and answered the same.

The sample sets are Nova's own (without and with the extended status of Icehouse), and ours, with
what novaclient 2.18 and people with curl sent.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import requests

from .conftest import Caller
from .replay import OWN, RECORDED, body_of, normalized, read, sample_set, without

#: What Grizzly and Havana did not have.
EXTENDED_STATUS = {"uuid", "task_state", "updated_at", "pxe_config_path"}

SETS = [
    sample_set(RECORDED, "nova-baremetal", ".json"),
    sample_set(RECORDED, "nova-baremetal", ".xml"),
    sample_set(RECORDED, "nova-baremetal-ext-status", ".json"),
    sample_set(RECORDED, "nova-baremetal-ext-status", ".xml"),
    # novaclient never spoke XML.
    sample_set(OWN, "novaclient", ".json"),
    sample_set(OWN, "curl", ".json"),
    sample_set(OWN, "curl", ".xml"),
]


class Replay:
    """Sends the requests of a sample set and compares the responses."""

    def __init__(self, caller: Caller, url: str, samples: Path, suffix: str) -> None:
        self._caller = caller
        self._url = url
        self._samples = samples
        self._suffix = suffix
        self._ignored = set() if self._has_extended_status() else EXTENDED_STATUS

    def send(self, method: str, path: str = "", request: str | None = None) -> requests.Response:
        """Send a request, with the recorded body if it had one."""
        body = None if request is None else self._file(f"{request}-req").read_bytes()
        return self._caller.call(method, self._url + path, body, self._suffix)

    def check(self, response: requests.Response, sample: str) -> None:
        """Compare a response with the recorded one."""
        assert response.status_code == 200, response.text
        answered = without(body_of(response, self._suffix), self._ignored)
        assert normalized(answered) == normalized(read(self._file(f"{sample}-resp")))

    def check_empty(self, response: requests.Response) -> None:
        """Make sure that a response is the empty 202."""
        assert (response.status_code, response.content) == (202, b"")
        assert response.headers["Content-Type"] == "text/html; charset=UTF-8"

    def node_id(self, response: requests.Response) -> str:
        """Return the id of the node in a response."""
        body = body_of(response, self._suffix)
        return str((body["node"] if self._suffix == ".json" else body["attributes"])["id"])

    def _has_extended_status(self) -> bool:
        return "task_state" in self._file("create-resp").read_text()

    def _file(self, name: str) -> Path:
        return self._samples / f"baremetal-node-{name}{self._suffix}"


@pytest.fixture(params=["v1.1", "v2"])
def url(
    request: pytest.FixtureRequest,
    caller: Caller,
    shim_with: Callable[[Mapping[str, object]], str],
    no_nodes: None,
) -> str:
    shim = shim_with({"response_format": "nova-baremetal"})
    return f"{shim}/{request.param}/{caller.project}/os-baremetal-nodes"


@pytest.mark.parametrize(("samples", "suffix"), SETS)
def test_life_of_a_node(caller: Caller, url: str, samples: Path, suffix: str) -> None:
    replay = Replay(caller, url, samples, suffix)
    created = replay.send("POST", "", "create")
    replay.check(created, "create")
    node = f"/{replay.node_id(created)}"
    replay.check(replay.send("POST", f"{node}/action", "add-interface"), "add-interface")
    replay.check(replay.send("GET"), "list")
    replay.check(replay.send("GET", node), "show")
    replay.check_empty(replay.send("POST", f"{node}/action", "remove-interface"))
    replay.check(replay.send("GET", node), "create")
    replay.check_empty(replay.send("DELETE", node))
    assert replay.send("GET", node).status_code == 404


@pytest.mark.parametrize(("samples", "suffix"), SETS)
def test_node_created_with_an_address(
    caller: Caller, url: str, samples: Path, suffix: str
) -> None:
    replay = Replay(caller, url, samples, suffix)
    created = replay.send("POST", "", "create-with-address")
    replay.check(created, "create-with-address")
    replay.check(replay.send("GET", f"/{replay.node_id(created)}"), "create-with-address")


@pytest.mark.parametrize("suffix", [".json", ".xml"])
def test_formats_of_request_and_suffix_may_be_mixed(caller: Caller, url: str, suffix: str) -> None:
    replay = Replay(caller, url, OWN / "curl", suffix)
    other = {".json": ".xml", ".xml": ".json"}[suffix]
    in_other = Replay(caller, url, OWN / "curl", other)
    in_other.check(replay.send("POST", other, "create"), "create")
    in_other.check(replay.send("GET", f"/1000{other}"), "create")
