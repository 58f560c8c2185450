# SPDX-License-Identifier: Apache-2.0
"""``[identity_bridge]``: identity v2.0 and the older header login, served from Keystone v3."""

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = "identity_bridge"

OPTIONS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "enabled",
        default=False,
        help="Serve identity v2.0 at /identity/v2.0, and the login by X-Auth-User and X-Auth-Key, "
        "for clients that know nothing newer. Who signs in there is signed in by Keystone v3. It "
        "weakens what Keystone protects (no second factor, no federation), so turn it on for as "
        "long as there are such clients. Needs [api] auth_strategy = keystone, and the packages "
        "of 'bm-shim[identity-bridge]'.",
    ),
    cfg.StrOpt(
        "auth_url",
        help="Keystone, with or without /v3 at the end. Unless set: auth_url of "
        "[keystone_authtoken], or its www_authenticate_uri.",
    ),
    cfg.StrOpt(
        "default_domain_id",
        default="default",
        help="The domain in which users and tenants are found, as [identity] default_domain_id of "
        "a Keystone that served v2.0. Those of other domains are refused, as they were.",
    ),
    cfg.StrOpt(
        "compute_url",
        help="What the catalogue gives as the endpoint of the compute service, in each of its "
        "regions; {tenant_id} and {region} are filled in. Unless set: this shim, under the name "
        "that the client called it, at /v2/{tenant_id}.",
    ),
    cfg.BoolOpt(
        "tls_terminated",
        default=False,
        help="Say that TLS ends before the shim on every way that leads to it. Otherwise the "
        "bridge answers plain HTTP to loopback addresses only; or it learns from the proxy that "
        "the client used TLS, where [oslo_middleware] enable_proxy_headers_parsing is on.",
    ),
    cfg.IntOpt(
        "failed_logins_per_minute",
        default=10,
        min=1,
        help="How many logins may fail in a minute, for each address of a client (for each /64 of "
        "IPv6). Further ones, good or bad, are answered with 429 until the minute is over. Each "
        "process counts for itself, unless failed_logins_storage names a common store. Behind a "
        "proxy, [oslo_middleware] enable_proxy_headers_parsing must be on, or all clients are one "
        "to the bridge; the client is then the last address in X-Forwarded-For.",
    ),
    cfg.StrOpt(
        "failed_logins_storage",
        default="memory://",
        secret=True,
        help="Where failed logins are counted: memory:// (in each process), or "
        "memcached://HOST:PORT,HOST:PORT or redis://HOST:PORT (which needs the package redis) for "
        "all processes and replicas together. While it cannot be reached, each process counts for "
        "itself.",
    ),
    # In place of keystoneauth's, which is to wait for ever.
    cfg.FloatOpt(
        "timeout",
        default=10,
        min=0.1,
        help="Seconds that Keystone may take to connect, and again to answer.",
    ),
]


def _keystoneauth_opts() -> list[cfg.Opt]:
    """Return keystoneauth's session options, but for the timeout."""
    return [opt for opt in loading.get_session_conf_options() if opt.dest != "timeout"]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on ``conf``."""
    conf.register_opts(OPTIONS, group=GROUP)
    conf.register_opts(_keystoneauth_opts(), group=GROUP)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the options, for the sample file."""
    return [(GROUP, [*OPTIONS, *_keystoneauth_opts()])]
