# SPDX-License-Identifier: Apache-2.0
"""Ironic or Keystone away, slow, locked or out of order: what callers see, what is left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
import requests

from bm_shim.sandbox import Shim

from .support import (
    JSON,
    Answer,
    Api,
    Cloud,
    Cut,
    Forward,
    LogTail,
    Pieces,
    Proxy,
    Request,
    Rule,
    assert_accepted,
    body_of,
    fault,
    node_of,
    silent_server,
    within,
)

MAC = "52:54:00:fa:11:01"
OTHER_MAC = "52:54:00:fa:11:02"
UUID = "3f0c2ab4-6c2e-4b0f-9e7e-0f6a3c1d5e77"

#: Seconds; the options of [ironic] for a shim that soon gives up.
TIMEOUT = 4
RETRY_TIMEOUT = 3
QUICK = {
    "timeout": TIMEOUT,
    "retry_timeout": RETRY_TIMEOUT,
    "api_max_retries": 2,
    "api_retry_interval": 0.1,
}


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture(scope="module")
def quick(cloud: Cloud) -> Iterator[Shim]:
    """A shim that soon gives up; it keeps no answer about its rights."""
    options = {
        "ironic": {**QUICK, "rights_check_interval": 0},
        "keystone_authtoken": {"http_request_max_retries": 0},
    }
    with cloud.shim("quick", **options) as shim:
        yield shim


@pytest.fixture(scope="module")
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def faulty(cloud: Cloud, proxy: Proxy) -> Iterator[Shim]:
    """A shim that reaches Ironic through the proxy, and gives up sooner still."""
    options = {**QUICK, "timeout": 1, "endpoint_override": proxy.url}
    with cloud.shim("faulty", ironic=options) as shim:
        yield shim


@pytest.fixture
def api(cloud: Cloud, quick: Shim) -> Api:
    return cloud.api_of(quick)


@pytest.fixture
def faulty_api(cloud: Cloud, faulty: Shim) -> Api:
    return cloud.api_of(faulty)


def assert_unavailable(response: requests.Response) -> None:
    """Make sure that a response is a 503 that may be tried again."""
    fault(response, 503)
    assert int(response.headers["Retry-After"]) > 0


def make(cloud: Cloud, **fields: object) -> JSON:
    """Create a node through the sandbox's own shim, undisturbed."""
    return node_of(cloud.api.create(**fields))


#: The six operations, on node 42 with the interface MAC.
OPERATIONS: dict[str, Callable[[Api], requests.Response]] = {
    "list": lambda api: api.list(),
    "show": lambda api: api.show(42),
    "create": lambda api: api.create(prov_mac_address=OTHER_MAC),
    "delete": lambda api: api.delete(42),
    "add_interface": lambda api: api.add_interface(42, address=OTHER_MAC),
    "remove_interface": lambda api: api.remove_interface(42, address=MAC),
}


# Ironic is away


@contextmanager
def ironic_stopped(cloud: Cloud) -> Iterator[None]:
    """Stop Ironic for the block."""
    cloud.sandbox.ironic.stop()
    try:
        yield
    finally:
        cloud.sandbox.ironic.start()


def test_ironic_away_is_503_in_time_and_over_by_itself(
    cloud: Cloud, api: Api, quick: Shim
) -> None:
    node = make(cloud, id=42, prov_mac_address=MAC)
    body_of(api.show(42))
    log = LogTail(quick.log_path)

    with ExitStack() as later:
        with ironic_stopped(cloud), cloud.unchanged():
            for operation in OPERATIONS.values():
                with within(RETRY_TIMEOUT + TIMEOUT):
                    assert_unavailable(operation(api))
            # Ironic need not be there when the shim starts.
            early = later.enter_context(cloud.shim("early", ironic=QUICK))
            assert_unavailable(cloud.api_of(early).show(42))
        assert "cannot be reached" in log.text()
        assert "Ironic is not usable yet" in early.log_path.read_text()

        assert node_of(cloud.api_of(early).show(42))["uuid"] == node["uuid"]
    assert node["uuid"] in [each["uuid"] for each in body_of(api.list())["nodes"]]
    body_of(api.add_interface(42, address=OTHER_MAC))
    assert_accepted(api.delete(42))
    assert "Traceback" not in log.text()


def test_reads_outlast_a_connection_that_fails_twice(
    cloud: Cloud, faulty_api: Api, proxy: Proxy
) -> None:
    node = make(cloud)

    def rule(request: Request, forward: Forward) -> Answer:
        if len(proxy.seen) <= 2:
            raise Cut
        return forward()

    with proxy.ruled_by(rule):
        shown = faulty_api.show(node["uuid"])

    assert node_of(shown)["uuid"] == node["uuid"]


# Ironic hangs


def test_ironic_hanging_is_503_in_time_for_every_caller(cloud: Cloud) -> None:
    timeout, retry_timeout = 1, 1
    options = {**QUICK, "timeout": timeout, "retry_timeout": retry_timeout}

    def timed(name: str) -> tuple[str, float]:
        began = time.monotonic()
        assert_unavailable(OPERATIONS[name](caller))
        return name, time.monotonic() - began

    with (
        silent_server() as url,
        cloud.shim("hanging", ironic={**options, "endpoint_override": url}) as shim,
        ThreadPoolExecutor(8) as pool,
    ):
        caller = cloud.api_of(shim)
        # As many at once as the shim has threads: they must not wait for each other in turn.
        took = list(pool.map(timed, [*OPERATIONS, "create", "show"]))

    limit = timeout + retry_timeout + 1
    assert [(name, seconds) for name, seconds in took if seconds > limit] == []


def test_keystone_hanging_for_our_account_is_503_in_time_for_every_caller(cloud: Cloud) -> None:
    timeout, retry_timeout = 1, 1
    options = {**QUICK, "timeout": timeout, "retry_timeout": retry_timeout}

    def show(caller: Api) -> float:
        began = time.monotonic()
        assert_unavailable(caller.show(42))
        return time.monotonic() - began

    with (
        silent_server() as url,
        cloud.shim("no-sign-in", ironic={**options, "auth_url": f"{url}/v3"}) as shim,
        ThreadPoolExecutor(6) as pool,
    ):
        slowest = max(pool.map(show, [cloud.api_of(shim)] * 6))

    # One request more than with an Ironic that hangs: discovery, then the token.
    assert slowest <= 2 * timeout + retry_timeout + 1


# A locked node


def test_locked_node_is_a_conflict_after_retries(cloud: Cloud, api: Api) -> None:
    node = make(cloud, prov_mac_address=MAC)
    cloud.database.set_node(node["uuid"], reservation="elsewhere")

    with cloud.unchanged(), within(RETRY_TIMEOUT + TIMEOUT):
        began = time.monotonic()
        response = api.delete(node["uuid"])

    message = fault(response, 409)
    assert "locked" in message
    assert int(response.headers["Retry-After"]) > 0
    # Ironic itself waits for two seconds.
    assert time.monotonic() - began > 4


def test_lock_that_goes_away_is_waited_for(cloud: Cloud, api: Api) -> None:
    node = make(cloud, id=42, prov_mac_address=MAC)
    cloud.database.set_node(node["uuid"], reservation="elsewhere")
    release = threading.Timer(2.2, cloud.database.set_node, [node["uuid"]], {"reservation": None})

    release.start()
    try:
        response = api.delete(42)
    finally:
        release.join()

    assert_accepted(response)
    assert node["uuid"] not in cloud.names()


# Keystone is away


def test_keystone_away_is_503_and_over_by_itself(cloud: Cloud, api: Api, quick: Shim) -> None:
    token = cloud.sandbox.admin.token()
    log = LogTail(quick.log_path)
    body_of(api.list())

    cloud.sandbox.keystone.stop()
    try:
        with within(15):
            assert_unavailable(Api(api.url, token).list())
        assert_unavailable(Api(api.url, "unknown").list())
        # Who calls without a token needs no Keystone to be told so.
        fault(Api(api.url, None).list(), 401)
        assert requests.get(f"{api.url}/", timeout=10).status_code == 200
    finally:
        cloud.sandbox.keystone.start()

    assert "Unable to validate token" in log.text()
    body_of(Api(api.url, token).list())


def test_keystone_hanging_is_503_in_time(cloud: Cloud) -> None:
    limits = {"http_connect_timeout": 1, "http_request_max_retries": 0}
    with silent_server() as url:
        options = {**limits, "auth_url": f"{url}/v3"}
        with cloud.shim("no-token-check", keystone_authtoken=options) as shim, within(10):
            assert_unavailable(cloud.api_of(shim).list())


# Ironic answers nonsense

HTML = {"Content-Type": "text/html"}
TEXT = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer.ironic_error(500, "the database is on fire"), 502),
        (Answer.ironic_error(501, "the database is on fire"), 501),
        (Answer(500, b""), 502),
        (Answer(502, b"<h1>the database is on fire</h1>", HTML), 503),
        (Answer(503, b"<h1>the database is on fire</h1>", HTML), 503),
        (Answer(504, b"", HTML), 503),
        (Answer(200, b"<h1>the database is on fire</h1>", HTML), 502),
        (Answer(200, b"the database is on fire", TEXT), 502),
        (Answer(200, b"", TEXT), 502),
        (Answer(204, b""), 502),
        (Answer(200, b"\xff\xfe", TEXT), 502),
        (Answer.json(200, None), 502),
        (Answer.json(200, []), 502),
        (Answer.json(200, "the database is on fire"), 502),
        (Answer.json(200, {}), 502),
        (Answer.json(200, {"nodes": None, "ports": None}), 502),
        (Answer.json(200, {"nodes": 5, "ports": 5}), 502),
        (Answer.json(200, {"nodes": ["x"], "ports": ["x"]}), 502),
        (Answer.json(200, {"nodes": [{}], "ports": [{}]}), 502),
        (Answer.json(200, {"nodes": [{"uuid": 5}], "ports": [{"node_uuid": 5}]}), 502),
        (Answer.json(200, {"nodes": [], "ports": [], "next": 5}), 502),
        (Answer.json(404, {"error_message": "not JSON"}), 503),
        (Answer(301, b"", {"Location": "/v1/nodes/"}), 503),
    ],
    ids=str,
)
def test_nonsense_from_ironic_is_a_fault_of_its_own(
    faulty: Shim, faulty_api: Api, proxy: Proxy, answer: Answer, status: int
) -> None:
    log = LogTail(faulty.log_path)

    def rule(request: Request, forward: Forward) -> Answer:
        lists = request.is_list("nodes") or request.is_list("ports")
        return answer if lists else forward()

    with proxy.ruled_by(rule):
        response = faulty_api.list()

    assert "fire" not in fault(response, status)
    assert ("Retry-After" in response.headers) == (status == 503)
    assert "Traceback" not in log.text()


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_of_our_account_is_a_matter_for_the_operator(
    faulty: Shim, faulty_api: Api, proxy: Proxy, status: int
) -> None:
    log = LogTail(faulty.log_path)

    with proxy.ruled_by(lambda request, forward: Answer.ironic_error(status, "no, not you")):
        response = faulty_api.show(UUID)

    assert "not you" not in fault(response, 503)
    assert "Retry-After" not in response.headers
    assert "[ironic]" in log.text()


# Create fails half-way


def refused(request: Request, forward: Forward) -> Answer:
    """Answer 403 without asking Ironic."""
    return Answer.ironic_error(403, "no")


def broken(request: Request, forward: Forward) -> Answer:
    """Answer 500 without asking Ironic."""
    return Answer.ironic_error(500, "broken")


def cut_before(request: Request, forward: Forward) -> Answer:
    """Cut the connection before Ironic hears of the request."""
    raise Cut


def cut_after(request: Request, forward: Forward) -> Answer:
    """Cut the connection when Ironic has done what was asked."""
    forward()
    raise Cut


def late(request: Request, forward: Forward) -> Answer:
    """Answer when nobody waits any more."""
    answer = forward()
    time.sleep(1.5)
    return answer


@pytest.mark.parametrize("failure", [refused, broken, cut_before, cut_after, late])
@pytest.mark.parametrize(
    ("method", "route"), [("POST", "/v1/nodes"), ("POST", "/v1/ports"), ("PATCH", "/v1/nodes/")]
)
def test_create_that_fails_leaves_nothing_in_ironic(
    cloud: Cloud, faulty_api: Api, proxy: Proxy, method: str, route: str, failure: Rule
) -> None:
    make(cloud, prov_mac_address=MAC)
    struck: list[str] = []

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        fits = request.method == method and f"{request.route}/".startswith(route)
        if fits and not request.is_probe:
            struck.append(request.path)
            return failure(request, forward)
        return forward()

    with cloud.unchanged(), proxy.ruled_by(rule):
        response = faulty_api.create(uuid=UUID, prov_mac_address=OTHER_MAC)

    fault(response, 502 if failure is broken else 503)
    # A write is never sent twice.
    assert len(struck) == 1
    # And the way is free.
    assert node_of(faulty_api.create(uuid=UUID, prov_mac_address=OTHER_MAC))["uuid"] == UUID


@pytest.mark.parametrize("failure", [broken, cut_before, cut_after, late])
def test_create_over_an_existing_node_never_takes_that_away(
    cloud: Cloud, faulty_api: Api, proxy: Proxy, failure: Rule
) -> None:
    make(cloud, uuid=UUID, prov_mac_address=MAC)

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        fits = request.method == "POST" and request.route == "/v1/nodes"
        return failure(request, forward) if fits else forward()

    with cloud.unchanged(), proxy.ruled_by(rule):
        response = faulty_api.create(uuid=UUID)

    fault(response, 502 if failure is broken else 503)


def test_create_that_cannot_be_undone_is_told_to_the_operator(
    cloud: Cloud, faulty: Shim, faulty_api: Api, proxy: Proxy
) -> None:
    log = LogTail(faulty.log_path)

    def rule(request: Request, forward: Forward) -> Answer:
        on_ports = request.route == "/v1/ports" and not request.is_probe
        if on_ports or request.method == "DELETE":
            return Answer.ironic_error(500, "broken")
        return forward()

    with proxy.ruled_by(rule):
        response = faulty_api.create(uuid=UUID, prov_mac_address=MAC)

    fault(response, 502)
    assert f"may have left the node {UUID} behind" in log.text()


@pytest.mark.parametrize("failure", [broken, cut_before, cut_after, late])
def test_interface_whose_answer_is_lost_is_not_left_in_ironic(
    cloud: Cloud, faulty_api: Api, proxy: Proxy, failure: Rule
) -> None:
    node = make(cloud, prov_mac_address=MAC)

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        fits = request.method == "POST" and request.route == "/v1/ports"
        return failure(request, forward) if fits else forward()

    with cloud.unchanged(but="updated_at"), proxy.ruled_by(rule):
        response = faulty_api.add_interface(node["uuid"], address=OTHER_MAC)

    fault(response, 502 if failure is broken else 503)
    body_of(faulty_api.add_interface(node["uuid"], address=OTHER_MAC))


# Nodes that vanish


@pytest.mark.parametrize("kind", ["recorded", "uuid"])
@pytest.mark.parametrize(
    ("operation", "method", "route"),
    [
        ("show", "GET", "/v1/ports"),
        ("delete", "DELETE", "/v1/nodes/"),
        ("add_interface", "POST", "/v1/ports"),
        ("remove_interface", "GET", "/v1/ports"),
        ("remove_interface", "DELETE", "/v1/ports/"),
    ],
)
def test_node_that_vanishes_between_two_calls_is_not_found(
    cloud: Cloud,
    faulty_api: Api,
    proxy: Proxy,
    operation: str,
    method: str,
    route: str,
    kind: str,
) -> None:
    node = make(cloud, id=42, prov_mac_address=MAC)
    node_id = 42 if kind == "recorded" else node["uuid"]
    body: JSON = {"address": OTHER_MAC if operation == "add_interface" else MAC}
    body_of(faulty_api.show(node_id))

    def rule(request: Request, forward: Forward) -> Answer:
        fits = request.method == method and f"{request.route}/".startswith(route)
        if fits and node["uuid"] in cloud.names():
            cloud.delete_nodes({node["uuid"]})
        return forward()

    with proxy.ruled_by(rule):
        match operation:
            case "show":
                response = faulty_api.show(node_id)
            case "delete":
                response = faulty_api.delete(node_id)
            case _:
                response = faulty_api.act(node_id, operation, **body)

    fault(response, 404)
    assert node["uuid"] not in cloud.names()
