# SPDX-License-Identifier: Apache-2.0
"""Ironic fails at each request that an operation makes of it."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests
from functional.support import (
    JSON,
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

from . import strikes
from .table import IRONIC, RETRY_TIMEOUT, SLACK, TIMEOUT, Line

#: How many things are tried at once; the shim has some more threads.
AT_ONCE = 6


@dataclass(frozen=True)
class Step:
    """A request that the shim makes of Ironic: ``GET /v1/nodes/…``, asked only what it may do."""

    method: str
    resource: str
    probe: bool = False

    @classmethod
    def of(cls, request: Request) -> "Step":
        """Return what kind of step a request is."""
        _, _, kind, *ident = request.route.split("/")
        return cls(request.method, f"{kind}/…" if ident else kind, request.is_probe)


LIST_NODES = Step("GET", "nodes")
LIST_PORTS = Step("GET", "ports")
GET_NODE = Step("GET", "nodes/…")
MAY_LIST = Step("GET", "nodes", probe=True)
MAY_CREATE = Step("POST", "ports", probe=True)
CREATE_NODE = Step("POST", "nodes")
CREATE_PORT = Step("POST", "ports")
PATCH_NODE = Step("PATCH", "nodes/…")
DELETE_NODE = Step("DELETE", "nodes/…")
DELETE_PORT = Step("DELETE", "ports/…")


class Machine:
    """A node of a case's own, and what the case may make."""

    def __init__(self, number: int) -> None:
        self.number = number
        high, low = divmod(number, 256)
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"struck {number}"))
        self.name = f"struck-{number}"
        self.id = 100 + number
        self.address = f"52:54:fb:00:{high:02x}:{low:02x}"
        self.new_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"made while struck {number}"))
        self.new_id = 10_000 + number
        self.new_address = f"52:54:fb:01:{high:02x}:{low:02x}"


Operation = Callable[[Api, Machine], requests.Response]

OPERATIONS: Mapping[str, tuple[Operation, tuple[Step, ...]]] = {
    "list": (lambda api, its: api.list(), (LIST_NODES, LIST_PORTS, MAY_LIST)),
    "show by integer": (lambda api, its: api.show(its.id), (LIST_NODES, GET_NODE, LIST_PORTS)),
    "show by UUID": (lambda api, its: api.show(its.uuid), (GET_NODE, LIST_PORTS)),
    "show by name": (lambda api, its: api.show(its.name), (GET_NODE, LIST_PORTS)),
    "create": (
        lambda api, its: api.create(
            uuid=its.new_uuid, id=its.new_id, prov_mac_address=its.new_address
        ),
        (MAY_CREATE, CREATE_NODE, MAY_LIST, LIST_NODES, CREATE_PORT, PATCH_NODE),
    ),
    "delete": (lambda api, its: api.delete(its.uuid), (DELETE_NODE,)),
    "add_interface": (
        lambda api, its: api.add_interface(its.uuid, address=its.new_address),
        (CREATE_PORT,),
    ),
    "remove_interface": (
        lambda api, its: api.remove_interface(its.uuid, address=its.address),
        (LIST_PORTS, DELETE_PORT),
    ),
}

STEPS = [(name, step) for name, (_, steps) in OPERATIONS.items() for step in steps]

#: Cases of these share reads with others of their kind, so they come one after another.
SHARING = ("list", "show by integer")


@dataclass
class Case:
    """An operation that is struck at one step."""

    operation: str
    step: Step
    strike: Rule
    machine: Machine
    #: By which the proxy knows whose request it sees.
    request_id: str = field(default_factory=lambda: f"req-{uuid.uuid4()}")
    #: How often the step is struck.
    times: float = float("inf")
    struck: int = 0

    def __str__(self) -> str:
        kind = "may " if self.step.probe else ""
        return f"{self.operation}, {kind}{self.step.method} {self.step.resource}"


class Striker:
    """The rule of the proxy: strikes each case at its step, and lets all else through."""

    def __init__(self, cases: list[Case]) -> None:
        self._cases = {case.request_id: case for case in cases}

    def __call__(self, request: Request, forward: Forward) -> Answer | Pieces:
        # Each library has its own idea of the capitals.
        headers = {name.lower(): value for name, value in request.headers.items()}
        case = self._cases.get(headers.get("x-openstack-request-id", ""))
        if case is None or Step.of(request) != case.step or case.struck >= case.times:
            return forward()
        case.struck += 1
        return case.strike(request, forward)


@pytest.fixture(scope="module")
def shim(cloud: Cloud, ironic_proxy: Proxy) -> Iterator[Shim]:
    """A shim that soon gives up; it keeps no answer about its rights."""
    options = {
        "endpoint_override": ironic_proxy.url,
        "timeout": TIMEOUT,
        "retry_timeout": RETRY_TIMEOUT,
        "api_max_retries": 2,
        "api_retry_interval": 0.1,
        "rights_check_interval": 0,
    }
    with cloud.shim("struck", ironic=options) as shim:
        yield shim


@pytest.fixture
def api(cloud: Cloud, shim: Shim) -> Api:
    """The administrator, at that shim."""
    return cloud.api_of(shim)


@pytest.fixture(scope="module")
def all_machines(cloud: Cloud) -> Iterator[list[Machine]]:
    """A machine for each step."""
    with cloud.restored():
        yield [Machine(number) for number in range(len(STEPS))]


@pytest.fixture
def machines(cloud: Cloud, all_machines: list[Machine]) -> list[Machine]:
    """The same, all of them there; the shim does not know the integer of one where it matters."""
    unknown = STEPS.index(("show by integer", LIST_NODES))
    all_machines[unknown] = Machine(all_machines[unknown].number + len(STEPS))
    for machine in all_machines:
        provide(cloud, machine)
    return all_machines


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud, machines: list[Machine]) -> Iterator[None]:
    """Delete what a test makes; the machines stay."""
    with cloud.restored():
        yield


def provide(cloud: Cloud, machine: Machine) -> None:
    """Create the machine in Ironic, undisturbed, unless it is there."""
    if cloud.database.ports(machine.uuid):
        return
    cloud.delete_nodes({machine.uuid}.intersection(cloud.names()))
    node = {
        "uuid": machine.uuid,
        "name": machine.name,
        "driver": "fake-hardware",
        "extra": {"nova_baremetal": {"id": machine.id}},
    }
    made = cloud.ironic.post("/v1/nodes", json=node, microversion="1.10")
    port = {"node_uuid": machine.uuid, "address": machine.address}
    assert (made.status_code, cloud.ironic.post("/v1/ports", json=port).status_code) == (201, 201)


def run_all(api: Api, proxy: Proxy, cases: list[Case], check: Callable[[Case], str]) -> list[str]:
    """Run the cases, many at once; return what was wrong."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        key = case.operation if case.operation in SHARING else case.request_id
        groups.setdefault(key, []).append(case)

    def run(group: list[Case]) -> list[str]:
        return [f"{case}: {wrong}" for case in group if (wrong := check(case))]

    with proxy.ruled_by(Striker(cases)), ThreadPoolExecutor(AT_ONCE) as pool:
        wrongs = pool.map(run, sorted(groups.values(), key=len, reverse=True))
        return [wrong for group in wrongs for wrong in group]


def call(api: Api, case: Case) -> requests.Response:
    """Do what the case is about."""
    own = Api(api.url, api.token)
    operation, _ = OPERATIONS[case.operation]

    def request(method: str, path: str = "", **kwargs: object) -> requests.Response:
        headers = {"X-OpenStack-Request-ID": case.request_id}
        return Api.request(own, method, path, headers=headers, **kwargs)

    own.__dict__["request"] = request
    return operation(own, case.machine)


Holdings = tuple[list[JSON], list[str]]


def holdings(cloud: Cloud, machine: Machine) -> Holdings:
    """Return what Ironic has of a case: nodes, and addresses of ports."""
    nodes = cloud.database.query(
        "SELECT * FROM nodes WHERE uuid IN (?, ?)", machine.uuid, machine.new_uuid
    )
    for node in nodes:
        # It changes whenever Ironic takes the node's lock.
        del node["updated_at"]
    addresses = cloud.database.query(
        "SELECT address FROM ports WHERE address IN (?, ?)", machine.address, machine.new_address
    )
    return nodes, [row["address"] for row in addresses]


def is_whole(operation: str, before: Holdings, after: Holdings) -> bool:
    """Whether nothing is half-done: all is as it was, or gone that was to go."""
    done: dict[str, Holdings] = {"delete": ([], []), "remove_interface": (before[0], [])}
    return after in (before, done.get(operation))


def problem(line: Line, case: Case, response: requests.Response) -> str:
    """Return what is wrong with an answer; empty for nothing."""
    if not case.struck:
        return "was not struck"
    status = 202 if response.status_code == 202 and line.status == 200 else line.status
    if response.status_code != status:
        return f"{response.status_code} {response.text}"
    if status >= 400:
        fault(response, status)
    if ("Retry-After" in response.headers) != line.again:
        return f"Retry-After: {response.headers.get('Retry-After')}"
    return ""


REPEATED = [strike for line in IRONIC if line.repeated for strike in line.strikes]


@pytest.mark.parametrize(
    "line", [line for line in IRONIC if line.strikes], ids=lambda line: line.fault[:40]
)
def test_struck_at_any_request(
    cloud: Cloud,
    shim: Shim,
    api: Api,
    ironic_proxy: Proxy,
    machines: list[Machine],
    line: Line,
) -> None:
    """The answer is the promised one, in time, and in Ironic nothing is left half-done."""
    cases = [
        Case(name, step, line.strikes[number % len(line.strikes)], machine)
        for number, ((name, step), machine) in enumerate(zip(STEPS, machines, strict=True))
    ]
    log = LogTail(shim.log_path)

    def check(case: Case) -> str:
        before = holdings(cloud, case.machine)
        began = time.monotonic()
        response = call(api, case)
        took = time.monotonic() - began
        if wrong := problem(line, case, response):
            return wrong
        if line.status >= 400 and not is_whole(
            case.operation, before, holdings(cloud, case.machine)
        ):
            return "left something half-done"
        return "" if took <= line.within.seconds + SLACK else f"took {took:.1f} s"

    assert run_all(api, ironic_proxy, cases, check) == []
    assert line.log in log.text()
    assert "Traceback" not in log.text()
    assert "may have left" not in log.text()


@pytest.mark.parametrize("strike", REPEATED, ids=lambda strike: strike.__name__)
def test_reads_outlast_what_is_over_soon(
    api: Api, ironic_proxy: Proxy, machines: list[Machine], strike: Rule
) -> None:
    cases = [
        Case(name, step, strike, machine, times=1)
        for (name, step), machine in zip(STEPS, machines, strict=True)
        if name.startswith(("list", "show"))
    ]

    def check(case: Case) -> str:
        response = call(api, case)
        return "" if (response.status_code, case.struck) == (200, 1) else response.text

    assert run_all(api, ironic_proxy, cases, check) == []


def test_body_without_an_end_is_not_read(api: Api, ironic_proxy: Proxy) -> None:
    """Ironic need not announce how much there will be."""
    sent: list[int] = []

    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
        for number in range(1000):
            sent.append(number)
            yield b" " * 2**20

    with ironic_proxy.ruled_by(lambda request, forward: Pieces(pieces())):
        response = api.show(str(uuid.uuid4()))

    fault(response, 502)
    # 128 MiB, for each of two reads.
    assert 128 <= len(sent) < 500


@pytest.mark.parametrize("step", [CREATE_PORT, PATCH_NODE], ids=str)
def test_node_that_vanishes_while_it_is_made_is_a_conflict(
    cloud: Cloud, api: Api, ironic_proxy: Proxy, step: Step
) -> None:
    machine = Machine(9999)

    def rule(request: Request, forward: Forward) -> Answer:
        if Step.of(request) == step:
            cloud.delete_nodes({machine.new_uuid}.intersection(cloud.names()))
        return forward()

    with ironic_proxy.ruled_by(rule):
        response = api.create(uuid=machine.new_uuid, prov_mac_address=machine.new_address)

    assert "deleted" in fault(response, 409)
    assert holdings(cloud, machine) == ([], [])


@pytest.mark.parametrize("step", [CREATE_NODE, CREATE_PORT, PATCH_NODE], ids=str)
def test_create_whose_answers_lack_what_a_node_has_makes_nothing(
    cloud: Cloud, api: Api, ironic_proxy: Proxy, step: Step
) -> None:
    machine = Machine(9999)

    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        return strikes.bare(request, forward) if Step.of(request) == step else forward()

    with ironic_proxy.ruled_by(rule):
        response = api.create(uuid=machine.new_uuid, prov_mac_address=machine.new_address)

    fault(response, 502)
    assert holdings(cloud, machine) == ([], [])


def test_interface_whose_answer_lacks_what_an_interface_has_is_not_made(
    cloud: Cloud, api: Api, ironic_proxy: Proxy, machines: list[Machine]
) -> None:
    def rule(request: Request, forward: Forward) -> Answer | Pieces:
        fits = Step.of(request) == CREATE_PORT
        return strikes.bare(request, forward) if fits else forward()

    before = holdings(cloud, machines[0])
    with ironic_proxy.ruled_by(rule):
        response = api.add_interface(machines[0].uuid, address=machines[0].new_address)

    fault(response, 502)
    assert holdings(cloud, machines[0]) == before


def with_next(answer: Answer, link: object) -> Answer:
    """Return a page of a list with another link to the next."""
    return Answer.json(200, {**json.loads(answer.body), "next": link})


@pytest.mark.parametrize(
    "link",
    [
        "{own}",
        "{ironic}/v1/ports?fields=uuid",
        "{ironic}/v1/nodes/{uuid}",
        "{ironic}",
        "{ironic}/v1/nodes/../nodes/{uuid}",
        "{ironic}/v1/../v1/nodes/{uuid}",
        "http://[",
        "",
    ],
)
def test_links_that_lead_nowhere_are_no_list(
    api: Api, ironic_proxy: Proxy, machines: list[Machine], link: str
) -> None:
    def rule(request: Request, forward: Forward) -> Answer:
        if Step.of(request) != LIST_NODES:
            return forward()
        own = f"{ironic_proxy.url}{request.path}"
        names = {"own": own, "ironic": ironic_proxy.url, "uuid": machines[0].uuid}
        return with_next(forward(), link.format(**names))

    with ironic_proxy.ruled_by(rule):
        response = api.list()

    fault(response, 502)
    # Nobody went in circles.
    assert len(ironic_proxy.seen) <= 5


def test_links_to_another_host_are_followed_on_ours(
    cloud: Cloud, api: Api, ironic_proxy: Proxy
) -> None:
    last = cloud.names()[-1]

    def rule(request: Request, forward: Forward) -> Answer:
        if Step.of(request) != LIST_NODES or "marker" in request.path:
            return forward()
        return with_next(forward(), f"{other.url}/v1/nodes?marker={last}&fields=uuid")

    with Proxy(cloud.sandbox.ironic_url) as other, ironic_proxy.ruled_by(rule):
        nodes = body_of(api.list())["nodes"]

    assert [node["uuid"] for node in nodes] == cloud.names()
    assert other.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 305, 307, 308])
def test_redirect_to_another_host_takes_nothing_along(
    cloud: Cloud, api: Api, ironic_proxy: Proxy, status: int
) -> None:
    def rule(request: Request, forward: Forward) -> Answer:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        return Answer(status, b"", {"Location": f"{elsewhere}/v1/nodes"})

    with Proxy(cloud.sandbox.ironic_url) as other, ironic_proxy.ruled_by(rule):
        for response in (api.list(), api.create(pm_password="secret-4711"), api.delete(42)):
            fault(response, 503)

    assert other.seen == []
