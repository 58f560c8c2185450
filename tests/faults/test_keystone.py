# SPDX-License-Identifier: Apache-2.0
"""Keystone fails: when a caller's token is checked, and when our own accounts sign in."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import requests
from functional.support import (
    Answer,
    Api,
    Cloud,
    Forward,
    LogTail,
    Pieces,
    Proxy,
    Request,
    Rule,
    body_of,
    fault,
)

from bm_shim.sandbox import Shim
from bm_shim.sandbox.keystone import REGION

from . import strikes
from .table import ACCOUNT, BRIDGE, CALLERS, RETRY_TIMEOUT, SLACK, TIMEOUT, Line

TOKENS = "/v3/auth/tokens"


@pytest.fixture(scope="module")
def _catalogue(cloud: Cloud, keystone_proxy: Proxy) -> Iterator[None]:
    """Keystone's catalogue leads to the proxy, for who asks for the interface ``admin``."""
    keystone = cloud.sandbox.admin.session()
    url = f"{cloud.sandbox.keystone_url}/v3"
    (service,) = keystone.get(f"{url}/services?type=identity").json()["services"]
    endpoint = {
        "interface": "admin",
        "region_id": REGION,
        "service_id": service["id"],
        "url": f"{keystone_proxy.url}/v3",
    }
    made = keystone.post(f"{url}/endpoints", json={"endpoint": endpoint}).json()["endpoint"]
    yield
    keystone.delete(f"{url}/endpoints/{made['id']}")


@pytest.fixture(scope="module")
def shim(
    cloud: Cloud, _catalogue: None, ironic_proxy: Proxy, keystone_proxy: Proxy
) -> Iterator[Shim]:
    """A shim that soon gives up, and keeps no token that it has checked."""
    options = {
        "ironic": {
            "endpoint_override": ironic_proxy.url,
            "auth_url": f"{keystone_proxy.url}/v3",
            "timeout": TIMEOUT,
            "retry_timeout": RETRY_TIMEOUT,
            "api_max_retries": 2,
            "api_retry_interval": 0.1,
        },
        "keystone_authtoken": {
            "auth_url": f"{keystone_proxy.url}/v3",
            "interface": "admin",
            "http_connect_timeout": TIMEOUT,
            "http_request_max_retries": 0,
            "token_cache_time": -1,
        },
    }
    with cloud.shim("keystone-struck", **options) as shim:
        body_of(cloud.api_of(shim).list())
        yield shim


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture
def api(cloud: Cloud, shim: Shim) -> Api:
    """The administrator, at that shim."""
    return cloud.api_of(shim)


def is_check(request: Request) -> bool:
    """Whether a request asks about a token."""
    return (request.method, request.route) == ("GET", TOKENS)


def is_sign_in(request: Request) -> bool:
    """Whether a request asks for a token."""
    return (request.method, request.route) == ("POST", TOKENS)


def on_check(strike: Rule) -> Rule:
    """Strike when a token is checked."""

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        return strike(request, forward) if is_check(request) else forward()

    return rule


def on_sign_in(strike: Rule) -> Rule:
    """Let Keystone refuse the token of the account that asks, and strike when it gets another."""

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        if is_check(request):
            return strikes.refusal(401)(request, forward)
        return strike(request, forward) if is_sign_in(request) else forward()

    return rule


def on_sign_in_for_ironic(strike: Rule) -> Rule:
    """Strike when the account of ``[ironic]``, which is in no project, gets a token."""

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        fits = is_sign_in(request) and b'"system"' in request.body
        return strike(request, forward) if fits else forward()

    return rule


def skewed(**shift: float) -> Rule:
    """Answer with other times, as a clock sees them that is wrong."""

    def moved(match: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(match[0].decode()) + timedelta(**shift)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()

    def rule(request: Request, forward: Forward) -> Answer:
        answer = forward()
        body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", moved, answer.body)
        return answer._replace(body=body)

    return rule


def timed_list(api: Api) -> tuple[requests.Response, float]:
    """List; return the seconds, too."""
    began = time.monotonic()
    response = api.list()
    return response, time.monotonic() - began


def assert_as_promised(line: Line, response: requests.Response, took: float, log: str) -> None:
    """Make sure that an answer is that of a line."""
    fault(response, line.status)
    assert ("Retry-After" in response.headers) == line.again
    assert took <= line.within.seconds + SLACK
    assert line.log in log
    assert "Traceback" not in log


@pytest.mark.parametrize("when", [on_check, on_sign_in])
@pytest.mark.parametrize(
    "line", [line for line in CALLERS if line.strikes], ids=lambda line: line.fault[:50]
)
def test_keystone_struck_for_a_caller(
    shim: Shim, api: Api, keystone_proxy: Proxy, line: Line, when: Callable[[Rule], Rule]
) -> None:
    for strike in line.strikes:
        log = LogTail(shim.log_path)
        with keystone_proxy.ruled_by(when(strike)):
            response, took = timed_list(api)
        assert_as_promised(line, response, took, log.text())
        body_of(api.list())


@pytest.mark.parametrize(
    "line", [line for line in ACCOUNT if line.strikes], ids=lambda line: line.fault[:50]
)
def test_keystone_struck_for_our_account(
    shim: Shim, api: Api, ironic_proxy: Proxy, keystone_proxy: Proxy, line: Line
) -> None:
    for strike in line.strikes:
        log = LogTail(shim.log_path)
        with (
            ironic_proxy.ruled_by(strikes.refusal(401)),
            keystone_proxy.ruled_by(on_sign_in_for_ironic(strike)),
        ):
            response, took = timed_list(api)
        assert_as_promised(line, response, took, log.text())
        body_of(api.list())


def test_account_that_checks_tokens_is_refused(
    shim: Shim, api: Api, keystone_proxy: Proxy
) -> None:
    log = LogTail(shim.log_path)

    with keystone_proxy.ruled_by(on_sign_in(strikes.refusal(401))):
        response = api.list()

    fault(response, 503)
    assert "Retry-After" in response.headers
    assert "Identity server rejected authorization" in log.text()


def test_token_of_ours_that_is_no_good_is_renewed(
    api: Api, ironic_proxy: Proxy, keystone_proxy: Proxy
) -> None:
    body_of(api.list())
    revoked = ironic_proxy.seen[-1].headers["X-Auth-Token"]

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        good = request.headers["X-Auth-Token"] != revoked
        return forward() if good else strikes.refusal(401)(request, forward)

    with ironic_proxy.ruled_by(rule):
        body_of(api.list())
        node = {"prov_mac_address": "52:54:00:c1:0c:01"}
        body_of(api.create(**node))


def test_clock_ahead_makes_tokens_look_expired(
    shim: Shim, api: Api, keystone_proxy: Proxy
) -> None:
    log = LogTail(shim.log_path)

    with keystone_proxy.ruled_by(on_check(skewed(hours=-2))):
        fault(api.list(), 401)

    assert "status=401" in log.text()
    body_of(api.list())


def test_clock_behind_is_not_noticed(api: Api, keystone_proxy: Proxy) -> None:
    with keystone_proxy.ruled_by(skewed(hours=2)):
        body_of(api.list())


@pytest.mark.parametrize("hours", [-2, 2])
def test_clock_does_not_keep_our_account_out(
    api: Api, ironic_proxy: Proxy, keystone_proxy: Proxy, hours: int
) -> None:
    body_of(api.list())
    expired = ironic_proxy.seen[-1].headers["X-Auth-Token"]

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        good = request.headers["X-Auth-Token"] != expired
        return forward() if good else strikes.refusal(401)(request, forward)

    with (
        ironic_proxy.ruled_by(rule),
        keystone_proxy.ruled_by(on_sign_in_for_ironic(skewed(hours=hours))),
    ):
        for _ in range(3):
            body_of(api.list())
        signed_in = sum(is_sign_in(request) for request in keystone_proxy.seen)

    assert signed_in >= 3 if hours < 0 else 1 <= signed_in <= 3


def test_versions_that_cannot_be_read_do_not_matter(cloud: Cloud, keystone_proxy: Proxy) -> None:
    """Asked again with a token, while it waits for one, the library would wait for itself."""

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        asks = request.route == "/v3"
        return strikes.refusal(401)(request, forward) if asks else forward()

    account = {"auth_url": f"{keystone_proxy.url}/v3"}
    with (
        keystone_proxy.ruled_by(rule),
        cloud.shim("versionless", ironic=account, keystone_authtoken=account) as shim,
    ):
        body_of(cloud.api_of(shim).list())
        assert any(request.route == "/v3" for request in keystone_proxy.seen)


@pytest.fixture(scope="module")
def bridge(cloud: Cloud, keystone_proxy: Proxy) -> Iterator[Shim]:
    """A shim that serves identity v2.0, and soon gives up."""
    options = {"auth_url": keystone_proxy.url, "timeout": TIMEOUT, "enabled": True}
    with cloud.shim("bridge-struck", identity_bridge=options) as shim:
        yield shim


@pytest.mark.parametrize("line", BRIDGE, ids=lambda line: line.fault[:50])
def test_keystone_struck_for_a_login(
    cloud: Cloud, bridge: Shim, keystone_proxy: Proxy, line: Line
) -> None:
    member = cloud.sandbox.member
    credentials = {"username": member.username, "password": member.password}
    login = {"auth": {"passwordCredentials": credentials, "tenantName": member.project_name}}

    def log_in() -> requests.Response:
        url = f"{bridge.url}/identity/v2.0/tokens"
        return requests.post(url, json=login, timeout=60)

    for strike in line.strikes:
        log = LogTail(bridge.log_path)
        with keystone_proxy.ruled_by(strike):
            began = time.monotonic()
            response = log_in()
            took = time.monotonic() - began
        assert response.status_code == response.json()["error"]["code"] == line.status
        assert ("Retry-After" in response.headers) == line.again
        assert took <= line.within.seconds + SLACK
        assert line.log in log.text()
        assert "Traceback" not in log.text()
        assert log_in().status_code == 200
