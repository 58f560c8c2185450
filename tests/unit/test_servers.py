# SPDX-License-Identifier: Apache-2.0
"""The resource servers, and what clients look up beside it: routes, bodies, statuses."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bm_shim import errors
from bm_shim.api import launch
from bm_shim.formats import server as form
from bm_shim.model import Instance

from .conftest import Api, MakeConf, StubInstances, StubInventory
from .wire import OTHER_PROJECT, PROJECT, Keystone

OWN, OTHERS, NOBODYS = StubInstances.own, StubInstances.others, StubInstances.nobodys
PREFIXES = [f"/v1.1/{PROJECT}", f"/v2/{PROJECT}", f"/v2.1/{PROJECT}", "/v2", "/v2.1"]
REBOOT = {"reboot": {"type": "SOFT"}}
UNKNOWN = "3c9e6d52-7b41-4f08-9a1d-5e2f8c7b6aff"

every_prefix = pytest.mark.parametrize("prefix", PREFIXES)


def links(prefix: str) -> form.Links:
    _, _, *project = prefix.split("/")
    return form.Links(f"http://localhost{prefix}", "/".join(("http://localhost", *project)))


def shown(
    instance: Instance,
    prefix: str = "/v2.1",
    *,
    version: tuple[int, int] = (2, 1),
    admin: bool = True,
) -> dict[str, Any]:
    return form.server(instance, links(prefix), version=version, admin=admin)


def names(response: Any) -> list[str]:
    return [each["name"] for each in response.json["servers"]]


@pytest.fixture(autouse=True)
def _people(request: pytest.FixtureRequest) -> None:
    """Whoever is a member in Keystone is a reader, too."""
    if "guarded_api" in request.fixturenames:
        keystone: Keystone = request.getfixturevalue("keystone")
        keystone.add_token("member", ["member", "reader"])
        keystone.add_token("other-member", ["member", "reader"], project=OTHER_PROJECT)


# Bodies and statuses, for an administrator


@every_prefix
def test_list(api: Api, inventory: StubInventory, prefix: str) -> None:
    response = api("GET", f"{prefix}/servers?all_tenants=1")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.json == {
        "servers": [form.server_in_index(each, links(prefix)) for each in inventory.instances.all]
    }
    assert inventory.calls == [("list", False)]


@every_prefix
def test_list_with_details(api: Api, inventory: StubInventory, prefix: str) -> None:
    response = api("GET", f"{prefix}/servers/detail?all_tenants=1")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.json == {"servers": [shown(i, prefix) for i in inventory.instances.all]}
    assert inventory.calls == [("list", True)]


@every_prefix
def test_show(api: Api, inventory: StubInventory, prefix: str) -> None:
    response = api("GET", f"{prefix}/servers/{OWN.uuid}")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.json == {"server": shown(OWN, prefix)}
    assert inventory.calls == [("get", OWN.uuid)]


@every_prefix
def test_delete(api: Api, inventory: StubInventory, prefix: str) -> None:
    response = api("DELETE", f"{prefix}/servers/{OWN.uuid}")
    assert (response.status_code, response.data) == (204, b"")
    assert inventory.calls == [("get", OWN.uuid), ("delete", OWN)]


@pytest.mark.parametrize(
    ("kind", "soft"),
    [("SOFT", True), ("Soft", True), ("soft", True), ("HARD", False), ("hArD", False)],
)
@every_prefix
def test_reboot(api: Api, inventory: StubInventory, prefix: str, kind: str, soft: bool) -> None:
    response = api("POST", f"{prefix}/servers/{OWN.uuid}/action", json={"reboot": {"type": kind}})
    assert (response.status_code, response.data) == (202, b"")
    old = not prefix.startswith("/v2.1")
    assert response.content_type == ("text/html; charset=UTF-8" if old else "application/json")
    assert inventory.calls == [("get", OWN.uuid), ("reboot", OWN, soft)]


@every_prefix
def test_flavor(api: Api, inventory: StubInventory, prefix: str) -> None:
    response = api("GET", f"{prefix}/flavors/baremetal")
    assert response.status_code == 200
    assert response.json == {
        "flavor": form.flavor("baremetal", inventory.instances.all, links(prefix))
    }


def test_links_hold_names_of_other_scripts(api: Api, inventory: StubInventory) -> None:
    path = f"/v2.1/servers/{inventory.instances.own.uuid}"
    response = api("GET", path, headers={"Host": "xn--fiqs8s.example"})
    assert response.json is not None
    assert response.json["server"]["links"][0]["href"] == f"http://xn--fiqs8s.example{path}"


def test_an_unknown_flavor(api: Api) -> None:
    response = api("GET", "/v2.1/flavors/gold")
    assert response.status_code == 404
    assert response.json == {
        "itemNotFound": {"code": 404, "message": "Flavor gold could not be found."}
    }


@pytest.mark.parametrize("version", ["2.3", "2.16", "2.35"])
def test_microversions(api: Api, version: str) -> None:
    headers = {"OpenStack-API-Version": f"compute {version}"}
    major, minor = version.split(".")
    for path, key in ((f"servers/{OWN.uuid}", "server"), ("servers/detail", "servers")):
        response = api("GET", f"/v2.1/{path}?uuid={OWN.uuid}&all_tenants=1", headers=headers)
        assert response.headers["OpenStack-API-Version"] == f"compute {version}"
        assert response.json is not None
        body = response.json[key]
        server = body[0] if key == "servers" else body
        assert server == shown(OWN, version=(int(major), int(minor)))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/servers"),
        ("GET", f"/servers/{OWN.uuid}"),
        ("POST", "/servers"),
        ("DELETE", f"/servers/{OWN.uuid}"),
        ("GET", "/flavors/baremetal"),
        ("GET", "/flavors"),
    ],
)
def test_versions_that_are_not_offered(
    api: Api, inventory: StubInventory, method: str, path: str
) -> None:
    """Nova has servers beyond 2.35, but this is not Nova."""
    headers = {"OpenStack-API-Version": "compute 2.36"}
    response = api(method, f"/v2.1{path}", headers=headers, json={})
    assert response.status_code == 406
    assert response.json == {
        "computeFault": {
            "code": 406,
            "message": "Version 2.36 is not supported by the API. Minimum is 2.1 and maximum is "
            "2.35.",
        }
    }
    assert inventory.calls == []
    assert api("GET", f"/v2{path}", headers=headers).status_code != 406


# Whose servers


@pytest.mark.parametrize(
    ("token", "query", "expected"),
    [
        ("member", "", ["web-1"]),
        ("reader", "", ["web-1"]),
        ("other-member", "", ["db-1"]),
        # What belongs to no project is the administrators'.
        ("admin", "", ["old-1", "web-1"]),
        ("system-admin", "", ["old-1"]),
        ("admin", "?all_tenants=1", ["old-1", "db-1", "web-1"]),
        ("admin", "?all_tenants", ["old-1", "db-1", "web-1"]),
        ("admin", "?all_tenants=0", ["old-1", "web-1"]),
        ("member", "?all_tenants=0", ["web-1"]),
        ("admin", f"?all_tenants=1&tenant_id={OTHER_PROJECT}", ["db-1"]),
        ("admin", f"?all_tenants=1&project_id={OTHER_PROJECT}", ["db-1"]),
        ("admin", f"?tenant_id={OTHER_PROJECT}", ["old-1", "web-1"]),
        ("member", f"?tenant_id={OTHER_PROJECT}", ["web-1"]),
        ("admin", f"?uuid={OWN.uuid}", ["web-1"]),
        ("member", f"?uuid={OTHERS.uuid}", ["web-1"]),
        ("admin", "?host=elsewhere", []),
        ("member", "?host=elsewhere", ["web-1"]),
        ("member", "?name=web", ["web-1"]),
        ("member", "?name=db", []),
        ("admin", "?deleted=true", []),
        ("member", "?deleted=true", ["web-1"]),
        ("member", "?nonsense=1&sort_key=x", ["web-1"]),
    ],
)
def test_who_sees_which_in_a_list(
    guarded_api: Api, token: str, query: str, expected: list[str]
) -> None:
    for path in ("servers", "servers/detail"):
        response = guarded_api("GET", f"/v2.1/{path}{query}", token=token)
        assert response.status_code == 200
        assert names(response) == expected


@pytest.mark.parametrize("token", ["member", "reader"])
@pytest.mark.parametrize(("path", "rule"), [("", "index"), ("/detail", "detail")])
def test_others_may_not_list_all_projects(
    guarded_api: Api, inventory: StubInventory, token: str, path: str, rule: str
) -> None:
    response = guarded_api("GET", f"/v2.1/servers{path}?all_tenants=1", token=token)
    assert response.status_code == 403
    message = (
        f"Policy doesn't allow os_compute_api:servers:{rule}:get_all_tenants to be performed."
    )
    assert response.json == {"forbidden": {"code": 403, "message": message}}
    assert inventory.calls == []


CALLS = [("GET", ""), ("DELETE", ""), ("POST", "/action")]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("token", ["member", "reader"])
def test_what_is_not_theirs_is_not_there(
    guarded_api: Api, inventory: StubInventory, token: str, method: str, path: str
) -> None:
    """The answers do not differ, and nothing happens."""
    for server_id in (OTHERS.uuid, NOBODYS.uuid, UNKNOWN, "web-1", "detail.x"):
        url = f"/servers/{server_id}{path}"
        new = guarded_api(method, f"/v2.1{url}", token=token, json=REBOOT)
        message = f"Instance {server_id} could not be found."
        assert new.json == {"itemNotFound": {"code": 404, "message": message}}
        old = guarded_api(method, f"/v2{url}", token=token, json=REBOOT)
        message = "Instance could not be found"
        assert old.json == {"itemNotFound": {"code": 404, "message": message}}
        assert (new.status_code, old.status_code) == (404, 404)
    assert {call[0] for call in inventory.calls} == {"get"}


@pytest.mark.parametrize("token", ["admin", "system-admin"])
def test_administrators_meet_every_server(guarded_api: Api, token: str) -> None:
    for instance in (OWN, OTHERS, NOBODYS):
        for method, path in CALLS:
            url = f"/v2.1/servers/{instance.uuid}{path}"
            status = guarded_api(method, url, token=token, json=REBOOT).status_code
            assert status in (200, 202, 204)


@pytest.mark.parametrize("token", ["member", "admin"])
def test_only_administrators_see_where_a_server_is(guarded_api: Api, token: str) -> None:
    response = guarded_api("GET", f"/v2.1/servers/{OWN.uuid}", token=token)
    assert response.json == {"server": shown(OWN, admin=token == "admin")}


@pytest.mark.parametrize(("token", "status"), [("member", 404), ("admin", 200)])
def test_a_flavor_is_seen_by_who_sees_a_server_of_it(
    guarded_api: Api, inventory: StubInventory, token: str, status: int
) -> None:
    inventory.instances.all = [OWN, replace(OTHERS, flavor="gold")]
    assert guarded_api("GET", "/v2.1/flavors/gold", token=token).status_code == status
    assert guarded_api("GET", "/v2.1/flavors/baremetal", token=token).status_code == 200


# Pages


def test_pages_lead_to_each_other(api: Api, inventory: StubInventory) -> None:
    inventory.instances.all = [
        replace(OWN, uuid=f"{number}{OWN.uuid[1:]}", name=f"web-{number}", project_id=None)
        for number in range(5)
    ]
    path = "/v2.1/servers/detail?limit=2&name=web&status=ACTIVE&status=BUILD"
    seen = []
    for _ in range(3):
        response = api("GET", path)
        seen.append(names(response))
        assert response.json is not None
        next_links = response.json.get("servers_links", [])
        if next_links:
            (link,) = next_links
            assert link["rel"] == "next"
            parts = urlsplit(link["href"])
            assert (parts.netloc, parts.path) == ("localhost", "/v2.1/servers/detail")
            path = f"{parts.path}?{parts.query}"
    assert seen == [["web-0", "web-1"], ["web-2", "web-3"], ["web-4"]]
    assert next_links == []
    assert sorted(parse_qsl(urlsplit(path).query)) == [
        ("limit", "2"),
        ("marker", f"3{OWN.uuid[1:]}"),
        ("name", "web"),
        ("status", "ACTIVE"),
        ("status", "BUILD"),
    ]


def test_the_service_has_a_limit_of_its_own(make_conf: MakeConf, inventory: StubInventory) -> None:
    api = Api(make_conf({"api": {"max_limit": 2}}), inventory)
    for limit in ("", "&limit=1000"):
        response = api("GET", f"/v2/{PROJECT}/servers?all_tenants=1{limit}")
        assert len(names(response)) == 2
        assert response.json is not None
        (link,) = response.json["servers_links"]
        assert link["href"].startswith(f"http://localhost/v2/{PROJECT}/servers?all_tenants=1")


PATTERN_MESSAGE = (
    "Invalid input for '{}': A pattern has at most 255 characters, counts up to {{999}}, none of "
    "them of a group, and no extensions but (?:, (?= and (?!."
)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=a", "limit param must be an integer"),
        ("limit=", "limit param must be an integer"),
        ("limit=-1", "limit param must be positive"),
        ("marker=x", "marker [x] not found"),
        (f"marker={OTHERS.uuid}", f"marker [{OTHERS.uuid}] not found"),
        ("name=[", "Invalid input for 'name': Not a valid regular expression."),
        (f"name={'(' * 1000}{')' * 1000}", PATTERN_MESSAGE.format("name")),
        ("name=a{1000000000}", PATTERN_MESSAGE.format("name")),
        ("name=(?R)&name=web", PATTERN_MESSAGE.format("name")),
        ("instance_name=(?R)", PATTERN_MESSAGE.format("instance_name")),
        ("changes-since=yesterday", "Invalid changes-since value"),
        (
            "all_tenants=x",
            "Invalid input for 'all_tenants': Unrecognized value 'x', acceptable values are: "
            "'0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
        ),
    ],
)
def test_queries_that_are_malformed(
    api: Api, inventory: StubInventory, query: str, message: str
) -> None:
    inventory.instances.all = [NOBODYS]
    for path in ("servers", "servers/detail"):
        response = api("GET", f"/v2.1/{path}?{query}")
        assert response.json == {"badRequest": {"code": 400, "message": message}}


def test_times_are_read_where_they_are_asked_for(api: Api, inventory: StubInventory) -> None:
    api("GET", "/v2.1/servers?changes-since=2026-11-22T20:30:17Z")
    assert inventory.calls == [("list", True)]


# What is refused


@pytest.mark.parametrize(
    "body",
    [
        {"server": {"name": "x", "flavorRef": "1", "imageRef": "2"}},
        {"server": {}},
        {},
        {"anything": 1},
    ],
)
@pytest.mark.parametrize("path", ["servers", "os-volumes_boot"])
@every_prefix
def test_launches(
    api: Api, inventory: StubInventory, prefix: str, path: str, body: dict[str, Any]
) -> None:
    response = api("POST", f"{prefix}/{path}", json=body)
    assert response.status_code == 403
    assert response.json == {"forbidden": {"code": 403, "message": launch.MESSAGE}}
    assert inventory.calls == []


@pytest.mark.parametrize(
    "path", ["flavors", "flavors/detail", "images", "images/detail", "images/7"]
)
@every_prefix
def test_choices_before_a_launch(api: Api, prefix: str, path: str) -> None:
    response = api("GET", f"{prefix}/{path}?is_public=None")
    assert response.json == {"forbidden": {"code": 403, "message": launch.MESSAGE}}


def test_the_ways_to_launch_are_named() -> None:
    assert "openstack server create" in launch.MESSAGE
    assert "openstack baremetal node deploy" in launch.MESSAGE


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("rebuild", "rebuild"),
        ("os-start", "power on"),
        ("os-stop", "power off"),
        ("rescue", "rescue"),
        ("resize", None),
        ("migrate", None),
        ("createImage", None),
    ],
)
def test_other_actions(
    api: Api, inventory: StubInventory, action: str, command: str | None
) -> None:
    response = api("POST", f"/v2.1/servers/{UNKNOWN}/action", json={action: None})
    assert response.status_code == 403
    assert response.json is not None
    message = response.json["forbidden"]["message"]
    assert message.startswith(f"The action '{action}' is not possible here.")
    way = f"openstack baremetal node {command} NODE."
    assert message.endswith(way if command else "and nothing else.")
    assert inventory.calls == []


def test_changes(api: Api, inventory: StubInventory) -> None:
    for prefix in PREFIXES:
        response = api("PUT", f"{prefix}/servers/{OWN.uuid}", json={"server": {"name": "x"}})
        assert response.status_code == 403
        assert response.json is not None
        assert "cannot be changed here" in response.json["forbidden"]["message"]
    assert inventory.calls == []


BODIES: list[tuple[dict[str, Any], str]] = [
    ({"data": "{", "content_type": "application/json"}, "Malformed request body"),
    ({"json": []}, "Malformed request body"),
    ({"data": ""}, "Malformed request body"),
]


@pytest.mark.parametrize(("sent", "message"), BODIES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "servers"),
        ("POST", "os-volumes_boot"),
        ("PUT", f"servers/{OWN.uuid}"),
        ("POST", f"servers/{OWN.uuid}/action"),
    ],
)
def test_bodies_must_be_readable(
    api: Api, method: str, path: str, sent: dict[str, Any], message: str
) -> None:
    response = api(method, f"/v2.1/{path}", **sent)
    assert response.json == {"badRequest": {"code": 400, "message": message}}
    response = api(method, f"/v2.1/{path}", data="<a/>", content_type="application/xml")
    assert response.status_code == 415


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"explode": {}}, "There is no such action: explode"),
        ({"add_interface": {}}, "There is no such action: add_interface"),
        ({}, "Malformed request body"),
        ({"reboot": {"type": "SOFT"}, "os-stop": None}, "Malformed request body"),
        ({"reboot": None}, "Invalid input: 'reboot' must be an object."),
        ({"reboot": "SOFT"}, "Invalid input: 'reboot' must be an object."),
        ({"reboot": {}}, "Missing argument 'type' for reboot"),
        ({"reboot": {"type": "warm"}}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"reboot": {"type": None}}, "Argument 'type' for reboot is not HARD or SOFT"),
        ({"reboot": {"type": 5}}, "Argument 'type' for reboot is not HARD or SOFT"),
    ],
)
def test_actions_that_are_malformed(
    api: Api, inventory: StubInventory, body: dict[str, Any], message: str
) -> None:
    for server_id in (OWN.uuid, UNKNOWN):
        response = api("POST", f"/v2.1/servers/{server_id}/action", json=body)
        assert response.json == {"badRequest": {"code": 400, "message": message}}
    assert inventory.calls == []


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"servers/{OWN.uuid}/{name}"
            for name in (
                *("ips", "metadata", "os-interface", "os-volume_attachments", "diagnostics"),
                *("os-security-groups", "consoles", "tags", "action/x"),
            )
        ),
        *("servers/", "servers/detail/", f"servers/{OWN.uuid}/", "flavors/1/os-extra_specs"),
        *("os-keypairs", "limits", "os-hypervisors"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_what_there_is_not(api: Api, inventory: StubInventory, method: str, path: str) -> None:
    response = api(method, f"/v2.1/{path}", json={})
    assert response.status_code == 404
    assert response.json == {
        "itemNotFound": {"code": 404, "message": "The resource could not be found."}
    }
    assert inventory.calls == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "servers"),
        ("HEAD", "flavors"),
        ("DELETE", "servers"),
        ("PUT", "servers"),
        ("PATCH", f"servers/{OWN.uuid}"),
        ("POST", f"servers/{OWN.uuid}"),
        ("POST", "servers/detail"),
        ("GET", f"servers/{OWN.uuid}/action"),
        ("POST", "flavors"),
        ("DELETE", "images/7"),
        ("GET", "os-volumes_boot"),
    ],
)
def test_methods_that_there_are_not(api: Api, method: str, path: str) -> None:
    for prefix in ("/v2.1", "/v2"):
        assert api(method, f"{prefix}/{path}", json={}).status_code == 404


def test_none_of_it_unless_it_is_asked_for(make_conf: MakeConf, inventory: StubInventory) -> None:
    api = Api(make_conf({"api": {"serve_instances": None}}), inventory)
    for prefix in PREFIXES:
        for method, path in [
            ("GET", "servers"),
            ("GET", f"servers/{OWN.uuid}"),
            ("POST", "servers"),
            ("DELETE", f"servers/{OWN.uuid}"),
            ("GET", "flavors/baremetal"),
            ("GET", "images"),
        ]:
            response = api(method, f"{prefix}/{path}", json={})
            message = "The resource could not be found."
            assert response.json == {"itemNotFound": {"code": 404, "message": message}}
    assert inventory.calls == []


# Formats


@pytest.mark.parametrize("accept", ["application/xml", "application/vnd.openstack.compute+xml"])
@pytest.mark.parametrize(
    "path", ["servers", "servers/detail", f"servers/{OWN.uuid}", "flavors/baremetal"]
)
def test_there_is_no_xml(api: Api, path: str, accept: str) -> None:
    response = api("GET", f"/v2/{path}", headers={"Accept": accept})
    assert response.content_type == "application/json"
    assert response.json
    assert api("GET", f"/v1.1/{PROJECT}/{path}.xml").content_type == "application/json"


def test_the_vendors_json(api: Api) -> None:
    media_type = "application/vnd.openstack.compute+json"
    response = api("GET", "/v2.1/servers", headers={"Accept": media_type})
    assert response.content_type == media_type


def test_requests_and_faults_may_be_xml(api: Api, inventory: StubInventory) -> None:
    path = f"/v2/servers/{OWN.uuid}/action"
    xml: dict[str, Any] = {
        "content_type": "application/xml",
        "headers": {"Accept": "application/xml"},
    }
    body = '<reboot xmlns="http://docs.openstack.org/compute/api/v1.1" type="HARD"/>'
    assert api("POST", path, data=body, **xml).status_code == 202
    assert inventory.calls[-1] == ("reboot", OWN, False)
    response = api("POST", "/v2/servers", data="<server name='x'/>", **xml)
    assert response.status_code == 403
    assert response.content_type == "application/xml; charset=UTF-8"
    assert b"<forbidden code=" in response.data


# Failures


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (errors.Conflict("busy"), 409),
        (errors.NodeLocked("locked"), 409),
        (errors.NotSetUp(), 503),
        (errors.ServiceUnavailable(), 503),
        (errors.BadGateway(), 502),
    ],
)
@pytest.mark.parametrize(("method", "path"), [*CALLS, ("LIST", "")])
def test_failures(
    api: Api, inventory: StubInventory, method: str, path: str, failure: Any, status: int
) -> None:
    inventory.failure = failure
    url = "/v2.1/servers" if method == "LIST" else f"/v2.1/servers/{OWN.uuid}{path}"
    response = api(method.replace("LIST", "GET"), url, json=REBOOT)
    assert response.status_code == status
    assert (response.headers.get("Retry-After") is not None) == (failure.retry_after is not None)


@pytest.mark.parametrize(
    ("method", "path", "body", "operation"),
    [
        ("GET", "servers", None, "os_compute_api:servers:index"),
        ("GET", "servers/detail", None, "os_compute_api:servers:detail"),
        ("GET", f"servers/{OWN.uuid}", None, "os_compute_api:servers:show"),
        ("GET", f"servers/{UNKNOWN}", None, "os_compute_api:servers:show"),
        ("DELETE", f"servers/{OWN.uuid}", None, "os_compute_api:servers:delete"),
        ("POST", f"servers/{OWN.uuid}/action", REBOOT, "os_compute_api:servers:reboot"),
        ("POST", f"servers/{OWN.uuid}/action", {"resize": {}}, "os_compute_api:servers:resize"),
        ("PUT", f"servers/{OWN.uuid}", {}, "os_compute_api:servers:update"),
        ("POST", "servers", {}, "os_compute_api:servers:create"),
        ("POST", "os-volumes_boot", {}, "os_compute_api:servers:create"),
    ],
)
def test_operations_in_the_access_log(
    api: Api,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: Any,
    operation: str,
) -> None:
    caplog.set_level("INFO")
    api(method, f"/v2.1/{path}", json=body)
    assert f"operation={operation} " in caplog.text


def test_whoever_calls_is_handed_down(guarded_api: Api, inventory: StubInventory) -> None:
    guarded_api("DELETE", f"/v2.1/servers/{OWN.uuid}", token="member")
    assert {caller.auth_token for caller in inventory.callers} == {"member"}
    assert len(inventory.calls) == 2
