# SPDX-License-Identifier: Apache-2.0
"""Bodies on the wire: JSON, and XML on the prefixes that had it.

What a request sends and what it wants back are independent of each other. The latter is decided by
the suffix of the path, else by ``Accept``, else it is JSON; as in Nova, no request is refused
because of what it accepts.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from flask import Response, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from bm_shim import errors
from bm_shim.api import prefixes, xml
from bm_shim.context import WSGIEnvironment

#: What Nova said of a body that it could not read; scripts may look for it.
MALFORMED_BODY = "Malformed request body"

_JSON = "application/json"
_XML = "application/xml"
_VENDOR_JSON = "application/vnd.openstack.compute+json"
_VENDOR_XML = "application/vnd.openstack.compute+xml"

#: The lack of a type means JSON: ``curl -d`` scripts, and Nova since Mitaka.
_READ_AS_JSON = {_JSON, _VENDOR_JSON, "text/plain", ""}
_READ_AS_XML = {_XML, _VENDOR_XML}

# Where the suffix of the path is kept once it is stripped.
_SUFFIX_KEY = "bm_shim.suffix"
_SUFFIXES = {".json": _JSON, ".xml": _XML}


def read_object() -> dict[str, object]:
    """Return the object that the request's body holds.

    :raises errors.UnsupportedMediaType: the body is of another type (on ``/v2.1``)
    :raises errors.BadRequest: likewise on the older prefixes, as they had it; or the body is not
        what its type says, is nested beyond reason, or is not an object
    """
    old = prefixes.is_old(request.environ)
    try:
        if old and request.mimetype in _READ_AS_XML:
            return xml.parse(request.get_data())
        if request.mimetype in _READ_AS_JSON:
            body = json.loads(request.get_data(), parse_constant=_refuse_constant)
            if isinstance(body, dict):
                return body
            raise errors.BadRequest(MALFORMED_BODY)
    except (ValueError, RecursionError):
        raise errors.BadRequest(MALFORMED_BODY) from None
    if old:
        raise errors.BadRequest(errors.UnsupportedMediaType.default_message)
    raise errors.UnsupportedMediaType


def answer(body: Mapping[str, object], status: int = 200) -> Response:
    """Return a success with a body."""
    media_type = wanted(request.environ)
    data = xml.write(body) if media_type in _READ_AS_XML else json.dumps(body).encode()
    return Response(data, status, content_type=media_type)


def accepted() -> Response:
    """Return the empty 202 of delete and remove_interface, of the type that Nova gave it."""
    return Response(status=202, content_type="text/html; charset=UTF-8")


def fault(name: str, error: errors.ShimError, environ: WSGIEnvironment) -> Response:
    """Return a fault, of the plain media type also where a vendor's was asked for."""
    if wanted(environ) in _READ_AS_XML:
        data = xml.write_fault(name, error.status, error.message)
        return Response(data, error.status, content_type=f"{_XML}; charset=UTF-8")
    body = {name: {"code": error.status, "message": error.message}}
    return Response(json.dumps(body), error.status, content_type=f"{_JSON}; charset=UTF-8")


def wanted(environ: WSGIEnvironment) -> str:
    """Return the media type that a request wants its answer in."""
    offered = [_JSON, _VENDOR_JSON]
    if prefixes.is_old(environ):
        offered += [_XML, _VENDOR_XML]
        if _SUFFIX_KEY in environ:
            return _SUFFIXES[environ[_SUFFIX_KEY]]
    accept = parse_accept_header(environ.get("HTTP_ACCEPT"), MIMEAccept)
    return accept.best_match(offered, default=_JSON) or _JSON


class PathSuffix:
    """WSGI middleware that takes ``.json`` and ``.xml`` off paths, where Nova did until Juno."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Serve a request."""
        path = environ.get("PATH_INFO", "")
        stem, dot, end = path.rpartition(".")
        if prefixes.is_old(environ) and dot + end in _SUFFIXES:
            environ[_SUFFIX_KEY] = dot + end
            environ["PATH_INFO"] = stem
        body: Iterable[bytes] = self._application(environ, start_response)
        return body


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has no such thing, and Ironic could not store them.
    raise ValueError(name)
