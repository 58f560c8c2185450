# SPDX-License-Identifier: Apache-2.0
"""Several callers who ask for the list at the same moment."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

from .subjects import Shim


def list_at_once(shim: Shim, callers: int) -> list[float]:
    """Return how long each caller waited, in seconds, for the whole answer.

    :raises AssertionError: somebody did not get the list
    """
    start = threading.Barrier(callers)

    def call() -> float:
        # No more than the wire, since all the callers share a process.
        connection = HTTPConnection(urlsplit(shim.caller.url).netloc, timeout=120)
        connection.connect()
        start.wait()
        began = time.perf_counter()
        connection.request("GET", shim.PATH, headers={"X-Auth-Token": shim.caller.token})
        response = connection.getresponse()
        body = response.read()
        took = time.perf_counter() - began
        connection.close()
        assert response.status == 200, body[:200]
        return took

    with ThreadPoolExecutor(callers) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(callers)]]
