# SPDX-License-Identifier: Apache-2.0
"""HAProxy and nginx before the shim: what goes where, and what is said of the caller."""

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from daemons import Daemon
from functional.support import (
    Answer,
    Api,
    Cloud,
    LogTail,
    Proxy,
    Request,
    node_of,
    raw_request,
    wait_until,
)

from bm_shim.sandbox import Shim
from bm_shim.sandbox.address import Address

from .balancers import NOVA, REPLICAS, check, serving

BESIDE_NOVA = ["haproxy.cfg", "nginx.conf"]
ALONE = ["haproxy-without-nova.cfg", "nginx-without-nova.conf"]

Balancers = Callable[[str], Daemon]

#: With PROJECT for the caller's project.
BARE_METAL = [
    "/v2.1/os-baremetal-nodes",
    "/v2.1/PROJECT/os-baremetal-nodes",
    "/v2/os-baremetal-nodes",
    "/v2/PROJECT/os-baremetal-nodes",
    "/v1.1/PROJECT/os-baremetal-nodes",
    "//v2.1//os-baremetal-nodes",
    "/v2/PROJECT/os-baremetal-nodes.json",
    "/v1.1/PROJECT/os-baremetal-nodes.xml",
    "/v2.1/os-baremetal-nodes?x=/servers",
    "/v2.1/extensions/os-baremetal-nodes",
    "/v2/PROJECT/extensions/os-baremetal-ext-status",
]
OTHERS = [
    "/",
    "/v2.1/",
    "/v2.1/PROJECT/servers/detail",
    "/v2.1/servers?x=/os-baremetal-nodes",
    "/v2.1/os-baremetal-nodesx",
    "/v2.1/a/b/os-baremetal-nodes",
    "/v2.1/extensions",
    "/v2.0/tokens",
]
FOR_MONITORING = ["/metrics", "/healthcheck", "/healthcheck/deep"]


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
def test_the_configuration_is_valid(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    check(name, tmp_path_factory.mktemp("b"))


@pytest.fixture(scope="module")
def shims(cloud: Cloud) -> Iterator[list[Shim]]:
    """Two replicas."""
    options: Any = {
        "oslo_middleware": {"enable_proxy_headers_parsing": True},
        "metrics": {"enabled": True},
    }
    with ExitStack() as stack:
        yield [stack.enter_context(cloud.shim(f"balanced-{i}", **options)) for i in (1, 2)]


@pytest.fixture(scope="module")
def nova() -> Iterator[Proxy]:
    """Plays nova: says who it is."""

    def answer(request: Request, forward: object) -> Answer:
        return Answer(200, b"nova", {"X-Path": request.path})

    with Proxy("http://nobody", answer) as server:
        yield server


@pytest.fixture(scope="module")
def nobody() -> Iterator[str]:
    """The address of a replica that has died."""
    address = Address()
    yield address.netloc
    address.release()


@pytest.fixture(scope="module")
def balancers(
    cloud: Cloud,
    shims: list[Shim],
    nova: Proxy,
    nobody: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Balancers]:
    """Gives a balancer by its configuration's name; started when first asked for.

    Of three replicas, one is dead.
    """
    with ExitStack() as stack:
        made: dict[str, Daemon] = {}

        def find(name: str) -> Daemon:
            if name not in made:
                addresses = [shims[0].address.netloc, nobody, shims[1].address.netloc]
                servers = dict(zip(REPLICAS, addresses, strict=True))
                if name in BESIDE_NOVA:
                    servers[NOVA] = nova.url.removeprefix("http://")
                # Paths of sockets must be short.
                directory = tmp_path_factory.mktemp("b")
                made[name] = stack.enter_context(serving(name, servers, directory))
                api = Api(made[name].url, cloud.admin_token)
                wait_until(lambda: api.list().status_code == 200, 30)
            return made[name]

        yield find


def get(cloud: Cloud, balancer: Daemon, path: str, **headers: str) -> requests.Response:
    """Ask for a path as it is."""
    path = path.replace("PROJECT", cloud.admin_project)
    request = requests.Request(
        "GET", balancer.url, headers={"X-Auth-Token": cloud.admin_token, **headers}
    ).prepare()
    request.url = balancer.url + path
    with requests.Session() as session:
        return session.send(request, timeout=30)


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
@pytest.mark.parametrize("path", BARE_METAL)
def test_bare_metal_goes_to_the_shim(
    cloud: Cloud, balancers: Balancers, name: str, path: str
) -> None:
    response = get(cloud, balancers(name), path)
    assert response.status_code == 200
    assert response.headers["x-compute-request-id"].startswith("req-")


@pytest.mark.parametrize("name", BESIDE_NOVA)
@pytest.mark.parametrize("path", OTHERS + FOR_MONITORING)
def test_everything_else_goes_to_nova(
    cloud: Cloud, balancers: Balancers, name: str, path: str
) -> None:
    response = get(cloud, balancers(name), path)
    assert (response.status_code, response.text) == (200, "nova")
    assert response.headers["X-Path"] == path.replace("PROJECT", cloud.admin_project)


@pytest.mark.parametrize("name", ALONE)
def test_without_nova_everything_goes_to_the_shim(
    cloud: Cloud, balancers: Balancers, name: str
) -> None:
    for path in OTHERS:
        response = get(cloud, balancers(name), path)
        assert response.headers["x-compute-request-id"].startswith("req-"), path


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize(
    "path",
    [
        *FOR_MONITORING, "//metrics", "/healthcheck//deep", "/metrics/", "/%6detrics",
        "/healthcheck%2Fdeep", "/%2Fmetrics", "/metrics?a=b", "/v2.1/../metrics",
    ],
)  # fmt: skip
def test_what_is_for_monitoring_is_not_for_callers(
    cloud: Cloud, balancers: Balancers, name: str, path: str
) -> None:
    response = get(cloud, balancers(name), path)
    assert response.status_code == 404
    assert response.json() == {
        "itemNotFound": {"code": 404, "message": "The resource could not be found."}
    }
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
def test_writes_and_bodies_in_chunks(cloud: Cloud, balancers: Balancers, name: str) -> None:
    api = Api(balancers(name).url, cloud.admin_token)
    body = json.dumps({"node": {"prov_mac_address": "52:54:00:ba:1a:01"}}).encode()
    with cloud.restored():
        response = api.request(
            "POST", data=iter([body[:9], body[9:]]), headers={"Content-Type": "application/json"}
        )
        assert api.delete(node_of(response)["id"]).status_code == 202


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
def test_who_calls_is_what_the_balancer_says(
    cloud: Cloud, balancers: Balancers, shims: list[Shim], name: str
) -> None:
    """Not what the caller says; and links lead through the balancer."""
    balancer = balancers(name)
    logs = [LogTail(shim.log_path) for shim in shims]
    spoofed = {
        "X-Forwarded-For": "198.51.100.9",
        "Forwarded": "for=198.51.100.9;host=evil.example.org;proto=gopher",
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Prefix": "/evil",
    }
    assert get(cloud, balancer, "/v2.1/os-baremetal-nodes", **spoofed).status_code == 200
    if name in ALONE:
        links = get(cloud, balancer, "/v2.1/", **spoofed).json()["version"]["links"]
        assert links[0]["href"] == f"{balancer.url}/v2.1/"

    def line() -> str:
        lines = "".join(log.text() for log in logs).splitlines()
        return next((each for each in lines if "path=/v2.1/os-baremetal-nodes " in each), "")

    wait_until(lambda: line() != "")
    assert " client=127.0.0.1 " in line()


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
def test_a_body_that_is_too_large_is_a_fault(
    cloud: Cloud, balancers: Balancers, name: str
) -> None:
    api = Api(balancers(name).url, cloud.admin_token)
    for _ in range(5):
        # Who is still sending may be cut off before the answer comes: RFC 9112, section 9.6.
        with contextlib.suppress(requests.ConnectionError):
            response = api.request("POST", data=b"x" * 200_000)
            break
    assert response.status_code == 413
    assert response.json()["overLimit"]["code"] == 413


@pytest.mark.parametrize("name", [BESIDE_NOVA[0], ALONE[0]])
def test_a_slow_caller_holds_no_thread_of_a_replica(
    cloud: Cloud, balancers: Balancers, name: str
) -> None:
    head = f"POST /v2.1/os-baremetal-nodes HTTP/1.1\r\nX-Auth-Token: {cloud.admin_token}\r\n"
    rest = "Host: x\r\nContent-Length: 12\r\n\r\n{"
    assert raw_request(balancers(name).url, f"{head}{rest}".encode()).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
def test_a_dead_replica_is_not_noticed(cloud: Cloud, balancers: Balancers, name: str) -> None:
    """One of three is dead all the time."""
    statuses = [
        get(cloud, balancers(name), "/v2.1/os-baremetal-nodes").status_code for _ in range(30)
    ]
    assert statuses == [200] * 30


@pytest.mark.parametrize("name", BESIDE_NOVA + ALONE)
def test_when_all_are_dead_callers_get_a_fault(
    cloud: Cloud, nobody: str, nova: Proxy, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    servers = dict.fromkeys(REPLICAS, nobody)
    if name in BESIDE_NOVA:
        servers[NOVA] = nova.url.removeprefix("http://")
    with serving(name, servers, tmp_path_factory.mktemp("b")) as balancer:
        response = get(cloud, balancer, "/v2.1/os-baremetal-nodes")
    assert response.status_code in (502, 503)
    ((fault, body),) = response.json().items()
    assert fault == {502: "computeFault", 503: "serviceUnavailable"}[response.status_code]
    assert body["code"] == response.status_code
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
