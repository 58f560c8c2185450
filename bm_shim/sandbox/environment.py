# SPDX-License-Identifier: Apache-2.0
"""Which environment variables the parts of a sandbox and its user's command are given."""

import os
import re
from collections.abc import Mapping

#: oslo.config's environment driver: OS_<GROUP>__<OPTION>.
_OSLO_CONFIG = re.compile(r"OS_[A-Z0-9_]*[A-Z0-9]__[A-Z0-9][A-Z0-9_]*")

#: The user's choice between versions of an API: says nothing about which cloud is meant.
_API_VERSION = re.compile(r"OS_[A-Z0-9_]+_API_VERSION")

_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})

# Would change how gunicorn or Python run, or how a service manager talks to them.
_SERVER_SETTINGS = frozenset(
    {
        "GUNICORN_CMD_ARGS",
        "WEB_CONCURRENCY",
        "LISTEN_PID",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "NOTIFY_SOCKET",
        "PYTHONWARNINGS",
    }
)


def is_oslo_config(name: str) -> bool:
    """Whether a variable sets an option of an oslo.config program."""
    return _OSLO_CONFIG.fullmatch(name) is not None


def points_to_a_cloud(name: str) -> bool:
    """Whether a variable may lead a client elsewhere than to the sandbox.

    That is all of ``OS_*`` except API versions and options of oslo.config: tokens, scopes,
    domain names, clouds.yaml entries, interfaces, certificates.
    """
    return (
        name.startswith("OS_")
        and not is_oslo_config(name)
        and _API_VERSION.fullmatch(name) is None
    )


def for_part(
    *, options: bool = False, inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment for a server of the sandbox.

    Nothing in it refers to a cloud or a proxy: the parts talk to loopback only.

    :param options: hand down the user's ``OS_<GROUP>__<OPTION>``; they are meant for the shim,
        and Keystone and Ironic have groups of the same names.
    """
    return {
        name: value
        for name, value in inherited.items()
        if (options and is_oslo_config(name))
        or not (
            name.startswith(("OS_", "BM_SHIM_"))
            or name.upper() in _PROXIES
            or name in _SERVER_SETTINGS
        )
    }


def for_command(
    own: Mapping[str, str], inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment for the user's command: theirs, with ``own`` taking the lead."""
    environment = {n: v for n, v in inherited.items() if not points_to_a_cloud(n)} | dict(own)
    if any(name.upper() in _PROXIES for name in environment):
        # A proxy cannot reach our loopback. Programs differ in which spelling they read.
        exceptions = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        listed = ",".join(filter(None, [exceptions, "127.0.0.1"]))
        environment |= {"no_proxy": listed, "NO_PROXY": listed}
    return environment
