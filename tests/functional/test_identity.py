# SPDX-License-Identifier: Apache-2.0
"""The identity bridge on a real Keystone: who is let in, who is not, and what is left of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from daemons import Daemon, find_program, running
from keystoneauth1.adapter import Adapter

from bm_shim.sandbox import Shim
from bm_shim.sandbox.address import HOST, Address

from .support import JSON, Api, Cloud, Database, LogTail, body_of, expired, silent_server, within

PASSWORD = "Zw3rgpinscher"
PROJECT = "bridge"
#: Seconds.
TIMEOUT = 2

Change = Callable[[Adapter, JSON], object]

#: Keystone tells nobody more than this.
NO = "The request you have made requires authentication."


class Bridge:
    """A client of identity v2.0."""

    def __init__(self, shim_url: str) -> None:
        self.url = f"{shim_url}/identity"

    def log_in(self, auth: JSON) -> requests.Response:
        """Ask for a token."""
        return self.call("POST", "/v2.0/tokens", json={"auth": auth})

    def call(
        self, method: str, path: str, token: str | None = None, **kwargs: Any
    ) -> requests.Response:
        """Send a request, with a token."""
        headers = {"X-Auth-Token": token} if token else {}
        headers |= kwargs.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=60, **kwargs)


def by_password(name: str, password: str = PASSWORD, **auth: str) -> JSON:
    return {"passwordCredentials": {"username": name, "password": password}, **auth}


def by_headers(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"X-Auth-User": name, "X-Auth-Key": password, "X-Auth-Project-Id": PROJECT}


def access_of(response: requests.Response) -> JSON:
    """Make sure that a response is a login, and return what it tells."""
    body = body_of(response)
    assert body.keys() == {"access"}
    access: JSON = body["access"]
    return access


def error_of(response: requests.Response, status: int) -> str:
    """Make sure that a response is an error of v2.0, and return its message."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["x-openstack-request-id"].startswith("req-")
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "title", "message"}
    assert body["error"]["code"] == status
    message: str = body["error"]["message"]
    return message


@pytest.fixture(scope="module")
def keystone(cloud: Cloud) -> Adapter:
    """Keystone's API, for its administrator."""
    account = cloud.sandbox.admin
    return Adapter(account.session(), endpoint_override=account.auth_url)


@pytest.fixture(scope="module")
def shim(cloud: Cloud) -> Iterator[Shim]:
    """A shim that tells everything it may, and lets the tests fail as often as they need."""
    options = {
        "DEFAULT": {"debug": True, "default_log_levels": "keystoneauth=DEBUG,urllib3=DEBUG"},
        "identity_bridge": {"failed_logins_per_minute": 1000, "timeout": TIMEOUT},
    }
    with cloud.shim("bridge", **options) as shim:
        yield shim


@pytest.fixture(scope="module")
def bridge(shim: Shim) -> Bridge:
    return Bridge(shim.url)


@pytest.fixture(scope="module")
def project(keystone: Adapter) -> JSON:
    """A project that all users of this module are in."""
    new = {"project": {"name": PROJECT, "domain_id": "default"}}
    project: JSON = keystone.post("/projects", json=new).json()["project"]
    return project


@pytest.fixture(scope="module")
def new_user(keystone: Adapter, project: JSON) -> Callable[..., JSON]:
    """Makes an administrator of the project."""
    (role,) = keystone.get("/roles?name=admin").json()["roles"]

    def make(name: str, **fields: object) -> JSON:
        new = {"name": name, "domain_id": "default", "password": PASSWORD, **fields}
        user: JSON = keystone.post("/users", json={"user": new}).json()["user"]
        keystone.put(f"/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
        return user

    return make


@pytest.fixture(scope="module")
def jo(new_user: Callable[..., JSON]) -> JSON:
    return new_user("jo")


def test_from_a_password_to_a_list_of_nodes(
    bridge: Bridge, shim: Shim, jo: JSON, project: JSON
) -> None:
    access = access_of(bridge.log_in(by_password("jo", tenantName=PROJECT)))
    assert access["token"]["tenant"]["id"] == project["id"]
    assert (access["user"]["id"], access["user"]["username"]) == (jo["id"], "jo")
    assert {"name": "admin"} in access["user"]["roles"]
    catalog = {each["type"]: each["endpoints"] for each in access["serviceCatalog"]}
    assert catalog.keys() == {"identity", "compute", "baremetal", "image"}
    (compute,) = catalog["compute"]
    assert compute["publicURL"] == f"{shim.url}/v2/{project['id']}"
    assert compute["region"] == "RegionOne"
    api = Api(compute["publicURL"], access["token"]["id"], prefix="")
    assert body_of(api.list()).keys() == {"nodes"}


def test_from_headers_to_a_list_of_nodes(bridge: Bridge, shim: Shim, jo: JSON) -> None:
    headers = bridge.call("GET", "", headers=by_headers("jo")).headers
    api = Api(headers["X-Server-Management-Url"], headers["X-Auth-Token"], prefix="")
    assert body_of(api.list()).keys() == {"nodes"}


@pytest.mark.parametrize("by_id", [True, False])
def test_from_no_tenant_to_one(bridge: Bridge, jo: JSON, project: JSON, by_id: bool) -> None:
    """As clients do whose users have not said which."""
    user = {"userId": jo["id"], "password": PASSWORD}
    unscoped = access_of(bridge.log_in({"passwordCredentials": user}))
    assert "tenant" not in unscoped["token"]
    assert unscoped["serviceCatalog"] == []
    token = unscoped["token"]["id"]
    (tenant,) = body_of(bridge.call("GET", "/v2.0/tenants", token))["tenants"]
    assert tenant == {"id": project["id"], "name": PROJECT, "description": "", "enabled": True}
    auth = {"tenantId": tenant["id"]} if by_id else {"tenantName": tenant["name"]}
    scoped = access_of(bridge.log_in({"token": {"id": token}, **auth}))
    assert scoped["token"]["tenant"]["id"] == tenant["id"]
    # The new one is valid no longer than the old one.
    assert scoped["token"]["expires"] == unscoped["token"]["expires"]


def test_ones_default_project_is_not_chosen(
    bridge: Bridge, keystone: Adapter, new_user: Callable[..., JSON], project: JSON
) -> None:
    """By Keystone v3 it would be."""
    new_user("homebody", default_project_id=project["id"])
    assert "tenant" not in access_of(bridge.log_in(by_password("homebody")))["token"]


def test_ones_own_token(bridge: Bridge, shim: Shim, jo: JSON) -> None:
    given = access_of(bridge.log_in(by_password("jo", tenantName=PROJECT)))
    token = given["token"]["id"]
    path = f"/v2.0/tokens/{token}"
    shown = access_of(bridge.call("GET", path, token))
    assert shown["token"] == given["token"]
    assert shown["serviceCatalog"] == given["serviceCatalog"]
    assert bridge.call("HEAD", path, token).status_code == 200
    assert error_of(bridge.call("GET", path, "another"), 403)
    assert bridge.call("DELETE", path, token).status_code == 204
    assert error_of(bridge.call("GET", path, token), 401)
    assert Api(shim.url, token).list().status_code == 401


def federated_user(keystone: Adapter, user: JSON) -> None:
    """Make a user who signs in elsewhere, and has no password here."""
    federation = "/OS-FEDERATION"
    keystone.put(f"{federation}/identity_providers/idp", json={"identity_provider": {}})
    rules = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]
    keystone.put(f"{federation}/mappings/map", json={"mapping": {"rules": rules}})
    protocol = f"{federation}/identity_providers/idp/protocols/saml2"
    keystone.put(protocol, json={"protocol": {"mapping_id": "map"}})
    accounts = [{"idp_id": "idp", "protocols": [{"protocol_id": "saml2", "unique_id": "u"}]}]
    new = {"name": "federated", "domain_id": "default", "federated": accounts}
    keystone.post("/users", json={"user": new})


def update(**fields: object) -> Change:
    return lambda keystone, user: keystone.patch(f"/users/{user['id']}", json={"user": fields})


TWO_FACTORS = {
    "multi_factor_auth_enabled": True,
    "multi_factor_auth_rules": [["password", "application_credential"]],
}


#: What is done to a user called NAME, how that user signs in, and what Keystone says then.
NOT_LET_IN: dict[str, tuple[Change | None, JSON, str]] = {
    "wrong-password": (None, {"password": "wrong"}, NO),
    "no-password": (None, {"password": ""}, NO),
    "unknown-user": (None, {"name": "nobody"}, NO),
    "unknown-tenant": (None, {"tenantName": "nowhere"}, NO),
    "unknown-tenant-id": (None, {"tenantId": "0" * 32}, NO),
    "tenant-of-others": (None, {"tenantName": "admin"}, NO),
    "disabled": (update(enabled=False), {}, NO),
    "federated-only": (federated_user, {"name": "federated"}, NO),
    "two-factors": (
        update(options=TWO_FACTORS),
        {},
        "This account signs in with application_credential and password; identity v2.0 knows "
        "passwords only. Use identity v3.",
    ),
}


@pytest.mark.parametrize("name", NOT_LET_IN)
def test_who_is_not_let_in(
    bridge: Bridge, keystone: Adapter, new_user: Callable[..., JSON], name: str
) -> None:
    change, given, message = NOT_LET_IN[name]
    user = new_user(name)
    if change is not None:
        change(keystone, user)
    login = {"name": name, "password": PASSWORD, **given}
    tenant = {key: value for key, value in login.items() if key.startswith("tenant")}
    auth = by_password(login["name"], login["password"], **(tenant or {"tenantName": PROJECT}))
    response = bridge.log_in(auth)
    assert error_of(response, 401) == message
    assert response.headers["WWW-Authenticate"] == f'Keystone uri="{bridge.url}"'
    headers = by_headers(login["name"], login["password"])
    headers["X-Auth-Project-Id"] = next(iter(tenant.values()), PROJECT)
    assert error_of(bridge.call("GET", "", headers=headers), 401)


def test_a_password_that_has_run_out(
    bridge: Bridge, new_user: Callable[..., JSON], cloud: Cloud
) -> None:
    user = new_user("late")
    Database(cloud.sandbox.state_dir / "keystone.db").query(
        "UPDATE password SET expires_at_int = 1, expires_at = '2020-01-01' WHERE local_user_id = "
        "(SELECT id FROM local_user WHERE user_id = ?)",
        user["id"],
    )
    message = error_of(bridge.log_in(by_password("late", tenantName=PROJECT)), 401)
    assert message.startswith("The password is expired and needs to be changed")


def test_users_of_other_domains_are_not_let_in(
    bridge: Bridge, keystone: Adapter, new_user: Callable[..., JSON]
) -> None:
    domain = keystone.post("/domains", json={"domain": {"name": "elsewhere"}}).json()["domain"]
    stranger = new_user("stranger", domain_id=domain["id"])
    assert error_of(bridge.log_in(by_password("stranger")), 401)
    by_id = {"passwordCredentials": {"userId": stranger["id"], "password": PASSWORD}}
    assert "not in the default domain" in error_of(bridge.log_in(by_id), 401)


@pytest.fixture(params=["expired", "revoked", "garbage"])
def bad_token(request: pytest.FixtureRequest, bridge: Bridge, cloud: Cloud, jo: JSON) -> str:
    """A token that is good for nothing."""
    if request.param == "garbage":
        return "gAAAAA-garbage"
    token = str(access_of(bridge.log_in(by_password("jo")))["token"]["id"])
    if request.param == "expired":
        return expired(token, cloud.sandbox)
    assert bridge.call("DELETE", f"/v2.0/tokens/{token}", token).status_code == 204
    return token


def test_bad_tokens(bridge: Bridge, bad_token: str) -> None:
    responses = [
        bridge.log_in({"token": {"id": bad_token}, "tenantName": PROJECT}),
        bridge.log_in({"token": {"id": bad_token}}),
        bridge.call("GET", f"/v2.0/tokens/{bad_token}", bad_token),
        bridge.call("DELETE", f"/v2.0/tokens/{bad_token}", bad_token),
        bridge.call("GET", "/v2.0/tenants", bad_token),
    ]
    for response in responses:
        assert "requires authentication" in error_of(response, 401)


@pytest.mark.parametrize("secret", ["x" * 100_000, "ä" * 300, "\U0001f511", "\t", "'\"<&%{}"])
def test_odd_passwords_and_names(bridge: Bridge, jo: JSON, secret: str) -> None:
    """Keystone has its own mind about them; all are refused, none is repeated."""
    for auth in (
        by_password("jo", secret),
        by_password(secret),
        by_password("jo", tenantName=secret),
    ):
        response = bridge.log_in(auth)
        assert response.status_code in (400, 401), response.text
        assert error_of(response, response.status_code)
        assert secret == "\t" or secret not in response.json()["error"]["message"]


# Keystone is away


@contextmanager
def keystone_stopped(cloud: Cloud) -> Iterator[None]:
    """Stop Keystone for the block."""
    cloud.sandbox.keystone.stop()
    try:
        yield
    finally:
        cloud.sandbox.keystone.start()


def assert_unavailable(bridge: Bridge) -> None:
    """Make sure that each call is answered with a 503 that may be tried again, and in time."""
    calls: list[Callable[[], requests.Response]] = [
        lambda: bridge.log_in(by_password("jo", tenantName=PROJECT)),
        lambda: bridge.call("GET", "", headers=by_headers("jo")),
        lambda: bridge.call("GET", "/v2.0/tenants", "t0ken"),
    ]
    for call in calls:
        with within(TIMEOUT + 1):
            response = call()
        message = "The identity service is temporarily unavailable."
        assert error_of(response, 503) == message
        assert response.headers["Retry-After"] == "5"


def test_keystone_away_is_503_and_over_by_itself(
    cloud: Cloud, bridge: Bridge, shim: Shim, jo: JSON
) -> None:
    log = LogTail(shim.log_path)
    with keystone_stopped(cloud):
        assert_unavailable(bridge)
        assert bridge.call("GET", "/v2.0").status_code == 200
    assert access_of(bridge.log_in(by_password("jo", tenantName=PROJECT)))
    assert "Keystone cannot be reached" in log.text()
    assert "Traceback" not in log.text()


def test_a_keystone_that_hangs_is_503(cloud: Cloud, jo: JSON) -> None:
    with silent_server() as url:
        options = {"auth_url": f"{url}/v3", "timeout": TIMEOUT}
        with cloud.shim("hanging", identity_bridge=options) as shim:
            assert_unavailable(Bridge(shim.url))


# Failed logins


def test_failed_logins_are_bounded(cloud: Cloud, jo: JSON) -> None:
    with cloud.shim("bounded", identity_bridge={"failed_logins_per_minute": 3}) as shim:
        bridge = Bridge(shim.url)
        statuses = [
            bridge.log_in(by_password("jo", password, tenantName=PROJECT)).status_code
            for password in (PASSWORD, "a", PASSWORD, "b", "c", PASSWORD, "d")
        ]
        refused = bridge.log_in(by_password("jo", tenantName=PROJECT))
    assert statuses == [200, 401, 200, 401, 401, 429, 429]
    assert error_of(refused, 429) == "Too many failed logins. Try again later."
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


@pytest.fixture
def memcached(tmp_path: Path) -> Iterator[str]:
    """The address of a real memcached."""
    program, address = find_program("memcached"), Address()
    command = [program, "--listen", HOST, "--port", address.port, "--user", "nobody"]
    with running(Daemon(command, address, tmp_path / "memcached.log")) as daemon:
        yield daemon.address.netloc


def test_replicas_count_together(cloud: Cloud, jo: JSON, memcached: str) -> None:
    options = {
        "failed_logins_per_minute": 4,
        "failed_logins_storage": f"memcached://{memcached}",
    }
    with (
        cloud.shim("replica-1", identity_bridge=options) as first,
        cloud.shim("replica-2", identity_bridge=options) as second,
    ):
        bridges = [Bridge(first.url), Bridge(second.url)]
        wrong = by_password("jo", "wrong", tenantName=PROJECT)
        assert [bridges[i % 2].log_in(wrong).status_code for i in range(4)] == [401] * 4
        assert [each.log_in(wrong).status_code for each in bridges] == [429, 429]


# What is left of it


def test_no_secret_is_left_anywhere(bridge: Bridge, shim: Shim, cloud: Cloud, jo: JSON) -> None:
    """The shim of all tests above logs as much as it can."""
    token = access_of(bridge.log_in(by_password("jo", tenantName=PROJECT)))["token"]["id"]
    bridge.call("GET", f"/v2.0/tokens/{token}", token)
    by_get = bridge.call("GET", "", headers=by_headers("jo")).headers["X-Auth-Token"]
    log = shim.log_path.read_text()
    assert " DEBUG " in log
    for operation in ("tokens:create", "tokens:show", "tokens:delete", "tenants:list"):
        assert f" operation=identity:{operation} status=" in log
    assert " operation=identity:header_login status=204 " in log
    assert f" user={jo['id']} user_name=jo " in log
    for path in cloud.sandbox.state_dir.glob("*.log"):
        if path.stem != "keystone":
            text = path.read_text()
            found = [secret for secret in (PASSWORD, token, by_get) if secret in text]
            assert (path.name, found) == (path.name, [])
