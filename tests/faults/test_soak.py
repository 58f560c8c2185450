# SPDX-License-Identifier: Apache-2.0
"""An hour of polling in a minute, while what the shim depends on is restarted.

``BM_SHIM_SOAK_HOURS`` makes it longer.
"""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest
import requests
from daemons import Daemon, find_program, running
from functional.support import (
    Api,
    Cloud,
    LogTail,
    body_of,
    fault,
    node_of,
    wait_until,
)

from bm_shim.sandbox import Part, Shim
from bm_shim.sandbox.address import Address

from .table import SLACK

POLLERS = 12
#: Seconds between two requests of a poller in real life; here it makes them without a pause.
INTERVAL = 40
HOURS = float(os.environ.get("BM_SHIM_SOAK_HOURS", "1"))
REQUESTS = int(POLLERS * 3600 / INTERVAL * HOURS)

#: Seconds that a service stays away.
AWAY = 2.0

MEMCACHED_TIMEOUT = 1

#: Tokens that are used once, and the seconds between two of them.
STRANGERS = 60
STRANGERS_INTERVAL = 0.5 * HOURS

#: Pools grow as more callers happen to be served at once: by a thread and a connection for each of
#: the two reads of a call. What leaks at each of some thousand requests is far more.
SPARE = 2 * POLLERS
SPARE_MEMORY = 20 * 2**20


@pytest.fixture(scope="module")
def memcached(cloud: Cloud) -> Iterator[Daemon]:
    """A memcached."""
    address = Address()
    program = [find_program("memcached"), "-l", "127.0.0.1", "-p", str(address.port), "-u", "root"]
    with running(Daemon(program, address, cloud.sandbox.state_dir / "memcached.log")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def shim(cloud: Cloud, memcached: Daemon) -> Iterator[Shim]:
    """A shim that keeps tokens in memcached."""
    options = {
        "ironic": {
            "timeout": 5,
            "retry_timeout": 1,
            "api_max_retries": 2,
            "api_retry_interval": 0.2,
        },
        "keystone_authtoken": {
            "memcached_servers": memcached.address.netloc,
            "memcache_pool_socket_timeout": MEMCACHED_TIMEOUT,
            "memcache_pool_dead_retry": 5,
        },
    }
    with cloud.shim("soak", **options) as shim:
        yield shim


@pytest.fixture
def nodes(cloud: Cloud) -> Iterator[list[str]]:
    """Some nodes; the first has the id 42."""
    with cloud.restored():
        addresses = [f"52:54:00:50:00:{number:02x}" for number in range(10)]
        made = [
            cloud.api.create(id=42 + number, prov_mac_address=address)
            for number, address in enumerate(addresses)
        ]
        yield [node_of(response)["uuid"] for response in made]


@dataclass(frozen=True)
class Held:
    """What the workers of a shim hold."""

    threads: int
    descriptors: int
    #: Those of callers.
    callers: int
    #: And those to other services.
    connections: int
    #: Bytes that are shared with nobody.
    memory: int

    @classmethod
    def by(cls, shim: Shim) -> "Held":
        """Return it, of all workers together."""
        assert shim.pid is not None
        workers = psutil.Process(shim.pid).children(recursive=True)
        assert workers
        all_of = [each for worker in workers for each in worker.net_connections()]
        ours = [each for each in all_of if each.laddr.port == shim.address.port]
        callers = sum(each.status != psutil.CONN_LISTEN for each in ours)
        return cls(
            threads=sum(worker.num_threads() for worker in workers),
            descriptors=sum(worker.num_fds() for worker in workers),
            callers=callers,
            connections=len(all_of) - len(ours),
            memory=sum(worker.memory_full_info().uss for worker in workers),
        )

    def is_little_more_than(self, before: "Held") -> bool:
        """Whether nothing has leaked since."""
        return (
            self.callers == 0
            and self.threads <= before.threads + SPARE
            and self.descriptors <= before.descriptors + SPARE
            and self.connections <= before.connections + SPARE
            and self.memory <= before.memory + SPARE_MEMORY
        )


@dataclass(frozen=True)
class Failure:
    """A request that failed."""

    began: float
    ended: float
    known: bool
    response: requests.Response


class Pollers:
    """Callers that read without a pause, with a token that is known, and one without.

    :param strangers: tokens that the shim has never seen, for a request each
    """

    def __init__(self, api: Api, strangers: list[str], nodes: list[str]) -> None:
        self._api = api
        self._strangers = strangers
        self._paths = ["", "/42", "", f"/{nodes[1]}", "", f"/{nodes[2]}"]
        self._over = threading.Event()
        self.answered = 0
        self.failures: list[Failure] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Poll during the block."""
        with ThreadPoolExecutor(POLLERS + 1) as pool:
            futures = [pool.submit(self._poll) for _ in range(POLLERS)]
            futures.append(pool.submit(self._come_by))
            try:
                yield
            finally:
                self._over.set()
            for future in futures:
                future.result()

    def wait_for(self, requests: int) -> None:
        """Wait until there are so many more answers."""
        target = self.answered + requests
        wait_until(lambda: self.answered >= target, 300 + 300 * HOURS)

    @contextmanager
    def see(self, part: Part | Daemon) -> Iterator[list[Failure]]:
        """Keep a service away for a while, then go on; give the failures of all that time.

        Only what was under way while it was away may fail.
        """
        so_far = len(self.failures)
        failures: list[Failure] = []
        began = time.monotonic()
        part.stop()
        threading.Event().wait(AWAY)
        part.start()
        ended = time.monotonic()
        self.wait_for(REQUESTS // 4)
        failures += self.failures[so_far:]
        assert [each for each in failures if each.ended < began or each.began > ended] == []
        yield failures

    def _poll(self) -> None:
        for path in itertools.cycle(self._paths):
            if self._over.is_set():
                return
            self._read(self._api, path, known=True)

    def _come_by(self) -> None:
        for token in self._strangers:
            if self._over.wait(STRANGERS_INTERVAL):
                return
            self._read(Api(self._api.url, token), "/42", known=False)

    def _read(self, api: Api, path: str, *, known: bool) -> None:
        began = time.monotonic()
        response = api.request("GET", path)
        if response.status_code != 200:
            self.failures.append(Failure(began, time.monotonic(), known, response))
        self.answered += 1


def timed_list(api: Api) -> float:
    """List; return the seconds."""
    began = time.monotonic()
    body_of(api.list())
    return time.monotonic() - began


def test_memcached_that_hangs_is_left_alone(cloud: Cloud, shim: Shim, memcached: Daemon) -> None:
    api = cloud.api_of(shim)
    body_of(api.list())

    with memcached.frozen():
        took = [timed_list(api) for _ in range(5)]

    # Asked for the token, and given it.
    assert max(took) <= 2 * MEMCACHED_TIMEOUT + SLACK
    # It was asked, and then counted as dead for a while.
    assert [seconds >= MEMCACHED_TIMEOUT for seconds in took].count(True) in (1, 2)
    body_of(api.list())


def test_restarts_under_load(
    cloud: Cloud, shim: Shim, memcached: Daemon, nodes: list[str]
) -> None:
    api = cloud.api_of(shim)
    log = LogTail(shim.log_path)
    strangers = [cloud.sandbox.admin.token() for _ in range(STRANGERS)]
    warm_up = Pollers(api, strangers[:5], nodes)
    with warm_up.at_work():
        warm_up.wait_for(20 * POLLERS)
    wait_until(lambda: Held.by(shim).callers == 0)
    before = Held.by(shim)

    pollers = Pollers(api, strangers[5:], nodes)
    with pollers.at_work():
        pollers.wait_for(REQUESTS // 4)
        assert pollers.failures == []
        with pollers.see(cloud.sandbox.ironic) as failures:
            assert failures
        with pollers.see(cloud.sandbox.keystone) as failures:
            # Tokens seen a short while ago are good without Keystone.
            assert {each.known for each in failures} == {False}
        with pollers.see(memcached) as failures:
            assert failures == []

    for each in pollers.failures:
        fault(each.response, 503)
        assert "Retry-After" in each.response.headers
    assert pollers.answered >= REQUESTS
    assert "cannot be reached" in log.text()
    assert "Unable to validate token" in log.text()
    assert "Traceback" not in log.text()
    wait_until(lambda: Held.by(shim).is_little_more_than(before))
