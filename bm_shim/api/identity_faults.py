# SPDX-License-Identifier: Apache-2.0
"""Keystone's error bodies, for every error below ``/identity`` whoever raised it.

``{"error": {"code": 401, "title": "Unauthorized", "message": "..."}}``, always in JSON.
"""

import json
from http import HTTPStatus

from flask import Response

from bm_shim import errors
from bm_shim.addresses import root_url
from bm_shim.context import WSGIEnvironment

PREFIX = "/identity"


def render(error: errors.ShimError, environ: WSGIEnvironment) -> Response:
    """Return the answer that tells a client of identity v2.0 of an error."""
    body = {
        "error": {
            "code": error.status,
            "title": HTTPStatus(error.status).phrase,
            "message": error.message,
        }
    }
    response = Response(json.dumps(body), error.status, content_type="application/json")
    if error.status == HTTPStatus.UNAUTHORIZED:
        uri = f"{root_url(environ)}{PREFIX}"
        response.headers["WWW-Authenticate"] = f'Keystone uri="{uri}"'
    return response
