# SPDX-License-Identifier: Apache-2.0
"""The bound on failed logins, counted by Flask-Limiter."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask
from flask_limiter import ApplicationLimit, Limiter
from limits.errors import ConfigurationError as StorageError
from oslo_config import cfg

from bm_shim import errors

#: Seconds that a store may take; a login waits for it.
_STORAGE_TIMEOUT = 1

_STORAGE_OPTIONS = {
    "memcached": ("connect_timeout", "timeout"),
    "redis": ("socket_connect_timeout", "socket_timeout"),
    "rediss": ("socket_connect_timeout", "socket_timeout"),
}


class FailedLogins:
    """Counts the failed logins of each client, and refuses further ones beyond the bound.

    The refusal is a 429, raised before the view is called. A failure is an answer of 401.

    :param client: returns who the client of the present request is
    :param is_login: whether the present request is a login
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        *,
        client: Callable[[], str],
        is_login: Callable[[], bool],
    ) -> None:
        group = conf.identity_bridge
        limit = ApplicationLimit(
            f"{group.failed_logins_per_minute}/minute",
            scope="failed-logins",
            exempt_when=lambda: not is_login(),
            deduct_when=lambda response: response.status_code == 401,
        )
        scheme = urlsplit(group.failed_logins_storage).scheme
        self._limiter = Limiter(
            client,
            application_limits=[limit],
            storage_uri=group.failed_logins_storage,
            storage_options=dict.fromkeys(_STORAGE_OPTIONS.get(scheme, ()), _STORAGE_TIMEOUT),
            # A store that is away makes nobody wait, and opens no door.
            in_memory_fallback_enabled=True,
            swallow_errors=True,
            key_prefix="bm-shim",
        )

    def init_app(self, app: Flask) -> None:
        """Count from now on.

        :raises errors.ConfigurationError: ``failed_logins_storage`` cannot work
        """
        try:
            self._limiter.init_app(app)
        except StorageError:
            # Whose own words have the whole URL, and so the password in it.
            raise errors.ConfigurationError(
                "[identity_bridge] failed_logins_storage is no URL of a store that is known, or "
                "the package for it is not installed."
            ) from None

    def refusal(self) -> errors.TooManyRequests:
        """Return the error for the present request, which was refused."""
        error = errors.TooManyRequests()
        if limit := self._limiter.current_limit:
            error.retry_after = max(1, int(limit.reset_at - time.time()))
        return error
