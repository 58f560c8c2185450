# SPDX-License-Identifier: Apache-2.0
"""One read for all who want the same at the same time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

_T = TypeVar("_T")

#: For how long others may join a read after the first, and again after each who does, and in all:
#: fractions of how long the last read took.
_PATIENCE = 1 / 100
_MOST_PATIENCE = 1 / 5


class SharedReads(Generic[_T]):
    """Reads of one thing, shared by the callers of a process: one under way, one that is next.

    A caller is never given what a read found that began before it asked, so it finds whatever was
    written before. Who comes while a read is under way waits for its end, and shares the next one
    with all others who came meanwhile. Since callers come in bursts, by cron, a read waits for a
    moment before it begins: much shorter than it takes, and longer only while more come.

    A failure reaches all who share the read, and those who wait for the next: it was still there
    after they had asked, and nobody has to wait for two timeouts in a row.

    :param interval: seconds from the beginning of a read to the next one's, at least
    """

    def __init__(self, interval: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._last_began = float("-inf")
        self._last_took = 0.0
        # Never held during a read.
        self._lock = threading.Lock()
        # The read that has not begun yet, for all who ask until it does.
        self._next: Future[_T] | None = None
        # How many have joined a read so far.
        self._joined = 0
        # Held by the read under way; nobody waits for it but the one who makes the next.
        self._turn = threading.Lock()

    def get(self, read: Callable[[], _T]) -> _T:
        """Return what a read finds that begins from now on, made here or by another caller.

        :param read: makes one; its errors pass through
        """
        with self._lock:
            shared = self._next
            if shared is None:
                mine = self._next = Future()
            else:
                self._joined += 1
        if shared is not None:
            return shared.result()
        with self._turn:
            if mine.done():
                # It has failed together with the one before.
                return mine.result()
            return self._make(mine, read)

    def _make(self, mine: "Future[_T]", read: Callable[[], _T]) -> _T:
        try:
            self._begin()
            found = read()
        except BaseException as error:
            with self._lock:
                waiting, self._next = self._next, None
            mine.set_exception(error)
            if waiting is not None and waiting is not mine:
                waiting.set_exception(error)
            raise
        self._last_took = self._clock() - self._last_began
        mine.set_result(found)
        return found

    def _begin(self) -> None:
        """Wait out the interval and for those who are about to come, then let nobody join."""
        pause = self._last_began + self._interval - self._clock()
        if pause > 0:
            time.sleep(pause)
        self._gather()
        self._last_began = self._clock()
        with self._lock:
            self._next = None

    def _gather(self) -> None:
        """Wait for others who come at the same time, since one read is enough for all of them."""
        until = self._clock() + self._last_took * _MOST_PATIENCE
        more = self._last_took > 0
        while more and self._clock() < until:
            before = self._joined
            time.sleep(self._last_took * _PATIENCE)
            more = self._joined > before
