# SPDX-License-Identifier: Apache-2.0
"""Who waits for a shared read."""

import threading
from concurrent.futures import Future

import pytest

from bm_shim import shared_reads

#: Seconds after which a test gives up.
PATIENCE = 5


class Followers:
    """Counts those who wait for a read of another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        joined = self._joined = threading.Semaphore(0)

        class Noted(Future[None]):
            def result(self, timeout: float | None = None) -> None:
                joined.release()
                return super().result(timeout)

        monkeypatch.setattr(shared_reads, "Future", Noted)

    def await_(self, number: int) -> None:
        """Return when so many more have begun to wait."""
        for _ in range(number):
            assert self._joined.acquire(timeout=PATIENCE)
