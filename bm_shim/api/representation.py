# SPDX-License-Identifier: Apache-2.0
"""Bodies on the wire: JSON, read and written."""

import json
from typing import NoReturn

from flask import Response, request

from bm_shim import errors

#: What Nova said of a body that it could not read; scripts may look for it.
MALFORMED_BODY = "Malformed request body"

#: The media types of the API, and the lack of one: ``curl -d`` scripts and Nova since Mitaka.
_JSON_TYPES = {
    "application/json",
    "application/vnd.openstack.compute+json",
    "text/plain",
    "",
}


def read_object() -> dict[str, object]:
    """Return the JSON object that the request's body holds.

    :raises errors.UnsupportedMediaType: the body is of another type (on ``/v2.1``)
    :raises errors.BadRequest: likewise on the older prefixes, as they had it; or the body is not
        JSON, is nested beyond reason, or is not an object
    """
    if request.mimetype not in _JSON_TYPES:
        if request.path.startswith("/v2.1/"):
            raise errors.UnsupportedMediaType
        raise errors.BadRequest(errors.UnsupportedMediaType.default_message)
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise errors.BadRequest(MALFORMED_BODY) from None
    if not isinstance(body, dict):
        raise errors.BadRequest(MALFORMED_BODY)
    return body


def answer(body: object, status: int = 200) -> Response:
    """Return a success with a body."""
    return Response(json.dumps(body), status, content_type="application/json")


def accepted() -> Response:
    """Return the empty 202 of delete and remove_interface, of the type that Nova gave it."""
    return Response(status=202, content_type="text/html; charset=UTF-8")


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has no such thing, and Ironic could not store them.
    raise ValueError(name)
