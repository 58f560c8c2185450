# SPDX-License-Identifier: Apache-2.0
"""What the clients do with servers, where no Nova answers any more: list, show, reboot, delete."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest
from adoption import Adopted, adopt, set_power, wait_for
from keystoneauth1.adapter import Adapter

from bm_shim.api.launch import MESSAGE

from .cloud import Cloud
from .environments import Environment
from .nova import READERS, SPELLINGS, WRITERS, Nova, signed_in

#: Each client, and the oldest with each spelling of the address.
EVERYBODY = (*READERS, *(f"2.18.1 {path}" for path in SPELLINGS if path != "/v2/PROJECT"))

for_all = pytest.mark.parametrize("nova", READERS, indirect=True)
for_every_spelling = pytest.mark.parametrize("nova", EVERYBODY, indirect=True)

MakeServer = Callable[..., Adopted]


@pytest.fixture(scope="module")
def ironic(cloud: Cloud) -> Adapter:
    """Ironic's REST API, for an administrator of the system."""
    return Adapter(
        cloud.sandbox.admin.for_system().session(),
        endpoint_override=cloud.sandbox.ironic_url,
        service_type="baremetal",
        default_microversion="1.90",
    )


@pytest.fixture
def make_server(cloud: Cloud, ironic: Adapter) -> Iterator[MakeServer]:
    """Makes servers; they go away after the test, with their machines."""
    made: list[Adopted] = []

    def make(project_id: str | None = None) -> Adopted:
        server = adopt(ironic, f"web-{cloud.new_number()}", project_id=project_id)
        made.append(server)
        return server

    yield make
    for server in made:
        path = f"/v1/nodes/{server.node_uuid}"
        if ironic.get(path, raise_exc=False).status_code == 200:
            ironic.put(f"{path}/maintenance", json={})
            ironic.delete(path)


@pytest.fixture
def server(make_server: MakeServer) -> Adopted:
    """A server of no project, so the administrators'."""
    return make_server()


def ids(rows: list[dict[str, str]]) -> set[str]:
    return {row["ID"] for row in rows}


def rebooted(server: Adopted, cloud: Cloud, ironic: Adapter) -> list[str]:
    """Wait until nothing is done to a server's machine; return how Ironic has rebooted it."""
    wait_for(ironic, server.node_uuid, power_state="power on", last_error=None)
    words = rf"set node {server.node_uuid} power state to power on by ((?:soft )?rebooting)"
    return re.findall(words, cloud.sandbox.ironic.log_path.read_text())


# nova


@for_every_spelling
def test_list_fills_the_columns(nova: Nova, server: Adopted) -> None:
    rows = nova.table("list")
    (row,) = [row for row in rows if row["ID"] == server.uuid]
    assert row == {
        "ID": server.uuid,
        "Name": server.name,
        "Status": "ACTIVE",
        "Task State": "-",
        "Power State": "Running",
        "Networks": "",
    }


@for_all
def test_list_finds_what_is_asked_for(nova: Nova, make_server: MakeServer) -> None:
    one, other = make_server(), make_server()
    assert ids(nova.table("list", "--name", f"^{one.name}$")) == {one.uuid}
    assert {one.uuid, other.uuid} <= ids(nova.table("list", "--status", "ACTIVE"))
    assert nova.table("list", "--status", "SHUTOFF") == []
    assert nova.table("list", "--ip", "10.0.0.1") == []


@for_all
def test_list_of_all_projects(
    nova: Nova, make_server: MakeServer, cloud: Cloud, ironic: Adapter
) -> None:
    others = make_server(cloud.member.project_id)
    assert others.uuid not in ids(nova.table("list"))
    rows = nova.table("list", "--all-tenants")
    (row,) = [row for row in rows if row["ID"] == others.uuid]
    # The oldest has no such column.
    assert row.get("Tenant ID", cloud.member.project_id) == cloud.member.project_id


@for_all
def test_show_finds_a_uuid_and_a_name(nova: Nova, server: Adopted) -> None:
    printed = nova.properties("show", server.uuid)
    assert printed == nova.properties("show", server.name)
    expected = {
        "id": server.uuid,
        "name": server.name,
        "status": "ACTIVE",
        "flavor": "baremetal (baremetal)",
        "OS-EXT-STS:power_state": "1",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:task_state": "-",
        "OS-EXT-SRV-ATTR:host": "compute-7",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.node_uuid,
        "metadata": "{}",
        "tenant_id": "",
    }
    assert expected.items() <= printed.items()


@for_all
def test_reboot(nova: Nova, server: Adopted, cloud: Cloud, ironic: Adapter) -> None:
    assert nova.run("reboot", server.name).status == 0
    assert rebooted(server, cloud, ironic) == ["soft rebooting"]
    assert nova.run("reboot", "--hard", server.name).status == 0
    assert rebooted(server, cloud, ironic) == ["soft rebooting", "rebooting"]
    assert nova.properties("show", server.uuid)["status"] == "ACTIVE"


@for_all
def test_hard_reboot_switches_on_what_is_off(nova: Nova, server: Adopted, ironic: Adapter) -> None:
    set_power(ironic, server.node_uuid, "power off")
    assert nova.properties("show", server.uuid)["status"] == "SHUTOFF"
    assert nova.run("reboot", "--hard", "--poll", server.uuid).status == 0
    wait_for(ironic, server.node_uuid, power_state="power on")
    assert nova.properties("show", server.uuid)["status"] == "ACTIVE"


@for_all
def test_soft_reboot_of_what_is_off_is_refused(
    nova: Nova, server: Adopted, ironic: Adapter
) -> None:
    set_power(ironic, server.node_uuid, "power off")
    refused = nova.run("reboot", server.uuid)
    assert f"Cannot 'reboot' instance {server.uuid} while it is in vm_state stopped" in (
        refused.stdout + refused.stderr
    )
    wait_for(ironic, server.node_uuid, power_state="power off")


@for_all
def test_delete_frees_the_machine(
    nova: Nova, server: Adopted, cloud: Cloud, ironic: Adapter
) -> None:
    assert nova.run("delete", server.name).status == 0
    node = wait_for(ironic, server.node_uuid, provision_state="available")
    assert (node["instance_uuid"], node["instance_info"]) == (None, {})
    assert server.uuid not in ids(nova.table("list"))
    again = nova.run("delete", server.uuid)
    assert again.status == 1
    assert f"No server with a name or ID of '{server.uuid}' exists." in (
        again.stdout + again.stderr
    )
    # It is a machine like any other.
    shown = cloud.show_node(server.node_uuid)
    assert shown is not None
    assert (shown["task_state"], shown["instance_uuid"]) == ("available", None)


@pytest.mark.parametrize("nova", WRITERS, indirect=True)
def test_the_machine_of_a_deleted_server_can_be_deleted(
    nova: Nova, server: Adopted, cloud: Cloud, ironic: Adapter
) -> None:
    nova.run("delete", server.uuid)
    wait_for(ironic, server.node_uuid, provision_state="available")
    nova.quietly("baremetal-node-delete", server.node_uuid)
    assert cloud.show_node(server.node_uuid) is None


@pytest.mark.parametrize("login", READERS)
def test_a_member_has_the_servers_of_the_project(
    login: str,
    environments: Mapping[str, Environment],
    cloud: Cloud,
    make_server: MakeServer,
    ironic: Adapter,
) -> None:
    own, others = make_server(cloud.member.project_id), make_server()
    nova = signed_in(login, environments, cloud, member=True)
    assert ids(nova.table("list")) == {own.uuid}
    printed = nova.properties("show", own.name)
    assert printed["tenant_id"] == cloud.member.project_id
    assert "OS-EXT-SRV-ATTR:host" not in printed
    for command in ("show", "reboot", "delete"):
        finished = nova.run(command, others.uuid)
        assert finished.status == 1
        assert f"No server with a name or ID of '{others.uuid}' exists." in (
            finished.stdout + finished.stderr
        )
    assert nova.run("reboot", "--hard", own.uuid).status == 0
    wait_for(ironic, own.node_uuid, power_state="power on")
    assert nova.run("delete", own.uuid).status == 0
    wait_for(ironic, own.node_uuid, provision_state="available")
    wait_for(ironic, others.node_uuid, provision_state="active", power_state="power on")


#: They look for the image, then for the flavor, and then ask for a server; later ones look for
#: images elsewhere.
LAUNCHES = [
    (login, arguments)
    for login in READERS
    for arguments in (
        ("--flavor", "m1.small", "--image", "cirros"),
        ("--flavor", "m1.small", "--boot-volume", "v"),
        ("--flavor", "baremetal", "--boot-volume", "v"),
    )
]


@pytest.mark.parametrize(("nova", "arguments"), LAUNCHES, indirect=["nova"])
def test_a_launch_is_refused_with_the_way_that_there_is(
    nova: Nova, arguments: tuple[str, ...], server: Adopted
) -> None:
    refused = nova.run("boot", *arguments, "new-server")
    assert refused.status == 1
    said = re.sub(r"\s+", " ", refused.stderr)
    assert f"ERROR (Forbidden): {MESSAGE} (HTTP 403)" in said


@for_all
def test_another_action_is_refused_with_the_way_that_there_is(
    nova: Nova, server: Adopted, ironic: Adapter
) -> None:
    refused = nova.run("stop", server.uuid)
    assert refused.status == 1
    assert "openstack baremetal node power off NODE" in refused.stdout + refused.stderr
    wait_for(ironic, server.node_uuid, power_state="power on")


# openstack, of today


@pytest.mark.parametrize("version", ["", "2.1", "2.35", "2.latest"])
def test_openstack_lists_and_shows(cloud: Cloud, server: Adopted, version: str) -> None:
    options = ("--os-compute-api-version", version) if version else ()
    rows = cloud.openstack_json(*options, "server", "list", "--long")
    (row,) = [row for row in rows if row["ID"] == server.uuid]
    assert (row["Name"], row["Status"], row["Power State"]) == (server.name, "ACTIVE", 1)
    assert (row["Flavor ID"], row["Host"]) == ("baremetal", server.node_uuid)
    for what in (server.uuid, server.name):
        shown = cloud.openstack_json(*options, "server", "show", what)
        assert (shown["id"], shown["name"], shown["status"]) == (
            server.uuid,
            server.name,
            "ACTIVE",
        )
        assert "baremetal" in str(shown["flavor"])


def test_openstack_lists_all_projects(cloud: Cloud, make_server: MakeServer) -> None:
    others = make_server(cloud.member.project_id)
    options = ("--name", f"^{others.name}$", "--status", "ACTIVE", "--limit", "5")
    assert cloud.openstack_json("server", "list", *options) == []
    (row,) = cloud.openstack_json("server", "list", "--all-projects", *options)
    assert (row["ID"], row["Project ID"]) == (others.uuid, cloud.member.project_id)
    project = ("--project", cloud.member.project_id)
    assert others.uuid in str(cloud.openstack_json("server", "list", *project))


def test_openstack_pages(cloud: Cloud, make_server: MakeServer) -> None:
    """It follows the links itself."""
    three = [make_server() for _ in range(3)]
    newest_first = [server.uuid for server in reversed(three)]
    names = "|".join(f"^{server.name}$" for server in three)
    listed = cloud.openstack_json("server", "list", "--name", names)
    assert [row["ID"] for row in listed] == newest_first
    marker = ("--marker", newest_first[0], "--limit", "1")
    page = cloud.openstack_json("server", "list", "--name", names, *marker)
    assert [row["ID"] for row in page] == newest_first[1:2]


def test_openstack_reboots(cloud: Cloud, server: Adopted, ironic: Adapter) -> None:
    cloud.openstack("server", "reboot", "--wait", server.name)
    assert rebooted(server, cloud, ironic) == ["soft rebooting"]
    cloud.openstack("server", "reboot", "--hard", "--wait", server.uuid)
    assert rebooted(server, cloud, ironic) == ["soft rebooting", "rebooting"]
    assert cloud.openstack_json("server", "show", server.uuid)["status"] == "ACTIVE"


def test_openstack_deletes(cloud: Cloud, server: Adopted, ironic: Adapter) -> None:
    cloud.openstack("server", "delete", "--wait", server.name)
    wait_for(ironic, server.node_uuid, provision_state="available")
    assert cloud.run_openstack("server", "show", server.uuid).status == 1
    cloud.openstack("baremetal", "node", "delete", server.node_uuid)


DISK = "uuid=feedface-0000-4000-8000-000000000003,source_type=volume,boot_index=0"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--flavor", "m1.small", "--image", "cirros"),
        ("--flavor", "m1.small", "--block-device", DISK),
        ("--flavor", "baremetal", "--block-device", DISK),
    ],
)
def test_openstack_may_not_launch(
    cloud: Cloud, server: Adopted, arguments: tuple[str, ...]
) -> None:
    refused = cloud.run_openstack("server", "create", *arguments, "new-server")
    assert refused.status == 1
    assert MESSAGE in re.sub(r"\s+", " ", refused.stderr)
