# SPDX-License-Identifier: Apache-2.0
"""The sandbox as the tests of the clients see it."""

import itertools
import json
import os
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bm_shim.sandbox import Credentials, Sandbox
from bm_shim.sandbox.environment import for_command

#: Seconds after which a command counts as hung.
PATIENCE = 60

#: Variables of whoever runs the tests that would change what a client does.
_NOT_INHERITED = ("OS_", "NOVA", "PYTHON", "COLUMNS", "HOME", "XDG_")

#: The machine that most tests are about, as create has it.
MACHINE: Mapping[str, Any] = {
    "service_host": "compute-7",
    "cpus": 8,
    "memory_mb": 16384,
    "local_gb": 480,
    "pm_address": "198.18.0.9",
    "pm_user": "operator",
    "pm_password": "keep-me-secret",
    "terminal_port": 7001,
}


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    status: int
    stdout: str
    stderr: str


def run(
    command: list[str], environment: Mapping[str, str], input_text: str | None = None
) -> Finished:
    """Run a command, with nothing but ``environment`` in its environment."""
    done = subprocess.run(
        command,
        env=dict(environment),
        input=input_text,
        stdin=subprocess.DEVNULL if input_text is None else None,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def succeed(
    command: list[str], environment: Mapping[str, str], input_text: str | None = None
) -> str:
    """Run a command that must succeed, and return what it printed to stdout."""
    done = run(command, environment, input_text)
    assert done.status == 0, f"{command}: status {done.status}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class User:
    """Somebody who is signed in."""

    account: Credentials
    token: str
    project_id: str

    @classmethod
    def sign_in(cls, account: Credentials) -> "User":
        """Sign somebody in."""
        session = account.session()
        return cls(account, str(session.get_token()), str(session.get_project_id()))


@dataclass(frozen=True)
class Cloud:
    """A sandbox and its two users.

    :param home: a directory for what clients write to their user's home.
    :param http: signed in as the administrator.
    """

    sandbox: Sandbox
    home: Path
    admin: User
    member: User
    http: requests.Session
    _serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """The shim, without a version prefix."""
        return self.sandbox.url

    @property
    def nodes_url(self) -> str:
        """The collection of nodes."""
        return f"{self.url}/v2.1/os-baremetal-nodes"

    def environment(self, account: Credentials | None = None) -> dict[str, str]:
        """Return a command's environment: ours, with the variables of an account, if given."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(_NOT_INHERITED)}
        own = {"HOME": str(self.home), **(account.environment if account else {})}
        return for_command(own, inherited)

    def new_number(self) -> int:
        """Return a number that no other test uses."""
        return next(self._serials)

    def new_address(self) -> str:
        """Return a MAC address that no other machine has, in lower case, with letters in it."""
        high, low = divmod(self.new_number(), 256)
        return f"52:54:00:ab:{high:02x}:{low:02x}"

    def create_node(self, **values: Any) -> dict[str, Any]:
        """Create a node: the usual machine, but for ``values``."""
        body = {"node": {**MACHINE, "prov_mac_address": self.new_address(), **values}}
        answer = self.http.post(self.nodes_url, json=body)
        assert answer.status_code == 200, answer.text
        node: dict[str, Any] = answer.json()["node"]
        return node

    def show_node(self, uuid: str) -> dict[str, Any] | None:
        """Return a node, None if there is no such node."""
        answer = self.http.get(f"{self.nodes_url}/{uuid}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        node: dict[str, Any] = answer.json()["node"]
        return node

    def list_nodes(self) -> list[dict[str, Any]]:
        """Return all nodes."""
        answer = self.http.get(self.nodes_url)
        assert answer.status_code == 200, answer.text
        nodes: list[dict[str, Any]] = answer.json()["nodes"]
        return nodes

    def discard_node(self, uuid: str) -> None:
        """Delete a node unless that has been done."""
        answer = self.http.delete(f"{self.nodes_url}/{uuid}")
        assert answer.status_code in (202, 404), answer.text

    def run_openstack(self, *arguments: str) -> Finished:
        """Run today's client as the administrator, however it ends."""
        return run(self._openstack(arguments), self.environment(self.admin.account))

    def openstack(self, *arguments: str) -> str:
        """Run today's client as the administrator, and return what it printed."""
        return succeed(self._openstack(arguments), self.environment(self.admin.account))

    def openstack_json(self, *arguments: str) -> Any:
        """Run today's client as the administrator, and return what it printed, read as JSON."""
        return json.loads(self.openstack(*arguments, "-f", "json"))

    @staticmethod
    def _openstack(arguments: Iterable[str]) -> list[str]:
        return [str(Path(sysconfig.get_path("scripts"), "openstack")), *arguments]
