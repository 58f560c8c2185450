# SPDX-License-Identifier: Apache-2.0
"""The calls to Keystone v3 that the bridge makes, each on behalf of a caller.

Methods raise :mod:`bm_shim.errors` only, as :mod:`bm_shim.identity.keystone_errors` has it, and
``Unauthorized`` whenever Keystone does not accept a password or token.
"""

from collections.abc import Callable
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

from keystoneauth1 import exceptions as kexc
from keystoneauth1 import loading
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from oslo_config import cfg

from bm_shim import errors
from bm_shim.bounds import set_bounds
from bm_shim.conf import identity_bridge
from bm_shim.identity.keystone_errors import translate
from bm_shim.identity.model import Caller, Login, Password, Tenant, Token
from bm_shim.identity.translation import JsonObject, ensure_of_domain

_T = TypeVar("_T")


class Keystone:
    """Keystone as ``[identity_bridge]`` says, for one process. Safe to share among threads.

    Nothing is kept from one call to the next but connections.

    :raises errors.ConfigurationError: it is not said where Keystone is
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._domain_id: str = conf.identity_bridge.default_domain_id
        self._url = _v3_url(conf.identity_bridge.auth_url or _url_of_token_check(conf))
        # The pool of connections closes with the session that made it, so that is kept.
        self._base = self._load_session()
        set_bounds(self._base.session)
        self._base.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def sign_in(self, login: Login, caller: Caller) -> AccessInfoV3:
        """Return a new token.

        :raises errors.Unauthorized: also if the token would be none of the default domain
        """
        plugin = self._plugin(login)

        def sign_in(session: Session) -> AccessInfoV3:
            try:
                return self._checked(plugin.get_auth_ref(session))
            except kexc.NotFound as error:
                if isinstance(login.credentials, Token):
                    # Elsewhere Keystone answers 401 to a token that is no longer valid.
                    raise errors.Unauthorized from error
                raise

        return self._call(caller, sign_in)

    def show_token(self, token: str, caller: Caller) -> AccessInfoV3:
        """Return what Keystone knows of the caller's own token."""

        def show(session: Session) -> AccessInfoV3:
            answer = session.get(f"{self._url}/auth/tokens", headers=_as_holder(token))
            return self._checked(AccessInfoV3(answer.json(), token))

        return self._call(caller, show)

    def revoke_token(self, token: str, caller: Caller) -> None:
        """End the caller's own token."""

        def revoke(session: Session) -> None:
            session.delete(f"{self._url}/auth/tokens", headers=_as_holder(token))

        self._call(caller, revoke)

    def list_projects(self, token: str, caller: Caller) -> list[JsonObject]:
        """Return the projects for which the holder of a token may have one."""

        def read(session: Session) -> list[JsonObject]:
            headers = {"X-Auth-Token": token}
            projects = session.get(f"{self._url}/auth/projects", headers=headers).json()
            return [dict(project) for project in projects["projects"]]

        return self._call(caller, read)

    def _plugin(self, login: Login) -> v3.Password | v3.Token:
        scope = self._scope(login.tenant)
        match login.credentials:
            case Password(password=password, user_id=user_id, user_name=user_name):
                return v3.Password(
                    self._url,
                    password,
                    user_id=user_id,
                    username=user_name,
                    user_domain_id=self._domain_id if user_name else None,
                    **scope,
                )
            case Token(token=token):
                return v3.Token(self._url, token, **scope)

    def _scope(self, tenant: Tenant | None) -> dict[str, Any]:
        if tenant is None:
            # Said aloud, or the token would be for the user's default project, if there is one.
            return {"unscoped": True}
        if tenant.name is not None:
            return {"project_name": tenant.name, "project_domain_id": self._domain_id}
        return {"project_id": tenant.id}

    def _checked(self, access: AccessInfoV3) -> AccessInfoV3:
        ensure_of_domain(access, self._domain_id)
        return access

    def _call(self, caller: Caller, function: Callable[[Session], _T]) -> _T:
        try:
            return function(self._session_for(caller))
        except errors.ShimError:
            raise
        except Exception as error:
            raise translate(error) from error

    def _session_for(self, caller: Caller) -> Session:
        """Return a session that says who the caller is, on the shared pool of connections."""
        headers = {"X-OpenStack-Request-Id": caller.request_id}
        if caller.address is not None:
            headers["X-Forwarded-For"] = caller.address
        session = self._load_session(
            session=self._base.session, additional_headers=headers, original_ip=caller.address
        )
        # At DEBUG it would write down bodies.
        session.__dict__["request"] = partial(session.request, authenticated=False, log=False)
        return session

    def _load_session(self, **kwargs: Any) -> Session:
        # Whoever redirects a password may send it anywhere.
        session: Session = loading.load_session_from_conf_options(
            self._conf, identity_bridge.GROUP, redirect=False, **kwargs
        )
        return session


def _as_holder(token: str) -> dict[str, str]:
    return {"X-Auth-Token": token, "X-Subject-Token": token}


def _url_of_token_check(conf: cfg.ConfigOpts) -> str:
    """Return where ``[keystone_authtoken]`` has Keystone: for itself, else for clients.

    :raises errors.ConfigurationError: it does not say
    """
    plugin = loading.load_auth_from_conf_options(conf, "keystone_authtoken")
    url = getattr(plugin, "auth_url", None) or conf.keystone_authtoken.www_authenticate_uri
    if not url:
        raise errors.ConfigurationError(
            "[identity_bridge] is enabled, but has no auth_url, nor has [keystone_authtoken]."
        )
    return str(url)


def _v3_url(auth_url: str) -> str:
    url = auth_url.rstrip("/")
    return url if url.endswith("/v3") else f"{url.removesuffix('/v2.0')}/v3"
