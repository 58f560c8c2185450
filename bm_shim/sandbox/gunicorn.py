# SPDX-License-Identifier: Apache-2.0
"""A part that is a WSGI application under gunicorn."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from typing import ClassVar

from bm_shim.sandbox.process import Part, Program

# Heartbeats of the workers go to memory where there is a file system for that.
_SHARED_MEMORY = "/dev/shm"


class GunicornPart(Part):
    """Runs :attr:`application` under gunicorn with threads."""

    #: ``module:variable``
    application: ClassVar[str]
    worker_died: ClassVar[re.Pattern[str]] = re.compile(
        r"Worker \(pid:\d+\) (?:exited with code \d+|was sent SIG\w+|failed to boot)"
    )
    workers = 1
    threads = 8
    #: Seconds that an idle connection stays open.
    keepalive = 2

    def gunicorn(self, environment: Mapping[str, str]) -> Program:
        """Return the program.

        gunicorn's settings come from a file and from its variable, not from the command line:
        oslo.config programs such as Keystone read that, whoever owns it.
        """
        settings = self.home.write(f"{self.name}.gunicorn.py", self._settings())
        listener = self.address.bind()
        arguments = ["--config", str(settings), "--bind", f"fd://{listener.fileno()}"]
        return Program(
            [sys.executable, "-m", "gunicorn"],
            {**environment, "GUNICORN_CMD_ARGS": shlex.join(arguments)},
            [listener],
        )

    def _settings(self) -> str:
        settings: dict[str, object] = {
            "wsgi_app": self.application,
            "worker_class": "gthread",
            "workers": self.workers,
            "threads": self.threads,
            "keepalive": self.keepalive,
            "control_socket_disable": True,
            # Shorter than the time after which it is killed.
            "graceful_timeout": 8,
        }
        if os.path.isdir(_SHARED_MEMORY):
            settings["worker_tmp_dir"] = _SHARED_MEMORY
        return "".join(f"{name} = {value!r}\n" for name, value in settings.items())
