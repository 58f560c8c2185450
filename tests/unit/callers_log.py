# SPDX-License-Identifier: Apache-2.0
"""Access logs for the tests of ``bm-shim callers`` and ``bm-shim compare``."""

from bm_shim.access_log import format_line

PREFIX = (
    "2026-11-22 21:47:24.566 71 INFO bm_shim.access_log "
    "[None req-8f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9 u1 p1 - - - -] "
)
LIST = "os_compute_api:os-baremetal-nodes:list"

FIELDS: dict[str, str | None] = {
    "time": "2026-11-22T21:47:24.566Z",
    "client": "192.0.2.1",
    "method": "GET",
    "path": "/v2.1/os-baremetal-nodes",
    "operation": LIST,
    "status": "200",
    "bytes": "11",
    "seconds": "0.250",
    "user": "u1",
    "user_name": "Jo Doe",
    "project": "p1",
    "project_name": "demo",
    "microversion": None,
    "user_agent": "python-novaclient",
}


def line(**fields: str | None) -> str:
    """An access line, without what the log puts before it."""
    return format_line(FIELDS | fields)


def logged(**fields: str | None) -> bytes:
    """A whole line of a log file."""
    return f"{PREFIX}{line(**fields)}\n".encode()
