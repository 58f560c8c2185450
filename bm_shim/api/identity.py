# SPDX-License-Identifier: Apache-2.0
"""Identity v2.0 and the older header login, for clients that know no other way to sign in.

Keystone v3 does the work, see :mod:`bm_shim.identity`. No policy guards these views: Keystone
decides who gets a token.
"""

import hmac
import importlib.util
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from keystoneauth1.access import AccessInfoV3
from oslo_config import cfg

from bm_shim import context, errors
from bm_shim.addresses import client_address, is_from_here, owned_by_client, root_url
from bm_shim.api import faults, identity_faults
from bm_shim.api.access import OPERATION_KEY, View, public
from bm_shim.api.faults import WSGIApplication
from bm_shim.api.identity_faults import PREFIX
from bm_shim.api.representation import read_object
from bm_shim.context import RequestContext, WSGIEnvironment
from bm_shim.identity import schemas, translation
from bm_shim.identity.keystone import Keystone
from bm_shim.identity.model import Caller, Login, Password, Tenant

blueprint = Blueprint("identity", __name__, url_prefix=PREFIX)

_EXTENSION = "bm_shim.identity"
_JSON = "application/json"

#: The header login, of the time before Keystone.
_USER = "X-Auth-User"
_KEY = "X-Auth-Key"
_PROJECT = "X-Auth-Project-Id"

_PROJECT_ID = re.compile("[0-9a-f]{32}")

#: The operations that the access log counts as logins.
_LOGIN = "identity:tokens:create"
_HEADER_LOGIN = "identity:header_login"


@dataclass(frozen=True, slots=True)
class Bridge:
    """What the views work with, one for each application."""

    keystone: Keystone
    #: Of ``[identity_bridge]``.
    default_domain_id: str
    compute_url: str | None
    #: Whether a proxy says who the client is.
    behind_proxy: bool
    #: Returns the error for a request that was refused for the failures before it.
    too_many_failures: Callable[[], errors.TooManyRequests]


def init_app(app: Flask, conf: cfg.ConfigOpts) -> None:
    """Add the bridge to an application.

    :raises errors.ConfigurationError: it cannot work as it is configured
    """
    _check(conf)
    from bm_shim.identity.limits import FailedLogins  # its package is an optional one

    failed_logins = FailedLogins(conf, client=_client, is_login=_is_login)
    app.extensions[_EXTENSION] = Bridge(
        keystone=Keystone(conf),
        default_domain_id=conf.identity_bridge.default_domain_id,
        compute_url=conf.identity_bridge.compute_url,
        behind_proxy=conf.oslo_middleware.enable_proxy_headers_parsing,
        too_many_failures=failed_logins.refusal,
    )
    failed_logins.init_app(app)
    app.register_blueprint(blueprint)


class BelowIdentity:
    """WSGI middleware for what differs below ``/identity``.

    Errors have Keystone's shape, also those of other middleware; and where TLS is said to end
    before us, the client came by https.
    """

    def __init__(self, application: WSGIApplication, conf: cfg.ConfigOpts) -> None:
        self._application = application
        self._tls_terminated: bool = conf.identity_bridge.tls_terminated

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Serve a request."""
        if f"{environ.get('PATH_INFO', '')}/".startswith(f"{PREFIX}/"):
            environ[faults.RENDERER_KEY] = identity_faults.render
            if self._tls_terminated:
                environ["wsgi.url_scheme"] = "https"
        return self._application(environ, start_response)


@blueprint.before_request
def refuse_plain_http() -> None:
    """Let no password travel in the clear, nor begin a conversation that would send one."""
    if request.scheme != "https" and not is_from_here(request.environ):
        raise errors.Forbidden("Passwords are not taken over plain HTTP. Use https.")


@blueprint.after_request
def forbid_caching(response: Response) -> Response:
    """Keep tokens out of caches: the header login is a GET."""
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("X-Auth-Token")
    return response


@blueprint.errorhandler(429)
def refuse_after_failures(error: Exception) -> Response:
    """Tell a client that failed too often when it may try again."""
    request.environ[OPERATION_KEY] = _HEADER_LOGIN if _has_login_headers() else _LOGIN
    return faults.render(_bridge().too_many_failures(), request.environ)


def _counted(operation: str) -> Callable[[View], View]:
    """Make a view public, and let the access log count it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Response:
            request.environ[OPERATION_KEY] = operation
            return view(*args, **kwargs)

        return public(counted)

    return decorate


def _or_header_login(view: View) -> View:
    """Take a request with the headers of the header login for one, whatever else its path says."""

    @wraps(view)
    def signing_in(*args: Any, **kwargs: Any) -> Response:
        return log_in_by_headers() if _has_login_headers() else view(*args, **kwargs)

    return signing_in


@blueprint.get("")
@blueprint.get("/")
@public
@_or_header_login
def list_versions() -> Response:
    """List the one version, with the status that Keystone gave its list."""
    return _answer({"versions": {"values": [_version()]}}, 300)


@blueprint.get("/v2.0", strict_slashes=False)
@public
@_or_header_login
def show_version() -> Response:
    """Show the version."""
    return _answer({"version": _version()})


@blueprint.get("/v1.0", strict_slashes=False)
@_counted(_HEADER_LOGIN)
def log_in_by_headers() -> Response:
    """Sign in with the headers, and answer with others, as Nova and Swift did before Keystone.

    The project may be given by name, or by id.
    """
    user, key, project = (_header(name) for name in (_USER, _KEY, _PROJECT))
    if user is None or key is None:
        raise errors.Unauthorized(f"{_USER} and {_KEY} are needed.")
    if project is None:
        raise errors.BadRequest(f"{_PROJECT} is needed.")
    by_id = _PROJECT_ID.fullmatch(project)
    tenant = Tenant(id=project) if by_id else Tenant(name=project)
    access = _sign_in(Login(Password(key, user_name=user), tenant))
    document = translation.access_document(access, _compute_url())
    response = Response(status=204, content_type="text/plain; charset=UTF-8")
    response.headers["X-Auth-Token"] = str(access.auth_token)
    response.headers["X-Server-Management-Url"] = translation.endpoint_of_compute(document)
    return response


@blueprint.post("/v2.0/tokens", strict_slashes=False)
@_counted(_LOGIN)
def create_token() -> Response:
    """Sign in with a password, or with a token for another one."""
    access = _sign_in(schemas.read_login(_read_body()))
    return _answer(translation.access_document(access, _compute_url()))


@blueprint.get("/v2.0/tokens/<token>", strict_slashes=False)
@_counted("identity:tokens:show")
def show_token(token: str) -> Response:
    """Show the caller's own token. Those of others were for administrators to see."""
    access = _bridge().keystone.show_token(_own(token), _caller())
    _note(access)
    if request.args.get("belongsTo") not in (None, access.project_id):
        raise errors.Unauthorized("Token does not belong to specified tenant.")
    return _answer(translation.access_document(access, _compute_url()))


@blueprint.delete("/v2.0/tokens/<token>", strict_slashes=False)
@_counted("identity:tokens:delete")
def delete_token(token: str) -> Response:
    """Revoke the caller's own token."""
    _bridge().keystone.revoke_token(_own(token), _caller())
    return Response(status=204)


@blueprint.get("/v2.0/tenants", strict_slashes=False)
@_counted("identity:tenants:list")
def list_tenants() -> Response:
    """List the tenants that the holder of a token, with or without a tenant, may sign in to."""
    projects = _bridge().keystone.list_projects(_token(), _caller())
    tenants = translation.tenants(projects, _bridge().default_domain_id)
    shown = translation.page(tenants, request.args.get("marker"), request.args.get("limit"))
    return _answer({"tenants": shown, "tenants_links": []})


def _check(conf: cfg.ConfigOpts) -> None:
    """Refuse what cannot work.

    :raises errors.ConfigurationError: it says what
    """
    if conf.api.auth_strategy == "noauth":
        raise errors.ConfigurationError(
            "[identity_bridge] enabled needs [api] auth_strategy = keystone: without Keystone "
            "nobody signs in."
        )
    placeholders = set(re.findall(r"\{[^}]*\}?", conf.identity_bridge.compute_url or ""))
    if not placeholders <= translation.PLACEHOLDERS:
        unknown = ", ".join(sorted(placeholders - translation.PLACEHOLDERS))
        raise errors.ConfigurationError(
            f"[identity_bridge] compute_url has unknown placeholders: {unknown}"
        )
    if importlib.util.find_spec("flask_limiter") is None:
        raise errors.ConfigurationError(
            "[identity_bridge] enabled needs Flask-Limiter: pip install 'bm-shim[identity-bridge]'"
        )


def _bridge() -> Bridge:
    found: Bridge = current_app.extensions[_EXTENSION]
    return found


def _sign_in(login: Login) -> AccessInfoV3:
    access = _bridge().keystone.sign_in(login, _caller())
    _note(access)
    return access


def _note(access: AccessInfoV3) -> None:
    """Let the access log tell who it was."""
    request.environ[context.ENVIRON_KEY] = RequestContext.signed_in(
        request.environ, access.user_id, access.username, access.project_id
    )


def _caller() -> Caller:
    address = client_address(request.environ, behind_proxy=_bridge().behind_proxy)
    request_id = RequestContext.anonymous(request.environ).global_id
    return Caller(str(address) if address else None, request_id)


def _client() -> str:
    """Return whose failed logins are counted together."""
    address = client_address(request.environ, behind_proxy=_bridge().behind_proxy)
    return owned_by_client(address)


def _is_login() -> bool:
    if request.blueprint != blueprint.name:
        return False
    return request.method == "POST" or _has_login_headers()


def _has_login_headers() -> bool:
    return _USER in request.headers or _KEY in request.headers


def _header(name: str) -> str | None:
    """Return a header, which clients write in UTF-8 or Latin-1; None if it is empty."""
    raw = request.headers.get(name, "").encode("latin-1")
    try:
        return raw.decode() or None
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _token() -> str:
    """Return the caller's token.

    :raises errors.Unauthorized: there is none, or none that could be one
    """
    token = request.headers.get("X-Auth-Token", "")
    if not schemas.IN_A_HEADER.fullmatch(token):
        raise errors.Unauthorized
    return token


def _own(token: str) -> str:
    """Return the token that a path names.

    :raises errors.Unauthorized: nobody called
    :raises errors.Forbidden: it is not the caller's own
    """
    own = _token()
    if not hmac.compare_digest(own.encode(), token.encode()):
        raise errors.Forbidden("You are not authorized to perform the requested action.")
    return own


def _read_body() -> dict[str, object]:
    """Return the object in the body.

    :raises errors.UnsupportedMediaType: it is XML, or something else that is not JSON
    :raises errors.BadRequest: it is not what it says it is
    """
    try:
        return read_object()
    except errors.UnsupportedMediaType:
        raise errors.UnsupportedMediaType(f"Only {_JSON} is read here, and no XML.") from None


def _compute_url() -> str:
    return _bridge().compute_url or f"{root_url(request.environ)}/v2/{{tenant_id}}"


def _version() -> dict[str, object]:
    """Return the entry of v2.0, with the words of the time when it was not yet deprecated."""
    return {
        "id": "v2.0",
        "status": "stable",
        "updated": "2014-04-17T00:00:00Z",
        "links": [
            {"rel": "self", "href": f"{root_url(request.environ)}{PREFIX}/v2.0/"},
            {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"},
        ],
        "media-types": [
            {"base": _JSON, "type": "application/vnd.openstack.identity-v2.0+json"},
        ],
    }


def _answer(body: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type=_JSON)
