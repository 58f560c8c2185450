# SPDX-License-Identifier: Apache-2.0
"""The WSGI stack: what every client meets, whatever it asks for."""

import io
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import werkzeug.test

from bm_shim import access_log, errors
from bm_shim.app import create_app
from bm_shim.inventory import Inventory
from bm_shim.model import NewNode

from .conftest import WITH_KEYSTONE, Api, MakeConf, Options, StubInventory, log_all
from .wire import (
    ALWAYS,
    OTHER_PROJECT,
    PROJECT,
    REFUSED,
    SERVICE_PASSWORD,
    SERVICE_TOKEN,
    TIMEOUT,
    Answer,
    Ironic,
    Keystone,
    Outcome,
    answer,
)

COLLECTION = "/v2.1/os-baremetal-nodes"
UNKNOWN = {"itemNotFound": {"code": 404, "message": "The resource could not be found."}}
TOO_LARGE = {"overLimit": {"code": 413, "message": "Request is too large."}}
UNAUTHORIZED = {
    "unauthorized": {"code": 401, "message": "The request you have made requires authentication."}
}
LIMIT = 114688
REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MakeApi = Callable[[Options], Api]


@pytest.fixture
def make_api(make_conf: MakeConf, inventory: StubInventory) -> MakeApi:
    return lambda options: Api(make_conf(options), inventory)


# Paths and methods


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/favicon.ico",
        "/v1.1/x",
        "/v2/x",
        "/v2.1/x",
        "/v3/",
        "/v9/os-baremetal-nodes",
        "/os-baremetal-nodes",
        "/v1.1/os-baremetal-nodes/1/x",
        f"{COLLECTION}/",
        f"{COLLECTION}/1/",
        f"{COLLECTION}/1/action/",
        f"{COLLECTION}/1/edit",
        f"{COLLECTION}/1/x/y",
        f"{COLLECTION}/a%2Fb",
        f"{COLLECTION}//",
        f"{COLLECTION}/1//",
        "/V2.1/os-baremetal-nodes",
        "/v2.1/os-baremetal-node",
        "/v2.1/os-baremetal-nodes.json",
        "/v2.1/os-baremetal-nodes.xml",
        "/healthcheck/",
        "/static/x",
    ],
)
def test_unknown_paths(api: Api, inventory: StubInventory, method: str, path: str) -> None:
    response = api(method, path)
    assert response.status_code == 404
    assert response.json == UNKNOWN
    assert response.content_type == "application/json; charset=UTF-8"
    assert inventory.calls == []


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (f"/{COLLECTION}", ("list",)),
        ("/v2.1//os-baremetal-nodes", ("list",)),
        (f"/v2///{PROJECT}//os-baremetal-nodes", ("list",)),
        (f"///v1.1//{PROJECT}/os-baremetal-nodes//1", ("show", "1")),
        (f"{COLLECTION}//1", ("show", "1")),
    ],
)
def test_several_slashes_are_one(
    api: Api, inventory: StubInventory, path: str, call: tuple[str, ...]
) -> None:
    """Scripts add paths to an endpoint that ends with one."""
    assert api("GET", f"http://localhost{path}").status_code == 200
    assert inventory.calls == [call]


def test_several_slashes_do_not_go_round_the_token_check(
    guarded_api: Api, inventory: StubInventory
) -> None:
    for path in (f"/{COLLECTION}", "/v2.1//os-baremetal-nodes", f"{COLLECTION}//1"):
        assert guarded_api("GET", f"http://localhost{path}").json == UNAUTHORIZED
    assert inventory.calls == []


@pytest.mark.parametrize("prefix", ["/v1.1", "/v2"])
@pytest.mark.parametrize("project", ["", f"/{PROJECT}"])
def test_an_update_was_never_an_action(
    api: Api, inventory: StubInventory, prefix: str, project: str
) -> None:
    """But had a route, until Juno."""
    response = api("PUT", f"{prefix}{project}/os-baremetal-nodes/1", json={})
    if prefix == "/v1.1" and not project:
        assert response.json == UNKNOWN
    else:
        message = "There is no such action: update"
        assert response.json == {"badRequest": {"code": 400, "message": message}}
    assert inventory.calls == []


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", "POST PUT DELETE PATCH OPTIONS TRACE"),
        ("/v2.1/", "POST PUT DELETE PATCH OPTIONS"),
        (COLLECTION, "PUT DELETE PATCH OPTIONS TRACE FOO"),
        (f"{COLLECTION}/1", "POST PUT PATCH OPTIONS TRACE FOO"),
        (f"{COLLECTION}/1/action", "GET PUT DELETE PATCH OPTIONS"),
        (f"/v2/{PROJECT}/os-baremetal-nodes", "PUT DELETE PATCH OPTIONS"),
        (f"/v1.1/{PROJECT}/os-baremetal-nodes/1", "POST PATCH OPTIONS TRACE FOO"),
        (f"/v2/{PROJECT}/os-baremetal-nodes/1/action", "GET PUT DELETE PATCH OPTIONS"),
    ],
)
def test_wrong_methods_are_not_found(
    api: Api, inventory: StubInventory, path: str, methods: str
) -> None:
    for method in methods.split():
        response = api(method, path, json={})
        assert response.status_code == 404, method
        assert response.json == UNKNOWN, method
    assert inventory.calls == []


@pytest.mark.parametrize(
    "path",
    [COLLECTION, f"{COLLECTION}/1", f"{COLLECTION}/1/action", f"/v2.1/{PROJECT}/", "/x",
     f"/v2/{PROJECT}/os-baremetal-nodes", f"/v1.1/{PROJECT}/extensions"],
)  # fmt: skip
def test_head_was_never_known(api: Api, inventory: StubInventory, path: str) -> None:
    response = api("HEAD", path)
    assert response.status_code == 404
    assert response.data == b""
    assert inventory.calls == []


def test_head_of_the_versions_is_for_load_balancers(api: Api) -> None:
    response = api("HEAD", "/")
    assert response.status_code == 200
    assert response.data == b""


OLD_COLLECTIONS = [
    f"/v1.1/{PROJECT}/os-baremetal-nodes",
    f"/v2/{PROJECT}/os-baremetal-nodes",
    "/v2/os-baremetal-nodes",
]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense;q=x"])
def test_answers_are_json_whatever_a_client_accepts(api: Api, accept: str) -> None:
    for path in (COLLECTION, f"{COLLECTION}/x/y", "/v2.1", "/v2.1/", "/v2.1/nothing"):
        assert api("GET", path, headers={"Accept": accept}).is_json


@pytest.mark.parametrize("accept", ["text/html", "*/*", "nonsense;q=x", "application/json"])
def test_elsewhere_they_are_unless_xml_is_asked_for(api: Api, accept: str) -> None:
    for path in (*OLD_COLLECTIONS, "/", "/v2/", "/v1.1/nothing", "/nothing"):
        assert api("GET", path, headers={"Accept": accept}).is_json


@pytest.mark.parametrize(
    ("path", "status", "root"),
    [
        *((path, 200, b"<nodes>") for path in OLD_COLLECTIONS),
        ("/", 200, b"<versions "),
        ("/v2/", 200, b"<version "),
        ("/v1.1", 200, b"<version "),
        ("/v1.1/nothing", 404, b"<itemNotFound "),
        ("/nothing", 404, b"<itemNotFound "),
    ],
)
def test_answers_in_xml(api: Api, path: str, status: int, root: bytes) -> None:
    response = api("GET", path, headers={"Accept": "application/json;q=0.5, application/xml"})
    assert response.status_code == status
    assert response.mimetype == "application/xml"
    assert root in response.data


@pytest.mark.parametrize("path", OLD_COLLECTIONS)
def test_suffixes_say_what_comes_back(api: Api, inventory: StubInventory, path: str) -> None:
    in_xml = {"Accept": "application/xml"}
    assert api("GET", f"{path}.json", headers=in_xml).is_json
    assert api("GET", f"{path}/1.xml").data.startswith(b"<?xml")
    assert inventory.calls == [("list",), ("show", "1")]


@pytest.mark.parametrize("path", OLD_COLLECTIONS)
def test_bodies_in_xml(api: Api, inventory: StubInventory, path: str) -> None:
    body = '<node xmlns="http://docs.openstack.org/compute/api/v1.1" cpus="8"/>'
    response = api("POST", path, data=body, content_type="application/xml")
    assert response.status_code == 200
    assert response.is_json
    assert inventory.calls == [("create", NewNode(cpus=8))]


def test_refusals_in_xml(guarded_api: Api, keystone: Keystone) -> None:
    """Also those of the middleware: they are in the format that a suffix asks for."""
    path = f"{OLD_COLLECTIONS[0]}.xml"
    assert guarded_api("GET", path).data.startswith(b'<unauthorized code="401" ')
    keystone.fail(".*", REFUSED, ALWAYS)
    away = guarded_api("GET", path, token="admin")
    assert away.data.startswith(b'<serviceUnavailable code="503" ')


# Bodies too large


def test_a_body_at_the_limit(api: Api) -> None:
    body = b'{"node": {}}'.ljust(LIMIT)
    assert api("POST", COLLECTION, data=body).status_code == 200


@pytest.mark.parametrize("length", [LIMIT + 1, 10 * LIMIT, 10**12])
def test_a_body_that_is_announced_too_large(
    api: Api, inventory: StubInventory, length: int
) -> None:
    overrides = {"CONTENT_LENGTH": str(length), "wsgi.input": Unread()}
    response = api("POST", COLLECTION, environ_overrides=overrides)
    assert response.status_code == 413
    assert response.json == TOO_LARGE
    assert inventory.calls == []


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("was read")


def chunked(body: bytes) -> dict[str, Any]:
    """What servers make of a body without Content-Length."""
    return {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": None,
    }


def test_a_body_that_turns_out_too_large(api: Api, inventory: StubInventory) -> None:
    body = b'{"node": {}}'.ljust(LIMIT + 1)
    response = api("POST", COLLECTION, environ_overrides=chunked(body))
    assert response.status_code == 413
    assert response.json == TOO_LARGE
    assert inventory.calls == []


def test_a_body_without_length_is_read(api: Api) -> None:
    response = api("POST", COLLECTION, environ_overrides=chunked(b'{"node": {}}'))
    assert response.status_code == 200


def test_the_limit_is_configurable(make_api: MakeApi) -> None:
    api = make_api({"oslo_middleware": {"max_request_body_size": 20}})
    assert api("POST", COLLECTION, data=b'{"node": {}}').status_code == 200
    assert api("POST", COLLECTION, data=b'{"node": {}}'.ljust(21)).json == TOO_LARGE


@pytest.mark.parametrize("length", ["-1", "abc", "1.5", "9" * 5000])
def test_an_absurd_content_length(api: Api, inventory: StubInventory, length: str) -> None:
    response = api("POST", COLLECTION, environ_overrides={"CONTENT_LENGTH": length})
    assert 400 <= response.status_code < 500
    assert response.is_json
    assert inventory.calls == []


# Failures


@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, MemoryError])
def test_unexpected_errors_tell_nothing(
    api: Api,
    inventory: StubInventory,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    inventory.failure = error("s3cret")
    response = api("GET", COLLECTION)
    assert response.status_code == 500
    assert response.json == {
        "computeFault": {
            "code": 500,
            "message": "The server has either erred or is incapable of performing the requested "
            "operation.",
        }
    }
    assert "s3cret" not in str(response.headers)
    assert "s3cret" in caplog.text


def test_details_of_errors_go_to_the_log_only(
    api: Api, inventory: StubInventory, caplog: pytest.LogCaptureFixture
) -> None:
    inventory.failure = errors.NotSetUp(detail="grant this")
    response = api("GET", COLLECTION)
    assert "grant this" not in response.text
    assert caplog.text.count("grant this") == 1


# Ids of requests


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/healthcheck"),
        ("GET", COLLECTION),
        ("DELETE", f"{COLLECTION}/1"),
        ("GET", "/nothing"),
        ("PUT", COLLECTION),
        ("HEAD", COLLECTION),
        ("POST", COLLECTION),
    ],
)
def test_every_answer_has_the_id_of_its_request(api: Api, method: str, path: str) -> None:
    ids = set()
    for _ in range(2):
        headers = api(method, path).headers
        assert REQUEST_ID.fullmatch(headers["x-openstack-request-id"])
        assert headers["x-compute-request-id"] == headers["x-openstack-request-id"]
        ids.add(headers["x-openstack-request-id"])
    assert len(ids) == 2


def test_failures_have_it_too(api: Api, inventory: StubInventory) -> None:
    inventory.failure = ValueError()
    assert REQUEST_ID.fullmatch(api("GET", COLLECTION).headers["x-compute-request-id"])
    too_large = api("POST", COLLECTION, data=b" " * (LIMIT + 1))
    assert REQUEST_ID.fullmatch(too_large.headers["x-compute-request-id"])


def test_refusals_have_it_too(guarded_api: Api, api: Api) -> None:
    assert "x-compute-request-id" in guarded_api("GET", COLLECTION).headers
    assert "x-compute-request-id" in api("GET", COLLECTION, address="192.0.2.1").headers


def test_the_id_of_the_caller_is_passed_on_but_not_taken_for_ours(
    api: Api, inventory: StubInventory
) -> None:
    theirs = "req-12345678-1234-1234-1234-123456789abc"
    headers = api("GET", COLLECTION, headers={"X-OpenStack-Request-ID": theirs}).headers
    assert headers["x-compute-request-id"] != theirs
    assert inventory.callers[0].global_request_id == theirs
    assert inventory.callers[0].request_id == headers["x-compute-request-id"]


@pytest.mark.parametrize(
    "theirs",
    ["x", "12345678-1234-1234-1234-123456789abc", "req-12345678-1234-1234-1234-123456789ABC",
     "req-12345678-1234-1234-1234-123456789abc; x=y", "req-" + "1" * 36, ""],
)  # fmt: skip
def test_a_malformed_id_is_dropped(api: Api, inventory: StubInventory, theirs: str) -> None:
    response = api("GET", COLLECTION, headers={"X-OpenStack-Request-ID": theirs})
    assert inventory.callers[0].global_request_id is None
    assert REQUEST_ID.fullmatch(response.headers["x-openstack-request-id"])


# Callers

IDENTITY = {
    "X-Identity-Status": "Confirmed",
    "X-Service-Identity-Status": "Confirmed",
    "X-User-Id": "spoofed",
    "X-User-Name": "spoofed",
    "X-User": "spoofed",
    "X-Project-Id": OTHER_PROJECT,
    "X-Tenant-Id": OTHER_PROJECT,
    "X-Roles": "admin",
    "X-Role": "admin",
    "X-Is-Admin-Project": "True",
    "OpenStack-System-Scope": "all",
}


def test_an_administrator_is_let_in(guarded_api: Api, inventory: StubInventory) -> None:
    assert guarded_api("GET", COLLECTION, token="admin").status_code == 200
    (caller,) = inventory.callers
    assert (caller.user_id, caller.project_id, caller.roles) == (
        "id-of-admin",
        PROJECT,
        ["admin"],
    )
    assert caller.auth_token == "admin"


def test_an_administrator_of_the_system_is_let_in(
    guarded_api: Api, inventory: StubInventory
) -> None:
    for path in (COLLECTION, f"/v2/{PROJECT}/os-baremetal-nodes"):
        assert guarded_api("GET", path, token="system-admin").status_code == 200
    assert inventory.callers[0].system_scope == "all"


@pytest.mark.parametrize("token", [None, "", "unknown", "expired", "ä", "x" * 5000])
def test_without_a_good_token_nobody_is_let_in(
    guarded_api: Api, keystone: Keystone, inventory: StubInventory, token: str | None
) -> None:
    keystone.add_token("expired", ["admin"])["expires_at"] = "2020-01-01T00:00:00.000000Z"
    response = guarded_api("GET", COLLECTION, token=token)
    assert response.status_code == 401
    assert response.json == UNAUTHORIZED
    assert "Keystone" in response.headers["WWW-Authenticate"]
    assert inventory.calls == []


@pytest.mark.parametrize("token", ["member", "reader"])
def test_others_are_forbidden_to(guarded_api: Api, inventory: StubInventory, token: str) -> None:
    response = guarded_api("GET", COLLECTION, token=token)
    assert response.json == {
        "forbidden": {
            "code": 403,
            "message": "Policy doesn't allow os_compute_api:os-baremetal-nodes:list to be "
            "performed.",
        }
    }
    assert inventory.calls == []


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("unknown", 401), ("member", 403)])
def test_identity_headers_of_clients_count_for_nothing(
    guarded_api: Api, inventory: StubInventory, token: str | None, status: int
) -> None:
    response = guarded_api("GET", COLLECTION, token=token, headers=IDENTITY)
    assert response.status_code == status
    assert inventory.calls == []


def test_identity_headers_of_an_administrator_count_for_nothing(
    guarded_api: Api, inventory: StubInventory
) -> None:
    assert guarded_api("GET", COLLECTION, token="admin", headers=IDENTITY).status_code == 200
    (caller,) = inventory.callers
    assert (caller.user_id, caller.project_id) == ("id-of-admin", PROJECT)
    assert caller.system_scope is None


def test_identity_headers_count_for_nothing_without_keystone(
    api: Api, inventory: StubInventory
) -> None:
    api("GET", COLLECTION, headers=IDENTITY | {"X-Roles": "member"})
    (caller,) = inventory.callers
    assert (caller.user_id, caller.project_id, caller.roles) == ("noauth", None, ["admin"])


@pytest.mark.parametrize(("service_token", "status"), [("unknown", 401), (SERVICE_TOKEN, 200)])
def test_a_service_token_must_be_good_as_well(
    guarded_api: Api, service_token: str, status: int
) -> None:
    headers = {"X-Service-Token": service_token}
    response = guarded_api("GET", COLLECTION, token="admin", headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/v2.1/unknown", {}),
        ("PUT", COLLECTION, {}),
        ("GET", COLLECTION, {"X-OpenStack-Nova-API-Version": "2.36"}),
        ("GET", COLLECTION, {"X-OpenStack-Nova-API-Version": "nonsense"}),
        ("GET", f"/v2/{OTHER_PROJECT}/os-baremetal-nodes", {}),
        ("POST", COLLECTION, {}),
    ],
)
def test_below_a_version_the_token_is_looked_at_first(
    guarded_api: Api, method: str, path: str, headers: dict[str, str]
) -> None:
    assert guarded_api(method, path, headers=headers).status_code == 401


@pytest.mark.parametrize("prefix", ["/v1.1", "/v2", "/v2.1"])
def test_a_path_with_another_project_is_refused(
    guarded_api: Api, inventory: StubInventory, prefix: str
) -> None:
    path = f"{prefix}/{OTHER_PROJECT}/os-baremetal-nodes"
    response = guarded_api("GET", path, token="admin")
    message = (
        f"Malformed request URL: URL's project_id '{OTHER_PROJECT}' doesn't match Context's "
        f"project_id '{PROJECT}'"
    )
    assert response.json == {"badRequest": {"code": 400, "message": message}}
    assert inventory.calls == []
    assert guarded_api("GET", path.replace(OTHER_PROJECT, PROJECT), token="admin").is_json


FAILS = answer(500, {"error": {"code": 500, "message": "s3cret"}})
SAYS_NO = answer(401, {"error": {"code": 401, "message": "s3cret"}})


@pytest.mark.parametrize(
    "outcome", [REFUSED, TIMEOUT, FAILS, answer(503, {}), Answer(502, "<html>"), SAYS_NO]
)
@pytest.mark.parametrize("pattern", [".* /v3/auth/tokens", "POST .*", "GET /v3/auth/tokens"])
def test_a_keystone_that_is_away_is_no_reason_to_refuse_a_token(
    guarded_api: Api,
    keystone: Keystone,
    inventory: StubInventory,
    pattern: str,
    outcome: Outcome,
) -> None:
    keystone.fail(pattern, outcome, ALWAYS)
    response = guarded_api("GET", COLLECTION, token="admin")
    assert response.json is not None
    assert response.status_code == 503
    # Of a timeout keystonemiddleware leaves the telling to us.
    which = "identity service" if outcome is TIMEOUT else "service"
    message = f"The {which} is temporarily unavailable."
    assert response.json == {"serviceUnavailable": {"code": 503, "message": message}}
    assert response.headers["Retry-After"]
    assert inventory.calls == []
    keystone.rules.clear()
    assert guarded_api("GET", COLLECTION, token="admin").status_code == 200


def test_a_section_that_delays_the_decision_changes_nothing(
    make_conf: MakeConf, keystone: Keystone, inventory: StubInventory
) -> None:
    delayed = {"keystone_authtoken": {"delay_auth_decision": True}}
    api = Api(make_conf(WITH_KEYSTONE, delayed), inventory)
    assert api("GET", COLLECTION).json == UNAUTHORIZED
    assert api("GET", COLLECTION, token="unknown").json == UNAUTHORIZED
    keystone.fail(".*", REFUSED, ALWAYS)
    assert api("GET", COLLECTION, token="admin").status_code == 503
    assert inventory.calls == []


def test_a_keystone_that_is_away_does_not_hide_the_versions(
    guarded_api: Api, keystone: Keystone
) -> None:
    keystone.fail(".*", REFUSED, ALWAYS)
    assert guarded_api("GET", "/", token="admin").status_code == 200
    assert guarded_api("GET", "/healthcheck", token="admin").status_code == 200
    assert keystone.requests == []


def test_a_missing_account_for_token_checks_is_told_at_start(
    make_conf: MakeConf, inventory: StubInventory
) -> None:
    conf = make_conf({"api": {"auth_strategy": "keystone"}})
    with pytest.raises(errors.ConfigurationError, match="auth_type"):
        create_app(conf, inventory)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("oslo_middleware", "max_request_body_size"),
        ("oslo_policy", "enforce_new_defaults"),
        ("keystone_authtoken", "http_connect_timeout"),
    ],
)
def test_a_malformed_option_of_a_library_is_told_at_start(
    make_conf: MakeConf, inventory: StubInventory, group: str, name: str
) -> None:
    conf = make_conf({group: {name: "perhaps"}})
    with pytest.raises(errors.ConfigurationError, match=name):
        create_app(conf, inventory)


# Without Keystone: loopback only


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", ""])
def test_this_machine_is_answered_without_a_token(api: Api, address: str) -> None:
    assert api("GET", COLLECTION, address=address).status_code == 200


SPOOFED = [
    {},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1, 127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
]


OTHERS = ["192.0.2.1", "10.0.0.1", "0.0.0.0", "2001:db8::1", "unknown", "127.0.0.1, 10.0.0.1"]


@pytest.mark.parametrize("parse", [False, True])
@pytest.mark.parametrize("headers", SPOOFED)
def test_other_machines_are_not(
    make_api: MakeApi, inventory: StubInventory, headers: dict[str, str], parse: bool
) -> None:
    api = make_api({"oslo_middleware": {"enable_proxy_headers_parsing": parse}})
    for path in (COLLECTION, "/", "/healthcheck", "/nothing"):
        for address in OTHERS:
            response = api("GET", path, address=address, headers=headers)
            assert response.json == {
                "forbidden": {
                    "code": 403,
                    "message": "auth_strategy = noauth answers loopback addresses only.",
                }
            }, (path, address)
            assert response.status_code == 403
    assert inventory.calls == []


@pytest.mark.parametrize("address", ["127.0.0.1", ""])
def test_other_machines_are_not_behind_a_proxy_on_this_one(api: Api, address: str) -> None:
    headers = {"X-Forwarded-For": "127.0.0.1, 192.0.2.1"}
    assert api("GET", COLLECTION, address=address, headers=headers).status_code == 403


def test_other_machines_are_answered_with_keystone(guarded_api: Api) -> None:
    assert guarded_api("GET", COLLECTION, token="admin", address="192.0.2.1").status_code == 200


# CORS

ORIGIN = "https://dashboard.example"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}


def test_cors_is_off_by_default(api: Api) -> None:
    assert api("OPTIONS", COLLECTION, headers=PREFLIGHT).json == UNKNOWN
    response = api("GET", COLLECTION, headers={"Origin": ORIGIN})
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.fixture
def cors_api(make_api: MakeApi) -> Api:
    return make_api({"cors": {"allowed_origin": ORIGIN}})


def test_cors_preflight(cors_api: Api, inventory: StubInventory) -> None:
    headers = PREFLIGHT | {"Access-Control-Request-Headers": "X-Auth-Token"}
    response = cors_api("OPTIONS", COLLECTION, headers=headers)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "DELETE" in response.headers["Access-Control-Allow-Methods"]
    assert "X-Auth-Token" in response.headers["Access-Control-Allow-Headers"]
    assert inventory.calls == []


@pytest.mark.parametrize("path", [COLLECTION, "/nothing", "/"])
def test_cors_of_answers_and_faults(cors_api: Api, path: str) -> None:
    response = cors_api("GET", path, headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = response.headers["Access-Control-Expose-Headers"].lower()
    assert "x-compute-request-id" in exposed
    assert "openstack-api-version" in exposed


def test_cors_is_for_the_origins_configured(cors_api: Api) -> None:
    response = cors_api("GET", COLLECTION, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


# Health


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_needs_no_token(guarded_api: Api, keystone: Keystone, method: str) -> None:
    response = guarded_api(method, "/healthcheck", headers={"Accept": "*/*"})
    assert response.status_code in (200, 204)
    assert keystone.requests == []


def test_a_service_that_is_drained(make_api: MakeApi, tmp_path: Path) -> None:
    file = tmp_path / "drain"
    api = make_api({"healthcheck": {"backends": "disable_by_file", "disable_by_file_path": file}})
    assert api("GET", "/healthcheck").status_code == 200
    file.touch()
    response = api("GET", "/healthcheck")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["serviceUnavailable"]["code"] == 503
    assert api("GET", COLLECTION).status_code == 200


# Logs


def access_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == access_log.__name__]


@pytest.fixture
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.mark.usefixtures("_at_info")
def test_each_call_is_one_line(guarded_api: Api, caplog: pytest.LogCaptureFixture) -> None:
    guarded_api(
        "POST",
        f"{COLLECTION}/42/action",
        token="admin",
        json={"remove_interface": {"id": 1}},
        headers={"User-Agent": "python-novaclient", "X-OpenStack-Nova-API-Version": "2.9"},
    )
    (line,) = access_lines(caplog)
    assert re.sub(r"time=\S+ |(?<= seconds=)\d\.\d{3}", "", line) == (
        "client=127.0.0.1 method=POST path=/v2.1/os-baremetal-nodes/42/action "
        "operation=os_compute_api:os-baremetal-nodes:remove_interface status=202 bytes=0 "
        'seconds= user=id-of-admin user_name="name of admin" '
        f"project={PROJECT} project_name=name-of-{PROJECT} microversion=2.9 "
        "user_agent=python-novaclient"
    )


@pytest.mark.usefixtures("_at_info")
@pytest.mark.parametrize(
    ("token", "status", "user"),
    [(None, 401, "-"), ("unknown", 401, "-"), ("member", 403, "id-of-member")],
)
def test_refusals_are_logged(
    guarded_api: Api, caplog: pytest.LogCaptureFixture, token: str | None, status: int, user: str
) -> None:
    guarded_api("GET", COLLECTION, token=token)
    (line,) = access_lines(caplog)
    assert f" status={status} " in line
    assert f" user={user} " in line


@pytest.mark.usefixtures("_at_info")
def test_refusals_of_other_machines_are_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api("GET", COLLECTION, address="192.0.2.1", headers={"X-Forwarded-For": "127.0.0.1"})
    (line,) = access_lines(caplog)
    assert " client=192.0.2.1 " in line
    assert " status=403 " in line


@pytest.mark.usefixtures("_at_info")
def test_probes_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api("GET", "/healthcheck")
    assert access_lines(caplog) == []


@pytest.mark.usefixtures("_at_info")
@pytest.mark.parametrize("parse", [False, True])
@pytest.mark.parametrize("options", [{}, WITH_KEYSTONE], ids=["noauth", "keystone"])
def test_no_header_or_path_fakes_a_line(
    make_conf: MakeConf,
    inventory: StubInventory,
    caplog: pytest.LogCaptureFixture,
    options: Options,
    parse: bool,
) -> None:
    evil = 'x\nclient=1.2.3.4 method=GET status=200 "\r\x1b[2J\u2028'.encode().decode("latin-1")
    overrides = {
        "PATH_INFO": f"{COLLECTION}/{evil}",
        "HTTP_USER_AGENT": evil,
        "HTTP_X_OPENSTACK_NOVA_API_VERSION": evil,
        "HTTP_X_FORWARDED_FOR": evil,
        "HTTP_X_OPENSTACK_REQUEST_ID": evil,
    }
    proxy = {"oslo_middleware": {"enable_proxy_headers_parsing": parse}}
    api = Api(make_conf(options, proxy), inventory)
    api("GET", "/", environ_overrides=overrides)
    (line,) = access_lines(caplog)
    assert line.isprintable()
    assert line.isascii()
    assert re.findall(r"(?:^| )(\w+)=(?=\S)", re.sub(r'"(\\.|[^"\\])*"', "Q", line)) == [
        "time", "client", "method", "path", "operation", "status", "bytes", "seconds", "user",
        "user_name", "project", "project_name", "microversion", "user_agent",
    ]  # fmt: skip
    assert all(len(record.getMessage().splitlines()) == 1 for record in caplog.records)


@pytest.mark.parametrize("libraries", ["as configured", "at DEBUG"])
def test_no_secret_is_logged(
    make_conf: MakeConf,
    ironic: Ironic,
    keystone: Keystone,
    caplog: pytest.LogCaptureFixture,
    libraries: str,
) -> None:
    """Through the whole stack, with a real inventory."""
    conf = make_conf(WITH_KEYSTONE)
    keystone.tokens["t0ken-of-the-caller"] = keystone.tokens["admin"]
    log_all(caplog, conf.default_log_levels if libraries == "as configured" else ())
    api = Api(conf, Inventory(conf))
    mac = "52:54:00:cf:2d:31"
    for node in (
        {"pm_password": "calvin-s3cret", "prov_mac_address": mac},
        {"pm_password": "calvin-s3cret", "prov_mac_address": mac},  # a conflict
        {"pm_password": ["calvin-s3cret"]},
    ):
        api("POST", COLLECTION, token="t0ken-of-the-caller", json={"node": node})
    assert len(ironic.nodes) == 1
    assert len(access_lines(caplog)) == 3
    for secret in ("calvin-s3cret", SERVICE_TOKEN, SERVICE_PASSWORD, "t0ken-of-the-caller"):
        assert secret not in caplog.text


def test_the_application_is_a_wsgi_application(
    make_conf: MakeConf, inventory: StubInventory
) -> None:
    app = create_app(make_conf(), inventory)
    environ = werkzeug.test.create_environ("/")
    body, status, _ = werkzeug.test.run_wsgi_app(app, environ)
    assert status == "200 OK"
    assert b"".join(body)
