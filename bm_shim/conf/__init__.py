# SPDX-License-Identifier: Apache-2.0
"""Configuration: one module per option group.

The :class:`oslo_config.cfg.ConfigOpts` that :func:`load` returns is handed to whatever needs it;
there is no global one.
"""

import os
from collections.abc import Sequence

from keystonemiddleware import auth_token
from oslo_config import cfg
from oslo_log import log
from oslo_middleware import cors, http_proxy_to_wsgi

import bm_shim
from bm_shim.conf import api, enroll, identity_bridge, ironic, metrics
from bm_shim.errors import ConfigurationError

#: Names the configuration file (or several, separated by ``:``) where no command line can:
#: WSGI servers own the command line.
CONFIG_ENVIRONMENT_VARIABLE = "BM_SHIM_CONFIG"

_MODULES = (api, ironic, enroll, identity_bridge, metrics)

# ironicclient logs each failed request as an error, also those that are answers (a duplicate MAC);
# the shim logs what matters of them itself, once.
_QUIET_LIBRARIES = ["ironicclient=CRITICAL"]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the shim's own groups and those of the libraries it configures."""
    for module in _MODULES:
        module.register_opts(conf)
    conf.register_opts(cors.OPTS, group="cors")
    conf.register_opts(http_proxy_to_wsgi.OPTS, group="oslo_middleware")
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
    # Without them, a Keystone that hangs would hold each request for ever.
    conf.set_default("http_connect_timeout", 5, group="keystone_authtoken")
    conf.set_default("http_request_max_retries", 1, group="keystone_authtoken")
    log.register_options(conf)
    set_library_defaults()


def set_library_defaults() -> None:
    """Give options of the libraries the defaults that suit this API."""
    levels = log.get_default_log_levels()
    log.set_defaults(default_log_levels=levels + [e for e in _QUIET_LIBRARIES if e not in levels])
    cors.set_defaults(
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=[
            "Content-Type",
            "X-Auth-Token",
            "OpenStack-API-Version",
            "X-OpenStack-Nova-API-Version",
        ],
        expose_headers=[
            "X-OpenStack-Request-Id",
            "X-Compute-Request-Id",
            "OpenStack-API-Version",
            "X-OpenStack-Nova-API-Version",
            "Deprecation",
            "Sunset",
            "Link",
        ],
    )


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the shim's own options, for the oslo.config tools."""
    return [entry for module in _MODULES for entry in module.list_opts()]


def load(args: Sequence[str] = (), config_files: Sequence[str] | None = None) -> cfg.ConfigOpts:
    """Read the configuration.

    Files come from ``--config-file`` in ``args``, else from ``config_files``, else from the
    environment variable ``BM_SHIM_CONFIG``, else from the usual places
    (``/etc/bm-shim/bm-shim.conf`` and ``/etc/bm-shim/bm-shim.conf.d/``).

    :param args: oslo.config's own command line options
    :raises oslo_config.cfg.Error: a file is missing, cannot be parsed, or a value is invalid
    """
    conf = cfg.ConfigOpts()
    register_opts(conf)
    if config_files is None and os.environ.get(CONFIG_ENVIRONMENT_VARIABLE):
        config_files = os.environ[CONFIG_ENVIRONMENT_VARIABLE].split(os.pathsep)
    try:
        conf(
            list(args),
            project="bm-shim",
            prog="bm-shim",
            version=bm_shim.__version__,
            default_config_files=list(config_files) if config_files else None,
        )
    except cfg.ConfigFileParseError as error:
        # Its text has the line in it, and so perhaps a password.
        line = getattr(error.__context__, "lineno", "?")
        raise cfg.ConfigFileParseError(error.config_file, f"line {line}") from None
    except (OSError, UnicodeDecodeError) as error:
        # A directory in the place of a file, or a file that is not in UTF-8.
        raise cfg.Error(f"A configuration file cannot be read: {error}") from error
    for module in _MODULES:
        # oslo.config looks at a value when it is read, which may be much later.
        dict(conf[module.GROUP])
    return conf


def read_all(conf: cfg.ConfigOpts) -> None:
    """Read all options that are known, those of libraries too.

    :raises ConfigurationError: a value is invalid
    """
    try:
        for name in conf:
            found = conf[name]
            if isinstance(found, cfg.ConfigOpts.GroupAttr):
                dict(found)
    except cfg.Error as error:
        raise ConfigurationError(str(error)) from error


def authtoken_settings(conf: cfg.ConfigOpts) -> dict[str, object]:
    """Return what keystonemiddleware's ``AuthProtocol`` wants: our configuration, no own one.

    The decision is not delayed, whatever a section copied from elsewhere says: if it were, a
    Keystone that is away would look like a bad token.
    """
    return {"oslo_config_config": conf, "delay_auth_decision": False}
