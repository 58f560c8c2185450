# SPDX-License-Identifier: Apache-2.0
"""Who may do what: callers at the shim, and the shim's own account in Ironic."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
import requests
from keystoneauth1 import session as ksession
from keystoneauth1.identity import v3

from bm_shim.sandbox import Credentials, Shim

from .support import (
    Api,
    Cloud,
    Proxy,
    assert_accepted,
    body_of,
    expired,
    fault,
    node_of,
    wait_until,
)

MAC = "52:54:00:16:47:01"
OTHER_MAC = "52:54:00:16:47:02"

#: All six operations, on node 42 with the interface MAC.
OPERATIONS: dict[str, Callable[[Api], requests.Response]] = {
    "list": lambda api: api.list(),
    "show": lambda api: api.show(42),
    "create": lambda api: api.create(prov_mac_address=OTHER_MAC),
    "delete": lambda api: api.delete(42),
    "add_interface": lambda api: api.add_interface(42, address=OTHER_MAC),
    "remove_interface": lambda api: api.remove_interface(42, address=MAC),
}


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture
def node(cloud: Cloud) -> str:
    """A node that nobody owns, with the id 42."""
    uuid = node_of(cloud.api.create(id=42, prov_mac_address=MAC))["uuid"]
    assert isinstance(uuid, str)
    return uuid


def refused_to(api: Api, status: int) -> set[str]:
    """Call all operations; return the messages of their faults, which all have this status."""
    return {fault(operation(api), status) for operation in OPERATIONS.values()}


# Callers


@pytest.mark.usefixtures("node")
def test_member_is_forbidden_everything(cloud: Cloud) -> None:
    with cloud.unchanged():
        messages = refused_to(cloud.api_of(cloud.sandbox, cloud.sandbox.member), 403)

    rule = "os_compute_api:os-baremetal-nodes"
    assert messages == {
        f"Policy doesn't allow {rule}:{name} to be performed." for name in OPERATIONS
    }


@pytest.mark.usefixtures("node")
def test_caller_without_a_good_token_is_unauthorized(cloud: Cloud) -> None:
    admin = cloud.sandbox.admin
    unused = admin.session()
    revoked = str(unused.get_token())
    keystone = {"X-Auth-Token": revoked, "X-Subject-Token": revoked}
    url = f"{cloud.sandbox.keystone_url}/v3/auth/tokens"
    assert requests.delete(url, headers=keystone, timeout=20).status_code == 204
    tokens = {
        "none": None,
        "empty": "",
        "garbage": "garbage",
        "long": "g" * 5000,
        "almost good": cloud.admin_token[:-2],
        "expired": expired(cloud.admin_token, cloud.sandbox),
        "revoked": revoked,
    }

    with cloud.unchanged():
        for token in tokens.values():
            assert len(refused_to(Api(cloud.sandbox.url, token), 401)) == 1
            response = Api(cloud.sandbox.url, token).list()
            assert "Keystone" in response.headers["WWW-Authenticate"]
            assert cloud.sandbox.keystone_url in response.headers["WWW-Authenticate"]


@pytest.mark.usefixtures("node")
def test_expired_token_differs_from_a_good_one_in_its_time_only(cloud: Cloud) -> None:
    """Proves the helper: the same token, sealed anew but not expired, is good."""
    good = expired(cloud.admin_token, cloud.sandbox, seconds=-600)

    assert good != cloud.admin_token
    body_of(Api(cloud.sandbox.url, good).list())


def unscoped_token(account: Credentials) -> str:
    """Return a token that is for no project."""
    auth = v3.Password(
        auth_url=account.auth_url,
        username=account.username,
        password=account.password,
        user_domain_id="default",
        unscoped=True,
    )
    return str(ksession.Session(auth=auth).get_token())


SPOOFED = {
    "X-Roles": "admin",
    "X-Role": "admin",
    "X-Identity-Status": "Confirmed",
    "X-Service-Identity-Status": "Confirmed",
    "X-User-Id": "admin",
    "X-User": "admin",
    "X-Project-Id": "admin",
    "X-Tenant-Id": "admin",
    "X-Service-Roles": "admin",
    "X-Service-Token": "",
    "X-Is-Admin-Project": "True",
    "OpenStack-System-Scope": "all",
    "X_Roles": "admin",
    "X_Identity_Status": "Confirmed",
    "Bm_Shim.Context": "admin",
}


@pytest.mark.usefixtures("node")
def test_identity_headers_of_a_caller_are_worth_nothing(cloud: Cloud) -> None:
    member = cloud.sandbox.member.token()
    unscoped = unscoped_token(cloud.sandbox.admin)

    with cloud.unchanged():
        for token, status in ((None, 401), ("garbage", 401), (member, 403), (unscoped, 403)):
            for headers in (SPOOFED, {}):
                api = Api(cloud.sandbox.url, token)
                response = api.request("GET", headers=headers)
                fault(response, status)
                response = api.request("DELETE", "/42", headers=headers)
                fault(response, status)


def test_bad_service_token_beside_a_good_one_is_unauthorized(cloud: Cloud) -> None:
    response = cloud.api.request("GET", headers={"X-Service-Token": "garbage"})

    fault(response, 401)


def test_service_token_is_what_keystone_says_of_it(cloud: Cloud) -> None:
    """A service may finish what a user began whose token has expired since; nobody else may."""
    sandbox = cloud.sandbox
    good, late = cloud.admin_token, expired(cloud.admin_token, sandbox)
    service, member = sandbox.service.token(), sandbox.member.token()
    for token, service_token, status in (
        (good, service, 200),
        (late, service, 200),
        (expired(good, sandbox, seconds=5 * 86400), service, 401),
        (late, None, 401),
        (late, member, 401),
        (late, good, 401),
        (late, expired(service, sandbox), 401),
        (good, expired(service, sandbox), 401),
        (good, member, 401),
        ("garbage", service, 401),
        (None, service, 401),
        # It lends no right of its own.
        (member, service, 403),
        (service, service, 403),
    ):
        headers = {} if service_token is None else {"X-Service-Token": service_token}
        response = Api(sandbox.url, token).request("GET", headers=headers)
        assert response.status_code == status, (token == good, service_token == service)


def test_administrator_of_the_system_may_do_everything_under_any_prefix(cloud: Cloud) -> None:
    system = cloud.sandbox.admin.for_system()

    for prefix in ("/v2.1", f"/v2/{cloud.admin_project}"):
        api = cloud.api_of(cloud.sandbox, system, prefix)
        node_id = node_of(api.create(prov_mac_address=MAC))["id"]
        assert node_id in [each["id"] for each in body_of(api.list())["nodes"]]
        body_of(api.add_interface(node_id, address=OTHER_MAC))
        assert_accepted(api.remove_interface(node_id, address=OTHER_MAC))
        assert_accepted(api.delete(node_id))


def test_administrator_of_any_project_may_do_everything_under_their_own(cloud: Cloud) -> None:
    other = cloud.sandbox.add_user("rights-admin", roles=["admin"], project="rights-other")
    own = other.session().get_project_id()

    body_of(cloud.api_of(cloud.sandbox, other, f"/v2/{own}").list())
    fault(cloud.api_of(cloud.sandbox, other, f"/v2/{cloud.admin_project}").list(), 400)


def test_reader_of_the_system_is_forbidden(cloud: Cloud) -> None:
    reader = cloud.sandbox.add_user("rights-auditor", system_roles=["reader"])

    fault(cloud.api_of(cloud.sandbox, reader).list(), 403)


@pytest.mark.usefixtures("node")
def test_policy_file_under_a_name_of_old_opens_the_api(cloud: Cloud) -> None:
    policy = cloud.sandbox.state_dir / "rights-policy.yaml"
    policy.write_text('"compute_extension:baremetal_nodes": "role:member or is_admin:True"\n')
    with cloud.shim("old-policy", oslo_policy={"policy_file": policy}) as shim:
        for account in (cloud.sandbox.member, cloud.sandbox.admin):
            body_of(cloud.api_of(shim, account).list())
            body_of(cloud.api_of(shim, account).show(42))


# The account of [ironic]


class Account:
    """The administrator at a shim with an account of its own, and that shim's log."""

    def __init__(self, api: Api, log: Callable[[], str]) -> None:
        self.api = api
        self.log = log

    def wait_for_log(self, text: str) -> None:
        """Wait until the log says something."""
        wait_until(lambda: text in self.log())


@contextmanager
def shim_as(cloud: Cloud, name: str, account: Credentials, **ironic: object) -> Iterator[Account]:
    """Run a shim that calls Ironic as this account; yield the administrator there, and its log."""
    options: Mapping[str, object] = {
        **account.options,
        "api_retry_interval": 0.1,
        "retry_timeout": 1,
        **ironic,
    }
    with cloud.shim(name, ironic=options) as shim:
        yield Account(cloud.api_of(shim), shim.log_path.read_text)


@pytest.fixture(scope="module")
def service(cloud: Cloud) -> Iterator[Account]:
    """A shim with what nova usually has: the role service in a project, and nothing else."""
    account = cloud.sandbox.add_user("rights-service", roles=["service"], project="service")
    with shim_as(cloud, "service-role", account) as at:
        yield at


@pytest.mark.usefixtures("node")
def test_account_that_sees_nothing_is_an_error_and_no_empty_list(
    cloud: Cloud, service: Account
) -> None:
    service.wait_for_log("Ironic is not usable yet")

    with cloud.unchanged():
        response = service.api.list()

    assert "not set up to list nodes" in fault(response, 503)
    assert "Retry-After" not in response.headers
    assert "system_scope = all" in service.log()
    assert "baremetal:node:list_all" in service.log()


@pytest.mark.parametrize("by", ["id", "uuid"])
def test_node_that_the_account_cannot_see_is_not_said_to_be_missing(
    cloud: Cloud, service: Account, node: str, by: str
) -> None:
    node_id = node if by == "uuid" else 42

    with cloud.unchanged():
        statuses = {
            "show": service.api.show(node_id).status_code,
            "delete": service.api.delete(node_id).status_code,
            "add_interface": service.api.add_interface(node_id, address=OTHER_MAC).status_code,
            "remove_interface": service.api.remove_interface(node_id, address=MAC).status_code,
        }

    assert statuses == dict.fromkeys(statuses, 503)


@pytest.mark.parametrize(
    "fields", [{}, {"prov_mac_address": OTHER_MAC}, {"id": 42}, {"id": 43}], ids=str
)
@pytest.mark.usefixtures("node")
def test_account_that_may_create_but_not_delete_leaves_nothing_behind(
    cloud: Cloud, service: Account, fields: dict[str, object]
) -> None:
    before = cloud.names()

    response = service.api.create(**fields)

    fault(response, 503)
    assert "Retry-After" not in response.headers
    assert cloud.names() == before


def test_account_that_sees_its_own_node_only_is_an_error_as_well(cloud: Cloud, node: str) -> None:
    account = cloud.sandbox.add_user("rights-owner", roles=["member"], project="rights-owner")
    project = account.session().get_project_id()
    owned = node_of(cloud.api.create())["uuid"]
    patch = [{"op": "add", "path": "/owner", "value": project}]
    cloud.ironic.patch(f"/v1/nodes/{owned}", json=patch)
    with shim_as(cloud, "sees-one", account) as at:
        visible = cloud.ironic_as(account).get("/v1/nodes").json()["nodes"]
        assert [each["uuid"] for each in visible] == [owned]

        assert "not set up to list nodes" in fault(at.api.list(), 503)
        at.wait_for_log("may not list all nodes")
        # What it can see, it can show.
        assert node_of(at.api.show(owned))["uuid"] == owned
    assert node in cloud.names()


@contextmanager
def ironic_policy(cloud: Cloud, role: str, *rules: str) -> Iterator[None]:
    """Grant rules of Ironic to a role during the block, beside those who have them by default."""
    path = cloud.sandbox.state_dir / "ironic-policy.yaml"
    kept = path.read_text()
    # Ironic reads the file again when its time has changed.
    path.write_text("".join(f'"{rule}": "role:{role} or role:admin"\n' for rule in rules))
    try:
        yield
    finally:
        path.write_text(kept)


@pytest.fixture(scope="module")
def granted(cloud: Cloud) -> Iterator[Account]:
    """A shim whose account, with the role ``granted``, has no right but to see its own project."""
    account = cloud.sandbox.add_user(
        "rights-granted", roles=["reader", "granted"], project="rights-granted"
    )
    with shim_as(cloud, "granted", account, rights_check_interval=0) as at:
        yield at


def test_account_that_is_granted_lists_and_nodes_in_ironics_policy_works(
    cloud: Cloud, granted: Account, node: str
) -> None:
    fault(granted.api.list(), 503)

    rules = ("baremetal:node:list_all", "baremetal:port:list_all", "baremetal:node:get")
    with ironic_policy(cloud, "granted", *rules):
        # Without a restart.
        nodes = body_of(granted.api.list())["nodes"]
        shown = node_of(granted.api.show(node))

    (listed,) = (each for each in nodes if each["uuid"] == node)
    for each in (listed, shown):
        assert [interface["address"] for interface in each["interfaces"]] == [MAC]


def test_node_that_the_account_may_only_list_is_not_said_to_be_missing(
    cloud: Cloud, granted: Account, node: str
) -> None:
    with ironic_policy(cloud, "granted", "baremetal:node:list_all", "baremetal:port:list_all"):
        nodes = body_of(granted.api.list())["nodes"]
        for node_id in (node, 42):
            fault(granted.api.show(node_id), 503)
        fault(granted.api.delete(node), 503)

    assert [each["uuid"] for each in nodes] == [node]
    assert "Grant it baremetal:node:get" in granted.log()


@pytest.mark.usefixtures("node")
def test_reader_of_the_system_serves_reads_and_refuses_writes(cloud: Cloud, node: str) -> None:
    account = cloud.sandbox.add_user("rights-reader", system_roles=["reader"])
    with shim_as(cloud, "reads", account) as at:
        at.wait_for_log("Ironic is usable")
        assert node in [each["uuid"] for each in body_of(at.api.list())["nodes"]]
        assert node_of(at.api.show(42))["uuid"] == node
        with cloud.unchanged(but="updated_at"):
            for name in ("create", "delete", "add_interface", "remove_interface"):
                response = OPERATIONS[name](at.api)
                fault(response, 503)
                assert "Retry-After" not in response.headers
            # Without an interface it is only Ironic that says no.
            fault(at.api.create(), 503)
        assert "may not create ports" in at.log()
        assert "baremetal:node:delete" in at.log()
        assert "Ironic refused the account of [ironic] with 403" in at.log()


@pytest.mark.usefixtures("node")
def test_wrong_password_is_a_matter_for_the_operator(cloud: Cloud) -> None:
    account = cloud.sandbox.add_user("rights-wrong", roles=["service"], project="service")
    secret = "not-the-password-4711"
    with shim_as(cloud, "wrong-password", account, password=secret) as at:
        at.wait_for_log("Ironic is not usable yet")
        with cloud.unchanged():
            for operation in OPERATIONS.values():
                response = operation(at.api)
                fault(response, 503)
                assert "Retry-After" not in response.headers
                assert secret not in response.text
        assert "[ironic]" in at.log()
        assert secret not in at.log()
        assert "Traceback" not in at.log()


# The caller's own token


@pytest.fixture(scope="module")
def forwarding(cloud: Cloud) -> Iterator[tuple[Shim, Proxy]]:
    """A shim that calls Ironic with the caller's token, and lets everybody try."""
    policy = cloud.sandbox.state_dir / "rights-everybody.yaml"
    policy.write_text('"os_compute_api:os-baremetal-nodes": ""\n')
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        options = {
            "ironic": {"forward_user_token": True, "endpoint_override": proxy.url},
            "oslo_policy": {"policy_file": policy},
        }
        with cloud.shim("forwarding", **options) as shim:
            yield shim, proxy


def tokens_seen(proxy: Proxy) -> set[str]:
    """Return the tokens with which Ironic was called."""
    return {request.headers["X-Auth-Token"] for request in proxy.seen}


def test_forwarded_token_of_an_administrator_may_do_everything(
    cloud: Cloud, forwarding: tuple[Shim, Proxy], node: str
) -> None:
    shim, proxy = forwarding
    admin = cloud.api_of(shim, cloud.sandbox.admin.for_system())
    proxy.seen.clear()

    made = node_of(admin.create(prov_mac_address=OTHER_MAC))["uuid"]
    assert {made, node} <= {each["uuid"] for each in body_of(admin.list())["nodes"]}
    assert_accepted(admin.remove_interface(made, address=OTHER_MAC))
    body_of(admin.add_interface(made, address=OTHER_MAC))
    assert_accepted(admin.delete(made))

    assert tokens_seen(proxy) == {admin.token}


def test_forwarded_token_of_a_member_brings_a_members_rights(
    cloud: Cloud, forwarding: tuple[Shim, Proxy], node: str
) -> None:
    shim, proxy = forwarding
    member = cloud.api_of(shim, cloud.sandbox.member)
    proxy.seen.clear()

    with cloud.unchanged():
        assert "does not let you list" in fault(member.list(), 403)
        fault(member.create(prov_mac_address=OTHER_MAC), 403)
        fault(member.create(), 403)
        fault(member.show(node), 404)
        fault(member.delete(node), 404)
        assert member.add_interface(node, address=OTHER_MAC).status_code in (403, 404)
        fault(member.remove_interface(node, address=MAC), 404)

    assert tokens_seen(proxy) == {member.token}


def test_member_learns_nothing_from_an_administrators_list(
    cloud: Cloud, forwarding: tuple[Shim, Proxy], node: str
) -> None:
    """The index of integer ids is shared among callers; what it leads to is not."""
    shim, _ = forwarding
    admin = cloud.api_of(shim, cloud.sandbox.admin.for_system())
    member = cloud.api_of(shim, cloud.sandbox.member)
    assert node_of(admin.show(42))["uuid"] == node

    fault(member.show(42), 404)

    assert node_of(admin.show(42))["uuid"] == node
