# SPDX-License-Identifier: Apache-2.0
"""``/healthcheck/deep``: whether Keystone and Ironic are there for us. For monitoring.

Not for balancers: an Ironic that is away for a moment would empty their pools. Whoever asks, and
however often, the services are asked once in a while only, and the answer does not wait for those
that hang.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bm_shim import errors
from bm_shim.api import faults
from bm_shim.context import WSGIEnvironment

LOG = logging.getLogger(__name__)

PATH = "/healthcheck/deep"

#: Seconds for which an answer is given to whoever asks.
INTERVAL = 10.0

#: Seconds that a look is waited for.
_PATIENCE = 5.0

_SLOW = "does not answer in time"

#: Raises an error if a service is not there.
Probe = Callable[[], object]


class _Look:
    """One look at a service, in a thread of its own; it may take longer than anybody waits.

    :param ends: until when it is waited for
    """

    def __init__(self, name: str, probe: Probe, ends: float) -> None:
        self._name = name
        self._probe = probe
        #: By the clock of :class:`DeepHealth`. Of the look and not of whoever asks: a crowd that
        #: waits for a service which hangs would take the threads of all other calls.
        self.ends = ends
        self._problem: str | None = _SLOW
        self._done = threading.Event()
        threading.Thread(target=self._run, name=f"health-{name}", daemon=True).start()

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def problem(self, patience: float) -> str | None:
        """Return what is wrong, in words that tell no more than that; None: nothing is."""
        self._done.wait(max(patience, 0))
        return self._problem

    def _run(self) -> None:
        try:
            self._problem = self._look()
        finally:
            self._done.set()

    def _look(self) -> str | None:
        try:
            self._probe()
        except errors.ServiceUnavailable as error:
            LOG.warning("%s is not there: %s", self._name, error.detail or error)
            return "cannot be reached"
        except (errors.ShimError, errors.ConfigurationError) as error:
            LOG.warning("%s is not usable: %s", self._name, getattr(error, "detail", "") or error)
            return "is not usable; the log says why"
        except Exception:
            LOG.exception("%s could not be looked at", self._name)
            return "could not be looked at; the log says why"
        return None


class DeepHealth:
    """The WSGI application.

    :param probes: by the names of the services
    """

    def __init__(
        self, probes: Mapping[str, Probe], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probes = probes
        self._clock = clock
        self._lock = threading.Lock()
        self._looks: dict[str, _Look] = {}
        self._began = float("-inf")

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Answer 200 if all services are there, 503 if not, and say which."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise errors.NotFound
        problems = self._problems()
        well = not any(problems.values())
        body = json.dumps({
            "status": "ok" if well else "failed",
            "services": {name: problem or "ok" for name, problem in problems.items()},
        }).encode()  # fmt: skip
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        faults.keep_body(environ)
        start_response("200 OK" if well else "503 Service Unavailable", headers)
        return [body]

    def _problems(self) -> dict[str, str | None]:
        looks = self._current_looks()
        return {name: look.problem(look.ends - self._clock()) for name, look in looks.items()}

    def _current_looks(self) -> dict[str, _Look]:
        """Return the looks that count now; of each service only one goes on at a time."""
        with self._lock:
            now = self._clock()
            if now - self._began >= INTERVAL:
                self._began = now
                self._looks = {
                    name: old
                    if (old := self._looks.get(name)) and not old.is_done
                    else _Look(name, probe, now + _PATIENCE)
                    for name, probe in self._probes.items()
                }
            return dict(self._looks)
