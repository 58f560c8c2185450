# SPDX-License-Identifier: Apache-2.0
"""``[ironic]``: how Ironic is reached. The section of a nova.conf works here unchanged."""

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = "ironic"

#: Seconds; that of keystoneauth is to wait for ever.
DEFAULT_TIMEOUT = 20

OPTIONS: list[cfg.Opt] = [
    cfg.IntOpt(
        "api_max_retries",
        default=3,
        min=0,
        help="How often a request to Ironic is repeated: reads when the connection fails, any "
        "request when Ironic says that the node is locked. Never longer than retry_timeout.",
    ),
    cfg.FloatOpt(
        "api_retry_interval",
        default=1,
        min=0,
        help="Seconds between two attempts.",
    ),
    cfg.FloatOpt(
        "retry_timeout",
        default=10,
        min=0,
        help="Seconds after which no further attempt is begun. A call to Ironic lasts at most "
        "this long plus one request, which may take one timeout to connect, one until the answer "
        "begins, and one until it is complete.",
    ),
    cfg.BoolOpt(
        "forward_user_token",
        default=False,
        help="Call Ironic with the caller's token and so with the caller's rights, instead of "
        "with the account of this section. Ironic must accept tokens of the same Keystone, and "
        "the callers need its rights (by default a system-scoped admin).",
    ),
    cfg.IntOpt(
        "rights_check_interval",
        default=60,
        min=0,
        help="Seconds for which it is believed, once Ironic has said so, that the account may "
        "list all nodes, show them, and create them with ports. Ironic shows an account without "
        "the first of these rights an empty or partial fleet, with status 200; the shim answers "
        "503 instead.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=DEFAULT_TIMEOUT,
        min=0.1,
        help="Seconds that a request may take to connect, again until its answer begins, and "
        "again until that is complete.",
    ),
]


def _keystoneauth_opts() -> list[cfg.Opt]:
    """Return keystoneauth's session and adapter options, with the shim's defaults.

    Without those that do not apply: the version options of the adapter (the shim pins its API
    version itself, as nova does), and retries and timeout (the shim's own are above).
    """
    session = [opt for opt in loading.get_session_conf_options() if opt.dest != "timeout"]
    adapter = [
        opt
        for opt in loading.get_adapter_conf_options(include_deprecated=False)
        if not any(word in opt.name for word in ("version", "retries", "retry", "retriable"))
    ]
    options = [*session, *adapter]
    cfg.set_defaults(
        options,
        service_type="baremetal",
        valid_interfaces=["internal", "public"],
    )
    return options


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on ``conf``."""
    conf.register_opts(OPTIONS, group=GROUP)
    conf.register_opts(_keystoneauth_opts(), group=GROUP)
    loading.register_auth_conf_options(conf, GROUP)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the options, those of the password plugins included, for the sample file."""
    options = [*OPTIONS, *_keystoneauth_opts(), *loading.get_auth_common_conf_options()]
    for plugin in ("password", "v3applicationcredential"):
        known = {opt.dest for opt in options}
        options += [o for o in loading.get_auth_plugin_conf_options(plugin) if o.dest not in known]
    return [(GROUP, options)]
