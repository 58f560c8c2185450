# SPDX-License-Identifier: Apache-2.0
"""Values that more than one dialect shows."""

from datetime import datetime

from bm_shim.model import Node
from bm_shim.translation import integer, moment

#: What nova's proxy put in ``host``, since Ironic has no such notion.
PROXY_HOST = "IRONIC MANAGED"


def size(node: Node, name: str) -> int:
    """Return a size from ``properties``; 0 if it is not there, or not a whole number."""
    value = integer(node.properties.get(name))
    return 0 if value is None else value


def legacy_time(time: str | None) -> str | None:
    """Turn Ironic's ``2026-11-22T20:30:17+00:00`` into ``2026-11-22T20:30:17.000000``.

    That is how nova-baremetal wrote it: UTC, with microseconds and no zone.

    :returns: None for None, and for what is not a time
    """
    read = moment(time)
    return read.replace(tzinfo=None).isoformat(timespec="microseconds") if read else None


def nova_time(time: datetime | None) -> str | None:
    """Write a time as Nova writes those of servers: ``2026-11-22T20:30:17Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
