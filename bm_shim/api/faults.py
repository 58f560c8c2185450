# SPDX-License-Identifier: Apache-2.0
"""Nova's fault bodies, for every error whoever raised it.

``{"itemNotFound": {"code": 404, "message": "..."}}``: one top-level key. Old clients crash on any
other JSON. In XML where that is wanted.
"""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias

import webob
import webob.exc
from flask import Flask, Response, request
from keystoneauth1 import exceptions as kexc
from werkzeug.exceptions import HTTPException

from bm_shim import errors
from bm_shim.api import representation
from bm_shim.context import WSGIEnvironment

LOG = logging.getLogger(__name__)

WSGIApplication: TypeAlias = Callable[[WSGIEnvironment, Any], Iterable[bytes]]

#: Nova's names, the same from Grizzly to today; all other statuses are computeFault.
FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

#: Where an environment may say how its faults are rendered, if not as Nova's.
RENDERER_KEY = "bm_shim.fault_renderer"

# Marks an environment whose answer is as callers may see it, whatever its status.
_RENDERED = "bm_shim.fault"

_CLASS_OF_STATUS: dict[int, type[errors.ShimError]] = {
    each.status: each
    for each in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.Conflict,
        errors.RequestTooLarge,
        errors.UnsupportedMediaType,
    )
}


def render(error: errors.ShimError, environ: WSGIEnvironment) -> Response:
    """Return the answer that tells a caller of an error."""
    environ[_RENDERED] = True
    response: Response = environ.get(RENDERER_KEY, _render_as_nova)(error, environ)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def keep_body(environ: WSGIEnvironment) -> None:
    """Let an error that is no fault of the API keep its own body."""
    environ[_RENDERED] = True


def _render_as_nova(error: errors.ShimError, environ: WSGIEnvironment) -> Response:
    name = FAULT_NAMES.get(error.status, "computeFault")
    return representation.fault(name, error, environ)


def from_exception(error: Exception) -> errors.ShimError:
    """Return the error to tell a caller of, for any exception.

    What only the operator should know of it goes to the log: details, and of unexpected ones the
    traceback.
    """
    match error:
        case errors.ShimError(detail=detail):
            if detail is not None:
                LOG.error("%s", detail)
            return error
        case HTTPException(code=int(status)) | webob.exc.HTTPException(status_int=status):
            return from_status(status)
        case kexc.ClientException():
            # What keystonemiddleware lets through when Keystone is away.
            LOG.error("Keystone could not be asked about a token: %s", error)
            return errors.ServiceUnavailable("The identity service is temporarily unavailable.")
        case _:
            LOG.error("Unexpected error", exc_info=error)
            return errors.ShimError()


def from_status(status: int) -> errors.ShimError:
    """Return the error for a status that a library came up with.

    A wrong method is a 404, as in every release of Nova: its routes did not know of 405.
    """
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return errors.NotFound()
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        # From the token check, or a health check that was told to fail.
        return errors.ServiceUnavailable("The service is temporarily unavailable.")
    known = _CLASS_OF_STATUS.get(status)
    if known is not None:
        return known()
    error = errors.BadRequest() if status < 500 else errors.ShimError()
    error.status = status
    return error


def init_app(app: Flask) -> None:
    """Answer every exception of a view, and Flask's own errors, with a fault."""

    @app.errorhandler(Exception)
    def handle(error: Exception) -> Response:
        return render(from_exception(error), request.environ)


class FaultNormalizer:
    """WSGI middleware that gives the errors of the middleware below it Nova's shape.

    Their bodies are HTML, plain text or Keystone's JSON; their status and headers stay.
    """

    #: Headers that describe the body replaced.
    _OF_THE_BODY = ("content-type", "content-length", "content-encoding")

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Serve a request."""
        try:
            response = webob.Request(environ).get_response(self._application)
        except Exception as error:
            return render(from_exception(error), environ)(environ, start_response)
        if response.status_int < 400 or environ.get(_RENDERED):
            body: Iterable[bytes] = response(environ, start_response)
            return body
        # As WSGI demands of whoever does not pass a body on.
        getattr(response.app_iter, "close", lambda: None)()
        fault = render(from_status(response.status_int), environ)
        for name, value in response.headers.items():
            if name.lower() not in self._OF_THE_BODY and name not in fault.headers:
                fault.headers.add(name, value)
        return fault(environ, start_response)
