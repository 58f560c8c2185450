# SPDX-License-Identifier: Apache-2.0
"""Lists that callers share, and lists that are kept."""

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from bm_shim import errors
from bm_shim.context import RequestContext
from bm_shim.inventory import Inventory
from bm_shim.ironic import Ironic as Client
from bm_shim.listing import Lister, Listing
from bm_shim.model import InterfaceMatch, NewInterface, NewNode
from bm_shim.rights import Rights

from .conftest import MakeConf
from .followers import PATIENCE, Followers
from .wire import ALWAYS, REFUSED, Ironic, Request, refusal

A = "aaaaaaaa-03f2-4d2e-ae87-c02d7f33c123"
B = "bbbbbbbb-03f2-4d2e-ae87-c02d7f33c456"
PORT = "aaaaaaaa-03f2-4d2e-ae87-00000000000a"
MAC = "52:54:00:ab:cd:ef"
CONTEXT = RequestContext(overwrite=False)
FORWARDING = {"ironic": {"forward_user_token": True}}


@pytest.fixture
def fleet(ironic: Ironic) -> Ironic:
    """A node with an interface."""
    ironic.add_node(A)
    ironic.add_port(PORT, A, MAC)
    return ironic


@pytest.fixture
def inventory(make_conf: MakeConf, fleet: Ironic) -> Inventory:
    """One that has looked at its rights."""
    inventory = Inventory(make_conf())
    inventory.check_rights()
    fleet.requests.clear()
    return inventory


def uuids(listing: Listing) -> list[str]:
    return [node.uuid for node in listing.nodes]


class Held:
    """Keeps the first list from ending, when Ironic has said already which nodes there are."""

    def __init__(self, ironic: Ironic) -> None:
        self.nodes_read = threading.Event()
        self.may_end = threading.Event()
        ironic.before = self._hold

    def _hold(self, request: Request) -> None:
        if request.call == "GET /v1/nodes":
            self.nodes_read.set()
        elif request.call == "GET /v1/ports" and "node" not in request.query:
            assert self.may_end.wait(PATIENCE)

    def begin(self, pool: ThreadPoolExecutor, inventory: Inventory) -> Future[Listing]:
        first = pool.submit(inventory.list_nodes, CONTEXT)
        assert self.nodes_read.wait(PATIENCE)
        return first


def count(ironic: Ironic) -> dict[str, int]:
    """How often Ironic was asked for the lists; not for the rights."""
    calls = [request.call for request in ironic.requests if "project" not in request.query]
    return {path: calls.count(f"GET /v1/{path}") for path in ("nodes", "ports")}


# Shared


def test_lists_at_the_same_time_cost_ironic_two(
    inventory: Inventory, fleet: Ironic, monkeypatch: pytest.MonkeyPatch
) -> None:
    followers, held = Followers(monkeypatch), Held(fleet)
    with ThreadPoolExecutor(50) as pool:
        first = held.begin(pool, inventory)
        others = [pool.submit(inventory.list_nodes, CONTEXT) for _ in range(49)]
        followers.await_(48)
        held.may_end.set()
        listings = {id(other.result(PATIENCE)) for other in others}
        assert uuids(first.result(PATIENCE)) == [A]
    assert len(listings) == 1
    assert count(fleet) == {"nodes": 2, "ports": 2}


def test_who_created_a_node_during_a_list_finds_it_in_the_next(
    inventory: Inventory, fleet: Ironic
) -> None:
    held = Held(fleet)
    with ThreadPoolExecutor(9) as pool:
        first = held.begin(pool, inventory)

        def create_and_list(number: int) -> bool:
            new = NewNode(prov_mac_address=f"52:54:00:00:00:{number:02x}")
            made = inventory.create_node(RequestContext(overwrite=False), new)
            created.release()
            listed = {node.uuid: node for node in inventory.list_nodes(CONTEXT).nodes}
            return len(listed[made.uuid].interfaces) == 1

        created = threading.Semaphore(0)
        found = [pool.submit(create_and_list, number) for number in range(8)]
        for _ in range(8):
            assert created.acquire(timeout=PATIENCE)
        held.may_end.set()
        assert [each.result(PATIENCE) for each in found] == [True] * 8
        assert uuids(first.result(PATIENCE)) == [A]


@pytest.mark.parametrize(
    ("outcome", "error"),
    [(REFUSED, errors.ServiceUnavailable), (refusal(500, "oops"), errors.BadGateway)],
)
def test_all_who_share_a_list_are_told_of_its_failure(
    inventory: Inventory,
    fleet: Ironic,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Any,
    error: type[errors.ShimError],
) -> None:
    followers, held = Followers(monkeypatch), Held(fleet)

    def failure(_: int) -> bool:
        with pytest.raises(error):
            inventory.list_nodes(CONTEXT)
        return True

    with ThreadPoolExecutor(11) as pool:
        first = held.begin(pool, inventory)
        failures = [pool.submit(failure, number) for number in range(10)]
        followers.await_(9)
        fleet.fail("GET /v1/nodes", outcome, ALWAYS)
        held.may_end.set()
        assert all(each.result(PATIENCE) for each in failures)
        assert uuids(first.result(PATIENCE)) == [A]
    fleet.rules.clear()
    assert uuids(inventory.list_nodes(CONTEXT)) == [A]


def test_lists_with_and_without_detail_are_apart(inventory: Inventory, fleet: Ironic) -> None:
    held = Held(fleet)
    fleet.nodes[A]["updated_at"] = updated_at = "2026-11-22T20:30:17+00:00"
    with ThreadPoolExecutor(2) as pool:
        plain = held.begin(pool, inventory)
        detailed = pool.submit(inventory.list_nodes, CONTEXT, detail=True)
        held.may_end.set()
        assert plain.result(PATIENCE).nodes[0].updated_at is None
        assert detailed.result(PATIENCE).nodes[0].updated_at == updated_at


def test_callers_with_rights_of_their_own_share_nothing(
    make_conf: MakeConf, fleet: Ironic
) -> None:
    inventory = Inventory(make_conf(FORWARDING))
    held = Held(fleet)
    callers = [RequestContext(auth_token=f"token-{n}", overwrite=False) for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        lists = [pool.submit(inventory.list_nodes, caller, max_age=60) for caller in callers]
        held.may_end.set()
        assert [uuids(each.result(PATIENCE)) for each in lists] == [[A]] * 3
    inventory.list_nodes(callers[0], max_age=60)
    asked = [
        request.headers["X-Auth-Token"]
        for request in fleet.requests
        if request.call == "GET /v1/ports"
    ]
    assert sorted(asked) == ["token-0", "token-0", "token-1", "token-2"]


def test_who_sees_nothing_does_not_hide_a_number_from_others(
    make_conf: MakeConf, fleet: Ironic
) -> None:
    """Callers with rights of their own do not share the search for an integer id either."""
    fleet.nodes[A]["extra"] = {"nova_baremetal": {"id": 42}}
    inventory = Inventory(make_conf(FORWARDING))
    asked = threading.Barrier(2)

    def hold(request: Request) -> None:
        if request.call == "GET /v1/nodes":
            asked.wait(PATIENCE)

    fleet.before = hold
    callers = [RequestContext(auth_token=f"token-{n}", overwrite=False) for n in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda caller: inventory.get_node(caller, "42"), callers))
    assert [node.uuid for node in found] == [A, A]


# Kept


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Keeper:
    """A lister, and the connection that it lists with."""

    def __init__(self, conf: Any, clock: Clock) -> None:
        self.lister = Lister(Rights(60), lambda one, other: (one(), other()), clock)
        self.ironic = Client(conf, after_write=self.lister.outdate).on_behalf(CONTEXT)

    def list(self, max_age: float = 10, *, detail: bool = False) -> Listing:
        return self.lister.list(self.ironic, detail=detail, max_age=max_age)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(make_conf: MakeConf, fleet: Ironic, clock: Clock) -> Keeper:
    return Keeper(make_conf(), clock)


def test_a_list_is_kept_until_it_is_too_old(keeper: Keeper, fleet: Ironic, clock: Clock) -> None:
    ages, reads = [], []
    for elapsed in (0, 4, 5.9, 0.2, 3):
        clock.now += elapsed
        ages.append(round(keeper.list().age, 1))
        reads.append(count(fleet)["nodes"])
    assert ages == [0, 4, 9.9, 0, 3]
    assert reads == [1, 1, 1, 2, 2]


def test_the_age_counts_from_the_beginning_of_the_read(
    keeper: Keeper, fleet: Ironic, clock: Clock
) -> None:
    def pass_time(request: Request) -> None:
        clock.now += 3

    fleet.before = pass_time
    assert keeper.list().age == 9  # nodes, rights, ports


def test_nothing_is_kept_unless_that_is_asked(keeper: Keeper, fleet: Ironic) -> None:
    """Nor held in memory."""
    for _ in range(3):
        listing = weakref.ref(keeper.list(max_age=0))
        assert listing() is None
    assert count(fleet) == {"nodes": 3, "ports": 3}


def test_who_wants_a_fresh_list_is_not_given_a_kept_one(keeper: Keeper, fleet: Ironic) -> None:
    keeper.list()
    fleet.add_node(B)
    assert uuids(keeper.list(max_age=0)) == [A, B]


def test_kept_lists_with_and_without_detail_are_apart(keeper: Keeper, fleet: Ironic) -> None:
    for detail in (False, True, False, True):
        keeper.list(detail=detail)
    assert count(fleet)["nodes"] == 2


def test_a_failure_is_not_kept(keeper: Keeper, fleet: Ironic) -> None:
    fleet.fail("GET /v1/ports", refusal(500, "oops"))
    with pytest.raises(errors.BadGateway):
        keeper.list()
    assert uuids(keeper.list()) == [A]


WRITES: dict[str, Callable[[Inventory], object]] = {
    "create": lambda inventory: inventory.create_node(CONTEXT, NewNode()),
    "delete": lambda inventory: inventory.delete_node(CONTEXT, A),
    "add": lambda inventory: inventory.add_interface(
        CONTEXT, A, NewInterface("52:54:00:00:00:01")
    ),
    "remove": lambda inventory: inventory.remove_interface(
        CONTEXT, A, InterfaceMatch(address=MAC)
    ),
}
READS: dict[str, Callable[[Inventory], object]] = {
    "show": lambda inventory: inventory.get_node(CONTEXT, A),
    "list": lambda inventory: inventory.list_nodes(CONTEXT, max_age=60),
    "check rights": lambda inventory: inventory.check_rights(),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("failure", [None, refusal(500, "oops"), REFUSED])
def test_a_write_ends_the_keeping_at_once(
    inventory: Inventory, fleet: Ironic, write: str, failure: Any
) -> None:
    """Also one that failed: nobody knows what it did."""
    inventory.list_nodes(CONTEXT, max_age=60)
    if failure is None:
        WRITES[write](inventory)
    else:
        inventory.create_node(CONTEXT, NewNode(prov_mac_address="52:54:00:00:00:02"))
        inventory.list_nodes(CONTEXT, max_age=60)
        fleet.fail("(POST|DELETE) .*", failure, done=True)
        with pytest.raises(errors.ShimError):
            WRITES[write](inventory)
    fleet.requests.clear()
    listed = inventory.list_nodes(CONTEXT, max_age=60)
    assert count(fleet) == {"nodes": 1, "ports": 1}
    assert uuids(listed) == list(fleet.nodes)


@pytest.mark.parametrize("read", READS)
def test_a_read_does_not_end_the_keeping(inventory: Inventory, fleet: Ironic, read: str) -> None:
    listed = inventory.list_nodes(CONTEXT, max_age=60)
    READS[read](inventory)
    assert inventory.list_nodes(CONTEXT, max_age=60) is listed


def test_show_never_comes_from_a_kept_list(inventory: Inventory, fleet: Ironic) -> None:
    inventory.list_nodes(CONTEXT, max_age=60)
    fleet.nodes[A]["properties"] = {"cpus": 16}
    assert inventory.get_node(CONTEXT, A).properties == {"cpus": 16}


def test_a_list_during_which_something_was_written_is_not_kept(
    inventory: Inventory, fleet: Ironic
) -> None:
    """It may have read what the write changed before that."""
    held = Held(fleet)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(inventory.list_nodes, CONTEXT, max_age=60)
        assert held.nodes_read.wait(PATIENCE)
        made = inventory.create_node(RequestContext(overwrite=False), NewNode())
        held.may_end.set()
        first.result(PATIENCE)
    assert uuids(inventory.list_nodes(CONTEXT, max_age=60)) == [A, made.uuid]


def test_a_list_that_began_during_a_write_is_not_kept(inventory: Inventory, fleet: Ironic) -> None:
    listings: list[Listing] = []

    def list_meanwhile(request: Request) -> None:
        if request.method == "DELETE":
            listings.append(inventory.list_nodes(CONTEXT, max_age=60))

    fleet.before = list_meanwhile
    inventory.delete_node(CONTEXT, A)
    assert [uuids(each) for each in listings] == [[A]]
    assert uuids(inventory.list_nodes(CONTEXT, max_age=60)) == []


def test_who_waits_for_a_list_takes_the_one_that_was_kept_meanwhile(
    inventory: Inventory, fleet: Ironic, monkeypatch: pytest.MonkeyPatch
) -> None:
    followers, held = Followers(monkeypatch), Held(fleet)
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(inventory.list_nodes, CONTEXT, max_age=60)
        assert held.nodes_read.wait(PATIENCE)
        others = [pool.submit(inventory.list_nodes, CONTEXT, max_age=60) for _ in range(9)]
        followers.await_(8)
        held.may_end.set()
        assert {other.result(PATIENCE) for other in others} == {first.result(PATIENCE)}
    assert count(fleet) == {"nodes": 1, "ports": 1}


# Bodies


def test_a_body_is_written_once_for_all() -> None:
    listing, written = Listing([]), list[str]()
    start = threading.Barrier(8)

    def body(kind: str) -> bytes:
        def write() -> bytes:
            written.append(kind)
            return kind.encode()

        start.wait(PATIENCE)
        return listing.body(kind, write)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(body, ["json", "xml"] * 4)) == [b"json", b"xml"] * 4
    assert sorted(written) == ["json", "xml"]


def test_a_body_that_could_not_be_written_is_tried_again() -> None:
    listing = Listing([])

    def fail() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        listing.body("json", fail)
    assert listing.body("json", lambda: b"[]") == b"[]"
