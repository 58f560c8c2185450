# SPDX-License-Identifier: Apache-2.0
"""Settings of gunicorn for bm-shim.

    BM_SHIM_CONFIG=/etc/bm-shim/bm-shim.conf \
        gunicorn --config gunicorn.conf.py bm_shim.wsgi:application

A call spends its time waiting for Ironic, so each process serves many at once in threads. Callers
of the list at the same time share what is read, if there are threads for all of them.
"""

import os

# Only this machine; a balancer or a proxy with TLS stands before it.
bind = os.environ.get("BM_SHIM_BIND", "127.0.0.1:8774")

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 64

# Longer than the worst call to Ironic: [ironic] retry_timeout + timeout, 30 s by default, and
# create makes four of them.
timeout = 150
# Requests under way when gunicorn is told to stop may finish. New connections are refused at
# once, so let the balancer stop sending first.
graceful_timeout = 60
# Balancers keep connections for longer than gunicorn's two seconds.
keepalive = 75

# The heartbeat of a worker is a file that it touches; on a disk that is slow for a while, a
# healthy worker would be taken for dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# A control socket under the home directory is of no use to a service.
control_socket_disable = True

# One line for each request is written by the shim itself, with the caller in it.
accesslog = None
errorlog = "-"
