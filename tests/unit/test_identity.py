# SPDX-License-Identifier: Apache-2.0
"""The identity bridge, from its WSGI stack to Keystone at the wire."""

import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import responses
from werkzeug.test import TestResponse

from bm_shim import access_log, errors
from bm_shim.api import access
from bm_shim.app import create_app, create_flask_app

from .conftest import WITH_KEYSTONE, Api, MakeConf, Options, StubInventory, log_all
from .wire import (
    ALWAYS,
    PROJECT,
    REFUSED,
    SERVICE_PASSWORD,
    TIMEOUT,
    Answer,
    Keystone,
    Outcome,
    answer,
)

ON: Options = {"identity_bridge": {"enabled": True}}
PASSWORD = "pa55w0rd-of-jo"
TOKENS = "/identity/v2.0/tokens"
TENANTS = "/identity/v2.0/tenants"
COMPUTE_URL = f"http://localhost/v2/{PROJECT}"
SIGN_IN = "POST /v3/auth/tokens"

MakeApi = Callable[..., Api]


@pytest.fixture
def make_api(make_conf: MakeConf, inventory: StubInventory, keystone: Keystone) -> MakeApi:
    """Makes clients of shims with the bridge, and with more options."""
    keystone.passwords["jo"] = PASSWORD

    def make(*options: Options, **bridge: object) -> Api:
        return Api(make_conf(WITH_KEYSTONE, ON, {"identity_bridge": bridge}, *options), inventory)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


def credentials(password: str = PASSWORD, **auth: object) -> dict[str, Any]:
    user = {"username": "jo", "password": password}
    return {"auth": {"passwordCredentials": user, **auth}}


def by_headers(password: str = PASSWORD, project: str | None = "prod") -> dict[str, str]:
    headers = {"X-Auth-User": "jo", "X-Auth-Key": password}
    return headers if project is None else headers | {"X-Auth-Project-Id": project}


def log_in(api: Api, password: str = PASSWORD, **kwargs: Any) -> TestResponse:
    return api("POST", TOKENS, json=credentials(password, tenantName="prod"), **kwargs)


def error_of(response: TestResponse, status: int) -> str:
    """Make sure that a response is an error of v2.0, and return its message."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    assert response.json is not None
    assert list(response.json) == ["error"]
    error = response.json["error"]
    assert error.keys() == {"code", "title", "message"}
    assert error["code"] == status
    assert error["title"] == response.status.partition(" ")[2].title()
    message: str = error["message"]
    assert message
    return message


def refused_by_keystone(status: int, message: str) -> Answer:
    return answer(status, {"error": {"code": status, "title": "X", "message": message}})


# On and off

PATHS = [
    ("GET", "/identity"),
    ("GET", "/identity/"),
    ("GET", "/identity/v1.0"),
    ("GET", "/identity/v2.0"),
    ("GET", "/identity/v2.0/"),
    ("POST", TOKENS),
    ("GET", f"{TOKENS}/t0ken"),
    ("HEAD", f"{TOKENS}/t0ken"),
    ("DELETE", f"{TOKENS}/t0ken"),
    ("GET", TENANTS),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_off_the_paths_do_not_exist(
    guarded_api: Api, keystone: Keystone, method: str, path: str
) -> None:
    response = guarded_api(method, path, headers=by_headers(), json=credentials())
    assert response.status_code == 404
    if method != "HEAD":
        message = "The resource could not be found."
        assert response.json == {"itemNotFound": {"code": 404, "message": message}}
    assert keystone.requests == []


def test_routes(make_conf: MakeConf, inventory: StubInventory, keystone: Keystone) -> None:
    """All are public: Keystone decides."""
    app = create_flask_app(make_conf(WITH_KEYSTONE, ON), inventory)
    views: dict[str, Any] = app.view_functions
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.endpoint.startswith("identity.") and access.rules_of(views[rule.endpoint]) == ()
    }
    unslashed = {(method, path.replace("t0ken", "<token>")) for method, path in PATHS}
    unslashed.discard(("GET", "/identity/v2.0/"))
    assert routes == unslashed | {("HEAD", path) for method, path in unslashed if method == "GET"}


@pytest.mark.parametrize("suffix", ["x", "v3", "v2.0/users", "v2.0/tokens/t/endpoints", "v2.0/x/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_other_paths_are_not_found(api: Api, keystone: Keystone, method: str, suffix: str) -> None:
    assert error_of(api(method, f"/identity/{suffix}"), 404)
    assert keystone.requests == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", TOKENS), ("GET", TOKENS), ("POST", TENANTS), ("POST", "/identity/v2.0"),
     ("OPTIONS", TOKENS)],
)  # fmt: skip
def test_other_methods_are_not_found(api: Api, method: str, path: str) -> None:
    assert error_of(api(method, path), 404)


@pytest.mark.parametrize("path", ["/identityx", "/v2/x", "/nothing"])
def test_errors_elsewhere_are_novas(api: Api, path: str) -> None:
    response = api("GET", path)
    assert response.json is not None
    assert not {"error"} & response.json.keys()


# Versions

VERSION = {
    "id": "v2.0",
    "status": "stable",
    "updated": "2014-04-17T00:00:00Z",
    "links": [
        {"rel": "self", "href": "http://localhost/identity/v2.0/"},
        {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"},
    ],
    "media-types": [
        {"base": "application/json", "type": "application/vnd.openstack.identity-v2.0+json"}
    ],
}


@pytest.mark.parametrize("path", ["/identity", "/identity/", "//identity//"])
def test_versions(api: Api, path: str) -> None:
    response = api("GET", f"http://localhost{path}", headers={"Accept": "application/xml"})
    assert response.status_code == 300
    assert response.json == {"versions": {"values": [VERSION]}}


@pytest.mark.parametrize("path", ["/identity/v2.0", "/identity/v2.0/"])
def test_the_version(api: Api, path: str) -> None:
    response = api("GET", path)
    assert response.status_code == 200
    assert response.json == {"version": VERSION}


def test_links_are_those_of_the_client(api: Api) -> None:
    response = api("GET", "/identity/v2.0", base_url="http://shim.test:8774/below")
    assert response.json is not None
    href = response.json["version"]["links"][0]["href"]
    assert href == "http://shim.test:8774/below/identity/v2.0/"


def test_versions_need_no_keystone(api: Api, keystone: Keystone) -> None:
    keystone.fail(".*", REFUSED, ALWAYS)
    assert api("GET", "/identity/v2.0", token="nonsense").status_code == 200
    keystone.rules.clear()


# Logging in


@pytest.mark.parametrize(
    ("auth", "scope"),
    [
        ({}, "unscoped"),
        ({"tenantId": PROJECT}, {"project": {"id": PROJECT}}),
        ({"tenantName": "prod"}, {"project": {"name": "prod", "domain": {"id": "default"}}}),
    ],
)
def test_a_password(api: Api, keystone: Keystone, auth: dict[str, str], scope: object) -> None:
    response = api("POST", TOKENS, json=credentials(**auth))
    assert response.status_code == 200
    (request,) = keystone.requests
    assert request.call == SIGN_IN
    user = {"name": "jo", "domain": {"id": "default"}, "password": PASSWORD}
    assert request.body == {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": scope,
        }
    }
    assert response.json is not None
    shown = response.json["access"]
    assert shown["token"]["id"] in keystone.tokens
    assert ("tenant" in shown["token"]) is bool(auth)


def test_a_user_by_id(api: Api, keystone: Keystone) -> None:
    keystone.fail(SIGN_IN, refused_by_keystone(401, "No."))
    user = {"userId": "u1", "password": PASSWORD}
    error_of(api("POST", TOKENS, json={"auth": {"passwordCredentials": user}}), 401)
    (request,) = keystone.requests
    sent = request.body["auth"]["identity"]["password"]["user"]
    assert sent == {"id": "u1", "password": PASSWORD}


@pytest.mark.parametrize("auth", [{}, {"tenantName": "prod"}])
def test_a_token_for_another_one(api: Api, keystone: Keystone, auth: dict[str, str]) -> None:
    response = api("POST", TOKENS, json={"auth": {"token": {"id": "admin"}, **auth}})
    (request,) = keystone.requests
    assert request.body["auth"]["identity"] == {"methods": ["token"], "token": {"id": "admin"}}
    assert response.json is not None
    assert response.json["access"]["token"]["id"] in keystone.tokens


def test_the_access_document(api: Api, keystone: Keystone) -> None:
    """What translates it has tests of its own."""
    shown = log_in(api).json
    assert shown is not None
    assert shown["access"].keys() == {"token", "serviceCatalog", "user", "metadata"}
    services = {each["type"]: each for each in shown["access"]["serviceCatalog"]}
    assert services.keys() == {"compute", "baremetal", "identity"}
    assert services["compute"]["endpoints"][0]["publicURL"] == COMPUTE_URL
    assert services["compute"]["endpoints"][0]["region"] == "RegionOne"


@pytest.mark.parametrize(
    ("bridge", "url"),
    [
        ({}, f"http://shim.test:8774/v2/{PROJECT}"),
        # Not to be asked over plain HTTP for what was signed in to over TLS.
        ({"tls_terminated": True}, f"https://shim.test:8774/v2/{PROJECT}"),
        ({"compute_url": "https://x.test/v2.1"}, "https://x.test/v2.1"),
        (
            {"compute_url": "https://{region}.test/{tenant_id}"},
            f"https://RegionOne.test/{PROJECT}",
        ),
    ],
)
def test_the_compute_endpoint(make_api: MakeApi, bridge: dict[str, object], url: str) -> None:
    api = make_api(**bridge)
    shown = log_in(api, base_url="http://shim.test:8774").json
    assert shown is not None
    services = {each["type"]: each for each in shown["access"]["serviceCatalog"]}
    assert services["compute"]["endpoints"][0]["publicURL"] == url
    by_get = api("GET", "/identity", headers=by_headers(), base_url="http://shim.test:8774")
    assert by_get.headers["X-Server-Management-Url"] == url


def test_another_default_domain(make_api: MakeApi, keystone: Keystone) -> None:
    api = make_api(default_domain_id="old")
    assert "not in the default domain" in error_of(log_in(api), 401)
    sent = keystone.requests[-1].body["auth"]
    assert sent["identity"]["password"]["user"]["domain"] == {"id": "old"}
    assert sent["scope"]["project"]["domain"] == {"id": "old"}


@pytest.mark.parametrize(
    ("options", "sent_to"),
    [
        ({"identity_bridge": {"auth_url": "http://keystone.test/v3/"}}, "/v3"),
        ({"identity_bridge": {"auth_url": "http://keystone.test/"}}, "/v3"),
        ({"identity_bridge": {"auth_url": "http://keystone.test/v2.0"}}, "/v3"),
        ({"identity_bridge": {"auth_url": "http://keystone.test/identity"}}, "/identity/v3"),
        # By default, that of [keystone_authtoken].
        ({"keystone_authtoken": {"auth_url": "http://keystone.test/internal"}}, "/internal/v3"),
        (
            {
                "keystone_authtoken": {
                    "auth_type": "none",
                    "www_authenticate_uri": "http://keystone.test/public",
                }
            },
            "/public/v3",
        ),
    ],
)
def test_where_keystone_is(
    make_api: MakeApi, keystone: Keystone, options: Options, sent_to: str
) -> None:
    api = make_api(options)
    keystone.fail(f"POST {sent_to}/auth/tokens", refused_by_keystone(401, "No."))
    error_of(log_in(api), 401)


@pytest.mark.parametrize("path", ["/identity", "/identity/", "/identity/v1.0", "/identity/v2.0"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_header_login(api: Api, keystone: Keystone, method: str, path: str) -> None:
    response = api(method, path, headers=by_headers())
    assert response.status_code == 204
    assert response.data == b""
    assert response.headers["X-Auth-Token"] in keystone.tokens
    assert response.headers["X-Server-Management-Url"] == COMPUTE_URL
    (request,) = keystone.requests
    assert request.body["auth"]["scope"] == {
        "project": {"name": "prod", "domain": {"id": "default"}}
    }


@pytest.mark.parametrize("name", ["xn--fiqs8s.example", "xn--bcher-kva.example"])
def test_headers_can_hold_names_of_other_scripts(make_api: MakeApi, name: str) -> None:
    api = make_api({"identity_bridge": {"tls_terminated": True}})
    response = api("GET", "/identity", headers=by_headers() | {"Host": name})
    url = f"https://{name}/v2/{PROJECT}"
    assert response.headers["X-Server-Management-Url"] == url
    response = api("GET", "/identity/v2.0/tenants", headers={"Host": name})
    assert response.headers["WWW-Authenticate"] == f'Keystone uri="https://{name}/identity"'


def test_the_header_login_with_the_id_of_a_project(api: Api, keystone: Keystone) -> None:
    assert api("GET", "/identity", headers=by_headers(project=PROJECT)).status_code == 204
    assert keystone.requests[0].body["auth"]["scope"] == {"project": {"id": PROJECT}}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_header_login_with_umlauts(api: Api, keystone: Keystone, encoding: str) -> None:
    keystone.passwords["jo"] = "pässwörd"
    raw = "pässwörd".encode(encoding).decode("latin-1")
    assert api("GET", "/identity", headers=by_headers(raw)).status_code == 204


@pytest.mark.parametrize(
    ("path", "headers", "status", "missing"),
    [
        ("/identity/v1.0", {}, 401, "X-Auth-User and X-Auth-Key"),
        ("/identity", {"X-Auth-User": "jo"}, 401, "X-Auth-User and X-Auth-Key"),
        ("/identity", {"X-Auth-Key": PASSWORD}, 401, "X-Auth-User and X-Auth-Key"),
        ("/identity", by_headers(""), 401, "X-Auth-User and X-Auth-Key"),
        ("/identity", by_headers(project=None), 400, "X-Auth-Project-Id"),
        ("/identity", by_headers(project=""), 400, "X-Auth-Project-Id"),
    ],
)
def test_the_header_login_without_a_header(
    api: Api, keystone: Keystone, path: str, headers: dict[str, str], status: int, missing: str
) -> None:
    message = error_of(api("GET", path, headers=headers), status)
    assert missing in message
    assert PASSWORD not in message
    assert keystone.requests == []


@pytest.mark.parametrize(
    ("method", "path", "kwargs"),
    [
        ("POST", TOKENS, {"json": credentials(tenantName="prod")}),
        ("POST", TOKENS, {"json": credentials("wrong")}),
        ("GET", "/identity", {"headers": by_headers()}),
        ("GET", f"{TOKENS}/admin", {"token": "admin"}),
        ("GET", TENANTS, {"token": "admin"}),
    ],
)
def test_nothing_may_be_kept_on_the_way(
    api: Api, method: str, path: str, kwargs: dict[str, Any]
) -> None:
    headers = api(method, path, **kwargs).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Vary"] == "X-Auth-Token"


def test_each_login_asks_keystone(api: Api, keystone: Keystone) -> None:
    for _ in range(3):
        log_in(api)
    assert keystone.calls == [SIGN_IN] * 3


def test_cookies_of_keystone_are_not_kept(
    api: Api, keystone: Keystone, wire: responses.RequestsMock
) -> None:
    cookie = {"Set-Cookie": "session=of-jo; Path=/"}
    keystone.fail(SIGN_IN, refused_by_keystone(401, "No.")._replace(headers=cookie))
    log_in(api)
    log_in(api)
    assert len(keystone.requests) == 2
    assert "Cookie" not in keystone.requests[1].headers


# One's own token, and tenants


def test_ones_own_token(api: Api, keystone: Keystone) -> None:
    response = api("GET", f"{TOKENS}/admin", token="admin")
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["access"]["token"]["id"] == "admin"
    assert response.json["access"]["user"]["roles"] == [{"name": "admin"}]
    head = api("HEAD", f"{TOKENS}/admin", token="admin")
    assert (head.status_code, head.data) == (200, b"")
    for request in keystone.requests:
        assert request.call == "GET /v3/auth/tokens"
        assert request.headers["X-Auth-Token"] == request.headers["X-Subject-Token"] == "admin"


def test_ones_own_token_is_deleted(api: Api, keystone: Keystone) -> None:
    response = api("DELETE", f"{TOKENS}/admin", token="admin")
    assert (response.status_code, response.data) == (204, b"")
    assert keystone.calls == ["DELETE /v3/auth/tokens"]
    assert "admin" not in keystone.tokens


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("token", "status"), [("admin", 403), ("", 401), ("ä", 401), ("x y", 401), (None, 401)]
)
def test_the_token_of_somebody_else(
    api: Api, keystone: Keystone, method: str, token: str | None, status: int
) -> None:
    error_of(api(method, f"{TOKENS}/member", token=token), status)
    assert keystone.requests == []


@pytest.mark.parametrize(("belongs_to", "status"), [(PROJECT, 200), ("2" * 32, 401)])
def test_whether_a_token_belongs_to_a_tenant(api: Api, belongs_to: str, status: int) -> None:
    path = f"{TOKENS}/admin?belongsTo={belongs_to}"
    assert api("GET", path, token="admin").status_code == status


@pytest.mark.parametrize("token", ["system-admin", "other-domain"])
def test_a_token_that_v2_has_no_words_for(api: Api, keystone: Keystone, token: str) -> None:
    keystone.add_token("other-domain", ["admin"])["user"]["domain"]["id"] = "elsewhere"
    assert error_of(api("GET", f"{TOKENS}/{token}", token=token), 401)


@pytest.mark.parametrize(("query", "ids"), [("", "ac"), ("?limit=1", "a"), ("?marker=a", "c")])
def test_tenants(api: Api, keystone: Keystone, query: str, ids: str) -> None:
    keystone.projects = [
        {"id": id_, "name": id_, "domain_id": domain, "enabled": True, "description": ""}
        for id_, domain in (("a", "default"), ("b", "elsewhere"), ("c", "default"))
    ]
    body = api("GET", f"{TENANTS}{query}", token="member").json
    assert body is not None
    assert [each["id"] for each in body["tenants"]] == list(ids)
    assert body["tenants_links"] == []
    assert keystone.requests[0].headers["X-Auth-Token"] == "member"


def test_tenants_need_a_token(api: Api, keystone: Keystone) -> None:
    error_of(api("GET", TENANTS), 401)
    assert keystone.requests == []


# Refusals and failures

MFA = answer(
    401,
    {
        "receipt": {
            "methods": ["password"],
            "user": {"id": "u1"},
            "expires_at": "2026-11-22T22:00:00.000000Z",
            "issued_at": "2026-11-22T21:55:00.000000Z",
        },
        "required_auth_methods": [["password", "totp"], ["password", "oidc"]],
    },
)._replace(headers={"Content-Type": "application/json", "Openstack-Auth-Receipt": "rec31pt"})

UNAVAILABLE = "The identity service is temporarily unavailable."
FAILED = "The identity service failed to process the request."
NOT_SET_UP = (
    "This service is not set up to reach the identity service. The operator finds the reason in "
    "its log."
)


@pytest.mark.parametrize(
    ("outcome", "status", "message"),
    [
        (refused_by_keystone(401, "The account is locked."), 401, "The account is locked."),
        (Answer(401, "<html>"), 401, "The request you have made requires authentication."),
        (answer(401, {"error": None}), 401, "The request you have made requires authentication."),
        (
            MFA,
            401,
            "This account signs in with password and totp or oidc and password; identity v2.0 "
            "knows passwords only. Use identity v3.",
        ),
        (refused_by_keystone(403, "Not with that token."), 403, "Not with that token."),
        (
            refused_by_keystone(400, f"'{PASSWORD}' is too long"),
            400,
            "The identity service does not take the credentials as given.",
        ),
        (refused_by_keystone(429, "Slow down."), 429, "Too many failed logins. Try again later."),
        (REFUSED, 503, UNAVAILABLE),
        (TIMEOUT, 503, UNAVAILABLE),
        (refused_by_keystone(500, "oops"), 503, UNAVAILABLE),
        (Answer(502, "<html>"), 503, UNAVAILABLE),
        (refused_by_keystone(503, "oops"), 503, UNAVAILABLE),
        (refused_by_keystone(404, "No such path."), 503, NOT_SET_UP),
        (Answer(302, "", {"Location": "http://elsewhere.test/v3/auth/tokens"}), 502, FAILED),
        (Answer(201, "<html>"), 502, FAILED),
        (answer(201, {}), 502, FAILED),
        (answer(201, []), 502, FAILED),
        (answer(201, {"token": {}}), 502, FAILED),
    ],
)
def test_what_keystone_answers_to_a_login(
    make_api: MakeApi,
    keystone: Keystone,
    caplog: pytest.LogCaptureFixture,
    outcome: Outcome,
    status: int,
    message: str,
) -> None:
    api = make_api(failed_logins_per_minute=9)
    keystone.fail(SIGN_IN, outcome, 2)
    response = log_in(api)
    assert error_of(response, status) == message
    # A second try is for the client to make.
    assert keystone.calls == [SIGN_IN]
    retry_after = {429: "60", 503: None if message == NOT_SET_UP else "5"}
    assert response.headers.get("Retry-After") == retry_after.get(status)
    asks = response.headers.get("WWW-Authenticate")
    assert asks == ('Keystone uri="http://localhost/identity"' if status == 401 else None)
    assert error_of(api("GET", "/identity", headers=by_headers()), status) == message
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == (2 if status >= 500 else 0)
    assert "Traceback" not in caplog.text
    assert "rec31pt" not in str(response.headers) + response.text


@pytest.mark.parametrize(
    ("outcome", "status"), [(refused_by_keystone(401, "Expired."), 401), (REFUSED, 503)]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{TOKENS}/admin"), ("DELETE", f"{TOKENS}/admin"), ("GET", TENANTS)],
)
def test_what_keystone_answers_to_a_token(
    api: Api, keystone: Keystone, method: str, path: str, outcome: Outcome, status: int
) -> None:
    keystone.fail(".*", outcome)
    error_of(api(method, path, token="admin"), status)


@pytest.mark.parametrize("path", [f"{TOKENS}/admin", TENANTS])
def test_what_is_not_keystones_api(api: Api, keystone: Keystone, path: str) -> None:
    keystone.fail(".*", Answer(200, "[]"))
    assert error_of(api("GET", path, token="admin"), 502) == FAILED


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        (b"", 400, "Malformed request body"),
        (b"{", 400, "Malformed request body"),
        (b"[]", 400, "Malformed request body"),
        (b"\xff", 400, "Malformed request body"),
        (b'{"auth": ' * 50_00, 400, "Malformed request body"),
        (b"{}", 400, "Invalid input: 'auth' must be an object."),
        (b" " * 114_689, 413, "Request is too large."),
    ],
)
def test_malformed_bodies(
    api: Api, keystone: Keystone, data: bytes, status: int, message: str
) -> None:
    response = api("POST", TOKENS, data=data, content_type="application/json")
    if status == 413:
        assert response.json is not None
        assert response.json["error"]["message"] == message
    else:
        assert error_of(response, status) == message
    assert keystone.requests == []


@pytest.mark.parametrize(
    "content_type", ["application/xml", "text/xml", "application/x-www-form-urlencoded"]
)
def test_xml_is_not_read(api: Api, keystone: Keystone, content_type: str) -> None:
    body = '<auth><passwordCredentials username="jo" password="x"/></auth>'
    response = api("POST", TOKENS, data=body, content_type=content_type)
    assert error_of(response, 415) == "Only application/json is read here, and no XML."
    assert keystone.requests == []


@pytest.mark.parametrize("content_type", ["", "application/json; charset=UTF-8", "text/plain"])
def test_json_by_other_names(api: Api, content_type: str) -> None:
    data = json.dumps(credentials())
    assert api("POST", TOKENS, data=data, content_type=content_type).status_code == 200


# Who asks


@pytest.mark.parametrize(
    ("parse", "headers", "seen"),
    [
        (False, {}, "192.0.2.1"),
        (False, {"X-Forwarded-For": "198.51.100.7"}, "192.0.2.1"),
        (True, {"X-Forwarded-For": "198.51.100.7"}, "198.51.100.7"),
        (True, {"X-Forwarded-For": "10.0.0.1, 198.51.100.7"}, "198.51.100.7"),
    ],
)
def test_keystone_is_told_who_asks(
    make_api: MakeApi, keystone: Keystone, parse: bool, headers: dict[str, str], seen: str
) -> None:
    proxy = {"oslo_middleware": {"enable_proxy_headers_parsing": parse}}
    api = make_api(proxy, tls_terminated=True)
    theirs = "req-12345678-1234-1234-1234-123456789abc"
    headers = {**headers, "X-OpenStack-Request-ID": theirs}
    log_in(api, address="192.0.2.1", headers=headers)
    api("GET", f"{TOKENS}/admin", token="admin", address="192.0.2.1", headers=headers)
    assert len(keystone.requests) == 2
    for request in keystone.requests:
        assert request.headers["X-Forwarded-For"] == seen
        assert request.headers["Forwarded"].startswith(f"for={seen};")
        assert request.headers["X-OpenStack-Request-Id"] == theirs


def test_behind_a_unix_socket_nobody_knows_who_asks(api: Api, keystone: Keystone) -> None:
    assert log_in(api, address="").status_code == 200
    assert "Forwarded" not in keystone.requests[0].headers


# Failed logins


def fail_often(api: Api, times: int, **kwargs: Any) -> None:
    for number in range(times):
        headers = kwargs.get("headers", {})
        if number % 2:
            response = log_in(api, "wrong", **kwargs)
        else:
            kwargs_of_get = {**kwargs, "headers": headers | by_headers("wrong")}
            response = api("GET", "/identity", **kwargs_of_get)
        assert response.status_code == 401


def test_too_many_failed_logins(make_api: MakeApi, keystone: Keystone) -> None:
    api = make_api(failed_logins_per_minute=3)
    for _ in range(5):
        assert log_in(api).status_code == 200
    fail_often(api, 3)
    asked = len(keystone.requests)
    # Also with the right password, or one could go on guessing.
    responses = [log_in(api), log_in(api, "wrong"), api("GET", "/identity", headers=by_headers())]
    for response in responses:
        assert error_of(response, 429) == "Too many failed logins. Try again later."
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert len(keystone.requests) == asked
    # All else goes on.
    assert api("GET", "/identity/v2.0").status_code == 200
    assert api("GET", f"{TOKENS}/admin", token="admin").status_code == 200
    assert api("POST", "/v2.1/os-baremetal-nodes", token="admin", json={"node": {}}).is_json


def test_failures_of_another_kind_do_not_count(make_api: MakeApi, keystone: Keystone) -> None:
    api = make_api(failed_logins_per_minute=1)
    keystone.fail(SIGN_IN, REFUSED, 3)
    for _ in range(3):
        error_of(log_in(api), 503)
        error_of(api("POST", TOKENS, json={}), 400)
        error_of(api("GET", TENANTS), 401)
        error_of(api("GET", "/identity/v1.0"), 401)
    assert log_in(api).status_code == 200


ONE = "192.0.2.1"


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (ONE, ONE, True),
        (ONE, "192.0.2.2", False),
        (ONE, f"::ffff:{ONE}", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "", True),
    ],
)
def test_clients_are_counted_by_address(
    make_api: MakeApi, first: str, second: str, refused: bool
) -> None:
    api = make_api(failed_logins_per_minute=2, tls_terminated=True)
    fail_often(api, 2, address=first)
    assert log_in(api, address=second).status_code == (429 if refused else 200)


@pytest.mark.parametrize(
    ("parse", "first", "second", "refused"),
    [
        # Nobody escapes by a header of their own.
        (False, "10.0.0.1", "10.0.0.2", True),
        (True, "10.0.0.1, 198.51.100.7", "10.0.0.2, 198.51.100.7", True),
        (True, "198.51.100.7:4711", "198.51.100.7:4712", True),
        (True, "x", "y", True),
        # Nor is held to account for others.
        (True, "198.51.100.7", "198.51.100.8", False),
    ],
)
def test_clients_behind_a_proxy_are_counted_by_address(
    make_api: MakeApi, parse: bool, first: str, second: str, refused: bool
) -> None:
    proxy = {"oslo_middleware": {"enable_proxy_headers_parsing": parse}}
    api = make_api(proxy, failed_logins_per_minute=2, tls_terminated=True)
    fail_often(api, 2, headers={"X-Forwarded-For": first, "Forwarded": f"for={first}"})
    headers = {"X-Forwarded-For": second, "Forwarded": f"for={second}"}
    assert log_in(api, headers=headers).status_code == (429 if refused else 200)


def test_a_common_store_that_is_away(make_api: MakeApi) -> None:
    """Nobody waits for it, and nobody may guess more."""
    api = make_api(
        failed_logins_per_minute=2, failed_logins_storage="memcached://127.0.0.1:9,127.0.0.2:9"
    )
    fail_often(api, 2)
    error_of(log_in(api), 429)


# Plain HTTP


@pytest.fixture(params=["/identity", "/identity/v2.0", TENANTS, "login", "header login"])
def ask(request: pytest.FixtureRequest) -> Callable[..., TestResponse]:
    """Each kind of request."""

    def send(api: Api, **kwargs: Any) -> TestResponse:
        if request.param == "login":
            return log_in(api, **kwargs)
        if request.param == "header login":
            headers = kwargs.pop("headers", {}) | by_headers()
            return api("GET", "/identity", headers=headers, **kwargs)
        return api("GET", request.param, token="admin", **kwargs)

    return send


PROXY: Options = {"oslo_middleware": {"enable_proxy_headers_parsing": True}}


@pytest.mark.parametrize(
    ("options", "address", "headers", "base_url"),
    [
        ({}, "192.0.2.1", {}, "http://shim.test"),
        ({}, "192.0.2.1", {"X-Forwarded-Proto": "https"}, "http://shim.test"),
        ({}, "192.0.2.1", {"Forwarded": "for=127.0.0.1;proto=https"}, "http://shim.test"),
        ({}, "192.0.2.1", {"X-Forwarded-For": "127.0.0.1"}, "http://shim.test"),
        # A proxy on this machine that the shim was not told of.
        ({}, "127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, "http://shim.test"),
        ({}, "", {"X-Forwarded-For": "127.0.0.1, 192.0.2.1"}, "http://shim.test"),
        (PROXY, "127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, "http://shim.test"),
        (
            PROXY,
            "127.0.0.1",
            {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"},
            "http://shim.test",
        ),
    ],
)
def test_passwords_are_not_taken_over_plain_http(
    make_api: MakeApi,
    keystone: Keystone,
    ask: Callable[..., TestResponse],
    options: Options,
    address: str,
    headers: dict[str, str],
    base_url: str,
) -> None:
    api = make_api(options)
    response = ask(api, address=address, headers=headers, base_url=base_url)
    assert error_of(response, 403) == "Passwords are not taken over plain HTTP. Use https."
    assert keystone.requests == []


@pytest.mark.parametrize(
    ("options", "address", "headers", "base_url"),
    [
        ({}, "127.0.0.1", {}, "http://localhost"),
        ({}, "::1", {}, "http://localhost"),
        ({}, "", {}, "http://localhost"),
        ({}, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, "http://localhost"),
        ({}, "192.0.2.1", {}, "https://shim.test"),
        ({"identity_bridge": {"tls_terminated": True}}, "192.0.2.1", {}, "http://shim.test"),
        (
            PROXY,
            "10.0.0.1",
            {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"},
            "http://shim.test",
        ),
    ],
)
def test_they_are_over_tls_and_on_this_machine(
    make_api: MakeApi,
    ask: Callable[..., TestResponse],
    options: Options,
    address: str,
    headers: dict[str, str],
    base_url: str,
) -> None:
    api = make_api(options)
    response = ask(api, address=address, headers=headers, base_url=base_url)
    assert response.status_code in (200, 204, 300)


def test_the_rest_of_the_api_is_served_over_plain_http(api: Api) -> None:
    assert api("GET", "/", address="192.0.2.1").status_code == 200


# Configuration


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api": {"auth_strategy": "noauth"}}, "needs .* auth_strategy = keystone"),
        (
            {"identity_bridge": {"compute_url": "https://x.test/{tenant}/{region}"}},
            "compute_url has unknown placeholders: {tenant}$",
        ),
        (
            {"identity_bridge": {"compute_url": "https://x.test/{tenant_id"}},
            "compute_url has unknown placeholders: {tenant_id$",
        ),
        (
            {"identity_bridge": {"failed_logins_storage": f"file://:{PASSWORD}@x"}},
            "failed_logins_storage is no URL of a store",
        ),
        (
            {"keystone_authtoken": {"auth_type": None, "www_authenticate_uri": None}},
            "has no auth_url",
        ),
    ],
)
def test_what_cannot_work_is_told_at_start(
    make_conf: MakeConf, inventory: StubInventory, options: Options, message: str
) -> None:
    conf = make_conf(WITH_KEYSTONE, ON, options)
    with pytest.raises(errors.ConfigurationError, match=message) as caught:
        create_app(conf, inventory)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


# Logs


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Returns the access lines so far."""
    caplog.set_level(logging.INFO, access_log.__name__)
    return lambda: [r.getMessage() for r in caplog.records if r.name == access_log.__name__]


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "operation", "status"),
    [
        ("POST", TOKENS, {"json": credentials()}, "identity:tokens:create", 200),
        ("POST", TOKENS, {"json": credentials("wrong")}, "identity:tokens:create", 401),
        ("GET", "/identity", {"headers": by_headers()}, "identity:header_login", 204),
        ("GET", "/identity/v1.0", {}, "identity:header_login", 401),
        ("GET", f"{TOKENS}/admin", {"token": "admin"}, "identity:tokens:show", 200),
        ("DELETE", f"{TOKENS}/admin", {"token": "admin"}, "identity:tokens:delete", 204),
        ("GET", TENANTS, {"token": "admin"}, "identity:tenants:list", 200),
        ("GET", "/identity", {}, "-", 300),
    ],
)
def test_each_operation_has_a_name_in_the_log(
    api: Api,
    lines: Callable[[], list[str]],
    method: str,
    path: str,
    kwargs: dict[str, Any],
    operation: str,
    status: int,
) -> None:
    api(method, path, **kwargs)
    (line,) = lines()
    assert f" operation={operation} status={status} " in line


@pytest.mark.parametrize("kwargs", [{"json": credentials()}, {"headers": by_headers()}])
def test_refused_logins_have_it_too(
    make_api: MakeApi, lines: Callable[[], list[str]], kwargs: dict[str, Any]
) -> None:
    api = make_api(failed_logins_per_minute=1)
    fail_often(api, 1)
    method, path = ("POST", TOKENS) if "json" in kwargs else ("GET", "/identity/v1.0")
    api(method, path, **kwargs)
    operation = "tokens:create" if "json" in kwargs else "header_login"
    assert f" operation=identity:{operation} status=429 " in lines()[-1]


def test_the_log_tells_who_signed_in(api: Api, lines: Callable[[], list[str]]) -> None:
    log_in(api)
    log_in(api, "wrong")
    signed_in, refused = lines()
    assert f' user=id-of-jo user_name="name of jo" project={PROJECT} ' in signed_in
    assert " user=- user_name=- project=- " in refused


TOKEN_IN_PATH = "t0ken-in-the-path"


@pytest.mark.parametrize(
    "path",
    [
        f"{TOKENS}/{TOKEN_IN_PATH}",
        f"{TOKENS}/{TOKEN_IN_PATH}/endpoints",
        f"/identity//v2.0/tokens//{TOKEN_IN_PATH}",
        f"/Identity/V2.0/Tokens/{TOKEN_IN_PATH}",
        f"/v2.0/tokens/{TOKEN_IN_PATH}",
        f"/identity/v2.0/token/{TOKEN_IN_PATH}",
        f"/identity/v2.0/tokens;x/{TOKEN_IN_PATH}",
    ],
)
@pytest.mark.parametrize("enabled", [True, False])
def test_tokens_in_paths_are_not_logged(
    make_api: MakeApi, lines: Callable[[], list[str]], enabled: bool, path: str
) -> None:
    make_api(enabled=enabled)("GET", f"http://localhost{path}", token=TOKEN_IN_PATH)
    (line,) = lines()
    assert "/***" in line
    assert TOKEN_IN_PATH not in line


@pytest.mark.parametrize("libraries", ["as configured", "at DEBUG"])
def test_no_secret_is_logged(
    make_conf: MakeConf,
    make_api: MakeApi,
    keystone: Keystone,
    caplog: pytest.LogCaptureFixture,
    libraries: str,
) -> None:
    levels = make_conf().default_log_levels
    log_all(caplog, levels if libraries == "as configured" else ())
    api = make_api()
    keystone.tokens["t0ken-of-the-caller"] = keystone.tokens["admin"]
    own = f"{TOKENS}/t0ken-of-the-caller"
    calls: list[Callable[[], TestResponse]] = [
        lambda: log_in(api),
        lambda: log_in(api, "wr0ng-pa55w0rd"),
        lambda: api("GET", "/identity", headers=by_headers()),
        lambda: api("POST", TOKENS, json={"auth": {"token": {"id": "t0ken-of-the-caller"}}}),
        lambda: api("GET", own, token="t0ken-of-the-caller"),
        lambda: api("GET", TENANTS, token="t0ken-of-the-caller"),
    ]
    seen = ""
    for outcome in (None, REFUSED, refused_by_keystone(500, PASSWORD), answer(201, {})):
        for call in calls:
            if outcome is not None:
                keystone.fail(".*", outcome)
            response = call()
            seen += response.text if response.status_code >= 400 else ""
    new = [token for token in keystone.tokens if token.startswith("new-t0ken")]
    assert len(new) == 3
    secrets = [PASSWORD, "wr0ng-pa55w0rd", "t0ken-of-the-caller", SERVICE_PASSWORD, *new]
    assert len(caplog.records) > 20
    assert [secret for secret in secrets if secret in caplog.text] == []
    assert [secret for secret in secrets if secret in seen] == []


def test_two_applications_count_apart(
    make_conf: MakeConf, inventory: StubInventory, keystone: Keystone
) -> None:
    keystone.passwords["jo"] = PASSWORD
    options = {"identity_bridge": {"enabled": True, "failed_logins_per_minute": 1}}
    first, second = (Api(make_conf(WITH_KEYSTONE, options), inventory) for _ in range(2))
    fail_often(first, 1)
    error_of(log_in(first), 429)
    assert log_in(second).status_code == 200
