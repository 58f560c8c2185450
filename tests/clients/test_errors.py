# SPDX-License-Identifier: Apache-2.0
"""What the clients say when something does not work."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from .cloud import Cloud, Finished
from .environments import Environment
from .nova import READERS, WRITERS, Nova, signed_in

UNKNOWN = "deadbeef-0000-4000-8000-000000000000"

for_readers = pytest.mark.parametrize("nova", READERS, indirect=True)
for_writers = pytest.mark.parametrize("nova", WRITERS, indirect=True)


def error_of(finished: Finished, kind: str, status: int, cloud: Cloud) -> str:
    """Return the server's message from ``ERROR (Kind): message (HTTP 4xx) (Request-ID: req-...)``.

    The request id must lead an operator to the request's line in the log.
    """
    assert finished.status == 1
    assert finished.stdout == ""
    pattern = rf"ERROR \({kind}\): (.+) \(HTTP {status}\) \(Request-ID: (req-[0-9a-f-]{{36}})\)"
    match = re.fullmatch(pattern, finished.stderr.splitlines()[-1])
    assert match, finished.stderr
    log = cloud.sandbox.shim.log_path.read_text()
    assert any(match[2] in line and f"status={status}" in line for line in log.splitlines())
    return match[1]


@for_writers
def test_create_with_a_taken_address(nova: Nova, cloud: Cloud, machine: dict[str, Any]) -> None:
    address = machine["interfaces"][0]["address"]
    before = cloud.list_nodes()
    finished = nova.run("baremetal-node-create", "compute-7", "8", "16384", "480", address)
    message = error_of(finished, "Conflict", 409, cloud)
    assert message == f"A port with MAC address {address} already exists."
    assert [node["uuid"] for node in cloud.list_nodes()] == [node["uuid"] for node in before]


@for_writers
def test_interface_add_with_a_taken_address(
    nova: Nova, cloud: Cloud, machine: dict[str, Any]
) -> None:
    address = machine["interfaces"][0]["address"]
    finished = nova.run("baremetal-interface-add", machine["uuid"], address.upper())
    assert address in error_of(finished, "Conflict", 409, cloud).lower()


@for_writers
def test_create_with_a_bad_address(nova: Nova, cloud: Cloud) -> None:
    finished = nova.run("baremetal-node-create", "compute-7", "8", "16384", "480", "52-54-00")
    message = error_of(finished, "BadRequest", 400, cloud)
    assert message == "Must specify address in the form of xx:xx:xx:xx:xx:xx"


@for_writers
def test_interface_remove_of_an_unknown_address(
    nova: Nova, cloud: Cloud, machine: dict[str, Any]
) -> None:
    finished = nova.run("baremetal-interface-remove", machine["uuid"], cloud.new_address())
    message = error_of(finished, "NotFound", 404, cloud)
    assert message == "The resource could not be found."


@for_readers
def test_interface_list_of_an_unknown_node(nova: Nova, cloud: Cloud) -> None:
    finished = nova.run("baremetal-interface-list", UNKNOWN)
    message = error_of(finished, "NotFound", 404, cloud)
    assert message == f"Node {UNKNOWN} could not be found."


@pytest.mark.parametrize("node", [UNKNOWN, "987654321"])
@for_readers
def test_show_of_an_unknown_node(nova: Nova, node: str) -> None:
    """The client's own words, after the server's 404 made it look elsewhere."""
    finished = nova.run("baremetal-node-show", node)
    assert finished.status == 1
    expected = f"ERROR (CommandError): No baremetalnode with a name or ID of '{node}' exists."
    assert finished.stderr.splitlines()[-1] == expected


@pytest.fixture(scope="module")
def occupied(cloud: Cloud) -> dict[str, Any]:
    """A machine that belongs to an instance, so it stays."""
    return cloud.create_node(instance_uuid="feedface-0000-4000-8000-000000000001")


@for_writers
def test_delete_of_a_node_with_an_instance(
    nova: Nova, cloud: Cloud, occupied: dict[str, Any]
) -> None:
    finished = nova.run("baremetal-node-delete", occupied["uuid"])
    message = error_of(finished, "Conflict", 409, cloud)
    assert message == (
        f"Node {occupied['uuid']} is associated with instance {occupied['instance_uuid']}."
    )
    assert cloud.show_node(occupied["uuid"]) is not None


@pytest.mark.parametrize("login", READERS)
def test_a_member_is_refused(
    login: str, environments: Mapping[str, Environment], cloud: Cloud
) -> None:
    nova = signed_in(login, environments, cloud, member=True)
    message = error_of(nova.run("baremetal-node-list"), "Forbidden", 403, cloud)
    assert message == (
        "Policy doesn't allow os_compute_api:os-baremetal-nodes:list to be performed."
    )


@pytest.mark.parametrize("nova", ["2.35.0", "3.4.0", "7.1.2"], indirect=True)
def test_a_wrong_password_is_refused(nova: Nova) -> None:
    """By Keystone: the shim is not asked."""
    mistyped = replace(nova, variables={**nova.variables, "OS_PASSWORD": "wrong"})
    finished = mistyped.run("baremetal-node-list")
    assert finished.status == 1
    assert finished.stderr.splitlines()[-1].startswith(
        "ERROR (Unauthorized): The request you have made requires authentication. (HTTP 401)"
    )


@pytest.mark.parametrize("nova", ["2.18.1 /v2.1"], indirect=True)
def test_a_bad_token_is_refused(nova: Nova) -> None:
    """The client then looks for an identity v2.0, and prints that there is none."""
    expired = replace(nova, options=("--os-auth-token", "expired", *nova.options[2:]))
    finished = expired.run("--debug", "baremetal-node-list")
    assert finished.status == 1
    assert 'RESP BODY: {"unauthorized": {"code": 401, ' in finished.stderr
