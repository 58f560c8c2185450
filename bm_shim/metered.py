# SPDX-License-Identifier: Apache-2.0
"""Calls of the legacy API, counted for :mod:`bm_shim.metrics`."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bm_shim import metrics
from bm_shim.access_log import QUIET_PATHS
from bm_shim.api import prefixes
from bm_shim.api.access import OPERATION_KEY
from bm_shim.api.faults import WSGIApplication
from bm_shim.context import WSGIEnvironment

#: What is no operation: versions, extensions, unknown paths, callers whom nobody let in.
_OTHER = "other"


class Metered:
    """WSGI middleware that counts calls.

    :param formats: the name of the format that nodes have below each prefix
    """

    def __init__(
        self,
        application: WSGIApplication,
        formats: Mapping[str, str],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._application = application
        self._formats = formats
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Serve a request and count it; bodies are complete when the application returns."""
        if environ.get("PATH_INFO") in QUIET_PATHS:
            return self._application(environ, start_response)
        began = self._clock()
        status = "500"

        def note(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = line.partition(" ")[0]
            return start_response(line, headers, exc_info)

        with metrics.CALLS_IN_PROGRESS.track_inprogress():
            body = self._application(environ, note)
        name = str(environ.get(OPERATION_KEY, _OTHER)).removeprefix("os_compute_api:")
        shown_as = self._formats.get(prefixes.prefix_of(environ) or "", "")
        metrics.CALLS.labels(name, "" if name == _OTHER else shown_as, status).inc()
        metrics.CALL_SECONDS.labels(name).observe(self._clock() - began)
        return body
