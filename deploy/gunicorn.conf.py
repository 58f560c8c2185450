# SPDX-License-Identifier: Apache-2.0
"""Settings of gunicorn for bm-shim.

    BM_SHIM_CONFIG=/etc/bm-shim/bm-shim.conf \
        gunicorn --config gunicorn.conf.py bm_shim.wsgi:application

A call spends its time waiting for Ironic, so each process serves many at once in threads. Callers
of the list at the same time share what is read, if there are threads for all of them.

Set from the environment: ``BM_SHIM_BIND``, ``WEB_CONCURRENCY`` (processes), ``BM_SHIM_THREADS``
(threads of each), ``PROMETHEUS_MULTIPROC_DIR``.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

# Only this machine; a balancer or a proxy with TLS stands before it.
bind = os.environ.get("BM_SHIM_BIND", "127.0.0.1:8774")

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("BM_SHIM_THREADS", "64"))

# Longer than the worst call: [ironic] retry_timeout + timeout, 30 s by default, for each request
# to Ironic, of which create makes four; and 5 s for Keystone.
timeout = 150
# Requests under way when gunicorn is told to stop may finish. New connections are refused at once,
# so let the balancer stop sending first: healthcheck by file, or the preStop of Kubernetes.
graceful_timeout = 60
# Balancers keep connections for longer than gunicorn's two seconds.
keepalive = 75

# The heartbeat of a worker is a file that it touches; on a disk that is slow for a while, a
# healthy worker would be taken for dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# What proxies say of a call is the application's affair: [oslo_middleware]. gunicorn would believe
# the headers of whoever is on this machine, and let them change the path behind the balancer.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# A control socket under the home directory is of no use to a service, and of none at all where
# the file system is read-only.
control_socket_disable = True

# One line for each request is written by the shim itself, with the caller in it.
accesslog = None
errorlog = "-"

_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Says that the directory was made here.
_OWN_METRICS_DIRECTORY = "BM_SHIM_OWN_METRICS_DIR"


def on_starting(server: Any) -> None:
    """Begin with an empty directory for the metrics of the processes.

    With one that nobody else has, unless the environment names another.
    """
    named = os.environ.get(_METRICS_DIRECTORY)
    # What SIGUSR2 starts may inherit the one of the process that it takes the place of.
    if named is None or _OWN_METRICS_DIRECTORY in os.environ:
        named = tempfile.mkdtemp(prefix="bm-shim-metrics-", dir=worker_tmp_dir)
        os.environ[_OWN_METRICS_DIRECTORY] = named
    os.environ[_METRICS_DIRECTORY] = named
    directory = Path(named)
    directory.mkdir(parents=True, exist_ok=True)
    # prometheus_client never removes what ended processes have counted.
    for file in directory.glob("*.db"):
        file.unlink()


def on_exit(server: Any) -> None:
    """Remove the directory that was made here."""
    own = os.environ.get(_OWN_METRICS_DIRECTORY)
    if own:
        shutil.rmtree(own, ignore_errors=True)
