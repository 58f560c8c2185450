# SPDX-License-Identifier: Apache-2.0
"""Serves nova-api: ``python -I serve.py PORT``, run by the Python of nova's own environment.

``OS_NOVA_CONFIG_DIR`` has ``nova.conf`` and ``api-paste.ini``. Imports nothing of this project.
"""

import importlib
import io
import sys
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at a time."""

    daemon_threads = True


def read_first(application: Application) -> Application:
    """Read a request to its end before it is answered.

    Nova answers many requests without a look at their body. A connection closed with something
    unread in it is reset, and the answer then lost.
    """

    def read_and_serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return application({**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    return read_and_serve


def main(port: str) -> None:
    """Serve until somebody ends us."""
    # Nova, too, reads the command line.
    del sys.argv[1:]
    # Not by an import statement: here and now "nova" is this directory.
    application = importlib.import_module("nova.wsgi.osapi_compute").application
    make_server("127.0.0.1", int(port), read_first(application), Server).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
