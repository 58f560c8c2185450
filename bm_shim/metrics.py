# SPDX-License-Identifier: Apache-2.0
"""Metrics for Prometheus: calls of the legacy API, and requests to Ironic.

The former are counted by :mod:`bm_shim.metered`, the latter by :func:`watch`.

Where a server has several processes, ``PROMETHEUS_MULTIPROC_DIR`` must name a directory, empty at
its start, before this module is imported; any process then tells the numbers of all. Labels have
few values each: no ids, no addresses, no names of people.
"""

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests
from keystoneauth1 import exceptions as kexc
from keystoneauth1.session import Session
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from bm_shim import errors
from bm_shim.context import WSGIEnvironment

PATH = "/metrics"

REGISTRY = CollectorRegistry()

#: Seconds; the last is beyond what a call may last.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

CALLS = Counter(
    "bm_shim_calls",
    "Calls of the legacy API.",
    ["operation", "format", "status"],
    registry=REGISTRY,
)
CALL_SECONDS = Histogram(
    "bm_shim_call_seconds",
    "How long calls took.",
    ["operation"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
CALLS_IN_PROGRESS = Gauge(
    "bm_shim_calls_in_progress",
    "Calls that are being answered.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
IRONIC_REQUESTS = Counter(
    "bm_shim_ironic_requests",
    "Requests to Ironic, each attempt; the status is its answer's, or why there was none.",
    ["request", "status"],
    registry=REGISTRY,
)
IRONIC_SECONDS = Histogram(
    "bm_shim_ironic_request_seconds",
    "How long Ironic took to answer.",
    ["request"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)

LISTS = Counter(
    "bm_shim_lists",
    "Lists of nodes, by where they came from: read from Ironic for this caller, shared with "
    "another one's read, or kept from an earlier one.",
    ["source"],
    registry=REGISTRY,
)
TOKEN_CHECKS = Counter(
    "bm_shim_token_checks",
    "Tokens that Keystone was asked about; those of the other calls were in the cache.",
    ["status"],
    registry=REGISTRY,
)

#: The node or port in the path of a request to Ironic.
_IDENT = re.compile(r"(?<=^/v1/nodes/|^/v1/ports/)[^/]+")


def watch(session: Session) -> Session:
    """Count what a session sends to Ironic, and return it."""
    send = session.request

    def request(url: str, method: str, **kwargs: Any) -> Any:
        # The session signs in, too, and looks for the endpoint.
        if not url.startswith("/v1"):
            return send(url, method, **kwargs)
        name = f"{method} {_IDENT.sub('{id}', url.partition('?')[0])}"
        began = time.perf_counter()
        status = "error"
        try:
            response = send(url, method, **kwargs)
            status = str(response.status_code)
            return response
        except kexc.HttpError as error:
            status = str(error.http_status)
            raise
        except kexc.ConnectTimeout:
            status = "timeout"
            raise
        except kexc.ConnectFailure:
            status = "unreachable"
            raise
        finally:
            IRONIC_REQUESTS.labels(name, status).inc()
            IRONIC_SECONDS.labels(name).observe(time.perf_counter() - began)

    session.__dict__["request"] = request
    return session


def watch_token_check(session: requests.Session) -> None:
    """Count the tokens that a session asks Keystone about."""

    def count(response: requests.Response, *args: Any, **kwargs: Any) -> None:
        # The session signs in, too.
        if response.request.method == "GET" and "X-Subject-Token" in response.request.headers:
            TOKEN_CHECKS.labels(str(response.status_code)).inc()

    session.hooks["response"].append(count)


def application(environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
    """Tell the metrics, of all processes where there are several (WSGI).

    :raises errors.ServiceUnavailable: there are several, and they do not know of each other
    """
    registry = REGISTRY
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if directory is not None:
        _forget_ended(Path(directory))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    elif environ["wsgi.multiprocess"]:
        # The numbers of one of them would look like those of all.
        raise errors.ServiceUnavailable(
            "The server has several processes, and PROMETHEUS_MULTIPROC_DIR is not set."
        )
    told: Iterable[bytes] = make_wsgi_app(registry, disable_compression=True)(
        environ, start_response
    )
    return told


def _forget_ended(directory: Path) -> None:
    """Take out what was going on in processes that have ended; what they counted stays.

    Here, because not every server says when one of its processes ends.
    """
    for file in directory.glob("gauge_live*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except OSError:
            # No such process, or one of somebody else.
            file.unlink(missing_ok=True)
