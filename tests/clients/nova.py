# SPDX-License-Identifier: Apache-2.0
"""The ``nova`` command, and its tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bm_shim.sandbox import Credentials

from .cloud import Cloud, Finished, run, succeed
from .environments import Environment

#: The oldest cannot talk to a Keystone of today. It may be given a token and an address; these are
#: the spellings of the latter that were in use.
SPELLINGS = ("/v1.1/PROJECT", "/v2/PROJECT", "/v2.1/PROJECT", "/v2", "/v2.1")
#: Or it signs in with the shim, as do others that have not been told of identity v3.
BRIDGE = "/identity/v2.0"
OLD_LOGINS = (f"2.18.1 {BRIDGE}", f"2.35.0 {BRIDGE}")
#: Those that have all seven commands; later ones have no more than three, which read.
WRITERS = ("2.18.1 /v2/PROJECT", "2.35.0", "3.4.0", *OLD_LOGINS)
READERS = (*WRITERS, "7.1.2")


@dataclass(frozen=True)
class Nova:
    """A ``nova`` command of some version, with all that it needs to sign in."""

    program: Environment
    options: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, *arguments: str) -> Finished:
        """Run a command, however it ends."""
        return run(self._command(arguments), self.variables)

    def table(self, *arguments: str) -> list[dict[str, str]]:
        """Run a command that succeeds, and return the rows of its table."""
        return parse_table(succeed(self._command(arguments), self.variables))

    def properties(self, *arguments: str) -> dict[str, str]:
        """Run a command that prints the properties of one thing, and return them."""
        return {row["Property"]: row["Value"] for row in self.table(*arguments)}

    def quietly(self, *arguments: str) -> None:
        """Run a command that succeeds and has nothing to say."""
        assert succeed(self._command(arguments), self.variables) == ""

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [str(self.program.nova), *self.options, *arguments]


def signed_in(
    login: str, environments: Mapping[str, Environment], cloud: Cloud, *, member: bool = False
) -> Nova:
    """Return the command for ``VERSION``, ``VERSION SPELLING`` or ``VERSION BRIDGE``.

    :param member: signed in as a plain member instead of the administrator.
    """
    version, _, spelling = login.partition(" ")
    user = cloud.member if member else cloud.admin
    if not spelling:
        return Nova(environments[version], (), cloud.environment(user.account))
    if spelling.startswith("/identity"):
        variables = cloud.environment() | old_variables(cloud, user.account, spelling)
        return Nova(environments[version], (), variables)
    options = (
        *("--os-auth-token", user.token),
        *("--bypass-url", cloud.url + spelling.replace("PROJECT", user.project_id)),
        *("--os-auth-url", user.account.auth_url),
        *("--os-tenant-name", str(user.account.project_name)),
    )
    return Nova(environments[version], options, cloud.environment())


def old_variables(cloud: Cloud, account: Credentials, path: str = BRIDGE) -> dict[str, str]:
    """Return what users had in their environment before identity v3, and nothing else."""
    return {
        "OS_USERNAME": account.username,
        "OS_PASSWORD": account.password,
        "OS_TENANT_NAME": str(account.project_name),
        "OS_AUTH_URL": cloud.url + path,
    }


def parse_table(text: str) -> list[dict[str, str]]:
    """Read a table of prettytable: its rows, by the names of their columns."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    names, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def read_cell(cell: str) -> Any:
    """Read a cell that holds JSON."""
    return json.loads(cell)
