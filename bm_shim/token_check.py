# SPDX-License-Identifier: Apache-2.0
"""The account of ``[keystone_authtoken]``, looked at before tokens of callers depend on it.

Tokens themselves are keystonemiddleware's affair.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from keystoneauth1 import loading
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from oslo_config import cfg

from bm_shim.bounds import set_bounds
from bm_shim.errors import ConfigurationError, ServiceUnavailable

GROUP = "keystone_authtoken"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Keystone answered at its root."""

    #: The header ``Date``, if there is one.
    date: str | None


class TokenCheck:
    """Keystone as ``[keystone_authtoken]`` says.

    :param timeout: seconds that one request may take to connect, and again to answer
    """

    def __init__(self, conf: cfg.ConfigOpts, timeout: float) -> None:
        self._conf = conf
        self._timeout = timeout

    def ping(self) -> Answer:
        """Ask Keystone for what it tells everybody; no account is needed.

        :raises ServiceUnavailable: it does not answer, or not in time
        :raises ConfigurationError: there is no account, or the options make none
        """
        try:
            response = self._session.get(
                self._auth.auth_url, authenticated=False, raise_exc=False, log=False
            )
        except (ClientException, OSError) as error:
            # The latter: a file of certificates that is not there.
            raise ServiceUnavailable(detail=f"Keystone cannot be reached: {error}") from error
        if response.status_code >= 500:
            detail = f"Keystone answered {response.status_code} at {self._auth.auth_url}."
            raise ServiceUnavailable(detail=detail)
        return Answer(response.headers.get("Date"))

    def roles(self) -> frozenset[str]:
        """Sign the account in, and return the names of its roles.

        :raises ServiceUnavailable: that does not work
        :raises ConfigurationError: there is no account, or the options make none
        """
        try:
            access = self._auth.get_access(self._session)
        except (ClientException, OSError) as error:
            detail = f"The account of [{GROUP}] cannot sign in: {error}"
            raise ServiceUnavailable(detail=detail) from error
        return frozenset(access.role_names or ())

    @cached_property
    def _auth(self) -> Any:
        group = self._conf[GROUP].auth_section or GROUP
        try:
            plugin = loading.load_auth_from_conf_options(self._conf, group)
        except (ClientException, cfg.Error) as error:
            raise ConfigurationError(f"[{GROUP}] of the configuration: {error}") from error
        if getattr(plugin, "auth_url", None) is None:
            raise ConfigurationError(
                f"[{GROUP}] has no account with an auth_url, with which tokens are checked."
            )
        return plugin

    @cached_property
    def _session(self) -> Session:
        # As keystonemiddleware makes its own, from options under the names that it has for them.
        group = self._conf[GROUP]
        session: Session = loading.session.Session().load_from_options(
            cert=group.certfile,
            key=group.keyfile,
            cacert=group.cafile,
            insecure=group.insecure,
            timeout=self._timeout,
        )
        set_bounds(session.session)
        return session
