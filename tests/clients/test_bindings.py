# SPDX-License-Identifier: Apache-2.0
"""The Python bindings of the old clients, as scripts use them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .cloud import MACHINE, Cloud, succeed
from .environments import Environment

_SCRIPT = Path(__file__).with_name("client_calls.py")

#: Client, and the API version that its user asks for.
WRITERS = [("2.18.1", "1.1"), ("2.35.0", "2"), ("2.35.0", "2.1"), ("3.4.0", "2"), ("3.4.0", "2.1")]
READERS = [*WRITERS, ("7.1.2", "2"), ("7.1.2", "2.1"), ("7.1.2", "2.35")]


class Bindings:
    """Runs calls inside a client's environment."""

    def __init__(self, environment: Environment, api_version: str, cloud: Cloud) -> None:
        self._python = environment.python
        self._cloud = cloud
        account = cloud.admin.account
        if api_version == "1.1":
            self._sign_in: dict[str, Any] = {
                "token": cloud.admin.token,
                "endpoint": f"{cloud.url}/v1.1/{cloud.admin.project_id}",
                "auth_url": account.auth_url,
                "project_name": account.project_name,
            }
        else:
            password = {name: value for name, value in account.options.items() if value}
            del password["auth_type"]
            self._sign_in = {"version": api_version, "password": password}

    def call(self, calls: str, **arguments: Any) -> Any:
        """Make calls and return their results."""
        order = {"sign_in": self._sign_in, "calls": calls, "arguments": arguments}
        command = [str(self._python), str(_SCRIPT)]
        return json.loads(succeed(command, self._cloud.environment(), json.dumps(order)))


@pytest.fixture
def bindings(
    request: pytest.FixtureRequest, environments: Mapping[str, Environment], cloud: Cloud
) -> Bindings:
    """The bindings for the client and API version of the test's (indirect) parameter."""
    client, api_version = request.param
    return Bindings(environments[client], api_version, cloud)


@pytest.mark.parametrize("bindings", READERS, indirect=True, ids=" as ".join)
def test_list_get_and_list_interfaces(
    bindings: Bindings, cloud: Cloud, machine: dict[str, Any]
) -> None:
    seen = bindings.call("read", node=machine["uuid"])
    in_list = {name: value for name, value in machine.items() if name != "updated_at"}
    assert seen == {
        "listed": [in_list],
        "shown": cloud.show_node(machine["uuid"]),
        "interfaces": machine["interfaces"],
    }


@pytest.mark.parametrize("bindings", WRITERS, indirect=True, ids=" as ".join)
def test_create_add_interface_remove_interface_and_delete(
    bindings: Bindings, cloud: Cloud
) -> None:
    first, second = cloud.new_address(), cloud.new_address()
    values = {**MACHINE, "prov_mac_address": first}
    seen = bindings.call("write", values=values, address=second)
    created = seen["created"]
    for name in ("service_host", "cpus", "memory_mb", "local_gb", "pm_user", "terminal_port"):
        assert created[name] == MACHINE[name]
    assert seen["shown"].keys() == created.keys()
    second_as_given = {"address": second, "datapath_id": "0x7f", "port_no": 4}
    assert second_as_given.items() <= seen["added"].items()
    assert seen["with_two"] == [first, second]
    assert seen["with_one"] == [first]
    assert created["id"] not in seen["left"]
    assert cloud.show_node(created["uuid"]) is None
