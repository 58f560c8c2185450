# SPDX-License-Identifier: Apache-2.0
"""The application: Flask, and the WSGI stack around it."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask
from keystoneauth1 import exceptions as kexc
from keystonemiddleware.auth_token import AuthProtocol
from oslo_config import cfg
from oslo_middleware import cors, healthcheck, http_proxy_to_wsgi, request_id, sizelimit

from bm_shim import conf as configuration
from bm_shim import context, deep_health, errors, formats, metrics
from bm_shim.access_log import AccessLog
from bm_shim.addresses import is_from_here
from bm_shim.api import (
    access,
    extensions,
    faults,
    flavors,
    identity,
    launch,
    nodes,
    prefixes,
    servers,
    versions,
)
from bm_shim.api.faults import FaultNormalizer, WSGIApplication
from bm_shim.api.mount import mount
from bm_shim.api.representation import PathForm
from bm_shim.bounds import set_bounds
from bm_shim.context import RequestContext, WSGIEnvironment
from bm_shim.inventory import Inventory
from bm_shim.metered import Metered
from bm_shim.policy import Policy
from bm_shim.token_check import TokenCheck

_HEALTHCHECK_PATH = "/healthcheck"


def create_app(conf: cfg.ConfigOpts, inventory: Inventory) -> WSGIApplication:
    """Return the WSGI application, with nothing connected yet.

    :raises errors.ConfigurationError: the configuration cannot work
    """
    app = _wrap(create_flask_app(conf, inventory), conf, inventory)
    # Only now all libraries have told their options.
    configuration.read_all(conf)
    return app


def create_flask_app(conf: cfg.ConfigOpts, inventory: Inventory) -> Flask:
    """Return the views alone, which expect to find their caller in the environment."""
    app = Flask("bm_shim", static_folder=None)
    # Nova knew no redirects, and OPTIONS is an unknown method.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # What the limit is does not matter here. That there is one makes Werkzeug read in pieces, so
    # that the limiter below can stop a body which did not announce its size.
    app.config["MAX_CONTENT_LENGTH"] = sys.maxsize
    services = access.Services(
        policy=Policy(conf),
        inventory=inventory,
        dialects=formats.by_prefix(conf.api.response_format, prefixes.ALL),
        read_only=conf.api.read_only,
        max_limit=conf.api.max_limit,
        list_max_age=conf.api.list_max_age,
        sunset=conf.api.sunset,
        successor_url=conf.api.successor_url,
    )
    access.init_app(app, services)
    faults.init_app(app)
    for resource in (nodes, extensions):
        mount(app, resource.blueprint, resource.PATH)
    if conf.api.serve_instances:
        for resource in (servers, flavors, launch):
            mount(app, resource.blueprint, resource.PATH)
    app.register_blueprint(versions.blueprint)
    if conf.identity_bridge.enabled:
        identity.init_app(app, conf)
    return app


def _wrap(app: WSGIApplication, conf: cfg.ConfigOpts, inventory: Inventory) -> WSGIApplication:
    """Put the WSGI stack around the views; read from the bottom, the last line is outermost."""
    noauth = conf.api.auth_strategy == "noauth"
    checked: WSGIApplication = _SetContext(app, noauth=noauth)
    if not noauth:
        # Tokens: who calls, as the headers that _SetContext reads; whatever a client sent under
        # their names is dropped here.
        checked = _token_check(checked, conf)
    # Discovery and health must answer without a token, and without Keystone.
    stack: WSGIApplication = _PublicPaths(checked, app, _operational(conf, inventory))
    # Refuses what is too large before anybody reads it.
    stack = sizelimit.RequestBodySizeLimiter(stack, conf)
    if conf.cors.allowed_origin:
        # Only then: it answers 200 to every OPTIONS, a method that the API does not know.
        stack = cors.CORS(stack, conf)
    # Everything above may answer with HTML or an exception; nothing that old clients read may.
    stack = FaultNormalizer(stack)
    if conf.identity_bridge.enabled:
        stack = identity.BelowIdentity(stack, conf)
    # Suffixes and slashes of paths; faults, too, are in the format that a suffix asks for.
    stack = PathForm(stack)
    if noauth:
        stack = _LoopbackOnly(stack)
    # Both see the final status.
    names = formats.names_by_prefix(conf.api.response_format, prefixes.ALL)
    stack = AccessLog(Metered(stack, names))
    # Before anything logs, so that all lines of a request bear its id.
    stack = request_id.RequestId(stack, conf)
    stack.compat_headers = ["x-compute-request-id"]
    if noauth:
        # What counts is who really connects, whatever a header says.
        return stack
    # Who the client is and under which name it called us, as the proxies before us say.
    return http_proxy_to_wsgi.HTTPProxyToWSGI(stack, conf)


def _token_check(app: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
    token_check = AuthProtocol(app, configuration.authtoken_settings(conf))
    # There is no public way to its session.
    http = token_check._session.session
    set_bounds(http)
    metrics.watch_token_check(http)
    checked: WSGIApplication = token_check
    if not (conf.keystone_authtoken.auth_type or conf.keystone_authtoken.auth_section):
        raise errors.ConfigurationError(
            "[api] auth_strategy is keystone, but [keystone_authtoken] has no auth_type: the "
            "account with which tokens are checked is missing."
        )
    return _SensibleAnswers(checked)


class _SensibleAnswers:
    """Takes what the token check stumbles over for an answer of Keystone that makes no sense.

    Nothing of the views gets here: they answer all their exceptions themselves.
    """

    def __init__(self, checked: WSGIApplication) -> None:
        self._checked = checked

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        try:
            return self._checked(environ, start_response)
        except (AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
            raise kexc.ClientException(f"its answer makes no sense: {error!r}") from error


def _operational(conf: cfg.ConfigOpts, inventory: Inventory) -> dict[str, WSGIApplication]:
    """Return what is there for balancers and monitoring, by path."""
    probes: dict[str, deep_health.Probe] = {"ironic": inventory.ping}
    if conf.api.auth_strategy == "keystone":
        probes["keystone"] = TokenCheck(conf, timeout=deep_health.INTERVAL).ping
    found: dict[str, WSGIApplication] = {
        _HEALTHCHECK_PATH: healthcheck.Healthcheck(None, conf),
        deep_health.PATH: deep_health.DeepHealth(probes),
    }
    if conf.metrics.enabled:
        found[metrics.PATH] = metrics.application
    return found


class _PublicPaths:
    """Splits off what needs no token: everything that is not below a version prefix."""

    def __init__(
        self,
        protected: WSGIApplication,
        public: WSGIApplication,
        operational: Mapping[str, WSGIApplication],
    ) -> None:
        self._protected = protected
        self._public = public
        self._operational = operational

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        return self._choose(environ)(environ, start_response)

    def _choose(self, environ: WSGIEnvironment) -> WSGIApplication:
        if prefixes.is_below_root(environ):
            return self._protected
        return self._operational.get(environ.get("PATH_INFO", ""), self._public)


class _SetContext:
    """Puts the caller into the environment, if there is one."""

    def __init__(self, app: WSGIApplication, *, noauth: bool) -> None:
        self._app = app
        self._noauth = noauth

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        if self._noauth:
            environ[context.ENVIRON_KEY] = RequestContext.noauth(environ)
        elif _token_is_good(environ):
            environ[context.ENVIRON_KEY] = RequestContext.from_environ(environ)
        return self._app(environ, start_response)


def _token_is_good(environ: WSGIEnvironment) -> bool:
    """Whether the token, and a service token if one came along, were confirmed."""
    return (
        environ.get("HTTP_X_IDENTITY_STATUS") == "Confirmed"
        and environ.get("HTTP_X_SERVICE_IDENTITY_STATUS", "Confirmed") == "Confirmed"
    )


class _LoopbackOnly:
    """Refuses connections from other machines, where everybody is an administrator."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        if is_from_here(environ):
            return self._app(environ, start_response)
        refusal = errors.Forbidden("auth_strategy = noauth answers loopback addresses only.")
        return faults.render(refusal, environ)(environ, start_response)
