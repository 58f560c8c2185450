# SPDX-License-Identifier: Apache-2.0
"""One read for all who want the same at the same time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

_T = TypeVar("_T")


class SharedReads(Generic[_T]):
    """Reads of one thing, shared by the callers of a process: one under way, one that is next.

    A caller is never given a read that began before it asked, so it finds whatever was written
    before. Who comes while a read is under way waits for its end, and shares the next one with all
    others who came meanwhile.

    :param interval: seconds from the beginning of a read to the next one's, at least
    """

    def __init__(self, interval: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._last_began = float("-inf")
        # Never held during a read.
        self._lock = threading.Lock()
        # The read that has not begun yet, for all who ask until it does.
        self._next: Future[_T] | None = None
        # Held by the read under way; nobody waits for it but the one who makes the next.
        self._turn = threading.Lock()

    def get(self, read: Callable[[], _T]) -> _T:
        """Return what a read found that begins from now on, made here or by another caller.

        :param read: makes one; its errors reach all who share it
        """
        with self._lock:
            shared = self._next
            if shared is None:
                mine = self._next = Future()
        if shared is not None:
            return shared.result()
        try:
            with self._turn:
                self._begin()
                found = read()
        except BaseException as error:
            self._close(mine)
            mine.set_exception(error)
            raise
        mine.set_result(found)
        return found

    def _begin(self) -> None:
        """Wait out the interval, then let nobody join any more."""
        pause = self._last_began + self._interval - self._clock()
        if pause > 0:
            time.sleep(pause)
        self._last_began = self._clock()
        with self._lock:
            self._next = None

    def _close(self, read: "Future[_T]") -> None:
        """Let nobody join a read that came to nothing before it began."""
        with self._lock:
            if self._next is read:
                self._next = None
