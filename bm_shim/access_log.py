# SPDX-License-Identifier: Apache-2.0
"""One line at INFO for each request: who called what, and how it ended.

``key=value`` pairs, values with blanks or quotes in them as JSON strings, so that no value can
fake a pair or a line. Long ones are cut, so that no log has to cut the line, which nobody could
read then. The time is UTC, whatever the format of the log says: ``bm-shim callers`` reads the logs
of all replicas together.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bm_shim import context
from bm_shim.api.access import OPERATION_KEY
from bm_shim.api.faults import WSGIApplication
from bm_shim.context import RequestContext, WSGIEnvironment

LOG = logging.getLogger(__name__)

#: Characters of a value, each of which takes up to six in JSON; syslog takes lines of 8 KiB.
_LONGEST_VALUE = 300

_PLAIN = re.compile(r"[A-Za-z0-9_.:,/@+-]+")

#: Asked for every few seconds by balancers and monitoring: not worth a line at INFO.
QUIET_PATHS = {"/healthcheck", "/healthcheck/deep", "/metrics"}

# Identity v2.0 has the token that it asks about in the path, which somebody may mistype.
_TOKEN_IN_PATH = re.compile("(/tokens?[^/]*/)[^/]+|gAAAA[^/]+", re.IGNORECASE)


class AccessLog:
    """WSGI middleware that writes the line, and gives all log lines of a request its id."""

    def __init__(
        self, application: WSGIApplication, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._application = application
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Serve a request and log it; bodies are complete when the application returns."""
        began = self._clock()
        RequestContext.anonymous(environ)
        seen: dict[str, str | None] = {}

        def note(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            lengths = [value for name, value in headers if name.lower() == "content-length"]
            seen.update(status=status.partition(" ")[0], bytes=lengths[0] if lengths else None)
            return start_response(status, headers, exc_info)

        body = self._application(environ, note)
        level = logging.DEBUG if environ.get("PATH_INFO") in QUIET_PATHS else logging.INFO
        if LOG.isEnabledFor(level):
            seconds = f"{self._clock() - began:.3f}"
            LOG.log(level, "%s", format_line(fields_of(environ, seen, seconds)))
        return body


def fields_of(
    environ: WSGIEnvironment, seen: dict[str, str | None], seconds: str
) -> dict[str, str | None]:
    """Return what a line says; None where it is not known."""
    caller: RequestContext | None = environ.get(context.ENVIRON_KEY)
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return {
        "time": _utc_now(),
        "client": environ.get("REMOTE_ADDR"),
        "method": environ.get("REQUEST_METHOD"),
        "path": _TOKEN_IN_PATH.sub(r"\1***", path),
        "operation": environ.get(OPERATION_KEY),
        "status": seen.get("status"),
        "bytes": seen.get("bytes"),
        "seconds": seconds,
        "user": caller.user_id if caller else None,
        "user_name": caller.user_name if caller else None,
        "project": caller.project_id if caller else None,
        "project_name": caller.project_name if caller else None,
        "microversion": environ.get("HTTP_OPENSTACK_API_VERSION")
        or environ.get("HTTP_X_OPENSTACK_NOVA_API_VERSION"),
        "user_agent": environ.get("HTTP_USER_AGENT"),
    }


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_line(fields: dict[str, str | None]) -> str:
    """Write the pairs; ``-`` for None."""
    return " ".join(f"{name}={_quote(value)}" for name, value in fields.items())


def _quote(value: str | None) -> str:
    if value is None:
        return "-"
    value = value[:_LONGEST_VALUE]
    return value if _PLAIN.fullmatch(value) and value != "-" else json.dumps(value)
