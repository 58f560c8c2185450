# SPDX-License-Identifier: Apache-2.0
"""Reads that callers share."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bm_shim.shared_reads import SharedReads

from .followers import PATIENCE, Followers


class Store:
    """Something to read, slowly: a read finds what was there when it began."""

    def __init__(self) -> None:
        self.written: set[int] = set()
        self.reads = 0
        self.under_way = 0
        self.most_under_way = 0
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self._lock = threading.Lock()

    def read(self) -> frozenset[int]:
        with self._lock:
            self.reads += 1
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            found = frozenset(self.written)
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        with self._lock:
            self.under_way -= 1
        return found


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def followers(monkeypatch: pytest.MonkeyPatch) -> Followers:
    return Followers(monkeypatch)


def begin(
    pool: ThreadPoolExecutor, reads: SharedReads[frozenset[int]], store: Store
) -> Future[frozenset[int]]:
    """Let somebody read, and return when the read is under way."""
    first = pool.submit(reads.get, store.read)
    assert store.begun.wait(PATIENCE)
    return first


def test_who_comes_alone_reads_anew(store: Store) -> None:
    reads = SharedReads[frozenset[int]]()
    store.may_end.set()
    for number in range(3):
        store.written.add(number)
        assert reads.get(store.read) == set(range(number + 1))
    assert store.reads == 3


def test_all_who_come_during_a_read_share_the_next(store: Store, followers: Followers) -> None:
    reads = SharedReads[frozenset[int]]()
    with ThreadPoolExecutor(21) as pool:
        first = begin(pool, reads, store)
        store.written.add(1)
        others = [pool.submit(reads.get, store.read) for _ in range(20)]
        followers.await_(19)  # one of them makes the read
        store.may_end.set()
        assert first.result(PATIENCE) == set()
        assert [other.result(PATIENCE) for other in others] == [{1}] * 20
    assert store.reads == 2
    assert store.most_under_way == 1


def test_everybody_finds_what_they_wrote_before(store: Store) -> None:
    reads = SharedReads[frozenset[int]]()
    callers, writes = 16, 50

    def slow() -> frozenset[int]:
        found = store.read()
        time.sleep(0.0005)  # for others to write and ask in
        return found

    def write_and_read(caller: int) -> list[int]:
        missed = []
        for number in range(caller * writes, (caller + 1) * writes):
            store.written.add(number)
            if number not in reads.get(slow):
                missed.append(number)
        return missed

    store.may_end.set()
    with ThreadPoolExecutor(callers) as pool:
        missed = list(pool.map(write_and_read, range(callers)))
    assert missed == [[]] * callers
    assert store.most_under_way == 1
    assert store.reads < callers * writes / 4


def failure_of(reads: SharedReads[frozenset[int]], read: Callable[[], frozenset[int]]) -> object:
    """Read, and return what was raised."""
    try:
        return reads.get(read)
    except BaseException as error:
        return error


# Also when the thread that reads is told to end: nobody waits for ever.
each_error = pytest.mark.parametrize(
    "error", [ConnectionError("away"), KeyboardInterrupt(), SystemExit(1)]
)


@each_error
def test_a_failure_reaches_all_who_share_the_read(
    store: Store, followers: Followers, error: BaseException
) -> None:
    reads = SharedReads[frozenset[int]]()

    def fail() -> frozenset[int]:
        raise error

    with ThreadPoolExecutor(6) as pool:
        first = begin(pool, reads, store)
        others = [pool.submit(failure_of, reads, fail) for _ in range(5)]
        followers.await_(4)
        store.may_end.set()
        assert [other.result(PATIENCE) for other in others] == [error] * 5
        assert first.result(PATIENCE) == set()
    assert reads.get(store.read) == set()


@each_error
def test_a_failure_reaches_those_who_wait_for_the_next_and_nobody_after_them(
    store: Store, followers: Followers, error: BaseException
) -> None:
    reads = SharedReads[frozenset[int]]()

    def fail_slowly() -> frozenset[int]:
        store.read()
        raise error

    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(failure_of, reads, fail_slowly)
        assert store.begun.wait(PATIENCE)
        others = [pool.submit(failure_of, reads, store.read) for _ in range(5)]
        followers.await_(4)
        store.may_end.set()
        assert [each.result(PATIENCE) for each in (first, *others)] == [error] * 6
    assert store.reads == 1
    assert reads.get(store.read) == set()


def test_an_interval_lies_between_the_beginnings_of_two_reads(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, began = [100.0], []
    monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now[-1] + seconds))
    reads = SharedReads[None](interval=2, clock=lambda: now[-1])
    for elapsed in (0.5, 0, 5, 1):
        reads.get(lambda: began.append(now[-1]))
        now.append(now[-1] + elapsed)
    assert began == [100, 102, 104, 109]


def test_a_read_that_never_began_is_in_nobodys_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread may be told to end while it waits."""
    reads = SharedReads[frozenset[int]](interval=60)
    store.may_end.set()
    reads.get(store.read)

    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        reads.get(store.read)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert reads.get(store.read) == set()
    assert store.reads == 2


class Burst:
    """Time, in which somebody asks for a read at each of some moments."""

    def __init__(self, moments: list[float]) -> None:
        self.now = 0.0
        self.come: Callable[[], None] = lambda: None
        self._moments = moments

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self._moments and self._moments[0] <= self.now:
            self._moments.pop(0)
            self.come()


@pytest.mark.parametrize(
    ("moments", "began", "shared"),
    [
        pytest.param([], 101, 0, id="nobody"),
        pytest.param([101.5], 101, 0, id="too late"),
        pytest.param([100.5], 102, 1, id="one"),
        pytest.param([100.5, 101.5, 102.5], 104, 3, id="one after the other"),
        pytest.param([100.4, 100.5, 100.6], 102, 3, id="at once"),
        pytest.param([100.5 + i / 2 for i in range(100)], 120, 40, id="without end"),
    ],
)
def test_a_read_waits_for_those_who_come_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
    followers: Followers,
    moments: list[float],
    began: float,
    shared: int,
) -> None:
    """The read takes 100 s: a hundredth of that for each of them, and a fifth at most."""
    burst = Burst(moments)
    monkeypatch.setattr(time, "sleep", burst.sleep)
    reads = SharedReads[float](clock=lambda: burst.now)

    def read() -> float:
        now = burst.now
        burst.now += 100
        return now

    assert reads.get(read) == 0
    with ThreadPoolExecutor(shared + 1) as pool:
        others: list[Future[float]] = []

        def come() -> None:
            others.append(pool.submit(reads.get, read))
            followers.await_(1)

        burst.come = come
        assert reads.get(read) == began
        assert [other.result(PATIENCE) for other in others] == [began] * shared
