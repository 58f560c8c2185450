# SPDX-License-Identifier: Apache-2.0
"""``[api]``: how the shim presents itself to its callers."""

from oslo_config import cfg

GROUP = "api"

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
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on ``conf``."""
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the options, for the sample file."""
    return [(GROUP, OPTIONS)]
