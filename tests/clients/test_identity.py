# SPDX-License-Identifier: Apache-2.0
"""Signing in as before identity v3. What follows is in the tests of the commands."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Credentials

from .cloud import Cloud
from .environments import Environment
from .nova import BRIDGE, OLD_LOGINS, Nova, old_variables, signed_in
from .test_scripts import Send, send

__all__ = ["send"]

UNAUTHORIZED = (
    "ERROR (Unauthorized): The request you have made requires authentication. (HTTP 401)"
)
#: What clients print of a login that is refused; the oldest has words of its own.
REFUSED = {
    "2.18.1": "ERROR (CommandError): Invalid OpenStack Nova credentials.",
    "2.35.0": UNAUTHORIZED,
}


@pytest.mark.parametrize("nova", ["2.18.1 /identity", "2.18.1 /identity/v1.0"], indirect=True)
def test_the_header_login_of_the_oldest(nova: Nova, machine: dict[str, Any]) -> None:
    """It takes that where no path of the address says v2.0."""
    assert machine["uuid"] in [row["ID"] for row in nova.table("baremetal-node-list")]
    finished = nova.run("--debug", "baremetal-node-list")
    assert "X-Auth-Key" in finished.stderr
    assert "/tokens" not in finished.stderr


@pytest.mark.parametrize("version", ["2.35.0", "3.4.0"])
def test_later_ones_find_the_version_by_themselves(
    version: str, environments: Mapping[str, Environment], cloud: Cloud, machine: dict[str, Any]
) -> None:
    nova = signed_in(f"{version} /identity", environments, cloud)
    assert machine["uuid"] in [row["ID"] for row in nova.table("baremetal-node-list")]


@pytest.mark.parametrize(
    "variables", [{"OS_PASSWORD": "wrong"}, {"OS_TENANT_NAME": "nowhere"}, {"OS_USERNAME": "x"}]
)
@pytest.mark.parametrize("nova", OLD_LOGINS, indirect=True)
def test_who_is_refused_is_told(nova: Nova, variables: dict[str, str]) -> None:
    mistaken = replace(nova, variables={**nova.variables, **variables})
    finished = mistaken.run("baremetal-node-list")
    assert finished.status == 1
    assert finished.stderr.splitlines()[-1].startswith(REFUSED[nova.program.version])


@pytest.fixture
def two_factors(cloud: Cloud) -> Iterator[Credentials]:
    """An administrator who needs more than a password."""
    account = cloud.sandbox.add_user("careful", roles=["admin"], project="admin")
    admin = cloud.admin.account
    keystone = Adapter(admin.session(), endpoint_override=admin.auth_url)
    (user,) = keystone.get("/users?name=careful").json()["users"]
    rules = [["password", "application_credential"]]
    options = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": rules}
    keystone.patch(f"/users/{user['id']}", json={"user": {"options": options}})
    yield account
    keystone.delete(f"/users/{user['id']}")


@pytest.mark.parametrize("nova", OLD_LOGINS, indirect=True)
def test_who_needs_more_than_a_password_is_told(
    nova: Nova, cloud: Cloud, two_factors: Credentials
) -> None:
    careful = replace(nova, variables={**nova.variables, **old_variables(cloud, two_factors)})
    finished = careful.run("--debug", "baremetal-node-list")
    assert finished.status == 1
    assert "identity v2.0 knows passwords only. Use identity v3." in finished.stderr


@pytest.mark.parametrize("nova", [f"2.18.1 {BRIDGE}"], indirect=True)
def test_a_token_that_is_no_longer_valid(nova: Nova, cloud: Cloud) -> None:
    """The client tries to sign in anew, without a password."""
    options = ("--os-auth-token", "expired", "--bypass-url", f"{cloud.url}/v2.1")
    finished = replace(nova, options=options).run("baremetal-node-list")
    assert finished.status == 1
    assert finished.stderr.splitlines()[-1].startswith(UNAUTHORIZED)


def test_a_script_with_curl(cloud: Cloud, machine: dict[str, Any], send: Send) -> None:
    """Log in by headers, then list."""
    account = cloud.admin.account
    login = send(
        "GET",
        f"{cloud.url}/identity",
        {
            "X-Auth-User": account.username,
            "X-Auth-Key": account.password,
            "X-Auth-Project-Id": str(account.project_name),
        },
        None,
    )
    assert (login.status, login.body) == (204, "")
    token, url = login.headers["x-auth-token"], login.headers["x-server-management-url"]
    assert url == f"{cloud.url}/v2/{cloud.admin.project_id}"
    listed = send("GET", f"{url}/os-baremetal-nodes", {"X-Auth-Token": token}, None)
    assert listed.status == 200
    assert machine["uuid"] in [node["uuid"] for node in listed.json()["nodes"]]
