# SPDX-License-Identifier: Apache-2.0
"""Lists that callers share with each other, and lists that are kept."""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .support import Answer, Api, Cloud, Forward, Proxy, Request, body_of, node_of, wait_until

PATIENCE = 30
ADDRESSES = (f"52:54:00:5a:00:{n:02x}" for n in itertools.count())


@pytest.fixture(scope="module")
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture(scope="module")
def api(cloud: Cloud, proxy: Proxy) -> Iterator[Api]:
    with cloud.shim("sharing", ironic={"endpoint_override": proxy.url}) as shim:
        yield cloud.api_of(shim)


@pytest.fixture(scope="module")
def keeping_api(cloud: Cloud, proxy: Proxy) -> Iterator[Api]:
    options: dict[str, Any] = {"endpoint_override": proxy.url}
    with cloud.shim("keeping", ironic=options, api={"list_max_age": 600}) as shim:
        yield cloud.api_of(shim)


class Held:
    """A rule that keeps the first list from ending, when the nodes of it have been read."""

    def __init__(self) -> None:
        self.under_way = threading.Event()
        self.may_end = threading.Event()

    def __call__(self, request: Request, forward: Forward) -> Answer:
        answer = forward()
        if request.is_list("nodes"):
            self.under_way.set()
        if request.is_list("ports") and "node=" not in request.path:
            assert self.may_end.wait(PATIENCE)
        return answer


def lists(proxy: Proxy) -> int:
    """How many lists of nodes Ironic was asked for."""
    return sum(request.is_list("nodes") for request in proxy.seen)


def names(api: Api) -> set[str]:
    return {node["uuid"] for node in body_of(api.list())["nodes"]}


def create(api: Api) -> str:
    return str(node_of(api.create(prov_mac_address=next(ADDRESSES)))["uuid"])


def test_lists_at_the_same_time_cost_ironic_two(api: Api, proxy: Proxy) -> None:
    known = create(api)
    held = Held()
    with proxy.ruled_by(held), ThreadPoolExecutor(31) as pool:
        first = pool.submit(names, api)
        assert held.under_way.wait(PATIENCE)
        others = [pool.submit(names, api) for _ in range(30)]
        made = create(api)
        held.may_end.set()
        assert known in first.result(PATIENCE)
        for other in others:
            assert known in other.result(PATIENCE)
        assert made in names(api)
        # Whoever was late has shared one of their own.
        assert lists(proxy) <= 1 + 2 + 1


def test_everybody_finds_what_they_did_before(api: Api, proxy: Proxy) -> None:
    """Callers create, list, delete and list, all at the same time, over and over."""
    proxy.seen.clear()

    def live(_: int) -> list[str]:
        missed = []
        for _ in range(4):
            made = create(api)
            listed = {node["uuid"]: node for node in body_of(api.list())["nodes"]}
            if len(listed.get(made, {"interfaces": []})["interfaces"]) != 1:
                missed.append(f"made {made}")
            assert api.delete(made).status_code == 202
            if made in names(api):
                missed.append(f"deleted {made}")
        return missed

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(live, range(8))) == [[]] * 8
    assert lists(proxy) < 2 * 4 * 8


def test_a_kept_list_serves_others_until_something_is_written(
    keeping_api: Api, proxy: Proxy
) -> None:
    made = create(keeping_api)
    proxy.seen.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: keeping_api.list(), range(16)))
    for answer in answers:
        assert made in {node["uuid"] for node in body_of(answer)["nodes"]}
        assert int(answer.headers["Age"]) < PATIENCE
    assert lists(proxy) == 1

    again = create(keeping_api)
    assert {made, again} <= names(keeping_api)
    assert keeping_api.delete(made).status_code == 202
    assert made not in names(keeping_api)
    assert lists(proxy) == 3


def test_a_kept_list_grows_old(keeping_api: Api) -> None:
    create(keeping_api)
    wait_until(lambda: int(keeping_api.list().headers["Age"]) >= 2)


def test_show_is_never_kept(cloud: Cloud, keeping_api: Api) -> None:
    made = create(keeping_api)
    names(keeping_api)
    cloud.database.set_node(made, properties='{"cpus": 64}')
    assert node_of(keeping_api.show(made))["cpus"] == 64


def test_a_list_under_way_at_the_time_of_a_write_is_not_kept(
    keeping_api: Api, proxy: Proxy
) -> None:
    create(keeping_api)  # nothing is kept now
    held = Held()
    with proxy.ruled_by(held), ThreadPoolExecutor(1) as pool:
        first = pool.submit(names, keeping_api)
        assert held.under_way.wait(PATIENCE)
        made = create(keeping_api)
        held.may_end.set()
        assert made not in first.result(PATIENCE)
        assert made in names(keeping_api)
