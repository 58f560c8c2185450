# SPDX-License-Identifier: Apache-2.0
"""Integer ids, and the index from them to UUIDs."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid1, uuid4

import pytest

from bm_shim.legacy_ids import DERIVED_FROM, Entry, IdIndex, derived_id, names, recorded_id

from .followers import Followers

A = "aaaaaaaa-03f2-4d2e-ae87-c02d7f33c123"
B = "bbbbbbbb-03f2-4d2e-ae87-c02d7f33c456"


class Clock:
    """Goes on only when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        monkeypatch.setattr(time, "sleep", self._sleep)

    def __call__(self) -> float:
        return self.now

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Fleet:
    """What a listing gives, and when listings were made."""

    def __init__(self, clock: Clock, *entries: Entry) -> None:
        self.entries = list(entries)
        self.listed_at: list[float] = []
        self._clock = clock

    def __call__(self) -> list[Entry]:
        self.listed_at.append(self._clock())
        return self.entries


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def index(clock: Clock) -> IdIndex:
    return IdIndex(clock)


def test_derived_ids_are_the_same_everywhere() -> None:
    assert derived_id(A) == 6685226104504611
    assert derived_id(A.upper()) == derived_id(A.replace("-", "")) == derived_id(A)


@pytest.mark.parametrize("number", [0, 1, 2**52 - 1, 2**52, 2**128 - 1])
def test_derived_ids_are_above_recorded_ones_and_exact_in_a_double(number: int) -> None:
    derived = derived_id(str(UUID(int=number)))
    assert DERIVED_FROM <= derived < 2 * DERIVED_FROM
    assert int(float(derived)) == derived
    assert recorded_id(derived) is None


def test_what_is_no_uuid_has_no_derived_id() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        derived_id("x")


@pytest.mark.parametrize(
    ("value", "recorded"),
    [(1, 1), (DERIVED_FROM - 1,) * 2, (0, None), (-1, None), (DERIVED_FROM, None), (True, None),
     ("1", None), (1.0, None), (None, None), ([1], None)],
)  # fmt: skip
def test_what_can_be_a_recorded_id(value: object, recorded: int | None) -> None:
    assert recorded_id(value) == recorded


@pytest.mark.parametrize(
    ("number", "recorded", "named"),
    [(42, 42, True), (42, 43, False), (42, None, False), (derived_id(A), None, True),
     (derived_id(A), 42, True), (derived_id(B), 42, False), (0, None, False), (-1, None, False)],
)  # fmt: skip
def test_which_numbers_name_a_node(number: int, recorded: int | None, named: bool) -> None:
    assert names(number, A, recorded) is named


def test_recorded_and_derived_ids_are_found_by_one_listing(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock, (A, 42), (B, None))
    assert index.find(42, fleet) == A
    assert index.find(derived_id(A), fleet) == A
    assert index.find(derived_id(B), fleet) == B
    assert len(fleet.listed_at) == 1
    assert clock.slept == []


def test_an_unknown_id_is_none(index: IdIndex, clock: Clock) -> None:
    assert index.find(43, Fleet(clock, (A, 42))) is None


def test_misses_list_at_most_once_a_second(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock, (A, 42))
    for number in range(100, 110):
        assert index.find(number, fleet) is None
        clock.now += 0.25
    pauses = [b - a for a, b in zip(fleet.listed_at, fleet.listed_at[1:], strict=False)]
    assert len(pauses) == 9
    assert min(pauses) >= 1


def test_a_miss_after_a_second_does_not_wait(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock)
    index.find(1, fleet)
    clock.now += 1
    index.find(1, fleet)
    assert clock.slept == []
    assert len(fleet.listed_at) == 2


def test_hits_never_wait_or_list(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock, (A, 42))
    index.find(42, fleet)
    for _ in range(100):
        assert index.find(42, fleet) == A
    assert len(fleet.listed_at) == 1
    assert clock.slept == []


def test_a_node_that_was_made_since_is_found(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock, (A, 42))
    assert index.find(43, fleet) is None
    fleet.entries.append((B, 43))
    assert index.find(43, fleet) == B


def test_remembered_nodes_need_no_listing(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock)
    index.remember(A, 42)
    index.remember(B, None)
    assert [index.find(n, fleet) for n in (42, derived_id(A), derived_id(B))] == [A, A, B]
    assert fleet.listed_at == []


def test_a_forgotten_id_is_looked_for_again(index: IdIndex, clock: Clock) -> None:
    fleet = Fleet(clock, (A, 42))
    index.find(42, fleet)
    fleet.entries = [(B, 42)]
    assert index.find(42, fleet) == A
    index.forget(42)
    index.forget(99)
    assert index.find(42, fleet) == B


def test_of_two_nodes_with_one_id_the_first_is_meant(
    index: IdIndex, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert index.find(42, Fleet(clock, (A, 42), (B, 42))) == A
    assert "both record the legacy id 42" in caplog.text
    assert A in caplog.text
    assert B in caplog.text
    assert index.find(derived_id(B), Fleet(clock)) == B


def test_a_fleet_without_duplicates_is_listed_quietly(
    index: IdIndex, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        index.find(number, Fleet(clock, (A, 42), (B, None)))
    assert caplog.text == ""


def test_errors_of_a_listing_pass_through_and_the_next_miss_lists_again(
    index: IdIndex, clock: Clock
) -> None:
    def fail() -> list[Entry]:
        raise ConnectionError("away")

    with pytest.raises(ConnectionError, match="away"):
        index.find(42, fail)
    assert index.find(42, Fleet(clock, (A, 42))) == A


class Waiting:
    """Holds sleepers until all expected callers wait for them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        followers = Followers(monkeypatch)
        pass_time = time.sleep

        def sleep(seconds: float) -> None:
            followers.await_(self.expected)
            pass_time(seconds)

        self.expected = 0
        monkeypatch.setattr(time, "sleep", sleep)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Waiting:
    return Waiting(monkeypatch, clock)


@pytest.mark.parametrize("failure", [None, ConnectionError("away")])
def test_a_burst_of_unknown_ids_causes_two_listings_at_most(
    index: IdIndex, clock: Clock, waiting: Waiting, failure: Exception | None
) -> None:
    """Also while listing fails: each may take as long as the timeout."""
    callers = 20
    # One lists at once and one a second later; the others wait for either.
    waiting.expected = callers - 2
    fleet = Fleet(clock, (A, 42))

    def list_entries() -> list[Entry]:
        entries = fleet()
        if failure is not None:
            raise failure
        return entries

    def ask(number: int) -> object:
        try:
            return index.find(number, list_entries)
        except ConnectionError as error:
            return error

    with ThreadPoolExecutor(callers) as pool:
        answers = list(pool.map(ask, range(100, 100 + callers)))
    assert answers == [failure] * callers
    assert fleet.listed_at in ([1000.0], [1000.0, 1001.0])


def test_who_waits_for_the_same_listing_gets_its_answer(
    index: IdIndex, clock: Clock, waiting: Waiting
) -> None:
    """Also one that is its failure, and a node that was made while they waited."""
    fleet = Fleet(clock)
    index.find(1, fleet)
    waiting.expected = 7
    fleet.entries = [(A, 42), (B, 43)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: index.find(n, fleet), [42, 43, 44, derived_id(A)] * 2))
    assert found == [A, B, None, A] * 2
    assert fleet.listed_at == [1000.0, 1001.0]

    def fail() -> list[Entry]:
        fleet()
        raise ConnectionError("away")

    def ask(number: int) -> BaseException:
        with pytest.raises(ConnectionError) as caught:
            index.find(number, fail)
        return caught.value

    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(ask, range(100, 108)))
    assert len({id(error) for error in errors}) == 1
    assert fleet.listed_at == [1000.0, 1001.0, 1002.0]


@pytest.mark.parametrize("callers", [2, 5, 20])
def test_listings_never_begin_closer_than_the_interval(
    index: IdIndex, clock: Clock, callers: int
) -> None:
    """Also where nobody waits for anybody: each listing but the first has slept."""
    fleet = Fleet(clock)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(lambda n: index.find(n, fleet), range(100, 100 + callers)))
    assert len(fleet.listed_at) <= 1 + (clock.now - 1000.0)


def test_who_asks_during_a_listing_gets_a_later_one(index: IdIndex, clock: Clock) -> None:
    """The node may have been made after the listing in progress read its row."""
    begun, may_end = threading.Event(), threading.Event()
    fleet = Fleet(clock)

    def list_slowly() -> list[Entry]:
        entries = list(fleet())
        begun.set()
        assert may_end.wait(5)
        return entries

    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(index.find, 42, list_slowly)
        assert begun.wait(5)
        clock.now += 0.1
        fleet.entries = [(A, 42)]
        late = pool.submit(index.find, 42, list_slowly)
        may_end.set()
        assert early.result(5) in (None, A)
        assert late.result(5) == A
    assert len(fleet.listed_at) == 2


def test_listings_of_callers_who_see_different_fleets_are_not_shared(
    index: IdIndex, clock: Clock
) -> None:
    """Who sees nothing must not answer for who sees all; nor does anybody wait."""
    nothing, fleet = Fleet(clock), Fleet(clock, (A, 42))
    begun, may_end = threading.Event(), threading.Event()

    def list_slowly() -> list[Entry]:
        begun.set()
        assert may_end.wait(5)
        return nothing()

    with ThreadPoolExecutor(1) as pool:
        stranger = pool.submit(index.find, 42, list_slowly, shared=False)
        assert begun.wait(5)
        assert index.find(42, fleet, shared=False) == A
        may_end.set()
        assert stranger.result(5) is None
    assert clock.slept == []


def test_uuids_do_not_share_derived_ids() -> None:
    assert len({derived_id(str(uuid4())) for _ in range(10_000)}) == 10_000


def test_a_derived_id_that_several_nodes_share_means_none_of_them(
    index: IdIndex, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """UUIDs made from the clock of one machine (version 1) differ in their first half only."""
    uuids = [str(uuid1(node=0x525400ABCDEF, clock_seq=0)) for _ in range(3)]
    (shared,) = {derived_id(each) for each in uuids}
    fleet = Fleet(clock, (uuids[0], 1), (A, None), (uuids[1], 2), (uuids[2], None))
    with caplog.at_level(logging.WARNING):
        assert index.find(shared, fleet) is None
    assert [record.getMessage() for record in caplog.records] == [
        f"Several nodes have the derived id {shared}; use their UUIDs."
    ]
    found = [index.find(number, fleet) for number in (1, 2, derived_id(A))]
    assert found == [uuids[0], uuids[1], A]
    fleet.entries = fleet.entries[:2]
    assert index.find(shared, fleet) == uuids[0]


def test_a_node_that_is_listed_twice_is_one_node(
    index: IdIndex, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """As happens when Ironic's pages shift."""
    fleet = Fleet(clock, (A, 42), (A, 42))
    assert [index.find(number, fleet) for number in (42, derived_id(A))] == [A, A]
    assert caplog.text == ""
