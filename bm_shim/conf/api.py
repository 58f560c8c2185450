# SPDX-License-Identifier: Apache-2.0
"""``[api]``: how the shim presents itself to its callers."""

from datetime import UTC, datetime
from typing import Any

from oslo_config import cfg, types

GROUP = "api"

_FORMATS = ["union", "nova-baremetal", "ironic-proxy"]
_FORMAT_CHOICES = [
    *_FORMATS,
    *(f"{prefix}:{name}" for prefix in ("v1.1", "v2", "v2.1") for name in _FORMATS),
]


class Moment(types.ConfigType):
    """A date, or a date with a time, in UTC where it names no other zone."""

    def __init__(self) -> None:
        super().__init__(type_name="date")

    def __call__(self, value: Any) -> datetime:
        """Read it.

        :raises ValueError: it is none
        """
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)

    def __repr__(self) -> str:
        return "Moment"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment)

    def __hash__(self) -> int:
        return hash(Moment)

    def _formatter(self, value: datetime) -> str:
        return value.isoformat()


OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            (
                "keystone",
                "every call needs a Keystone token, checked as [keystone_authtoken] says",
            ),
            (
                "noauth",
                "every caller is an administrator; only connections from loopback addresses are "
                "answered. For trials and for a standalone Ironic on the same machine",
            ),
        ],
        help="How callers are authenticated.",
    ),
    cfg.ListOpt(
        "response_format",
        default=["union"],
        item_type=types.String(choices=_FORMAT_CHOICES),
        help="How nodes are shown: FORMAT for all prefixes, PREFIX:FORMAT for one of v1.1, v2 and "
        "v2.1, as in: nova-baremetal,v2.1:ironic-proxy. Formats: union (the keys of both eras), "
        "nova-baremetal (as from Icehouse to Juno; lists cost Ironic about twice as much, for "
        "updated_at), ironic-proxy (exactly as Nova's own proxy to Ironic).",
    ),
    cfg.BoolOpt(
        "read_only",
        default=False,
        help="Refuse to create and delete nodes and interfaces, with the answers of Nova's proxy "
        "(400, and the Ironic command to use instead).",
    ),
    cfg.URIOpt(
        "successor_url",
        schemes=["http", "https"],
        help="Where callers reach Ironic's API, without /v1: answers name what takes the place of "
        "a node there, in the header Link. Default: the public endpoint in the catalogue of "
        "[ironic], if there is one.",
    ),
    cfg.Opt(
        "sunset",
        type=Moment(),
        help="When this API will be switched off, as in 2027-06-30 or 2027-06-30T12:00:00Z. "
        "Answers say so in the header Sunset.",
    ),
    cfg.BoolOpt(
        "serve_instances",
        default=False,
        help="Serve the instances on Ironic's nodes as servers of the compute API: list, show, "
        "reboot and delete; whatever else is asked of servers is refused. Only for an address "
        "that no Nova answers at: where the balancer sends servers to Nova, leave it off.",
    ),
    cfg.IntOpt(
        "max_limit",
        default=1000,
        min=1,
        help="How many servers a list holds at most; the rest is on further pages. The option "
        "of nova.conf.",
    ),
    cfg.IntOpt(
        "list_max_age",
        default=0,
        min=0,
        help="Seconds for which the answer to a list may serve others, too; it then says how old "
        "it is (header Age). For fleets that are polled without pause. A write through the same "
        "process ends that at once; one through another process, or made in Ironic, is seen when "
        "the time is over. 0: lists are always read anew. Has no effect on show, nor with "
        "[ironic] forward_user_token.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on ``conf``."""
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the options, for the sample file."""
    return [(GROUP, OPTIONS)]
