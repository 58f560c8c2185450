# SPDX-License-Identifier: Apache-2.0
"""``[metrics]``: numbers for Prometheus."""

from oslo_config import cfg

GROUP = "metrics"

OPTIONS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "enabled",
        default=False,
        help="Serve metrics in Prometheus' format at /metrics, without a token: numbers of calls "
        "and requests to Ironic, but no names, ids or addresses. Where the server has several "
        "processes, the environment variable PROMETHEUS_MULTIPROC_DIR must name a directory that "
        "is empty when it starts; the gunicorn.conf.py of this project sees to that.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on ``conf``."""
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the options, for the sample file."""
    return [(GROUP, OPTIONS)]
