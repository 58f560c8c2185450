# SPDX-License-Identifier: Apache-2.0
"""Servers on a real Ironic, where it is busy, refuses, or knows more than everybody should."""

from collections.abc import Iterator

import pytest
import requests
from adoption import Adopted, adopt, wait_for

from bm_shim.sandbox import Credentials

from .support import Answer, Cloud, Forward, Proxy, Request, Servers, body_of, fault, within

SECRET = "s3cret-of-the-bmc"


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture
def servers(cloud: Cloud) -> Servers:
    """Servers, for an administrator."""
    return Servers(cloud.sandbox.url, cloud.admin_token)


@pytest.fixture
def member(cloud: Cloud) -> Servers:
    """Servers, for a member of the project that owns :func:`server`."""
    return Servers(cloud.sandbox.url, cloud.sandbox.member.token())


@pytest.fixture
def server(cloud: Cloud) -> Adopted:
    """A server of the member's project."""
    project_id = cloud.sandbox.member.session().get_project_id()
    return adopt(cloud.ironic, "web-1", project_id=str(project_id))


def assert_gone_well(response: requests.Response, status: int) -> None:
    assert (response.status_code, response.content) == (status, b"")


def test_a_server_from_beginning_to_end(cloud: Cloud, server: Adopted, member: Servers) -> None:
    """A member needs no right in Ironic: it is the service that asks."""
    (listed,) = body_of(member.request("GET", "/detail"))["servers"]
    assert listed == body_of(member.show(server.uuid))["server"]
    assert (listed["id"], listed["name"], listed["status"]) == (server.uuid, "web-1", "ACTIVE")
    assert_gone_well(member.reboot(server.uuid, "SOFT"), 202)
    wait_for(cloud.ironic, server.node_uuid, power_state="power on")
    assert_gone_well(member.reboot(server.uuid), 202)
    wait_for(cloud.ironic, server.node_uuid, power_state="power on")
    assert_gone_well(member.delete(server.uuid), 204)
    node = wait_for(cloud.ironic, server.node_uuid, provision_state="available")
    assert node["instance_uuid"] is None
    assert fault(member.show(server.uuid), 404) == f"Instance {server.uuid} could not be found."
    # The machine goes on under the nodes, and as what it was.
    shown = body_of(cloud.api.show(server.node_uuid))["node"]
    assert (shown["service_host"], shown["instance_uuid"]) == ("compute-7", None)
    assert cloud.api.delete(server.node_uuid).status_code == 202


def test_a_lessee_goes_before_the_owner(cloud: Cloud, server: Adopted, member: Servers) -> None:
    path = f"/v1/nodes/{server.node_uuid}"
    cloud.ironic.patch(path, json=[{"op": "add", "path": "/lessee", "value": "another"}])
    fault(member.show(server.uuid), 404)
    assert body_of(member.list())["servers"] == []


def test_a_reboot_under_way(cloud: Cloud, server: Adopted, member: Servers) -> None:
    cloud.database.set_node(
        server.node_uuid, target_power_state="power on", reservation="conductor"
    )
    shown = body_of(member.show(server.uuid))["server"]
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("REBOOT", "reboot_started")
    with within(1):
        for kind in ("SOFT", "HARD"):
            assert fault(member.reboot(server.uuid, kind), 409) == (
                f"Cannot 'reboot' instance {server.uuid} while it is in task_state reboot_started"
            )


def test_a_locked_node(cloud: Cloud, server: Adopted, member: Servers) -> None:
    """Ironic itself waits for two seconds. The name of its host is nobody's business."""
    cloud.database.set_node(server.node_uuid, reservation="conductor-of-ours")
    for action, response in (
        ("reboot", member.reboot(server.uuid)),
        ("delete", member.delete(server.uuid)),
    ):
        assert fault(response, 409) == (
            f"Cannot '{action}' instance {server.uuid} while another operation holds its node "
            "locked"
        )
        assert response.headers["Retry-After"] == "5"
        assert response.elapsed.total_seconds() < 5
    cloud.database.set_node(server.node_uuid, reservation=None)
    assert_gone_well(member.reboot(server.uuid), 202)


def test_a_node_in_maintenance(cloud: Cloud, server: Adopted, servers: Servers) -> None:
    """Ironic would do it."""
    cloud.ironic.put(f"/v1/nodes/{server.node_uuid}/maintenance", json={"reason": "new disk"})
    with cloud.unchanged():
        for action, response in (
            ("reboot", servers.reboot(server.uuid)),
            ("delete", servers.delete(server.uuid)),
        ):
            assert fault(response, 409) == (
                f"Cannot '{action}' instance {server.uuid} while its node is in maintenance"
            )


def test_a_protected_node(cloud: Cloud, server: Adopted, servers: Servers) -> None:
    """Ironic refuses it with the status that an account gets which may not."""
    path = f"/v1/nodes/{server.node_uuid}"
    cloud.ironic.patch(path, json=[{"op": "add", "path": "/protected", "value": True}])
    assert fault(servers.delete(server.uuid), 409) == (
        f"Cannot 'delete' instance {server.uuid} while its node is protected"
    )
    assert_gone_well(servers.reboot(server.uuid), 202)
    wait_for(cloud.ironic, server.node_uuid, power_state="power on")
    cloud.ironic.patch(path, json=[{"op": "remove", "path": "/protected"}])
    assert_gone_well(servers.delete(server.uuid), 204)
    wait_for(cloud.ironic, server.node_uuid, provision_state="available")


def test_a_delete_asked_for_twice(cloud: Cloud, server: Adopted, member: Servers) -> None:
    cloud.database.set_node(
        server.node_uuid, provision_state="deleting", target_provision_state="available"
    )
    shown = body_of(member.show(server.uuid))["server"]
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("DELETED", "deleting")
    with cloud.unchanged():
        assert_gone_well(member.delete(server.uuid), 204)
        fault(member.reboot(server.uuid), 409)


def test_a_failed_adoption(
    cloud: Cloud, server: Adopted, member: Servers, servers: Servers
) -> None:
    """Ironic does not undeploy it, nor can it be rebooted softly."""
    error = f"Error: ipmi_password={SECRET} of 10.0.0.1"
    cloud.database.set_node(server.node_uuid, provision_state="adopt failed", last_error=error)
    shown = body_of(member.show(server.uuid))["server"]
    assert shown["status"] == "ERROR"
    assert "10.0.0.1" not in str(shown)
    details = body_of(servers.show(server.uuid))["server"]["fault"]["details"]
    assert "10.0.0.1" in details
    assert SECRET not in details
    for action, response in (
        ("delete", member.delete(server.uuid)),
        ("reboot", member.reboot(server.uuid, "SOFT")),
    ):
        assert fault(response, 409) == (
            f"Cannot '{action}' instance {server.uuid} while it is in vm_state error"
        )
    assert_gone_well(member.reboot(server.uuid), 202)
    wait_for(cloud.ironic, server.node_uuid, power_state="power on")


@pytest.mark.parametrize("state", ["deploy failed", "error", "rescue"])
def test_states_that_ironic_undeploys(
    cloud: Cloud, server: Adopted, member: Servers, state: str
) -> None:
    cloud.database.set_node(server.node_uuid, provision_state=state)
    assert_gone_well(member.delete(server.uuid), 204)
    wait_for(cloud.ironic, server.node_uuid, provision_state="available")


def test_a_delete_is_sent_once(cloud: Cloud, server: Adopted) -> None:
    """Until a later attempt the node might have another instance."""

    def lock(request: Request, forward: Forward) -> Answer:
        if request.method == "PUT":
            return Answer.ironic_error(409, "Node X is locked by host Y, please retry")
        return forward()

    with Proxy(cloud.sandbox.ironic_url, lock) as proxy:
        options = {"ironic": {"endpoint_override": proxy.url, "api_retry_interval": 0.1}}
        with cloud.shim("servers-once", **options) as shim:
            servers = Servers(shim.url, cloud.admin_token)
            fault(servers.delete(server.uuid), 409)
            fault(servers.reboot(server.uuid, "SOFT"), 409)
    assert len([request for request in proxy.seen if request.method == "PUT"]) == 2


def test_an_account_that_sees_a_part_of_the_fleet(cloud: Cloud, server: Adopted) -> None:
    """Neither an empty list nor a missing server is made of what is hidden."""
    account = cloud.sandbox.add_user("servers-blind", roles=["service"], project="blind")
    with cloud.shim("servers-blind", ironic={**account.options, "system_scope": None}) as shim:
        servers = Servers(shim.url, cloud.admin_token)
        for response in (
            servers.list(),
            servers.show(server.uuid),
            servers.reboot(server.uuid),
            servers.delete(server.uuid),
        ):
            fault(response, 503)


def test_callers_with_rights_of_their_own(cloud: Cloud, server: Adopted) -> None:
    """With forwarded tokens Ironic looks at who calls, and a member has the project's nodes."""
    with cloud.shim("servers-forward", ironic={"forward_user_token": True}) as shim:

        def seen_by(account: Credentials) -> list[str]:
            caller = Servers(shim.url, account.token())
            return [each["id"] for each in body_of(caller.list())["servers"]]

        assert seen_by(cloud.sandbox.member) == [server.uuid]
        stranger = cloud.sandbox.add_user("stranger", roles=["member"], project="elsewhere")
        assert seen_by(stranger) == []
        member = Servers(shim.url, cloud.sandbox.member.token())
        assert_gone_well(member.reboot(server.uuid), 202)
        wait_for(cloud.ironic, server.node_uuid, power_state="power on")
        fault(Servers(shim.url, stranger.token()).show(server.uuid), 404)
