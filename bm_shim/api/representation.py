# SPDX-License-Identifier: Apache-2.0
"""Bodies on the wire: JSON, and XML on the prefixes that had it.

What a request sends and what it wants back are independent of each other. The latter is decided by
the suffix of the path, else by ``Accept``, else it is JSON; as in Nova, no request is refused
because of what it accepts.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import webob.exc
from flask import Response, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
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

#: The lack of a type means JSON, as in Nova since Mitaka.
_READ_AS_JSON = {_JSON, _VENDOR_JSON, "text/plain", ""}
_READ_AS_XML = {_XML, _VENDOR_XML}

# Where the suffix of the path is kept once it is stripped.
_SUFFIX_KEY = "bm_shim.suffix"
_SLASHES = re.compile("//+")
_SUFFIXES = {".json": _JSON, ".xml": _XML}


def read_object() -> dict[str, object]:
    """Return the object that the request's body holds.

    :raises errors.ShimError: as :func:`read` does
    :raises errors.BadRequest: the body holds something else
    """
    body = read()
    if not isinstance(body, dict):
        raise errors.BadRequest(MALFORMED_BODY)
    return body


def read() -> object:
    """Return what the request's body holds.

    :raises errors.UnsupportedMediaType: the body is of another type (on ``/v2.1``)
    :raises errors.BadRequest: likewise on the older prefixes, as they had it; or the body is not
        what its type says, or is nested beyond reason
    """
    old = prefixes.is_old(request.environ)
    try:
        if old and request.mimetype in _READ_AS_XML:
            return xml.parse(_whole_body())
        if request.mimetype in _READ_AS_JSON:
            # Decoded here: left to itself, json would take UTF-16 and byte order marks, too.
            return json.loads(_whole_body().decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise errors.BadRequest(MALFORMED_BODY) from None
    if old:
        raise errors.BadRequest(errors.UnsupportedMediaType.default_message)
    raise errors.UnsupportedMediaType


def answer(body: Mapping[str, object], status: int = 200) -> Response:
    """Return a success with a body."""
    media_type = wanted(request.environ)
    return Response(write(body, media_type), status, content_type=media_type)


def write(body: Mapping[str, object], media_type: str) -> bytes:
    """Return a body as the media type has it."""
    return xml.write(body) if media_type in _READ_AS_XML else json.dumps(body).encode()


def answer_json(body: Mapping[str, object]) -> Response:
    """Return a success with a body that has no form in XML, whatever the request wants."""
    media_type = wanted(request.environ)
    return Response(
        json.dumps(body), content_type=_JSON if media_type in _READ_AS_XML else media_type
    )


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
    """Return the media type that a request wants its answer in; only ``/v2.1`` never had XML."""
    offered = [_JSON, _VENDOR_JSON]
    if _SUFFIX_KEY in environ:
        return _SUFFIXES[environ[_SUFFIX_KEY]]
    if prefixes.prefix_of(environ) != prefixes.NEW:
        offered += [_XML, _VENDOR_XML]
    return _accepted_by(environ).best_match(offered, default=_JSON) or _JSON


class PathForm:
    """WSGI middleware that takes ``.json`` and ``.xml`` off paths, as Nova did until Juno.

    Several slashes in a row become one, as in every release: scripts put paths together from an
    endpoint that ends with one and a rest that begins with one.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        """Serve a request."""
        path = _SLASHES.sub("/", environ.get("PATH_INFO", ""))
        environ["PATH_INFO"] = path
        stem, dot, end = path.rpartition(".")
        if prefixes.is_old(environ) and dot + end in _SUFFIXES:
            environ[_SUFFIX_KEY] = dot + end
            environ["PATH_INFO"] = stem
        body: Iterable[bytes] = self._application(environ, start_response)
        return body


def _whole_body() -> bytes:
    """Return the body.

    :raises errors.BadRequest: the connection ended before the body did
    """
    try:
        body = request.get_data()
    except (HTTPException, webob.exc.HTTPException):
        raise
    except Exception as error:
        # Each server has exceptions of its own for a body that is cut off, or not in chunks.
        raise errors.BadRequest(MALFORMED_BODY) from error
    if request.content_length not in (None, len(body)):
        raise errors.BadRequest(MALFORMED_BODY)
    return body


def _accepted_by(environ: WSGIEnvironment) -> MIMEAccept:
    """Read ``Accept`` as Nova did, without parameters such as ``;version=2``."""
    accept = parse_accept_header(environ.get("HTTP_ACCEPT"), MIMEAccept)
    return MIMEAccept([(each.partition(";")[0].strip(), quality) for each, quality in accept])


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has no such thing, and Ironic could not store them.
    raise ValueError(name)
